//! Calls: what callees do with cells, by their summaries; what library functions do, by their signature and name.
//!
//! Guarantees: a callee's effect counts where its place can be named here; a function that is not in the sources does
//! nothing and is remembered as such.

use smallvec::SmallVec;

use super::flow::Flow;
use super::{Access, Called, Cell, Event, Held, Key, Spawn, Taint, add, library, site};
use crate::model::FnId;
use crate::model::infer::{Callee, Name, Target};
use crate::model::locks::{LockType, acquire};
use crate::model::ty::Ty;
use crate::regions::place::{Place, Root};
use crate::regions::summary::{LONGEST_WAY, Way};
use crate::syntax::{ExprId, ExprKind, Symbol};

impl Flow<'_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: &[ExprId]) -> Taint {
        let written = match &self.body[callee].kind {
            ExprKind::Path(path) => path.segments.last().map(|segment| segment.name),
            _ => None,
        };
        match self.types.calls.get(&id) {
            Some(resolved) => match &resolved.target {
                Target::Constructor(..) => self.all(args),
                Target::Closure(_) => self.all(args),
                Target::Value => {
                    self.steps += 1;
                    let mut out = self.place(callee);
                    add(&mut out, &self.all(args));
                    out
                }
                Target::External(name) => {
                    let role = self.cx.model.known.external_roles.get(name.as_str()).copied();
                    let spawns = role.map_or_else(|| library::spawns_by_name(*name), library::spawns);
                    self.not_there(id, Some(*name), None, args, spawns)
                }
                Target::Fn(function) => self.known(id, *function, resolved, None, args),
            },
            None => {
                if written.is_none() {
                    self.place(callee);
                }
                let spawns = written.is_some_and(library::spawns_by_name);
                self.not_there(id, written, None, args, spawns)
            }
        }
    }

    pub(super) fn method(&mut self, id: ExprId, receiver: ExprId, name: Symbol, args: &[ExprId]) -> Taint {
        let ty = self.types.ty(receiver);
        let model = self.cx.model;
        let cell = if library::is_atomic(model, ty) {
            library::atomic(name.as_str())
        } else if library::is_tracked(model, ty) {
            library::tracked(name.as_str())
        } else {
            None
        };
        if let Some(access) = cell {
            let mut from = self.place(receiver);
            let data = self.arguments(args, &Taint::new(), false);
            if access != Access::Write {
                add(&mut from, &data);
            }
            return self.access(id, receiver, access, Key::Whole, data, from);
        }
        match self.types.calls.get(&id) {
            Some(callee @ Callee { target: Target::Fn(function), .. }) => {
                self.known(id, *function, callee, Some(receiver), args)
            }
            _ => {
                let known = matches!(self.types.ty(receiver), Ty::Prim | Ty::Tuple(_) | Ty::Slice(_))
                    || library::computes_by_name(name);
                let spawns = library::spawns_by_name(name);
                match known {
                    true => {
                        let from = self.place(receiver);
                        let from = self.look(receiver, from);
                        let mut out = self.arguments(args, &from, false);
                        add(&mut out, &from);
                        out
                    }
                    false => self.not_there(id, Some(name), Some(receiver), args, spawns),
                }
            }
        }
    }

    /// A function that is not in the sources, nor in a stub.
    fn not_there(
        &mut self,
        id: ExprId,
        name: Option<Symbol>,
        receiver: Option<ExprId>,
        args: &[ExprId],
        spawns: bool,
    ) -> Taint {
        self.steps += 1;
        let mut from = Taint::new();
        if let Some(receiver) = receiver {
            from = self.place(receiver);
            from = self.look(receiver, from);
        }
        if let Some(name) = name {
            self.unknown.push(name);
        }
        if spawns {
            return self.spawn(id, args);
        }
        let values = self.arguments(args, &from, false);
        // An async function given to a framework is a handler: it runs whenever a request comes.
        for arg in args {
            if let Some(Name::Fn(function)) = self.types.names.get(arg)
                && self.cx.model.signature(*function).async_
            {
                let many = Spawn { site: site(self.cx, self.id, self.body[id].span), many: true };
                self.spawns.push(many);
                let spawn = Some(self.spawns.len() as u32 - 1);
                self.calls.push(Called { function: *function, spawn, shared: u64::MAX, lends: Vec::new() });
            }
        }
        if let Some(receiver) = receiver {
            self.taint_base(receiver, &values);
        }
        let mut out = values;
        add(&mut out, &from);
        out
    }

    /// Gives the arguments to another thread or task.
    fn spawn(&mut self, id: ExprId, args: &[ExprId]) -> Taint {
        let many = self.loops > 0;
        self.spawns.push(Spawn { site: site(self.cx, self.id, self.body[id].span), many });
        let number = self.spawns.len() as u32 - 1;
        let outer = self.spawn.replace(number);
        self.spawned.extend(args.iter().map(|arg| (self.body[*arg].span, number)));
        let out = self.arguments(args, &Taint::new(), true);
        self.spawn = outer;
        out
    }

    /// Follows arguments; closures run here, with `given` as what they are called with.
    fn arguments(&mut self, args: &[ExprId], given: &Taint, spawned: bool) -> Taint {
        let mut out = Taint::new();
        for arg in args {
            if spawned {
                self.moves = match self.body[*arg].kind {
                    ExprKind::Closure { move_, .. } | ExprKind::Async { move_, .. } => move_,
                    _ => true,
                };
            }
            let value = match (&self.body[*arg].kind, self.types.ty(*arg)) {
                (ExprKind::Closure { .. }, _) => {
                    let tested = given.clone();
                    self.under(&tested, |this| this.closure(*arg, given))
                }
                // A closure in a variable: what it does, it does there.
                (ExprKind::Path(_), Ty::Closure(closure)) if spawned => self.closure(*closure, given),
                _ => self.eval(*arg),
            };
            if spawned && let Some(Name::Fn(function)) = self.types.names.get(arg) {
                self.calls.push(Called { function: *function, spawn: self.spawn, shared: 0, lends: Vec::new() });
            }
            add(&mut out, &value);
        }
        out
    }

    /// A call of a known function.
    fn known(
        &mut self,
        id: ExprId,
        function: FnId,
        callee: &Callee,
        receiver: Option<ExprId>,
        args: &[ExprId],
    ) -> Taint {
        let model = self.cx.model;
        let data = model.function(function);
        let signature = model.signature(function);
        let name = data.syntax.name;
        if model.known.roles.get(&function).is_some_and(|role| library::spawns(*role)) {
            if let Some(receiver) = receiver {
                self.place(receiver);
            }
            self.names.push(name);
            return self.spawn(id, args);
        }
        if model.crate_of(data.module).stub {
            return self.library(id, function, callee, receiver, args);
        }
        self.steps += 1;
        self.names.push(name);
        let sent = (0..args.len()).any(|index| {
            let index = if receiver.is_none() && callee.receiver_first { index.wrapping_sub(1) } else { index };
            let is_code =
                matches!(self.types.ty(args[index.min(args.len() - 1)]), Ty::Closure(_) | Ty::Future(_) | Ty::FnDef(_));
            is_code && signature.params.get(index).is_some_and(|ty| library::is_sent(model, ty, &signature.generics))
        });
        let mut taints: SmallVec<[Taint; 4]> = SmallVec::new();
        let mut places: SmallVec<[Option<Place>; 4]> = SmallVec::new();
        let mut keys: SmallVec<[Key; 4]> = SmallVec::new();
        match receiver {
            Some(receiver) => {
                taints.push(self.place(receiver));
                places.push(self.argument_place(receiver, callee));
                keys.push(Key::Unknown);
            }
            None if callee.receiver_first => {}
            None => {
                taints.push(Taint::new());
                places.push(None);
                keys.push(Key::Unknown);
            }
        }
        if sent {
            let value = self.spawn(id, args);
            taints.extend(args.iter().map(|_| value.clone()));
        } else {
            for arg in args {
                let given = Taint::new();
                taints.push(match self.body[*arg].kind {
                    ExprKind::Closure { .. } => self.closure(*arg, &given),
                    // What is only lent is looked at by the callee, not here.
                    ExprKind::Ref { expr, .. } => self.place(expr),
                    _ => self.eval(*arg),
                });
            }
        }
        for arg in args {
            places.push(self.argument(*arg));
            keys.push(self.key(*arg));
        }
        let mut all = Taint::new();
        taints.iter().for_each(|taint| add(&mut all, taint));
        let Some(targets) = model.dispatch(function) else { return all };
        let mut out = Taint::new();
        let shared = self.shared_arguments(receiver, args, &places);
        let lends = places.iter().enumerate().filter_map(|(index, place)| match place.as_ref()?.root {
            Root::Param(own) => Some((index as u32, own)),
            _ => None,
        });
        let lends: Vec<(u32, u32)> = lends.collect();
        for target in targets {
            self.calls.push(Called { function: target, spawn: self.spawn, shared, lends: lends.clone() });
            let read = self.effects_of(id, target, &places, &keys, &taints);
            add(&mut out, &read);
            let from = self.summary(target).map_or(0, |summary| summary.returns_from);
            for (index, taint) in taints.iter().enumerate() {
                if from & 1u64.checked_shl(index as u32).unwrap_or(0) != 0 {
                    add(&mut out, taint);
                }
            }
        }
        add(&mut all, &out);
        for arg in receiver.iter().chain(args) {
            if self.lends_mutably(*arg, receiver == Some(*arg), function) {
                self.taint_base(*arg, &all);
                self.assigns |= self.base(*arg).is_some_and(|local| {
                    let data = &self.types.locals[local.0 as usize];
                    !data.by_ref && !matches!(data.ty, Ty::Ref(_)) && self.cell(*arg).is_none()
                });
            }
        }
        out
    }

    /// A callee's effects, in this body's terms.
    fn effects_of(
        &mut self,
        id: ExprId,
        target: FnId,
        places: &[Option<Place>],
        keys: &[Key],
        taints: &[Taint],
    ) -> Taint {
        let mut out = Taint::new();
        let Some(summary) = self.summary(target) else { return out };
        let here = site(self.cx, self.id, self.body[id].span);
        let body = self.id;
        let renew = |place: &Place| place.instantiate(places, || Root::Value(body, u32::MAX));
        for effect in &summary.effects {
            if matches!(effect.place.root, Root::Param(index) if places.get(index as usize).is_none_or(Option::is_none))
            {
                continue;
            }
            let place = renew(&effect.place);
            let inner = (effect.cell != Cell::Plain).then_some(match effect.cell {
                Cell::Guarded(steps) => {
                    let cell = effect.place.steps[..steps as usize].iter().copied().collect();
                    Cell::Guarded(renew(&Place { root: effect.place.root, steps: cell }).steps.len() as u32)
                }
                other => other,
            });
            let Some((place, cell, section, mut held)) = self.cell_at(&place, inner, id) else { continue };
            let tag = |site: &crate::regions::summary::Site| -> Held { (*site, Some(id)) };
            held.extend(effect.held.iter().map(tag));
            let mut data = Taint::new();
            for (index, taint) in taints.iter().enumerate() {
                if effect.from & 1u64.checked_shl(index as u32).unwrap_or(0) != 0 {
                    add(&mut data, taint);
                }
            }
            let key = match &effect.key {
                Key::At(place) => match place.root {
                    Root::Param(index) if place.steps.is_empty() => {
                        keys.get(index as usize).cloned().unwrap_or(Key::Unknown)
                    }
                    Root::Param(index) if places.get(index as usize).is_some_and(Option::is_some) => {
                        Key::At(renew(place))
                    }
                    _ => Key::Unknown,
                },
                other => other.clone(),
            };
            let by_key = match &effect.key {
                Key::At(Place { root: Root::Param(index), .. }) => {
                    taints.get(*index as usize).cloned().unwrap_or_default()
                }
                _ => Taint::new(),
            };
            let way: Way = [here].into_iter().chain(effect.way.iter().copied()).take(LONGEST_WAY).collect();
            let number = self.event(Event {
                expr: id,
                place,
                cell,
                access: effect.access,
                key,
                held,
                section: effect.section.as_ref().map(tag).or(section),
                site: effect.site,
                way,
                data,
                by_key,
                control: Taint::new(),
                early: Taint::new(),
                dispatch: Taint::new(),
                spawn: None,
                steps: 0,
            });
            if effect.returned {
                add(&mut out, &SmallVec::from_slice(&[number]));
            }
        }
        out
    }

    /// The guard type of an expression's value.
    fn guarded_type(&self, id: ExprId) -> Option<LockType> {
        match self.types.ty(id).peeled() {
            Ty::Adt(adt, _) => self.cx.model.adt(*adt).lock,
            _ => None,
        }
    }

    /// A library function, by its signature.
    fn library(
        &mut self,
        id: ExprId,
        function: FnId,
        callee: &Callee,
        receiver: Option<ExprId>,
        args: &[ExprId],
    ) -> Taint {
        let model = self.cx.model;
        let syntax = model.function(function).syntax;
        let name = syntax.name;
        let name = name.as_str();
        let Some(receiver) = receiver else {
            // `mem::take(&mut place)`: taken out, or something else put there.
            let out = self.arguments(args, &Taint::new(), false);
            if matches!(name, "take" | "replace" | "swap")
                && model.module_path(model.function(function).module) == "std::mem"
            {
                let places: SmallVec<[ExprId; 2]> =
                    args.iter().copied().take(if name == "swap" { 2 } else { 1 }).collect();
                let mut all = out;
                for place in places {
                    let of = match self.body[place].kind {
                        ExprKind::Ref { expr, .. } => expr,
                        _ => place,
                    };
                    all = self.access(id, of, Access::Update, Key::Whole, all.clone(), all);
                    self.taint_base(of, &all.clone());
                }
                return all;
            }
            return out;
        };
        let from = self.place(receiver);
        let lock = match callee.on.peeled() {
            Ty::Adt(adt, _) => model.adt(*adt).lock,
            _ => None,
        };
        match lock {
            Some(LockType::Lock { shape, waiting }) if acquire(shape, waiting, name).is_some() => return from,
            Some(_) => {
                let mut out = from;
                add(&mut out, &self.arguments(args, &Taint::new(), false));
                return out;
            }
            None => {}
        }
        let mutable = syntax.receiver.as_ref().is_some_and(|receiver| receiver.mutable);
        let keyed = library::is_keyed(name) && !args.is_empty();
        let key = match self.element(receiver) {
            _ if keyed => self.key(args[0]),
            Key::Whole => library::unkeyed(name),
            element => element,
        };
        let by_key = if keyed { self.eval(args[0]) } else { Taint::new() };
        let rest = if keyed { &args[1..] } else { args };
        let mut data = self.arguments(rest, &from, false);
        let access = if mutable { library::mutates(name) } else { Some(Access::Read) };
        // What is passed on unchanged is not looked at: pointers, results with a guard in them.
        let chained = matches!(self.body[receiver].kind, ExprKind::MethodCall { .. } | ExprKind::Call { .. })
            && matches!(self.types.ty(receiver), Ty::Ref(_) | Ty::Adt(..))
            && self.guarded_type(receiver).is_none();
        let passes = !mutable && (chained || signature_passes(name));
        let before = self.events.len();
        let mut out = match access {
            Some(access) if !passes => self.access(id, receiver, access, key, data.clone(), from.clone()),
            _ => from.clone(),
        };
        if let Some(event) = self.events.get_mut(before) {
            add(&mut event.by_key, &by_key);
        } else if mutable {
            self.assigns |= self.base(receiver).is_some();
            self.taint_base(receiver, &data);
        }
        add(&mut data, &by_key);
        if access != Some(Access::Write) {
            add(&mut out, &data);
        }
        out
    }
}

/// Library methods that hand on what they are called on.
fn signature_passes(name: &str) -> bool {
    matches!(
        name,
        "unwrap"
            | "expect"
            | "ok"
            | "as_ref"
            | "unwrap_or_else"
            | "map_err"
            | "deref"
            | "as_deref"
            | "upgrade"
            | "borrow"
    )
}

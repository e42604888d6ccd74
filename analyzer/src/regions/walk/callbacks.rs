//! Callbacks on their way into fields, and calls of what lies there: what
//! [`callbacks`](crate::regions::callbacks) is made of.
//!
//! Guarantees: closures, functions by name and parameters that a struct literal, an assignment or a method of a library
//! type puts into a field, outside tests; through constructors, setters and `register` methods, whose callers then
//! register what they pass. A closure that is registered is run once for what it does, with nothing held.
//!
//! Misses: callbacks in enums and messages; fields of values that nobody can name.

use std::rc::Rc;

use super::Walker;
use crate::model::ty::Ty;
use crate::model::{AdtId, Signature};
use crate::regions::callbacks::{Doing, Invocation, KeptParam, Registration, is_known, registry};
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::{GuardId, LiveGuard, Value};
use crate::regions::summary::{Acquired, HeldLock, LONGEST_WAY, MOST_ACQUIRES, Site, Way};
use crate::syntax::{ExprId, ExprKind, Symbol};

/// Calls of registries kept per function.
const MOST_INVOKED: usize = 8;
/// Parameters that come into registries, kept per function.
const MOST_KEPT: usize = 8;

impl Walker<'_> {
    /// A value comes to lie at a place: are there callbacks in it?
    pub(super) fn note_kept(&mut self, place: Option<&Place>, value: &Value, with: Option<&Place>, site: Site) {
        for (_, part) in &value.parts {
            self.note_kept(place, part, with, site);
        }
        let Some(place) = place else { return };
        let param = self.callable_param(value);
        if value.closure.is_none() && value.function.is_none() && param.is_none()
            || !self.state.reachable
            || registry(self.model, place).is_none()
        {
            return;
        }
        let doing = match (value.closure, value.function) {
            (Some(closure), _) => self.doing_of(closure),
            (None, Some(function)) => {
                let Some(summary) = self.summary(function) else { return };
                let bare = |acquired: &Acquired| Acquired { held: Vec::new(), ..acquired.clone() };
                let acquires = summary.acquires.iter().map(bare).collect();
                Rc::new(Doing { acquires, invokes: summary.invokes.clone(), params: Vec::new() })
            }
            (None, None) => {
                self.keep_param(param, place);
                return;
            }
        };
        for param in &doing.params {
            self.keep_param(Some(*param), place);
        }
        if !self.cx.bodies[self.id.0 as usize].test && (!doing.acquires.is_empty() || !doing.invokes.is_empty()) {
            let registration =
                Registration { place: place.clone(), with: with.cloned(), site, doing: (*doing).clone() };
            self.out.registered(registration);
        }
    }

    /// The fields of a struct literal or tuple struct.
    pub(super) fn note_kept_fields<'v, N: std::fmt::Display>(
        &mut self,
        id: ExprId,
        parts: impl Iterator<Item = (N, &'v Value)>,
    ) {
        let Ty::Adt(adt, _) = *self.ty(id) else { return };
        let site = self.site(self.body[id].span);
        for (name, value) in parts {
            self.note_kept_field(adt, &name.to_string(), value, site);
        }
    }

    /// A field of a struct literal is given a value.
    pub(super) fn note_kept_field(&mut self, adt: AdtId, field: &str, value: &Value, site: Site) {
        let data = self.model.adt(adt);
        if data.is_enum
            || value.closure.is_none() && value.function.is_none() && self.callable_param(value).is_none()
            || !data.variants.iter().flatten().any(|known| known.name.as_str() == field && is_callable(&known.ty))
        {
            return;
        }
        let place = self.unknown_place().step(Step::Field(adt, Symbol::from(field)));
        self.note_kept(place.as_ref(), value, None, site);
    }

    /// The arguments of a library function that it does not call: a method keeps them in its receiver. Gives the
    /// parameter that a box, or another pointer, is made of.
    pub(super) fn note_kept_arguments(
        &mut self,
        (id, name): (ExprId, &str),
        signature: &Signature,
        values: &[Value],
        (receiver, item): (&Option<Value>, &Option<Place>),
    ) -> Option<u32> {
        let Some(receiver) = receiver else {
            let value = values.first().filter(|_| values.len() == 1 && matches!(name, "new" | "from" | "pin"))?;
            return self.callable_param(value);
        };
        if item.is_some() {
            let site = self.site(self.body[id].span);
            for (index, value) in values.iter().enumerate() {
                if !self.calls_argument(signature, index, values.len()) {
                    self.note_kept(item.as_ref(), value, None, site);
                }
            }
        }
        receiver.given
    }

    /// The parameter that a value is, boxed or not.
    pub(super) fn callable_param(&self, value: &Value) -> Option<u32> {
        value.given.or_else(|| match &value.place {
            Some(Place { root: Root::Param(param), steps }) if steps.is_empty() => Some(*param),
            _ => None,
        })
    }

    fn keep_param(&mut self, param: Option<u32>, place: &Place) {
        let Some(param) = param else { return };
        if !self.types.locals.iter().any(|local| local.param == Some(param) && is_callable(&local.ty)) {
            return;
        }
        let kept = KeptParam { param, place: place.unkeyed() };
        let known = &mut self.summary.keeps;
        let same = |known: &KeptParam| known.param == kept.param && known.place.steps == kept.place.steps;
        if known.len() < MOST_KEPT && !known.iter().any(same) {
            known.push(kept);
        }
    }

    /// What a closure does when somebody calls it.
    fn doing_of(&mut self, closure: ExprId) -> Rc<Doing> {
        if let Some(known) = self.doings.get(&closure) {
            return Rc::clone(known);
        }
        let mut doing = Doing::default();
        self.detach(|this| {
            this.recording = Some(Doing::default());
            let value = this.run_closure(closure, &[]);
            if let Some(future) = value.future {
                this.run_future(future);
            }
            doing = this.recording.take().unwrap_or_default();
        });
        let doing = Rc::new(doing);
        self.doings.insert(closure, Rc::clone(&doing));
        doing
    }

    /// A value is returned: whoever calls it calls a parameter.
    pub(super) fn note_wrapped(&mut self, value: &Value) {
        if self.summary.wraps.is_some() || self.detached > 0 {
            return;
        }
        let wrapped = match value.closure {
            Some(closure) => self.doing_of(closure).params.first().copied(),
            None => value.given,
        };
        self.summary.wraps = wrapped;
    }

    /// A lock is wanted while a callback is looked at.
    pub(super) fn record_request(&mut self, acquired: &Acquired) {
        let Some(recording) = &mut self.recording else { return };
        let known = |known: &Acquired| known.lock == acquired.lock && known.mode == acquired.mode;
        if acquired.try_ || recording.acquires.iter().any(known) {
            return;
        }
        if recording.acquires.len() >= MOST_ACQUIRES {
            self.summary.truncated = true;
            return;
        }
        recording.acquires.push(Acquired { held: Vec::new(), ..acquired.clone() });
    }

    /// What lies at a place is called.
    pub(super) fn note_invoked(&mut self, place: Option<&Place>, site: Site) {
        let Some(place) = place else { return };
        if let (Root::Param(param), true, Some(recording)) = (place.root, place.steps.is_empty(), &mut self.recording) {
            recording.params.push(param);
        }
        if registry(self.model, place).is_some() {
            let call = Invocation {
                place: place.unkeyed(),
                held: Vec::new(),
                site,
                way: Way::new(),
                released: 0,
                dispatched: false,
            };
            self.invoke(call, false, &[]);
        }
    }

    /// The field that an expression in the position of a function names, where it is no place.
    pub(super) fn called_field(&mut self, callee: ExprId) -> Option<Place> {
        let ExprKind::Field { name, .. } = &self.body[callee].kind else { return None };
        let (adt, _) = self.types.fields.get(&callee)?;
        self.unknown_place().step(Step::Field(*adt, *name))
    }

    /// A registry is called here, by this body or a callee; `known`: which one, the callee could say as well.
    fn invoke(&mut self, call: Invocation, known: bool, without: &[GuardId]) {
        if !self.state.reachable {
            return;
        }
        let mut own: Vec<HeldLock> = Vec::new();
        let live = |guard: &&LiveGuard| guard.param.is_none() && !without.contains(&guard.id);
        for guard in self.state.guards.iter().filter(live) {
            if !own.iter().any(|held| held.lock == guard.held.lock) {
                own.push(guard.held.clone());
            }
        }
        let now_known = is_known(self.model, &call.place);
        let depends = |held: &HeldLock| self.cx.depends_on_caller(&held.lock.place);
        let mut held = own.clone();
        held.extend(call.held.iter().filter(|held| !known || depends(held)).cloned());
        if now_known && !held.is_empty() {
            let gates = own.iter().chain(&call.held).filter(|held| held.must).cloned().collect();
            let step = self.next;
            self.out.invocation(self.id, step, Invocation { held, ..call.clone() }, gates);
        }
        own.extend(call.held);
        let released = call.released | self.state.released;
        let call = Invocation { held: own, released, ..call };
        if call.way.len() >= LONGEST_WAY {
            return;
        }
        let add = |list: &mut Vec<Invocation>, model| {
            let same = |known: &Invocation| {
                registry(model, &known.place) == registry(model, &call.place)
                    && known.place.root == call.place.root
                    && known.held.len() == call.held.len()
                    && known.held.iter().zip(&call.held).all(|(a, b)| a.lock == b.lock)
            };
            if list.len() < MOST_INVOKED && !list.iter().any(same) {
                list.push(call.clone());
            }
        };
        if let Some(recording) = &mut self.recording {
            add(&mut recording.invokes, self.model);
        }
        if self.detached == 0 {
            add(&mut self.summary.invokes, self.model);
        }
    }

    /// The registries that a callee fills and calls, at its call.
    pub(super) fn apply_callbacks(
        &mut self,
        (invokes, keeps): (&[Invocation], &[KeptParam]),
        args: &[Value],
        site: Option<Site>,
        dispatched: bool,
        renew: &dyn Fn(&Place) -> Place,
    ) {
        let Some(site) = site.filter(|_| self.state.reachable) else { return };
        for call in invokes.iter().filter(|call| !call.way.contains(&site)) {
            let way = |way: &Way| -> Way { [site].into_iter().chain(way.iter().copied()).take(LONGEST_WAY).collect() };
            let held = call.held.iter().map(|held| {
                let mut out = HeldLock { way: way(&held.way), ..held.clone() };
                out.lock.place = renew(&held.lock.place);
                out
            });
            let seen = Invocation {
                place: renew(&call.place),
                held: held.collect(),
                site: call.site,
                way: way(&call.way),
                released: 0,
                dispatched: call.dispatched || dispatched,
            };
            let given_back =
                |(index, _): &(usize, &Value)| call.released & 1u64.checked_shl(*index as u32).unwrap_or(0) != 0;
            let without = args.iter().enumerate().filter(given_back);
            let without: Vec<GuardId> = without.flat_map(|(_, value)| value.guards.iter().copied()).collect();
            let known = is_known(self.model, &call.place);
            self.invoke(seen, known, &without);
        }
        for kept in keeps {
            if let Some(value) = args.get(kept.param as usize) {
                let with = args.first().and_then(|receiver| receiver.place.as_ref());
                self.note_kept(Some(&renew(&kept.place)), value, with, site);
            }
        }
    }
}

/// Whether there can be a callback in a value of this type.
fn is_callable(ty: &Ty) -> bool {
    ty.any(&mut |part| matches!(part, Ty::Param(_) | Ty::Dyn(_) | Ty::Opaque(_) | Ty::FnPtr(..)))
}

//! Expressions other than control flow and calls.

use super::passed::points_to_lock;
use super::{Use, Walker};
use crate::model::infer::Name;
use crate::model::locks::Waiting;
use crate::model::ty::Ty;
use crate::regions::effects::is_atomic;
use crate::regions::place::{Index, Place, Root, Step};
use crate::regions::state::{Owner, Value};
use crate::regions::summary::Variant;
use crate::syntax::{ExprId, ExprKind, Lit, MacroKind, StaticKind, Symbol};

impl Walker<'_> {
    /// Evaluates an expression.
    pub(super) fn eval(&mut self, id: ExprId, how: Use) -> Value {
        let value = self.expression(id, how);
        self.seen.note(id, &self.body[id].kind, &value, &self.state);
        value
    }

    fn expression(&mut self, id: ExprId, how: Use) -> Value {
        let body = self.body;
        self.steps += 1;
        match &body[id].kind {
            ExprKind::Path(_) | ExprKind::QualifiedPath { .. } => self.path(id, how),
            ExprKind::Lit(literal) => Value { variant: Self::literal_flag(literal), ..Value::default() },
            ExprKind::Unknown => Value::default(),
            ExprKind::Call { callee, args } => self.call(id, *callee, args),
            ExprKind::MethodCall { receiver, method, args, .. } => self.method_call(id, *receiver, *method, args),
            ExprKind::Field { base, name } => {
                let base_value = self.eval(*base, Use::Place);
                let place = match self.types.fields.get(&id) {
                    Some((adt, derefs)) => {
                        let place = self.dereferenced(base_value.place, derefs, id);
                        // Of what nobody knows where it comes from, the field still says which class of lock it is.
                        let place = place.or_else(|| self.locks_inside(id).then(|| self.unknown_place()));
                        self.step(place, Step::Field(*adt, *name))
                    }
                    None => match name.as_str().parse() {
                        Ok(index) => self.step(base_value.place, Step::Tuple(index)),
                        Err(_) => None,
                    },
                };
                let place = place.map(|place| self.through_literal(place));
                self.note_part(*base, how, id);
                let keeps =
                    how == Use::Move && !base_value.guards.is_empty() && self.keeps(self.ty(id), &base_value.guards);
                Value { guards: if keeps { base_value.guards } else { Default::default() }, ..Value::of(place) }
            }
            ExprKind::Index { base, index } => {
                let base = self.eval(*base, Use::Place);
                let index_value = self.eval(*index, Use::Move);
                self.operator(id, &[base.clone(), index_value]);
                let constant = self.index_key(*index);
                Value::of(self.step(base.place, Step::Element(constant)))
            }
            ExprKind::Deref(inner) => {
                let value = self.eval(*inner, Use::Place);
                let place = match self.operator(id, std::slice::from_ref(&value)) {
                    Some(target) => target.place,
                    None => value.place,
                };
                Value { closure: value.closure, ..Value::of(place) }
            }
            ExprKind::Unary(inner) => {
                self.eval(*inner, Use::Place);
                Value::default()
            }
            ExprKind::Ref { expr, mutable, raw } => {
                if *mutable {
                    if !raw {
                        self.note_write(*expr);
                    }
                    self.changes(*expr);
                }
                let value = self.eval(*expr, Use::Place);
                self.keep_temporary(*expr, &value);
                Value { guards: Default::default(), ..value }
            }
            ExprKind::Binary { lhs, rhs, .. } => {
                let operands = [self.eval(*lhs, Use::Place), self.eval(*rhs, Use::Place)];
                self.operator(id, &operands);
                Value::default()
            }
            ExprKind::Logic { .. } => {
                self.logic(id);
                Value::default()
            }
            ExprKind::Assign { place, value } => self.assign(*place, *value),
            ExprKind::AssignOp { place, value } => {
                self.note_write(*place);
                self.changes(*place);
                // Primitives evaluate the right side first, overloaded operators the left one.
                if matches!(self.ty(*place), Ty::Adt(..) | Ty::External(..)) {
                    self.eval(*place, Use::Place);
                    self.eval(*value, Use::Move);
                } else {
                    self.eval(*value, Use::Place);
                    self.eval(*place, Use::Place);
                }
                Value::default()
            }
            ExprKind::Block { stmts, label, .. } => self.block(stmts, *label),
            ExprKind::If { cond, then, els } => self.if_(*cond, *then, *els),
            ExprKind::Let { .. } => {
                // Outside a condition this does not parse; inside one `condition` handles it.
                self.condition(id);
                Value::default()
            }
            ExprKind::Match { scrutinee, arms } => self.match_(*scrutinee, arms),
            ExprKind::Loop { label, body } => {
                self.repeats.push(None);
                let out = self.loop_(*label, None, None, *body);
                self.repeats.pop();
                out
            }
            ExprKind::While { label, cond, body } => {
                self.note_message_loop(*cond, *body, self.while_receives(*cond).as_ref());
                let outer = self.blocking.construct.replace(("while let", body_end(self.body, *body)));
                self.repeats.push(None);
                let out = self.loop_(*label, Some(*cond), None, *body);
                self.repeats.pop();
                self.blocking.construct = outer;
                out
            }
            ExprKind::For { label, pat, iter, body } => {
                let before = self.next;
                let items = self.eval(*iter, Use::Move);
                self.note_head(*iter, "for", before, &items, body_end(self.body, *body));
                self.note_message_loop(*iter, *body, self.message_receiver(*iter).as_ref());
                let times = self.count_of(*iter);
                self.repeats.push(times);
                self.lazily(*iter, &items);
                let task = items.task;
                let place = self.step(items.place.clone(), Step::Element(Index::Any));
                self.hidden(*iter, &items);
                let out = self.loop_(*label, None, Some((*pat, Value { task, ..Value::of(place) })), *body);
                self.repeats.pop();
                out
            }
            ExprKind::Break { label, value } => self.break_(*label, *value),
            ExprKind::Continue { label } => self.continue_(*label),
            ExprKind::Return(value) => {
                let value = value.map(|value| self.eval(value, Use::Move)).unwrap_or_default();
                self.leave_body(&value);
                Value::default()
            }
            ExprKind::Yield(value) => {
                if let Some(value) = value {
                    self.eval(*value, Use::Move);
                }
                Value::default()
            }
            ExprKind::Closure { move_, .. } => self.closure_value(id, *move_),
            ExprKind::Async { move_, .. } => {
                if *move_ && !self.cx.drops.is_empty() {
                    let captured = self.captured(id);
                    self.moved.extend(captured);
                }
                self.note_captured(id, *move_);
                Value { future: Some(id), ..Value::default() }
            }
            ExprKind::Await(inner) => {
                let value = self.eval(*inner, Use::Move);
                let future = value.future;
                let value = match future {
                    Some(future) => self.run_future(future),
                    None => value,
                };
                self.awaited_lock(*inner, &value);
                // What the future gives is there when nothing is waited for any more.
                let given = if future.is_some() { &value.guards[..] } else { &[] };
                self.suspend(body[id].span, given);
                value
            }
            ExprKind::Try(inner) => {
                let value = self.eval(*inner, Use::Move);
                // The error leaves; guards in the value are only there if it is none.
                let before = self.state.clone();
                self.consume(&value);
                self.leave_body(&Value::default());
                self.state = before;
                value
            }
            ExprKind::Struct { fields, rest, .. } => {
                let mut out = Value::default();
                for (name, value) in fields {
                    let value = self.eval(*value, Use::Move);
                    out.guards.extend(value.guards.iter().copied());
                    out.parts.push((*name, value));
                }
                if let Some(rest) = rest {
                    let value = self.eval(*rest, Use::Move);
                    out.guards.extend(value.guards);
                }
                self.note_fields(id, out.parts.iter().map(|(name, value)| (name.as_str(), value)));
                self.note_making(id, fields.iter().map(|(name, value)| (*name, *value)), &out.parts);
                out
            }
            ExprKind::Tuple(items) => {
                let mut out = Value::default();
                for (index, item) in items.iter().enumerate() {
                    let value = self.eval(*item, Use::Move);
                    out.guards.extend(value.guards.iter().copied());
                    out.parts.push((Symbol::from(index.to_string()), value));
                }
                out
            }
            ExprKind::Array { items, .. } => {
                let mut out = Value::default();
                for item in items {
                    let value = self.eval(*item, Use::Move);
                    out.guards.extend(value.guards);
                }
                out
            }
            ExprKind::Repeat { item, len, .. } => {
                let value = self.eval(*item, Use::Move);
                self.eval(*len, Use::Move);
                value
            }
            ExprKind::Cast { expr, .. } => {
                let value = self.eval(*expr, Use::Move);
                let Value { place, closure, function, given, .. } = value;
                Value { closure, function, given, ..Value::of(place) }
            }
            ExprKind::Range { from, to } => {
                for bound in from.iter().chain(to) {
                    self.eval(*bound, Use::Move);
                }
                Value::default()
            }
            ExprKind::Macro { kind, args, .. } => self.macro_(id, *kind, args),
            ExprKind::Select { arms } => self.select(id, arms),
        }
    }

    /// `lock().await` on a lock that is known by its name only: it suspends the task.
    fn awaited_lock(&mut self, call: ExprId, value: &Value) {
        let span = self.body[call].span;
        for id in &value.guards {
            if let Some(guard) = self.state.guard(*id)
                && guard.held.site.span == span
            {
                guard.held.waiting = Waiting::Task;
            }
        }
    }

    fn path(&mut self, id: ExprId, how: Use) -> Value {
        match self.types.names.get(&id) {
            Some(Name::Local(local)) => {
                let local = *local;
                let guards: smallvec::SmallVec<[_; 1]> = self
                    .state
                    .guards
                    .iter()
                    .filter(|guard| guard.owner == Owner::Local(local))
                    .map(|guard| guard.id)
                    .collect();
                let place = Some(self.local_place(local));
                let callable = self.callables.get(&local).cloned().unwrap_or_default();
                if how == Use::Move && !matches!(self.ty(id), Ty::Ref(_) | Ty::Prim) {
                    self.moved.insert(local);
                    let owner = self.temporary();
                    self.own(&guards, owner);
                }
                Value {
                    guards,
                    place,
                    closure: callable.closure,
                    function: callable.function,
                    future: callable.future,
                    asked: callable.asked,
                    task: callable.task,
                    given: callable.given,
                    parts: Vec::new(),
                    variant: self.unchanged_parameter(local).map(Variant::AsGiven),
                }
            }
            Some(Name::Static(found)) => {
                let found = *found;
                self.note_static(found, self.body[id].span);
                Value::of(Some(Place::new(Root::Static(found))))
            }
            Some(Name::Fn(function)) => Value { function: Some(*function), ..Value::default() },
            Some(Name::Constructor(adt, variant)) => {
                Value { variant: self.literal_variant(*adt, *variant), ..Value::default() }
            }
            None => Value::default(),
        }
    }

    fn assign(&mut self, place: ExprId, value: ExprId) -> Value {
        let body = self.body;
        if matches!(body[place].kind, ExprKind::Unknown) {
            // `_ = value`: a place stays where it is, a value is dropped at once.
            let place_only = matches!(body[value].kind, ExprKind::Path(_) | ExprKind::Field { .. });
            let given = self.eval(value, if place_only { Use::Place } else { Use::Move });
            if !place_only {
                self.dropped_at_once(value, &given);
                self.consume(&given);
            }
            return Value::default();
        }
        self.note_write(place);
        let given = self.eval(value, Use::Move);
        let target = match (&body[place].kind, self.types.names.get(&place)) {
            (ExprKind::Path(_), Some(Name::Local(local))) => Some(*local),
            _ => None,
        };
        match target {
            Some(local) => {
                // The new value is there before the old one is dropped.
                let new = given.guards.clone();
                self.state.release(|guard| guard.owner == Owner::Local(local) && !new.contains(&guard.id));
                self.own(&given.guards, Owner::Local(local));
                self.moved.remove(&local);
                self.rebind(local, given);
            }
            None => {
                let target = self.eval(place, Use::Place);
                self.note_stored(target.place.as_ref(), &given);
                let site = self.site(body[value].span);
                let points = points_to_lock(self.model, self.ty(value));
                self.note_kept(target.place.as_ref(), &given, None, site);
                self.note_lock_replaced(target.place.as_ref(), given.place.as_ref(), points, site);
                // A guard stored in a field lives as long as the variable that has the field.
                let owner = match target.place.map(|place| place.root) {
                    Some(Root::Local(_, local, _)) => Owner::Local(local),
                    _ => Owner::Nobody,
                };
                self.own(&given.guards, owner);
            }
        }
        Value::default()
    }

    fn macro_(&mut self, id: ExprId, kind: MacroKind, args: &[ExprId]) -> Value {
        let span = self.body[id].span;
        match kind {
            MacroKind::Statement => self.terminating(|this| this.formatted(args)),
            MacroKind::Diverges => {
                self.terminating(|this| this.formatted(args));
                self.state = crate::regions::state::State::unreachable();
            }
            MacroKind::Awaits => {
                for arg in args {
                    let value = self.eval(*arg, Use::Move);
                    if let Some(future) = value.future {
                        self.run_future(future);
                    }
                }
                self.suspend(span, &[]);
            }
            MacroKind::Value => self.formatted(args),
            // Nothing says in which scope, or whether, the macro evaluates what.
            MacroKind::Unknown | MacroKind::Opaque => {
                for arg in args {
                    self.terminating(|this| this.eval(*arg, Use::Place));
                }
            }
        }
        Value::default()
    }

    /// Which element an index names: a constant's value, or a key for what a variable has at this point.
    fn index_key(&self, index: ExprId) -> Index {
        let body = self.body;
        if let ExprKind::Lit(Lit::Int(value)) = body[index].kind {
            return Index::constant(value);
        }
        match self.types.names.get(&index) {
            Some(Name::Static(id)) => {
                let data = &self.model.statics[id.0 as usize];
                let init = data.init.filter(|_| data.kind == StaticKind::Const);
                match init.and_then(|init| init.integer) {
                    Some(value) => Index::constant(value),
                    _ => Index::Any,
                }
            }
            Some(Name::Local(local)) => Index::Named(*local, self.binds.get(local).copied().unwrap_or(0)),
            _ => Index::Any,
        }
    }

    /// A variable that names elements may name others from here on.
    fn changes(&mut self, place: ExprId) {
        if let (Some(Name::Local(local)), Ty::Prim | Ty::Unknown) = (self.types.names.get(&place), self.ty(place)) {
            *self.binds.entry(*local).or_default() += 1;
        }
    }

    /// Remembers a write to a `static mut`.
    fn note_write(&mut self, place: ExprId) {
        let body = self.body;
        let mut at = place;
        loop {
            match &body[at].kind {
                ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => at = *base,
                // `*addr_of_mut!(X)`
                ExprKind::Deref(pointer) => match &body[*pointer].kind {
                    ExprKind::Ref { raw: true, expr, .. } => at = *expr,
                    _ => return,
                },
                ExprKind::Path(_) => break,
                _ => return,
            }
        }
        let Some(Name::Static(found)) = self.types.names.get(&at) else { return };
        if self.model.statics[found.0 as usize].kind == StaticKind::StaticMut
            && self.state.reachable
            && self.once == 0
            && !self.state.guards.iter().any(|guard| guard.held.must)
        {
            let site = self.site(body[place].span);
            let reserved = self.is_reserved();
            self.out.static_write(self.cx, self.id, *found, site, reserved);
        }
    }

    /// Whether the body is an `unsafe fn`, or decides by an atomic or a `Once` who may go on.
    fn is_reserved(&self) -> bool {
        let function = self.model.fns.get(self.id.0 as usize);
        let decides = |receiver: ExprId, method: &str| match method {
            "call_once" | "is_completed" | "try_lock" => true,
            "swap" | "fetch_or" => is_atomic(self.model, self.ty(receiver)),
            _ => method.starts_with("compare_") && is_atomic(self.model, self.ty(receiver)),
        };
        function.is_some_and(|function| function.syntax.unsafe_)
            || self.body.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::MethodCall { receiver, method, .. } => decides(*receiver, method.as_str()),
                _ => false,
            })
    }
}

/// The last line of an expression.
pub(super) fn body_end(body: &crate::syntax::Body, id: ExprId) -> u32 {
    body[id].span.end.line
}

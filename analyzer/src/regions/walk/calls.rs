//! Calls: taking locks, and what else a call may mean; library functions are in [`super::library`], functions of the
//! sources in [`super::apply`].

use smallvec::SmallVec;

use super::making::numbered;
use super::{Use, Walker};
use crate::model::infer::{Callee, Target};
use crate::model::known::Role;
use crate::model::locks::{Acquire, LockType, Shape, acquire};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId};
use crate::regions::place::{Index, Step};
use crate::regions::state::Value;
use crate::regions::summary::LockRef;
use crate::syntax::{ExprId, ExprKind, Symbol};

/// Methods by which a guard stays in the value where its lock is known by name only, and may or may not give a result.
const UNWRAPS: &[&str] = &["unwrap", "expect"];

/// Methods by which a guard stays in the value, on types that are not known.
pub(super) const PASS_THROUGH: &[&str] = &[
    "unwrap",
    "expect",
    "unwrap_or_else",
    "unwrap_or_default",
    "ok",
    "map_err",
    "into_inner",
    "into",
    "or_else",
    "unwrap_unchecked",
    "context",
    "with_context",
];

/// Methods of unknown types that run their closure before they return.
const RUNS_NOW: &[&str] = &[
    "map",
    "and_then",
    "or_else",
    "unwrap_or_else",
    "map_err",
    "for_each",
    "filter",
    "filter_map",
    "flat_map",
    "fold",
    "any",
    "all",
    "find",
    "find_map",
    "position",
    "take_while",
    "skip_while",
    "retain",
    "sort_by",
    "sort_by_key",
    "or_insert_with",
    "and_modify",
    "with",
    "then",
    "map_or",
    "map_or_else",
    "inspect",
    "ok_or_else",
    "get_or_init",
    "get_or_insert_with",
    "call_once",
    "in_scope",
    "dedup_by_key",
    "max_by_key",
    "min_by_key",
    "partition",
    "try_for_each",
    "is_some_and",
    "is_ok_and",
    "binary_search_by",
    "entry",
    "update",
    "with_borrow",
    "with_borrow_mut",
];

impl Walker<'_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: &[ExprId]) -> Value {
        let types = self.types;
        match types.calls.get(&id).map(|callee| &callee.target) {
            Some(Target::Constructor(..)) => {}
            Some(Target::Fn(function)) => self.note_published(Some(*function), args),
            _ => self.note_published(None, args),
        }
        let Some(resolved) = types.calls.get(&id) else {
            if !matches!(self.body[callee].kind, ExprKind::Path(_)) {
                self.eval(callee, Use::Place);
            }
            let values = self.arguments(args);
            return self.unknown_call(None, &values, id);
        };
        match &resolved.target {
            Target::Constructor(adt, variant) => {
                let values = self.arguments(args);
                let wraps = [self.model.known.option, self.model.known.result].contains(&Some(*adt));
                let fields = values.iter().enumerate();
                self.note_fields(id, fields.filter(|_| !wraps));
                let out = self.constructed(*adt, values);
                self.note_making(id, numbered(args), &out.parts);
                Value { variant: self.literal_variant(*adt, *variant), ..out }
            }
            Target::Closure(closure) => {
                let values = self.arguments(args);
                let out = self.run_closure(*closure, &values);
                self.finish_call(&values, out)
            }
            Target::External(name) => {
                let role = self.model.known.external_roles.get(name.as_str()).copied();
                let values = self.arguments(args);
                if let Some(role) = role {
                    if let Some(value) = self.note_role(role, None, id, &values, false) {
                        return value;
                    }
                    return self.role(role, id, &values).unwrap_or_default();
                }
                self.unknown_call(Some(*name), &values, id)
            }
            Target::Value => {
                let called = self.eval(callee, Use::Place);
                let values = self.arguments(args);
                if let Some(closure) = called.closure {
                    let out = self.run_closure(closure, &values);
                    return self.finish_call(&values, out);
                }
                self.note_callback(callee, id);
                let site = self.site(self.body[id].span);
                let place = called.place.or_else(|| self.called_field(callee));
                self.note_invoked(place.as_ref(), site);
                self.note_called_param(place.as_ref(), Some(site));
                self.unknown_call(None, &values, id)
            }
            Target::Fn(function) => self.resolved(id, *function, resolved, None, args),
        }
    }

    /// The value of a tuple struct or variant.
    pub(super) fn constructed(&self, adt: AdtId, values: Vec<Value>) -> Value {
        let wraps = [self.model.known.option, self.model.known.result].contains(&Some(adt));
        let mut out = Value::default();
        for value in &values {
            out.guards.extend(value.guards.iter().copied());
        }
        if let (true, [value]) = (wraps, &values[..]) {
            out.place.clone_from(&value.place);
            out.task = value.task;
            out.future = value.future;
            out.closure = value.closure;
            out.given = self.callable_param(value);
        }
        if !self.model.adt(adt).is_enum {
            out.parts =
                values.into_iter().enumerate().map(|(at, value)| (Symbol::from(at.to_string()), value)).collect();
        }
        out
    }

    pub(super) fn method_call(&mut self, id: ExprId, receiver: ExprId, name: Symbol, args: &[ExprId]) -> Value {
        let types = self.types;
        self.note_published(None, args);
        match types.calls.get(&id) {
            Some(callee) => match callee.target {
                Target::Fn(function) => self.resolved(id, function, callee, Some(receiver), args),
                _ => Value::default(),
            },
            None => {
                let value = self.eval(receiver, Use::Place);
                let values = self.arguments(args);
                self.hidden(receiver, &value);
                let mut task = value.task;
                if RUNS_NOW.contains(&name.as_str()) || name.as_str().ends_with("_with") {
                    let times = self.count_of(receiver);
                    self.repeats.push(times.or((name.as_str() != "map").then_some(1)));
                    task = self.run_unasked(receiver, &values).max(task);
                    self.repeats.pop();
                } else {
                    self.note_given_away(&values);
                }
                if name.as_str() == "clone" && self.copies_pointers(self.ty(receiver)) {
                    return Value::of(value.place);
                }
                if value.future.is_some() {
                    // An adapter of a future that is not known: `fut.instrument(span)`, `fut.boxed()`.
                    return value;
                }
                // On an unknown type the name decides whether guards stay in the value. On a guard itself it does not:
                // there the method is one of the data's.
                let is_guard = matches!(self.lock_type(self.ty(receiver)), Some(LockType::Guard { .. }));
                let passes = if is_guard { UNWRAPS } else { PASS_THROUGH };
                if passes.contains(&name.as_str()) {
                    return Value { closure: None, ..value };
                }
                values.iter().for_each(|value| self.consume(value));
                Value { task, asked: value.place.or(value.asked), ..Value::default() }
            }
        }
    }

    /// Runs the closures given to a method that is not known. By its name it runs them now; on a type that is not known
    /// either, it may as well keep them (a future, a builder): then nothing counts as held there.
    fn run_unasked(&mut self, receiver: ExprId, values: &[Value]) -> u32 {
        let known = match self.ty(receiver).peeled() {
            Ty::Adt(adt, _) => self.model.crate_of(self.model.adt(*adt).module).stub,
            Ty::Slice(_) | Ty::Tuple(_) | Ty::Prim => true,
            _ => false,
        };
        if known {
            return self.run_closures(values);
        }
        let mut task = 0;
        self.detach(|this| task = this.run_closures(values));
        task
    }

    /// A call of a known function.
    fn resolved(
        &mut self,
        id: ExprId,
        function: FnId,
        callee: &Callee,
        receiver: Option<ExprId>,
        args: &[ExprId],
    ) -> Value {
        let signature = self.model.signature(function);
        let mut by_value = signature.receiver_by_value;
        let mut receiver_value = None;
        if let Some(receiver) = receiver {
            // Reached through a guard or pointer, the method takes (a copy of) what is behind it.
            by_value &= self.model.adt_of(self.ty(receiver)) == self.model.adt_of(&callee.on)
                || self.model.known.iter.is_some() && self.model.adt_of(&callee.on) == self.model.known.iter
                || matches!(self.ty(receiver), Ty::Unknown);
            let value = self.eval(receiver, if by_value { Use::Move } else { Use::Place });
            if !by_value {
                self.keep_temporary(receiver, &value);
            }
            let place = self.dereferenced(value.place, &callee.derefs, receiver);
            receiver_value = Some(Value { place, ..value });
        }
        let name = self.model.function(function).syntax.name;
        let stub = self.model.crate_of(self.model.function(function).module).stub;
        if let Some(LockType::Lock { shape, waiting }) = self.lock_type(&callee.on)
            && let Some(taken) = match self.model.user_acquire(&callee.on, name) {
                None if stub => acquire(shape, waiting, name.as_str()),
                named => named,
            }
        {
            let values = self.arguments(args);
            let value = receiver_value.or_else(|| values.first().cloned()).unwrap_or_default();
            if matches!(shape, Shape::ShardedMap | Shape::Watch | Shape::MetricFamily) {
                return self.take_shard(id, value, callee, (shape, taken), &values);
            }
            return self.take(id, value, callee, shape, taken, signature.async_);
        }
        let values = self.arguments(args);
        let role = self.model.known.roles.get(&function).copied();
        if let Some(role) = &role {
            let all: Vec<Value> = receiver_value.iter().cloned().chain(values.iter().cloned()).collect();
            if *role == Role::Drop {
                for (arg, value) in args.iter().zip(&values) {
                    if let Ty::Adt(adt, _) = self.ty(*arg)
                        && let Some(drop) = self.cx.drops.get(adt)
                    {
                        self.apply(*drop, std::slice::from_ref(value), Some(self.site(self.body[id].span)), false);
                    }
                }
            }
            if let Some(value) = self.note_role(*role, Some(function), id, &all, signature.async_) {
                return value;
            }
            if let Some(value) = self.role(*role, id, &all) {
                return value;
            }
        }
        if stub {
            let before = self.tasks.len();
            let cell = receiver_value.as_ref().filter(|_| role == Some(Role::Initialise));
            let begun = self.begin_initialisation(cell.and_then(|cell| cell.place.clone()), &callee.on, id);
            let value = self.library_call(id, function, receiver_value, values, by_value);
            self.end_initialisation(begun);
            if matches!(role, Some(Role::Receive | Role::ReceiveAll)) {
                // What came through a channel is not the channel.
                return Value { place: None, ..value };
            }
            if role == Some(Role::Scope) {
                self.scope_ends(before, id);
            }
            return value;
        }
        let mut all = Vec::with_capacity(values.len() + 1);
        match receiver_value {
            Some(value) => {
                // A receiver taken by reference keeps its guards.
                let value = if by_value { value } else { Value { guards: SmallVec::new(), ..value } };
                all.push(value);
            }
            // `Type::method(receiver, ..)`
            None if callee.receiver_first => {}
            None => all.push(Value::default()),
        }
        all.extend(values);
        let Some(targets) = self.model.dispatch(function) else { return self.finish_call(&all, Value::default()) };
        if signature.async_ {
            // The call only makes the future.
            let guards = all.iter().flat_map(|value| value.guards.iter().copied()).collect();
            let asked = receiver.and_then(|_| all.first()?.place.clone());
            self.pending.insert(id, (targets, all));
            return Value { guards, future: Some(id), asked, ..Value::default() };
        }
        self.run_plainly(id, targets, all)
    }

    /// `lock`, `read`, `write` and their kin.
    fn take(
        &mut self,
        id: ExprId,
        receiver: Value,
        callee: &Callee,
        shape: Shape,
        taken: Acquire,
        async_: bool,
    ) -> Value {
        let Some(adt) = self.model.adt_of(&callee.on) else { return Value::default() };
        let place = match receiver.place {
            Some(place) => place,
            None => self.unknown_place(),
        };
        let lock = LockRef { place: place.clone(), adt, shape };
        if async_ {
            self.pending_locks.insert(id, (lock, taken));
            return Value { future: Some(id), ..Value::of(place.step(Step::Inside)) };
        }
        let guard = self.acquire(lock, taken, self.body[id].span);
        Value { guards: SmallVec::from_slice(&[guard]), ..Value::of(place.step(Step::Inside)) }
    }

    /// A method of a map of locked shards: it has a shard while its closures run, and longer where it gives a reference
    /// into the map. The same goes for the value of a watch channel.
    fn take_shard(
        &mut self,
        id: ExprId,
        map: Value,
        callee: &Callee,
        (shape, taken): (Shape, Acquire),
        values: &[Value],
    ) -> Value {
        let inside = self.take(id, map, callee, shape, taken, false);
        self.run_closures(values);
        self.state.release(|guard| values.iter().any(|value| value.guards.contains(&guard.id)));
        let place = match shape {
            Shape::ShardedMap => self.step(inside.place, Step::Element(Index::Any)),
            _ => inside.place,
        };
        if self.carries_guard(self.ty(id)) {
            return Value { guards: inside.guards, ..Value::of(place) };
        }
        self.consume(&Value { guards: inside.guards, ..Value::default() });
        Value::of(place)
    }

    pub(super) fn arguments(&mut self, args: &[ExprId]) -> Vec<Value> {
        let values: Vec<Value> = args.iter().map(|arg| self.eval(*arg, Use::Move)).collect();
        self.note_arguments(&values);
        values
    }

    /// A function of unknown effect: closures may run any time, guards in arguments are gone unless the result can
    /// have them.
    fn unknown_call(&mut self, name: Option<Symbol>, values: &[Value], id: ExprId) -> Value {
        self.note_given_away(values);
        let last = name.map(|name| name.as_str().rsplit("::").next().unwrap_or_default());
        let given: Vec<_> = values.iter().flat_map(|value| value.guards.iter().copied()).collect();
        let passes = self.keeps(self.ty(id), &given) || matches!(last, Some("timeout" | "pin"));
        // `timeout(time, future)`, `instrument(future)`: what wraps a future gives one.
        let mut out = Value { future: values.iter().find_map(|value| value.future), ..Value::default() };
        for value in values {
            if passes {
                out.guards.extend(value.guards.iter().copied());
            } else {
                self.consume(value);
            }
        }
        out
    }
}

//! Calls: taking locks, library functions with a meaning, functions of the sources by their summaries.

use smallvec::SmallVec;

use super::{Use, Walker, through_literal};
use crate::graph::LockMode;
use crate::model::FnId;
use crate::model::infer::{Callee, Target};
use crate::model::known::Role;
use crate::model::locks::{Acquire, LockType, acquire};
use crate::model::ty::Ty;
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::regions::summary::{Acquired, HeldLock, LONGEST_WAY, LockRef, Returned, Site, Way};
use crate::syntax::{ExprId, ExprKind, Symbol};

/// Methods by which a guard stays in the value, on types that are not known.
const PASS_THROUGH: &[&str] = &[
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

/// Methods whose closure runs only where there is no value.
const RUNS_WITHOUT: &[&str] = &[
    "unwrap_or_else",
    "or_else",
    "ok_or_else",
    "get_or_insert_with",
    "or_insert_with",
    "get_or_init",
    "unwrap_or_default",
];

/// Methods that move a value out of what they are called on.
const TAKES_OUT: &[&str] = &["take", "take_if", "replace", "pop", "pop_front", "pop_back", "remove", "swap_remove"];

impl Walker<'_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: &[ExprId]) -> Value {
        let Some(resolved) = self.types.calls.get(&id).cloned() else {
            if !matches!(self.body[callee].kind, ExprKind::Path(_)) {
                self.eval(callee, Use::Place);
            }
            let values = self.arguments(args);
            return self.unknown_call(None, &values, id);
        };
        match &resolved.target {
            Target::Constructor(adt, _) => {
                let wraps = [self.model.known.option, self.model.known.result].contains(&Some(*adt));
                let values = self.arguments(args);
                let mut out = Value::default();
                for value in &values {
                    out.guards.extend(value.guards.iter().copied());
                }
                if let (true, [value]) = (wraps, &values[..]) {
                    out.place.clone_from(&value.place);
                    out.future = value.future;
                    out.closure = value.closure;
                }
                out
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
                    return self.role(role, &values).unwrap_or_default();
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
                self.note_called_param(called.place.as_ref(), id);
                self.unknown_call(None, &values, id)
            }
            Target::Fn(function) => self.resolved(id, *function, &resolved, None, args),
        }
    }

    pub(super) fn method_call(&mut self, id: ExprId, receiver: ExprId, name: Symbol, args: &[ExprId]) -> Value {
        match self.types.calls.get(&id).cloned() {
            Some(callee) => match callee.target {
                Target::Fn(function) => self.resolved(id, function, &callee, Some(receiver), args),
                _ => Value::default(),
            },
            None => {
                let value = self.eval(receiver, Use::Place);
                let values = self.arguments(args);
                if RUNS_NOW.contains(&name.as_str()) || name.as_str().ends_with("_with") {
                    for closure in values.iter().filter_map(|value| value.closure) {
                        self.run_closure(closure, &[]);
                    }
                }
                if value.future.is_some() {
                    // An adapter of a future that is not known: `fut.instrument(span)`, `fut.boxed()`.
                    return value;
                }
                // On an unknown type the name decides whether guards stay in the value. On a guard itself it does not:
                // there the method is one of the data's.
                let is_guard = matches!(self.lock_type(self.ty(receiver)), Some(LockType::Guard { .. }));
                let passes = if is_guard { &PASS_THROUGH[..2] } else { PASS_THROUGH };
                if passes.contains(&name.as_str()) {
                    return Value { closure: None, ..value };
                }
                values.iter().for_each(|value| self.consume(value));
                Value::default()
            }
        }
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
                || matches!(self.ty(receiver), Ty::Unknown);
            let value = self.eval(receiver, if by_value { Use::Move } else { Use::Place });
            let place = self.through(value.place, &callee.derefs);
            receiver_value = Some(Value { place, ..value });
        }
        let name = self.model.function(function).syntax.name;
        let stub = self.model.crate_of(self.model.function(function).module).stub;
        let first_is_receiver = receiver.is_none() && signature.has_receiver && !args.is_empty();
        if stub
            && let Some(LockType::Lock { shape, waiting }) = self.lock_type(&callee.on)
            && let Some(taken) = acquire(shape, waiting, name.as_str())
        {
            let values = self.arguments(args);
            let value = receiver_value.or_else(|| values.first().cloned()).unwrap_or_default();
            return self.take(id, value, callee, shape, taken, signature.async_);
        }
        let values = self.arguments(args);
        if let Some(role) = self.model.known.roles.get(&function) {
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
            if let Some(value) = self.role(*role, &all) {
                return value;
            }
        }
        if stub {
            return self.library_call(id, function, receiver_value, values, by_value);
        }
        let mut all = Vec::with_capacity(values.len() + 1);
        match receiver_value {
            Some(value) => {
                // A receiver taken by reference keeps its guards.
                let value = if by_value { value } else { Value { guards: SmallVec::new(), ..value } };
                all.push(value);
            }
            None if signature.has_receiver && first_is_receiver => {}
            None => all.push(Value::default()),
        }
        all.extend(values);
        let Some(targets) = self.model.dispatch(function) else { return self.finish_call(&all, Value::default()) };
        if signature.async_ {
            // The call only makes the future.
            let guards = all.iter().flat_map(|value| value.guards.iter().copied()).collect();
            self.pending.insert(id, (targets, all));
            return Value { guards, future: Some(id), ..Value::default() };
        }
        self.run_targets(id, &targets, &all)
    }

    /// Applies what a call can run.
    fn run_targets(&mut self, id: ExprId, targets: &[FnId], args: &[Value]) -> Value {
        let site = self.site(self.body[id].span);
        let mut out = Value::default();
        for target in targets {
            let value = self.apply(*target, args, Some(site), targets.len() > 1);
            if targets.len() == 1 {
                out = value;
            }
        }
        self.finish_call(args, out)
    }

    /// Runs a future to its end: an async block, or a call of an async function.
    pub(super) fn run_future(&mut self, id: ExprId) -> Value {
        if let Some((lock, taken)) = self.pending_locks.get(&id).cloned() {
            let place = lock.place.step(Step::Inside);
            let guard = self.acquire(lock, taken, self.body[id].span);
            return Value { guards: SmallVec::from_slice(&[guard]), ..Value::of(place) };
        }
        match self.pending.get(&id).cloned() {
            Some((targets, args)) => {
                self.run.insert(id);
                self.run_targets(id, &targets, &args)
            }
            None => self.run_async(id),
        }
    }

    /// `lock`, `read`, `write` and their kin.
    fn take(
        &mut self,
        id: ExprId,
        receiver: Value,
        callee: &Callee,
        shape: crate::model::locks::Shape,
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

    pub(super) fn arguments(&mut self, args: &[ExprId]) -> Vec<Value> {
        args.iter().map(|arg| self.eval(*arg, Use::Move)).collect()
    }

    /// What a library function does beyond its signature; `None` where nothing.
    fn role(&mut self, role: Role, values: &[Value]) -> Option<Value> {
        match role {
            Role::Drop => {
                values.iter().for_each(|value| self.consume(value));
                Some(Value::default())
            }
            Role::Forget => {
                for value in values {
                    self.own(&value.guards, Owner::Nobody);
                }
                Some(Value::default())
            }
            Role::SpawnThread | Role::SpawnTask => {
                let spawned = self.fresh();
                self.tasks.push((spawned, None));
                let outer = std::mem::replace(&mut self.task, self.tasks.len() as u32);
                for value in values {
                    if let Some(closure) = value.closure {
                        self.detach(|this| {
                            let value = this.run_closure(closure, &[]);
                            if let Some(future) = value.future {
                                this.run_future(future);
                            }
                        });
                    }
                    if let Some(future) = value.future {
                        self.detach(|this| {
                            this.run_future(future);
                        });
                    }
                }
                let own = std::mem::replace(&mut self.task, outer);
                Some(Value { task: own, ..Value::default() })
            }
            Role::BlockOn => {
                let frame = self.frame;
                self.frame = self.fresh();
                let mut out = Value::default();
                for value in values {
                    if let Some(future) = value.future {
                        out = self.run_future(future);
                    } else if !value.guards.is_empty() {
                        out.guards.extend(value.guards.iter().copied());
                    }
                }
                self.frame = frame;
                Some(out)
            }
            Role::Unlocked => {
                let guarded: Vec<Place> = values.iter().filter_map(|value| value.place.clone()).collect();
                let before = self.state.clone();
                self.state.release(|guard| {
                    guard.held.lock.place.step(Step::Inside).is_some_and(|inside| guarded.contains(&inside))
                });
                for value in values {
                    if let Some(closure) = value.closure {
                        self.run_closure(closure, &[]);
                    }
                }
                self.state = before;
                Some(Value::default())
            }
            Role::CondvarWait => {
                // The guard is given back and taken again: it comes out as it went in.
                for value in values {
                    if let Some(closure) = value.closure {
                        self.run_closure(closure, &[]);
                    }
                }
                let guards = values.iter().flat_map(|value| value.guards.iter().copied()).collect();
                let place = values.last().and_then(|value| value.place.clone());
                Some(Value { guards, ..Value::of(place) })
            }
            Role::Diverge => {
                self.state = State::unreachable();
                Some(Value::default())
            }
            Role::Join => {
                let now = self.fresh();
                if let Some(task) = values.first().and_then(|value| (value.task as usize).checked_sub(1))
                    && let Some(task) = self.tasks.get_mut(task)
                {
                    task.1 = Some(now);
                }
                None
            }
            Role::Receive | Role::Send | Role::Notify | Role::Sleep => None,
        }
    }

    /// A library function by its signature: closures run now, pointers and containers hand on what they hold.
    fn library_call(
        &mut self,
        id: ExprId,
        function: FnId,
        receiver: Option<Value>,
        values: Vec<Value>,
        by_value: bool,
    ) -> Value {
        let name = self.model.function(function).syntax.name;
        let signature = self.model.signature(function);
        let container = self.model.adt_of(&signature.self_ty).is_some_and(|adt| self.cx.containers.contains(&adt));
        let from_receiver = receiver.as_ref().and_then(|value| value.place.clone());
        let base = match (&receiver, signature.has_receiver) {
            (Some(_), _) => from_receiver,
            // `Arc::clone(&x)`, `MutexGuard::map(guard, f)`
            (None, _) if !matches!(name.as_str(), "new" | "replace" | "take" | "swap" | "pin" | "from_fn" | "once") => {
                values.first().and_then(|value| value.place.clone())
            }
            _ => None,
        };
        let item = if container { self.step(base.clone(), Step::Element(None)) } else { base.clone() };
        let mut closure_value: Option<Value> = None;
        let held = receiver.as_ref().filter(|_| by_value).map(|value| value.guards.clone()).unwrap_or_default();
        let mut kept = None;
        let once = matches!(name.as_str(), "call_once" | "call_once_force" | "get_or_init" | "get_or_try_init");
        self.once += u32::from(once);
        for (index, value) in values.iter().enumerate() {
            let Some(closure) = value.closure else { continue };
            if !self.calls_argument(signature, index, values.len()) {
                // `Box::new(closure)`, `callbacks.push(closure)`: it runs some other time.
                kept = Some(closure);
                continue;
            }
            let arg = Value { guards: held.clone(), ..Value::of(item.clone()) };
            if RUNS_WITHOUT.contains(&name.as_str()) {
                // The closure only runs where the receiver has no value, and so no guard that could be in it. A
                // poisoned lock's guard comes as the closure's argument.
                let with = self.state.clone();
                // A `try_` that failed holds nothing either.
                let option = self.model.adt_of(&signature.self_ty) == self.model.known.option;
                self.state.release(|guard| held.contains(&guard.id) && (option || guard.try_));
                closure_value = Some(self.run_closure(closure, &[arg]));
                self.state.join(with);
            } else {
                closure_value = Some(self.run_closure(closure, &[arg]));
            }
        }
        self.once -= u32::from(once);
        let mut guards: SmallVec<[GuardId; 1]> = SmallVec::new();
        if let (Some(receiver), true) = (&receiver, by_value) {
            guards.extend(receiver.guards.iter().copied());
        }
        guards.extend(values.iter().flat_map(|value| value.guards.iter().copied()));
        let mapped = closure_value.as_ref();
        let maps = matches!(
            name.as_str(),
            "map"
                | "and_then"
                | "filter_map"
                | "flat_map"
                | "map_or"
                | "map_or_else"
                | "find_map"
                | "with"
                | "scan"
                | "fold"
                | "map_while"
        );
        if let Some(value) = mapped {
            guards.extend(value.guards.iter().copied());
        }
        guards.dedup();
        let ty = self.ty(id);
        if TAKES_OUT.contains(&name.as_str())
            && self.carries_guard(ty)
            && let Some(receiver) = &receiver
        {
            guards.extend(receiver.guards.iter().copied());
        }
        let keeps = self.carries_guard(ty) || (matches!(ty, Ty::Unknown) && PASS_THROUGH.contains(&name.as_str()));
        let stays = |value: &Value| matches!(value.place.as_ref().map(|place| place.root), Some(Root::Local(..)));
        if !keeps && !guards.is_empty() {
            match &receiver {
                // A guard that is put into a collection lives as long as the collection.
                Some(receiver) if !by_value && stays(receiver) => {
                    if let Some(Root::Local(_, local, _)) = receiver.place.as_ref().map(|place| place.root) {
                        self.own(&guards, Owner::Local(local));
                    }
                }
                _ => self.state.release(|guard| guards.contains(&guard.id)),
            }
            guards.clear();
        }
        let span = self.body[id].span;
        if name.as_str() == "downgrade" {
            for id in &guards {
                if let Some(guard) = self.state.guard(*id) {
                    guard.held.mode = LockMode::Shared;
                }
            }
        }
        if name.as_str() == "upgrade" {
            for id in &guards {
                self.upgrade(*id, span);
                if let Some(guard) = self.state.guard(*id) {
                    guard.held.mode = LockMode::Exclusive;
                }
            }
        }
        if keeps {
            let owner = self.temporary();
            self.own(&guards, owner);
        }
        let future = values.iter().chain(&receiver).find_map(|value| value.future);
        let place = match (maps, mapped) {
            (true, Some(value)) => value.place.clone(),
            _ if matches!(name.as_str(), "get" | "get_mut") && container => {
                let index = self.constant_argument(id);
                match index {
                    Some(index) => self.step(base, Step::Element(Some(index))),
                    None => item,
                }
            }
            _ => item,
        };
        let closure = kept.filter(|_| receiver.is_none());
        Value { guards, future, closure, ..Value::of(place) }
    }

    /// Whether a library function's parameter is something to call.
    fn calls_argument(&self, signature: &crate::model::Signature, index: usize, args: usize) -> bool {
        let offset = args.saturating_sub(signature.params.len());
        let declared = index.checked_sub(offset).and_then(|at| signature.params.get(at));
        let Some(Ty::Param(name)) = declared.map(Ty::peeled) else { return false };
        let bounds = signature.generics.iter().filter(|(bound, _)| bound == name).flat_map(|(_, traits)| traits);
        bounds.into_iter().any(|bound| matches!(bound.name.as_str(), "Fn" | "FnMut" | "FnOnce"))
    }

    /// An upgrade waits until all other readers are gone: it wants the lock exclusively.
    fn upgrade(&mut self, id: GuardId, span: crate::syntax::Span) {
        let Some(guard) = self.state.guard(id) else { return };
        let wanted = Acquired {
            lock: guard.held.lock.clone(),
            mode: LockMode::Exclusive,
            try_: false,
            waiting: guard.held.waiting,
            site: self.site(span),
            way: Way::new(),
            held: SmallVec::new(),
            released: 0,
            dispatched: false,
        };
        self.request(wanted, &[id]);
    }

    fn constant_argument(&self, id: ExprId) -> Option<u64> {
        let ExprKind::MethodCall { args, .. } = &self.body[id].kind else { return None };
        match self.body[*args.first()?].kind {
            ExprKind::Lit(crate::syntax::Lit::Int(value)) => Some(value),
            _ => None,
        }
    }

    /// A function of unknown effect: closures may run any time, guards in arguments are gone unless the result can
    /// have them.
    fn unknown_call(&mut self, name: Option<Symbol>, values: &[Value], id: ExprId) -> Value {
        let last = name.map(|name| name.as_str().rsplit("::").next().unwrap_or_default());
        let passes = self.carries_guard(self.ty(id))
            || matches!(last, Some("timeout" | "pin" | "Box::pin" | "identity" | "unwrap_lock" | "handle_poison"));
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

    /// Moves what the call consumed and keeps what it gives.
    fn finish_call(&mut self, values: &[Value], out: Value) -> Value {
        let given: Vec<GuardId> = values
            .iter()
            .flat_map(|value| value.guards.iter().copied())
            .filter(|id| !out.guards.contains(id))
            .collect();
        if !given.is_empty() {
            self.state.release(|guard| given.contains(&guard.id));
        }
        out
    }

    /// Applies a function's summary at a call. `args` begins with the receiver, or an empty value where there is none;
    /// `site` is `None` for a `drop` at the end of a scope, which nobody wrote.
    pub(super) fn apply(&mut self, function: FnId, args: &[Value], site: Option<Site>, dispatched: bool) -> Value {
        let Some(summary) = self.cx.summary(function) else { return Value::default() };
        if self.state.reachable {
            self.out.called(self.cx, self.id, function, &self.state);
        }
        let places: SmallVec<[Option<Place>; 4]> = args.iter().map(|value| value.place.clone()).collect();
        let body = self.id;
        let literals = self.literals.clone();
        // Values the callee made itself are new ones at every call.
        let fresh = self.fresh();
        let renew = |place: &Place| match place.root {
            Root::Value(..) => Place { root: Root::Value(body, fresh), steps: place.steps.clone() },
            // The variables of another activation of this very function are not ours.
            Root::Local(own, ..) if own == body => Place { root: Root::Value(body, fresh), steps: place.steps.clone() },
            _ => through_literal(&literals, body, place.instantiate(&places, || Root::Value(body, fresh))),
        };
        let lock = |lock: &LockRef| LockRef { place: renew(&lock.place), ..lock.clone() };
        let way = |way: &Way| -> Way { site.into_iter().chain(way.iter().copied()).take(LONGEST_WAY).collect() };
        let held = |held: &HeldLock| HeldLock { lock: lock(&held.lock), way: way(&held.way), ..held.clone() };
        for acquired in &summary.acquires {
            let without: Vec<GuardId> = args
                .iter()
                .enumerate()
                .filter(|(index, _)| acquired.released & 1u64.checked_shl(*index as u32).unwrap_or(0) != 0)
                .flat_map(|(_, value)| value.guards.iter().copied())
                .collect();
            let seen = Acquired {
                lock: lock(&acquired.lock),
                site: site.filter(|_| self.hands_out(&summary.returns, acquired)).unwrap_or(acquired.site),
                way: if self.hands_out(&summary.returns, acquired) { Way::new() } else { way(&acquired.way) },
                held: acquired.held.iter().map(held).collect(),
                released: 0,
                dispatched: acquired.dispatched || dispatched,
                ..acquired.clone()
            };
            // What the callee holds through its parameters is only known here.
            if self.state.reachable && !seen.try_ {
                for (before, after) in acquired.held.iter().zip(&seen.held) {
                    if self.cx.depends_on_caller(&before.lock.place) || self.cx.depends_on_caller(&acquired.lock.place)
                    {
                        self.out.pair(self.cx, (self.id, self.task, self.next), after, false, &seen, &seen.held);
                    }
                }
            }
            self.request(seen, &without);
        }
        for called in &summary.calls {
            let Some(value) = args.get(called.param as usize) else { continue };
            let phantoms: Vec<GuardId> = called
                .held
                .iter()
                .map(|inner| {
                    let id = self.hold(held(inner), false);
                    self.own(&[id], Owner::Nobody);
                    id
                })
                .collect();
            match value.closure {
                Some(closure) => {
                    self.run_closure(closure, &[]);
                }
                None => self.note_called_param(value.place.as_ref(), ExprId(u32::MAX)),
            }
            self.state.release(|guard| phantoms.contains(&guard.id));
        }
        let mut out = Value::of(summary.returns_place.as_ref().map(renew));
        for returned in &summary.returns {
            match returned {
                Returned::Param(param) => {
                    if let Some(value) = args.get(*param as usize) {
                        out.guards.extend(value.guards.iter().copied());
                    }
                }
                Returned::New(inner) => {
                    let wraps = inner.way.is_empty() && self.cx.depends_on_caller(&inner.lock.place);
                    let inner_held = match site.filter(|_| wraps) {
                        Some(site) => HeldLock { site, way: Way::new(), ..held(inner) },
                        None => held(inner),
                    };
                    let id = self.hold(inner_held, false);
                    if out.place.is_none() {
                        out.place = renew(&inner.lock.place).step(Step::Inside);
                    }
                    out.guards.push(id);
                }
            }
        }
        if summary.diverges && !dispatched {
            self.state = State::unreachable();
        }
        out
    }

    /// Whether an acquisition is that of a lock wrapper, whose guard the function hands out: for the reader, the call
    /// is what takes the lock.
    fn hands_out(&self, returns: &[Returned], acquired: &Acquired) -> bool {
        acquired.way.is_empty()
            && self.cx.depends_on_caller(&acquired.lock.place)
            && returns.iter().any(|returned| matches!(returned, Returned::New(held) if held.site == acquired.site))
    }

    /// A callable that came in as a parameter is called here.
    fn note_called_param(&mut self, place: Option<&Place>, id: ExprId) {
        let Some(Place { root: Root::Param(param), steps }) = place else { return };
        if !steps.is_empty() || self.detached > 0 || !self.state.reachable {
            return;
        }
        let span = self.body.exprs.get(id.0 as usize).map_or(self.body[self.body.root].span, |expr| expr.span);
        let called = crate::regions::summary::CalledParam {
            param: *param,
            held: self
                .state
                .guards
                .iter()
                .filter(|guard| guard.param.is_none())
                .map(|guard| guard.held.clone())
                .collect(),
            site: self.site(span),
        };
        if !self.summary.calls.contains(&called) && self.summary.calls.len() < 16 {
            self.summary.calls.push(called);
        }
    }
}

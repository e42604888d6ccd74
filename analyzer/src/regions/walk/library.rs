//! Library functions: what the few with a meaning do, and all others by their signature.
//!
//! Guarantees: a closure runs now only where the signature asks for something to call; a guard stays in the result only
//! where the result's type can have one.

use smallvec::SmallVec;

use super::Walker;
use super::calls::PASS_THROUGH;
use crate::graph::LockMode;
use crate::model::known::Role;
use crate::model::locks::Shape;
use crate::model::ty::Ty;
use crate::model::{FnId, Signature};
use crate::regions::Task;
use crate::regions::place::{Index, Place, Root, Step};
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::regions::summary::{Acquired, Way};
use crate::syntax::{ExprId, ExprKind, Span};

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

/// Methods whose value is what their closure gives.
const MAPS: &[&str] = &[
    "map",
    "and_then",
    "filter_map",
    "flat_map",
    "map_or",
    "map_or_else",
    "find_map",
    "with",
    "scan",
    "fold",
    "map_while",
];

/// Methods that move a value out of what they are called on.
const TAKES_OUT: &[&str] = &["take", "take_if", "replace", "pop", "pop_front", "pop_back", "remove", "swap_remove"];

/// Adapters of iterators: they run nothing before somebody asks for items.
const LAZY: &[&str] = &[
    "map",
    "filter",
    "filter_map",
    "inspect",
    "take_while",
    "skip_while",
    "map_while",
    "scan",
    "flat_map",
    "take",
    "skip",
    "enumerate",
    "chain",
    "zip",
    "rev",
    "peekable",
    "step_by",
    "fuse",
    "flatten",
    "cloned",
    "copied",
    "by_ref",
    "cycle",
];

/// Methods by which a guard stays in what they are called on.
const PUTS_IN: &[&str] = &["insert", "push", "push_back", "push_front", "extend", "append"];

impl Walker<'_> {
    /// What a library function does beyond its signature; `None` where nothing.
    pub(super) fn role(&mut self, role: Role, id: ExprId, values: &[Value]) -> Option<Value> {
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
                self.note_started_others();
                let task = self.new_task();
                let outer = std::mem::replace(&mut self.task, task);
                for value in values {
                    if value.closure.is_some() || value.function.is_some() {
                        self.detach(|this| {
                            let value = this.run_callable(value, &[], id);
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
                self.run_closures(values);
                self.state = before;
                Some(Value::default())
            }
            Role::CondvarWait => {
                // The guard is given back and taken again: it comes out as it went in.
                self.run_closures(values);
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
                    task.joined = Some(now);
                }
                None
            }
            _ => None,
        }
    }

    /// Gives the handle that the last closure gives.
    pub(super) fn run_closures(&mut self, values: &[Value]) -> u32 {
        let mut task = 0;
        for closure in values.iter().filter_map(|value| value.closure) {
            task = self.run_closure(closure, &[]).task;
        }
        task
    }

    /// A library function by its signature: closures run now, pointers and containers hand on what they hold.
    pub(super) fn library_call(
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
        let item = if container { self.step(base.clone(), Step::Element(Index::Any)) } else { base.clone() };
        let held = receiver.as_ref().filter(|_| by_value).map(|value| value.guards.clone()).unwrap_or_default();
        let own_task = receiver.as_ref().map_or(0, |value| value.task);
        let iterator = self.model.adt_of(&signature.self_ty).is_some_and(|adt| Some(adt) == self.model.known.iter);
        let mut given = held.clone();
        if iterator {
            // An iterator over a concurrent map has its shard for as long as it lives, whatever becomes of its items.
            given.retain(|id| self.state.guard(*id).is_none_or(|guard| guard.held.lock.shape != Shape::ShardedMap));
        }
        let arg = Value { guards: given, task: own_task, ..Value::of(item.clone()) };
        self.note_receiver_use(base.as_ref());
        let each = container && !values.is_empty();
        if each {
            let times = self.receiver_of(id).and_then(|receiver| self.count_of(receiver));
            self.repeats.push(times);
        }
        let (closure_value, kept) = self.closure_arguments((id, name.as_str()), signature, &values, arg);
        if each {
            self.repeats.pop();
        }
        if container {
            values.iter().for_each(|value| self.note_stored(item.as_ref(), value));
        }
        let given = self.note_kept_arguments((id, name.as_str()), signature, &values, (&receiver, &item));
        let task = closure_value.iter().chain(&values).map(|value| value.task).fold(own_task, u32::max);
        let task = if task != 0 && self.carries_handle(id) { task } else { 0 };
        let mut guards = held;
        guards.extend(values.iter().flat_map(|value| value.guards.iter().copied()));
        let mapped = closure_value.as_ref();
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
        let puts_in = PUTS_IN.contains(&name.as_str());
        let lazy = iterator && LAZY.contains(&name.as_str());
        let keeps =
            self.keeps(ty, &guards) && !puts_in || (matches!(ty, Ty::Unknown) && PASS_THROUGH.contains(&name.as_str()));
        // What an adaptor gives has the iterator that it was given and what its closure has taken along, whatever its
        // items are.
        let captured: SmallVec<[GuardId; 1]> = match lazy {
            true => {
                receiver.iter().filter(|_| by_value).chain(&values).flat_map(|v| v.guards.iter().copied()).collect()
            }
            false => SmallVec::new(),
        };
        if !keeps && !captured.is_empty() {
            self.state.release(|guard| guards.contains(&guard.id) && !captured.contains(&guard.id));
            guards = captured;
        }
        let keeps = keeps || lazy && !guards.is_empty();
        if !keeps && !guards.is_empty() {
            match receiver.as_ref().filter(|_| !by_value).and_then(|value| value.place.as_ref()).map(|place| place.root)
            {
                // A guard that is put into a collection lives as long as the collection.
                Some(Root::Local(_, local, _)) => self.own(&guards, Owner::Local(local)),
                _ => self.state.release(|guard| guards.contains(&guard.id)),
            }
            guards.clear();
        }
        self.change_mode(name.as_str(), &guards, self.body[id].span);
        if keeps {
            let owner = self.temporary();
            self.own(&guards, owner);
        }
        let future = values.iter().chain(&receiver).chain(mapped).find_map(|value| value.future);
        let place = match (MAPS.contains(&name.as_str()), mapped) {
            (true, Some(value)) => value.place.clone(),
            _ if matches!(name.as_str(), "get" | "get_mut") && container => {
                let index = self.constant_argument(id);
                match index {
                    Some(index) => self.step(base, Step::Element(Index::constant(index))),
                    None => item,
                }
            }
            _ => item,
        };
        let closure = match &receiver {
            Some(receiver) if lazy => values.iter().find_map(|value| value.closure).or(receiver.closure),
            Some(receiver) if iterator => {
                if let ExprKind::MethodCall { receiver: iterator, .. } = &self.body[id].kind {
                    self.lazily(*iterator, receiver);
                }
                None
            }
            Some(_) => None,
            None => kept,
        };
        if name.as_str() == "clear"
            && container
            && let (Some(value), ExprKind::MethodCall { receiver, .. }) = (&receiver, &self.body[id].kind)
        {
            let ty = self.types.calls.get(&id).map_or_else(|| self.ty(*receiver).clone(), |callee| callee.on.clone());
            let site = self.site(self.body[id].span);
            self.cleared(&ty, value.place.clone(), site);
        }
        Value { guards, future, closure, task, given, ..Value::of(place) }
    }

    fn receiver_of(&self, id: ExprId) -> Option<ExprId> {
        match &self.body[id].kind {
            ExprKind::MethodCall { receiver, .. } => Some(*receiver),
            _ => None,
        }
    }

    /// Runs the closures that a library function calls, with `arg`; gives the last one's value, and a closure that is
    /// only kept.
    fn closure_arguments(
        &mut self,
        (id, name): (ExprId, &str),
        signature: &Signature,
        values: &[Value],
        arg: Value,
    ) -> (Option<Value>, Option<ExprId>) {
        let (mut given, mut kept) = (None, None);
        let once = matches!(name, "call_once" | "call_once_force" | "get_or_init" | "get_or_try_init");
        self.once += u32::from(once);
        for (index, value) in values.iter().enumerate() {
            if value.closure.is_none() && !self.runs_function(value) {
                continue;
            }
            if !self.calls_argument(signature, index, values.len()) {
                // `Box::new(closure)`, `callbacks.push(closure)`: it runs some other time.
                kept = value.closure.or(kept);
                continue;
            }
            let with = RUNS_WITHOUT.contains(&name).then(|| self.state.clone());
            if with.is_some() {
                // The closure only runs where the receiver has no value, and so no guard that could be in it; a `try_`
                // that failed holds nothing either. A poisoned lock's guard comes as the closure's argument.
                let option = self.model.adt_of(&signature.self_ty) == self.model.known.option;
                self.state.release(|guard| arg.guards.contains(&guard.id) && (option || guard.try_));
            }
            given = Some(self.run_callable(value, std::slice::from_ref(&arg), id));
            if let Some(with) = with {
                self.state.join(with);
            }
        }
        self.once -= u32::from(once);
        (given, kept)
    }

    /// `downgrade` and `upgrade` give the guard in another mode.
    fn change_mode(&mut self, name: &str, guards: &[GuardId], span: Span) {
        let mode = match name {
            "downgrade" => LockMode::Shared,
            "upgrade" => LockMode::Exclusive,
            _ => return,
        };
        for id in guards {
            if mode == LockMode::Exclusive {
                self.upgrade(*id, span);
            }
            if let Some(guard) = self.state.guard(*id) {
                guard.held.mode = mode;
            }
        }
    }

    /// Whether a library function's parameter is something to call.
    pub(super) fn calls_argument(&self, signature: &Signature, index: usize, args: usize) -> bool {
        let offset = args.saturating_sub(signature.params.len());
        let declared = index.checked_sub(offset).and_then(|at| signature.params.get(at));
        let Some(Ty::Param(name)) = declared.map(Ty::peeled) else { return false };
        let bounds = signature.generics.iter().filter(|(bound, _)| bound == name).flat_map(|(_, traits)| traits);
        bounds.into_iter().any(|bound| matches!(bound.name.as_str(), "Fn" | "FnMut" | "FnOnce"))
    }

    /// A thread or task is spawned here.
    pub(super) fn new_task(&mut self) -> u32 {
        let spawned = self.fresh();
        let many = self.in_loop();
        self.tasks.push(Task { spawned, joined: None, many });
        self.tasks.len() as u32
    }

    /// An upgrade waits until all other readers are gone: it wants the lock exclusively. It keeps what it has meanwhile,
    /// so that nobody else who may upgrade is in its way.
    fn upgrade(&mut self, id: GuardId, span: Span) {
        let Some(guard) = self.state.guard(id) else { return };
        let kept = guard.held.clone();
        let wanted = Acquired {
            lock: guard.held.lock.clone(),
            mode: LockMode::Exclusive,
            try_: false,
            waiting: guard.held.waiting,
            site: self.site(span),
            way: Way::new(),
            held: Vec::new(),
            released: 0,
            dispatched: false,
            alone: false,
            when: None,
        };
        self.request_keeping(wanted, &[id], Some(kept));
    }

    fn constant_argument(&self, id: ExprId) -> Option<u64> {
        let ExprKind::MethodCall { args, .. } = &self.body[id].kind else { return None };
        match self.body[*args.first()?].kind {
            ExprKind::Lit(crate::syntax::Lit::Int(value)) => Some(value),
            _ => None,
        }
    }
}

//! Waits and signals: what a body waits for while it holds guards, and what it does that lets others go on.
//!
//! Guarantees: a wait is shown in the function that holds the guard, with the calls to where it waits; a condition
//! variable's own mutex does not count as held; "taken before" means taken on every path to there.
//!
//! Misses: waits of functions that the model cannot resolve, waits with a time limit.

use rustc_hash::{FxHashMap, FxHashSet};

use super::channels::Channels;
use super::submissions::Pools;
use super::{FrameKind, Walker};
use crate::model::FnId;
use crate::model::known::Role;
use crate::model::ty::Ty;
use crate::regions::blocking::summary::{BlockingSummary, MOST, Signals, Waits};
use crate::regions::blocking::{Blocking, Callback, Holding, Object, Op, Signal, SignalKind, Spawned, Stored, Wait};
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::{GuardId, Value};
use crate::regions::summary::{Acquired, HeldLock, LockRef, Site, Way};
use crate::syntax::{ExprId, ExprKind};

/// Something that surely happened before a point: an index into the body's events is kept in the state.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// A lock was taken.
    Taken(HeldLock),
    /// Messages were sent to this channel of the body by this call; `None`: who knows how many.
    Sent(u32, Option<u32>, ExprId),
}

/// Events kept per body.
const MOST_EVENTS: usize = 64;
/// Locks kept per spawned thread or task.
const MOST_TAKES: usize = 32;

/// What is known of waiting in the body at hand.
#[derive(Default)]
pub(super) struct Own {
    pub(super) facts: Blocking,
    pub(super) summary: BlockingSummary,
    pub(super) events: Vec<Event>,
    /// What each spawned thread or task takes.
    pub(super) takes: FxHashMap<u32, Vec<Acquired>>,
    pub(super) spawned_at: FxHashMap<u32, (Site, u32)>,
    /// The locks that the body takes itself.
    locks: FxHashSet<Place>,
    /// Guards that a condition variable gave back and took again.
    pub(super) waited: FxHashSet<GuardId>,
    /// Above zero: in the heads of `select!`, which waits for the first of several.
    pub(super) selecting: u32,
    /// Locks that guard the flags on which the branches around depend.
    pub(super) deciding: Vec<LockRef>,
    seen: FxHashSet<(Op, Site, Way, u32)>,
    signalled: FxHashSet<(SignalKind, Site, Way, u32)>,
    /// One-time initialisations that run: the cell, and where they began.
    pub(super) initialising: Vec<(Place, Site, u32)>,
    pub(super) channels: Channels,
    pub(super) pools: Pools,
    /// What the condition at hand belongs to, and its last line.
    pub(super) construct: Option<(&'static str, u32)>,
}

impl Walker<'_> {
    /// What a library function with a role means for waiting. A value where nothing else is to be said of the call.
    pub(super) fn note_role(
        &mut self,
        role: Role,
        function: Option<FnId>,
        id: ExprId,
        values: &[Value],
        suspends: bool,
    ) -> Option<Value> {
        let first = values.first();
        let name = function.map(|function| self.model.function(function).syntax.name);
        match role {
            Role::Channel | Role::BoundedChannel => return Some(self.make_channel(id, role == Role::BoundedChannel)),
            Role::PoolBuilder | Role::PoolNew => return Some(self.make_pool(id, role)),
            Role::PoolWorkers | Role::PoolPolicy | Role::PoolName => self.configure_pool(id, role, values),
            Role::Submit => return Some(self.submit(id, values)),
            Role::SpawnThread | Role::SpawnTask => {
                let number = self.tasks.len() as u32 + 1;
                self.blocking.spawned_at.insert(number, (self.site(self.body[id].span), self.task));
            }
            Role::Join => {
                let joined = first.map_or(0, |value| value.task);
                self.wait(Op::Join, first, id, joined, suspends);
                self.joins_receiver(joined, id);
                self.note_pool_join(joined, id);
            }
            Role::Result => {
                let joined = first.map_or(0, |value| value.task);
                self.wait(Op::Result, first, id, joined, suspends);
                self.note_pool_join(joined, id);
            }
            Role::PoolWait => {
                self.wait(Op::Result, first, id, 0, suspends);
                self.note_pool_wait(first, id);
            }
            Role::Receive => {
                self.note_signal(SignalKind::Receive, first, id);
                self.receives(first);
                self.wait(Op::Receive, first, id, 0, suspends);
            }
            Role::Send | Role::Post => {
                let waits = role == Role::Send && self.send_waits(function, first);
                if waits {
                    self.wait(Op::Send, first, id, 0, suspends);
                }
                self.sends(first, id, waits);
                self.note_signal(SignalKind::Send, first, id);
            }
            Role::CondvarWait => {
                let until = name.is_some_and(|name| name.as_str().contains("while"));
                self.condvar_wait(values, id, until);
            }
            Role::Notify => self.note_signal(SignalKind::Notify, first, id),
            Role::Barrier => self.wait(Op::Barrier, first, id, 0, suspends),
            Role::Sleep => self.wait(Op::Sleep, None, id, 0, suspends),
            Role::BlockOn => {
                let future = values.last().and_then(|future| future.asked.clone().or_else(|| future.place.clone()));
                let runtime = first.and_then(|first| first.place.clone()).filter(|place| self.is_guarded(place));
                self.wait(Op::BlockOn, Some(&Value::of(runtime.or(future))), id, 0, suspends);
            }
            Role::Process => self.wait(Op::Process, None, id, 0, suspends),
            _ => {}
        }
        None
    }

    pub(super) fn wait(&mut self, op: Op, object: Option<&Value>, id: ExprId, joined: u32, suspends: bool) {
        let waits = Waits {
            op,
            object: object.and_then(|value| value.place.clone()),
            monitor: None,
            site: self.site(self.body[id].span),
            way: Way::new(),
            looped: self.looped(),
            passed: false,
            suspends,
            dispatched: false,
        };
        self.waits(waits, joined, &[]);
    }

    fn condvar_wait(&mut self, values: &[Value], id: ExprId, until: bool) {
        let Some(guard) = values.get(1) else { return };
        let inside = |lock: &LockRef| lock.place.step(Step::Inside);
        let given: Vec<_> = self
            .state
            .guards
            .iter()
            .filter(|live| {
                guard.guards.contains(&live.id) || (guard.place.is_some() && inside(&live.held.lock) == guard.place)
            })
            .collect();
        let own = given.iter().find(|live| live.param.is_none()).map(|live| live.held.clone());
        // Where the guard cannot be told, any guard may be the one that is given back.
        let passed = own.is_none();
        let waits = Waits {
            op: Op::Notification,
            object: values[0].place.clone(),
            passed,
            monitor: own,
            site: self.site(self.body[id].span),
            way: Way::new(),
            looped: until || self.looped(),
            suspends: false,
            dispatched: false,
        };
        let all = self.state.guards.iter().filter(|_| passed);
        let ids: Vec<GuardId> = given.into_iter().chain(all).map(|live| live.id).collect();
        self.blocking.waited.extend(ids.iter().copied());
        self.waits(waits, 0, &ids);
    }

    /// Notes a wait for rules and callers; guards in `without` are given back for it.
    pub(super) fn waits(&mut self, waits: Waits, joined: u32, without: &[GuardId]) {
        if !self.state.reachable || self.blocking.selecting > 0 {
            return;
        }
        let held = self.holding(waits.object.as_ref(), without);
        let direct = waits.way.is_empty();
        let wanted = !held.is_empty() || (direct && matches!(waits.op, Op::Notification | Op::Join));
        let key = (waits.op, waits.site, waits.way.clone(), self.task);
        if wanted && (self.blocking.seen.insert(key) || !held.is_empty() && self.first_held(&waits)) {
            let object = waits.object.as_ref().map(|place| self.object(place));
            let monitor = waits.monitor.as_ref().map(|monitor| self.side_of(monitor));
            let info = &self.cx.bodies[self.id.0 as usize];
            self.blocking.facts.waits.push(Wait {
                body: self.id.0,
                function: self.cx.name(self.id),
                test: info.test,
                op: waits.op,
                object,
                monitor,
                joined,
                held,
                at: self.cx.location(waits.site),
                way: waits.way.iter().map(|site| self.cx.location(*site)).collect(),
                looped: waits.looped,
                passed: waits.passed,
                task: self.task,
                suspends: waits.suspends,
                dispatched: waits.dispatched,
            });
        }
        let known = &mut self.blocking.summary.waits;
        let same = |other: &Waits| other.op == waits.op && other.site == waits.site && other.object == waits.object;
        if self.detached == 0 && known.len() < MOST && !known.iter().any(same) {
            known.push(waits);
        }
    }

    /// Whether a wait that was seen before has nothing held so far: a loop's second turn may hold more.
    fn first_held(&mut self, waits: &Waits) -> bool {
        let at = self.cx.location(waits.site);
        let known = &mut self.blocking.facts.waits;
        let before = known.iter().position(|wait| wait.at == at && wait.op == waits.op && wait.held.is_empty());
        before.map(|before| known.remove(before)).is_some()
    }

    /// The guards that live here, but those of the caller.
    pub(super) fn holding(&self, object: Option<&Place>, without: &[GuardId]) -> Vec<Holding> {
        let own = self.state.guards.iter().filter(|guard| guard.param.is_none() && !without.contains(&guard.id));
        own.map(|guard| Holding {
            side: self.side_of(&guard.held),
            must: guard.held.must && !guard.try_,
            waited: self.blocking.waited.contains(&guard.id),
            around: object.is_some_and(|object| object.is_inside(&guard.held.lock.place)),
            decides: self.blocking.deciding.contains(&guard.held.lock),
        })
        .collect()
    }

    /// Whether a place lies in what a held lock guards.
    fn is_guarded(&self, place: &Place) -> bool {
        self.state.guards.iter().any(|guard| place.is_inside(&guard.held.lock.place))
    }

    pub(super) fn side_of(&self, held: &HeldLock) -> crate::regions::Side {
        self.cx.side(&held.lock, held.mode, held.site, &held.way, held.waiting)
    }

    pub(super) fn object(&self, place: &Place) -> Object {
        let class = self.cx.class(place);
        Object {
            key: class.as_ref().map(|class| bare(&class.key)),
            name: class.map(|class| bare(&class.name)),
            value: match place.root {
                Root::Value(body, value) => Some((body.0, value)),
                _ => None,
            },
        }
    }

    /// In a loop of the function or closure at hand.
    fn looped(&self) -> bool {
        let body = self.frames.iter().rposition(|frame| frame.kind == FrameKind::Body).unwrap_or(0);
        self.frames[body..].iter().any(|frame| frame.kind == FrameKind::Loop)
    }

    fn note_signal(&mut self, kind: SignalKind, object: Option<&Value>, id: ExprId) {
        let Some(place) = object.and_then(|value| value.place.clone()) else { return };
        let site = self.site(self.body[id].span);
        self.signals(Signals { kind, object: place, taken: Vec::new(), site, way: Way::new() });
    }

    pub(super) fn signals(&mut self, signals: Signals) {
        if !self.state.reachable {
            return;
        }
        let mut signals = signals;
        for event in &self.state.done {
            if let Some(Event::Taken(lock)) = self.blocking.events.get(*event as usize)
                && signals.taken.len() < MOST_EVENTS
            {
                signals.taken.push(lock.clone());
            }
        }
        let object = self.object(&signals.object);
        if self.blocking.signalled.insert((signals.kind, signals.site, signals.way.clone(), self.task)) {
            let info = &self.cx.bodies[self.id.0 as usize];
            self.blocking.facts.signals.push(Signal {
                kind: signals.kind,
                body: self.id.0,
                function: self.cx.name(self.id),
                test: info.test,
                object,
                taken: signals.taken.iter().map(|lock| self.side_of(lock)).collect(),
                at: self.cx.location(signals.site),
                way: signals.way.iter().map(|site| self.cx.location(*site)).collect(),
                // Whoever runs a closure that is kept is none of the body's own threads.
                task: if self.detached > 0 && self.task == 0 { u32::MAX } else { self.task },
            });
        }
        let known = &mut self.blocking.summary.signals;
        let same = |other: &Signals| other.kind == signals.kind && other.site == signals.site;
        if self.detached == 0 && known.len() < MOST && !known.iter().any(same) {
            known.push(signals);
        }
    }

    /// This body takes a lock itself.
    pub(super) fn note_taker(&mut self, lock: &LockRef) {
        self.blocking.locks.insert(lock.place.clone());
    }

    /// A lock is taken for sure.
    pub(super) fn note_taken(&mut self, held: HeldLock) {
        let event = Event::Taken(held);
        let same = |known: &Event| match (known, &event) {
            (Event::Taken(a), Event::Taken(b)) => a.lock == b.lock && a.mode == b.mode,
            _ => false,
        };
        self.happened(event.clone(), same);
    }

    /// Something happens for sure.
    pub(super) fn happened(&mut self, event: Event, same: impl Fn(&Event) -> bool) {
        let index = match self.blocking.events.iter().position(same) {
            Some(index) => index,
            None if self.blocking.events.len() < MOST_EVENTS => {
                self.blocking.events.push(event);
                self.blocking.events.len() - 1
            }
            None => return,
        };
        if let Err(at) = self.state.done.binary_search(&(index as u32)) {
            self.state.done.insert(at, index as u32);
        }
    }

    /// A lock is wanted: by which thread or task?
    pub(super) fn note_request(&mut self, acquired: &Acquired) {
        if self.detached == 0 || self.task == 0 || acquired.try_ {
            return;
        }
        let takes = self.blocking.takes.entry(self.task).or_default();
        if takes.len() < MOST_TAKES
            && !takes.iter().any(|known| known.lock == acquired.lock && known.mode == acquired.mode)
        {
            takes.push(acquired.clone());
        }
    }

    /// A handle, end of a channel or pool is put somewhere.
    pub(super) fn note_stored(&mut self, place: Option<&Place>, value: &Value) {
        if self.is_kept(value)
            && let Some(class) = place.and_then(|place| self.cx.class(place))
        {
            self.stored(&class.key, value);
        }
    }

    /// Whether it matters where a value is put: a handle, or something that was made here.
    fn is_kept(&self, value: &Value) -> bool {
        value.task != 0 || self.made_here(value).is_some()
    }

    fn made_here(&self, value: &Value) -> Option<u32> {
        match value.place.as_ref().map(|place| place.root) {
            Some(Root::Value(body, made)) if body == self.id => self.is_made_here(made).then_some(made),
            _ => None,
        }
    }

    fn stored(&mut self, key: &str, value: &Value) {
        let made = self.made_here(value);
        let stored = Stored { body: self.id.0, key: bare(key), task: value.task, value: made };
        if !self.blocking.facts.stored.contains(&stored) {
            self.blocking.facts.stored.push(stored);
        }
    }

    /// The fields of a struct literal or tuple struct.
    pub(super) fn note_fields<'v, N: std::fmt::Display>(
        &mut self,
        id: ExprId,
        parts: impl Iterator<Item = (N, &'v Value)>,
    ) {
        let Ty::Adt(adt, _) = *self.ty(id) else { return };
        let site = self.site(self.body[id].span);
        for (name, value) in parts {
            self.note_lock_field(adt, &name.to_string(), value.place.as_ref(), site);
            self.note_kept_field(adt, &name.to_string(), value, site);
            if self.is_kept(value) {
                self.stored(&format!("{}.{name}", self.model.adt_path(adt)), value);
            }
        }
    }

    /// Whether a value of this type can be a handle.
    pub(super) fn carries_handle(&self, id: ExprId) -> bool {
        self.ty(id).any(&mut |part| match part {
            Ty::Adt(adt, _) => {
                let data = self.model.adt(*adt);
                self.model.crate_of(data.module).stub
                    && matches!(data.name.as_str(), "JoinHandle" | "ScopedJoinHandle" | "Promise")
            }
            _ => false,
        })
    }

    /// The threads and tasks spawned since there were `before` of them are joined at the end of a scope.
    pub(super) fn scope_ends(&mut self, before: usize, id: ExprId) {
        for task in before..self.tasks.len() {
            if self.tasks[task].joined.is_none() {
                self.wait(Op::Join, None, id, task as u32 + 1, false);
            }
        }
    }

    /// Somebody else's code is called.
    pub(super) fn note_callback(&mut self, callee: ExprId, id: ExprId) {
        let foreign = |ty: &Ty| matches!(ty, Ty::Param(_) | Ty::Dyn(_) | Ty::Opaque(_) | Ty::FnPtr(..));
        let name = match &self.body[callee].kind {
            ExprKind::Field { name, .. } => *name,
            ExprKind::Path(path) if path.segments.len() == 1 => path.segments[0].name,
            _ => return,
        };
        if !self.state.reachable || !self.ty(callee).any(&mut |part| foreign(part)) {
            return;
        }
        let held = self.holding(None, &[]);
        let at = self.cx.location(self.site(self.body[id].span));
        if held.is_empty() || self.blocking.facts.callbacks.iter().any(|known| known.at == at) {
            return;
        }
        let info = &self.cx.bodies[self.id.0 as usize];
        let (function, test, name) = (self.cx.name(self.id), info.test, name.to_string());
        self.blocking.facts.callbacks.push(Callback { function, test, name, held, at });
    }

    /// The value is returned: is it the handle of a thread or task?
    pub(super) fn note_returned(&mut self, value: &Value) {
        if value.task != 0 && self.detached == 0 {
            let takes = self.blocking.takes.get(&value.task).cloned().unwrap_or_default();
            self.blocking.summary.returns = Some((value.task, takes));
        }
    }

    /// The body ends.
    pub(super) fn finish_blocking(&mut self) -> (Blocking, BlockingSummary) {
        let mut own = std::mem::take(&mut self.blocking);
        let mut numbers: Vec<u32> = own.spawned_at.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            let (at, parent) = own.spawned_at[&number];
            let takes = own.takes.get(&number).map_or(&[][..], Vec::as_slice);
            let takes: Vec<_> = takes
                .iter()
                .map(|taken| self.cx.side(&taken.lock, taken.mode, taken.site, &taken.way, taken.waiting))
                .collect();
            own.facts.spawned.push(Spawned { body: self.id.0, number, at: self.cx.location(at), takes, parent });
        }
        let mut takers: Vec<String> =
            own.locks.iter().filter_map(|place| self.cx.class(place)).map(|class| bare(&class.key)).collect();
        takers.sort_unstable();
        takers.dedup();
        own.facts.takers = takers.into_iter().map(|key| (self.id.0, key)).collect();
        for event in &self.state.done {
            if let Some(Event::Taken(lock)) = own.events.get(*event as usize)
                && own.summary.takes.len() < MOST
            {
                own.summary.takes.push(lock.clone());
            }
        }
        self.finish_pools(&mut own);
        (own.facts, own.summary)
    }
}

/// A key without indices: whatever lies in one collection counts as one.
pub(super) fn bare(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut depth = 0;
    for c in key.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

//! Signals as resources: a thread that waits on a condvar waits for whoever is going to notify it.
//!
//! A wait requests the condvar as if it were a lock; every request that its thread makes before a notification *owes*
//! that notification, as if it held the condvar. Cycles through condvars are then found like those of locks.
//!
//! Guarantees: a pattern counts only if, in its witness, nobody is left who could wake a waiter of it: every
//! notification of the condvar came before the wait, or its thread is blocked in the pattern.
//!
//! Source: the signal-lock idea of the literature on communication deadlocks; that it is sound together with the
//! sync-preserving closure is argued and tested against exhaustive exploration, not proven.
//!
//! What a mutex protects is not recorded, and under the mutex of a condvar it decides who waits. So the critical sections
//! of such locks ([`Signals::monitors`]) keep the order of the run.
//!
//! Misses: waits with a time limit; waits for channels, barriers and `unpark`; notifications that the run did not get to.

use lockcheck_tracker::event::{Event, Op, flag};
use rustc_hash::{FxHashMap, FxHashSet};

use super::clocks::Moment;
use super::history::{AbstractAcquire, Instance};
use super::order::Ordered;

/// A notification in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// After it.
    pub moment: Moment,
    /// Place in the merged run.
    pub order: u32,
}

/// What the run says about condvars.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Waits and requests, as far as they can be part of a pattern: they hold or owe something.
    pub acquires: Vec<AbstractAcquire>,
    /// Condvars that were waited on.
    waited: FxHashSet<u32>,
    /// Locks that waits give back, or that threads have just used when they notify: the predicates stand under them.
    pub monitors: FxHashSet<u32>,
    /// By condvar.
    notifications: FxHashMap<u32, Vec<Notification>>,
    /// By thread index and the thread's own time: place of a wait in the merged run.
    waits: FxHashMap<(u32, u32), u32>,
    /// By thread index: its last notification of each waited condvar, as (number of the event in its thread, condvar),
    /// latest first.
    last: Vec<Vec<(u32, u32)>>,
    /// By thread index: events so far.
    passed: Vec<u32>,
}

/// Whether the event is a wait that only a notification ends.
fn waits(event: &Event) -> bool {
    event.op() == Some(Op::WaitBegin) && event.flags & flag::TRY == 0
}

impl Signals {
    /// Looks ahead: who notifies what after which of its events. `threads`: number of thread indexes.
    pub fn new(ordered: &Ordered, threads: usize) -> Self {
        let mut signals = Signals { passed: vec![0; threads], ..Signals::default() };
        if !ordered.has(&[Op::WaitBegin, Op::NotifyOne, Op::NotifyAll]) {
            return signals;
        }
        // By thread: the lock that it took or gave back last. Around a notification that is the one of the predicate.
        let mut latest = vec![0; threads];
        for (thread, event) in ordered.events() {
            let latest = &mut latest[thread as usize];
            match event.op() {
                Some(Op::WaitBegin) if waits(&event) => {
                    signals.waited.insert(event.object);
                }
                Some(Op::NotifyOne | Op::NotifyAll) if *latest != 0 => {
                    signals.monitors.insert(*latest);
                }
                Some(Op::Release) if event.flags & flag::WAIT != 0 => {
                    signals.monitors.insert(event.object);
                }
                _ => {}
            }
            if matches!(event.op(), Some(Op::Acquire | Op::Release)) {
                *latest = event.object;
            }
        }
        if signals.waited.is_empty() {
            return signals;
        }
        let mut last: Vec<FxHashMap<u32, u32>> = vec![FxHashMap::default(); threads];
        let mut count = vec![0; threads];
        for (thread, event) in ordered.events() {
            let thread = thread as usize;
            count[thread] += 1;
            let notifies = matches!(event.op(), Some(Op::NotifyOne | Op::NotifyAll));
            if notifies && signals.waited.contains(&event.object) {
                last[thread].insert(event.object, count[thread]);
            }
        }
        signals.last = last
            .into_iter()
            .map(|condvars| {
                let mut list: Vec<(u32, u32)> = condvars.into_iter().map(|(condvar, at)| (at, condvar)).collect();
                list.sort_unstable_by(|a, b| b.cmp(a));
                list
            })
            .collect();
        signals
    }

    /// Whether the run has no wait that matters here.
    pub fn is_empty(&self) -> bool {
        self.waited.is_empty()
    }

    /// Takes in the next event; `after` is where the thread stands then.
    pub fn step(&mut self, order: u32, thread: u32, event: &Event, after: Moment) {
        if self.is_empty() {
            return;
        }
        self.passed[thread as usize] += 1;
        if !self.waited.contains(&event.object) {
            return;
        }
        match event.op() {
            Some(Op::NotifyOne | Op::NotifyAll) => {
                self.notifications.entry(event.object).or_default().push(Notification { moment: after, order });
            }
            Some(Op::WaitBegin) => {
                self.waits.insert((thread, after.time), order);
            }
            _ => {}
        }
    }

    /// What the thread is still going to notify, in the order of their numbers.
    pub fn owed(&self, thread: u32) -> Vec<u32> {
        let Some(last) = self.last.get(thread as usize) else { return Vec::new() };
        let passed = self.passed[thread as usize];
        let mut owed: Vec<u32> = last.iter().take_while(|(at, _)| *at > passed).map(|(_, condvar)| *condvar).collect();
        owed.sort_unstable();
        owed
    }

    /// Whether the thing waited for is a condvar.
    pub fn is_signal(&self, object: u32) -> bool {
        self.waited.contains(&object)
    }

    /// Whether the waiters among the stands stay asleep: each notification is part of the witness before the wait, or
    /// its thread stands blocked. `times`: by thread index, how far the witness goes.
    pub fn awake(&self, parts: &[(&AbstractAcquire, Instance)], times: &[u32]) -> Awake {
        let mut missing = Vec::new();
        for (acquire, instance) in parts.iter().filter(|(acquire, _)| self.is_signal(acquire.wanted.object)) {
            let Some(wait) = self.waits.get(&(acquire.thread, instance.time)) else { return Awake::Somebody };
            for notification in self.notifications.get(&acquire.wanted.object).into_iter().flatten() {
                let Moment { thread, time, .. } = notification.moment;
                let inside = time <= times[thread as usize];
                let is_part = parts.iter().any(|(other, _)| other.thread == thread);
                match notification.order < *wait {
                    true if inside || is_part => {}
                    true => missing.push(notification.moment),
                    false if inside || !is_part => return Awake::Somebody,
                    false => {}
                }
            }
        }
        if missing.is_empty() { Awake::Nobody } else { Awake::NobodyAfter(missing) }
    }
}

/// Who could wake the waiters of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awake {
    /// Nobody.
    Nobody,
    /// Nobody, once these notifications have been given; they came before the wait in the run.
    NobodyAfter(Vec<Moment>),
    /// Somebody, or nobody knows.
    Somebody,
}

//! One forward pass over a merged run: who requested what while holding what, and the critical sections of each lock.
//!
//! Guarantees: an [`AbstractAcquire`] stands for all requests of one thread for one lock in one mode with the same
//! locks held, at one place; its instances keep their clocks. Try-locks make no request, but what they took is held.
//! Where a thread's events were not recorded, the tracker's own order edges stand in, with their segments as time.
//!
//! Source: abstract acquires and the TRF order of Tunç, Mathur, Pavlogiannis and Viswanathan (PLDI 2023).
//!
//! Memory: 16 bytes per critical section of a lock that several threads take, and 20 per request that can be part of a cycle, both
//! only where locks are taken in a circle at all (`survey`); [`MOST_SECTIONS`] of the former at most, and what comes
//! behind them is not predicted from ([`History::known`]).
//!
//! Misses: locks that a parent holds for its child across fork and join.

use std::collections::hash_map::Entry;

use indexmap::{IndexMap, IndexSet};
use lockcheck_tracker::event::{Event, Held, Mode, Op, flag};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::causality::{Causality, Edges};
use super::clocks::{Clocks, Moment};
use super::names;
use super::recording::{DoubleLock, Recording};
use super::sections::Sections;
use super::signals::Signals;
use super::survey::Survey;
use super::tasks::{self, Actors, SegmentActors};

/// Critical sections that are kept for prediction: 16 bytes each.
pub const MOST_SECTIONS: usize = 1 << 26;

/// Whether requests at different places are different abstract acquires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// They are: what reports need.
    Apart,
    /// They are not: enough to answer whether there is a deadlock.
    Together,
}

/// One request among those of an [`AbstractAcquire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// All that came before the request, itself not included.
    pub before: Moment,
    /// The requesting thread's own time at the request.
    pub time: u32,
    /// Index into [`History::stacks`]: the locks held, with their places.
    pub stack: u32,
}

/// Requests of one thread for one lock with the same locks held.
#[derive(Clone, Debug)]
pub struct AbstractAcquire {
    /// Thread index.
    pub thread: u32,
    /// The lock requested; its place where places are kept apart.
    pub wanted: Held,
    /// The locks held, by number, and how.
    pub held: Vec<(u32, Mode)>,
    /// The condvars that the thread is going to notify; empty in [`History::acquires`].
    pub owes: Vec<u32>,
    /// In the order of the run; at least one. Only the first where it cannot be part of a cycle.
    pub instances: Vec<Instance>,
}

impl AbstractAcquire {
    /// How a lock is held.
    pub fn holds(&self, lock: u32) -> Option<Mode> {
        self.held.iter().find(|held| held.0 == lock).map(|held| held.1)
    }

    /// Whether nobody gets past `wanted` before this thread has gone on: it holds it in a mode that keeps the request
    /// out, at once or behind a queued writer, or owes it as a notification.
    pub fn blocks(&self, wanted: &Held) -> bool {
        self.owes.contains(&wanted.object)
            || self.holds(wanted.object).is_some_and(|held| super::patterns::keeps_out(held, wanted.mode))
    }
}

/// What the pass found.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// By thread index: the thread's number. Tasks of a pool have indexes of their own.
    pub threads: Vec<u32>,
    /// By thread index: the task, 0 for a thread.
    pub tasks: Vec<u32>,
    /// The clocks behind every [`Moment`].
    pub clocks: Clocks,
    /// In order of first appearance.
    pub acquires: Vec<AbstractAcquire>,
    /// The same with waits for notifications among them.
    pub signals: Signals,
    /// Requests to write to RwLocks, also without another lock held: what readers may queue behind.
    pub writers: Vec<AbstractAcquire>,
    /// Locks held together with their places, outermost first.
    pub stacks: IndexSet<Vec<Held>, FxBuildHasher>,
    /// By lock, then by thread index. Empty where they are of no use to prediction: of locks that only one thread takes, and where
    /// no locks are taken in a circle.
    pub sections: IndexMap<u32, IndexMap<u32, Sections, FxBuildHasher>, FxBuildHasher>,
    /// By thread index: up to which of its times prediction knows the run; `None` where it knows all of it.
    pub known: Option<Vec<u32>>,
    /// Locks requested by a thread that held them.
    pub double_locks: IndexSet<DoubleLock, FxBuildHasher>,
    /// Number of acquisitions.
    pub acquisitions: usize,
}

impl History {
    /// The pass. O(events x threads) at worst; clocks grow only where threads meet.
    pub fn new(recording: &Recording, actors: &Actors, places: Places) -> Self {
        History::up_to(recording, actors, places, MOST_SECTIONS)
    }

    /// The same, with so many critical sections kept at most.
    pub fn up_to(recording: &Recording, actors: &Actors, places: Places, most: usize) -> Self {
        let ordered = &actors.ordered;
        let recorded: FxHashSet<u32> = ordered.threads.iter().copied().collect();
        let (mut threads, mut tasks) = (ordered.threads.clone(), actors.tasks.clone());
        let segments = tasks::segment_actors(recording, &recorded, &mut threads, &mut tasks);

        let signals = Signals::new(ordered, threads.len());
        let survey = Survey::new(recording, ordered);
        let mut pass = Pass {
            places,
            known: FxHashMap::default(),
            all: !signals.is_empty(),
            survey,
            room: most,
            stacks: vec![None; threads.len()],
            keys: FxHashMap::default(),
            writer_keys: FxHashMap::default(),
            signal_keys: FxHashMap::default(),
            history: History { signals, ..History::default() },
            held: threads.iter().map(|_| Vec::new()).collect(),
            requested: vec![None; threads.len()],
        };
        let mut causality = Causality::new(recording, &threads, Edges { locks: false, cells: true })
            .with_monitors(pass.history.signals.monitors.clone());
        for (order, (thread, event)) in ordered.events().enumerate() {
            let (before, after) = causality.step(thread, &event);
            pass.event(order as u32, thread, &event, before, after);
            if pass.room == 0 && pass.history.known.is_none() {
                let times = (0..threads.len()).map(|thread| causality.clocks.now(thread).time);
                pass.history.known = Some(times.collect());
            }
        }
        let mut clocks = causality.clocks;
        pass.edges(recording, &recorded, &segments, &mut clocks);
        let mut history = pass.history;
        let number = |double: DoubleLock| DoubleLock { thread: threads[double.thread as usize], ..double };
        history.double_locks = history.double_locks.into_iter().map(number).collect();
        (history.threads, history.tasks, history.clocks) = (threads, tasks, clocks);
        history
    }

    /// Whether two abstract acquires of different threads have instances that no order keeps apart. Linear: where
    /// one instance comes before another, it also comes before all later ones.
    pub fn concurrent(&self, a: &AbstractAcquire, b: &AbstractAcquire) -> bool {
        let before = |x: &Instance, thread: u32, y: &Instance| x.time <= self.clocks.time_of(y.before, thread);
        let (mut i, mut j) = (0, 0);
        while let (Some(x), Some(y)) = (a.instances.get(i), b.instances.get(j)) {
            if before(x, a.thread, y) {
                i += 1;
            } else if before(y, b.thread, x) {
                j += 1;
            } else {
                return true;
            }
        }
        false
    }

    /// A thread index as reports show it.
    pub fn actor(&self, recording: &Recording, thread: u32) -> String {
        let at = |list: &[u32]| list.get(thread as usize).copied().unwrap_or(0);
        names::actor(recording, at(&self.threads), at(&self.tasks))
    }

    /// The locks held at an instance, with their places.
    pub fn stack(&self, instance: &Instance) -> &[Held] {
        self.stacks.get_index(instance.stack as usize).map_or(&[], Vec::as_slice)
    }
}

/// Thread, lock, mode, place, locks held.
type Key = (u32, u32, Mode, u32, Vec<(u32, Mode)>);
/// The same, and what is owed.
type SignalKey = (Key, Vec<u32>);

/// Adds a request to those like it. Unless it `matters` when each was made, the first one stands for all.
fn put(
    keys: &mut FxHashMap<Key, usize>,
    acquires: &mut Vec<AbstractAcquire>,
    key: Key,
    wanted: Held,
    instance: Instance,
    matters: bool,
) -> usize {
    let (thread, held) = (key.0, key.4.clone());
    let next = acquires.len();
    let at = *keys.entry(key).or_insert(next);
    if at == next {
        acquires.push(AbstractAcquire { thread, wanted, held, owes: Vec::new(), instances: vec![instance] });
    } else if matters {
        acquires[at].instances.push(instance);
    }
    at
}

fn sorted(stack: &[Held]) -> Vec<(u32, Mode)> {
    let mut held: Vec<(u32, Mode)> = stack.iter().map(|held| (held.object, held.mode)).collect();
    held.sort_unstable();
    held
}

struct HeldLock {
    held: Held,
    depth: u32,
}

struct Pass {
    places: Places,
    keys: FxHashMap<Key, usize>,
    writer_keys: FxHashMap<Key, usize>,
    signal_keys: FxHashMap<SignalKey, usize>,
    /// By what a request is, with its stack: the same as by [`Key`], but quicker. And whether it matters when each was made.
    known: FxHashMap<(u32, Held, u32), (usize, bool)>,
    survey: Survey,
    /// Whether everything matters.
    all: bool,
    /// Critical sections that may still be kept.
    room: usize,
    /// By thread index: its held set as an index into the stacks, where that is known.
    stacks: Vec<Option<u32>>,
    history: History,
    held: Vec<Vec<HeldLock>>,
    /// By thread index: the lock of a request that has not become an acquisition yet.
    requested: Vec<Option<u32>>,
}

impl Pass {
    fn event(&mut self, order: u32, thread: u32, event: &Event, before: Moment, after: Moment) {
        let at = thread as usize;
        let mode = event.mode().unwrap_or(Mode::Exclusive);
        let lock = Held { object: event.object, mode, site: event.site };
        self.history.signals.step(order, thread, event, after);
        match event.op() {
            Some(Op::Request) => {
                self.requested[at] = Some(event.object);
                self.request(thread, lock, before);
            }
            Some(Op::Acquire) => {
                let announced = self.requested[at].take() == Some(event.object);
                if !announced && event.flags & flag::TRY == 0 {
                    self.request(thread, lock, before);
                }
                self.acquire(order, thread, lock, after);
            }
            Some(Op::Release) => self.release(thread, event.object, after),
            Some(Op::WaitBegin) => {
                self.requested[at] = None;
                if event.flags & flag::TRY == 0 {
                    let stack = self.stack(thread);
                    self.add_signal(thread, lock, &stack, before);
                }
            }
            Some(_) => self.requested[at] = None,
            None => {}
        }
    }

    fn request(&mut self, thread: u32, wanted: Held, before: Moment) {
        let held = &self.held[thread as usize];
        if let Some(first) = held.iter().map(|lock| lock.held).find(|held| held.object == wanted.object) {
            self.history.double_locks.insert(DoubleLock { thread, first, second: wanted });
            return;
        }
        let writes = wanted.mode == Mode::Exclusive && self.survey.shared.contains(&wanted.object);
        if held.is_empty() && !writes && self.history.signals.is_empty() {
            return;
        }
        let stack = self.stack(thread);
        if writes {
            let instance = self.instance(&stack, before, before.time + 1);
            let key = (thread, wanted.object, wanted.mode, wanted.site, Vec::new());
            let matters = self.history.known.is_none() && (self.all || self.survey.is_in_circle(wanted.object));
            put(&mut self.writer_keys, &mut self.history.writers, key, wanted, instance, matters);
        }
        self.add_signal(thread, wanted, &stack, before);
        self.add_known(thread, wanted, stack, before);
    }

    /// As [`Pass::add`], for a request of a thread with its present held set.
    fn add_known(&mut self, thread: u32, wanted: Held, stack: Vec<Held>, before: Moment) {
        if stack.is_empty() {
            return;
        }
        let index = match self.stacks[thread as usize] {
            Some(index) => index,
            None => {
                let index = self.history.stacks.insert_full(stack.clone()).0 as u32;
                *self.stacks[thread as usize].insert(index)
            }
        };
        let key = (thread, wanted, index);
        match self.known.get(&key) {
            Some((at, matters)) => {
                if *matters && self.history.known.is_none() {
                    let instance = Instance { before, time: before.time + 1, stack: index };
                    self.history.acquires[*at].instances.push(instance);
                }
            }
            None => {
                let matters = self.all || self.survey.matters(stack.iter().map(|held| held.object), wanted.object);
                let at = self.add(thread, wanted, stack, before, before.time + 1, matters);
                if let Some(at) = at {
                    self.known.insert(key, (at, matters));
                }
            }
        }
    }

    fn stack(&self, thread: u32) -> Vec<Held> {
        self.held[thread as usize].iter().map(|lock| lock.held).collect()
    }

    /// A request or wait for the search for cycles through condvars, where the run has any.
    fn add_signal(&mut self, thread: u32, wanted: Held, stack: &[Held], before: Moment) {
        if self.history.signals.is_empty() {
            return;
        }
        let mut owes = self.history.signals.owed(thread);
        owes.retain(|condvar| *condvar != wanted.object);
        if stack.is_empty() && owes.is_empty() {
            return;
        }
        let instance = self.instance(stack, before, before.time + 1);
        let held = sorted(stack);
        let site = if self.places == Places::Apart { wanted.site } else { 0 };
        let key = ((thread, wanted.object, wanted.mode, site, held.clone()), owes.clone());
        let acquires = &mut self.history.signals.acquires;
        match self.signal_keys.entry(key) {
            Entry::Occupied(known) if self.history.known.is_none() => acquires[*known.get()].instances.push(instance),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert(acquires.len());
                acquires.push(AbstractAcquire { thread, wanted, held, owes, instances: vec![instance] });
            }
        }
    }

    fn instance(&mut self, stack: &[Held], before: Moment, time: u32) -> Instance {
        Instance { before, time, stack: self.history.stacks.insert_full(stack.to_vec()).0 as u32 }
    }

    fn add(
        &mut self,
        thread: u32,
        wanted: Held,
        stack: Vec<Held>,
        before: Moment,
        time: u32,
        matters: bool,
    ) -> Option<usize> {
        if stack.is_empty() {
            return None;
        }
        let held = sorted(&stack);
        let site = if self.places == Places::Apart { wanted.site } else { 0 };
        let instance = self.instance(&stack, before, time);
        let key = (thread, wanted.object, wanted.mode, site, held);
        let matters = matters && self.history.known.is_none();
        Some(put(&mut self.keys, &mut self.history.acquires, key, wanted, instance, matters))
    }

    fn acquire(&mut self, order: u32, thread: u32, lock: Held, after: Moment) {
        self.history.acquisitions += 1;
        if let Some(known) = self.held[thread as usize].iter_mut().find(|known| known.held.object == lock.object) {
            known.depth += 1;
            return;
        }
        self.held[thread as usize].push(HeldLock { held: lock, depth: 1 });
        self.stacks[thread as usize] = None;
        let of_lock = self.history.sections.entry(lock.object).or_default();
        let count = match self.all || self.survey.has_circles() {
            true => self.survey.contended(lock.object, thread),
            false => 0,
        };
        let sections = of_lock.entry(thread).or_insert_with(|| Sections::with_capacity(count.min(self.room)));
        if count > 0 && self.room > 0 {
            self.room -= 1;
            sections.begin(order, after.time, lock.mode);
        }
    }

    fn release(&mut self, thread: u32, lock: u32, after: Moment) {
        // A guard that was sent to another thread is given back there.
        let holds = |thread: &usize| self.held[*thread].iter().any(|known| known.held.object == lock);
        let Some(holder) = Some(thread as usize).filter(holds).or_else(|| (0..self.held.len()).find(holds)) else {
            return;
        };
        let stack = &mut self.held[holder];
        let Some(at) = stack.iter().rposition(|known| known.held.object == lock) else { return };
        stack[at].depth -= 1;
        if stack[at].depth > 0 {
            return;
        }
        stack.remove(at);
        self.stacks[holder] = None;
        if self.room == 0 {
            return;
        }
        let sections = self.history.sections.get_mut(&lock).and_then(|threads| threads.get_mut(&(holder as u32)));
        if let Some(sections) = sections {
            sections.end(holder as u32, after);
        }
    }

    /// Order edges of threads without events. A segment counts as one tick of its thread or task.
    fn edges(&mut self, recording: &Recording, recorded: &FxHashSet<u32>, actors: &SegmentActors, clocks: &mut Clocks) {
        let mut moments: FxHashMap<u32, Moment> = FxHashMap::default();
        for (id, segment) in &recording.segments {
            let Some(&actor) = actors.of_segment.get(id) else { continue };
            for moment in segment.after.iter().filter_map(|before| moments.get(before)) {
                clocks.learn(actor as usize, *moment);
            }
            moments.insert(*id, clocks.tick(actor as usize));
        }
        for edge in recording.edges.iter().filter(|edge| !recorded.contains(&edge.thread)) {
            let of_segment = actors.of_segment.get(&edge.segment);
            let Some(&actor) = of_segment.or_else(|| actors.of_thread.get(&edge.thread)) else { continue };
            let moment = moments.get(&edge.segment).copied().unwrap_or_else(|| clocks.now(actor as usize));
            if edge.held.iter().all(|held| held.object != edge.wanted.object) {
                self.add(actor, edge.wanted, edge.held.clone(), moment, moment.time, true);
            }
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

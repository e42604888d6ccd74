//! One forward pass over a merged run: who requested what while holding what, and the critical sections of each lock.
//!
//! Guarantees: an [`AbstractAcquire`] stands for all requests of one thread for one lock in one mode with the same
//! locks held, at one place; its instances keep their clocks. Try-locks make no request, but what they took is held.
//! Where a thread's events were not recorded, the tracker's own order edges stand in, with their segments as time.
//!
//! Source: abstract acquires and the TRF order of Tunç, Mathur, Pavlogiannis and Viswanathan (PLDI 2023).
//!
//! Misses: locks that a parent holds for its child across fork and join.

use std::collections::hash_map::Entry;

use indexmap::{IndexMap, IndexSet};
use lockcheck_tracker::event::{Event, Held, Mode, Op, flag};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::causality::{Causality, Edges};
use super::clocks::{Clocks, Moment};
use super::names;
use super::order::Ordered;
use super::recording::{DoubleLock, Recording};
use super::signals::Signals;
use super::tasks::{self, Actors, SegmentActors};

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
    /// In the order of the run; at least one.
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

/// One critical section.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Place of the acquisition in the merged run.
    pub order: u32,
    /// The thread's own time at the acquisition.
    pub time: u32,
    /// How.
    pub mode: Mode,
    /// When it was given back; `None` if never.
    pub release: Option<Moment>,
    /// `order` of this thread's last exclusive section of the lock, up to this one.
    pub exclusive: Option<u32>,
    /// `order` of this thread's last upgradable section of the lock, up to this one.
    pub upgradable: Option<u32>,
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
    /// By lock, then by thread index.
    pub sections: IndexMap<u32, IndexMap<u32, Vec<Section>, FxBuildHasher>, FxBuildHasher>,
    /// Locks requested by a thread that held them.
    pub double_locks: IndexSet<DoubleLock, FxBuildHasher>,
    /// Number of acquisitions.
    pub acquisitions: usize,
}

impl History {
    /// The pass. O(events x threads) at worst; clocks grow only where threads meet.
    pub fn new(recording: &Recording, actors: &Actors, places: Places) -> Self {
        let ordered = &actors.ordered;
        let recorded: FxHashSet<u32> = ordered.threads.iter().copied().collect();
        let (mut threads, mut tasks) = (ordered.threads.clone(), actors.tasks.clone());
        let segments = tasks::segment_actors(recording, &recorded, &mut threads, &mut tasks);

        let mut pass = Pass {
            places,
            keys: FxHashMap::default(),
            writer_keys: FxHashMap::default(),
            signal_keys: FxHashMap::default(),
            shared: read_locks(ordered),
            history: History { signals: Signals::new(ordered, threads.len()), ..History::default() },
            held: threads.iter().map(|_| Vec::new()).collect(),
            requested: vec![None; threads.len()],
        };
        let mut causality = Causality::new(recording, &threads, Edges { locks: false, cells: true })
            .with_monitors(pass.history.signals.monitors.clone());
        for (order, (thread, event)) in ordered.events.iter().enumerate() {
            let (before, after) = causality.step(*thread, event);
            pass.event(order as u32, *thread, event, before, after);
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

/// Locks that are taken in a shared mode somewhere.
fn read_locks(ordered: &Ordered) -> FxHashSet<u32> {
    let reads = ordered
        .events
        .iter()
        .filter(|(_, event)| event.op() == Some(Op::Request) && event.mode() == Some(Mode::Shared));
    reads.map(|(_, event)| event.object).collect()
}

/// Thread, lock, mode, place, locks held.
type Key = (u32, u32, Mode, u32, Vec<(u32, Mode)>);
/// The same, and what is owed.
type SignalKey = (Key, Vec<u32>);

fn put(
    keys: &mut FxHashMap<Key, usize>,
    acquires: &mut Vec<AbstractAcquire>,
    key: Key,
    wanted: Held,
    instance: Instance,
) {
    let (thread, held) = (key.0, key.4.clone());
    let next = acquires.len();
    match *keys.entry(key).or_insert(next) {
        known if known < next => acquires[known].instances.push(instance),
        _ => acquires.push(AbstractAcquire { thread, wanted, held, owes: Vec::new(), instances: vec![instance] }),
    }
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
    /// Locks that somebody reads.
    shared: FxHashSet<u32>,
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
        let stack = self.stack(thread);
        if let Some(first) = stack.iter().find(|held| held.object == wanted.object) {
            self.history.double_locks.insert(DoubleLock { thread, first: *first, second: wanted });
            return;
        }
        if self.shared.contains(&wanted.object) && wanted.mode == Mode::Exclusive {
            let instance = self.instance(&stack, before, before.time + 1);
            let key = (thread, wanted.object, wanted.mode, wanted.site, Vec::new());
            put(&mut self.writer_keys, &mut self.history.writers, key, wanted, instance);
        }
        self.add_signal(thread, wanted, &stack, before);
        self.add(thread, wanted, stack, before, before.time + 1);
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
            Entry::Occupied(known) => acquires[*known.get()].instances.push(instance),
            Entry::Vacant(place) => {
                place.insert(acquires.len());
                acquires.push(AbstractAcquire { thread, wanted, held, owes, instances: vec![instance] });
            }
        }
    }

    fn instance(&mut self, stack: &[Held], before: Moment, time: u32) -> Instance {
        Instance { before, time, stack: self.history.stacks.insert_full(stack.to_vec()).0 as u32 }
    }

    fn add(&mut self, thread: u32, wanted: Held, stack: Vec<Held>, before: Moment, time: u32) {
        if stack.is_empty() {
            return;
        }
        let held = sorted(&stack);
        let site = if self.places == Places::Apart { wanted.site } else { 0 };
        let instance = self.instance(&stack, before, time);
        put(
            &mut self.keys,
            &mut self.history.acquires,
            (thread, wanted.object, wanted.mode, site, held),
            wanted,
            instance,
        );
    }

    fn acquire(&mut self, order: u32, thread: u32, lock: Held, after: Moment) {
        self.history.acquisitions += 1;
        if let Some(known) = self.held[thread as usize].iter_mut().find(|known| known.held.object == lock.object) {
            known.depth += 1;
            return;
        }
        self.held[thread as usize].push(HeldLock { held: lock, depth: 1 });
        let sections = self.history.sections.entry(lock.object).or_default().entry(thread).or_default();
        let last = |own: Mode, of: fn(&Section) -> Option<u32>| {
            if lock.mode == own { Some(order) } else { sections.last().and_then(of) }
        };
        let (exclusive, upgradable) =
            (last(Mode::Exclusive, |s| s.exclusive), last(Mode::Upgradable, |s| s.upgradable));
        sections.push(Section { order, time: after.time, mode: lock.mode, release: None, exclusive, upgradable });
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
        let sections = self.history.sections.get_mut(&lock).and_then(|threads| threads.get_mut(&(holder as u32)));
        if let Some(section) = sections.and_then(|sections| sections.last_mut()) {
            section.release = Some(after);
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
                self.add(actor, edge.wanted, edge.held.clone(), moment, moment.time);
            }
        }
    }
}

//! The orders between threads that follow from a merged run, as vector clocks.
//!
//! Guarantees: thread order, fork, join, notify, messages, pool submission and results, barriers, one-time
//! initialisation, `unpark`, and the freed slot that let a submission through are always in the order; atomics pass
//! on what their last writer knew. Two things are a choice, because the analyses differ in them: [`Edges::locks`]
//! (release before the next acquisition) belongs to happens-before for races, and must not be in the order of
//! deadlock prediction, which reorders critical sections; [`Edges::cells`] (a read after the write that it read)
//! belongs to the order of prediction, and must not be in happens-before.
//!
//! Source: happens-before (Lamport 1978); the order of prediction is TRF of Mathur, Pavlogiannis and Viswanathan
//! (POPL 2021), extended by the edges of Rust's other means of synchronisation.
//!
//! Misses: what passes through untracked memory.

use std::collections::VecDeque;

use lockcheck_tracker::event::{Event, Mode, ObjectKind, Op};
use rustc_hash::{FxHashMap, FxHashSet};

use super::clocks::{Clocks, Moment};
use super::recording::Recording;

/// Which of the optional orders count.
#[derive(Clone, Copy, Debug)]
pub struct Edges {
    /// Release before the next acquisition that it kept out.
    pub locks: bool,
    /// Write of a tracked cell before the reads of that value.
    pub cells: bool,
}

/// Steps through a merged run and keeps the clocks.
pub struct Causality<'a> {
    /// The clocks so far.
    pub clocks: Clocks,
    edges: Edges,
    monitors: FxHashSet<u32>,
    recording: &'a Recording,
    /// By thread number: thread indexes, several where tasks count as threads.
    index: FxHashMap<u32, Vec<usize>>,
    numbers: &'a [u32],
    started: Vec<bool>,
    forks: FxHashMap<u32, Moment>,
    /// By op that establishes, object and sequence number.
    sources: FxHashMap<(Source, u32, u32), Moment>,
    writes: FxHashMap<u32, Moment>,
    releases: FxHashMap<u32, Releases>,
    slots: FxHashMap<u32, Slots>,
    arrivals: FxHashMap<u32, Vec<Moment>>,
    generations: FxHashMap<(u32, u32), Vec<Moment>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Notify,
    Message,
    Submit,
    TaskEnd,
    Once,
    Unpark,
}

#[derive(Default)]
struct Releases {
    exclusive: Option<Moment>,
    shared: Vec<Moment>,
}

/// A semaphore of capacity w: what the n-th acquisition waited for is the (n-w)-th release.
#[derive(Default)]
struct Slots {
    acquired: usize,
    /// Releases that no acquisition has needed yet, and how many came before them.
    released: VecDeque<Moment>,
    dropped: usize,
}

impl<'a> Causality<'a> {
    /// Clocks at zero for these threads, by index their numbers.
    pub fn new(recording: &'a Recording, threads: &'a [u32], edges: Edges) -> Self {
        Causality {
            clocks: Clocks::new(threads.len()),
            edges,
            monitors: FxHashSet::default(),
            recording,
            index: by_number(threads),
            numbers: threads,
            started: vec![false; threads.len()],
            forks: FxHashMap::default(),
            sources: FxHashMap::default(),
            writes: FxHashMap::default(),
            releases: FxHashMap::default(),
            slots: FxHashMap::default(),
            arrivals: FxHashMap::default(),
            generations: FxHashMap::default(),
        }
    }

    /// Sections of these locks come after one another in the order of the run: what they protect decides who waits, and is
    /// not recorded.
    pub fn with_monitors(self, monitors: FxHashSet<u32>) -> Self {
        Causality { monitors, ..self }
    }

    fn keeps_order(&self, lock: u32) -> bool {
        self.edges.locks || self.monitors.contains(&lock)
    }

    /// Takes in the next event: where its thread stood before it (with all that it waited for), and after it.
    /// An acquisition waits for nothing as far as that goes: locks are what a request is about.
    ///
    /// A `Request` takes no time of its own: it stands where its `Acquire` will stand.
    pub fn step(&mut self, thread: u32, event: &Event) -> (Moment, Moment) {
        let at = thread as usize;
        if !std::mem::replace(&mut self.started[at], true)
            && let Some(fork) = self.forks.get(&self.numbers[at]).copied()
        {
            self.clocks.learn(at, fork);
        }
        let Some(op) = event.op() else {
            let now = self.clocks.now(at);
            return (now, now);
        };
        let requested = self.clocks.now(at);
        self.incoming(at, op, event);
        let before = if op == Op::Acquire { requested } else { self.clocks.now(at) };
        if op == Op::Request {
            return (before, before);
        }
        let after = self.clocks.tick(at);
        self.outgoing(op, event, after);
        (before, after)
    }

    fn incoming(&mut self, at: usize, op: Op, event: &Event) {
        let object = event.object;
        let source = |kind, seq| self.sources.get(&(kind, object, seq)).copied();
        let moment = match op {
            Op::Join => {
                for other in self.index.get(&object).into_iter().flatten() {
                    self.clocks.learn(at, self.clocks.now(*other));
                }
                None
            }
            Op::WaitEnd if event.seq != 0 => source(Source::Notify, event.seq),
            Op::Recv => source(Source::Message, event.seq),
            Op::TaskBegin => source(Source::Submit, 0),
            Op::TaskJoin => source(Source::TaskEnd, 0),
            Op::OnceSeen => source(Source::Once, 0),
            Op::Unparked => self.sources.get(&(Source::Unpark, self.numbers[at], 0)).copied(),
            Op::Read | Op::ReadWrite if self.passes_on(object) => self.writes.get(&object).copied(),
            Op::SlotAcquire => {
                let workers = self.recording.pools.get(&object).map_or(usize::MAX, |pool| pool.workers as usize);
                self.slots.entry(object).or_default().acquire(workers)
            }
            Op::Acquire if self.keeps_order(object) => {
                self.learn_releases(at, event);
                None
            }
            Op::Barrier => {
                self.learn_arrivals(at, event);
                None
            }
            _ => None,
        };
        if let Some(moment) = moment {
            self.clocks.learn(at, moment);
        }
    }

    fn outgoing(&mut self, op: Op, event: &Event, after: Moment) {
        let object = event.object;
        let keeps_order = self.keeps_order(object);
        let mut source = |kind, seq| {
            self.sources.insert((kind, object, seq), after);
        };
        match op {
            Op::Fork => {
                self.forks.insert(object, after);
            }
            Op::NotifyOne | Op::NotifyAll => source(Source::Notify, event.seq),
            Op::Send => source(Source::Message, event.seq),
            Op::Submit => source(Source::Submit, 0),
            Op::TaskEnd => source(Source::TaskEnd, 0),
            Op::OnceEnd => source(Source::Once, 0),
            Op::Unpark => source(Source::Unpark, 0),
            Op::Write | Op::ReadWrite => {
                self.writes.insert(object, after);
            }
            Op::SlotRelease => self.slots.entry(object).or_default().released.push_back(after),
            Op::BarrierRequest => self.arrivals.entry(object).or_default().push(after),
            Op::Release if keeps_order => {
                let releases = self.releases.entry(object).or_default();
                match event.mode() {
                    Some(Mode::Shared | Mode::SharedRecursive) => releases.shared.push(after),
                    _ => releases.exclusive = Some(after),
                }
            }
            _ => {}
        }
    }

    fn passes_on(&self, object: u32) -> bool {
        self.edges.cells || self.recording.objects.get(&object).is_some_and(|object| object.kind == ObjectKind::Atomic)
    }

    fn learn_releases(&mut self, at: usize, event: &Event) {
        let Some(releases) = self.releases.get_mut(&event.object) else { return };
        let shared = matches!(event.mode(), Some(Mode::Shared | Mode::SharedRecursive));
        let readers = if shared { Vec::new() } else { std::mem::take(&mut releases.shared) };
        for moment in releases.exclusive.into_iter().chain(readers) {
            self.clocks.learn(at, moment);
        }
    }

    fn learn_arrivals(&mut self, at: usize, event: &Event) {
        let arrivals = &mut self.arrivals;
        let group = self
            .generations
            .entry((event.object, event.seq))
            .or_insert_with(|| arrivals.remove(&event.object).unwrap_or_default());
        for moment in group.iter() {
            self.clocks.learn(at, *moment);
        }
    }
}

fn by_number(threads: &[u32]) -> FxHashMap<u32, Vec<usize>> {
    let mut index: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    threads.iter().enumerate().for_each(|(at, number)| index.entry(*number).or_default().push(at));
    index
}

impl Slots {
    fn acquire(&mut self, workers: usize) -> Option<Moment> {
        let needed = self.acquired.checked_sub(workers);
        self.acquired += 1;
        let needed = needed?;
        while self.dropped < needed {
            self.released.pop_front()?;
            self.dropped += 1;
        }
        self.released.front().copied()
    }
}

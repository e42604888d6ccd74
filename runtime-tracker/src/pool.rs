//! [`ThreadPool`]: the bounded pool of a dispatcher that runs handlers asynchronously.
//!
//! At most `workers` tasks run at a time. What a submission does when no slot is free is the pool's [`Policy`].
//!
//! Guarantees: a task's slot is given back when the task returns or panics (unless [`Builder::keep_slot_on_panic`] says
//! otherwise). The tree of submissions is recorded: each
//! task with the task that submitted it. A pool all of whose slots are held by tasks that wait for the pool is
//! detected when the last of them blocks.
//!
//! Misses: with [`Policy::CallerRuns`], a task that the submitter runs counts as the submitter's own work: no
//! slot, no segment of its own.

use std::any::Any;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::{Event, Mode, ObjectKind, Op, PoolPolicy, Record};
use crate::head::{Head, Kind};
use crate::park::{self, Priority};
use crate::site::Site;
use crate::wait::{self, Goal, TaskState, Wait};
use crate::{config, names, record, thread, threads};

/// What a submission does when no slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// The submitter waits for a slot.
    #[default]
    Block,
    /// The task waits in an unbounded queue.
    Queue,
    /// The submitter runs the task itself.
    CallerRuns,
}

/// A pool of threads with a fixed number of slots. Clones are handles to the same pool; the last one waits for
/// all tasks when it is dropped.
///
/// ```
/// use lockcheck_tracker::pool::ThreadPool;
///
/// let pool = ThreadPool::new(2);
/// let answer = pool.run_async(|| 6 * 7);
/// assert_eq!(answer.join().unwrap(), 42);
/// assert!(pool.run_async(|| panic!("in the task")).join().is_err());
/// ```
#[derive(Clone)]
pub struct ThreadPool {
    handle: Arc<Handle>,
}

/// What the pool's users share; dropped with the last of them.
struct Handle {
    pool: Arc<Pool>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

struct Pool {
    head: Head,
    number: u32,
    workers: usize,
    policy: Policy,
    keeps_slots: bool,
    state: Mutex<State>,
    /// Their addresses are where threads wait: for a slot, for work, for the end of all tasks.
    slot_bell: u8,
    work_bell: u8,
    idle_bell: u8,
}

struct State {
    free: usize,
    queue: VecDeque<Job>,
    unfinished: usize,
    /// Slots that tasks took with them when they panicked.
    lost: usize,
    closed: bool,
    /// A segment after all tasks that have ended.
    ended: u32,
    /// In trace mode: the tasks that have ended, which come before whoever waits for all of them.
    ended_tasks: Vec<u32>,
}

struct Job {
    /// Runs the task and tells whether it has kept its slot.
    run: Box<dyn FnOnce() -> bool + Send>,
    site: Site,
    /// Whether the submitter has taken the slot for it.
    has_slot: bool,
}

/// Settings of a [`ThreadPool`].
#[must_use = "build() makes the pool"]
#[derive(Clone, Debug)]
pub struct Builder {
    name: Cow<'static, str>,
    workers: usize,
    policy: Policy,
    keeps_slots: bool,
}

impl Builder {
    /// Names the pool (default: the place where it is built).
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Builder { name: name.into(), ..self }
    }

    /// Sets the number of slots (default 4, at least 1).
    pub fn workers(self, workers: usize) -> Self {
        Builder { workers, ..self }
    }

    /// Sets what happens when no slot is free (default [`Policy::Block`]).
    pub fn policy(self, policy: Policy) -> Self {
        Builder { policy, ..self }
    }

    /// Lets a task that panics keep its slot for ever (default: no), as in pools that give a slot back by a statement
    /// behind the task's call and not by a guard. Only with [`Policy::Block`], where the submitter takes the slot; the
    /// thread that ran the task ends with it. The leak is recorded.
    pub fn keep_slot_on_panic(self, keep: bool) -> Self {
        Builder { keeps_slots: keep, ..self }
    }

    /// Starts the pool's threads.
    ///
    /// # Panics
    /// Where the system cannot start a thread.
    #[track_caller]
    pub fn build(self) -> ThreadPool {
        let workers = self.workers.max(1);
        let shown = if self.name.is_empty() { Cow::Borrowed("pool") } else { self.name.clone() };
        let head = match self.name {
            Cow::Borrowed("") => Head::new(),
            Cow::Borrowed(name) => Head::named(name),
            // A class lives as long as the process, so its name does.
            Cow::Owned(name) => Head::named(name.leak()),
        };
        let mut number = 0;
        if config::ready() != config::OFF {
            let kind = Kind { object: ObjectKind::Pool, type_name: "lockcheck_tracker::pool::ThreadPool", data: || "" };
            number = head.lock(Mode::Exclusive, kind).lock();
            let policy = match self.policy {
                Policy::Block => PoolPolicy::Block,
                Policy::Queue => PoolPolicy::Queue,
                Policy::CallerRuns => PoolPolicy::CallerRuns,
            };
            names::pool(number, workers as u32, policy);
        }
        let state = State {
            free: workers,
            queue: VecDeque::new(),
            unfinished: 0,
            lost: 0,
            closed: false,
            ended: 0,
            ended_tasks: Vec::new(),
        };
        let pool = Arc::new(Pool {
            head,
            number,
            workers,
            policy: self.policy,
            keeps_slots: self.keeps_slots && self.policy == Policy::Block,
            state: Mutex::new(state),
            slot_bell: 0,
            work_bell: 0,
            idle_bell: 0,
        });
        let start = |index: usize| {
            let pool = pool.clone();
            let builder = thread::Builder::new().name(format!("{shown}-{index}"));
            builder.spawn(move || pool.work()).expect("failed to spawn thread")
        };
        let mut threads = Vec::new();
        for index in 0..workers {
            threads.push(start(index));
        }
        ThreadPool { handle: Arc::new(Handle { pool, threads: Mutex::new(threads) }) }
    }
}

impl ThreadPool {
    /// Settings for a pool.
    pub fn builder() -> Builder {
        Builder { name: Cow::Borrowed(""), workers: 4, policy: Policy::Block, keeps_slots: false }
    }

    /// A pool of `workers` slots whose submitters wait while none is free.
    ///
    /// # Panics
    /// Where the system cannot start a thread.
    #[track_caller]
    pub fn new(workers: usize) -> Self {
        ThreadPool::builder().workers(workers).build()
    }

    /// Number of slots.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.handle.pool.workers
    }

    /// What happens when no slot is free.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.handle.pool.policy
    }

    /// Runs `f` as a task of the pool.
    ///
    /// # Panics
    /// Where waiting for a slot closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn run_async<F, T>(&self, f: F) -> Promise<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.run_async_named("", f)
    }

    /// Runs `f` as a task with a name.
    ///
    /// # Panics
    /// As [`ThreadPool::run_async`].
    #[track_caller]
    pub fn run_async_named<F, T>(&self, name: &str, f: F) -> Promise<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let pool = &self.handle.pool;
        let site = Site::here();
        let tracked = pool.is_tracked();
        let id =
            if tracked { names::task(pool.number, threads::task(), threads::me().number(), site, name) } else { 0 };
        let state = TaskState {
            id,
            pool: pool.number,
            workers: pool.workers as u32,
            runner: AtomicU32::new(0),
            done: AtomicBool::new(false),
        };
        let packet = Arc::new(Packet { state, segment: AtomicU32::new(0), result: Mutex::new(None) });
        threads::emit_at(Event::new(Op::Submit, id, 0, 0), site);
        let has_slot = match pool.policy {
            Policy::Queue => false,
            Policy::Block => {
                pool.wait_for_slot(site);
                true
            }
            Policy::CallerRuns => pool.take_slot(site),
        };
        pool.lock().unfinished += 1;
        let before = if tracked { threads::segment() } else { 0 };
        let inline = pool.policy == Policy::CallerRuns && !has_slot;
        let task = Task { pool: pool.clone(), packet: packet.clone(), work: f, before, inline };
        if inline {
            let _ = task.run();
        } else {
            if tracked {
                threads::next_segment(&[]);
            }
            pool.lock().queue.push_back(Job { run: Box::new(move || task.run()), site, has_slot });
            park::wake_one((&raw const pool.work_bell).addr(), || 0);
        }
        Promise { packet, site }
    }

    /// Waits until every task that was submitted so far, or is submitted meanwhile, has ended.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn join(&self) {
        self.handle.pool.wait_until_idle(Site::here(), false);
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = &self.handle.pool;
        out.debug_struct("ThreadPool").field("workers", &pool.workers).field("policy", &pool.policy).finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        // A task that drops the last handle can wait neither for itself nor for its own thread.
        let me = std::thread::current().id();
        let inside = threads.iter().any(|thread| thread.thread().id() == me);
        if !inside {
            self.pool.wait_until_idle(Site::NONE, true);
        }
        self.pool.lock().closed = true;
        park::wake_all((&raw const self.pool.work_bell).addr(), || 0);
        if !inside {
            // A worker catches what its tasks panic with, so there is no error to pass on.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_tracked(&self) -> bool {
        self.number != 0 && threads::is_tracked()
    }

    fn take_slot(&self, site: Site) -> bool {
        let mut state = self.lock();
        if state.free == 0 {
            return false;
        }
        state.free -= 1;
        threads::emit_at(Event::new(Op::SlotAcquire, self.number, 0, self.head.next_exclusive()), site);
        true
    }

    #[track_caller]
    fn wait_for_slot(&self, site: Site) {
        threads::emit_at(Event::new(Op::SlotRequest, self.number, 0, 0), site);
        let mut front = false;
        while !self.take_slot(site) {
            let lost = self.lock().lost;
            let goal = Goal::Slot { pool: self.number, workers: (self.workers - lost) as u32 };
            let wait = Wait { goal, site, address: (&raw const self.slot_bell).addr() };
            let nothing = || {
                let state = self.lock();
                state.free == 0 && state.lost == lost
            };
            wait::sleep(wait, Priority::of(front), None, nothing, || {});
            front = true;
        }
    }

    #[track_caller]
    fn wait_until_idle(&self, site: Site, in_drop: bool) {
        let goal = Goal::Idle { pool: self.number, in_drop };
        let wait = Wait { goal, site, address: (&raw const self.idle_bell).addr() };
        while self.lock().unfinished != 0 {
            wait::sleep(wait, Priority::Back, None, || self.lock().unfinished != 0, || {});
        }
        if config::traces() && self.is_tracked() {
            let tasks = self.lock().ended_tasks.clone();
            tasks.into_iter().for_each(|id| threads::emit_at(Event::new(Op::TaskJoin, id, 0, 0), site));
        }
        let ended = self.lock().ended;
        if ended != 0 && self.is_tracked() {
            threads::next_segment(&[ended]);
        }
    }

    /// What each thread of the pool does.
    fn work(&self) {
        let wait = Wait {
            goal: Goal::Work { pool: self.number },
            site: Site::NONE,
            address: (&raw const self.work_bell).addr(),
        };
        loop {
            let mut state = self.lock();
            if let Some(job) = state.queue.pop_front() {
                if !job.has_slot {
                    state.free -= 1;
                    threads::emit_at(Event::new(Op::SlotAcquire, self.number, 0, self.head.next_exclusive()), job.site);
                }
                drop(state);
                let before = threads::set_slot(self.number);
                let leaked = (job.run)();
                threads::set_slot(before);
                if leaked {
                    return self.lose_slot();
                }
                self.give_slot_back();
            } else if state.closed {
                return;
            } else {
                drop(state);
                let nothing = || {
                    let state = self.lock();
                    state.queue.is_empty() && !state.closed
                };
                wait::sleep(wait, Priority::Back, None, nothing, || {});
            }
        }
    }

    fn give_slot_back(&self) {
        let mut state = self.lock();
        state.free += 1;
        threads::emit_at(Event::new(Op::SlotRelease, self.number, 0, self.head.next_exclusive()), Site::NONE);
        drop(state);
        park::wake_one((&raw const self.slot_bell).addr(), || 0);
        self.one_less();
    }

    /// The slot of a task that has panicked is gone; who waits for one has to know how many are left.
    fn lose_slot(&self) {
        self.lock().lost += 1;
        park::wake_all((&raw const self.slot_bell).addr(), || 0);
        self.one_less();
    }

    fn one_less(&self) {
        let mut state = self.lock();
        state.unfinished -= 1;
        let idle = state.unfinished == 0;
        drop(state);
        if idle {
            park::wake_all((&raw const self.idle_bell).addr(), || 0);
        }
    }
}

/// A task's result, on its way from the task to whoever waits for it.
struct Packet<T> {
    state: TaskState,
    /// The task's last segment.
    segment: AtomicU32,
    result: Mutex<Option<std::thread::Result<T>>>,
}

struct Task<F, T> {
    pool: Arc<Pool>,
    packet: Arc<Packet<T>>,
    work: F,
    /// The submitter's segment at the submission.
    before: u32,
    inline: bool,
}

impl<F: FnOnce() -> T, T> Task<F, T> {
    /// Tells whether the task has kept its slot.
    fn run(self) -> bool {
        let Task { pool, packet, work, before, inline } = self;
        let tracked = pool.is_tracked();
        let thread = if tracked { threads::me().number() } else { u32::MAX };
        let outer = threads::set_task(packet.state.id);
        if tracked && !inline {
            // Two tasks of one thread are not ordered by that, unless the pool has no other thread.
            let after = [before, threads::segment()];
            let after = if pool.workers == 1 { &after[..] } else { &after[..1] };
            threads::set_segment(names::segment(thread, after));
        }
        packet.state.runner.store(thread, Release);
        threads::emit(Event::new(Op::TaskBegin, packet.state.id, 0, 0));
        let result: Result<T, Box<dyn Any + Send>> = catch_unwind(AssertUnwindSafe(work));
        threads::clear_breaking();
        threads::emit(Event::new(Op::TaskEnd, packet.state.id, 0, 0));
        if tracked {
            let own = threads::segment();
            packet.segment.store(own, Relaxed);
            let mut state = pool.lock();
            if config::traces() {
                state.ended_tasks.push(packet.state.id);
            }
            let all = if state.ended == 0 { [own, own] } else { [own, state.ended] };
            state.ended = names::segment(thread, if all[0] == all[1] { &all[..1] } else { &all });
        }
        threads::set_task(outer);
        let leaked = pool.keeps_slots && result.is_err();
        if leaked && tracked {
            record::record(&Record::Leaked { pool: pool.number, task: packet.state.id });
        }
        *packet.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        packet.state.done.store(true, Release);
        park::wake_all(Arc::as_ptr(&packet).addr(), || 0);
        if inline {
            pool.one_less();
        }
        leaked
    }
}

/// The result of a task that may still run.
#[must_use = "a promise that is not joined says nothing about its task"]
pub struct Promise<T> {
    packet: Arc<Packet<T>>,
    site: Site,
}

impl<T> Promise<T> {
    /// Waits for the task's result.
    ///
    /// # Errors
    /// The payload of the panic, where the task panicked.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        let state = &self.packet.state;
        let site = Site::here();
        threads::emit_at(Event::new(Op::TaskJoinRequest, state.id, 0, 0), site);
        let wait = Wait { goal: Goal::Task(state), site, address: Arc::as_ptr(&self.packet).addr() };
        while !state.done.load(Acquire) {
            wait::sleep(wait, Priority::Back, None, || !state.done.load(Acquire), || {});
        }
        threads::emit_at(Event::new(Op::TaskJoin, state.id, 0, 0), site);
        let segment = self.packet.segment.load(Relaxed);
        if segment != 0 && threads::is_tracked() {
            threads::next_segment(&[segment]);
        }
        let result = self.packet.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(Box::new("the task left no result")))
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.packet.state.done.load(Acquire)
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.site.location().map(ToString::to_string).unwrap_or_default();
        out.debug_struct("Promise").field("submitted", &site).field("finished", &self.is_finished()).finish()
    }
}

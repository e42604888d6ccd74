//! Who waits for what, and the deadlocks in it, at the moment the last thread blocks.
//!
//! A thread that has waited for a millisecond enters what it waits for and what it holds into one table, under one
//! lock, while it stands in the queue that it sleeps in. Then it reduces the table (counted AND/OR waits; Holt 1972): a
//! thread can go on if enough of those that obstruct it can; whoever is left can never go on. Because the entry is
//! made in the queue, the last of the threads that block each other always finds the others in the table.
//!
//! Waiting is the tracker's own ([`crate::park`]), so a waiting thread can be called off: it unwinds, its guards give
//! their locks back, and everybody else goes on. No thread that cannot unwind (it panics already, or it waits in a
//! destructor or at the end of a scope) is chosen for that.
//!
//! Guarantees: no false report among tracked threads: a member of a reported deadlock stands in a queue, and all that
//! could take it out of there are members too; the reduction runs a second time after a short pause before anything is said. Threads that
//! are not tracked and waits with a time limit count as able to go on. A condvar wait is reported only where every
//! thread of the process is tracked and blocked.
//!
//! Misses: locks whose holder has ended or forgot the guard; whatever untracked threads block.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{BlockedThread, DeadlockAction, Held, Mode, Record, WaitKind};
use crate::finding::{Evidence, Finding, Step, show};
use crate::held::{self, Entry, LockMode};
use crate::park::{self, Wake};
use crate::raw::List;
use crate::site::Site;
use crate::threads::{self, ThreadRecord};
use crate::{config, finding, names, record};

/// After this time a wait is entered into the table.
const PATIENCE: Duration = Duration::from_millis(1);
/// Between the first and the second look at a deadlock.
const CONFIRM: Duration = Duration::from_millis(2);
/// First pause before a wait is looked at again, doubled each time up to the last: for what no wait brings about, as
/// the end of a thread, or what another deadlock that was broken has left.
const AGAIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// The state of a pool task, as those that wait for it see it.
#[derive(Debug)]
pub(crate) struct TaskState {
    /// Its number.
    pub(crate) id: u32,
    /// Its pool.
    pub(crate) pool: u32,
    /// Number of slots of the pool.
    pub(crate) workers: u32,
    /// The thread that runs it, 0 before.
    pub(crate) runner: AtomicU32,
    /// Whether the result is there.
    pub(crate) done: AtomicBool,
}

/// What would end a wait.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// The lock, in this mode.
    Lock(LockMode),
    /// The end of a thread; `scope`: at the end of a scope, from where no unwinding helps.
    Thread { number: u32, scope: bool },
    /// A free slot.
    Slot { pool: u32, workers: u32 },
    /// A task's result.
    Task(*const TaskState),
    /// The end of all tasks of a pool.
    Idle { pool: u32, in_drop: bool },
    /// A notification.
    Condvar(u32),
    /// Work for a pool's thread: an idle thread, which is blocked but not stuck.
    Work { pool: u32 },
}

/// A wait: what for, where, and at which address the thread sleeps.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) goal: Goal,
    pub(crate) site: Site,
    pub(crate) address: usize,
}

#[derive(Clone, Copy)]
struct Waiting {
    wait: Wait,
    thread: &'static ThreadRecord,
    number: u32,
    task: u32,
    slot: u32,
    /// The thread's held stack, which does not change while the entry stands.
    held: *const Entry,
    held_len: usize,
    /// Number of this entry, to know it again.
    epoch: u64,
    can_unwind: bool,
    /// The reported deadlock that it is a member of, 0 for none.
    reported: u64,
}
// SAFETY: the pointers are read only under the table's lock while the thread that they belong to waits.
unsafe impl Send for Waiting {}

impl Waiting {
    fn held(&self) -> &[Entry] {
        // SAFETY: the owner changes its stack only after it has taken the entry out, under the table's lock.
        unsafe { std::slice::from_raw_parts(self.held, self.held_len) }
    }

    fn obstructs(&self, other: &Waiting) -> bool {
        match other.wait.goal {
            Goal::Lock(wanted) => {
                let holds =
                    |entry: &Entry| entry.lock.lock() == wanted.lock() && entry.lock.mode().conflicts(wanted.mode());
                // A reader also waits behind writers in the queue.
                let queued_writer =
                    |goal| matches!(goal, Goal::Lock(lock) if lock == LockMode::new(wanted.lock(), Mode::Exclusive));
                self.held().iter().any(holds) || (wanted.mode() == Mode::Shared && queued_writer(self.wait.goal))
            }
            Goal::Thread { number, .. } => self.number == number,
            Goal::Slot { pool, .. } => self.slot == pool,
            Goal::Task(task) => {
                // SAFETY: the waiting thread keeps its task's state alive.
                let task = unsafe { &*task };
                match task.runner.load(Acquire) {
                    0 => self.slot == task.pool,
                    runner => !task.done.load(Acquire) && self.number == runner,
                }
            }
            Goal::Idle { pool, .. } => self.slot == pool,
            Goal::Condvar(_) => !matches!(self.wait.goal, Goal::Work { .. }),
            Goal::Work { .. } => false,
        }
    }

    /// How many of `obstructing` entries must be able to go on before this one can.
    fn needs(&self, obstructing: usize, all_blocked: bool) -> usize {
        let beyond = |free: u32| (obstructing + 1).saturating_sub(free as usize);
        match self.wait.goal {
            Goal::Lock(_) | Goal::Thread { .. } | Goal::Idle { .. } => obstructing,
            Goal::Slot { workers, .. } => beyond(workers),
            Goal::Task(task) => {
                // SAFETY: as in `obstructs`.
                let task = unsafe { &*task };
                if task.done.load(Acquire) {
                    0
                } else if task.runner.load(Acquire) == 0 {
                    beyond(task.workers)
                } else {
                    obstructing
                }
            }
            Goal::Condvar(_) => usize::from(all_blocked),
            Goal::Work { .. } => usize::MAX,
        }
    }

    fn kind(&self) -> (WaitKind, u32, Mode) {
        match self.wait.goal {
            Goal::Lock(lock) => (WaitKind::Lock, lock.lock(), lock.mode()),
            Goal::Thread { number, .. } => (WaitKind::Join, number, Mode::Exclusive),
            Goal::Slot { pool, .. } | Goal::Idle { pool, .. } => (WaitKind::Slot, pool, Mode::Exclusive),
            // SAFETY: as in `obstructs`.
            Goal::Task(task) => (WaitKind::Task, unsafe { &*task }.id, Mode::Exclusive),
            Goal::Condvar(condvar) => (WaitKind::Condvar, condvar, Mode::Exclusive),
            Goal::Work { pool } => (WaitKind::Unknown, pool, Mode::Exclusive),
        }
    }
}

/// A member of a deadlock, copied out of the table.
#[derive(Clone, Copy)]
struct Member {
    number: u32,
    task: u32,
    slot: u32,
    kind: WaitKind,
    object: u32,
    mode: Mode,
    all_tasks: bool,
    site: Site,
    /// Where its held locks stand in the list of all.
    start: usize,
    len: usize,
}

impl Member {
    fn new(waiting: &Waiting, held: &mut List<Entry>) -> Self {
        let (kind, object, mode) = waiting.kind();
        let start = held.len();
        held.extend(waiting.held());
        let Waiting { number, task, slot, wait, held_len: len, .. } = *waiting;
        let all_tasks = matches!(wait.goal, Goal::Idle { .. });
        Member { number, task, slot, kind, object, mode, all_tasks, site: wait.site, start, len }
    }

    fn wants(&self) -> String {
        let object = self.object;
        match self.kind {
            WaitKind::Join => format!("the end of {}", names::describe_thread(object)),
            WaitKind::Slot if self.all_tasks => format!("the end of all tasks of pool {}", names::describe(object)),
            WaitKind::Slot => format!("a free slot of pool {}", names::describe(object)),
            WaitKind::Task => format!("the result of task {object}"),
            WaitKind::Condvar => format!("a notification of {}", names::describe(object)),
            _ if self.mode == Mode::Shared => format!("{} (read)", names::describe(object)),
            _ => names::describe(object),
        }
    }
}

struct Table {
    waiting: List<Waiting>,
    last_epoch: u64,
    last_report: u64,
}

static TABLE: Mutex<Table> = Mutex::new(Table { waiting: List::new(), last_epoch: 0, last_report: 0 });
/// Why a thread that was called off has to unwind, by thread number.
static VERDICTS: Mutex<List<(u32, Verdict)>> = Mutex::new(List::new());

/// A boxed message, made and unmade outside of the lock.
#[derive(Clone, Copy)]
struct Verdict(*mut String);
// SAFETY: whoever takes it out of the list owns it.
unsafe impl Send for Verdict {}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps at `wait.address` as [`park::park`] does, watching for deadlocks. Does not come back where the tracker breaks
/// a deadlock by this thread: it unwinds from the caller's place. `queued` runs once the thread stands in the queue.
#[track_caller]
pub(crate) fn sleep(
    wait: Wait,
    front: bool,
    until: Option<Instant>,
    check: impl FnOnce() -> bool,
    mut queued: impl FnMut(),
) -> Wake {
    let mode = match wait.goal {
        Goal::Lock(lock) => lock.mode(),
        _ => Mode::Exclusive,
    };
    let watched = threads::is_tracked();
    let mut entered = false;
    let mut pause = AGAIN[0];
    let wake = park::park(wait.address, mode, front, until, check, |tick| {
        if tick == 0 {
            queued();
        }
        if !watched {
            return None;
        }
        if tick == 0 {
            let idle = matches!(wait.goal, Goal::Work { .. });
            return (until.is_none() || idle).then(|| Instant::now() + PATIENCE);
        }
        threads::busy(|| {
            if !std::mem::replace(&mut entered, true) {
                threads::flush();
                enter(wait);
            }
            if matches!(wait.goal, Goal::Work { .. }) {
                return None;
            }
            detect();
            let next = Instant::now() + pause;
            pause = (pause * 2).min(AGAIN[1]);
            Some(next)
        })
    });
    if entered {
        leave(wake == Wake::Cancelled);
    }
    if wake == Wake::Cancelled {
        unwind();
    }
    wake
}

fn enter(wait: Wait) {
    let thread = threads::me();
    let fixed = match wait.goal {
        Goal::Thread { scope, .. } => scope,
        Goal::Idle { in_drop, .. } => in_drop,
        Goal::Work { .. } => true,
        _ => false,
    };
    let held = held::current().entries();
    let mut table = table();
    table.last_epoch += 1;
    let waiting = Waiting {
        wait,
        thread,
        number: thread.number(),
        task: threads::task(),
        slot: threads::slot(),
        held: held.as_ptr(),
        held_len: held.len(),
        epoch: table.last_epoch,
        can_unwind: !fixed && !std::thread::panicking(),
        reported: 0,
    };
    table.waiting.push(waiting);
}

/// Takes the calling thread out; `broken`: it unwinds, so the others of its deadlock may be free now.
fn leave(broken: bool) {
    let thread = threads::me();
    let mut table = table();
    if let Some(at) = table.waiting.iter().position(|waiting| std::ptr::eq(waiting.thread, thread)) {
        let report = table.waiting.swap_remove(at).reported;
        if broken && report != 0 {
            for other in table.waiting.iter_mut().filter(|other| other.reported == report) {
                other.reported = 0;
            }
        }
    }
}

impl Table {
    /// The entries that can never go on. O(n² · held locks) for n blocked threads, and O(n · held locks) where the
    /// calling thread's own wait is not obstructed.
    fn stuck(&self, asking: &'static ThreadRecord) -> List<Waiting> {
        let blocked = |waiting: &&Waiting| waiting.reported == 0 && waiting.thread.parked.load(Relaxed);
        let mut all = List::new();
        self.waiting.iter().filter(blocked).for_each(|waiting| all.push(*waiting));
        let mut none = List::new();
        let Some(own) = all.iter().position(|waiting| std::ptr::eq(waiting.thread, asking)) else { return none };
        let condvars = all.iter().any(|waiting| matches!(waiting.wait.goal, Goal::Condvar(_)));
        let all_blocked = condvars && all_threads().is_some_and(|count| count == all.len());
        // A thread's own locks do not hold it back here (`double_lock` sees to that); its own slot, task or end does.
        let alone = |at: usize| matches!(all[at].wait.goal, Goal::Lock(_) | Goal::Condvar(_));
        let obstructing = |at: usize| (0..all.len()).filter(move |by| *by != at || !alone(at));
        let count = |at: usize| obstructing(at).filter(|by| all[*by].obstructs(&all[at])).count();
        if all[own].needs(count(own), all_blocked) == 0 {
            return none;
        }
        let mut needs = List::new();
        let mut open = List::new();
        for at in 0..all.len() {
            needs.push(all[at].needs(count(at), all_blocked));
            if needs[at] == 0 {
                open.push(at);
            }
        }
        while let Some(free) = open.pop() {
            for at in 0..all.len() {
                if at != free && needs[at] != 0 && needs[at] != usize::MAX && all[free].obstructs(&all[at]) {
                    needs[at] -= 1;
                    if needs[at] == 0 {
                        open.push(at);
                    }
                }
            }
        }
        let idle = |waiting: &Waiting| matches!(waiting.wait.goal, Goal::Work { .. });
        let left = (0..all.len()).filter(|at| needs[*at] != 0 && !idle(&all[*at]));
        left.for_each(|at| none.push(all[at]));
        none
    }
}

/// Sorts the members that block each other around `own` to the front and gives their number: those that `own` obstructs,
/// directly or through others, and that obstruct `own`. 0 where `own` only waits behind others. O(n²).
fn core(members: &mut [Waiting], own: &'static ThreadRecord) -> usize {
    let is_own = |member: &Waiting| std::ptr::eq(member.thread, own);
    let Some(own) = members.iter().position(is_own) else { return 0 };
    let reach = |forward: bool| {
        let (mut reached, mut open) = (List::new(), List::new());
        reached.resize(members.len(), false);
        open.push(own);
        while let Some(at) = open.pop() {
            for other in 0..members.len() {
                let (a, b) = if forward { (at, other) } else { (other, at) };
                let own_lock = a == b && matches!(members[a].wait.goal, Goal::Lock(_) | Goal::Condvar(_));
                if !reached[other] && !own_lock && members[a].obstructs(&members[b]) {
                    reached[other] = true;
                    open.push(other);
                }
            }
        }
        reached
    };
    let (ahead, behind) = (reach(true), reach(false));
    let mut count = 0;
    for at in 0..members.len() {
        if ahead[at] && behind[at] {
            members.swap(count, at);
            count += 1;
        }
    }
    count
}

/// How many threads the process has; `None` where the system does not tell.
fn all_threads() -> Option<usize> {
    use std::io::Read;
    let mut text = [0; 1024];
    let len = std::fs::File::open("/proc/self/stat").ok()?.read(&mut text).ok()?;
    // The second field is the program's name in parentheses and may contain anything; the count is field 20.
    let rest = text[..len].rsplit(|byte| *byte == b')').next()?;
    std::str::from_utf8(rest).ok()?.split_ascii_whitespace().nth(17)?.parse().ok()
}

/// Looks for a deadlock that the calling thread, which stands in the table, has closed.
fn detect() {
    let me = threads::me();
    if table().stuck(me).is_empty() {
        return;
    }
    std::thread::sleep(CONFIRM);
    let mut table = table();
    let mut members = table.stuck(me);
    // Who only waits behind others leaves the report to them.
    let core = core(&mut members, me);
    if core == 0 {
        return;
    }
    table.last_report += 1;
    let number = table.last_report;
    for member in table.waiting.iter_mut() {
        if members.iter().any(|other| other.epoch == member.epoch) {
            member.reported = number;
        }
    }
    let able = |member: &&Waiting| member.can_unwind;
    let own = members.iter().filter(able).find(|member| std::ptr::eq(member.thread, me));
    let victim = own.or_else(|| members[..core].iter().find(able)).copied();
    let action = match config::on_deadlock() {
        DeadlockAction::Panic if victim.is_none() => DeadlockAction::Report,
        action => action,
    };
    // Copied under the lock and put into words after it: words need the allocator, and a thread inside the allocator
    // may need the table.
    let closer = me.number();
    let mut held = List::new();
    let mut copies = List::new();
    members.iter().for_each(|member| copies.push(Member::new(member, &mut held)));
    drop(table);
    let finding = report(closer, &copies, core, &held, action);
    finding::tell(&finding);
    match (action, victim) {
        (DeadlockAction::Abort, _) => abort(&finding.message),
        (DeadlockAction::Panic, Some(victim)) => {
            let verdict = Verdict(Box::into_raw(Box::new(finding.message)));
            VERDICTS.lock().unwrap_or_else(PoisonError::into_inner).push((victim.number, verdict));
            if !park::cancel(victim.wait.address, victim.thread) {
                drop(take_verdict(victim.number));
            }
        }
        _ => {}
    }
}

/// Writes the deadlock down and puts it into words.
fn report(closer: u32, members: &[Member], core: usize, held: &[Entry], action: DeadlockAction) -> Finding {
    let held_by = |member: &Member| &held[member.start..member.start + member.len];
    let recorded: Vec<BlockedThread<'_>> = members
        .iter()
        .map(|member| {
            let Member { number: thread, task, kind, object, mode, .. } = *member;
            let held: Vec<Held> = held_by(member).iter().map(describe_entry).collect();
            BlockedThread { thread, task, kind, object, mode, site: names::site(member.site), held: held.into() }
        })
        .collect();
    record::record(&Record::Deadlock { closer, members: recorded.into(), action });
    let mut message = String::from("deadlock: these threads wait for each other and none can go on");
    let mut steps = Vec::new();
    for (at, member) in members.iter().enumerate() {
        if at == core {
            message += "\nbehind them:";
        }
        let (wants, site, thread) = (member.wants(), member.site.location(), member.number);
        message += &format!("\n  {} waits for {wants} at {}", names::describe_thread(thread), show(site));
        if member.slot != 0 {
            message += &format!(", in a slot of pool {}", names::describe(member.slot));
        }
        for entry in held_by(member) {
            let (lock, site) = (names::describe(entry.lock.lock()), entry.site.location());
            message += &format!(", holds {lock} since {}", show(site));
            steps.push(Step { thread, action: format!("holds {lock}"), site });
        }
        steps.push(Step { thread, action: format!("waits for {wants}"), site });
    }
    let only_pool = members[..core].iter().all(|member| matches!(member.kind, WaitKind::Slot | WaitKind::Task));
    let rule = if only_pool { "pool_starvation" } else { "deadlock" };
    Finding { rule, evidence: Evidence::Observed, message, steps }
}

pub(crate) fn describe_entry(entry: &Entry) -> Held {
    Held { object: entry.lock.lock(), mode: entry.lock.mode(), site: names::site(entry.site) }
}

/// The calling thread is about to take a lock that it holds already, in modes that exclude each other: says so, and
/// breaks it by policy. Comes back only where the thread is to wait for ever.
#[cold]
#[track_caller]
pub(crate) fn double_lock(first: Entry, second: LockMode, site: Site) {
    let action = config::on_deadlock();
    let finding = threads::busy(|| {
        let thread = threads::me().number();
        let wanted = Held { object: second.lock(), mode: second.mode(), site: names::site(site) };
        record::record(&Record::DoubleLock { thread, first: describe_entry(&first), second: wanted });
        threads::flush();
        let lock = names::describe(second.lock());
        let message = format!(
            "double lock: {} takes {lock} at {}, which it holds since {}",
            names::describe_thread(thread),
            show(site.location()),
            show(first.site.location())
        );
        let step =
            |action: &str, site: Site| Step { thread, action: format!("{action} {lock}"), site: site.location() };
        let steps = vec![step("holds", first.site), step("waits for", site)];
        Finding { rule: "double_lock", evidence: Evidence::Observed, message, steps }
    });
    finding::tell(&finding);
    match action {
        DeadlockAction::Abort => abort(&finding.message),
        DeadlockAction::Panic if !std::thread::panicking() => break_by(finding.message),
        _ => {}
    }
}

/// Ends the process, the message going through the program's panic hook first.
#[track_caller]
fn abort(message: &str) -> ! {
    threads::flush();
    threads::set_breaking();
    let location = Location::caller();
    let _ = std::panic::catch_unwind(|| panic!("{message} (aborting, waited at {location})"));
    std::process::abort()
}

fn take_verdict(number: u32) -> Option<String> {
    let Verdict(message) = {
        let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        let at = verdicts.iter().position(|(thread, _)| *thread == number)?;
        verdicts.swap_remove(at).1
    };
    // SAFETY: made by `Box::into_raw`, and out of the list now, so nobody else has it.
    Some(*unsafe { Box::from_raw(message) })
}

#[cold]
#[track_caller]
fn unwind() -> ! {
    let message = take_verdict(threads::known_number());
    break_by(message.unwrap_or_else(|| String::from("deadlock")))
}

#[track_caller]
fn break_by(message: String) -> ! {
    threads::set_breaking();
    panic!("{message}")
}

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
//! are not tracked and waits with a time limit count as able to go on. Who could notify, send, receive, arrive or unpark
//! is not known (a sender moves to another thread without a trace), so such a wait is reported only where every thread
//! of the process is tracked and blocked, or where the others are quiet (`quiet.rs`).
//!
//! Misses: locks whose holder has ended or forgot the guard; whatever untracked threads block.

mod caller;
mod long;
pub(crate) mod overtaken;
pub(crate) mod quiet;
mod reduce;
pub(crate) mod report;
mod table;

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{DeadlockAction, Held, Mode, Record, WaitKind};
use crate::finding::{Evidence, Finding, Step, show};
use crate::held::{self, Entry, LockMode};
use crate::park::{self, Priority, Wake};
use crate::raw::List;
use crate::site::Site;
use crate::threads;
use crate::wait::table::Table;
use crate::{config, finding, names, record};

/// After this time a wait is entered into the table.
const PATIENCE: Duration = Duration::from_millis(1);
/// Between the first and the second look at a deadlock.
const CONFIRM: Duration = Duration::from_millis(2);
/// First pause before a wait is looked at again, doubled each time up to the last: for what no wait brings about, as
/// the end of a thread, or what another deadlock that was broken has left.
const AGAIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// The last pause of a wait that any other thread could end, which the end of a thread may make hopeless: longer where
/// this many more threads wait, so that looking takes no more time the more there are.
const ANYONE: (Duration, u32) = (Duration::from_millis(50), 32);

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
    /// What some other thread has to do: notify, send, receive, arrive, unpark.
    Anyone { kind: WaitKind, object: u32 },
    /// The end of an initialisation; `runner` has the number of the thread that runs it, 0 for none.
    Once { cell: u32, runner: *const AtomicU32 },
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

/// How many members of a deadlock are tried as part of its core by one that only waits behind it.
const BEHIND: usize = 16;

static TABLE: Mutex<Table> = Mutex::new(Table::new());
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
    priority: Priority,
    until: Option<Instant>,
    check: impl FnOnce() -> bool,
    mut queued: impl FnMut(),
) -> Wake {
    let mode = match wait.goal {
        Goal::Lock(lock) => lock.mode(),
        _ => Mode::Exclusive,
    };
    threads::is_breaking();
    let watched = threads::is_tracked();
    let mut entered = None;
    let mut long = false;
    let mut pause = AGAIN[0];
    let wake = park::park(wait.address, mode, priority, until, check, |tick| {
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
            let (place, since) = *entered.get_or_insert_with(|| {
                threads::flush();
                (enter(wait), Instant::now())
            });
            if matches!(wait.goal, Goal::Work { .. }) {
                return None;
            }
            if !long && since.elapsed() >= long::LONG {
                long = true;
                long::note(place, wait, false);
            }
            let waiting = detect(place);
            let next = Instant::now() + pause;
            let longest = match wait.goal {
                Goal::Anyone { .. } => (ANYONE.0 * (1 + waiting as u32 / ANYONE.1)).min(AGAIN[1] * 8),
                _ => AGAIN[1],
            };
            pause = (pause * 2).min(longest);
            Some(next)
        })
    });
    if let Some((place, _)) = entered {
        if long {
            threads::busy(|| long::note(place, wait, true));
        }
        leave(place, wake == Wake::Cancelled);
    }
    if wake == Wake::Cancelled {
        unwind();
    }
    wake
}

/// Enters the calling thread's wait into the table; gives its place there.
fn enter(wait: Wait) -> usize {
    let thread = threads::me();
    let fixed = match wait.goal {
        Goal::Thread { scope, .. } => scope,
        Goal::Idle { in_drop, .. } => in_drop,
        Goal::Work { .. } => true,
        _ => false,
    };
    let held = held::current().entries();
    let waiting = reduce::Waiting {
        wait,
        thread,
        number: thread.number(),
        task: threads::task(),
        slot: threads::slot(),
        held: held.as_ptr(),
        held_len: held.len(),
        can_unwind: !fixed && !threads::is_fixed() && !std::thread::panicking(),
        reported: 0,
    };
    table().enter(waiting)
}

/// Takes the calling thread out; `broken`: it unwinds, so the others of its deadlock may be free now.
fn leave(place: usize, broken: bool) {
    let mut table = table();
    let report = table.leave(place).map_or(0, |waiting| waiting.reported);
    if broken && report != 0 {
        for other in table.all().filter(|other| other.reported == report) {
            other.reported = 0;
        }
    }
}

/// Looks for a deadlock that the calling thread, which stands at this place of the table, has closed or waits behind.
/// Gives the number of threads in the table.
fn detect(own: usize) -> usize {
    let me = threads::me();
    {
        let table = table();
        if reduce::stuck(&table, own).is_empty() {
            return table.len();
        }
    }
    std::thread::sleep(CONFIRM);
    let mut table = table();
    let count = table.len();
    let mut places = reduce::stuck(&table, own);
    let mut core = reduce::core(&table, &mut places, own);
    for at in 0..places.len().min(BEHIND) {
        if core == 0 {
            let other = places[at];
            core = reduce::core(&table, &mut places, other);
        }
    }
    if core == 0 {
        return count;
    }
    let rests = quiet::rests();
    table.last_report += 1;
    let number = table.last_report;
    let mut members = List::new();
    for place in places.iter() {
        if let Some(member) = table.get_mut(*place) {
            members.push(*member);
            member.reported = number;
        }
    }
    let able = |member: &&reduce::Waiting| member.can_unwind;
    let core_members = &members[..core];
    let own = core_members.iter().filter(able).find(|member| std::ptr::eq(member.thread, me));
    let victim = own.or_else(|| core_members.iter().find(able)).copied();
    let action = match config::on_deadlock() {
        DeadlockAction::Panic if victim.is_none() => DeadlockAction::Report,
        // A thread that could still help must not find that its others were broken up.
        DeadlockAction::Panic | DeadlockAction::Abort if rests.count() > 0 && !rests.is_main_only() => {
            DeadlockAction::Report
        }
        action => action,
    };
    // Copied under the lock and put into words after it: words need the allocator, and a thread inside the allocator
    // may need the table.
    let closer = me.number();
    let mut held = List::new();
    let mut copies = List::new();
    members.iter().for_each(|member| copies.push(report::Member::new(member, &mut held)));
    drop(table);
    if let Some(own) = copies.iter().find(|member| member.is_of(closer)) {
        caller::record(closer, own.site());
    }
    let finding = report::report(closer, &copies, core, &held, action, rests);
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
    count
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
        caller::record(thread, site);
        record::record(&Record::DoubleLock { thread, first: first.record(), second: wanted });
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
pub(crate) fn abort(message: &str) -> ! {
    threads::set_breaking();
    let location = Location::caller();
    let _ = std::panic::catch_unwind(|| panic!("{message} (aborting, waited at {location})"));
    record::flush_all();
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
pub(crate) fn break_by(message: String) -> ! {
    threads::set_breaking();
    panic!("{message}")
}

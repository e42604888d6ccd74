//! Which task holds what and waits for what, and the deadlocks in it.
//!
//! Everything stands in one table under one lock. What a task holds is entered after it was taken and removed before it is
//! given back, so the table never shows a holder that is none; a lock that was passed on to a task that has not noticed yet
//! has no holder, so that task counts as able to go on.
//!
//! Guarantees: no false report among tracked tasks (see [`super`]).
//!
//! Misses: readers that queue behind a writer: only holders obstruct.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::event::{DeadlockAction, Mode, WaitKind};
use crate::finding;
use crate::held::{Entry, LockMode};
use crate::raw::List;
use crate::site::Site;
use crate::wait::quiet::Rests;
use crate::wait::report::{self, Member};
use crate::{config, order, threads};

/// What would end a task's wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The lock, in this mode.
    Lock(LockMode),
    /// So many permits of a semaphore.
    Permits { semaphore: u32, count: u32 },
    /// The end of a task.
    End(u32),
}

struct Holding {
    lock: LockMode,
    site: Site,
    /// How many permits, 0 for a lock.
    permits: u32,
    number: u64,
}

struct Waiting {
    goal: Goal,
    site: Site,
    number: u64,
}

#[derive(Default)]
struct Task {
    holds: Vec<Holding>,
    waits: Vec<Waiting>,
    /// Whether it waits for the one entry of `waits` and for nothing else.
    only_waits: bool,
    waker: Option<Waker>,
    verdict: Option<String>,
    reported: bool,
}

#[derive(Default)]
struct Table {
    tasks: BTreeMap<u32, Task>,
    /// By lock or semaphore: how often it is held by nobody known.
    strangers: BTreeMap<u32, usize>,
    /// By semaphore: how many permits it has.
    permits: BTreeMap<u32, u32>,
    last_number: u64,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// A tracked task, by its number among the threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TaskId(pub(super) u32);

fn with<R>(work: impl FnOnce(&mut Table) -> R) -> R {
    // The table takes memory of the global allocator, whose own locks are none of its business.
    threads::busy(|| {
        let mut table: MutexGuard<'_, Option<Table>> = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
        work(table.get_or_insert_default())
    })
}

impl Table {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

/// Segments of tasks, which only their own polls change.
pub(super) struct Segment(pub(super) AtomicU32);

/// The task begins.
pub(super) fn begin(task: TaskId) {
    with(|table| table.tasks.insert(task.0, Task::default()));
}

/// The task has ended, or was dropped: what it still holds is held by nobody known.
pub(super) fn end(task: TaskId) {
    with(|table| {
        if let Some(task) = table.tasks.remove(&task.0) {
            for held in task.holds {
                *table.strangers.entry(held.lock.lock()).or_default() += 1;
            }
        }
    });
}

/// The semaphore has so many permits.
pub(super) fn set_permits(semaphore: u32, count: u32) {
    with(|table| table.permits.insert(semaphore, count));
}

/// The semaphore's number of permits changes; `None` where it is no longer known.
pub(super) fn change_permits(semaphore: LockMode, change: impl FnOnce(u32) -> Option<u32>) {
    if semaphore == LockMode::NONE {
        return;
    }
    let semaphore = semaphore.lock();
    with(|table| {
        let changed = table.permits.get(&semaphore).copied().and_then(change);
        match changed {
            Some(count) => table.permits.insert(semaphore, count),
            None => table.permits.remove(&semaphore),
        }
    });
}

/// A lock or permits that were taken; given back when it is dropped, which has to be before the real guard is.
#[derive(Debug)]
pub(super) struct Hold {
    task: Option<TaskId>,
    lock: LockMode,
    number: u64,
}

impl Hold {
    /// `task` has taken `lock`, or `permits` of it.
    pub(super) fn new(task: Option<TaskId>, lock: LockMode, site: Site, permits: u32) -> Self {
        let object = lock.lock();
        let number = if lock == LockMode::NONE {
            0
        } else {
            with(|table| {
                let number = table.next_number();
                match task.and_then(|task| table.tasks.get_mut(&task.0)) {
                    Some(task) => task.holds.push(Holding { lock, site, permits, number }),
                    None => *table.strangers.entry(object).or_default() += 1,
                }
                number
            })
        };
        Hold { task, lock, number }
    }

    /// The permits are never given back.
    pub(super) fn forget(self) {
        change_permits(self.lock, |_| None);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.number == 0 {
            return;
        }
        with(|table| {
            let task = self.task.and_then(|task| table.tasks.get_mut(&task.0));
            let held = task.and_then(|task| {
                let at = task.holds.iter().position(|held| held.number == self.number)?;
                Some(task.holds.remove(at))
            });
            if held.is_none()
                && let Some(strangers) = table.strangers.get_mut(&self.lock.lock())
            {
                *strangers = strangers.saturating_sub(1);
            }
        });
    }
}

/// The task wants `goal`: order edges from what it holds, and from what its thread does.
pub(super) fn request(task: TaskId, segment: u32, goal: Goal, site: Site) {
    let Goal::Lock(wanted) = goal else { return };
    let mut entries = List::new();
    with(|table| {
        let holds = table.tasks.get(&task.0).into_iter().flat_map(|task| &task.holds);
        holds.filter(|held| held.permits == 0).for_each(|held| entries.push(Entry::of_task(held.lock, held.site)));
    });
    entries.extend(crate::held::current().entries());
    if !entries.is_empty() {
        order::nested_in_task(&entries, wanted, site, task.0, segment, false);
    }
}

/// The task waits for `goal`; the number is for [`stop`].
pub(super) fn wait(task: TaskId, goal: Goal, site: Site) -> u64 {
    with(|table| {
        let number = table.next_number();
        if let Some(task) = table.tasks.get_mut(&task.0) {
            task.waits.push(Waiting { goal, site, number });
        }
        number
    })
}

/// That wait is over.
pub(super) fn stop(task: TaskId, number: u64) {
    with(|table| {
        if let Some(task) = table.tasks.get_mut(&task.0) {
            task.waits.retain(|wait| wait.number != number);
            task.only_waits = false;
            task.reported = false;
        }
    });
}

/// Why the task has to unwind, if it has to.
pub(super) fn take_verdict(task: TaskId) -> Option<String> {
    with(|table| table.tasks.get_mut(&task.0).and_then(|task| task.verdict.take()))
}

/// The task is polled.
pub(super) fn wake(task: TaskId) {
    with(|table| {
        if let Some(task) = table.tasks.get_mut(&task.0) {
            task.only_waits = false;
        }
    });
}

/// The task was polled and is not done; `alone`: no waker of it is registered besides those of its entries.
pub(super) fn suspend(task: TaskId, alone: bool, waker: &Waker) {
    let found = with(|table| {
        let entry = table.tasks.get_mut(&task.0)?;
        entry.only_waits = alone && entry.waits.len() == 1;
        if !entry.only_waits {
            return None;
        }
        entry.waker = Some(waker.clone());
        let members = table.stuck();
        if !members.contains(&task.0) {
            return None;
        }
        for member in &members {
            if let Some(task) = table.tasks.get_mut(member) {
                task.reported = true;
            }
        }
        let mut held = List::new();
        let members: Vec<Member> = members.iter().filter_map(|member| table.member(*member, &mut held)).collect();
        Some((members, held))
    });
    let Some((members, held)) = found else { return };
    let action = config::on_deadlock();
    let finding = threads::busy(|| report::report(task.0, &members, members.len(), &held, action, Rests::NOTHING));
    finding::tell(&finding);
    match action {
        DeadlockAction::Abort => crate::wait::abort(&finding.message),
        DeadlockAction::Panic => {
            let waker = with(|table| {
                let entry = table.tasks.get_mut(&task.0)?;
                entry.verdict = Some(finding.message);
                entry.waker.clone()
            });
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        DeadlockAction::Report => {}
    }
}

impl Table {
    /// The tasks that can never go on: what is left when all that can are taken away, again and again.
    fn stuck(&self) -> Vec<u32> {
        let waits = |(number, task): (&u32, &Task)| (task.only_waits && !task.reported).then_some(*number);
        let mut left: Vec<u32> = self.tasks.iter().filter_map(waits).collect();
        loop {
            let stays = |number: &u32| self.is_obstructed(&self.tasks[number], &left);
            let next: Vec<u32> = left.iter().copied().filter(stays).collect();
            if next.len() == left.len() {
                return left;
            }
            left = next;
        }
    }

    /// Whether the task cannot go on as long as none of `left` does.
    fn is_obstructed(&self, task: &Task, left: &[u32]) -> bool {
        let Some(wait) = task.waits.first() else { return false };
        let is_free = |object: u32| self.strangers.get(&object).is_some_and(|count| *count > 0);
        let holders = |object: u32| {
            let of_task = move |(number, task): (&u32, &Task)| {
                let permits: u32 =
                    task.holds.iter().filter(|held| held.lock.lock() == object).map(|held| held.permits).sum();
                let locks = task.holds.iter().filter(|held| held.lock.lock() == object);
                locks.map(|held| held.lock.mode()).next().map(|mode| (*number, mode, permits))
            };
            self.tasks.iter().filter_map(of_task)
        };
        match wait.goal {
            Goal::End(number) => left.contains(&number),
            Goal::Lock(wanted) => {
                let object = wanted.lock();
                let mut against = holders(object).filter(|(_, mode, _)| mode.conflicts(wanted.mode())).peekable();
                // Who holds the lock in a mode that does not matter is no obstacle; one obstacle that stays is enough.
                !is_free(object) && against.any(|(number, ..)| left.contains(&number))
            }
            Goal::Permits { semaphore, count } => {
                let Some(all) = self.permits.get(&semaphore).copied() else { return false };
                let kept: u32 =
                    holders(semaphore).filter(|(number, ..)| left.contains(number)).map(|(.., permits)| permits).sum();
                !is_free(semaphore) && kept > 0 && all.saturating_sub(kept) < count
            }
        }
    }

    fn member(&self, number: u32, held: &mut List<Entry>) -> Option<Member> {
        let task = self.tasks.get(&number)?;
        let wait = task.waits.first()?;
        let start = held.len();
        task.holds.iter().for_each(|holding| held.push(Entry::of_task(holding.lock, holding.site)));
        let (kind, object, mode) = match wait.goal {
            Goal::Lock(lock) => (WaitKind::Lock, lock.lock(), lock.mode()),
            Goal::Permits { semaphore, .. } => (WaitKind::Permits, semaphore, Mode::Exclusive),
            Goal::End(other) => (WaitKind::Join, other, Mode::Exclusive),
        };
        let (site, len) = (wait.site, held.len() - start);
        Some(Member { number, task: 0, slot: 0, kind, object, mode, all_tasks: false, site, start, len })
    }
}

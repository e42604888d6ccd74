//! Which of the waiting threads can never go on: the counted AND/OR reduction.
//!
//! Each entry needs a number of those that obstruct it to be able to go on: all holders of a lock, one holder of a pool's
//! slots beyond its size, one of all threads for a notification or a message. Entries that need none are taken away, those that
//! they obstruct need one less, and so on (Holt 1972; algorithm B of a resource allocation graph's reduction). Who is
//! left, is stuck.
//!
//! Guarantees: exact for the entries given; an idle thread of a pool is blocked but never reported.
//!
//! Misses: anything about threads that do not stand in the table: they count as able to go on.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::{Goal, Wait, quiet};
use crate::event::{Mode, WaitKind};
use crate::held::{Entry, LockMode};
use crate::raw::List;
use crate::threads::{self, ThreadRecord};

/// What a waiting thread waits for and holds.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) wait: Wait,
    pub(super) thread: &'static ThreadRecord,
    pub(super) number: u32,
    pub(super) task: u32,
    pub(super) slot: u32,
    /// The thread's held stack, which does not change while the entry stands.
    pub(super) held: *const Entry,
    pub(super) held_len: usize,
    /// Number of this entry, to know it again.
    pub(super) epoch: u64,
    pub(super) can_unwind: bool,
    /// The reported deadlock that it is a member of, 0 for none.
    pub(super) reported: u64,
}
// SAFETY: the pointers are read only under the table's lock while the thread that they belong to waits.
unsafe impl Send for Waiting {}

impl Waiting {
    pub(super) fn held(&self) -> &[Entry] {
        // SAFETY: the owner changes its stack only after it has taken the entry out, under the table's lock.
        unsafe { std::slice::from_raw_parts(self.held, self.held_len) }
    }

    /// Whether `other` cannot go on before this one does. A thread's own locks do not hold it up here (`double_lock` sees to
    /// that), its own slot, task, initialisation or end does, and nobody notifies itself.
    fn holds_up(&self, other: &Waiting) -> bool {
        let own = std::ptr::eq(self.thread, other.thread);
        !(own && matches!(other.wait.goal, Goal::Lock(_))) && self.obstructs(other)
    }

    /// As [`Waiting::holds_up`], for telling who blocks each other: who waits for the end of others and holds nothing is
    /// blamed for no message that does not come.
    fn is_blamed_by(&self, other: &Waiting) -> bool {
        let only_joins = matches!(self.wait.goal, Goal::Thread { .. } | Goal::Idle { .. }) && self.held_len == 0;
        !(only_joins && matches!(other.wait.goal, Goal::Anyone { .. })) && self.holds_up(other)
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
            // A pool that has lost all of its slots keeps whoever waits for one to itself.
            Goal::Slot { pool, workers } => {
                self.slot == pool || (workers == 0 && std::ptr::eq(self.thread, other.thread))
            }
            Goal::Task(task) => {
                // SAFETY: the waiting thread keeps its task's state alive.
                let task = unsafe { &*task };
                match task.runner.load(Acquire) {
                    0 => self.slot == task.pool,
                    runner => !task.done.load(Acquire) && self.number == runner,
                }
            }
            Goal::Idle { pool, .. } => self.slot == pool,
            Goal::Anyone { .. } => !matches!(self.wait.goal, Goal::Work { .. }),
            // SAFETY: the waiting thread borrows the cell that the number stands in.
            Goal::Once { runner, .. } => self.number == unsafe { &*runner }.load(Acquire),
            Goal::Work { .. } => false,
        }
    }

    /// How many of `obstructing` entries must be able to go on before this one can.
    fn needs(&self, obstructing: usize, all_blocked: bool) -> usize {
        let beyond = |free: u32| (obstructing + 1).saturating_sub(free as usize);
        match self.wait.goal {
            Goal::Lock(_) | Goal::Thread { .. } | Goal::Idle { .. } | Goal::Once { .. } => obstructing,
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
            Goal::Anyone { .. } => usize::from(all_blocked),
            Goal::Work { .. } => usize::MAX,
        }
    }

    pub(super) fn kind(&self) -> (WaitKind, u32, Mode) {
        match self.wait.goal {
            Goal::Lock(lock) => (WaitKind::Lock, lock.lock(), lock.mode()),
            Goal::Thread { number, .. } => (WaitKind::Join, number, Mode::Exclusive),
            Goal::Slot { pool, .. } | Goal::Idle { pool, .. } => (WaitKind::Slot, pool, Mode::Exclusive),
            // SAFETY: as in `obstructs`.
            Goal::Task(task) => (WaitKind::Task, unsafe { &*task }.id, Mode::Exclusive),
            Goal::Anyone { kind, object, .. } => (kind, object, Mode::Exclusive),
            Goal::Once { cell, .. } => (WaitKind::Once, cell, Mode::Exclusive),
            Goal::Work { pool } => (WaitKind::Unknown, pool, Mode::Exclusive),
        }
    }
}

/// The entries that can never go on, if `asking` is one of them. O(n · m · held locks) for n blocked threads of which
/// `asking` waits for m, directly or through others; O(n² · held locks) where it is one of them.
pub(super) fn stuck(waiting: &[Waiting], asking: &'static ThreadRecord) -> List<Waiting> {
    quiet::begin();
    let mut all = List::new();
    // What any thread could end needs no look at the table as long as one of them does not even stand there.
    let own = waiting.iter().find(|waiting| std::ptr::eq(waiting.thread, asking));
    let anyone = own.is_some_and(|own| matches!(own.wait.goal, Goal::Anyone { .. }));
    if anyone && threads::live() > waiting.len() {
        return all;
    }
    let parked = |waiting: &&Waiting| waiting.thread.parked.load(Relaxed);
    waiting.iter().filter(parked).filter(|waiting| waiting.reported == 0).for_each(|waiting| all.push(*waiting));
    let Some(own) = all.iter().position(|waiting| std::ptr::eq(waiting.thread, asking)) else { return List::new() };
    // Members of a deadlock that was reported and left alone are blocked as well.
    let blocked = waiting.iter().filter(parked).count();
    let mut all_blocked = None;
    // Who stands in the way of `asking`; the others cannot change what becomes of it.
    let (mut ahead, mut seen) = (List::new(), List::new());
    seen.resize(all.len(), false);
    seen[own] = true;
    ahead.push(own);
    let mut at = 0;
    while let Some(next) = ahead.get(at).copied() {
        at += 1;
        let anyone = matches!(all[next].wait.goal, Goal::Anyone { .. });
        if anyone && !*all_blocked.get_or_insert_with(|| are_all(blocked)) {
            continue;
        }
        for by in 0..all.len() {
            if !seen[by] && all[by].holds_up(&all[next]) {
                seen[by] = true;
                ahead.push(by);
            }
        }
    }
    let all_blocked = all_blocked.unwrap_or(false);
    let mut few = List::new();
    ahead.iter().for_each(|at| few.push(all[*at]));
    if !remain(&few, all_blocked)[0] {
        return List::new();
    }
    let remain = remain(&all, all_blocked);
    let idle = |waiting: &Waiting| matches!(waiting.wait.goal, Goal::Work { .. });
    let mut left = List::new();
    (0..all.len()).filter(|at| remain[*at] && !idle(&all[*at])).for_each(|at| left.push(all[at]));
    left
}

/// By entry: whether the reduction leaves it.
fn remain(all: &[Waiting], all_blocked: bool) -> List<bool> {
    let (mut needs, mut open) = (List::new(), List::new());
    for (at, waiting) in all.iter().enumerate() {
        needs.push(waiting.needs(all.iter().filter(|by| by.holds_up(waiting)).count(), all_blocked));
        if needs[at] == 0 {
            open.push(at);
        }
    }
    while let Some(free) = open.pop() {
        for at in 0..all.len() {
            if needs[at] != 0 && needs[at] != usize::MAX && all[free].holds_up(&all[at]) {
                needs[at] -= 1;
                if needs[at] == 0 {
                    open.push(at);
                }
            }
        }
    }
    let mut left = List::new();
    needs.iter().for_each(|needs| left.push(*needs != 0));
    left
}

/// Whether so many blocked threads are all that the process has, beside quiet ones.
fn are_all(blocked: usize) -> bool {
    threads::live() <= blocked && all_threads().is_some_and(|all| all == blocked || quiet::are_others(blocked, all))
}

/// Sorts the members that block each other around `own` to the front and gives their number: those that `own` obstructs,
/// directly or through others, and that obstruct `own`. 0 where `own` only waits behind others. O(n²).
pub(super) fn core(members: &mut [Waiting], own: &'static ThreadRecord) -> usize {
    let is_own = |member: &Waiting| std::ptr::eq(member.thread, own);
    let Some(own) = members.iter().position(is_own) else { return 0 };
    let reach = |forward: bool| {
        let (mut reached, mut open) = (List::new(), List::new());
        reached.resize(members.len(), false);
        open.push(own);
        while let Some(at) = open.pop() {
            for other in 0..members.len() {
                let (a, b) = if forward { (at, other) } else { (other, at) };
                if !reached[other] && members[a].is_blamed_by(&members[b]) {
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

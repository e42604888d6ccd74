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

use std::sync::atomic::Ordering::Acquire;

use super::table::Table;
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
    pub(super) fn holds_up(&self, other: &Waiting) -> bool {
        let own = std::ptr::eq(self.thread, other.thread);
        !(own && matches!(other.wait.goal, Goal::Lock(_))) && self.obstructs(other)
    }

    /// As [`Waiting::holds_up`], for telling who blocks each other: who waits for the end of others and holds nothing is
    /// blamed for no message that does not come.
    fn is_blamed_by(&self, other: &Waiting) -> bool {
        (self.could_help_anyone() || !other.waits_for_anyone()) && self.holds_up(other)
    }

    /// Whether it is blamed for messages that do not come.
    fn could_help_anyone(&self) -> bool {
        let only_joins = matches!(self.wait.goal, Goal::Thread { .. } | Goal::Idle { .. }) && self.held_len == 0;
        !only_joins && !matches!(self.wait.goal, Goal::Work { .. })
    }

    /// Whether any other thread could end the wait.
    fn waits_for_anyone(&self) -> bool {
        matches!(self.wait.goal, Goal::Anyone { .. })
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

/// The places of the entries that can never go on, if `asking` is one of them. O(m) where it is not and waits for m
/// others, directly or through others; O(n · held locks) where it is one of n. To either come the readers that wait for a
/// lock times its writers and readers.
pub(super) fn stuck(table: &Table, asking: usize) -> List<usize> {
    quiet::begin();
    // What any thread could end needs no look at the table as long as one of them does not even stand there.
    let Some(own) = table.candidate(asking) else { return List::new() };
    if own.waits_for_anyone() && threads::live() > table.len() {
        return List::new();
    }
    let mut all_blocked = None;
    // Who stands in the way of `asking`; the others cannot change what becomes of it.
    let (mut ahead, mut seen) = (List::new(), Set::new());
    seen.add(asking);
    ahead.push(asking);
    let mut everybody = false;
    let mut at = 0;
    while let Some(place) = ahead.get(at).copied() {
        at += 1;
        // Whoever was woken meanwhile has nobody in the way.
        let Some(next) = table.candidate(place) else { continue };
        let mut add = |place| {
            if seen.add(place) {
                ahead.push(place);
            }
        };
        if !next.waits_for_anyone() {
            table.each_in_the_way(next, add);
        } else if !everybody && *all_blocked.get_or_insert_with(|| are_all(table)) {
            everybody = true;
            let can_help = |place: &usize| table.candidate(*place).is_some_and(|by| by.holds_up(next));
            (0..table.end()).filter(can_help).for_each(&mut add);
        }
    }
    let all_blocked = all_blocked.unwrap_or(false);
    if !remain(table, &ahead, all_blocked)[0] {
        return List::new();
    }
    let mut all = List::new();
    (0..table.end()).filter(|place| table.candidate(*place).is_some()).for_each(|place| all.push(place));
    let remain = remain(table, &all, all_blocked);
    let mut left = List::new();
    for (place, _) in all.iter().zip(&*remain).filter(|(_, remains)| **remains) {
        if table.get(*place).is_some_and(|waiting| !matches!(waiting.wait.goal, Goal::Work { .. })) {
            left.push(*place);
        }
    }
    left
}

/// By entry of `places`: whether the reduction of these leaves it.
fn remain(table: &Table, places: &[usize], all_blocked: bool) -> List<bool> {
    let ways = Ways::new(table, places, |_, _| true);
    let (mut needs, mut open) = (List::new(), List::new());
    for (at, waiting) in entries(table, places).enumerate() {
        needs.push(waiting.needs(ways.into[at].len(), all_blocked));
        if needs[at] == 0 {
            open.push(at);
        }
    }
    let mut can_help = false;
    while let Some(free) = open.pop() {
        let mut frees = |at: usize| {
            if needs[at] != 0 && needs[at] != usize::MAX {
                needs[at] -= 1;
                if needs[at] == 0 {
                    open.push(at);
                }
            }
        };
        ways.each(&ways.out, free, &mut frees);
        // One that can go on is enough for all that any thread could help.
        if !std::mem::replace(&mut can_help, true) {
            let anyone = entries(table, places).enumerate().filter(|(_, waiting)| waiting.waits_for_anyone());
            anyone.for_each(|(at, _)| frees(at));
        }
    }
    let mut left = List::new();
    needs.iter().for_each(|needs| left.push(*needs != 0));
    left
}

/// Whether all threads that the process has are blocked, beside quiet ones. Members of a deadlock that was reported and
/// left alone are blocked as well.
fn are_all(table: &Table) -> bool {
    let blocked = table.blocked();
    threads::live() <= blocked && all_threads().is_some_and(|all| all == blocked || quiet::are_others(blocked, all))
}

fn entries<'a>(table: &'a Table, places: &'a [usize]) -> impl Iterator<Item = &'a Waiting> {
    places.iter().filter_map(|place| table.get(*place))
}

/// Who holds up whom among some entries, by their positions; without what any thread could end.
struct Ways {
    /// By position, those that it holds up.
    out: List<Span>,
    /// By position, those that hold it up.
    into: List<Span>,
    ends: List<u32>,
}

/// A part of `Ways::ends`.
#[derive(Clone, Copy)]
struct Span(u32, u32);

impl Span {
    fn len(self) -> usize {
        (self.1 - self.0) as usize
    }
}

impl Ways {
    /// Of candidates of the table; `counts(by, waiting)` may leave some out.
    fn new(table: &Table, places: &[usize], counts: impl Fn(&Waiting, &Waiting) -> bool) -> Self {
        let (mut position, mut last) = (List::new(), List::new());
        position.resize(table.end(), u32::MAX);
        places.iter().enumerate().for_each(|(at, place)| position[*place] = at as u32);
        last.resize(places.len(), u32::MAX);
        let (mut into, mut out, mut ends) = (List::new(), List::new(), List::new());
        out.resize(places.len(), Span(0, 0));
        for (at, waiting) in entries(table, places).enumerate() {
            let start = ends.len() as u32;
            table.each_in_the_way(waiting, |place| {
                let by = position[place];
                // An entry may obstruct by several things, and counts once.
                if by != u32::MAX
                    && last[by as usize] != at as u32
                    && table.get(place).is_some_and(|by| counts(by, waiting))
                {
                    last[by as usize] = at as u32;
                    out[by as usize].1 += 1;
                    ends.push(by);
                }
            });
            into.push(Span(start, ends.len() as u32));
        }
        // The same the other way round: room for each, then filled.
        let mut next = ends.len() as u32;
        for span in out.iter_mut() {
            let len = span.1;
            *span = Span(next, next);
            next += len;
        }
        ends.resize(next as usize, 0);
        for (at, span) in into.iter().enumerate() {
            for edge in span.0..span.1 {
                let by = ends[edge as usize] as usize;
                ends[out[by].1 as usize] = at as u32;
                out[by].1 += 1;
            }
        }
        Ways { out, into, ends }
    }

    fn each(&self, spans: &[Span], at: usize, visit: impl FnMut(usize)) {
        let Span(start, end) = spans[at];
        self.ends[start as usize..end as usize].iter().map(|at| *at as usize).for_each(visit);
    }
}

/// Places that were seen.
struct Set(List<bool>);

impl Set {
    fn new() -> Self {
        Set(List::new())
    }

    /// Whether it is new.
    fn add(&mut self, place: usize) -> bool {
        if self.0.len() <= place {
            self.0.resize(place + 1, false);
        }
        !std::mem::replace(&mut self.0[place], true)
    }
}

/// Sorts the members that block each other around `own` to the front and gives their number: those that `own` obstructs,
/// directly or through others, and that obstruct `own`. 0 where `own` only waits behind others. Costs what [`stuck`] does.
pub(super) fn core(table: &Table, members: &mut [usize], own: usize) -> usize {
    let Some(own) = members.iter().position(|place| *place == own) else { return 0 };
    let ways = Ways::new(table, members, |by, waiting| by.is_blamed_by(waiting));
    let member = |at: usize| table.get(members[at]);
    // Of the waits that any thread could end, all have the same in their way: whoever could be blamed.
    let is_open = |at: usize| member(at).is_some_and(Waiting::waits_for_anyone);
    let is_blamed = |at: usize| member(at).is_some_and(Waiting::could_help_anyone);
    let reach = |forward: bool| {
        let (mut reached, mut open, mut everybody) = (List::new(), List::new(), false);
        reached.resize(members.len(), false);
        open.push(own);
        while let Some(at) = open.pop() {
            let mut add = |other: usize| {
                if !std::mem::replace(&mut reached[other], true) {
                    open.push(other);
                }
            };
            ways.each(if forward { &ways.out } else { &ways.into }, at, &mut add);
            if !everybody && if forward { is_blamed(at) } else { is_open(at) } {
                everybody = true;
                (0..members.len())
                    .filter(|other| if forward { is_open(*other) } else { is_blamed(*other) })
                    .for_each(add);
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

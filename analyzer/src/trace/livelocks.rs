//! Threads that keep giving way to each other: each holds a lock, tries the one that another holds, fails because of that,
//! gives its own back and begins again.
//!
//! Guarantees: a *round* is a ring of critical sections of different threads, each of which failed to take a lock by
//! `try_lock` that the next one held, told by the acquisition that kept it out, not by the order of the merged run. Rounds
//! count together only while none of the threads has held its two locks at once in between, and are reported where they
//! took 100 ms at least; a thread that merely polls a lock makes no ring, and neither do failures because of a third
//! thread. O(events).
//!
//! Misses: readers and writers; rings of more than [`MOST_MEMBERS`] threads; threads that spin on `try_lock` without giving
//! back what they hold, which are one round for ever; traces of trackers before format version 1.3.

use indexmap::IndexMap;
use lockcheck_tracker::event::{Event, Held, Mode, Op, flag};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::order::Ordered;

/// So many rounds in a row are reported: threads that pause for different times get past each other long before.
pub const LEAST_ROUNDS: usize = 100;
/// The longest ring that is looked for.
pub const MOST_MEMBERS: usize = 8;
/// Failed attempts that are kept.
const MOST_ATTEMPTS: usize = 1_000_000;

/// Threads that gave way to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Livelock {
    /// Each failed because of the next one, the last one because of the first; of the first round.
    pub members: Vec<Attempt>,
    /// How often in a row, without any of them getting both of its locks.
    pub rounds: usize,
    /// Rounds in which the first member's failure was marked: 100 ms lie between two of them.
    marked: usize,
}

/// A failed `try_lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Thread number.
    pub thread: u32,
    /// The lock held, with the place where it was taken.
    pub own: Held,
    /// The lock tried, with the place.
    pub wanted: Held,
}

/// A critical section: the lock and the number of its acquisition.
type Section = (u32, u32);

#[derive(Clone, Copy)]
struct Failed {
    attempt: Attempt,
    because_of: Section,
    /// How often the thread had held both locks by then.
    passed: u32,
    /// Whether the thread has failed to take the lock for another 100 ms.
    marked: bool,
}

/// Thread, lock held and lock wanted, and how often the thread had held both: of each member, smallest first.
type Ring = Vec<(u32, u32, u32, u32)>;

#[derive(Default)]
struct Pass {
    /// By thread index.
    held: Vec<Vec<(Section, Held)>>,
    /// By thread and two locks: how often it held both.
    passed: FxHashMap<(u32, u32, u32), u32>,
    failed: FxHashMap<Section, Vec<Failed>>,
    attempts: usize,
    rounds: IndexMap<Ring, Livelock, FxBuildHasher>,
}

/// All livelocks of a run, in the order in which they began.
pub fn livelocks(ordered: &Ordered) -> Vec<Livelock> {
    let tries = |event: &Event| event.op() == Some(Op::TryFail) && event.seq != 0;
    let few = || ordered.events().filter(|(_, event)| tries(event)).take(LEAST_ROUNDS).count() < LEAST_ROUNDS;
    if !ordered.has(&[Op::TryFail]) || few() {
        return Vec::new();
    }
    let mut pass = Pass { held: vec![Vec::new(); ordered.threads.len()], ..Pass::default() };
    for (thread, event) in ordered.events() {
        let number = ordered.threads.get(thread as usize).copied().unwrap_or(0);
        pass.event(thread as usize, number, &event);
    }
    pass.rounds.into_values().filter(|livelock| livelock.rounds >= LEAST_ROUNDS && livelock.marked >= 2).collect()
}

impl Pass {
    fn event(&mut self, thread: usize, number: u32, event: &Event) {
        let mode = event.mode().unwrap_or(Mode::Exclusive);
        let lock = Held { object: event.object, mode, site: event.site };
        match event.op() {
            Some(Op::Acquire) if mode == Mode::Exclusive => {
                for (_, other) in &self.held[thread] {
                    *self.passed.entry(both(number, other.object, lock.object)).or_default() += 1;
                }
                self.held[thread].push(((lock.object, event.seq), lock));
            }
            Some(Op::Release) => self.held[thread].retain(|(_, held)| held.object != event.object),
            Some(Op::TryFail) if event.seq != 0 && self.attempts < MOST_ATTEMPTS => {
                let because_of = (lock.object, event.seq);
                for (own, held) in self.held[thread].clone() {
                    let passed = self.passed.get(&both(number, held.object, lock.object)).copied().unwrap_or(0);
                    let attempt = Attempt { thread: number, own: held, wanted: lock };
                    self.fail(own, Failed { attempt, because_of, passed, marked: event.flags & flag::CONTENDED != 0 });
                }
            }
            _ => {}
        }
    }

    fn fail(&mut self, own: Section, failed: Failed) {
        let before = self.failed.entry(own).or_default();
        // Trying again with the same result is no new round.
        if own.0 == failed.because_of.0 || before.iter().any(|known| known.because_of == failed.because_of) {
            return;
        }
        before.push(failed);
        self.attempts += 1;
        let mut ring = vec![failed];
        if !self.close(own, &mut ring) {
            return;
        }
        let member = |failed: &Failed| {
            let Attempt { thread, own, wanted } = failed.attempt;
            (thread, own.object, wanted.object, failed.passed)
        };
        let mut key: Ring = ring.iter().map(member).collect();
        let first = (0..key.len()).min_by_key(|at| key[*at]).unwrap_or(0);
        key.rotate_left(first);
        ring.rotate_left(first);
        let members = || ring.iter().map(|failed| failed.attempt).collect();
        let new = || Livelock { members: members(), rounds: 0, marked: 0 };
        let known = self.rounds.entry(key).or_insert_with(new);
        known.rounds += 1;
        known.marked += usize::from(ring[0].marked);
    }

    /// Follows the failures from the last one of `ring` back to the section `start`.
    fn close(&self, start: Section, ring: &mut Vec<Failed>) -> bool {
        let Some(last) = ring.last().copied() else { return false };
        if last.because_of == start {
            return ring.len() > 1;
        }
        if ring.len() == MOST_MEMBERS {
            return false;
        }
        for next in self.failed.get(&last.because_of).into_iter().flatten() {
            if ring.iter().all(|member| member.attempt.thread != next.attempt.thread) {
                ring.push(*next);
                if self.close(start, ring) {
                    return true;
                }
                ring.pop();
            }
        }
        false
    }
}

fn both(thread: u32, a: u32, b: u32) -> (u32, u32, u32) {
    (thread, a.min(b), a.max(b))
}

//! The waiting threads, and who of them stands in whose way.
//!
//! An entry keeps its place as long as it stands. What an entry obstructs others by (a lock that it holds or will be given
//! next, its thread's end, its slot of a pool) is found by a hash of that, so that a look at one wait touches those in its
//! way and nobody else.
//!
//! Guarantees: entering, leaving and finding who holds something cost O(what is held + n / [`CHAINS`]) for n entries; the
//! answers are those of [`Waiting::holds_up`], because whatever is found by hash is asked again.
//!
//! Misses: nothing is looked up for what any thread could end; that is for the caller.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::Goal;
use super::reduce::Waiting;
use crate::event::Mode;
use crate::raw::List;

const CHAINS: usize = 1 << 10;
const NONE: u32 = u32::MAX;

/// What somebody may have to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    /// A holder of the lock.
    Holder(u32),
    /// A writer in the lock's queue.
    Writer(u32),
    /// The thread.
    Thread(u32),
    /// A holder of a slot of the pool.
    Slot(u32),
}

#[derive(Clone, Copy)]
struct Link {
    obstacle: Obstacle,
    place: u32,
    next: u32,
}

/// See the file's description.
pub(super) struct Table {
    places: List<Option<Waiting>>,
    /// Places that nobody stands at.
    free: List<u32>,
    links: List<Link>,
    free_link: u32,
    chains: [u32; CHAINS],
    pub(super) last_report: u64,
}

impl Table {
    pub(super) const fn new() -> Self {
        Table {
            places: List::new(),
            free: List::new(),
            links: List::new(),
            free_link: NONE,
            chains: [NONE; CHAINS],
            last_report: 0,
        }
    }

    /// How many threads stand here.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Places are below this.
    pub(super) fn end(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Waiting> {
        self.places[place].as_ref()
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Waiting> {
        self.places[place].as_mut()
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.places.iter_mut().flatten()
    }

    /// The entry at a place, if it can be part of a deadlock: its thread stands in a queue, and it was not reported yet.
    pub(super) fn candidate(&self, place: usize) -> Option<&Waiting> {
        self.get(place).filter(|waiting| waiting.reported == 0 && waiting.is_parked())
    }

    /// How many of those that stand here are in a queue. O(n).
    pub(super) fn blocked(&self) -> usize {
        self.places.iter().flatten().filter(|waiting| waiting.is_parked()).count()
    }

    /// Enters a wait; gives its place.
    pub(super) fn enter(&mut self, waiting: Waiting) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() as u32 - 1
        });
        self.places[place as usize] = Some(waiting);
        each_obstacle(&waiting, |obstacle| {
            let chain = &mut self.chains[chain(obstacle)];
            let link = Link { obstacle, place, next: *chain };
            if self.free_link == NONE {
                self.links.push(link);
                *chain = self.links.len() as u32 - 1;
            } else {
                *chain = self.free_link;
                let at = &mut self.links[self.free_link as usize];
                self.free_link = std::mem::replace(at, link).next;
            }
        });
        place as usize
    }

    /// Takes the entry at a place out. Its thread still holds what it held.
    pub(super) fn leave(&mut self, place: usize) -> Option<Waiting> {
        let waiting = self.places[place].take()?;
        self.free.push(place as u32);
        each_obstacle(&waiting, |obstacle| {
            let head = chain(obstacle);
            let (mut before, mut at) = (NONE, self.chains[head]);
            while at != NONE {
                let link = self.links[at as usize];
                if link.place == place as u32 && link.obstacle == obstacle {
                    match before {
                        NONE => self.chains[head] = link.next,
                        before => self.links[before as usize].next = link.next,
                    }
                    self.links[at as usize].next = std::mem::replace(&mut self.free_link, at);
                    break;
                }
                (before, at) = (at, link.next);
            }
        });
        Some(waiting)
    }

    /// The places of candidates that hold `waiting` up; some may come twice. Not for what any thread could end.
    pub(super) fn each_in_the_way(&self, waiting: &Waiting, mut visit: impl FnMut(usize)) {
        let mut look = |obstacle: Obstacle| {
            let mut at = self.chains[chain(obstacle)];
            while at != NONE {
                let link = self.links[at as usize];
                let place = link.place as usize;
                if link.obstacle == obstacle && self.candidate(place).is_some_and(|by| by.holds_up(waiting)) {
                    visit(place);
                }
                at = link.next;
            }
        };
        match waiting.wait.goal {
            Goal::Lock(wanted) => {
                look(Obstacle::Holder(wanted.lock()));
                if wanted.mode() == Mode::Shared {
                    look(Obstacle::Writer(wanted.lock()));
                }
            }
            Goal::Thread { number, .. } => look(Obstacle::Thread(number)),
            Goal::Slot { pool, .. } | Goal::Idle { pool, .. } => look(Obstacle::Slot(pool)),
            Goal::Task(task) => {
                // SAFETY: the waiting thread keeps its task's state alive.
                let task = unsafe { &*task };
                match task.runner.load(Acquire) {
                    0 => look(Obstacle::Slot(task.pool)),
                    runner => look(Obstacle::Thread(runner)),
                }
            }
            // SAFETY: the waiting thread borrows the cell that the number stands in.
            Goal::Once { runner, .. } => look(Obstacle::Thread(unsafe { &*runner }.load(Acquire))),
            Goal::Anyone { .. } | Goal::Work { .. } => {}
        }
    }
}

impl Waiting {
    fn is_parked(&self) -> bool {
        self.thread.parked.load(Relaxed)
    }
}

/// What others may have to wait for because of this entry.
fn each_obstacle(waiting: &Waiting, mut visit: impl FnMut(Obstacle)) {
    waiting.held().iter().for_each(|entry| visit(Obstacle::Holder(entry.lock.lock())));
    if let Goal::Lock(wanted) = waiting.wait.goal
        && wanted.mode() == Mode::Exclusive
    {
        visit(Obstacle::Writer(wanted.lock()));
    }
    visit(Obstacle::Thread(waiting.number));
    if waiting.slot != 0 {
        visit(Obstacle::Slot(waiting.slot));
    }
}

fn chain(obstacle: Obstacle) -> usize {
    let key = match obstacle {
        Obstacle::Holder(lock) => lock << 2,
        Obstacle::Writer(lock) => lock << 2 | 1,
        Obstacle::Thread(number) => number << 2 | 2,
        Obstacle::Slot(pool) => pool << 2 | 3,
    };
    (key.wrapping_mul(0x9E37_79B9) >> 16) as usize % CHAINS
}

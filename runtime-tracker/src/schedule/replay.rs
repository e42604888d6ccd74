//! Replaying a schedule up to a deadlock: acquisitions in a given order, then a pause of every thread of the deadlock
//! right before the request that closes it, then all at once.
//!
//! Three phases. *Gated*: each thread of the schedule takes its locks in the schedule's order; threads of the deadlock
//! stop before their last request, others of the schedule before their first one beyond it. *Pausing*: where the run does
//! not follow (nothing happened within the patience, or a thread came to another place), only the stops remain, and any thread that comes to
//! one of these places with that lock held pauses there. *Open*: all stops are taken, or the patience is over:
//! everybody runs.
//!
//! Source: pausing is DeadlockFuzzer (Joshi, Park, Sen and Naik, PLDI 2009); the schedule is the witness of the
//! sync-preserving closure (Tunç, Mathur, Pavlogiannis and Viswanathan, PLDI 2023).
//!
//! Guarantees: at most two times the patience passes without progress before everybody runs free.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::{ACTIVE, BELL, Strategy};
use crate::held;
use crate::raw::{List, hash_text, mix};
use crate::site::Site;

/// Where a thread of the deadlock stands.
#[derive(Clone, Copy)]
pub(super) struct Stop {
    /// Number in the schedule.
    pub(super) thread: u32,
    /// Place of its request; see [`place`].
    pub(super) wanted: u64,
    /// Place where it took a lock that it holds then; 0 for any.
    pub(super) held: u64,
    /// It only has to stand in the queue, before the others.
    pub(super) writer: bool,
    /// The key of the thread that has come; 0 before.
    pub(super) arrived: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Gated,
    Pausing,
    /// Those that have to queue go first, until this moment.
    Writers(Instant),
    Open,
}

/// How long writers have to get into their queues.
const QUEUE: Duration = Duration::from_millis(30);

/// The state of a replay.
pub(super) struct Replay {
    threads: List<u64>,
    /// Who takes how many locks in a row.
    steps: List<(u32, u32)>,
    at: usize,
    /// By thread: acquisitions that are still to come.
    left: List<u32>,
    /// The thread that was let on for the current step.
    granted: Option<u64>,
    stops: List<Stop>,
    phase: Phase,
    patience: Duration,
    progress: Option<Instant>,
}

/// A place in the source as a number.
pub(super) fn place(file: &str, line: u32, column: u32) -> u64 {
    mix(hash_text(line.into(), file), column.into()) | 1
}

fn place_of(site: Site) -> u64 {
    site.location().map_or(0, |location| place(location.file(), location.line(), location.column()))
}

impl Replay {
    pub(super) fn new(threads: List<u64>, steps: List<(u32, u32)>, stops: List<Stop>, patience: Duration) -> Self {
        let mut left = List::new();
        left.resize(threads.len(), 0);
        for (thread, count) in steps.iter() {
            let left = &mut left[*thread as usize];
            *left = u32::saturating_add(*left, *count);
        }
        Replay { threads, steps, at: 0, left, granted: None, stops, phase: Phase::Gated, patience, progress: None }
    }

    /// The thread got its lock. Tells whether others may go on because of that.
    pub(super) fn acquired(&mut self, actor: u64) -> bool {
        if self.granted != Some(actor) {
            return false;
        }
        self.granted = None;
        self.progress = Some(Instant::now());
        let Some(step) = self.steps.get_mut(self.at) else { return false };
        step.1 -= 1;
        self.left[step.0 as usize] -= 1;
        if step.1 == 0 {
            self.at += 1;
        }
        self.open_if_complete();
        true
    }

    fn open_if_complete(&mut self) {
        let waits_for_steps = self.phase == Phase::Gated && self.at < self.steps.len();
        if !waits_for_steps && self.stops.iter().all(|stop| stop.arrived != 0) {
            let writers = self.stops.iter().any(|stop| stop.writer);
            self.phase = if writers { Phase::Writers(Instant::now() + QUEUE) } else { Phase::Open };
        }
    }

    /// What the thread has to do now: `None`: go on; else wait, at most until then.
    fn decide(&mut self, actor: u64, site: u64, standing: &mut Option<usize>) -> Option<Instant> {
        let now = Instant::now();
        let progress = *self.progress.get_or_insert(now);
        let until = progress + self.patience;
        if let Phase::Writers(moment) = self.phase {
            match standing {
                Some(at) if !self.stops[*at].writer && now < moment => return Some(moment),
                Some(at) if self.stops[*at].writer => return None,
                _ if now < moment => return None,
                _ => self.phase = Phase::Open,
            }
        }
        if self.phase == Phase::Open {
            ACTIVE.store(false, Relaxed);
            return None;
        }
        if now >= until {
            self.phase = if self.phase == Phase::Gated { Phase::Pausing } else { Phase::Open };
            self.progress = Some(now);
            self.granted = None;
            self.open_if_complete();
            return self.decide(actor, site, standing);
        }
        if standing.is_some() {
            return Some(until);
        }
        match self.phase {
            Phase::Gated => {
                // Threads that the recorded run did not have to run run freely.
                let number = self.threads.iter().position(|key| *key == actor)?;
                if self.left[number] > 0 {
                    let (next, _) = *self.steps.get(self.at)?;
                    if next as usize == number {
                        self.granted = Some(actor);
                        return None;
                    }
                    return Some(until);
                }
                match self.stops.iter().position(|stop| stop.thread as usize == number && stop.arrived == 0) {
                    Some(at) if self.stops[at].wanted == site => self.arrive(at, actor, standing),
                    Some(_) => self.phase = Phase::Pausing,
                    None => return Some(until),
                }
                self.decide(actor, site, standing)
            }
            _ => {
                let holds = |place: u64| {
                    place == 0 || held::current().entries().iter().any(|entry| place_of(entry.site) == place)
                };
                let is_there = self.stops.iter().any(|stop| stop.arrived == actor);
                let mut fits = (0..self.stops.len()).filter(|at| {
                    let stop = &self.stops[*at];
                    stop.arrived == 0 && stop.wanted == site && holds(stop.held)
                });
                let at = fits.next().filter(|_| !is_there)?;
                self.arrive(at, actor, standing);
                self.decide(actor, site, standing)
            }
        }
    }

    fn arrive(&mut self, at: usize, actor: u64, standing: &mut Option<usize>) {
        self.stops[at].arrived = actor;
        self.progress = Some(Instant::now());
        *standing = Some(at);
        self.open_if_complete();
    }
}

/// The calling thread is about to request a lock; comes back when it may.
pub(super) fn request(mut strategy: MutexGuard<'static, Strategy>, actor: u64, site: Site) {
    let site = place_of(site);
    let mut standing = None;
    loop {
        let Strategy::Replay(replay) = &mut *strategy else { return };
        let phase = replay.phase;
        let verdict = replay.decide(actor, site, &mut standing);
        if replay.phase != phase {
            BELL.notify_all();
        }
        let Some(until) = verdict else { return };
        let left = until.saturating_duration_since(Instant::now());
        strategy = match BELL.wait_timeout(strategy, left) {
            Ok((strategy, _)) => strategy,
            Err(error) => error.into_inner().0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thread 0 (key 10) takes a lock, then thread 1 (key 11); each stops at a place; thread 2 (key 12) is not needed.
    fn schedule(patience: Duration) -> Replay {
        let text = b"lockcheck schedule 1\nthread 000000000000000a one\nthread 000000000000000b two\n\
            thread 000000000000000c three\nsteps 0x1 1x1\nstop 0 4:1:a.rs -\nstop 1 5:1:a.rs -\n";
        let mut replay = super::super::file::parse(text).expect("a schedule");
        replay.patience = patience;
        replay
    }

    fn waits(replay: &mut Replay, actor: u64, line: u32, standing: &mut Option<usize>) -> bool {
        replay.decide(actor, place("a.rs", line, 1), standing).is_some()
    }

    #[test]
    fn threads_are_let_on_in_order_and_all_at_once_from_their_stops() {
        let mut replay = schedule(Duration::from_secs(600));
        let (mut one, mut two) = (None, None);
        assert!(waits(&mut replay, 11, 3, &mut two) && waits(&mut replay, 12, 3, &mut None));
        assert!(!waits(&mut replay, 10, 2, &mut one) && !waits(&mut replay, 77, 3, &mut None));
        assert!(replay.acquired(10) && !replay.acquired(11));
        assert!(!waits(&mut replay, 11, 3, &mut two) && waits(&mut replay, 10, 4, &mut one));
        assert!(replay.acquired(11));
        assert!(waits(&mut replay, 12, 3, &mut None));
        assert!(!waits(&mut replay, 11, 5, &mut two) && !waits(&mut replay, 10, 4, &mut one));
        assert!(!waits(&mut replay, 12, 3, &mut None));
    }

    #[test]
    fn a_run_that_comes_elsewhere_is_only_paused_at_the_stops() {
        let mut replay = schedule(Duration::from_secs(600));
        assert!(!waits(&mut replay, 10, 2, &mut None) && replay.acquired(10));
        assert!(!waits(&mut replay, 10, 9, &mut None) && replay.phase == Phase::Pausing);
        let (mut one, mut other) = (None, None);
        assert!(waits(&mut replay, 55, 4, &mut one) && !waits(&mut replay, 56, 4, &mut None));
        assert!(!waits(&mut replay, 57, 5, &mut other) && !waits(&mut replay, 55, 4, &mut one));
    }

    #[test]
    fn nobody_is_held_longer_than_the_patience() {
        let mut replay = schedule(Duration::ZERO);
        assert!(!waits(&mut replay, 11, 3, &mut None));
        assert!(replay.phase == Phase::Open);
    }

    #[test]
    fn what_is_no_schedule_steers_nothing() {
        let whole = "lockcheck schedule 1\nthread 000000000000000a one\nsteps 0x1\nstop 0 4:1:a.rs -\n";
        assert!(super::super::file::parse(whole.as_bytes()).is_some());
        for end in 0..whole.len() - 20 {
            assert!(super::super::file::parse(&whole.as_bytes()[..end]).is_none(), "{end}");
        }
        for bad in ["", "\u{0}", "lockcheck schedule 2\n", "lockcheck schedule 1\nstop 3 1:1:a -\n"] {
            assert!(super::super::file::parse(bad.as_bytes()).is_none());
        }
        assert!(super::super::file::parse(&[0xFF; 40]).is_none());
    }
}

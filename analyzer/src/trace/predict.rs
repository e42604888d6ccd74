//! Deadlocks that did not happen but follow from a recorded run.
//!
//! Guarantees: for each reported pattern there is a reordering of the recorded run, with the same values read and the
//! critical sections of each lock in the same order, after which every thread of the pattern stands before its
//! request and waits for the next one. So a prediction is a real deadlock of the recorded program, as far as its
//! synchronisation was recorded. Linear in the trace per pattern.
//!
//! Misses: deadlocks that need critical sections of one lock in another order than in the run, or another branch;
//! order that passes only through data under a mutex (a queue, a flag), which the recorder does not see; signals as
//! resources (a waiter that sleeps with a lock which the notifier needs).
//!
//! Source: SPDOffline (Tunç, Mathur, Pavlogiannis and Viswanathan, PLDI 2023), extended by modes and by the edges of
//! [`super::causality`].

use lockcheck_tracker::event::Mode;

use super::closure::{Closure, acquisitions};
use super::history::{History, Instance};
use super::patterns;
use crate::graph::cycles::Limits;

/// One thread's part in a predicted deadlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Index into [`History::acquires`].
    pub acquire: u32,
    /// The request at which it stands.
    pub instance: Instance,
}

/// A predicted deadlock: each thread waits for a lock that the next one holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// In the order of the cycle.
    pub blocked: Vec<Blocked>,
    /// By thread index: how far each thread runs in the witness.
    pub witness: Vec<u32>,
    /// It only closes while a writer is queued for a lock that two of them read.
    pub needs_queued_writer: bool,
}

/// What the prediction came to.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// Deadlocks.
    pub deadlocks: Vec<Prediction>,
    /// Number of patterns that were tested.
    pub patterns: usize,
    /// Names the limit that was hit, if one was.
    pub truncated: Option<String>,
}

/// Tests every pattern.
pub fn predict(history: &History, limits: Limits) -> Predictions {
    let found = patterns::patterns(history, limits);
    let taken = acquisitions(history);
    let deadlocks = found.patterns.iter().filter_map(|pattern| test(history, &taken, pattern)).collect();
    Predictions { deadlocks, patterns: found.patterns.len(), truncated: found.truncated }
}

fn test(history: &History, taken: &[Vec<(u32, u32)>], pattern: &[u32]) -> Option<Prediction> {
    let needs_queued_writer = queued_writer(history, pattern)?;
    let acquires: Vec<_> = pattern.iter().map(|index| &history.acquires[*index as usize]).collect();
    let mut at = vec![0; acquires.len()];
    let mut closure = Closure::new(history, taken);
    loop {
        for (acquire, at) in acquires.iter().zip(&at) {
            closure.add(acquire.instances.get(*at)?.before);
        }
        if !closure.close() {
            return None;
        }
        let mut stands = true;
        for (acquire, at) in acquires.iter().zip(&mut at) {
            while acquire.instances.get(*at).is_some_and(|instance| closure.contains(acquire.thread, instance.time)) {
                *at += 1;
                stands = false;
            }
        }
        if stands {
            let blocked = pattern
                .iter()
                .zip(&acquires)
                .zip(&at)
                .map(|((index, acquire), at)| Blocked { acquire: *index, instance: acquire.instances[*at] });
            return Some(Prediction {
                blocked: blocked.collect(),
                witness: closure.times().to_vec(),
                needs_queued_writer,
            });
        }
    }
}

/// Whether some link of the pattern is a reader behind a reader; `None` where no thread outside it ever writes there.
fn queued_writer(history: &History, pattern: &[u32]) -> Option<bool> {
    let acquire = |at: usize| &history.acquires[pattern[at % pattern.len()] as usize];
    let mut needed = false;
    for at in 0..pattern.len() {
        let wanted = acquire(at).wanted;
        if acquire(at + 1).holds(wanted.object).is_some_and(|held| held.conflicts(wanted.mode)) {
            continue;
        }
        needed = true;
        let inside = |thread: u32| (0..pattern.len()).any(|at| acquire(at).thread == thread);
        let mut sections = history.sections.get(&wanted.object)?.iter().filter(|(thread, _)| !inside(**thread));
        sections.find(|(_, sections)| sections.iter().any(|section| section.mode == Mode::Exclusive))?;
    }
    Some(needed)
}

#[cfg(test)]
#[path = "golden_tests.rs"]
mod golden_tests;

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

use super::closure::{Closure, acquisitions};
use super::history::{AbstractAcquire, History, Instance};
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
    /// Indexes into [`History::writers`]: who must queue between readers for it to close.
    pub writers: Vec<u32>,
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

/// Who must stand before a request: instances of one thread, in order.
#[derive(Clone, Copy)]
struct Party<'a> {
    thread: u32,
    instances: &'a [Instance],
}

/// Combinations of writers that are tried for one pattern.
const WRITERS: usize = 64;

fn test(history: &History, taken: &[Vec<(u32, u32)>], pattern: &[u32]) -> Option<Prediction> {
    let blocked: Vec<Party<'_>> = pattern.iter().map(|index| party(&history.acquires[*index as usize])).collect();
    let choices = queued_writers(history, pattern)?;
    let combinations = choices.iter().map(Vec::len).fold(1, usize::saturating_mul).min(WRITERS);
    (0..combinations).find_map(|mut number| {
        let mut parties = blocked.clone();
        let mut writers = Vec::with_capacity(choices.len());
        for choice in &choices {
            let writer = choice[number % choice.len()];
            number /= choice.len();
            let new = party(&history.writers[writer as usize]);
            if parties.iter().any(|known| known.thread == new.thread) {
                return None;
            }
            parties.push(new);
            writers.push(writer);
        }
        let (stands, witness) = stand(history, taken, &parties)?;
        let blocked =
            pattern.iter().zip(&stands).map(|(acquire, instance)| Blocked { acquire: *acquire, instance: *instance });
        Some(Prediction { blocked: blocked.collect(), witness, writers })
    })
}

fn party(acquire: &AbstractAcquire) -> Party<'_> {
    Party { thread: acquire.thread, instances: &acquire.instances }
}

/// The first instances before which all parties can stand at once, and how far each thread has run by then.
fn stand(history: &History, taken: &[Vec<(u32, u32)>], parties: &[Party<'_>]) -> Option<(Vec<Instance>, Vec<u32>)> {
    let mut at = vec![0; parties.len()];
    let mut closure = Closure::new(history, taken);
    loop {
        for (party, at) in parties.iter().zip(&at) {
            closure.add(party.instances.get(*at)?.before);
        }
        if !closure.close() {
            return None;
        }
        let mut stands = true;
        for (party, at) in parties.iter().zip(&mut at) {
            while party.instances.get(*at).is_some_and(|instance| closure.contains(party.thread, instance.time)) {
                *at += 1;
                stands = false;
            }
        }
        if stands {
            let instances = parties.iter().zip(&at).map(|(party, at)| party.instances[*at]).collect();
            return Some((instances, closure.times().to_vec()));
        }
    }
}

/// For each link of the pattern that is a reader behind a reader: the requests of threads outside it to write there.
/// `None` where there is none, so that the link cannot close.
fn queued_writers(history: &History, pattern: &[u32]) -> Option<Vec<Vec<u32>>> {
    let acquire = |at: usize| &history.acquires[pattern[at % pattern.len()] as usize];
    let mut all = Vec::new();
    for at in 0..pattern.len() {
        let wanted = acquire(at).wanted;
        if acquire(at + 1).holds(wanted.object).is_some_and(|held| held.conflicts(wanted.mode)) {
            continue;
        }
        let inside = |thread: u32| (0..pattern.len()).any(|at| acquire(at).thread == thread);
        let writes =
            |(_, writer): &(usize, &AbstractAcquire)| writer.wanted.object == wanted.object && !inside(writer.thread);
        let writers: Vec<u32> =
            history.writers.iter().enumerate().filter(writes).map(|(index, _)| index as u32).collect();
        if writers.is_empty() {
            return None;
        }
        all.push(writers);
    }
    Some(all)
}

#[cfg(test)]
#[path = "golden_tests.rs"]
mod golden_tests;

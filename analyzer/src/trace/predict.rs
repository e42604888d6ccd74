//! Deadlocks that did not happen but follow from a recorded run.
//!
//! Guarantees: for each reported pattern there is a reordering of the recorded run, with the same values read and the
//! critical sections of each lock in the same order, after which every thread of the pattern stands before its
//! request and waits for the next one. So a prediction is a real deadlock of the recorded program, as far as its
//! synchronisation was recorded. Linear in the trace per pattern.
//!
//! Data under a lock (a queue, a flag that is polled) are not recorded. Where every reordering that reaches a pattern leaves out a
//! critical section that an ended one comes after in the run, what the latter found there may have been what kept the threads apart:
//! the prediction is in doubt and names the lock ([`Prediction::doubt`]).
//!
//! Misses: deadlocks that need critical sections of one lock in another order than in the run, or another branch;
//! order that passes through data under a lock that the pattern itself holds. What [`super::signals`] says about waits for
//! notifications.
//!
//! Source: SPDOffline (Tunç, Mathur, Pavlogiannis and Viswanathan, PLDI 2023), extended by modes and by the edges of
//! [`super::causality`].

use rustc_hash::FxHashSet;

use super::clocks::Moment;
use super::closure::{Closure, Data, Taken};
use super::history::{AbstractAcquire, History, Instance};
use super::patterns;
use super::signals::Awake;
use crate::graph::cycles::Limits;

/// One thread's part in a predicted deadlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Index into [`History::acquires`], or into those of [`History::signals`].
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
    /// What this lock protects may keep the threads apart.
    pub doubt: Option<u32>,
}

/// What the prediction came to.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// Deadlocks.
    pub deadlocks: Vec<Prediction>,
    /// Deadlocks in which a thread waits for a notification; indexes into the acquires of [`History::signals`].
    pub signals: Vec<Prediction>,
    /// Number of patterns that were tested.
    pub patterns: usize,
    /// Names the limit that was hit, if one was.
    pub truncated: Option<String>,
}

/// Tests every pattern.
pub fn predict(history: &History, limits: Limits) -> Predictions {
    let found = patterns::patterns(&history.acquires, limits);
    let acquires = &history.signals.acquires;
    let through = patterns::patterns(acquires, limits);
    let is_signal = |index: &u32| history.signals.is_signal(acquires[*index as usize].wanted.object);
    let mut through_signals = through.patterns.iter().filter(|pattern| pattern.iter().any(is_signal)).peekable();
    let (mut deadlocks, mut signals) = (Vec::new(), Vec::new());
    if !found.patterns.is_empty() || through_signals.peek().is_some() {
        let taken = Taken::new(history);
        // Of the threads that meet in the same locks, one ring without a doubt is enough: looking for it costs a look at the whole run.
        let mut sure: FxHashSet<Vec<u32>> = FxHashSet::default();
        let mut test = |acquires: &[AbstractAcquire], pattern: &Vec<u32>| {
            let locks = ring(acquires, pattern);
            let found = Pattern { history, acquires, taken: &taken, pattern }.test(!sure.contains(&locks));
            if found.as_ref().is_some_and(|found| found.doubt.is_none()) {
                sure.insert(locks);
            }
            found
        };
        deadlocks.extend(found.patterns.iter().filter_map(|pattern| test(&history.acquires, pattern)));
        signals.extend(through_signals.filter_map(|pattern| test(acquires, pattern)));
    }
    let truncated = found.truncated.or(through.truncated);
    Predictions { deadlocks, signals, patterns: found.patterns.len(), truncated }
}

/// The locks requested in a pattern, in their order, the smallest first.
fn ring(acquires: &[AbstractAcquire], pattern: &[u32]) -> Vec<u32> {
    let mut locks: Vec<u32> = pattern.iter().map(|index| acquires[*index as usize].wanted.object).collect();
    let first = (0..locks.len()).min_by_key(|at| locks[*at]).unwrap_or(0);
    locks.rotate_left(first);
    locks
}

/// Who must stand before a request: instances of one thread, in order.
#[derive(Clone, Copy)]
struct Party<'a> {
    thread: u32,
    instances: &'a [Instance],
}

/// Combinations of writers that are tried for one pattern.
const WRITERS: usize = 64;

/// A pattern to be tested.
#[derive(Clone, Copy)]
struct Pattern<'a> {
    history: &'a History,
    acquires: &'a [AbstractAcquire],
    taken: &'a Taken<'a>,
    pattern: &'a [u32],
}

impl<'a> Pattern<'a> {
    /// The pattern's requests, as often around as need be.
    fn at(&self, at: usize) -> &'a AbstractAcquire {
        &self.acquires[self.pattern[at % self.pattern.len()] as usize]
    }

    fn len(&self) -> usize {
        self.pattern.len()
    }

    /// `careful`: looks for a schedule without a doubt first.
    fn test(self, careful: bool) -> Option<Prediction> {
        let choices = self.queued_writers()?;
        let combinations = choices.iter().map(Vec::len).fold(1, usize::saturating_mul).min(WRITERS);
        let test = |data| (0..combinations).find_map(|number| self.test_with(&choices, number, data));
        careful.then(|| test(Data::Kept)).flatten().or_else(|| test(Data::Any))
    }

    fn test_with(&self, choices: &[Vec<u32>], mut number: usize, data: Data) -> Option<Prediction> {
        let history = self.history;
        let mut parties: Vec<Party<'_>> = (0..self.len()).map(|at| party(self.at(at))).collect();
        let mut writers = Vec::with_capacity(choices.len());
        for choice in choices {
            let writer = choice[number % choice.len()];
            number /= choice.len();
            let new = party(&history.writers[writer as usize]);
            if parties.iter().any(|known| known.thread == new.thread) {
                return None;
            }
            parties.push(new);
            writers.push(writer);
        }
        let mut first = Vec::new();
        let (stands, witness, doubt) = loop {
            let (stands, closure) = stand(history, self.taken, &parties, &first, data)?;
            let witness = closure.times().to_vec();
            let parts: Vec<_> = (0..self.len()).map(|at| (self.at(at), stands[at])).collect();
            match history.signals.awake(&parts, &witness) {
                Awake::Nobody => break (stands, witness, closure.doubt().filter(|_| data == Data::Any)),
                // Each round adds notifications that were not yet part of the witness.
                Awake::NobodyAfter(missing) => first.extend(missing),
                Awake::Somebody => return None,
            }
        };
        let blocked = self.pattern.iter().zip(&stands);
        let blocked = blocked.map(|(acquire, instance)| Blocked { acquire: *acquire, instance: *instance });
        Some(Prediction { blocked: blocked.collect(), witness, writers, doubt })
    }

    /// For each link of the pattern that is a reader behind a reader: the requests of threads outside it to write there.
    /// `None` where there is none, so that the link cannot close.
    fn queued_writers(&self) -> Option<Vec<Vec<u32>>> {
        let mut all = Vec::new();
        for at in 0..self.len() {
            let wanted = self.at(at).wanted;
            let holder = self.at(at + 1);
            let conflicts = holder.holds(wanted.object).is_some_and(|held| held.conflicts(wanted.mode));
            if conflicts || holder.owes.contains(&wanted.object) {
                continue;
            }
            let inside = |thread: u32| (0..self.len()).any(|at| self.at(at).thread == thread);
            let writes = |(_, writer): &(usize, &AbstractAcquire)| {
                writer.wanted.object == wanted.object && !inside(writer.thread)
            };
            let writers: Vec<u32> =
                self.history.writers.iter().enumerate().filter(writes).map(|(index, _)| index as u32).collect();
            if writers.is_empty() {
                return None;
            }
            all.push(writers);
        }
        Some(all)
    }
}

fn party(acquire: &AbstractAcquire) -> Party<'_> {
    Party { thread: acquire.thread, instances: &acquire.instances }
}

/// The first instances before which all parties can stand at once, and how far each thread has run by then.
///
/// What came up to the moments of `first` is part of it.
fn stand<'a>(
    history: &History,
    taken: &'a Taken<'a>,
    parties: &[Party<'_>],
    first: &[Moment],
    data: Data,
) -> Option<(Vec<Instance>, Closure<'a>)> {
    let mut at = vec![0; parties.len()];
    let mut closure = Closure::new(taken, data);
    first.iter().for_each(|moment| closure.add(*moment));
    loop {
        closure.stands.clear();
        for (party, at) in parties.iter().zip(&at) {
            let instance = party.instances.get(*at)?;
            if history.known.as_ref().is_some_and(|known| instance.time > known[party.thread as usize]) {
                return None;
            }
            closure.add(instance.before);
            closure.stands.push((party.thread, instance.time));
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
            return Some((instances, closure));
        }
    }
}

#[cfg(test)]
#[path = "golden_tests.rs"]
mod golden_tests;

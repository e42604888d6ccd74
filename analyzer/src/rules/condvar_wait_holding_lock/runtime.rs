//! The run-time half: predicted deadlocks in which a thread waits for a notification that cannot come.
//!
//! Guarantees: one finding per set of locks and condvars, the one with the fewest threads. What was observed as a
//! deadlock over the same condvar is not reported again. Where what a lock protects may keep the threads apart, it is a note.
//!
//! Misses: see [`crate::trace::signals`].

use lockcheck_tracker::event::{Held, WaitKind};
use rustc_hash::FxHashSet;

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::rules::{Facts, PREDICTED, blocked};
use crate::trace::history::AbstractAcquire;
use crate::trace::schedule::schedule;
use crate::trace::{Prediction, Replay};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let members = replay.recording.deadlocks.iter().flat_map(|deadlock| &deadlock.members);
    let waits = members.filter(|member| member.kind == WaitKind::Condvar);
    let observed: FxHashSet<u32> = waits.map(|member| member.object).collect();
    let mut predictions: Vec<&Prediction> = replay.predictions.signals.iter().collect();
    predictions.sort_by_key(|prediction| {
        (prediction.doubt.is_some(), !prediction.writers.is_empty(), prediction.blocked.len())
    });
    let mut seen = FxHashSet::default();
    for prediction in predictions {
        let finding = finding(replay, prediction);
        let parts = prediction.blocked.iter().map(|part| acquire(replay, part.acquire).wanted.object);
        if !parts.into_iter().any(|object| observed.contains(&object)) && seen.insert(finding.fingerprint) {
            out.push(finding);
        }
    }
}

fn acquire(replay: &Replay, index: u32) -> &AbstractAcquire {
    &replay.history.signals.acquires[index as usize]
}

fn finding(replay: &Replay, prediction: &Prediction) -> Finding {
    let (recording, history) = (&replay.recording, &replay.history);
    let name = |object: u32| format!("`{}`", replay.names.object(recording, object));
    let is_signal = |wanted: &Held| history.signals.is_signal(wanted.object);
    let parts = &prediction.blocked;
    let (mut sides, mut threads, mut related, mut primary) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut held_by_waiter = None;
    for (at, part) in parts.iter().enumerate() {
        let own = acquire(replay, part.acquire);
        let before = acquire(replay, parts[(at + parts.len() - 1) % parts.len()].acquire).wanted;
        let who = history.actor(recording, own.thread);
        let kept = history.stack(&part.instance).iter().find(|held| held.object == before.object);
        let (keeps, mut steps) = match kept {
            Some(held) => (format!("holds {}", name(held.object)), vec![blocked::held_location(replay, held)]),
            None => (format!("is to notify {}", name(before.object)), Vec::new()),
        };
        let awaited = match is_signal(&own.wanted) {
            true => format!("waits for a notification of {}", name(own.wanted.object)),
            false => format!("waits for {}", name(own.wanted.object)),
        };
        sides.push(format!("{who} {keeps} and {awaited}"));
        let place = blocked::held_location(replay, &own.wanted);
        steps.push(Location { label: awaited.clone(), ..place.clone() });
        related.extend(kept.map(|held| {
            let held = blocked::held_location(replay, held);
            Location { label: format!("{who} {}", held.label), ..held }
        }));
        let shown = Location { label: format!("{who} {awaited}"), ..place };
        if is_signal(&own.wanted) && primary.is_none() {
            held_by_waiter = kept.map(|held| held.object);
            primary = Some(shown);
        } else {
            related.push(shown);
        }
        threads.push(ThreadPath { name: who, steps });
    }
    let keys: Vec<String> =
        parts.iter().map(|part| replay.names.key(recording, acquire(replay, part.acquire).wanted.object)).collect();
    let help = match held_by_waiter {
        Some(lock) => format!("drop the guard of {} before waiting, and take it again afterwards", name(lock)),
        None => "notify before waiting for the other notification".to_owned(),
    };
    let in_doubt = prediction.doubt.is_some();
    let outcome = prediction.doubt.map_or(PREDICTED.to_owned(), |lock| blocked::doubt(replay, lock));
    Finding {
        rule: RULE.id,
        level: if in_doubt { Level::Note } else { RULE.level },
        confidence: if in_doubt { Confidence::Low } else { Confidence::High },
        evidence: if in_doubt { Evidence::Possible } else { Evidence::Predicted },
        message: format!("{}; {outcome}", blocked::list(&sides)),
        help,
        locks: parts.iter().map(|part| blocked::info(replay, acquire(replay, part.acquire).wanted.object)).collect(),
        primary: primary.unwrap_or_default(),
        related,
        threads,
        pool: None,
        schedule: schedule(recording, &replay.names, history, &history.signals.acquires, prediction),
        fingerprint: Fingerprint::new(RULE.id, &keys, &[]),
    }
}

//! The run-time half: predicted deadlocks of the recorded run, and the cycles of its lock graph.
//!
//! Guarantees: one finding per cycle of lock classes, the surest and shortest one: predicted before possible. What
//! was observed as a deadlock is not reported again. A cycle that prediction looked at and could not reach in any
//! schedule that it knows is a warning, not an error. So is a cycle between instances of the same classes that were not
//! the same locks in this run. Where what another lock protects may keep the sides apart, as a flag that one of them polls, it is a
//! note. A cycle of readers is one only where somebody writes.
//!
//! Misses: see [`crate::trace::predict`].

use lockcheck_tracker::event::Held;
use rustc_hash::FxHashSet;

use super::super::Facts;
use super::super::blocked::{self, Cause};
use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ScheduleStep, ThreadPath};
use crate::graph::LockGraph;
use crate::graph::compatible::{KeptOut, weakest_link};
use crate::graph::cycles::Cycle;
use crate::trace::schedule::schedule;
use crate::trace::{Replay, names};

/// Further places shown with a finding.
const FURTHER: usize = 8;

/// One side of a cycle: the thread (by index) holds `held` and requests `wanted`.
#[derive(Clone, Copy)]
struct Side {
    thread: u32,
    held: Held,
    wanted: Held,
}

struct Inversion {
    sides: Vec<Side>,
    evidence: Evidence,
    needs_queued_writer: bool,
    /// Whether the sides fit together only as lock classes, not as locks.
    by_class: bool,
    schedule: Vec<ScheduleStep>,
    /// Threads that wait in between to write, where they are known.
    writers: Vec<(u32, Held)>,
    /// What this lock protects may keep the sides apart.
    doubt: Option<u32>,
}

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let mut reported = observed(replay);
    let possible = possible(facts.graph, &replay.cycles, replay, false).into_iter().chain(possible(
        &replay.class_graph,
        &replay.class_cycles,
        replay,
        true,
    ));
    for inversion in predicted(replay).into_iter().chain(possible) {
        let keys: Vec<String> = inversion.sides.iter().map(|side| key(replay, side.wanted)).collect();
        let fingerprint = Fingerprint::new(RULE.id, &keys, &[]);
        if reported.insert(fingerprint) {
            out.push(finding(replay, &inversion, fingerprint));
        }
    }
}

fn key(replay: &Replay, lock: Held) -> String {
    replay.names.key(&replay.recording, lock.object)
}

/// Cycles that hung, as the fingerprints they would have here.
fn observed(replay: &Replay) -> FxHashSet<Fingerprint> {
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::Other);
    let cycles = deadlocks.filter_map(|deadlock| blocked::cycle(replay, deadlock));
    let key = |object| replay.names.key(&replay.recording, object);
    cycles
        .map(|cycle| cycle.iter().map(|member| key(member.object)).collect::<Vec<_>>())
        .map(|keys| Fingerprint::new(RULE.id, &keys, &[]))
        .collect()
}

fn predicted(replay: &Replay) -> Vec<Inversion> {
    let history = &replay.history;
    let mut found: Vec<Inversion> = Vec::new();
    for prediction in &replay.predictions.deadlocks {
        let blocked = &prediction.blocked;
        let sides = blocked.iter().enumerate().filter_map(|(at, part)| {
            let acquire = &history.acquires[part.acquire as usize];
            let before = &history.acquires[blocked[(at + blocked.len() - 1) % blocked.len()].acquire as usize];
            let held = *history.stack(&part.instance).iter().find(|held| held.object == before.wanted.object)?;
            Some(Side { thread: acquire.thread, held, wanted: acquire.wanted })
        });
        let writers = prediction.writers.iter().map(|writer| &history.writers[*writer as usize]);
        let writers = writers.map(|writer| (writer.thread, writer.wanted)).collect();
        let needs_queued_writer = !prediction.writers.is_empty();
        let (sides, doubt) = (sides.collect(), prediction.doubt);
        let schedule = schedule(&replay.recording, &replay.names, history, &history.acquires, prediction);
        let evidence = if doubt.is_some() { Evidence::Possible } else { Evidence::Predicted };
        found.push(Inversion { sides, evidence, needs_queued_writer, by_class: false, writers, doubt, schedule });
    }
    found.sort_by_key(|inversion| (inversion.doubt.is_some(), inversion.needs_queued_writer, inversion.sides.len()));
    found
}

/// Cycles of the graph, of locks or of lock classes, that nothing recorded rules out.
fn possible(graph: &LockGraph, cycles: &[Cycle], replay: &Replay, by_class: bool) -> Vec<Inversion> {
    let history = &replay.history;
    let side = |edge, witness: usize| {
        let edge = graph.edge_at(edge);
        let witness = edge.witnesses.get(witness)?;
        let acquire = history.acquires.get(witness.origin as usize)?;
        let is_from = |held: &&Held| match graph.node_at(edge.from).instance {
            Some(from) => held.object == from,
            None => key(replay, **held) == graph.class_of(edge.from).key,
        };
        let held = *history.stack(acquire.instances.first()?).iter().find(is_from)?;
        Some(Side { thread: witness.thread, held, wanted: acquire.wanted })
    };
    let inversion = |cycle: &Cycle| {
        let sides: Vec<Side> = cycle.steps.iter().filter_map(|(edge, witness)| side(*edge, *witness)).collect();
        let weakest = weakest_link(graph, cycle);
        let closes = weakest == KeptOut::Always || (weakest == KeptOut::BehindWriter && has_writers(replay, &sides));
        let needs_queued_writer = weakest != KeptOut::Always;
        let (evidence, writers) = (Evidence::Possible, Vec::new());
        closes.then_some(Inversion {
            sides,
            evidence,
            needs_queued_writer,
            by_class,
            writers,
            doubt: None,
            schedule: Vec::new(),
        })
    };
    cycles.iter().filter_map(inversion).collect()
}

/// Whether each lock of the cycle that is only read there is written anywhere.
fn has_writers(replay: &Replay, sides: &[Side]) -> bool {
    let is_written = |lock: Held| {
        let mode = lockcheck_tracker::event::Mode::Exclusive;
        let writes = |wanted: &Held| wanted.mode == mode && key(replay, *wanted) == key(replay, lock);
        let history = &replay.history;
        history.writers.iter().chain(&history.acquires).any(|acquire| writes(&acquire.wanted))
            || history.stacks.iter().flatten().any(writes)
    };
    let next = |at: usize| &sides[(at + 1) % sides.len()];
    sides.iter().enumerate().all(|(at, side)| next(at).held.mode.conflicts(side.wanted.mode) || is_written(side.wanted))
}

fn finding(replay: &Replay, inversion: &Inversion, fingerprint: Fingerprint) -> Finding {
    let recording = &replay.recording;
    let sides = &inversion.sides;
    let name = |lock: &Held| match recording.objects.get(&lock.object) {
        Some(object) if inversion.by_class => format!("`{}`", replay.names.class(recording, object.class)),
        _ => format!("`{}`", replay.names.object(recording, lock.object)),
    };
    let orders: Vec<String> = sides
        .iter()
        .map(|side| {
            format!(
                "{} takes {} then {}",
                replay.history.actor(recording, side.thread),
                name(&side.held),
                name(&side.wanted)
            )
        })
        .collect();
    let outcome = match inversion.evidence {
        Evidence::Predicted => crate::rules::PREDICTED.to_owned(),
        _ if let Some(lock) = inversion.doubt => blocked::doubt(replay, lock),
        _ if inversion.by_class => "on the same instances they may deadlock".to_owned(),
        _ => "they may deadlock".to_owned(),
    };
    let writer = if inversion.needs_queued_writer { " while a writer waits in between" } else { "" };
    let message = format!("lock order inversion: {}; {outcome}{writer}", blocked::list(&orders));
    let place = |side: &Side, lock: &Held| {
        let location = blocked::held_location(replay, lock);
        Location { label: format!("{} {}", replay.history.actor(recording, side.thread), location.label), ..location }
    };
    let threads: Vec<ThreadPath> = sides
        .iter()
        .map(|side| ThreadPath {
            name: replay.history.actor(recording, side.thread),
            steps: vec![
                blocked::held_location(replay, &side.held),
                Location {
                    label: format!("waits for {} while it holds {}", name(&side.wanted), name(&side.held)),
                    ..blocked::held_location(replay, &side.wanted)
                },
            ],
        })
        .chain(inversion.writers.iter().map(|(thread, lock)| ThreadPath {
            name: replay.history.actor(recording, *thread),
            steps: vec![Location {
                label: format!("waits to write {}", name(lock)),
                ..blocked::held_location(replay, lock)
            }],
        }))
        .collect();
    let primary = sides.first().map(|side| place(side, &side.wanted)).unwrap_or_default();
    let mut related: Vec<Location> = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        related.push(place(side, &side.held));
        if at > 0 {
            related.push(place(side, &side.wanted));
        }
    }
    further(replay, sides, &mut related);
    let mut order: Vec<&Held> = sides.iter().map(|side| &side.wanted).collect();
    order.sort_by_key(|lock| lock.object);
    let order: Vec<String> = order.into_iter().map(name).collect();
    Finding {
        rule: RULE.id,
        level: level(replay, inversion),
        confidence: match inversion.evidence {
            Evidence::Predicted => Confidence::High,
            _ if inversion.by_class || inversion.doubt.is_some() => Confidence::Low,
            _ => Confidence::Medium,
        },
        evidence: inversion.evidence,
        message,
        help: format!("take the locks in one order everywhere, for example {}", order.join(" before ")),
        locks: sides.iter().map(|side| blocked::info(replay, side.held.object)).collect(),
        primary,
        related,
        threads,
        pool: None,
        schedule: inversion.schedule.clone(),
        fingerprint,
    }
}

fn level(replay: &Replay, inversion: &Inversion) -> Level {
    if inversion.doubt.is_some() {
        return Level::Note;
    }
    let refuted = inversion.evidence == Evidence::Possible && replay.has_events();
    if inversion.needs_queued_writer || inversion.by_class || refuted { Level::Warn } else { RULE.level }
}

/// Other places that take two of these locks one after the other, so that the prevailing order can be seen.
fn further(replay: &Replay, sides: &[Side], related: &mut Vec<Location>) {
    let classes: FxHashSet<String> = sides.iter().map(|side| key(replay, side.wanted)).collect();
    let shown: FxHashSet<(u32, u32)> = sides.iter().map(|side| (side.held.site, side.wanted.site)).collect();
    let mut seen: FxHashSet<(u32, u32)> = FxHashSet::default();
    for acquire in replay.history.acquires.iter().filter(|acquire| classes.contains(&key(replay, acquire.wanted))) {
        let Some(instance) = acquire.instances.first() else { continue };
        for held in replay.history.stack(instance) {
            let sites = (held.site, acquire.wanted.site);
            if seen.len() >= FURTHER
                || !classes.contains(&key(replay, *held))
                || shown.contains(&sites)
                || !seen.insert(sites)
            {
                continue;
            }
            let name = |object| replay.names.object(&replay.recording, object);
            let label = format!("also takes `{}` while `{}` is held", name(acquire.wanted.object), name(held.object));
            related.push(names::location(&replay.recording, acquire.wanted.site, label));
        }
    }
}

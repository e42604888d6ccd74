//! The static half: cycles of the lock graph over lock classes.
//!
//! Guarantees: a cycle is reported once, with one witness per side; it is no finding where a common lock keeps the
//! sides apart, or where more than one lock is only read, or one is in
//! a function that takes elements of a collection in both orders; a cycle that needs a queued writer, test code, a call with
//! several possible targets, two objects where the sources keep one behind a lock or, among more than two locks, a
//! registered callback is a note; with a callback it is a warning otherwise.

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Notice, NoticeKind, ThreadPath};
use crate::graph::compatible::{KeptOut, kept_out, no_common_gate, weakest_link};
use crate::graph::cycles::{Cycle, Limits, cycles, linked_cycles};
use crate::graph::{LockGraph, NodeId, OrderEdge, Witness};
use crate::regions::place::Root;
use crate::regions::{Pair, Regions, Side, Task};
use crate::rules::{Facts, wording};

/// Further places shown per finding.
const MOST_FURTHER: usize = 8;

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let limits = Limits { length: 4, cycles: 2_000 };
    let overlap = |a: &Witness, b: &Witness| no_common_gate(a, b) && !(a.test && b.test) && can_overlap(regions, a, b);
    let sure = |witness: &Witness| !witness.test && witness.confidence != Confidence::Low;
    let surely = |a: &Witness, b: &Witness| sure(a) && sure(b) && !are_of_one_object(regions, a, b) && overlap(a, b);
    // Of the witnesses of one ring those count that leave the least doubt, wherever they were met.
    let strong = linked_cycles(facts.graph, limits, KeptOut::Always, &surely);
    let search = cycles(facts.graph, limits, &overlap);
    if let Some(limit) = &search.truncated {
        let message = format!("not every cycle of the lock graph was looked at: {limit}");
        facts.notices.borrow_mut().push(Notice { kind: NoticeKind::Truncated, file: None, line: None, message });
    }
    // A ring with a shorter cycle among its locks says nothing new: mending that one breaks it.
    let mut reported: Vec<Vec<NodeId>> = Vec::new();
    for cycle in strong.cycles.iter().chain(&search.cycles) {
        // Two locks that both sides only read would need two queued writers at once.
        if shared_links(facts.graph, cycle) > 1 {
            continue;
        }
        let nodes: Vec<NodeId> = cycle.steps.iter().map(|(edge, _)| facts.graph.edge_at(*edge).from).collect();
        if reported.iter().any(|known| known.iter().all(|node| nodes.contains(node))) {
            continue;
        }
        out.push(finding(facts.graph, regions, cycle));
        reported.push(nodes);
    }
}

/// Whether two sides are methods on `&mut self` of one type, of which there seems to be one object behind a lock.
fn are_of_one_object(regions: &Regions, a: &Witness, b: &Witness) -> bool {
    let behind = |witness: &Witness| regions.pairs.get(witness.origin as usize).and_then(|pair| pair.behind);
    behind(a).is_some() && behind(a) == behind(b)
}

/// How many locks of a cycle are only read on both sides.
fn shared_links(graph: &LockGraph, cycle: &Cycle) -> usize {
    let witness = |at: usize| {
        let (edge, witness) = cycle.steps[at % cycle.steps.len()];
        &graph.edge_at(edge).witnesses[witness]
    };
    let weak = |at: &usize| kept_out(witness(at + 1).held.mode, witness(*at).wanted.mode) != KeptOut::Always;
    (0..cycle.steps.len()).filter(weak).count()
}

/// Whether two sides of one function can run at once. Every call has variables of its own, so locks in variables are
/// only shared with threads that this very call spawned, while those run. Who writes both orders side by side, over
/// elements of a collection, means two elements: with a lock that is only read, which needs a queued writer besides, it
/// is too much to ask.
fn can_overlap(regions: &Regions, a: &Witness, b: &Witness) -> bool {
    let (Some(a), Some(b)) = (regions.pairs.get(a.origin as usize), regions.pairs.get(b.origin as usize)) else {
        return true;
    };
    let one_of_many = |pair: &Pair| pair.held.class.as_ref().is_some_and(|class| class.many);
    let only_read = |wanted: &Pair, held: &Pair| kept_out(held.held.mode, wanted.wanted.mode) != KeptOut::Always;
    if a.body == b.body && (one_of_many(a) || one_of_many(b)) && (only_read(a, b) || only_read(b, a)) {
        return false;
    }
    // A function that walks down values that contain each other, either way round, takes each before what it contains.
    let key = |side: &Side| side.class.as_ref().map(|class| class.key.clone());
    let is_inside = |pair: &Pair| pair.wanted.place.is_inside(&pair.held.place);
    if a.body == b.body
        && is_inside(a)
        && is_inside(b)
        && key(&a.held) == key(&b.wanted)
        && key(&a.wanted) == key(&b.held)
    {
        return false;
    }
    let own = |pair: &Pair| {
        [&pair.held, &pair.wanted].iter().all(|side| matches!(side.place.root, Root::Local(..)) && side.is_local())
    };
    if a.body != b.body || !own(a) || !own(b) {
        return true;
    }
    let span = |pair: &Pair| pair.task.and_then(|task| regions.tasks.get(task));
    let during = |pair: &Pair, task: &Task| task.spawned < pair.step && task.joined.is_none_or(|end| pair.step < end);
    match (span(a), span(b)) {
        (None, None) => false,
        (Some(one), Some(other)) => {
            let before = |a: &Task, b: &Task| a.joined.is_some_and(|end| end < b.spawned);
            (a.task != b.task || one.many) && !before(one, other) && !before(other, one)
        }
        (Some(task), None) => during(b, task),
        (None, Some(task)) => during(a, task),
    }
}

/// Whether the wanted lock is that of a registered callback.
fn through_callback(regions: &Regions, witness: &Witness) -> bool {
    regions.pairs.get(witness.origin as usize).is_some_and(|pair| pair.callback)
}

fn finding(graph: &LockGraph, regions: &Regions, cycle: &Cycle) -> Finding {
    let sides: Vec<(&OrderEdge, &Witness)> = cycle
        .steps
        .iter()
        .map(|(edge, witness)| {
            let edge = graph.edge_at(*edge);
            (edge, &edge.witnesses[*witness])
        })
        .collect();
    let confidence = sides.iter().map(|(_, witness)| witness.confidence).min().unwrap_or(Confidence::Low);
    let callback = sides.iter().any(|(_, witness)| through_callback(regions, witness));
    let level = if confidence == Confidence::Low
        // A ring of three whose callbacks may not be there: too much to ask.
        || callback && sides.len() > 2
        || weakest_link(graph, cycle) != KeptOut::Always
        || sides.iter().enumerate().any(|(at, (_, side))| {
            sides[..at].iter().any(|(_, other)| are_of_one_object(regions, side, other))
        })
        || sides.iter().any(|(_, witness)| witness.test)
    {
        Level::Note
    } else if callback {
        // Which callbacks are registered when the locks are taken is not known.
        Level::Warn
    } else {
        Level::Deny
    };
    let info = |side: &(&OrderEdge, &Witness)| graph.class_of(side.0.from).info.clone();
    let locks: Vec<_> = sides.iter().map(info).collect();
    let names: Vec<String> = locks.iter().map(|lock| format!("`{}`", lock.name)).collect();
    let message = match &names[..] {
        [a, b] => format!(
            "{a} and {b} are taken in opposite orders, in {} and {}",
            sides[0].1.thread_name, sides[1].1.thread_name
        ),
        _ => format!("{} are taken in a circle", names.join(", ")),
    };
    let threads: Vec<ThreadPath> = sides.iter().map(|side| path(graph, side)).collect();
    let all: Vec<_> = threads.iter().flat_map(|thread| thread.steps.iter().cloned()).collect();
    let primary = match sides.first() {
        Some((edge, witness)) => {
            let (class, held) = (graph.class_of(edge.to), graph.class_of(edge.from));
            let label = format!("`{}` wanted while `{}` is held", class.info.name, held.info.name);
            // The place to look at is in the function where both meet: the call, where the lock is taken deeper down.
            let way = regions.pairs.get(witness.origin as usize).and_then(|pair| pair.wanted.way.first());
            wording::at(way.unwrap_or(&witness.wanted.site), label)
        }
        None => crate::finding::Location::default(),
    };
    let mut related: Vec<_> = all
        .into_iter()
        .filter(|step| {
            *step != primary && (step.line, step.column) != (primary.line, primary.column) || step.file != primary.file
        })
        .collect();
    for (_, witness) in &sides {
        let pair = regions.pairs.get(witness.origin as usize);
        for shared in pair.iter().flat_map(|pair| [&pair.held.shared, &pair.wanted.shared]).flatten() {
            if !related.contains(&shared.at) {
                related.push(shared.at.clone());
            }
        }
    }
    related.extend(further(graph, &sides));
    let keys: Vec<String> = sides.iter().map(|(edge, _)| graph.class_of(edge.from).key.clone()).collect();
    let functions =
        wording::functions(sides.iter().flat_map(|(_, witness)| [&witness.held.site, &witness.wanted.site]));
    Finding {
        rule: super::RULE.id,
        level,
        confidence,
        evidence: Evidence::Static,
        help: match &names[..] {
            [a, b] => format!("take {a} before {b} everywhere, or end the first guard before the second lock"),
            _ => format!("take {} in one order everywhere", names.join(", ")),
        },
        message,
        locks,
        primary,
        related,
        threads,
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(super::RULE.id, &keys, &functions),
    }
}

fn path(graph: &LockGraph, (edge, witness): &(&OrderEdge, &Witness)) -> ThreadPath {
    let (from, to) = (&graph.class_of(edge.from).info, &graph.class_of(edge.to).info);
    let held = wording::mode_taken(witness.held.mode, &from.kind);
    let wanted = wording::mode_taken(witness.wanted.mode, &to.kind);
    let mut steps = vec![wording::at(&witness.held.site, format!("`{}` {held} here", from.name))];
    steps.extend(wording::calls(&witness.calls, &witness.wanted.site));
    steps.push(wording::at(&witness.wanted.site, format!("then `{}` {wanted} here", to.name)));
    ThreadPath { name: witness.thread_name.clone(), steps }
}

/// Other places that take the same locks in either order, so that a reader sees which order prevails.
fn further(graph: &LockGraph, sides: &[(&OrderEdge, &Witness)]) -> Vec<crate::finding::Location> {
    let mut out: Vec<crate::finding::Location> = Vec::new();
    for (edge, chosen) in sides {
        let (from, to) = (&graph.class_of(edge.from).info.name, &graph.class_of(edge.to).info.name);
        let others = edge.witnesses.iter().filter(|witness| witness.wanted.site != chosen.wanted.site);
        for witness in others.take(MOST_FURTHER / sides.len().max(1)) {
            let first = wording::at(&witness.held.site, format!("`{from}` here, in {}", witness.thread_name));
            let then = wording::at(&witness.wanted.site, format!("and then `{to}` here, in {}", witness.thread_name));
            for spot in [first, then] {
                if !out
                    .iter()
                    .any(|known| (known.line, known.column, &known.file) == (spot.line, spot.column, &spot.file))
                {
                    out.push(spot);
                }
            }
        }
    }
    out
}

//! The cycle search against brute force on small random graphs, and on graphs too large for it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::compatible::{KeptOut, distinct_threads, kept_out, no_common_gate};
use super::*;
use crate::finding::{Confidence, Location, LockInfo};
use crate::graph::{Acquisition, Gate, LockClass, LockMode, Node};

const MODES: [LockMode; 4] = [LockMode::Exclusive, LockMode::Shared, LockMode::SharedRecursive, LockMode::Upgradable];

/// A witness in short: edge ends, thread, modes held and wanted, one further lock held exclusively.
type Short = (u32, u32, u32, usize, usize, u32);

fn node(graph: &mut LockGraph, number: u32) -> NodeId {
    let name = format!("lock{number:06}");
    let info = LockInfo { name: name.clone(), kind: String::new(), file: String::new(), line: 0, column: 0 };
    let class = graph.class(LockClass { key: name, info, identity: Confidence::High });
    graph.node(Node { class, instance: None })
}

fn add(graph: &mut LockGraph, (from, to, thread, held, wanted, gate): Short) {
    let (from, to, gate) = (node(graph, from), node(graph, to), node(graph, gate));
    let taken = |mode: usize| Acquisition { mode: MODES[mode], site: Location::default() };
    let witness = Witness {
        thread,
        thread_name: String::new(),
        held: taken(held),
        calls: Vec::new(),
        wanted: taken(wanted),
        gates: vec![Gate { node: from, mode: MODES[held] }, Gate { node: gate, mode: LockMode::Exclusive }],
        confidence: Confidence::High,
        test: false,
        origin: 0,
    };
    graph.edge(from, to, witness);
}

fn compatible(a: &Witness, b: &Witness) -> bool {
    distinct_threads(a, b) && no_common_gate(a, b)
}

/// Every simple cycle for which some choice of witnesses fits, as a set of edges: tries all paths and all choices.
fn brute_force(graph: &LockGraph) -> BTreeSet<Vec<u32>> {
    fn fits(choice: &[&Witness]) -> bool {
        (0..choice.len()).all(|at| {
            let next = choice[(at + 1) % choice.len()];
            kept_out(next.held.mode, choice[at].wanted.mode) != KeptOut::Never
                && choice[at + 1..].iter().all(|other| compatible(choice[at], other))
        })
    }
    fn choices<'a>(graph: &'a LockGraph, edges: &[EdgeId], chosen: &mut Vec<&'a Witness>) -> bool {
        let Some(edge) = edges.get(chosen.len()) else { return fits(chosen) };
        graph.edge_at(*edge).witnesses.iter().any(|witness| {
            chosen.push(witness);
            let found = choices(graph, edges, chosen);
            chosen.pop();
            found
        })
    }
    fn extend(graph: &LockGraph, path: &mut Vec<EdgeId>, nodes: &mut Vec<NodeId>, out: &mut BTreeSet<Vec<u32>>) {
        for (id, edge) in graph.edges() {
            if edge.from != nodes[nodes.len() - 1] {
                continue;
            }
            path.push(id);
            if edge.to == nodes[0] && path.len() > 1 {
                if choices(graph, path, &mut Vec::new()) {
                    let mut set: Vec<u32> = path.iter().map(|edge| edge.0).collect();
                    set.sort_unstable();
                    out.insert(set);
                }
            } else if !nodes.contains(&edge.to) {
                nodes.push(edge.to);
                extend(graph, path, nodes, out);
                nodes.pop();
            }
            path.pop();
        }
    }
    let mut out = BTreeSet::new();
    for start in 0..graph.node_count() {
        extend(graph, &mut Vec::new(), &mut vec![NodeId(start as u32)], &mut out);
    }
    out
}

/// Checks that each reported cycle is what the search promises, and gives the sets of edges.
fn verified(graph: &LockGraph, search: &CycleSearch) -> BTreeSet<Vec<u32>> {
    let mut sets = BTreeSet::new();
    for cycle in &search.cycles {
        let witness = |at: usize| {
            let (edge, index) = cycle.steps[at % cycle.steps.len()];
            &graph.edge_at(edge).witnesses[index]
        };
        for (at, (edge, _)) in cycle.steps.iter().enumerate() {
            let next = cycle.steps[(at + 1) % cycle.steps.len()].0;
            assert_eq!(graph.edge_at(*edge).to, graph.edge_at(next).from);
            assert_ne!(kept_out(witness(at + 1).held.mode, witness(at).wanted.mode), KeptOut::Never);
            assert!((at + 1..cycle.steps.len()).all(|other| compatible(witness(at), witness(other))));
        }
        let key = |edge: EdgeId| &graph.class_of(graph.edge_at(edge).from).key;
        assert!(cycle.steps.iter().all(|step| key(cycle.steps[0].0) <= key(step.0)), "begins at the smallest key");
        let mut set: Vec<u32> = cycle.steps.iter().map(|step| step.0.0).collect();
        set.sort_unstable();
        assert!(sets.insert(set), "each cycle once");
    }
    assert!(search.cycles.is_sorted_by_key(|cycle| cycle.steps.len()), "shortest first");
    sets
}

proptest! {
    #[test]
    fn finds_exactly_the_cycles_that_brute_force_finds(
        witnesses in proptest::collection::vec((0..5u32, 0..5u32, 0..4u32, 0..4usize, 0..4usize, 5..9u32), 0..14)
    ) {
        let mut graph = LockGraph::default();
        witnesses.into_iter().for_each(|short| add(&mut graph, short));
        let search = cycles(&graph, Limits::default(), &compatible);
        prop_assert_eq!(&search.truncated, &None);
        prop_assert_eq!(verified(&graph, &search), brute_force(&graph));
    }
}

fn ring(length: u32) -> LockGraph {
    let mut graph = LockGraph::default();
    (0..length).for_each(|at| add(&mut graph, (at, (at + 1) % length, at, 0, 0, length + at)));
    graph
}

#[test]
fn a_ring_longer_than_the_limit_is_still_found_and_said_to_be_an_exception() {
    let search = cycles(&ring(12), Limits::default(), &compatible);
    assert_eq!(search.cycles.len(), 1);
    assert_eq!(search.cycles[0].steps.len(), 12);
    assert!(search.truncated.is_some());
}

#[test]
fn a_ring_of_100000_locks_overflows_nothing_and_is_named() {
    let search = cycles(&ring(100_000), Limits::default(), &compatible);
    assert!(search.cycles.is_empty());
    assert_eq!(search.truncated.as_deref(), Some("a cycle of 100000 edges was too long to be checked"));
}

#[test]
fn a_complete_graph_stops_at_the_limit_and_says_so() {
    let mut graph = LockGraph::default();
    for from in 0..40 {
        (0..40)
            .filter(|to| *to != from)
            .for_each(|to| add(&mut graph, (from, to, from * 40 + to, 0, 0, from * 40 + to + 50)));
    }
    let search = cycles(&graph, Limits { length: 8, cycles: 100 }, &compatible);
    assert_eq!(search.cycles.len(), 100);
    assert!(search.cycles.iter().all(|cycle| cycle.steps.len() == 2));
    assert_eq!(search.truncated.as_deref(), Some("the search for cycles stopped after 100 cycles"));
}

#[test]
fn one_thread_alone_and_a_common_gate_make_no_cycle() {
    let mut graph = LockGraph::default();
    add(&mut graph, (0, 1, 1, 0, 0, 7));
    add(&mut graph, (1, 0, 1, 0, 0, 8));
    add(&mut graph, (1, 0, 2, 0, 0, 7));
    assert!(cycles(&graph, Limits::default(), &compatible).cycles.is_empty());
    add(&mut graph, (1, 0, 2, 0, 0, 8));
    assert_eq!(cycles(&graph, Limits::default(), &compatible).cycles[0].steps, [(EdgeId(0), 0), (EdgeId(1), 2)]);
}

//! Pictures of small graphs.

use super::*;
use crate::finding::{Confidence, LockInfo};
use crate::graph::{Acquisition, LockClass, LockMode, Node};

pub(crate) fn graph(edges: &[(&str, &str)]) -> LockGraph {
    let mut graph = LockGraph::default();
    let node = |graph: &mut LockGraph, name: &str| {
        let info = LockInfo { name: name.into(), kind: "Mutex".into(), file: "a.rs".into(), line: 1, column: 1 };
        let class = graph.class(LockClass { key: name.into(), info, identity: Confidence::High });
        graph.node(Node { class, instance: None })
    };
    for (at, (from, to)) in edges.iter().enumerate() {
        let (from, to) = (node(&mut graph, from), node(&mut graph, to));
        let site = |line| Location { file: "a.rs".into(), line, column: 1, ..Location::default() };
        let taken = |line| Acquisition { mode: LockMode::Exclusive, site: site(line) };
        let witness = Witness {
            thread: at as u32,
            thread_name: format!("`f{at}`"),
            held: taken(at as u32 * 2 + 1),
            calls: Vec::new(),
            wanted: taken(at as u32 * 2 + 2),
            gates: Vec::new(),
            confidence: Confidence::High,
            test: false,
            origin: 0,
        };
        graph.edge(from, to, witness);
    }
    graph
}

fn picture(edges: &[(&str, &str)]) -> Picture {
    Picture::new(&graph(edges), &|_| None)
}

#[test]
fn cycles_are_listed_and_their_locks_share_a_ring() {
    let picture = picture(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d")]);
    let rings: Vec<_> = picture.locks.iter().map(|lock| (lock.name.as_str(), lock.ring)).collect();
    assert_eq!(rings, [("a", Some(0)), ("b", Some(0)), ("c", None), ("d", None)]);
    assert_eq!(picture.cycles, [[0, 1]]);
    assert_eq!(picture.edges.iter().map(|edge| edge.cyclic).collect::<Vec<_>>(), [true, true, false, false]);
    let small = picture.cycles_only();
    assert_eq!((small.locks.len(), small.edges.len(), small.cycles.as_slice()), (2, 2, [vec![0, 1]].as_slice()));
}

#[test]
fn the_order_follows_the_edges_and_is_that_of_names_where_they_leave_it_open() {
    let named = |edges: &[(&str, &str)]| {
        let picture = picture(edges);
        picture.order().into_iter().map(|at| picture.locks[at].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(named(&[("c", "b"), ("b", "z"), ("c", "a")]), ["c", "a", "b", "z"]);
    let cyclic = named(&[("a", "b"), ("b", "c"), ("c", "a")]);
    assert_eq!(cyclic.len(), 3, "every lock has a place");
    assert_eq!(named(&[]), Vec::<String>::new());
}

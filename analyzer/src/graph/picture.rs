//! A lock graph as plain data to draw: locks, order edges with their witnesses, and the cycles among them.
//!
//! Guarantees: numbers are places in the lists beside them; locks and edges keep the graph's order, so the same graph
//! gives the same picture; which locks lie on a common cycle is exact, whatever limit the list of cycles hits.
//!
//! Misses: what rules know beyond order (gates are looked at, forks and joins are not): a cycle here is no finding.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use serde::Serialize;

use super::compatible::no_common_gate;
use super::cycles::{Limits, cycles};
use super::{LockGraph, NodeId, Witness};
use crate::finding::Location;

/// Cycles that are listed.
const LIMITS: Limits = Limits { length: 6, cycles: 200 };
/// Witnesses kept per edge.
const MOST_WITNESSES: usize = 4;

/// The graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The nodes.
    pub locks: Vec<PictureLock>,
    /// `to` was wanted while `from` was held.
    pub edges: Vec<PictureEdge>,
    /// Each a list of edges, shortest first.
    pub cycles: Vec<Vec<usize>>,
    /// The limit that the list of cycles hit, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<String>,
}

/// A lock of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PictureLock {
    /// As reports show it.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Where it is declared or made; empty where unknown.
    pub file: String,
    /// Line of that place, 0 where unknown.
    pub line: u32,
    /// Locks with the same number can all be reached from each other; `None` where a lock is on no cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<usize>,
}

/// An order edge of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PictureEdge {
    /// The held lock.
    pub from: usize,
    /// The wanted lock.
    pub to: usize,
    /// It leads back to where it comes from.
    pub cyclic: bool,
    /// Who does it; at least one, at most four.
    pub witnesses: Vec<PictureWitness>,
}

/// A way to an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PictureWitness {
    /// The function or thread.
    pub thread: String,
    /// Where the held lock was taken, as `file:line`.
    pub held: String,
    /// The calls in between.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
    /// Where the other one is wanted.
    pub wanted: String,
    /// Only in test code.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl Picture {
    /// Draws a graph. O(nodes + edges), and the search for cycles within fixed limits. `name` gives the name of a node
    /// where it is not that of its class.
    pub fn new(graph: &LockGraph, name: &dyn Fn(NodeId) -> Option<String>) -> Picture {
        let ids = || (0..graph.node_count()).map(|at| NodeId(at as u32));
        let rings = rings(graph);
        let locks = ids().map(|id| {
            let info = &graph.class_of(id).info;
            PictureLock {
                name: name(id).unwrap_or_else(|| info.name.clone()),
                kind: info.kind.clone(),
                file: info.file.clone(),
                line: info.line,
                ring: rings[id.0 as usize],
            }
        });
        let edges = graph.edges().map(|(_, edge)| PictureEdge {
            from: edge.from.0 as usize,
            to: edge.to.0 as usize,
            cyclic: rings[edge.from.0 as usize].is_some() && rings[edge.from.0 as usize] == rings[edge.to.0 as usize],
            witnesses: edge.witnesses.iter().take(MOST_WITNESSES).map(witness).collect(),
        });
        let search = cycles(graph, LIMITS, &no_common_gate);
        let listed = search.cycles.iter().map(|cycle| cycle.steps.iter().map(|(edge, _)| edge.0 as usize).collect());
        Picture {
            locks: locks.collect(),
            edges: edges.collect(),
            cycles: listed.collect(),
            truncated: search.truncated,
        }
    }

    /// Only the locks on cycles, and the edges between them.
    pub fn cycles_only(&self) -> Picture {
        let kept: Vec<usize> = (0..self.locks.len()).filter(|at| self.locks[*at].ring.is_some()).collect();
        let place = |lock: usize| kept.binary_search(&lock).ok();
        let mut edges = Vec::new();
        let mut moved = vec![None; self.edges.len()];
        for (at, edge) in self.edges.iter().enumerate().filter(|(_, edge)| edge.cyclic) {
            let (Some(from), Some(to)) = (place(edge.from), place(edge.to)) else { continue };
            moved[at] = Some(edges.len());
            edges.push(PictureEdge { from, to, ..edge.clone() });
        }
        let cycles = self.cycles.iter().map(|cycle| cycle.iter().filter_map(|edge| moved[*edge]).collect()).collect();
        let locks = kept.iter().map(|at| self.locks[*at].clone()).collect();
        Picture { locks, edges, cycles, truncated: self.truncated.clone() }
    }

    /// An order of the locks that as many edges as possible follow, outermost first: what the code does today. Locks
    /// without an edge are left out. Ties go by name.
    pub fn order(&self) -> Vec<usize> {
        let mut plain = DiGraph::<usize, ()>::new();
        let nodes: Vec<_> = (0..self.locks.len()).map(|at| plain.add_node(at)).collect();
        for edge in &self.edges {
            plain.add_edge(nodes[edge.from], nodes[edge.to], ());
        }
        let against: rustc_hash::FxHashSet<_> =
            petgraph::algo::greedy_feedback_arc_set(&plain).map(|edge| petgraph::visit::EdgeRef::id(&edge)).collect();
        let mut waits = vec![0_usize; self.locks.len()];
        for edge in plain.edge_indices().filter(|edge| !against.contains(edge)) {
            if let Some((_, to)) = plain.edge_endpoints(edge) {
                waits[to.index()] += 1;
            }
        }
        let linked = |at: usize| plain.neighbors_undirected(nodes[at]).next().is_some();
        let mut ready: std::collections::BTreeSet<(&str, usize)> = (0..waits.len())
            .filter(|at| waits[*at] == 0 && linked(*at))
            .map(|at| (self.locks[at].name.as_str(), at))
            .collect();
        let mut out = Vec::new();
        while let Some((_, at)) = ready.pop_first() {
            out.push(at);
            for edge in plain.edges(nodes[at]) {
                let to = petgraph::visit::EdgeRef::target(&edge).index();
                if !against.contains(&petgraph::visit::EdgeRef::id(&edge)) {
                    waits[to] -= 1;
                    if waits[to] == 0 {
                        ready.insert((self.locks[to].name.as_str(), to));
                    }
                }
            }
        }
        out
    }
}

fn witness(witness: &Witness) -> PictureWitness {
    let place = |site: &Location| {
        let function = site.function.as_ref().map_or(String::new(), |name| format!(" in {name}"));
        format!("{}:{}{function}", site.file, site.line)
    };
    PictureWitness {
        thread: witness.thread_name.clone(),
        held: place(&witness.held.site),
        calls: witness.calls.iter().map(place).collect(),
        wanted: place(&witness.wanted.site),
        test: witness.test,
    }
}

/// By node: which component of more than one node it lies in, numbered from 0 in the order of their first nodes.
fn rings(graph: &LockGraph) -> Vec<Option<usize>> {
    let mut plain = DiGraph::<(), ()>::with_capacity(graph.node_count(), graph.edge_count());
    (0..graph.node_count()).for_each(|_| {
        plain.add_node(());
    });
    for (_, edge) in graph.edges() {
        plain.add_edge(edge.from.0.into(), edge.to.0.into(), ());
    }
    let mut groups: Vec<Vec<usize>> = kosaraju_scc(&plain)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(|group| group.into_iter().map(|node| node.index()).collect())
        .collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    let mut out = vec![None; graph.node_count()];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|node| out[*node] = Some(number));
    }
    out
}

#[cfg(test)]
#[path = "picture_tests.rs"]
pub(crate) mod tests;

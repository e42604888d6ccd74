//! From critical pairs to the lock graph that both passes share.
//!
//! Guarantees: an edge for every pair of locks of known, different classes; at most [`MOST_WITNESSES`] witnesses per
//! edge, code before tests, surer before less sure, in source order.
//!
//! Misses: pairs of one class; those are `double_lock` and `same_class_nesting`, not order.

use super::{Pair, Regions, Sameness, Side};
use crate::finding::{Confidence, LockInfo};
use crate::graph::{Acquisition, Gate, LockClass, LockGraph, Node, NodeId, Witness};

/// Witnesses kept per edge.
pub const MOST_WITNESSES: usize = 12;

/// Builds the graph.
pub fn lock_graph(regions: &Regions) -> LockGraph {
    let mut graph = LockGraph::default();
    let mut pairs: Vec<(usize, &Pair)> = regions
        .pairs
        .iter()
        .enumerate()
        .filter(|(_, pair)| pair.same == Sameness::Different && !pair.exclusive)
        .collect();
    pairs.sort_by_key(|(index, pair)| {
        let length = pair.held.way.len() + pair.wanted.way.len();
        (pair.test, std::cmp::Reverse(pair.confidence), length, *index)
    });
    for (index, pair) in pairs {
        let (Some(from), Some(to)) = (node(&mut graph, &pair.held, regions), node(&mut graph, &pair.wanted, regions))
        else {
            continue;
        };
        if graph.edge_between(from, to).is_some_and(|edge| edge.witnesses.len() >= MOST_WITNESSES) {
            continue;
        }
        let gates = pair
            .gates
            .iter()
            .filter_map(|(key, _, mode)| {
                let key = key.as_ref()?;
                // A gate that no edge begins or ends at cannot be in two witnesses' edges, but it can gate both.
                let class = graph.class(LockClass {
                    key: key.clone(),
                    info: LockInfo { name: key.clone(), kind: String::new(), file: String::new(), line: 0, column: 0 },
                    identity: Confidence::Medium,
                });
                Some(Gate { node: graph.node(Node { class, instance: None }), mode: *mode })
            })
            .collect();
        let witness = Witness {
            thread: pair.body,
            thread_name: format!("`{}`", pair.function),
            held: Acquisition { mode: pair.held.mode, site: pair.held.site.clone() },
            calls: pair.held.way.iter().chain(&pair.wanted.way).cloned().collect(),
            wanted: Acquisition { mode: pair.wanted.mode, site: pair.wanted.site.clone() },
            gates,
            confidence: pair.confidence,
            test: pair.test,
            origin: index as u32,
        };
        graph.edge(from, to, witness);
    }
    graph
}

fn node(graph: &mut LockGraph, side: &Side, regions: &Regions) -> Option<NodeId> {
    let class = side.class.as_ref()?;
    let class = graph.class(LockClass { key: class.key.clone(), info: side.info(regions), identity: class.identity });
    Some(graph.node(Node { class, instance: None }))
}

impl Side {
    /// The lock lies in a variable, not in a field of something.
    pub fn is_local(&self) -> bool {
        !self.place.steps.iter().any(|step| matches!(step, super::place::Step::Field(..)))
    }

    /// The lock as reports show it.
    pub fn info(&self, regions: &Regions) -> LockInfo {
        let name = self.class.as_ref().map_or_else(|| "lock".to_string(), |class| class.name.clone());
        let at = regions.declaration(self.class.as_ref().and_then(|class| class.declared));
        LockInfo { name, kind: self.kind.clone(), file: at.file, line: at.line, column: at.column }
    }
}

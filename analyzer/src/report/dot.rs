//! `dot`: the lock graph for Graphviz, escaped by petgraph.
//!
//! Misses: witnesses beyond the first of each edge.

use petgraph::dot::{Config, Dot};
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use super::clean;
use crate::graph::picture::Picture;

pub(super) fn render(picture: &Picture) -> String {
    let mut graph = DiGraph::<usize, usize>::new();
    let nodes: Vec<_> = (0..picture.locks.len()).map(|at| graph.add_node(at)).collect();
    for (at, edge) in picture.edges.iter().enumerate() {
        graph.add_edge(nodes[edge.from], nodes[edge.to], at);
    }
    let config = [Config::NodeNoLabel, Config::EdgeNoLabel];
    let edge = |_: &DiGraph<usize, usize>, edge: petgraph::graph::EdgeReference<'_, usize>| {
        let drawn = &picture.edges[*edge.weight()];
        debug_assert_eq!(drawn.from, edge.source().index());
        let label = drawn.witnesses.first().map_or("", |witness| witness.wanted.as_str());
        let colour = if drawn.cyclic { " color=red" } else { "" };
        format!("label={}{colour}", quoted(label))
    };
    let node = |_: &DiGraph<usize, usize>, (_, at): (petgraph::graph::NodeIndex, &usize)| {
        let lock = &picture.locks[*at];
        let colour = if lock.ring.is_some() { " color=red" } else { "" };
        format!("shape=box label={}{colour}", quoted(&lock.name))
    };
    format!("{:?}", Dot::with_attr_getters(&graph, &config, &edge, &node))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""))
}

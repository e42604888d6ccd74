//! A directed graph that knows, after every new edge, whether the edge lies on a cycle.
//!
//! Pearce and Kelly's dynamic topological order (JEA 2007), with every strongly connected component merged into one
//! node of the order as soon as an edge closes it, so that later edges into and inside a component are judged as well.
//!
//! Guarantees: exact; an edge that respects the order so far costs O(1), any other O(affected region · log).
//!
//! Misses: removal: an order that was seen stays seen when the lock is dropped.

use crate::raw::{List, Map, Rows};

const NONE: u32 = u32::MAX;
/// So many edges out of a node are looked through one by one.
const FEW: u32 = 8;

/// An edge, in the list of those out of one node and in that of those into another.
#[derive(Clone, Copy)]
struct Edge {
    from: u32,
    to: u32,
    next_out: u32,
    next_into: u32,
}

#[derive(Clone, Copy)]
struct Node {
    /// Union-find parent: the component's representative is its own.
    parent: u32,
    /// Next member of the component, in a ring.
    member: u32,
    /// Place in the topological order; of the representative.
    place: u32,
    out: u32,
    /// How many edges go out, as far as that matters.
    fan: u32,
    into: u32,
    ahead: u32,
    behind: u32,
}

fn key(from: u32, to: u32) -> u64 {
    u64::from(from) << 32 | u64::from(to)
}

/// The graph.
pub(crate) struct Graph {
    nodes: List<Node>,
    edges: Rows<Edge>,
    /// The edges out of nodes that have more than [`FEW`], both ends in one key.
    known: Map<()>,
    round: u32,
}

impl Graph {
    pub(crate) const fn new() -> Self {
        Graph { nodes: List::new(), edges: Rows::new(), known: Map::new(), round: 0 }
    }

    fn find(&mut self, mut node: u32) -> u32 {
        while self.nodes[node as usize].parent != node {
            let parent = self.nodes[node as usize].parent;
            self.nodes[node as usize].parent = self.nodes[parent as usize].parent;
            node = parent;
        }
        node
    }

    fn ensure(&mut self, node: u32) {
        while self.nodes.len() <= node as usize {
            let at = self.nodes.len() as u32;
            self.nodes.push(Node {
                parent: at,
                member: at,
                place: at,
                out: NONE,
                fan: 0,
                into: NONE,
                ahead: 0,
                behind: 0,
            });
        }
    }

    /// Adds the edge if it is new; tells whether both ends lie in one component, so that a cycle runs through it.
    pub(crate) fn add(&mut self, from: u32, to: u32) -> bool {
        self.ensure(from.max(to));
        if !self.is_new(from, to) {
            return self.find(from) == self.find(to);
        }
        let edge = self.edges.len() as u32;
        let next_out = std::mem::replace(&mut self.nodes[from as usize].out, edge);
        let next_into = std::mem::replace(&mut self.nodes[to as usize].into, edge);
        self.edges.push(Edge { from, to, next_out, next_into });
        let (from, to) = (self.find(from), self.find(to));
        if from == to {
            return true;
        }
        if self.nodes[from as usize].place < self.nodes[to as usize].place {
            return false;
        }
        self.reorder(from, to)
    }

    /// Whether there is no such edge yet; if so, it has to be added now.
    fn is_new(&mut self, from: u32, to: u32) -> bool {
        let Node { out, fan, .. } = self.nodes[from as usize];
        if fan > FEW {
            return self.known.add(key(from, to));
        }
        let mut edge = out;
        while edge != NONE {
            if self.edges[edge as usize].to == to {
                return false;
            }
            edge = self.edges[edge as usize].next_out;
        }
        self.nodes[from as usize].fan += 1;
        if fan == FEW {
            let mut edge = out;
            while edge != NONE {
                self.known.add(key(from, self.edges[edge as usize].to));
                edge = self.edges[edge as usize].next_out;
            }
            self.known.add(key(from, to));
        }
        true
    }

    fn reorder(&mut self, from: u32, to: u32) -> bool {
        self.round += 1;
        let ahead = self.reach(to, self.nodes[from as usize].place, true);
        let behind = self.reach(from, self.nodes[to as usize].place, false);
        let closes = self.nodes[from as usize].ahead == self.round;
        let in_cycle = |node: &Node| closes && node.ahead == node.behind;
        let mut order = List::<u32>::new();
        let mut places = List::<u32>::new();
        behind.iter().filter(|at| !in_cycle(&self.nodes[**at as usize])).for_each(|at| order.push(*at));
        let split = order.len();
        ahead.iter().filter(|at| !in_cycle(&self.nodes[**at as usize])).for_each(|at| order.push(*at));
        behind.iter().for_each(|at| places.push(self.nodes[*at as usize].place));
        for at in ahead.iter().filter(|at| !in_cycle(&self.nodes[**at as usize])) {
            places.push(self.nodes[*at as usize].place);
        }
        places.sort_unstable();
        order[..split].sort_unstable_by_key(|at| self.nodes[*at as usize].place);
        order[split..].sort_unstable_by_key(|at| self.nodes[*at as usize].place);
        if closes {
            for at in behind.iter().copied().filter(|at| *at != from) {
                if in_cycle(&self.nodes[at as usize]) {
                    // Splice the two rings of members.
                    let (a, b) = (self.nodes[from as usize].member, self.nodes[at as usize].member);
                    self.nodes[from as usize].member = b;
                    self.nodes[at as usize].member = a;
                    self.nodes[at as usize].parent = from;
                }
            }
            self.nodes[from as usize].place = places[split];
        }
        let rest = places.len() - (order.len() - split);
        for (at, node) in order.iter().enumerate() {
            let place = if at < split { places[at] } else { places[rest + at - split] };
            self.nodes[*node as usize].place = place;
        }
        closes
    }

    /// Representatives reachable from `start` along (or against) the edges without passing `bound` in the order.
    fn reach(&mut self, start: u32, bound: u32, forward: bool) -> List<u32> {
        let mut found = List::new();
        let round = self.round;
        let visit = |graph: &mut Self, node: u32, found: &mut List<u32>| {
            let node = &mut graph.nodes[node as usize];
            let mark = if forward { &mut node.ahead } else { &mut node.behind };
            let within = if forward { node.place <= bound } else { node.place >= bound };
            if *mark != round && within {
                *mark = round;
                found.push(node.parent);
            }
        };
        visit(self, start, &mut found);
        let mut next = 0;
        while next < found.len() {
            let representative = found[next];
            next += 1;
            let mut member = representative;
            loop {
                let node = self.nodes[member as usize];
                let mut edge = if forward { node.out } else { node.into };
                while edge != NONE {
                    let Edge { from, to, next_out, next_into } = self.edges[edge as usize];
                    let other = self.find(if forward { to } else { from });
                    visit(self, other, &mut found);
                    edge = if forward { next_out } else { next_into };
                }
                member = node.member;
                if member == representative {
                    break;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `to` reaches `from` over `edges`, by plain search.
    fn closes(edges: &[(u32, u32)], from: u32, to: u32) -> bool {
        let (mut open, mut seen) = (vec![to], vec![to]);
        while let Some(at) = open.pop() {
            if at == from {
                return true;
            }
            for (_, next) in edges.iter().filter(|edge| edge.0 == at) {
                if !seen.contains(next) {
                    seen.push(*next);
                    open.push(*next);
                }
            }
        }
        false
    }

    #[test]
    fn every_edge_is_judged_as_plain_search_judges_it() {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below) as u32
        };
        for round in 0..if cfg!(miri) { 5 } else { 300 } {
            let (mut graph, mut edges) = (Graph::new(), Vec::new());
            let nodes = 3 + round % 12;
            for _ in 0..40 {
                let (from, to) = (random(nodes), random(nodes));
                if from != to {
                    edges.push((from, to));
                    assert_eq!(graph.add(from, to), closes(&edges, from, to), "{edges:?}");
                }
            }
        }
    }
}

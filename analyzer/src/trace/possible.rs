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
use super::recording::Recording;
use crate::graph::compatible::{distinct_threads, no_common_gate};
use crate::graph::cycles::{CycleSearch, Limits, cycles};
use crate::graph::{LockGraph, Witness};

/// Searches a graph that [`super::order_graph`] made of the history. Threads of different processes have no lock in
/// common, whatever their classes are.
pub fn possible(graph: &LockGraph, history: &History, recording: &Recording) -> CycleSearch {
    let process = |witness: &Witness| {
        let number = history.threads.get(witness.thread as usize);
        number.and_then(|number| recording.threads.get(number)).map(|thread| thread.pid)
    };
    let known: RefCell<FxHashMap<(u32, u32), bool>> = RefCell::default();
    let concurrent = |a: &Witness, b: &Witness| {
        *known.borrow_mut().entry((a.origin, b.origin)).or_insert_with(|| {
            let acquires = (history.acquires.get(a.origin as usize), history.acquires.get(b.origin as usize));
            matches!(acquires, (Some(a), Some(b)) if history.concurrent(a, b))
        })
    };
    let compatible = |a: &Witness, b: &Witness| {
        distinct_threads(a, b) && process(a) == process(b) && no_common_gate(a, b) && concurrent(a, b)
    };
    cycles(graph, Limits::default(), &compatible)
}

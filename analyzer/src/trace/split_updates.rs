//! Atomics that a thread loads and later stores, while another thread stored in between.
//!
//! Guarantees: it happened: the numbers of the operations on the atomic tell which value was loaded, and that others were stored
//! since. A read-modify-write of the thread, or a store of its own, begins anew. One per atomic and places.
//!
//! Misses: whether what is stored follows from what was loaded, which only the source tells. Of several loads of one value by one
//! thread, the recording has the first, so the place of the load may be an earlier one.

use lockcheck_tracker::event::{ObjectKind, Op};
use rustc_hash::{FxHashMap, FxHashSet};

use super::order::Ordered;
use super::recording::Recording;

/// An operation on an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Thread number.
    pub thread: u32,
    /// Where.
    pub site: u32,
}

/// A store over a store that came after the thread's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitUpdate {
    /// The atomic.
    pub atomic: u32,
    /// The load.
    pub load: Operation,
    /// The other thread's last store.
    pub between: Operation,
    /// The store over it.
    pub store: Operation,
}

const MOST: usize = 1_000;

/// All of a run, in the order in which they happened. O(events).
pub fn split_updates(recording: &Recording, ordered: &Ordered) -> Vec<SplitUpdate> {
    let is_atomic = |id: u32| recording.objects.get(&id).is_some_and(|object| object.kind == ObjectKind::Atomic);
    let mut found = Vec::new();
    if !ordered.has(&[Op::Write]) || !recording.objects.values().any(|object| object.kind == ObjectKind::Atomic) {
        return found;
    }
    // By atomic and thread: its last load, with the number of the value.
    let mut loads: FxHashMap<(u32, u32), (u32, Operation)> = FxHashMap::default();
    // By atomic: the last store, with its number.
    let mut stores: FxHashMap<u32, (u32, Operation)> = FxHashMap::default();
    let mut seen: FxHashSet<(u32, u32, u32)> = FxHashSet::default();
    for (thread, event) in ordered.events() {
        let op = match event.op() {
            Some(op @ (Op::Read | Op::Write | Op::ReadWrite)) if is_atomic(event.object) => op,
            _ => continue,
        };
        let number = ordered.threads.get(thread as usize).copied().unwrap_or(0);
        let own = Operation { thread: number, site: event.site };
        if op == Op::Read {
            loads.insert((event.object, thread), (event.seq, own));
            continue;
        }
        let load = loads.remove(&(event.object, thread));
        let between = stores.insert(event.object, (event.seq, own));
        if let (Op::Write, Some((seen_at, load)), Some((stored_at, between))) = (op, load, between)
            && seen_at < stored_at
            && between.thread != number
            && found.len() < MOST
            && seen.insert((event.object, load.site, own.site))
        {
            found.push(SplitUpdate { atomic: event.object, load, between, store: own });
        }
    }
    found
}

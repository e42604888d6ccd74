//! Ready-made answers to "can these two witnesses be there at once?", for the predicate of [`super::cycles::cycles`].
//!
//! Guarantees: each function is one of the classic conditions on a cycle of the lock graph (generalised Goodlock:
//! Agarwal, Wang and Stoller, PADTAD 2005; strong paths over read locks: Linux lockdep-design). All are symmetric
//! in their two witnesses, except [`kept_out`], which is asked along the cycle.
//!
//! Misses: order by fork, join and notify, which only a pass that recorded it can know; the caller adds that.

use super::cycles::Cycle;
use super::{LockGraph, LockMode, Witness};

/// Whether two different threads take part. A thread does not wait for itself through another lock.
pub fn distinct_threads(a: &Witness, b: &Witness) -> bool {
    a.thread != b.thread
}

/// Whether no lock that both hold keeps them apart: a common lock does so unless both merely read it.
pub fn no_common_gate(a: &Witness, b: &Witness) -> bool {
    !a.gates.iter().any(|gate| b.gates.iter().any(|other| gate.node == other.node && gate.mode.conflicts(other.mode)))
}

/// Whether a holder keeps a request out. The order is from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeptOut {
    /// Never: both share the lock, and the request does not queue behind writers.
    Never,
    /// Only while a writer waits in between: `std` and `parking_lot` may let a queued writer hold back new readers.
    BehindWriter,
    /// Always.
    Always,
}

/// Whether a lock held in `held` keeps out a request in `wanted`.
pub fn kept_out(held: LockMode, wanted: LockMode) -> KeptOut {
    if held.conflicts(wanted) {
        KeptOut::Always
    } else if wanted == LockMode::SharedRecursive {
        KeptOut::Never
    } else {
        KeptOut::BehindWriter
    }
}

/// The weakest link of a cycle. [`KeptOut::BehindWriter`] means that it can only close while a writer is queued.
pub fn weakest_link(graph: &LockGraph, cycle: &Cycle) -> KeptOut {
    let witness = |at: usize| {
        let (edge, witness) = cycle.steps[at % cycle.steps.len()];
        &graph.edge_at(edge).witnesses[witness]
    };
    (0..cycle.steps.len())
        .map(|at| kept_out(witness(at + 1).held.mode, witness(at).wanted.mode))
        .min()
        .unwrap_or(KeptOut::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_modes_keep_out_only_what_they_must() {
        use LockMode::{Exclusive, Shared, SharedRecursive, Upgradable};
        for mode in [Exclusive, Shared, SharedRecursive, Upgradable] {
            assert_eq!(kept_out(Exclusive, mode), KeptOut::Always);
            assert_eq!(kept_out(mode, Exclusive), KeptOut::Always);
        }
        assert_eq!(kept_out(Shared, Shared), KeptOut::BehindWriter);
        assert_eq!(kept_out(Shared, SharedRecursive), KeptOut::Never);
        assert_eq!(kept_out(Upgradable, Upgradable), KeptOut::Always);
        assert_eq!(kept_out(Upgradable, Shared), KeptOut::BehindWriter);
    }
}

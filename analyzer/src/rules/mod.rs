//! One file per rule: what users read about it, and the check. Rules read the graph, the regions and the replayed
//! trace, and never build them.

pub mod atomicity_violation;
mod blocked;
pub(crate) mod causes;
pub mod channel_deadlock;
pub mod condvar_wait_holding_lock;
pub mod condvar_wait_without_loop;
pub mod data_race;
pub mod deadlock;
pub mod double_lock;
pub mod guard_across_await;
pub mod guard_across_blocking_call;
pub mod guard_across_callback;
pub mod guard_dropped_immediately;
pub mod inconsistent_guard;
pub mod join_deadlock;
pub mod livelock;
pub mod lock_order_inversion;
pub mod long_lived_temporary_guard;
pub mod lost_update;
pub mod lost_wakeup;
pub mod pool_starvation;
pub mod reentrant_initialization;
pub mod same_class_nesting;
pub mod selector;
pub mod split_atomic_update;
mod stale;
pub mod starvation;
pub mod static_mut_mutation;
pub mod suppression_without_reason;
pub mod unparsed_file;
pub mod unsafe_region;
pub mod unsound_sync_claim;
pub mod unsynchronized_mutation;
pub mod unused_suppression;
mod waiting;
mod wording;

use std::cell::RefCell;

use crate::finding::{Finding, Level, Notice};
use crate::graph::LockGraph;
use crate::regions::Regions;
use crate::trace::Replay;

/// What a rule may look at. A pass leaves out what it does not have.
pub struct Facts<'a> {
    /// The lock-order graph.
    pub graph: &'a LockGraph,
    /// The static pass's regions.
    pub regions: Option<&'a Regions>,
    /// The replayed trace.
    pub replay: Option<&'a Replay>,
    /// Where rules say what they could not look at to the end.
    pub notices: RefCell<Vec<Notice>>,
}

/// Rules that are switched together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Threads that block each other.
    Deadlock,
    /// Shared state changed without protection.
    SharedState,
    /// Waiting without end.
    Liveness,
    /// Likely mistakes.
    Suspicious,
    /// About lockcheck's own annotations and inputs.
    Meta,
}

impl Group {
    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Group::Deadlock => "deadlock",
            Group::SharedState => "shared_state",
            Group::Liveness => "liveness",
            Group::Suspicious => "suspicious",
            Group::Meta => "meta",
        }
    }
}

/// A rule.
pub struct Rule {
    /// `double_lock`; the code of its findings is `lockcheck::double_lock`.
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// The level of its findings unless the rule or the user says otherwise.
    pub level: Level,
    /// One line for `lockcheck rules`.
    pub summary: &'static str,
    /// Markdown for `lockcheck explain`: `What it does`, `Why is this bad?`, `Example`, `Use instead`.
    pub docs: &'static str,
    /// Appends its findings.
    pub check: fn(&Facts<'_>, &mut Vec<Finding>),
}

/// Every rule, in the order of the documentation.
pub const REGISTRY: &[&Rule] = &[
    &deadlock::RULE,
    &double_lock::RULE,
    &lock_order_inversion::RULE,
    &same_class_nesting::RULE,
    &guard_across_await::RULE,
    &guard_across_blocking_call::RULE,
    &guard_across_callback::RULE,
    &condvar_wait_holding_lock::RULE,
    &condvar_wait_without_loop::RULE,
    &lost_wakeup::RULE,
    &channel_deadlock::RULE,
    &join_deadlock::RULE,
    &pool_starvation::RULE,
    &reentrant_initialization::RULE,
    &lost_update::RULE,
    &data_race::RULE,
    &long_lived_temporary_guard::RULE,
    &guard_dropped_immediately::RULE,
    &static_mut_mutation::RULE,
    &unsafe_region::RULE,
    &atomicity_violation::RULE,
    &split_atomic_update::RULE,
    &inconsistent_guard::RULE,
    &unsound_sync_claim::RULE,
    &unsynchronized_mutation::RULE,
    &starvation::RULE,
    &livelock::RULE,
    &suppression_without_reason::RULE,
    &unused_suppression::RULE,
    &unparsed_file::RULE,
];

/// How messages say that a deadlock is predicted.
pub const PREDICTED: &str = "another schedule of this run deadlocks";

/// The fingerprint of a predicted deadlock over these lock classes, in the order of its cycle; `signal`: one of them is
/// a condvar.
pub fn predicted_fingerprint(signal: bool, keys: &[String]) -> crate::finding::Fingerprint {
    let rule = if signal { &condvar_wait_holding_lock::RULE } else { &lock_order_inversion::RULE };
    crate::finding::Fingerprint::new(rule.id, keys, &[])
}

/// How the message of a prediction in doubt goes on that a steered run may confirm.
pub const DOUBT: &str = "they may deadlock, unless the order is enforced by data under ";

/// The fingerprints that the observed deadlocks of a run would have as predictions.
pub fn observed_fingerprints(replay: &Replay) -> Vec<crate::finding::Fingerprint> {
    blocked::as_predictions(replay)
}

/// Runs every rule.
pub fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    for rule in REGISTRY {
        (rule.check)(facts, &mut out);
    }
    out
}

#[cfg(test)]
mod doubt_tests;
#[cfg(test)]
mod liveness_tests;

#[cfg(test)]
mod pool_table_tests;

#[cfg(test)]
mod runtime_tests;

#[cfg(test)]
mod scenario_tests;

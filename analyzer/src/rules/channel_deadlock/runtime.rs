//! The run-time half: a channel on which nothing can move any more.
//!
//! Guarantees: it happened: everybody who could send or receive waits for others, and not for a lock.
//!
//! Misses: threads that the tracker does not know; where one is left, nothing is said.

use super::RULE;
use crate::finding::Finding;
use crate::rules::Facts;
use crate::rules::blocked::{self, Cause};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::Channel);
    blocked::add(deadlocks.map(|deadlock| blocked::finding(replay, RULE.id, deadlock)), out);
}

//! The run-time half: a thread requested a lock that it held.
//!
//! Guarantees: it happened in the run, on one lock instance. One finding per lock class and pair of places.

use indexmap::IndexSet;
use lockcheck_tracker::event::Mode;
use rustc_hash::FxBuildHasher;

use super::super::Facts;
use super::super::blocked::{self, Cause};
use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::trace::recording::DoubleLock;
use crate::trace::{Replay, names};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let mut seen: IndexSet<(String, u32, u32), FxBuildHasher> = IndexSet::default();
    for double in observed(replay)
        .into_iter()
        .chain(replay.recording.double_locks.iter().copied())
        .chain(replay.history.double_locks.iter().copied())
    {
        // A recursive read does not wait behind a writer in between.
        let (first, second) = (double.first.mode, double.second.mode);
        if second == Mode::SharedRecursive && !first.conflicts(second) {
            continue;
        }
        let key = replay.names.key(&replay.recording, double.first.object);
        if seen.insert((key, double.first.site, double.second.site)) {
            out.push(finding(replay, &double));
        }
    }
}

/// Threads that hung in it.
fn observed(replay: &Replay) -> Vec<DoubleLock> {
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::DoubleLock);
    let members = deadlocks.flat_map(|deadlock| blocked::core(replay, deadlock));
    members
        .filter_map(|member| {
            let first = *member.held.iter().find(|held| held.object == member.object)?;
            let second = lockcheck_tracker::event::Held { object: member.object, mode: member.mode, site: member.site };
            Some(DoubleLock { thread: member.thread, first, second })
        })
        .collect()
}

fn finding(replay: &Replay, double: &DoubleLock) -> Finding {
    let recording = &replay.recording;
    let name = replay.names.object(recording, double.first.object);
    let thread = names::thread(recording, double.thread);
    let first = blocked::held_location(replay, &double.first);
    let again = format!("{} again", blocked::held_location(replay, &double.second).label);
    let second = names::wait_location(recording, double.thread, double.second.site, again);
    let conflict = double.first.mode.conflicts(double.second.mode);
    let (level, evidence, message, help) = if conflict {
        (
            Level::Deny,
            Evidence::Observed,
            format!("{thread} takes `{name}` again while it holds it"),
            format!("drop the first guard of `{name}` before this, or pass it on"),
        )
    } else {
        (
            Level::Warn,
            Evidence::Possible,
            format!("{thread} reads `{name}` twice, which hangs while a writer waits in between"),
            format!("pass the first guard of `{name}` on instead of reading again"),
        )
    };
    Finding {
        rule: RULE.id,
        level,
        confidence: Confidence::High,
        evidence,
        message,
        help,
        locks: vec![blocked::info(replay, double.first.object)],
        primary: second.clone(),
        related: vec![first.clone()],
        threads: vec![ThreadPath { name: thread, steps: vec![first, second] }],
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &[replay.names.key(recording, double.first.object)], &[]),
    }
}

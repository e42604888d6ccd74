//! The static half: joins under a guard whose lock the joined thread takes.
//!
//! Guarantees: the joined thread is known: its handle was made in the same function, returned by a callee, or put
//! into the field or collection from which it is taken.
//!
//! Misses: threads that wait for each other's end without a lock; handles that travel through channels.

use rustc_hash::FxHashSet;

use super::RULE;
use crate::finding::{Finding, Level};
use crate::regions::blocking::Op;
use crate::rules::{Facts, waiting, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let mut seen = FxHashSet::default();
    for wait in regions.blocking.waits.iter().filter(|wait| wait.op == Op::Join && !wait.suspends) {
        let Some(needed) = waiting::needed_by_joined(&regions.blocking, wait) else { continue };
        let side = &needed.holding.side;
        if !seen.insert((side.site.clone(), wait.at.clone(), wait.way.first().cloned())) {
            continue;
        }
        let name = wording::name(side);
        let level = waiting::level(wait, needed.holding, Level::Deny);
        let message = format!("a thread is joined while {name} is held, and the thread needs {name} before it can end");
        let help = format!("end the guard of line {} before the join, by `drop` or a block", side.site.line);
        out.push(waiting::finding(regions, RULE.id, wait, needed.holding, Some(&needed), level, (message, help)));
    }
}

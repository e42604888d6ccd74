//! The static half: guards alive during a wait.
//!
//! Guarantees: deny only where every notifier in the sources surely takes the lock before it notifies, in another
//! function or thread than the waiter.
//!
//! Misses: waits with a time limit.

use rustc_hash::FxHashSet;

use super::RULE;
use crate::finding::{Finding, Level};
use crate::regions::blocking::Op;
use crate::rules::{Facts, waiting, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let mut seen = FxHashSet::default();
    for wait in regions.blocking.waits.iter().filter(|wait| wait.op == Op::Notification) {
        let needed = waiting::needed_by_all(&regions.blocking, wait);
        let holding = match &needed {
            Some(needed) => needed.holding,
            None => match wait.held.iter().rev().max_by_key(|holding| (holding.must, !holding.around)) {
                Some(holding) => holding,
                None => continue,
            },
        };
        if !seen.insert((holding.side.site.clone(), wait.at.clone())) {
            continue;
        }
        let side = &holding.side;
        let name = wording::name(side);
        let condvar = wait.object.as_ref().and_then(|object| object.name.as_deref()).unwrap_or("a condition variable");
        let (level, message) = match &needed {
            Some(_) => (
                Level::Deny,
                format!("{name} is held while waiting on `{condvar}`, and every notifier needs {name} first"),
            ),
            None => (Level::Warn, format!("{name} stays held while waiting on `{condvar}`")),
        };
        let level = if holding.around && needed.is_none() { Level::Note } else { level };
        let level = waiting::level(wait, holding, level);
        let help =
            format!("end the guard of line {} before the wait, and take the lock again after it", side.site.line);
        out.push(waiting::finding(regions, RULE.id, wait, holding, needed.as_ref(), level, (message, help)));
    }
}

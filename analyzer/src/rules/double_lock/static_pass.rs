//! The static half: critical pairs whose two locks are the same one.
//!
//! Guarantees: deny only where both access paths are equal and stable and the guard lives on every path; where it lives
//! on some only, a warning where the function takes it again whichever branch it takes, else a note; read under read is a
//! warning, as only a queued writer makes it hang, and so is a lock that a registered callback takes.

use rustc_hash::FxHashSet;

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::graph::LockMode;
use crate::regions::{Pair, Regions, Sameness};
use crate::rules::{Facts, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    // One finding per guard, lock and place where both meet: the worst, and of those the one with the shortest way.
    let pairs = regions.pairs.iter().filter(|pair| pair.same == Sameness::Same);
    let mut found: Vec<(usize, &Pair, Finding)> =
        pairs.filter_map(|pair| Some((pair.wanted.way.len(), pair, finding(regions, pair)?))).collect();
    found.sort_by_key(|(length, _, finding)| (std::cmp::Reverse(finding.level), *length));
    let mut seen = FxHashSet::default();
    let key = |pair: &Pair, finding: &Finding| {
        (finding.primary.line, finding.primary.column, pair.held.site.clone(), finding.locks.clone())
    };
    let inner: FxHashSet<_> =
        found.iter().filter(|(_, pair, _)| !is_callees(pair)).map(|(_, pair, _)| sites(pair)).collect();
    found.retain(|(_, pair, _)| !is_callees(pair) || !inner.contains(&sites(pair)));
    out.extend(
        found.into_iter().filter(|(_, pair, finding)| seen.insert(key(pair, finding))).map(|(_, _, finding)| finding),
    );
}

/// Whether one call leads to both acquisitions: the callee holds its lock while it takes it again, whoever calls.
fn is_callees(pair: &Pair) -> bool {
    let call = |way: &[Location]| way.first().map(|call| (call.file.clone(), call.line, call.column));
    call(&pair.held.way).is_some_and(|first| call(&pair.wanted.way) == Some(first))
}

fn sites(pair: &Pair) -> (&Location, &Location) {
    (&pair.held.site, &pair.wanted.site)
}

/// Why reading twice hangs.
const WRITER: &str = "a writer that waits in between blocks both";

/// Whether a warning is of a lock that a called function reads again: of all places that call it so, the function is the
/// cause.
pub(in crate::rules) fn is_read_again_by_callee(finding: &Finding) -> bool {
    finding.message.ends_with(WRITER) && finding.threads.iter().any(|thread| thread.steps.len() > 2)
}

fn finding(regions: &Regions, pair: &Pair) -> Option<Finding> {
    let (held, wanted) = (&pair.held, &pair.wanted);
    if held.reentrant || wanted.reentrant {
        return None;
    }
    let shared = wanted.shared.as_ref().or(held.shared.as_ref());
    let level = match (held.mode, wanted.mode) {
        (_, LockMode::SharedRecursive) if !held.mode.conflicts(wanted.mode) => return None,
        (LockMode::Upgradable, LockMode::Shared)
        | (LockMode::Shared | LockMode::SharedRecursive, LockMode::Upgradable) => {
            return None;
        }
        (held, wanted) if !held.conflicts(wanted) => {
            if shared.is_some() || pair.callback {
                Level::Note
            } else {
                Level::Warn
            }
        }
        // Held on some paths only: where a branch takes it again, it mostly asked which path it came by.
        _ if !pair.must => {
            if pair.always {
                Level::Warn
            } else {
                Level::Note
            }
        }
        _ if pair.callback || shared.is_some() => Level::Warn,
        _ => Level::Deny,
    };
    let level = if pair.test || pair.confidence == Confidence::Low { level.min(Level::Note) } else { level };
    let name = wording::name(held);
    let (first, second) = (wording::taken(held), wording::taken(wanted));
    let through = match wanted.way.first() {
        Some(_) => {
            let last = wanted.site.function.as_deref().unwrap_or("a function");
            let by = if pair.callback { " by a registered callback" } else { "" };
            format!(" in `{last}`, called{by}")
        }
        None => String::new(),
    };
    let message = if level == Level::Warn && !held.mode.conflicts(wanted.mode) {
        format!("{name} is {second} again{through} while the same thread reads it: {WRITER}")
    } else {
        format!("{name} is {second}{through} while the same thread holds it {first}")
    };
    // A guard without a name, made in the head of a `match` or its kin: that is why it still lives.
    let head = regions.blocking.head_of(held);
    let help = match (head, wanted.way.first()) {
        (Some(head), _) => format!(
            "bind what the head of the `{}` in line {} gives by `let` before it: then the guard ends with that statement",
            head.construct, head.head.line
        ),
        (None, Some(call)) if pair.callback => {
            format!(
                "end the first guard before line {}, by `drop` or a block: callbacks take what locks they like",
                call.line
            )
        }
        (None, Some(call)) => {
            let callee = wanted.way.get(1).unwrap_or(&wanted.site).function.as_deref().unwrap_or("the callee");
            format!(
                "end the first guard before line {}, by `drop` or a block, or give `{callee}` the guarded value instead",
                call.line
            )
        }
        (None, None) => format!(
            "end the guard of line {} before this, by `drop` or a block, or use that guard here",
            held.site.line
        ),
    };
    let first_label = match head {
        Some(head) => format!(
            "{name} {first} here, by a temporary that lives to the end of the `{}` in line {}",
            head.construct, head.last_line
        ),
        None => format!("{name} {first} here"),
    };
    let second_label = format!("{name} {second} again here");
    let mut steps = wording::calls(&held.way, &held.site);
    steps.push(wording::at(&held.site, first_label.clone()));
    steps.extend(wording::calls(&wanted.way, &wanted.site));
    steps.push(wording::at(&wanted.site, second_label.clone()));
    // The place to look at is in the function where both meet: the call, where the lock is taken deeper down.
    let primary = match wanted.way.first() {
        Some(call) => {
            let callee = wanted.way.get(1).unwrap_or(&wanted.site).function.as_deref().unwrap_or("a function");
            let callee = match &call.label[..] {
                "" => format!("calls `{callee}`"),
                label => label.to_string(),
            };
            wording::at(call, format!("{callee}, which takes {name} again"))
        }
        None => wording::at(&wanted.site, second_label),
    };
    let related = steps
        .iter()
        .filter(|step| (step.line, &step.file) != (primary.line, &primary.file) || step.column != primary.column)
        .chain(shared.map(|shared| &shared.at));
    let key = held.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
    Some(Finding {
        rule: super::RULE.id,
        level,
        confidence: if pair.must { pair.confidence } else { Confidence::Medium },
        evidence: Evidence::Static,
        message,
        help,
        locks: vec![held.info(regions)],
        related: related.cloned().collect(),
        primary,
        fingerprint: Fingerprint::new(
            super::RULE.id,
            &[key],
            &wording::functions([&held.site, &wanted.site].into_iter()),
        ),
        threads: vec![ThreadPath { name: format!("`{}`", pair.function), steps }],
        pool: None,
        schedule: Vec::new(),
    })
}

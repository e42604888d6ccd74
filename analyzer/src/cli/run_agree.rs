//! What a run and the static pass have both found in one workspace.
//!
//! The two passes name locks and functions in their own ways, so their findings are brought together by what both know for
//! certain: the places of the user's sources. A finding of the run that agrees with one of the static pass takes over its
//! fingerprint, so that baselines and suppressions of one serve the other, and its places where its own lie in dependencies.
//!
//! Guarantees: nothing is added to or taken from the findings of the run; evidence and confidence stay, and so do levels, except that
//! a split update of an atomic that was observed takes over the level that the source gives it.
//!
//! Misses: findings whose places have no line in common, as where a macro's definition stands for its use.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::Config;
use crate::finding::{Finding, Location, Report};
use crate::rules::split_atomic_update;
use crate::source::{Request, discover};

/// Rules of the run, each with those of the static pass that tell of the same bug.
const SAME: [(&str, &[&str]); 3] = [
    (
        "deadlock",
        &[
            "lock_order_inversion",
            "guard_across_blocking_call",
            "channel_deadlock",
            "condvar_wait_holding_lock",
            "lost_wakeup",
            "double_lock",
            "reentrant_initialization",
        ],
    ),
    ("double_lock", &["long_lived_temporary_guard"]),
    ("join_deadlock", &["guard_across_blocking_call"]),
];

/// Scans the workspace at `root` and marks the findings of the run that the static pass has too.
pub(super) fn mark(report: &mut Report, root: &Path, cwd: &Path, config: &Config) {
    if report.findings.is_empty() {
        return;
    }
    let paths = [root.to_owned()];
    let Ok(sources) = discover(&Request { paths: &paths, cwd, metadata: None }) else { return };
    let scanned = crate::scan_with(&sources, config);
    for finding in &mut report.findings {
        let same = scanned.findings.iter().find(|other| agree(finding, other));
        if let Some(same) = same {
            finding.fingerprint = same.fingerprint;
            // That another thread came in between happened; that it matters, only the source tells.
            if finding.rule == split_atomic_update::RULE.id {
                finding.level = finding.level.max(same.level);
            }
            finding.help.push_str(&format!("; also found by the static pass, as `{}`", same.rule));
            show_places(finding, same);
        }
    }
}

/// Whether two findings tell of the same bug: of rules that can, with two lines in common (the run's locks count by the place
/// where they are made), or the only line that the run has in the user's sources. A wait that hangs by itself, whoever
/// stands behind it, is the same where one rule finds it in both.
fn agree(run: &Finding, scan: &Finding) -> bool {
    let others = SAME.iter().find(|(rule, _)| *rule == run.rule).map_or(&[][..], |(_, others)| others);
    if run.rule != scan.rule && !others.contains(&scan.rule) {
        return false;
    }
    let (ours, theirs) = (lines(run), lines(scan));
    let made = run.locks.iter().map(|lock| (lock.file.as_str(), lock.line)).filter(|made| theirs.contains(made));
    let common = ours.intersection(&theirs).copied().chain(made).collect::<BTreeSet<_>>().len();
    let alone = run.related.is_empty() && run.rule == scan.rule;
    let waits = alone && is_own(&run.primary) && theirs.contains(&(run.primary.file.as_str(), run.primary.line));
    common >= 2 || (common == 1 && ours.len() == 1) || waits
}

/// The lines of the user's sources that a finding names.
fn lines(finding: &Finding) -> BTreeSet<(&str, u32)> {
    places(finding).filter(|place| is_own(place)).map(|place| (place.file.as_str(), place.line)).collect()
}

fn places(finding: &Finding) -> impl Iterator<Item = &Location> {
    let steps = finding.threads.iter().flat_map(|thread| &thread.steps);
    [&finding.primary].into_iter().chain(&finding.related).chain(steps)
}

/// Whether a place lies in the workspace: those of dependencies are absolute.
fn is_own(place: &Location) -> bool {
    !place.file.is_empty() && !Path::new(&place.file).is_absolute() && !place.file.starts_with("../")
}

/// Adds what the static pass knows of the user's sources where the run knows places in dependencies only.
fn show_places(finding: &mut Finding, scan: &Finding) {
    if places(finding).all(is_own) {
        return;
    }
    let mut seen: BTreeSet<(String, u32)> =
        lines(finding).into_iter().map(|(file, line)| (file.to_owned(), line)).collect();
    let missing: Vec<Location> = places(scan)
        .filter(|place| is_own(place) && seen.insert((place.file.clone(), place.line)))
        .map(|place| Location { label: format!("{} (seen by the static pass)", place.label), ..place.clone() })
        .collect();
    finding.related.splice(0..0, missing);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Evidence, Fingerprint, Level};

    fn finding(rule: &'static str, places: &[(&str, u32)]) -> Finding {
        let place = |(file, line): &(&str, u32)| Location { file: (*file).into(), line: *line, ..Location::default() };
        Finding {
            rule,
            level: Level::Deny,
            confidence: Confidence::High,
            evidence: Evidence::Observed,
            message: "m".into(),
            help: "h".into(),
            locks: Vec::new(),
            primary: place(&places[0]),
            related: places[1..].iter().map(place).collect(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(rule, &[], &[]),
        }
    }

    #[test]
    fn two_common_lines_of_rules_that_fit_agree() {
        let run = finding("deadlock", &[("a.rs", 1), ("a.rs", 2), ("b.rs", 9)]);
        assert!(agree(&run, &finding("lock_order_inversion", &[("a.rs", 2), ("a.rs", 1)])));
        assert!(!agree(&run, &finding("lock_order_inversion", &[("a.rs", 2), ("a.rs", 3)])));
        assert!(!agree(&run, &finding("guard_dropped_immediately", &[("a.rs", 2), ("a.rs", 1)])));
    }

    #[test]
    fn a_wait_that_hangs_by_itself_agrees_by_its_place_or_by_what_it_waits_for() {
        let mut run = finding("lost_wakeup", &[("a.rs", 4)]);
        let behind = Location { file: "a.rs".into(), line: 30, ..Location::default() };
        run.threads.push(crate::finding::ThreadPath { name: "main".into(), steps: vec![behind] });
        assert!(agree(&run, &finding("lost_wakeup", &[("a.rs", 9), ("a.rs", 4)])));
        assert!(!agree(&run, &finding("lost_wakeup", &[("a.rs", 9), ("a.rs", 5)])));
        let (name, kind, file) = ("queue".into(), "channel".into(), "a.rs".into());
        run.locks.push(crate::finding::LockInfo { name, kind, file, line: 2, column: 1 });
        assert!(agree(&run, &finding("lost_wakeup", &[("a.rs", 2), ("a.rs", 30)])));
    }

    #[test]
    fn places_of_dependencies_are_made_up_for() {
        let mut run = finding("double_lock", &[("a.rs", 5), ("/registry/map/src/lib.rs", 7)]);
        let scan = finding("double_lock", &[("a.rs", 5), ("a.rs", 4)]);
        assert!(agree(&run, &scan));
        show_places(&mut run, &scan);
        assert_eq!((run.related[0].file.as_str(), run.related[0].line), ("a.rs", 4));
    }
}

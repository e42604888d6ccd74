//! One warning per cause: of warnings that say the same of the same lock in one file, the first one stands for all. So
//! does the first of those about a `static mut` that a macro declares and writes wherever it is called, and the first of
//! the waits that a function has under one lock, whatever it waits for.
//!
//! Guarantees: nothing is lost; the others become notes, and the first one names up to [`MOST_FURTHER`] of them. Errors
//! stay errors. Comes after suppression, so that what the user has silenced stands for nothing.
//!
//! Misses: other causes that several files share; two macros whose statics have one name count as one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{atomicity_violation, double_lock, guard_across_blocking_call, static_mut_mutation, wording};
use crate::finding::{Finding, Level, Location};

/// Further places that the first finding names.
const MOST_FURTHER: usize = 8;

/// Rules whose findings at one lock have one cause: how long it is held, or how it is used. Of locks that are taken twice
/// only those that a called function reads again: everybody else takes them twice by a mistake of their own.
const RULES: [&str; 4] = [
    atomicity_violation::RULE.id,
    double_lock::RULE.id,
    guard_across_blocking_call::RULE.id,
    static_mut_mutation::RULE.id,
];

/// Lets one warning stand for all of its cause. Takes as long as sorting the findings.
pub(crate) fn gather(findings: &mut [Finding]) {
    // One read and one write, with the locks of several implementations of what is called there.
    let implementations = |finding: &Finding| {
        let read = finding.related.first().map(place);
        (finding.rule == atomicity_violation::RULE.id).then(|| (place(&finding.primary), read))
    };
    for mut all in groups(findings, implementations) {
        all.sort_by_key(|index| (Reverse(findings[*index].confidence), findings[*index].message.clone()));
        all.iter().skip(1).for_each(|index| findings[*index].level = Level::Note);
    }
    let saying_the_same = |finding: &Finding| {
        let declared: Vec<_> = finding.locks.iter().map(|lock| (lock.file.clone(), lock.line, lock.column)).collect();
        // Variables of two functions are two locks, whatever they are called.
        let own = finding.locks.iter().any(|lock| lock.file.is_empty());
        let function = own.then(|| finding.primary.function.clone()).flatten();
        let one = finding.rule != double_lock::RULE.id || double_lock::is_read_again_by_callee(finding);
        if !one || !RULES.contains(&finding.rule) {
            return None;
        }
        if is_of_macro(finding) {
            return Some((finding.rule, String::new(), finding.message.clone(), Vec::new(), None));
        }
        Some((finding.rule, finding.primary.file.clone(), finding.message.clone(), declared, function))
    };
    stand_for_others(findings, saying_the_same);
    // What a function holds too long it holds over everything in there.
    stand_for_others(findings, |finding: &Finding| {
        let waits = finding.rule == guard_across_blocking_call::RULE.id;
        let held = || guard_across_blocking_call::held_by(finding).to_string();
        waits.then(|| (finding.primary.file.clone(), finding.primary.function.clone(), held()))
    });
}

/// Lets the first warning of all that have something in common stand for them.
fn stand_for_others<K: Ord>(findings: &mut [Finding], key: impl Fn(&Finding) -> Option<K>) {
    for mut all in groups(findings, key) {
        all.sort_by_key(|index| place(&findings[*index].primary));
        let Some((first, others)) = all.split_first() else { continue };
        let mut further = Vec::new();
        for index in others {
            findings[*index].level = Level::Note;
            let at = &findings[*index].primary;
            if !findings[*first].related.iter().chain(&further).any(|known| place(known) == place(at)) {
                further.push(wording::at(at, "the same here"));
            }
        }
        further.truncate(MOST_FURTHER);
        findings[*first].related.append(&mut further);
    }
}

/// Whether a static is written where it is declared: both stand in a macro, which is mended in one place.
fn is_of_macro(finding: &Finding) -> bool {
    let at = &finding.primary;
    finding.rule == static_mut_mutation::RULE.id
        && finding.locks.iter().any(|lock| (&lock.file, lock.line, lock.column) == (&at.file, at.line, at.column))
}

/// The warnings by what they have in common.
fn groups<K: Ord>(findings: &[Finding], key: impl Fn(&Finding) -> Option<K>) -> Vec<Vec<usize>> {
    let mut out: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.level == Level::Warn) {
        if let Some(key) = key(finding) {
            out.entry(key).or_default().push(index);
        }
    }
    out.into_values().collect()
}

fn place(at: &Location) -> (String, u32, u32) {
    (at.file.clone(), at.line, at.column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Evidence, Fingerprint, LockInfo, ThreadPath};

    fn found(rule: &'static str, level: Level, file: &str, line: u32, message: &str) -> Finding {
        Finding {
            rule,
            level,
            confidence: Confidence::High,
            evidence: Evidence::Static,
            message: message.to_string(),
            help: String::new(),
            locks: vec![LockInfo {
                name: message.to_string(),
                kind: String::new(),
                file: "lib.rs".to_string(),
                line: 1,
                column: 1,
            }],
            primary: Location { file: file.to_string(), line, ..Location::default() },
            related: Vec::new(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint(u64::from(line)),
        }
    }

    fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn the_first_warning_of_a_lock_in_a_file_stands_for_the_others_and_names_them() {
        let rule = guard_across_blocking_call::RULE.id;
        let mut findings: Vec<_> =
            (0..12).map(|line| found(rule, Level::Warn, "a.rs", 30 - line, "`PORT` is held")).collect();
        findings.push(found(rule, Level::Warn, "b.rs", 5, "`PORT` is held"));
        findings.push(found(rule, Level::Warn, "a.rs", 6, "`LINE` is held"));
        gather(&mut findings);
        let mut expected = vec![Level::Note; 11];
        expected.extend([Level::Warn; 3]);
        assert_eq!(levels(&findings), expected);
        let named: Vec<u32> = findings[11].related.iter().map(|place| place.line).collect();
        assert_eq!(named, [20, 21, 22, 23, 24, 25, 26, 27], "in their order, and not all of many");
    }

    #[test]
    fn errors_and_other_rules_stand_for_themselves() {
        let again = double_lock::RULE.id;
        let other = super::super::unsafe_region::RULE.id;
        let mut findings = vec![
            found(again, Level::Deny, "a.rs", 1, "`PORT` is locked again"),
            found(again, Level::Deny, "a.rs", 2, "`PORT` is locked again"),
            found(other, Level::Warn, "a.rs", 3, "`run` runs concurrently"),
            found(other, Level::Warn, "a.rs", 4, "`run` runs concurrently"),
        ];
        gather(&mut findings);
        assert_eq!(levels(&findings), [Level::Deny, Level::Deny, Level::Warn, Level::Warn]);
    }

    #[test]
    fn who_takes_a_lock_twice_stands_for_itself_unless_a_callee_reads_it_again() {
        let step = || Location::default();
        let thread = |steps: usize| ThreadPath { name: String::new(), steps: (0..steps).map(|_| step()).collect() };
        let again = "`PORT` is read-locked again in `open`, called while the same thread reads it: \
                     a writer that waits in between blocks both";
        let of = |steps: usize, line: u32| {
            let threads = vec![thread(steps)];
            Finding { threads, ..found(double_lock::RULE.id, Level::Warn, "a.rs", line, again) }
        };
        let mut direct = vec![of(2, 1), of(2, 2)];
        gather(&mut direct);
        assert_eq!(levels(&direct), [Level::Warn, Level::Warn]);
        let mut called = vec![of(3, 1), of(3, 2)];
        gather(&mut called);
        assert_eq!(levels(&called), [Level::Warn, Level::Note]);
    }

    #[test]
    fn variables_of_two_functions_are_two_locks() {
        let of = |line: u32, function: &str| {
            let mut finding = found(guard_across_blocking_call::RULE.id, Level::Warn, "a.rs", line, "`seen` is held");
            finding.locks[0].file.clear();
            finding.primary.function = Some(function.to_string());
            finding
        };
        let mut findings = vec![of(1, "first"), of(2, "first"), of(3, "second")];
        gather(&mut findings);
        assert_eq!(levels(&findings), [Level::Warn, Level::Note, Level::Warn]);
    }

    #[test]
    fn of_several_kinds_of_waits_under_one_lock_in_a_function_the_first_stands_for_all() {
        let rule = guard_across_blocking_call::RULE.id;
        let of = |line: u32, function: &str, what: &str| {
            let message = format!("`PORT` is held while its thread waits for {what}");
            let mut finding = found(rule, Level::Warn, "a.rs", line, &message);
            finding.primary.function = Some(function.to_string());
            finding
        };
        let mut findings =
            vec![of(4, "send", "a message"), of(9, "close", "the end of a thread"), of(2, "send", "time to pass")];
        gather(&mut findings);
        assert_eq!(levels(&findings), [Level::Note, Level::Warn, Level::Warn]);
    }

    #[test]
    fn a_static_that_a_macro_declares_and_writes_is_one_cause_in_all_files_that_call_it() {
        let of = |file: &str, line: u32, declared: u32| {
            let mut finding = found(static_mut_mutation::RULE.id, Level::Warn, file, line, "`CURRENT` is written");
            finding.locks[0] = LockInfo { file: file.to_string(), line: declared, ..finding.locks[0].clone() };
            finding.primary.column = 1;
            finding
        };
        let mut findings = vec![of("b.rs", 7, 7), of("a.rs", 3, 3), of("c.rs", 9, 2)];
        gather(&mut findings);
        assert_eq!(levels(&findings), [Level::Note, Level::Warn, Level::Warn], "the last one is written by hand");
        assert_eq!(findings[1].related.len(), 1);
    }

    #[test]
    fn of_several_implementations_behind_one_call_the_surest_stays() {
        let rule = atomicity_violation::RULE.id;
        let mut unsure = found(rule, Level::Warn, "a.rs", 9, "a value read from `Mock.params`");
        unsure.confidence = Confidence::Medium;
        let mut findings = vec![unsure, found(rule, Level::Warn, "a.rs", 9, "a value read from `Miner.params`")];
        gather(&mut findings);
        assert_eq!(levels(&findings), [Level::Note, Level::Warn]);
    }
}

//! The scenarios' own sources under the static pass: what a run observes, it sees in the source where the source shows
//! it.
//!
//! Guarantees: exactly these findings at deny or warn level in all of the scenarios' files.
//!
//! Misses: scenarios whose bug depends on the order of steps in a run (lost updates, races).

use std::collections::BTreeSet;

use lockcheck::finding::{Level, Report};
use lockcheck::source::{Request, discover};
use lockcheck_tests::{lockcheck, workspace};

fn scenarios() -> Report {
    let root = workspace();
    let request = Request { paths: &[root.join("fixtures/src/scenarios")], cwd: root, metadata: None };
    lockcheck::scan(&discover(&request).expect("the scenarios' sources"))
}

#[test]
fn the_static_pass_sees_in_the_sources_what_hangs_in_the_runs() {
    let report = scenarios();
    let found: BTreeSet<(&str, &str)> = report
        .findings
        .iter()
        .filter(|finding| {
            let waits = ["pool_starvation", "join_deadlock", "channel_deadlock", "reentrant_initialization"];
            waits.contains(&finding.rule) || finding.rule.contains("condvar") || finding.rule.contains("blocking")
        })
        .filter(|finding| finding.level >= Level::Warn)
        .map(|finding| (finding.rule, finding.primary.file.rsplit('/').next().unwrap_or_default()))
        .collect();
    let expected = [
        ("channel_deadlock", "fib_queue.rs"),
        ("condvar_wait_without_loop", "event.rs"),
        ("join_deadlock", "quit_button.rs"),
        ("pool_starvation", "bounded_pool.rs"),
        ("pool_starvation", "mergesort.rs"),
        ("pool_starvation", "nested_run_async.rs"),
    ];
    assert_eq!(found, BTreeSet::from(expected));
}

#[test]
fn a_starving_pool_is_given_its_smallest_safe_size() {
    let report = scenarios();
    let pool = |file: &str| {
        let finding = report.findings.iter().find(|finding| finding.primary.file.ends_with(file)).expect("a finding");
        finding.pool.map(|pool| (pool.workers, pool.minimum_safe_workers))
    };
    // The parent may run inside the pool, and everybody may wait for what it started.
    assert_eq!(pool("nested_run_async.rs"), Some((2, Some(4))));
    // Recursion that waits: no number is enough for every depth.
    assert_eq!(pool("mergesort.rs"), Some((2, None)));
    assert_eq!(pool("bounded_pool.rs"), Some((3, None)));
}

#[test]
fn a_run_and_its_source_give_the_starving_pool_one_fingerprint() {
    let done = lockcheck(workspace(), &["run", "example", "--message-format", "lockcheck-json"]);
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("a report");
    let observed = document["findings"][0]["fingerprint"].as_str().expect("a fingerprint");
    let report = scenarios();
    let seen = report.findings.iter().find(|finding| finding.primary.file.ends_with("nested_run_async.rs"));
    assert_eq!(seen.map(|finding| finding.fingerprint.to_string()).as_deref(), Some(observed));
}

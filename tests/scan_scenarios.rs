//! The scenarios' own sources under the static pass: what a run observes, it sees in the source where the source shows
//! it.
//!
//! Guarantees: exactly these findings at deny or warn level in all of the scenarios' files.
//!
//! Every finding of a run with a scenario's default options and every finding in the sources stands in one of the lists below.
//!
//! Misses: other options than the defaults.

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

/// Scenario and rule, where the run and the source give one finding one fingerprint.
const BOTH: &[(&str, &str)] = &[
    ("example", "pool_starvation"),
    ("nested-run-async", "pool_starvation"),
    ("nested-run-async-join", "pool_starvation"),
    ("bounded-pool", "pool_starvation"),
    ("fib-queue-no-sentinel", "channel_deadlock"),
    ("event-lost", "lost_wakeup"),
    ("mergesort", "pool_starvation"),
    ("quit-button", "join_deadlock"),
];

/// What only the run can know, and why.
const RUN_ONLY: &[(&str, &str, &str)] = &[
    ("permit-leak", "pool_starvation", "that a handler panics depends on the message that it gets"),
    ("bank-transaction", "lost_update", "a rule of runs; the accounts are parameters, told apart only by each call"),
    (
        "bank-locks",
        "lock_order_inversion",
        "both locks are parameters of one function, swapped by what closures capture",
    ),
    ("dining-philosophers", "lock_order_inversion", "the forks are elements of one list, chosen by computed indexes"),
    ("counter-race", "data_race", "a rule of runs; the source shows the atomicity_violation"),
    ("counter-race", "lost_update", "a rule of runs; the source shows the atomicity_violation"),
    ("running-sum-2", "data_race", "a rule of runs; the source shows the unsafe_region"),
    ("running-sum-2", "lost_update", "a rule of runs; the source shows the unsafe_region"),
    ("running-sum-3", "data_race", "a rule of runs; the source shows the unsafe_region"),
    ("running-sum-3", "lost_update", "a rule of runs; the source shows the unsafe_region"),
    ("race-simulation", "data_race", "a rule of runs; the source shows the unsafe_region"),
    ("race-simulation", "lost_update", "a rule of runs; the source shows the unsafe_region"),
    ("cake-boxes", "data_race", "a rule of runs"),
    ("cake-boxes", "lost_update", "a rule of runs"),
    ("thread-local-barrier-short", "deadlock", "how many threads come to the barrier is a matter of the run"),
    ("starvation", "starvation", "a rule of runs: who gets a lock is decided anew each time"),
    ("livelock", "livelock", "a rule of runs: that both keep the same pace shows only there"),
];

/// What only the source shows, and why.
const SOURCE_ONLY: &[(&str, &str, &str)] = &[
    ("atomicity_violation", "counter.rs", "a rule of source text; the run shows the race itself"),
    ("unsafe_region", "race_simulation.rs", "a rule of source text; the run shows the race itself"),
    ("unsafe_region", "running_sum.rs", "a rule of source text; the run shows the race itself"),
    ("condvar_wait_without_loop", "event.rs", "a rule of source text; the run shows the wait that nobody ends"),
];

#[test]
fn a_run_and_its_source_give_one_bug_one_fingerprint_where_both_can_know_it() {
    let scenarios: BTreeSet<&str> = BOTH.iter().map(|row| row.0).chain(RUN_ONLY.iter().map(|row| row.0)).collect();
    let scanned = lockcheck(workspace(), &["scan", "fixtures/src", "--message-format", "lockcheck-json"]).document();
    let of = |document: &serde_json::Value| -> BTreeSet<(String, String, String)> {
        let findings = document["findings"].as_array().expect("findings").clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let told = findings.iter().filter(|finding| finding["level"] != "note").map(|finding| {
            let file = text(&finding["primary"]["file"]);
            let file = file.rsplit('/').next().unwrap_or_default().to_owned();
            (text(&finding["rule"]), file, text(&finding["fingerprint"]))
        });
        told.collect()
    };
    let source = of(&scanned);
    let (mut both, mut run_only, mut agreed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for scenario in &scenarios {
        let done = lockcheck(workspace(), &["run", scenario, "--message-format", "lockcheck-json"]);
        for (rule, _, fingerprint) in of(&done.document()) {
            match source.iter().find(|(other, _, known)| *other == rule && *known == fingerprint) {
                Some(found) => {
                    both.insert((*scenario, rule));
                    agreed.insert(found.clone());
                }
                None => {
                    run_only.insert((*scenario, rule));
                }
            }
        }
    }
    let text = |(one, other): (&'static str, &str)| (one, other.to_owned());
    assert_eq!(both, BOTH.iter().map(|row| text(*row)).collect(), "in both");
    assert_eq!(run_only, RUN_ONLY.iter().map(|row| text((row.0, row.1))).collect(), "in the run alone");
    let source_only: BTreeSet<_> =
        source.difference(&agreed).map(|(rule, file, _)| (rule.as_str(), file.as_str())).collect();
    assert_eq!(source_only, SOURCE_ONLY.iter().map(|row| (row.0, row.1)).collect(), "in the source alone");
}

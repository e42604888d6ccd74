//! Every built-in scenario, run under the tracker in a child process, and what the run-time rules say about it.
//!
//! The child is this test program again: it runs the test [`host_child`], which is ignored otherwise.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockcheck_fixtures::Options;

use crate::finding::{Evidence, Finding, Level, NoticeKind, PoolSize};
use crate::rules::{self, Facts};
use crate::trace;

#[test]
#[ignore = "runs a scenario for the other tests; named by LOCKCHECK_TEST_SCENARIO"]
fn host_child() {
    let Ok(command) = std::env::var("LOCKCHECK_TEST_SCENARIO") else { return };
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    let mut options = Options::default();
    for word in words {
        match word.split_once('=') {
            Some(("workers", count)) => options.workers = count.parse().ok(),
            Some(("policy", policy)) => options.policy = Options::policy_named(policy),
            _ => options.set(word).expect("key=value"),
        }
    }
    std::process::exit(lockcheck_fixtures::host(name, &options));
}

/// Runs a scenario, with `--set` words, in the tracker's mode `mode`.
pub(super) fn run(command: &str, mode: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("trace.lockcheck");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "rules::scenario_tests::host_child", "--ignored", "--nocapture", "--test-threads=1"])
        .env("LOCKCHECK_TEST_SCENARIO", command)
        .env("LOCKCHECK", mode)
        .env("LOCKCHECK_TRACE", &file)
        .env_remove("LOCKCHECK_ON_DEADLOCK")
        .stdout(Stdio::null())
        .spawn()
        .expect("the child starts");
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            break status;
        }
        if Instant::now() > until {
            child.kill().expect("the child can be ended");
            let _ = child.wait();
            panic!("{command} ({mode}) did not end by itself; found so far: {:#?}", findings(&file));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(0), "{command}");
    // A program that uses no tracked type has nothing to record.
    if command == "running-sum-1" {
        assert!(!file.exists());
        return Vec::new();
    }
    findings(&file)
}

/// Of all processes.
fn findings(file: &Path) -> Vec<Finding> {
    let folder = file.parent().expect("a folder");
    let mut traces: Vec<_> = folder.read_dir().expect("readable").flatten().map(|entry| entry.path()).collect();
    traces.sort();
    let (graph, replay, mut notices) = trace::load(&traces).expect("a trace");
    // About the program: a poisoned lock.
    notices.retain(|notice| notice.kind != NoticeKind::Program);
    assert_eq!(notices, [], "{}", file.display());
    rules::check(&Facts { graph: &graph, regions: None, replay: Some(&replay), notices: Default::default() })
}

type Short = (&'static str, Level, Evidence);

fn ids(findings: &[Finding]) -> Vec<Short> {
    let mut ids: Vec<_> = findings.iter().map(|finding| (finding.rule, finding.level, finding.evidence)).collect();
    ids.sort();
    ids.dedup();
    ids
}

const STARVED: Short = ("pool_starvation", Level::Deny, Evidence::Observed);
const RACE: Short = ("data_race", Level::Deny, Evidence::Observed);
const LOST: Short = ("lost_update", Level::Deny, Evidence::Observed);

#[test]
fn scenarios_without_a_fault_give_no_finding() {
    for command in [
        "nested-run-async workers=3",
        "nested-run-async workers=2 policy=queue",
        "nested-run-async workers=1 policy=caller-runs",
        "nested-run-async-join workers=3",
        "nested-run-async-join workers=4 inside=true",
        "bounded-pool workers=4",
        "echo-dispatcher",
        "bank-transaction-fixed",
        "pool-basic",
        "counter-locked",
        "worker-exception",
        "running-sum-1",
        "running-sum-4",
        "running-sum-5",
        "running-sum-6",
        "running-sum-timing terms=4_000",
        "riemann",
        "stop-flag",
        "two-talkers",
        "thread-pool",
        "race-fixed",
        "event",
        "thread-local-barrier",
        "fib-queue",
        "mergesort safe=true",
        "shoemaker",
        "door-knock",
        "process-queue",
        "process-pool",
        "permit-leak fixed=true",
        "starvation fixed=true",
        "livelock fixed=true",
        "quit-button fixed=true",
        "dining-philosophers fixed=true",
    ] {
        for mode in ["order", "trace"] {
            assert_eq!(ids(&run(command, mode)), [], "{command} ({mode})");
        }
    }
}

#[test]
fn starved_pools_are_observed_and_get_their_smallest_safe_size() {
    for (command, workers, minimum) in [
        ("example", 2, 3),
        ("nested-run-async workers=1", 1, 3),
        ("nested-run-async workers=2 inside=true", 2, 3),
        ("nested-run-async-join workers=2", 2, 3),
        ("nested-run-async-join workers=2 policy=queue", 2, 3),
        ("nested-run-async-join workers=3 inside=true", 3, 4),
        ("bounded-pool", 3, 4),
        ("bounded-pool threads=2 workers=2", 2, 3),
        ("mergesort", 2, 3),
    ] {
        for mode in ["order", "trace"] {
            let findings = run(command, mode);
            assert_eq!(ids(&findings), [STARVED], "{command} ({mode})");
            let size = PoolSize { workers, minimum_safe_workers: Some(minimum) };
            assert_eq!(findings[0].pool, Some(size), "{command} ({mode})");
        }
    }
}

#[test]
fn a_slot_that_a_panicking_task_kept_is_named() {
    for mode in ["order", "trace"] {
        let findings = run("permit-leak", mode);
        assert_eq!(ids(&findings), [STARVED], "{mode}");
        let message = &findings[0].message;
        let leak = "2 of 2 slots of `handlers` are lost: task `handle message 2` and task `handle message 4` panicked";
        assert!(message.starts_with(leak), "{message}");
        assert!(message.contains("waits for a slot of `handlers` for task `handle message 5`"), "{message}");
    }
}

#[test]
fn threads_that_wait_without_being_blocked_are_found() {
    let warned = |rule| [(rule, Level::Warn, Evidence::Observed)];
    assert_eq!(ids(&run("starvation", "trace")), warned("starvation"));
    assert_eq!(ids(&run("livelock", "trace")), warned("livelock"));
}

#[test]
fn the_example_names_both_children_and_what_they_wait_for() {
    let findings = run("example", "order");
    assert_eq!(
        findings[0].message,
        "all 2 slots of `dispatcher` are held by tasks that cannot end: \
         2 of task `child` wait for a slot of `dispatcher` for task `grandchild`"
    );
}

#[test]
fn lucky_runs_show_the_inversion_as_possible_or_predicted_and_unlucky_ones_the_deadlock() {
    for command in ["bank-locks", "dining-philosophers", "dining-philosophers philosophers=3"] {
        let rule = "lock_order_inversion";
        assert_eq!(ids(&run(command, "trace")), [(rule, Level::Deny, Evidence::Predicted)], "{command}");
        assert_eq!(ids(&run(command, "order")), [(rule, Level::Deny, Evidence::Possible)], "{command}");
    }
    for mode in ["order", "trace"] {
        let hungry = run("dining-philosophers hungry=true", mode);
        assert_eq!(ids(&hungry), [("deadlock", Level::Deny, Evidence::Observed)], "{mode}");
        let quit = run("quit-button", mode);
        assert_eq!(ids(&quit), [("join_deadlock", Level::Deny, Evidence::Observed)], "{mode}");
    }
}

#[test]
fn races_and_lost_updates_are_found_in_traces() {
    assert_eq!(ids(&run("race-simulation", "trace")), [RACE, LOST]);
    assert_eq!(ids(&run("bank-transaction unlucky=true", "trace")), [LOST]);
    let predicted = ("lost_update", Level::Warn, Evidence::Predicted);
    // Whether an update is lost while both count at full speed is left to chance.
    let counter = ids(&run("counter-race", "trace"));
    assert!(counter == [RACE, LOST] || counter == [RACE, predicted], "{counter:?}");
    assert_eq!(ids(&run("bank-transaction", "trace")), [predicted]);
    for command in ["running-sum-2", "running-sum-3", "cake-boxes"] {
        assert!(ids(&run(command, "trace")).contains(&RACE), "{command}");
    }
}

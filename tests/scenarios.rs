//! The built-in scenarios as a whole: which there are, and that each reports what it should and nothing else.
//!
//! Guarantees: the list below is this test's own; what a scenario says of itself has to agree with it, and so has what is
//! reported of it, at deny and at warn level. `LOCKCHECK_TEST_RUNS=20` repeats every run so often (default 1).
//!
//! Misses: other sizes and settings than the defaults, which `run.rs` and the analyzer's own tests have.

use lockcheck_tests::{lockcheck, workspace};

/// Every row of the documents' table, in its order: scenario, and the rules that are reported of it.
const ROWS: &[(&str, &str)] = &[
    ("example", "pool_starvation"),
    ("nested-run-async", "pool_starvation"),
    ("nested-run-async-join", "pool_starvation"),
    ("bounded-pool", "pool_starvation"),
    ("echo-dispatcher", "nothing"),
    ("permit-leak", "pool_starvation"),
    ("bank-transaction", "lost_update"),
    ("bank-transaction-fixed", "nothing"),
    ("bank-locks", "lock_order_inversion"),
    ("pool-basic", "nothing"),
    ("counter-race", "data_race, lost_update"),
    ("counter-locked", "nothing"),
    ("worker-exception", "nothing"),
    ("running-sum-1", "nothing"),
    ("running-sum-2", "data_race, lost_update"),
    ("running-sum-3", "data_race, lost_update"),
    ("running-sum-4", "nothing"),
    ("running-sum-5", "nothing"),
    ("running-sum-6", "nothing"),
    ("running-sum-timing", "nothing"),
    ("riemann", "nothing"),
    ("stop-flag", "nothing"),
    ("two-talkers", "nothing"),
    ("race-simulation", "data_race, lost_update"),
    ("race-fixed", "nothing"),
    ("thread-local-barrier", "nothing"),
    ("thread-local-barrier-short", "deadlock"),
    ("fib-queue", "nothing"),
    ("fib-queue-no-sentinel", "channel_deadlock"),
    ("event", "nothing"),
    ("event-lost", "lost_wakeup"),
    ("process-queue", "nothing"),
    ("thread-pool", "nothing"),
    ("process-pool", "nothing"),
    ("resolve-timeout", "nothing"),
    ("mergesort", "pool_starvation"),
    ("cake-boxes", "data_race, lost_update"),
    ("shoemaker", "nothing"),
    ("door-knock", "nothing"),
    ("quit-button", "join_deadlock"),
    ("starvation", "starvation"),
    ("livelock", "livelock"),
    ("dining-philosophers", "lock_order_inversion"),
];

#[test]
fn the_list_has_every_row_with_its_story_and_what_it_reports() {
    let list = lockcheck(workspace(), &["run", "--list"]).stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2 * ROWS.len(), "{list}");
    for (pair, (name, _)) in lines.chunks(2).zip(ROWS) {
        let (shown, story) = pair[0].split_once(' ').expect("a story");
        assert_eq!(shown, *name);
        assert!(story.trim().len() > 20, "{story}");
        assert!(pair[1].trim().starts_with("reports: "), "{}", pair[1]);
    }
}

#[test]
fn every_scenario_reports_exactly_what_its_row_says() {
    let runs = std::env::var("LOCKCHECK_TEST_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(1);
    for number in 1..=runs {
        let done = lockcheck(workspace(), &["run", "--all"]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "run {number}: {done:?}");
        let mut lines = done.stdout.lines();
        let head: Vec<&str> = lines.next().expect("a heading").split_whitespace().collect();
        assert_eq!(head, ["scenario", "expected", "reported"]);
        let rows: Vec<Vec<&str>> = lines.by_ref().take(ROWS.len()).map(|line| line.split("  ").collect()).collect();
        for (cells, (name, reported)) in rows.iter().zip(ROWS) {
            let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
            assert_eq!(cells, [*name, *reported, *reported], "run {number}: {done:?}");
        }
        let last = lines.next().expect("a summary");
        let start = format!("{} scenarios in ", ROWS.len());
        assert!(last.starts_with(&start) && last.ends_with(": all reported what is expected"), "{done:?}");
        assert!(done.took.as_secs() < 90, "{:?}", done.took);
    }
}

#[test]
fn a_scenario_that_reports_something_else_is_marked_and_fails() {
    let done = lockcheck(workspace(), &["run", "--all", "-q", "-A", "lost_wakeup"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let words: Vec<&str> = done.stdout.split_whitespace().collect();
    assert_eq!(words, ["!", "event-lost", "lost_wakeup", "nothing"]);
    let done = lockcheck(workspace(), &["run", "--all", "--message-format", "json"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
}

#[test]
fn both_processes_of_a_queue_are_in_one_report() {
    let folder = lockcheck_tests::folder(&[]);
    let args = ["run", "process-queue", "--trace", "kept.trace", "--message-format", "lockcheck-json"];
    let done = lockcheck(folder.path(), &args);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("10 numbers sent; the consumer says: 10 numbers add up to 88"), "{done:?}");
    let whole = done.document()["summary"]["locks"].as_u64().expect("a count");
    let of = |trace: &str| {
        let done = lockcheck(folder.path(), &["analyze", trace, "--message-format", "lockcheck-json"]);
        done.document()["summary"]["locks"].as_u64().expect("a count")
    };
    let (producer, consumer) = (of("kept.trace"), of("kept.trace.2"));
    assert!(producer > 0 && consumer > 0, "{producer} and {consumer}");
    assert_eq!(whole, producer + consumer);
}

#[test]
fn the_workers_of_a_process_pool_are_used_again() {
    let done = lockcheck(workspace(), &["run", "process-pool"]);
    assert_eq!((done.code, done.stdout.lines().count()), (Some(0), 5), "{done:?}");
    assert!(done.stdout.contains("its nap number 2"), "{done:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_process_that_is_given_up_is_gone() {
    let done = lockcheck(workspace(), &["run", "resolve-timeout"]);
    assert!(done.stdout.starts_with("no answer within 200 ms\n"), "{done:?}");
    let process = done.stdout.split("process ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number");
    let process: u32 = process.parse().expect("a number");
    assert!(!std::path::Path::new("/proc").join(process.to_string()).exists(), "{done:?}");
    let in_time = lockcheck(workspace(), &["run", "resolve-timeout", "--set", "answers=true", "--set", "limit=20000"]);
    assert!(in_time.stdout.starts_with("resolved: 192.0.2.1\n"), "{in_time:?}");
}

#[test]
fn a_steered_run_ends_with_the_documented_balances() {
    let folder = lockcheck_tests::folder(&[]);
    let confirm = ["run", "bank-transaction", "--confirm", "--message-format", "lockcheck-json"];
    let done = lockcheck(folder.path(), &confirm);
    assert_eq!(done.code, Some(1), "{done:?}");
    let report = done.document();
    let findings = report["findings"].as_array().expect("findings");
    let evidence: Vec<_> = findings.iter().map(|finding| (&finding["rule"], &finding["evidence"])).collect();
    assert_eq!(evidence, [(&"lost_update".into(), &"confirmed".into()); 2], "{done:?}");
    let help = findings[0]["help"].as_str().expect("a help line");
    let schedule = help.split("--replay ").nth(1).expect("a schedule").trim_end_matches('`');
    let again = lockcheck(folder.path(), &["run", "bank-transaction", "--replay", schedule]);
    // Each transaction has overwritten one side of the other: 10 and 100 out of nothing.
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), "A: +100, B: +10\n"), "{again:?}");
    assert_eq!(again.stderr.matches("lockcheck::lost_update (deny, observed)").count(), 2, "{again:?}");
}

#[test]
fn the_fixed_bank_logs_while_it_works() {
    let done = lockcheck(workspace(), &["run", "bank-transaction-fixed", "-D", "warnings"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.ends_with("A: +90, B: -90\n"), "{done:?}");
    let overlap = done.stdout.split("overlapped with the sequential part for ").nth(1).expect("an overlap");
    let overlap: u64 = overlap.split(' ').next().and_then(|time| time.parse().ok()).expect("milliseconds");
    assert!(overlap >= 10, "the second transaction runs while the first is logged: {done:?}");
}

#[test]
fn times_per_number_of_threads_are_shown() {
    for args in [
        &["run", "riemann", "--set", "threads=3"][..],
        &["run", "running-sum-timing", "--set", "threads=3", "--set", "terms=2_000"],
        &["run", "mergesort", "--workers", "3", "--set", "times=true", "--set", "length=2_000"],
    ] {
        let done = lockcheck(workspace(), args);
        assert_eq!(done.code, Some(0), "{done:?}");
        let table: Vec<&str> = done.stdout.lines().skip_while(|line| !line.starts_with("threads ")).collect();
        let threads: Vec<&str> = table[1..].iter().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(threads, ["1", "2", "3"], "{done:?}");
        assert!(table[1..].iter().all(|line| line.contains(" ms ") && line.contains('x')), "{done:?}");
    }
}

#[test]
fn a_poisoned_lock_is_told_with_both_places() {
    let done = lockcheck(workspace(), &["run", "worker-exception", "--message-format", "lockcheck-json"]);
    let notices = done.document()["notices"].clone();
    let message = notices[0]["message"].as_str().expect("a notice");
    assert!(
        message.starts_with("`results` is poisoned: thread 2 panicked while it held it since fixtures/"),
        "{message}"
    );
    assert_eq!(message.matches("worker_exception.rs:").count(), 2, "{message}");
}

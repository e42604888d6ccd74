//! `lockcheck run` and `lockcheck analyze` on the built-in scenarios, from the outside.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lockcheck_tests::{Done, binary, command, folder, lockcheck, workspace};
use serde_json::Value;

/// A scenario that runs far longer than any test: each step of it pauses.
const ENDLESS: [&str; 4] = ["run", "race-simulation", "--set", "times=1000000"];

fn run(args: &[&str]) -> Done {
    lockcheck(workspace(), &[&["run"], args].concat())
}

fn document(args: &[&str]) -> (Done, Value) {
    let done = run(&[args, &["--message-format", "lockcheck-json"]].concat());
    let document = done.document();
    (done, document)
}

/// The rules of the findings at a level, sorted, each once.
fn rules(document: &Value, level: &str) -> Vec<String> {
    let findings = document["findings"].as_array().expect("findings");
    let at_level = findings.iter().filter(|finding| finding["level"] == level);
    let mut rules: Vec<_> = at_level.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// Scenario, exit code, and rules at deny level.
const EXPECTED: &[(&[&str], i32, &[&str])] = &[
    (&["example"], 1, &["pool_starvation"]),
    (&["example", "--workers", "3"], 0, &[]),
    (&["example", "--policy", "queue"], 0, &[]),
    (&["example", "--policy", "caller-runs"], 0, &[]),
    (&["nested-run-async", "--workers", "1", "--policy", "block"], 1, &["pool_starvation"]),
    (&["nested-run-async", "--workers", "2", "--policy", "block"], 1, &["pool_starvation"]),
    (&["nested-run-async", "--workers", "4", "--policy", "block"], 0, &[]),
    (&["bounded-pool"], 1, &["pool_starvation"]),
    (&["bounded-pool", "--workers", "4"], 0, &[]),
    (&["echo-dispatcher"], 0, &[]),
    (&["bank-transaction"], 0, &[]),
    (&["bank-transaction", "-D", "lost_update"], 1, &["lost_update"]),
    (&["bank-transaction-fixed", "-D", "warnings"], 0, &[]),
    (&["bank-locks"], 1, &["lock_order_inversion"]),
    (&["bank-locks", "-A", "deadlock"], 0, &[]),
    (&["counter-locked", "-D", "warnings"], 0, &[]),
    (&["quit-button"], 1, &["join_deadlock"]),
    (&["quit-button", "--set", "fixed=true"], 0, &[]),
    (&["dining-philosophers"], 1, &["lock_order_inversion"]),
    (&["dining-philosophers", "--set", "fixed=true"], 0, &[]),
    (&["mergesort", "--set", "safe=true"], 0, &[]),
    (&["thread-local-barrier", "-D", "warnings"], 0, &[]),
    (&["thread-local-barrier-short"], 1, &["deadlock"]),
    (&["fib-queue", "-D", "warnings"], 0, &[]),
    (&["fib-queue-no-sentinel"], 1, &["channel_deadlock"]),
    (&["event", "-D", "warnings"], 0, &[]),
    (&["event-lost"], 1, &["lost_wakeup"]),
];

#[test]
fn scenarios_give_their_findings_and_exit_codes() {
    for (args, code, expected) in EXPECTED {
        let (done, document) = document(args);
        assert_eq!(done.code, Some(*code), "{args:?}: {done:?}");
        assert_eq!(rules(&document, "deny"), *expected, "{args:?}: {done:?}");
        assert_eq!(document["mode"], "run");
        for finding in document["findings"].as_array().expect("findings") {
            let message = finding["message"].as_str().expect("a message");
            let capital = message.chars().next().is_none_or(char::is_uppercase);
            assert!(!capital && !message.ends_with('.') && finding["help"] != "", "{finding}");
            let file = finding["primary"]["file"].as_str().expect("a file");
            assert!(workspace().join(file).is_file(), "the primary place is a file of the project: {finding}");
        }
    }
}

#[test]
fn the_example_names_the_smallest_safe_number_of_workers_to_people_and_programs() {
    let done = run(&["example"]);
    assert_eq!((done.code, done.stdout.contains("lockcheck::")), (Some(1), false), "{done:?}");
    assert!(done.stderr.starts_with("lockcheck::pool_starvation (deny, observed)\n"), "{done:?}");
    assert!(done.stderr.contains("2 workers; at least 3 are needed"), "{done:?}");
    assert!(done.stderr.contains("fixtures/src/scenarios/nested_run_async.rs:"), "{done:?}");

    let (_, document) = document(&["example"]);
    assert_eq!(document["findings"][0]["pool"], serde_json::json!({"workers": 2, "minimum_safe_workers": 3}));
    assert_eq!(document["findings"][0]["evidence"], "observed");
}

#[test]
fn with_a_machine_format_the_report_is_alone_on_standard_output() {
    let people = run(&["echo-dispatcher"]);
    assert!(!people.stdout.is_empty(), "the scenario prints something: {people:?}");
    let (done, document) = document(&["echo-dispatcher"]);
    assert_eq!((done.code, document["findings"].as_array().map(Vec::len)), (Some(0), Some(0)));
    assert_eq!(done.stderr.lines().count(), people.stdout.lines().count(), "{done:?}");
}

#[test]
fn a_hang_that_nobody_breaks_is_seen_at_once_and_ended() {
    for scenario in ["example", "quit-button"] {
        let (done, document) = document(&[scenario, "--on-deadlock", "report", "--timeout", "100"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.took < Duration::from_secs(30), "ended long before its limit: {:?}", done.took);
        assert_eq!(document["findings"][0]["evidence"], "observed");
        assert_eq!(document["notices"].as_array().map(Vec::len), Some(1), "{done:?}");
        assert_eq!(document["notices"][0]["message"], "the program hung in a deadlock and was ended");
    }
}

#[test]
fn a_deadlock_may_also_abort_the_program() {
    let (done, document) = document(&["example", "--on-deadlock", "abort"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(rules(&document, "deny"), ["pool_starvation"], "{done:?}");
}

#[test]
fn a_program_that_does_not_end_is_ended_at_its_limit_and_counts_as_failed() {
    let done = lockcheck(workspace(), &[&ENDLESS[..], &["--timeout", "0.5", "-A", "shared_state"]].concat());
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(
        done.stderr.contains("notice: the program had not ended after 0.5 s and was ended; see --timeout"),
        "{done:?}"
    );
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_program_and_still_gives_the_report() {
    let path = binary("lockcheck");
    let script = format!(
        "'{}' {} --message-format lockcheck-json & pid=$!; sleep 1; kill -INT $pid; wait $pid",
        path.display(),
        ENDLESS.join(" ")
    );
    // In a script, background commands ignore interrupts; `set -m` gives them their own group and their usual ways.
    let done = command(Command::new("bash").current_dir(workspace()).args(["-c", &format!("set -m; {script}")]));
    assert_eq!(done.code, Some(130), "{done:?}");
    let document = done.document();
    let notices = document["notices"].as_array().expect("notices");
    let messages: Vec<_> = notices.iter().filter_map(|notice| notice["message"].as_str()).collect();
    assert!(messages.contains(&"the program was ended because of an interrupt"), "{done:?}");
}

#[test]
fn a_kept_trace_gives_the_same_findings_again() {
    let dir = folder(&[]);
    let trace = dir.path().join("kept.trace");
    let trace = trace.to_str().expect("a path in UTF-8");
    let (_, ran) = document(&["bank-locks", "--trace", trace]);
    let done = lockcheck(workspace(), &["analyze", trace, "--message-format", "lockcheck-json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let analyzed = done.document();
    assert_eq!(analyzed["mode"], "analyze");
    assert_eq!(analyzed["findings"], ran["findings"]);

    let bytes = std::fs::read(trace).expect("readable");
    let cut = dir.path().join("cut.trace");
    std::fs::write(&cut, &bytes[..bytes.len() * 3 / 4]).expect("write");
    let done = lockcheck(dir.path(), &["analyze", "cut.trace", "--message-format", "lockcheck-json"]);
    let kinds: Vec<_> =
        done.document()["notices"].as_array().expect("notices").iter().map(|n| n["kind"].clone()).collect();
    assert!(kinds.contains(&"cut_off_trace".into()), "{done:?}");
    refused(dir.path(), &bytes[..10], "ends inside its header");
    refused(dir.path(), b"#!/bin/sh\n", "is not a trace");
    refused(dir.path(), &[&bytes[..8], &[99, 0], &bytes[10..]].concat(), "has format version 99");
}

fn refused(dir: &Path, bytes: &[u8], reason: &str) {
    std::fs::write(dir.join("bad.trace"), bytes).expect("write");
    let done = lockcheck(dir, &["analyze", "bad.trace"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(done.stderr.starts_with("error: ") && done.stderr.contains(reason), "{done:?}");
}

#[test]
fn a_trace_that_cannot_be_kept_is_an_error() {
    let done = run(&["example", "--trace", "no/such/folder/a.trace"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("error: cannot keep the trace in `no/such/folder/a.trace`: "), "{done:?}");
}

#[test]
fn options_that_do_not_fit_are_errors_before_anything_runs() {
    for (args, message) in [
        (&["exampel"][..], "error: there is no scenario `exampel`; did you mean `example`?"),
        (&["example", "--set", "speed=9"], "error: the scenario `example` has no setting `speed`"),
        (&["counter-race", "--workers", "2"], "error: the scenario `counter-race` has no pool"),
        (&["counter-race", "--set", "times=many"], "error: `many` is no value for the setting `times`"),
    ] {
        let done = run(args);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
        assert!(done.stderr.starts_with(message), "{done:?}");
    }
}

#[test]
fn every_scenario_is_listed_with_what_it_reports() {
    let done = run(&["--list"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let names = done.stdout.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(done.stdout.matches("reports: ").count(), names);
    assert!(names >= 20 && done.stdout.starts_with("example "), "{done:?}");
}

#[test]
fn a_scenario_shows_its_source_wherever_it_is_run_from() {
    let elsewhere = folder(&[("readme.txt", "not the workspace")]);
    let done = lockcheck(elsewhere.path(), &["run", "example"]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("run_async_named(\"grandchild\""), "{}", done.stderr);
}

#[test]
fn predictions_are_confirmed_by_steered_runs_and_their_schedules_make_the_program_hang_again() {
    let folder = folder(&[]);
    let confirm = ["run", "bank-locks", "--confirm", "--message-format", "lockcheck-json"];
    let report = lockcheck(folder.path(), &confirm).document();
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["evidence"]), (&"lock_order_inversion".into(), &"confirmed".into()));
    let help = finding["help"].as_str().expect("a help line");
    let schedule = help.split("--replay ").nth(1).expect("a schedule").trim_end_matches('`');
    let again = lockcheck(folder.path(), &["run", "bank-locks", "--replay", schedule]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("lockcheck::deadlock (deny, observed)"), "{again:?}");
}

#[test]
fn a_program_without_predictions_has_nothing_to_confirm() {
    let done = run(&["dining-philosophers", "--set", "fixed=true", "--confirm"]);
    assert_eq!(done.code, Some(0));
    assert!(done.stderr.contains("no deadlock was predicted, so there was nothing to confirm"), "{done:?}");
}

#[test]
fn perturbed_runs_say_by_which_seed_to_see_them_again() {
    for strategy in ["random", "pct"] {
        let args = ["dining-philosophers", "--perturb", strategy, "--seed", "7", "--runs", "2"];
        let done = run(&args);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains(&format!("--perturb {strategy}")), "{done:?}");
        assert!(done.stderr.contains("seed"), "{done:?}");
    }
}

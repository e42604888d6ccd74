//! A test that hangs under `cargo test` ends under `lockcheck run -- cargo test`, and says why.

use std::time::Duration;

use super::{cargo, git_status, lockcheck, project};

const MANIFEST: &str = "[package]\nname = \"hangs\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

const LIB: &str = r#"
use std::sync::{Arc, Barrier, Mutex, RwLock, mpsc};
use std::thread;

pub fn opposite_orders() {
    let (accounts, log) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let both = Arc::new(Barrier::new(2));
    let (a, l, b) = (accounts.clone(), log.clone(), both.clone());
    let audit = thread::spawn(move || {
        let log = l.lock().unwrap();
        b.wait();
        *a.lock().unwrap() + *log
    });
    let accounts = accounts.lock().unwrap();
    both.wait();
    let log = log.lock().unwrap();
    drop((accounts, log));
    audit.join().unwrap();
}

pub fn lock_and_channel() {
    let state = Arc::new(Mutex::new(7));
    let shared = state.clone();
    let (sender, receiver) = mpsc::channel();
    let guard = state.lock().unwrap();
    let worker = thread::spawn(move || sender.send(*shared.lock().unwrap()));
    let value = receiver.recv();
    drop(guard);
    worker.join().unwrap().unwrap();
    assert_eq!(value, Ok(7));
}

pub fn upgrade(cache: &RwLock<Option<u32>>) -> u32 {
    let read = cache.read().unwrap();
    if read.is_none() {
        *cache.write().unwrap() = Some(7);
    }
    read.unwrap_or(7)
}
"#;

const TESTS: &str = r#"
use std::sync::RwLock;

#[test]
fn orders() {
    hangs::opposite_orders();
}

#[test]
fn channel() {
    hangs::lock_and_channel();
}

#[test]
fn upgrade() {
    assert_eq!(hangs::upgrade(&RwLock::new(None)), 7);
}

#[test]
fn fine() {
    assert_eq!(hangs::upgrade(&RwLock::new(Some(3))), 3);
}
"#;

#[test]
fn tests_that_hang_end_with_their_names_and_the_places_of_both_sides() {
    let project = project(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB), ("tests/all.rs", TESTS)]);
    let done = lockcheck(project.path(), &["run", "--message-format", "lockcheck-json", "--", "cargo", "test"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for (test, outcome) in [("orders", "FAILED"), ("channel", "FAILED"), ("upgrade", "FAILED"), ("fine", "ok")] {
        assert!(done.stderr.contains(&format!("test {test} ... {outcome}")), "{done:?}");
    }
    let document = done.document();
    let findings = document["findings"].as_array().expect("findings");
    let found = |rule: &str, test: &str, lines: [u64; 2]| {
        let at = |finding: &serde_json::Value| {
            let places = finding["related"].as_array().into_iter().flatten().chain([&finding["primary"]]);
            let places: Vec<_> = places.filter(|place| place["file"] == "src/lib.rs").collect();
            lines.iter().all(|line| places.iter().any(|place| place["line"] == *line))
        };
        let is = |finding: &&serde_json::Value| {
            finding["rule"] == rule && finding["level"] == "deny" && finding["evidence"] == "observed" && at(finding)
        };
        let finding = findings.iter().find(is);
        assert!(finding.is_some_and(|finding| finding.to_string().contains(&format!("`{test}`"))), "{rule}: {done:?}");
    };
    found("deadlock", "orders", [12, 16]);
    found("deadlock", "channel", [26, 27]);
    found("double_lock", "upgrade", [34, 36]);
    assert_eq!(findings.len(), 3, "{done:?}");

    // Nothing of the project has changed, and what it builds by itself is its own.
    assert_eq!(git_status(project.path()), "");
    let built = cargo(project.path(), &["build"]);
    assert!(built.code == Some(0) && built.stderr.contains("Compiling hangs"), "{built:?}");
    let again = lockcheck(project.path(), &["run", "--", "cargo", "test", "fine"]);
    assert!(again.code == Some(0) && !again.stderr.contains("Compiling"), "{again:?}");
    assert!(again.took < Duration::from_secs(10), "{again:?}");
    let built = cargo(project.path(), &["build"]);
    assert!(built.code == Some(0) && !built.stderr.contains("Compiling"), "{built:?}");
}

#[test]
fn a_hang_that_nobody_breaks_is_ended_and_the_next_test_program_still_runs() {
    let more = "#[test]\nfn after() {}\n";
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", LIB), ("tests/all.rs", TESTS), ("tests/more.rs", more)];
    let project = project(&files);
    let run = [
        "run",
        "--on-deadlock",
        "report",
        "--",
        "cargo",
        "test",
        "--no-fail-fast",
        "--tests",
        "--",
        "--skip",
        "channel",
    ];
    let done = lockcheck(project.path(), &run);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stdout.contains("test after ... ok"), "{done:?}");
    assert!(done.stderr.contains("hung in a deadlock and was ended"), "{done:?}");
    assert!(done.stderr.contains("lockcheck::deadlock (deny, observed)"), "{done:?}");
}

const LUCKY: &str = r#"
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn transfer() {
    let (from, to) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let (f, t) = (from.clone(), to.clone());
    let other = std::thread::Builder::new().name("other".into()).spawn(move || {
        let first = f.lock().unwrap();
        *t.lock().unwrap() += *first;
    });
    std::thread::sleep(Duration::from_millis(100));
    {
        let first = to.lock().unwrap();
        *from.lock().unwrap() += *first;
    }
    other.unwrap().join().unwrap();
}

#[test]
fn fine() {
    println!("a run");
}
"#;

#[test]
fn a_prediction_from_tests_that_pass_is_confirmed_by_a_steered_run_that_anybody_can_repeat() {
    let project = project(&[("Cargo.toml", MANIFEST), ("src/lib.rs", ""), ("tests/lucky.rs", LUCKY)]);
    let confirm = ["run", "--confirm", "--message-format", "lockcheck-json", "--", "cargo", "test", "--test", "lucky"];
    let done = lockcheck(project.path(), &confirm);
    assert_eq!(done.code, Some(1), "{done:?}");
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let found = &report["findings"][0];
    assert_eq!((&found["rule"], &found["evidence"]), (&"lock_order_inversion".into(), &"confirmed".into()), "{report}");
    let text = report.to_string();
    let again = text.split("see it hang with `lockcheck ").nth(1).and_then(|rest| rest.split('`').next());
    let again: Vec<&str> = again.expect("how to see it again").split(' ').collect();
    assert_eq!(again[..2], ["run", "--replay"], "{again:?}");
    let hung = lockcheck(project.path(), &again);
    assert!(hung.code == Some(1) && hung.stderr.contains("deadlock (deny, observed)"), "{hung:?}");
    assert_eq!(git_status(project.path()), "", "the project stays as it is");
}

#[test]
fn a_command_runs_as_often_as_asked_for_while_nothing_hangs() {
    let project = project(&[("Cargo.toml", MANIFEST), ("src/lib.rs", ""), ("tests/lucky.rs", LUCKY)]);
    let command = ["--", "cargo", "test", "--test", "lucky", "--", "--nocapture", "fine"];
    let done = lockcheck(project.path(), &[&["run", "--runs", "3"][..], &command].concat());
    assert_eq!((done.code, done.stdout.matches("a run").count()), (Some(0), 3), "{done:?}");
}

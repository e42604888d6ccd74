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

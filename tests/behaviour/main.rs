//! The behaviour table: small programs with lucky timing, each in a process of its own, and what `lockcheck analyze` says
//! of their traces.
//!
//! A row is right only if every run of it is: [`RUNS`] runs, or as many as the environment variable
//! `LOCKCHECK_TEST_RUNS` asks for. Arguments choose rows by a part of their names.

mod rows;

use std::process::Command;

use lockcheck_tests::{command, lockcheck};
use rows::{ROWS, Row};

/// The name of the row that this process runs.
const CHILD: &str = "LOCKCHECK_TEST_ROW";
const RUNS: usize = 2;

fn main() {
    if let Ok(name) = std::env::var(CHILD) {
        // What the tracker unwinds by is in the trace.
        std::panic::set_hook(Box::new(|_| ()));
        let row = ROWS.iter().find(|row| row.name == name).expect("the row exists");
        return (row.run)();
    }
    let runs = std::env::var("LOCKCHECK_TEST_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |row: &&Row| chosen.is_empty() || chosen.iter().any(|part| row.name.contains(part.as_str()));
    let mut failed = 0;
    for row in ROWS.iter().filter(is_chosen) {
        for mode in ["trace", "order"] {
            if mode == "order" && row.needs_events {
                continue;
            }
            let wrong: Vec<String> = (0..runs).filter_map(|_| verdict(row, mode).err()).collect();
            println!("test {} ({mode}) ... {}", row.name, if wrong.is_empty() { "ok" } else { "FAILED" });
            if let Some(first) = wrong.first() {
                println!("{} of {runs} runs, the first one: {first}", wrong.len());
                failed += 1;
            }
        }
    }
    std::process::exit(i32::from(failed > 0));
}

/// Runs a row once; an error says what is wrong with the findings.
fn verdict(row: &Row, mode: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new(std::env::current_exe().expect("own path"));
    child.env(CHILD, row.name).env("LOCKCHECK", mode).env("LOCKCHECK_TRACE", dir.path().join("trace"));
    let ran = command(child.env("LOCKCHECK_ON_DEADLOCK", "panic"));
    if ran.code != Some(0) {
        return Err(format!("the program failed: {ran:?}"));
    }
    let analyzed = lockcheck(dir.path(), &["analyze", "trace", "--message-format", "lockcheck-json"]);
    let document = analyzed.document();
    let serious =
        document["findings"].as_array().expect("findings").iter().filter(|finding| finding["level"] != "note");
    let mut found: Vec<(&str, &str)> = serious
        .map(|finding| (finding["rule"].as_str().expect("a rule"), finding["level"].as_str().expect("a level")))
        .collect();
    found.sort_unstable();
    found.dedup();
    if found == row.expected { Ok(()) } else { Err(format!("{found:?} and not {:?}: {analyzed:?}", row.expected)) }
}

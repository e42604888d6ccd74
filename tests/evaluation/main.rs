//! Programs with random pauses whose deadlocks passive detection sees only now and then, and safe patterns that look like
//! deadlocks: predicted from one run that did not hang, confirmed by at most three steered runs, and nothing else.
//!
//! `LOCKCHECK_TEST_RUNS=100 cargo test -p lockcheck-tests --test evaluation` does it a hundred times (default: 2);
//! arguments choose programs by a part of their names.

mod condvars;
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;

use lockcheck::finding::{Evidence, Finding, Level};
use lockcheck::steer;
use lockcheck_tests::command;

/// The name of the program that this process runs.
const CHILD: &str = "LOCKCHECK_TEST_ROW";
const RUNS: usize = 2;
/// Steered runs per confirmation.
const ATTEMPTS: usize = 3;
/// Runs until one of them does not hang.
const LUCK: usize = 200;

/// What has to be said of a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// This rule, predicted at deny, and confirmed.
    Deadlock(&'static str),
    /// Nothing at deny or warn.
    Nothing,
}

/// A program with a known outcome.
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// Runs it in this process.
    pub run: fn(),
    /// What has to be said of it.
    pub expected: Expected,
}

fn all() -> impl Iterator<Item = &'static Program> {
    programs::ALL.iter().chain(condvars::ALL)
}

#[derive(Default)]
struct Tally {
    runs: usize,
    hung: usize,
    right: usize,
    confirmed: usize,
    steered: usize,
    problem: Option<String>,
}

fn main() {
    if let Ok(name) = std::env::var(CHILD) {
        std::panic::set_hook(Box::new(|_| ()));
        let program = all().find(|program| program.name == name).expect("the program exists");
        return (program.run)();
    }
    let runs = std::env::var("LOCKCHECK_TEST_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |program: &&Program| chosen.is_empty() || chosen.iter().any(|part| program.name.contains(part));
    let mut failed = 0;
    for program in all().filter(is_chosen) {
        let mut tally = Tally::default();
        while tally.runs < runs {
            evaluate(program, &mut tally);
        }
        let Tally { hung, right, confirmed, steered, .. } = tally;
        match program.expected {
            Expected::Deadlock(_) => println!(
                "{}: predicted in {right} of {runs}, confirmed in {confirmed} of {runs} by {steered} steered runs; {hung} \
                 further runs hung by themselves",
                program.name
            ),
            Expected::Nothing => println!("{}: nothing reported in {right} of {runs}", program.name),
        }
        let wants_confirmation = program.expected != Expected::Nothing;
        if right < runs || (wants_confirmation && confirmed < runs) {
            println!("{}: FAILED: {}", program.name, tally.problem.unwrap_or_default());
            failed += 1;
        }
    }
    std::process::exit(i32::from(failed > 0));
}

/// One lucky run, and what follows from it.
fn evaluate(program: &Program, tally: &mut Tally) {
    tally.runs += 1;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("trace");
    let traces = [trace.clone()];
    let findings = (0..LUCK).find_map(|_| {
        record(program, &trace, None);
        let findings = findings(&traces);
        let lucky = findings.iter().all(|finding| finding.evidence != Evidence::Observed);
        tally.hung += usize::from(!lucky);
        lucky.then_some(findings)
    });
    let Some(findings) = findings else {
        tally.problem = Some(format!("{LUCK} runs in a row hung"));
        return;
    };
    let Expected::Deadlock(rule) = program.expected else {
        match findings.first() {
            None => tally.right += 1,
            Some(finding) => tally.problem = Some(finding.message.clone()),
        }
        return;
    };
    let predicted = |finding: &&Finding| finding.evidence == Evidence::Predicted && finding.level == Level::Deny;
    let Some(finding) = findings.iter().filter(predicted).find(|finding| finding.rule == rule) else {
        tally.problem = Some(format!("not predicted, but {findings:?}"));
        return;
    };
    tally.right += 1;
    let plans = steer::plans(&traces).expect("a readable trace");
    let Some(plan) = plans.iter().find(|plan| plan.fingerprint == finding.fingerprint) else {
        tally.problem = Some("no plan for the finding".to_owned());
        return;
    };
    let schedule = folder.path().join("schedule");
    std::fs::write(&schedule, &plan.text).expect("a writable folder");
    for attempt in 0..ATTEMPTS {
        let trace = folder.path().join(format!("steered{attempt}"));
        record(program, &trace, Some(&schedule));
        tally.steered += 1;
        if steer::confirmed_by(&[trace]).expect("a readable trace").contains(&plan.fingerprint) {
            tally.confirmed += 1;
            return;
        }
    }
    tally.problem = Some(format!("not confirmed with\n{}", plan.text));
}

fn record(program: &Program, trace: &Path, schedule: Option<&Path>) {
    let mut child = Command::new(std::env::current_exe().expect("own path"));
    child.env(CHILD, program.name).env("LOCKCHECK", "trace").env("LOCKCHECK_TRACE", trace);
    child.env("LOCKCHECK_ON_DEADLOCK", "panic").env_remove("LOCKCHECK_SCHEDULE");
    child.envs(schedule.map(|file| ("LOCKCHECK_SCHEDULE", format!("replay:{}", file.display()))));
    let ran = command(&mut child);
    // The tracker may break a deadlock by the main thread.
    assert!(matches!(ran.code, Some(0 | 101)), "{}: {ran:?}", program.name);
}

/// Findings at deny and warn.
fn findings(traces: &[PathBuf]) -> Vec<Finding> {
    let report = lockcheck::analyze(traces).expect("a readable trace");
    report.findings.into_iter().filter(|finding| finding.level >= Level::Warn).collect()
}

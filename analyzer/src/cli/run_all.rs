//! `lockcheck run --all`: every built-in scenario with its default options, and one table of what was expected of it and
//! what was reported.
//!
//! Guarantees: each scenario runs as `lockcheck run NAME` runs it, its own output aside; the table is in the order of the
//! list, whatever ended first. A row that differs is marked and makes the exit code that of a finding. Every run ends at
//! its time limit.
//!
//! Misses: findings at note level.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::RunArgs;
use super::child::{End, Limits, watch_over};
use super::levels::Levels;
use super::run::{TIME_LIMIT, analysed, traces};
use super::terminal::{Terminal, to_stdout};
use super::{Exit, Failure, analyze, host, scenarios};
use crate::config::Config;
use crate::finding::Level;
use crate::report::Format;

/// More at once disturb each other's timing more than they save.
const MOST_AT_ONCE: usize = 4;

/// What one scenario did.
struct Row {
    name: &'static str,
    expected: String,
    reported: String,
}

impl Row {
    fn differs(&self) -> bool {
        self.expected != self.reported
    }
}

/// Runs them all.
pub(super) fn run(args: &RunArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.report.message_format != Format::Human || !args.report.output.is_empty() {
        return Err(Failure("--all prints a table; run one scenario by its name for another format".into()));
    }
    let cwd = std::env::current_dir().unwrap_or_default();
    let config = super::config(&args.report, &[], &cwd)?;
    let levels = Levels::read(&config, matches)?;
    let started = Instant::now();
    let all = scenarios::all();
    let bar = bar(terminal, all.len());
    let (next, interrupted) = (AtomicUsize::new(0), AtomicBool::new(false));
    let rows: Mutex<Vec<(usize, Result<Row, Failure>)>> = Mutex::new(Vec::new());
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((at, scenario)) =
                    Some(next.fetch_add(1, Relaxed)).and_then(|at| Some((at, all.get(at)?)))
                    && !interrupted.load(Relaxed)
                {
                    bar.set_message(scenario.name);
                    let row = one(scenario, args, &config, &levels, &interrupted);
                    bar.inc(1);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(at, _)| *at);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect::<Result<_, _>>()?;
    let differing = rows.iter().filter(|row| row.differs()).count();
    let mut table = table(&rows, terminal.is_quiet());
    if !terminal.is_quiet() {
        let what = match differing {
            0 => "all reported what is expected".to_owned(),
            1 => "1 reported something else".to_owned(),
            more => format!("{more} reported something else"),
        };
        table.push_str(&format!("{} scenarios in {:.1} s: {what}\n", rows.len(), started.elapsed().as_secs_f64()));
    }
    to_stdout(table.as_bytes())?;
    Ok(match (interrupted.load(Relaxed), differing) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Clean,
        (false, _) => Exit::Findings,
    })
}

/// Progress, where anybody looks.
fn bar(terminal: &Terminal, count: usize) -> ProgressBar {
    if !terminal.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{pos} of {len} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn one(
    scenario: &scenarios::Scenario,
    args: &RunArgs,
    config: &Config,
    levels: &Levels,
    interrupted: &AtomicBool,
) -> Result<Row, Failure> {
    let folder = tempfile::Builder::new().prefix("lockcheck-").tempdir();
    let folder = folder.map_err(|error| Failure(format!("no temporary folder for the trace: {error}")))?;
    let trace = folder.path().join("run.trace");
    let (end, took) = {
        let command = host::command(scenario.name, args, trace.as_os_str());
        let mut command = command.map_err(|error| Failure(format!("lockcheck does not know its own path: {error}")))?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let limits = Limits { time: args.timeout.unwrap_or(TIME_LIMIT), hangs: None, stdout_to_stderr: false };
        let started = Instant::now();
        (watch_over(command, &limits)?, started.elapsed())
    };
    let expected = words(scenario.expected.iter().copied());
    let reported = match end {
        End::Interrupted => {
            interrupted.store(true, Relaxed);
            "interrupted".to_owned()
        }
        End::TimeLimit | End::Deadlock => format!("no end within {:.0} s", took.as_secs_f64()),
        End::Itself(status) if !status.success() => format!("ended with {status}"),
        End::Itself(_) => reported(folder.path(), config, levels)?,
    };
    Ok(Row { name: scenario.name, expected, reported })
}

/// The rules of the findings at deny or warn level.
fn reported(folder: &Path, config: &Config, levels: &Levels) -> Result<String, Failure> {
    let texts = analyze::texts();
    let mut report = analysed(&traces(folder), config, &texts)?;
    super::suppress(&mut report, &texts);
    levels.apply(&mut report);
    let findings = report.findings.iter().filter(|finding| finding.level >= Level::Warn);
    let rules: BTreeSet<&str> = findings.map(|finding| finding.rule).collect();
    Ok(words(rules.into_iter()))
}

fn words<'a>(rules: impl Iterator<Item = &'a str>) -> String {
    let rules: Vec<&str> = rules.collect();
    if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") }
}

/// One line per scenario; `!` where what was reported is not what is expected.
fn table(rows: &[Row], only_differing: bool) -> String {
    let width = |of: fn(&Row) -> &str, head: &str| {
        rows.iter().map(|row| of(row).len()).chain([head.len()]).max().unwrap_or_default()
    };
    let (name, expected) = (width(|row| row.name, "scenario"), width(|row| &row.expected, "expected"));
    let mut out = String::new();
    if !only_differing {
        out.push_str(&format!("  {:name$}  {:expected$}  reported\n", "scenario", "expected"));
    }
    for row in rows.iter().filter(|row| !only_differing || row.differs()) {
        let mark = if row.differs() { '!' } else { ' ' };
        out.push_str(&format!("{mark} {:name$}  {:expected$}  {}\n", row.name, row.expected, row.reported));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_differs_is_marked() {
        let row =
            |name, expected: &str, reported: &str| Row { name, expected: expected.into(), reported: reported.into() };
        let rows = [row("a", "nothing", "nothing"), row("bank", "deadlock", "nothing")];
        let whole = "  scenario  expected  reported\n  a         nothing   nothing\n! bank      deadlock  nothing\n";
        assert_eq!(table(&rows, false), whole);
        assert_eq!(table(&rows, true), "! bank      deadlock  nothing\n");
    }
}

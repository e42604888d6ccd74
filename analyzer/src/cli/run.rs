//! `lockcheck run`: a scenario under the tracker, then the analysis of what it recorded. Programs are `run_program`'s.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ArgMatches;

use super::args::{OnDeadlock, RunArgs};
use super::child::{End, Limits, watch_over};
use super::levels::Levels;
use super::terminal::{Stream, Terminal, to_stderr, to_stdout};
use super::{Exit, Failure, analyze, confirm, host, run_agree, run_all, run_program, scenarios};
use crate::config::Config;
use crate::finding::{Evidence, Mode, Notice, NoticeKind, Report, Summary};
use crate::report::Pictures;
use crate::source::{Targets, Texts};

/// How long a scenario may take by default.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Runs, analyses and reports; the report for people goes to standard error.
pub(super) fn run(args: &RunArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.list {
        to_stdout(scenarios::list(terminal.is_verbose()).as_bytes())?;
        return Ok(Exit::Clean);
    }
    if args.all {
        return run_all::run(args, matches, terminal);
    }
    let cwd = std::env::current_dir().unwrap_or_default();
    let Some(name) = scenario(args, &cwd, terminal)? else { return run_program::run(args, matches, terminal) };
    let config = super::config(&args.report, &[], &cwd)?;
    let levels = Levels::read(&config, matches)?;
    let started = Instant::now();
    let launch = |trace: &Path| {
        let command = host::command(name, args, trace.as_os_str());
        command.map_err(|error| Failure(format!("lockcheck does not know its own path: {error}")))
    };
    let texts = analyze::texts();
    let Ran { mut report, end, pictures, table } = runs(args, name, (&config, &texts), &launch)?;
    // Where the scenarios' sources are at hand, both passes speak of one bug with one fingerprint.
    let sources = cwd.join(scenarios::folder());
    if sources.is_dir() {
        run_agree::mark(&mut report, &sources, &cwd, &config);
    }
    super::suppress(&mut report, &texts);
    levels.apply(&mut report);
    super::known::apply_baseline(&args.report, &mut report)?;
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    terminal.emit(&report, &args.report, &texts, &Targets::default(), Stream::Stderr, pictures.as_ref())?;

    if let Some(table) = table {
        to_stderr(table.as_bytes());
    }

    let failed = !matches!(&end, End::Itself(status) if status.success());
    Ok(Exit::of_run(&report, failed, matches!(end, End::Interrupted)))
}

/// The last run.
struct Ran {
    report: Report,
    end: End,
    pictures: Option<Pictures>,
    /// What its locks have cost, if that was asked for.
    table: Option<String>,
}

/// Runs the program as often as asked for, until threads blocked each other, and gives the last run's report.
fn runs(
    args: &RunArgs,
    name: &str,
    (config, texts): (&Config, &Texts),
    launch: &dyn Fn(&Path) -> Result<Command, Failure>,
) -> Result<Ran, Failure> {
    let mut number = 0;
    loop {
        let folder = tempfile::Builder::new().prefix("lockcheck-").tempdir();
        let folder = folder.map_err(|error| Failure(format!("no temporary folder for the trace: {error}")))?;
        let trace = folder.path().join("run.trace");
        let mut command = launch(&trace)?;
        command.envs(confirm::schedule(args, number).map(|schedule| (confirm::VARIABLE, schedule)));
        let limits = Limits {
            time: args.timeout.unwrap_or(TIME_LIMIT),
            hangs: (args.on_deadlock == OnDeadlock::Report).then_some(trace.as_path()),
            stdout_to_stderr: args.report.message_format.is_machine(),
        };
        let end = watch_over(command, &limits)?;
        let traces = traces(folder.path());
        let mut report = analysed(&traces, config, texts)?;
        about_the_run(&mut report, &end, &traces);
        number += 1;
        let observed = report.findings.iter().any(|finding| finding.evidence == Evidence::Observed);
        if number < args.runs && !observed && matches!(end, End::Itself(_)) {
            continue;
        }
        if let Some(keep) = &args.trace {
            keep_traces(&traces, keep)?;
        }
        report.notices.extend(notice(&end, args));
        report.notices.extend(confirm::found_by(args, number - 1, &report));
        if confirm::is_asked(args) {
            confirm::confirm(
                &mut report,
                &traces,
                &|option: &str| format!("{} {option}", host::as_written(name, args)),
                args.timeout.unwrap_or(TIME_LIMIT),
                launch,
            )?;
        }
        let pictures = analyze::pictures(&args.report, &traces, texts);
        let table = || crate::written::stats(&traces, texts).unwrap_or_else(|| "no lock was counted\n".into());
        let table = args.stats.then(table);
        return Ok(Ran { report, end, pictures, table });
    }
}

/// The scenario that the arguments name; `None` where they name a program.
fn scenario<'a>(args: &'a RunArgs, cwd: &Path, terminal: &Terminal) -> Result<Option<&'a str>, Failure> {
    let target = args.example.is_some() || args.bin.is_some() || args.test.is_some() || args.lib;
    let Some(name) = args.name.as_deref() else {
        if target || !args.command.is_empty() {
            return Ok(None);
        }
        let list = "`lockcheck run --list` lists the scenarios";
        return Err(Failure(format!("name a scenario, a target or a command as `-- cargo test`; {list}")));
    };
    if Path::new(name).extension().is_some_and(|extension| extension == "rs") {
        return Ok(None);
    }
    if scenarios::is_one(name) || !run_program::examples(cwd, terminal).iter().any(|example| example == name) {
        return scenarios::chosen(name, args, &run_program::examples(cwd, terminal))
            .map(|(scenario, _)| Some(scenario.name));
    }
    Ok(None)
}

/// What the program and the processes it started recorded, in the order of their names.
pub(super) fn traces(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut traces: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    traces.sort();
    traces
}

/// Copies the first trace to `keep` and those of further processes beside it.
pub(super) fn keep_traces(traces: &[PathBuf], keep: &Path) -> Result<(), Failure> {
    for (at, trace) in traces.iter().enumerate() {
        let mut target = keep.as_os_str().to_owned();
        if at > 0 {
            target.push(format!(".{}", at + 1));
        }
        std::fs::copy(trace, &target)
            .map_err(|error| Failure(format!("cannot keep the trace in `{}`: {error}", keep.display())))?;
    }
    Ok(())
}

pub(super) fn analysed(traces: &[PathBuf], config: &Config, texts: &Texts) -> Result<Report, Failure> {
    if traces.is_empty() {
        let message = "nothing was recorded: the program used no tracked lock, thread or pool".into();
        let notice = Notice { kind: NoticeKind::Program, file: None, line: None, message };
        let (summary, findings) = (Summary::default(), Vec::new());
        return Ok(Report { mode: Mode::Run, summary, findings, notices: vec![notice] });
    }
    let report = crate::analyze_with(traces, config, texts).map_err(|error| Failure(error.to_string()))?;
    Ok(Report { mode: Mode::Run, ..report })
}

/// Notices about the trace file are about the run: nobody knows the file, and a program that was ended leaves a trace
/// that is cut off.
fn about_the_run(report: &mut Report, end: &End, traces: &[PathBuf]) {
    let ended = !matches!(end, End::Itself(_));
    report.notices.retain(|notice| !(ended && notice.kind == NoticeKind::CutOffTrace));
    let shown: Vec<_> = traces.iter().map(|trace| trace.to_string_lossy().replace('\\', "/")).collect();
    for notice in &mut report.notices {
        if notice.file.as_ref().is_some_and(|file| shown.contains(file)) {
            notice.file = None;
        }
    }
}

/// What the reader should know about how the program ended.
fn notice(end: &End, args: &RunArgs) -> Option<Notice> {
    let message = match end {
        End::Itself(status) if status.success() => return None,
        End::Itself(status) => format!("the program ended by itself with {status}"),
        End::TimeLimit => {
            format!(
                "the program had not ended after {} s and was ended; see --timeout",
                args.timeout.unwrap_or(TIME_LIMIT).as_secs_f64()
            )
        }
        End::Deadlock => "the program hung in a deadlock and was ended".into(),
        End::Interrupted => "the program was ended because of an interrupt".into(),
    };
    Some(Notice { kind: NoticeKind::Program, file: None, line: None, message })
}

//! `lockcheck run` on a program of the user: prepared by `instrument`, watched over, analysed.
//!
//! Guarantees: the program runs in any case, untracked and with a word about it where it cannot be tracked. Its input,
//! output and arguments are its own.
//!
//! Misses: the exit code of the program itself, which is told apart from success only.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::ArgMatches;

use super::args::RunArgs;
use super::levels::Levels;
use super::run_watch::{Outcome, Watched, watch_over};
use super::terminal::{Stream, Terminal, to_stderr};
use super::{Exit, Failure, analyze, cargo, confirm, run, run_agree, run_paths};
use crate::config::Config;
use crate::finding::{Evidence, Mode, Notice, NoticeKind, Report, Summary};
use crate::instrument::{Programs, Request, Session, Single, prepare};
use crate::source::{Targets, Texts};

/// What to run.
enum Program {
    Command(Request),
    File(PathBuf, Vec<OsString>),
}

/// The examples of the package here.
pub(super) fn examples(cwd: &Path, terminal: &Terminal) -> Vec<String> {
    let Some(metadata) = cargo::metadata(cwd, terminal) else { return Vec::new() };
    let here = |package: &&cargo_metadata::Package| {
        package.manifest_path.parent().is_some_and(|folder| cwd.starts_with(folder) || folder.starts_with(cwd))
    };
    let targets = metadata.packages.iter().filter(here).flat_map(|package| &package.targets);
    let mut names: Vec<String> =
        targets.filter(|target| target.is_example()).map(|target| target.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Runs, analyses and reports; the report for people goes to standard error.
pub(super) fn run(args: &RunArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().unwrap_or_default();
    let program = program(args)?;
    let config = super::config(&args.report, &[], &cwd)?;
    let levels = Levels::read(&config, matches)?;
    let started = Instant::now();
    // Of a program of one file every event is wanted; test suites may make millions.
    let usual = if matches!(program, Program::File(..)) { "trace" } else { "order" };
    // Schedules are made of events, and followed by them.
    let scheduled = confirm::is_asked(args) || confirm::schedule(args, 0).is_some();
    let usual = if scheduled { "trace" } else { usual };
    let mode = std::env::var("LOCKCHECK").ok().filter(|mode| mode == "trace" || mode == "order");
    let programs = Programs { mode: mode.as_deref().unwrap_or(usual), on_deadlock: args.on_deadlock.name() };
    let request = match &program {
        Program::Command(request) => request.clone(),
        Program::File(file, _) => Request::new(vec![file.into()]).ok_or_else(|| Failure("name a file".into()))?,
    };
    let session = match prepare(&request, &cwd, programs) {
        Ok(session) => session,
        Err(reason) => match &program {
            Program::Command(request) => return untracked(request.command(), &reason.to_string(), args, terminal),
            Program::File(..) => return Err(Failure(format!("programs cannot be tracked here: {reason}"))),
        },
    };
    let texts = analyze::texts();
    let Ran { mut report, outcome, traces } = runs(args, &program, &session, (&config, &texts), terminal)?;
    if confirm::is_asked(args) {
        confirmed(args, &program, &session, &traces, &mut report)?;
    }
    let root = match &program {
        Program::Command(_) => {
            cargo::metadata(&cwd, terminal).map(|metadata| metadata.workspace_root.into_std_path_buf())
        }
        Program::File(file, _) => Some(cwd.join(file)),
    };
    if let Some(root) = root {
        run_paths::from_here(&mut report, &root, &cwd);
        run_agree::mark(&mut report, &root, &cwd, &config);
    }
    report.finish();
    super::suppress(&mut report, &texts);
    levels.apply(&mut report);
    super::known::apply_baseline(&args.report, &mut report)?;
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    let pictures = analyze::pictures(&args.report, &traces, &texts);
    terminal.emit(&report, &args.report, &texts, &Targets::default(), Stream::Stderr, pictures.as_ref())?;
    if args.stats {
        let table = crate::written::stats(&traces, &texts).unwrap_or_else(|| "no lock was counted\n".into());
        to_stderr(table.as_bytes());
    }
    Ok(Exit::of_run(&report, !outcome.succeeded(), outcome.interrupted))
}

/// The last run.
struct Ran {
    report: Report,
    outcome: Outcome,
    traces: Vec<PathBuf>,
}

/// Runs the program as often as asked for, until threads blocked each other or it failed, and gives the last run's report.
fn runs(
    args: &RunArgs,
    program: &Program,
    session: &Session,
    (config, texts): (&Config, &Texts),
    terminal: &Terminal,
) -> Result<Ran, Failure> {
    let watched = Watched {
        time: args.timeout,
        ends_hangs: args.on_deadlock == super::args::OnDeadlock::Report,
        stdout_to_stderr: args.report.message_format.is_machine(),
        session: Some(session),
    };
    let mut number = 0;
    loop {
        let earlier = session.traces();
        let mut command = launch(program, session)?;
        command.envs(confirm::schedule(args, number).map(|schedule| (confirm::VARIABLE, schedule)));
        if args.stats {
            command.env("LOCKCHECK_STATS", "1");
        }
        let outcome = watch_over(command, &watched, terminal)?;
        let mut traces = session.traces();
        traces.retain(|trace| !earlier.contains(trace));
        let mut report = run::analysed(&traces, config, texts)?;
        number += 1;
        let observed = report.findings.iter().any(|finding| finding.evidence == Evidence::Observed);
        if number < args.runs && !observed && outcome.succeeded() {
            continue;
        }
        if let Some(keep) = &args.trace {
            run::keep_traces(&traces, keep)?;
        }
        about_the_run(&mut report, session, &outcome, &traces);
        report.notices.extend(confirm::found_by(args, number - 1, &report));
        return Ok(Ran { report, outcome, traces });
    }
}

/// The command that runs the program. Where it does not compile, the compiler's own words go to standard error.
fn launch(program: &Program, session: &Session) -> Result<Command, Failure> {
    match program {
        Program::Command(request) => Ok(session.command(request)),
        Program::File(file, arguments) => {
            match session.single(file, arguments).map_err(|error| Failure(error.to_string()))? {
                Single::Program(command) => Ok(command),
                Single::Refused(messages) => {
                    to_stderr(messages.as_bytes());
                    Err(Failure(format!("`{}` does not compile", file.display())))
                }
            }
        }
    }
}

/// Steers further runs into what was predicted: of a file as a whole, of a command each program that cargo started.
fn confirmed(
    args: &RunArgs,
    program: &Program,
    session: &Session,
    traces: &[PathBuf],
    report: &mut Report,
) -> Result<(), Failure> {
    let limit = args.timeout.unwrap_or(run::TIME_LIMIT);
    match program {
        Program::File(file, _) => {
            let launch = |trace: &Path| {
                let mut command = launch(program, session)?;
                command.env("LOCKCHECK_TRACE", trace);
                Ok(command)
            };
            let written = |option: &str| format!("lockcheck run {option} {}", file.display());
            confirm::confirm(report, traces, &written, limit, &launch)
        }
        Program::Command(request) => {
            let written = |option: &str| format!("lockcheck run {option} -- {}", request.shown());
            let known = report.notices.len();
            for program in traces.iter().filter(|trace| session.again(trace).is_some()) {
                let launch = |trace: &Path| {
                    let command = session.again(program);
                    let mut command = command.ok_or_else(|| Failure("the program is gone".into()))?;
                    command.env("LOCKCHECK_TRACE", trace);
                    Ok(command)
                };
                confirm::confirm(report, std::slice::from_ref(program), &written, limit, &launch)?;
            }
            // What holds for each of several programs is said once.
            let mut said = report.notices.split_off(known);
            said.dedup_by(|later, earlier| later.message == earlier.message);
            report.notices.append(&mut said);
            Ok(())
        }
    }
}

/// The program that the arguments name.
fn program(args: &RunArgs) -> Result<Program, Failure> {
    if let Some(name) = args.name.as_deref() {
        let path = PathBuf::from(name);
        if path.extension().is_some_and(|extension| extension == "rs") {
            if !path.is_file() {
                return Err(Failure(format!("there is no file `{name}`")));
            }
            return Ok(Program::File(path, args.command.clone()));
        }
    }
    let mut words: Vec<OsString> = Vec::new();
    let mut target = |verb: &str, flag: &str, name: Option<&str>| {
        words = ["cargo", verb, flag].iter().copied().chain(name).map(OsString::from).collect();
    };
    match (&args.example, &args.bin, &args.test, args.lib, &args.name) {
        (Some(name), ..) => target("run", "--example", Some(name)),
        (_, Some(name), ..) => target("run", "--bin", Some(name)),
        (_, _, Some(name), ..) => target("test", "--test", Some(name)),
        (_, _, _, true, _) => target("test", "--lib", None),
        (.., Some(name)) => target("run", "--example", Some(name)),
        _ => {}
    }
    if words.is_empty() {
        words = args.command.clone();
        if args.package.is_some() {
            return Err(Failure("--package goes with a target; give it to the command itself".into()));
        }
    } else {
        if let Some(package) = &args.package {
            words.extend(["--package".into(), package.into()]);
        }
        if !args.command.is_empty() {
            words.push("--".into());
            words.extend(args.command.iter().cloned());
        }
    }
    Request::new(words).map(Program::Command).ok_or_else(|| Failure("name a target or a command".into()))
}

/// Runs a command that cannot be tracked.
fn untracked(command: Command, reason: &str, args: &RunArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    terminal.note(&format!("the program runs untracked: {reason}"));
    let watched = Watched {
        time: args.timeout,
        ends_hangs: false,
        stdout_to_stderr: args.report.message_format.is_machine(),
        session: None,
    };
    let outcome = watch_over(command, &watched, terminal)?;
    let message = format!("the program ran untracked: {reason}");
    let notice = Notice { kind: NoticeKind::Program, file: None, line: None, message };
    let mut notices = vec![notice];
    notices.extend(outcome.notices());
    let report = Report { mode: Mode::Run, summary: Summary::default(), findings: Vec::new(), notices };
    terminal.emit(&report, &args.report, &analyze::texts(), &Targets::default(), Stream::Stderr, None)?;
    Ok(Exit::of_run(&report, !outcome.succeeded(), outcome.interrupted))
}

/// Notices about trace files are about programs; a program that was ended leaves a trace that is cut off.
fn about_the_run(report: &mut Report, session: &Session, outcome: &Outcome, traces: &[PathBuf]) {
    report.notices.retain(|notice| !(outcome.was_ended() && notice.kind == NoticeKind::CutOffTrace));
    for notice in &mut report.notices {
        let trace = traces.iter().find(|trace| {
            notice.file.as_deref().is_some_and(|file| *file == trace.to_string_lossy().replace('\\', "/"))
        });
        if let Some(trace) = trace {
            notice.file = session.program(trace);
        }
    }
    let note = |message: String| Notice { kind: NoticeKind::Program, file: None, line: None, message };
    report.notices.extend(session.notices().into_iter().map(note));
    report.notices.extend(outcome.notices());
}

//! The command line: arguments in, one report out, an exit code.
//!
//! Guarantees: whatever happens, the process ends with a code of [`Exit`]; only this module (and what it starts)
//! prints or starts processes; a closed pipe is no error.
//!
//! Misses: panics that abort, and stack overflows: those end the process as the system decides.

mod analyze;
mod args;
mod cache;
mod cargo;
mod child;
mod config;
mod confirm;
mod exit;
mod explain;
mod graph;
mod host;
mod known;
mod levels;
mod lsp;
mod mend;
mod pages;
mod progress;
mod rescan;
mod run;
mod run_agree;
mod run_all;
mod run_paths;
mod run_program;
mod run_watch;
mod scan;
mod scenarios;
mod sections;
mod terminal;
mod watch;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::{Args, Command};
pub use exit::Exit;
use terminal::Terminal;

use crate::config::Config;
use crate::finding::Report;
use crate::source::{Text, Texts};

/// Why a command could not do its job: one line for the user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

/// Runs a whole command line and gives the process's exit code.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let (arguments, as_cargo) = without_cargos_word(arguments);
    if let Some(code) = crate::instrument::if_wrapper(&arguments) {
        return code;
    }
    // A scenario's own panic is its own affair, not an internal error of lockcheck.
    if let Some(code) = host::if_asked(&arguments) {
        return code;
    }
    let exit = catch_unwind(AssertUnwindSafe(|| dispatch(arguments, as_cargo))).unwrap_or_else(|_| {
        let at = concat!("please report it with the lines above at ", env!("CARGO_PKG_REPOSITORY"), "/issues");
        terminal::to_stderr(format!("lockcheck went wrong internally; {at}\n").as_bytes());
        Exit::Internal
    });
    exit.into()
}

/// The configuration that counts for these paths, or that the user names.
fn config(args: &args::ReportArgs, paths: &[PathBuf], cwd: &Path) -> Result<Config, Failure> {
    crate::config::load(args.config.as_deref(), paths, cwd).map_err(|error| Failure(error.to_string()))
}

/// Takes out what comments in the files that a recorded run names suppress.
fn suppress(report: &mut Report, texts: &Texts) {
    let places = report.findings.iter().flat_map(|finding| {
        let steps = finding.threads.iter().flat_map(|thread| &thread.steps);
        [&finding.primary].into_iter().chain(&finding.related).chain(steps)
    });
    let names: BTreeSet<String> = places.map(|place| place.file.clone()).collect();
    let files: Vec<(&str, Text)> = names.iter().filter_map(|name| Some((name.as_str(), texts.get(name)?))).collect();
    crate::suppress::apply(report, files, crate::suppress::Pass::Recorded);
}

/// As a cargo subcommand the program gets its own name as first argument.
fn without_cargos_word(mut arguments: Vec<OsString>) -> (Vec<OsString>, bool) {
    let program = arguments.first().and_then(|path| Path::new(path).file_stem()).map(|stem| stem.to_owned());
    let as_cargo = program.is_some_and(|stem| stem == "cargo-lockcheck");
    if as_cargo && arguments.get(1).is_some_and(|word| word == "lockcheck") {
        arguments.remove(1);
    }
    (arguments, as_cargo)
}

fn dispatch(arguments: Vec<OsString>, as_cargo: bool) -> Exit {
    let command = if as_cargo { Args::command().bin_name("cargo lockcheck") } else { Args::command() };
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| {
        let args = Args::from_arg_matches(&matches)?;
        Ok((args, matches))
    });
    let (args, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are errors to clap as well; both print where they belong.
            let _ = error.print();
            return if error.use_stderr() { Exit::Unable } else { Exit::Clean };
        }
    };
    let terminal = Terminal::new(&args.look);
    let matches = matches.subcommand().map(|(_, matches)| matches);
    let done = match &args.command {
        Command::Scan(scan) => scan::scan(scan, matches, &terminal),
        Command::Run(run) => run::run(run, matches, &terminal),
        Command::Analyze(analyze) => analyze::analyze(analyze, matches, &terminal),
        Command::Graph(graph) => graph::graph(graph, &terminal),
        Command::Explain { rule } => explain::explain(rule),
        Command::Rules => explain::rules(),
        Command::Lsp => lsp::lsp(),
        Command::Man { command } => pages::man(command.as_deref()),
        Command::Config(arguments) => config::config(arguments),
        Command::Completions { shell } => args::completions(*shell),
    };
    done.unwrap_or_else(|failure| {
        terminal.error(&failure.to_string());
        Exit::Unable
    })
}

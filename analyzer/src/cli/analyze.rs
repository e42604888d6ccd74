//! `lockcheck analyze`.

use std::path::PathBuf;
use std::time::Instant;

use clap::ArgMatches;

use super::args::AnalyzeArgs;
use super::levels::Levels;
use super::terminal::{Stream, Terminal};
use super::{Exit, Failure};
use crate::source::{Targets, Text, Texts};

/// Analyses traces and reports; the report for people goes to standard output.
pub(super) fn analyze(args: &AnalyzeArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    let started = Instant::now();
    let config = super::config(&args.report, &[], &std::env::current_dir().unwrap_or_default())?;
    let levels = Levels::read(&config, matches)?;
    let mut report = crate::analyze(&args.traces).map_err(|error| Failure(error.to_string()))?;
    let texts = texts();
    super::suppress(&mut report, &texts);
    levels.apply(&mut report);
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    terminal.emit(&report, &args.report, &texts, &Targets::default(), Stream::Stdout)?;
    Ok(Exit::of(&report))
}

/// The texts of what ran: paths in a trace are relative to the workspace that was built, which is the current
/// directory or one above it. The built-in scenarios bring theirs along.
pub(super) fn texts() -> Texts {
    let cwd = std::env::current_dir().unwrap_or_default();
    let mut texts = Texts::from_disk(cwd.ancestors().map(PathBuf::from).collect());
    for (path, source) in lockcheck_fixtures::scenarios::sources() {
        if let Ok(text) = Text::decode(source.as_bytes().to_vec()) {
            texts.insert(path, text);
        }
    }
    texts
}

//! `lockcheck analyze`.

use std::path::PathBuf;
use std::time::Instant;

use clap::ArgMatches;

use super::args::{AnalyzeArgs, ReportArgs};
use super::levels::Levels;
use super::progress::Progress;
use super::terminal::{Stream, Terminal};
use super::{Exit, Failure};
use crate::report::{Format, Pictures};
use crate::source::{Targets, Text, Texts};

/// Analyses traces and reports; the report for people goes to standard output.
pub(super) fn analyze(args: &AnalyzeArgs, matches: Option<&ArgMatches>, terminal: &Terminal) -> Result<Exit, Failure> {
    let started = Instant::now();
    let config = super::config(&args.report, &[], &std::env::current_dir().unwrap_or_default())?;
    let levels = Levels::read(&config, matches)?;
    let texts = texts();
    let progress = Progress::start(terminal, format!("analysing {} traces", args.traces.len()));
    let mut report = crate::analyze_with(&args.traces, &config, &texts).map_err(|error| Failure(error.to_string()))?;
    drop(progress);
    super::suppress(&mut report, &texts);
    levels.apply(&mut report);
    super::known::apply_baseline(&args.report, &mut report)?;
    report.summary.elapsed_ms = started.elapsed().as_millis() as u64;
    let pictures = pictures(&args.report, &args.traces, &texts);
    terminal.emit(&report, &args.report, &texts, &Targets::default(), Stream::Stdout, pictures.as_ref())?;
    Ok(Exit::of(&report))
}

/// What the page of a recorded run shows besides findings, where a page is asked for.
pub(super) fn pictures(args: &ReportArgs, traces: &[PathBuf], texts: &Texts) -> Option<Pictures> {
    if !args.wants(Format::Html) || traces.is_empty() {
        return None;
    }
    crate::pictures::of_traces(traces, texts).ok()
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

//! lockcheck: finds deadlocks and lock-order inversions in Rust.

pub mod cli;
pub mod finding;
pub mod graph;
pub mod model;
pub mod regions;
pub mod report;
pub mod rules;
pub mod source;
pub mod syntax;
pub mod trace;

use std::path::{Path, PathBuf};

use finding::{Mode, Report, Summary};

/// The static pass: source text in, findings out.
pub fn scan(sources: &source::Sources) -> Report {
    let lines = sources.files.iter().map(|file| file.text.line_count()).sum();
    let summary = Summary { files: sources.files.len(), lines, ..Summary::default() };
    let mut report = Report { mode: Mode::Scan, summary, findings: Vec::new(), notices: sources.notices.clone() };
    report.finish();
    report
}

/// Why recorded traces could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// A file could not be read.
    #[error("`{}` cannot be read: {source}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The run-time pass: recorded traces in, findings out.
pub fn analyze(traces: &[PathBuf]) -> Result<Report, AnalyzeError> {
    let readable = |file: &Path| std::fs::metadata(file).map(drop);
    for file in traces {
        readable(file).map_err(|source| AnalyzeError::Unreadable { file: file.clone(), source })?;
    }
    let summary = Summary { files: traces.len(), ..Summary::default() };
    Ok(Report { mode: Mode::Analyze, summary, findings: Vec::new(), notices: Vec::new() })
}

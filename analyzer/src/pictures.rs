//! Both passes as pictures: the lock graph of sources or of a run, and a run's timeline.
//!
//! Guarantees: the graph is the one that the rules read, and nothing of it is left out; [`crate::report::graph`] and the page of
//! the `html` format draw it.
//!
//! Misses: findings; [`crate::scan_with`] and [`crate::analyze`] have them.

use std::path::PathBuf;

use crate::graph::LockGraph;
use crate::graph::picture::Picture;
use crate::report::Pictures;
use crate::source::Texts;
use crate::trace;
use crate::written::Written;

/// The lock graph of the static pass, for [`crate::scan_and`].
pub fn of_graph(graph: &LockGraph) -> Pictures {
    Pictures { graph: Some(Picture::new(graph, &|_| None)), timeline: None }
}

/// The lock graph of recorded runs, with an instance of a lock as a node, and their timeline.
///
/// # Errors
/// No file can be read.
pub fn of_traces(traces: &[PathBuf], texts: &Texts) -> Result<Pictures, trace::TraceError> {
    let written = Written::new(texts);
    let (graph, replay, _) = trace::load_named(traces, &|site| written.at(site))?;
    let name = |node| {
        let object = graph.node_at(node).instance?;
        Some(replay.names.object(&replay.recording, object))
    };
    let picture = Picture::new(&graph, &name);
    Ok(Pictures { graph: Some(picture), timeline: Some(trace::timeline::load(traces, &|site| written.at(site))) })
}

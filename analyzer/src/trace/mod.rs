//! A recorded run, read back: what happened, what could have happened, and the lock graph of it.
//!
//! ```text
//! files -> read -> recording -> order -> history -> predict
//!                                     \           \-> order_graph -> LockGraph -> possible
//!                                      -> accesses -> races, lost_updates
//!                                      -> split_updates, pools, overtakers, livelocks
//! ```
//!
//! Guarantees: any files give a result or a typed error; what was cut off, skipped or truncated is a notice. The
//! tracker is known by its event format alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lockcheck_tracker::event::RecordingMode;

use crate::finding::{Notice, NoticeKind};
use crate::graph::LockGraph;
use crate::graph::cycles::{Cycle, CycleSearch, Limits};

pub mod accesses;
pub mod causality;
pub mod clocks;
pub mod closure;
pub mod held;
pub mod history;
pub mod livelocks;
pub mod long_waits;
pub mod lost_updates;
pub mod names;
pub mod order;
pub mod order_graph;
pub mod overtakers;
pub mod patterns;
pub mod poisonings;
pub mod pools;
pub mod possible;
pub mod predict;
pub mod races;
pub mod rapid;
pub mod rapid_bin;
pub mod read;
pub mod recording;
pub mod schedule;
#[cfg(test)]
pub(crate) mod script;
pub mod sections;
mod segments;
pub mod signals;
pub mod split_updates;
pub mod stream;
mod survey;
pub mod tasks;
pub mod timeline;
mod turns;

pub use history::History;
pub use lost_updates::LostUpdate;
pub use names::Names;
pub use predict::{Prediction, Predictions};
pub use races::Race;
pub use read::TraceError;
pub use recording::Recording;

/// What the run-time rules read.
#[derive(Debug, Default)]
pub struct Replay {
    /// Descriptions and observations; its streams are empty, they were merged.
    pub recording: Recording,
    /// What to call things.
    pub names: Names,
    /// Requests and critical sections.
    pub history: History,
    /// Deadlocks that follow from the run.
    pub predictions: Predictions,
    /// Cycles of the run's lock graph that nothing recorded rules out.
    pub cycles: Vec<Cycle>,
    /// The run's lock graph with all instances of a class as one node.
    pub class_graph: LockGraph,
    /// Cycles of that graph, also those of `cycles`.
    pub class_cycles: Vec<Cycle>,
    /// Data races.
    pub races: Vec<Race>,
    /// Lost updates.
    pub lost_updates: Vec<LostUpdate>,
    /// Atomics loaded and stored in separate steps, with another thread's store in between.
    pub split_updates: Vec<split_updates::SplitUpdate>,
    /// Waits for a lock that others took again and again.
    pub starved: Vec<overtakers::Waiter>,
    /// Threads that gave way to each other.
    pub livelocks: Vec<livelocks::Livelock>,
    /// By pool: how large it is and must be.
    pub pools: BTreeMap<u32, pools::Need>,
    /// Number of events.
    pub events: usize,
}

impl Replay {
    /// Whether every event was recorded, so that what could not be predicted was at least looked at.
    pub fn has_events(&self) -> bool {
        self.recording.mode == Some(RecordingMode::Trace)
    }
}

/// Reads trace files and analyses them as one run; files of several processes keep their locks and threads apart.
///
/// A file that cannot be read is an error if it is the only one, else a notice.
pub fn load(paths: &[PathBuf]) -> Result<(LockGraph, Replay, Vec<Notice>), TraceError> {
    load_named(paths, &|_| None)
}

/// The same, with what the source calls locks that have no name of their own.
pub fn load_named(
    paths: &[PathBuf],
    written: recording::Written<'_>,
) -> Result<(LockGraph, Replay, Vec<Notice>), TraceError> {
    let mut notices = Vec::new();
    let mut whole: Option<Recording> = None;
    let mut first_error = None;
    for path in paths {
        match read::read_file(path, &mut notices) {
            Ok(recording) => match &mut whole {
                Some(whole) => whole.append(recording),
                None => whole = Some(recording),
            },
            Err(error) => {
                let file = Some(path.to_string_lossy().replace('\\', "/"));
                let message = error.to_string();
                notices.push(Notice { kind: NoticeKind::UnreadableFile, file, line: None, message });
                first_error.get_or_insert(error);
            }
        }
    }
    match (whole, first_error) {
        (None, Some(error)) => Err(error),
        (whole, _) => {
            let mut whole = whole.unwrap_or_default();
            whole.learn(written);
            let (graph, replay) = replay(whole, &mut notices);
            Ok((graph, replay, notices))
        }
    }
}

/// Vector clocks take memory with the square of the number of threads.
const MOST_THREADS: usize = 4_096;

/// Analyses a recording.
pub fn replay(mut recording: Recording, notices: &mut Vec<Notice>) -> (LockGraph, Replay) {
    let mut notice = |kind, message| notices.push(Notice { kind, file: None, line: None, message });
    let mut streams = std::mem::take(&mut recording.streams);
    if let Some(first_left_out) = streams.keys().nth(MOST_THREADS).copied() {
        let left_out = streams.split_off(&first_left_out).len();
        notice(NoticeKind::Truncated, format!("{left_out} threads beyond the first {MOST_THREADS} were left out"));
    }
    let ordered = order::order(streams);
    if ordered.gaps > 0 {
        let message = format!("the trace contradicts itself in {} places; its order there is a guess", ordered.gaps);
        notice(NoticeKind::CutOffTrace, message);
    }
    match segments::prune(&mut recording) {
        0 => {}
        cut => notice(
            NoticeKind::Truncated,
            format!("the last {cut} order edges were left out: too much was synchronised"),
        ),
    }
    let unrecorded: BTreeSet<u32> = recording.segments.values().map(|segment| segment.thread).collect();
    if let Some(left_out) = unrecorded.len().checked_sub(tasks::MOST_ACTORS + 1) {
        let most = tasks::MOST_ACTORS;
        notice(NoticeKind::Truncated, format!("{} threads beyond the first {most} were left out", left_out + 1));
    }
    let names = Names::new(&recording);
    long_waits::lines(&recording, &names).into_iter().for_each(|line| notice(NoticeKind::Program, line));
    let (races, lost_updates) = accesses::accesses(&recording, &ordered);
    let split_updates = split_updates::split_updates(&recording, &ordered);
    let (starved, livelocks) = (overtakers::waiters(&recording, &ordered), livelocks::livelocks(&ordered));
    poisonings::poisonings(&recording, &ordered, &names)
        .into_iter()
        .for_each(|sentence| notice(NoticeKind::Program, sentence));
    let pools = pools::needs(&recording, &ordered);
    let events = ordered.len();
    // From here on the run is needed once only: it is the largest thing in memory.
    let history = History::new(&recording, &tasks::split(&recording, ordered), history::Places::Apart);
    if history.known.is_some() {
        let most = history::MOST_SECTIONS;
        let message = format!(
            "deadlocks were predicted from the first {most} critical sections; of the rest, only the order of locks"
        );
        notice(NoticeKind::Truncated, message);
    }
    let predictions = predict::predict(&history, Limits::default());
    if let Some(message) = predictions.truncated.clone() {
        notice(NoticeKind::Truncated, message);
    }
    let graph = order_graph::order_graph(&recording, &history, &names);
    let CycleSearch { cycles, truncated } = possible::possible(&graph, &history, &recording);
    if let Some(message) = truncated {
        notice(NoticeKind::Truncated, message);
    }
    let class_graph = order_graph::class_graph(&recording, &history, &names);
    // Classes of several processes have the same names and no lock in common.
    let one_process = recording.processes <= 1;
    let class_cycles =
        if one_process { possible::possible(&class_graph, &history, &recording).cycles } else { Vec::new() };
    let replay = Replay {
        recording,
        names,
        history,
        predictions,
        cycles,
        class_graph,
        class_cycles,
        races,
        lost_updates,
        split_updates,
        starved,
        livelocks,
        pools,
        events,
    };
    (graph, replay)
}

#[cfg(test)]
mod robust_tests;

//! A recorded run, read back.

pub mod causality;
pub mod clocks;
pub mod closure;
pub mod history;
pub mod order;
pub mod patterns;
pub mod predict;
pub mod rapid;
pub mod rapid_bin;
pub mod read;
pub mod recording;

pub use read::TraceError;
pub use recording::Recording;

/// What the run-time rules read.
#[derive(Debug, Default)]
pub struct Replay {}

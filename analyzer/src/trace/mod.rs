//! A recorded run, read back.

/// What the run-time rules read.
#[derive(Debug, Default)]
pub struct Replay {}

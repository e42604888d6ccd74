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

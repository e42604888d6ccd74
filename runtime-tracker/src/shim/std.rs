//! The crate that stands for `std` in a program under `lockcheck run`: all of the real one, with the tracker's `sync` and
//! `thread` in place of its own.
//!
//! It lies beside the tracker's other files when it is compiled, as a crate with the name `std`; in a crate of this name
//! `::std` is the real one. Definitions here come before what the glob brings.
//!
//! Guarantees: whatever names `std::sync` or `std::thread` in such a program, in macros, generated code and documentation tests
//! too, gets the tracked types; diagnostics and type names say `std::sync`.
//!
//! Misses: atomics stay those of `core`, which crates without `std` name as well; unstable lock types stay untracked.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "not all of the tracker is of use here")]

pub use ::std::*;

mod config;
mod event;
mod finding;
mod graph;
mod head;
mod held;
mod names;
mod order;
mod park;
mod pool;
mod raw;
mod record;
mod schedule;
mod site;
mod stats;
pub mod sync;
mod table;
pub mod thread;
mod threads;
mod tracked;
mod wait;

#[path = "shim/raw.rs"]
mod raw_locks;

/// For what stands in place of other crates; no part of what a program sees of `std`.
#[doc(hidden)]
#[path = "shim/inside.rs"]
pub mod __lockcheck;

//! The crate that stands for `lockcheck_tracker` in a program under `lockcheck run`: the tracker inside `std`, so that a program that
//! uses the tracked types by itself is tracked once.
//!
//! Guarantees: the library's names.
//!
//! Misses: atomics are `std`'s, so their accesses are not recorded; the library with its features is compiled as it is.

#![allow(missing_docs, reason = "the library has them")]

pub use std::__lockcheck::{Evidence, Finding, Step, Tracked, event, is_breaking_deadlock, on_finding, pool};

/// As the library's own.
pub mod sync {
    pub use std::sync::*;
}

/// As the library's own.
pub mod thread {
    pub use std::thread::*;
}

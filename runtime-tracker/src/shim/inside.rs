//! What the crates that stand for others in a program under `lockcheck run` need of the tracker inside `std`.
//!
//! Guarantees: the names of the tracker's library, so that a program that uses it by itself is tracked once.
//!
//! Misses: the tracker's features, and its atomics and cells in place of `std`'s.

pub use crate::finding::{Evidence, Finding, Step, on_finding};
pub use crate::tracked::Tracked;

/// As the tracker's own.
pub mod event {
    pub use crate::event::*;
}

/// Raw locks, for the crates that stand for `lock_api`.
pub mod raw {
    pub use crate::raw_locks::*;
}

/// As the tracker's own.
pub mod pool {
    pub use crate::pool::*;
}

/// As the tracker's own.
pub fn is_breaking_deadlock() -> bool {
    crate::threads::is_breaking()
}

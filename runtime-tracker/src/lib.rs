//! Tracked locks, threads and pools.

mod config;
pub mod event;
mod finding;
mod graph;
mod head;
mod held;
mod names;
mod order;
mod park;
pub mod pool;
mod raw;
mod record;
mod site;
pub mod sync;
pub mod thread;
mod threads;
mod tracked;
mod wait;

pub use finding::{Evidence, Finding, Step, on_finding};
pub use tracked::Tracked;

/// Whether the calling thread unwinds because the tracker broke a deadlock by it: for panic hooks that want to be
/// quiet about that, and for destructors.
pub fn is_breaking_deadlock() -> bool {
    threads::is_breaking()
}

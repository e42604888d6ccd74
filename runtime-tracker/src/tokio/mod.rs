//! Drop-in for `tokio`, with the feature `tokio`: [`spawn`]ed tasks, and the locks and semaphores that they wait
//! for, over the crate's own types.
//!
//! A lock that a task holds across an `.await` belongs to the task, not to the thread that happens to run it. So held
//! sets, order edges and the wait-for graph are kept by task here; in reports a task is a thread named `tokio task`.
//!
//! Guarantees: an observed deadlock of tasks is one: each member waits for one lock, for permits or for another task's
//! end *and for nothing else* (no other waker of it is registered anywhere, as a timer's or another branch's of a
//! `select!` would be), and all that could let it go on are members. One member unwinds, by policy, and the others go on.
//!
//! Misses: the future of `block_on` and `#[tokio::main]` is no task: what it holds counts as held by somebody who can go
//! on (spawn it, to have it tracked). [`sync::Notify`] and the channels are the crate's own: a task that waits there can
//! go on. Locks of threads that are taken under a task's locks give no order. A semaphore to which permits are only
//! added later may be reported while all that it has are held by tasks that block each other.

pub mod sync;
pub mod task;

pub use ::tokio::*;

pub use task::spawn;

mod graph;

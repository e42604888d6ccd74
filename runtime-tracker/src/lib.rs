//! Tracked drop-in types for locks, threads and pools: they predict deadlocks from the order of acquisitions, find the
//! ones that happen at the moment they close, and can break them.
//!
//! ```
//! use lockcheck_tracker::sync::{Arc, Mutex}; // instead of std::sync
//! use lockcheck_tracker::thread; // instead of std::thread
//!
//! lockcheck_tracker::on_finding(|finding| eprintln!("{finding}"));
//! let (a, b) = (Arc::new(Mutex::named("a", 0)), Arc::new(Mutex::named("b", 0)));
//! let (c, d) = (a.clone(), b.clone());
//! let one = thread::spawn(move || *c.lock().unwrap() + *d.lock().unwrap());
//! assert_eq!(one.join().unwrap() + *a.lock().unwrap() + *b.lock().unwrap(), 0);
//! ```
//!
//! # What is where
//! [`sync`] and [`thread`] mirror `std::sync` and `std::thread`; [`pool::ThreadPool`] is a bounded pool with
//! `run_async`; [`Tracked`] is a shared cell whose accesses are checked for races; [`event`] is the trace format that
//! `lockcheck analyze` reads; [`on_finding`] tells the program itself.
//!
//! # Environment
//! Read once, at the first tracked operation.
//!
//! | variable | values |
//! |---|---|
//! | `LOCKCHECK` | `off`; `order` (default): held sets, order edges, deadlocks; `trace`: the same and every event. Without a file to write to, `trace` is `order` |
//! | `LOCKCHECK_TRACE` | the file to write; `%p` becomes the process number. Without it nothing is written |
//! | `LOCKCHECK_STATS` | `1`: the trace also tells of each lock how often it was taken and waited for, and how long it was waited for and held; each acquisition then costs some 50 ns more |
//! | `LOCKCHECK_SCHEDULE` | in the mode `trace`: `random:SEED` or `pct:SEED` delay threads before locks; `replay:FILE` steers into a deadlock that `lockcheck run --confirm` has planned |
//! | `LOCKCHECK_ON_DEADLOCK` | `panic` (default): the thread that closes the deadlock unwinds and everybody else goes on; `report`: only say so; `abort` |
//!
//! # Guarantee
//! - **An observed deadlock is one.** A reported thread stands in a queue, and all that could take it out stand there as
//!   well; threads that are not tracked, waits with a time limit and waits inside untracked types count as able to go on. It is
//!   reported a few milliseconds after the last thread blocked.
//! - **A broken deadlock harms nobody else.** One thread of the circle unwinds, and what it holds is given back without being
//!   poisoned. A thread that cannot unwind (it panics already, or waits in a destructor or at the end of a scope) is not chosen;
//!   where no member can, the deadlock is only reported.
//! - **A possible inversion is reported only if** no two of its requests are ordered by fork and join or pool tasks, no
//!   common lock keeps them apart, their modes exclude each other, and none of them was a `try_` call.
//! - **Nothing that was seen is forgotten** when a lock is dropped, and orders are compared by lock class as well, so
//!   one pair of instances predicts for the others.
//! - **The types behave as `std`'s**: poisoning, auto traits, `const fn new`, `?Sized`. Guards may be dropped in any order, be
//!   forgotten, or be used in destructors of thread-locals.
//!
//! # Cost
//! Ratio to `std` of lock and unlock in the same run, release build, x86-64 (Zen 4), two cores; `cargo bench -p
//! lockcheck-tracker` measures it anew. Where another hardware thread of the same core is busy, `std`'s locks hardly notice,
//! and ratios come out up to 1.6 times as high; the bench finds that out, and these are the ratios without.
//!
//! | | `off` | `order` | `trace` |
//! |---|---|---|---|
//! | one mutex | 1.00 | 1.18 | 2.4 |
//! | two nested | 1.00 | 1.26 | 2.4 |
//! | four deep, 256 orders of 64 locks | 1.01 | 1.38 | 2.5 |
//! | 4000 pairs of 1000 locks | 1.08 (larger locks) | 1.4-1.5 | 2.6 |
//! | two threads, each its own two locks | 1.00 | 1.27 | 2.8 |
//! | two threads, one lock | 1.0 | 1.1-1.3 | 2.2 |
//! | `RwLock` read | 1.02 | 1.01-1.08 | 2.0 |
//! | a nesting seen for the first time | | 0.2 µs, with a trace file 0.3 µs | 0.3 µs |
//!
//! `benches/peers`, a package of its own, runs the same work on the locks of other detectors: `cargo run --release
//! --manifest-path runtime-tracker/benches/peers/Cargo.toml --target-dir target/peers`.
//!
//! In trace mode a lock that is taken again at the same place costs two bytes of the file, its release none, and what repeats
//! nothing at all ([`event::compact`]); the file is written through memory, so a kill loses nothing.
//!
//! # Memory
//! As the kernel counts it (`tests/memory.rs` measures it and holds the bounds), beside what `std` takes:
//!
//! | | `off` | `order` | `trace` | of the file, if there is one |
//! |---|---|---|---|---|
//! | a lock, beside its data | 16 bytes | 16, and 4 once it is taken | as `order` | 17, in `trace` 34 bytes |
//! | an order of two locks, the first time that it is seen | 0 | 190 bytes | 190 bytes | 57, in `trace` 105 bytes |
//! | a thread | 0 | 6 KiB | 35 KiB, 100 KiB if it does much | 0.4, in `trace` 4 to 128 KiB |
//!
//! The same locks nested at the same places in other threads or phases are kept up to 64 times; nestings that differ in
//! their locks alone, not in class and place, up to the 16384th. Each thread takes 32 to 64 bytes more per nesting that it has shown, and
//! each start and end of a thread and each message that orders two of them leaves 12 bytes.
//!
//! # Blind spots
//! - A thread that waits in a lock or channel of another crate, for time to pass or for input counts as able to go on.
//! - Threads started by `std::thread` itself have no known parent, so nothing orders them.
//! - Locks whose guard was forgotten, or whose holder has ended, are seen only when the same thread takes them again.
//! - Who could notify, send, receive, come to a barrier or unpark is not known: such a wait is reported only where every
//!   thread of the process is tracked and blocked (and only where `/proc` tells how many there are).
//! - Limits are named where they are: [`sync`], `held.rs` (64 locks deep), `order.rs` (patterns of eight, repeated contexts).
//! - The place where a *named* lock was made is not kept, only its name.

mod config;
pub mod event;
mod finding;
mod graph;
mod head;
mod held;
mod names;
mod order;
mod park;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
pub mod pool;
mod raw;
mod record;
mod schedule;
#[cfg(feature = "sources")]
pub mod shim;
mod site;
mod stats;
pub mod sync;
mod table;
pub mod thread;
mod threads;
#[cfg(feature = "tokio")]
pub mod tokio;
mod tracked;
mod wait;

pub use finding::{Evidence, Finding, Step, on_finding};
pub use tracked::Tracked;

/// Whether the calling thread unwinds because the tracker broke a deadlock by it: for panic hooks that want to be quiet
/// about that, and for destructors.
///
/// Where such a panic was caught by `catch_unwind` and the thread panics again before it has waited, ended a pool task
/// or asked here, the answer for that panic is still `true`.
pub fn is_breaking_deadlock() -> bool {
    threads::is_breaking()
}

//! Drop-in for [`std::sync`]: every type that can block is tracked; [`Arc`], [`Weak`] and the error types are `std`'s own.
//!
//! `use lockcheck_tracker::sync::{Arc, Mutex};` is all that has to change in a program.
//!
//! Guarantees: the same API, poisoning, auto traits and fairness class as `std` (a queued writer holds back new readers);
//! poisoning uses `std`'s own error types. In addition each type has a `named` constructor.
//!
//! Misses: `size_of` differs (16 bytes beside the data); a thread that unwinds because the tracker breaks a deadlock
//! does not poison what it holds, so that everybody else can go on.

// In place of `std` itself, atomics are those that crates without `std` know as `core`'s.
#[cfg(not(lockcheck_shim))]
pub mod atomic;
mod barrier;
pub(crate) mod condvar;
mod lazy_lock;
pub mod mpsc;
pub(crate) mod mutex;
pub(crate) mod once;
mod once_lock;
mod poisoning;
mod rwlock;

pub use std::sync::*;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// As [`std::sync::ONCE_INIT`].
#[deprecated(note = "`Once::new` is a constant function")]
#[expect(clippy::declare_interior_mutable_const, reason = "std has it as well")]
pub const ONCE_INIT: Once = Once::new();

//! Drop-in for [`std::sync`]: tracked [`Mutex`], [`RwLock`] and [`Condvar`], and everything else of `std::sync` as it is.
//!
//! `use lockcheck_tracker::sync::{Arc, Mutex};` is all that has to change in a program.
//!
//! Guarantees: the same API, poisoning, auto traits and fairness class as `std` (a queued writer holds back new readers);
//! poisoning uses `std`'s own error types. In addition each type has a `named` constructor.
//!
//! Misses: `size_of` differs (16 bytes beside the data); a thread that unwinds because the tracker breaks a deadlock
//! does not poison what it holds, so that everybody else can go on.

mod condvar;
mod mutex;
mod poisoning;
mod rwlock;

pub use std::sync::*;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

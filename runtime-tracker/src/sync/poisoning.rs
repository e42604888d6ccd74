//! Poisoning, as `std` does it.
//!
//! Guarantees: a lock is poisoned when an exclusive guard is dropped by a thread that began to panic under it.
//!
//! Misses: on purpose, the unwinding by which the tracker breaks a deadlock.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{LockResult, PoisonError};

use crate::head::Head;
use crate::threads;

/// Wraps a fresh guard (or whatever stands for one).
#[inline(always)]
pub(super) fn wrap<G>(head: &Head, guard: G) -> LockResult<G> {
    if head.poisoned.load(Relaxed) { Err(PoisonError::new(guard)) } else { Ok(guard) }
}

/// An exclusive guard is dropped; `before`: its thread panicked already when it was made.
#[inline(always)]
pub(super) fn done(head: &Head, before: bool) {
    if !before && std::thread::panicking() {
        panicked(head);
    }
}

#[cold]
fn panicked(head: &Head) {
    if !threads::is_breaking() {
        head.poisoned.store(true, Relaxed);
    }
}

//! Poisoning, as `std` does it.
//!
//! Guarantees: a lock is poisoned when an exclusive guard is dropped by a thread that began to panic under it.
//!
//! Misses: on purpose, the unwinding by which the tracker breaks a deadlock.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{LockResult, PoisonError};

use crate::event::Mode;
use crate::head::Head;
use crate::threads;

/// Wraps a fresh guard (or whatever stands for one).
#[inline(always)]
pub(super) fn wrap<G>(head: &Head, guard: G) -> LockResult<G> {
    if head.poisoned.load(Relaxed) { Err(PoisonError::new(guard)) } else { Ok(guard) }
}

/// An exclusive guard is dropped by a thread that panics and did not when it took the lock.
#[cold]
pub(super) fn panicked(head: &Head) {
    if !threads::breaks(head.known(Mode::Exclusive)) {
        head.poisoned.store(true, Relaxed);
    }
}

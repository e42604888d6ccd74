//! The crate that stands for `parking_lot` 0.13 in a program under `lockcheck run`: as for 0.12, with the condition variables that 0.13
//! has from `lock_api`.
//!
//! Guarantees and misses: as for 0.12.

#![allow(missing_docs, reason = "the real crate has them")]

use std::__lockcheck::raw;
use std::time::{Duration, Instant};

pub use ::lock_api;
pub use parking_lot_real::*;

use lock_api::RawMutex as _;

pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
pub type MappedReentrantMutexGuard<'a, T> = lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
#[cfg(feature = "arc_lock")]
pub use lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
};

pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
pub type RecursiveRwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
pub type MappedRecursiveRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
pub type MappedRecursiveRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;

pub type Condvar = lock_api::Condvar<RawCondvar>;

/// A raw condition variable of the tracker, for the tracked raw mutex of this crate.
pub struct RawCondvar(raw::Condvar);

type Waited = lock_api::TrackedMutex<RawMutex>;
type Guard = <Waited as lock_api::RawMutex>::Guard;

// SAFETY: the mutex is given back while the thread waits, and held again when the wait comes back.
unsafe impl lock_api::RawCondvar for RawCondvar {
    const INIT: Self = RawCondvar(raw::Condvar::new());
    type RawMutex = Waited;

    #[track_caller]
    unsafe fn wait(&self, mutex: &Waited, guard: &mut Guard) {
        // SAFETY: by the caller.
        unsafe { mutex.wait_with(guard, |lock| self.0.sleep(lock, None)) };
    }

    #[track_caller]
    fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    #[track_caller]
    fn notify_all(&self) -> usize {
        self.0.notify_all()
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawCondvarTimed for RawCondvar {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        Instant::now().checked_add(*timeout)
    }

    #[track_caller]
    unsafe fn wait_until(&self, mutex: &Waited, guard: &mut Guard, timeout: &Instant) -> bool {
        // SAFETY: by the caller.
        unsafe { mutex.wait_with(guard, |lock| self.0.sleep(lock, Some(*timeout))) }
    }
}

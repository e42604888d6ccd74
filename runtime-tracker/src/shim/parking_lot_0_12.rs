//! The crate that stands for `parking_lot` 0.11 and 0.12 in a program under `lockcheck run`: the real raw locks under the tracked
//! `lock_api`, and condition variables of the tracker.
//!
//! Guarantees: the types are those of `lock_api` over this crate's raw locks, as in the real crate. A thread that waits on a [`Condvar`]
//! is not chosen to break a deadlock, because its guard lives on in the caller.
//!
//! Misses: `Once` is the real one and not tracked; `deadlock_detection` sees nothing wait.

#![allow(missing_docs, reason = "the real crate has them")]

use std::__lockcheck::raw;
use std::fmt;
use std::time::{Duration, Instant};

pub use ::lock_api;
pub use parking_lot_real::*;

use lock_api::{RawMutex as _, RawRwLock as _};

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

pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::const_new(lock_api::TrackedMutex::INIT, value)
}

pub const fn const_fair_mutex<T>(value: T) -> FairMutex<T> {
    FairMutex::const_new(lock_api::TrackedMutex::INIT, value)
}

pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex::const_new(lock_api::TrackedMutex::INIT, <RawThreadId as lock_api::GetThreadId>::INIT, value)
}

pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::const_new(lock_api::TrackedRwLock::INIT, value)
}

/// Whether a wait came back because its time was over.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    #[inline]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

pub struct Condvar(raw::Condvar);

impl Condvar {
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Condvar(raw::Condvar::new())
    }

    #[inline]
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    #[inline]
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.0.notify_all()
    }

    #[track_caller]
    fn sleep<T: ?Sized>(&self, guard: &MutexGuard<'_, T>, until: Option<Instant>) -> bool {
        // SAFETY: the guard holds the mutex, and it is held again when this comes back, which it does in any case.
        unsafe { MutexGuard::mutex(guard).raw().wait_with(|lock| self.0.sleep(lock, until)) }
    }

    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.sleep(guard, None);
    }

    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        WaitTimeoutResult(self.sleep(guard, Some(timeout)))
    }

    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        WaitTimeoutResult(self.sleep(guard, Instant::now().checked_add(timeout)))
    }

    #[track_caller]
    fn sleep_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        until: Option<Instant>,
    ) -> WaitTimeoutResult {
        let mut over = false;
        while !over && condition(&mut **guard) {
            over = self.sleep(guard, until);
        }
        WaitTimeoutResult(over)
    }

    #[track_caller]
    pub fn wait_while<T: ?Sized, F: FnMut(&mut T) -> bool>(&self, guard: &mut MutexGuard<'_, T>, condition: F) {
        self.sleep_while(guard, condition, None);
    }

    #[track_caller]
    pub fn wait_while_until<T: ?Sized, F: FnMut(&mut T) -> bool>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        self.sleep_while(guard, condition, Some(timeout))
    }

    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F: FnMut(&mut T) -> bool>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        self.sleep_while(guard, condition, Instant::now().checked_add(timeout))
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad("Condvar { .. }")
    }
}

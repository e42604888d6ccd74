//! [`Mutex`], [`FairMutex`] and [`ReentrantMutex`].
//!
//! Guarantees: as [`super`].
//!
//! Misses: as [`super`].

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::raw_mutex::{RawFairMutex, RawMutex};
use super::{RawThreadId, arc_without_guard, by_path, container, forward, lock_api, without_guard};

/// A tracked `parking_lot::Mutex`.
///
/// ```
/// use lockcheck_tracker::parking_lot::{Mutex, MutexGuard};
///
/// static PAIR: Mutex<(u32, u32)> = Mutex::named("pair", (1, 2));
/// *MutexGuard::map(PAIR.lock(), |pair| &mut pair.1) += 1;
/// assert_eq!(*PAIR.lock(), (1, 3));
/// ```
#[repr(transparent)]
pub struct Mutex<T: ?Sized>(lock_api::Mutex<RawMutex, T>);

/// Exclusive access to what a [`Mutex`] protects.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Exclusive access to a part of it.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
/// Exclusive access that keeps the mutex alive.
pub type ArcMutexGuard<R, T> = lock_api::ArcMutexGuard<R, T>;

container!(Mutex, lock_api::Mutex<RawMutex, T>, RawMutex, [], const_mutex, "mutex");

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock, waiting for it if need be.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock already, and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock()
    }

    /// Takes the lock if it is free.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    by_path! {
        /// As `lock`, for at most `timeout`; `None` where it is over first.
        fn try_lock_for(timeout: Duration) -> Option<MutexGuard<'_, T>>;
        /// As `lock`, until `timeout`; `None` where it is over first.
        fn try_lock_until(timeout: Instant) -> Option<MutexGuard<'_, T>>;
    }

    without_guard! {
        /// A guard of a lock that is held already.
        fn make_guard_unchecked() -> MutexGuard<'_, T>;
        /// Gives the lock back.
        fn force_unlock();
        /// Gives the lock back, to the one that has waited longest if somebody waits.
        fn force_unlock_fair();
    }

    forward! {
        /// As [`Mutex::lock`], with a guard that keeps the mutex alive.
        fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<RawMutex, T>;
        /// As [`Mutex::try_lock`], with a guard that keeps the mutex alive.
        fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<RawMutex, T>>;
        /// As [`Mutex::lock_arc`], for at most `timeout`.
        fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcMutexGuard<RawMutex, T>>;
        /// As [`Mutex::lock_arc`], until `timeout`.
        fn try_lock_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcMutexGuard<RawMutex, T>>;
    }
}

/// A tracked `parking_lot::FairMutex`: who has waited longest is next.
///
/// ```
/// use lockcheck_tracker::parking_lot::FairMutex;
///
/// let lock = FairMutex::new(1);
/// *lock.lock() += 1;
/// assert_eq!(lock.into_inner(), 2);
/// ```
#[repr(transparent)]
pub struct FairMutex<T: ?Sized>(lock_api::Mutex<RawFairMutex, T>);

/// Exclusive access to what a [`FairMutex`] protects.
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// Exclusive access to a part of it.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

container!(FairMutex, lock_api::Mutex<RawFairMutex, T>, RawFairMutex, [], const_fair_mutex, "fair mutex");

impl<T: ?Sized> FairMutex<T> {
    /// Takes the lock, waiting for it if need be.
    ///
    /// # Panics
    /// As [`Mutex::lock`].
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> FairMutexGuard<'_, T> {
        self.0.lock()
    }

    /// Takes the lock if it is free.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<FairMutexGuard<'_, T>> {
        self.0.try_lock()
    }

    by_path! {
        /// As `lock`, for at most `timeout`; `None` where it is over first.
        fn try_lock_for(timeout: Duration) -> Option<FairMutexGuard<'_, T>>;
        /// As `lock`, until `timeout`; `None` where it is over first.
        fn try_lock_until(timeout: Instant) -> Option<FairMutexGuard<'_, T>>;
    }

    without_guard! {
        /// A guard of a lock that is held already.
        fn make_guard_unchecked() -> FairMutexGuard<'_, T>;
        /// Gives the lock back.
        fn force_unlock();
        /// Gives the lock back, to the one that has waited longest if somebody waits.
        fn force_unlock_fair();
    }

    forward! {
        /// As [`FairMutex::lock`], with a guard that keeps the mutex alive.
        fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<RawFairMutex, T>;
        /// As [`FairMutex::try_lock`], with a guard that keeps the mutex alive.
        fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<RawFairMutex, T>>;
        /// As [`FairMutex::lock_arc`], for at most `timeout`.
        fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcMutexGuard<RawFairMutex, T>>;
        /// As [`FairMutex::lock_arc`], until `timeout`.
        fn try_lock_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcMutexGuard<RawFairMutex, T>>;
    }
}

/// A tracked `parking_lot::ReentrantMutex`: only its outermost lock counts.
///
/// ```
/// use lockcheck_tracker::parking_lot::ReentrantMutex;
///
/// let lock = ReentrantMutex::new(1);
/// assert_eq!(*lock.lock() + *lock.lock(), 2);
/// ```
#[repr(transparent)]
pub struct ReentrantMutex<T: ?Sized>(lock_api::ReentrantMutex<RawMutex, RawThreadId, T>);

/// Shared access to what a [`ReentrantMutex`] protects.
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Shared access to a part of it.
pub type MappedReentrantMutexGuard<'a, T> = lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Shared access that keeps the mutex alive.
pub type ArcReentrantMutexGuard<R, G, T> = lock_api::ArcReentrantMutexGuard<R, G, T>;

container!(
    ReentrantMutex,
    lock_api::ReentrantMutex<RawMutex, RawThreadId, T>,
    RawMutex,
    [RawThreadId],
    const_reentrant_mutex,
    "reentrant mutex"
);

impl<T: ?Sized> ReentrantMutex<T> {
    /// Takes the lock, waiting for it if need be.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        self.0.lock()
    }

    /// Takes the lock if it is free or the thread's own.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        self.0.try_lock()
    }

    by_path! {
        /// As `lock`, for at most `timeout`; `None` where it is over first.
        fn try_lock_for(timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>>;
        /// As `lock`, until `timeout`; `None` where it is over first.
        fn try_lock_until(timeout: Instant) -> Option<ReentrantMutexGuard<'_, T>>;
        /// Whether the calling thread holds the lock.
        fn is_owned_by_current_thread() -> bool;
    }

    without_guard! {
        /// A guard of a lock that is held already.
        fn make_guard_unchecked() -> ReentrantMutexGuard<'_, T>;
        /// Gives the lock back.
        fn force_unlock();
        /// Gives the lock back, to the one that has waited longest if somebody waits.
        fn force_unlock_fair();
    }

    arc_without_guard! {
        /// A guard of a lock that is held already, which keeps it alive.
        fn make_arc_guard_unchecked() -> ArcReentrantMutexGuard<RawMutex, RawThreadId, T>;
    }

    forward! {
        /// As [`ReentrantMutex::lock`], with a guard that keeps the mutex alive.
        fn lock_arc(self: &Arc<Self>) -> ArcReentrantMutexGuard<RawMutex, RawThreadId, T>;
        /// As [`ReentrantMutex::try_lock`], with a guard that keeps the mutex alive.
        fn try_lock_arc(self: &Arc<Self>) -> Option<ArcReentrantMutexGuard<RawMutex, RawThreadId, T>>;
        /// As [`ReentrantMutex::lock_arc`], for at most `timeout`.
        fn try_lock_arc_for(
            self: &Arc<Self>,
            timeout: Duration
        ) -> Option<ArcReentrantMutexGuard<RawMutex, RawThreadId, T>>;
        /// As [`ReentrantMutex::lock_arc`], until `timeout`.
        fn try_lock_arc_until(
            self: &Arc<Self>,
            timeout: Instant
        ) -> Option<ArcReentrantMutexGuard<RawMutex, RawThreadId, T>>;
    }
}

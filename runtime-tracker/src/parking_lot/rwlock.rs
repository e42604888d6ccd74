//! [`RwLock`].
//!
//! Guarantees: as [`super`].
//!
//! Misses: as [`super`].

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::raw_rwlock::RawRwLock;
use super::{arc_without_guard, by_path, container, forward, lock_api, without_guard};

/// A tracked `parking_lot::RwLock`.
///
/// ```
/// use lockcheck_tracker::parking_lot::{RwLock, RwLockUpgradableReadGuard};
///
/// let lock = RwLock::new(5);
/// let guard = lock.upgradable_read();
/// assert_eq!(*guard + *lock.read(), 10);
/// *RwLockUpgradableReadGuard::upgrade(guard) += 1;
/// assert_eq!(lock.into_inner(), 6);
/// ```
#[repr(transparent)]
pub struct RwLock<T: ?Sized>(lock_api::RwLock<RawRwLock, T>);

/// Shared access to what a [`RwLock`] protects.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Exclusive access to it.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// Shared access that can become exclusive.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// Shared access to a part of it.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// Exclusive access to a part of it.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
/// Shared access that keeps the lock alive.
pub type ArcRwLockReadGuard<R, T> = lock_api::ArcRwLockReadGuard<R, T>;
/// Exclusive access that keeps the lock alive.
pub type ArcRwLockWriteGuard<R, T> = lock_api::ArcRwLockWriteGuard<R, T>;
/// Shared access that can become exclusive and keeps the lock alive.
pub type ArcRwLockUpgradableReadGuard<R, T> = lock_api::ArcRwLockUpgradableReadGuard<R, T>;

container!(RwLock, lock_api::RwLock<RawRwLock, T>, RawRwLock, [], const_rwlock, "lock");

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock for reading.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock for writing, and `LOCKCHECK_ON_DEADLOCK` is
    /// `panic`.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read()
    }

    /// Takes the lock for reading if that needs no waiting.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read()
    }

    /// Takes the lock for writing.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock already, and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write()
    }

    /// Takes the lock for writing if it is free.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.0.try_write()
    }

    by_path! {
        /// Whether somebody holds the lock for writing.
        fn is_locked_exclusive() -> bool;
        /// As `read`, for at most `timeout`; `None` where it is over first.
        fn try_read_for(timeout: Duration) -> Option<RwLockReadGuard<'_, T>>;
        /// As `read`, until `timeout`; `None` where it is over first.
        fn try_read_until(timeout: Instant) -> Option<RwLockReadGuard<'_, T>>;
        /// As `write`, for at most `timeout`; `None` where it is over first.
        fn try_write_for(timeout: Duration) -> Option<RwLockWriteGuard<'_, T>>;
        /// As `write`, until `timeout`; `None` where it is over first.
        fn try_write_until(timeout: Instant) -> Option<RwLockWriteGuard<'_, T>>;
        /// As `read`, past a writer that waits: a thread that reads already may read again.
        fn read_recursive() -> RwLockReadGuard<'_, T>;
        /// As `read_recursive`, if that needs no waiting.
        fn try_read_recursive() -> Option<RwLockReadGuard<'_, T>>;
        /// As `read_recursive`, for at most `timeout`; `None` where it is over first.
        fn try_read_recursive_for(timeout: Duration) -> Option<RwLockReadGuard<'_, T>>;
        /// As `read_recursive`, until `timeout`; `None` where it is over first.
        fn try_read_recursive_until(timeout: Instant) -> Option<RwLockReadGuard<'_, T>>;
        /// Takes the lock for reading as the only one who can become the writer.
        fn upgradable_read() -> RwLockUpgradableReadGuard<'_, T>;
        /// As `upgradable_read`, if that needs no waiting.
        fn try_upgradable_read() -> Option<RwLockUpgradableReadGuard<'_, T>>;
        /// As `upgradable_read`, for at most `timeout`; `None` where it is over first.
        fn try_upgradable_read_for(timeout: Duration) -> Option<RwLockUpgradableReadGuard<'_, T>>;
        /// As `upgradable_read`, until `timeout`; `None` where it is over first.
        fn try_upgradable_read_until(timeout: Instant) -> Option<RwLockUpgradableReadGuard<'_, T>>;
    }

    without_guard! {
        /// A guard of a lock that is read already.
        fn make_read_guard_unchecked() -> RwLockReadGuard<'_, T>;
        /// A guard of a lock that is written already.
        fn make_write_guard_unchecked() -> RwLockWriteGuard<'_, T>;
        /// A guard of a lock that is read already, by the one who can become the writer.
        fn make_upgradable_guard_unchecked() -> RwLockUpgradableReadGuard<'_, T>;
        /// Ends reading.
        fn force_unlock_read();
        /// Ends writing.
        fn force_unlock_write();
        /// Ends reading; who has waited longest is next.
        fn force_unlock_read_fair();
        /// Ends writing; who has waited longest is next.
        fn force_unlock_write_fair();
    }

    arc_without_guard! {
        /// A guard of a lock that is read already, which keeps it alive.
        fn make_arc_read_guard_unchecked() -> ArcRwLockReadGuard<RawRwLock, T>;
        /// A guard of a lock that is written already, which keeps it alive.
        fn make_arc_write_guard_unchecked() -> ArcRwLockWriteGuard<RawRwLock, T>;
        /// A guard of a lock that is read already, by the one who can become the writer; keeps the lock alive.
        fn make_upgradable_arc_guard_unchecked() -> ArcRwLockUpgradableReadGuard<RawRwLock, T>;
    }

    forward! {
        /// As `read`, with a guard that keeps the lock alive.
        fn read_arc(self: &Arc<Self>) -> ArcRwLockReadGuard<RawRwLock, T>;
        /// As `try_read`, with a guard that keeps the lock alive.
        fn try_read_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `read_arc`, for at most `timeout`.
        fn try_read_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `read_arc`, until `timeout`.
        fn try_read_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `write`, with a guard that keeps the lock alive.
        fn write_arc(self: &Arc<Self>) -> ArcRwLockWriteGuard<RawRwLock, T>;
        /// As `try_write`, with a guard that keeps the lock alive.
        fn try_write_arc(self: &Arc<Self>) -> Option<ArcRwLockWriteGuard<RawRwLock, T>>;
        /// As `write_arc`, for at most `timeout`.
        fn try_write_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcRwLockWriteGuard<RawRwLock, T>>;
        /// As `write_arc`, until `timeout`.
        fn try_write_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcRwLockWriteGuard<RawRwLock, T>>;
        /// As `read_recursive`, with a guard that keeps the lock alive.
        fn read_arc_recursive(self: &Arc<Self>) -> ArcRwLockReadGuard<RawRwLock, T>;
        /// As `try_read_recursive`, with a guard that keeps the lock alive.
        fn try_read_recursive_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `read_arc_recursive`, for at most `timeout`.
        fn try_read_arc_recursive_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `read_arc_recursive`, until `timeout`.
        fn try_read_arc_recursive_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcRwLockReadGuard<RawRwLock, T>>;
        /// As `upgradable_read`, with a guard that keeps the lock alive.
        fn upgradable_read_arc(self: &Arc<Self>) -> ArcRwLockUpgradableReadGuard<RawRwLock, T>;
        /// As `try_upgradable_read`, with a guard that keeps the lock alive.
        fn try_upgradable_read_arc(self: &Arc<Self>) -> Option<ArcRwLockUpgradableReadGuard<RawRwLock, T>>;
        /// As `upgradable_read_arc`, for at most `timeout`.
        fn try_upgradable_read_arc_for(
            self: &Arc<Self>,
            timeout: Duration
        ) -> Option<ArcRwLockUpgradableReadGuard<RawRwLock, T>>;
        /// As `upgradable_read_arc`, until `timeout`.
        fn try_upgradable_read_arc_until(
            self: &Arc<Self>,
            timeout: Instant
        ) -> Option<ArcRwLockUpgradableReadGuard<RawRwLock, T>>;
    }
}

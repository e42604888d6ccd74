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
use super::{container, forward, lock_api};

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

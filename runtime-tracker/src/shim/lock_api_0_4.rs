//! The crate that stands for `lock_api` 0.4 in a program under `lockcheck run`: each lock is the one of the real crate over a raw
//! lock that is the program's own behind one of the tracker's.
//!
//! The tracker's lock is taken first and given back last, so the program's own raw lock is never waited for; it is kept
//! because it may do more than to keep others out.
//!
//! Guarantees: every lock over `lock_api` is tracked, whoever wrote its raw lock; what a raw lock cannot do, it cannot do here.
//! A lock's class is the place of its first acquisition, since raw locks are made by constants.
//!
//! A reader waits behind a writer that waits only where the program's own raw lock is known to do so: `parking_lot`'s.
//!
//! Misses: code that names a raw lock's type where it makes or takes apart a lock (`from_raw`, `const_new`, `raw`) does not compile and is
//! compiled against the real crate; a time limit of another type than `std`'s counts as none to wait for.

#![no_std]
#![allow(missing_docs, reason = "the real crate has them")]

extern crate std;

use std::__lockcheck::raw::{self, lock_api as tracked};

pub use lock_api_real::*;

/// A raw mutex behind one of the tracker's.
pub struct TrackedMutex<R> {
    lock: raw::RawMutex,
    raw: R,
}

impl<R: RawMutex> TrackedMutex<R> {
    /// Gives the mutex back while `wait` waits with the tracker's part of it.
    ///
    /// # Safety
    /// The calling thread holds it.
    #[doc(hidden)]
    #[track_caller]
    pub unsafe fn wait_with<T>(&self, wait: impl FnOnce(&raw::RawMutex) -> T) -> T {
        // SAFETY: by the caller. Nobody takes it now: the tracker's lock is in front of it.
        unsafe { self.raw.unlock() };
        let result = wait(&self.lock);
        self.raw.lock();
        result
    }
}

// SAFETY: whoever holds it holds `raw`.
unsafe impl<R: RawMutex> RawMutex for TrackedMutex<R> {
    const INIT: Self = TrackedMutex { lock: <raw::RawMutex as tracked::RawMutex>::INIT, raw: R::INIT };
    type GuardMarker = R::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock(&self) {
        tracked::RawMutex::lock(&self.lock);
        self.raw.lock();
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> bool {
        if !tracked::RawMutex::try_lock(&self.lock) {
            return false;
        }
        let taken = self.raw.try_lock();
        if !taken {
            // SAFETY: it was taken above.
            unsafe { tracked::RawMutex::unlock(&self.lock) };
        }
        taken
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.lock.is_lost() {
            return;
        }
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock();
            tracked::RawMutex::unlock(&self.lock);
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}

// SAFETY: as above.
unsafe impl<R: RawMutexFair> RawMutexFair for TrackedMutex<R> {
    #[inline]
    unsafe fn unlock_fair(&self) {
        if self.lock.is_lost() {
            return;
        }
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_fair();
            tracked::RawMutexFair::unlock_fair(&self.lock);
        }
    }

    #[track_caller]
    unsafe fn bump(&self) {
        // SAFETY: by the caller.
        unsafe { self.wait_with(|lock| tracked::RawMutexFair::bump(lock)) };
    }
}

// SAFETY: as above.
unsafe impl<R: RawMutexTimed> RawMutexTimed for TrackedMutex<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[track_caller]
    fn try_lock_for(&self, timeout: R::Duration) -> bool {
        let taken = match raw::same(&timeout) {
            Some(timeout) => tracked::RawMutexTimed::try_lock_for(&self.lock, timeout),
            None => tracked::RawMutex::try_lock(&self.lock),
        };
        taken && self.finish(self.raw.try_lock_for(timeout))
    }

    #[track_caller]
    fn try_lock_until(&self, timeout: R::Instant) -> bool {
        let taken = match raw::same(&timeout) {
            Some(timeout) => tracked::RawMutexTimed::try_lock_until(&self.lock, timeout),
            None => tracked::RawMutex::try_lock(&self.lock),
        };
        taken && self.finish(self.raw.try_lock_until(timeout))
    }
}

impl<R> TrackedMutex<R> {
    fn finish(&self, taken: bool) -> bool {
        if !taken {
            // SAFETY: the caller has just taken it.
            unsafe { tracked::RawMutex::unlock(&self.lock) };
        }
        taken
    }
}

/// A raw read-write lock behind one of the tracker's.
pub struct TrackedRwLock<R> {
    lock: raw::RawRwLock,
    raw: R,
}

/// Takes the tracker's lock, then the program's own; gives the first back where the second is not there.
macro_rules! both {
    ($first:expr, $second:expr, $back:expr) => {{
        if !$first {
            return false;
        }
        let taken = $second;
        if !taken {
            // SAFETY: it was taken above.
            unsafe { $back };
        }
        taken
    }};
}

// SAFETY: whoever holds it holds `raw`.
unsafe impl<R: RawRwLock> RawRwLock for TrackedRwLock<R> {
    const INIT: Self = TrackedRwLock { lock: <raw::RawRwLock as tracked::RawRwLock>::INIT, raw: R::INIT };
    type GuardMarker = R::GuardMarker;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) {
        raw::lock_shared::<R>(&self.lock);
        self.raw.lock_shared();
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        let lock = &self.lock;
        both!(raw::try_lock_shared::<R>(lock), self.raw.try_lock_shared(), tracked::RawRwLock::unlock_shared(lock))
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_shared();
            tracked::RawRwLock::unlock_shared(&self.lock);
        }
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) {
        tracked::RawRwLock::lock_exclusive(&self.lock);
        self.raw.lock_exclusive();
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        let lock = &self.lock;
        both!(
            tracked::RawRwLock::try_lock_exclusive(lock),
            self.raw.try_lock_exclusive(),
            tracked::RawRwLock::unlock_exclusive(lock)
        )
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_exclusive();
            tracked::RawRwLock::unlock_exclusive(&self.lock);
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    #[cfg(not(lockcheck_lock_api_without_is_locked_exclusive))]
    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.raw.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockFair> RawRwLockFair for TrackedRwLock<R> {
    unsafe fn unlock_shared_fair(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_shared_fair();
            tracked::RawRwLockFair::unlock_shared_fair(&self.lock);
        }
    }

    unsafe fn unlock_exclusive_fair(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_exclusive_fair();
            tracked::RawRwLockFair::unlock_exclusive_fair(&self.lock);
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockDowngrade> RawRwLockDowngrade for TrackedRwLock<R> {
    #[track_caller]
    unsafe fn downgrade(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.downgrade();
            tracked::RawRwLockDowngrade::downgrade(&self.lock);
        }
    }
}

/// A method with a time limit: the tracker's lock within it, then the program's own.
macro_rules! timed {
    ($($method:ident($limit:ident: $tracked:ident), $try_:ident: $try_of:ident, $back:ident: $back_of:ident;)*) => {
        $(
            #[track_caller]
            fn $method(&self, timeout: R::$limit) -> bool {
                let lock = &self.lock;
                let first = match raw::same(&timeout) {
                    Some(timeout) => tracked::$tracked::$method(lock, timeout),
                    None => tracked::$try_of::$try_(lock),
                };
                both!(first, self.raw.$method(timeout), tracked::$back_of::$back(lock))
            }
        )*
    };
}

// SAFETY: as above.
unsafe impl<R: RawRwLockTimed> RawRwLockTimed for TrackedRwLock<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    timed! {
        try_lock_shared_for(Duration: RawRwLockTimed), try_lock_shared: RawRwLock, unlock_shared: RawRwLock;
        try_lock_shared_until(Instant: RawRwLockTimed), try_lock_shared: RawRwLock, unlock_shared: RawRwLock;
        try_lock_exclusive_for(Duration: RawRwLockTimed), try_lock_exclusive: RawRwLock, unlock_exclusive: RawRwLock;
        try_lock_exclusive_until(Instant: RawRwLockTimed), try_lock_exclusive: RawRwLock, unlock_exclusive: RawRwLock;
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockRecursive> RawRwLockRecursive for TrackedRwLock<R> {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        tracked::RawRwLockRecursive::lock_shared_recursive(&self.lock);
        self.raw.lock_shared_recursive();
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        let lock = &self.lock;
        both!(
            tracked::RawRwLockRecursive::try_lock_shared_recursive(lock),
            self.raw.try_lock_shared_recursive(),
            tracked::RawRwLock::unlock_shared(lock)
        )
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockRecursiveTimed> RawRwLockRecursiveTimed for TrackedRwLock<R> {
    timed! {
        try_lock_shared_recursive_for(Duration: RawRwLockRecursiveTimed),
            try_lock_shared_recursive: RawRwLockRecursive, unlock_shared: RawRwLock;
        try_lock_shared_recursive_until(Instant: RawRwLockRecursiveTimed),
            try_lock_shared_recursive: RawRwLockRecursive, unlock_shared: RawRwLock;
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgrade> RawRwLockUpgrade for TrackedRwLock<R> {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        tracked::RawRwLockUpgrade::lock_upgradable(&self.lock);
        self.raw.lock_upgradable();
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        let lock = &self.lock;
        both!(
            tracked::RawRwLockUpgrade::try_lock_upgradable(lock),
            self.raw.try_lock_upgradable(),
            tracked::RawRwLockUpgrade::unlock_upgradable(lock)
        )
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_upgradable();
            tracked::RawRwLockUpgrade::unlock_upgradable(&self.lock);
        }
    }

    #[track_caller]
    unsafe fn upgrade(&self) {
        // SAFETY: by the caller. There is no reader left when the tracker's lock is the writer's.
        unsafe {
            tracked::RawRwLockUpgrade::upgrade(&self.lock);
            self.raw.upgrade();
        }
    }

    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: as above.
        unsafe {
            let done = tracked::RawRwLockUpgrade::try_upgrade(&self.lock);
            if done {
                self.raw.upgrade();
            }
            done
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeFair> RawRwLockUpgradeFair for TrackedRwLock<R> {
    unsafe fn unlock_upgradable_fair(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_upgradable_fair();
            tracked::RawRwLockUpgradeFair::unlock_upgradable_fair(&self.lock);
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeDowngrade> RawRwLockUpgradeDowngrade for TrackedRwLock<R> {
    #[track_caller]
    unsafe fn downgrade_upgradable(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.downgrade_upgradable();
            tracked::RawRwLockUpgradeDowngrade::downgrade_upgradable(&self.lock);
        }
    }

    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.downgrade_to_upgradable();
            tracked::RawRwLockUpgradeDowngrade::downgrade_to_upgradable(&self.lock);
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeTimed> RawRwLockUpgradeTimed for TrackedRwLock<R> {
    timed! {
        try_lock_upgradable_for(Duration: RawRwLockUpgradeTimed),
            try_lock_upgradable: RawRwLockUpgrade, unlock_upgradable: RawRwLockUpgrade;
        try_lock_upgradable_until(Instant: RawRwLockUpgradeTimed),
            try_lock_upgradable: RawRwLockUpgrade, unlock_upgradable: RawRwLockUpgrade;
    }

    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: R::Duration) -> bool {
        // SAFETY: by the caller; there is no reader left when the tracker's lock is the writer's.
        unsafe {
            let done = match raw::same(&timeout) {
                Some(timeout) => tracked::RawRwLockUpgradeTimed::try_upgrade_for(&self.lock, timeout),
                None => tracked::RawRwLockUpgrade::try_upgrade(&self.lock),
            };
            if done {
                self.raw.upgrade();
            }
            done
        }
    }

    #[track_caller]
    unsafe fn try_upgrade_until(&self, timeout: R::Instant) -> bool {
        // SAFETY: as above.
        unsafe {
            let done = match raw::same(&timeout) {
                Some(timeout) => tracked::RawRwLockUpgradeTimed::try_upgrade_until(&self.lock, timeout),
                None => tracked::RawRwLockUpgrade::try_upgrade(&self.lock),
            };
            if done {
                self.raw.upgrade();
            }
            done
        }
    }
}

pub type Mutex<R, T> = lock_api_real::Mutex<TrackedMutex<R>, T>;
pub type MutexGuard<'a, R, T> = lock_api_real::MutexGuard<'a, TrackedMutex<R>, T>;
pub type MappedMutexGuard<'a, R, T> = lock_api_real::MappedMutexGuard<'a, TrackedMutex<R>, T>;
pub type RwLock<R, T> = lock_api_real::RwLock<TrackedRwLock<R>, T>;
pub type RwLockReadGuard<'a, R, T> = lock_api_real::RwLockReadGuard<'a, TrackedRwLock<R>, T>;
pub type RwLockWriteGuard<'a, R, T> = lock_api_real::RwLockWriteGuard<'a, TrackedRwLock<R>, T>;
pub type RwLockUpgradableReadGuard<'a, R, T> = lock_api_real::RwLockUpgradableReadGuard<'a, TrackedRwLock<R>, T>;
pub type MappedRwLockReadGuard<'a, R, T> = lock_api_real::MappedRwLockReadGuard<'a, TrackedRwLock<R>, T>;
pub type MappedRwLockWriteGuard<'a, R, T> = lock_api_real::MappedRwLockWriteGuard<'a, TrackedRwLock<R>, T>;
#[cfg(any(feature = "atomic_usize", lockcheck_lock_api_without_atomic_usize))]
pub type ReentrantMutex<R, G, T> = lock_api_real::ReentrantMutex<TrackedMutex<R>, G, T>;
#[cfg(any(feature = "atomic_usize", lockcheck_lock_api_without_atomic_usize))]
pub type ReentrantMutexGuard<'a, R, G, T> = lock_api_real::ReentrantMutexGuard<'a, TrackedMutex<R>, G, T>;
#[cfg(any(feature = "atomic_usize", lockcheck_lock_api_without_atomic_usize))]
pub type MappedReentrantMutexGuard<'a, R, G, T> = lock_api_real::MappedReentrantMutexGuard<'a, TrackedMutex<R>, G, T>;
#[cfg(feature = "arc_lock")]
pub type ArcMutexGuard<R, T> = lock_api_real::ArcMutexGuard<TrackedMutex<R>, T>;
#[cfg(all(feature = "arc_lock", any(feature = "atomic_usize", lockcheck_lock_api_without_atomic_usize)))]
pub type ArcReentrantMutexGuard<R, G, T> = lock_api_real::ArcReentrantMutexGuard<TrackedMutex<R>, G, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockReadGuard<R, T> = lock_api_real::ArcRwLockReadGuard<TrackedRwLock<R>, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockWriteGuard<R, T> = lock_api_real::ArcRwLockWriteGuard<TrackedRwLock<R>, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockUpgradableReadGuard<R, T> = lock_api_real::ArcRwLockUpgradableReadGuard<TrackedRwLock<R>, T>;

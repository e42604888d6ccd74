//! The crate that stands for `lock_api` 0.5 in a program under `lockcheck run`: as for 0.4, with the state that raw locks of 0.5 keep in
//! their guards.
//!
//! Guarantees and misses: as for 0.4; a condition variable whose raw one is made for another crate's raw mutex does not fit a tracked
//! one.

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
    /// Gives the mutex back while `wait` waits with the tracker's part of it, which must come back.
    ///
    /// # Safety
    /// The calling thread holds it by this guard.
    #[doc(hidden)]
    #[track_caller]
    pub unsafe fn wait_with<T>(&self, guard: &mut R::Guard, wait: impl FnOnce(&raw::RawMutex) -> T) -> T {
        // SAFETY: by the caller. Nobody takes it now: the tracker's lock is in front of it. The guard is whole again before
        // anybody sees it.
        unsafe {
            self.raw.unlock(std::ptr::read(guard));
            let result = wait(&self.lock);
            std::ptr::write(guard, self.raw.lock());
            result
        }
    }

    fn finish(&self, taken: Option<R::Guard>) -> Option<R::Guard> {
        if taken.is_none() {
            // SAFETY: the caller has just taken it.
            unsafe { tracked::RawMutex::unlock(&self.lock) };
        }
        taken
    }
}

// SAFETY: whoever holds it holds `raw`.
unsafe impl<R: RawMutex> RawMutex for TrackedMutex<R> {
    const INIT: Self = TrackedMutex { lock: <raw::RawMutex as tracked::RawMutex>::INIT, raw: R::INIT };
    type Guard = R::Guard;

    #[inline]
    #[track_caller]
    fn lock(&self) -> R::Guard {
        tracked::RawMutex::lock(&self.lock);
        self.raw.lock()
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<R::Guard> {
        if !tracked::RawMutex::try_lock(&self.lock) {
            return None;
        }
        self.finish(self.raw.try_lock())
    }

    #[inline]
    unsafe fn unlock(&self, guard: R::Guard) {
        if self.lock.is_lost() {
            return;
        }
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock(guard);
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
    unsafe fn unlock_fair(&self, guard: R::Guard) {
        if self.lock.is_lost() {
            return;
        }
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_fair(guard);
            tracked::RawMutexFair::unlock_fair(&self.lock);
        }
    }

    #[track_caller]
    unsafe fn bump(&self, guard: &mut R::Guard) {
        // SAFETY: by the caller.
        unsafe { self.wait_with(guard, |lock| tracked::RawMutexFair::bump(lock)) };
    }
}

// SAFETY: as above.
unsafe impl<R: RawMutexTimed> RawMutexTimed for TrackedMutex<R> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[track_caller]
    fn try_lock_for(&self, timeout: R::Duration) -> Option<R::Guard> {
        let taken = match raw::same(&timeout) {
            Some(timeout) => tracked::RawMutexTimed::try_lock_for(&self.lock, timeout),
            None => tracked::RawMutex::try_lock(&self.lock),
        };
        if taken { self.finish(self.raw.try_lock_for(timeout)) } else { None }
    }

    #[track_caller]
    fn try_lock_until(&self, timeout: R::Instant) -> Option<R::Guard> {
        let taken = match raw::same(&timeout) {
            Some(timeout) => tracked::RawMutexTimed::try_lock_until(&self.lock, timeout),
            None => tracked::RawMutex::try_lock(&self.lock),
        };
        if taken { self.finish(self.raw.try_lock_until(timeout)) } else { None }
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
            return None;
        }
        let taken = $second;
        if taken.is_none() {
            // SAFETY: it was taken above.
            unsafe { $back };
        }
        taken
    }};
}

// SAFETY: whoever holds it holds `raw`.
unsafe impl<R: RawRwLock> RawRwLock for TrackedRwLock<R> {
    const INIT: Self = TrackedRwLock { lock: <raw::RawRwLock as tracked::RawRwLock>::INIT, raw: R::INIT };
    type SharedGuard = R::SharedGuard;
    type ExclusiveGuard = R::ExclusiveGuard;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) -> R::SharedGuard {
        raw::lock_shared::<R>(&self.lock);
        self.raw.lock_shared()
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<R::SharedGuard> {
        let lock = &self.lock;
        both!(raw::try_lock_shared::<R>(lock), self.raw.try_lock_shared(), tracked::RawRwLock::unlock_shared(lock))
    }

    #[inline]
    unsafe fn unlock_shared(&self, guard: R::SharedGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_shared(guard);
            tracked::RawRwLock::unlock_shared(&self.lock);
        }
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) -> R::ExclusiveGuard {
        tracked::RawRwLock::lock_exclusive(&self.lock);
        self.raw.lock_exclusive()
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<R::ExclusiveGuard> {
        let lock = &self.lock;
        both!(
            tracked::RawRwLock::try_lock_exclusive(lock),
            self.raw.try_lock_exclusive(),
            tracked::RawRwLock::unlock_exclusive(lock)
        )
    }

    #[inline]
    unsafe fn unlock_exclusive(&self, guard: R::ExclusiveGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_exclusive(guard);
            tracked::RawRwLock::unlock_exclusive(&self.lock);
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.raw.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockFair> RawRwLockFair for TrackedRwLock<R> {
    unsafe fn unlock_shared_fair(&self, guard: R::SharedGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_shared_fair(guard);
            tracked::RawRwLockFair::unlock_shared_fair(&self.lock);
        }
    }

    unsafe fn unlock_exclusive_fair(&self, guard: R::ExclusiveGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_exclusive_fair(guard);
            tracked::RawRwLockFair::unlock_exclusive_fair(&self.lock);
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockDowngrade> RawRwLockDowngrade for TrackedRwLock<R> {
    #[track_caller]
    unsafe fn downgrade(&self, guard: R::ExclusiveGuard) -> R::SharedGuard {
        // SAFETY: by the caller.
        unsafe {
            let guard = self.raw.downgrade(guard);
            tracked::RawRwLockDowngrade::downgrade(&self.lock);
            guard
        }
    }
}

/// A method with a time limit: the tracker's lock within it, then the program's own.
macro_rules! timed {
    ($($method:ident($limit:ident: $tracked:ident) -> $guard:ident, $try_:ident: $try_of:ident, $back:ident: $back_of:ident;)*) => {
        $(
            #[track_caller]
            fn $method(&self, timeout: R::$limit) -> Option<R::$guard> {
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
        try_lock_shared_for(Duration: RawRwLockTimed) -> SharedGuard, try_lock_shared: RawRwLock, unlock_shared: RawRwLock;
        try_lock_shared_until(Instant: RawRwLockTimed) -> SharedGuard, try_lock_shared: RawRwLock, unlock_shared: RawRwLock;
        try_lock_exclusive_for(Duration: RawRwLockTimed) -> ExclusiveGuard,
            try_lock_exclusive: RawRwLock, unlock_exclusive: RawRwLock;
        try_lock_exclusive_until(Instant: RawRwLockTimed) -> ExclusiveGuard,
            try_lock_exclusive: RawRwLock, unlock_exclusive: RawRwLock;
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgrade> RawRwLockUpgrade for TrackedRwLock<R> {
    type UpgradableGuard = R::UpgradableGuard;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> R::UpgradableGuard {
        tracked::RawRwLockUpgrade::lock_upgradable(&self.lock);
        self.raw.lock_upgradable()
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<R::UpgradableGuard> {
        let lock = &self.lock;
        both!(
            tracked::RawRwLockUpgrade::try_lock_upgradable(lock),
            self.raw.try_lock_upgradable(),
            tracked::RawRwLockUpgrade::unlock_upgradable(lock)
        )
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, guard: R::UpgradableGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_upgradable(guard);
            tracked::RawRwLockUpgrade::unlock_upgradable(&self.lock);
        }
    }

    #[track_caller]
    unsafe fn upgrade(&self, guard: R::UpgradableGuard) -> R::ExclusiveGuard {
        // SAFETY: by the caller. There is no reader left when the tracker's lock is the writer's.
        unsafe {
            tracked::RawRwLockUpgrade::upgrade(&self.lock);
            self.raw.upgrade(guard)
        }
    }

    #[track_caller]
    unsafe fn try_upgrade(&self, guard: R::UpgradableGuard) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        // SAFETY: as above.
        unsafe {
            if tracked::RawRwLockUpgrade::try_upgrade(&self.lock) { Ok(self.raw.upgrade(guard)) } else { Err(guard) }
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeFair> RawRwLockUpgradeFair for TrackedRwLock<R> {
    unsafe fn unlock_upgradable_fair(&self, guard: R::UpgradableGuard) {
        // SAFETY: by the caller.
        unsafe {
            self.raw.unlock_upgradable_fair(guard);
            tracked::RawRwLockUpgradeFair::unlock_upgradable_fair(&self.lock);
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeDowngrade> RawRwLockUpgradeDowngrade for TrackedRwLock<R> {
    #[track_caller]
    unsafe fn downgrade_upgradable(&self, guard: R::UpgradableGuard) -> R::SharedGuard {
        // SAFETY: by the caller.
        unsafe {
            let guard = self.raw.downgrade_upgradable(guard);
            tracked::RawRwLockUpgradeDowngrade::downgrade_upgradable(&self.lock);
            guard
        }
    }

    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self, guard: R::ExclusiveGuard) -> R::UpgradableGuard {
        // SAFETY: by the caller.
        unsafe {
            let guard = self.raw.downgrade_to_upgradable(guard);
            tracked::RawRwLockUpgradeDowngrade::downgrade_to_upgradable(&self.lock);
            guard
        }
    }
}

// SAFETY: as above.
unsafe impl<R: RawRwLockUpgradeTimed> RawRwLockUpgradeTimed for TrackedRwLock<R> {
    timed! {
        try_lock_upgradable_for(Duration: RawRwLockUpgradeTimed) -> UpgradableGuard,
            try_lock_upgradable: RawRwLockUpgrade, unlock_upgradable: RawRwLockUpgrade;
        try_lock_upgradable_until(Instant: RawRwLockUpgradeTimed) -> UpgradableGuard,
            try_lock_upgradable: RawRwLockUpgrade, unlock_upgradable: RawRwLockUpgrade;
    }

    #[track_caller]
    unsafe fn try_upgrade_for(
        &self,
        guard: R::UpgradableGuard,
        timeout: R::Duration,
    ) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        // SAFETY: by the caller; there is no reader left when the tracker's lock is the writer's.
        unsafe {
            let done = match raw::same(&timeout) {
                Some(timeout) => tracked::RawRwLockUpgradeTimed::try_upgrade_for(&self.lock, timeout),
                None => tracked::RawRwLockUpgrade::try_upgrade(&self.lock),
            };
            if done { Ok(self.raw.upgrade(guard)) } else { Err(guard) }
        }
    }

    #[track_caller]
    unsafe fn try_upgrade_until(
        &self,
        guard: R::UpgradableGuard,
        timeout: R::Instant,
    ) -> Result<R::ExclusiveGuard, R::UpgradableGuard> {
        // SAFETY: as above.
        unsafe {
            let done = match raw::same(&timeout) {
                Some(timeout) => tracked::RawRwLockUpgradeTimed::try_upgrade_until(&self.lock, timeout),
                None => tracked::RawRwLockUpgrade::try_upgrade(&self.lock),
            };
            if done { Ok(self.raw.upgrade(guard)) } else { Err(guard) }
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
#[cfg(feature = "atomic_usize")]
pub type ReentrantMutex<R, G, T> = lock_api_real::ReentrantMutex<TrackedMutex<R>, G, T>;
#[cfg(feature = "atomic_usize")]
pub type ReentrantMutexGuard<'a, R, G, T> = lock_api_real::ReentrantMutexGuard<'a, TrackedMutex<R>, G, T>;
#[cfg(feature = "atomic_usize")]
pub type MappedReentrantMutexGuard<'a, R, G, T> = lock_api_real::MappedReentrantMutexGuard<'a, TrackedMutex<R>, G, T>;
#[cfg(feature = "arc_lock")]
pub type ArcMutexGuard<R, T> = lock_api_real::ArcMutexGuard<TrackedMutex<R>, T>;
#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
pub type ArcReentrantMutexGuard<R, G, T> = lock_api_real::ArcReentrantMutexGuard<TrackedMutex<R>, G, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockReadGuard<R, T> = lock_api_real::ArcRwLockReadGuard<TrackedRwLock<R>, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockWriteGuard<R, T> = lock_api_real::ArcRwLockWriteGuard<TrackedRwLock<R>, T>;
#[cfg(feature = "arc_lock")]
pub type ArcRwLockUpgradableReadGuard<R, T> = lock_api_real::ArcRwLockUpgradableReadGuard<TrackedRwLock<R>, T>;

//! [`RawMutex`] and [`RawFairMutex`]: the lock of [`crate::sync::Mutex`] as [`lock_api`] wants it.
//!
//! Guarantees: as [`crate::sync::Mutex`], without poisoning.
//!
//! Misses: the type of the protected data is not part of the class.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::lock_api::{self, GuardNoSend};
use crate::event::{Mode, ObjectKind};
use crate::head::{Head, Kind};
use crate::held::{self, LockMode};
use crate::site::Site;
use crate::sync::mutex;
use crate::threads;

/// The lock of [`super::Mutex`].
pub struct RawMutex(Head);

/// The lock of [`super::FairMutex`].
pub struct RawFairMutex(Head);

const NAME: &str = if cfg!(lockcheck_shim) { "lock_api::Mutex" } else { "parking_lot::Mutex" };
pub(super) const MUTEX: Kind = Kind { object: ObjectKind::Mutex, type_name: NAME, data: || "" };
const FAIR: Kind = Kind { object: ObjectKind::Mutex, type_name: "parking_lot::FairMutex", data: || "" };

impl RawMutex {
    pub(super) fn head(&self) -> &Head {
        &self.0
    }
}

/// Whether a guard ends that does not hold its lock: the tracker has made its thread unwind while it was to take the lock
/// again, in one of [`lock_api`]'s `unlocked` functions.
#[cold]
pub(super) fn is_lost(head: &Head, mode: Mode) -> bool {
    let lock = head.known(mode);
    threads::is_breaking() && lock != LockMode::NONE && held::current().position(lock) == 0
}

macro_rules! raw_mutex {
    ($name:ident, $kind:expr, $unlock:path) => {
        impl $name {
            #[track_caller]
            pub(super) const fn here() -> Self {
                $name(Head::new())
            }

            #[track_caller]
            pub(super) const fn named(name: &'static str) -> Self {
                $name(Head::named(name))
            }
        }

        // SAFETY: the lock word lets one thread at a time through.
        unsafe impl lock_api::RawMutex for $name {
            #[cfg(not(lockcheck_shim))]
            const INIT: Self = $name(Head::new());
            #[cfg(lockcheck_shim)]
            const INIT: Self = $name(Head::unplaced());
            type GuardMarker = GuardNoSend;

            #[inline]
            #[track_caller]
            fn lock(&self) {
                mutex::lock(&self.0, $kind, Site::here());
            }

            #[inline]
            #[track_caller]
            fn try_lock(&self) -> bool {
                mutex::try_acquire(&self.0, $kind, Site::here())
            }

            #[inline]
            unsafe fn unlock(&self) {
                if !(std::thread::panicking() && is_lost(&self.0, Mode::Exclusive)) {
                    $unlock(&self.0);
                }
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.0.state.load(Relaxed) != 0
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexFair for $name {
            #[inline]
            unsafe fn unlock_fair(&self) {
                mutex::release_fair(&self.0);
            }

            #[track_caller]
            unsafe fn bump(&self) {
                // The guard outlives this, so the lock has to be held again whatever happens.
                let _fixed = threads::Fixed::new();
                mutex::release_fair(&self.0);
                mutex::lock(&self.0, $kind, Site::here());
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexTimed for $name {
            type Duration = Duration;
            type Instant = Instant;

            #[track_caller]
            fn try_lock_for(&self, timeout: Duration) -> bool {
                match Instant::now().checked_add(timeout) {
                    Some(until) => mutex::acquire_until(&self.0, $kind, Site::here(), until),
                    // A limit beyond what the clock can express is none.
                    None => {
                        mutex::lock(&self.0, $kind, Site::here());
                        true
                    }
                }
            }

            #[track_caller]
            fn try_lock_until(&self, timeout: Instant) -> bool {
                mutex::acquire_until(&self.0, $kind, Site::here(), timeout)
            }
        }
    };
}

raw_mutex!(RawMutex, MUTEX, mutex::unlock);
raw_mutex!(RawFairMutex, FAIR, mutex::release_fair);

//! Drop-in for `parking_lot` 0.12, with the feature `parking_lot`.
//!
//! The guards, mapped and owned (`Arc`) ones included, are those of [`lock_api`], over raw locks of the tracker.
//!
//! Guarantees: the same methods, const constructors and auto traits; no poisoning. Recursive and upgradable reads have
//! their own modes: a recursive read never waits behind a queued writer and is no double lock.
//!
//! Misses: a lock takes 16 bytes instead of one word; no eventual fairness (`FairMutex` and `unlock_fair` pass a mutex
//! on to the one that has waited longest); `serde`, `send_guard` and `deadlock_detection` have no counterpart. The types
//! are no aliases of [`lock_api`]'s, so that a lock knows where it was made: they dereference to them. A thread that
//! waits on a [`Condvar`] is not chosen to break a deadlock, because its guard lives on in the caller.

mod condvar;
mod mutex;
mod once;
mod raw_mutex;
mod raw_rwlock;
mod rwlock;

pub use ::parking_lot::{OnceState, RawThreadId, WaitTimeoutResult, lock_api};

pub use condvar::Condvar;
pub use mutex::{
    ArcMutexGuard, ArcReentrantMutexGuard, FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard,
    MappedReentrantMutexGuard, Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard, const_fair_mutex, const_mutex,
    const_reentrant_mutex,
};
pub use once::Once;
pub use raw_mutex::{RawFairMutex, RawMutex};
pub use raw_rwlock::RawRwLock;
pub use rwlock::{
    ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, const_rwlock,
};

/// What the three kinds of mutex and the RwLock have in common beside what they dereference to.
macro_rules! container {
    ($name:ident, $inner:ty, $raw:ty, [$($extra:ident)?], $const_new:ident, $what:literal) => {
        impl<T> $name<T> {
            #[doc = concat!("A free ", $what, "; the caller's place is its class.")]
            #[inline]
            #[track_caller]
            pub const fn new(value: T) -> Self {
                $name(<$inner>::from_raw(<$raw>::here(), $($extra,)? value))
            }

            #[doc = concat!("A free ", $what, " of the class `name`.")]
            #[inline]
            #[track_caller]
            pub const fn named(name: &'static str, value: T) -> Self {
                $name(<$inner>::from_raw(<$raw>::named(name), $($extra,)? value))
            }

            /// Around a lock that is there already, which has to be free; whatever made that one is its class.
            #[inline]
            pub const fn from_raw(raw: $raw, $(thread: $extra,)? value: T) -> Self {
                $name(<$inner>::from_raw(raw, $(thread as $extra,)? value))
            }

            /// As `from_raw`, which replaces it.
            #[deprecated = "use `from_raw`"]
            #[inline]
            pub const fn const_new(raw: $raw, $(thread: $extra,)? value: T) -> Self {
                $name::from_raw(raw, $(thread as $extra,)? value)
            }

            /// The data, out of the lock.
            #[inline]
            pub fn into_inner(self) -> T {
                self.0.into_inner()
            }
        }

        impl<T: ?Sized> $name<T> {
            /// The data, without locking: the caller is the only one who can.
            #[inline]
            pub fn get_mut(&mut self) -> &mut T {
                self.0.get_mut()
            }

            /// Whether somebody holds the lock.
            #[inline]
            pub fn is_locked(&self) -> bool {
                self.0.is_locked()
            }

            /// Where the data is. Whoever follows the pointer needs the lock.
            #[inline]
            pub fn data_ptr(&self) -> *mut T {
                self.0.data_ptr()
            }

            /// The lock without the data.
            ///
            /// # Safety
            /// The lock may not be given back while a guard of it lives.
            #[inline]
            pub unsafe fn raw(&self) -> &$raw {
                // SAFETY: the caller promises what the same method wants.
                unsafe { self.0.raw() }
            }

            /// The same lock as [`lock_api`] sees it.
            fn inner(self: &Arc<Self>) -> Arc<$inner> {
                let place = Arc::into_raw(Arc::clone(self)) as *const $inner;
                // SAFETY: the type is `repr(transparent)` over the other one, so both lie alike in an `Arc`; the
                // count that `into_raw` keeps goes over.
                unsafe { Arc::from_raw(place) }
            }
        }

        #[doc = concat!("As `", stringify!($name), "::new`.")]
        #[inline]
        #[track_caller]
        pub const fn $const_new<T>(value: T) -> $name<T> {
            $name::new(value)
        }

        impl<T: ?Sized> Deref for $name<T> {
            type Target = $inner;
            #[inline]
            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl<T: ?Sized> DerefMut for $name<T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut $inner {
                &mut self.0
            }
        }

        impl<T: Default> Default for $name<T> {
            #[track_caller]
            fn default() -> Self {
                $name::new(T::default())
            }
        }

        impl<T> From<T> for $name<T> {
            #[track_caller]
            fn from(value: T) -> Self {
                $name::new(value)
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}
use container;

/// Methods that are there by dereferencing already, so that they can be named by path too.
macro_rules! by_path {
    ($($(#[$doc:meta])+ fn $method:ident($($argument:ident: $type:ty)?) -> $result:ty;)*) => {
        $(
            $(#[$doc])+
            #[inline]
            #[track_caller]
            pub fn $method(&self $(, $argument: $type)?) -> $result {
                self.0.$method($($argument)?)
            }
        )*
    };
}
use by_path;

/// As [`by_path`], for methods that give a lock back, or claim that it is held, without a guard.
macro_rules! without_guard {
    ($($(#[$doc:meta])+ fn $method:ident() $(-> $result:ty)?;)*) => {
        $(
            $(#[$doc])+
            ///
            /// # Safety
            /// The calling thread holds the lock in this mode, by a guard that was forgotten.
            #[inline]
            #[track_caller]
            pub unsafe fn $method(&self) $(-> $result)? {
                // SAFETY: the caller promises what the same method wants.
                unsafe { self.0.$method() }
            }
        )*
    };
}
use without_guard;

/// As [`without_guard`], with a guard that keeps the lock alive.
macro_rules! arc_without_guard {
    ($($(#[$doc:meta])+ fn $method:ident() -> $result:ty;)*) => {
        $(
            $(#[$doc])+
            ///
            /// # Safety
            /// The calling thread holds the lock in this mode, by a guard that was forgotten.
            #[inline]
            pub unsafe fn $method(self: &Arc<Self>) -> $result {
                // SAFETY: the caller promises what the same method wants.
                unsafe { self.inner().$method() }
            }
        )*
    };
}
use arc_without_guard;

/// Methods of the container that are called on an `Arc` of it.
macro_rules! forward {
    ($($(#[$doc:meta])+ fn $method:ident(self: $receiver:ty $(, $argument:ident: $type:ty)?) -> $result:ty;)*) => {
        $(
            $(#[$doc])+
            #[inline]
            #[track_caller]
            pub fn $method(self: $receiver $(, $argument: $type)?) -> $result {
                self.inner().$method($($argument)?)
            }
        )*
    };
}
use forward;

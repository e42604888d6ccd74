//! Drop-in for `tokio::sync`: tracked [`Mutex`], [`RwLock`] and [`Semaphore`], and everything else as it is.
//!
//! Guarantees: the locks are the crate's own, with what tracks them around; fairness is theirs.
//!
//! Misses: `blocking_` functions are not seen as waits of their threads. Owned and mapped guards of the two locks have no
//! counterpart yet. [`super`] names the rest.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub use ::tokio::sync::*;

use super::graph::{self, Goal, Hold};
use super::task::{current, wait_for};
use crate::config;
use crate::event::{Mode, ObjectKind};
use crate::head::{Head, Kind};
use crate::held::LockMode;
use crate::site::Site;

fn lock_of(head: &Head, mode: Mode, kind: Kind) -> LockMode {
    if config::ready() == config::OFF { LockMode::NONE } else { head.lock(mode, kind) }
}

/// Awaits the real acquisition as one of this lock; gives what it gave and the entry for it.
async fn acquire<F: Future>(lock: LockMode, permits: u32, site: Site, future: F) -> (F::Output, Hold) {
    let goal = match permits {
        0 => Goal::Lock(lock),
        count => Goal::Permits { semaphore: lock.lock(), count },
    };
    let output = if lock == LockMode::NONE { future.await } else { wait_for(goal, site, future).await };
    (output, Hold::new(current(), lock, site, permits))
}

macro_rules! guard {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        #[must_use = "if unused the lock is given back at once"]
        #[derive(Debug)]
        pub struct $name<'a, T: ?Sized> {
            // Dropped first: an entry must never outlive what it stands for.
            _hold: Hold,
            inner: ::tokio::sync::$name<'a, T>,
        }

        impl<T: ?Sized> Deref for $name<'_, T> {
            type Target = T;
            fn deref(&self) -> &T {
                &self.inner
            }
        }
    };
}

guard!(
    /// Exclusive access to what a [`Mutex`] protects.
    MutexGuard
);
guard!(
    /// Shared access to what a [`RwLock`] protects.
    RwLockReadGuard
);
guard!(
    /// Exclusive access to what a [`RwLock`] protects.
    RwLockWriteGuard
);

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

macro_rules! lock {
    ($name:ident, $path:literal, $kind:ident, $object:expr, $example:literal) => {
        #[doc = concat!("A tracked `", $path, "`.\n\n```\n", $example, "\n```")]
        pub struct $name<T: ?Sized> {
            head: Head,
            inner: ::tokio::sync::$name<T>,
        }

        const $kind: Kind = Kind { object: $object, type_name: $path, data: || "" };

        impl<T> $name<T> {
            /// A free lock; the caller's place is its class.
            #[track_caller]
            pub fn new(value: T) -> Self {
                $name { head: Head::new(), inner: ::tokio::sync::$name::new(value) }
            }

            /// A free lock of the class `name`.
            #[track_caller]
            pub fn named(name: &'static str, value: T) -> Self {
                $name { head: Head::named(name), inner: ::tokio::sync::$name::new(value) }
            }

            /// A free lock, for constants.
            #[track_caller]
            pub const fn const_new(value: T) -> Self {
                $name { head: Head::new(), inner: ::tokio::sync::$name::const_new(value) }
            }

            /// The data, out of the lock.
            pub fn into_inner(self) -> T {
                self.inner.into_inner()
            }
        }

        impl<T: ?Sized> $name<T> {
            /// The data, without locking: the caller is the only one who can.
            pub fn get_mut(&mut self) -> &mut T {
                self.inner.get_mut()
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
                self.inner.fmt(out)
            }
        }
    };
}

/// The ways to take a lock in one mode.
macro_rules! take {
    ($name:ident, $kind:ident, $guard:ident, $mode:expr, $take:ident, $try_take:ident, $blocking:ident) => {
        impl<T: ?Sized> $name<T> {
            /// Takes the lock, waiting for it if need be.
            ///
            /// # Panics
            /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
            #[track_caller]
            pub fn $take(&self) -> impl Future<Output = $guard<'_, T>> {
                let site = Site::here();
                async move {
                    let lock = lock_of(&self.head, $mode, $kind);
                    let (inner, _hold) = acquire(lock, 0, site, self.inner.$take()).await;
                    $guard { _hold, inner }
                }
            }

            /// Takes the lock if that needs no waiting.
            ///
            /// # Errors
            /// Where it does.
            #[track_caller]
            pub fn $try_take(&self) -> Result<$guard<'_, T>, TryLockError> {
                let inner = self.inner.$try_take()?;
                let _hold = Hold::new(current(), lock_of(&self.head, $mode, $kind), Site::here(), 0);
                Ok($guard { _hold, inner })
            }

            /// Takes the lock, blocking the thread.
            ///
            /// # Panics
            /// Inside a runtime.
            #[track_caller]
            pub fn $blocking(&self) -> $guard<'_, T> {
                let inner = self.inner.$blocking();
                let _hold = Hold::new(current(), lock_of(&self.head, $mode, $kind), Site::here(), 0);
                $guard { _hold, inner }
            }
        }
    };
}

lock!(
    Mutex,
    "tokio::sync::Mutex",
    MUTEX,
    ObjectKind::Mutex,
    "use lockcheck_tracker::tokio::sync::Mutex;\n\nstatic COUNT: Mutex<u32> = Mutex::const_new(1);\n*COUNT.try_lock().unwrap() += 1;\nassert_eq!(*COUNT.blocking_lock(), 2);"
);
take!(Mutex, MUTEX, MutexGuard, Mode::Exclusive, lock, try_lock, blocking_lock);

lock!(
    RwLock,
    "tokio::sync::RwLock",
    RWLOCK,
    ObjectKind::RwLock,
    "use lockcheck_tracker::tokio::sync::RwLock;\n\nlet lock = RwLock::new(1);\n*lock.try_write().unwrap() += 1;\nassert_eq!(*lock.blocking_read() + *lock.try_read().unwrap(), 4);"
);
take!(RwLock, RWLOCK, RwLockReadGuard, Mode::Shared, read, try_read, blocking_read);
take!(RwLock, RWLOCK, RwLockWriteGuard, Mode::Exclusive, write, try_write, blocking_write);

/// A tracked `tokio::sync::Semaphore`.
///
/// ```
/// use lockcheck_tracker::tokio::sync::Semaphore;
///
/// let slots = Semaphore::new(2);
/// let taken = slots.try_acquire_many(2).unwrap();
/// assert!(slots.try_acquire().is_err());
/// drop(taken);
/// assert_eq!(slots.available_permits(), 2);
/// ```
#[derive(Debug)]
pub struct Semaphore {
    head: Named,
    inner: ::tokio::sync::Semaphore,
}

/// A head that knows how many permits its semaphore began with.
struct Named(Head, u32);

impl fmt::Debug for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("_")
    }
}

const SEMAPHORE: Kind = Kind { object: ObjectKind::Semaphore, type_name: "tokio::sync::Semaphore", data: || "" };

/// Permits of a [`Semaphore`], given back on drop.
#[must_use = "if unused the permits are given back at once"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    hold: Hold,
    inner: ::tokio::sync::SemaphorePermit<'a>,
}

impl SemaphorePermit<'_> {
    /// Keeps the permits for ever.
    pub fn forget(self) {
        self.hold.forget();
        self.inner.forget();
    }

    /// How many they are.
    pub fn num_permits(&self) -> usize {
        self.inner.num_permits()
    }
}

/// Permits that keep their [`Semaphore`] alive.
#[must_use = "if unused the permits are given back at once"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    hold: Option<Hold>,
    semaphore: Arc<Semaphore>,
    count: usize,
}

impl OwnedSemaphorePermit {
    fn new(semaphore: &Arc<Semaphore>, permit: SemaphorePermit<'_>) -> Self {
        let SemaphorePermit { hold, inner } = permit;
        let count = inner.num_permits();
        // Given back by this type's own drop.
        inner.forget();
        OwnedSemaphorePermit { hold: Some(hold), semaphore: semaphore.clone(), count }
    }

    /// Keeps the permits for ever.
    pub fn forget(mut self) {
        self.count = 0;
        if let Some(hold) = self.hold.take() {
            hold.forget();
        }
    }

    /// How many they are.
    pub fn num_permits(&self) -> usize {
        self.count
    }

    /// Whose they are.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.hold = None;
        self.semaphore.inner.add_permits(self.count);
    }
}

impl Semaphore {
    /// The largest number of permits.
    pub const MAX_PERMITS: usize = ::tokio::sync::Semaphore::MAX_PERMITS;

    /// A semaphore with so many permits; the caller's place is its class.
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Semaphore { head: Named(Head::new(), permits as u32), inner: ::tokio::sync::Semaphore::new(permits) }
    }

    /// A semaphore of the class `name`.
    #[track_caller]
    pub fn named(name: &'static str, permits: usize) -> Self {
        Semaphore { head: Named(Head::named(name), permits as u32), inner: ::tokio::sync::Semaphore::new(permits) }
    }

    /// A semaphore with so many permits, for constants.
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Semaphore { head: Named(Head::new(), permits as u32), inner: ::tokio::sync::Semaphore::const_new(permits) }
    }

    fn lock(&self) -> LockMode {
        let known = self.head.0.known(Mode::Exclusive);
        if known != LockMode::NONE {
            return known;
        }
        let lock = lock_of(&self.head.0, Mode::Exclusive, SEMAPHORE);
        if lock != LockMode::NONE {
            graph::set_permits(lock.lock(), self.head.1);
        }
        lock
    }

    /// Takes a permit, waiting for it if need be.
    ///
    /// # Errors
    /// Where the semaphore is closed.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_at(1, Site::here())
    }

    /// Takes `n` permits at once.
    ///
    /// # Errors
    /// Where the semaphore is closed.
    #[track_caller]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_at(n, Site::here())
    }

    async fn acquire_at(&self, n: u32, site: Site) -> Result<SemaphorePermit<'_>, AcquireError> {
        let (inner, hold) = acquire(self.lock(), n.max(1), site, self.inner.acquire_many(n)).await;
        Ok(SemaphorePermit { hold, inner: inner? })
    }

    /// As [`Semaphore::acquire`], with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// Where the semaphore is closed.
    #[track_caller]
    pub fn acquire_owned(self: Arc<Self>) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// As [`Semaphore::acquire_many`], with permits that keep the semaphore alive.
    ///
    /// # Errors
    /// Where the semaphore is closed.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let site = Site::here();
        async move { Ok(OwnedSemaphorePermit::new(&self, self.acquire_at(n, site).await?)) }
    }

    /// Takes a permit if there is one.
    ///
    /// # Errors
    /// Where there is none.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if there are so many.
    ///
    /// # Errors
    /// Where there are not.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let inner = self.inner.try_acquire_many(n)?;
        Ok(SemaphorePermit { hold: Hold::new(current(), self.lock(), Site::here(), n.max(1)), inner })
    }

    /// As [`Semaphore::try_acquire`], with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// Where there is none.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        Ok(OwnedSemaphorePermit::new(&self, self.try_acquire()?))
    }

    /// Adds permits.
    pub fn add_permits(&self, n: usize) {
        graph::change_permits(self.lock(), |count| count.checked_add(n as u32));
        self.inner.add_permits(n);
    }

    /// Takes free permits away for ever, and tells how many there were.
    pub fn forget_permits(&self, n: usize) -> usize {
        let gone = self.inner.forget_permits(n);
        graph::change_permits(self.lock(), |count| count.checked_sub(gone as u32));
        gone
    }

    /// How many permits are free.
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Ends all waits with an error.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

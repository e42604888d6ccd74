//! The tracker's raw locks without `lock_api`, for the crates that stand for it: they implement its traits by these.
//!
//! Guarantees: the traits of [`lock_api`] here mean what those of the real crate mean.
//!
//! Misses: what [`raw_mutex`] and [`raw_rwlock`] miss.

pub mod lock_api;
#[path = "../parking_lot/raw_mutex.rs"]
mod raw_mutex;
#[path = "../parking_lot/raw_rwlock.rs"]
mod raw_rwlock;

use std::any::type_name;
use std::time::Instant;

pub use raw_mutex::{RawFairMutex, RawMutex};
pub use raw_rwlock::RawRwLock;

use crate::event::{Mode, Op};
use crate::park::Wake;
use crate::site::Site;
use crate::{sync, threads};

impl RawMutex {
    /// Whether its guard ends without holding it, because the tracker has made the thread unwind.
    #[inline]
    pub fn is_lost(&self) -> bool {
        ::std::thread::panicking() && raw_mutex::is_lost(self.head(), Mode::Exclusive)
    }
}

/// A condition variable for guards that stay with the caller.
pub struct Condvar(sync::Condvar);

impl Condvar {
    #[track_caller]
    pub const fn new() -> Self {
        Condvar(sync::Condvar::new())
    }

    /// Wakes one waiting thread, and tells whether there was one.
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.0.may_matter() && self.0.notify(Op::NotifyOne, Site::here()) != 0
    }

    /// Wakes all waiting threads, and tells how many.
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        if self.0.may_matter() { self.0.notify(Op::NotifyAll, Site::here()) } else { 0 }
    }

    /// Gives the mutex back, waits, and takes it again in any case; tells whether the time was over.
    #[track_caller]
    pub fn sleep(&self, mutex: &RawMutex, until: Option<Instant>) -> bool {
        let _fixed = threads::Fixed::new();
        self.0.sleep(mutex.head(), raw_mutex::MUTEX, until) == Wake::TimedOut
    }
}

/// Whether new readers of a raw lock wait behind a writer that waits. Of others it is not known; a wait that they do not have must
/// not come into the program.
#[inline]
fn readers_wait_behind_writers<R>() -> bool {
    let name = type_name::<R>();
    name.starts_with("parking_lot") && !name.ends_with("Recursive")
}

/// Takes the tracker's lock for a reader, in front of a raw lock of type `R`.
#[inline]
#[track_caller]
pub fn lock_shared<R>(lock: &RawRwLock) {
    if readers_wait_behind_writers::<R>() {
        lock_api::RawRwLock::lock_shared(lock);
    } else {
        lock_api::RawRwLockRecursive::lock_shared_recursive(lock);
    }
}

/// As [`lock_shared`], without waiting.
#[inline]
#[track_caller]
pub fn try_lock_shared<R>(lock: &RawRwLock) -> bool {
    if readers_wait_behind_writers::<R>() {
        lock_api::RawRwLock::try_lock_shared(lock)
    } else {
        lock_api::RawRwLockRecursive::try_lock_shared_recursive(lock)
    }
}

/// The value if its type is the wanted one: `A` has no lifetime bound, so `Any` cannot tell.
pub fn same<A, B: Copy + 'static>(value: &A) -> Option<B> {
    let is_same = type_name::<A>() == type_name::<B>() && size_of::<A>() == size_of::<B>() && align_of::<A>() == align_of::<B>();
    // SAFETY: `B` is one of `std`'s types of time, whose name nobody else has.
    is_same.then(|| unsafe { std::mem::transmute_copy(value) })
}

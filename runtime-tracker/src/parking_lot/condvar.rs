//! [`Condvar`], which waits with a guard that the caller keeps.
//!
//! Guarantees: as [`crate::sync::Condvar`].
//!
//! Misses: as [`super`].

use std::fmt;
use std::time::{Duration, Instant};

use super::WaitTimeoutResult;
use super::mutex::MutexGuard;
use super::raw_mutex::MUTEX;
use crate::event::Op;
use crate::park::Wake;
use crate::site::Site;
use crate::{sync, threads};

/// A tracked `parking_lot::Condvar`.
///
/// ```
/// use lockcheck_tracker::parking_lot::{Condvar, Mutex};
/// use lockcheck_tracker::thread;
///
/// let (ready, bell) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock() = true;
///         bell.notify_one();
///     });
///     bell.wait_while(&mut ready.lock(), |ready| !*ready);
/// });
/// ```
pub struct Condvar(sync::Condvar);

impl Condvar {
    /// A condvar that nobody waits on; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Condvar(sync::Condvar::new())
    }

    /// A condvar of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Condvar(sync::Condvar::named(name))
    }

    /// Wakes one waiting thread, and tells whether there was one.
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.0.may_matter() && self.0.notify(Op::NotifyOne, Site::here()) != 0
    }

    /// Wakes all waiting threads, and tells how many.
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        if self.0.may_matter() { self.0.notify(Op::NotifyAll, Site::here()) } else { 0 }
    }

    #[track_caller]
    fn sleep<T: ?Sized>(&self, guard: &MutexGuard<'_, T>, until: Option<Instant>) -> bool {
        let _fixed = threads::Fixed::new();
        // SAFETY: the guard holds the mutex, and it is held again when this comes back, which it does in any case:
        // neither of its two waits can be called off.
        let raw = unsafe { MutexGuard::mutex(guard).raw() };
        self.0.sleep(raw.head(), MUTEX, until) == Wake::TimedOut
    }

    /// Gives the mutex back, waits for a notification and takes the mutex again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.sleep(guard, None);
    }

    /// As [`Condvar::wait`], until `timeout`.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        timed_out(self.sleep(guard, Some(timeout)))
    }

    /// As [`Condvar::wait`], for at most `timeout`.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        timed_out(self.sleep(guard, Instant::now().checked_add(timeout)))
    }

    /// Waits until `condition` is false.
    #[track_caller]
    pub fn wait_while<T, F>(&self, guard: &mut MutexGuard<'_, T>, condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_to(guard, condition, None);
    }

    /// Waits until `condition` is false, at most until `timeout`.
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        timed_out(self.wait_while_to(guard, condition, Some(timeout)))
    }

    /// Waits until `condition` is false, for at most `timeout`.
    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        timed_out(self.wait_while_to(guard, condition, Instant::now().checked_add(timeout)))
    }

    /// Tells whether the time was over first.
    #[track_caller]
    fn wait_while_to<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        until: Option<Instant>,
    ) -> bool {
        let mut over = false;
        while !over && condition(&mut **guard) {
            over = self.sleep(guard, until);
        }
        over
    }
}

/// The answer's type has no constructor, so it is asked of a condvar that nobody else knows.
fn timed_out(over: bool) -> WaitTimeoutResult {
    let (bell, lock) = (::parking_lot::Condvar::new(), ::parking_lot::Mutex::new(()));
    if over {
        return bell.wait_until(&mut lock.lock(), Instant::now());
    }
    bell.wait_while_until(&mut lock.lock(), |()| false, Instant::now())
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Condvar").finish_non_exhaustive()
    }
}

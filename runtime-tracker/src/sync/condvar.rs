//! [`Condvar`].
//!
//! Guarantees: a notification wakes threads that wait, in the order they came; it knows which ones, so in trace mode
//! the notify and the end of the wait that it caused carry the same number. No spurious wake-ups (callers must
//! not rely on it). While a thread waits, its mutex does not count as held.
//!
//! Misses: use with two different mutexes at once is not refused.

use std::fmt;
use std::sync::LockResult;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::config;
use crate::event::{Event, Mode, ObjectKind, Op, WaitKind, flag};
use crate::head::{Head, Kind};
use crate::park::{self, Priority, Wake};
use crate::site::Site;
use crate::sync::mutex::{self, MutexGuard};
use crate::threads;
use crate::wait::{self, Goal, Wait};

/// Whether a wait with a time limit ended by it; as [`std::sync::WaitTimeoutResult`].
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over before a notification came.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// A tracked [`std::sync::Condvar`].
///
/// ```
/// use lockcheck_tracker::sync::{Condvar, Mutex};
/// use lockcheck_tracker::thread;
///
/// let (ready, rang) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock().unwrap() = true;
///         rang.notify_one();
///     });
///     let ready = rang.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    /// The word counts those that wait.
    head: Head,
}

const KIND: Kind = Kind { object: ObjectKind::Condvar, type_name: "std::sync::Condvar", data: || "" };

impl Condvar {
    /// A condvar that nobody waits on; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Condvar { head: Head::new() }
    }

    /// A condvar of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Condvar { head: Head::named(name) }
    }

    /// Gives the mutex back, waits for a notification and takes the mutex again.
    ///
    /// # Errors
    /// Where the mutex is poisoned.
    ///
    /// # Panics
    /// Where the tracker breaks a deadlock by this thread.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (mutex, again) = guard.part();
        self.sleep(mutex, MutexGuard::<T>::KIND, None);
        again()
    }

    /// Waits until `condition` is false.
    ///
    /// # Errors
    /// Where the mutex is poisoned.
    #[track_caller]
    pub fn wait_while<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`Condvar::wait`], for at most `limit`.
    ///
    /// # Errors
    /// Where the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mutex, again) = guard.part();
        // A limit beyond what the clock can express is none.
        let until = Instant::now().checked_add(limit);
        let result = WaitTimeoutResult(self.sleep(mutex, MutexGuard::<T>::KIND, until) == Wake::TimedOut);
        match again() {
            Ok(guard) => Ok((guard, result)),
            Err(error) => Err(std::sync::PoisonError::new((error.into_inner(), result))),
        }
    }

    /// As [`Condvar::wait_timeout`], with the limit in milliseconds.
    ///
    /// # Errors
    /// Where the mutex is poisoned.
    #[deprecated(note = "replaced by `Condvar::wait_timeout`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(&self, guard: MutexGuard<'a, T>, ms: u32) -> LockResult<(MutexGuard<'a, T>, bool)> {
        match self.wait_timeout(guard, Duration::from_millis(ms.into())) {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(error) => {
                let (guard, result) = error.into_inner();
                Err(std::sync::PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// Waits until `condition` is false, for at most `limit` in all.
    ///
    /// # Errors
    /// Where the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        limit: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let Some(left) = limit.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// Wakes one waiting thread.
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) {
        if self.may_matter() {
            self.notify(Op::NotifyOne, Site::here());
        }
    }

    /// Whether somebody waits, or a notification is of interest all the same.
    #[inline]
    pub(crate) fn may_matter(&self) -> bool {
        config::traces() || self.head.state.load(Relaxed) != 0
    }

    /// Wakes all waiting threads.
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) {
        if self.may_matter() {
            self.notify(Op::NotifyAll, Site::here());
        }
    }

    /// Wakes one or all, and tells how many.
    #[cold]
    pub(crate) fn notify(&self, op: Op, site: Site) -> usize {
        let traced = config::traces() && threads::is_tracked();
        let condvar = if traced { self.head.lock(Mode::Exclusive, KIND).lock() } else { 0 };
        // The event stands in the thread's buffer before the number leaves this thread.
        let token = || {
            let seq = if traced { self.head.next_shared() } else { 0 };
            threads::emit_at(Event::new(op, condvar, 0, seq), site);
            seq
        };
        match op {
            Op::NotifyOne => park::wake_one(self.head.address(), token).into(),
            _ => park::wake_all(self.head.address(), token),
        }
    }

    /// Gives the mutex back, waits, and takes it again.
    #[track_caller]
    pub(crate) fn sleep(&self, mutex: &Head, kind: Kind, until: Option<Instant>) -> Wake {
        let site = Site::here();
        let tracked = config::ready() != config::OFF;
        let condvar = if tracked { self.head.lock(Mode::Exclusive, KIND).lock() } else { 0 };
        let traced = config::traces() && threads::is_tracked();
        // Still under the mutex, so a notifier that changes the predicate under it sees the count.
        self.head.state.fetch_add(1, Relaxed);
        struct Leave<'a>(&'a Head);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.state.fetch_sub(1, Relaxed);
            }
        }
        let leave = Leave(&self.head);
        let wait = Wait {
            goal: Goal::Anyone { kind: WaitKind::Condvar, object: condvar },
            site,
            address: self.head.address(),
        };
        let begun = std::cell::Cell::new(0);
        let begin = || {
            if traced {
                begun.set(self.head.next_shared());
            }
            true
        };
        let wake = wait::sleep(wait, Priority::Back, until, begin, || {
            mutex::release(mutex, flag::WAIT);
            let flags = if until.is_some() { flag::TRY } else { 0 };
            threads::emit_at(Event { flags, ..Event::new(Op::WaitBegin, condvar, 0, begun.get()) }, site);
        });
        drop(leave);
        let seq = if let Wake::Woken(seq) = wake { seq } else { 0 };
        threads::emit_at(Event::new(Op::WaitEnd, condvar, 0, seq), site);
        mutex::acquire(mutex, kind, site, flag::WAIT);
        wake
    }
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

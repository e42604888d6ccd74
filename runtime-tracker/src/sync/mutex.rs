//! [`Mutex`] and its guard.
//!
//! The lock word is 0 (free), 1 (taken) or 2 (taken, and somebody may wait): a compare-exchange to take, a swap to give
//! back, and only a swap that finds 2 looks for a waiter. Waiting is the tracker's own ([`crate::wait`]), because a
//! wait inside `std`'s mutex could not be called off when it turns out to be part of a deadlock.
//!
//! Guarantees: in the modes `off` and `order` an uncontended, not nested pair of lock and unlock costs what `std`'s
//! costs plus some plain loads and stores of the thread's own memory.
//!
//! Misses: no hand-over to the first waiter: as in `std`, a running thread may overtake it.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{LockResult, TryLockError, TryLockResult};
use std::time::Instant;

use crate::event::{Mode, ObjectKind, Op, flag};
use crate::head::{self, Head, Kind};
use crate::held::{self, LockMode};
use crate::park::{self, Priority, Wake};
use crate::record::buffer;
use crate::site::Site;
use crate::sync::poisoning;
use crate::wait::overtaken::{self, Overtaken};
use crate::wait::{self, Goal, Wait};
use crate::{config, schedule, stats, threads};

/// A tracked [`std::sync::Mutex`].
///
/// ```
/// use lockcheck_tracker::sync::Mutex;
///
/// static COUNT: Mutex<u32> = Mutex::named("count", 0);
/// *COUNT.lock().unwrap() += 1;
/// assert_eq!(*COUNT.lock().unwrap(), 1);
/// ```
pub struct Mutex<T: ?Sized> {
    head: Head,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives out one reference at a time, as `std`'s does.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

/// Exclusive access to what a [`Mutex`] protects; given back on drop.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    lock: &'a Mutex<T>,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out shared references to the data only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    /// A free lock; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Mutex { head: Head::new(), data: UnsafeCell::new(value) }
    }

    /// A free lock of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        Mutex { head: Head::named(name), data: UnsafeCell::new(value) }
    }

    /// The data, out of the lock; an error where it is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let Mutex { head, data } = self;
        poisoning::wrap(&head, data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    const KIND: Kind =
        Kind { object: ObjectKind::Mutex, type_name: "std::sync::Mutex", data: std::any::type_name::<T> };

    /// Takes the lock, waiting for it if need be; an error (with the guard) where it is poisoned.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock already, and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        // As `lock` below; written out because the compiler makes less of a call, even of one that it inlines.
        let site = Site::here();
        match config::mode() {
            config::ORDER => {
                let lock = self.head.lock(Mode::Exclusive, Self::KIND);
                let held = held::current();
                let key = held.request(lock, site);
                if !take(&self.head.state) {
                    contended(&self.head, lock, site);
                }
                held.push(key, lock, site);
            }
            config::OFF => {
                if !take(&self.head.state) {
                    contended(&self.head, LockMode::NONE, site);
                }
            }
            _ => acquire_traced(&self.head, const { &Self::KIND }, site),
        }
        MutexGuard::wrap(self)
    }

    /// Takes the lock if it is free.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if !try_acquire(&self.head, Self::KIND, Site::here()) {
            return Err(TryLockError::WouldBlock);
        }
        Ok(MutexGuard::wrap(self)?)
    }

    /// Whether a thread panicked while it held the lock.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.head.poisoned.load(Relaxed)
    }

    /// Makes the lock usable again after a panic.
    #[inline]
    pub fn clear_poison(&self) {
        self.head.poisoned.store(false, Relaxed);
    }

    /// The data, without locking: the caller is the only one who can.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        poisoning::wrap(&self.head, self.data.get_mut())
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline(always)]
    fn wrap(lock: &'a Mutex<T>) -> LockResult<Self> {
        let guard = MutexGuard { lock, panicking: std::thread::panicking(), not_send: PhantomData };
        poisoning::wrap(&lock.head, guard)
    }

    /// For a condvar: the guard's lock, which stays locked, and what makes the guard anew.
    pub(super) fn part(self) -> (&'a Head, impl FnOnce() -> LockResult<Self>) {
        let lock = self.lock;
        std::mem::forget(self);
        (&lock.head, move || Self::wrap(lock))
    }

    pub(super) const KIND: Kind = Mutex::<T>::KIND;
}

/// Takes the lock, waiting for it if need be.
#[cfg(feature = "parking_lot")]
#[inline(always)]
#[track_caller]
pub(crate) fn lock(head: &Head, kind: Kind, site: Site) {
    match config::mode() {
        config::ORDER => {
            let lock = head.lock(Mode::Exclusive, kind);
            let held = held::current();
            let key = held.request(lock, site);
            if !take(&head.state) {
                contended(head, lock, site);
            }
            held.push(key, lock, site);
        }
        config::OFF => {
            if !take(&head.state) {
                contended(head, LockMode::NONE, site);
            }
        }
        _ => acquire(head, kind, site, 0),
    }
}

/// Gives the lock back.
// Every rare case is a call at the end: a call in the middle would make the compiler save registers on the stack
// in between, and each store between the two locked instructions counts.
#[inline(always)]
pub(crate) fn unlock(head: &Head) {
    let mode = config::mode();
    if mode >= config::UNREAD {
        return release_traced(head);
    }
    let waited_for = head.state.swap(0, Release) == 2;
    if mode == config::ORDER {
        let done = held::current().pop_top(head.known(Mode::Exclusive));
        if waited_for | !done {
            after_release(head, waited_for, done);
        }
    } else if waited_for {
        wake(head);
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        let head = &self.lock.head;
        if !self.panicking && std::thread::panicking() {
            return panicked(head);
        }
        unlock(head);
    }
}

#[cold]
#[inline(never)]
fn panicked(head: &Head) {
    poisoning::panicked(head);
    release(head, flag::PANIC);
}

#[cold]
#[inline(never)]
fn after_release(head: &Head, waited_for: bool, popped: bool) {
    if waited_for {
        wake(head);
    }
    if !popped {
        held::current().pop(head.known(Mode::Exclusive));
    }
}

#[inline(always)]
fn take(state: &AtomicU32) -> bool {
    state.compare_exchange(0, 1, Acquire, Relaxed).is_ok()
}

#[inline(always)]
fn give_back(head: &Head) {
    if head.state.swap(0, Release) == 2 {
        wake(head);
    }
}

#[cold]
#[inline(never)]
fn wake(head: &Head) {
    park::wake_one(head.address(), || 0);
}

/// What a waiter is handed that has the lock already, because whoever gave it back passed it on.
const HANDED_OVER: u32 = 1;

/// Waits for the lock; `lock` is [`LockMode::NONE`] where nothing is tracked.
#[cold]
#[track_caller]
fn contended(head: &Head, lock: LockMode, site: Site) {
    wait_for(head, lock, site, None);
}

/// As [`contended`], until a time if one is given; tells whether the lock was taken.
#[cold]
#[track_caller]
fn wait_for(head: &Head, lock: LockMode, site: Site, until: Option<Instant>) -> bool {
    for _ in 0..100 {
        match head.state.load(Relaxed) {
            0 if take(&head.state) => return true,
            2 => break,
            _ => std::hint::spin_loop(),
        }
    }
    if until.is_none()
        && threads::is_tracked()
        && let Some(first) = held::current().find(lock.lock())
    {
        wait::double_lock(first, lock, site);
    }
    let wait = Wait { goal: Goal::Lock(lock), site, address: head.address() };
    let mut front = false;
    let mut overtaken = Overtaken::default();
    loop {
        let taken = || head.state.swap(2, Acquire) == 0;
        match wait::sleep(wait, Priority::of(front), until, || !taken(), || {}) {
            Wake::Refused | Wake::Woken(HANDED_OVER) => return true,
            _ if taken() => return true,
            Wake::TimedOut => return false,
            _ => front = true,
        }
        overtaken.again(lock, site);
    }
}

#[inline(never)]
#[track_caller]
fn acquire_traced(head: &Head, kind: &'static Kind, site: Site) {
    head.acquire_traced(Mode::Exclusive, site, take, || acquire_as(head, kind, site));
}

#[cold]
#[inline(never)]
#[track_caller]
fn acquire_as(head: &Head, kind: &'static Kind, site: Site) {
    acquire(head, *kind, site, 0);
}

#[inline(never)]
fn release_traced(head: &Head) {
    let give_back = || head.state.swap(0, Release) == 2;
    head.release_traced(Mode::Exclusive, give_back, || released_to(head), || release(head, 0));
}

#[cold]
#[inline(never)]
fn released_to(head: &Head) {
    buffer::released();
    wake(head);
}

/// The whole acquisition in any mode, with its events; for the first lock of the process, trace mode, and condvars.
#[inline(never)]
#[track_caller]
pub(crate) fn acquire(head: &Head, kind: Kind, site: Site, flags: u8) {
    if config::ready() == config::OFF {
        if !take(&head.state) {
            contended(head, LockMode::NONE, site);
        }
        return;
    }
    let lock = head.lock(Mode::Exclusive, kind);
    let held = held::current();
    schedule::before(site);
    let key = held.request(lock, site);
    let (mut flags, mut waited) = (flags, None);
    if !take(&head.state) {
        waited = stats::waits();
        head::emit(Op::Request, lock, flags, site, head.seq());
        contended(head, lock, site);
        flags |= flag::CONTENDED;
    }
    if held.push(key, lock, site) && config::traces() {
        head.acquired(lock, flags, site);
    }
    stats::taken(lock, site, waited);
    schedule::after();
}

/// As [`acquire`], for at most until a time: a request that cannot wait for ever closes no deadlock.
#[cfg(feature = "parking_lot")]
#[cold]
#[track_caller]
pub(crate) fn acquire_until(head: &Head, kind: Kind, site: Site, until: Instant) -> bool {
    if try_acquire(head, kind, site) {
        return true;
    }
    let on = config::is_on();
    let lock = if on { head.lock(Mode::Exclusive, kind) } else { LockMode::NONE };
    let waited = stats::waits();
    if !wait_for(head, lock, site, Some(until)) {
        return false;
    }
    if on {
        let held = held::current();
        if held.push(held.tried(lock, site), lock, site) && config::traces() {
            head.acquired(lock, flag::TRY | flag::CONTENDED, site);
        }
        stats::taken(lock, site, waited);
    }
    true
}

/// Gives the lock to the thread that has waited for it longest, so that no other one can overtake it.
#[cfg(feature = "parking_lot")]
#[cold]
pub(crate) fn release_fair(head: &Head) {
    forget(head, 0);
    if !park::hand_over(head.address(), HANDED_OVER) {
        give_back(head);
    }
}

#[inline]
#[track_caller]
pub(crate) fn try_acquire(head: &Head, kind: Kind, site: Site) -> bool {
    let taken = take(&head.state);
    if config::ready() == config::OFF {
        return taken;
    }
    let lock = head.lock(Mode::Exclusive, kind);
    let traced = config::traces();
    if taken {
        let held = held::current();
        if held.push(held.tried(lock, site), lock, site) && traced {
            head.acquired(lock, flag::TRY, site);
        }
        stats::taken(lock, site, None);
    } else if traced {
        head::emit(Op::TryFail, lock, flag::TRY | overtaken::poll(lock), site, head.seq());
    }
    taken
}

/// The whole release in any mode.
#[inline(never)]
pub(crate) fn release(head: &Head, flags: u8) {
    forget(head, flags);
    give_back(head);
}

/// The lock leaves the thread's stack of held locks.
#[inline(always)]
fn forget(head: &Head, flags: u8) {
    let lock = head.known(Mode::Exclusive);
    if lock == LockMode::NONE {
        return;
    }
    stats::given_back(lock);
    if config::traces() {
        head.released(lock, flags, true);
    } else {
        held::current().pop(lock);
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, and is borrowed exclusively.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => shown.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => shown.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => shown.field("data", &"<locked>"),
        };
        shown.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

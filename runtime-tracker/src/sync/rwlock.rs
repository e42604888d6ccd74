//! [`RwLock`] and its guards.
//!
//! The lock word counts readers; one bit stands for a writer and one for "somebody waits". As in `std`, a new reader does not
//! overtake those that wait, so a writer is not starved, and a thread that reads a lock twice hangs where a
//! writer waits in between: such a hang is detected like any other.
//!
//! Guarantees: as [`super::Mutex`].
//!
//! Misses: as [`super::Mutex`].

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{LockResult, TryLockError, TryLockResult};

use crate::event::{Mode, ObjectKind, Op, flag};
use crate::head::{self, Head, Kind};
use crate::held::{self, LockMode};
use crate::park::{self, Priority, Wake};
use crate::record::buffer;
use crate::site::Site;
use crate::sync::poisoning;
use crate::wait::overtaken::Overtaken;
use crate::wait::{self, Goal, Wait};
use crate::{config, schedule, stats, threads};

const WRITER: u32 = 1 << 30;
const PARKED: u32 = 1 << 31;
const READERS: u32 = WRITER - 1;

/// A tracked [`std::sync::RwLock`].
///
/// ```
/// use lockcheck_tracker::sync::RwLock;
///
/// let lock = RwLock::new(5);
/// assert_eq!(*lock.read().unwrap() + *lock.read().unwrap(), 10);
/// *lock.write().unwrap() += 1;
/// assert_eq!(lock.into_inner().unwrap(), 6);
/// ```
pub struct RwLock<T: ?Sized> {
    head: Head,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives out references as `std`'s does.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: readers of several threads share the data, writers move it between threads.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

/// Shared access to what a [`RwLock`] protects; given back on drop.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    /// A pointer, so that the guard is covariant in `T`.
    data: NonNull<T>,
    head: &'a Head,
    not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out shared references only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
impl<T: ?Sized + RefUnwindSafe> UnwindSafe for RwLockReadGuard<'_, T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for RwLockReadGuard<'_, T> {}

/// Exclusive access to what a [`RwLock`] protects; given back on drop.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    lock: &'a RwLock<T>,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives out shared references only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    /// A free lock; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        RwLock { head: Head::new(), data: UnsafeCell::new(value) }
    }

    /// A free lock of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        RwLock { head: Head::named(name), data: UnsafeCell::new(value) }
    }

    /// The data, out of the lock; an error where it is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let RwLock { head, data } = self;
        poisoning::wrap(&head, data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    const KIND: Kind =
        Kind { object: ObjectKind::RwLock, type_name: "std::sync::RwLock", data: std::any::type_name::<T> };

    /// Takes the lock for reading.
    ///
    /// # Errors
    /// With the guard, where the lock is poisoned.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock for writing, and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline(always)]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.acquire::<true>(Site::here());
        RwLockReadGuard::wrap(self)
    }

    /// Takes the lock for writing.
    ///
    /// # Errors
    /// With the guard, where the lock is poisoned.
    ///
    /// # Panics
    /// Where this wait closes a deadlock, or the thread holds the lock already, and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[inline(always)]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.acquire::<false>(Site::here());
        RwLockWriteGuard::wrap(self)
    }

    /// Takes the lock for reading if that needs no waiting.
    ///
    /// # Errors
    /// Where it does, or the lock is poisoned.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if !try_acquire(&self.head, Mode::Shared, Self::KIND, Site::here()) {
            return Err(TryLockError::WouldBlock);
        }
        Ok(RwLockReadGuard::wrap(self)?)
    }

    /// Takes the lock for writing if it is free.
    ///
    /// # Errors
    /// Where it is not, or is poisoned.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if !try_acquire(&self.head, Mode::Exclusive, Self::KIND, Site::here()) {
            return Err(TryLockError::WouldBlock);
        }
        Ok(RwLockWriteGuard::wrap(self)?)
    }

    /// Whether a thread panicked while it held the lock for writing.
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

    #[inline(always)]
    #[track_caller]
    fn acquire<const SHARED: bool>(&self, site: Site) {
        let mode = if SHARED { Mode::Shared } else { Mode::Exclusive };
        match config::mode() {
            config::ORDER => {
                let lock = self.head.lock(mode, Self::KIND);
                let held = held::current();
                let key = held.request(lock, site);
                if !take::<SHARED>(&self.head.state) {
                    contended(&self.head, lock, mode, site);
                }
                held.push(key, lock, site);
            }
            config::OFF => {
                if !take::<SHARED>(&self.head.state) {
                    contended(&self.head, LockMode::NONE, mode, site);
                }
            }
            _ => acquire_traced::<SHARED>(&self.head, const { &Self::KIND }, site),
        }
    }
}

/// One quick attempt; new readers stay behind those that wait.
#[inline(always)]
fn take<const SHARED: bool>(state: &AtomicU32) -> bool {
    if SHARED {
        let word = state.load(Relaxed);
        word < READERS && state.compare_exchange_weak(word, word + 1, Acquire, Relaxed).is_ok()
    } else {
        state.compare_exchange(0, WRITER, Acquire, Relaxed).is_ok()
    }
}

/// What the word becomes when `mode` is taken; `None` where it cannot be. `overtake`: past those that wait.
fn taken(word: u32, mode: Mode, overtake: bool) -> Option<u32> {
    if mode == Mode::Exclusive {
        return (word & (WRITER | READERS) == 0).then_some(word | WRITER);
    }
    let free = word & WRITER == 0 && (overtake || word & PARKED == 0);
    (free && word & READERS < READERS).then_some(word + 1)
}

fn try_take(state: &AtomicU32, mode: Mode, overtake: bool) -> bool {
    state.fetch_update(Acquire, Relaxed, |word| taken(word, mode, overtake)).is_ok()
}

/// Gives the lock back; tells whether somebody has to be woken.
#[inline(always)]
fn unlock(head: &Head, mode: Mode) -> bool {
    if mode == Mode::Shared {
        head.state.fetch_sub(1, Release) == PARKED | 1
    } else {
        head.state.fetch_sub(WRITER, Release) & PARKED != 0
    }
}

#[cold]
#[inline(never)]
fn wake(head: &Head) {
    park::wake_group(head.address(), |more| {
        if !more {
            head.state.fetch_and(!PARKED, Relaxed);
        }
    });
}

#[cold]
#[track_caller]
fn contended(head: &Head, lock: LockMode, mode: Mode, site: Site) {
    for _ in 0..100 {
        let word = head.state.load(Relaxed);
        if taken(word, mode, false).is_some() && try_take(&head.state, mode, false) {
            return;
        }
        if word & PARKED != 0 {
            break;
        }
        std::hint::spin_loop();
    }
    if threads::is_tracked()
        && let Some(first) = held::current().find_conflict(lock, mode)
    {
        wait::double_lock(first, lock, site);
    }
    /// A waiter that is called off may have been what held the others back.
    struct Abandon<'a>(&'a Head);
    impl Drop for Abandon<'_> {
        fn drop(&mut self) {
            wake(self.0);
        }
    }
    let abandon = Abandon(head);
    let goal = if lock == LockMode::NONE { Goal::Lock(LockMode::new(0, mode)) } else { Goal::Lock(lock) };
    let wait = Wait { goal, site, address: head.address() };
    let mut woken = false;
    let mut overtaken = Overtaken::default();
    let must_wait = |woken: bool| {
        let step = |word: u32| (word & PARKED == 0 && taken(word, mode, woken).is_none()).then_some(word | PARKED);
        match head.state.fetch_update(Relaxed, Relaxed, step) {
            Ok(_) => true,
            Err(word) => taken(word, mode, woken).is_none(),
        }
    };
    while !try_take(&head.state, mode, woken) {
        if woken {
            overtaken.again(lock, site);
        }
        let wake = wait::sleep(wait, Priority::of(woken), None, || must_wait(woken), || {});
        woken |= matches!(wake, Wake::Woken(_));
    }
    std::mem::forget(abandon);
}

#[inline(never)]
#[track_caller]
fn acquire_traced<const SHARED: bool>(head: &Head, kind: &'static Kind, site: Site) {
    let mode = if SHARED { Mode::Shared } else { Mode::Exclusive };
    head.acquire_traced(mode, site, take::<SHARED>, || acquire_as::<SHARED>(head, kind, site));
}

#[cold]
#[inline(never)]
#[track_caller]
fn acquire_as<const SHARED: bool>(head: &Head, kind: &'static Kind, site: Site) {
    acquire(head, if SHARED { Mode::Shared } else { Mode::Exclusive }, *kind, site);
}

/// The whole acquisition in any mode, with its events.
#[inline(never)]
#[track_caller]
fn acquire(head: &Head, mode: Mode, kind: Kind, site: Site) {
    let quick = || if mode == Mode::Shared { take::<true>(&head.state) } else { take::<false>(&head.state) };
    if config::ready() == config::OFF {
        if !quick() {
            contended(head, LockMode::NONE, mode, site);
        }
        return;
    }
    let lock = head.lock(mode, kind);
    let held = held::current();
    schedule::before(site);
    let key = held.request(lock, site);
    let (mut flags, mut waited) = (0, None);
    if !quick() {
        waited = stats::waits();
        head::emit(Op::Request, lock, 0, site, head.seq());
        contended(head, lock, mode, site);
        flags |= flag::CONTENDED;
    }
    if held.push(key, lock, site) && config::traces() {
        head.acquired(lock, flags, site);
    }
    stats::taken(lock, site, waited);
    schedule::after();
}

#[inline]
fn try_acquire(head: &Head, mode: Mode, kind: Kind, site: Site) -> bool {
    let taken = try_take(&head.state, mode, false);
    if config::ready() == config::OFF {
        return taken;
    }
    let lock = head.lock(mode, kind);
    let traced = config::traces();
    if taken {
        let held = held::current();
        if held.push(held.tried(lock, site), lock, site) && traced {
            head.acquired(lock, flag::TRY, site);
        }
        stats::taken(lock, site, None);
    } else if traced {
        head::emit(Op::TryFail, lock, flag::TRY, site, 0);
    }
    taken
}

// As in `mutex`: every rare case is a call at the end.
#[inline(always)]
fn release(head: &Head, mode: Mode) {
    let level = config::mode();
    if level >= config::UNREAD {
        return if mode == Mode::Shared { release_traced::<true>(head) } else { release_traced::<false>(head) };
    }
    let waited_for = unlock(head, mode);
    if level == config::ORDER {
        let done = held::current().pop_top(head.known(mode));
        if waited_for | !done {
            after_release(head, mode, waited_for, done);
        }
    } else if waited_for {
        wake(head);
    }
}

#[cold]
#[inline(never)]
fn after_release(head: &Head, mode: Mode, waited_for: bool, popped: bool) {
    if waited_for {
        wake(head);
    }
    if !popped {
        held::current().pop(head.known(mode));
    }
}

/// The lock leaves the thread's stack of held locks.
#[inline(always)]
fn forget(head: &Head, mode: Mode, flags: u8) {
    let lock = head.known(mode);
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

#[inline(never)]
fn release_traced<const SHARED: bool>(head: &Head) {
    let mode = if SHARED { Mode::Shared } else { Mode::Exclusive };
    let give_back = || unlock(head, mode);
    head.release_traced(mode, give_back, || released_to(head), || release_otherwise(head, mode));
}

#[cold]
#[inline(never)]
fn released_to(head: &Head) {
    buffer::released();
    wake(head);
}

#[cold]
#[inline(never)]
fn release_otherwise(head: &Head, mode: Mode) {
    forget(head, mode, 0);
    if unlock(head, mode) {
        wake(head);
    }
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline(always)]
    fn wrap(lock: &'a RwLock<T>) -> LockResult<Self> {
        // SAFETY: the pointer comes from a reference, so it is not null.
        let data = unsafe { NonNull::new_unchecked(lock.data.get()) };
        poisoning::wrap(&lock.head, RwLockReadGuard { data, head: &lock.head, not_send: PhantomData })
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline(always)]
    fn wrap(lock: &'a RwLock<T>) -> LockResult<Self> {
        let guard = RwLockWriteGuard { lock, panicking: std::thread::panicking(), not_send: PhantomData };
        poisoning::wrap(&lock.head, guard)
    }

    /// Turns write access into read access, with no moment in between in which the lock is free.
    #[track_caller]
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let (lock, site) = (self.lock, Site::here());
        if !self.panicking && std::thread::panicking() {
            poisoning::panicked(&lock.head);
        }
        std::mem::forget(self);
        let held = held::current();
        let (write, read) = (lock.head.known(Mode::Exclusive), lock.head.known(Mode::Shared));
        let traced = config::traces();
        let known = config::is_on() && write != LockMode::NONE;
        stats::given_back(write);
        if known && if traced { lock.head.released(write, 0, true) } else { held.pop(write) } {
            held.push(held.tried(read, site), read, site);
            if traced {
                lock.head.acquired(read, flag::TRY, site);
            }
        }
        if lock.head.state.fetch_sub(WRITER - 1, Release) & PARKED != 0 {
            wake(&lock.head);
        }
        // SAFETY: the pointer comes from a reference, so it is not null.
        let data = unsafe { NonNull::new_unchecked(lock.data.get()) };
        RwLockReadGuard { data, head: &lock.head, not_send: PhantomData }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        release(self.head, Mode::Shared);
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.panicking && std::thread::panicking() {
            return panicked(&self.lock.head);
        }
        release(&self.lock.head, Mode::Exclusive);
    }
}

#[cold]
#[inline(never)]
fn panicked(head: &Head) {
    poisoning::panicked(head);
    if config::is_on() {
        forget(head, Mode::Exclusive, flag::PANIC);
    }
    if unlock(head, Mode::Exclusive) {
        wake(head);
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock for reading.
        unsafe { self.data.as_ref() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock for writing.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock for writing, and is borrowed exclusively.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => shown.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => shown.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => shown.field("data", &format_args!("<locked>")),
        };
        shown.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

//! [`RawRwLock`]: readers, recursive readers, one upgradable reader, one writer.
//!
//! The lock word counts readers; one bit stands for a writer, one for an upgradable reader and one for "somebody waits". A
//! new reader does not overtake those that wait, a recursive one does. Who upgrades waits in front of all others and keeps
//! its upgradable read until it has become the writer.
//!
//! Guarantees: as [`crate::sync::RwLock`], with two more modes.
//!
//! Misses: fair unlocking is the ordinary one; in a trace, an upgrade is a release and a new request.

use std::sync::atomic::Ordering::*;
use std::time::{Duration, Instant};

use super::lock_api::{self, GuardNoSend};
use super::raw_mutex::is_lost;
use crate::event::{Mode, ObjectKind, Op, flag};
use crate::head::{self, Head, Kind};
use crate::held::{self, LockMode};
use crate::park::{self, Priority, Wake};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, schedule, stats, threads};

const UPGRADABLE: u32 = 1 << 29;
const WRITER: u32 = 1 << 30;
const PARKED: u32 = 1 << 31;
const READERS: u32 = UPGRADABLE - 1;

const NAME: &str = if cfg!(lockcheck_shim) { "lock_api::RwLock" } else { "parking_lot::RwLock" };
const KIND: Kind = Kind { object: ObjectKind::RwLock, type_name: NAME, data: || "" };

/// The lock of [`super::RwLock`].
pub struct RawRwLock(Head);

/// What is asked of the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Take(Mode),
    /// Become the writer, as the upgradable reader.
    Upgrade,
}

impl Want {
    fn mode(self) -> Mode {
        match self {
            Want::Take(mode) => mode,
            Want::Upgrade => Mode::Exclusive,
        }
    }
}

/// What the word becomes; `None` where the caller has to wait. `overtake`: past those that wait.
fn next(word: u32, want: Want, overtake: bool) -> Option<u32> {
    let free = |others: u32| word & others == 0;
    match want {
        Want::Take(Mode::Exclusive) => free(WRITER | UPGRADABLE | READERS).then_some(word | WRITER),
        Want::Take(Mode::Upgradable) => {
            (free(WRITER | UPGRADABLE) && (overtake || free(PARKED))).then_some(word | UPGRADABLE)
        }
        Want::Take(mode) => {
            let passes = overtake || mode == Mode::SharedRecursive || free(PARKED);
            (free(WRITER) && passes && word & READERS < READERS).then_some(word + 1)
        }
        Want::Upgrade => free(READERS).then_some(word - UPGRADABLE + WRITER),
    }
}

impl RawRwLock {
    #[track_caller]
    pub(super) const fn here() -> Self {
        RawRwLock(Head::new())
    }

    #[track_caller]
    pub(super) const fn named(name: &'static str) -> Self {
        RawRwLock(Head::named(name))
    }

    fn attempt(&self, want: Want, overtake: bool) -> bool {
        self.0.state.fetch_update(Acquire, Relaxed, |word| next(word, want, overtake)).is_ok()
    }

    /// Takes the lock, waiting at most until a time if one is given.
    #[inline]
    #[track_caller]
    fn acquire(&self, mode: Mode, site: Site, until: Option<Instant>) -> bool {
        if config::ready() == config::OFF {
            return self.attempt(Want::Take(mode), false) || self.wait(Want::Take(mode), LockMode::NONE, site, until);
        }
        let lock = self.0.lock(mode, KIND);
        let held = held::current();
        // A request that cannot wait for ever closes no deadlock.
        let mut flags = if until.is_some() { flag::TRY } else { 0 };
        let mut key = 0;
        if until.is_none() {
            schedule::before(site);
            key = held.request(lock, site);
        }
        let mut waited = None;
        if !self.attempt(Want::Take(mode), false) {
            waited = stats::waits();
            if until.is_none() {
                head::emit(Op::Request, lock, 0, site, 0);
            }
            if !self.wait(Want::Take(mode), lock, site, until) {
                head::emit(Op::TryFail, lock, flags, site, 0);
                return false;
            }
            flags |= flag::CONTENDED;
        }
        if until.is_some() {
            key = held.tried(lock, site);
        }
        if held.push(key, lock, site) && config::traces() {
            self.0.acquired(lock, flags, site);
        }
        stats::taken(lock, site, waited);
        if until.is_none() {
            schedule::after();
        }
        true
    }

    #[track_caller]
    fn acquire_for(&self, mode: Mode, site: Site, timeout: Duration) -> bool {
        // A limit beyond what the clock can express is none.
        self.acquire(mode, site, Instant::now().checked_add(timeout))
    }

    #[track_caller]
    fn try_acquire(&self, mode: Mode, site: Site) -> bool {
        let taken = self.attempt(Want::Take(mode), false);
        if config::ready() == config::OFF {
            return taken;
        }
        let lock = self.0.lock(mode, KIND);
        let traced = config::traces();
        if taken {
            let held = held::current();
            if held.push(held.tried(lock, site), lock, site) && traced {
                self.0.acquired(lock, flag::TRY, site);
            }
            stats::taken(lock, site, None);
        } else if traced {
            head::emit(Op::TryFail, lock, flag::TRY, site, 0);
        }
        taken
    }

    /// The thread's entry for the lock in this mode ends.
    fn forget(&self, mode: Mode) {
        let lock = self.0.known(mode);
        if lock == LockMode::NONE {
            return;
        }
        stats::given_back(lock);
        if config::traces() {
            // An upgradable reader may have come while this one reads.
            let flags = if std::thread::panicking() { flag::PANIC } else { 0 };
            self.0.released(lock, flags, mode == Mode::Exclusive);
        } else {
            held::current().pop(lock);
        }
    }

    fn release(&self, mode: Mode) {
        if std::thread::panicking() && is_lost(&self.0, mode) {
            return;
        }
        self.forget(mode);
        let taken = match mode {
            Mode::Exclusive => WRITER,
            Mode::Upgradable => UPGRADABLE,
            _ => 1,
        };
        let after = self.0.state.fetch_sub(taken, Release) - taken;
        // Of ordinary readers the last one wakes: a writer, or the upgradable reader that waits to become one.
        if after & PARKED != 0 && (taken != 1 || after & READERS == 0) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        park::wake_group(self.0.address(), |more| {
            if !more {
                self.0.state.fetch_and(!PARKED, Relaxed);
            }
        });
    }

    #[cold]
    #[track_caller]
    fn wait(&self, want: Want, lock: LockMode, site: Site, until: Option<Instant>) -> bool {
        let mode = want.mode();
        if until.is_none() && want != Want::Upgrade && threads::is_tracked() {
            let conflict = held::current().find_conflict(lock, mode);
            if let Some(first) = conflict {
                wait::double_lock(first, lock, site);
            }
        }
        /// A waiter that goes may have been what held the others back.
        struct Abandon<'a>(&'a RawRwLock);
        impl Drop for Abandon<'_> {
            fn drop(&mut self) {
                self.0.wake();
            }
        }
        let abandon = Abandon(self);
        let goal = if lock == LockMode::NONE { Goal::Lock(LockMode::new(0, mode)) } else { Goal::Lock(lock) };
        let wait = Wait { goal, site, address: self.0.address() };
        let mut front = want == Want::Upgrade;
        let must_wait = |front: bool| {
            let step = |word: u32| (word & PARKED == 0 && next(word, want, front).is_none()).then_some(word | PARKED);
            match self.0.state.fetch_update(Relaxed, Relaxed, step) {
                Ok(_) => true,
                Err(word) => next(word, want, front).is_none(),
            }
        };
        // Those in front wait for the upgradable read, which is held until the upgrade has come.
        let priority = |front| if want == Want::Upgrade { Priority::First } else { Priority::of(front) };
        while !self.attempt(want, front) {
            let wake = wait::sleep(wait, priority(front), until, || must_wait(front), || {});
            if wake == Wake::TimedOut {
                if self.attempt(want, front) {
                    break;
                }
                return false;
            }
            front |= matches!(wake, Wake::Woken(_));
        }
        std::mem::forget(abandon);
        true
    }

    /// From upgradable to exclusive.
    #[track_caller]
    fn become_writer(&self, site: Site, tries: bool, until: Option<Instant>) -> bool {
        let on = config::is_on();
        let wanted = if on { self.0.lock(Mode::Exclusive, KIND) } else { LockMode::NONE };
        let taken = self.attempt(Want::Upgrade, true)
            || (!tries && {
                if on {
                    // Other locks that are held take part in the order; the thread's own read of this one does not.
                    held::current().request(wanted, site);
                }
                self.wait(Want::Upgrade, wanted, site, until)
            });
        if taken {
            self.change(Mode::Upgradable, Mode::Exclusive, site, if tries || until.is_some() { flag::TRY } else { 0 });
        }
        taken
    }

    /// The thread now holds the lock in another mode.
    fn change(&self, from: Mode, to: Mode, site: Site, flags: u8) {
        if !config::is_on() || self.0.known(from) == LockMode::NONE {
            return;
        }
        self.forget(from);
        let (held, lock) = (held::current(), self.0.known(to));
        if held.push(held.tried(lock, site), lock, site) && config::traces() {
            self.0.acquired(lock, flags, site);
        }
        stats::taken(lock, site, None);
    }

    /// Gives up a part of what is held, with no moment in between in which the lock is free.
    #[track_caller]
    fn downgrade_to(&self, from: Mode, to: Mode) {
        let site = Site::here();
        self.change(from, to, site, flag::TRY);
        let word = |mode| match mode {
            Mode::Exclusive => WRITER,
            Mode::Upgradable => UPGRADABLE,
            _ => 1,
        };
        let less = word(from) - word(to);
        if self.0.state.fetch_sub(less, Release) & PARKED != 0 {
            self.wake();
        }
    }
}

// SAFETY: the lock word lets one writer or any number of readers through.
unsafe impl lock_api::RawRwLock for RawRwLock {
    #[cfg(not(lockcheck_shim))]
    const INIT: Self = RawRwLock(Head::new());
    #[cfg(lockcheck_shim)]
    const INIT: Self = RawRwLock(Head::unplaced());
    type GuardMarker = GuardNoSend;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) {
        self.acquire(Mode::Shared, Site::here(), None);
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        self.try_acquire(Mode::Shared, Site::here())
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        // Which kind of read ends is not said; the recursive one was the last to be possible only under another.
        let recursive = self.0.known(Mode::SharedRecursive);
        let is_recursive = recursive != LockMode::NONE && held::current().position(recursive) != 0;
        self.release(if is_recursive { Mode::SharedRecursive } else { Mode::Shared });
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) {
        self.acquire(Mode::Exclusive, Site::here(), None);
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        self.try_acquire(Mode::Exclusive, Site::here())
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        self.release(Mode::Exclusive);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.state.load(Relaxed) & !PARKED != 0
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.0.state.load(Relaxed) & WRITER != 0
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockFair for RawRwLock {
    unsafe fn unlock_shared_fair(&self) {
        // SAFETY: as the caller promises.
        unsafe { lock_api::RawRwLock::unlock_shared(self) };
    }

    unsafe fn unlock_exclusive_fair(&self) {
        self.release(Mode::Exclusive);
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
    #[track_caller]
    unsafe fn downgrade(&self) {
        self.downgrade_to(Mode::Exclusive, Mode::Shared);
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockTimed for RawRwLock {
    type Duration = Duration;
    type Instant = Instant;

    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        self.acquire_for(Mode::Shared, Site::here(), timeout)
    }

    #[track_caller]
    fn try_lock_shared_until(&self, timeout: Instant) -> bool {
        self.acquire(Mode::Shared, Site::here(), Some(timeout))
    }

    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        self.acquire_for(Mode::Exclusive, Site::here(), timeout)
    }

    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> bool {
        self.acquire(Mode::Exclusive, Site::here(), Some(timeout))
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        self.acquire(Mode::SharedRecursive, Site::here(), None);
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        self.try_acquire(Mode::SharedRecursive, Site::here())
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursiveTimed for RawRwLock {
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: Duration) -> bool {
        self.acquire_for(Mode::SharedRecursive, Site::here(), timeout)
    }

    #[track_caller]
    fn try_lock_shared_recursive_until(&self, timeout: Instant) -> bool {
        self.acquire(Mode::SharedRecursive, Site::here(), Some(timeout))
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgrade for RawRwLock {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        self.acquire(Mode::Upgradable, Site::here(), None);
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        self.try_acquire(Mode::Upgradable, Site::here())
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        self.release(Mode::Upgradable);
    }

    #[track_caller]
    unsafe fn upgrade(&self) {
        self.become_writer(Site::here(), false, None);
    }

    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        self.become_writer(Site::here(), true, None)
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeFair for RawRwLock {
    unsafe fn unlock_upgradable_fair(&self) {
        self.release(Mode::Upgradable);
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeDowngrade for RawRwLock {
    #[track_caller]
    unsafe fn downgrade_upgradable(&self) {
        self.downgrade_to(Mode::Upgradable, Mode::Shared);
    }

    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        self.downgrade_to(Mode::Exclusive, Mode::Upgradable);
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeTimed for RawRwLock {
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> bool {
        self.acquire_for(Mode::Upgradable, Site::here(), timeout)
    }

    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> bool {
        self.acquire(Mode::Upgradable, Site::here(), Some(timeout))
    }

    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
        self.become_writer(Site::here(), false, Instant::now().checked_add(timeout))
    }

    #[track_caller]
    unsafe fn try_upgrade_until(&self, timeout: Instant) -> bool {
        self.become_writer(Site::here(), false, Some(timeout))
    }
}

//! [`Once`], and what [`super::OnceLock`] and [`super::LazyLock`] stand on.
//!
//! Guarantees: `std`'s API and poisoning. Who waits for an initialisation that another thread runs is seen with the
//! thread it waits for; an initialiser that reaches itself is reported and broken instead of hanging. What an
//! initialiser did comes before what those do who have seen it done.
//!
//! Misses: order between initialisations and locks: an initialiser runs once, so taking it for a lock would
//! report orders that cannot come back.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::*};

use crate::event::{Event, Mode, ObjectKind, Op, WaitKind};
use crate::head::{Head, Kind};
use crate::park::{self, Priority};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, held, threads};

const NEW: u32 = 0;
pub(crate) const POISONED: u32 = 1;
pub(crate) const RUNNING: u32 = 2;
pub(crate) const DONE: u32 = 3;

pub(super) const KIND: Kind = Kind { object: ObjectKind::Once, type_name: "std::sync::Once", data: || "" };

/// A tracked [`std::sync::Once`].
///
/// ```
/// use lockcheck_tracker::sync::Once;
///
/// static START: Once = Once::new();
/// START.call_once(|| println!("only here"));
/// assert!(START.is_completed());
/// ```
pub struct Once {
    head: Head,
    /// The number of the thread that runs the initialiser, 0 for none.
    runner: AtomicU32,
    /// A segment after the initialiser, where it nested locks.
    segment: AtomicU32,
}

/// What an initialiser may ask; as [`std::sync::OnceState`].
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether an earlier initialiser panicked.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// Nothing has run yet; the caller's place is its class.
    #[inline]
    #[must_use]
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "std's Once has no Default either")]
    pub const fn new() -> Self {
        Once { head: Head::new(), runner: AtomicU32::new(0), segment: AtomicU32::new(0) }
    }

    /// As [`Once::new`], of the class `name`.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Once { head: Head::named(name), runner: AtomicU32::new(0), segment: AtomicU32::new(0) }
    }

    /// Runs `f` unless it or another one has run; waits for one that runs.
    ///
    /// # Panics
    /// Where an earlier one panicked, and where this wait closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        if !self.is_seen(KIND) {
            let mut f = Some(f);
            self.run(false, KIND, Site::here(), &mut |_| {
                if let Some(f) = f.take() {
                    f();
                }
            });
        }
    }

    /// As [`Once::call_once`], also where an earlier one panicked.
    ///
    /// # Panics
    /// Where this wait closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if !self.is_seen(KIND) {
            let mut f = Some(f);
            self.run(true, KIND, Site::here(), &mut |state| {
                if let Some(f) = f.take() {
                    f(state);
                }
            });
        }
    }

    /// Whether an initialiser has run to its end.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.head.state.load(Acquire) == DONE
    }

    /// The state, as one of the constants of this module.
    #[cfg(feature = "parking_lot")]
    pub(crate) fn state(&self) -> u32 {
        self.head.state.load(Acquire)
    }

    /// Waits until an initialiser has run.
    ///
    /// # Panics
    /// Where one panicked, and where this wait closes a deadlock.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_for(false, KIND, Site::here());
    }

    /// As [`Once::wait`], going on waiting where one panicked.
    ///
    /// # Panics
    /// Where this wait closes a deadlock.
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_for(true, KIND, Site::here());
    }

    /// Whether it is done, with all that this brings in order. The fast path.
    #[inline(always)]
    pub(crate) fn is_seen(&self, kind: Kind) -> bool {
        let done = self.is_completed();
        if done && (config::traces() || self.segment.load(Relaxed) != 0) {
            self.see(kind, Site::NONE);
        }
        done
    }

    #[cold]
    #[inline(never)]
    fn see(&self, kind: Kind, site: Site) {
        if config::traces() && threads::is_tracked() && threads::is_news(self.head.address(), DONE) {
            let cell = self.head.lock(Mode::Exclusive, kind).lock();
            threads::emit_at(Event::new(Op::OnceSeen, cell, 0, 0), site);
        }
        threads::receive(self.segment.load(Relaxed));
    }

    /// Runs the initialiser, or waits for the one that runs.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn run(&self, force: bool, kind: Kind, site: Site, initialiser: &mut dyn FnMut(&OnceState)) {
        loop {
            match self.head.state.load(Acquire) {
                DONE => return self.see(kind, site),
                POISONED if !force => panic!("Once instance has previously been poisoned"),
                RUNNING => self.sleep(RUNNING, kind, site),
                before => {
                    if self.head.state.compare_exchange(before, RUNNING, Acquire, Relaxed).is_ok() {
                        return self.initialise(before, kind, site, initialiser);
                    }
                }
            }
        }
    }

    fn initialise(&self, before: u32, kind: Kind, site: Site, initialiser: &mut dyn FnMut(&OnceState)) {
        struct Finish<'a> {
            once: &'a Once,
            to: u32,
        }
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                // Where the tracker breaks a deadlock by this thread, nothing has gone wrong inside the initialiser.
                let to = if self.to == POISONED && threads::is_breaking() { NEW } else { self.to };
                self.once.runner.store(0, Release);
                self.once.head.state.store(to, Release);
                park::wake_all(self.once.head.address(), || 0);
            }
        }
        let tracked = config::ready() != config::OFF && threads::is_tracked();
        let mut finish = Finish { once: self, to: POISONED };
        let mut cell = 0;
        if tracked {
            cell = self.head.lock(Mode::Exclusive, kind).lock();
            self.runner.store(threads::me().number(), Release);
            threads::emit_at(Event::new(Op::OnceBegin, cell, 0, self.head.next_exclusive()), site);
        }
        initialiser(&OnceState { poisoned: before == POISONED });
        if tracked {
            threads::emit_at(Event::new(Op::OnceEnd, cell, 0, self.head.next_exclusive()), site);
            if held::current().has_learned() {
                self.segment.store(threads::publish(), Relaxed);
            }
        }
        finish.to = DONE;
    }

    /// Waits while the state is `state`.
    #[track_caller]
    fn sleep(&self, state: u32, kind: Kind, site: Site) {
        let tracked = config::ready() != config::OFF;
        let cell = if tracked { self.head.lock(Mode::Exclusive, kind).lock() } else { 0 };
        let goal = match state {
            RUNNING => Goal::Once { cell, runner: &raw const self.runner },
            _ => Goal::Anyone { kind: WaitKind::Once, object: cell },
        };
        let wait = Wait { goal, site, address: self.head.address() };
        wait::sleep(wait, Priority::Back, None, || self.head.state.load(Acquire) == state, || {});
    }

    #[track_caller]
    pub(super) fn wait_for(&self, force: bool, kind: Kind, site: Site) {
        loop {
            match self.head.state.load(Acquire) {
                DONE => return self.see(kind, site),
                POISONED if !force => panic!("Once instance has previously been poisoned"),
                state => self.sleep(state, kind, site),
            }
        }
    }

    /// As if an initialiser had run.
    pub(super) fn set_done(&mut self) {
        *self.head.state.get_mut() = DONE;
    }

    /// As if none had run.
    pub(super) fn reset(&mut self) {
        *self.head.state.get_mut() = NEW;
        *self.segment.get_mut() = 0;
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Once").finish_non_exhaustive()
    }
}

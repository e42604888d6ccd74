//! [`Barrier`].
//!
//! Guarantees: `std`'s API. A barrier that is short of members is reported where no other thread of the process can go
//! on any more. What was done before a barrier is never reported against what is done behind it.
//!
//! Misses: who was meant to come: any thread could.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{Event, Mode, ObjectKind, Op, WaitKind};
use crate::head::{Head, Kind};
use crate::park::{self, Priority};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, names, threads};

/// A tracked [`std::sync::Barrier`].
///
/// ```
/// use lockcheck_tracker::sync::Barrier;
/// use lockcheck_tracker::thread;
///
/// let barrier = Barrier::new(2);
/// let leaders = thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_leader());
///     [barrier.wait().is_leader(), other.join().unwrap()]
/// });
/// assert_ne!(leaders[0], leaders[1]);
/// ```
pub struct Barrier {
    head: Head,
    size: usize,
    state: Mutex<State>,
}

struct State {
    count: usize,
    generation: u32,
    /// A segment after all that have come in this generation, and in the last one that had something to pass on.
    coming: u32,
    gone: u32,
}

/// What a wait gives; as [`std::sync::BarrierWaitResult`].
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread is the one that was chosen as leader.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

const KIND: Kind = Kind { object: ObjectKind::Barrier, type_name: "std::sync::Barrier", data: || "" };

impl Barrier {
    /// A barrier for `n` threads; the caller's place is its class.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        Barrier::make(Head::new(), n)
    }

    /// A barrier for `n` threads, of the class `name`.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str, n: usize) -> Self {
        Barrier::make(Head::named(name), n)
    }

    const fn make(head: Head, size: usize) -> Self {
        Barrier { head, size, state: Mutex::new(State { count: 0, generation: 0, coming: 0, gone: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all threads have come.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        /// A thread that is called off does not count.
        struct Leave<'a>(&'a Barrier, u32);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                let mut state = self.0.lock();
                if state.generation == self.1 {
                    state.count -= 1;
                }
            }
        }
        let site = Site::here();
        let tracked = config::ready() != config::OFF && threads::is_tracked();
        let object = if tracked { self.head.lock(Mode::Exclusive, KIND).lock() } else { 0 };
        threads::emit_at(Event::new(Op::BarrierRequest, object, 0, 0), site);
        // Who has nested nothing since this barrier let it through has nothing to pass on.
        let own = if tracked && threads::has_news_since(self.head.address()) { threads::publish() } else { 0 };
        let mut state = self.lock();
        let generation = state.generation;
        state.coming = match (state.coming, own) {
            (0, one) | (one, 0) => one,
            (one, other) if one == other => one,
            (one, other) => names::segment(threads::known_number(), &[one, other]),
        };
        state.count += 1;
        let leader = state.count >= self.size;
        if leader {
            state.count = 0;
            state.generation = generation.wrapping_add(1);
            let coming = std::mem::take(&mut state.coming);
            if coming != 0 {
                state.gone = coming;
            }
        }
        let gone = state.gone;
        drop(state);
        if leader {
            park::wake_all(self.head.address(), || gone);
        } else {
            let leave = Leave(self, generation);
            let goal = Goal::Anyone { kind: WaitKind::Barrier, object };
            let wait = Wait { goal, site, address: self.head.address() };
            while self.lock().generation == generation {
                wait::sleep(wait, Priority::Back, None, || self.lock().generation == generation, || {});
            }
            std::mem::forget(leave);
        }
        threads::emit_at(Event::new(Op::Barrier, object, 0, generation.wrapping_add(1)), site);
        // A slow thread may read what a later generation left, which comes after its own.
        let gone = if leader { gone } else { self.lock().gone };
        if tracked && gone != 0 {
            threads::receive(gone);
            threads::passed(self.head.address());
        }
        BarrierWaitResult(leader)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BarrierWaitResult").field("is_leader", &self.is_leader()).finish()
    }
}

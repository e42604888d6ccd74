//! [`Once`].
//!
//! Guarantees: as [`crate::sync::Once`].
//!
//! Misses: as [`crate::sync::Once`].

use std::fmt;

use super::OnceState;
use crate::event::ObjectKind;
use crate::head::Kind;
use crate::site::Site;
use crate::sync;

const KIND: Kind = Kind { object: ObjectKind::Once, type_name: "parking_lot::Once", data: || "" };

/// A tracked `parking_lot::Once`.
///
/// ```
/// use lockcheck_tracker::parking_lot::{Once, OnceState};
///
/// static START: Once = Once::new();
/// assert_eq!(START.state(), OnceState::New);
/// START.call_once(|| assert_eq!(START.state(), OnceState::InProgress));
/// assert!(START.state().done());
/// ```
pub struct Once(sync::Once);

impl Once {
    /// Nothing has run yet; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Once(sync::Once::new())
    }

    /// As [`Once::new`], of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Once(sync::Once::named(name))
    }

    /// What has become of it so far.
    #[inline]
    pub fn state(&self) -> OnceState {
        match self.0.state() {
            sync::once::DONE => OnceState::Done,
            sync::once::RUNNING => OnceState::InProgress,
            sync::once::POISONED => OnceState::Poisoned,
            _ => OnceState::New,
        }
    }

    /// Runs `f` unless it or another one has run; waits for one that runs.
    ///
    /// # Panics
    /// Where an earlier one panicked, and where this wait closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.run(false, |_| f());
    }

    /// As [`Once::call_once`], also where an earlier one panicked.
    ///
    /// # Panics
    /// Where this wait closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F: FnOnce(OnceState)>(&self, f: F) {
        self.run(true, f);
    }

    #[inline]
    #[track_caller]
    fn run(&self, force: bool, f: impl FnOnce(OnceState)) {
        if !self.0.is_seen(KIND) {
            let mut f = Some(f);
            self.0.run(force, KIND, Site::here(), &mut |state| {
                if let Some(f) = f.take() {
                    f(if state.is_poisoned() { OnceState::Poisoned } else { OnceState::New });
                }
            });
        }
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Once").field("state", &self.state()).finish()
    }
}

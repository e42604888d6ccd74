//! [`LazyLock`]: the value stands in `std`'s own, in front of which a tracked [`Once`] waits.
//!
//! Guarantees: as [`super::OnceLock`].
//!
//! Misses: as [`Once`].

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::event::ObjectKind;
use crate::head::Kind;
use crate::site::Site;
use crate::sync::once::Once;

/// A tracked [`std::sync::LazyLock`].
///
/// ```
/// use lockcheck_tracker::sync::LazyLock;
///
/// static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| "a b c".split(' ').collect());
/// assert_eq!(WORDS.len(), 3);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    cell: std::sync::LazyLock<T, F>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    const KIND: Kind =
        Kind { object: ObjectKind::Once, type_name: "std::sync::LazyLock", data: std::any::type_name::<T> };

    /// A value that `f` makes when it is first asked for; the caller's place is its class.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> Self {
        LazyLock { once: Once::new(), cell: std::sync::LazyLock::new(f) }
    }

    /// As [`LazyLock::new`], of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, f: F) -> Self {
        LazyLock { once: Once::named(name), cell: std::sync::LazyLock::new(f) }
    }

    /// The value, made now if need be.
    ///
    /// # Panics
    /// Where the initialiser panics or has panicked, and where waiting for it closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        if !this.once.is_seen(Self::KIND) {
            this.once.run(true, Self::KIND, Site::here(), &mut |_| {
                std::sync::LazyLock::force(&this.cell);
            });
        }
        std::sync::LazyLock::force(&this.cell)
    }

    /// The value, made now if need be.
    ///
    /// # Panics
    /// Where the initialiser panics or has panicked.
    #[inline]
    #[track_caller]
    pub fn force_mut(this: &mut Self) -> &mut T {
        let _ = Self::force(this);
        std::sync::LazyLock::force_mut(&mut this.cell)
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it was made already.
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        if this.once.is_completed() { std::sync::LazyLock::get(&this.cell) } else { None }
    }

    /// The value, if it was made already.
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        std::sync::LazyLock::get_mut(&mut this.cell)
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;
    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(out)
    }
}

//! [`OnceLock`]: the value stands in `std`'s own, in front of which a tracked [`Once`] waits.
//!
//! Guarantees: `std`'s API and auto traits; `std`'s cell never blocks, because only one thread at a time comes to it.
//!
//! Misses: as [`Once`].

use std::fmt;

use crate::event::ObjectKind;
use crate::head::Kind;
use crate::site::Site;
use crate::sync::once::Once;

/// A tracked [`std::sync::OnceLock`].
///
/// ```
/// use lockcheck_tracker::sync::OnceLock;
///
/// static NAME: OnceLock<String> = OnceLock::new();
/// assert_eq!(NAME.get_or_init(|| "first".into()), "first");
/// assert_eq!(NAME.set("second".into()), Err("second".into()));
/// ```
pub struct OnceLock<T> {
    once: Once,
    cell: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    const KIND: Kind =
        Kind { object: ObjectKind::Once, type_name: "std::sync::OnceLock", data: std::any::type_name::<T> };

    /// An empty cell; the caller's place is its class.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        OnceLock { once: Once::new(), cell: std::sync::OnceLock::new() }
    }

    /// An empty cell of the class `name`.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        OnceLock { once: Once::named(name), cell: std::sync::OnceLock::new() }
    }

    /// The value, if there is one.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.once.is_seen(Self::KIND) { self.cell.get() } else { None }
    }

    /// The value, if there is one.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// Waits until there is a value.
    ///
    /// # Panics
    /// Where this wait closes a deadlock.
    #[track_caller]
    pub fn wait(&self) -> &T {
        self.once.wait_for(true, Self::KIND, Site::here());
        self.cell.wait()
    }

    /// Puts a value in, unless there is one.
    ///
    /// # Errors
    /// The new value, where there was one.
    ///
    /// # Panics
    /// Where waiting for an initialiser closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        if !self.once.is_seen(Self::KIND) {
            self.once.run(true, Self::KIND, Site::here(), &mut |_| {
                if let Some(value) = value.take() {
                    let _ = self.cell.set(value);
                }
            });
        }
        value.map_or(Ok(()), Err)
    }

    /// The value, made by `f` where there is none.
    ///
    /// # Panics
    /// Where `f` panics, and where waiting for an initialiser, as `f` that reaches itself, closes a deadlock.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        if !self.once.is_seen(Self::KIND) {
            let mut f = Some(f);
            self.once.run(true, Self::KIND, Site::here(), &mut |_| {
                if let Some(f) = f.take() {
                    let _ = self.cell.set(f());
                }
            });
        }
        // Done means that the cell is full.
        self.cell.wait()
    }

    /// The value, out of the cell.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// Takes the value out and leaves an empty cell.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.once.reset();
        self.cell.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(out)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        match self.get() {
            Some(value) => OnceLock::from(value.clone()),
            None => OnceLock::new(),
        }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        let mut once = Once::new();
        once.set_done();
        OnceLock { once, cell: value.into() }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

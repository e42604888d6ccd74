//! [`Tracked`]: a shared cell whose accesses are checked for races.
//!
//! Guarantees: memory-safe whatever the program does; in trace mode every access is recorded with its place and the
//! cell's sequence number, so that `c.set(c.get() + 1)` from two threads shows as the race that it is in the program.
//!
//! Misses: the order in which accesses of other modes happen is not recorded in order mode.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Mode, ObjectKind, Op};
use crate::head::{Head, Kind};
use crate::site::Site;
use crate::{config, held, threads};

/// A cell that threads share without synchronising: what a race detector watches.
///
/// Inside it is locked for the length of one access, so there is no undefined behaviour; but two accesses are two
/// accesses, and the analyzer treats them as unsynchronised.
///
/// ```
/// use lockcheck_tracker::Tracked;
///
/// static BALANCE: Tracked<i64> = Tracked::named("balance", 100);
/// BALANCE.set(BALANCE.get() + 10);
/// BALANCE.update(|balance| *balance -= 1);
/// assert_eq!(BALANCE.read(|balance| *balance), 109);
/// ```
pub struct Tracked<T: ?Sized> {
    head: Head,
    /// The thread that is inside an access, by an address of its own; 0 for none.
    inside: AtomicUsize,
    value: Mutex<T>,
}

impl<T> Tracked<T> {
    /// A cell; the caller's place is its class.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Tracked { head: Head::new(), inside: AtomicUsize::new(0), value: Mutex::new(value) }
    }

    /// A cell of the class `name`.
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        Tracked { head: Head::named(name), inside: AtomicUsize::new(0), value: Mutex::new(value) }
    }

    /// The value, out of the cell.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the value: one write.
    ///
    /// # Panics
    /// Inside [`Tracked::read`] or [`Tracked::update`] of the same cell.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.access(Site::here(), &[Op::Write], |place| *place = value);
    }
}

impl<T: Clone> Tracked<T> {
    /// A copy of the value: one read.
    ///
    /// # Panics
    /// Inside [`Tracked::read`] or [`Tracked::update`] of the same cell.
    #[track_caller]
    pub fn get(&self) -> T {
        self.access(Site::here(), &[Op::Read], |value| value.clone())
    }
}

impl<T: ?Sized> Tracked<T> {
    const KIND: Kind =
        Kind { object: ObjectKind::Cell, type_name: "lockcheck_tracker::Tracked", data: std::any::type_name::<T> };

    /// Looks at the value: one read. `look` should be short and take no lock.
    ///
    /// # Panics
    /// Inside another access of the same cell by the same thread.
    #[track_caller]
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.access(Site::here(), &[Op::Read], |value| look(value))
    }

    /// Changes the value: a read and then a write, not one step. `change` should be short and take no lock.
    ///
    /// # Panics
    /// Inside another access of the same cell by the same thread.
    #[track_caller]
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.access(Site::here(), &[Op::Read, Op::Write], change)
    }

    #[track_caller]
    fn access<R>(&self, site: Site, ops: &[Op], access: impl FnOnce(&mut T) -> R) -> R {
        let me = std::ptr::from_ref(held::current()).addr();
        if self.inside.load(Relaxed) == me {
            panic!("a tracked cell is used inside an access of itself");
        }
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        struct Inside<'a>(&'a AtomicUsize);
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                self.0.store(0, Relaxed);
            }
        }
        self.inside.store(me, Relaxed);
        let _inside = Inside(&self.inside);
        if config::ready() != config::OFF && config::traces() {
            let cell = self.head.lock(Mode::Exclusive, Self::KIND).lock();
            for op in ops {
                threads::emit_at(Event::new(*op, cell, 0, self.head.next_exclusive()), site);
            }
        }
        access(&mut value)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Tracked<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_tuple("Tracked");
        match self.value.try_lock() {
            Ok(value) => shown.field(&&*value),
            Err(_) => shown.field(&format_args!("<in use>")),
        };
        shown.finish()
    }
}

impl<T: Default> Default for Tracked<T> {
    #[track_caller]
    fn default() -> Self {
        Tracked::new(T::default())
    }
}

impl<T> From<T> for Tracked<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Tracked::new(value)
    }
}

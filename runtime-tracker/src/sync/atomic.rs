//! Drop-in for [`std::sync::atomic`]: in trace mode, who read what whom wrote.
//!
//! Guarantees: `std`'s API, layout and cost, besides one load and compare; in trace mode every operation that changes
//! a value is recorded, and every first look of a thread at a value, so that what a flag orders is not reported against
//! each other. In trace mode the operations on one atomic are taken one after the other.
//!
//! Misses: in order mode, everything. An atomic has no room for a number, so it is known by its address, and its class
//! is the place of its first recorded use. `Relaxed` orders as much as `SeqCst` does here; fences are not recorded.

use std::fmt;
use std::sync::{Mutex, PoisonError};

pub use std::sync::atomic::*;

use crate::event::{Event, ObjectKind, Op};
use crate::names::{self, Origin};
use crate::raw::{List, Map};
use crate::site::Site;
use crate::{config, threads};

/// What is known of some atomics, by their addresses.
struct Shard {
    places: Map,
    /// Number of the object, and how often it was written.
    known: List<(u32, u32)>,
}

const SHARDS: usize = 64;
static TABLE: [Mutex<Shard>; SHARDS] = [const { Mutex::new(Shard { places: Map::new(), known: List::new() }) }; SHARDS];

/// Runs `access`, which gives its result and whether it read, wrote, or both.
#[inline(always)]
#[track_caller]
fn track<R>(address: usize, type_name: &'static str, access: impl FnOnce() -> (R, Op)) -> R {
    if config::mode() < config::UNREAD {
        return access().0;
    }
    let mut access = Some(access);
    let mut result = None;
    let mut run = || {
        access.take().map_or(Op::Read, |access| {
            let (value, op) = access();
            result = Some(value);
            op
        })
    };
    record(address, type_name, Site::here(), &mut run);
    match result {
        Some(result) => result,
        // `record` runs it once in any case.
        None => unreachable!("an atomic operation that did not run"),
    }
}

#[cold]
#[inline(never)]
fn record(address: usize, type_name: &'static str, site: Site, access: &mut dyn FnMut() -> Op) {
    if config::ready() != config::TRACE || !threads::is_tracked() {
        access();
        return;
    }
    // A signal handler that comes in between finds the thread busy, and is not tracked.
    let (op, object, seq) = threads::busy(|| {
        let at = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
        let mut shard = TABLE[at as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let place = shard.places.get(address as u64).unwrap_or_else(|| {
            let place = shard.known.len() as u32;
            let origin = site.location().map_or(Origin::Named("atomic"), Origin::At);
            names::object(ObjectKind::Atomic, type_name, "", origin, |number| {
                shard.known.push((number, 0));
                true
            });
            shard.places.insert(address as u64, place);
            place
        });
        let op = access();
        let (object, writes) = &mut shard.known[place as usize];
        // Reads of one value have one number, between those of the write before and of the write behind it.
        if op == Op::Read {
            return (op, *object, writes.wrapping_mul(2).wrapping_add(1));
        }
        *writes = writes.wrapping_add(1);
        (op, *object, writes.wrapping_mul(2))
    });
    // Of a loop that waits for a value, one look at each is enough.
    if op != Op::Read || threads::is_news(address, seq) {
        threads::emit_at(Event::new(op, object, 0, seq), site);
    }
}

fn exchanged<T>(result: Result<T, T>) -> (Result<T, T>, Op) {
    let op = if result.is_ok() { Op::ReadWrite } else { Op::Read };
    (result, op)
}

macro_rules! atomic {
    ($(#[$target:meta])* $name:ident, $std:ty, $value:ty, [$($generic:ident)?], $path:literal) => {
        #[doc = concat!("A tracked [`", $path, "`], of the same layout.")]
        $(#[$target])*
        #[repr(transparent)]
        pub struct $name$(<$generic>)?($std);

        $(#[$target])*
        impl$(<$generic>)? $name$(<$generic>)? {
            /// An atomic with this value.
            #[inline]
            #[must_use]
            pub const fn new(value: $value) -> Self {
                $name(<$std>::new(value))
            }

            /// The atomic at `place`.
            ///
            /// # Safety
            /// As `std`'s function of this name.
            #[inline]
            pub const unsafe fn from_ptr<'a>(place: *mut $value) -> &'a Self {
                // SAFETY: as the caller promises; the layout is `std`'s, which is the value's.
                unsafe { &*place.cast::<Self>() }
            }

            /// The value, without synchronisation: the caller is the only one who can.
            #[inline]
            pub const fn get_mut(&mut self) -> &mut $value {
                // SAFETY: `as_ptr` is valid for as long as `self`, which is borrowed exclusively.
                unsafe { &mut *self.0.as_ptr() }
            }

            /// The value, out of the atomic.
            #[inline]
            pub const fn into_inner(self) -> $value {
                self.0.into_inner()
            }

            /// Where the value stands.
            #[inline]
            pub const fn as_ptr(&self) -> *mut $value {
                self.0.as_ptr()
            }

            #[inline(always)]
            #[track_caller]
            fn track<R>(&self, access: impl FnOnce(&$std) -> (R, Op)) -> R {
                track((&raw const self.0).addr(), $path, || access(&self.0))
            }

            /// Reads the value.
            #[inline]
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.track(|atomic| (atomic.load(order), Op::Read))
            }

            /// Writes a value.
            #[inline]
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.track(|atomic| (atomic.store(value, order), Op::Write))
            }

            /// Writes a value and gives the one before.
            #[inline]
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.track(|atomic| (atomic.swap(value, order), Op::ReadWrite))
            }

            /// Writes `new` where the value is `current`; gives the one before.
            #[inline]
            #[track_caller]
            #[deprecated(note = "use `compare_exchange` or `compare_exchange_weak` instead")]
            pub fn compare_and_swap(&self, current: $value, new: $value, order: Ordering) -> $value {
                let failure = match order {
                    Ordering::AcqRel => Ordering::Acquire,
                    Ordering::Release => Ordering::Relaxed,
                    order => order,
                };
                self.compare_exchange(current, new, order, failure).unwrap_or_else(|value| value)
            }

            /// Writes `new` where the value is `current`.
            ///
            /// # Errors
            /// The value, where it is another.
            #[inline]
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.track(|atomic| exchanged(atomic.compare_exchange(current, new, success, failure)))
            }

            /// As [`Self::compare_exchange`], which may fail without reason.
            ///
            /// # Errors
            /// The value.
            #[inline]
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.track(|atomic| exchanged(atomic.compare_exchange_weak(current, new, success, failure)))
            }

            /// Changes the value by `f`, unless that gives `None`.
            ///
            /// # Errors
            /// The value, where `f` gave `None`.
            #[inline]
            #[track_caller]
            pub fn fetch_update<F>(&self, set: Ordering, fetch: Ordering, f: F) -> Result<$value, $value>
            where
                F: FnMut($value) -> Option<$value>,
            {
                self.try_update(set, fetch, f)
            }

            /// Changes the value by `f`, unless that gives `None`.
            ///
            /// # Errors
            /// The value, where `f` gave `None`.
            #[inline]
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch);
                while let Some(next) = f(before) {
                    match self.compare_exchange_weak(before, next, set, fetch) {
                        Ok(before) => return Ok(before),
                        Err(other) => before = other,
                    }
                }
                Err(before)
            }

            /// Changes the value by `f` and gives the one before.
            #[inline]
            #[track_caller]
            pub fn update(&self, set: Ordering, fetch: Ordering, mut f: impl FnMut($value) -> $value) -> $value {
                let mut before = self.load(fetch);
                loop {
                    match self.compare_exchange_weak(before, f(before), set, fetch) {
                        Ok(before) => return before,
                        Err(other) => before = other,
                    }
                }
            }
        }

        $(#[$target])*
        impl$(<$generic>)? Default for $name$(<$generic>)? {
            fn default() -> Self {
                $name(Default::default())
            }
        }

        $(#[$target])*
        impl$(<$generic>)? From<$value> for $name$(<$generic>)? {
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        $(#[$target])*
        impl$(<$generic>)? fmt::Debug for $name$(<$generic>)? {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

/// Operations that change the value in one step.
macro_rules! changes {
    ($(#[$target:meta])* $name:ident, $value:ty, $argument:ty, [$($generic:ident)?], $($method:ident $what:literal),*) => {
        $(#[$target])*
        impl$(<$generic>)? $name$(<$generic>)? {
            $(
                #[doc = concat!($what, "; gives the value before.")]
                #[inline]
                #[track_caller]
                pub fn $method(&self, value: $argument, order: Ordering) -> $value {
                    self.track(|atomic| (atomic.$method(value, order), Op::ReadWrite))
                }
            )*
        }
    };
}

macro_rules! integer {
    ($width:literal, $name:ident, $value:ty, $path:literal) => {
        atomic!(#[cfg(target_has_atomic = $width)] $name, std::sync::atomic::$name, $value, [], $path);
        changes!(
            #[cfg(target_has_atomic = $width)] $name, $value, $value, [],
            fetch_add "Adds, wrapping around", fetch_sub "Subtracts, wrapping around", fetch_and "Bitwise and",
            fetch_nand "Bitwise nand", fetch_or "Bitwise or", fetch_xor "Bitwise exclusive or",
            fetch_max "The larger of both", fetch_min "The smaller of both"
        );
    };
}

integer!("8", AtomicI8, i8, "std::sync::atomic::AtomicI8");
integer!("8", AtomicU8, u8, "std::sync::atomic::AtomicU8");
integer!("16", AtomicI16, i16, "std::sync::atomic::AtomicI16");
integer!("16", AtomicU16, u16, "std::sync::atomic::AtomicU16");
integer!("32", AtomicI32, i32, "std::sync::atomic::AtomicI32");
integer!("32", AtomicU32, u32, "std::sync::atomic::AtomicU32");
integer!("64", AtomicI64, i64, "std::sync::atomic::AtomicI64");
integer!("64", AtomicU64, u64, "std::sync::atomic::AtomicU64");
integer!("ptr", AtomicIsize, isize, "std::sync::atomic::AtomicIsize");
integer!("ptr", AtomicUsize, usize, "std::sync::atomic::AtomicUsize");

atomic!(AtomicBool, std::sync::atomic::AtomicBool, bool, [], "std::sync::atomic::AtomicBool");
changes!(
    AtomicBool, bool, bool, [],
    fetch_and "Logical and", fetch_nand "Logical nand", fetch_or "Logical or", fetch_xor "Logical exclusive or"
);

impl AtomicBool {
    /// Negates; gives the value before.
    #[inline]
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.track(|atomic| (atomic.fetch_not(order), Op::ReadWrite))
    }
}

atomic!(AtomicPtr, std::sync::atomic::AtomicPtr<T>, *mut T, [T], "std::sync::atomic::AtomicPtr");
changes!(
    AtomicPtr, *mut T, usize, [T],
    fetch_ptr_add "Adds so many values", fetch_ptr_sub "Subtracts so many values",
    fetch_byte_add "Adds so many bytes", fetch_byte_sub "Subtracts so many bytes",
    fetch_or "Bitwise or of the address", fetch_and "Bitwise and of the address",
    fetch_xor "Bitwise exclusive or of the address"
);

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.load(Ordering::Relaxed), out)
    }
}

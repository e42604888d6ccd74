//! The part that all tracked locks share: the lock word, the poison flag, and what the lock is called.
//!
//! Guarantees: 16 bytes, made by a `const fn`. Before its first use a lock knows where it was made (or its name); at the
//! first use it gets its number, and from then on the same word holds number and sequence number.
//!
//! Misses: names are cut at 65535 bytes; the place where a *named* lock was made.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::*};

use crate::event::{Event, Mode, ObjectKind, Op, compact, flag};
use crate::held::{self, LockMode};
use crate::names::{self, Origin};
use crate::record::buffer;
use crate::site::Site;
use crate::{config, threads};

/// Head of a tracked lock.
#[repr(C)]
pub(crate) struct Head {
    /// The lock word; its meaning is the lock's.
    pub(crate) state: AtomicU32,
    name_len: u16,
    /// See `sync::poisoning`.
    pub(crate) poisoned: AtomicBool,
    identity: Identity,
}

/// Set where the word holds a number.
const NUMBERED: u64 = 1 << 63;

/// `NUMBERED | number << 32 | sequence number`, or the address of the location or name. User-space addresses do not
/// have the top bit set.
#[repr(C)]
struct Identity {
    origin: AtomicPtr<()>,
    #[cfg(not(target_pointer_width = "64"))]
    number: AtomicU64,
}

impl Identity {
    const fn new(origin: *const ()) -> Self {
        Identity {
            origin: AtomicPtr::new(origin.cast_mut()),
            #[cfg(not(target_pointer_width = "64"))]
            number: AtomicU64::new(0),
        }
    }

    /// The word. Read as the pointer that it may be: an interpreter with a memory of earlier values keeps those as what they
    /// were first read as.
    #[inline(always)]
    fn load(&self) -> u64 {
        #[cfg(target_pointer_width = "64")]
        return self.origin.load(Relaxed).addr() as u64;
        #[cfg(not(target_pointer_width = "64"))]
        self.number.load(Relaxed)
    }

    #[cfg(target_pointer_width = "64")]
    #[inline(always)]
    fn word(&self) -> &AtomicU64 {
        // SAFETY: same size and alignment on this target; the address of a location or name that it may hold is read
        // through `origin` where it is needed as a pointer.
        unsafe { &*(&raw const self.origin).cast::<AtomicU64>() }
    }

    #[cfg(not(target_pointer_width = "64"))]
    #[inline(always)]
    fn word(&self) -> &AtomicU64 {
        &self.number
    }
}

impl Head {
    #[track_caller]
    pub(crate) const fn new() -> Self {
        let location: *const Location<'static> = Location::caller();
        Head::make(location.cast(), 0)
    }

    /// For locks that are made by a constant, the same for all: the place of the first use stands for the place of making.
    #[cfg(lockcheck_shim)]
    pub(crate) const fn unplaced() -> Self {
        Head::make(std::ptr::null(), 0)
    }

    #[track_caller]
    pub(crate) const fn named(name: &'static str) -> Self {
        if name.is_empty() {
            return Head::new();
        }
        let mut len = name.len();
        if len > u16::MAX as usize {
            len = u16::MAX as usize;
            while !name.is_char_boundary(len) {
                len -= 1;
            }
        }
        Head::make(name.as_ptr().cast(), len as u16)
    }

    const fn make(origin: *const (), name_len: u16) -> Self {
        Head { state: AtomicU32::new(0), name_len, poisoned: AtomicBool::new(false), identity: Identity::new(origin) }
    }

    /// The lock's number and `mode`, [`LockMode::NONE`] before the first tracked use.
    #[inline(always)]
    pub(crate) fn known(&self, mode: Mode) -> LockMode {
        let word = self.identity.load();
        if word & NUMBERED != 0 { LockMode::new((word >> 32) as u32 & !(1 << 31), mode) } else { LockMode::NONE }
    }

    /// The lock's number and `mode`; gives the lock its number if it has none.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn lock(&self, mode: Mode, kind: Kind) -> LockMode {
        let known = self.known(mode);
        if known == LockMode::NONE { self.enroll(mode, kind) } else { known }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn enroll(&self, mode: Mode, kind: Kind) -> LockMode {
        let origin = self.identity.origin.load(Relaxed);
        if self.known(mode) != LockMode::NONE {
            return self.known(mode);
        }
        // SAFETY: the word holds no number, so it holds what `new` or `named` put there.
        let origin = unsafe {
            if origin.is_null() {
                Origin::At(Location::caller())
            } else if self.name_len == 0 {
                Origin::At(&*origin.cast::<Location<'static>>())
            } else {
                let name = std::slice::from_raw_parts(origin.cast::<u8>(), self.name_len.into());
                Origin::Named(std::str::from_utf8_unchecked(name))
            }
        };
        names::object(kind.object, kind.type_name, (kind.data)(), origin, |number| {
            let free = self.known(mode) == LockMode::NONE;
            if free {
                self.identity.word().store(NUMBERED | u64::from(number) << 32, Relaxed);
            }
            free
        });
        self.known(mode)
    }

    /// The next sequence number, where several threads may ask at once.
    pub(crate) fn next_shared(&self) -> u32 {
        let next = |word: u64| word & !u64::from(u32::MAX) | u64::from((word as u32).wrapping_add(1));
        let update = |word: u64| (word & NUMBERED != 0).then(|| next(word));
        if self.identity.load() & NUMBERED == 0 {
            return 0;
        }
        self.identity.word().fetch_update(Relaxed, Relaxed, update).map_or(0, |word| next(word) as u32)
    }

    /// The next sequence number, for the only thread that may change it now.
    #[inline(always)]
    pub(crate) fn next_exclusive(&self) -> u32 {
        let word = self.identity.word().load(Relaxed);
        let seq = (word as u32).wrapping_add(1);
        self.identity.word().store(word & !u64::from(u32::MAX) | u64::from(seq), Relaxed);
        seq
    }

    /// The address at which threads wait for this lock.
    pub(crate) fn address(&self) -> usize {
        (&raw const *self).addr()
    }
}

/// What a kind of lock is called.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) object: ObjectKind,
    pub(crate) type_name: &'static str,
    pub(crate) data: fn() -> &'static str,
}

#[cold]
#[inline(never)]
fn first_acquired(lock: LockMode, flags: u8, site: Site, seq: u32) {
    let Some(events) = threads::events() else { return };
    if flags & !flag::TRY == 0 {
        return events.acquired(lock, site, flags != 0, seq);
    }
    events.remember(lock.lock(), seq);
    emit(Op::Acquire, lock, flags, site, seq);
}

/// Adds a lock event of the calling thread as it is, in trace mode.
#[inline]
pub(crate) fn emit(op: Op, lock: LockMode, flags: u8, site: Site, seq: u32) {
    threads::emit_at(Event { raw_mode: lock.mode() as u8, flags, ..Event::new(op, lock.lock(), 0, seq) }, site);
}

impl Head {
    /// An acquisition of a free lock in a nesting that the thread has shown, in trace mode; anything else is for `otherwise`.
    // Nothing but calls at the end leaves this function, so that it needs no room on the stack: each store between the
    // locked instructions counts.
    #[inline(always)]
    pub(crate) fn acquire_traced(
        &self,
        mode: Mode,
        site: Site,
        take: impl FnOnce(&AtomicU32) -> bool,
        otherwise: impl FnOnce(),
    ) {
        let lock = self.known(mode);
        if config::mode() != config::TRACE || lock == LockMode::NONE {
            return otherwise();
        }
        let held = held::current();
        let Some(key) = held.request_known(lock, site) else { return otherwise() };
        if !take(&self.state) {
            return otherwise();
        }
        if held.push(key, lock, site) {
            self.acquired(lock, 0, site);
        }
    }

    /// The release of the lock that was taken last, in trace mode; tells whether `give_back` has found somebody waiting.
    /// Anything else is for `otherwise`.
    #[inline(always)]
    pub(crate) fn release_traced(
        &self,
        mode: Mode,
        give_back: impl FnOnce() -> bool,
        wake: impl FnOnce(),
        otherwise: impl FnOnce(),
    ) {
        let lock = self.known(mode);
        if config::mode() != config::TRACE || lock == LockMode::NONE || !held::current().pop_top(lock) {
            return otherwise();
        }
        if give_back() {
            return wake();
        }
        // Later than the release itself, so that both locked instructions have about as much to wait for.
        buffer::released();
    }

    /// The lock was taken, and stands on the thread's stack of held locks. Only in trace mode, and by the holder.
    #[inline(always)]
    pub(crate) fn acquired(&self, lock: LockMode, flags: u8, site: Site) {
        let seq = if compact::step(lock.mode()) == 0 { self.seq() } else { self.next_exclusive() };
        if flags & !flag::TRY == 0
            && let Some(events) = buffer::current()
        {
            return events.acquired(lock, site, flags != 0, seq);
        }
        first_acquired(lock, flags, site, seq);
    }

    /// The lock is about to be given back; tells whether the thread's stack of held locks has known it. Only in trace
    /// mode, and by the holder. `pure`: nobody else can have taken it since in a way that its readers see.
    #[inline(always)]
    pub(crate) fn released(&self, lock: LockMode, flags: u8, pure: bool) -> bool {
        let held = held::current();
        if flags == 0 && pure && held.pop_top(lock) {
            buffer::released();
            return true;
        }
        let known = held.pop(lock);
        if known {
            emit(Op::Release, lock, flags, Site::NONE, self.seq());
        }
        known
    }

    /// How often the lock was taken in a mode that keeps out others of that mode.
    pub(crate) fn seq(&self) -> u32 {
        self.identity.load() as u32
    }
}

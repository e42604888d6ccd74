//! What locks cost: `LOCKCHECK_STATS=1`. Waits are measured always, holds always at first and then one time of eight.
//!
//! Guarantees: the figures stand in the trace file while the program runs and when it was killed, where the file can
//! be mapped; elsewhere they are written at the end of the process. Without the variable no lock costs more.
//!
//! Misses: locks beyond the first million; locks of `tokio`; waits that end by a time limit or a panic; guards that
//! were forgotten or sent elsewhere (their holds are not measured).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::*};
use std::time::Instant;

use crate::event::{FRAME_LEN, FrameKind, STATS_LEN};
use crate::held::{DEPTH, LockMode};
use crate::record::{self, PAGE};
use crate::site::Site;
use crate::{config, names, threads};

/// Locks of one piece of the file.
const PER_PIECE: usize = (PAGE - FRAME_LEN) / STATS_LEN;
const PIECES: usize = (1 << 20) / PER_PIECE + 1;
/// So many holds of a lock are measured before they are sampled.
const ALL_OF_FIRST: u64 = 1000;

#[repr(C)]
struct Entry {
    acquisitions: AtomicU64,
    contended: AtomicU64,
    waited: AtomicU64,
    longest_wait: AtomicU64,
    measured: AtomicU64,
    held: AtomicU64,
    longest_hold: AtomicU64,
    /// Of the longest hold, and above it of the longest wait.
    sites: AtomicU64,
}
const _: () = assert!(size_of::<Entry>() == STATS_LEN);

/// Bit 0 of the address says that the piece is not part of the file.
static TABLE: [AtomicPtr<u8>; PIECES] = [const { AtomicPtr::new(ptr::null_mut()) }; PIECES];
const NOT_IN_FILE: usize = 1;

/// A lock whose hold is being measured.
#[derive(Clone, Copy)]
struct Open {
    lock: LockMode,
    site: Site,
    since: u64,
}

/// The locks whose holds a thread measures.
struct Opened {
    len: usize,
    all: [Open; DEPTH],
}

thread_local! {
    /// Made at the first lock that is measured.
    static OPENED: Cell<*mut Opened> = const { Cell::new(ptr::null_mut()) };
}

/// Nanoseconds of a clock that only goes forward.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// When a wait for a lock begins; `None` where nothing is counted.
pub(crate) fn waits() -> Option<u64> {
    (config::counts() && threads::is_tracked()).then(now)
}

/// The lock was taken, after a wait since `waited`.
#[inline]
pub(crate) fn taken(lock: LockMode, site: Site, waited: Option<u64>) {
    if config::counts() {
        count(lock, site, waited);
    }
}

/// The lock is given back.
#[inline]
pub(crate) fn given_back(lock: LockMode) {
    if config::counts() {
        close(lock);
    }
}

#[cold]
#[inline(never)]
fn count(lock: LockMode, site: Site, waited: Option<u64>) {
    if !threads::is_tracked() {
        return;
    }
    let Some(entry) = entry(lock.lock()) else { return };
    let before = entry.acquisitions.fetch_add(1, Relaxed);
    if let Some(since) = waited {
        let waited = now().saturating_sub(since);
        entry.contended.fetch_add(1, Relaxed);
        entry.waited.fetch_add(waited, Relaxed);
        if entry.longest_wait.fetch_max(waited, Relaxed) < waited {
            put_site(entry, site, 32);
        }
    }
    if before >= ALL_OF_FIRST && before % 8 != 0 {
        return;
    }
    let Some(opened) = opened() else { return };
    if opened.len < DEPTH {
        opened.all[opened.len] = Open { lock, site, since: now() };
        opened.len += 1;
    }
}

#[cold]
#[inline(never)]
fn close(lock: LockMode) {
    let at = OPENED.with(Cell::get);
    // SAFETY: the thread's own, and nothing that is called while it is borrowed uses it.
    let Some(opened) = (unsafe { at.as_mut() }) else { return };
    let Some(found) = opened.all[..opened.len].iter().rposition(|open| open.lock == lock) else { return };
    let Open { site, since, .. } = opened.all[found];
    opened.all.copy_within(found + 1..opened.len, found);
    opened.len -= 1;
    let held = now().saturating_sub(since);
    let Some(entry) = entry(lock.lock()) else { return };
    entry.measured.fetch_add(1, Relaxed);
    entry.held.fetch_add(held, Relaxed);
    if entry.longest_hold.fetch_max(held, Relaxed) < held {
        put_site(entry, site, 0);
    }
}

fn put_site(entry: &Entry, site: Site, shift: u32) {
    let number = u64::from(names::site(site)) << shift;
    let _ = entry.sites.fetch_update(Relaxed, Relaxed, |sites| Some(sites & !(0xFFFF_FFFF << shift) | number));
}

fn opened() -> Option<&'static mut Opened> {
    OPENED.with(|opened| {
        if opened.get().is_null() {
            // SAFETY: the layout is not empty; a length of zero is a valid list, whatever its places hold.
            opened.set(unsafe { System.alloc_zeroed(Layout::new::<Opened>()) }.cast());
        }
        // SAFETY: the thread's own, and no caller keeps it beyond its own call.
        unsafe { opened.get().as_mut() }
    })
}

/// The calling thread ends.
pub(crate) fn end() {
    let opened = OPENED.with(|opened| opened.replace(ptr::null_mut()));
    if !opened.is_null() {
        // SAFETY: made by `opened` with this layout, and nobody else has it.
        unsafe { System.dealloc(opened.cast(), Layout::new::<Opened>()) };
    }
}

fn entry(lock: u32) -> Option<&'static Entry> {
    let at = lock as usize - 1;
    let place = TABLE.get(at / PER_PIECE)?;
    let mut piece = place.load(Acquire);
    if piece.is_null() {
        piece = make(place, at / PER_PIECE)?;
    }
    let start = piece.map_addr(|address| address & !NOT_IN_FILE);
    // SAFETY: a piece has that many entries behind its frame's header, and is never given back.
    Some(unsafe { &*start.add(FRAME_LEN).cast::<Entry>().add(at % PER_PIECE) })
}

#[cold]
fn make(place: &AtomicPtr<u8>, number: usize) -> Option<*mut u8> {
    let first = (number * PER_PIECE + 1) as u32;
    let layout = Layout::from_size_align(PAGE, 16).ok()?;
    let made = record::piece(FrameKind::Stats, first, PAGE).or_else(|| {
        // SAFETY: the layout is not empty.
        let start = unsafe { System.alloc_zeroed(layout) };
        (!start.is_null()).then(|| start.map_addr(|address| address | NOT_IN_FILE))
    })?;
    // A thread that comes second leaves its piece empty.
    Some(match place.compare_exchange(ptr::null_mut(), made, AcqRel, Acquire) {
        Ok(_) => made,
        Err(first) => first,
    })
}

/// Writes what is not in the file, at the end of the process.
pub(crate) fn write_out() {
    for (place, number) in TABLE.iter().zip(0..) {
        let piece = place.load(Acquire);
        if piece.addr() & NOT_IN_FILE != 0 {
            let start = piece.map_addr(|address| address & !NOT_IN_FILE);
            // SAFETY: the piece has that many bytes of entries, which are atomic words, read here at worst half
            // changed by a thread that still runs.
            let entries = unsafe { std::slice::from_raw_parts(start.add(FRAME_LEN), PER_PIECE * STATS_LEN) };
            record::frame(FrameKind::Stats, (number * PER_PIECE + 1) as u32, entries);
        }
    }
}

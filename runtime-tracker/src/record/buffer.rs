//! A thread's events on their way to the file.
//!
//! Where the file can be mapped, a [`Buffer`] writes into a piece of it, so that nothing is lost whatever becomes of the
//! process. Elsewhere (a pipe, a device, a file system without reserved blocks) it collects events and writes them out
//! before its thread blocks, when it is full, and at the end of thread and process.
//!
//! A lock that is taken again at a place where it was taken before costs two bytes, its release none; what repeats costs
//! nothing: the tokens stand there already, and a counter goes on (see [`compact`]).
//!
//! Guarantees: an event is complete or absent, also after a kill; only the owning thread adds; no global allocation.
//!
//! Misses: in the second case, what a killed process had not yet written out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::*, compiler_fence};
use std::sync::{Mutex, PoisonError};

use super::map::PAGE;
use crate::event::compact::{
    self, ACQUIRE, ACQUIRE_FAR, ACQUIRE_NEAR, DEFINE, LONGEST, RAW, RELEASE, RELEASES, REPEAT, REPEAT_LEN, SLOTS, TRY,
};
use crate::event::{Event, FRAME_LEN, Frame, FrameKind};
use crate::held::LockMode;
use crate::site::Site;
use crate::{names, threads};

/// Pieces grow from `PAGE` to this, so that thousands of short threads and a few busy ones both are served.
const LARGEST: usize = if PAGE > 1 << 17 { PAGE } else { 1 << 17 };
/// Room that is always there before a token is written.
const MARGIN: usize = 32;
const _: () = assert!(LONGEST <= MARGIN && REPEAT_LEN <= MARGIN);
/// How many locks' sequence numbers are remembered, by the last bits of the lock's number.
const SEQS: usize = 1 << 11;
/// So many tokens have to come again in the same order before a repetition is told as such.
const STREAK: u32 = 8;
/// Above every place in memory.
const NOWHERE: *mut u8 = ptr::without_provenance_mut(usize::MAX);

/// Where tokens go.
struct Room {
    start: *mut u8,
    len: usize,
    mapped: bool,
    /// Up to here, not mapped room is in the file already.
    written: *mut u8,
    thread: u32,
    /// Size of the next piece.
    next: usize,
}
// SAFETY: room is memory of its own, used under the lock that it stands in.
unsafe impl Send for Room {}

/// See the file's description.
pub(crate) struct Buffer {
    /// Where the next token goes, or where the repetition stands that goes on.
    cursor: AtomicPtr<u8>,
    /// Behind the last place where one may begin; null where there is no room yet, or none any more.
    last: AtomicPtr<u8>,
    /// Since here there are only tokens of 16 bits, which may be changed; [`NOWHERE`] where the room is not mapped.
    simple: Cell<*mut u8>,
    /// What comes next if it goes on like before; null where it does not. For how many tokens it has:
    candidate: Cell<*const u16>,
    streak: Cell<u32>,
    /// Where the room begins, if it is mapped.
    base: Cell<*mut u8>,
    /// Takes what is added after the recording has ended.
    drain: UnsafeCell<[u8; MARGIN]>,
    room: Mutex<Room>,
    /// Lock, mode and site that a slot stands for; 0 for nothing.
    slots: [Cell<u64>; SLOTS],
    /// Lock and sequence number of the last acquisition.
    seqs: [Cell<u64>; SEQS],
    /// The last tokens of 16 bits in a few bits. By these: where, from `base`, the last of them was written.
    context: Cell<usize>,
    places: [Cell<u32>; SLOTS],
}
// SAFETY: the cells are used by the owning thread alone. Of room that is not mapped, and only of that, another thread
// reads what stands below `cursor`, which is not changed.
unsafe impl Sync for Buffer {}

/// What the hot path needs, without a way through [`Buffer`].
struct Hot {
    /// Where the thread's events go; null where none are wanted now, and before the first.
    buffer: Cell<*const Buffer>,
    /// What the repetition that goes on repeats; null where there is none.
    source: Cell<*const u16>,
    /// What is added to `state` when all of it was repeated.
    round: Cell<u64>,
    /// The first eight bytes of the repetition, and where they stand.
    state: Cell<u64>,
    at: Cell<*mut u8>,
}

thread_local! {
    static HOT: Hot = const {
        Hot {
            buffer: Cell::new(ptr::null()),
            source: Cell::new(ptr::null()),
            round: Cell::new(0),
            state: Cell::new(0),
            at: Cell::new(ptr::null_mut()),
        }
    };
}

#[inline(always)]
fn hot<'a>() -> &'a Hot {
    // SAFETY: the thread-local has no destructor, so it lives until the thread ends; `Hot` is not `Sync`, so the
    // reference cannot leave the thread, and no caller keeps it beyond its own call.
    HOT.with(|hot| unsafe { &*ptr::from_ref(hot) })
}

/// Where the calling thread's events go.
#[inline(always)]
pub(crate) fn current() -> Option<&'static Buffer> {
    // SAFETY: buffers are never freed.
    unsafe { hot().buffer.get().as_ref() }
}

/// From now on the calling thread's events go there.
pub(crate) fn set_current(buffer: Option<&'static Buffer>) {
    hot().buffer.set(buffer.map_or(ptr::null(), ptr::from_ref));
    hot().source.set(ptr::null());
}

/// A thread's events, as they were before they were of no interest.
pub(crate) struct Suspended(*const Buffer, *const u16);

/// The calling thread's events are of no interest until [`resume`].
pub(crate) fn suspend() -> Suspended {
    Suspended(hot().buffer.replace(ptr::null()), hot().source.replace(ptr::null()))
}

/// The opposite of [`suspend`].
pub(crate) fn resume(before: &Suspended) {
    hot().buffer.set(before.0);
    hot().source.set(before.1);
}

impl Buffer {
    /// A new buffer, which is never given back (thread records are used again).
    pub(crate) fn allocate() -> Option<&'static Buffer> {
        // SAFETY: the layout is not empty; all bytes zero are cells that stand for nothing, and the rest is written.
        unsafe {
            let buffer = System.alloc_zeroed(Layout::new::<Buffer>()).cast::<Buffer>();
            if buffer.is_null() {
                return None;
            }
            let none = ptr::null_mut();
            let room = Room { start: none, len: 0, mapped: false, written: none, thread: 0, next: PAGE };
            (&raw mut (*buffer).cursor).write(AtomicPtr::new(none));
            (&raw mut (*buffer).last).write(AtomicPtr::new(none));
            (&raw mut (*buffer).room).write(Mutex::new(room));
            Some(&*buffer)
        }
    }

    /// A lock was taken. Only for the owning thread, as all that follow.
    #[inline(always)]
    pub(crate) fn acquired(&self, lock: LockMode, site: Site, tries: bool, seq: u32) {
        let lock = lock.0 | if tries { TRY } else { 0 };
        let key = u64::from(lock) << 32 | u64::from(site.0);
        let pair = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as usize * 2;
        // SAFETY: 11 bits, times two, and at most one more: below `SLOTS`.
        let stands_for = |slot: usize| unsafe { self.slots.get_unchecked(slot) }.get() == key;
        let slot = if stands_for(pair) { pair } else { pair + 1 };
        let object = (lock & !TRY) >> 2;
        let now = u64::from(object) << 32 | u64::from(seq);
        let step = u64::from(((lock & 3) + 1) & 2 == 0);
        let before = &self.seqs[object as usize % SEQS];
        if (slot == pair || stands_for(slot)) && before.get() + step == now {
            before.set(now);
            return self.repeat(slot);
        }
        self.explain(lock, site, seq, pair);
    }

    /// Goes on with a repetition, or ends it.
    #[inline(always)]
    fn repeat(&self, slot: usize) {
        let hot = hot();
        let source = hot.source.get();
        if !source.is_null() {
            let (state, at) = (hot.state.get(), hot.at.get());
            // SAFETY: the tokens that are repeated stand between the source and `at`, where the repetition itself is.
            unsafe {
                let next = source.add(index(state));
                let last = read(next.sub(1));
                let (next, round) = if next.cast() == at.cast_const() { (source, hot.round.get()) } else { (next, 0) };
                // As many releases as before, then the same lock; and the number of rounds has room.
                if state >> 8 & (1 << 55 | 0xFF) == releases(last).into() && usize::from(read(next) >> 4) == slot {
                    let state = (state & !0xFF00).wrapping_add(round).wrapping_add(1 << 16);
                    hot.state.set(state);
                    return write_state(at, state);
                }
            }
        }
        self.tell_anew(slot);
    }

    #[cold]
    #[inline(never)]
    fn tell_anew(&self, slot: usize) {
        self.leave();
        self.tell(slot);
    }

    /// Ends a repetition, if there is one.
    #[cold]
    #[inline(never)]
    fn leave(&self) {
        if !hot().source.get().is_null() {
            let end = self.cursor.load(Relaxed).wrapping_add(REPEAT_LEN);
            hot().source.set(ptr::null());
            self.cursor.store(end, Release);
            self.begin_simple(end);
        }
    }

    /// Other tokens than those of 16 bits end here.
    fn begin_simple(&self, at: *mut u8) {
        self.simple.set(if self.base.get().is_null() { NOWHERE } else { at });
        self.candidate.set(ptr::null());
    }

    /// Room for one token.
    #[inline(always)]
    fn place(&self) -> *mut u8 {
        let at = self.cursor.load(Relaxed);
        if at >= self.last.load(Relaxed) { self.refill() } else { at }
    }

    /// Writes a token of 16 bits, or begins a repetition.
    fn tell(&self, slot: usize) {
        let at = self.place();
        let candidate = self.candidate.get();
        self.context.set(self.context.get().wrapping_mul(0x9E38) ^ slot.wrapping_mul(0x9E37_79B9));
        // SAFETY: `place` gives `MARGIN` bytes. A candidate is a token of 16 bits below `at`, with one in front of it.
        unsafe {
            if !candidate.is_null()
                && usize::from(read(candidate) >> 4) == slot
                && read(candidate.sub(1)) == read(at.cast::<u16>().sub(1))
            {
                let back = (at.addr() - candidate.addr()) / 2;
                if self.streak.get() >= STREAK && back <= u16::MAX.into() {
                    at.add(8).cast::<u16>().write_unaligned((back as u16).to_le());
                    let state = u64::from(REPEAT) | 1 << 16;
                    write_state(at, state);
                    let hot = hot();
                    hot.round.set((1 << 40) - ((back as u64) << 16));
                    hot.state.set(state);
                    hot.at.set(at);
                    hot.source.set(candidate);
                    return;
                }
                self.candidate.set(candidate.add(1));
                self.streak.set(self.streak.get() + 1);
            } else {
                self.candidate.set(self.written_before(slot, at).map_or(ptr::null(), |token| token.add(1)));
                self.streak.set(0);
            }
            at.cast::<u16>().write_unaligned((u16::from(ACQUIRE) | (slot as u16) << 4).to_le());
            self.places[self.context.get() % SLOTS].set((at.addr() - self.base.get().addr()) as u32);
            self.cursor.store(at.add(2), Release);
        }
    }

    /// The slot's last token of 16 bits that stood behind the same ones, if there are only such since then.
    fn written_before(&self, slot: usize, at: *mut u8) -> Option<*const u16> {
        let simple = self.simple.get();
        let place = self.base.get().wrapping_add(self.places[self.context.get() % SLOTS].get() as usize);
        if !(simple <= place && place < at && (place.addr() - simple.addr()).is_multiple_of(2)) {
            return None;
        }
        let token = place.cast::<u16>().cast_const();
        // SAFETY: between `simple` and `at` there are tokens of 16 bits. The place may be one in an earlier room.
        (usize::from(unsafe { read(token) } >> 4) == slot).then_some(token)
    }

    #[cold]
    #[inline(never)]
    fn released_otherwise(&self) {
        let at = self.cursor.load(Relaxed);
        if hot().source.get().is_null() && at > self.simple.get() {
            // SAFETY: only tokens of 16 bits were written since a place below `at`, so one stands in front of it.
            unsafe {
                let token = read(at.sub(2).cast());
                if releases(token) < RELEASES {
                    return at.sub(2).write(token as u8 + 1);
                }
            }
        }
        self.put_long(&[RELEASE]);
    }

    /// An acquisition that cannot be told by its slot alone.
    #[cold]
    #[inline(never)]
    fn explain(&self, lock: u32, site: Site, seq: u32, pair: usize) {
        self.leave();
        let key = u64::from(lock) << 32 | u64::from(site.0);
        let object = (lock & !TRY) >> 2;
        let before = self.seqs[object as usize % SEQS].get();
        self.remember(object, seq);
        let Some(slot) = [pair, pair + 1].into_iter().find(|slot| self.slots[*slot].get() == key) else {
            // Of the two places the one that is free, else one of them.
            let full = |slot: usize| self.slots[slot].get() != 0;
            let slot = if full(pair) && (!full(pair + 1) || seq & 1 != 0) { pair + 1 } else { pair };
            self.slots[slot].set(key);
            let mut token = [0; 14];
            token[..2].copy_from_slice(&(u16::from(DEFINE) | (slot as u16) << 4).to_le_bytes());
            token[2..6].copy_from_slice(&lock.to_le_bytes());
            token[6..10].copy_from_slice(&names::site(site).to_le_bytes());
            token[10..].copy_from_slice(&seq.to_le_bytes());
            return self.put_long(&token);
        };
        let head = |op: u8| (u16::from(op) | (slot as u16) << 4).to_le_bytes();
        let step = compact::step(LockMode(lock & !TRY).mode());
        let others = seq.wrapping_sub(before as u32).wrapping_sub(step);
        if before >> 32 == object.into() && others < 256 {
            let [low, high] = head(ACQUIRE_NEAR);
            return self.put_long(&[low, high, others as u8]);
        }
        let mut token = [0; 6];
        token[..2].copy_from_slice(&head(ACQUIRE_FAR));
        token[2..].copy_from_slice(&seq.to_le_bytes());
        self.put_long(&token);
    }

    /// A lock was taken in a way that only [`Buffer::add`] can tell.
    pub(crate) fn remember(&self, object: u32, seq: u32) {
        self.seqs[object as usize % SEQS].set(u64::from(object) << 32 | u64::from(seq));
    }

    /// Adds an event as it is.
    pub(crate) fn add(&self, event: Event) {
        let mut token = [RAW; LONGEST];
        token[1..].copy_from_slice(&event.encode());
        self.put_long(&token);
    }

    /// Writes a token of any length: its first byte last, since a zero there is the end of the events.
    #[inline(never)]
    fn put_long(&self, token: &[u8]) {
        self.leave();
        let at = self.place();
        // SAFETY: `place` gives `MARGIN` bytes, and no token is longer.
        unsafe {
            ptr::copy_nonoverlapping(token.as_ptr().add(1), at.add(1), token.len() - 1);
            compiler_fence(SeqCst);
            at.write(token[0]);
            let end = at.add(token.len());
            self.cursor.store(end, Release);
            self.begin_simple(end);
        }
    }

    #[cold]
    #[inline(never)]
    fn refill(&self) -> *mut u8 {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_out(&mut room);
        if !super::is_on() {
            return self.drained(&mut room);
        }
        room.thread = threads::known_number();
        if room.mapped || room.start.is_null() {
            room.give_back();
            let len = room.next;
            if let Some(start) = super::piece(FrameKind::Compact, room.thread, len) {
                (room.start, room.len, room.mapped) = (start, len, true);
            } else {
                // SAFETY: the layout is not empty.
                let start = unsafe { System.alloc_zeroed(Room::layout()) };
                if start.is_null() || !super::is_on() {
                    return self.drained(&mut room);
                }
                (room.start, room.len, room.mapped) = (start, LARGEST, false);
            }
            room.next = (len * 4).min(LARGEST);
        }
        let start = room.start;
        self.base.set(if room.mapped { start } else { ptr::null_mut() });
        room.written = start.wrapping_add(FRAME_LEN);
        self.last.store(start.wrapping_add(room.len - MARGIN), Relaxed);
        self.cursor.store(room.written, Release);
        self.begin_simple(room.written);
        room.written
    }

    fn drained(&self, room: &mut Room) -> *mut u8 {
        room.give_back();
        self.base.set(ptr::null_mut());
        self.last.store(ptr::null_mut(), Relaxed);
        self.begin_simple(ptr::null_mut());
        threads::add_no_more_events();
        self.drain.get().cast()
    }

    /// Writes out what a piece of the file does not keep anyway.
    #[cold]
    pub(crate) fn flush(&self) {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_out(&mut room);
    }

    /// As [`Buffer::flush`], while the owner may go on adding, and may be in here at this very moment.
    pub(super) fn flush_from_outside(&self) {
        if let Ok(mut room) = self.room.try_lock() {
            self.write_out(&mut room);
        }
    }

    fn write_out(&self, room: &mut Room) {
        let end = self.cursor.load(Acquire);
        if room.mapped || room.start.is_null() || end <= room.written {
            return;
        }
        // SAFETY: tokens between `written` and `end` are complete and are not changed; what stands right in front of
        // them is the frame's place, or tokens that are in the file already.
        unsafe {
            let len = end.offset_from(room.written) as usize;
            let start = room.written.sub(FRAME_LEN);
            let header = Frame::new(FrameKind::Compact, room.thread, len as u32).encode();
            ptr::copy_nonoverlapping(header.as_ptr(), start, FRAME_LEN);
            super::write(std::slice::from_raw_parts(start, FRAME_LEN + len));
        }
        room.written = end;
    }

    /// The thread's events end here; the buffer may serve another thread.
    pub(crate) fn finish(&self) {
        self.leave();
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_out(&mut room);
        self.last.store(ptr::null_mut(), Relaxed);
        self.cursor.store(ptr::null_mut(), Relaxed);
        self.base.set(ptr::null_mut());
        room.give_back();
        room.next = PAGE;
        self.slots.iter().chain(&self.seqs).for_each(|cell| cell.set(0));
    }
}

/// The lock that stands uppermost among those that the thread holds was given back, if its events are of interest.
#[inline(always)]
pub(crate) fn released() {
    let hot = hot();
    let source = hot.source.get();
    if !source.is_null() {
        let state = hot.state.get();
        // SAFETY: as many tokens as the state says stand at the source; the repetition stands at `at`.
        unsafe {
            if phase(state) < releases(read(source.add(index(state) - 1))) {
                hot.state.set(state + (1 << 8));
                return write_state(hot.at.get(), state + (1 << 8));
            }
        }
    }
    released_otherwise();
}

#[cold]
#[inline(never)]
fn released_otherwise() {
    if let Some(buffer) = threads::events() {
        buffer.released_otherwise();
    }
}

/// A token of 16 bits.
///
/// # Safety
/// There must be one.
#[inline(always)]
unsafe fn read(token: *const u16) -> u16 {
    // SAFETY: as the caller promises.
    u16::from_le(unsafe { token.read_unaligned() })
}

/// The first eight bytes of a repetition.
///
/// # Safety
/// There must be room.
#[inline(always)]
unsafe fn write_state(at: *mut u8, state: u64) {
    // SAFETY: as the caller promises.
    unsafe { at.cast::<u64>().write_unaligned(state.to_le()) };
}

/// Of a repetition: how many tokens of the round have come.
#[inline(always)]
fn index(state: u64) -> usize {
    (state >> 16) as usize & 0xFF_FFFF
}

/// Of a repetition: how many releases have come since the last acquisition.
#[inline(always)]
fn phase(state: u64) -> u8 {
    (state >> 8) as u8
}

/// Of a token of 16 bits: the number of releases behind the acquisition.
#[inline(always)]
fn releases(token: u16) -> u8 {
    (token as u8 & 15) - ACQUIRE
}

impl Room {
    fn layout() -> Layout {
        Layout::array::<u8>(LARGEST).expect("a buffer fits into memory")
    }

    fn give_back(&mut self) {
        if self.mapped {
            // SAFETY: made by `piece` with this length; the caller takes the cursor out of it.
            unsafe { super::map::unmap(self.start, self.len) };
        } else if !self.start.is_null() {
            // SAFETY: made with this layout, and nobody uses it any more.
            unsafe { System.dealloc(self.start, Room::layout()) };
        }
        (self.start, self.len, self.mapped) = (ptr::null_mut(), 0, false);
    }
}

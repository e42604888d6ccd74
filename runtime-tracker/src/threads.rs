//! Thread numbers, the state that each thread has beside its held locks, and happens-before segments.
//!
//! Guarantees: a thread gets its number at its first blocking, nested or recorded operation, or from the tracked spawn
//! that starts it; number 1 is the main thread. Records of ended threads are used again, never freed, so that a waker
//! may always touch them. The tracker's own work is marked as such ([`busy`]): locks taken inside are not tracked.
//!
//! Misses: locks used by destructors of thread-locals after the thread's end was recorded.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{Event, Op};
use crate::held::LockMode;
use crate::park::Parker;
use crate::record::buffer::{self, Buffer};
use crate::site::Site;
use crate::{config, held, names, record, stats};

/// The part of a thread that other threads see.
pub(crate) struct ThreadRecord {
    number: AtomicU32,
    /// What the system calls it.
    #[cfg(lockcheck_shim)]
    system: AtomicU32,
    /// Where it sleeps.
    pub(crate) parker: Parker,
    /// Whether it stands in a queue; changes under the queue's lock.
    pub(crate) parked: AtomicBool,
    /// The next thread to be woken; see `park`.
    pub(crate) link: AtomicPtr<ThreadRecord>,
    buffer: AtomicPtr<Buffer>,
    /// Where the thread's held stack is; 0 before it begins and after it has ended.
    held: AtomicUsize,
    in_use: AtomicBool,
    next: AtomicPtr<ThreadRecord>,
}

impl ThreadRecord {
    pub(crate) fn number(&self) -> u32 {
        self.number.load(Relaxed)
    }

    /// The number that the system gave it.
    #[cfg(lockcheck_shim)]
    pub(crate) fn system_number(&self) -> u32 {
        self.system.load(Relaxed)
    }

    /// The address of its held stack, for [`crate::held::peek`].
    pub(crate) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Its events, if it has recorded any.
    pub(crate) fn buffer(&self) -> Option<&'static Buffer> {
        // SAFETY: buffers are never freed.
        unsafe { self.buffer.load(Acquire).as_ref() }
    }
}

/// All records ever made, linked by `next`.
static ALL: AtomicPtr<ThreadRecord> = AtomicPtr::new(ptr::null_mut());
static REUSE: Mutex<()> = Mutex::new(());
static LAST_NUMBER: AtomicU32 = AtomicU32::new(1);
static MAIN_SEEN: AtomicBool = AtomicBool::new(false);
/// How many records are free.
static FREE: AtomicU32 = AtomicU32::new(0);
/// How many records are in use.
static LIVE: AtomicU32 = AtomicU32::new(0);

const BEHIND: usize = 8;
/// So many times a thread begins a new segment because it passes its own on; after that only each time that the number is
/// a power of two, so that a busy channel does not make every nesting a new one.
const SHOWS: u32 = 64;

struct Local {
    record: Cell<Option<&'static ThreadRecord>>,
    busy: Cell<bool>,
    ended: Cell<bool>,
    /// How many locks the thread held when the tracker made it unwind; `None` where it did not.
    breaking: Cell<Option<usize>>,
    /// Whether its waits cannot be called off.
    fixed: Cell<bool>,
    segment: Cell<u32>,
    /// The segment that was last passed on to others.
    shown: Cell<u32>,
    /// How often that began a new one.
    shows: Cell<u32>,
    /// The barrier that was passed last, and the segment that began there.
    barrier: Cell<(usize, u32)>,
    /// What was seen last: addresses and sequence numbers.
    seen: [Cell<(usize, u32)>; BEHIND],
    /// Segments of others that come before the current one, by their last bits.
    behind: [Cell<u32>; BEHIND],
    task: Cell<u32>,
    slot: Cell<u32>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            record: Cell::new(None),
            busy: Cell::new(false),
            ended: Cell::new(false),
            breaking: Cell::new(None),
            fixed: Cell::new(false),
            segment: Cell::new(0),
            shown: Cell::new(0),
            shows: Cell::new(0),
            barrier: Cell::new((0, 0)),
            seen: [const { Cell::new((0, 0)) }; BEHIND],
            behind: [const { Cell::new(0) }; BEHIND],
            task: Cell::new(0),
            slot: Cell::new(0),
        }
    };
    static AT_END: AtEnd = const { AtEnd };
}

struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        end();
    }
}

/// Runs the tracker's own work: locks taken inside are plain locks.
pub(crate) fn busy<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool, buffer::Suspended);
    impl Drop for Restore {
        fn drop(&mut self) {
            LOCAL.with(|local| local.busy.set(self.0));
            buffer::resume(&self.1);
        }
    }
    let _restore = Restore(LOCAL.with(|local| local.busy.replace(true)), buffer::suspend());
    work()
}

/// While it lives, the calling thread's waits cannot be called off.
#[cfg(feature = "parking_lot")]
pub(crate) struct Fixed(bool);

#[cfg(feature = "parking_lot")]
impl Fixed {
    pub(crate) fn new() -> Self {
        Fixed(LOCAL.with(|local| local.fixed.replace(true)))
    }
}

#[cfg(feature = "parking_lot")]
impl Drop for Fixed {
    fn drop(&mut self) {
        LOCAL.with(|local| local.fixed.set(self.0));
    }
}

/// Whether the calling thread's waits cannot be called off.
pub(crate) fn is_fixed() -> bool {
    LOCAL.with(|local| local.fixed.get())
}

/// Whether the calling thread is inside [`busy`].
pub(crate) fn is_busy() -> bool {
    LOCAL.with(|local| local.busy.get())
}

/// Whether what the calling thread does is of interest.
pub(crate) fn is_tracked() -> bool {
    config::is_on() && LOCAL.with(|local| !local.busy.get() && !local.ended.get())
}

/// The calling thread's record, made now if need be.
pub(crate) fn me() -> &'static ThreadRecord {
    LOCAL.with(|local| local.record.get()).unwrap_or_else(enter)
}

/// Gives the calling thread its number and first segment, unless what it does is of no interest now.
pub(crate) fn enter_if_tracked() {
    if is_tracked() {
        me();
    }
}

/// The calling thread's number without giving it one; 0 for none yet.
pub(crate) fn known_number() -> u32 {
    LOCAL.with(|local| local.record.get()).map_or(0, ThreadRecord::number)
}

#[cold]
fn enter() -> &'static ThreadRecord {
    let thread = take_record();
    LOCAL.with(|local| local.record.set(Some(thread)));
    if LOCAL.with(|local| local.ended.get()) {
        thread.number.store(0, Relaxed);
        return thread;
    }
    let (number, segment) = busy(|| {
        let current = std::thread::current();
        let name = current.name().unwrap_or("");
        let main = name == "main" && !MAIN_SEEN.swap(true, Relaxed);
        let number = if main { 1 } else { new_number() };
        thread.number.store(number, Relaxed);
        names::stranger(number, name);
        (number, names::segment(number, &[]))
    });
    begin(number, segment);
    thread
}

/// The calling thread is the one that a tracked spawn announced under this number.
pub(crate) fn adopt(number: u32, segment: u32) {
    let known = LOCAL.with(|local| local.record.get());
    let thread = known.unwrap_or_else(take_record);
    if known.is_some() {
        // Something in the start of the thread, as a tracked lock in the allocator, has made it a stranger: that one
        // ends here.
        emit(Event::new(Op::ThreadEnd, thread.number(), 0, 0));
        finish(thread);
    }
    thread.number.store(number, Relaxed);
    LOCAL.with(|local| local.record.set(Some(thread)));
    begin(number, segment);
}

fn begin(number: u32, segment: u32) {
    #[cfg(all(lockcheck_shim, target_os = "linux"))]
    {
        unsafe extern "C" {
            fn gettid() -> i32;
        }
        // SAFETY: takes nothing, touches nothing.
        me().system.store(unsafe { gettid() } as u32, Relaxed);
    }
    me().held.store(ptr::from_ref(held::current()).addr(), Relaxed);
    // At the very end of a thread there is nothing to register with; the record then stays in use.
    let _ = AT_END.try_with(|_| ());
    set_segment(segment);
    emit(Event::new(Op::ThreadBegin, number, 0, 0));
}

/// The calling thread's recorded life ends.
pub(crate) fn end() {
    if let Some(thread) = LOCAL.with(|local| local.record.get()) {
        emit(Event::new(Op::ThreadEnd, thread.number(), 0, 0));
    }
    LOCAL.with(|local| {
        if local.ended.replace(true) {
            return;
        }
        buffer::set_current(None);
        if let Some(thread) = local.record.get() {
            finish(thread);
            local.record.set(None);
            LIVE.fetch_sub(1, Relaxed);
            thread.held.store(0, Relaxed);
            thread.in_use.store(false, Release);
            FREE.fetch_add(1, Release);
        }
        held::current().end();
        stats::end();
    });
}

/// A fresh thread number.
pub(crate) fn new_number() -> u32 {
    LAST_NUMBER.fetch_add(1, Relaxed) + 1
}

fn take_record() -> &'static ThreadRecord {
    let _reuse = REUSE.lock().unwrap_or_else(PoisonError::into_inner);
    // Where threads only come and none goes, looking for a free one would take longer and longer.
    let mut at = if FREE.load(Acquire) == 0 { ptr::null_mut() } else { ALL.load(Acquire) };
    // SAFETY: records are never freed.
    while let Some(thread) = unsafe { at.as_ref() } {
        if !thread.in_use.load(Acquire) {
            thread.in_use.store(true, Relaxed);
            FREE.fetch_sub(1, Relaxed);
            LIVE.fetch_add(1, Relaxed);
            return thread;
        }
        at = thread.next.load(Relaxed);
    }
    let layout = Layout::new::<ThreadRecord>();
    // SAFETY: the layout is not empty, and the block is written before it is used.
    let thread = unsafe {
        let block = System.alloc(layout).cast::<ThreadRecord>();
        if block.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        block.write(ThreadRecord {
            number: AtomicU32::new(0),
            #[cfg(lockcheck_shim)]
            system: AtomicU32::new(0),
            parker: Parker::new(),
            parked: AtomicBool::new(false),
            link: AtomicPtr::new(ptr::null_mut()),
            buffer: AtomicPtr::new(ptr::null_mut()),
            held: AtomicUsize::new(0),
            in_use: AtomicBool::new(true),
            next: AtomicPtr::new(ALL.load(Relaxed)),
        });
        &*block
    };
    ALL.store(ptr::from_ref(thread).cast_mut(), Release);
    LIVE.fetch_add(1, Relaxed);
    thread
}

/// How many tracked threads have not ended.
pub(crate) fn live() -> usize {
    LIVE.load(Relaxed) as usize
}

/// Every thread that is in use, newest first; stops after `limit`.
pub(crate) fn each(limit: Duration, mut visit: impl FnMut(&'static ThreadRecord)) {
    let until = Instant::now() + limit;
    let mut at = ALL.load(Acquire);
    // SAFETY: records are never freed.
    while let Some(thread) = unsafe { at.as_ref() } {
        if thread.in_use.load(Acquire) {
            visit(thread);
        }
        if Instant::now() > until {
            return;
        }
        at = thread.next.load(Relaxed);
    }
}

/// Where the calling thread's events go, in trace mode; `None` where they are of no interest.
#[inline(always)]
pub(crate) fn events() -> Option<&'static Buffer> {
    buffer::current().or_else(first_events)
}

#[cold]
#[inline(never)]
fn first_events() -> Option<&'static Buffer> {
    if !config::traces() || !record::is_on() || !is_tracked() {
        return None;
    }
    let thread = me();
    // The first that happens to a thread may have been recorded by `me` itself.
    let buffer = buffer::current().or_else(|| thread.buffer()).or_else(|| {
        let buffer = Buffer::allocate()?;
        thread.buffer.store(ptr::from_ref(buffer).cast_mut(), Release);
        Some(buffer)
    });
    buffer::set_current(buffer);
    buffer
}

/// The recording is over for the calling thread.
pub(crate) fn add_no_more_events() {
    buffer::set_current(None);
}

/// Adds an event of the calling thread, in trace mode.
#[inline]
pub(crate) fn emit(event: Event) {
    if let Some(buffer) = events() {
        buffer.add(event);
    }
}

/// As [`emit`], giving the site its number.
#[inline]
pub(crate) fn emit_at(event: Event, site: Site) {
    if let Some(buffer) = events() {
        buffer.add(Event { site: names::site(site), ..event });
    }
}

/// Writes the calling thread's events to the file: before it blocks, and at its end.
pub(crate) fn flush() {
    if config::traces()
        && let Some(thread) = LOCAL.with(|local| local.record.get())
        && let Some(buffer) = thread.buffer()
    {
        buffer.flush();
    }
}

/// No more events of the thread with this number.
fn finish(thread: &ThreadRecord) {
    if let Some(buffer) = thread.buffer() {
        buffer.finish();
    }
}

/// The calling thread's happens-before segment.
pub(crate) fn segment() -> u32 {
    me();
    LOCAL.with(|local| local.segment.get())
}

/// The calling thread begins this segment.
pub(crate) fn set_segment(segment: u32) {
    LOCAL.with(|local| {
        local.segment.set(segment);
        local.behind.iter().for_each(|known| known.set(0));
    });
    held::current().reroot(segment);
}

/// The calling thread begins a new segment, after its own and after `others`.
pub(crate) fn next_segment(others: &[u32]) -> u32 {
    let own = segment();
    let mut after = [own, 0];
    after[1] = others.first().copied().unwrap_or(0);
    let next = names::segment(me().number(), if after[1] == 0 { &after[..1] } else { &after });
    set_segment(next);
    next
}

/// A segment that holds all the calling thread has done, for whoever comes after it; 0 where nothing is tracked. What it
/// does from now on belongs to a new one, as far as that is affordable: where it is not, an inversion may be missed.
pub(crate) fn publish() -> u32 {
    if !is_tracked() {
        return 0;
    }
    let own = segment();
    if held::current().has_learned() && may_show() {
        next_segment(&[]);
    } else {
        LOCAL.with(|local| local.shown.set(own));
    }
    own
}

/// The calling thread is about to show its first nesting since it passed on its segment.
#[cold]
pub(crate) fn leave_shown_segment() {
    let shown = LOCAL.with(|local| local.shown.get() != 0 && local.shown.get() == local.segment.get());
    if shown && is_tracked() && may_show() {
        next_segment(&[]);
    }
}

fn may_show() -> bool {
    LOCAL.with(|local| {
        let times = local.shows.get().saturating_add(1);
        local.shows.set(times);
        times <= SHOWS || times.is_power_of_two()
    })
}

/// All that `before`, from [`publish`], holds comes before what the calling thread does next.
pub(crate) fn receive(before: u32) {
    if before == 0 || !is_tracked() {
        return;
    }
    let own = segment();
    let at = before as usize % BEHIND;
    if own == before || LOCAL.with(|local| local.behind[at].get() == before) {
        return;
    }
    // Numbers grow along the order, so a higher one does not come before.
    if before > own || !names::are_ordered(before, own) {
        next_segment(&[before]);
    }
    LOCAL.with(|local| local.behind[at].set(before));
}

/// Whether the calling thread could tell the others at this barrier something since it passed it.
pub(crate) fn has_news_since(barrier: usize) -> bool {
    held::current().has_learned() || LOCAL.with(|local| local.barrier.get()) != (barrier, segment())
}

/// The calling thread has passed this barrier.
pub(crate) fn passed(barrier: usize) {
    LOCAL.with(|local| local.barrier.set((barrier, segment())));
}

/// Whether the calling thread has not just seen the same state of the same thing; remembers it.
pub(crate) fn is_news(address: usize, seq: u32) -> bool {
    LOCAL.with(|local| local.seen[(address >> 2) % BEHIND].replace((address, seq)) != (address, seq))
}

/// The pool task that the calling thread runs, 0 for none.
pub(crate) fn task() -> u32 {
    LOCAL.with(|local| local.task.get())
}

/// Sets the task; gives the one before.
pub(crate) fn set_task(task: u32) -> u32 {
    LOCAL.with(|local| local.task.replace(task))
}

/// The pool of whose slots the calling thread holds one, 0 for none.
pub(crate) fn slot() -> u32 {
    LOCAL.with(|local| local.slot.get())
}

/// Sets the pool; gives the one before.
pub(crate) fn set_slot(pool: u32) -> u32 {
    LOCAL.with(|local| local.slot.replace(pool))
}

/// Whether the calling thread unwinds because the tracker broke a deadlock.
///
/// Nobody tells when a panic was caught, so this is put right at the next call that is not made by a panicking thread.
pub(crate) fn is_breaking() -> bool {
    LOCAL.with(|local| {
        if !std::thread::panicking() {
            local.breaking.set(None);
        }
        local.breaking.get().is_some()
    })
}

/// Whether the calling thread, which panics, held `lock` already when the tracker made it unwind. Asked once per lock, as
/// it is given back.
pub(crate) fn breaks(lock: LockMode) -> bool {
    LOCAL.with(|local| {
        let Some(depth) = local.breaking.get() else { return false };
        let at = held::current().position(lock);
        let held_then = at != 0 && at <= depth;
        if held_then {
            // What is taken later at this depth, after the panic was caught, does not belong to it.
            local.breaking.set(Some(at - 1));
        }
        held_then
    })
}

/// The calling thread has caught what it unwound by.
pub(crate) fn clear_breaking() {
    LOCAL.with(|local| local.breaking.set(None));
}

/// The calling thread is about to unwind for that reason.
pub(crate) fn set_breaking() {
    LOCAL.with(|local| local.breaking.set(Some(held::current().entries().len())));
}

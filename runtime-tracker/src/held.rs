//! What each thread holds, and which nestings it has already shown: the hot path of every lock.
//!
//! An acquisition is an [`Entry`] of 16 bytes on a thread-local stack. Its key is a hash over the whole stack below it
//! (locks, modes, sites, and at the root the thread's happens-before segment), as lockdep's chain keys are. A nested
//! acquisition whose key the thread has seen costs one multiplication and one or two compares and touches no shared
//! memory; a new key goes to [`crate::order`] once.
//!
//! Guarantees: no allocation, no destructor, usable in destructors of other thread-locals; guards may be dropped in
//! any order, or never.
//!
//! Misses: locks held below more than [`DEPTH`] others; a nesting whose 64-bit key collides with another's.

pub(crate) mod peek;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::event::{self, Mode};
use crate::site::Site;
use crate::{names, order, threads};

/// How many locks one thread can hold and have tracked.
pub(crate) const DEPTH: usize = 64;
/// Keys that may stand behind their place in the table.
const WINDOW: usize = 8;
/// From this size on (as a power of two, as the next) the table grows twofold instead of fourfold.
const TWOFOLD: u32 = 11;
/// At this size the table is emptied instead of grown.
const LARGEST: u32 = 18;

/// A lock's number and the mode, as one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LockMode(pub(crate) u32);

impl LockMode {
    /// Stands for a lock that has no number: it is not tracked.
    pub(crate) const NONE: LockMode = LockMode(0);

    #[inline(always)]
    pub(crate) fn new(lock: u32, mode: Mode) -> Self {
        LockMode(lock << 2 | mode as u32)
    }

    #[inline(always)]
    pub(crate) fn lock(self) -> u32 {
        self.0 >> 2
    }

    pub(crate) fn mode(self) -> Mode {
        Mode::from_u8(self.0 as u8 & 3).unwrap_or(Mode::Exclusive)
    }
}

/// A held lock.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Entry {
    key: u64,
    /// Which lock, and how.
    pub(crate) lock: LockMode,
    /// Where it was taken.
    pub(crate) site: Site,
}

impl Entry {
    /// What a task holds, which has no place on a thread's stack.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(lock: LockMode, site: Site) -> Self {
        Entry { key: 0, lock, site }
    }

    /// As the trace has it.
    pub(crate) fn record(&self) -> event::Held {
        event::Held { object: self.lock.lock(), mode: self.lock.mode(), site: names::site(self.site) }
    }
}

/// Below all entries; its lock is none that anybody gives back.
const ROOT: Entry = Entry { key: 0, lock: LockMode(u32::MAX), site: Site::NONE };

/// A thread's stack and its table of known keys.
pub(crate) struct Held {
    /// Entries `1..=depth` are held, outermost first; entry 0 is the root of the keys.
    depth: Cell<usize>,
    /// A key's place in the table is `key >> shift`.
    shift: Cell<u32>,
    /// How many keys were added since the table was last emptied.
    added: Cell<u32>,
    table: Cell<*mut u64>,
    stack: [Cell<Entry>; DEPTH + 1],
}

/// The table before the first nesting: two places and the window behind them, all free, never written.
struct Empty(#[expect(dead_code, reason = "read through a pointer")] [Cell<u64>; 2 + WINDOW]);
// SAFETY: nobody writes to the one value of this type.
unsafe impl Sync for Empty {}
static EMPTY: Empty = Empty([const { Cell::new(0) }; 2 + WINDOW]);
const EMPTY_SHIFT: u32 = 63;

thread_local! {
    static HELD: Held = const {
        Held {
            depth: Cell::new(0),
            shift: Cell::new(EMPTY_SHIFT),
            added: Cell::new(0),
            table: Cell::new((&raw const EMPTY).cast_mut().cast()),
            stack: [const { Cell::new(ROOT) }; DEPTH + 1],
        }
    };
}

/// The calling thread's held locks.
#[inline(always)]
pub(crate) fn current<'a>() -> &'a Held {
    // SAFETY: the thread-local has no destructor, so it lives until the thread ends; `Held` is not `Sync`, so the
    // reference cannot leave the thread, and no caller keeps it beyond its own call.
    HELD.with(|held| unsafe { &*std::ptr::from_ref(held) })
}

#[inline(always)]
fn chain(below: u64, lock: LockMode, site: Site) -> u64 {
    let step = u64::from(lock.0) << 32 | u64::from(site.0);
    (below.rotate_left(23) ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

/// What an acquisition that cannot wait puts in front of its key, so that it does not pass for one that can.
const TRY: u64 = 0xD1B5_4A32_D192_ED03;

impl Held {
    #[inline(always)]
    fn at(&self, depth: usize) -> &Cell<Entry> {
        debug_assert!(depth <= DEPTH);
        // SAFETY: only `push` raises `depth`, never above `DEPTH`, and callers pass a depth up to the current one + 1
        // after comparing it.
        unsafe { self.stack.get_unchecked(depth) }
    }

    /// The key of taking `lock` now; reports the nesting if it is new. To be called before waiting for the lock.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn request(&self, lock: LockMode, site: Site) -> u64 {
        let depth = self.depth.get();
        let key = chain(self.at(depth).get().key, lock, site);
        if depth != 0 && !self.knows(key) {
            return self.meet(lock, site, false);
        }
        key
    }

    /// As [`Held::request`], for nestings that the thread has shown.
    #[inline(always)]
    pub(crate) fn request_known(&self, lock: LockMode, site: Site) -> Option<u64> {
        let depth = self.depth.get();
        let key = chain(self.at(depth).get().key, lock, site);
        (depth == 0 || self.knows(key)).then_some(key)
    }

    /// As [`Held::request`], for a lock that was taken without waiting.
    #[inline(always)]
    pub(crate) fn tried(&self, lock: LockMode, site: Site) -> u64 {
        let depth = self.depth.get();
        let key = chain(self.at(depth).get().key, lock, site);
        if depth != 0 && !self.knows(key ^ TRY | 1) {
            return self.meet(lock, site, true);
        }
        key
    }

    #[inline(always)]
    fn knows(&self, key: u64) -> bool {
        let place = (key >> self.shift.get()) as usize;
        let table = self.table.get();
        // SAFETY: the table has `2^(64 - shift) + WINDOW` places.
        unsafe { *table.add(place) == key || *table.add(place + 1) == key }
    }

    #[cold]
    #[inline(never)]
    fn meet(&self, lock: LockMode, site: Site, tried: bool) -> u64 {
        // The first segment of a thread changes the root, and with it every key.
        threads::enter_if_tracked();
        threads::leave_shown_segment();
        let key = chain(self.at(self.depth.get()).get().key, lock, site);
        let known = if tried { key ^ TRY | 1 } else { key };
        if !self.has(known) && order::nested(self, lock, site, tried) {
            self.learn(known);
        }
        key
    }

    /// As `knows`, looking at every place where the key may be.
    fn has(&self, key: u64) -> bool {
        let place = (key >> self.shift.get()) as usize;
        // SAFETY: as in `knows`.
        (0..WINDOW).any(|step| unsafe { *self.table.get().add(place + step) } == key)
    }

    fn learn(&self, key: u64) {
        loop {
            let shift = self.shift.get();
            // At most a quarter full, so that nearly every key stands in the two places where the hot path looks.
            if shift != EMPTY_SHIFT && self.added.get() < 1 << (62 - shift) && self.place(key) {
                return;
            }
            self.grow(shift);
        }
    }

    /// Puts a key into the thread's own table; tells whether there was room near its place.
    fn place(&self, key: u64) -> bool {
        let place = (key >> self.shift.get()) as usize;
        // SAFETY: as in `knows`; this table is the thread's own.
        let mut places = (0..WINDOW).map(|step| unsafe { self.table.get().add(place + step) });
        // SAFETY: as above.
        let Some(free) = places.find(|at| unsafe { **at } == 0) else { return false };
        // SAFETY: as above.
        unsafe { *free = key };
        self.added.set(self.added.get() + 1);
        true
    }

    fn layout(shift: u32) -> Layout {
        Layout::array::<u64>((1 << (64 - shift)) + WINDOW).expect("a table fits into memory")
    }

    /// Makes the table larger, four times at first, or empties it where it is large or mostly stale; what is forgotten is
    /// only asked for again.
    fn grow(&self, shift: u32) {
        let bits = if shift == EMPTY_SHIFT { 0 } else { 64 - shift };
        if bits >= LARGEST || (bits != 0 && self.added.get() < 1 << (bits - 4)) {
            // SAFETY: the table is the thread's own and has that many places.
            unsafe { self.table.get().write_bytes(0, (1 << bits) + WINDOW) };
            self.added.set(0);
            return;
        }
        let old = if bits == 0 { 0 } else { (1 << bits) + WINDOW };
        let bits = match bits {
            0 => 7,
            1..TWOFOLD => bits + 2,
            _ => bits + 1,
        };
        let layout = Held::layout(64 - bits);
        // SAFETY: the layout is not empty; a table that there is was allocated by an earlier call with its layout.
        let table = unsafe {
            if old == 0 {
                System.alloc(layout)
            } else {
                System.realloc(self.table.get().cast(), Held::layout(shift), layout.size())
            }
        };
        let table = table.cast::<u64>();
        if table.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        // SAFETY: what is new of the table.
        unsafe { table.add(old).write_bytes(0, (1 << bits) + WINDOW - old) };
        self.table.set(table);
        self.shift.set(64 - bits);
        self.added.set(0);
        // In the table itself: from the end, every key moves to twice its place or more and meets none that has yet to
        // move. Only at the very beginning it may.
        let mut first = [0; 2 * WINDOW];
        for place in (0..old).rev() {
            // SAFETY: the table has these places.
            let key = unsafe { table.add(place).replace(0) };
            if key != 0 && place < first.len() {
                first[place] = key;
            } else if key != 0 {
                self.place(key);
            }
        }
        first.iter().filter(|key| **key != 0).for_each(|key| _ = self.place(*key));
    }

    /// Notes that `lock` is held now; tells whether there was room. `key` comes from [`Held::request`] or [`Held::tried`].
    #[inline(always)]
    pub(crate) fn push(&self, key: u64, lock: LockMode, site: Site) -> bool {
        let depth = self.depth.get() + 1;
        let fits = depth <= DEPTH;
        if fits {
            self.at(depth).set(Entry { key, lock, site });
            self.depth.set(depth);
        }
        fits
    }

    /// Notes that `lock` is given back, if it is the one taken last.
    #[inline(always)]
    pub(crate) fn pop_top(&self, lock: LockMode) -> bool {
        let depth = self.depth.get();
        let top = self.at(depth).get().lock == lock;
        if top {
            self.depth.set(depth.wrapping_sub(1));
        }
        top
    }

    /// Notes that `lock` is given back; tells whether it was known to be held.
    #[inline]
    pub(crate) fn pop(&self, lock: LockMode) -> bool {
        self.pop_top(lock) || self.remove(lock)
    }

    #[cold]
    #[inline(never)]
    fn remove(&self, lock: LockMode) -> bool {
        let depth = self.depth.get();
        let Some(found) = (1..=depth).rev().find(|at| self.at(*at).get().lock == lock) else { return false };
        for at in found + 1..=depth {
            self.at(at - 1).set(self.at(at).get());
        }
        self.depth.set(depth - 1);
        self.chain_from(found);
        true
    }

    fn chain_from(&self, first: usize) {
        for at in first..=self.depth.get() {
            let entry = self.at(at).get();
            self.at(at).set(Entry { key: chain(self.at(at - 1).get().key, entry.lock, entry.site), ..entry });
        }
    }

    /// Begins a new happens-before segment: every nesting counts as new again.
    pub(crate) fn reroot(&self, segment: u32) {
        self.at(0).set(Entry { key: chain(0, LockMode::NONE, Site(segment)), ..ROOT });
        self.added.set(0);
        self.chain_from(1);
    }

    /// Whether the thread has shown a nesting in its current segment.
    pub(crate) fn has_learned(&self) -> bool {
        self.added.get() != 0
    }

    /// What is held, outermost first. The slice must not be used across a `push` or `pop`.
    pub(crate) fn entries(&self) -> &[Entry] {
        // SAFETY: `Cell<Entry>` has the layout of `Entry`; entries `1..=depth` exist; the thread itself is the only
        // writer, and it does not write while it uses the slice (the callers are straight-line code).
        unsafe { std::slice::from_raw_parts(self.stack.as_ptr().add(1).cast::<Entry>(), self.depth.get()) }
    }

    /// Where the lock's innermost acquisition stands, from 1; 0 where there is none.
    pub(crate) fn position(&self, lock: LockMode) -> usize {
        self.entries().iter().rposition(|entry| entry.lock == lock).map_or(0, |at| at + 1)
    }

    /// The innermost acquisition of the lock.
    pub(crate) fn find(&self, lock: u32) -> Option<Entry> {
        self.entries().iter().rev().find(|entry| entry.lock.lock() == lock).copied()
    }

    /// An acquisition of the same lock that keeps out `mode`.
    pub(crate) fn find_conflict(&self, lock: LockMode, mode: Mode) -> Option<Entry> {
        let mine = |entry: &&Entry| entry.lock.lock() == lock.lock() && entry.lock.mode().conflicts(mode);
        self.entries().iter().rev().find(mine).copied()
    }

    /// Gives the table back at the thread's end; locks taken after that are tracked no more.
    pub(crate) fn end(&self) {
        let (table, shift) = (self.table.get(), self.shift.get());
        self.table.set((&raw const EMPTY).cast_mut().cast());
        self.shift.set(EMPTY_SHIFT);
        if shift != EMPTY_SHIFT {
            // SAFETY: allocated by `grow` with this layout, and no longer in use.
            unsafe { System.dealloc(table.cast(), Held::layout(shift)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_thread_of_its_own(work: impl FnOnce(&Held) + Send) {
        std::thread::scope(|scope| {
            scope.spawn(|| work(current()));
        });
    }

    #[test]
    fn learned_keys_stay_known_while_the_table_grows() {
        on_a_thread_of_its_own(|held| {
            let key = |number: u32| chain(1, LockMode(number), Site(8));
            (1..20_000).for_each(|number| held.learn(key(number)));
            assert!((1..20_000).all(|number| held.has(key(number))));
            assert!((20_000..40_000).all(|number| !held.has(key(number))));
            let quick = (1..20_000).filter(|number| held.knows(key(*number))).count();
            assert!(quick > 19_000, "only {quick} of 19999 keys stand where the hot path looks");
            held.end();
            assert!(!held.has(key(1)));
        });
    }

    #[test]
    fn entries_leave_in_any_order_and_keys_follow() {
        on_a_thread_of_its_own(|held| {
            let lock = |number| LockMode::new(number, Mode::Exclusive);
            let take = |number| {
                held.push(chain(held.at(held.depth.get()).get().key, lock(number), Site(8)), lock(number), Site(8));
            };
            (1..=3).for_each(take);
            let top = held.at(3).get().key;
            assert!(held.pop(lock(2)) && !held.pop(lock(2)) && !held.pop(lock(9)));
            assert_eq!(held.entries().iter().map(|entry| entry.lock.lock()).collect::<Vec<_>>(), [1, 3]);
            assert_ne!(held.at(2).get().key, top);
            assert!(held.pop(lock(3)));
            [2, 3].into_iter().for_each(take);
            assert_eq!(held.at(3).get().key, top);
            (10..100).for_each(take);
            assert_eq!(held.entries().len(), DEPTH);
            assert!(!held.pop(lock(99)) && held.pop(lock(1)));
        });
    }
}

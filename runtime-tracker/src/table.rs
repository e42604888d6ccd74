//! Numbers by index that are read without a lock.
//!
//! Chunks of doubling size, made when the first of their numbers is set and never moved or freed: index `i` stands in chunk
//! `log2(i)`, so that two loads find it.
//!
//! Guarantees: whoever has learnt of an index after it was set, by whatever way orders the two, reads what was set. Any other
//! reads that or 0. No global allocation.
//!
//! Misses: index 0, which always reads 0; setting from two threads at once is for the caller to prevent.

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};

const CHUNKS: usize = u32::BITS as usize;

/// See the file's description.
pub(crate) struct Table([AtomicPtr<AtomicU32>; CHUNKS]);

impl Table {
    pub(crate) const fn new() -> Self {
        Table([const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS])
    }

    /// The number at `at`, 0 where none was set.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u32 {
        let Some(chunk) = at.checked_ilog2().and_then(|chunk| self.0.get(chunk as usize)) else { return 0 };
        let start = chunk.load(Acquire);
        if start.is_null() {
            return 0;
        }
        // SAFETY: chunk `log2(at)` has as many places as its lowest index, so `at` without its highest bit is below that.
        unsafe { &*start.add(at & !(1 << at.ilog2())) }.load(Relaxed)
    }

    /// Sets the number at `at`, which is not 0 and below 2³². One thread at a time.
    pub(crate) fn set(&self, at: usize, number: u32) {
        let chunk = at.ilog2() as usize;
        let mut start = self.0[chunk].load(Relaxed);
        if start.is_null() {
            let layout = Layout::array::<AtomicU32>(1 << chunk).expect("a chunk fits into memory");
            // SAFETY: the layout is not empty.
            start = unsafe { System.alloc_zeroed(layout) }.cast();
            if start.is_null() {
                handle_alloc_error(layout);
            }
            // Together with the zeros in it.
            self.0[chunk].store(start, Release);
        }
        // SAFETY: as in `get`.
        unsafe { &*start.add(at & !(1 << chunk)) }.store(number, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_read_and_all_else_is_zero() {
        let table = Table::new();
        assert_eq!((table.get(0), table.get(1), table.get(usize::MAX)), (0, 0, 0));
        (1..300).for_each(|at| table.set(at, at as u32 * 3));
        assert!((1..300).all(|at| table.get(at) == at as u32 * 3));
        assert_eq!((table.get(300), table.get(511), table.get(512)), (0, 0, 0));
    }
}

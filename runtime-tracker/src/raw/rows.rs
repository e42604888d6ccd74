//! A list that never moves what stands in it: in blocks of doubling size, so that growing copies nothing and gives no memory
//! back that the system has just provided.
//!
//! Guarantees: O(1) access, by the position of the highest bit; at most half of the memory asked for is not used yet, and
//! that half is not touched.
//!
//! Misses: slices over several elements; removal.

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::ops::Index;
use std::ptr;

/// Elements of the first block, as a power of two.
const FIRST: u32 = 6;
const BLOCKS: usize = (usize::BITS - FIRST) as usize;

/// See the file's description.
pub(crate) struct Rows<T: Copy> {
    blocks: [*mut T; BLOCKS],
    len: usize,
}

// SAFETY: `Rows` owns its elements like a `Vec` does.
unsafe impl<T: Copy + Send> Send for Rows<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Copy + Sync> Sync for Rows<T> {}

/// The block of an element, and its place there.
#[inline]
fn place(at: usize) -> (usize, usize) {
    let at = at + (1 << FIRST);
    let top = at.ilog2();
    ((top - FIRST) as usize, at - (1 << top))
}

impl<T: Copy> Rows<T> {
    pub(crate) const fn new() -> Self {
        Rows { blocks: [ptr::null_mut(); BLOCKS], len: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        let (block, at) = place(self.len);
        if at == 0 {
            self.add(block);
        }
        // SAFETY: the block was made with its first element and has room for `1 << (FIRST + block)`.
        unsafe { self.blocks[block].add(at).write(value) };
        self.len += 1;
    }

    #[cold]
    fn add(&mut self, block: usize) {
        let layout = Layout::array::<T>(1 << (FIRST as usize + block)).expect("a block fits into memory");
        // SAFETY: the layout is not empty (no rows of zero-sized values are used).
        let start = unsafe { System.alloc(layout) }.cast::<T>();
        if start.is_null() {
            handle_alloc_error(layout);
        }
        self.blocks[block] = start;
    }
}

impl<T: Copy> Index<usize> for Rows<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        assert!(at < self.len);
        let (block, at) = place(at);
        // SAFETY: elements below `len` were written by `push`.
        unsafe { &*self.blocks[block].add(at) }
    }
}

impl<T: Copy> Drop for Rows<T> {
    fn drop(&mut self) {
        for (block, start) in self.blocks.iter().enumerate().filter(|(_, start)| !start.is_null()) {
            let layout = Layout::array::<T>(1 << (FIRST as usize + block)).expect("it fitted before");
            // SAFETY: allocated by `add` with this layout.
            unsafe { System.dealloc(start.cast(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are_and_are_read_back() {
        let mut rows = Rows::new();
        rows.push(0u32);
        let first = &raw const rows[0];
        (1..5000).for_each(|value| rows.push(value));
        assert_eq!((rows.len(), &raw const rows[0]), (5000, first));
        assert!((0..5000).all(|at| rows[at] == at as u32));
    }
}

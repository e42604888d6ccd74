//! Growable storage that never enters the program's global allocator: lists here, such that never move in
//! [`rows`], maps in [`map`].
//!
//! Guarantees: [`List`] and [`Map`] take memory from [`std::alloc::System`] alone, so that the tracker can work inside
//! a global allocator that itself locks a tracked mutex.
//!
//! Misses: elements are `Copy` and are never dropped; a failed allocation aborts, as in `std`.

mod map;
mod rows;

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::ops::{Deref, DerefMut};

pub(crate) use map::Map;
pub(crate) use rows::Rows;

use crate::event::Sink;

/// A vector of plain values.
pub(crate) struct List<T: Copy> {
    start: *mut T,
    len: usize,
    room: usize,
}

// SAFETY: a `List` owns its elements like a `Vec` does.
unsafe impl<T: Copy + Send> Send for List<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Copy + Sync> Sync for List<T> {}

impl<T: Copy> List<T> {
    pub(crate) const fn new() -> Self {
        List { start: std::ptr::dangling_mut(), len: 0, room: 0 }
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.len == self.room {
            self.grow(self.len + 1);
        }
        // SAFETY: `len < room`, and `start` points to `room` elements.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
    }

    pub(crate) fn extend(&mut self, values: &[T]) {
        if self.room - self.len < values.len() {
            self.grow(self.len + values.len());
        }
        // SAFETY: there is room for all of them, and a slice borrowed from elsewhere cannot overlap the spare room.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.start.add(self.len), values.len()) };
        self.len += values.len();
    }

    /// Makes the list `len` long, filling up with `value`.
    pub(crate) fn resize(&mut self, len: usize, value: T) {
        if len > self.room {
            self.grow(len);
        }
        for at in self.len..len {
            // SAFETY: `at < room`, and `start` points to `room` elements.
            unsafe { self.start.add(at).write(value) };
        }
        self.len = len;
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the element was initialised by `push`.
        Some(unsafe { self.start.add(self.len).read() })
    }

    pub(crate) fn swap_remove(&mut self, at: usize) -> T {
        let value = self[at];
        let last = self.len - 1;
        self[at] = self[last];
        self.len = last;
        value
    }

    #[cold]
    fn grow(&mut self, least: usize) {
        let room = least.max(self.room * 2).max(8);
        let layout = Layout::array::<T>(room).expect("a list fits into memory");
        // SAFETY: the layout is not empty (no list of zero-sized values is used), and the old block, if there is one,
        // came from the same allocator with the layout of the old room.
        let start = unsafe {
            if self.room == 0 {
                System.alloc(layout)
            } else {
                let old = Layout::array::<T>(self.room).expect("it fitted before");
                System.realloc(self.start.cast(), old, layout.size())
            }
        };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        self.start = start.cast();
        self.room = room;
    }
}

impl<T: Copy> Drop for List<T> {
    fn drop(&mut self) {
        if self.room != 0 {
            let layout = Layout::array::<T>(self.room).expect("it fitted before");
            // SAFETY: allocated by `grow` with this layout.
            unsafe { System.dealloc(self.start.cast(), layout) };
        }
    }
}

impl<T: Copy> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` elements are initialised.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T: Copy> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the first `len` elements are initialised, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Sink for List<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend(bytes);
    }
}

/// One step of a 64-bit hash: multiply by the golden ratio, fold the high bits down.
pub(crate) fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 29
}

/// Hash of a text.
pub(crate) fn hash_text(hash: u64, text: &str) -> u64 {
    text.bytes().fold(mix(hash, text.len() as u64), |hash, byte| mix(hash, u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_order_and_gives_back_what_it_took() {
        let mut list = List::new();
        (0..100u32).for_each(|value| list.push(value));
        list.extend(&[7, 8]);
        assert_eq!((list.len(), list[99], list[101]), (102, 99, 8));
        assert_eq!(list.swap_remove(0), 0);
        assert_eq!((list[0], list.pop()), (8, Some(7)));
    }
}

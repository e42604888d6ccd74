//! Records that a program makes many of, on their way to the file: into a piece of it that is mapped into memory.
//!
//! A piece is one frame, filled from the front. A record's length is written last and at once, and zero is none: so a
//! reader finds whole records and then nothing, whenever it looks and whatever becomes of the process.
//!
//! Guarantees: no system call but for a new piece; records stand in the order in which they were put.
//!
//! Misses: what does not fit into a piece, or where there is none, is for the caller to write.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Release};

use super::map::{PAGE, unmap};
use crate::event::{FRAME_LEN, Record, Sink};

/// Pieces grow up to this.
const LARGEST: usize = if PAGE > 1 << 17 { PAGE } else { 1 << 17 };
/// Bytes of a length, and what its place is a multiple of, so that it is written at once.
const LENGTH: usize = 4;

/// The piece that is being filled, if there is one.
pub(super) struct Frequent {
    start: *mut u8,
    len: usize,
    used: usize,
    /// Size of the next piece.
    next: usize,
}
// SAFETY: a piece is memory of its own, used under the lock that this stands in.
unsafe impl Send for Frequent {}

impl Frequent {
    pub(super) const fn new() -> Self {
        Frequent { start: ptr::null_mut(), len: 0, used: 0, next: PAGE }
    }

    /// The size that the next piece should have.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// Goes on in a new piece.
    ///
    /// # Safety
    /// `start` is mapped for [`Frequent::next`] bytes, begins at a page, and nobody else uses it; behind a frame's header
    /// it is zero.
    pub(super) unsafe fn go_on(&mut self, start: *mut u8) {
        if !self.start.is_null() {
            // SAFETY: it was mapped with this length, and what pointed to it is overwritten here.
            unsafe { unmap(self.start, self.len) };
        }
        *self = Frequent { start, len: self.next, used: FRAME_LEN, next: (self.next * 4).min(LARGEST) };
    }

    /// Puts a record down; tells whether there was room.
    pub(super) fn put(&mut self, record: &Record<'_>) -> bool {
        let end = self.used + LENGTH;
        if self.start.is_null() || end > self.len {
            return false;
        }
        let mut body = Body { start: self.start, at: end, end: self.len };
        record.body(&mut body);
        let end = body.at.next_multiple_of(LENGTH);
        if end > self.len {
            return false;
        }
        // More in a record than a reader knows of is skipped by it, so the padding is part of the record.
        let len = (end - self.used - LENGTH) as u32;
        // SAFETY: the place lies in the piece, at a multiple of the alignment from a page's begin; others only read it.
        let length = unsafe { AtomicU32::from_ptr(self.start.add(self.used).cast()) };
        length.store(len.to_le(), Release);
        self.used = end;
        true
    }
}

/// Takes a record's bytes, as far as they fit.
struct Body {
    start: *mut u8,
    /// Where the next byte goes, behind `end` where it does not fit.
    at: usize,
    end: usize,
}

impl Sink for Body {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let at = self.at;
        self.at += bytes.len();
        if self.at <= self.end {
            // SAFETY: these places lie in the piece, and what is read comes from elsewhere.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(at), bytes.len()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read_back_and_the_rest_is_nothing() {
        let mut page = vec![0u64; PAGE / 8];
        let mut frequent = Frequent::new();
        let segment = |id| Record::Segment { id, thread: 1, after: vec![id - 1, 0].into() };
        assert!(!frequent.put(&segment(1)));
        // SAFETY: it is as large as the first piece, and not used before the records are all there.
        unsafe { frequent.go_on(page.as_mut_ptr().cast()) };
        let count = (1..).take_while(|id| frequent.put(&segment(*id))).count();
        assert!(count > PAGE / 32);
        let bytes: Vec<u8> = page.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let mut rest = &bytes[FRAME_LEN..];
        for id in 1..=count as u32 {
            let (record, len) = Record::decode(rest).expect("a record");
            assert_eq!(record, segment(id));
            rest = &rest[len..];
        }
        assert!(rest.len() < 32 && rest.iter().take(LENGTH).all(|byte| *byte == 0));
    }
}

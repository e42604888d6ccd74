//! Reading the parts of a record.
//!
//! Guarantees: never reads past the end and never panics; a count cannot ask for more memory than the bytes back.

use std::borrow::Cow;

use super::{BlockedThread, Held, Mode, WaitKind};

/// What is left of a record.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn text(&mut self) -> Option<Cow<'static, str>> {
        let len = self.u32()? as usize;
        Some(String::from_utf8_lossy(self.take(len)?).into_owned().into())
    }

    pub(super) fn held(&mut self) -> Option<Held> {
        Some(Held { object: self.u32()?, site: self.u32()?, mode: Mode::from_u8(self.u8()?)? })
    }

    pub(super) fn blocked(&mut self) -> Option<BlockedThread<'static>> {
        let (thread, task) = (self.u32()?, self.u32()?);
        let (kind, mode) = (WaitKind::from_u8(self.u8()?), Mode::from_u8(self.u8()?)?);
        let (object, site) = (self.u32()?, self.u32()?);
        let held = self.list(9, Reader::held)?.into();
        Some(BlockedThread { thread, task, kind, object, mode, site, held })
    }

    /// A counted list whose elements take at least `least` bytes, so that a hostile count cannot ask for memory.
    pub(super) fn list<T>(&mut self, least: usize, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()? as usize;
        if count.checked_mul(least)? > self.0.len() {
            return None;
        }
        (0..count).map(|_| each(self)).collect()
    }
}

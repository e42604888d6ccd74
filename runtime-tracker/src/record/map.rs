//! Pieces of the trace file in memory.
//!
//! Guarantees: what is written to a piece is in the file as the kernel sees it, whatever becomes of the process. A piece is
//! written as zeros before it is mapped, on a file system that can reserve blocks, so a full disk is found there and not by
//! a signal.
//!
//! Misses: systems other than 64-bit Linux, where there are no pieces; a file that somebody else cuts short.

#[cfg(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64"))]
mod system {
    use std::ffi::{c_int, c_void};
    use std::fs::File;
    use std::os::fd::AsRawFd;

    unsafe extern "C" {
        fn mmap(at: *mut c_void, len: usize, protection: c_int, flags: c_int, file: c_int, offset: i64) -> *mut c_void;
        fn munmap(at: *mut c_void, len: usize) -> c_int;
        fn fallocate(file: c_int, mode: c_int, offset: i64, len: i64) -> c_int;
    }

    const KEEP_SIZE: c_int = 1;
    const READ_WRITE: c_int = 3;
    const SHARED: c_int = 1;

    /// Reserves room for a piece; tells whether there is any, and whether the file system can do that.
    pub(crate) fn reserve(file: &File, offset: u64, len: usize) -> bool {
        // SAFETY: a system call on a file that is open.
        unsafe { fallocate(file.as_raw_fd(), KEEP_SIZE, offset as i64, len as i64) == 0 }
    }

    /// Maps a piece of the file; its ends are multiples of [`super::PAGE`].
    pub(crate) fn map(file: &File, offset: u64, len: usize) -> Option<*mut u8> {
        // SAFETY: a new mapping, wherever the kernel puts it.
        let at = unsafe { mmap(std::ptr::null_mut(), len, READ_WRITE, SHARED, file.as_raw_fd(), offset as i64) };
        (at.addr() != usize::MAX).then_some(at.cast())
    }

    /// # Safety
    /// `at` and `len` are those of one [`map`], and nobody uses it any more.
    pub(crate) unsafe fn unmap(at: *mut u8, len: usize) {
        // SAFETY: as the caller promises.
        unsafe { munmap(at.cast(), len) };
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), target_pointer_width = "64")))]
mod system {
    use std::fs::File;

    pub(crate) fn reserve(_: &File, _: u64, _: usize) -> bool {
        false
    }

    pub(crate) fn map(_: &File, _: u64, _: usize) -> Option<*mut u8> {
        None
    }

    pub(crate) unsafe fn unmap(_: *mut u8, _: usize) {}
}

pub(crate) use system::{map, reserve, unmap};

/// Pieces begin and end at multiples of this; the largest page that a supported system has.
pub(crate) const PAGE: usize = if cfg!(target_arch = "x86_64") { 4096 } else { 65536 };

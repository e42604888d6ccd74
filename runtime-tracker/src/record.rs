//! The recorder: `LOCKCHECK_TRACE=FILE`.
//!
//! Guarantees: a frame is one `write` to a file opened for appending, so frames of several threads do not mix and
//! whatever was written survives a kill. Records are written at once; a thread's events are buffered and
//! written before it blocks, when the buffer is full, at its end and at the end of the process. Nothing is taken from
//! the global allocator and no tracked lock is used. A forked child writes nothing.
//! `%p` in the file name becomes the process number; without it, a second process that finds the file in
//! use by a living one writes to `FILE.<process number>`.
//!
//! Misses: the buffered events of a killed process (at most [`ROOM`] per thread, none of a blocked thread).

use std::cell::UnsafeCell;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::event::{EVENT_LEN, Event, FRAME_LEN, Frame, FrameKind, HEADER_LEN, Header, Record, RecordingMode};
use crate::raw::List;
use crate::threads;

/// Events that one thread's buffer holds.
pub(crate) const ROOM: usize = 4096;

static OPEN: AtomicBool = AtomicBool::new(false);
static FILE: OnceLock<File> = OnceLock::new();
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Whether anything is recorded.
#[inline]
pub(crate) fn is_on() -> bool {
    OPEN.load(Relaxed)
}

/// Creates the trace file. A file that cannot be created means that nothing is recorded (`false`).
pub(crate) fn open(path: OsString, mode: RecordingMode) -> bool {
    let process = std::process::id();
    let path = match path.to_str() {
        Some(text) if text.contains("%p") => PathBuf::from(text.replace("%p", &process.to_string())),
        _ if belongs_to_another(Path::new(&path), process) => {
            let mut path = path;
            path.push(format!(".{process}"));
            path.into()
        }
        _ => path.into(),
    };
    let Ok(file) = OpenOptions::new().create(true).write(true).truncate(true).open(&path) else { return false };
    drop(file);
    let Ok(mut file) = OpenOptions::new().append(true).open(&path) else { return false };
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let parent = 0;
    if file.write_all(&Header::new(mode, process, parent, started).encode()).is_err() || FILE.set(file).is_err() {
        return false;
    }
    PROCESS.store(process, Relaxed);
    OPEN.store(true, Release);
    unsafe extern "C" {
        fn atexit(run: extern "C" fn()) -> i32;
    }
    // SAFETY: `atexit` of the C library that `std` itself links; the function lives as long as the process.
    unsafe { atexit(at_exit) };
    true
}

/// Nothing more is recorded.
pub(crate) fn close() {
    OPEN.store(false, Relaxed);
}

/// Whether the file is the trace of another process that still runs.
fn belongs_to_another(path: &Path, process: u32) -> bool {
    let mut bytes = [0; HEADER_LEN];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    match Header::decode(&bytes) {
        Ok(header) if read.is_ok() && header.pid != process => Path::new("/proc").join(header.pid.to_string()).exists(),
        _ => false,
    }
}

fn write(bytes: &[u8]) {
    if !is_on() || std::process::id() != PROCESS.load(Relaxed) {
        return;
    }
    // A partly written frame would make the rest unreadable, so the first failure ends the recording.
    if FILE.get().is_none_or(|mut file| file.write_all(bytes).is_err()) {
        OPEN.store(false, Relaxed);
    }
}

/// Writes a record at once.
pub(crate) fn record(record: &Record<'_>) {
    records(std::slice::from_ref(record));
}

/// Writes records at once, in one frame.
pub(crate) fn records(records: &[Record<'_>]) {
    if !is_on() {
        return;
    }
    let len: usize = records.iter().map(Record::encoded_len).sum();
    let mut bytes = List::<u8>::new();
    bytes.extend(&Frame::new(FrameKind::Records, threads::known_number(), len as u32).encode());
    records.iter().for_each(|record| record.encode(&mut bytes));
    write(&bytes);
}

/// A thread's events on their way to the file. Only the owning thread adds; whoever holds `flushed` may write out.
pub(crate) struct Buffer {
    len: AtomicUsize,
    /// How many of the events are in the file already.
    flushed: Mutex<usize>,
    /// A frame header's place, then the events.
    words: [UnsafeCell<[AtomicU64; 2]>; ROOM + 1],
}
// SAFETY: words are atomic; the plain view of them in `flush_to` covers only events below `len` and the header in
// front of them, which nobody writes while `flushed` is locked.
unsafe impl Sync for Buffer {}

const _: () = assert!(FRAME_LEN == EVENT_LEN && EVENT_LEN == 16);

impl Buffer {
    /// A new buffer, which is never given back (thread records are used again).
    pub(crate) fn allocate() -> Option<&'static Buffer> {
        use std::alloc::{GlobalAlloc, Layout, System};
        // SAFETY: the layout is not empty; all bytes zero are an empty buffer with an unlocked mutex only where the
        // mutex says so, hence the explicit write of the two first fields.
        unsafe {
            let buffer = System.alloc_zeroed(Layout::new::<Buffer>()).cast::<Buffer>();
            if buffer.is_null() {
                return None;
            }
            (&raw mut (*buffer).len).write(AtomicUsize::new(0));
            (&raw mut (*buffer).flushed).write(Mutex::new(0));
            Some(&*buffer)
        }
    }

    /// Adds an event. Only for the owning thread.
    #[inline(always)]
    pub(crate) fn add(&self, event: Event) {
        let mut len = self.len.load(Relaxed);
        if len >= ROOM {
            self.flush(threads::known_number());
            len = 0;
        }
        let low = u64::from(event.raw_op) | u64::from(event.raw_mode) << 8 | u64::from(event.flags) << 16;
        let low = low | u64::from(event.object) << 32;
        let high = u64::from(event.site) | u64::from(event.seq) << 32;
        // SAFETY: `len < ROOM`, so the place exists.
        let words = unsafe { &*self.words.get_unchecked(len + 1).get() };
        words[0].store(low.to_le(), Relaxed);
        words[1].store(high.to_le(), Relaxed);
        self.len.store(len + 1, Release);
    }

    /// Writes everything out and begins anew. Only for the owning thread.
    #[cold]
    #[inline(never)]
    pub(crate) fn flush(&self, thread: u32) {
        let mut flushed = self.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        self.flush_to(*flushed, self.len.load(Relaxed), thread);
        *flushed = 0;
        self.len.store(0, Relaxed);
    }

    /// Writes out what is there, while the owner may go on adding.
    fn flush_from_outside(&self, thread: u32) {
        let Ok(mut flushed) = self.flushed.try_lock() else { return };
        let len = self.len.load(Acquire);
        self.flush_to(*flushed, len, thread);
        *flushed = len;
    }

    fn flush_to(&self, from: usize, to: usize, thread: u32) {
        if from >= to {
            return;
        }
        let header = Frame::new(FrameKind::Events, thread, ((to - from) * EVENT_LEN) as u32).encode();
        let half = |at: usize| u64::from_ne_bytes(std::array::from_fn(|byte| header[at + byte]));
        // SAFETY: the event in front of `from` is in the file already (or is the header's own place), and the caller
        // holds `flushed`, so the place may be overwritten.
        let words = unsafe { &*self.words[from].get() };
        words[0].store(half(0), Relaxed);
        words[1].store(half(8), Relaxed);
        // SAFETY: these places are initialised and are not written while `flushed` is held: the owner adds behind `to`.
        let bytes = unsafe {
            std::slice::from_raw_parts(self.words.as_ptr().add(from).cast::<u8>(), (to - from + 1) * EVENT_LEN)
        };
        write(bytes);
    }
}

/// Writes out what the threads have buffered, at the end of the process.
pub(crate) fn flush_all() {
    threads::each(Duration::from_millis(200), |thread| {
        if let Some(buffer) = thread.buffer() {
            buffer.flush_from_outside(thread.number());
        }
    });
}

/// The orderly end of the process.
extern "C" fn at_exit() {
    if is_on() && std::process::id() == PROCESS.load(Relaxed) {
        flush_all();
        record(&Record::End);
        close();
    }
}

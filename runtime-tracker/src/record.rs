//! The recorder: `LOCKCHECK_TRACE=FILE`.
//!
//! Guarantees: frames of several threads do not mix, and whatever was recorded survives a kill: records are written at once,
//! to a file opened for appending, and events, as records that there are many of, go into pieces of the file that are mapped into
//! memory (where that cannot be, see [`buffer`] and [`frequent`]). Nothing is taken from the global allocator and no tracked lock is used. A forked child
//! writes nothing. Memory does not grow with the trace.
//! `%p` in the file name becomes the process number; without it, a second process that finds the file in
//! use by a living one writes to `FILE.<process number>`.
//!
//! Misses: a limit to the size of the file.

pub(crate) mod buffer;
mod frequent;
mod map;

pub(crate) use map::PAGE;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::event::{FRAME_LEN, Frame, FrameKind, HEADER_LEN, Header, Record, RecordingMode};
use crate::raw::List;
use crate::record::frequent::Frequent;
use crate::{stats, threads};

static OPEN: AtomicBool = AtomicBool::new(false);
static FILE: OnceLock<File> = OnceLock::new();
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// Whatever is written is written while this is locked.
static END: Mutex<End> = Mutex::new(End { at: None, tried: false, frequent: Frequent::new() });

struct End {
    /// How long the file is; `None` where it cannot be mapped.
    at: Option<u64>,
    /// Whether it can be mapped is known.
    tried: bool,
    frequent: Frequent,
}

fn end() -> MutexGuard<'static, End> {
    END.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    // A pipe or device is opened once, and only for writing; a file is made empty and, to be mapped, also read.
    let special = std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file());
    let open = |read| OpenOptions::new().append(true).read(read).open(&path);
    if !special && OpenOptions::new().create(true).write(true).truncate(true).open(&path).is_err() {
        return false;
    }
    let Ok(mut file) = open(!special).or_else(|_| open(false)) else { return false };
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let parent = 0;
    if file.write_all(&Header::new(mode, process, parent, started).encode()).is_err() {
        return false;
    }
    end().at = (!special).then_some(HEADER_LEN as u64);
    if FILE.set(file).is_err() {
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
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut bytes = [0; HEADER_LEN];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    match Header::decode(&bytes) {
        Ok(header) if read.is_ok() && header.pid != process => Path::new("/proc").join(header.pid.to_string()).exists(),
        _ => false,
    }
}

/// Whether this is the process that the trace is of.
fn is_mine() -> bool {
    is_on() && std::process::id() == PROCESS.load(Relaxed)
}

fn write(bytes: &[u8]) {
    if is_mine() {
        let mut end = end();
        append(bytes);
        if let Some(at) = &mut end.at {
            *at += bytes.len() as u64;
        }
    }
}

fn append(bytes: &[u8]) {
    // A partly written frame would make the rest unreadable, so the first failure ends the recording.
    if FILE.get().is_none_or(|mut file| file.write_all(bytes).is_err()) {
        close();
    }
}

/// What a piece begins as; tells whether there was room. Written, so that the kernel has the pages at once and in large
/// parts: a file that is only made longer costs a fault and some work of the file system for each page.
fn append_zeros(mut file: &File, mut left: usize) -> bool {
    static ZEROS: [u8; map::PAGE] = [0; map::PAGE];
    while left != 0 {
        let mut parts = [IoSlice::new(&[]); 32];
        let mut rest = left;
        for part in &mut parts {
            *part = IoSlice::new(&ZEROS[..rest.min(ZEROS.len())]);
            rest -= part.len();
        }
        match file.write_vectored(&parts) {
            Ok(written) if written != 0 => left -= written,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return false,
        }
    }
    true
}

/// Writes a record at once.
#[inline]
pub(crate) fn record(record: &Record<'_>) {
    if is_on() && !is_put(record) {
        records(std::slice::from_ref(record));
    }
}

/// Puts a record of a kind that there are many of down without a system call, where that can be.
fn is_put(record: &Record<'_>) -> bool {
    // Whoever looks into the file meanwhile finds the others by their own frames.
    if !matches!(record, Record::Edge { .. } | Record::Object { .. } | Record::Segment { .. }) {
        return false;
    }
    let mut end = end();
    if end.frequent.put(record) {
        return true;
    }
    let len = end.frequent.next();
    if end.at.is_none() || record.encoded_len() > len / 2 {
        return false;
    }
    let Some(start) = end.piece(FrameKind::Records, 0, len) else { return false };
    // SAFETY: a new mapping of this length that nobody else knows; the file was empty there but for the header.
    unsafe { end.frequent.go_on(start) };
    end.frequent.put(record)
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

/// A new piece of the file, the header of its frame included; `None` where the file cannot be mapped.
pub(crate) fn piece(kind: FrameKind, thread: u32, len: usize) -> Option<*mut u8> {
    end().piece(kind, thread, len)
}

impl End {
    /// See [`piece`].
    fn piece(&mut self, kind: FrameKind, thread: u32, len: usize) -> Option<*mut u8> {
        let file = FILE.get().filter(|_| is_mine())?;
        let at = self.at?;
        let begin = begin_of_piece(at);
        // Whether the file system keeps room for what has been written; then a full disk is found here, and not by a signal.
        if !self.tried && !map::reserve(file, at, (begin - at) as usize + len) {
            self.at = None;
            return None;
        }
        self.tried = true;
        // What a reader finds in front of the piece is a frame to be skipped; see `FrameKind::from_u8`.
        let gap = Frame { kind: None, thread: 0, len: (begin - at) as u32 - FRAME_LEN as u32 };
        let header = Frame::new(kind, thread, (len - FRAME_LEN) as u32);
        let mut bytes = List::<u8>::new();
        bytes.extend(&gap.encode());
        bytes.resize((begin - at) as usize, 0);
        bytes.extend(&header.encode());
        append(&bytes);
        if is_on() && !append_zeros(file, len - FRAME_LEN) {
            self.at = None;
            if file.set_len(at).is_err() {
                close();
            }
        }
        if !is_on() || self.at.is_none() {
            return None;
        }
        self.at = Some(begin + len as u64);
        let piece = map::map(file, begin, len);
        if piece.is_none() {
            // The piece stays empty in the file.
            self.at = None;
        }
        piece
    }
}

/// Where the next piece can begin: at a page, with room for a frame's header in front.
fn begin_of_piece(end: u64) -> u64 {
    (end + FRAME_LEN as u64).next_multiple_of(map::PAGE as u64)
}

/// Writes a frame at once.
pub(crate) fn frame(kind: FrameKind, thread: u32, payload: &[u8]) {
    let mut bytes = List::<u8>::new();
    bytes.extend(&Frame::new(kind, thread, payload.len() as u32).encode());
    bytes.extend(payload);
    write(&bytes);
}

/// Writes out what the threads have buffered, at the end of the process.
pub(crate) fn flush_all() {
    threads::each(Duration::from_millis(200), |thread| {
        if let Some(buffer) = thread.buffer() {
            buffer.flush_from_outside();
        }
    });
}

/// The orderly end of the process.
extern "C" fn at_exit() {
    if is_mine() {
        flush_all();
        stats::write_out();
        record(&Record::End);
        close();
    }
}

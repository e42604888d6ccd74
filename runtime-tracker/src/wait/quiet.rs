//! Threads that the tracker does not know: could one of them still help those that wait for anyone?
//!
//! A program whose every crate is compiled against the tracker knows all threads that Rust code starts. What is left are
//! those of precompiled crates, as the main thread of a test program, which only waits for its tests, and those of C
//! libraries. Such a thread is *quiet* if it sleeps in a futex, as threads do that wait for others and not for time or
//! input, and has not run for [`QUIET`].
//!
//! Guarantees: asks the system about each thread; what it does not tell counts as not quiet. No global allocation.
//!
//! Misses: a quiet thread that sleeps with a time limit and would help after it: what rests on quiet threads is recorded as
//! such ([`Rests`]). Linux on 64 bits only; elsewhere no thread is quiet.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// On how many quiet threads the answer of the reduction rests that runs now, under the table's lock; the highest bit says
/// that one of them is not the main thread.
static RESTS: AtomicU32 = AtomicU32::new(0);
const OTHERS: u32 = 1 << 31;

/// What a reported deadlock rests on beside the threads that stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rests(u32);

impl Rests {
    /// On nothing else.
    #[cfg(feature = "tokio")]
    pub(crate) const NOTHING: Rests = Rests(0);

    /// The number of quiet threads.
    pub(super) fn count(self) -> u32 {
        self.0 & !OTHERS
    }

    /// Whether there is only the main thread of a test program, which waits for its tests.
    pub(super) fn is_main_only(self) -> bool {
        self.0 == 1
    }
}

/// Whether the main thread only waits for tests: whoever started the program says so.
static IS_TEST_PROGRAM: AtomicBool = AtomicBool::new(false);

/// The program's main thread is known to do nothing but to start tests and to wait for them.
pub(crate) fn set_test_program() {
    IS_TEST_PROGRAM.store(true, Relaxed);
}

/// A new reduction begins.
pub(super) fn begin() {
    RESTS.store(0, Relaxed);
}

/// What the last reduction rests on.
pub(super) fn rests() -> Rests {
    Rests(RESTS.load(Relaxed))
}

/// Whether all threads of the process but `tracked` many, which are all blocked, are quiet.
#[cfg(all(lockcheck_shim, target_os = "linux", target_pointer_width = "64"))]
pub(super) fn are_others(tracked: usize, all: usize) -> bool {
    match linux::quiet(tracked, all) {
        Some(rests) => {
            RESTS.store(rests, Relaxed);
            true
        }
        None => false,
    }
}

#[cfg(not(all(lockcheck_shim, target_os = "linux", target_pointer_width = "64")))]
pub(super) fn are_others(_: usize, _: usize) -> bool {
    false
}

#[cfg(all(lockcheck_shim, target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::ffi::{CStr, c_char, c_void};
    use std::fmt::Write as _;
    use std::fs::File;
    use std::io::Read;
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use crate::raw::{List, hash_text};
    use crate::threads;

    /// So long a thread must not have run, where it is the main thread and where it is any other.
    const QUIET: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(3)];
    /// More threads than this are not looked at.
    const MOST: usize = 256;
    const FUTEX: i64 = if cfg!(target_arch = "x86_64") { 202 } else { 98 };

    static SEEN: Mutex<(u64, Option<Instant>)> = Mutex::new((0, None));

    /// As in the C library, for 64 bits.
    #[repr(C)]
    struct Entry {
        inode: u64,
        offset: i64,
        length: u16,
        kind: u8,
        name: [c_char; 256],
    }

    unsafe extern "C" {
        fn opendir(path: *const c_char) -> *mut c_void;
        fn readdir(folder: *mut c_void) -> *const Entry;
        fn closedir(folder: *mut c_void) -> i32;
    }

    /// `None`: one of them may be able to go on.
    pub(super) fn quiet(tracked: usize, all: usize) -> Option<u32> {
        let unknown = all.checked_sub(tracked).filter(|unknown| (1..=MOST).contains(unknown))?;
        let mut known = List::new();
        threads::each(Duration::from_millis(50), |thread| known.push(thread.system_number()));
        let process = std::process::id();
        let (mut found, mut state) = (0, 0);
        let mut main_only = super::IS_TEST_PROGRAM.load(super::Relaxed);
        for thread in threads_of_process()?.iter().copied().filter(|thread| !known.contains(thread)) {
            found += 1;
            state = hash_text(state ^ u64::from(thread), runs_of_sleeping(thread)?.as_str());
            main_only &= thread == process;
        }
        if found != unknown {
            return None;
        }
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != state || seen.1.is_none() {
            *seen = (state, Some(Instant::now()));
        }
        let since = seen.1?;
        let needed = if main_only { QUIET[0] } else { QUIET[1] };
        (since.elapsed() >= needed).then_some(found as u32 | if main_only { 0 } else { super::OTHERS })
    }

    fn threads_of_process() -> Option<List<u32>> {
        let mut threads = List::new();
        // SAFETY: as POSIX has it: the path ends with a zero, the folder is closed once, and an entry is read before the
        // next one is asked for. Nobody else has this folder.
        unsafe {
            let folder = opendir(c"/proc/self/task".as_ptr());
            if folder.is_null() {
                return None;
            }
            while let Some(entry) = readdir(folder).as_ref() {
                let name = CStr::from_ptr(entry.name.as_ptr()).to_str().ok();
                if let Some(thread) = name.and_then(|name| name.parse().ok()) {
                    threads.push(thread);
                }
            }
            closedir(folder);
        }
        Some(threads)
    }

    /// How often a thread that sleeps in a futex has run; `None` where it does not, or where nobody says.
    fn runs_of_sleeping(thread: u32) -> Option<Text> {
        let call = read(thread, "syscall")?;
        let number: i64 = call.as_str().split_ascii_whitespace().next()?.parse().ok()?;
        if number != FUTEX {
            return None;
        }
        let status = read(thread, "status")?;
        let mut runs = Text::new();
        for line in status.as_str().lines().filter(|line| line.contains("ctxt_switches")) {
            runs.write_str(line).ok()?;
        }
        Some(runs)
    }

    fn read(thread: u32, file: &str) -> Option<Text> {
        let mut path = Text::new();
        write!(path, "/proc/self/task/{thread}/{file}").ok()?;
        let mut text = Text::new();
        text.length = File::open(path.as_str()).ok()?.read(&mut text.bytes).ok()?;
        Some(text)
    }

    /// Text without an allocator.
    struct Text {
        bytes: [u8; 2048],
        length: usize,
    }

    impl Text {
        fn new() -> Self {
            Text { bytes: [0; 2048], length: 0 }
        }

        fn as_str(&self) -> &str {
            std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
        }
    }

    impl std::fmt::Write for Text {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let end = self.length + text.len();
            self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
            self.length = end;
            Ok(())
        }
    }
}

//! What the environment asks for: `LOCKCHECK`, `LOCKCHECK_TRACE`, `LOCKCHECK_STATS`, `LOCKCHECK_ON_DEADLOCK`; and what
//! `lockcheck run` says of the program, `LOCKCHECK_TEST_PROGRAM`: its main thread only waits for its tests.
//!
//! Guarantees: read once, at the first tracked operation of the process; an unknown value means the default. A thread
//! that comes while another one reads waits at most some milliseconds and then works untracked, because the reader
//! may be inside an allocator that needs what the other thread holds.
//!
//! Misses: a change of the environment after that.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use crate::event::{DeadlockAction, RecordingMode};
use crate::wait::quiet;
use crate::{record, schedule, threads};

/// Locks are locks and nothing else.
pub(crate) const OFF: u8 = 0;
/// Held sets, order edges, deadlocks.
pub(crate) const ORDER: u8 = 1;
/// Not yet known. The two modes below it are the ones that the hot path handles itself.
pub(crate) const UNREAD: u8 = 2;
/// As [`ORDER`], and every event.
pub(crate) const TRACE: u8 = 3;

/// As [`ORDER`] or [`TRACE`], and something is to be done at each lock that is not for the hot path.
const CAREFUL: u8 = 4;

/// Whether every event is recorded where the mode is [`CAREFUL`].
static TRACES: AtomicBool = AtomicBool::new(false);
static COUNTS: AtomicBool = AtomicBool::new(false);
static MODE: AtomicU8 = AtomicU8::new(UNREAD);
static ON_DEADLOCK: AtomicU8 = AtomicU8::new(DeadlockAction::Panic as u8);
static READING: AtomicBool = AtomicBool::new(false);

/// The mode as far as it is known: for the hot path, which treats [`UNREAD`] like every other rare case.
#[inline(always)]
pub(crate) fn mode() -> u8 {
    MODE.load(Relaxed)
}

/// The mode, read from the environment if nobody did yet.
#[inline]
pub(crate) fn ready() -> u8 {
    match mode() {
        UNREAD => read(),
        mode => mode,
    }
}

/// Whether anything is tracked.
#[inline]
pub(crate) fn is_on() -> bool {
    matches!(mode(), ORDER | TRACE | CAREFUL)
}

/// Whether every event is recorded.
#[inline(always)]
pub(crate) fn traces() -> bool {
    mode() == TRACE || (mode() == CAREFUL && TRACES.load(Relaxed))
}

/// Whether what locks cost is counted.
#[inline(always)]
pub(crate) fn counts() -> bool {
    mode() == CAREFUL && COUNTS.load(Relaxed)
}

/// What to do about an observed deadlock.
pub(crate) fn on_deadlock() -> DeadlockAction {
    match ON_DEADLOCK.load(Relaxed) {
        1 => DeadlockAction::Report,
        3 => DeadlockAction::Abort,
        _ => DeadlockAction::Panic,
    }
}

#[cold]
fn read() -> u8 {
    if threads::is_busy() {
        return OFF;
    }
    if READING.swap(true, Relaxed) {
        for _ in 0..40 {
            if mode() != UNREAD {
                return mode();
            }
            std::thread::sleep(Duration::from_micros(250));
        }
        return OFF;
    }
    threads::busy(|| {
        let value = |name: &str| std::env::var(name).unwrap_or_default();
        let mode = match value("LOCKCHECK").as_str() {
            "off" | "0" => OFF,
            "trace" => TRACE,
            _ => ORDER,
        };
        let action = match value("LOCKCHECK_ON_DEADLOCK").as_str() {
            "report" => DeadlockAction::Report,
            "abort" => DeadlockAction::Abort,
            _ => DeadlockAction::Panic,
        };
        ON_DEADLOCK.store(action as u8, Relaxed);
        if value("LOCKCHECK_TEST_PROGRAM") == "1" {
            quiet::set_test_program();
        }
        let path = std::env::var_os("LOCKCHECK_TRACE").filter(|path| !path.is_empty());
        let recording = match path {
            Some(path) if mode == TRACE => record::open(path, RecordingMode::Trace),
            Some(path) if mode == ORDER => record::open(path, RecordingMode::Order),
            _ => false,
        };
        // Events that go nowhere need not be made.
        let mode = if mode == TRACE && !recording { ORDER } else { mode };
        TRACES.store(mode == TRACE, Relaxed);
        if mode == TRACE {
            schedule::open(&value("LOCKCHECK_SCHEDULE"));
        }
        COUNTS.store(recording && !matches!(value("LOCKCHECK_STATS").as_str(), "" | "0"), Relaxed);
        let mode = if COUNTS.load(Relaxed) || schedule::is_on() { CAREFUL } else { mode };
        if mode != OFF {
            off_after_fork();
        }
        MODE.store(mode, Relaxed);
        mode
    })
}

/// A forked child has one thread and copies of locks that other threads may have held, so it tracks nothing.
fn off_after_fork() {
    // An interpreter has no other processes.
    #[cfg(all(unix, not(miri)))]
    {
        type Handler = Option<unsafe extern "C" fn()>;
        unsafe extern "C" {
            fn pthread_atfork(before: Handler, parent: Handler, child: Handler) -> i32;
        }
        unsafe extern "C" fn child() {
            MODE.store(OFF, Relaxed);
            record::close();
            // The pieces of the file that the parent writes to are the child's as well.
            threads::add_no_more_events();
        }
        // SAFETY: as POSIX has it; the handler only stores to atomics and to a thread-local that is there already.
        unsafe { pthread_atfork(None, None, Some(child)) };
    }
}

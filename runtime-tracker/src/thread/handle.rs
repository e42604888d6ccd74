//! [`Thread`], and [`park`]ing.
//!
//! Guarantees: `std`'s API. A thread that is parked without a time limit is part of an observed deadlock where no other
//! thread of the process can go on any more; what came before an `unpark` is never reported against what comes after
//! the `park` that it ended.
//!
//! Misses: a thread that is parked here is not woken by the `unpark` of a [`std::thread::Thread`]: programs should take both
//! from here. The other way round works.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::event::{Event, Op, WaitKind};
use crate::park::{self, Priority, Wake};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, threads};

/// What an `unpark` leaves for the thread.
pub(super) struct Token {
    is_there: AtomicBool,
    /// What whoever left it had done by then.
    segment: AtomicU32,
    /// The thread's number, 0 where it is not tracked.
    number: u32,
}

thread_local! {
    static CURRENT: OnceCell<Arc<Token>> = const { OnceCell::new() };
}

impl Token {
    pub(super) fn new(number: u32) -> Arc<Self> {
        Arc::new(Token { is_there: AtomicBool::new(false), segment: AtomicU32::new(0), number })
    }

    /// The calling thread is the one that the token was made for.
    pub(super) fn adopt(self: &Arc<Self>) {
        let _ = CURRENT.try_with(|current| current.set(self.clone()));
    }

    fn of_current() -> Arc<Self> {
        let new = || Token::new(if threads::is_tracked() { threads::me().number() } else { 0 });
        // At the very end of a thread nobody can have its handle any more.
        CURRENT.try_with(|current| current.get_or_init(new).clone()).unwrap_or_else(|_| new())
    }

    fn take(&self) -> bool {
        self.is_there.swap(false, Acquire)
    }
}

/// A handle to a thread; as [`std::thread::Thread`].
#[derive(Clone)]
pub struct Thread {
    inner: std::thread::Thread,
    token: Arc<Token>,
}

impl Thread {
    pub(super) fn new(inner: std::thread::Thread, token: Arc<Token>) -> Self {
        Thread { inner, token }
    }

    /// The thread's identifier.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// The thread's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// Ends the thread's [`park`], or its next one.
    ///
    /// ```
    /// use lockcheck_tracker::thread;
    ///
    /// let parked = thread::spawn(thread::park);
    /// parked.thread().unpark();
    /// parked.join().unwrap();
    /// ```
    #[track_caller]
    pub fn unpark(&self) {
        let token = &self.token;
        let before = threads::publish();
        if before != 0 {
            token.segment.store(before, Relaxed);
        }
        if token.number != 0 {
            threads::emit_at(Event::new(Op::Unpark, token.number, 0, 0), Site::here());
        }
        token.is_there.store(true, Release);
        park::wake_one(Arc::as_ptr(token).addr(), || 0);
        // For parks of foreign code, and for those of a process that tracks nothing; any other is free to return.
        self.inner.unpark();
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

/// A handle to the calling thread; see [`std::thread::current`].
#[must_use]
pub fn current() -> Thread {
    Thread { inner: std::thread::current(), token: Token::of_current() }
}

/// Waits for an [`Thread::unpark`]; see [`std::thread::park`].
///
/// # Panics
/// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
#[track_caller]
pub fn park() {
    wait_for_token(None, Site::here());
}

/// As [`park`], for at most `limit`.
#[track_caller]
pub fn park_timeout(limit: Duration) {
    match Instant::now().checked_add(limit) {
        Some(until) => wait_for_token(Some(until), Site::here()),
        None => wait_for_token(None, Site::here()),
    }
}

/// As [`park_timeout`], in milliseconds.
#[deprecated(note = "replaced by `lockcheck_tracker::thread::park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(ms.into()));
}

#[track_caller]
fn wait_for_token(until: Option<Instant>, site: Site) {
    let token = Token::of_current();
    if config::ready() == config::OFF {
        if !token.take() {
            match until {
                None => std::thread::park(),
                Some(until) => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
            }
            token.take();
        }
        return;
    }
    threads::emit_at(Event::new(Op::Park, token.number, 0, 0), site);
    let goal = Goal::Anyone { kind: WaitKind::Park, object: token.number };
    let wait = Wait { goal, site, address: Arc::as_ptr(&token).addr() };
    loop {
        if token.take() {
            threads::emit_at(Event::new(Op::Unparked, token.number, 0, 0), site);
            threads::receive(token.segment.load(Relaxed));
            return;
        }
        if wait::sleep(wait, Priority::Back, until, || !token.is_there.load(Acquire), || {}) == Wake::TimedOut {
            token.take();
            return;
        }
    }
}

//! Drop-in for [`std::thread`]: tracked [`spawn`], [`scope`], [`Builder`], [`park`] and [`Thread`], and everything else of
//! `std::thread` as it is.
//!
//! Guarantees: fork and join are recorded with their places and order the segments of the threads, so that what is joined
//! before something else starts is never reported against it; a join that can never end is detected. The end
//! of a scope counts as the join of its threads.
//!
//! Misses: what destructors of a thread's thread-locals do.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex, PoisonError};

mod handle;

pub use std::thread::*;

use handle::Token;
#[expect(deprecated, reason = "std has it as well")]
pub use handle::park_timeout_ms;
pub use handle::{Thread, current, park, park_timeout};

use crate::event::{Event, Op};
use crate::park::{self, Priority};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, names, threads};

/// The end of a tracked thread, as those see it who wait for it.
struct End {
    number: u32,
    segment: AtomicU32,
    done: AtomicBool,
    joined: AtomicBool,
}

/// What a new thread takes with it.
struct Fork {
    end: Arc<End>,
    segment: u32,
}

/// Announces a new thread; `None` where nothing is tracked.
fn fork(site: Site, name: Option<&str>) -> Option<Fork> {
    if config::ready() == config::OFF || !threads::is_tracked() {
        return None;
    }
    let before = threads::segment();
    let number = threads::new_number();
    names::thread(number, threads::me().number(), site, name.unwrap_or(""));
    let segment = names::segment(number, &[before]);
    threads::next_segment(&[]);
    threads::emit_at(Event::new(Op::Fork, number, 0, 0), site);
    let end = End { number, segment: AtomicU32::new(0), done: AtomicBool::new(false), joined: AtomicBool::new(false) };
    Some(Fork { end: Arc::new(end), segment })
}

/// What a new thread takes with it, and what stays here to wait for its end.
fn prepare(site: Site, name: Option<&str>) -> (Start, Option<Arc<End>>) {
    let fork = fork(site, name);
    let end = fork.as_ref().map(|fork| fork.end.clone());
    let token = Token::new(end.as_ref().map_or(0, |end| end.number));
    (Start { fork, token }, end)
}

struct Start {
    fork: Option<Fork>,
    token: Arc<Token>,
}

/// Runs a thread's work as what `prepare` announced.
fn run<T>(start: Start, work: impl FnOnce() -> T) -> T {
    struct AtEnd(Arc<End>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            self.0.segment.store(threads::segment(), Relaxed);
            threads::end();
            self.0.done.store(true, Release);
            park::wake_all(Arc::as_ptr(&self.0).addr(), || 0);
        }
    }
    start.token.adopt();
    let Some(fork) = start.fork else { return work() };
    threads::adopt(fork.end.number, fork.segment);
    let _at_end = AtEnd(fork.end);
    work()
}

impl End {
    /// Waits for the thread's end.
    #[track_caller]
    fn wait(self: &Arc<Self>, site: Site, scope: bool) {
        if self.joined.load(Relaxed) {
            return;
        }
        threads::emit_at(Event::new(Op::JoinRequest, self.number, 0, 0), site);
        let goal = Goal::Thread { number: self.number, scope };
        let wait = Wait { goal, site, address: Arc::as_ptr(self).addr() };
        while !self.done.load(Acquire) {
            wait::sleep(wait, Priority::Back, None, || !self.done.load(Acquire), || {});
        }
        self.joined.store(true, Relaxed);
        threads::emit_at(Event::new(Op::Join, self.number, 0, 0), site);
        if threads::is_tracked() {
            threads::next_segment(&[self.segment.load(Relaxed)]);
        }
    }
}

/// Starts a thread; see [`std::thread::spawn`].
///
/// ```
/// use lockcheck_tracker::thread;
///
/// assert_eq!(thread::spawn(|| 6 * 7).join().unwrap(), 42);
/// ```
///
/// # Panics
/// Where the system cannot start a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// Tracked [`std::thread::Builder`].
#[must_use = "must eventually spawn the thread"]
#[derive(Debug)]
pub struct Builder {
    inner: std::thread::Builder,
    name: Option<String>,
}

impl Builder {
    /// A thread with default settings.
    #[expect(clippy::new_without_default, reason = "std's Builder has no Default either")]
    pub fn new() -> Self {
        Builder { inner: std::thread::Builder::new(), name: None }
    }

    /// Names the thread.
    pub fn name(self, name: String) -> Self {
        Builder { inner: self.inner.name(name.clone()), name: Some(name) }
    }

    /// Sets the size of the thread's stack in bytes.
    pub fn stack_size(self, size: usize) -> Self {
        Builder { inner: self.inner.stack_size(size), ..self }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (start, end) = prepare(Site::here(), self.name.as_deref());
        let token = start.token.clone();
        let inner = self.inner.spawn(move || run(start, f))?;
        let thread = Thread::new(inner.thread().clone(), token);
        Ok(JoinHandle { inner, thread, end })
    }

    /// Starts the thread without lifetime bounds.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    ///
    /// # Safety
    /// As [`std::thread::Builder::spawn_unchecked`].
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let (start, end) = prepare(Site::here(), self.name.as_deref());
        let token = start.token.clone();
        // SAFETY: passed on to the caller.
        let inner = unsafe { self.inner.spawn_unchecked(move || run(start, f)) }?;
        let thread = Thread::new(inner.thread().clone(), token);
        Ok(JoinHandle { inner, thread, end })
    }

    /// Starts a thread of a scope.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (start, end) = prepare(Site::here(), self.name.as_deref());
        let token = start.token.clone();
        let inner = self.inner.spawn_scoped(scope.inner, move || run(start, f))?;
        if let Some(end) = &end {
            scope.threads.lock().unwrap_or_else(PoisonError::into_inner).push(end.clone());
        }
        let thread = Thread::new(inner.thread().clone(), token);
        Ok(ScopedJoinHandle { inner, thread, end })
    }
}

/// Tracked [`std::thread::JoinHandle`].
pub struct JoinHandle<T> {
    inner: std::thread::JoinHandle<T>,
    thread: Thread,
    end: Option<Arc<End>>,
}

impl<T> JoinHandle<T> {
    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the thread's end; an error with the payload where it panicked.
    ///
    /// # Errors
    /// The payload of the panic.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        if let Some(end) = &self.end {
            end.wait(Site::here(), false);
        }
        self.inner.join()
    }

    /// Whether the thread's function has returned.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

#[cfg(unix)]
impl<T> std::os::unix::thread::JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}

/// Tracked [`std::thread::Scope`].
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope std::thread::Scope<'scope, 'env>,
    threads: Mutex<Vec<Arc<End>>>,
}

/// Runs `f` with a scope whose threads may borrow, and waits for all of them; see [`std::thread::scope`].
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let site = Site::here();
    let mut place = Place(MaybeUninit::uninit());
    let place = &mut place.0;
    std::thread::scope(move |inner| {
        // SAFETY: `place` lives longer than `inner`, and nobody else uses it meanwhile; the lifetimes in its type are only
        // erased because the one of `inner` cannot be named outside.
        let scope = unsafe { in_place(place, Scope { inner, threads: Mutex::new(Vec::new()) }) };
        let result = catch_unwind(AssertUnwindSafe(|| f(scope)));
        // A thread of the scope may have started further ones meanwhile.
        loop {
            let next = scope.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(end) = next else { break };
            end.wait(site, true);
        }
        // The place is never dropped, so give back what the list took.
        *scope.threads.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
        result.unwrap_or_else(|payload| resume_unwind(payload))
    })
}

/// Where a scope lives. What it holds is one empty vector at the end, so nothing is dropped.
struct Place(MaybeUninit<Scope<'static, 'static>>);

unsafe fn in_place<'scope, 'env>(
    place: &mut MaybeUninit<Scope<'static, 'static>>,
    scope: Scope<'scope, 'env>,
) -> &'scope Scope<'scope, 'env> {
    let place = place.as_mut_ptr().cast::<Scope<'scope, 'env>>();
    // SAFETY: by the caller, the place is free and lives as long as `'scope`.
    unsafe {
        place.write(scope);
        &*place
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a thread of the scope.
    ///
    /// # Panics
    /// Where the system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

/// Tracked [`std::thread::ScopedJoinHandle`].
pub struct ScopedJoinHandle<'scope, T> {
    inner: std::thread::ScopedJoinHandle<'scope, T>,
    thread: Thread,
    end: Option<Arc<End>>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the thread's end; as [`JoinHandle::join`].
    ///
    /// # Errors
    /// The payload of the panic.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        if let Some(end) = &self.end {
            end.wait(Site::here(), false);
        }
        self.inner.join()
    }

    /// Whether the thread's function has returned.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

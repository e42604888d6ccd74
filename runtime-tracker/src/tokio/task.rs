//! Drop-in for `tokio::task`: tracked [`spawn`], and everything else as it is.
//!
//! A tracked task is polled with a waker of its own, so that it can be told who keeps a clone of it: a future that is not
//! tracked registers one to be woken by; a tracked one registers the real waker and says what it waits for.
//!
//! Guarantees: what is done before a spawn is never reported against the task, nor the task against what comes after its
//! join.
//!
//! Misses: tasks of `spawn_local`, `spawn_blocking`, `JoinSet` and `LocalSet`, which are the crate's own.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

pub use ::tokio::task::*;

use super::graph::{self, Goal, Segment, TaskId};
use crate::site::Site;
use crate::{config, names, threads, wait};

/// A task, as its own polls and those who wait for its end see it.
struct Shared {
    id: TaskId,
    segment: Segment,
}

thread_local! {
    /// The tasks that the thread is polling, innermost last, with their own and their real wakers.
    static CURRENT: RefCell<Vec<(Arc<Shared>, Waker, Waker)>> = const { RefCell::new(Vec::new()) };
}

/// The task that is being polled.
pub(super) fn current() -> Option<TaskId> {
    CURRENT.with_borrow(|tasks| tasks.last().map(|(task, ..)| task.id))
}

fn current_shared() -> Option<Arc<Shared>> {
    CURRENT.with_borrow(|tasks| tasks.last().map(|(task, ..)| task.clone()))
}

/// The real waker, where `waker` is the task's own.
fn real_waker(waker: &Waker) -> Option<Waker> {
    CURRENT.with_borrow(|tasks| {
        let (_, own, real) = tasks.last()?;
        own.will_wake(waker).then(|| real.clone())
    })
}

/// Wakes the real task; how many hold it is how many can.
struct Counted(Waker);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// Spawns a task; see `tokio::spawn`.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if config::ready() == config::OFF || !threads::is_tracked() {
        return JoinHandle { inner: ::tokio::spawn(future), task: None, waiting: Entry(None), site: Site::NONE };
    }
    let site = Site::here();
    let parent = current_shared();
    let before = match &parent {
        Some(parent) => parent.next_segment(0),
        None => threads::publish(),
    };
    let number = threads::new_number();
    threads::busy(|| {
        names::thread(number, parent.map_or_else(threads::known_number, |it| it.id.0), site, "tokio task")
    });
    let segment = names::segment(number, &[before]);
    let task = Arc::new(Shared { id: TaskId(number), segment: Segment(AtomicU32::new(segment)) });
    let inner = ::tokio::spawn(run(task.clone(), future));
    JoinHandle { inner, task: Some(task), waiting: Entry(None), site }
}

impl Shared {
    /// Begins a new segment, after `other` as well if that is one; gives the old one.
    fn next_segment(&self, other: u32) -> u32 {
        let old = self.segment.0.load(Relaxed);
        let after = [old, other];
        let next = names::segment(self.id.0, if other == 0 { &after[..1] } else { &after });
        self.segment.0.store(next, Relaxed);
        old
    }
}

/// Ends the task also where its future is dropped before it is done.
struct AtEnd(TaskId);

impl Drop for AtEnd {
    fn drop(&mut self) {
        graph::end(self.0);
    }
}

async fn run<F: Future>(task: Arc<Shared>, future: F) -> F::Output {
    graph::begin(task.id);
    let _at_end = AtEnd(task.id);
    let mut future = pin!(future);
    let mut own: Option<(Arc<Counted>, Waker)> = None;
    // Clones of an earlier waker may live on somewhere; then nobody knows who can wake the task.
    let mut is_known = true;
    poll_fn(move |cx| {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|tasks| tasks.pop());
            }
        }
        let real = cx.waker().clone();
        if own.as_ref().is_none_or(|(counted, _)| !counted.0.will_wake(&real)) {
            is_known &= own.is_none();
            let counted = Arc::new(Counted(real.clone()));
            let waker = Waker::from(counted.clone());
            own = Some((counted, waker));
        }
        let Some((counted, waker)) = &own else { return Poll::Pending };
        graph::wake(task.id);
        CURRENT.with_borrow_mut(|tasks| tasks.push((task.clone(), waker.clone(), real.clone())));
        let leave = Leave;
        let result = future.as_mut().poll(&mut Context::from_waker(waker));
        drop(leave);
        if result.is_pending() {
            // This one and the waker made of it are the only ones that are no registration.
            let alone = is_known && Arc::strong_count(counted) == 2;
            graph::suspend(task.id, alone, &real);
        }
        result
    })
    .await
}

/// Awaits `future`, which is what `goal` says, as the task that is polled.
pub(super) async fn wait_for<F: Future>(goal: Goal, site: Site, future: F) -> F::Output {
    let Some(task) = current_shared() else { return future.await };
    graph::request(task.id, task.segment.0.load(Relaxed), goal, site);
    let mut entry = Entry(None);
    let mut future = pin!(future);
    let output = poll_fn(|cx| entry.poll(goal, site, future.as_mut(), cx)).await;
    drop(entry);
    output
}

/// A task's wait in the table, while it lasts.
struct Entry(Option<(TaskId, u64)>);

impl Entry {
    /// Polls what `goal` says with the task's real waker, and keeps the table up to date.
    fn poll<F: Future>(
        &mut self,
        goal: Goal,
        site: Site,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        if let Some((task, _)) = self.0
            && let Some(message) = graph::take_verdict(task)
        {
            wait::break_by(message);
        }
        let real = real_waker(cx.waker());
        let result = match &real {
            Some(real) => future.poll(&mut Context::from_waker(real)),
            None => future.poll(cx),
        };
        if result.is_ready() {
            self.stop();
        } else if self.0.is_none()
            && let (Some(task), Some(_)) = (current(), real)
        {
            self.0 = Some((task, graph::wait(task, goal, site)));
        }
        result
    }

    fn stop(&mut self) {
        if let Some((task, number)) = self.0.take() {
            graph::stop(task, number);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tracked `tokio::task::JoinHandle`.
pub struct JoinHandle<T> {
    inner: ::tokio::task::JoinHandle<T>,
    task: Option<Arc<Shared>>,
    waiting: Entry,
    site: Site,
}

impl<T> JoinHandle<T> {
    /// Ends the task at its next `.await`.
    pub fn abort(&self) {
        self.inner.abort();
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// A handle that can end the task.
    pub fn abort_handle(&self) -> AbortHandle {
        self.inner.abort_handle()
    }

    /// The task's identifier.
    pub fn id(&self) -> Id {
        self.inner.id()
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = match &this.task {
            Some(task) => this.waiting.poll(Goal::End(task.id.0), this.site, Pin::new(&mut this.inner), cx),
            None => Pin::new(&mut this.inner).poll(cx),
        };
        if result.is_ready()
            && let Some(task) = self.task.take()
        {
            let last = task.segment.0.load(Relaxed);
            match current_shared() {
                Some(current) => {
                    current.next_segment(last);
                }
                None => threads::receive(last),
            }
        }
        result
    }
}

impl<T: fmt::Debug> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

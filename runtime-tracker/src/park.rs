//! Waiting by address: how a thread sleeps until another one has something for it.
//!
//! A lock, condvar, pool or thread end that must wait puts a [`Node`] of its own stack into the queue of an address; whoever
//! changes what is waited for takes nodes out and wakes their threads. The queues are first in, first out.
//!
//! Guarantees: no lost wake-up (the caller's check runs under the queue's lock); a waiter can be called off from
//! outside ([`cancel`]), which is what lets a deadlock be broken. Works on `std`'s own mutex and condvar alone, so on
//! every platform, and takes no memory.
//!
//! Misses: two addresses may share a bucket and then contend for its lock.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::event::Mode;
use crate::threads::{self, ThreadRecord};

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wake {
    /// Somebody woke the thread and handed it this number.
    Woken(u32),
    /// The check said that there is nothing to wait for.
    Refused,
    /// The time is over.
    TimedOut,
    /// Called off: the thread has to unwind.
    Cancelled,
}

/// Where in the queue of its address a thread waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Behind all others.
    Back,
    /// In front of those that came later: the thread was woken, found nothing, and keeps its place.
    Front,
    /// In front of [`Priority::Front`] too: what the others wait for is held by this thread until it goes on.
    First,
}

impl Priority {
    /// That of a thread that may have been woken before.
    pub(crate) fn of(woken: bool) -> Self {
        if woken { Priority::Front } else { Priority::Back }
    }
}

/// Where one thread sleeps.
pub(crate) struct Parker {
    wake: Mutex<Option<Wake>>,
    bell: Condvar,
}

impl Parker {
    pub(crate) const fn new() -> Self {
        Parker { wake: Mutex::new(None), bell: Condvar::new() }
    }

    fn ring(&self, wake: Wake) {
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
        self.bell.notify_one();
    }

    fn sleep(&self, until: Option<Instant>) -> Option<Wake> {
        let mut wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(wake) = wake.take() {
                return Some(wake);
            }
            match until {
                None => wake = self.bell.wait(wake).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    wake = self.bell.wait_timeout(wake, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// A waiting thread in a queue.
struct Node {
    address: usize,
    mode: Mode,
    priority: Priority,
    thread: &'static ThreadRecord,
    queued: Cell<bool>,
    next: Cell<*const Node>,
}

struct Queue {
    first: *const Node,
    last: *const Node,
}
// SAFETY: nodes are touched only under the bucket's lock, and a node leaves the queue before its thread goes on.
unsafe impl Send for Queue {}

#[repr(align(64))]
struct Bucket(Mutex<Queue>);

const BUCKETS: usize = 128;
static TABLE: [Bucket; BUCKETS] =
    [const { Bucket(Mutex::new(Queue { first: ptr::null(), last: ptr::null() })) }; BUCKETS];

fn bucket(address: usize) -> MutexGuard<'static, Queue> {
    let at = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57;
    TABLE[at as usize].0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    fn append(&mut self, node: &Node) {
        node.queued.set(true);
        if self.last.is_null() {
            self.first = node;
        } else {
            // SAFETY: queued nodes are alive.
            unsafe { &*self.last }.next.set(node);
        }
        self.last = node;
    }

    /// In front of all but those of [`Priority::First`].
    fn prepend(&mut self, node: &Node) {
        node.queued.set(true);
        let mut before = ptr::null::<Node>();
        let mut at = self.first;
        // SAFETY: queued nodes are alive.
        while let Some(first) = unsafe { at.as_ref() }.filter(|other| other.priority == Priority::First) {
            before = first;
            at = first.next.get();
        }
        node.next.set(at);
        // SAFETY: as above.
        match unsafe { before.as_ref() } {
            Some(before) => before.next.set(node),
            None => self.first = node,
        }
        if at.is_null() {
            self.last = node;
        }
    }

    /// Takes out the first `most` nodes that `wanted` accepts, in order. O(length of the bucket's queue up to the last of
    /// them).
    fn take(
        &mut self,
        mut most: usize,
        mut wanted: impl FnMut(&Node) -> bool,
        mut taken: impl FnMut(&'static ThreadRecord),
    ) {
        let (mut before, mut at) = (ptr::null::<Node>(), self.first);
        while !at.is_null() && most > 0 {
            // SAFETY: queued nodes are alive.
            let node = unsafe { &*at };
            let next = node.next.get();
            if wanted(node) {
                if before.is_null() {
                    self.first = next;
                } else {
                    // SAFETY: as above.
                    unsafe { &*before }.next.set(next);
                }
                if self.last == at {
                    self.last = before;
                }
                node.next.set(ptr::null());
                node.queued.set(false);
                most -= 1;
                taken(node.thread);
            } else {
                before = at;
            }
            at = next;
        }
    }

    fn any(&self, address: usize) -> bool {
        let mut at = self.first;
        while !at.is_null() {
            // SAFETY: queued nodes are alive.
            let node = unsafe { &*at };
            if node.address == address {
                return true;
            }
            at = node.next.get();
        }
        false
    }
}

/// Sleeps until woken at `address`.
///
/// `check` runs under the queue's lock and refuses the wait where there is nothing to wait for. `priority`: where
/// in the queue. `tick(n)` runs first when the thread stands in the queue and then
/// each time that the moment it gave has come; `None` means never again. `until` ends the wait.
pub(crate) fn park(
    address: usize,
    mode: Mode,
    priority: Priority,
    until: Option<Instant>,
    check: impl FnOnce() -> bool,
    mut tick: impl FnMut(u32) -> Option<Instant>,
) -> Wake {
    let thread = threads::me();
    let node = Node { address, mode, priority, thread, queued: Cell::new(false), next: Cell::new(ptr::null()) };
    {
        let mut queue = bucket(address);
        if !check() {
            return Wake::Refused;
        }
        thread.parked.store(true, Relaxed);
        if priority == Priority::Back { queue.append(&node) } else { queue.prepend(&node) }
    }
    let mut ticks = 0;
    let mut next = tick(ticks);
    loop {
        let first = match (next, until) {
            (Some(next), Some(until)) => Some(next.min(until)),
            (next, until) => next.or(until),
        };
        if let Some(wake) = thread.parker.sleep(first) {
            return wake;
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        ticks += 1;
        next = tick(ticks);
    }
    let mut queue = bucket(address);
    if node.queued.get() {
        queue.take(1, |other| ptr::eq(other, &node), |thread| thread.parked.store(false, Relaxed));
        return Wake::TimedOut;
    }
    drop(queue);
    // Somebody has taken the node out and is about to ring.
    thread.parker.sleep(None).unwrap_or(Wake::TimedOut)
}

/// Threads that were taken out of a queue and not yet woken, linked through their records.
struct Taken {
    first: *const ThreadRecord,
    last: *const ThreadRecord,
}

impl Taken {
    const fn new() -> Self {
        Taken { first: ptr::null(), last: ptr::null() }
    }

    fn add(&mut self, thread: &'static ThreadRecord) {
        thread.parked.store(false, Relaxed);
        thread.link.store(ptr::null_mut(), Relaxed);
        if self.last.is_null() {
            self.first = thread;
        } else {
            // SAFETY: records live as long as the process.
            unsafe { &*self.last }.link.store(ptr::from_ref(thread).cast_mut(), Relaxed);
        }
        self.last = thread;
    }

    fn ring(self, token: u32) {
        let mut at = self.first;
        while !at.is_null() {
            // SAFETY: records live as long as the process.
            let thread = unsafe { &*at };
            // Read before ringing: the thread may wait, be taken out and linked anew at once.
            at = thread.link.load(Relaxed);
            thread.parker.ring(Wake::Woken(token));
        }
    }
}

/// Wakes the first thread that waits at `address`, if one does, and hands it `token`; tells whether one did.
#[cfg(feature = "parking_lot")]
pub(crate) fn hand_over(address: usize, token: u32) -> bool {
    wake_one(address, || token)
}

/// Wakes the first thread that waits at `address` and hands it the number that `token` gives, which runs under the
/// queue's lock, whether or not a thread waits. Tells whether one did.
pub(crate) fn wake_one(address: usize, token: impl FnOnce() -> u32) -> bool {
    let (mut taken, mut found) = (Taken::new(), false);
    let mut queue = bucket(address);
    let add = |thread| {
        found = true;
        taken.add(thread);
    };
    queue.take(1, |node| node.address == address, add);
    let token = token();
    drop(queue);
    taken.ring(token);
    found
}

/// Wakes every thread that waits at `address`, and tells how many; `token` as in [`wake_one`].
pub(crate) fn wake_all(address: usize, token: impl FnOnce() -> u32) -> usize {
    let (mut taken, mut count) = (Taken::new(), 0);
    let mut queue = bucket(address);
    let add = |thread| {
        count += 1;
        taken.add(thread);
    };
    queue.take(usize::MAX, |node| node.address == address, add);
    let token = token();
    drop(queue);
    taken.ring(token);
    count
}

/// Wakes the first waiter at `address`, and if it is a reader also the readers behind it up to the first writer.
/// `after(more_wait)` runs under the queue's lock.
pub(crate) fn wake_group(address: usize, after: impl FnOnce(bool)) {
    let (mut taken, mut count, mut closed) = (Taken::new(), 0, false);
    let mut queue = bucket(address);
    queue.take(
        usize::MAX,
        |node| {
            if node.address != address || closed {
                return false;
            }
            let exclusive = node.mode == Mode::Exclusive;
            closed = exclusive;
            let take = !exclusive || count == 0;
            count += usize::from(take);
            take
        },
        |thread| taken.add(thread),
    );
    after(queue.any(address));
    drop(queue);
    taken.ring(0);
}

/// Calls off the wait of `thread` at `address`; `false` where it was already woken.
pub(crate) fn cancel(address: usize, thread: &'static ThreadRecord) -> bool {
    let mut found = false;
    bucket(address).take(
        1,
        |node| ptr::eq(node.thread, thread),
        |thread| {
            thread.parked.store(false, Relaxed);
            found = true;
        },
    );
    if found {
        thread.parker.ring(Wake::Cancelled);
    }
    found
}

//! The rows: what each program does, and what has to be said of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier as Meet;
use std::time::Duration;

use lockcheck_tracker::sync::atomic::{AtomicBool, Ordering};
use lockcheck_tracker::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use lockcheck_tracker::thread;

#[cfg(feature = "crates")]
#[path = "crates.rs"]
mod crates;

/// A small program and its findings at the levels deny and warn.
pub struct Row {
    pub name: &'static str,
    pub run: fn(),
    /// Rules and levels, sorted.
    pub expected: &'static [(&'static str, &'static str)],
    /// Whether only a trace with all events can tell.
    pub needs_events: bool,
}

const fn row(name: &'static str, run: fn(), expected: &'static [(&'static str, &'static str)]) -> Row {
    Row { name, run, expected, needs_events: false }
}

pub const ROWS: &[Row] = &[
    row("two threads, opposite orders", opposite_orders, &[("lock_order_inversion", "deny")]),
    row("a cycle of three threads", cycle_of_three, &[("lock_order_inversion", "deny")]),
    row("opposite orders of other instances", other_instances, &[("lock_order_inversion", "warn")]),
    row("a lock between dropped before the inversion", dropped_between, &[("lock_order_inversion", "deny")]),
    row("a read under a read of the same lock", recursive_read, &[("double_lock", "warn")]),
    row("a lock taken again by its holder", taken_again, &[("double_lock", "deny")]),
    row("a deadlock of two mutexes", deadlock_of_mutexes, &[("deadlock", "deny")]),
    row("a deadlock of two reader-writer locks", deadlock_of_rwlocks, &[("deadlock", "deny")]),
    row("a message awaited under the lock that its sender needs", receive_under_a_lock, &[("deadlock", "deny")]),
    row("a join under the lock that the thread needs", join_under_a_lock, &[("join_deadlock", "deny")]),
    row("a barrier short of one", short_barrier, &[("deadlock", "deny")]),
    row("a notification that nobody is left to give", nobody_notifies, &[("lost_wakeup", "deny")]),
    #[cfg(feature = "crates")]
    row("permits that tasks hold and want more of", crates::permits, &[("deadlock", "deny")]),
    #[cfg(feature = "crates")]
    row("a deadlock of tasks over two mutexes", crates::deadlock_of_tasks, &[("deadlock", "deny")]),
    #[cfg(feature = "crates")]
    row("a deadlock of parking_lot locks", crates::deadlock_of_parking_lot_locks, &[("deadlock", "deny")]),
    row("opposite orders in one thread", one_thread, &[]),
    row("opposite orders, joined before the second", joined_before, &[]),
    row("opposite orders under a gate lock", under_a_gate, &[]),
    row("opposite orders of readers", readers, &[]),
    row("opposite orders, one by try_lock", by_try_lock, &[]),
    Row { needs_events: true, ..row("opposite orders, ordered by a flag", ordered_by_a_flag, &[]) },
    row("opposite orders, ordered by a message", ordered_by_a_message, &[]),
    row("opposite orders, ordered by a barrier", ordered_by_a_barrier, &[]),
];

/// Long enough that what comes after it happens last.
fn later() {
    thread::sleep(Duration::from_millis(25));
}

fn lock(name: &'static str) -> Mutex<u32> {
    Mutex::named(name, 0)
}

fn both(first: &Mutex<u32>, second: &Mutex<u32>) {
    let mut first = first.lock().expect("not poisoned");
    *second.lock().expect("not poisoned") += 1;
    *first += 1;
}

/// Both at the same time, the second one coming later.
fn together(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(first);
        scope.spawn(|| {
            later();
            second();
        });
    });
}

/// Starts threads that block each other, and takes no notice of the one that unwinds.
fn blocked(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let all = [scope.spawn(|| quietly(first)), scope.spawn(|| quietly(second))];
        all.into_iter().for_each(|thread| thread.join().expect("caught"));
    });
}

fn quietly(work: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(work));
}

fn opposite_orders() {
    let (a, b) = (lock("a"), lock("b"));
    together(|| both(&a, &b), || both(&b, &a));
}

fn cycle_of_three() {
    let (a, b, c) = (lock("a"), lock("b"), lock("c"));
    thread::scope(|scope| {
        scope.spawn(|| both(&a, &b));
        scope.spawn(|| {
            later();
            both(&b, &c);
        });
        scope.spawn(|| {
            later();
            later();
            both(&c, &a);
        });
    });
}

struct Account {
    balance: Mutex<u32>,
    log: Mutex<u32>,
}

impl Account {
    fn new() -> Self {
        Account { balance: Mutex::new(0), log: Mutex::new(0) }
    }
}

fn other_instances() {
    let (one, other) = (Account::new(), Account::new());
    together(|| both(&one.balance, &one.log), || both(&other.log, &other.balance));
}

fn dropped_between() {
    let (a, c) = (lock("a"), lock("c"));
    thread::scope(|scope| {
        scope.spawn(|| {
            let between = lock("between");
            let _a = a.lock();
            let _between = between.lock();
            drop(c.lock());
        });
        scope.spawn(|| {
            later();
            both(&c, &a);
        });
    });
}

fn recursive_read() {
    let lock = RwLock::named("settings", 0);
    let first = lock.read().expect("not poisoned");
    drop((lock.read(), first));
}

fn taken_again() {
    let lock = lock("a");
    quietly(|| drop((lock.lock(), lock.lock())));
}

fn deadlock_of_mutexes() {
    let (a, b, meet) = (lock("a"), lock("b"), Meet::new(2));
    let cross = |first: &Mutex<u32>, second: &Mutex<u32>| {
        let first = first.lock();
        meet.wait();
        drop((second.lock(), first));
    };
    blocked(|| cross(&a, &b), || cross(&b, &a));
}

fn deadlock_of_rwlocks() {
    let (a, b, meet) = (RwLock::named("a", 0), RwLock::named("b", 0), Meet::new(2));
    let cross = |read: &RwLock<u32>, write: &RwLock<u32>| {
        let read = read.read();
        meet.wait();
        drop((write.write(), read));
    };
    blocked(|| cross(&a, &b), || cross(&b, &a));
}

fn receive_under_a_lock() {
    let (a, (sender, receiver), meet) = (&lock("a"), mpsc::named_channel("orders"), &Meet::new(2));
    blocked(
        move || {
            let guard = a.lock();
            meet.wait();
            let _ = receiver.recv();
            drop(guard);
        },
        move || {
            meet.wait();
            drop(a.lock());
            let _ = sender.send(1);
        },
    );
}

fn join_under_a_lock() {
    let a = Arc::new(lock("a"));
    let guard = a.lock();
    let other = a.clone();
    let worker = thread::spawn(move || drop(other.lock()));
    quietly(|| drop(worker.join()));
    drop(guard);
}

fn short_barrier() {
    let barrier = Barrier::named("start", 3);
    let wait = || {
        barrier.wait();
    };
    blocked(wait, wait);
}

fn nobody_notifies() {
    let (ready, bell) = (Mutex::named("ready", false), Condvar::named("bell"));
    blocked(
        || {
            let waited = bell.wait_while(ready.lock().expect("not poisoned"), |ready| !*ready);
            drop(waited);
        },
        later,
    );
}

fn one_thread() {
    let (a, b) = (lock("a"), lock("b"));
    both(&a, &b);
    both(&b, &a);
}

fn joined_before() {
    let (a, b) = (lock("a"), lock("b"));
    thread::scope(|scope| scope.spawn(|| both(&a, &b)).join().expect("no panic"));
    thread::scope(|scope| scope.spawn(|| both(&b, &a)).join().expect("no panic"));
}

fn under_a_gate() {
    let (gate, a, b) = (lock("gate"), lock("a"), lock("b"));
    let gated = |first: &Mutex<u32>, second: &Mutex<u32>| {
        let _gate = gate.lock();
        both(first, second);
    };
    together(|| gated(&a, &b), || gated(&b, &a));
}

fn readers() {
    let (a, b) = (RwLock::named("a", 0), RwLock::named("b", 0));
    let read = |first: &RwLock<u32>, second: &RwLock<u32>| drop((first.read(), second.read()));
    together(|| read(&a, &b), || read(&b, &a));
}

fn by_try_lock() {
    let (a, b) = (lock("a"), lock("b"));
    together(
        || both(&a, &b),
        || {
            let _b = b.lock();
            drop(a.try_lock());
        },
    );
}

fn ordered_by_a_flag() {
    let (a, b, is_done) = (lock("a"), lock("b"), AtomicBool::new(false));
    together(
        || {
            both(&a, &b);
            is_done.store(true, Ordering::Release);
        },
        || {
            while !is_done.load(Ordering::Acquire) {
                thread::yield_now();
            }
            both(&b, &a);
        },
    );
}

fn ordered_by_a_message() {
    let (a, b, (sender, receiver)) = (&lock("a"), &lock("b"), mpsc::channel());
    together(
        move || {
            both(a, b);
            let _ = sender.send(());
        },
        move || {
            let _ = receiver.recv();
            both(b, a);
        },
    );
}

fn ordered_by_a_barrier() {
    let (a, b, barrier) = (lock("a"), lock("b"), Barrier::new(2));
    together(
        || {
            both(&a, &b);
            barrier.wait();
        },
        || {
            barrier.wait();
            both(&b, &a);
        },
    );
}

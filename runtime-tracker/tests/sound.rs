//! Small programs over every lock algorithm and every unsafe part of the tracker that a program's locks reach: for an interpreter that
//! sees undefined behaviour and data races, in other interleavings with each seed. As plain tests they only show that it all works.
//!
//! ```text
//! MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-permissive-provenance -Zmiri-ignore-leaks -Zmiri-many-seeds=0..16" \
//!     cargo +nightly miri test -p lockcheck-tracker --test sound
//! ```
//! (`rustup component add miri --toolchain nightly`; leaks are ignored because thread records live as long as the process.)
//!
//! Guarantees: lock words and the queues of waiting threads, the held stack and its table, numbers read without a lock, the graph, the
//! table of waits, and the breaking of a deadlock are gone through by two or three threads each.
//!
//! Misses: pieces of the trace file, which no interpreter maps: their records are written to plain memory in a test of their own
//! (`record/frequent.rs`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use lockcheck_tracker::pool::ThreadPool;
use lockcheck_tracker::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard, mpsc};
use lockcheck_tracker::thread;

const TURNS: u32 = if cfg!(miri) { 3 } else { 300 };

#[test]
fn a_mutex_lets_one_thread_at_a_time_through() {
    let (lock, inside) = (Mutex::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    let mut guard = lock.lock().unwrap();
                    assert_eq!(inside.fetch_add(1, Relaxed), 0);
                    *guard += 1;
                    thread::yield_now();
                    assert_eq!(inside.fetch_sub(1, Relaxed), 1);
                }
            });
        }
    });
    assert_eq!(lock.into_inner().unwrap(), 3 * TURNS);
}

#[test]
fn readers_share_and_a_writer_is_alone() {
    let lock = RwLock::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    let pair = lock.read().unwrap();
                    assert_eq!(pair.0, pair.1);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..TURNS {
                let mut pair = lock.write().unwrap();
                pair.0 += 1;
                thread::yield_now();
                pair.1 += 1;
                let pair = RwLockWriteGuard::downgrade(pair);
                assert_eq!(pair.0, pair.1);
            }
        });
    });
    assert_eq!(lock.into_inner().unwrap(), (TURNS, TURNS));
}

#[test]
fn nestings_that_several_threads_show_at_once_end_in_one_graph() {
    let locks: Vec<Mutex<u32>> = (0..4).map(|_| Mutex::new(0)).collect();
    thread::scope(|scope| {
        for first in 0..3 {
            let locks = &locks;
            scope.spawn(move || {
                for _ in 0..TURNS {
                    let outer = locks[first].lock().unwrap();
                    let mut inner = locks[first + 1].lock().unwrap();
                    // Not in the order in which they were taken.
                    drop(outer);
                    *inner += 1;
                }
            });
        }
    });
    assert_eq!(locks.into_iter().map(|lock| lock.into_inner().unwrap()).sum::<u32>(), 3 * TURNS);
}

#[test]
fn a_deadlock_is_seen_and_one_of_its_threads_unwinds() {
    let (a, b, meet) = (Mutex::new(0), Mutex::new(0), Barrier::new(2));
    let cross = |first: &Mutex<u32>, second: &Mutex<u32>| {
        let mut first = first.lock().unwrap();
        meet.wait();
        *second.lock().unwrap() += 1;
        *first += 1;
    };
    let ended = thread::scope(|scope| {
        let threads = [scope.spawn(|| cross(&a, &b)), scope.spawn(|| cross(&b, &a))];
        threads.map(|thread| thread.join().is_ok()).into_iter().filter(|ended| *ended).count()
    });
    assert_eq!((ended, *a.lock().unwrap() + *b.lock().unwrap()), (1, 2));
    let again = catch_unwind(AssertUnwindSafe(|| drop((a.lock(), a.lock()))));
    assert!(again.is_err());
}

#[test]
fn notifications_and_time_limits_wake() {
    let (turn, bell) = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        for own in 0..2 {
            let (turn, bell) = (&turn, &bell);
            scope.spawn(move || {
                for _ in 0..TURNS {
                    *bell.wait_while(turn.lock().unwrap(), |turn| *turn % 2 != own).unwrap() += 1;
                    bell.notify_all();
                }
            });
        }
    });
    let (turn, over) = bell.wait_timeout(turn.lock().unwrap(), Duration::from_millis(1)).unwrap();
    assert_eq!((*turn, over.timed_out()), (2 * TURNS, true));
}

#[test]
fn what_is_made_once_is_made_once_and_seen_whole() {
    static LAZY: LazyLock<Vec<u32>> = LazyLock::new(|| vec![1, 2, 3]);
    let (once, cell, made) = (Once::new(), OnceLock::new(), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                once.call_once(|| made.store(made.load(Relaxed) + 1, Relaxed));
                let text = cell.get_or_init(|| made.load(Relaxed).to_string());
                assert_eq!((text.as_str(), LAZY.len()), ("1", 3));
            });
        }
    });
}

#[test]
fn messages_arrive_over_channels_of_every_size() {
    for (sender, receiver) in [mpsc::sync_channel(0), mpsc::sync_channel(1)] {
        thread::scope(|scope| {
            for first in [0, TURNS] {
                let sender = sender.clone();
                scope.spawn(move || (first..first + TURNS).for_each(|number| sender.send(Box::new(number)).unwrap()));
            }
            drop(sender);
            assert_eq!(receiver.iter().map(|number| *number).sum::<u32>(), (0..2 * TURNS).sum());
        });
    }
    let (sender, receiver) = mpsc::channel();
    let sends = thread::spawn(move || (0..TURNS).for_each(|number| sender.send(number).unwrap()));
    assert_eq!(receiver.iter().count(), TURNS as usize);
    sends.join().unwrap();
}

#[test]
fn a_pool_and_parked_threads_end() {
    let pool = ThreadPool::new(2);
    let tasks: Vec<_> = (0..4).map(|number| pool.run_async(move || number * 2)).collect();
    assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 12);
    let parked = thread::spawn(thread::park);
    parked.thread().unpark();
    parked.join().unwrap();
}

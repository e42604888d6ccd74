//! Cycles of locks with random pauses, and ten safe patterns.

use std::time::Duration;

use lockcheck_tracker::sync::atomic::{AtomicBool, Ordering};
use lockcheck_tracker::sync::{Arc, Barrier, Mutex, RwLock, mpsc};
use lockcheck_tracker::thread;

use crate::{Expected, Program};

const INVERSION: Expected = Expected::Deadlock("lock_order_inversion");

const fn deadlock(name: &'static str, run: fn()) -> Program {
    Program { name, run, expected: INVERSION }
}

const fn safe(name: &'static str, run: fn()) -> Program {
    Program { name, run, expected: Expected::Nothing }
}

pub const ALL: &[Program] = &[
    deadlock("two locks", || ring(2)),
    deadlock("three locks", || ring(3)),
    deadlock("five locks", || ring(5)),
    deadlock("five philosophers", philosophers),
    deadlock("reader-writer locks", readers_and_writers),
    deadlock("two locks behind a counter", counted),
    safe("gate lock", gate_lock),
    safe("hierarchy", hierarchy),
    safe("phases ordered by a flag", phases),
    safe("phases ordered by a flag under a mutex", phases_under_a_mutex),
    safe("barrier and join", barrier_and_join),
    safe("read-dominated", read_dominated),
    safe("lock-free interval", lock_free_interval),
    safe("producer and consumer", producer_and_consumer),
    safe("locks of one thread", locks_of_one_thread),
    safe("conditional locking", conditional_locking),
];

/// Up to two milliseconds.
pub fn pause() {
    std::thread::sleep(Duration::from_micros(fastrand::u64(0..2_000)));
}

fn both(first: &Mutex<u32>, second: &Mutex<u32>) {
    pause();
    let Ok(first) = first.lock() else { return };
    pause();
    let Ok(mut second) = second.lock() else { return };
    *second += *first;
}

/// Starts threads by number and waits for all; one that the tracker unwound is no failure.
pub fn threads(count: usize, run: impl Fn(usize) + Send + Sync + 'static) {
    let run = Arc::new(run);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let run = run.clone();
            thread::spawn(move || run(number))
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

fn locks(count: usize) -> Vec<Mutex<u32>> {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    (0..count).map(|number| Mutex::named(NAMES[number], 0)).collect()
}

fn ring(count: usize) {
    let locks = locks(count);
    threads(count, move |number| both(&locks[number], &locks[(number + 1) % count]));
}

fn philosophers() {
    let forks: Vec<Mutex<u32>> = (0..5).map(|_| Mutex::new(0)).collect();
    threads(5, move |seat| (0..3).for_each(|_| both(&forks[seat], &forks[(seat + 1) % 5])));
}

/// One writes what the other one reads under its own lock, and the other way round.
fn readers_and_writers() {
    let (a, b) = (RwLock::named("a", 0), RwLock::named("b", 0));
    threads(2, move |number| {
        let (mine, other) = if number == 0 { (&a, &b) } else { (&b, &a) };
        pause();
        let Ok(mut mine) = mine.write() else { return };
        pause();
        let Ok(other) = other.read() else { return };
        *mine += *other;
    });
}

fn gate_lock() {
    let (gate, locks) = (Mutex::named("gate", ()), locks(2));
    threads(2, move |number| {
        let _gate = gate.lock();
        both(&locks[number], &locks[1 - number]);
    });
}

fn hierarchy() {
    let locks = locks(3);
    threads(3, move |number| match number {
        0 => both(&locks[0], &locks[1]),
        1 => both(&locks[1], &locks[2]),
        _ => both(&locks[0], &locks[2]),
    });
}

fn phases() {
    let (locks, done) = (locks(2), AtomicBool::new(false));
    threads(2, move |number| {
        if number == 0 {
            both(&locks[0], &locks[1]);
            done.store(true, Ordering::Release);
        } else {
            while !done.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_micros(300));
            }
            both(&locks[1], &locks[0]);
        }
    });
}

/// What the flag says is not in the trace; the lock that it stands under is.
fn phases_under_a_mutex() {
    let (locks, done) = (locks(2), Mutex::named("done", false));
    let set = move |value: bool| done.lock().map(|mut done| std::mem::replace(&mut *done, value)).unwrap_or(true);
    threads(2, move |number| {
        if number == 0 {
            both(&locks[0], &locks[1]);
            set(true);
        } else {
            while !set(false) {
                std::thread::sleep(Duration::from_micros(300));
            }
            both(&locks[1], &locks[0]);
        }
    });
}

/// Both also take a third lock, and it tells them nothing.
fn counted() {
    let (locks, count) = (locks(2), Mutex::named("count", 0));
    threads(2, move |number| {
        if let Ok(mut count) = count.lock() {
            *count += 1;
        }
        both(&locks[number], &locks[1 - number]);
    });
}

fn barrier_and_join() {
    let (locks, barrier) = (Arc::new(locks(3)), Arc::new(Barrier::new(2)));
    let inner = locks.clone();
    threads(2, move |number| {
        if number == 0 {
            both(&inner[0], &inner[1]);
        }
        barrier.wait();
        if number == 1 {
            both(&inner[1], &inner[0]);
            both(&inner[1], &inner[2]);
        }
    });
    both(&locks[2], &locks[1]);
}

fn read_dominated() {
    let (a, b) = (RwLock::named("a", 1), RwLock::named("b", 1));
    threads(3, move |number| {
        let (first, second) = if number == 0 { (&a, &b) } else { (&b, &a) };
        for _ in 0..3 {
            pause();
            let Ok(first) = first.read() else { return };
            pause();
            let Ok(second) = second.read() else { return };
            assert_eq!(*first + *second, 2);
        }
    });
}

/// Each lock is given back before the next one is taken.
fn lock_free_interval() {
    let locks = locks(2);
    threads(2, move |number| {
        let value = locks[number].lock().map_or(0, |value| *value);
        pause();
        if let Ok(mut other) = locks[1 - number].lock() {
            *other += value;
        }
    });
}

fn producer_and_consumer() {
    let locks = Arc::new(locks(2));
    let (sender, receiver) = mpsc::channel();
    let consumers = locks.clone();
    let consumer = thread::spawn(move || {
        while let Ok(number) = receiver.recv() {
            both(&consumers[1], &consumers[0]);
            if number == 2 {
                break;
            }
        }
    });
    (0..3).for_each(|_| both(&locks[0], &locks[1]));
    for number in 0..3 {
        pause();
        let _ = sender.send(number);
    }
    let _ = consumer.join();
}

/// Every thread has locks of its own and takes them in both orders.
fn locks_of_one_thread() {
    threads(3, |_| {
        let (outer, inner) = (Mutex::new(0), Mutex::new(0));
        both(&outer, &inner);
        both(&inner, &outer);
    });
}

/// The second lock is only tried, and given up where it is taken.
fn conditional_locking() {
    let locks = locks(2);
    threads(2, move |number| {
        for _ in 0..3 {
            pause();
            let Ok(first) = locks[number].lock() else { return };
            pause();
            if let Ok(mut second) = locks[1 - number].try_lock() {
                *second += *first;
            }
        }
    });
}

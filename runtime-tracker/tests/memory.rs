//! How many bytes the tracker takes beside the program's own: per lock, per order of locks, per thread.
//!
//! Measured as the kernel counts them (`RssAnon`, and the length of the trace), each in a process of its own; the figures are printed
//! with `--nocapture`, and the bounds are those that the crate's documentation gives. Linux only.
#![cfg(target_os = "linux")]

mod common;

use std::sync::Barrier;

use common::{ORDER, Options, TRACE, in_child, say};
use lockcheck_tracker::sync::{Mutex, RwLock};
use lockcheck_tracker::thread;

const OFF: Options = Options { mode: "off", ..ORDER };

/// Memory of the process that no file is behind.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("it tells this");
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number") * 1024
}

/// What `body` says it took, in bytes per piece and mode, of memory and of the trace's file; `None` in a child.
fn measure(test: &str, pieces: usize, body: fn()) -> Option<[(f64, f64); 3]> {
    let mut figures = [(0.0, 0.0); 3];
    for (figure, options) in figures.iter_mut().zip([OFF, ORDER, TRACE]) {
        let outcome = in_child(test, Options { seconds: 60, ..options }, body)?.expect_success();
        let said = outcome.said().first().and_then(|bytes| bytes.parse::<i64>().ok()).expect("a number of bytes");
        *figure = (said as f64 / pieces as f64, outcome.length as f64 / pieces as f64);
        println!("{test}: {} {:.1} bytes of memory, {:.1} of the trace", options.mode, figure.0, figure.1);
    }
    Some(figures)
}

/// Says how many bytes more the process has after `work`.
fn say_growth<R>(work: impl FnOnce() -> R) -> R {
    let before = resident();
    let result = work();
    say(resident() as i64 - before as i64);
    result
}

const LOCKS: usize = 1_000_000;

#[test]
fn a_million_locks_take_few_bytes_beside_themselves() {
    let figures = measure("a_million_locks_take_few_bytes_beside_themselves", LOCKS, || {
        let locks: Vec<Mutex<u64>> = (0..LOCKS).map(|_| Mutex::new(0)).collect();
        say_growth(|| locks.iter().for_each(|lock| *lock.lock().unwrap() += 1));
        let outer = Mutex::new(());
        for lock in locks.iter().step_by(16) {
            let _outer = outer.lock().unwrap();
            *lock.lock().unwrap() += 1;
        }
        assert_eq!(locks.into_iter().map(|lock| lock.into_inner().unwrap()).sum::<u64>(), LOCKS as u64 / 16 * 17);
    });
    let Some([off, order, trace]) = figures else { return };
    assert!(size_of::<Mutex<u64>>() <= size_of::<std::sync::Mutex<u64>>() + 16);
    assert!(size_of::<RwLock<u64>>() <= size_of::<std::sync::RwLock<u64>>() + 16);
    assert!(off.0 < 1.0 && order.0 <= 16.0 && trace.0 <= 16.0, "{off:?} {order:?} {trace:?}");
    // The nestings are in the file too.
    assert!(order.1 <= 48.0 && trace.1 <= 64.0, "{order:?} {trace:?}");
}

const ORDERS: usize = 16_000;

#[test]
fn an_order_of_two_locks_takes_some_hundred_bytes() {
    let figures = measure("an_order_of_two_locks_takes_some_hundred_bytes", ORDERS, || {
        let locks: Vec<Mutex<u64>> = (0..=ORDERS).map(|_| Mutex::new(0)).collect();
        locks.iter().for_each(|lock| *lock.lock().unwrap() += 1);
        say_growth(|| {
            for pair in locks.windows(2) {
                let _outer = pair[0].lock().unwrap();
                *pair[1].lock().unwrap() += 1;
            }
        });
    });
    let Some([off, order, trace]) = figures else { return };
    assert!(off.0 < 8.0 && order.0 <= 320.0 && trace.0 <= 320.0, "{off:?} {order:?} {trace:?}");
}

const THREADS: usize = 256;

#[test]
fn a_thread_takes_some_kibibytes() {
    let figures = measure("a_thread_takes_some_kibibytes", THREADS, || {
        let (outer, inner) = (Mutex::new(0), Mutex::new(0));
        let (start, end) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
        thread::scope(|scope| {
            say_growth(|| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        let mut outer = outer.lock().unwrap();
                        *outer += 1;
                        *inner.lock().unwrap() += 1;
                        drop(outer);
                        start.wait();
                        end.wait();
                    });
                }
                start.wait();
            });
            end.wait();
        });
    });
    let Some([off, order, trace]) = figures else { return };
    let bound = |figure: (f64, f64), kibibytes: f64| figure.0 - off.0 <= kibibytes * 1024.0;
    assert!(bound(order, 8.0) && bound(trace, 96.0), "{off:?} {order:?} {trace:?}");
}

//! Deadlocks through condvars, in programs of our own after bugs that were published for servers, and near misses.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use lockcheck_tracker::sync::{Arc, Condvar, Mutex};
use lockcheck_tracker::thread;

use crate::programs::{pause, threads};
use crate::{Expected, Program};

const DEADLOCK: Expected = Expected::Deadlock("condvar_wait_holding_lock");

const fn program(name: &'static str, run: fn(), expected: Expected) -> Program {
    Program { name, run, expected }
}

pub const ALL: &[Program] = &[
    program("condvar: listener and workers", listener_and_workers, DEADLOCK),
    program("condvar: three threads through one notification", three_threads, DEADLOCK),
    program("condvar: maintenance under the cache lock", maintenance, DEADLOCK),
    program("condvar: flush under the global lock", flush, DEADLOCK),
    program("condvar: rotation of the log", rotation, DEADLOCK),
    program("condvar: notified before the second thread starts", notified_before_start, Expected::Nothing),
    program("condvar: notified before it starts, in a loop", notified_before_start_in_a_loop, Expected::Nothing),
    program("condvar: the notifier needs another lock", another_lock, Expected::Nothing),
];

/// Not tracked: it makes the run, and is no part of the program.
static WAITS: AtomicBool = AtomicBool::new(false);

/// A predicate with its condvar.
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn named(name: &'static str) -> Signal {
        Signal { is_set: Mutex::named(name, false), changed: Condvar::named("changed") }
    }

    fn wait(&self) {
        let Ok(mut is_set) = self.is_set.lock() else { return };
        while !*is_set {
            WAITS.store(true, SeqCst);
            let Ok(again) = self.changed.wait(is_set) else { return };
            is_set = again;
        }
    }

    fn set(&self) {
        if let Ok(mut is_set) = self.is_set.lock() {
            *is_set = true;
            self.changed.notify_one();
        }
    }

    fn later() {
        std::thread::sleep(Duration::from_millis(8));
    }

    /// Until somebody is about to wait: a run in which nobody does says nothing about waits.
    fn once_awaited() {
        while !WAITS.load(SeqCst) {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// The listener waits for an idle worker with the timeouts locked; a worker looks after timeouts before it is idle.
fn listener_and_workers() {
    let (timeouts, idle) = (Mutex::named("timeouts", 0), Signal::named("idle workers"));
    threads(2, move |number| {
        if number == 0 {
            pause();
            Signal::later();
            let Ok(_timeouts) = timeouts.lock() else { return };
            idle.wait();
        } else {
            if let Ok(mut timeouts) = timeouts.lock() {
                *timeouts += 1;
            }
            pause();
            Signal::once_awaited();
            idle.set();
        }
    });
}

/// The waiter keeps a lock that a third thread needs, which keeps the one that the notifier needs.
fn three_threads() {
    let (a, b, signal) = (Mutex::named("a", 0), Mutex::named("b", 0), Signal::named("ready"));
    threads(3, move |number| match number {
        0 => {
            Signal::later();
            let Ok(_a) = a.lock() else { return };
            signal.wait();
        }
        1 => {
            let Ok(_b) = b.lock() else { return };
            pause();
            let _a = a.lock();
        }
        _ => {
            pause();
            drop(b.lock());
            Signal::once_awaited();
            signal.set();
        }
    });
}

/// Whoever grows the table waits for the maintenance thread with the cache locked.
fn maintenance() {
    let (cache, grown) = (Arc::new(Mutex::named("cache", 0)), Arc::new(Signal::named("maintenance")));
    let (inner, done) = (cache.clone(), grown.clone());
    let maintainer = thread::spawn(move || {
        for _ in 0..2 {
            if let Ok(mut cache) = inner.lock() {
                *cache += 1;
            }
        }
        Signal::once_awaited();
        pause();
        done.set();
    });
    Signal::later();
    if let Ok(_cache) = cache.lock() {
        grown.wait();
    }
    let _ = maintainer.join();
}

/// A flush waits for the tables to be closed with the global lock taken; closing the last table needs it.
fn flush() {
    let (global, tables) = (Mutex::named("global", 0), Mutex::named("tables", 1));
    let closed = Condvar::named("closed");
    threads(2, move |number| {
        if number == 0 {
            Signal::later();
            pause();
            let Ok(_global) = global.lock() else { return };
            let Ok(mut open) = tables.lock() else { return };
            while *open > 0 {
                WAITS.store(true, SeqCst);
                let Ok(again) = closed.wait(open) else { return };
                open = again;
            }
        } else {
            if let Ok(mut global) = global.lock() {
                *global += 1;
            }
            Signal::once_awaited();
            pause();
            if let Ok(mut open) = tables.lock() {
                *open -= 1;
            }
            closed.notify_all();
        }
    });
}

/// The log is rotated when all writers have left it; a writer that leaves first looks at the index.
fn rotation() {
    let (index, writers) = (Mutex::named("index", 0), Mutex::named("writers", 2));
    let left = Condvar::named("left");
    threads(3, move |number| {
        if number == 0 {
            Signal::later();
            Signal::later();
            let Ok(mut index) = index.lock() else { return };
            let Ok(mut writers) = writers.lock() else { return };
            while *writers > 0 {
                WAITS.store(true, SeqCst);
                let Ok(again) = left.wait(writers) else { return };
                writers = again;
            }
            *index += 1;
        } else {
            // One leaves early, and the other one looked at the index in time.
            pause();
            let _ = index.lock().map(|index| *index);
            if number == 2 {
                Signal::once_awaited();
            }
            if let Ok(mut writers) = writers.lock() {
                *writers -= 1;
            }
            left.notify_all();
        }
    });
}

/// The waiter holds nothing but its monitor, and the second thread exists only after the notification.
fn notified_before_start() {
    let (a, b) = (Arc::new(Mutex::named("a", 0)), Arc::new(Mutex::named("b", 0)));
    let signal = Arc::new(Signal::named("ready"));
    let (inner_a, inner_b, inner) = (a.clone(), b.clone(), signal.clone());
    let waiter = thread::spawn(move || {
        if let Ok(_is_set) = inner.is_set.lock().map(|is_set| inner.changed.wait(is_set)) {
            drop(_is_set);
        }
        let _b = inner_b.lock();
        pause();
        let _a = inner_a.lock();
    });
    Signal::later();
    {
        let _a = a.lock();
        let _b = b.lock();
        pause();
        signal.set();
    }
    let _ = waiter.join();
}

fn notified_before_start_in_a_loop() {
    let (a, b) = (Arc::new(Mutex::named("a", 0)), Arc::new(Mutex::named("b", 0)));
    let signal = Arc::new(Signal::named("ready"));
    let (inner_a, inner_b, inner) = (a.clone(), b.clone(), signal.clone());
    let waiter = thread::spawn(move || {
        inner.wait();
        let _b = inner_b.lock();
        pause();
        let _a = inner_a.lock();
    });
    {
        let _a = a.lock();
        let _b = b.lock();
        pause();
        signal.set();
    }
    let _ = waiter.join();
}

/// The waiter keeps a lock that no notifier needs before it notifies.
fn another_lock() {
    let (kept, other) = (Mutex::named("kept", 0), Mutex::named("other", 0));
    let signal = Signal::named("ready");
    threads(2, move |number| {
        if number == 0 {
            let Ok(_kept) = kept.lock() else { return };
            signal.wait();
        } else {
            drop(other.lock());
            Signal::once_awaited();
            signal.set();
            // Needed only once the notification is out.
            drop(kept.lock());
        }
    });
}

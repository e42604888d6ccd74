//! What the order of acquisitions gives away, and what it must not: each program in a child process.

mod common;

use std::sync::Arc;

use common::{ORDER, Options, in_child, say};
use lockcheck_tracker::event::{Op, Record, RecordingMode};
use lockcheck_tracker::sync::{Mutex, RwLock};
use lockcheck_tracker::thread;

/// Takes the two locks, one under the other, on a thread of its own that ends before this returns, but whose end
/// nobody waits for in the tracker's eyes: so the order of two such threads is luck.
fn apart(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    drop(thread::spawn(move || {
        work();
        drop(done);
    }));
    let _ = ended.recv();
}

macro_rules! nest {
    ($first:expr, $second:expr) => {{
        let (first, second) = ($first.clone(), $second.clone());
        move || {
            let _first = first.lock().unwrap();
            let _second = second.lock().unwrap();
        }
    }};
}

fn lock(name: &'static str) -> Arc<Mutex<()>> {
    Arc::new(Mutex::named(name, ()))
}

fn findings(test: &str, body: impl FnOnce()) -> Option<Vec<String>> {
    let outcome = in_child(test, ORDER, body)?.expect_success();
    assert_eq!(outcome.trace.deadlocks(), 0);
    assert!(outcome.trace.ended() && outcome.trace.rest == 0);
    Some(outcome.findings().into_iter().map(String::from).collect())
}

#[test]
fn two_orders_with_lucky_timing_are_reported_once() {
    let Some(found) = findings("two_orders_with_lucky_timing_are_reported_once", || {
        let (a, b) = (lock("A"), lock("B"));
        for _ in 0..5 {
            apart(nest!(a, b));
            apart(nest!(b, a));
        }
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn a_circle_of_three_locks_is_reported() {
    let Some(found) = findings("a_circle_of_three_locks_is_reported", || {
        let (a, b, c) = (lock("A"), lock("B"), lock("C"));
        apart(nest!(a, b));
        apart(nest!(b, c));
        apart(nest!(c, a));
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn an_order_through_a_lock_that_is_gone_is_remembered() {
    let Some(found) = findings("an_order_through_a_lock_that_is_gone_is_remembered", || {
        let (a, c) = (lock("A"), lock("C"));
        {
            let middle = lock("middle");
            let (a, c) = (a.clone(), c.clone());
            apart(move || {
                let _a = a.lock().unwrap();
                let _middle = middle.lock().unwrap();
                let _c = c.lock().unwrap();
            });
        }
        apart(nest!(c, a));
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn other_instances_of_the_same_classes_are_reported() {
    let Some(found) = findings("other_instances_of_the_same_classes_are_reported", || {
        let pair = || (lock("A"), lock("B"));
        let ((a, b), (c, d)) = (pair(), pair());
        apart(nest!(a, b));
        apart(nest!(d, c));
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn one_lock_around_both_orders_keeps_it_silent() {
    let Some(found) = findings("one_lock_around_both_orders_keeps_it_silent", || {
        let (gate, a, b) = (lock("gate"), lock("A"), lock("B"));
        for (first, second) in [(a.clone(), b.clone()), (b, a)] {
            let gate = gate.clone();
            apart(move || {
                let _gate = gate.lock().unwrap();
                let _first = first.lock().unwrap();
                let _second = second.lock().unwrap();
            });
        }
    }) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_later_use_without_the_gate_is_reported() {
    let Some(found) = findings("a_later_use_without_the_gate_is_reported", || {
        let (gate, a, b) = (lock("gate"), lock("A"), lock("B"));
        for (first, second) in [(a.clone(), b.clone()), (b.clone(), a.clone())] {
            let gate = gate.clone();
            apart(move || {
                let _gate = gate.lock().unwrap();
                let _first = first.lock().unwrap();
                let _second = second.lock().unwrap();
            });
        }
        apart(nest!(a, b));
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn a_gate_that_is_only_read_is_no_gate() {
    let Some(found) = findings("a_gate_that_is_only_read_is_no_gate", || {
        let (gate, a, b) = (Arc::new(RwLock::named("gate", ())), lock("A"), lock("B"));
        for (first, second) in [(a.clone(), b.clone()), (b, a)] {
            let gate = gate.clone();
            apart(move || {
                let _gate = gate.read().unwrap();
                let _first = first.lock().unwrap();
                let _second = second.lock().unwrap();
            });
        }
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn joined_before_the_other_starts_is_silent() {
    let Some(found) = findings("joined_before_the_other_starts_is_silent", || {
        let (a, b) = (lock("A"), lock("B"));
        thread::spawn(nest!(a, b)).join().unwrap();
        thread::spawn(nest!(b, a)).join().unwrap();
        thread::scope(|scope| {
            scope.spawn(nest!(a, b));
        });
        nest!(b, a)();
    }) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn both_orders_in_one_thread_are_silent() {
    let Some(found) = findings("both_orders_in_one_thread_are_silent", || {
        let (a, b) = (lock("A"), lock("B"));
        nest!(a, b)();
        nest!(b, a)();
    }) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn reading_in_both_orders_is_silent() {
    let Some(found) = findings("reading_in_both_orders_is_silent", || {
        let (a, b) = (Arc::new(RwLock::named("A", ())), Arc::new(RwLock::named("B", ())));
        for (first, second) in [(a.clone(), b.clone()), (b, a)] {
            apart(move || {
                let _first = first.read().unwrap();
                let _second = second.read().unwrap();
            });
        }
    }) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn an_attempt_that_cannot_wait_is_silent_but_what_it_took_counts() {
    let Some(found) = findings("an_attempt_that_cannot_wait_is_silent_but_what_it_took_counts", || {
        let (a, b, c) = (lock("A"), lock("B"), lock("C"));
        apart(nest!(a, b));
        let (first, second) = (b.clone(), a.clone());
        apart(move || {
            let _first = first.lock().unwrap();
            let _second = second.try_lock().unwrap();
        });
        say("so far");
        apart(nest!(c, b));
        let (first, second) = (b.clone(), c.clone());
        apart(move || {
            let _first = first.try_lock().unwrap();
            let _second = second.lock().unwrap();
        });
    }) else {
        return;
    };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn a_recursive_read_is_recorded_and_never_broken() {
    let Some(outcome) = in_child("a_recursive_read_is_recorded_and_never_broken", ORDER, || {
        let lock = RwLock::new(1);
        let (first, second) = (lock.read().unwrap(), lock.read().unwrap());
        assert_eq!(*first + *second, 2);
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!((outcome.findings(), outcome.trace.double_locks()), (vec!["double_lock"], 1));
}

#[test]
fn order_mode_writes_edges_with_held_sets_and_no_events() {
    let Some(outcome) = in_child("order_mode_writes_edges_with_held_sets_and_no_events", ORDER, || {
        let (a, b, c) = (lock("A"), lock("B"), lock("C"));
        for _ in 0..100 {
            let (_a, _b) = (a.lock().unwrap(), b.lock().unwrap());
            let _c = c.lock().unwrap();
        }
    }) else {
        return;
    };
    let trace = outcome.expect_success().trace;
    assert_eq!(trace.header.map(|header| header.mode), Some(RecordingMode::Order));
    assert!(trace.events.is_empty());
    let held: Vec<usize> = (trace.records.iter())
        .filter_map(|record| if let Record::Edge { held, .. } = record { Some(held.len()) } else { None })
        .collect();
    assert_eq!(held, [1, 2]);
    let classes = trace.records.iter().filter(|record| matches!(record, Record::Class { .. })).count();
    assert_eq!(classes, 3);
}

#[test]
fn off_mode_writes_nothing_and_locks_still_lock() {
    let name = "off_mode_writes_nothing_and_locks_still_lock";
    let Some(outcome) = in_child(name, Options { mode: "off", ..ORDER }, || {
        let sum = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let sum = sum.clone();
                thread::spawn(move || (0..10_000).for_each(|_| *sum.lock().unwrap() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        say(*sum.lock().unwrap());
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["40000"]);
    assert!(outcome.trace.header.is_none());
}

#[test]
fn a_killed_program_leaves_a_readable_trace() {
    let name = "a_killed_program_leaves_a_readable_trace";
    let options = Options { kill_after_ms: Some(700), mode: "trace", ..ORDER };
    let Some(outcome) = in_child(name, options, || {
        let (a, b) = (lock("A"), lock("B"));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        nest!(a, b)();
                    }
                });
            }
        });
    }) else {
        return;
    };
    assert!(outcome.timed_out);
    let trace = outcome.trace;
    assert!(!trace.ended() && trace.edges() >= 3 && trace.events.len() > 1000);
    assert!(trace.events.iter().any(|(_, event)| event.op() == Some(Op::Acquire)));
}

fn two_tasks_in_both_orders(workers: usize) {
    use lockcheck_tracker::pool::ThreadPool;
    let (a, b) = (lock("A"), lock("B"));
    let pool = ThreadPool::new(workers);
    // One after the other by luck: what the caller waits for says nothing to the tracker.
    for (first, second) in [(a.clone(), b.clone()), (b, a)] {
        let (done, ended) = std::sync::mpsc::channel::<()>();
        drop(pool.run_async(move || {
            nest!(first, second)();
            drop(done);
        }));
        let _ = ended.recv();
    }
}

#[test]
fn tasks_that_could_run_at_once_are_reported_even_where_one_thread_ran_both() {
    let name = "tasks_that_could_run_at_once_are_reported_even_where_one_thread_ran_both";
    let Some(found) = findings(name, || two_tasks_in_both_orders(2)) else { return };
    assert_eq!(found, ["lock_order_inversion"]);
}

#[test]
fn tasks_of_a_pool_of_one_thread_are_silent() {
    let Some(found) = findings("tasks_of_a_pool_of_one_thread_are_silent", || two_tasks_in_both_orders(1)) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_task_that_was_joined_before_the_next_is_silent() {
    use lockcheck_tracker::pool::ThreadPool;
    let Some(found) = findings("a_task_that_was_joined_before_the_next_is_silent", || {
        let (a, b) = (lock("A"), lock("B"));
        let pool = ThreadPool::new(2);
        pool.run_async(nest!(a, b)).join().unwrap();
        pool.run_async(nest!(b, a)).join().unwrap();
        drop(pool.run_async(nest!(a, b)));
        pool.join();
        nest!(b, a)();
    }) else {
        return;
    };
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_second_process_with_the_same_file_writes_to_one_of_its_own() {
    let name = "a_second_process_with_the_same_file_writes_to_one_of_its_own";
    if std::env::var_os("LOCKCHECK_TEST_GRANDCHILD").is_some() {
        let own = lock("grandchild");
        return drop(own.lock());
    }
    let Some(outcome) = in_child(name, ORDER, || {
        let own = lock("child");
        drop(own.lock());
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let process = again.args([name, "--exact"]).env("LOCKCHECK_TEST_GRANDCHILD", "1").spawn().unwrap();
        let path = format!("{}.{}", std::env::var("LOCKCHECK_TRACE").unwrap(), process.id());
        assert!(process.wait_with_output().unwrap().status.success());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        say(bytes.windows(10).any(|part| part == b"grandchild"));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["true"]);
    let ends = outcome.trace.records.iter().filter(|record| **record == Record::End).count();
    assert_eq!((ends, outcome.trace.rest), (1, 0));
}

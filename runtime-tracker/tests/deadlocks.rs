//! Real deadlocks, each in a child process: they are reported, broken, and everybody else goes on.

mod common;

use std::sync::{Arc, Barrier};
use std::time::Duration;

use common::{ORDER, Options, TRACE, in_child, say};
use lockcheck_tracker::event::{DeadlockAction, Record, WaitKind};
use lockcheck_tracker::pool::{Policy, ThreadPool};
use lockcheck_tracker::sync::{Mutex, RwLock};
use lockcheck_tracker::thread;

fn two_locks() {
    let (a, b) = (Arc::new(Mutex::named("A", 0)), Arc::new(Mutex::named("B", 0)));
    let meet = Arc::new(Barrier::new(2));
    let start = |first: &Arc<Mutex<i32>>, second: &Arc<Mutex<i32>>| {
        let (first, second, meet) = (first.clone(), second.clone(), meet.clone());
        thread::spawn(move || {
            let mut one = first.lock().unwrap();
            meet.wait();
            let mut two = second.lock().unwrap();
            *one += 1;
            *two += 1;
        })
    };
    let (x, y) = (start(&a, &b), start(&b, &a));
    let ended = [x.join(), y.join()].iter().filter(|result| result.is_ok()).count();
    say(format!("ended {ended}"));
    say(format!("sum {}", *a.lock().unwrap() + *b.lock().unwrap()));
}

#[test]
fn two_threads_in_a_circle_are_parted_and_the_other_one_finishes() {
    let name = "two_threads_in_a_circle_are_parted_and_the_other_one_finishes";
    for options in [ORDER, TRACE] {
        let Some(outcome) = in_child(name, options, two_locks) else { return };
        let outcome = outcome.expect_success();
        assert!(outcome.said().contains(&"ended 1") && outcome.said().contains(&"sum 2"), "{}", outcome.stdout);
        assert!(outcome.findings().contains(&"deadlock"));
        assert_eq!(outcome.trace.deadlocks(), 1);
        assert!(outcome.trace.ended());
        assert!(outcome.stderr.contains("deadlock: these threads wait for each other"), "{}", outcome.stderr);
    }
}

#[test]
fn a_mutex_taken_twice_is_reported_and_broken() {
    let Some(outcome) = in_child("a_mutex_taken_twice_is_reported_and_broken", ORDER, || {
        let lock = Mutex::new(1);
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _first = lock.lock().unwrap();
            let _second = lock.lock().unwrap();
        }));
        say(format!("panicked {}", again.is_err()));
        say(format!("usable {}", lock.lock().is_ok()));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["finding double_lock", "panicked true", "usable true"]);
    assert_eq!(outcome.trace.double_locks(), 1);
}

#[test]
fn a_write_under_a_read_of_the_same_thread_is_reported_and_broken() {
    let name = "a_write_under_a_read_of_the_same_thread_is_reported_and_broken";
    let Some(outcome) = in_child(name, ORDER, || {
        let lock = RwLock::new(1);
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _first = lock.read().unwrap();
            let _second = lock.write().unwrap();
        }));
        say(format!("panicked {}", again.is_err()));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["finding double_lock", "panicked true"]);
    assert_eq!(outcome.trace.double_locks(), 1);
}

#[test]
fn readers_that_want_to_write_what_the_other_reads_are_parted() {
    let name = "readers_that_want_to_write_what_the_other_reads_are_parted";
    let Some(outcome) = in_child(name, ORDER, || {
        let (a, b) = (RwLock::named("A", 0), RwLock::named("B", 0));
        let meet = Barrier::new(2);
        let cross = |read: &RwLock<i32>, write: &RwLock<i32>| {
            let _read = read.read().unwrap();
            meet.wait();
            *write.write().unwrap() += 1;
        };
        let ended = thread::scope(|scope| {
            let threads = [scope.spawn(|| cross(&a, &b)), scope.spawn(|| cross(&b, &a))];
            threads.map(|thread| thread.join().is_ok()).iter().filter(|ok| **ok).count()
        });
        say(format!("ended {ended}"));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["finding lock_order_inversion", "finding deadlock", "ended 1"]);
}

#[test]
fn a_second_read_behind_a_waiting_writer_is_a_deadlock() {
    let Some(outcome) = in_child("a_second_read_behind_a_waiting_writer_is_a_deadlock", ORDER, || {
        let lock = RwLock::named("A", 0);
        let ended = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let _first = lock.read().unwrap();
                std::thread::sleep(Duration::from_millis(100));
                let _second = lock.read().unwrap();
            });
            std::thread::sleep(Duration::from_millis(30));
            let writer = scope.spawn(|| *lock.write().unwrap() = 1);
            [reader.join().is_ok(), writer.join().is_ok()]
        });
        say(format!("ended {ended:?}"));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.said(), ["finding double_lock", "finding deadlock", "ended [false, true]"]);
}

#[test]
fn a_join_under_the_lock_that_the_thread_needs_is_broken() {
    let Some(outcome) = in_child("a_join_under_the_lock_that_the_thread_needs_is_broken", TRACE, || {
        let lock = Arc::new(Mutex::named("A", 0));
        let other = lock.clone();
        let result = thread::spawn(move || {
            let guard = other.lock().unwrap();
            let inner = other.clone();
            let child = thread::spawn(move || *inner.lock().unwrap() += 1);
            std::thread::sleep(Duration::from_millis(50));
            let _ = child.join();
            drop(guard);
        })
        .join();
        say(format!("ended {}", result.is_ok()));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert_eq!(outcome.trace.deadlocks(), 1, "{}", outcome.stderr);
    let kinds: Vec<WaitKind> = outcome
        .trace
        .records
        .iter()
        .flat_map(|record| match record {
            Record::Deadlock { members, .. } => members.iter().map(|member| member.kind).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert!(kinds.contains(&WaitKind::Join) && kinds.contains(&WaitKind::Lock), "{kinds:?}");
}

#[test]
fn the_end_of_a_scope_under_the_lock_that_its_thread_needs_is_broken() {
    let name = "the_end_of_a_scope_under_the_lock_that_its_thread_needs_is_broken";
    let Some(outcome) = in_child(name, ORDER, || {
        let lock = Mutex::named("A", 0);
        let _guard = lock.lock().unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| *lock.lock().unwrap() += 1);
            });
        }));
        say(format!("scope ended {}", result.is_ok()));
    }) else {
        return;
    };
    assert_eq!(outcome.expect_success().said(), ["finding deadlock", "scope ended false"]);
}

fn nested_run_async(workers: usize, policy: Policy) {
    let pool = ThreadPool::builder().name("handlers").workers(workers).policy(policy).build();
    let meet = Arc::new(Barrier::new(workers.min(2)));
    let children: Vec<_> = (0..2)
        .map(|_| {
            let (inner, meet) = (pool.clone(), meet.clone());
            pool.run_async_named("child", move || {
                meet.wait();
                drop(inner.run_async_named("grandchild", || ()));
            })
        })
        .collect();
    let ended = children.into_iter().map(|child| child.join().is_ok()).filter(|ok| *ok).count();
    pool.join();
    say(format!("ended {ended}"));
}

#[test]
fn nested_submission_on_two_workers_is_broken_and_the_program_ends() {
    let name = "nested_submission_on_two_workers_is_broken_and_the_program_ends";
    for options in [ORDER, TRACE] {
        let Some(outcome) = in_child(name, options, || nested_run_async(2, Policy::Block)) else { return };
        let outcome = outcome.expect_success();
        assert_eq!(outcome.trace.deadlocks(), 1, "{}", outcome.stderr);
        assert!(outcome.said().contains(&"ended 1"), "{}", outcome.stdout);
        assert!(outcome.trace.ended());
    }
}

#[test]
fn nested_submission_to_a_queue_ends_by_itself() {
    let Some(outcome) = in_child("nested_submission_to_a_queue_ends_by_itself", ORDER, || {
        nested_run_async(2, Policy::Queue);
        nested_run_async(1, Policy::CallerRuns);
        nested_run_async(3, Policy::Block);
    }) else {
        return;
    };
    assert_eq!(outcome.expect_success().said(), ["ended 2"; 3]);
}

#[test]
fn a_reported_deadlock_stays_and_is_in_the_file_of_the_hanging_program() {
    let name = "a_reported_deadlock_stays_and_is_in_the_file_of_the_hanging_program";
    let options = Options { on_deadlock: "report", kill_after_ms: Some(1500), ..ORDER };
    let Some(outcome) = in_child(name, options, || nested_run_async(2, Policy::Block)) else { return };
    assert!(outcome.timed_out && !outcome.trace.ended());
    let actions: Vec<DeadlockAction> = outcome
        .trace
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Deadlock { action, .. } => Some(*action),
            _ => None,
        })
        .collect();
    assert_eq!(actions, [DeadlockAction::Report]);
    assert_eq!(outcome.trace.rest, 0);
}

#[test]
fn an_aborted_deadlock_ends_the_process_with_the_report() {
    let name = "an_aborted_deadlock_ends_the_process_with_the_report";
    let options = Options { on_deadlock: "abort", ..ORDER };
    let Some(outcome) = in_child(name, options, two_locks) else { return };
    assert!(!outcome.success && !outcome.timed_out);
    assert!(outcome.stderr.contains("deadlock: these threads"), "{}", outcome.stderr);
    assert_eq!(outcome.trace.deadlocks(), 1);
}

#[test]
fn the_events_of_a_pool_tell_the_tree_and_the_slots() {
    use lockcheck_tracker::event::Op;
    let name = "the_events_of_a_pool_tell_the_tree_and_the_slots";
    let Some(outcome) = in_child(name, TRACE, || {
        for policy in [Policy::Block, Policy::Queue] {
            let pool = ThreadPool::builder().workers(3).policy(policy).build();
            let inner = pool.clone();
            let parent = pool.run_async_named("parent", move || {
                for _ in 0..2 {
                    let deeper = inner.clone();
                    let child = inner
                        .run_async_named("child", move || deeper.run_async_named("grandchild", || 1).join().unwrap());
                    assert_eq!(child.join().unwrap(), 1);
                }
            });
            parent.join().unwrap();
        }
    }) else {
        return;
    };
    let trace = outcome.expect_success().trace;
    let tasks: Vec<(u32, u32, String)> = (trace.records.iter())
        .filter_map(|record| match record {
            Record::Task { id, parent, name, .. } => Some((*id, *parent, name.to_string())),
            _ => None,
        })
        .collect();
    assert_eq!(tasks.len(), 10);
    for (_, parent, name) in &tasks {
        let above = tasks.iter().find(|(id, ..)| id == parent).map(|(.., name)| name.as_str());
        let expected = match name.as_str() {
            "parent" => None,
            "child" => Some("parent"),
            _ => Some("child"),
        };
        assert_eq!(above, expected);
    }
    let count = |wanted: Op| trace.events.iter().filter(|(_, event)| event.op() == Some(wanted)).count();
    for op in [Op::Submit, Op::TaskBegin, Op::TaskEnd, Op::SlotAcquire, Op::SlotRelease] {
        assert_eq!(count(op), 10, "{op:?}");
    }
    // Each by its promise, and by the pool's end, which waits for all.
    assert_eq!(count(Op::TaskJoin), 20);
    // Sorted by the pool's numbers, no more slots are taken than there are.
    let mut slots: Vec<_> = (trace.events.iter())
        .filter(|(_, event)| matches!(event.op(), Some(Op::SlotAcquire | Op::SlotRelease)))
        .map(|(_, event)| (event.object, event.seq, event.op() == Some(Op::SlotAcquire)))
        .collect();
    slots.sort_unstable();
    assert!(slots.windows(2).all(|pair| (pair[0].0, pair[0].1) != (pair[1].0, pair[1].1)));
    let mut taken = 0;
    for (_, _, acquire) in slots {
        taken += if acquire { 1 } else { -1 };
        assert!((0..=3).contains(&taken));
    }
}

#[test]
fn a_panic_hook_can_tell_a_broken_deadlock_from_other_panics() {
    let name = "a_panic_hook_can_tell_a_broken_deadlock_from_other_panics";
    let Some(outcome) = in_child(name, ORDER, || {
        std::panic::set_hook(Box::new(|_| say(format!("breaking {}", lockcheck_tracker::is_breaking_deadlock()))));
        two_locks();
        let _ = thread::spawn(|| panic!("on purpose")).join();
        let lock = Mutex::new(());
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _first = lock.lock();
            drop(lock.lock());
        }));
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = lock.lock();
            assert!(!lock.is_poisoned());
            panic!("on purpose");
        }));
        say(format!("poisoned {}", lock.is_poisoned()));
        assert!(!lockcheck_tracker::is_breaking_deadlock());
        let _ = std::panic::catch_unwind(|| panic!("on purpose"));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    let said: Vec<&str> = outcome.said().into_iter().filter_map(|line| line.strip_prefix("breaking ")).collect();
    // The fourth panics before anything could tell that the third was caught.
    assert_eq!(said, ["true", "false", "true", "true", "false"]);
    assert!(outcome.said().contains(&"poisoned true"));
}

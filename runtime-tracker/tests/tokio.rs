//! Tasks that block each other over the tracked `tokio` types, and tasks that only look so.
#![cfg(feature = "tokio")]

mod common;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use common::{ORDER, Options, TRACE, in_child, say};
use lockcheck_tracker::tokio::sync::{Barrier, Mutex, RwLock, Semaphore, oneshot};
use lockcheck_tracker::tokio::task::JoinHandle;
use lockcheck_tracker::tokio::{self, spawn};

const SHORT: Duration = Duration::from_millis(30);

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(future);
}

async fn ended(tasks: impl IntoIterator<Item = JoinHandle<()>>) {
    let mut ended = 0;
    for task in tasks {
        ended += i32::from(task.await.is_ok());
    }
    say(format!("ended {ended}"));
}

fn cross(first: &Arc<Mutex<u32>>, second: &Arc<Mutex<u32>>, meet: &Arc<Barrier>) -> JoinHandle<()> {
    let (first, second, meet) = (first.clone(), second.clone(), meet.clone());
    spawn(async move {
        let mut one = first.lock().await;
        meet.wait().await;
        let mut two = second.lock().await;
        *one += 1;
        *two += 1;
    })
}

#[test]
fn two_tasks_in_a_circle_are_parted_and_the_other_one_finishes() {
    let name = "two_tasks_in_a_circle_are_parted_and_the_other_one_finishes";
    for options in [ORDER, TRACE] {
        let Some(outcome) = in_child(name, options, || {
            run(async {
                let (a, b) = (Arc::new(Mutex::named("A", 0)), Arc::new(Mutex::named("B", 0)));
                let meet = Arc::new(Barrier::new(2));
                ended([cross(&a, &b, &meet), cross(&b, &a, &meet)]).await;
                say(format!("sum {}", *a.lock().await + *b.lock().await));
            });
        }) else {
            return;
        };
        let outcome = outcome.expect_success();
        assert!(outcome.said().ends_with(&["ended 1", "sum 2"]), "{}\n{}", outcome.stdout, outcome.stderr);
        assert!(outcome.findings().contains(&"deadlock"), "{}", outcome.stdout);
        assert_eq!(outcome.trace.deadlocks(), 1);
    }
}

#[test]
fn permits_locks_and_joins_take_part_in_one_circle() {
    let Some(outcome) = in_child("permits_locks_and_joins_take_part_in_one_circle", ORDER, || {
        run(async {
            let slots = Arc::new(Semaphore::named("slots", 2));
            let state = Arc::new(RwLock::named("state", 0));
            let (other, more) = (state.clone(), slots.clone());
            let outer = spawn(async move {
                let _state = other.write().await;
                let _slot = more.clone().acquire_owned().await.unwrap();
                let inner = spawn(async move {
                    let _slots = more.acquire_many(2).await.unwrap();
                });
                let _ = inner.await;
            });
            tokio::time::sleep(SHORT).await;
            let reader = spawn(async move { drop(state.read().await) });
            ended([outer, reader]).await;
            say(format!("permits {}", slots.available_permits()));
        });
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert!(outcome.said().contains(&"finding deadlock"), "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains("permits of `slots`"), "{}", outcome.stderr);
    assert!(outcome.said().ends_with(&["ended 2", "permits 2"]), "{}", outcome.stdout);
}

#[test]
fn a_task_that_takes_its_own_lock_again_is_broken() {
    let Some(outcome) = in_child("a_task_that_takes_its_own_lock_again_is_broken", ORDER, || {
        run(async {
            let lock = Arc::new(Mutex::named("A", 0));
            let own = lock.clone();
            let task = spawn(async move {
                let _first = own.lock().await;
                let _second = own.lock().await;
            });
            ended([task]).await;
            say(format!("free {}", lock.try_lock().is_ok()));
        });
    }) else {
        return;
    };
    assert_eq!(outcome.expect_success().said(), ["finding deadlock", "ended 0", "free true"]);
}

#[test]
fn a_task_that_may_go_on_in_another_way_is_no_member() {
    let name = "a_task_that_may_go_on_in_another_way_is_no_member";
    let options = Options { on_deadlock: "abort", ..TRACE };
    let Some(outcome) = in_child(name, options, || {
        run(async {
            let (a, b) = (Arc::new(Mutex::named("A", 0)), Arc::new(Mutex::named("B", 0)));
            let meet = Arc::new(Barrier::new(2));
            let patient = cross(&a, &b, &meet);
            let (first, second) = (b.clone(), a.clone());
            // A time limit, and then another branch of a `select!`.
            let limited = spawn(async move {
                let _first = first.lock().await;
                meet.wait().await;
                say(tokio::time::timeout(SHORT, second.lock()).await.is_err());
            });
            ended([patient, limited]).await;
            let (sender, receiver) = oneshot::channel::<()>();
            let (first, second) = (b.clone(), a.clone());
            let guard = a.lock().await;
            let chooses = spawn(async move {
                let _first = first.lock().await;
                tokio::select! {
                    _ = second.lock() => say("lock"),
                    _ = receiver => say("message"),
                }
            });
            tokio::time::sleep(SHORT).await;
            sender.send(()).unwrap();
            // Only then the lock: of two branches that are ready either may be taken.
            ended([chooses]).await;
            drop(guard);
            // Held outside of any task.
            let guard = a.lock().await;
            let other = a.clone();
            let waits = spawn(async move { *other.lock().await += 1 });
            tokio::time::sleep(SHORT).await;
            drop(guard);
            ended([waits]).await;
            // Many tasks in a row.
            let slots = Arc::new(Semaphore::new(3));
            let many = (0..200).map(|_| {
                let (slots, a) = (slots.clone(), a.clone());
                spawn(async move {
                    let _slot = slots.acquire_owned().await.unwrap();
                    let mut count = a.lock().await;
                    tokio::task::yield_now().await;
                    *count += 1;
                })
            });
            ended(many.collect::<Vec<_>>()).await;
        });
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    let said: Vec<&str> = outcome.said().into_iter().filter(|line| !line.contains("lock_order")).collect();
    assert_eq!(said, ["true", "ended 2", "message", "ended 1", "ended 1", "ended 200"]);
}

#[test]
fn opposite_orders_of_two_tasks_are_found_unless_one_comes_first() {
    let name = "opposite_orders_of_two_tasks_are_found_unless_one_comes_first";
    let Some(outcome) = in_child(name, ORDER, || {
        run(async {
            let nest = |first: &Arc<Mutex<u32>>, second: &Arc<Mutex<u32>>| {
                let (first, second) = (first.clone(), second.clone());
                spawn(async move {
                    let mut one = first.lock().await;
                    *one += *second.lock().await;
                })
            };
            let locks: Vec<_> = ["A", "B", "C", "D"].map(|name| Arc::new(Mutex::named(name, 0))).into();
            nest(&locks[0], &locks[1]).await.unwrap();
            nest(&locks[1], &locks[0]).await.unwrap();
            say("joined");
            let first = nest(&locks[2], &locks[3]);
            tokio::time::sleep(SHORT).await;
            nest(&locks[3], &locks[2]).await.unwrap();
            first.await.unwrap();
        });
    }) else {
        return;
    };
    assert_eq!(outcome.expect_success().said(), ["joined", "finding lock_order_inversion"]);
}

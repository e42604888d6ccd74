//! Rows on the tracked types of other crates.

use std::sync::Barrier as Meet;

use lockcheck_tracker::sync::Arc;
use lockcheck_tracker::tokio::sync::{Mutex as TaskMutex, Semaphore};
use lockcheck_tracker::{parking_lot, tokio};

use super::blocked;

fn in_a_runtime(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work);
}

pub(super) fn permits() {
    in_a_runtime(async {
        let (slots, meet) = (Arc::new(Semaphore::named("slots", 2)), Arc::new(tokio::sync::Barrier::new(2)));
        let tasks = [0, 1].map(|_| {
            let (slots, meet) = (slots.clone(), meet.clone());
            tokio::spawn(async move {
                let first = slots.acquire().await;
                meet.wait().await;
                drop((slots.acquire().await, first));
            })
        });
        for task in tasks {
            let _ = task.await;
        }
    });
}

pub(super) fn deadlock_of_tasks() {
    in_a_runtime(async {
        let named = |name| Arc::new(TaskMutex::named(name, 0));
        let (a, b, meet) = (named("a"), named("b"), Arc::new(tokio::sync::Barrier::new(2)));
        let cross = |first: &Arc<TaskMutex<u32>>, second: &Arc<TaskMutex<u32>>| {
            let (first, second, meet) = (first.clone(), second.clone(), meet.clone());
            tokio::spawn(async move {
                let first = first.lock().await;
                meet.wait().await;
                drop((second.lock().await, first));
            })
        };
        for task in [cross(&a, &b), cross(&b, &a)] {
            let _ = task.await;
        }
    });
}

pub(super) fn deadlock_of_parking_lot_locks() {
    let (a, b, meet) = (parking_lot::Mutex::named("a", 0), parking_lot::RwLock::named("b", 0), Meet::new(2));
    blocked(
        || {
            let first = a.lock();
            meet.wait();
            drop((b.write(), first));
        },
        || {
            let first = b.upgradable_read();
            meet.wait();
            drop((a.lock(), first));
        },
    );
}

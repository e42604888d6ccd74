//! The tracked types do what `std`'s do: in the test process itself, in the default mode.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lockcheck_tracker::pool::{Policy, ThreadPool};
use lockcheck_tracker::sync::*;
use lockcheck_tracker::{Tracked, thread};

static COUNT: Mutex<u64> = Mutex::new(0);
static TABLE: [RwLock<u8>; 3] = [const { RwLock::new(7) }; 3];
static BELL: Condvar = Condvar::new();

#[test]
fn statics_arrays_and_sizes() {
    *COUNT.lock().unwrap() += 1;
    assert_eq!(TABLE.iter().map(|lock| *lock.read().unwrap()).sum::<u8>(), 21);
    BELL.notify_all();
    assert!(size_of::<Mutex<u64>>() <= 24 && size_of::<RwLock<u64>>() <= 24);
}

#[test]
fn auto_traits_are_those_of_std() {
    fn all<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    fn shared<T: Sync>() {}
    all::<Mutex<std::cell::Cell<u8>>>();
    all::<RwLock<Vec<u8>>>();
    all::<Condvar>();
    all::<Tracked<u8>>();
    all::<ThreadPool>();
    shared::<MutexGuard<'static, u8>>();
    shared::<RwLockReadGuard<'static, u8>>();
    shared::<RwLockWriteGuard<'static, u8>>();
}

#[test]
fn unsized_data_and_the_small_traits() {
    let shown: Arc<Mutex<dyn Debug + Send>> = Arc::new(Mutex::new(5u8));
    assert_eq!(format!("{:?}", &*shown.lock().unwrap()), "5");
    let slice: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2, 3]));
    assert_eq!(slice.read().unwrap().len(), 3);
    let mut lock = Mutex::<String>::default();
    lock.get_mut().unwrap().push('x');
    assert_eq!(format!("{lock:?}"), r#"Mutex { data: "x", poisoned: false, .. }"#);
    let guard = lock.lock().unwrap();
    assert_eq!(format!("{guard} {lock:?}"), "x Mutex { data: \"<locked>\", poisoned: false, .. }");
    drop(guard);
    assert_eq!(lock.into_inner().unwrap(), "x");
    assert_eq!(RwLock::from(3).into_inner().unwrap(), 3);
}

#[test]
fn read_guards_are_covariant() {
    fn shorter<'a, 'b: 'a>(guard: RwLockReadGuard<'b, &'static str>) -> RwLockReadGuard<'a, &'a str> {
        guard
    }
    let lock = RwLock::new("text");
    assert_eq!(*shorter(lock.read().unwrap()), "text");
}

#[test]
fn poisoning_is_that_of_std() {
    let lock = Mutex::new(1);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        panic!("on purpose");
    }));
    assert!(lock.is_poisoned());
    assert_eq!(*lock.lock().unwrap_err().into_inner(), 1);
    assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
    lock.clear_poison();
    assert!(lock.lock().is_ok());
    let held = lock.lock().unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    drop(held);
    let rw = RwLock::new(1);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _guard = rw.read().unwrap();
        panic!("a reader poisons nothing");
    }));
    assert!(!rw.is_poisoned());
}

#[test]
fn a_mutex_excludes() {
    let (count, lock) = (Arc::new(AtomicI64::new(0)), Arc::new(Mutex::new(0i64)));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (count, lock) = (count.clone(), lock.clone());
            thread::spawn(move || {
                for _ in 0..20_000 {
                    let mut value = lock.lock().unwrap();
                    *value += 1;
                    count.store(*value, Ordering::Relaxed);
                    assert_eq!(count.load(Ordering::Relaxed), *value);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*lock.lock().unwrap(), 120_000);
}

#[test]
fn readers_share_and_writers_exclude() {
    let lock = RwLock::new(());
    let (readers, writers) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..6 {
            let (lock, readers, writers) = (&lock, &readers, &writers);
            scope.spawn(move || {
                for round in 0..5_000 {
                    if (round + thread) % 5 == 0 {
                        let _guard = lock.write().unwrap();
                        assert_eq!(writers.fetch_add(1, Ordering::SeqCst) + readers.load(Ordering::SeqCst), 0);
                        std::hint::spin_loop();
                        writers.fetch_sub(1, Ordering::SeqCst);
                    } else {
                        let _guard = lock.read().unwrap();
                        readers.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(writers.load(Ordering::SeqCst), 0);
                        readers.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let first = lock.read().unwrap();
    let second = lock.try_read().unwrap();
    assert!(lock.try_write().is_err());
    drop((first, second));
    let read = RwLockWriteGuard::downgrade(lock.write().unwrap());
    assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    drop(read);
    assert!(lock.try_write().is_ok());
}

#[test]
fn condvars_wait_time_out_and_wake_as_many_as_asked() {
    let (lock, bell) = (Mutex::new(0), Condvar::new());
    let start = Instant::now();
    let (guard, result) = bell.wait_timeout(lock.lock().unwrap(), Duration::from_millis(30)).unwrap();
    assert!(result.timed_out() && start.elapsed() >= Duration::from_millis(30));
    let (guard, result) = bell.wait_timeout_while(guard, Duration::from_millis(10), |_| true).unwrap();
    assert!(result.timed_out());
    drop(guard);
    let woken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let guard = bell.wait_while(lock.lock().unwrap(), |value| *value == 0).unwrap();
                woken.fetch_add(1, Ordering::SeqCst);
                drop(guard);
            });
        }
        thread::sleep(Duration::from_millis(50));
        *lock.lock().unwrap() = 1;
        bell.notify_one();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        bell.notify_all();
    });
    assert_eq!(woken.load(Ordering::SeqCst), 4);
}

#[test]
fn threads_pass_results_names_and_panics() {
    let handle = thread::Builder::new().name("worker".into()).spawn(|| thread::current().name().map(String::from));
    assert_eq!(handle.unwrap().join().unwrap().as_deref(), Some("worker"));
    assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
    let mut numbers = vec![1, 2, 3];
    let sum = thread::scope(|scope| {
        let first = scope.spawn(|| numbers.iter().sum::<i32>());
        let nested = scope.spawn(|| scope.spawn(|| 5).join().unwrap());
        first.join().unwrap() + nested.join().unwrap()
    });
    numbers.push(sum);
    assert_eq!(numbers, [1, 2, 3, 11]);
    let result = catch_unwind(|| thread::scope(|scope| drop(scope.spawn(|| panic!("on purpose")))));
    assert!(result.is_err());
}

#[test]
fn a_pool_bounds_its_tasks_and_gives_slots_back_after_panics() {
    for policy in [Policy::Block, Policy::Queue, Policy::CallerRuns] {
        let pool = ThreadPool::builder().workers(2).policy(policy).build();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let promises: Vec<_> = (0..20)
            .map(|number| {
                let (now, most) = (now.clone(), most.clone());
                pool.run_async(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(1));
                    now.fetch_sub(1, Ordering::SeqCst);
                    assert_ne!(number % 5, 4, "on purpose");
                    number
                })
            })
            .collect();
        let results: Vec<_> = promises.into_iter().map(|promise| promise.join().ok()).collect();
        assert_eq!(results.iter().flatten().sum::<i32>(), (0..20).filter(|number| number % 5 != 4).sum());
        let limit = if policy == Policy::CallerRuns { 3 } else { 2 };
        assert!((1..=limit).contains(&most.load(Ordering::SeqCst)), "{policy:?}");
        pool.join();
        assert_eq!(pool.workers(), 2);
    }
}

#[test]
fn the_last_handle_of_a_pool_waits_for_its_tasks() {
    let done = Arc::new(AtomicUsize::new(0));
    let pool = ThreadPool::builder().workers(2).policy(Policy::Queue).build();
    for _ in 0..6 {
        let (done, inner) = (done.clone(), pool.clone());
        drop(pool.run_async(move || {
            thread::sleep(Duration::from_millis(2));
            done.fetch_add(1, Ordering::SeqCst);
            drop(inner);
        }));
    }
    pool.join();
    drop(pool);
    assert_eq!(done.load(Ordering::SeqCst), 6);
}

#[test]
fn a_task_may_drop_the_last_handle_of_its_pool() {
    let (sender, receiver) = mpsc::channel();
    let pool = ThreadPool::new(2);
    let inner = pool.clone();
    let task = pool.run_async(move || {
        receiver.recv().unwrap();
        drop(inner);
        5
    });
    drop(pool);
    sender.send(()).unwrap();
    assert_eq!(task.join().unwrap(), 5);
}

#[test]
fn a_cell_refuses_to_be_used_inside_itself() {
    let cell = Tracked::new(1);
    assert!(catch_unwind(|| cell.update(|_| cell.get())).is_err());
    cell.set(5);
    assert_eq!(cell.into_inner(), 5);
}

//! `Mutex`, `RwLock`, `Condvar`, `Barrier` and their guards.

use std::time::{Duration, Instant};

use super::sync::mpsc::channel;
use super::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, RwLock, RwLockWriteGuard, TryLockError};
use super::thread;

/// A thread panics while it holds what `hold` gives.
fn panics_holding<L: Send + Sync + 'static>(lock: &Arc<L>, hold: impl FnOnce(&L) + Send + 'static) {
    let lock = Arc::clone(lock);
    assert!(thread::spawn(move || hold(&lock)).join().is_err());
}

#[test]
fn the_thread_that_counts_to_the_end_tells_the_one_that_waits() {
    const WORKERS: usize = 10;
    let (done, finished) = channel();
    let total = Arc::new(Mutex::new(0));
    for _ in 0..WORKERS {
        let (total, done) = (Arc::clone(&total), done.clone());
        thread::spawn(move || {
            let mut total = total.lock().unwrap();
            *total += 1;
            if *total == WORKERS {
                done.send(*total).unwrap();
            }
        });
    }
    assert_eq!(finished.recv(), Ok(WORKERS));
}

#[test]
fn a_mutex_is_poisoned_by_a_panic_and_its_data_can_be_had_all_the_same() {
    let lock = Arc::new(Mutex::new(0_u32));
    assert!(!lock.is_poisoned());
    panics_holding(&lock, |lock| {
        let _held = lock.lock().unwrap();
        panic!("while it is held");
    });
    assert!(lock.is_poisoned());
    let mut guard = match lock.lock() {
        Ok(_) => unreachable!("it is poisoned"),
        Err(poisoned) => poisoned.into_inner(),
    };
    *guard += 1;
    drop(guard);
    let mended = lock.lock().unwrap_or_else(|mut poisoned| {
        **poisoned.get_mut() += 10;
        lock.clear_poison();
        poisoned.into_inner()
    });
    assert_eq!((*mended, lock.is_poisoned()), (11, false));
}

#[test]
fn a_guard_is_given_back_early_by_a_block_or_by_drop() {
    let (data, results) = (Arc::new(Mutex::new(vec![1, 2, 3, 4])), Arc::new(Mutex::new(0)));
    fn add_up(data: &Mutex<Vec<u32>>) -> u32 {
        let mut data = data.lock().unwrap();
        let twice = data.iter().sum::<u32>() * 2;
        data.push(twice);
        twice
    }
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (data, results) = (data.clone(), results.clone());
            thread::spawn(move || {
                let sum = { add_up(&data) };
                *results.lock().unwrap() += sum;
            })
        })
        .collect();
    let mut held = data.lock().unwrap();
    held.rotate_left(1);
    drop(held);
    let sum = add_up(&data);
    *results.lock().unwrap() += sum;
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // 20, 60, 180, 540: each one is three times the one before.
    assert_eq!((*results.lock().unwrap(), data.lock().unwrap().len()), (800, 8));
}

#[test]
fn a_mutex_is_tried_opened_and_taken_apart() {
    let mut lock = Mutex::new(0);
    thread::scope(|scope| {
        let held = lock.lock().unwrap();
        let other = scope.spawn(|| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(other.join().unwrap());
        drop(held);
        scope.spawn(|| *lock.try_lock().expect("nobody has it") = 10).join().unwrap();
    });
    assert_eq!(*lock.lock().unwrap(), 10);
    *lock.get_mut().unwrap() += 1;
    assert_eq!(lock.into_inner().unwrap(), 11);
}

#[test]
fn what_only_its_owner_may_touch_goes_to_other_threads_in_a_mutex() {
    struct Slot<T>(Mutex<*mut T>);
    // SAFETY: the pointer is followed only under the lock, and it owns what it points to.
    unsafe impl<T: Send> Send for Slot<T> {}
    // SAFETY: as above.
    unsafe impl<T: Send> Sync for Slot<T> {}
    impl<T> Slot<T> {
        fn change(&self, change: impl FnOnce(T) -> T) {
            let place: MutexGuard<'_, *mut T> = self.0.lock().unwrap();
            // SAFETY: it points to a value of its own, which is back before the lock is given back.
            unsafe { place.write(change(place.read())) };
        }
    }
    let slot = Slot(Mutex::new(Box::into_raw(Box::new(String::from("a")))));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| slot.change(|text| text + "b"));
        }
    });
    // SAFETY: made by `Box::into_raw`, and nobody else has it any more.
    assert_eq!(*unsafe { Box::from_raw(slot.0.into_inner().unwrap()) }, "abbb");
}

#[test]
fn many_readers_or_one_writer() {
    let lock = Arc::new(RwLock::new(5));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let value = lock.read().unwrap();
                thread::sleep(Duration::from_millis(20));
                *value
            })
        })
        .collect();
    let (first, second) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert_eq!(*first + *second, 10);
    assert!(lock.try_write().is_err());
    drop((first, second));
    assert!(readers.into_iter().all(|reader| reader.join().unwrap() == 5));
    let mut writer = lock.write().unwrap();
    *writer += 1;
    assert!(lock.try_read().is_err());
    drop(writer);
    assert_eq!(*lock.read().unwrap(), 6);
}

#[test]
fn a_rwlock_is_poisoned_by_its_writer_alone() {
    let lock = Arc::new(RwLock::new(String::new()));
    panics_holding(&lock, |lock| {
        let _read = lock.read().unwrap();
        panic!("while it is read");
    });
    assert!(!lock.is_poisoned());
    panics_holding(&lock, |lock| {
        let mut text = lock.write().unwrap();
        text.push_str("half");
        panic!("while it is written");
    });
    assert!(lock.is_poisoned());
    let guard = lock.write().unwrap_or_else(|mut poisoned| {
        poisoned.get_mut().push_str(" and whole");
        lock.clear_poison();
        poisoned.into_inner()
    });
    assert!(!lock.is_poisoned());
    drop(guard);
    let mut lock = Arc::into_inner(lock).unwrap();
    lock.get_mut().unwrap().push('!');
    assert_eq!(lock.into_inner().unwrap(), "half and whole!");
}

#[test]
fn no_writer_comes_between_a_writer_and_the_reader_that_it_becomes() {
    let lock = Arc::new(RwLock::new(1));
    let mut writer = lock.write().unwrap();
    let rival = {
        let lock = lock.clone();
        thread::spawn(move || {
            let mut writer = lock.write().unwrap();
            assert_eq!(*writer, 2);
            *writer = 3;
        })
    };
    thread::sleep(Duration::from_millis(10));
    *writer = 2;
    let reader = RwLockWriteGuard::downgrade(writer);
    assert_eq!(*reader, 2);
    drop(reader);
    rival.join().unwrap();
    assert_eq!(*lock.read().unwrap(), 3);
}

/// A pair whose flag another thread turns, after which it notifies.
fn turned_by_another_thread(from: bool, notify: fn(&Condvar)) -> Arc<(Mutex<bool>, Condvar)> {
    let pair = Arc::new((Mutex::new(from), Condvar::new()));
    let other = Arc::clone(&pair);
    thread::spawn(move || {
        let (flag, bell) = &*other;
        let mut flag = flag.lock().unwrap();
        *flag = !from;
        notify(bell);
    });
    pair
}

#[test]
fn a_condvar_wakes_the_thread_that_waits_for_a_flag() {
    for notify in [Condvar::notify_one, Condvar::notify_all] {
        let pair = turned_by_another_thread(false, notify);
        let mut started = pair.0.lock().unwrap();
        while !*started {
            started = pair.1.wait(started).unwrap();
        }
        drop(started);

        let pair = turned_by_another_thread(true, notify);
        let pending = pair.1.wait_while(pair.0.lock().unwrap(), |pending| *pending).unwrap();
        assert!(!*pending);
    }
}

#[test]
fn waiting_with_a_limit_comes_back_either_way() {
    let limit = Duration::from_millis(10);
    let pair = turned_by_another_thread(false, Condvar::notify_one);
    let mut started = pair.0.lock().unwrap();
    while !*started {
        started = pair.1.wait_timeout(started, limit).unwrap().0;
    }
    drop(started);

    let pair = turned_by_another_thread(false, Condvar::notify_one);
    let mut started = pair.0.lock().unwrap();
    #[allow(deprecated, reason = "it is mirrored as well")]
    while !*started {
        started = pair.1.wait_timeout_ms(started, 10).unwrap().0;
    }
    drop(started);

    let pair = turned_by_another_thread(true, Condvar::notify_one);
    let pending = pair.0.lock().unwrap();
    let (pending, over) = pair.1.wait_timeout_while(pending, Duration::from_secs(20), |pending| *pending).unwrap();
    assert!(!*pending && !over.timed_out());

    let begun = Instant::now();
    let (pending, over) = pair.1.wait_timeout_while(pending, limit, |_| true).unwrap();
    assert!(over.timed_out() && begun.elapsed() >= limit);
    assert!(!*pending);
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come_and_one_of_them_leads() {
    const MEMBERS: usize = 10;
    let (barrier, came, leaders) = (Barrier::new(MEMBERS), Mutex::new(0), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..MEMBERS {
            scope.spawn(|| {
                *came.lock().unwrap() += 1;
                let result = barrier.wait();
                assert_eq!(*came.lock().unwrap(), MEMBERS);
                *leaders.lock().unwrap() += usize::from(result.is_leader());
            });
        }
    });
    assert_eq!(leaders.into_inner().unwrap(), 1);
}

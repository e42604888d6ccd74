//! The types of `parking_lot`, and what `lock_api` documents of their guards.

use std::cell::{Cell, RefCell};
use std::mem;
use std::time::{Duration, Instant};

use super::library::lock_api::RawMutex as _;
use super::library::{
    Condvar, FairMutex, Mutex, MutexGuard, Once, OnceState, RawMutex, ReentrantMutex, ReentrantMutexGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, const_mutex,
};
use super::sync::Arc;
use super::sync::mpsc::channel;
use super::thread;

const LIMIT: Duration = Duration::from_millis(10);

macro_rules! counts_to_the_end {
    ($name:ident, $lock:ident) => {
        #[test]
        fn $name() {
            const WORKERS: usize = 10;
            let (done, finished) = channel();
            let total = Arc::new($lock::new(0));
            for _ in 0..WORKERS {
                let (total, done) = (Arc::clone(&total), done.clone());
                thread::spawn(move || {
                    let mut total = total.lock();
                    *total += 1;
                    if *total == WORKERS {
                        done.send(*total).unwrap();
                    }
                });
            }
            assert_eq!(finished.recv(), Ok(WORKERS));
        }
    };
}

counts_to_the_end!(threads_count_together_under_a_mutex, Mutex);
counts_to_the_end!(threads_count_together_under_a_fair_mutex, FairMutex);

#[test]
fn a_panic_gives_the_lock_back_and_poisons_nothing() {
    let lock = Arc::new(Mutex::new(1));
    let other = lock.clone();
    let thread = thread::spawn(move || {
        *other.lock() += 1;
        let _held = other.lock();
        panic!("while it is held");
    });
    assert!(thread.join().is_err());
    assert_eq!(lock.try_lock().map(|guard| *guard), Some(2));
}

#[test]
fn a_mutex_in_a_static_is_known_to_be_taken() {
    static LOCK: Mutex<u8> = const_mutex(0);
    let guard = LOCK.lock();
    assert!(Mutex::is_locked(&LOCK) && LOCK.try_lock().is_none());
    thread::spawn(|| assert!(LOCK.try_lock_for(LIMIT).is_none() && LOCK.try_lock_until(Instant::now()).is_none()))
        .join()
        .unwrap();
    MutexGuard::unlock_fair(guard);
    assert!(!LOCK.is_locked());
}

#[test]
fn a_guard_is_narrowed_to_a_part_and_given_up_for_a_while() {
    let lock = Mutex::new((1, Some(2)));
    let Ok(mut part) = MutexGuard::try_map(lock.lock(), |pair| pair.1.as_mut()) else { unreachable!("it is there") };
    *part += 1;
    drop(part);
    let mut guard = lock.lock();
    MutexGuard::unlocked(&mut guard, || lock.lock().0 += 10);
    MutexGuard::bump(&mut guard);
    assert_eq!(*guard, (11, Some(3)));
    drop(guard);
    let none = MutexGuard::try_map(lock.lock(), |pair| pair.1.as_mut().filter(|number| **number > 9));
    assert!(none.is_err_and(|guard| guard.0 == 11));
    let leaked: &mut (i32, Option<i32>) = MutexGuard::leak(lock.lock());
    assert_eq!((leaked.0, lock.is_locked()), (11, true));
}

#[test]
fn a_lock_that_a_forgotten_guard_has_left_is_given_back_by_force() {
    let lock = Mutex::new(5);
    mem::forget(lock.lock());
    assert!(lock.is_locked());
    // SAFETY: this thread holds the lock, and the guard is forgotten.
    *unsafe { lock.make_guard_unchecked() } += 1;
    mem::forget(lock.lock());
    // SAFETY: as above.
    unsafe { lock.force_unlock() };
    assert_eq!(lock.into_inner(), 6);
    let raw = RawMutex::INIT;
    assert!(raw.try_lock() && !raw.try_lock());
    // SAFETY: it was taken in the line above.
    unsafe { raw.unlock() };
    assert_eq!(*Mutex::from_raw(raw, 7).lock(), 7);
}

#[test]
fn a_guard_of_an_arc_outlives_the_variable_it_came_from() {
    let guard = {
        let lock = Arc::new(Mutex::new(String::from("kept")));
        lock.lock_arc()
    };
    assert_eq!(*guard, "kept");
    let lock = Arc::new(RwLock::new(0));
    let (one, two) = (lock.read_arc(), lock.try_read_arc().unwrap());
    assert!(lock.try_write_arc().is_none());
    drop((one, two));
    *lock.write_arc() += 1;
    assert_eq!(*lock.upgradable_read_arc(), 1);
}

#[test]
fn the_owner_takes_a_reentrant_mutex_again_and_others_wait() {
    let lock = Arc::new(ReentrantMutex::new(RefCell::new(0)));
    let outer = lock.lock();
    let inner = lock.lock();
    *inner.borrow_mut() += 1;
    assert!(lock.is_owned_by_current_thread());
    let other = lock.clone();
    assert!(thread::spawn(move || other.try_lock_for(LIMIT).is_none()).join().unwrap());
    drop(inner);
    assert!(lock.is_locked());
    let part: super::library::MappedReentrantMutexGuard<'_, RefCell<i32>> =
        ReentrantMutexGuard::map(outer, |cell| cell);
    assert_eq!(part.take(), 1);
    drop(part);
    assert!(!lock.is_locked());
    let count = ReentrantMutex::new(Cell::new(1));
    count.lock().set(count.lock().get() + count.lock().get());
    assert_eq!(count.into_inner().get(), 2);
}

#[test]
fn many_read_or_one_writes() {
    let lock = RwLock::new(5);
    {
        let (one, two) = (lock.read(), lock.read_recursive());
        assert_eq!(*one + *two, 10);
        assert!(lock.try_write().is_none() && lock.is_locked() && !lock.is_locked_exclusive());
    }
    let mut writer = lock.write();
    *writer += 1;
    assert!(lock.try_read().is_none() && lock.is_locked_exclusive());
    drop(writer);
    let part = RwLockReadGuard::map(lock.read(), |number| number);
    assert_eq!(*part, 6);
}

#[test]
fn a_reader_past_which_no_other_comes_becomes_the_writer() {
    let lock = RwLock::new(1);
    let mut reader = lock.upgradable_read();
    assert!(lock.try_upgradable_read().is_none() && lock.try_write().is_none());
    assert_eq!(lock.try_read().map(|guard| *guard), Some(1));
    reader.with_upgraded(|number| *number += 1);
    let reader = {
        let _other = lock.read();
        RwLockUpgradableReadGuard::try_upgrade(reader).expect_err("it is still read")
    };
    let mut writer = RwLockUpgradableReadGuard::upgrade(reader);
    *writer += 1;
    let reader = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let reader = RwLockUpgradableReadGuard::downgrade(reader);
    assert_eq!((*reader, *lock.read()), (3, 3));
    drop(reader);
    let reader = RwLockWriteGuard::downgrade(lock.write());
    assert_eq!(*reader, 3);
}

#[test]
fn one_wait_is_enough_because_nothing_else_wakes() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    let mut started = pair.0.lock();
    let thread = thread::spawn(move || {
        let (started, bell) = &*other;
        *started.lock() = true;
        bell.notify_one()
    });
    if !*started {
        pair.1.wait(&mut started);
    }
    assert!(*started);
    drop(started);
    assert!(thread.join().unwrap());
}

#[test]
fn a_notification_tells_how_many_it_woke_and_is_not_kept() {
    let (lock, bell) = (Mutex::new(0), Condvar::new());
    assert!(!bell.notify_one() && bell.notify_all() == 0);
    let mut guard = lock.lock();
    assert!(bell.wait_for(&mut guard, LIMIT).timed_out() && bell.wait_until(&mut guard, Instant::now()).timed_out());
    assert!(bell.wait_while_for(&mut guard, |count| *count == 0, LIMIT).timed_out());
    assert!(!bell.wait_while_until(&mut guard, |count| *count != 0, Instant::now() + LIMIT).timed_out());
    drop(guard);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut count = lock.lock();
                *count += 1;
                bell.wait_while(&mut count, |count| *count < 4);
            });
        }
        while *lock.lock() < 3 {
            thread::yield_now();
        }
        *lock.lock() += 1;
        assert_eq!(bell.notify_all(), 3);
    });
}

#[test]
fn once_tells_its_state_and_is_forced_past_a_panic() {
    static START: Once = Once::new();
    assert_eq!(START.state(), OnceState::New);
    assert!(thread::spawn(|| START.call_once(|| panic!("at the start"))).join().is_err());
    assert!(START.state().poisoned() && thread::spawn(|| START.call_once(|| ())).join().is_err());
    START.call_once_force(|state| assert_eq!(state, OnceState::Poisoned));
    assert!(START.state().done());
    START.call_once(|| unreachable!("it is done"));
}

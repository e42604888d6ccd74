//! The tracked `parking_lot` types: the API of the crate, its semantics, and deadlocks over their modes.
#![cfg(feature = "parking_lot")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{ORDER, TRACE, in_child, say};
use lockcheck_tracker::parking_lot::{
    ArcMutexGuard, Condvar, FairMutex, FairMutexGuard, MappedMutexGuard, MappedRwLockWriteGuard, Mutex, MutexGuard,
    Once, OnceState, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, const_fair_mutex, const_mutex, const_reentrant_mutex, const_rwlock,
};
use lockcheck_tracker::thread;

const SHORT: Duration = Duration::from_millis(20);

static COUNT: Mutex<u32> = const_mutex(0);
static FAIR: FairMutex<u32> = const_fair_mutex(0);
static NESTED: ReentrantMutex<u32> = const_reentrant_mutex(7);
static SHARED: RwLock<u32> = const_rwlock(0);

#[test]
fn mutexes_exclude_each_other_in_every_way_of_taking_them() {
    thread::scope(|scope| {
        for turn in 0..4 {
            scope.spawn(move || {
                for _ in 0..500 {
                    match turn {
                        0 => *COUNT.lock() += 1,
                        1 => *COUNT.try_lock_for(Duration::from_secs(20)).unwrap() += 1,
                        2 => {
                            let mut guard = COUNT.lock();
                            *guard += 1;
                            MutexGuard::unlock_fair(guard);
                        }
                        _ => {
                            let mut guard = COUNT.try_lock_until(Instant::now() + Duration::from_secs(20)).unwrap();
                            *guard += 1;
                            MutexGuard::bump(&mut guard);
                        }
                    }
                    *FAIR.lock() += 1;
                }
            });
        }
    });
    assert_eq!((*COUNT.lock(), *FAIR.lock()), (2000, 2000));
    let guard = COUNT.lock();
    thread::scope(|scope| {
        scope.spawn(|| assert!(COUNT.try_lock().is_none() && COUNT.try_lock_for(SHORT).is_none() && COUNT.is_locked()));
    });
    drop(guard);
    assert!(!COUNT.is_locked());
}

#[test]
fn guards_are_mapped_leaked_unlocked_and_owned() {
    let pair = Mutex::new((1, 2));
    let second = MutexGuard::map(pair.lock(), |pair| &mut pair.1);
    let mut second = MappedMutexGuard::try_map(second, |number| Some(number)).unwrap();
    *second += 1;
    drop(second);
    let whole = MutexGuard::try_map(pair.lock(), |_| None::<&mut u8>).unwrap_err();
    assert_eq!(*whole, (1, 3));
    assert!(std::ptr::eq(MutexGuard::mutex(&whole), &*pair));
    drop(whole);
    let mut guard = pair.lock();
    MutexGuard::unlocked(&mut guard, || pair.lock().0 = 5);
    assert_eq!(*guard, (5, 3));
    MutexGuard::leak(guard).0 = 6;
    assert!(pair.try_lock().is_none());
    // SAFETY: the leaked reference is no longer in use.
    unsafe { pair.force_unlock() };
    assert_eq!(*pair.lock(), (6, 3));

    let owned = Arc::new(Mutex::new(1));
    let mut guard: ArcMutexGuard<_, i32> = owned.lock_arc();
    *guard += 1;
    assert!(owned.try_lock_arc().is_none() && owned.try_lock_arc_for(SHORT).is_none());
    drop(guard);
    assert_eq!((*owned.lock(), Arc::strong_count(&owned)), (2, 1));
    let fair = Arc::new(FairMutex::new(3));
    let part = FairMutexGuard::map(fair.lock(), |number| number);
    assert_eq!(*part, 3);
    drop(part);
    assert_eq!(*fair.lock_arc(), 3);
    assert_eq!(Arc::try_unwrap(fair).unwrap().into_inner(), 3);

    let outer = NESTED.lock();
    let inner = ReentrantMutexGuard::map(NESTED.lock(), |number| number);
    assert_eq!(*outer + *inner, 14);
    assert!(NESTED.is_owned_by_current_thread());
    thread::scope(|scope| scope.spawn(|| assert!(NESTED.try_lock().is_none())).join().unwrap());
    drop((outer, inner));
    assert_eq!(*Arc::new(ReentrantMutex::new(4)).lock_arc(), 4);
    let unsized_: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
    assert_eq!(unsized_.lock().len(), 3);
    assert_eq!(format!("{:?}", Mutex::new(1)), "Mutex { data: 1 }");
    assert_eq!((*Mutex::<u8>::default().lock(), *RwLock::from(3).read()), (0, 3));
}

#[test]
fn a_reader_writer_lock_is_read_upgraded_and_downgraded() {
    let shared = RwLock::new(vec![1]);
    {
        let (one, two) = (shared.read(), shared.read_recursive());
        assert_eq!(one.len() + two.len(), 2);
        assert!(shared.try_write().is_none() && shared.try_write_for(SHORT).is_none());
        let upgradable = shared.upgradable_read();
        assert!(shared.try_upgradable_read().is_none());
        let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
        drop((one, two));
        let mut writer = RwLockUpgradableReadGuard::upgrade(upgradable);
        assert!(shared.try_read().is_none() && shared.is_locked_exclusive());
        writer.push(2);
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
        assert!(shared.try_read().is_some() && shared.try_write().is_none());
        let reader = RwLockUpgradableReadGuard::downgrade(upgradable);
        assert!(shared.try_upgradable_read().is_some());
        assert_eq!(*RwLockReadGuard::map(reader, |list| &list[1]), 2);
    }
    assert!(!shared.is_locked());
    *MappedRwLockWriteGuard::map(RwLockWriteGuard::map(shared.write(), |list| &mut list[0]), |first| first) = 9;
    let reader = RwLockWriteGuard::downgrade(shared.write());
    assert_eq!(reader[0], 9);
    drop(reader);
    let owned = Arc::new(shared);
    let reader = owned.read_arc();
    assert!(owned.try_write_arc().is_none() && owned.try_read_arc_for(SHORT).is_some());
    drop(reader);
    owned.write_arc().push(3);
    assert_eq!(owned.upgradable_read_arc().len(), 3);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..40_000 {
                    match round % 4 {
                        0 => *SHARED.write() += 1,
                        1 => *RwLockUpgradableReadGuard::upgrade(SHARED.upgradable_read()) += 1,
                        2 => drop(SHARED.read()),
                        _ => drop((SHARED.read_recursive(), SHARED.read_recursive())),
                    }
                }
            });
        }
    });
    assert_eq!(*SHARED.read(), 80_000);
}

#[test]
fn a_condvar_wakes_and_times_out_and_once_runs_once() {
    let (ready, bell) = (Mutex::new(0), Condvar::new());
    assert!(!bell.notify_one());
    assert_eq!(bell.notify_all(), 0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| bell.wait_while(&mut ready.lock(), |ready| *ready == 0));
        }
        let mut woken = 0;
        while woken < 3 {
            woken += bell.notify_all();
        }
        *ready.lock() = 1;
        bell.notify_all();
    });
    let mut guard = ready.lock();
    assert!(bell.wait_for(&mut guard, SHORT).timed_out());
    assert!(bell.wait_while_for(&mut guard, |_| true, SHORT).timed_out());
    assert!(!bell.wait_while_until(&mut guard, |_| false, Instant::now()).timed_out());
    drop(guard);
    let once = Once::new();
    let runs = AtomicU32::new(0);
    assert!(
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| once.call_once(|| panic!("on purpose")))).is_err()
    );
    assert!(once.state().poisoned());
    once.call_once_force(|state| {
        assert_eq!(state, OnceState::Poisoned);
        runs.fetch_add(1, Ordering::Relaxed);
    });
    once.call_once(|| unreachable!("it is done"));
    assert!(once.state().done() && runs.into_inner() == 1);
}

#[test]
fn opposite_orders_of_tracked_parking_lot_locks_are_found() {
    let name = "opposite_orders_of_tracked_parking_lot_locks_are_found";
    for options in [ORDER, TRACE] {
        let Some(outcome) = in_child(name, options, || {
            let (a, b) = (Mutex::named("A", 0), RwLock::named("B", 0));
            thread::scope(|scope| {
                scope.spawn(|| drop((a.lock(), b.upgradable_read())));
                scope.spawn(|| {
                    thread::sleep(SHORT);
                    drop((b.write(), a.lock()));
                });
            });
            // No order: a try, a recursive read, an upgrade.
            let (c, d) = (RwLock::named("C", 0), RwLock::named("D", 0));
            thread::scope(|scope| {
                scope.spawn(|| drop((c.read(), d.read_recursive())));
                scope.spawn(|| drop((d.read(), c.read_recursive())));
                scope.spawn(|| drop((d.read(), c.try_write())));
                scope.spawn(|| drop(RwLockUpgradableReadGuard::upgrade(c.upgradable_read())));
            });
            say("done");
        }) else {
            return;
        };
        assert_eq!(outcome.expect_success().said(), ["finding lock_order_inversion", "done"]);
    }
}

#[test]
fn two_readers_that_want_to_become_the_writer_are_parted() {
    let name = "two_readers_that_want_to_become_the_writer_are_parted";
    for options in [ORDER, TRACE] {
        let Some(outcome) = in_child(name, options, || {
            let (shared, other, meet) = (RwLock::named("A", 0), Mutex::named("B", 0), std::sync::Barrier::new(2));
            let ended = thread::scope(|scope| {
                let upgrades = scope.spawn(|| {
                    let guard = shared.upgradable_read();
                    let _other = other.lock();
                    meet.wait();
                    *RwLockUpgradableReadGuard::upgrade(guard) += 1;
                });
                let reads = scope.spawn(|| {
                    let _guard = shared.read();
                    meet.wait();
                    *other.lock() += 1;
                });
                [upgrades.join().is_ok(), reads.join().is_ok()]
            });
            say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
            say(format!("free {}", shared.try_write().is_some() && other.try_lock().is_some()));
        }) else {
            return;
        };
        let outcome = outcome.expect_success();
        assert!(outcome.findings().contains(&"deadlock"), "{}", outcome.stdout);
        assert!(outcome.said().contains(&"ended 1") && outcome.said().contains(&"free true"), "{}", outcome.stdout);
    }
}

#[test]
fn a_thread_that_unwinds_while_it_takes_its_lock_again_gives_back_nothing() {
    let name = "a_thread_that_unwinds_while_it_takes_its_lock_again_gives_back_nothing";
    let Some(outcome) = in_child(name, ORDER, || {
        let (a, b, meet) = (Mutex::named("A", 0), Mutex::named("B", 0), std::sync::Barrier::new(2));
        let ended = thread::scope(|scope| {
            let first = scope.spawn(|| {
                let mut guard = a.lock();
                let mut held = None;
                MutexGuard::unlocked(&mut guard, || {
                    meet.wait();
                    held = Some(b.lock());
                    thread::sleep(SHORT * 3);
                });
            });
            let second = scope.spawn(|| {
                meet.wait();
                thread::sleep(SHORT);
                let _a = a.lock();
                let _b = b.lock();
                say("both");
            });
            [first.join().is_ok(), second.join().is_ok()]
        });
        say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
        say(format!("free {}", a.try_lock().is_some() && b.try_lock().is_some()));
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    assert!(outcome.said().contains(&"ended 1") && outcome.said().contains(&"free true"), "{}", outcome.stdout);
}

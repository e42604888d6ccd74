//! Every kind of wait under as much contention as two cores give, in an order that a seed decides: nobody is left asleep,
//! exclusion holds, and nothing is reported, because nothing is wrong.
//!
//! What this finds are lost wake-ups: a thread that sleeps while what it waits for is there. A turn is short by default;
//! `LOCKCHECK_TEST_SECONDS=60 cargo test -p lockcheck-tracker --all-features --test stress` looks longer.
//!
//! Misses: orders that the machine never takes. The seed decides what each thread does, not when.

mod common;

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::{ORDER, Options, TRACE, in_child, say};
use lockcheck_tracker::pool::ThreadPool;
use lockcheck_tracker::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock, RwLockWriteGuard, mpsc};
use lockcheck_tracker::thread;

const THREADS: u64 = 6;
const SHORT: Duration = Duration::from_micros(50);

/// Runs `body` in a process of its own, in every mode, and expects that it ends and that nothing is found.
fn in_every_mode(name: &str, body: fn()) {
    for options in [Options { mode: "off", ..ORDER }, ORDER, TRACE] {
        let Some(outcome) = in_child(name, Options { seconds: 60 + seconds(), ..options }, body) else { return };
        assert_eq!(outcome.expect_success().said(), ["done"], "in mode {}", options.mode);
    }
}

fn seconds() -> u64 {
    std::env::var("LOCKCHECK_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Numbers from a seed (xorshift64*; Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }

    /// Now and then somebody keeps what it has for so long that others have to sleep.
    fn linger(&mut self) {
        match self.below(64) {
            0 => std::thread::sleep(SHORT),
            1..8 => std::thread::yield_now(),
            _ => {}
        }
    }
}

/// All threads do `step` again and again until the time is over.
fn churn(step: impl Fn(&mut Random) + Sync) {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let until = Instant::now() + Duration::from_secs(seconds()).max(Duration::from_millis(300));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let seed = SEED.fetch_add(1, Relaxed);
            let step = &step;
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                while Instant::now() < until {
                    (0..16).for_each(|_| step(&mut random));
                }
            });
        }
    });
}

/// Who is inside a lock: the number of readers, or -1 for a writer.
#[derive(Default)]
struct Inside(AtomicI32);

impl Inside {
    fn alone(&self, random: &mut Random) {
        assert_eq!(self.0.swap(-1, Relaxed), 0, "not alone");
        random.linger();
        assert_eq!(self.0.swap(0, Relaxed), -1, "not alone");
    }

    fn shared(&self, random: &mut Random) {
        assert!(self.0.fetch_add(1, Relaxed) >= 0, "beside a writer");
        random.linger();
        assert!(self.0.fetch_sub(1, Relaxed) > 0, "beside a writer");
    }
}

#[test]
fn mutexes_and_condition_variables_of_std() {
    in_every_mode("mutexes_and_condition_variables_of_std", || {
        let (lock, changed, inside) = (Mutex::new(0_u64), Condvar::new(), Inside::default());
        churn(|random| match random.below(8) {
            0 => {
                if let Ok(_guard) = lock.try_lock() {
                    inside.alone(random);
                }
            }
            1 => {
                let guard = lock.lock().unwrap();
                drop(changed.wait_timeout(guard, SHORT).unwrap());
            }
            2 => {
                // Half of the threads' turns take one out that the others have put in; none waits for ever, because
                // every thread puts in more than it takes.
                let guard = lock.lock().unwrap();
                let (mut guard, _) = changed.wait_timeout_while(guard, SHORT, |count| *count == 0).unwrap();
                *guard = guard.saturating_sub(1);
            }
            3..5 => {
                let mut guard = lock.lock().unwrap();
                inside.alone(random);
                *guard += 1;
                drop(guard);
                if random.below(2) == 0 { changed.notify_one() } else { changed.notify_all() }
            }
            _ => {
                let _guard = lock.lock().unwrap();
                inside.alone(random);
            }
        });
        say("done");
    });
}

#[test]
fn reader_writer_locks_of_std() {
    in_every_mode("reader_writer_locks_of_std", || {
        let (lock, inside) = (RwLock::new(0_u64), Inside::default());
        churn(|random| match random.below(8) {
            0 => {
                if let Ok(_guard) = lock.try_write() {
                    inside.alone(random);
                }
            }
            1 => {
                if let Ok(_guard) = lock.try_read() {
                    inside.shared(random);
                }
            }
            2 => {
                let guard = lock.write().unwrap();
                inside.alone(random);
                let _guard = RwLockWriteGuard::downgrade(guard);
                inside.shared(random);
            }
            3..5 => {
                *lock.write().unwrap() += 1;
            }
            5 => {
                let _guard = lock.write().unwrap();
                inside.alone(random);
            }
            _ => {
                let _guard = lock.read().unwrap();
                inside.shared(random);
            }
        });
        say("done");
    });
}

#[test]
fn channels_barriers_once_and_parking() {
    in_every_mode("channels_barriers_once_and_parking", || {
        for (sender, receiver) in [mpsc::sync_channel::<u64>(0), mpsc::sync_channel(1), mpsc::sync_channel(7)] {
            let (sent, got) = (AtomicU64::new(0), AtomicU64::new(0));
            thread::scope(|scope| {
                let (sent, got) = (&sent, &got);
                scope.spawn(move || {
                    let mut random = Random(7);
                    let mut count = |value: u64| _ = got.fetch_add(value, Relaxed);
                    loop {
                        match random.below(4) {
                            0 => receiver.try_iter().take(3).for_each(&mut count),
                            1 => _ = receiver.recv_timeout(SHORT).map(&mut count),
                            _ => match receiver.recv() {
                                Ok(value) => count(value),
                                Err(_) => break,
                            },
                        }
                    }
                });
                churn(|random| {
                    let value = random.below(100);
                    let mut went = true;
                    if random.below(4) == 0 {
                        went = sender.try_send(value).is_ok();
                    } else {
                        sender.send(value).unwrap();
                    }
                    sent.fetch_add(if went { value } else { 0 }, Relaxed);
                });
                drop(sender);
            });
            assert_eq!(sent.into_inner(), got.into_inner());
        }

        let (barrier, leaders) = (Barrier::new(3), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    (0..500).for_each(|_| _ = leaders.fetch_add(u64::from(barrier.wait().is_leader()), Relaxed));
                });
            }
        });
        assert_eq!(leaders.into_inner(), 500);

        for _ in 0..200 {
            let (once, runs) = (Once::new(), AtomicU64::new(0));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| once.call_once(|| _ = runs.fetch_add(1, Relaxed)));
                }
            });
            assert_eq!(runs.into_inner(), 1);
        }

        let turn = Arc::new(AtomicU64::new(0));
        let sleeper = {
            let turn = turn.clone();
            thread::spawn(move || {
                while turn.load(Relaxed) < 2000 {
                    let seen = turn.load(Relaxed);
                    if seen.is_multiple_of(3) {
                        thread::park()
                    } else {
                        thread::park_timeout(SHORT)
                    }
                    turn.fetch_add(1, Relaxed);
                }
            })
        };
        while turn.load(Relaxed) < 2000 {
            sleeper.thread().unpark();
        }
        sleeper.join().unwrap();
        say("done");
    });
}

#[test]
fn pools_of_few_workers() {
    in_every_mode("pools_of_few_workers", || {
        let (pool, done) = (ThreadPool::new(2), AtomicU64::new(0));
        let done = Arc::new(done);
        let given = AtomicU64::new(0);
        churn(|random| {
            let done = done.clone();
            given.fetch_add(1, Relaxed);
            let mut inner = Random(random.below(1 << 30) + 1);
            let task = pool.run_async(move || {
                inner.linger();
                done.fetch_add(1, Relaxed)
            });
            if random.below(3) == 0 {
                task.join().unwrap();
            }
        });
        pool.join();
        assert_eq!(done.load(Relaxed), given.into_inner());
        say("done");
    });
}

#[cfg(feature = "parking_lot")]
mod of_parking_lot {
    use lockcheck_tracker::parking_lot::{
        Condvar, FairMutex, Mutex, MutexGuard, ReentrantMutex, RwLock, RwLockUpgradableReadGuard as Upgradable,
        RwLockWriteGuard,
    };

    use super::*;

    #[test]
    fn mutexes_of_every_kind() {
        in_every_mode("of_parking_lot::mutexes_of_every_kind", || {
            let (lock, changed, inside) = (Mutex::new(0_u64), Condvar::new(), Inside::default());
            let (fair, reentrant) = (FairMutex::new(0_u64), ReentrantMutex::new(()));
            churn(|random| match random.below(12) {
                0 => {
                    if let Some(_guard) = lock.try_lock_for(SHORT) {
                        inside.alone(random);
                    }
                }
                1 => {
                    let mut guard = lock.lock();
                    inside.alone(random);
                    MutexGuard::unlocked(&mut guard, || {});
                    inside.alone(random);
                }
                2 => {
                    let mut guard = lock.lock();
                    MutexGuard::bump(&mut guard);
                    inside.alone(random);
                    MutexGuard::unlock_fair(guard);
                }
                3 => _ = changed.wait_for(&mut lock.lock(), SHORT),
                4 => _ = changed.notify_one(),
                5 => _ = changed.notify_all(),
                6 => *fair.lock() += 1,
                7 => _ = fair.try_lock_for(SHORT).map(|mut guard| *guard += 1),
                8 => drop((reentrant.lock(), reentrant.lock())),
                9 => _ = reentrant.try_lock_for(SHORT).map(|_guard| drop(reentrant.lock())),
                _ => {
                    let _guard = lock.lock();
                    inside.alone(random);
                }
            });
            say("done");
        });
    }

    #[test]
    fn reader_writer_locks_in_every_mode() {
        in_every_mode("of_parking_lot::reader_writer_locks_in_every_mode", || {
            let (lock, inside) = (RwLock::new(0_u64), Inside::default());
            churn(|random| match random.below(12) {
                0 => {
                    if let Some(_guard) = lock.try_write_for(SHORT) {
                        inside.alone(random);
                    }
                }
                1 => {
                    if let Some(_guard) = lock.try_read_for(SHORT) {
                        inside.shared(random);
                    }
                }
                2 => {
                    if let Some(guard) = lock.try_upgradable_read_for(SHORT) {
                        inside.shared(random);
                        if let Ok(_guard) = Upgradable::try_upgrade_for(guard, SHORT) {
                            inside.alone(random);
                        }
                    }
                }
                3 | 4 => {
                    let guard = lock.upgradable_read();
                    inside.shared(random);
                    let guard = Upgradable::upgrade(guard);
                    inside.alone(random);
                    match random.below(3) {
                        0 => drop(guard),
                        1 => drop(RwLockWriteGuard::downgrade(guard)),
                        _ => drop(Upgradable::downgrade(RwLockWriteGuard::downgrade_to_upgradable(guard))),
                    }
                }
                5 => {
                    let _guard = lock.upgradable_read();
                    inside.shared(random);
                }
                6 => {
                    let mut guard = lock.write();
                    inside.alone(random);
                    RwLockWriteGuard::unlocked(&mut guard, || {});
                    RwLockWriteGuard::bump(&mut guard);
                    inside.alone(random);
                }
                7 => {
                    let (_outer, _inner) = (lock.read(), lock.read_recursive());
                    inside.shared(random);
                }
                8 => {
                    let _guard = lock.write();
                    inside.alone(random);
                }
                _ => {
                    let _guard = lock.read();
                    inside.shared(random);
                }
            });
            say("done");
        });
    }
}

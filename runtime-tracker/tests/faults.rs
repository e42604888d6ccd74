//! Programs that misuse locks or use very many of them: nothing crashes, nothing hangs, and nothing is said that is not so.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{ORDER, Options, Outcome, TRACE, in_child, say};
use lockcheck_tracker::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, RwLock, mpsc};
use lockcheck_tracker::thread;

fn in_both_modes(name: &str, body: fn(), check: impl Fn(Outcome)) {
    for options in [ORDER, TRACE] {
        let options = Options { seconds: 60, ..options };
        let Some(outcome) = in_child(name, options, body) else { return };
        check(outcome.expect_success());
    }
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    in_both_modes(
        "a_callback_that_panics_harms_nobody",
        || {
            static CALLS: AtomicUsize = AtomicUsize::new(0);
            lockcheck_tracker::on_finding(|_| {
                CALLS.fetch_add(1, Ordering::Relaxed);
                panic!("in the callback");
            });
            let (a, b, meet) = (Mutex::new(0), Mutex::new(0), std::sync::Barrier::new(2));
            let cross = |first: &Mutex<i32>, second: &Mutex<i32>| {
                let first = first.lock();
                meet.wait();
                drop((second.lock(), first));
            };
            let ended = thread::scope(|scope| {
                let threads = [scope.spawn(|| cross(&a, &b)), scope.spawn(|| cross(&b, &a))];
                threads.map(|thread| thread.join().is_ok())
            });
            say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
            let again = catch_unwind(AssertUnwindSafe(|| drop((a.lock(), a.lock()))));
            say(format!("broken {}, called {}", again.is_err(), CALLS.load(Ordering::Relaxed)));
        },
        |outcome| assert_eq!(outcome.said(), ["ended 1", "broken true, called 3"]),
    );
}

#[test]
fn locks_in_destructors_of_unwinding_threads_are_given_back() {
    in_both_modes(
        "locks_in_destructors_of_unwinding_threads_are_given_back",
        || {
            struct LocksOnDrop<'a>(&'a Mutex<u32>, &'a RwLock<u32>);
            impl Drop for LocksOnDrop<'_> {
                fn drop(&mut self) {
                    *self.0.lock().unwrap_or_else(|error| error.into_inner()) += *self.1.read().unwrap();
                }
            }
            let (a, b, c) = (Mutex::new(0), RwLock::new(1), Mutex::new(0));
            for _ in 0..100 {
                let result = catch_unwind(AssertUnwindSafe(|| {
                    let _outer = LocksOnDrop(&a, &b);
                    let _held = c.lock();
                    let _inner = LocksOnDrop(&a, &b);
                    panic!("under a lock");
                }));
                assert!(result.is_err());
                c.clear_poison();
            }
            say(*a.lock().unwrap());
            say(c.try_lock().is_ok());
        },
        |outcome| assert_eq!(outcome.said(), ["200", "true"]),
    );
}

#[test]
fn forgotten_guards_and_dead_holders_are_no_deadlock_of_others() {
    in_both_modes(
        "forgotten_guards_and_dead_holders_are_no_deadlock_of_others",
        || {
            let (kept, free) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
            for _ in 0..20 {
                let (kept, free) = (kept.clone(), free.clone());
                thread::spawn(move || {
                    let _held = free.lock();
                    if let Ok(guard) = kept.try_lock() {
                        std::mem::forget(guard);
                    }
                })
                .join()
                .unwrap();
            }
            say(kept.try_lock().is_err());
            say(free.lock().is_ok());
        },
        |outcome| assert_eq!(outcome.said(), ["true", "true"]),
    );
}

/// So many as the system starts, but no more than `LOCKCHECK_TEST_THREADS`.
#[test]
fn thousands_of_threads_that_wait_for_each_other_in_good_order() {
    in_both_modes(
        "thousands_of_threads_that_wait_for_each_other_in_good_order",
        || {
            let threads: usize = std::env::var("LOCKCHECK_TEST_THREADS").map_or(10_000, |n| n.parse().unwrap());
            let begun = Instant::now();
            let (count, bell) = (Arc::new(Mutex::new(0)), Arc::new(Condvar::new()));
            let (sender, receiver) = mpsc::channel();
            let threads: Vec<_> = (0..threads)
                .filter_map(|_| {
                    let (count, bell, sender) = (count.clone(), bell.clone(), sender.clone());
                    let work = move || {
                        let mut count = count.lock().unwrap();
                        *count += 1;
                        drop(bell.wait_while(count, |count| *count != usize::MAX).unwrap());
                        sender.send(()).unwrap();
                    };
                    thread::Builder::new().stack_size(64 * 1024).spawn(work).ok()
                })
                .collect();
            let all = threads.len();
            while *count.lock().unwrap() != all {
                thread::sleep(Duration::from_millis(5));
            }
            *count.lock().unwrap() = usize::MAX;
            bell.notify_all();
            drop(sender);
            assert_eq!(receiver.iter().count(), all);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            say(format!("{}", all >= 1_000 && begun.elapsed() < Duration::from_secs(50)));
        },
        |outcome| assert_eq!(outcome.said(), ["true"]),
    );
}

#[test]
fn sixty_four_threads_over_every_kind_of_wait() {
    in_both_modes(
        "sixty_four_threads_over_every_kind_of_wait",
        || {
            static LAZY: LazyLock<RwLock<u64>> = LazyLock::new(|| RwLock::new(0));
            const THREADS: usize = 64;
            let locks: Vec<Mutex<u64>> = (0..8).map(|_| Mutex::new(0)).collect();
            let barrier = Barrier::new(THREADS);
            let (sender, receiver) = mpsc::sync_channel(4);
            let (turn, bell) = (Mutex::new(0), Condvar::new());
            let sum: u64 = thread::scope(|scope| {
                let receives = scope.spawn(move || receiver.iter().sum());
                for number in 0..THREADS {
                    let (locks, barrier, turn, bell, sender) = (&locks, &barrier, &turn, &bell, sender.clone());
                    scope.spawn(move || {
                        for round in 0..20 {
                            let at = (number + round) % 7;
                            let mut low = locks[at].lock().unwrap();
                            *locks[at + 1].lock().unwrap() += 1;
                            *low += *LAZY.read().unwrap();
                            drop(low);
                            sender.send(1).unwrap();
                            barrier.wait();
                            if number == round {
                                *LAZY.write().unwrap() += 1;
                            }
                        }
                        let mine = bell.wait_while(turn.lock().unwrap(), |turn| *turn != number);
                        *mine.unwrap() += 1;
                        bell.notify_all();
                        thread::current().unpark();
                        thread::park();
                    });
                }
                drop(sender);
                receives.join().unwrap()
            });
            say(format!("{sum} {} {}", *turn.lock().unwrap(), *LAZY.read().unwrap()));
        },
        |outcome| assert_eq!(outcome.said(), ["1280 64 20"], "{}", outcome.stderr),
    );
}

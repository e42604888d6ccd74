//! Programs that need the process for themselves: no test harness with threads of its own, and a global allocator that
//! locks a tracked mutex on every call, so that any allocation of the recorder at the wrong time would hang.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{ORDER, Outcome, TRACE, is_child, run_child, say};
use lockcheck_tracker::event::{Mode, Op, Record};
use lockcheck_tracker::sync::{Condvar, Mutex, RwLock};
use lockcheck_tracker::{Tracked, thread};

struct Locking;
static ALLOCATOR: Mutex<()> = Mutex::named("allocator", ());
static INSIDE: Mutex<()> = Mutex::named("inside the allocator", ());

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Locking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _outer = ALLOCATOR.lock();
        let _inner = INSIDE.lock();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let _outer = ALLOCATOR.lock();
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static GLOBAL: Locking = Locking;

fn a_wait_under_the_lock_that_the_notifier_needs() {
    let (outer, inner, bell) = (Mutex::named("outer", ()), Mutex::named("inner", false), Condvar::named("bell"));
    let all = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let _outer = outer.lock().unwrap();
                let ready = inner.lock().unwrap();
                drop(bell.wait_while(ready, |ready| !*ready).unwrap());
            });
            std::thread::sleep(Duration::from_millis(50));
            let notifier = scope.spawn(|| {
                let _outer = outer.lock().unwrap();
                *inner.lock().unwrap() = true;
                bell.notify_one();
            });
            let ended = [waiter.join().is_ok(), notifier.join().is_ok()];
            say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
        });
    }));
    say(format!("all {}", all.is_ok()));
}

fn waits_that_are_notified_are_no_deadlock() {
    let (ready, bell) = (Mutex::named("ready", 0), Condvar::named("bell"));
    thread::scope(|scope| {
        for turn in 0..2 {
            let (ready, bell) = (&ready, &bell);
            scope.spawn(move || {
                for _ in 0..200 {
                    let mut value = bell.wait_while(ready.lock().unwrap(), |value| *value % 2 != turn).unwrap();
                    *value += 1;
                    bell.notify_all();
                }
            });
        }
    });
    say(*ready.lock().unwrap());
}

fn a_forgotten_guard_is_taken_again() {
    let lock = Mutex::named("kept", ());
    std::mem::forget(lock.lock());
    say(format!("again {}", catch_unwind(AssertUnwindSafe(|| drop(lock.lock()))).is_ok()));
    say(format!("free {}", lock.try_lock().is_ok()));
    let kept = Arc::new(Mutex::named("kept by the dead", ()));
    let inner = kept.clone();
    thread::spawn(move || std::mem::forget(inner.lock())).join().unwrap();
    say(format!("free {}", kept.try_lock().is_ok()));
}

static FIRST: Mutex<u32> = Mutex::named("first", 0);
static SECOND: Mutex<u32> = Mutex::named("second", 0);

struct LocksAtTheEnd;

impl Drop for LocksAtTheEnd {
    fn drop(&mut self) {
        let mut first = FIRST.lock().unwrap();
        *SECOND.lock().unwrap() += 1;
        *first += 1;
    }
}

fn destructors_of_thread_locals_lock() {
    thread_local!(static LAST: RefCell<Option<LocksAtTheEnd>> = const { RefCell::new(None) });
    for _ in 0..10 {
        let work = || LAST.with(|last| *last.borrow_mut() = Some(LocksAtTheEnd));
        thread::spawn(work).join().unwrap();
        std::thread::spawn(work).join().unwrap();
        let contended = FIRST.lock().unwrap();
        let late = std::thread::spawn(work);
        std::thread::sleep(Duration::from_millis(5));
        drop(contended);
        late.join().unwrap();
    }
    say(format!("{} {}", *FIRST.lock().unwrap(), *SECOND.lock().unwrap()));
}

fn guards_are_dropped_in_any_order() {
    let locks: Vec<Mutex<usize>> = (0..100).map(Mutex::new).collect();
    for step in [1, 7, 33] {
        let mut guards: Vec<_> = locks.iter().map(|lock| Some(lock.lock().unwrap())).collect();
        (0..100).for_each(|at| drop(guards[at * step % 100].take()));
    }
    say(locks.iter().all(|lock| lock.try_lock().is_ok()));
}

fn a_panic_under_a_lock_poisons_it() {
    let (lock, rw) = (Arc::new(Mutex::named("A", 0)), Arc::new(RwLock::named("B", 0)));
    let (inner, inner_rw) = (lock.clone(), rw.clone());
    let result = thread::spawn(move || {
        let _rw = inner_rw.write().unwrap();
        let _lock = inner.lock().unwrap();
        panic!("under two locks");
    })
    .join();
    assert!(result.is_err());
    say(format!("{} {} {} {}", lock.is_poisoned(), lock.lock().is_err(), rw.read().is_err(), rw.try_write().is_err()));
    lock.clear_poison();
    say(lock.lock().is_ok());
}

fn a_forked_child_writes_nothing() {
    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    }
    let (a, b) = (Mutex::named("A", ()), Mutex::named("B", ()));
    drop(a.lock());
    // SAFETY: the process has one thread, so the child's copy is whole.
    let child = unsafe { fork() };
    for _ in 0..10_000 {
        let _a = a.lock().unwrap();
        drop(b.lock());
    }
    if child == 0 {
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    say(status);
}

fn a_hang_is_reported_soon() {
    let (a, b) = (Mutex::named("A", ()), Mutex::named("B", ()));
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = std::sync::Mutex::new(Instant::now());
        let meet = std::sync::Barrier::new(2);
        let took = std::sync::Mutex::new(Duration::ZERO);
        thread::scope(|scope| {
            for (first, second) in [(&a, &b), (&b, &a)] {
                let (start, meet, took) = (&start, &meet, &took);
                drop(scope.spawn(move || {
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        let _first = first.lock().unwrap();
                        meet.wait();
                        *start.lock().unwrap() = Instant::now();
                        drop(second.lock());
                    }))
                    .inspect_err(|_| *took.lock().unwrap() = start.lock().unwrap().elapsed());
                }));
            }
        });
        times.push(took.into_inner().unwrap());
    }
    times.sort_unstable();
    say(format!("{}", times[times.len() / 2] < Duration::from_millis(100)));
}

fn busy_but_safe() {
    use lockcheck_tracker::pool::{Policy, ThreadPool};
    const THREADS: u64 = 6;
    let locks: Vec<Mutex<u64>> = (0..6).map(|_| Mutex::new(0)).collect();
    let shared: Vec<RwLock<u64>> = (0..4).map(|_| RwLock::new(0)).collect();
    let (turn, bell) = (Mutex::named("turn", 0u64), Condvar::named("bell"));
    let pool = ThreadPool::builder().name("pool").workers(2).policy(Policy::Block).build();
    let end = Instant::now() + Duration::from_millis(1500);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (locks, shared, turn, bell, pool) = (&locks, &shared, &turn, &bell, pool.clone());
            scope.spawn(move || {
                let mut state = 0x9E37_79B9_7F4A_7C15 ^ (thread + 1) << 17;
                let mut random = move |below: u64| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state % below) as usize
                };
                while Instant::now() < end {
                    match random(5) {
                        // Always upwards, and the shared ones after the others.
                        0 | 1 => {
                            let first = random(5);
                            let mut one = locks[first].lock().unwrap();
                            let mut two = locks[first + 1 + random(5 - first as u64)].lock().unwrap();
                            let third = shared[random(4)].read().unwrap();
                            *one += *third;
                            *two += 1;
                            if random(8) == 0 {
                                thread::sleep(Duration::from_millis(2));
                            }
                        }
                        2 => {
                            let first = random(3);
                            let one = shared[first].read().unwrap();
                            *shared[first + 1].write().unwrap() += *one;
                            if random(8) == 0 {
                                thread::sleep(Duration::from_millis(2));
                            }
                        }
                        3 => drop(pool.run_async(|| thread::sleep(Duration::from_millis(1))).join()),
                        _ => {
                            let mut turn = turn.lock().unwrap();
                            *turn += 1;
                            bell.notify_all();
                            drop(bell.wait_timeout(turn, Duration::from_millis(3)).unwrap());
                        }
                    }
                }
            });
        }
    });
    say("done");
}

fn what_the_events_say() {
    let (lock, rw) = (Mutex::named("A", 0), RwLock::named("B", 0));
    let cell = Tracked::named("cell", 0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for round in 0..500 {
                    *lock.lock().unwrap() += 1;
                    drop(lock.try_lock());
                    if round % 10 == 0 {
                        *rw.write().unwrap() += 1;
                    }
                    let _ = *rw.read().unwrap();
                    cell.set(cell.get() + 1);
                }
            });
        }
    });
}

/// What must hold of every whole trace.
fn check_events(outcome: &Outcome) {
    let trace = &outcome.trace;
    assert!(trace.ended() && trace.rest == 0);
    let described =
        |object: u32| trace.records.iter().any(|record| matches!(record, Record::Object { id, .. } if *id == object));
    let sites = trace.records.iter().filter(|record| matches!(record, Record::Site { .. })).count() as u32;
    let mut last = std::collections::HashMap::new();
    let mut seen = std::collections::HashSet::new();
    let mut held: std::collections::HashMap<(u32, u32), i32> = std::collections::HashMap::new();
    for (thread, event) in &trace.events {
        assert!(event.site <= sites);
        match event.op() {
            Some(Op::Acquire | Op::Release | Op::Read | Op::Write) => {
                assert!(described(event.object));
                // Readers share the numbers that no other may have.
                let shared = event.mode() == Some(Mode::Shared);
                assert!(shared || seen.insert((event.object, event.seq)), "{event:?} comes twice");
                let before = last.insert((*thread, event.object), event.seq);
                let rises = |before: u32| before < event.seq || (shared && before == event.seq);
                assert!(before.is_none_or(rises), "{event:?} after {before:?}");
                let held = held.entry((*thread, event.object)).or_default();
                match event.op() {
                    Some(Op::Acquire) => *held += 1,
                    Some(Op::Release) => *held -= 1,
                    _ => {}
                }
                assert!((0..=1).contains(held), "{event:?} by {thread}");
            }
            None => panic!("{event:?}"),
            _ => {}
        }
    }
    let all = |wanted: Op| trace.events.iter().filter(move |(_, event)| event.op() == Some(wanted));
    assert_eq!(all(Op::Fork).count(), 3);
    assert_eq!(all(Op::Join).count(), 3);
    // Each thread has been a stranger first, because the allocator locks before the thread's function runs.
    assert_eq!((all(Op::ThreadBegin).count(), all(Op::ThreadEnd).count()), (7, 7));
    assert!(trace.events.iter().any(|(thread, _)| *thread == 1));
    let named =
        |number: u32| trace.records.iter().any(|record| matches!(record, Record::Thread { id, .. } if *id == number));
    assert!((1..=7).all(named));
}

type Case = (&'static str, fn(), fn(Outcome));

const CASES: &[Case] = &[
    ("a_wait_under_the_lock_that_the_notifier_needs", a_wait_under_the_lock_that_the_notifier_needs, |outcome| {
        let outcome = outcome.expect_success();
        // Whoever is chosen first, the wait has no notifier afterwards unless it was the one.
        assert!((1..=3).contains(&outcome.trace.deadlocks()), "{}", outcome.stderr);
        assert!(outcome.findings().contains(&"deadlock"));
    }),
    ("waits_that_are_notified_are_no_deadlock", waits_that_are_notified_are_no_deadlock, |outcome| {
        assert_eq!(outcome.expect_success().said(), ["400"]);
    }),
    ("a_forgotten_guard_is_taken_again", a_forgotten_guard_is_taken_again, |outcome| {
        let expected = ["finding double_lock", "again false", "free false", "free false"];
        assert_eq!(outcome.expect_success().said(), expected);
    }),
    ("destructors_of_thread_locals_lock", destructors_of_thread_locals_lock, |outcome| {
        assert_eq!(outcome.expect_success().said(), ["30 30"]);
    }),
    ("guards_are_dropped_in_any_order", guards_are_dropped_in_any_order, |outcome| {
        assert_eq!(outcome.expect_success().said(), ["true"]);
    }),
    ("a_panic_under_a_lock_poisons_it", a_panic_under_a_lock_poisons_it, |outcome| {
        assert_eq!(outcome.expect_success().said(), ["true true true true", "true"]);
    }),
    ("a_forked_child_writes_nothing", a_forked_child_writes_nothing, |outcome| {
        let outcome = outcome.expect_success();
        assert_eq!(outcome.said().last(), Some(&"0"));
        let ends = outcome.trace.records.iter().filter(|record| **record == Record::End).count();
        assert_eq!((ends, outcome.trace.rest), (1, 0));
    }),
    ("a_hang_is_reported_soon", a_hang_is_reported_soon, |outcome| {
        let outcome = outcome.expect_success();
        assert_eq!(outcome.said().last(), Some(&"true"));
        assert_eq!(outcome.trace.deadlocks(), 20);
    }),
    ("busy_but_safe", busy_but_safe, |outcome| {
        let outcome = outcome.expect_success();
        assert_eq!(outcome.said(), ["done"], "{}", outcome.stderr);
        assert_eq!(outcome.trace.deadlocks(), 0);
    }),
    ("what_the_events_say", what_the_events_say, |outcome| {
        let outcome = outcome.expect_success();
        if outcome.trace.header.is_some_and(|header| header.mode == lockcheck_tracker::event::RecordingMode::Trace) {
            check_events(&outcome);
        }
    }),
];

fn main() {
    let filter: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, body, _) in CASES {
        if is_child(name) {
            return body();
        }
    }
    let mut failed = 0;
    for (name, _, check) in
        CASES.iter().filter(|(name, ..)| filter.is_empty() || filter.iter().any(|f| name.contains(f.as_str())))
    {
        for (mode, options) in [("order", ORDER), ("trace", TRACE)] {
            let ok = catch_unwind(|| check(run_child(name, &[], options))).is_ok();
            failed += i32::from(!ok);
            println!("test {name} ({mode}) ... {}", if ok { "ok" } else { "FAILED" });
        }
    }
    std::process::exit(failed.min(1));
}

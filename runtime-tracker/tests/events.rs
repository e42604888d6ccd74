//! Trace mode: the events of a run, read back, are what the threads did, whichever way they were written.
//!
//! The body is a program made of loops over random nestings, the same in the child, which runs it, and in the test, which
//! knows from it what the trace must say.

mod common;

use std::collections::HashMap;

use common::{Options, TRACE, Trace, in_child};
use lockcheck_tracker::event::{Event, Mode, Op, flag};
use lockcheck_tracker::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};
use lockcheck_tracker::thread;

const LOCKS: usize = 40;

/// What a thread does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Lock(usize),
    LockElsewhere(usize),
    TryLock(usize),
    Read(usize),
    /// Gives back the guard at this place from the top.
    Drop(usize),
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit
    }
}

/// Rounds of random nestings, most of them repeated; everything is given back at the end of each.
fn program(seed: u64, rounds: usize) -> Vec<Step> {
    let mut random = Random(seed);
    let mut steps = Vec::new();
    for _ in 0..rounds {
        let (mut round, mut held) = (Vec::new(), Vec::new());
        for _ in 0..1 + random.below(12) {
            let lock = random.below(LOCKS);
            if held.contains(&lock) || held.len() > 7 || (random.below(3) == 0 && !held.is_empty()) {
                if !held.is_empty() {
                    let from_top = if random.below(4) == 0 { random.below(held.len()) } else { 0 };
                    held.remove(held.len() - 1 - from_top);
                    round.push(Step::Drop(from_top));
                }
                continue;
            }
            held.push(lock);
            round.push(match random.below(12) {
                0 => Step::TryLock(lock),
                1 => Step::LockElsewhere(lock),
                2 | 3 => Step::Read(lock),
                _ => Step::Lock(lock),
            });
        }
        round.extend(held.iter().map(|_| Step::Drop(0)));
        let times = [1, 1, 3, 12, 500][random.below(5)];
        (0..times).for_each(|_| steps.extend(&round));
    }
    steps
}

struct Locks {
    mutexes: Vec<Mutex<u64>>,
    rwlocks: Vec<RwLock<u64>>,
}

impl Locks {
    fn new() -> Self {
        Locks {
            mutexes: (0..LOCKS).map(|_| Mutex::new(0)).collect(),
            rwlocks: (0..LOCKS).map(|_| RwLock::new(0)).collect(),
        }
    }
}

#[expect(dead_code, reason = "held until dropped")]
enum Guard<'a> {
    Mutex(MutexGuard<'a, u64>),
    Read(RwLockReadGuard<'a, u64>),
}

fn run(locks: &Locks, steps: &[Step]) {
    let mut guards = Vec::new();
    for step in steps {
        guards.push(match step {
            Step::Lock(lock) => Guard::Mutex(locks.mutexes[*lock].lock().unwrap()),
            Step::LockElsewhere(lock) => Guard::Mutex(locks.mutexes[*lock].lock().unwrap()),
            Step::TryLock(lock) => match locks.mutexes[*lock].try_lock() {
                Ok(guard) => Guard::Mutex(guard),
                Err(_) => panic!("nobody else has it"),
            },
            Step::Read(lock) => Guard::Read(locks.rwlocks[*lock].read().unwrap()),
            Step::Drop(from_top) => {
                guards.remove(guards.len() - 1 - from_top);
                continue;
            }
        });
    }
}

/// What the trace must say of a thread: op, lock (0 to `LOCKS` the mutexes, from there the others), mode, and whether it
/// was a `try_` call.
fn expected(steps: &[Step]) -> Vec<(Op, usize, Mode, bool)> {
    let (mut held, mut events) = (Vec::new(), Vec::new());
    for step in steps {
        let taken = match step {
            Step::Lock(lock) | Step::LockElsewhere(lock) => (*lock, Mode::Exclusive, false),
            Step::TryLock(lock) => (*lock, Mode::Exclusive, true),
            Step::Read(lock) => (LOCKS + lock, Mode::Shared, false),
            Step::Drop(from_top) => {
                let (lock, mode, _) = held.remove(held.len() - 1 - from_top);
                events.push((Op::Release, lock, mode, false));
                continue;
            }
        };
        held.push(taken);
        if !taken.2 {
            events.push((Op::Request, taken.0, taken.1, false));
        }
        events.push((Op::Acquire, taken.0, taken.1, taken.2));
    }
    events
}

/// The lock events of a thread, the locks numbered as in the program; `numbers` learns which is which.
fn seen(trace: &Trace, thread: u32, expected: &[(Op, usize, Mode, bool)]) -> Vec<(Op, usize, Mode, bool)> {
    let mut numbers = HashMap::new();
    let mine = trace.events.iter().filter(|(by, _)| *by == thread).map(|(_, event)| event);
    let locks: Vec<&Event> =
        mine.filter(|event| matches!(event.op(), Some(Op::Request | Op::Acquire | Op::Release))).collect();
    let name = |(event, wanted): (&&Event, &(Op, usize, Mode, bool))| {
        // Two locks with one number, or the other way round, show as a wrong event further on.
        let lock = *numbers.entry(event.object).or_insert(wanted.1);
        let op = event.op().expect("a known op");
        (op, lock, event.mode().expect("a known mode"), op == Op::Acquire && event.flags & flag::TRY != 0)
    };
    let named: Vec<_> = locks.iter().zip(expected).map(name).collect();
    assert_eq!(locks.len(), expected.len());
    named
}

fn compare(trace: &Trace, thread: u32, steps: &[Step]) {
    let expected = expected(steps);
    let seen = seen(trace, thread, &expected);
    let wrong = seen.iter().zip(&expected).position(|(seen, expected)| seen != expected);
    assert_eq!(wrong.map(|at| (at, seen[at], expected[at])), None);
}

#[test]
fn a_trace_says_what_the_thread_did_however_often_it_repeats_itself() {
    let name = "a_trace_says_what_the_thread_did_however_often_it_repeats_itself";
    let steps = program(0x9E37_79B9_7F4A_7C15, 300);
    let Some(outcome) = in_child(name, TRACE, || run(&Locks::new(), &steps)) else { return };
    let trace = outcome.expect_success().trace;
    let thread = trace.events.iter().find(|(_, event)| event.op() == Some(Op::Acquire)).expect("an acquisition").0;
    compare(&trace, thread, &steps);
    assert!(trace.bytes < steps.len(), "{} bytes for {} steps", trace.bytes, steps.len());
}

#[test]
fn a_trace_through_a_pipe_says_the_same() {
    let name = "a_trace_through_a_pipe_says_the_same";
    let steps = program(0xDEAD_BEEF_CAFE_F00D, 200);
    let Some(outcome) = in_child(name, Options { pipe: true, ..TRACE }, || run(&Locks::new(), &steps)) else { return };
    let trace = outcome.expect_success().trace;
    let thread = trace.events.iter().find(|(_, event)| event.op() == Some(Op::Acquire)).expect("an acquisition").0;
    compare(&trace, thread, &steps);
}

#[test]
fn events_of_threads_that_come_and_go_stay_apart() {
    let name = "events_of_threads_that_come_and_go_stay_apart";
    // Each thread has locks of its own, so that none waits; pairs of them run at the same time.
    let steps = |at: u64| program(at * 7919 + 1, 20);
    let Some(outcome) = in_child(name, TRACE, || {
        for pair in 0..10 {
            let start = |at: u64| thread::spawn(move || run(&Locks::new(), &steps(at)));
            [start(pair * 2), start(pair * 2 + 1)].into_iter().for_each(|thread| thread.join().unwrap());
        }
    }) else {
        return;
    };
    let trace = outcome.expect_success().trace;
    let forks: Vec<u32> =
        trace.events.iter().filter(|(_, event)| event.op() == Some(Op::Fork)).map(|(_, event)| event.object).collect();
    assert_eq!(forks.len(), 20);
    forks.iter().zip(0..).for_each(|(thread, at)| compare(&trace, *thread, &steps(at)));
}

#[test]
fn a_process_that_ends_abruptly_loses_nothing_that_it_did() {
    let name = "a_process_that_ends_abruptly_loses_nothing_that_it_did";
    let steps = program(12345, 100);
    let Some(outcome) = in_child(name, TRACE, || {
        run(&Locks::new(), &steps);
        unsafe extern "C" {
            fn _exit(status: i32) -> !;
        }
        // SAFETY: ends the process at once.
        unsafe { _exit(0) }
    }) else {
        return;
    };
    let trace = outcome.expect_success().trace;
    assert!(!trace.ended());
    let thread = trace.events.iter().find(|(_, event)| event.op() == Some(Op::Acquire)).expect("an acquisition").0;
    compare(&trace, thread, &steps);
}

#[test]
fn acquisitions_of_one_lock_are_numbered_in_the_order_in_which_they_happened() {
    let name = "acquisitions_of_one_lock_are_numbered_in_the_order_in_which_they_happened";
    let Some(outcome) = in_child(name, TRACE, || {
        // Who has the lock writes down who had it before.
        let log = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || {
                    for _ in 0..2000 {
                        log.lock().unwrap().push(thread::current().id());
                    }
                })
            })
            .collect();
        let ids: Vec<_> = threads.iter().map(|thread| thread.thread().id()).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let log = log.lock().unwrap();
        let order: String = log
            .iter()
            .map(|id| char::from(b'0' + ids.iter().position(|known| known == id).expect("one of them") as u8))
            .collect();
        common::say(order);
    }) else {
        return;
    };
    let outcome = outcome.expect_success();
    let said = outcome.said()[0].to_owned();
    let trace = &outcome.trace;
    let forks: Vec<u32> =
        trace.events.iter().filter(|(_, event)| event.op() == Some(Op::Fork)).map(|(_, event)| event.object).collect();
    let mut taken: Vec<(u32, u32)> = (trace.events.iter())
        .filter(|(by, event)| forks.contains(by) && event.op() == Some(Op::Acquire))
        .map(|(by, event)| (event.seq, *by))
        .collect();
    taken.sort_unstable();
    let order: String = taken
        .iter()
        .map(|(_, by)| char::from(b'0' + forks.iter().position(|fork| fork == by).expect("forked") as u8))
        .collect();
    assert_eq!(order, said);
}

fn costly_locks() {
    let (busy, quiet) = (Arc::new(Mutex::new(0)), RwLock::new(0));
    (0..5000).for_each(|_| drop(quiet.read().unwrap()));
    let guard = busy.lock().unwrap();
    let waits = {
        let busy = busy.clone();
        thread::spawn(move || *busy.lock().unwrap() += 1)
    };
    std::thread::sleep(std::time::Duration::from_millis(60));
    drop(guard);
    waits.join().unwrap();
}

fn check_costs(trace: &Trace) {
    let find = |acquisitions: u64| {
        trace.stats.iter().map(|(_, stats)| stats).find(|stats| stats.acquisitions == acquisitions).expect("a lock")
    };
    let (busy, quiet) = (find(2), find(5000));
    assert_eq!((busy.contended, quiet.contended, quiet.waited), (1, 0, 0));
    assert!(busy.waited > 10_000_000 && busy.longest_wait == busy.waited, "{busy:?}");
    assert!(busy.measured == 2 && busy.longest_hold > 50_000_000 && busy.longest_hold_site != 0, "{busy:?}");
    assert!((1000..2000).contains(&quiet.measured) && quiet.held_in_all() > quiet.held, "{quiet:?}");
}

#[test]
fn what_locks_cost_is_counted_where_it_is_asked_for() {
    let name = "what_locks_cost_is_counted_where_it_is_asked_for";
    for (mode, pipe) in [("order", false), ("trace", false), ("order", true)] {
        let options = Options { mode, pipe, stats: true, ..TRACE };
        let Some(outcome) = in_child(name, options, costly_locks) else { return };
        check_costs(&outcome.expect_success().trace);
    }
    let Some(outcome) = in_child(name, TRACE, costly_locks) else { return };
    assert!(outcome.expect_success().trace.stats.is_empty());
}

//! Hangs in channels, barriers, one-time initialisations and `park`, each in a child process; and what looks like one and
//! is none.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{ORDER, Options, Outcome, TRACE, is_child, run_child, say};
use lockcheck_tracker::event::{Record, WaitKind};
use lockcheck_tracker::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, mpsc};
use lockcheck_tracker::thread;

fn broken(work: impl FnOnce()) {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(work));
    say(format!("broken {}", result.is_err()));
    say(format!("soon {}", start.elapsed() < Duration::from_secs(5)));
}

fn a_receiver_that_keeps_its_only_sender() {
    let (sender, receiver) = mpsc::named_channel::<i32>("jobs");
    broken(|| receiver.iter().for_each(drop));
    drop(sender);
    say(format!("then {:?}", receiver.recv()));
}

fn a_receiver_under_the_lock_that_its_sender_needs() {
    let lock = Arc::new(Mutex::named("A", 0));
    let (sender, receiver) = mpsc::channel();
    let other = lock.clone();
    let worker = thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        *other.lock().unwrap() += 1;
        sender.send(1).unwrap();
    });
    // Where the worker is the one that unwinds, it drops the only sender.
    broken(|| {
        let _guard = lock.lock().unwrap();
        receiver.recv().unwrap();
    });
    let _ = worker.join();
}

fn a_sender_to_a_full_channel_under_the_lock_that_the_receiver_needs() {
    let lock = Arc::new(Mutex::named("A", 0));
    let (sender, receiver) = mpsc::named_sync_channel("results", 1);
    let other = lock.clone();
    let guard = lock.lock().unwrap();
    let worker = thread::spawn(move || {
        *other.lock().unwrap() += 1;
        receiver.iter().sum::<i32>()
    });
    broken(|| {
        sender.send(1).unwrap();
        thread::sleep(Duration::from_millis(50));
        sender.send(2).unwrap();
    });
    drop((guard, sender));
    let _ = worker.join();
}

fn a_rendezvous_with_oneself() {
    let (sender, receiver) = mpsc::sync_channel(0);
    broken(|| sender.send(1).unwrap());
    say(format!("{:?}", receiver.try_recv()));
    thread::scope(|scope| {
        scope.spawn(|| sender.send(2).unwrap());
        say(format!("{:?}", receiver.recv()));
    });
}

fn a_barrier_short_of_one() {
    let barrier = Barrier::named("start", 3);
    let ended = thread::scope(|scope| {
        let threads = [scope.spawn(|| barrier.wait().is_leader()), scope.spawn(|| barrier.wait().is_leader())];
        threads.map(|thread| thread.join().is_ok())
    });
    say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
}

fn an_initialiser_that_reaches_itself() {
    static FIRST: LazyLock<u32> = LazyLock::named("first", || *SECOND + 1);
    static SECOND: LazyLock<u32> = LazyLock::named("second", || *FIRST + 1);
    broken(|| say(*FIRST));
    static ONCE: Once = Once::new();
    broken(|| ONCE.call_once(|| ONCE.call_once(|| ())));
    ONCE.call_once(|| say("at last"));
}

fn two_initialisers_that_wait_for_each_other() {
    static A: OnceLock<u32> = OnceLock::named("a");
    static B: OnceLock<u32> = OnceLock::named("b");
    let meet = std::sync::Barrier::new(2);
    let cross = |own: &OnceLock<u32>, other: &OnceLock<u32>| {
        own.get_or_init(|| {
            meet.wait();
            *other.get_or_init(|| 1) + 1
        });
    };
    let ended = thread::scope(|scope| {
        let threads = [scope.spawn(|| cross(&A, &B)), scope.spawn(|| cross(&B, &A))];
        threads.map(|thread| thread.join().is_ok())
    });
    say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
}

fn an_initialiser_under_a_lock_that_another_holds() {
    static CELL: OnceLock<u32> = OnceLock::named("cell");
    let lock = Mutex::named("A", 1);
    let meet = std::sync::Barrier::new(2);
    let (meet, lock, cell) = (&meet, &lock, &CELL);
    let ended = thread::scope(|scope| {
        let initialiser = scope.spawn(move || {
            cell.get_or_init(|| {
                meet.wait();
                *lock.lock().unwrap()
            });
        });
        let other = scope.spawn(move || {
            let guard = lock.lock().unwrap();
            meet.wait();
            let _ = *guard + cell.get_or_init(|| 5);
        });
        [initialiser.join().is_ok(), other.join().is_ok()]
    });
    say(format!("ended {}", ended.iter().filter(|ok| **ok).count()));
}

fn a_park_that_nobody_ends() {
    broken(thread::park);
}

fn a_condvar_that_nobody_is_left_to_notify() {
    let (lock, bell) = (Mutex::new(()), Condvar::named("bell"));
    broken(|| drop(bell.wait(lock.lock().unwrap())));
    say(format!("poisoned {}", lock.is_poisoned()));
}

fn the_last_that_could_send_ends() {
    let (sender, receiver) = mpsc::channel::<()>();
    let keeper = Arc::new(Mutex::new(Some(sender)));
    let other = keeper.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(other);
    });
    let result = catch_unwind(AssertUnwindSafe(|| receiver.recv()));
    say(format!("broken {}", result.is_err()));
    drop(keeper);
}

/// Others could still help: nothing may be said.
fn waits_that_end() {
    let (sender, receiver) = mpsc::channel();
    let (reply, answer) = mpsc::sync_channel(0);
    let barrier = Arc::new(Barrier::new(2));
    let main = thread::current();
    let meet = barrier.clone();
    let worker = thread::spawn(move || {
        meet.wait();
        for number in receiver {
            thread::sleep(Duration::from_millis(20));
            reply.send(number).unwrap();
        }
        thread::sleep(Duration::from_millis(30));
        main.unpark();
    });
    thread::sleep(Duration::from_millis(20));
    barrier.wait();
    for number in 0..5 {
        sender.send(number).unwrap();
        assert_eq!(answer.recv(), Ok(number));
    }
    drop(sender);
    thread::park();
    worker.join().unwrap();
    // A thread that the tracker does not know sends after a while.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        sender.send(7).unwrap();
    });
    say(format!("{:?}", receiver.recv()));
    // So does one that waits with a limit meanwhile.
    let (sender, receiver) = mpsc::channel();
    let (_keep, never) = mpsc::channel::<()>();
    thread::spawn(move || {
        assert_eq!(never.recv_timeout(Duration::from_millis(150)), Err(mpsc::RecvTimeoutError::Timeout));
        sender.send(8).unwrap();
    });
    say(format!("{:?}", receiver.recv()));
    thread::park_timeout(Duration::from_millis(60));
    static SLOW: LazyLock<u32> = LazyLock::new(|| {
        thread::sleep(Duration::from_millis(100));
        9
    });
    let all: u32 = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| *SLOW)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    say(all);
}

/// Inversions that a channel, a barrier, an unpark or an initialisation keeps apart.
fn inversions_that_are_kept_apart() {
    let locks: Vec<_> = (0..8).map(|at| Mutex::named(["A", "B", "C", "D", "E", "F", "G", "H"][at], ())).collect();
    let forth = |at: usize| {
        let _first = locks[at].lock().unwrap();
        drop(locks[at + 1].lock().unwrap());
    };
    let back = |at: usize| {
        let _first = locks[at + 1].lock().unwrap();
        drop(locks[at].lock().unwrap());
    };
    let (sender, receiver) = mpsc::channel();
    let (barrier, once) = (&Barrier::new(2), &Once::new());
    let (forth, back) = (&forth, &back);
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            thread::park();
            back(0);
            receiver.recv().unwrap();
            back(2);
            barrier.wait();
            back(4);
            while !once.is_completed() {
                thread::yield_now();
            }
            once.call_once(|| ());
            back(6);
        });
        forth(0);
        other.thread().unpark();
        forth(2);
        sender.send(()).unwrap();
        forth(4);
        barrier.wait();
        once.call_once(|| forth(6));
    });
    say("done");
}

/// The same without what keeps them apart, and after it.
fn inversions_that_nothing_keeps_apart() {
    let (a, b) = (&Mutex::named("A", ()), &Mutex::named("B", ()));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            receiver.recv().unwrap();
            let _first = b.lock().unwrap();
            drop(a.lock().unwrap());
        });
        for _ in 0..2 {
            let first = a.lock().unwrap();
            drop(b.lock().unwrap());
            drop(first);
            let _ = sender.send(());
            thread::sleep(Duration::from_millis(30));
        }
    });
    say("done");
}

fn kinds(outcome: &Outcome) -> Vec<WaitKind> {
    let members = |record: &Record<'_>| match record {
        Record::Deadlock { members, .. } => members.iter().map(|member| member.kind).collect(),
        _ => Vec::new(),
    };
    outcome.trace.records.iter().flat_map(members).collect()
}

type Case = (&'static str, fn(), fn(Outcome));

const CASES: &[Case] = &[
    ("a_receiver_that_keeps_its_only_sender", a_receiver_that_keeps_its_only_sender, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true", "then Err(RecvError)"]);
        assert_eq!(kinds(&outcome), [WaitKind::Recv]);
        assert!(outcome.stderr.contains("waits for a message on `jobs`"), "{}", outcome.stderr);
    }),
    ("a_receiver_under_the_lock_that_its_sender_needs", a_receiver_under_the_lock_that_its_sender_needs, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true"]);
    }),
    (
        "a_sender_to_a_full_channel_under_the_lock_that_the_receiver_needs",
        a_sender_to_a_full_channel_under_the_lock_that_the_receiver_needs,
        |outcome| assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true"]),
    ),
    ("a_rendezvous_with_oneself", a_rendezvous_with_oneself, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true", "Err(Empty)", "Ok(2)"]);
        assert_eq!(kinds(&outcome), [WaitKind::Send]);
    }),
    ("a_barrier_short_of_one", a_barrier_short_of_one, |outcome| {
        // Whoever is left waits for two then.
        assert_eq!(outcome.said(), ["finding deadlock", "finding deadlock", "ended 0"]);
    }),
    ("an_initialiser_that_reaches_itself", an_initialiser_that_reaches_itself, |outcome| {
        let round = ["finding deadlock", "broken true", "soon true"];
        assert_eq!(outcome.said(), [&round[..], &round[..], &["at last"]].concat());
    }),
    ("two_initialisers_that_wait_for_each_other", two_initialisers_that_wait_for_each_other, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "ended 1"]);
        assert_eq!(kinds(&outcome)[..2], [WaitKind::Once; 2]);
    }),
    ("an_initialiser_under_a_lock_that_another_holds", an_initialiser_under_a_lock_that_another_holds, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "ended 1"]);
    }),
    ("a_park_that_nobody_ends", a_park_that_nobody_ends, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true"]);
        assert_eq!(kinds(&outcome), [WaitKind::Park]);
    }),
    ("a_condvar_that_nobody_is_left_to_notify", a_condvar_that_nobody_is_left_to_notify, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true", "soon true", "poisoned false"]);
    }),
    ("the_last_that_could_send_ends", the_last_that_could_send_ends, |outcome| {
        assert_eq!(outcome.said(), ["finding deadlock", "broken true"]);
    }),
    ("waits_that_end", waits_that_end, |outcome| assert_eq!(outcome.said(), ["Ok(7)", "Ok(8)", "36"])),
    ("inversions_that_are_kept_apart", inversions_that_are_kept_apart, |outcome| assert_eq!(outcome.said(), ["done"])),
    ("inversions_that_nothing_keeps_apart", inversions_that_nothing_keeps_apart, |outcome| {
        assert_eq!(outcome.said(), ["finding lock_order_inversion", "done"]);
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
            let options = Options { seconds: 10, ..options };
            let ok = catch_unwind(|| check(run_child(name, &[], options).expect_success())).is_ok();
            failed += i32::from(!ok);
            println!("test {name} ({mode}) ... {}", if ok { "ok" } else { "FAILED" });
        }
    }
    std::process::exit(failed.min(1));
}

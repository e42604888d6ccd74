//! `thread`: starting, naming, joining, scopes, parking.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::sync::Arc;
use super::sync::atomic::{AtomicBool, Ordering};
use super::sync::mpsc::channel;
use super::thread;

#[test]
fn a_thread_gives_a_result_or_the_payload_of_its_panic() {
    let sums = thread::spawn(|| (1..=4).sum::<u32>());
    assert_eq!(sums.join().unwrap(), 10);
    let payload = thread::spawn(|| -> u32 { panic!("oh no") }).join().unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"oh no"));
}

#[test]
fn threads_talk_over_a_channel() {
    let (sender, receiver) = channel();
    let sends = thread::spawn(move || sender.send("hello").is_ok());
    let receives = thread::spawn(move || receiver.recv().unwrap());
    assert!(sends.join().unwrap());
    assert_eq!(receives.join().unwrap(), "hello");
}

#[test]
fn a_builder_names_a_thread_and_sizes_its_stack() {
    let builder = thread::Builder::new().name("worker".into()).stack_size(64 * 1024);
    let thread = builder.spawn(|| thread::current().name().map(str::to_owned)).unwrap();
    assert_eq!(thread.thread().name(), Some("worker"));
    let id = thread.thread().id();
    assert_eq!(thread.join().unwrap().as_deref(), Some("worker"));
    assert_ne!(id, thread::current().id());
    assert_eq!(thread::spawn(|| thread::current().name().is_none()).join().ok(), Some(true));
}

#[test]
fn a_handle_tells_whether_its_thread_is_through() {
    let (go, gone) = channel::<()>();
    let thread = thread::spawn(move || gone.recv().is_err());
    assert!(!thread.is_finished());
    drop(go);
    while !thread.is_finished() {
        thread::yield_now();
    }
    assert!(thread.join().unwrap());
}

#[test]
fn a_scope_lends_what_lives_outside() {
    let mut numbers = vec![1, 2, 3];
    let mut added = 0;
    let sum = thread::scope(|scope| {
        let sums = scope.spawn(|| numbers.iter().sum::<i32>());
        scope.spawn(|| {
            added += numbers[0] + numbers[2];
            // From inside, too.
            scope.spawn(|| assert_eq!(numbers.len(), 3));
        });
        let named = thread::Builder::new().name("in a scope".into()).spawn_scoped(scope, || numbers.len()).unwrap();
        assert_eq!(named.thread().name(), Some("in a scope"));
        assert_eq!(named.join().unwrap(), 3);
        sums.join().unwrap()
    });
    numbers.push(sum);
    assert_eq!((numbers.len(), added), (4, 4));
}

#[test]
fn a_scope_has_ended_all_its_threads_and_passes_their_panics_on() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(10));
            done.store(true, Ordering::Relaxed);
        });
    });
    assert!(done.load(Ordering::Relaxed));
    let joined = thread::scope(|scope| scope.spawn(|| panic!("looked at")).join().is_err());
    let left = std::panic::catch_unwind(|| {
        thread::scope(|scope| {
            scope.spawn(|| panic!("not looked at"));
        });
    });
    assert!(joined && left.is_err());
}

#[test]
fn a_parked_thread_goes_on_when_unparked_and_a_token_is_kept() {
    let flag = Arc::new(AtomicBool::new(false));
    let parked = {
        let flag = flag.clone();
        thread::spawn(move || {
            while !flag.load(Ordering::Acquire) {
                thread::park();
            }
        })
    };
    thread::sleep(Duration::from_millis(5));
    flag.store(true, Ordering::Release);
    parked.thread().unpark();
    parked.join().unwrap();

    thread::spawn(|| {
        thread::current().unpark();
        thread::park();
    })
    .join()
    .unwrap();
}

#[test]
fn parking_and_sleeping_take_their_time() {
    let limit = Duration::from_millis(20);
    let begun = Instant::now();
    thread::sleep(limit);
    assert!(begun.elapsed() >= limit);
    // Parking may end early, so what is left is waited for again.
    let begun = Instant::now();
    while begun.elapsed() < limit {
        thread::park_timeout(limit - begun.elapsed());
    }
    #[allow(deprecated, reason = "they are mirrored as well")]
    {
        thread::sleep_ms(1);
        thread::park_timeout_ms(1);
    }
    assert!(thread::available_parallelism().is_ok_and(|count| count.get() > 0));
}

#[test]
fn a_destructor_can_tell_whether_its_thread_unwinds() {
    struct Notes<'a>(&'a AtomicBool);
    impl Drop for Notes<'_> {
        fn drop(&mut self) {
            self.0.store(thread::panicking(), Ordering::Relaxed);
        }
    }
    let (calm, unwound) = (AtomicBool::new(true), AtomicBool::new(false));
    drop(Notes(&calm));
    let ended = thread::scope(|scope| {
        scope
            .spawn(|| {
                let _notes = Notes(&unwound);
                panic!("on purpose");
            })
            .join()
    });
    assert!(ended.is_err() && !calm.load(Ordering::Relaxed) && unwound.load(Ordering::Relaxed));
}

#[test]
fn a_thread_local_is_another_one_in_each_thread() {
    thread_local! {
        static COUNTS: std::cell::RefCell<HashMap<&'static str, u32>> = Default::default();
    }
    let key: &super::thread::LocalKey<_> = &COUNTS;
    assert!(key.with(|counts| counts.borrow().is_empty()));
    COUNTS.with_borrow_mut(|counts| counts.insert("here", 1));
    thread::spawn(|| COUNTS.with_borrow(|counts| assert!(counts.is_empty()))).join().unwrap();
    assert_eq!(COUNTS.take().len(), 1);
}

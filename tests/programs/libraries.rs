//! Locks of `parking_lot` in a program as it is, and a program that uses the tracker by itself.

use lockcheck_tests::workspace;

use super::{lockcheck, project};

const MANIFEST: &str = r#"[package]
name = "mixed"
version = "0.1.0"
edition = "2024"

[dependencies]
locks = { package = "parking_lot", version = "0.12", features = ["arc_lock"] }
lockcheck-tracker = { path = "TRACKER" }
"#;

const LIB: &str = r#"
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use locks::{Condvar, Mutex, RwLock, RwLockUpgradableReadGuard, const_mutex};

static MADE: Mutex<u8> = const_mutex(1);

pub fn works() -> u8 {
    let (flag, bell) = (Arc::new(Mutex::new(false)), Arc::new(Condvar::new()));
    let (other, ring) = (flag.clone(), bell.clone());
    let ringer = thread::spawn(move || {
        *other.lock() = true;
        ring.notify_all()
    });
    let mut ready = flag.lock();
    bell.wait_while(&mut ready, |ready| !*ready);
    assert!(bell.wait_for(&mut ready, Duration::from_millis(5)).timed_out());
    drop(ready);
    ringer.join().unwrap();
    let table = RwLock::new(2);
    let read = table.upgradable_read();
    let mut write = RwLockUpgradableReadGuard::upgrade(read);
    *write += Mutex::lock_arc(&Arc::new(Mutex::new(3))).clone();
    drop(write);
    let (first, second) = (table.read_recursive(), table.read_recursive());
    let sum = *first + *second - *table.try_read().unwrap() + *MADE.lock();
    let again = locks::ReentrantMutex::new(1);
    let (outer, inner) = (again.lock(), again.lock());
    sum + *outer * *inner
}

pub fn opposite_orders() {
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(RwLock::new(2)));
    let (c, d) = (a.clone(), b.clone());
    let other = thread::spawn(move || {
        let write = d.write();
        thread::sleep(Duration::from_millis(50));
        *c.lock() + *write
    });
    let lock = a.lock();
    thread::sleep(Duration::from_millis(50));
    let read = b.read();
    drop((lock, read));
    other.join().unwrap();
}

pub fn named() -> i32 {
    let lock = lockcheck_tracker::sync::Mutex::named("named", 4);
    let same: &std::sync::Mutex<i32> = &lock;
    *same.lock().unwrap()
}

#[test]
fn all_works() {
    assert_eq!(works(), 7);
}

#[test]
fn orders() {
    opposite_orders();
}

#[test]
fn tracked_by_itself() {
    assert_eq!(named(), 4);
}
"#;

#[test]
fn locks_of_parking_lot_are_tracked_and_so_is_the_tracker_itself_once() {
    let tracker = workspace().join("runtime-tracker");
    let manifest = MANIFEST.replace("TRACKER", &tracker.display().to_string());
    let project = project(&[("Cargo.toml", &manifest), ("src/lib.rs", LIB)]);
    let done = lockcheck(project.path(), &["run", "--lib", "--message-format", "lockcheck-json"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for (test, outcome) in [("all_works", "ok"), ("orders", "FAILED"), ("tracked_by_itself", "ok")] {
        assert!(done.stderr.contains(&format!("test {test} ... {outcome}")), "{done:?}");
    }
    let document = done.document();
    let findings = document["findings"].as_array().expect("findings");
    assert_eq!((findings.len(), &findings[0]["rule"]), (1, &"deadlock".into()), "{done:?}");
    assert_eq!(findings[0]["locks"].as_array().map(Vec::len), Some(2), "{done:?}");
    assert!(!done.stdout.contains("tracked ("), "every crate is tracked: {done:?}");
}

//! `lockcheck.toml` and suppressions, from outside: what the commands do with them.

use lockcheck_tests::{folder, lockcheck};

/// A spin lock of the user's own, taken twice.
const SPIN: &str = r#"
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

pub mod sync {
    use super::*;

    pub struct SpinLock<T> {
        taken: AtomicBool,
        value: UnsafeCell<T>,
    }

    pub struct Held<'a, T> {
        lock: &'a SpinLock<T>,
    }

    impl<T> SpinLock<T> {
        pub fn enter(&self) -> Held<'_, T> {
            while self.taken.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
                std::hint::spin_loop();
            }
            Held { lock: self }
        }

        pub fn try_enter(&self) -> Option<Held<'_, T>> {
            let free = self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
            free.then(|| Held { lock: self })
        }
    }

    impl<T> Drop for Held<'_, T> {
        fn drop(&mut self) {
            self.lock.taken.store(false, Ordering::Release);
        }
    }

    impl<T> Deref for Held<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            unsafe { &*self.lock.value.get() }
        }
    }

    impl<T> DerefMut for Held<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            unsafe { &mut *self.lock.value.get() }
        }
    }
}

pub struct Bank {
    accounts: sync::SpinLock<Vec<u64>>,
    audit: sync::SpinLock<u32>,
}

impl Bank {
    pub fn add(&self, coin: u64) -> u64 {
        let mut accounts = self.accounts.enter();
        accounts.push(coin);
        self.total()
    }

    fn total(&self) -> u64 {
        self.accounts.enter().iter().sum()
    }

    pub fn after(&self) -> u64 {
        self.accounts.enter().push(1);
        drop(self.accounts.enter());
        let Some(accounts) = self.accounts.try_enter() else { return 0 };
        accounts.len() as u64
    }

    pub fn one_way(&self) {
        let accounts = self.accounts.enter();
        *self.audit.enter() = accounts.len() as u32;
    }

    pub fn other_way(&self) {
        let audit = self.audit.enter();
        self.accounts.enter().push(u64::from(*audit));
    }
}
"#;

const MANIFEST: &str = "[package]\nname = \"bank\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

/// The findings of a scan in the folder, as `RULE LINE`.
fn findings(dir: &tempfile::TempDir, args: &[&str]) -> Vec<String> {
    let done = lockcheck(dir.path(), &[&["scan", ".", "--message-format", "lockcheck-json"], args].concat());
    let document = done.document();
    let findings = document["findings"].as_array().expect("findings");
    let mut findings: Vec<_> = findings
        .iter()
        .map(|each| format!("{} {}", each["rule"].as_str().unwrap_or_default(), each["primary"]["line"]))
        .collect();
    findings.sort();
    findings
}

#[test]
fn a_lock_type_of_the_users_own_is_a_lock_once_it_is_named() {
    let lock = "[locks.\"bank::sync::SpinLock\"]\nacquire = [\"enter\"]\ntry = [\"try_enter\"]\n";
    let unnamed = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", SPIN)]);
    assert_eq!(findings(&unnamed, &[]), [""; 0]);
    let expected = ["double_lock 61", "lock_order_inversion 77"];
    let bare = lock.replace("bank::sync::", "");
    for lock in [lock, &bare, &lock.replace("bank::", "crate::"), &format!("{lock}guard = \"sync::Held\"\n")] {
        let named = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", SPIN), ("lockcheck.toml", lock)]);
        assert_eq!(findings(&named, &[]), expected, "{lock}");
    }
    let table = format!(
        "{MANIFEST}[package.metadata.lockcheck]\n{}",
        lock.replace("[locks", "[package.metadata.lockcheck.locks")
    );
    let named = folder(&[("Cargo.toml", &table), ("src/lib.rs", SPIN)]);
    assert_eq!(findings(&named, &[]).len(), 2);
}

#[test]
fn what_is_named_and_not_there_is_said() {
    let locks = "[locks.SpinLok]\nacquire = \"enter\"\n[locks.SpinLock]\nacquire = \"entr\"\n";
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", SPIN), ("lockcheck.toml", locks)]);
    let done = lockcheck(dir.path(), &["scan", "."]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let all = format!("{}{}", done.stdout, done.stderr);
    for text in [
        "the lock type `SpinLok` is not in the sources; did you mean `SpinLock`?",
        "the lock type `SpinLock` has no method `entr`; did you mean `enter`?",
    ] {
        assert!(all.split_whitespace().collect::<Vec<_>>().join(" ").contains(text), "{text}\n{all}");
    }
}

/// A file with a finding at deny level in line 5.
const TWICE: &str = "use std::sync::Mutex;\nstruct A { a: Mutex<u32> }\nimpl A {\n    fn f(&self) { let _a = \
                     self.a.lock();\n        drop(self.a.lock());\n    }\n}\n";

#[test]
fn levels_come_from_the_file_and_flags_count_for_more() {
    let files =
        [("Cargo.toml", MANIFEST), ("src/lib.rs", TWICE), ("lockcheck.toml", "[rules]\ndouble_lock = \"warn\"\n")];
    let dir = folder(&files);
    assert_eq!(lockcheck(dir.path(), &["scan"]).code, Some(0));
    assert_eq!(lockcheck(dir.path(), &["scan", "-D", "double_lock"]).code, Some(1));
    assert_eq!(lockcheck(dir.path(), &["scan", "-D", "warnings"]).code, Some(1));
    let other = folder(&[("mine.toml", "[rules]\nall = \"allow\"\n")]);
    let other = other.path().join("mine.toml");
    let other = other.to_str().expect("UTF-8");
    let allowed = lockcheck(dir.path(), &["scan", "--config", other, "--message-format", "short"]);
    assert_eq!((allowed.code, allowed.stdout.as_str()), (Some(0), ""));
}

#[test]
fn a_wrong_configuration_is_an_error_with_its_place() {
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", TWICE), ("lockcheck.toml", "\n[ruls]\n")]);
    let done = lockcheck(dir.path(), &["scan"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
    let expected = "error: lockcheck.toml:2:2: unknown key `ruls`; there are exclude, locks, order, rules; did you mean `rules`?\n";
    assert_eq!(done.stderr, expected);
    let done = lockcheck(dir.path(), &["scan", "--config", "no.toml"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.starts_with("error: the configuration `no.toml` cannot be read"), "{done:?}");
}

#[test]
fn excluded_files_are_not_scanned_unless_they_are_named() {
    let config = "exclude = [\"src/generated/\"]\n";
    let files = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod generated;\n"),
        ("src/generated/mod.rs", TWICE),
        ("lockcheck.toml", config),
    ];
    let dir = folder(&files);
    assert_eq!(lockcheck(dir.path(), &["scan"]).code, Some(0));
    assert_eq!(lockcheck(dir.path(), &["scan", "src/generated/mod.rs"]).code, Some(1));
    let all = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", TWICE), ("lockcheck.toml", "exclude = [\"*.rs\"]\n")]);
    assert_eq!(lockcheck(all.path(), &["scan"]).code, Some(2), "nothing is left");
}

#[test]
fn suppressed_findings_are_counted_and_do_not_fail() {
    let text = TWICE.replace("        drop", "        // lockcheck: allow(double_lock) -- a test\n        drop");
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", &text)]);
    let done = lockcheck(dir.path(), &["scan", "--message-format", "lockcheck-json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.document()["summary"]["suppressed"], 1);
    assert!(lockcheck(dir.path(), &["scan"]).stdout.contains("1 suppressed"));
    let idle = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", "// lockcheck: allow(double_lock)\nfn f() {}\n")]);
    assert_eq!(findings(&idle, &[]), ["suppression_without_reason 1", "unused_suppression 1"]);
    assert_eq!(findings(&idle, &["-A", "meta"]), [""; 0]);
    assert_eq!(lockcheck(idle.path(), &["scan", "-D", "unused_suppression"]).code, Some(1));
}

#[test]
fn a_file_that_does_not_parse_is_a_finding_where_the_user_wants_it() {
    let text = "fn broken( {\n}\nfn f() {}\n";
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", text)]);
    let notices = |args: &[&str]| {
        let done = lockcheck(dir.path(), &[&["scan", "--message-format", "lockcheck-json"], args].concat());
        let document = done.document();
        let count = |key: &str| document[key].as_array().map_or(0, Vec::len);
        (done.code, count("notices"), count("findings"))
    };
    assert_eq!(notices(&[]), (Some(0), 1, 0));
    assert_eq!(notices(&["-D", "unparsed_file"]), (Some(1), 0, 1));
    assert_eq!(notices(&["-A", "unparsed_file"]), (Some(0), 0, 0));
    assert_eq!(notices(&["--strict", "-A", "unparsed_file"]), (Some(2), 0, 0));
}

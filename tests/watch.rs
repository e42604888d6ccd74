//! `scan --watch` while files change under it.
//!
//! Guarantees: each report is waited for, with a time limit that only a hang reaches.
//!
//! Misses: terminals, where the screen is cleared before each scan.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use lockcheck_tests::{binary, folder};

const TWICE: &str = "use std::sync::Mutex;\npub fn twice(lock: &Mutex<u8>) -> u8 {\n    let one = lock.lock().unwrap();\n    \
                     let two = lock.lock().unwrap();\n    *one + *two\n}\n";
const ONCE: &str = "use std::sync::Mutex;\npub fn once(lock: &Mutex<u8>) -> u8 {\n    *lock.lock().unwrap()\n}\n";
const MANIFEST: &str = "[package]\nname = \"watched\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

/// A scan that goes on, ended when it is dropped.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(dir: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(binary("lockcheck"))
            .args(["scan", "--watch", "--message-format", "short"])
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lockcheck starts");
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let err = BufReader::new(child.stderr.take().expect("piped"));
        let copy = sender.clone();
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| _ = copy.send(line)));
        std::thread::spawn(move || err.lines().map_while(Result::ok).for_each(|line| _ = sender.send(line)));
        Watching { child, lines }
    }

    /// What is printed until the next scan is through.
    fn report(&self) -> String {
        let mut all = String::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30)).expect("another scan");
            if line.contains("waiting for changes") {
                // The two streams are read apart: what was written before is there soon.
                while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(100)) {
                    all += &(line + "\n");
                }
                return all;
            }
            all += &(line + "\n");
        }
    }

    fn is_quiet(&self) {
        let line = self.lines.recv_timeout(Duration::from_millis(600));
        assert_eq!(line, Err(RecvTimeoutError::Timeout), "nothing was changed");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn every_change_of_a_source_is_seen_and_nothing_else() {
    // Named like the folder that cargo builds in, which is no reason to look away.
    let root = folder(&[("target/watched/Cargo.toml", MANIFEST), ("target/watched/src/lib.rs", ONCE)]);
    let dir = root.path().join("target/watched");
    let watching = Watching::start(&dir, &[]);
    assert!(!watching.report().contains("double_lock"));
    watching.is_quiet();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(dir.join(name).parent().expect("a folder")).expect("made");
        std::fs::write(dir.join(name), text).expect("written");
    };
    write("src/lib.rs", TWICE);
    let report = watching.report();
    assert!(report.contains("src/lib.rs:4:15") && report.contains("double_lock"), "{report}");
    // As most editors save: another file takes the name.
    write("src/lib.rs.new", ONCE);
    std::fs::rename(dir.join("src/lib.rs.new"), dir.join("src/lib.rs")).expect("renamed");
    assert!(!watching.report().contains("double_lock"));
    // What cargo builds and what nobody reads begins no scan.
    write("target/debug/build/made.rs", TWICE);
    write("README.md", "words");
    watching.is_quiet();
    write("src/deep/er.rs", TWICE);
    let report = watching.report();
    assert!(report.contains("src/deep/er.rs:4:15"), "{report}");
    write("src/deep/er.rs", ONCE);
    assert!(!watching.report().contains("double_lock"), "files of new folders are watched");
    write("src/lib.rs", TWICE);
    assert!(watching.report().contains("double_lock"));
    write("lockcheck.toml", "[rules]\ndouble_lock = \"allow\"\n");
    let report = watching.report();
    assert!(!report.contains("double_lock"), "{report}");
    std::fs::remove_file(dir.join("lockcheck.toml")).expect("removed");
    assert!(watching.report().contains("double_lock"));
}

#[test]
fn one_file_is_watched_and_an_error_ends_nothing() {
    let dir = folder(&[("a.rs", ONCE)]);
    let watching = Watching::start(dir.path(), &["a.rs"]);
    watching.report();
    std::fs::remove_file(dir.path().join("a.rs")).expect("removed");
    let report = watching.report();
    assert!(report.contains("`a.rs` does not exist"), "{report}");
    std::fs::write(dir.path().join("a.rs"), TWICE).expect("written");
    assert!(watching.report().contains("a.rs:4:15"));
}

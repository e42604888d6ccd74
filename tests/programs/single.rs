//! `lockcheck run FILE.rs` and programs that cannot be tracked.

use super::{lockcheck, user};
use lockcheck_tests::{binary, folder};

const INVERSION: &str = r#"
use std::sync::{Arc, Mutex};

fn main() {
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let (c, d) = (a.clone(), b.clone());
    let worker = std::thread::spawn(move || *c.lock().unwrap() + *d.lock().unwrap());
    std::thread::sleep(std::time::Duration::from_millis(50));
    println!("{}", *b.lock().unwrap() + *a.lock().unwrap());
    println!("{} {:?}", worker.join().unwrap(), std::env::args().skip(1).collect::<Vec<_>>());
}
"#;

#[test]
fn a_file_is_compiled_run_with_its_arguments_and_predicted() {
    let dir = folder(&[("two.rs", INVERSION)]);
    let done = lockcheck(dir.path(), &["run", "two.rs", "--", "x", "y"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), "3\n3 [\"x\", \"y\"]\n"), "{done:?}");
    assert!(done.stderr.starts_with("lockcheck::lock_order_inversion (deny, predicted)\n"), "{done:?}");
    assert!(done.stderr.contains("two.rs:7:") && done.stderr.contains("two.rs:9:"), "{done:?}");
}

#[test]
fn a_file_that_does_not_compile_shows_the_compilers_own_words() {
    let dir = folder(&[("bad.rs", "fn main() { let x: u8 = \"\"; }")]);
    let done = lockcheck(dir.path(), &["run", "bad.rs"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.stderr.contains("error[E0308]") && done.stderr.contains("error: `bad.rs` does not compile"),
        "{done:?}"
    );
    let done = lockcheck(dir.path(), &["run", "missing.rs"]);
    assert!(done.code == Some(2) && done.stderr.contains("error: there is no file `missing.rs`"), "{done:?}");
}

#[test]
fn a_program_that_cannot_be_tracked_runs_all_the_same_and_the_user_is_told() {
    let dir = folder(&[]);
    let run = ["run", "--", "sh", "-c", "echo out; exit 3"];
    let script =
        format!("RUSTC=/no/such/compiler '{}' {}", binary("lockcheck").display(), "run -- sh -c 'echo out; exit 3'");
    let done = user(std::path::Path::new("sh"), dir.path(), &["-c", &script]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(3), "out\n"), "{done:?}");
    assert!(done.stderr.contains("the program runs untracked: `/no/such/compiler` could not be started"), "{done:?}");
    let tracked = lockcheck(dir.path(), &run);
    assert_eq!((tracked.code, tracked.stdout.as_str()), (Some(3), "out\n"), "{tracked:?}");
}

/// The canary of the technique: `rustc --extern std=SHIM` must make the shim stand for `std`.
#[test]
fn extern_std_stands_for_std_with_every_compiler_that_is_installed_here() {
    let installed = user(std::path::Path::new("rustup"), std::path::Path::new("."), &["toolchain", "list"]);
    let channels = ["beta", "nightly"].into_iter().filter(|channel| installed.stdout.contains(*channel));
    for channel in channels {
        let dir =
            folder(&[("two.rs", INVERSION), ("rust-toolchain.toml", &format!("[toolchain]\nchannel = {channel:?}\n"))]);
        let done = lockcheck(dir.path(), &["run", "two.rs"]);
        let why = format!("{channel}: `--extern std=...` no longer makes our crate stand for `std`: {done:?}");
        assert!(done.code == Some(1) && done.stderr.contains("lock_order_inversion (deny, predicted)"), "{why}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_hang_that_is_no_proven_deadlock_is_told_while_it_lasts() {
    // Nobody can know that nothing will ever come through the socket.
    let text = r#"
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

fn main() {
    let table = Arc::new(Mutex::new(0u32));
    let shared = table.clone();
    let (mut ours, _theirs) = UnixStream::pair().unwrap();
    let reader = std::thread::Builder::new().name("reader".into()).spawn(move || {
        let mut table = shared.lock().unwrap();
        let mut byte = [0];
        ours.read_exact(&mut byte).unwrap();
        *table += u32::from(byte[0]);
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    println!("{}", table.lock().unwrap());
    reader.unwrap().join().unwrap();
}
"#;
    let project = folder(&[("hangs.rs", text)]);
    let done = lockcheck(project.path(), &["run", "--timeout", "12", "hangs.rs"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let wait =
        "thread 1 `main` waits for `table` at hangs.rs:17:26, which thread 2 `reader` holds since hangs.rs:11:32";
    let live = format!("note: hangs.rs stands still, though no deadlock is proven:\n  {wait}\n");
    assert!(done.stderr.contains(&live), "{done:?}");
    assert!(done.stderr.contains(&format!("notice: {wait}\n")), "{done:?}");
}

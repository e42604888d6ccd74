//! A workspace with one of everything that cargo can build: all of it is tracked and works as it does plainly.

use super::{cargo, git_status, lockcheck, project};

const ROOT: &str = r#"[workspace]
members = ["old", "middle", "new", "bare", "macros", "shared"]
resolver = "2"

[workspace.package]
version = "0.1.0"

[profile.release]
lto = "fat"
panic = "abort"
"#;

const OLD: [(&str, &str); 2] = [
    ("old/Cargo.toml", "[package]\nname = \"old\"\nversion = \"0.1.0\"\nedition = \"2015\"\n"),
    (
        "old/src/lib.rs",
        "#![deny(warnings)]\nuse std::sync::Mutex;\nmod inner { pub fn lock() -> ::std::sync::Mutex<u8> { ::std::sync::Mutex::new(1) } }\n\
         pub fn locked() -> Mutex<u8> { inner::lock() }\n\
         pub fn take(lock: &Mutex<u8>) -> u8 { *lock.lock().unwrap() }\n",
    ),
];

const BARE: [(&str, &str); 2] = [
    ("bare/Cargo.toml", "[package]\nname = \"bare\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    (
        "bare/src/lib.rs",
        "#![no_std]\n#![deny(warnings)]\nuse core::sync::atomic::{AtomicU32, Ordering};\npub static COUNT: AtomicU32 = AtomicU32::new(0);\n\
         pub fn count(by: &AtomicU32) -> u32 { by.fetch_add(1, Ordering::Relaxed) }\n",
    ),
];

const MACROS: [(&str, &str); 2] = [
    (
        "macros/Cargo.toml",
        "[package]\nname = \"macros\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n[dependencies]\nold = { path = \"../old\" }\n",
    ),
    (
        "macros/src/lib.rs",
        "use std::sync::Mutex;\nstatic CALLS: Mutex<u32> = Mutex::new(0);\n\
         #[proc_macro]\npub fn lock(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n\
         *CALLS.lock().unwrap() += u32::from(old::take(&old::locked()));\n\
         \"pub static EMITTED: ::std::sync::Mutex<u8> = ::std::sync::Mutex::new(2);\".parse().unwrap()\n}\n",
    ),
];

const MIDDLE: [(&str, &str); 6] = [
    (
        "middle/Cargo.toml",
        "[package]\nname = \"middle\"\nversion = \"0.1.0\"\nedition = \"2018\"\nbuild = \"build.rs\"\n\
         [dependencies]\nrenamed = { package = \"old\", path = \"../old\" }\nbare = { path = \"../bare\" }\nmacros = { path = \"../macros\" }\n\
         [build-dependencies]\nrenamed = { package = \"old\", path = \"../old\" }\n",
    ),
    (
        "middle/build.rs",
        "use std::sync::Mutex;\nfn main() {\n    let lock: Mutex<u8> = renamed::locked();\n    assert_eq!(renamed::take(&lock), 1);\n\
         let out = std::env::var(\"OUT_DIR\").unwrap();\n\
         std::fs::write(out + \"/made.rs\", \"pub static MADE: std::sync::RwLock<u8> = std::sync::RwLock::new(3);\").unwrap();\n\
         println!(\"cargo:rerun-if-changed=build.rs\");\n}\n",
    ),
    (
        "middle/src/lib.rs",
        "#![deny(warnings)]\n//! ```\n//! let lock = std::sync::Mutex::new(5);\n//! assert_eq!(middle::sum(&lock), 11);\n//! ```\n\
         use std::sync::*;\ninclude!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\nmacros::lock!();\n\
         /// Locks everything.\npub fn sum(lock: &Mutex<u8>) -> u8 {\n    let own = lock.lock().unwrap();\n    let made = MADE.read().unwrap();\n\
         let emitted = EMITTED.lock().unwrap();\n    *own + *made + *emitted + renamed::take(&renamed::locked())\n}\n",
    ),
    (
        "middle/tests/all.rs",
        "#[test]\nfn all() {\n    bare::count(&bare::COUNT);\n    assert_eq!(middle::sum(&std::sync::Mutex::new(5)), 11);\n}\n",
    ),
    ("middle/examples/show.rs", "fn main() { println!(\"{}\", middle::sum(&std::sync::Mutex::new(1))); }\n"),
    ("middle/src/main.rs", "fn main() { println!(\"{}\", middle::sum(&std::sync::Mutex::new(2))); }\n"),
];

const NEW: [(&str, &str); 2] = [
    (
        "new/Cargo.toml",
        "[package]\nname = \"new\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nmiddle = { path = \"../middle\" }\nold = { path = \"../old\" }\n",
    ),
    (
        "new/src/lib.rs",
        "#![deny(warnings)]\nuse std::sync::{Arc, LazyLock, Mutex, MutexGuard, mpsc};\nuse std::thread::{self, JoinHandle};\n\
         pub static TABLE: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(vec![]));\n\
         pub trait Taken { fn taken(&self) -> u8; }\nimpl Taken for Mutex<u8> { fn taken(&self) -> u8 { old::take(self) } }\n\
         impl<T> Taken for JoinHandle<T> { fn taken(&self) -> u8 { u8::from(self.is_finished()) } }\n\
         pub fn push(mut into: MutexGuard<'_, Vec<u8>>) { into.push(middle::sum(&Mutex::new(0))); }\n\
         pub fn work() -> u8 {\n    let (sender, receiver) = mpsc::channel();\n    let shared: Arc<Mutex<dyn Send>> = Arc::new(Mutex::new(1u8));\n\
         let worker = thread::spawn(move || { let _guard = shared.lock(); sender.send(Mutex::new(4u8)).unwrap(); });\n\
         worker.join().unwrap();\n    push(TABLE.lock().unwrap());\n    receiver.recv().unwrap().taken()\n}\n\
         #[cfg(test)]\nmod tests {\n    #[test]\n    fn works() { assert_eq!(super::work(), 4); }\n}\n",
    ),
];

const SHARED: [(&str, &str); 2] = [
    (
        "shared/Cargo.toml",
        "[package]\nname = \"shared\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\", \"staticlib\", \"rlib\"]\n[dependencies]\nnew = { path = \"../new\" }\n",
    ),
    (
        "shared/src/lib.rs",
        "#[unsafe(no_mangle)]\npub extern \"C\" fn shared_work() -> u8 { new::work() }\n#[test]\nfn works() { assert_eq!(shared_work(), 4); }\n",
    ),
];

#[test]
fn everything_in_a_workspace_is_tracked_and_works() {
    let root = [("Cargo.toml", ROOT)];
    let parts = [&root[..], &OLD, &BARE, &MACROS, &MIDDLE, &NEW, &SHARED];
    let project = project(&parts.concat());
    let plain = cargo(project.path(), &["test", "--workspace"]);
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let outcomes = |text: &str| {
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("test ") && line.contains(" ... "))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    let run = ["run", "--verbose", "--", "cargo", "test", "--workspace", "--all-targets"];
    let tracked = lockcheck(project.path(), &run);
    assert!(tracked.code == Some(0) && !tracked.stderr.contains("not tracked"), "{tracked:?}");
    let documented = lockcheck(project.path(), &["run", "--trace", "t", "--", "cargo", "test", "--workspace", "--doc"]);
    assert!(documented.code == Some(0) && !documented.stderr.contains("nothing was recorded"), "{documented:?}");
    assert!(project.path().join("t").is_file(), "a documentation test leaves a trace: {documented:?}");
    std::fs::remove_file(project.path().join("t")).expect("it is there");
    let both = format!("{}{}", tracked.stdout, documented.stdout);
    assert_eq!(outcomes(&plain.stdout), outcomes(&both), "{tracked:?}");
    assert!(tracked.stderr.contains("order edges"), "{tracked:?}");

    let example = lockcheck(project.path(), &["run", "-p", "middle", "--example", "show"]);
    assert!(example.code == Some(0) && example.stdout == "7\n", "{example:?}");
    let release = ["run", "--", "cargo", "run", "--release", "-p", "middle", "--bin", "middle"];
    let release = lockcheck(project.path(), &release);
    assert!(release.code == Some(0) && release.stdout == "8\n", "{release:?}");
    assert!(!release.stderr.contains("nothing was recorded"), "{release:?}");

    assert_eq!(git_status(project.path()), "?? target/\n", "the plain build's own folder");
    let again = cargo(project.path(), &["test", "--workspace", "--no-run"]);
    assert!(again.code == Some(0) && !again.stderr.contains("Compiling"), "{again:?}");
}

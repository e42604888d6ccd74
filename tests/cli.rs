//! Commands, messages and exit codes, as a user meets them.

use std::process::Command;

use lockcheck_tests::{Done, binary, command, folder, lockcheck};

const CLEAN: &str = "fn main() {}\n";

fn failed(done: &Done, message: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert_eq!(done.stderr.lines().next(), Some(format!("error: {message}").as_str()), "{done:?}");
}

#[test]
fn a_missing_path_is_an_error() {
    let dir = folder(&[("a.rs", CLEAN)]);
    failed(&lockcheck(dir.path(), &["scan", "a.rs", "no/such.rs"]), "`no/such.rs` does not exist");
}

#[test]
fn an_empty_folder_is_an_error() {
    let dir = folder(&[("a.txt", "")]);
    failed(&lockcheck(dir.path(), &["scan", "."]), "no Rust file under `.`");
    failed(&lockcheck(dir.path(), &["scan"]), "no Rust file under the current directory");
}

#[test]
fn files_that_are_no_text_are_notices_and_the_rest_is_scanned() {
    let dir = folder(&[("good.rs", CLEAN), ("binary.rs", "\0\u{1}\u{2}")]);
    std::fs::write(dir.path().join("latin1.rs"), b"// caf\xE9\n").expect("write");
    let done = lockcheck(dir.path(), &["scan", "."]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.stdout.contains("notice: binary.rs: the file is a binary file\n"), "{done:?}");
    assert!(
        done.stdout.contains("notice: latin1.rs: the file is not UTF-8 (first invalid byte in line 1)\n"),
        "{done:?}"
    );
    assert!(done.stdout.contains("lockcheck: nothing found (1 file, 1 line"), "{done:?}");
    assert_eq!(lockcheck(dir.path(), &["scan", "--strict", "."]).code, Some(2));
}

#[test]
fn nothing_readable_at_all_is_an_error_that_names_the_reason() {
    let dir = folder(&[("binary.rs", "\0")]);
    let done = lockcheck(dir.path(), &["scan", "binary.rs"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(done.stdout, "notice: binary.rs: the file is a binary file\n");
    assert_eq!(done.stderr, "error: none of the files could be read\n");
}

#[test]
fn a_syntax_error_is_no_error_of_the_command() {
    let dir = folder(&[("a.rs", "fn broken( {\n"), ("b.rs", CLEAN)]);
    let done = lockcheck(dir.path(), &["scan", "."]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
}

#[test]
fn a_syntax_error_is_a_notice_and_strict_makes_it_an_error() {
    let dir = folder(&[("a.rs", "fn broken( {\n"), ("b.rs", CLEAN)]);
    let done = lockcheck(dir.path(), &["scan", ".", "--message-format", "lockcheck-json"]);
    let document = done.document();
    assert_eq!(document["notices"][0]["kind"], "unparsed_file", "{done:?}");
    assert_eq!(document["notices"][0]["file"], "a.rs", "{done:?}");
    assert_eq!(lockcheck(dir.path(), &["scan", ".", "--strict"]).code, Some(2));
}

#[test]
fn strange_files_end_well() {
    let deep = format!("fn f() {{ {}1{} }}", "(".repeat(200), ")".repeat(200));
    let long = format!("const A: &str = \"{}\";", "x".repeat(1 << 20));
    let files = [
        ("empty.rs", ""),
        ("bom.rs", "\u{feff}fn f() {}\r\n"),
        ("script.rs", "#!/usr/bin/env run\nfn f() {}"),
        ("deep.rs", &deep),
        ("long.rs", &long),
        ("naïve file.rs", "fn é() {}"),
    ];
    let done = lockcheck(folder(&files).path(), &["scan", "."]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
}

#[test]
fn an_unknown_scenario_is_an_error_that_lists_those_there_are() {
    let dir = folder(&[]);
    let done = lockcheck(dir.path(), &["run", "no-such-scenario-at-all"]);
    failed(&done, "there is no scenario `no-such-scenario-at-all`");
    assert!(done.stderr.lines().any(|line| line.starts_with("scenarios: ")), "{done:?}");
    failed(
        &lockcheck(dir.path(), &["run"]),
        "name a scenario, a target or a command as `-- cargo test`; `lockcheck run --list` lists the scenarios",
    );
}

#[test]
fn usage_errors_exit_with_2_and_help_with_0() {
    let dir = folder(&[]);
    for args in [
        &["frobnicate"][..],
        &["scan", "--message-format", "xml"],
        &["scan", "--output", "short"],
        &["run", "x", "--workers", "0"],
        &["run", "x", "--timeout", "-1"],
        &["run", "x", "--set", "novalue"],
        &["run", "x", "--example", "y"],
        &["run", "--bin", "x", "--lib"],
        &["run", "-p", "x", "--", "cargo", "test"],
        &["analyze"],
        &["-q", "-v", "rules"],
        &[],
    ] {
        assert_eq!(lockcheck(dir.path(), args).code, Some(2), "{args:?}");
    }
    for args in [&["--help"][..], &["help", "run"], &["--version"], &["scan", "-h"]] {
        let done = lockcheck(dir.path(), args);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(!done.stdout.contains("__host"), "the inner command is nobody's business");
    }
}

#[test]
fn unknown_rules_in_flags_are_errors_with_the_nearest_name() {
    let dir = folder(&[("a.rs", CLEAN)]);
    let message = "`warning` is neither a rule nor a group; did you mean `warnings`?";
    for flag in ["-A", "-W", "-D"] {
        failed(&lockcheck(dir.path(), &["scan", "a.rs", flag, "warning"]), message);
    }
    assert_eq!(lockcheck(dir.path(), &["scan", "a.rs", "-D", "warnings", "-A", "suspicious"]).code, Some(0));
}

#[test]
fn a_missing_trace_is_an_error() {
    let dir = folder(&[]);
    let done = lockcheck(dir.path(), &["analyze", "no.trace"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(done.stderr.starts_with("error: cannot read the trace `no.trace`: "), "{done:?}");
}

#[test]
fn cargo_lockcheck_is_the_same_program() {
    let dir = folder(&[("a.rs", CLEAN)]);
    for args in [&["lockcheck", "scan", "a.rs"][..], &["scan", "a.rs"]] {
        let done = command(Command::new(binary("cargo-lockcheck")).current_dir(dir.path()).args(args));
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
        assert!(done.stdout.starts_with("lockcheck: nothing found"), "{done:?}");
    }
    let done = command(Command::new(binary("cargo-lockcheck")).args(["lockcheck", "--help"]));
    assert!(done.stdout.contains("Usage: cargo lockcheck"), "{done:?}");
}

#[test]
fn completions_are_made_for_every_shell() {
    let dir = folder(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = lockcheck(dir.path(), &["completions", shell]);
        assert_eq!(done.code, Some(0));
        assert!(done.stdout.contains("message-format") && !done.stdout.contains("__host"), "{shell}");
    }
}

#[test]
fn the_workspace_is_scanned_from_any_of_its_folders() {
    let dir = folder(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"2\"\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("a/src/lib.rs", "pub fn a() {}\n"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("b/src/lib.rs", "pub fn b() {}\n"),
        ("target/debug/build.rs", "fn generated() {}\n"),
    ]);
    for from in ["", "a", "b/src"] {
        let done = lockcheck(&dir.path().join(from), &["scan", "--message-format", "lockcheck-json"]);
        assert_eq!(done.document()["summary"]["files"], 2, "from `{from}`: {done:?}");
    }
    // Without cargo, manifests are read directly.
    let mut without = Command::new(binary("lockcheck"));
    without.current_dir(dir.path()).args(["scan", "-v"]).env("CARGO", "/no/such/cargo").env("PATH", "");
    let done = command(&mut without);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("(2 files"), "{done:?}");
    assert!(done.stderr.starts_with("note: cargo could not be asked"), "{done:?}");
}

#[test]
fn macros_that_a_package_exports_are_expanded_in_those_that_depend_on_it() {
    let exported = "#[macro_export]\nmacro_rules! counted { ($of: expr) => { $crate::lock(&$of.count) }; }\n\
        #[macro_export]\nmacro_rules! own { ($of: expr) => { $crate::lock(&$of.count) }; }\n\
        pub fn lock(count: &std::sync::Mutex<u32>) -> std::sync::MutexGuard<'_, u32> { count.lock().unwrap() }\n";
    let uses = "macro_rules! own { ($of: expr) => { 0 }; }\n\
        pub struct Page { count: std::sync::Mutex<u32> }\n\
        impl Page {\n    pub fn twice(&self) {\n        let count = macros::counted!(self);\n        \
        *macros::counted!(self) += *count;\n    }\n    \
        pub fn once(&self) -> u32 {\n        let _count = self.count.lock().unwrap();\n        own!(self)\n    }\n}\n";
    let dir = folder(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"book\", \"macros\"]\nresolver = \"2\"\n"),
        (
            "book/Cargo.toml",
            "[package]\nname = \"book\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
            [dependencies]\nmacros = { path = \"../macros\" }\n",
        ),
        ("book/src/lib.rs", uses),
        ("macros/Cargo.toml", "[package]\nname = \"macros\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("macros/src/lib.rs", exported),
    ]);
    let done = lockcheck(dir.path(), &["scan", "--message-format", "lockcheck-json"]);
    let found = &done.document()["findings"];
    let found: Vec<_> = found.as_array().unwrap().iter().filter(|one| one["rule"] == "double_lock").collect();
    assert_eq!(found.len(), 1, "{done:?}");
    assert_eq!(found[0]["primary"]["line"], 6, "{done:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let dir = folder(&[("a.rs", CLEAN)]);
    for command_line in ["scan a.rs", "rules", "completions bash"] {
        let shell = |line: String| command(Command::new("bash").current_dir(dir.path()).args(["-c", &line]));
        let program = binary("lockcheck");
        let full = shell(format!("'{}' {command_line} > /dev/full", program.display()));
        assert_eq!(full.code, Some(2), "{full:?}");
        assert!(full.stderr.starts_with("error: cannot write to standard output: "), "{full:?}");
        let closed = shell(format!("set -o pipefail; '{}' {command_line} | true", program.display()));
        assert_eq!((closed.code, closed.stderr.as_str()), (Some(0), ""), "{closed:?}");
    }
}

//! `lockcheck run` on programs that are left alone: small projects made in a folder of their own, built without a network.
//!
//! Guarantees: the shims are compiled once per run of these tests, into a folder that goes with it.
//!
//! Misses: published crates; `cargo run -p lockcheck-tests --example unmodified` runs those.

mod deadlocks;
mod libraries;
mod single;
mod workspace;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use lockcheck_tests::{Done, binary, command};
use tempfile::TempDir;

/// The cache that all these tests share, so that the shim is compiled once.
fn cache() -> &'static Path {
    static CACHE: OnceLock<std::path::PathBuf> = OnceLock::new();
    // Beside the other artefacts, so that the next run of the tests finds it again.
    CACHE.get_or_init(|| binary("lockcheck").parent().expect("a folder").join("lockcheck-test-cache"))
}

/// Runs a program in a project as its user would: nothing of the tests' own cargo is in its environment.
fn user(program: &Path, project: &Path, args: &[&str]) -> Done {
    let mut run = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        run.env_remove(name);
    }
    for name in ["RUSTC_WRAPPER", "RUSTC", "RUSTDOC", "RUSTFLAGS", "LOCKCHECK", "LOCKCHECK_TRACE"] {
        run.env_remove(name);
    }
    command(run.current_dir(project).args(args).env("XDG_CACHE_HOME", cache()).env("CARGO_NET_OFFLINE", "true"))
}

/// `lockcheck` in a project.
fn lockcheck(project: &Path, args: &[&str]) -> Done {
    user(&binary("lockcheck"), project, args)
}

/// `cargo` in a project.
fn cargo(project: &Path, args: &[&str]) -> Done {
    user(Path::new("cargo"), project, args)
}

/// The names of the untracked and changed files of a project.
fn git_status(project: &Path) -> String {
    user(Path::new("git"), project, &["status", "--porcelain"]).stdout
}

/// A project under version control with all its files committed.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = lockcheck_tests::folder(files);
    let git = |args: &[&str]| {
        let done = user(Path::new("git"), folder.path(), args);
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    git(&["init", "--quiet"]);
    assert_eq!(cargo(folder.path(), &["generate-lockfile", "--offline"]).code, Some(0));
    git(&["add", "."]);
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "all"]);
    folder
}

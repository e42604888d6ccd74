//! What is shipped for other programs to run: the steps of the GitHub action and the hook for pre-commit.
//!
//! Guarantees: the lines that run here are those of the shipped files, with the variables that GitHub sets.
//!
//! Misses: GitHub itself, which installs the tool and uploads the report; pre-commit where it is not installed.

use std::path::Path;
use std::process::Command;

use lockcheck_tests::{Done, binary, command, folder, workspace};

const TWICE: &str = "use std::sync::Mutex;\npub fn twice(lock: &Mutex<u8>) -> u8 {\n    let one = lock.lock().unwrap();\n    \
                     let two = lock.lock().unwrap();\n    *one + *two\n}\n";
const MANIFEST: &str = "[package]\nname = \"checked\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

/// A command with `lockcheck` in its path.
fn with_lockcheck(program: &str, dir: &Path) -> Command {
    let tool = binary("lockcheck");
    let mut paths = vec![tool.parent().expect("a folder").to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(program);
    command.current_dir(dir).env("PATH", std::env::join_paths(paths).expect("paths"));
    command
}

/// What a shipped file says after `key`, in the line that has `part`.
fn shipped(file: &str, key: &str, part: &str) -> String {
    let text = std::fs::read_to_string(workspace().join(file)).expect("it is shipped");
    let found = text.lines().filter_map(|line| line.trim().strip_prefix(key)).find(|value| value.contains(part));
    found.unwrap_or_else(|| panic!("{file} has no `{key}` with `{part}`")).to_owned()
}

#[test]
fn the_action_annotates_writes_sarif_and_takes_arguments() {
    let line = shipped(".github/actions/scan/action.yml", "run: ", "lockcheck scan");
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", TWICE), ("runner/.keep", "")]);
    let step = |arguments: &str| -> Done {
        let mut shell = with_lockcheck("bash", dir.path());
        // As runners call it: the first command that fails ends the step.
        shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &line]);
        shell.env("LOCKCHECK_ARGUMENTS", arguments).env("RUNNER_TEMP", dir.path().join("runner"));
        command(&mut shell)
    };
    let red = step("");
    assert_eq!(red.code, Some(1), "{red:?}");
    assert!(red.stdout.contains("file=src/lib.rs,line=4,col=15"), "{red:?}");
    let sarif = std::fs::read_to_string(dir.path().join("runner/lockcheck.sarif")).expect("written though red");
    let log: serde_json::Value = serde_json::from_str(&sarif).expect("it is JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!((results.len(), &results[0]["ruleId"]), (1, &"lockcheck::double_lock".into()));
    let green = step("--allow double_lock --no-cache");
    assert_eq!(green.code, Some(0), "{green:?}");
    assert!(!green.stdout.contains("::error"), "{green:?}");
}

#[test]
fn the_hook_stops_a_commit_that_can_deadlock() {
    let entry = shipped(".pre-commit-hooks.yaml", "entry: ", "lockcheck");
    let dir = folder(&[("Cargo.toml", MANIFEST), ("src/lib.rs", TWICE)]);
    let hook = || command(with_lockcheck("bash", dir.path()).args(["-c", &entry]));
    assert_eq!(hook().code, Some(1));

    let is_there = Command::new("pre-commit").arg("--version").output().is_ok_and(|done| done.status.success());
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let done = command(Command::new("git").current_dir(dir.path()).args(who).args(args));
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    let home = dir.path().join(".home");
    let all = || {
        let repository = workspace().display().to_string();
        let arguments = ["try-repo", &repository, "lockcheck", "--all-files"];
        command(with_lockcheck("pre-commit", dir.path()).args(arguments).env("PRE_COMMIT_HOME", &home))
    };
    // Only a clone with its history can be tried.
    let is_there = is_there && workspace().join(".git").exists();
    if is_there {
        let red = all();
        assert_eq!(red.code, Some(1), "{red:?}");
        assert!(red.stdout.contains("locked while the same thread holds it"), "{red:?}");
    }
    std::fs::write(dir.path().join("src/lib.rs"), "pub fn none() {}\n").expect("written");
    assert_eq!(hook().code, Some(0));
    if is_there {
        git(&["add", "."]);
        assert_eq!(all().code, Some(0));
    }
}

//! Published crates under `lockcheck run`, as their authors publish them: `cargo run -p lockcheck-tests --example unmodified`.
//!
//! Takes the crates of `tests/unmodified/crates.toml` from the registry, runs the tests of each plainly and under
//! `lockcheck run`, and compares test by test. Prints a table, every test that ended differently and every deny finding.
//! Ends with 1 where a test ended differently, where nothing was recorded or where a deny finding was made, with 2 where it could
//! not do its job. Arguments name the crates; none means all. `LOCKCHECK_UNDER_TEST` names another `lockcheck`, as an installed one. Takes about an hour on two cores.
//!
//! Guarantees: the sources are copied to a folder of their own first; both runs build the same profile.
//!
//! Misses: documentation tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use lockcheck_tests::{binary, folder, workspace};
use lockcheck_tracker::event::{FRAME_LEN, Frame, FrameKind, HEADER_LEN, ObjectKind, Record};
use serde::Deserialize;
use serde_json::Value;

/// What a crate needs for its tests.
#[derive(Deserialize)]
struct Entry {
    version: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default = "seconds")]
    seconds: u64,
    /// Why its tests take no lock.
    takes_no_lock: Option<String>,
    #[serde(default)]
    flaky: BTreeMap<String, String>,
}

fn seconds() -> u64 {
    300
}

/// What became of the tests.
struct Run {
    /// Outcome by test, with the test programs' tests of one name together.
    tests: BTreeMap<String, Vec<String>>,
    took: Duration,
    built: bool,
}

impl Run {
    fn count(&self, outcome: &str) -> usize {
        self.tests.values().flatten().filter(|each| *each == outcome).count()
    }
}

fn main() -> ExitCode {
    match all(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("unmodified: {message}");
            ExitCode::from(2)
        }
    }
}

fn all(only: &[String]) -> Result<bool, String> {
    let path = workspace().join("tests/unmodified/crates.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let entries: BTreeMap<String, Entry> =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(unknown) = only.iter().find(|name| !entries.contains_key(*name)) {
        return Err(format!("no crate `{unknown}` in {}", path.display()));
    }
    let scratch = folder(&[]);
    println!(
        "{:<30} {:>14} {:>14} {:>7} {:>7} {:>7}  differences",
        "crate", "plain ok/fail", "run ok/fail", "locks", "edges", "deny"
    );
    let mut fine = true;
    for (name, entry) in entries.iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
        match one(name, entry, scratch.path()) {
            Ok(good) => fine &= good,
            Err(error) => {
                println!("{name:<30} {error}");
                fine = false;
            }
        }
    }
    Ok(fine)
}

fn one(name: &str, entry: &Entry, scratch: &Path) -> Result<bool, String> {
    let package = scratch.join(name);
    copy(&fetch(name, &entry.version)?, &package).map_err(|error| format!("cannot be copied: {error}"))?;
    let manifest = package.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).map_err(|error| error.to_string())?;
    if !text.contains("[workspace]") {
        std::fs::write(&manifest, text + "\n[workspace]\n").map_err(|error| error.to_string())?;
    }
    let tests = ["--lib", "--bins", "--tests"].map(String::from);
    let args = if entry.args.is_empty() { &tests[..] } else { &entry.args[..] };
    let words = [&["test".to_owned(), "--no-fail-fast".to_owned()], args].concat();
    let plain = tested(Command::new("cargo").args(&words), &package, entry)?;
    let report = package.join("report.json");
    let lockcheck = std::env::var_os("LOCKCHECK_UNDER_TEST").map_or_else(|| binary("lockcheck"), PathBuf::from);
    let mut tracked = Command::new(lockcheck);
    tracked.args(["run", "--quiet", "--timeout"]).arg((entry.seconds + 900).to_string());
    tracked.arg(format!("--output=lockcheck-json={}", report.display()));
    tracked.arg(format!("--trace={}", package.join("kept.trace").display())).args(["--", "cargo"]).args(&words);
    let tracked = tested(&mut tracked, &package, entry)?;

    let locks = locks(package.as_path());
    let report: Value =
        std::fs::read(&report).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let deny: Vec<&Value> =
        report["findings"].as_array().into_iter().flatten().filter(|each| each["level"] == "deny").collect();
    let same = |name: &&String| plain.tests.get(*name) == tracked.tests.get(*name) || entry.flaky.contains_key(*name);
    let names = plain.tests.keys().chain(tracked.tests.keys().filter(|name| !plain.tests.contains_key(*name)));
    let different: Vec<&String> = names.filter(|name| !same(name)).collect();
    println!(
        "{:<30} {:>14} {:>14} {:>7} {:>7} {:>7}  {}   ({:.1} s, {:.1} s)",
        format!("{name} {}", entry.version),
        if plain.built { format!("{}/{}", plain.count("ok"), plain.count("FAILED")) } else { "does not build".into() },
        format!("{}/{}", tracked.count("ok"), tracked.count("FAILED")),
        locks,
        report["summary"]["order_edges"],
        deny.len(),
        different.len(),
        plain.took.as_secs_f64(),
        tracked.took.as_secs_f64(),
    );
    let recorded = locks > 0;
    for test in &different {
        println!("    {test}: {:?}, under lockcheck {:?}", plain.tests.get(*test), tracked.tests.get(*test));
    }
    for finding in &deny {
        println!(
            "    {} {} {}:{}",
            finding["rule"], finding["message"], finding["primary"]["file"], finding["primary"]["line"]
        );
    }
    for notice in report["notices"].as_array().into_iter().flatten() {
        println!("    notice: {}", notice["message"]);
    }
    Ok(different.is_empty()
        && deny.is_empty()
        && tracked.count("ok") > 0
        && (recorded || entry.takes_no_lock.is_some()))
}

/// Runs tests and reads what the test programs say.
fn tested(command: &mut Command, package: &Path, entry: &Entry) -> Result<Run, String> {
    let output = package.join("output.txt");
    let file = std::fs::File::create(&output).map_err(|error| error.to_string())?;
    let copy = file.try_clone().map_err(|error| error.to_string())?;
    command.current_dir(package).env("CARGO_TARGET_DIR", package.join("target")).env("CARGO_PROFILE_TEST_DEBUG", "0");
    // Some packages pin a toolchain of their own.
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".into());
    command.env("RUSTUP_TOOLCHAIN", toolchain);
    // What newer compilers warn of is no part of the comparison.
    command.env("RUSTFLAGS", "--cap-lints=warn");
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").stdin(Stdio::null()).stdout(file).stderr(copy);
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("cannot be run: {error}"))?;
    let limit = Duration::from_secs(entry.seconds + 1200);
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if started.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = String::from_utf8_lossy(&std::fs::read(&output).map_err(|error| error.to_string())?).into_owned();
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) else {
            continue;
        };
        let outcome = outcome.split([',', ' ']).next().unwrap_or(outcome);
        tests.entry(name.to_owned()).or_default().push(outcome.to_owned());
    }
    tests.values_mut().for_each(|outcomes| outcomes.sort());
    Ok(Run { tests, took: started.elapsed(), built: text.contains("Running ") })
}

/// The number of locks of which the kept traces tell, over all processes.
fn locks(package: &Path) -> usize {
    let kept = std::fs::read_dir(package).into_iter().flatten().flatten().map(|entry| entry.path());
    let traces =
        kept.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kept.trace")));
    traces.map(|path| locks_in(&std::fs::read(path).unwrap_or_default())).sum()
}

fn locks_in(trace: &[u8]) -> usize {
    let mut rest = trace.get(HEADER_LEN..).unwrap_or_default();
    let mut count = 0;
    while let Some(frame) = Frame::decode(rest) {
        let end = FRAME_LEN + frame.len as usize;
        let Some(mut payload) = rest.get(FRAME_LEN..end).filter(|_| frame.kind == Some(FrameKind::Records)) else {
            rest = rest.get(end..).unwrap_or_default();
            continue;
        };
        while let Some((record, len)) = Record::decode(payload) {
            let is_lock = |kind| matches!(kind, ObjectKind::Mutex | ObjectKind::RwLock);
            count += usize::from(matches!(record, Record::Object { kind, .. } if is_lock(kind)));
            payload = &payload[len..];
        }
        rest = &rest[end..];
    }
    count
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The folder in which cargo has the sources of this version of a crate; fetches them where needed.
fn fetch(name: &str, version: &str) -> Result<PathBuf, String> {
    let manifest = format!(
        "[package]\nname = \"unmodified\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies.{name}]\nversion = \
         \"={version}\"\ndefault-features = false\n\n[workspace]\n"
    );
    let package = folder(&[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
    let manifest = package.path().join("Cargo.toml");
    let fetched = Command::new("cargo").args(["fetch", "--quiet", "--manifest-path"]).arg(&manifest).status();
    if !fetched.is_ok_and(|status| status.success()) {
        return Err(format!("cargo could not fetch {name} {version}"));
    }
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(&manifest)
        .other_options(["--offline".to_string()])
        .exec()
        .map_err(|error| format!("{name} {version}: {error}"))?;
    let found = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let folder = found.and_then(|package| package.manifest_path.parent());
    folder.map(|folder| folder.as_std_path().to_owned()).ok_or_else(|| format!("cargo names no folder for {name}"))
}

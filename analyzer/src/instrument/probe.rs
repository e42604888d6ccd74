//! Whether the technique works with a compiler: a small crate is compiled against the shim and run.
//!
//! Guarantees: after a success, `std::sync::Mutex` of a program is the tracked one and writes a trace. Once per shim.
//!
//! Misses: what only larger programs show; the wrapper falls back crate by crate.

use std::path::Path;
use std::process::{Command, Stdio};

use lockcheck_tracker::event::{HEADER_LEN, Header};

use super::Untrackable;
use super::folders::write_whole;
use super::shim::Shim;

const PROGRAM: &str = "use std::sync::{Arc, Mutex};\n\
    fn main() { let a = Arc::new(Mutex::new(1)); let b = a.clone();\n\
    std::thread::spawn(move || *b.lock().unwrap() += 1).join().unwrap(); println!(\"{}\", a.lock().unwrap()); }\n";

/// Succeeds where programs can be tracked with this compiler, else says what went wrong.
pub(super) fn probe(rustc: &Path, shim: &Shim) -> Result<(), Untrackable> {
    let marker = shim.folder.join("probed");
    if marker.is_file() {
        return Ok(());
    }
    let failed = |what: &str, reason: String| {
        Untrackable::new(format!("a probe of `--extern std` failed with this compiler ({what}): {reason}"))
    };
    let scratch = tempfile::tempdir().map_err(|error| failed("no temporary folder", error.to_string()))?;
    let (source, program) = (scratch.path().join("probe.rs"), scratch.path().join("probe"));
    let trace = scratch.path().join("probe.trace");
    std::fs::write(&source, PROGRAM).map_err(|error| failed("its source", error.to_string()))?;
    let mut compile = Command::new(rustc);
    compile.args(["--edition", "2021", "--cap-lints", "allow", "-o"]).arg(&program).arg(&source);
    super::wrapper::see_shim(&mut compile, shim);
    run(&mut compile).map_err(|reason| failed("it does not compile", reason))?;
    let mut start = Command::new(&program);
    start.env("LOCKCHECK", "order").env("LOCKCHECK_TRACE", &trace);
    run(&mut start).map_err(|reason| failed("it does not run", reason))?;
    let recorded = std::fs::read(&trace).unwrap_or_default();
    let header = Header::decode(&recorded).map_err(|error| format!("{error:?}"));
    header.map_err(|reason| failed("it records nothing", reason))?;
    if recorded.len() <= HEADER_LEN {
        return Err(failed("it records nothing", "the trace is empty".into()));
    }
    // Probing again is all that happens without the marker.
    let _ = write_whole(&marker, b"");
    Ok(())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let reason =
        error.lines().find(|line| line.starts_with("error")).or(error.lines().next()).unwrap_or("no reason given");
    Err(reason.trim().to_owned())
}

//! The crate that stands for `std`, compiled for one compiler and one target.
//!
//! Guarantees: compiled at first use, by one process at a time (a file lock), from the sources inside this program;
//! whoever finds the finished library finds all of it. No network.
//!
//! Misses: targets whose real `std` is not installed: rustc says so.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockcheck_tracker::shim::SOURCES;

use super::Untrackable;

/// What a compiler needs to see the tracked `std`.
#[derive(Clone, Debug)]
pub(super) struct Shim {
    /// The library.
    pub(super) library: PathBuf,
    /// The folder in which crates that use it find it again.
    pub(super) folder: PathBuf,
}

/// The shim for a target, compiled now if it is not there. `runtime`: the folder for this compiler.
pub(super) fn shim(runtime: &Path, rustc: &Path, target: &str) -> Result<Shim, Untrackable> {
    let folder = runtime.join(target);
    let library = folder.join("libstd.rlib");
    if !library.is_file() {
        build(runtime, rustc, target, &folder).map_err(|reason| Untrackable::new(reason.to_string()))?;
    }
    Ok(Shim { library, folder })
}

#[derive(Debug, thiserror::Error)]
enum Unbuilt {
    #[error("`{path}` cannot be written: {error}")]
    Unwritable { path: String, error: std::io::Error },
    #[error("the compiler could not be started: {0}")]
    NoCompiler(std::io::Error),
    #[error("this compiler does not compile the tracker: {0}")]
    Refused(String),
}

fn build(runtime: &Path, rustc: &Path, target: &str, folder: &Path) -> Result<(), Unbuilt> {
    let unwritable = |error| Unbuilt::Unwritable { path: runtime.display().to_string(), error };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = File::create(runtime.join(".lock")).map_err(unwritable)?;
    lock.lock().map_err(unwritable)?;
    if folder.join("libstd.rlib").is_file() {
        return Ok(());
    }
    let unpacked = unpack(runtime).map_err(unwritable)?;
    let scratch = tempfile::tempdir_in(runtime).map_err(unwritable)?;
    compile(Command::new(rustc).args(flags(target)).arg(unpacked.join("std.rs")).arg("--out-dir").arg(scratch.path()))?;
    std::fs::rename(scratch.path().join("libstd.rlib"), folder.join("libstd.rlib")).map_err(unwritable)
}

fn flags(target: &str) -> Vec<String> {
    let flags = "--edition 2024 --crate-name std --crate-type rlib -O -C metadata=lockcheck -C debuginfo=0 \
                 -C strip=none --cap-lints allow --cfg lockcheck_shim --cfg feature=\"parking_lot\" --target";
    flags.split_whitespace().map(str::to_owned).chain([target.to_owned()]).collect()
}

fn compile(command: &mut Command) -> Result<(), Unbuilt> {
    let output = command.output().map_err(Unbuilt::NoCompiler)?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let reason = error.lines().find(|line| line.starts_with("error")).or(error.lines().next());
    Err(Unbuilt::Refused(reason.unwrap_or("it gave no reason").trim().to_owned()))
}

/// Writes the sources out, the crate's root beside the tracker's files.
fn unpack(runtime: &Path) -> std::io::Result<PathBuf> {
    let into = runtime.join("src");
    for (path, text) in SOURCES {
        let path = into.join(if *path == "shim/std.rs" { "std.rs" } else { path });
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(into)
}

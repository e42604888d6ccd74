//! `scan --watch`: scans again whenever a source file or a configuration changes.
//!
//! Guarantees: changes that come together are one scan; what the scan itself does changes nothing that is watched; ends
//! when interrupted.
//!
//! Misses: network file systems that do not tell of changes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use notify_debouncer_mini::notify::RecursiveMode;
use notify_debouncer_mini::{DebounceEventResult, new_debouncer};

use super::terminal::{Terminal, to_stdout};
use super::{Exit, Failure};

/// How long it has to be quiet before a scan begins.
const QUIET: Duration = Duration::from_millis(120);

/// Scans now and after each change, until nothing is left to watch.
pub(super) fn watch(
    paths: &[PathBuf],
    cwd: &Path,
    terminal: &Terminal,
    scan: &dyn Fn() -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let failed = |error: notify_debouncer_mini::notify::Error| Failure(format!("changes cannot be watched: {error}"));
    let (sender, changes) = channel::<DebounceEventResult>();
    let mut watcher = new_debouncer(QUIET, sender).map_err(failed)?;
    let roots: Vec<PathBuf> =
        if paths.is_empty() { vec![cwd.to_owned()] } else { paths.iter().map(|path| cwd.join(path)).collect() };
    for root in &roots {
        watcher.watcher().watch(root, RecursiveMode::Recursive).map_err(failed)?;
    }
    let mut last = Exit::Clean;
    loop {
        if terminal.is_interactive() {
            // Clears the screen and what was scrolled away.
            to_stdout(b"\x1b[2J\x1b[3J\x1b[H")?;
        }
        match scan() {
            Ok(exit) => last = exit,
            Err(failure) => terminal.error(&failure.to_string()),
        }
        terminal.note("waiting for changes");
        loop {
            match changes.recv() {
                Ok(Ok(events)) if events.iter().any(|event| matters(&event.path)) => break,
                Ok(_) => {}
                Err(_) => return Ok(last),
            }
        }
    }
}

/// Rust files, manifests and configurations, but nothing that cargo builds.
fn matters(path: &Path) -> bool {
    let built = path.components().any(|part| part.as_os_str() == "target" || part.as_os_str() == ".git");
    let kind = path.extension().is_some_and(|extension| extension == "rs" || extension == "toml");
    kind && !built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_scan_reads_begins_a_new_one() {
        for (path, expected) in [
            ("/w/src/lib.rs", true),
            ("/w/lockcheck.toml", true),
            ("/w/target/debug/build/x/out.rs", false),
            ("/w/README.md", false),
        ] {
            assert_eq!(matters(Path::new(path)), expected, "{path}");
        }
    }
}

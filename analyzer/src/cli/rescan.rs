//! `scan --watch`: scans again whenever a source file or a configuration changes.
//!
//! Guarantees: changes that come together are one scan; what the scan itself does changes nothing that is watched; ends
//! when interrupted.
//!
//! Misses: network file systems that do not tell of changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use notify::{Event, RecursiveMode, Watcher, recommended_watcher};

use super::terminal::{Terminal, to_stdout};
use super::{Exit, Failure};

/// How long it has to be quiet before a scan begins.
const QUIET: Duration = Duration::from_millis(120);
/// When it begins although it does not become quiet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Scans now and after each change, until nothing is left to watch. `scan` tells which folders it looked into; each of
/// them is watched by itself, so that what cargo builds beside them costs nothing.
pub(super) fn watch(
    paths: &[PathBuf],
    cwd: &Path,
    terminal: &Terminal,
    scan: &dyn Fn(&mut BTreeSet<PathBuf>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let failed = |error: notify::Error| Failure(format!("changes cannot be watched: {error}"));
    let (sender, changes) = channel();
    let mut watcher = recommended_watcher(sender).map_err(failed)?;
    // What is changed while the first scan runs is seen too.
    let mut folders = given(paths, cwd);
    let mut watched = BTreeSet::new();
    follow(&mut watcher, &mut watched, &folders).map_err(failed)?;
    let mut last = Exit::Clean;
    loop {
        if terminal.is_interactive() {
            // Clears the screen and what was scrolled away.
            to_stdout(b"\x1b[2J\x1b[3J\x1b[H")?;
        }
        match scan(&mut folders) {
            Ok(exit) => last = exit,
            Err(failure) => terminal.error(&failure.to_string()),
        }
        folders.append(&mut given(paths, cwd));
        follow(&mut watcher, &mut watched, &folders).map_err(failed)?;
        terminal.note("waiting for changes");
        if !wait_for_change(&changes) {
            return Ok(last);
        }
    }
}

/// Waits for a change and then until it is quiet; `false` where no more can come.
fn wait_for_change(changes: &Receiver<notify::Result<Event>>) -> bool {
    // That a file was read is told too.
    let is_change = |event: &Event| !event.kind.is_access() && event.paths.iter().any(|path| matters(path));
    loop {
        match changes.recv() {
            Ok(Ok(event)) if is_change(&event) => break,
            // Too many at once for the system to tell them apart.
            Ok(Ok(event)) if event.need_rescan() => break,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    let first = Instant::now();
    let mut last = first;
    while last.elapsed() < QUIET && first.elapsed() < PATIENCE {
        match changes.recv_timeout(QUIET.saturating_sub(last.elapsed())) {
            Ok(Ok(event)) if is_change(&event) => last = Instant::now(),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    true
}

/// The folders that the user named, or those of the files: an editor may replace a file by another of its name.
fn given(paths: &[PathBuf], cwd: &Path) -> BTreeSet<PathBuf> {
    let folder = |path: &PathBuf| {
        let path = cwd.join(path);
        if path.is_dir() { Some(path) } else { path.parent().map(Path::to_owned) }
    };
    [cwd.to_owned()].into_iter().chain(paths.iter().filter_map(folder)).collect()
}

/// Watches these folders and no others. One that is gone by now is left out: its parent has told of that.
fn follow(
    watcher: &mut dyn Watcher,
    watched: &mut BTreeSet<PathBuf>,
    folders: &BTreeSet<PathBuf>,
) -> notify::Result<()> {
    for folder in watched.difference(folders) {
        // A folder that is gone is not watched any more.
        watcher.unwatch(folder).ok();
    }
    watched.retain(|folder| folders.contains(folder));
    for folder in folders.difference(&watched.clone()) {
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => _ = watched.insert(folder.clone()),
            Err(_) if !folder.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Rust files, manifests and configurations; folders, whose files are not watched yet; nothing that cargo or git make.
fn matters(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let made = name == "target" || (name.starts_with('.') && name != ".lockcheck.toml");
    let kind = path.extension().is_some_and(|extension| extension == "rs" || extension == "toml");
    !made && (kind || path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_scan_reads_begins_a_new_one() {
        for (path, expected) in [
            ("/w/src/lib.rs", true),
            ("/w/lockcheck.toml", true),
            ("/w/.lockcheck.toml", true),
            ("/w/src/.#lib.rs", false),
            ("/w/target", false),
            ("/target/w/src/lib.rs", true),
            ("/w/src/.lib.rs.swp", false),
            ("/w/README.md", false),
        ] {
            assert_eq!(matters(Path::new(path)), expected, "{path}");
        }
    }
}

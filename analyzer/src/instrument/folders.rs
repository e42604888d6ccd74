//! Where lockcheck keeps what it compiles: the shim once per compiler in the user's cache, a program's artefacts in a
//! folder of their own below the project's target folder.
//!
//! Guarantees: cargo never shares a target folder between tracked and plain builds, because it does not know about the
//! wrapper and would mix them; `git status` does not see the folder, whatever the project ignores.
//!
//! Misses: old folders are never removed; `cargo clean` takes those of a project along.

use std::path::{Path, PathBuf};

use super::Untrackable;

/// The folder for shims, one folder below it per compiler.
pub(super) fn cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let system = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("XDG_CACHE_HOME").or_else(|| Some(std::env::home_dir()?.join("Library/Caches")))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache")))
    };
    system.unwrap_or_else(std::env::temp_dir).join("lockcheck")
}

/// A folder that can be written to: the first of these, made if need be.
pub(super) fn usable(candidates: &[PathBuf]) -> Result<PathBuf, Untrackable> {
    let mut first_error = None;
    for folder in candidates {
        let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder).map(drop));
        match made {
            Ok(()) => return Ok(folder.clone()),
            Err(error) => first_error = first_error.or_else(|| Some(format!("`{}`: {error}", folder.display()))),
        }
    }
    let error = first_error.unwrap_or_default();
    Err(Untrackable::new(format!("there is no folder for what lockcheck compiles: {error}")))
}

/// The folder for a project's tracked artefacts, below its own target folder.
pub(super) fn artefacts(target: &Path, key: &str) -> PathBuf {
    let ours = target.join("lockcheck");
    // Projects that do not ignore their target folder stay clean all the same. Where this fails, making the folder does.
    let _ = std::fs::create_dir_all(&ours);
    let ignore = ours.join(".gitignore");
    if !ignore.is_file() {
        let _ = std::fs::write(ignore, "*\n");
    }
    ours.join(key)
}

/// Writes a file so that nobody ever sees a part of it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

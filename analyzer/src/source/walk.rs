//! Paths: which Rust files lie under a folder, and how a path is shown.
//!
//! Guarantees: `.gitignore`, `.ignore` and `.lockcheckignore` are respected, also outside a git repository; cargo's
//! build folder is skipped; symbolic links to folders are not followed, so a walk ends.
//!
//! Misses: files that a rule ignores but a target's manifest names; [`super::discover`] adds those.

use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

/// All `*.rs` files under `dir`, sorted, and for each folder or entry that could not be read its path and the reason.
///
/// Folders are read on several threads: a large workspace has thousands, each with its ignore files to look for.
pub(super) fn rust_files(dir: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
    let mut walk = WalkBuilder::new(dir);
    walk.require_git(false).add_custom_ignore_filename(".lockcheckignore").follow_links(false);
    walk.filter_entry(|entry| entry.depth() == 0 || !is_build_folder(entry));
    walk.threads(rayon::current_num_threads());
    let found = Mutex::new((Vec::new(), Vec::new()));
    walk.build_parallel().run(|| {
        Box::new(|entry| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match entry {
                Ok(entry) if is_rust_file(&entry) => found.0.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => found.1.push((path_of(&error).unwrap_or(dir).to_owned(), reason(&error))),
            }
            WalkState::Continue
        })
    });
    let (mut files, mut failed) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort();
    failed.sort();
    (files, failed)
}

/// Asks the system only where the folder's own list does not tell.
fn is_rust_file(entry: &DirEntry) -> bool {
    entry.path().extension().is_some_and(|extension| extension == "rs")
        && entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_symlink() && entry.path().is_file())
}

/// A folder `target` is cargo's only beside a manifest or with the tag that cargo leaves; a module may have that name.
fn is_build_folder(entry: &DirEntry) -> bool {
    let path = entry.path();
    entry.file_name() == "target"
        && path.is_dir()
        && (path.join("CACHEDIR.TAG").exists() || path.with_file_name("Cargo.toml").exists())
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn reason(error: &ignore::Error) -> String {
    match error.io_error() {
        Some(error) => format!("cannot be read: {error}"),
        None => format!("cannot be read: {error}"),
    }
}

/// `path` made absolute against `base`, with `.` and `..` resolved by their spelling, symbolic links kept.
pub(super) fn absolute(base: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The innermost folder that holds all of `paths`; `base` where there are none. A file counts as its folder.
pub fn nearest_folder(paths: &[PathBuf], base: &Path) -> PathBuf {
    let folder = |path: &PathBuf| {
        let path = absolute(base, path);
        if path.is_dir() { path } else { path.parent().map_or(path.clone(), Path::to_owned) }
    };
    let mut folders = paths.iter().map(folder);
    let Some(first) = folders.next() else { return base.to_owned() };
    folders.fold(first, |shared, folder| {
        shared.components().zip(folder.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
    })
}

/// How reports show an absolute path: relative to `base` with `/`, going up where it lies beside it; as it is where
/// both share nothing but the root.
pub fn display_path(base: &Path, path: &Path) -> String {
    let shared = base.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let has_root =
        path.components().take_while(|part| matches!(part, Component::Prefix(_) | Component::RootDir)).count();
    let parts: Vec<String> = if shared > has_root {
        let up = base.components().count() - shared;
        std::iter::repeat_n("..".into(), up)
            .chain(path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned()))
            .collect()
    } else {
        return path.to_string_lossy().replace('\\', "/");
    };
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_relative_with_slashes() {
        let show = |base: &str, path: &str| display_path(Path::new(base), Path::new(path));
        assert_eq!(show("/w/bank", "/w/bank/src/a.rs"), "src/a.rs");
        assert_eq!(show("/w/bank", "/w/other/a.rs"), "../other/a.rs");
        assert_eq!(show("/w/bank", "/tmp/a.rs"), "/tmp/a.rs");
        assert_eq!(show("/w", "/w"), ".");
        assert_eq!(show("/", "/a.rs"), "/a.rs");
    }

    #[test]
    fn dots_are_resolved_by_spelling() {
        assert_eq!(absolute(Path::new("/w/b"), Path::new("./x/../../a.rs")), Path::new("/w/a.rs"));
        assert_eq!(absolute(Path::new("/w"), Path::new("/../a")), Path::new("/a"));
    }

    #[test]
    fn ignored_files_and_the_build_folder_are_skipped_and_a_module_called_target_is_not() {
        let dir = tempfile::tempdir().expect("dir");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("create");
            std::fs::write(path, text).expect("write");
        };
        write("Cargo.toml", "");
        for file in ["src/lib.rs", "src/target/mod.rs", "target/x.rs", "a/x.rs", "b/x.rs", "c/x.rs", "src/lib.txt"] {
            write(file, "");
        }
        write(".gitignore", "a/\n");
        write(".ignore", "b/\n");
        write(".lockcheckignore", "c/\n");
        let (files, failed) = rust_files(dir.path());
        let files: Vec<_> = files.iter().map(|file| display_path(dir.path(), file)).collect();
        assert_eq!((files, failed), (vec!["src/lib.rs".into(), "src/target/mod.rs".into()], vec![]));
    }
}

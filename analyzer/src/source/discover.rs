//! From paths to packages and files.
//!
//! Guarantees: a file that the user names is taken whatever its name and whatever ignores it; a folder gives the Rust
//! files below it; no path at all means the workspace of the current directory. Every file belongs to the package of
//! the nearest manifest above it, or else to one package per folder that was asked for. Files are read and decoded in
//! parallel, and stand in the order of their paths.
//!
//! Misses: a file that two packages share belongs to the one whose manifest is nearest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::manifest::Facts;
use super::modules::{Wanted, wanted};
use super::roots::{crate_name, default_roots, name_libraries, roots};
use super::walk::{absolute, display_path, rust_files};
use super::{Package, SourceFile, Sources, Text};
use crate::finding::{Notice, NoticeKind};

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Files and folders; none for the workspace of `cwd`.
    pub paths: &'a [PathBuf],
    /// The current directory, absolute: what relative paths and shown paths start from.
    pub cwd: &'a Path,
    /// What `cargo metadata --no-deps` says in `cwd`, where cargo could be asked; else manifests are read directly.
    pub metadata: Option<&'a Metadata>,
}

/// Why there is nothing to look at.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// A path that the user named does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// The paths hold no Rust file.
    #[error("no Rust file under {0}")]
    NoRustFile(String),
}

/// Finds and reads the files. Files that cannot be read are notices; see [`Sources::notices`].
pub fn discover(request: &Request<'_>) -> Result<Sources, DiscoverError> {
    discover_without(request, &|_| false)
}

/// The same without the files that `exclude` (of an absolute path) is true for, unless the user names them.
pub fn discover_without(request: &Request<'_>, exclude: &dyn Fn(&Path) -> bool) -> Result<Sources, DiscoverError> {
    let mut found = Found::default();
    if request.paths.is_empty() {
        found.workspace(request);
    }
    for path in request.paths {
        found.path(path, request)?;
    }
    let named: BTreeSet<PathBuf> = request.paths.iter().map(|path| absolute(request.cwd, path)).collect();
    found.files.retain(|file, _| named.contains(file) || !exclude(file));
    if found.files.is_empty() {
        let shown: Vec<_> = request.paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let shown = if shown.is_empty() { "the current directory".into() } else { shown.join(", ") };
        return Err(DiscoverError::NoRustFile(shown));
    }
    Ok(found.read(request))
}

/// The files to read, and the folder of the package of each.
#[derive(Default)]
struct Found {
    /// With the folder that stands in for a package where no manifest does.
    files: BTreeMap<PathBuf, PathBuf>,
    notices: Vec<Notice>,
    manifests: Manifests,
}

impl Found {
    fn path(&mut self, path: &Path, request: &Request<'_>) -> Result<(), DiscoverError> {
        let full = absolute(request.cwd, path);
        if full.is_dir() {
            self.folder(&full, request.cwd);
        } else if full.symlink_metadata().is_ok() {
            let folder = full.parent().unwrap_or(&full).to_owned();
            self.files.entry(full).or_insert(folder);
        } else {
            return Err(DiscoverError::Missing(path.display().to_string()));
        }
        Ok(())
    }

    fn folder(&mut self, dir: &Path, cwd: &Path) {
        let (files, failed) = rust_files(dir);
        for file in files {
            self.files.entry(file).or_insert_with(|| dir.to_owned());
        }
        for (path, message) in failed {
            self.notices.push(notice(NoticeKind::UnreadableFile, cwd, &path, message));
        }
    }

    fn workspace(&mut self, request: &Request<'_>) {
        let Some(metadata) = request.metadata else {
            let root = request.cwd.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
            let root = root.map(|root| workspace_root(root).unwrap_or(root));
            return self.folder(root.unwrap_or(request.cwd), request.cwd);
        };
        let members: Vec<_> = metadata.workspace_packages();
        let dirs: BTreeSet<PathBuf> = members
            .iter()
            .filter_map(|package| package.manifest_path.parent())
            .map(|dir| dir.as_std_path().to_owned())
            .collect();
        for dir in &dirs {
            self.folder(dir, request.cwd);
        }
        // Packages below a member that are no members themselves are someone else's.
        let manifests = &mut self.manifests;
        manifests.look_above(self.files.keys());
        self.files.retain(|file, _| manifests.folder_of(file).is_some_and(|folder| dirs.contains(&folder)));
        for target in members.iter().flat_map(|package| &package.targets) {
            let path = target.src_path.as_std_path();
            if path.is_file() {
                self.files.entry(path.to_owned()).or_insert_with(|| path.parent().unwrap_or(path).to_owned());
            }
        }
    }

    fn read(mut self, request: &Request<'_>) -> Sources {
        let cwd = request.cwd;
        let mut folders: BTreeMap<Home, Vec<Read>> = BTreeMap::new();
        let manifests = &mut self.manifests;
        manifests.look_above(self.files.keys());
        let homes: Vec<(PathBuf, Home)> = std::mem::take(&mut self.files)
            .into_iter()
            .map(|(file, folder)| match manifests.folder_of(&file) {
                Some(manifest) => (file, (manifest, true)),
                None => (file, (folder, false)),
            })
            .collect();
        let read: Vec<_> = homes
            .into_par_iter()
            .map(|(file, home)| {
                let text = Text::read(&file).map(|text| {
                    let wanted = wanted(text.text());
                    (text, wanted)
                });
                (file, home, text)
            })
            .collect();
        for (file, home, text) in read {
            match text {
                Ok((text, wanted)) => folders.entry(home).or_default().push((file, text, wanted)),
                Err(error) => {
                    self.notices.push(notice(NoticeKind::UnreadableFile, cwd, &file, format!("the file {error}")));
                }
            }
        }

        let mut sources = Sources::default();
        let mut included = Vec::new();
        let mut targets = Vec::new();
        for ((dir, has_manifest), files) in folders {
            let facts = if has_manifest { manifests.facts(&dir, request.metadata) } else { Facts::default() };
            if let Some(problem) = &facts.problem {
                let manifest = dir.join("Cargo.toml");
                self.notices.push(notice(NoticeKind::UnparsedFile, cwd, &manifest, format!("the manifest {problem}")));
            }
            let package = sources.packages.len();
            for (path, text, wanted) in files {
                sources.files.push(SourceFile { display: display_path(cwd, &path), path, package, text });
                included.push(wanted);
            }
            targets.push(if has_manifest { facts.targets.clone() } else { default_roots(&dir) });
            sources.packages.push(package_of(dir, facts));
        }
        // One order over all packages; a package's files need not be neighbours.
        let mut order: Vec<usize> = (0..sources.files.len()).collect();
        order.sort_by(|a, b| sources.files[*a].path.cmp(&sources.files[*b].path));
        sources.files = order.iter().map(|at| sources.files[*at].clone()).collect();
        let included: Vec<_> = order.iter().map(|at| std::mem::take(&mut included[*at])).collect();

        for (package, targets) in targets.into_iter().enumerate() {
            sources.packages[package].roots = roots(&sources.files, &included, package, targets);
        }
        name_libraries(&mut sources.packages);
        self.notices.sort_by(|a, b| (&a.file, &a.message).cmp(&(&b.file, &b.message)));
        sources.notices = self.notices;
        sources
    }
}

/// A package's folder, and whether it has a manifest.
type Home = (PathBuf, bool);

/// A file that was read, with what it includes.
type Read = (PathBuf, Text, Vec<Wanted>);

/// The manifests above the files that were found.
#[derive(Default)]
struct Manifests {
    /// The folders that were looked into.
    seen: FxHashSet<PathBuf>,
    /// By the folder that a manifest stands in.
    facts: FxHashMap<PathBuf, Facts>,
    nearest: FxHashMap<PathBuf, Option<PathBuf>>,
}

impl Manifests {
    /// Looks into every folder above the files, in parallel: what costs is to ask the system.
    fn look_above<'a>(&mut self, files: impl Iterator<Item = &'a PathBuf>) {
        let mut folders = FxHashSet::default();
        for file in files {
            // Where a folder is known, so are those above it.
            let _ = file.ancestors().skip(1).find(|folder| self.seen.contains(*folder) || !folders.insert(*folder));
        }
        let found: Vec<_> = folders
            .par_iter()
            .filter_map(|folder| {
                let manifest = folder.join("Cargo.toml");
                manifest.is_file().then(|| (folder.to_path_buf(), Facts::read(&manifest)))
            })
            .collect();
        self.facts.extend(found);
        self.seen.extend(folders.into_iter().map(Path::to_owned));
    }

    /// The folder of the nearest manifest with a package above a file that was looked above. A manifest that only holds a workspace ends
    /// the search: what lies below it and in no member has no package.
    fn folder_of(&mut self, file: &Path) -> Option<PathBuf> {
        let dir = file.parent()?;
        if let Some(known) = self.nearest.get(dir) {
            return known.clone();
        }
        let found = match self.facts.get(dir) {
            Some(facts) => facts.package.is_some().then(|| dir.to_owned()),
            None => self.folder_of(dir),
        };
        self.nearest.insert(dir.to_owned(), found.clone());
        found
    }

    fn facts(&self, dir: &Path, metadata: Option<&Metadata>) -> Facts {
        let manifest = dir.join("Cargo.toml");
        let known = metadata.iter().flat_map(|metadata| &metadata.packages);
        match known.into_iter().find(|package| package.manifest_path.as_std_path() == manifest) {
            Some(package) => Facts::from_metadata(package),
            None => self.facts.get(dir).cloned().unwrap_or_default(),
        }
    }
}

/// The folder at or above `package` whose manifest has a `[workspace]`.
fn workspace_root(package: &Path) -> Option<&Path> {
    package.ancestors().find(|folder| {
        let manifest = cargo_toml::Manifest::from_slice(&std::fs::read(folder.join("Cargo.toml")).unwrap_or_default());
        manifest.is_ok_and(|manifest| manifest.workspace.is_some())
    })
}

fn package_of(dir: PathBuf, facts: Facts) -> Package {
    let name = facts
        .package
        .unwrap_or_else(|| dir.file_name().map_or_else(|| "files".into(), |name| name.to_string_lossy().into_owned()));
    let dependencies = facts.dependencies.iter().map(|(name, package)| (crate_name(name), crate_name(package)));
    Package {
        name: crate_name(&name),
        edition: facts.edition,
        dir,
        dependencies: dependencies.collect(),
        roots: Vec::new(),
    }
}

fn notice(kind: NoticeKind, cwd: &Path, path: &Path, message: String) -> Notice {
    Notice { kind, file: Some(display_path(cwd, path)), line: None, message }
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;

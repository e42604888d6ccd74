//! From paths to packages and files.
//!
//! Guarantees: a file that the user names is taken whatever its name and whatever ignores it; a folder gives the Rust
//! files below it; no path at all means the workspace of the current directory. Every file belongs to the package of
//! the nearest manifest above it, or else to one package per folder that was asked for. Files are read and decoded in
//! parallel, and stand in the order of their paths.
//!
//! Misses: a file that two packages share belongs to the one whose manifest is nearest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::manifest::Facts;
use super::modules::{Place, Wanted, candidates, wanted};
use super::walk::{absolute, display_path, rust_files};
use super::{Package, Root, RootKind, SourceFile, Sources, Text};
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
    let mut found = Found::default();
    if request.paths.is_empty() {
        found.workspace(request);
    }
    for path in request.paths {
        found.path(path, request)?;
    }
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
            let facts = if has_manifest { self.manifests.facts(&dir, request.metadata) } else { Facts::default() };
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

/// Folders with a manifest, each looked up once.
#[derive(Default)]
struct Manifests {
    nearest: FxHashMap<PathBuf, Option<PathBuf>>,
    facts: FxHashMap<PathBuf, Facts>,
}

impl Manifests {
    /// The folder of the nearest manifest with a package above a file. A manifest that only holds a workspace ends
    /// the search: what lies below it and in no member has no package.
    fn folder_of(&mut self, file: &Path) -> Option<PathBuf> {
        let dir = file.parent()?;
        if let Some(known) = self.nearest.get(dir) {
            return known.clone();
        }
        let found = if dir.join("Cargo.toml").is_file() {
            let facts = Facts::read(&dir.join("Cargo.toml"));
            let is_package = facts.package.is_some();
            self.facts.insert(dir.to_owned(), facts);
            is_package.then(|| dir.to_owned())
        } else {
            self.folder_of(dir)
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

/// Where a folder without a manifest would have its library and program.
fn default_roots(dir: &Path) -> Vec<(PathBuf, RootKind, String)> {
    let name = dir.file_name().map_or_else(|| "files".into(), |name| name.to_string_lossy().into_owned());
    [
        ("src/lib.rs", RootKind::Lib),
        ("lib.rs", RootKind::Lib),
        ("src/main.rs", RootKind::Bin),
        ("main.rs", RootKind::Bin),
    ]
    .into_iter()
    .map(|(file, kind)| (dir.join(file), kind, name.clone()))
    .collect()
}

/// A library with a name of its own is used by that name; packages that depend on it say the package's.
fn name_libraries(packages: &mut [Package]) {
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for package in packages.iter_mut() {
        let lib = package.roots.iter().find(|root| root.kind == RootKind::Lib).map(|root| crate_name(&root.name));
        if let Some(lib) = lib.filter(|lib| *lib != package.name) {
            renamed.insert(std::mem::replace(&mut package.name, lib.clone()), lib);
        }
    }
    for (code, target) in packages.iter_mut().flat_map(|package| &mut package.dependencies) {
        if let Some(lib) = renamed.get(target) {
            // Without a rename in the manifest, code uses the library's name too.
            if code == target {
                code.clone_from(lib);
            }
            target.clone_from(lib);
        }
    }
}

fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}

/// The target roots among the package's files, then what they do not reach.
fn roots(
    files: &[SourceFile],
    included: &[Vec<Wanted>],
    package: usize,
    targets: Vec<(PathBuf, RootKind, String)>,
) -> Vec<Root> {
    let at = |path: &Path| files.binary_search_by(|file| file.path.as_path().cmp(path)).ok();
    let children = |file: usize, place: Place| -> Vec<usize> {
        let path = &files[file].path;
        let first = |wanted: &Wanted| candidates(path, place, wanted).iter().find_map(|path| at(path));
        included[file].iter().filter_map(first).collect()
    };
    let mut reached = BTreeSet::new();
    let mut reach = |root: usize, place: Place| {
        let mut queue = VecDeque::from([(root, place)]);
        let mut new = Vec::new();
        while let Some((file, place)) = queue.pop_front() {
            if reached.insert(file) {
                new.push(file);
                queue.extend(children(file, place).into_iter().map(|child| (child, Place::Below)));
            }
        }
        new
    };

    let mut roots = Vec::new();
    for (path, kind, name) in targets {
        if let Some(file) = at(&path).filter(|file| files[*file].package == package) {
            roots.push(Root { file, kind, name });
        }
    }
    for root in &roots {
        reach(root.file, Place::Beside);
    }
    let own = || (0..files.len()).filter(|file| files[*file].package == package);
    let included_by_any: BTreeSet<usize> = own().flat_map(|file| children(file, Place::Either)).collect();
    let mut loose = |file: usize, roots: &mut Vec<Root>| {
        let new = reach(file, Place::Either);
        if new.contains(&file) {
            let stem = files[file].path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            roots.push(Root { file, kind: RootKind::Loose, name: stem.unwrap_or_default() });
        }
    };
    own().filter(|file| !included_by_any.contains(file)).for_each(|file| loose(file, &mut roots));
    // What only includes itself, or each other, still has to be looked at.
    own().for_each(|file| loose(file, &mut roots));
    roots
}

fn notice(kind: NoticeKind, cwd: &Path, path: &Path, message: String) -> Notice {
    Notice { kind, file: Some(display_path(cwd, path)), line: None, message }
}

#[cfg(test)]
mod tests {
    use super::super::Edition;
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("dir");
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("create");
            std::fs::write(path, text).expect("write");
        }
        dir
    }

    fn find(dir: &Path, paths: &[&str]) -> Result<Sources, DiscoverError> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        discover(&Request { paths: &paths, cwd: dir, metadata: None })
    }

    /// One line per package, then one per root.
    fn shown(sources: &Sources) -> Vec<String> {
        let root = |root: &Root| format!("  {:?} {} {}", root.kind, root.name, sources.files[root.file].display);
        let package = |package: &Package| {
            let head = format!("{} {}", package.name, package.edition.name());
            std::iter::once(head).chain(package.roots.iter().map(root)).collect::<Vec<_>>()
        };
        sources.packages.iter().flat_map(package).collect()
    }

    #[test]
    fn a_package_has_its_targets_and_what_none_of_them_includes() {
        let dir = project(&[
            (
                "Cargo.toml",
                "[package]\nname = \"my-bank\"\nedition = \"2024\"\n[dependencies]\nparking_lot = \"0.12\"\n",
            ),
            ("src/lib.rs", "mod account;"),
            ("src/account.rs", "mod audit;"),
            ("src/account/audit.rs", ""),
            ("src/old.rs", "mod tests;"),
            ("src/old/tests.rs", ""),
            ("tests/all.rs", "mod common;"),
            ("tests/common/mod.rs", ""),
        ]);
        let sources = find(dir.path(), &[]).expect("sources");
        assert_eq!(
            shown(&sources),
            ["my_bank 2024", "  Lib my_bank src/lib.rs", "  Test all tests/all.rs", "  Loose old src/old.rs"]
        );
        assert_eq!(sources.files.len(), 7);
        assert_eq!(sources.packages[0].dependencies, [("parking_lot".into(), "parking_lot".into())]);
        assert!(sources.files.is_sorted_by(|a, b| a.path < b.path));
    }

    #[test]
    fn a_file_that_is_named_is_taken_and_is_its_own_root() {
        let dir = project(&[("a.rs", "mod b;"), ("b.rs", ""), ("c.txt", "fn c() {}"), (".ignore", "*\n")]);
        assert_eq!(find(dir.path(), &["."]).expect_err("ignored"), DiscoverError::NoRustFile("`.`".into()));
        let sources = find(dir.path(), &["b.rs", "c.txt", "b.rs"]).expect("sources");
        assert_eq!(shown(&sources)[1..], ["  Loose b b.rs", "  Loose c c.txt"]);
        let sources = find(dir.path(), &["b.rs", "a.rs"]).expect("sources");
        assert_eq!(shown(&sources)[1..], ["  Loose a a.rs"]);
        assert_eq!(sources.packages[0].edition, Edition::E2021);
    }

    #[test]
    fn a_folder_without_a_manifest_is_one_package() {
        let dir = project(&[("x/lib.rs", "mod m;"), ("x/m.rs", ""), ("x/n.rs", "mod o;"), ("x/o.rs", "mod n;")]);
        let sources = find(dir.path(), &["x"]).expect("sources");
        assert_eq!(shown(&sources), ["x 2021", "  Lib x x/lib.rs", "  Loose n x/n.rs"]);
    }

    #[test]
    fn nested_packages_keep_their_own_files_and_a_library_its_own_name() {
        let dir = project(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n[package]\nname = \"top\"\n"),
            ("src/lib.rs", ""),
            ("a/Cargo.toml", "[package]\nname = \"a-pkg\"\n[lib]\nname = \"a_lib\"\n"),
            ("a/src/lib.rs", ""),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies]\na-pkg = { path = \"../a\" }\n"),
            ("b/src/lib.rs", ""),
        ]);
        let sources = find(&dir.path().join("b/src"), &[]).expect("sources");
        assert_eq!(
            shown(&sources),
            [
                "top 2015",
                "  Lib top ../../src/lib.rs",
                "a_lib 2015",
                "  Lib a_lib ../../a/src/lib.rs",
                "b 2015",
                "  Lib b lib.rs"
            ]
        );
        assert_eq!(sources.packages[2].dependencies, [("a_lib".into(), "a_lib".into())]);
    }

    #[test]
    fn cargos_own_answer_limits_the_workspace_to_its_members() {
        let dir = project(&[("m/src/lib.rs", ""), ("m/sub/Cargo.toml", "[package]\nname = \"sub\"\n")]);
        std::fs::write(dir.path().join("m/Cargo.toml"), "[package]\nname = \"m\"\n").expect("write");
        std::fs::write(dir.path().join("m/sub/lib.rs"), "").expect("write");
        let root = dir.path().join("m").to_string_lossy().replace('\\', "/");
        let target = format!(
            r#"{{"name":"renamed","kind":["lib"],"crate_types":["lib"],"src_path":"{root}/src/lib.rs","edition":"2018"}}"#
        );
        let package = format!(
            r#"{{"name":"m","version":"0.1.0","id":"m 0.1.0","dependencies":[],"targets":[{target}],"features":{{}},
                "manifest_path":"{root}/Cargo.toml","edition":"2018"}}"#
        );
        let metadata = format!(
            r#"{{"packages":[{package}],"workspace_members":["m 0.1.0"],"resolve":null,"workspace_root":"{root}",
                "target_directory":"{root}/target","version":1}}"#
        );
        let metadata = cargo_metadata::MetadataCommand::parse(metadata).expect("metadata");
        let request = Request { paths: &[], cwd: &dir.path().join("m"), metadata: Some(&metadata) };
        let sources = discover(&request).expect("sources");
        assert_eq!(shown(&sources), ["renamed 2018", "  Lib renamed src/lib.rs"]);
        assert_eq!(sources.files.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_a_notice_and_the_rest_goes_on() {
        let dir = project(&[("a.rs", ""), ("Cargo.toml", "[package")]);
        std::fs::write(dir.path().join("b.rs"), b"\xFF").expect("write");
        std::fs::write(dir.path().join("c.rs"), b"\0").expect("write");
        let sources = find(dir.path(), &["."]).expect("sources");
        assert_eq!(sources.files.len(), 1);
        let notices: Vec<_> =
            sources.notices.iter().map(|notice| (notice.kind, notice.file.as_deref().unwrap_or("-"))).collect();
        assert_eq!(
            notices,
            [
                (NoticeKind::UnparsedFile, "Cargo.toml"),
                (NoticeKind::UnreadableFile, "b.rs"),
                (NoticeKind::UnreadableFile, "c.rs")
            ]
        );
    }

    #[test]
    fn nothing_to_look_at_is_an_error() {
        let dir = project(&[("a.txt", "")]);
        assert_eq!(find(dir.path(), &["no"]).expect_err("missing").to_string(), "`no` does not exist");
        assert_eq!(find(dir.path(), &["."]).expect_err("empty").to_string(), "no Rust file under `.`");
        assert_eq!(find(dir.path(), &[]).expect_err("empty").to_string(), "no Rust file under the current directory");
    }
}

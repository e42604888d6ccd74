//! Cargo's names for what a file belongs to: what cargo-compatible output says with each diagnostic.
//!
//! Guarantees: the package id is cargo's own where cargo was asked, so that an editor clears the right diagnostics;
//! file names are relative to the workspace's root, as cargo's are.
//!
//! Misses: a module of two targets counts for the library, or else for the first target.

use std::path::Path;

use cargo_metadata::Metadata;
use rustc_hash::FxHashMap;

use super::{Package, RootKind, SourceFile, Sources, display_path};

/// A cargo target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// As in `cargo metadata`.
    pub package_id: String,
    /// Absolute.
    pub manifest_path: String,
    /// `lib`, `bin`, `test`, `example`, `bench` or `custom-build`.
    pub kind: &'static str,
    /// `lib` or `bin`.
    pub crate_type: &'static str,
    /// The target's name.
    pub name: String,
    /// Its root file, absolute.
    pub src_path: String,
    /// `2024`
    pub edition: &'static str,
}

/// The targets of the files of some [`Sources`], by display path.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    files: FxHashMap<String, (Target, String)>,
}

impl Targets {
    /// Looks up the target of every file, given what `cargo metadata` said, if it was asked.
    pub fn new(sources: &Sources, metadata: Option<&Metadata>) -> Self {
        let root = metadata.map(|metadata| metadata.workspace_root.as_std_path());
        let files = sources.files.iter().enumerate().map(|(at, file)| {
            let package = &sources.packages[file.package];
            let name = match root.filter(|root| file.path.starts_with(root)) {
                Some(root) => display_path(root, &file.path),
                None => file.display.clone(),
            };
            (file.display.clone(), (target(package, at, &sources.files, metadata), name))
        });
        Targets { files: files.collect() }
    }

    /// The target of a file; `None` for a file that is none of the sources, as run-time findings may have.
    pub fn get(&self, display: &str) -> Option<&Target> {
        self.files.get(display).map(|(target, _)| target)
    }

    /// The path that cargo would print.
    pub fn file_name<'a>(&'a self, display: &'a str) -> &'a str {
        self.files.get(display).map_or(display, |(_, name)| name)
    }
}

fn target(package: &Package, file: usize, files: &[SourceFile], metadata: Option<&Metadata>) -> Target {
    let own = package.roots.iter().find(|root| root.file == file);
    let lib = || package.roots.iter().find(|root| root.kind == RootKind::Lib);
    let root = own.or_else(lib).or(package.roots.first());
    let (kind, crate_type) = match root.map_or(RootKind::Lib, |root| root.kind) {
        RootKind::Lib | RootKind::Loose => ("lib", "lib"),
        RootKind::Bin => ("bin", "bin"),
        RootKind::Test => ("test", "bin"),
        RootKind::Example => ("example", "bin"),
        RootKind::Bench => ("bench", "bin"),
        RootKind::BuildScript => ("custom-build", "bin"),
    };
    let manifest = package.dir.join("Cargo.toml");
    let known = metadata.iter().flat_map(|metadata| &metadata.packages);
    let known = known.into_iter().find(|package| package.manifest_path.as_std_path() == manifest);
    let package_id = match known {
        Some(package) => package.id.repr.clone(),
        None => format!("path+file://{}#{}", slashes(&package.dir), package.name),
    };
    Target {
        package_id,
        manifest_path: slashes(&manifest),
        kind,
        crate_type,
        name: root.map_or_else(|| package.name.clone(), |root| root.name.clone()),
        src_path: slashes(&files[root.map_or(file, |root| root.file)].path),
        edition: package.edition.name(),
    }
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::super::{Request, discover};
    use super::*;

    #[test]
    fn a_module_belongs_to_the_library_and_a_root_to_itself() {
        let dir = tempfile::tempdir().expect("dir");
        std::fs::create_dir_all(dir.path().join("src/bin")).expect("create");
        std::fs::create_dir_all(dir.path().join("tests")).expect("create");
        let files = [("src/lib.rs", "mod a;"), ("src/a.rs", ""), ("src/bin/b.rs", ""), ("tests/t.rs", "")];
        for (file, text) in files.into_iter().chain([("Cargo.toml", "[package]\nname = \"my-bank\"\n")]) {
            std::fs::write(dir.path().join(file), text).expect("write");
        }
        let sources = discover(&Request { paths: &[], cwd: dir.path(), metadata: None }).expect("sources");
        let targets = Targets::new(&sources, None);
        let named = |file: &str| targets.get(file).map(|target| format!("{} {}", target.kind, target.name));
        assert_eq!(named("src/a.rs").as_deref(), Some("lib my_bank"));
        assert_eq!(named("src/bin/b.rs").as_deref(), Some("bin b"));
        assert_eq!(named("tests/t.rs").as_deref(), Some("test t"));
        assert_eq!(named("other.rs"), None);
    }
}

//! Which files crates start with, and what crates are called.
//!
//! Guarantees: every file of a package is reached from one of its roots: from a target of the manifest, or else from a
//! loose root, which is a file that nothing includes as a module.
//!
//! Misses: what [`super::modules`] misses; a file that only a macro includes is a loose root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::modules::{Place, Wanted, candidates};
use super::{Package, Root, RootKind, SourceFile};

/// The target roots among the package's files, then what they do not reach.
pub(super) fn roots(
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

/// Where a folder without a manifest would have its library and program.
pub(super) fn default_roots(dir: &Path) -> Vec<(PathBuf, RootKind, String)> {
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
pub(super) fn name_libraries(packages: &mut [Package]) {
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

/// A package's name in code.
pub(super) fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}

//! What a `Cargo.toml` says about its package, whatever state it is in.
//!
//! Guarantees: the edition, targets and dependency names that cargo would use, with autodiscovered targets and values
//! inherited from the workspace; a manifest that cannot be read gives a package named after its folder, in the default
//! edition, and the reason.
//!
//! Misses: `required-features`, features and platforms: every target and every dependency counts.

use std::path::{Path, PathBuf};

use cargo_metadata::TargetKind;
use cargo_toml::{Dependency, DepsSet, Manifest, OptionalFile, Product};

use super::walk::absolute;
use super::{Edition, RootKind};

/// What a manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The package's name as in the manifest; `None` for a manifest without a package.
    pub(super) package: Option<String>,
    pub(super) edition: Edition,
    /// Name in code and package name.
    pub(super) dependencies: Vec<(String, String)>,
    /// Absolute path, kind and name of each target's root, whether it exists or not.
    pub(super) targets: Vec<(PathBuf, RootKind, String)>,
    /// Why it is not all known.
    pub(super) problem: Option<String>,
}

impl Facts {
    /// Reads a manifest.
    pub(super) fn read(path: &Path) -> Facts {
        let dir = path.parent().unwrap_or(Path::new("/"));
        let manifest = match load(path) {
            Ok(manifest) => manifest,
            Err(problem) => {
                // The default targets of an unreadable manifest still tell library, program and tests apart.
                let name = dir.file_name().map_or_else(|| "package".into(), |name| name.to_string_lossy().into_owned());
                let problem = Some(format!("{problem}; edition {} is assumed", Edition::default().name()));
                let targets = bare(&name).map(|bare| targets(dir, &name, &bare)).unwrap_or_default();
                return Facts { package: Some(name), targets, problem, ..Facts::default() };
            }
        };
        let Some(package) = &manifest.package else { return Facts::default() };
        let workspace =
            if manifest.workspace.is_some() { None } else { workspace_of(dir, package.workspace.as_deref()) };
        let workspace = workspace.as_ref().or(Some(&manifest)).and_then(|manifest| manifest.workspace.as_ref());
        let inherited = workspace.and_then(|workspace| workspace.package.as_ref()).and_then(|package| package.edition);
        let (edition, problem) = match package.edition.get().ok().copied().or(inherited) {
            Some(edition) => (convert(edition), None),
            None => {
                let assumed = Edition::default();
                let text = "the edition is inherited from a workspace that was not found";
                (assumed, Some(format!("{text}; edition {} is assumed", assumed.name())))
            }
        };
        let shared = workspace.map(|workspace| &workspace.dependencies);
        let tables = manifest.target.values();
        let mut dependencies: Vec<_> =
            [&manifest.dependencies, &manifest.dev_dependencies, &manifest.build_dependencies]
                .into_iter()
                .chain(
                    tables.flat_map(|table| [&table.dependencies, &table.dev_dependencies, &table.build_dependencies]),
                )
                .flatten()
                .map(|(name, dependency)| (name.clone(), package_name(name, dependency, shared)))
                .collect();
        dependencies.sort();
        dependencies.dedup();
        let targets = targets(dir, &package.name, &manifest);
        Facts { package: Some(package.name.clone()), edition, dependencies, targets, problem }
    }

    /// The same from cargo's own answer.
    pub(super) fn from_metadata(package: &cargo_metadata::Package) -> Facts {
        let targets = package.targets.iter().map(|target| {
            let kind = match target.kind.first() {
                Some(TargetKind::Bin) => RootKind::Bin,
                Some(TargetKind::Test) => RootKind::Test,
                Some(TargetKind::Example) => RootKind::Example,
                Some(TargetKind::Bench) => RootKind::Bench,
                Some(TargetKind::CustomBuild) => RootKind::BuildScript,
                _ => RootKind::Lib,
            };
            (target.src_path.clone().into_std_path_buf(), kind, target.name.clone())
        });
        let mut dependencies: Vec<_> = package
            .dependencies
            .iter()
            .map(|dependency| (dependency.rename.clone().unwrap_or(dependency.name.clone()), dependency.name.clone()))
            .collect();
        dependencies.sort();
        dependencies.dedup();
        Facts {
            package: Some(package.name.to_string()),
            edition: Edition::from_name(package.edition.as_str()).unwrap_or(Edition::E2024),
            dependencies,
            targets: targets.collect(),
            problem: None,
        }
    }
}

fn load(path: &Path) -> Result<Manifest, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    Manifest::from_slice(&bytes).map_err(|error| {
        let text = error.to_string();
        format!(
            "cannot be understood: {}",
            text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given")
        )
    })
}

/// A manifest that says nothing but the package's name.
fn bare(name: &str) -> Option<Manifest> {
    let mut manifest = Manifest::from_str("[package]\nname = \"x\"\n").ok()?;
    manifest.package.as_mut()?.name = name.to_owned();
    Some(manifest)
}

/// The manifest with the `[workspace]` that the package in `dir` belongs to.
fn workspace_of(dir: &Path, named: Option<&Path>) -> Option<Manifest> {
    let is_root = |folder: &Path| load(&folder.join("Cargo.toml")).ok().filter(|manifest| manifest.workspace.is_some());
    match named {
        Some(named) => is_root(&absolute(dir, named)),
        None => dir.ancestors().skip(1).find_map(is_root),
    }
}

/// Targets that the manifest names, and those that cargo finds by itself.
fn targets(dir: &Path, name: &str, manifest: &Manifest) -> Vec<(PathBuf, RootKind, String)> {
    // Completing the manifest itself would fail on anything inherited that cannot be found; targets need none of it.
    let Some(mut complete) = bare(name) else { return Vec::new() };
    if let (Some(package), Some(from)) = (complete.package.as_mut(), manifest.package.as_ref()) {
        package.autolib = from.autolib;
        package.autobins = from.autobins;
        package.autoexamples = from.autoexamples;
        package.autotests = from.autotests;
        package.autobenches = from.autobenches;
        package.build = from.build.clone();
    }
    complete.lib.clone_from(&manifest.lib);
    complete.bin.clone_from(&manifest.bin);
    complete.example.clone_from(&manifest.example);
    complete.test.clone_from(&manifest.test);
    complete.bench.clone_from(&manifest.bench);
    // On an error, what the manifest names with its path is still known.
    let _ = complete.complete_from_path(&dir.join("Cargo.toml"));

    let mut out = Vec::new();
    let mut add = |kind, product: &Product| {
        if let Some(path) = &product.path {
            out.push((absolute(dir, Path::new(path)), kind, product.name.clone().unwrap_or_else(|| name.to_owned())));
        }
    };
    complete.lib.iter().for_each(|product| add(RootKind::Lib, product));
    complete.bin.iter().for_each(|product| add(RootKind::Bin, product));
    complete.example.iter().for_each(|product| add(RootKind::Example, product));
    complete.test.iter().for_each(|product| add(RootKind::Test, product));
    complete.bench.iter().for_each(|product| add(RootKind::Bench, product));
    if let Some(OptionalFile::Path(path)) = complete.package.as_ref().and_then(|package| package.build.as_ref()) {
        out.push((absolute(dir, path), RootKind::BuildScript, "build-script-build".into()));
    }
    out
}

/// The package behind a name in code, looked up in the workspace where it is inherited.
fn package_name(name: &str, dependency: &Dependency, shared: Option<&DepsSet>) -> String {
    let renamed = match dependency {
        Dependency::Inherited(_) => shared.and_then(|shared| shared.get(name)).and_then(Dependency::package),
        own => own.package(),
    };
    renamed.unwrap_or(name).to_owned()
}

fn convert(edition: cargo_toml::Edition) -> Edition {
    Edition::from_name(&edition.to_string()).unwrap_or(Edition::E2024)
}

#[cfg(test)]
mod tests {
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

    fn shown(dir: &Path, facts: &Facts) -> Vec<String> {
        let show = |(path, kind, name): &(PathBuf, RootKind, String)| {
            format!("{kind:?} {name} {}", super::super::display_path(dir, path))
        };
        facts.targets.iter().map(show).collect()
    }

    #[test]
    fn targets_are_those_named_and_those_found() {
        let manifest =
            "[package]\nname = \"my-bank\"\nedition = \"2018\"\n[[test]]\nname = \"all\"\npath = \"it/all.rs\"\n";
        let dir = project(&[
            ("Cargo.toml", manifest),
            ("src/lib.rs", ""),
            ("src/main.rs", ""),
            ("src/bin/tool.rs", ""),
            ("examples/show/main.rs", ""),
            ("it/all.rs", ""),
            ("build.rs", ""),
        ]);
        let facts = Facts::read(&dir.path().join("Cargo.toml"));
        assert_eq!((facts.package.as_deref(), facts.edition, &facts.problem), (Some("my-bank"), Edition::E2018, &None));
        assert_eq!(
            shown(dir.path(), &facts),
            [
                "Lib my_bank src/lib.rs",
                "Bin my-bank src/main.rs",
                "Bin tool src/bin/tool.rs",
                "Example show examples/show/main.rs",
                "Test all it/all.rs",
                "BuildScript build-script-build build.rs",
            ]
        );
    }

    #[test]
    fn edition_and_renames_are_inherited_from_the_workspace() {
        let root = "[workspace]\nmembers = [\"a\"]\n[workspace.package]\nedition = \"2024\"\n\
                    [workspace.dependencies]\nlocks = { package = \"parking_lot\", version = \"0.12\" }\n";
        let member = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                      [dependencies]\nlocks.workspace = true\n[dev-dependencies]\nother-name = \"1\"\n\
                      [target.'cfg(unix)'.dependencies]\nnix2 = { package = \"nix\", version = \"1\" }\n";
        let dir = project(&[("Cargo.toml", root), ("a/Cargo.toml", member), ("a/src/lib.rs", "")]);
        let facts = Facts::read(&dir.path().join("a/Cargo.toml"));
        assert_eq!((facts.edition, &facts.problem), (Edition::E2024, &None));
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            facts.dependencies,
            [pair("locks", "parking_lot"), pair("nix2", "nix"), pair("other-name", "other-name")]
        );
        assert_eq!(Facts::read(&dir.path().join("Cargo.toml")), Facts::default());
    }

    #[test]
    fn a_missing_workspace_costs_the_edition_only() {
        let member = "[package]\nname = \"a\"\nedition.workspace = true\n[dependencies]\nx.workspace = true\n";
        let dir = project(&[("Cargo.toml", member), ("src/lib.rs", "")]);
        let facts = Facts::read(&dir.path().join("Cargo.toml"));
        assert_eq!(facts.edition, Edition::E2021);
        assert!(facts.problem.is_some_and(|problem| problem.contains("workspace that was not found")));
        assert_eq!(facts.targets.len(), 1);
    }

    #[test]
    fn a_broken_manifest_still_gives_a_package() {
        for broken in ["[package\nname=", "[package]\nedition = \"2024\"\n", "\u{0}", ""] {
            let dir = project(&[("bank/Cargo.toml", broken), ("bank/src/lib.rs", "")]);
            let facts = Facts::read(&dir.path().join("bank/Cargo.toml"));
            if broken.is_empty() {
                assert_eq!(facts.package, None, "an empty manifest is a virtual one");
                continue;
            }
            assert_eq!((facts.package.as_deref(), facts.edition), (Some("bank"), Edition::E2021), "{broken:?}");
            assert!(facts.problem.is_some_and(|problem| problem.ends_with("edition 2021 is assumed")), "{broken:?}");
            assert_eq!(facts.targets.len(), 1, "{broken:?}");
        }
    }
}

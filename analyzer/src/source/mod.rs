//! Files in: which files, of which package and edition, with their text and positions.
//!
//! Guarantees: the same paths give the same [`Sources`] in the same order; every file belongs to exactly one package;
//! what cannot be read is a [`Notice`], never an error, unless the user named a path that does not exist; no process
//! is started and nothing is printed.
//!
//! Misses: sources of dependencies outside the given paths, and what a build script writes.

mod discover;
mod manifest;
mod modules;
mod roots;
mod targets;
mod text;
mod texts;
mod walk;

use std::path::PathBuf;

use crate::finding::Notice;

pub use discover::{DiscoverError, Request, discover, discover_without};
pub use targets::{Target, Targets};
pub use text::{MAX_BYTES, Text, TextError};
pub use texts::Texts;
pub use walk::{display_path, nearest_folder};

/// All that was found under the given paths.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// By folder.
    pub packages: Vec<Package>,
    /// By path.
    pub files: Vec<SourceFile>,
    /// What could not be read.
    pub notices: Vec<Notice>,
}

/// A cargo package, or a folder without a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The name by which other crates use it: `-` is replaced by `_`, a renamed library goes by its own name.
    pub name: String,
    /// What its targets are compiled with.
    pub edition: Edition,
    /// The folder of its manifest.
    pub dir: PathBuf,
    /// Name in code and crate name of every dependency of any kind, sorted.
    pub dependencies: Vec<(String, String)>,
    /// Targets whose root file was found, then every file that none of them includes as a module.
    pub roots: Vec<Root>,
}

/// The file that a crate starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Index into [`Sources::files`].
    pub file: usize,
    /// What it is compiled to.
    pub kind: RootKind,
    /// The target's name.
    pub name: String,
}

/// The kinds of [`Root`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKind {
    /// A library, of any crate type.
    Lib,
    /// A program.
    Bin,
    /// An integration test.
    Test,
    /// An example.
    Example,
    /// A benchmark.
    Bench,
    /// `build.rs`.
    BuildScript,
    /// A file that no target includes as a module.
    Loose,
}

/// A Rust file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it lies, absolute.
    pub path: PathBuf,
    /// Relative to the current directory, with `/`: what reports show.
    pub display: String,
    /// Index into [`Sources::packages`].
    pub package: usize,
    /// What is in it.
    pub text: Text,
}

/// The edition of the language, in which the scopes of temporaries differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// 2015
    E2015,
    /// 2018
    E2018,
    /// 2021, which is also what files without a manifest are read as.
    #[default]
    E2021,
    /// 2024
    E2024,
}

impl Edition {
    /// As manifests spell it.
    pub fn name(self) -> &'static str {
        match self {
            Edition::E2015 => "2015",
            Edition::E2018 => "2018",
            Edition::E2021 => "2021",
            Edition::E2024 => "2024",
        }
    }

    /// Reads what manifests spell; `None` for an edition that does not exist yet.
    pub fn from_name(name: &str) -> Option<Self> {
        [Edition::E2015, Edition::E2018, Edition::E2021, Edition::E2024].into_iter().find(|each| each.name() == name)
    }
}

//! All files parsed, with the stubs behind them: what a [`Model`] borrows from.
//!
//! Guarantees: files are parsed in parallel and keep their order; a parser that goes wrong on one file costs that file
//! only and is said in a notice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{CrateInput, Model, ModelFile, known};
use crate::finding::{Notice, NoticeKind};
use crate::source::{Edition, RootKind, Sources};
use crate::syntax::expand::{Definitions, definitions};
use crate::syntax::{FileSyntax, Symbol};

/// Parsed sources.
pub struct Program {
    /// Names of the files as reports show them.
    pub names: Vec<String>,
    files: Vec<FileSyntax>,
    paths: Vec<PathBuf>,
    crates: Vec<CrateInput>,
    broken: Vec<usize>,
}

/// The macros that the files of each package define.
fn macros(sources: &Sources) -> Vec<Arc<Definitions>> {
    let found: Vec<Definitions> = sources
        .files
        .par_iter()
        .map(|file| std::panic::catch_unwind(|| definitions(file.text.text())).unwrap_or_default())
        .collect();
    let mut out: Vec<Definitions> = sources.packages.iter().map(|_| Definitions::new()).collect();
    for (file, found) in sources.files.iter().zip(found) {
        for (name, text) in found {
            out[file.package].entry(name).or_insert(text);
        }
    }
    out.into_iter().map(Arc::new).collect()
}

impl Program {
    /// Parses all files.
    pub fn parse(sources: &Sources) -> Program {
        let macros = macros(sources);
        let parsed: Vec<Option<FileSyntax>> = sources
            .files
            .par_iter()
            .map(|file| {
                let edition = year(sources.packages[file.package].edition);
                let macros = &macros[file.package];
                std::panic::catch_unwind(|| crate::syntax::parse_with(file.text.text(), edition, macros)).ok()
            })
            .collect();
        let broken = (0..parsed.len()).filter(|index| parsed[*index].is_none()).collect();
        let mut files: Vec<FileSyntax> = parsed.into_iter().map(Option::unwrap_or_default).collect();
        let mut names: Vec<String> = sources.files.iter().map(|file| file.display.clone()).collect();
        let mut paths: Vec<PathBuf> = sources.files.iter().map(|file| file.path.clone()).collect();
        let stubs = known::stubs();
        let mut crates = known::stub_crates(stubs.iter().map(|(name, _)| *name), files.len());
        for (name, syntax) in stubs {
            names.push(format!("<{name}>"));
            paths.push(PathBuf::from(format!("<{name}>")));
            files.push(syntax);
        }
        crates.extend(crates_of(sources));
        Program { names, files, paths, crates, broken }
    }

    /// Names and types.
    pub fn model(&self) -> Model<'_> {
        let files: Vec<ModelFile<'_>> = self
            .files
            .iter()
            .zip(&self.paths)
            .map(|(syntax, path)| ModelFile { syntax, path: Path::new(path) })
            .collect();
        Model::build(&files, &self.crates)
    }

    /// What did not parse.
    pub fn notices(&self, sources: &Sources) -> Vec<Notice> {
        let named = |index: usize, line: u32, kind: NoticeKind, message: String| Notice {
            kind,
            file: Some(sources.files[index].display.clone()),
            line: Some(line),
            message,
        };
        let unparsed = self.files.iter().enumerate().take(sources.files.len()).flat_map(|(index, file)| {
            file.notices.iter().map(move |notice| {
                named(index, notice.span.start.line, NoticeKind::UnparsedFile, notice.message.clone())
            })
        });
        let broken = self.broken.iter().map(|index| {
            let message = "lockcheck failed on this file and left it out: please report it".to_string();
            named(*index, 1, NoticeKind::InternalError, message)
        });
        unparsed.chain(broken).collect()
    }
}

fn year(edition: Edition) -> u16 {
    edition.name().parse().unwrap_or(2021)
}

/// One crate per target; files that no target includes hang below the package's first one.
fn crates_of(sources: &Sources) -> Vec<CrateInput> {
    let mut out = Vec::new();
    for (index, package) in sources.packages.iter().enumerate() {
        let dependencies: FxHashMap<Symbol, Symbol> =
            package.dependencies.iter().map(|(name, krate)| (Symbol::from(name), Symbol::from(krate))).collect();
        let own: Vec<usize> = (0..sources.files.len()).filter(|file| sources.files[*file].package == index).collect();
        for (position, root) in package.roots.iter().enumerate() {
            let library = root.kind == RootKind::Lib;
            let mut dependencies = dependencies.clone();
            let name = Symbol::from(&package.name);
            if !library {
                dependencies.insert(name, name);
            }
            out.push(CrateInput {
                name: if library { name } else { Symbol::from(&root.name) },
                root: root.file,
                edition: package.edition,
                dependencies,
                library,
                stub: false,
                test: matches!(root.kind, RootKind::Test | RootKind::Bench),
                files: if position == 0 { own.clone() } else { Vec::new() },
            });
        }
    }
    out
}

//! All files parsed, with the stubs behind them: what a [`Model`] borrows from.
//!
//! Guarantees: files are parsed in parallel and keep their order; a parser that goes wrong on one file costs that file
//! only and is said in a notice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::{CrateInput, Dependencies, Model, ModelFile, known};
use crate::cache::files::{self, Files, How, Kept, number_as_read};
use crate::finding::{Notice, NoticeKind};
use crate::source::{Edition, RootKind, SourceFile, Sources};
use crate::syntax::expand::{Definitions, definitions};
use crate::syntax::keep::Shape;
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

/// How the files of each package are read: with the macros that any of them defines.
fn hows(sources: &Sources, numbers: &[u128], earlier: &Files) -> (Vec<How>, Vec<Definitions>) {
    let found: Vec<Definitions> = sources
        .files
        .par_iter()
        .zip(numbers)
        .map(|(file, number)| match earlier.definitions(*number) {
            Some(known) => known.clone(),
            None => std::panic::catch_unwind(|| definitions(file.text.text())).unwrap_or_default(),
        })
        .collect();
    let mut out: Vec<Definitions> = sources.packages.iter().map(|_| Definitions::new()).collect();
    for (file, found) in sources.files.iter().zip(&found) {
        for (name, text) in found {
            out[file.package].entry(name.clone()).or_insert_with(|| text.clone());
        }
    }
    share_exported(sources, &found, &mut out);
    let hows = sources.packages.iter().zip(out).map(|(package, macros)| How::new(year(package.edition), macros.into()));
    (hows.collect(), found)
}

/// A package can call the macros that a dependency among the sources exports, unless it has one of that name.
fn share_exported(sources: &Sources, found: &[Definitions], out: &mut [Definitions]) {
    let exporting =
        |file: &SourceFile, found: &Definitions| !found.is_empty() && file.text.text().contains("#[macro_export");
    let mut exported: FxHashMap<&str, Vec<&Definitions>> = FxHashMap::default();
    for (file, found) in sources.files.iter().zip(found).filter(|(file, found)| exporting(file, found)) {
        exported.entry(&sources.packages[file.package].name).or_default().push(found);
    }
    for (package, out) in sources.packages.iter().zip(out) {
        let of = |krate: &String| exported.get(krate.as_str()).into_iter().flatten();
        for (name, krate) in package.dependencies.iter().filter(|(_, krate)| *krate != package.name) {
            for (macro_, text) in of(krate).flat_map(|found| found.iter()) {
                // `$crate` is the crate that defines the macro.
                let text = || text.replace("$crate", &format!("::{name}")).replace("$ crate", &format!("::{name}"));
                out.entry(macro_.clone()).or_insert_with(text);
            }
        }
    }
}

/// What a parse is to the next one.
pub struct Parsed {
    /// The program.
    pub program: Program,
    /// A number for the names of files and crates.
    pub crates: u64,
    /// What each file declares.
    pub shapes: Vec<Shape>,
    /// A number for each file's text.
    pub texts: Vec<u128>,
    /// The macros that the files of each package can call.
    pub macros: Vec<Arc<Definitions>>,
    /// Not every file was known from an earlier scan.
    pub new: bool,
}

impl Program {
    /// Parses all files.
    pub fn parse(sources: &Sources) -> Program {
        let numbers: Vec<u128> = (0..sources.files.len() as u128).collect();
        let (hows, _) = hows(sources, &numbers, &Files::default());
        // The largest files first and each by itself: the last ones to be read are short, and no thread waits for long.
        let mut order: Vec<usize> = (0..sources.files.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(sources.files[*index].text.raw().len()));
        let one = |index: usize| {
            let file = &sources.files[index];
            (index, read(file, &hows[file.package]))
        };
        let read = || order.into_par_iter().with_max_len(1).map(one).collect();
        let (mut parsed, stubs): (Vec<(usize, Option<FileSyntax>)>, _) = rayon::join(read, known::stubs);
        parsed.sort_unstable_by_key(|(index, _)| *index);
        Program::of(sources, parsed.into_iter().map(|(_, file)| file).collect(), stubs)
    }

    /// The same, but files that `cache` knows are taken from there without their bodies; afterwards it knows these files
    /// and no others.
    pub fn parse_after(sources: &Sources, cache: &mut Files) -> Parsed {
        let numbers: Vec<u128> = sources.files.par_iter().map(|file| files::number(&file.text)).collect();
        let (hows, definitions) = hows(sources, &numbers, cache);
        let earlier = std::mem::take(cache);
        type One = (Option<FileSyntax>, Shape, Option<Kept>);
        let one = |((file, number), definitions): ((&SourceFile, &u128), _)| {
            let how = &hows[file.package];
            if let Some((items, shape)) = earlier.items(*number, &file.text, how) {
                return (Some(items), shape, None);
            }
            let Some(file) = read(file, how) else { return (None, Shape::default(), None) };
            let kept = Kept::of(definitions, how, &file);
            (Some(file), kept.shape().clone(), Some(kept))
        };
        let all = sources.files.par_iter().zip(&numbers).zip(definitions).with_max_len(1);
        let (parsed, stubs): (Vec<One>, _) = rayon::join(|| all.map(one).collect(), known::stubs);
        let mut shapes = Vec::with_capacity(parsed.len());
        let mut trees = Vec::with_capacity(parsed.len());
        let mut earlier = earlier;
        let new = parsed.iter().any(|(_, _, kept)| kept.is_some());
        for ((tree, shape, kept), number) in parsed.into_iter().zip(&numbers) {
            match kept {
                Some(kept) => cache.add(*number, kept),
                None => earlier.carry(*number, cache),
            }
            trees.push(tree);
            shapes.push(shape);
        }
        let texts =
            numbers.iter().zip(&sources.files).map(|(number, file)| number_as_read(*number, &hows[file.package]));
        let texts = texts.collect();
        let program = Program::of(sources, trees, stubs);
        let all = format!("{:?} {:?}", program.names, program.crates);
        let macros = hows.into_iter().map(|how| how.macros).collect();
        Parsed { program, crates: xxh3_64(all.as_bytes()), shapes, texts, macros, new }
    }

    fn of(sources: &Sources, parsed: Vec<Option<FileSyntax>>, stubs: Vec<(Symbol, FileSyntax)>) -> Program {
        let broken = (0..parsed.len()).filter(|index| parsed[*index].is_none()).collect();
        let mut files: Vec<FileSyntax> = parsed.into_iter().map(Option::unwrap_or_default).collect();
        let mut names: Vec<String> = sources.files.iter().map(|file| file.display.clone()).collect();
        let mut paths: Vec<PathBuf> = sources.files.iter().map(|file| file.path.clone()).collect();
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

/// `None` where the parser went wrong.
fn read(file: &SourceFile, how: &How) -> Option<FileSyntax> {
    std::panic::catch_unwind(|| crate::syntax::parse_with(file.text.text(), how.edition, &how.macros)).ok()
}

fn year(edition: Edition) -> u16 {
    edition.name().parse().unwrap_or(2021)
}

/// One crate per target; files that no target includes hang below the package's first one.
fn crates_of(sources: &Sources) -> Vec<CrateInput> {
    let mut out = Vec::new();
    for (index, package) in sources.packages.iter().enumerate() {
        let dependencies: Dependencies =
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

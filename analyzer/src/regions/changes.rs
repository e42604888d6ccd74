//! What changed since an earlier walk: which files must be looked at again, and which number each body had.
//!
//! A function that is added, removed or changed means something only to code that says its name. So where nothing else
//! changed, what was found in files that do not say it still holds, but for the numbers of the bodies. Guarantees: an
//! earlier walk is only used where this is certain: names that code can call without saying them ([`UNSAID`]), names in
//! macros, functions that swapped places and other items give `None`.

use std::collections::VecDeque;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::earlier::Walked;
use crate::model::Model;
use crate::syntax::Symbol;
use crate::syntax::keep::{FunctionShape, Shape};
use crate::syntax::words::Words;

/// What a scan knows of its sources before anything is walked.
pub struct Given<'t> {
    /// A number for the files, the crates and the settings.
    pub items: u64,
    /// What each file declares.
    pub shapes: Vec<Shape>,
    /// A number for each file's text.
    pub texts: Vec<u128>,
    /// Who says what.
    pub words: Words<'t>,
}

/// More changed names than this are not looked for one by one.
const MOST_NAMES: usize = 32;

/// Methods that operators, loops, `await`, formatting and scopes call, and what is special by its name.
const UNSAID: &[&str] = &[
    "add",
    "bitand",
    "bitor",
    "bitxor",
    "borrow",
    "call",
    "call_mut",
    "call_once",
    "clone",
    "cmp",
    "collect",
    "default",
    "deref",
    "deref_mut",
    "div",
    "drop",
    "eq",
    "fmt",
    "from",
    "from_iter",
    "hash",
    "index",
    "index_mut",
    "into",
    "into_future",
    "into_iter",
    "iter",
    "iter_mut",
    "lock",
    "main",
    "mul",
    "ne",
    "neg",
    "next",
    "not",
    "partial_cmp",
    "poll",
    "read",
    "rem",
    "shl",
    "shr",
    "sub",
    "to_string",
    "write",
];

/// The way from an earlier walk to this one.
pub(super) struct Changes {
    /// For every body of the earlier walk its number now.
    pub(super) now: Vec<Option<u32>>,
    /// By file: its bodies are what they were.
    pub(super) same: Vec<bool>,
}

/// For every function of a file where it is among those that are there now, and how many these are.
type Moved = (Vec<Option<u32>>, usize);

/// `None`: nothing of the earlier walk can be used.
pub(super) fn changes(earlier: &Walked, given: &Given<'_>, model: &Model<'_>) -> Option<Changes> {
    let (shapes, texts) = (&earlier.shapes, &earlier.files);
    if earlier.items != given.items || shapes.len() != given.shapes.len() || texts.len() != given.texts.len() {
        return None;
    }
    let mut names: FxHashSet<Symbol> = FxHashSet::default();
    let mut moved: FxHashMap<u32, Moved> = FxHashMap::default();
    for (file, (before, after)) in shapes.iter().zip(&given.shapes).enumerate().filter(|(_, (a, b))| a != b) {
        if before.rest != after.rest {
            return None;
        }
        let now = matched(&before.functions, &after.functions, &mut names)?;
        moved.insert(file as u32, (now, after.functions.len()));
    }
    let names = with_other_names(names, model);
    let unsaid = names.iter().any(|name| UNSAID.contains(&name.as_str()));
    if names.len() > MOST_NAMES || unsaid || given.words.macros_say(&names) {
        return None;
    }
    let now = numbers(&earlier.functions, &moved, model)?;
    let statics = (0..model.statics.len()).map(|index| Some((model.fns.len() + index) as u32));
    let same = |file: usize| texts[file] == given.texts[file] && !given.words.file_says(file, &names);
    Some(Changes {
        now: now.into_iter().chain(statics).collect(),
        same: (0..texts.len()).into_par_iter().map(same).collect(),
    })
}

/// For each function of a file where it is now; `None` where they swapped places. Adds the names of those that are not
/// what they were.
fn matched(
    before: &[FunctionShape],
    after: &[FunctionShape],
    names: &mut FxHashSet<Symbol>,
) -> Option<Vec<Option<u32>>> {
    let mut places: FxHashMap<u64, VecDeque<usize>> = FxHashMap::default();
    for (at, function) in after.iter().enumerate() {
        places.entry(function.path).or_default().push_back(at);
    }
    let mut last = None;
    let mut out = Vec::with_capacity(before.len());
    let mut found = vec![false; after.len()];
    for function in before {
        let at = places.get_mut(&function.path).and_then(VecDeque::pop_front);
        match at {
            Some(at) if last >= Some(at) => return None,
            Some(at) => {
                last = Some(at);
                found[at] = true;
                if after[at].signature != function.signature {
                    names.insert(function.name);
                }
            }
            None => {
                names.insert(function.name);
            }
        }
        out.push(at.map(|at| at as u32));
    }
    names.extend(after.iter().zip(found).filter(|(_, found)| !found).map(|(function, _)| function.name));
    Some(out)
}

/// The names, and those that imports give to what they name.
fn with_other_names(mut names: FxHashSet<Symbol>, model: &Model<'_>) -> Vec<Symbol> {
    while !names.is_empty() {
        let before = names.len();
        for (alias, imports) in model.modules.iter().flat_map(|module| &module.imports) {
            let named = |path: &[Symbol]| path.last().is_some_and(|last| names.contains(last));
            if !names.contains(alias) && imports.iter().any(|import| named(&import.path)) {
                names.insert(*alias);
            }
        }
        if names.len() == before {
            break;
        }
    }
    names.into_iter().collect()
}

/// For every function of the earlier walk its number now: in a file that declares what it declared they stand in the same
/// order. `earlier` has their files.
fn numbers(earlier: &[u32], moved: &FxHashMap<u32, Moved>, model: &Model<'_>) -> Option<Vec<Option<u32>>> {
    let mut by_file: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (number, function) in model.fns.iter().enumerate() {
        by_file.entry(function.file).or_default().push(number as u32);
    }
    let mut seen: FxHashMap<u32, usize> = FxHashMap::default();
    let mut out = Vec::with_capacity(earlier.len());
    for file in earlier {
        let at = seen.entry(*file).or_default();
        let there = match moved.get(file) {
            Some((moved, _)) => *moved.get(*at)?,
            None => Some(*at as u32),
        };
        *at += 1;
        out.push(match there {
            Some(there) => Some(*by_file.get(file)?.get(there as usize)?),
            None => None,
        });
    }
    // A file that nothing mounts has a shape and no functions.
    let count = |map: Option<usize>| map.unwrap_or(0);
    let before = |file: &u32| count(seen.get(file).copied());
    let now = |file: &u32| count(by_file.get(file).map(Vec::len));
    let whole = moved.iter().all(|(file, (moved, after))| before(file) == moved.len() && now(file) == *after);
    let others = by_file.keys().filter(|file| !moved.contains_key(file)).all(|file| before(file) == now(file));
    (whole && others).then_some(out)
}

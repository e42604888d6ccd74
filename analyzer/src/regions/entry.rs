//! Which functions can be entered from outside: those may be called with nothing held.
//!
//! Guarantees: a function that is public, implements a trait, is a test or `main`, or is used as a value counts as one
//! that anybody may call. All others are only entered where the sources call them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::ROUNDS;
use super::context::Context;
use super::earlier::Links;
use super::output::{Alone, Gates, Output};
use crate::model::FnId;

/// Locks kept per function: along a chain of calls that each hold one more, all of them would be quadratic.
pub(super) const MOST_GATES: usize = 16;

/// Functions that anybody may call.
pub(super) fn roots(cx: &Context<'_>, links: &[Links]) -> FxHashSet<FnId> {
    let mut out = FxHashSet::default();
    for (index, function) in cx.model.fns.iter().enumerate() {
        let of_trait = function.trait_.is_some()
            || function.impl_.is_some_and(|id| cx.model.impls[id.0 as usize].trait_path.is_some());
        if function.syntax.public || of_trait || function.syntax.test || function.syntax.name.as_str() == "main" {
            out.insert(FnId(index as u32));
        }
    }
    out.extend(links.iter().flat_map(|links| &links.values));
    out
}

/// Functions that are only ever called on what nobody else can reach: private ones, all of whose callers have it as
/// `&mut self` or `self`, or are such functions themselves. Linear in calls times the length of the longest chain that
/// does not end so.
pub(super) fn alone(roots: &FxHashSet<FnId>, out: &Output) -> FxHashSet<u32> {
    let mut alone: FxHashSet<u32> = out.calls.keys().filter(|id| !roots.contains(id)).map(|id| id.0).collect();
    for _ in 0..ROUNDS * 4 {
        let holds = |id: &u32, alone: &FxHashSet<u32>| {
            let mut calls = out.calls.get(&FnId(*id)).into_iter().flatten();
            calls.all(|(caller, _, how)| match how {
                Alone::Yes => true,
                Alone::LikeCaller => alone.contains(&caller.0),
                Alone::No => false,
            })
        };
        let kept: FxHashSet<u32> = alone.iter().filter(|id| holds(id, &alone)).copied().collect();
        if kept.len() == alone.len() {
            return alone;
        }
        alone = kept;
    }
    // Not settled: nothing is said.
    FxHashSet::default()
}

/// What is surely held whenever a function is entered keeps its pairs apart from others, too. Only for functions that
/// nobody outside the sources can call; computed from callers down until nothing changes. With it comes the number of
/// functions of which not all of it was kept.
pub(super) fn gates(cx: &Context<'_>, roots: &FxHashSet<FnId>, out: &Output) -> (FxHashMap<u32, Gates>, usize) {
    let mut entry: FxHashMap<u32, Gates> = FxHashMap::default();
    let mut cut = FxHashSet::default();
    for _ in 0..ROUNDS * 4 {
        let mut changed = false;
        for index in 0..cx.model.fns.len() as u32 {
            let id = FnId(index);
            if roots.contains(&id) {
                continue;
            }
            let Some(calls) = out.calls.get(&id) else { continue };
            let mut common: Option<Gates> = None;
            for (caller, held, _) in calls {
                let mut here = held.clone();
                if let Some(outer) = entry.get(&caller.0) {
                    here.extend(outer.iter().map(|(key, mode)| (key.clone(), *mode)));
                }
                common = Some(match common {
                    None => here,
                    Some(before) => before.into_iter().filter(|(key, mode)| here.get(key) == Some(mode)).collect(),
                });
            }
            let mut common = common.unwrap_or_default();
            while common.len() > MOST_GATES {
                common.pop_last();
                cut.insert(index);
            }
            if !common.is_empty() && entry.get(&index) != Some(&common) {
                entry.insert(index, common);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    (entry, cut.len())
}

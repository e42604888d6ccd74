//! Which functions can run on several threads at once, and so which stale reads can be interfered with.
//!
//! A function runs concurrently where the sources give it, or something that calls it, to a thread, pool or runtime
//! (in a loop, from a function that itself may be called again, or beside another writer of the same cell); or where
//! its crate is a library and anybody may call it: then the cell must be one of the receiver's, a static's, or be
//! taken visibly in the function itself.
//!
//! Misses: function pointers, handlers that a framework finds by macro.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use super::criteria::Statement;
use super::stale::{Dependence, Stale};
use super::{Facts, cells, interior};
use crate::finding::Location;
use crate::model::{Def, FnId};
use crate::regions::Regions;
use crate::regions::context::Context;
use crate::regions::output::Gates;
use crate::regions::place::BodyId;
use crate::syntax::Symbol;

/// How many calls from a spawned closure a function still counts as spawned: further away it is anybody's.
const DEEPEST: u32 = 3;

/// Why a function can run on several threads at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// It is given to a thread, pool or runtime here.
    Spawned(Location),
    /// Anybody may call it.
    Callable,
}

/// A stretch of code that runs concurrently and relies on shared state that it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeRegion {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// Where it is given to another thread.
    pub started: Location,
    /// The reads and the writes that rely on them.
    pub pairs: Vec<Stale>,
    /// Statements that must stay in their order.
    pub keep: Vec<Statement>,
    /// Statements that may run at any time.
    pub free: Vec<Statement>,
}

/// The statements of a function with their criteria.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    /// The function.
    pub function: String,
    /// Its name's place.
    pub at: Location,
    /// In the order written.
    pub statements: Vec<Statement>,
}

/// Decides what of the stale reads is reported, and how; `facts` are those of all bodies, `entry` what is held whenever one is entered.
pub(in crate::regions) fn finish(
    cx: &Context<'_>,
    facts: &BTreeMap<u32, Box<Facts>>,
    entry: &FxHashMap<u32, Gates>,
    regions: &mut Regions,
) {
    let spawned = spawned(cx, facts);
    let callable = callable(cx, facts);
    let mut writers: FxHashMap<&str, Vec<(u32, Option<u32>)>> = FxHashMap::default();
    for (body, facts) in facts {
        if !cx.bodies[*body as usize].test {
            facts.writes.iter().for_each(|(key, spawn)| writers.entry(key).or_default().push((*body, *spawn)));
        }
    }
    let exchanged: FxHashSet<&str> =
        facts.values().flat_map(|facts| facts.exchanged.iter().map(String::as_str)).collect();
    cells::find(facts, entry, regions);
    interior::finish(cx, facts, &spawned, regions);
    for (body, facts) in facts {
        if cx.sections && !facts.statements.is_empty() {
            regions.sections.push(sections(cx, *body, facts));
        }
        let mut unsafe_: BTreeMap<Option<u32>, UnsafeRegion> = BTreeMap::new();
        for stale in &facts.stale {
            let protocol = stale.protocol || exchanged.contains(stale.key.as_str());
            let stale = &Stale { protocol, ..stale.clone() };
            let evidence = match stale.spawn {
                Some(spawn) => Some(Evidence::of(cx, *body, facts, spawn, &spawned)),
                None => spawned.get(body).cloned(),
            };
            let elsewhere = || {
                let all = writers.get(stale.key.as_str());
                all.is_some_and(|all| all.iter().any(|writer| *writer != (*body, stale.spawn)))
            };
            let concurrency = match evidence {
                _ if stale.own => None,
                Some(evidence) if evidence.has(stale) && (evidence.many || elsewhere()) => {
                    Some(Concurrency::Spawned(evidence.site))
                }
                _ => {
                    let visible = stale.of_self || (stale.read_in.is_none() && stale.write_in.is_none());
                    (callable.contains(body) && stale.spawn.is_none() && visible).then_some(Concurrency::Callable)
                }
            };
            let Some(concurrency) = concurrency else { continue };
            match &concurrency {
                Concurrency::Spawned(site)
                    if !stale.atomic
                        && stale.dependence != Dependence::Early
                        && !stale.state_machine
                        && !free(facts, stale.spawn).is_empty() =>
                {
                    let region = unsafe_.entry(stale.spawn).or_insert_with(|| UnsafeRegion {
                        function: stale.function.clone(),
                        test: stale.test,
                        started: site.clone(),
                        pairs: Vec::new(),
                        keep: kept(facts, stale.spawn),
                        free: free(facts, stale.spawn),
                    });
                    region.pairs.push(stale.clone());
                }
                _ => regions.stale.push((stale.clone(), concurrency)),
            }
        }
        regions.unsafe_regions.extend(unsafe_.into_values());
    }
}

fn of(facts: &Facts, spawn: Option<u32>) -> impl Iterator<Item = &Statement> {
    facts.statements.iter().filter(move |statement| statement.spawn == spawn && !statement.composite)
}

fn free(facts: &Facts, spawn: Option<u32>) -> Vec<Statement> {
    let does = |statement: &&Statement| !statement.calls.is_empty() || !statement.unknown.is_empty();
    of(facts, spawn).filter(|statement| statement.is_free()).filter(does).cloned().collect()
}

fn kept(facts: &Facts, spawn: Option<u32>) -> Vec<Statement> {
    of(facts, spawn).filter(|statement| !statement.is_free()).cloned().collect()
}

fn sections(cx: &Context<'_>, body: u32, facts: &Facts) -> Sections {
    let span = match cx.model.fns.get(body as usize) {
        Some(function) => function.syntax.span,
        None => cx.model.statics[body as usize - cx.model.fns.len()].span,
    };
    Sections {
        function: cx.name(BodyId(body)),
        at: cx.location(super::site(cx, BodyId(body), span)),
        statements: facts.statements.clone(),
    }
}

#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) site: Location,
    pub(super) many: bool,
    /// Calls from the spawned closure.
    depth: u32,
    /// Bit `i`: parameter `i` is something that other threads have, too.
    shared: u64,
}

impl Evidence {
    /// That of a closure spawned in `body`.
    fn of(cx: &Context<'_>, body: u32, facts: &Facts, spawn: u32, spawned: &FxHashMap<u32, Evidence>) -> Evidence {
        let again = spawned.contains_key(&body) || !is_once(cx, body);
        let (site, many) = match facts.spawns.get(spawn as usize) {
            Some(spawn) => (cx.location(spawn.site), spawn.many),
            None => (Location::default(), false),
        };
        Evidence { site, many: many || again, depth: 0, shared: u64::MAX }
    }

    /// Whether other threads have the cell, too.
    fn has(&self, stale: &Stale) -> bool {
        stale.param.is_none_or(|param| self.shared & 1u64.checked_shl(param).unwrap_or(0) != 0)
    }
}

/// Whether a body runs once in a program.
fn is_once(cx: &Context<'_>, body: u32) -> bool {
    let Some(function) = cx.model.fns.get(body as usize) else { return true };
    function.syntax.test || (function.syntax.name.as_str() == "main" && function.impl_.is_none())
}

/// Functions that the sources run on other threads.
fn spawned(cx: &Context<'_>, facts: &BTreeMap<u32, Box<Facts>>) -> FxHashMap<u32, Evidence> {
    let mut out: FxHashMap<u32, Evidence> = FxHashMap::default();
    let mut open: VecDeque<(u32, Evidence)> = VecDeque::new();
    for (body, facts) in facts {
        for called in &facts.calls {
            let Some(spawn) = called.spawn else { continue };
            let evidence = Evidence::of(cx, *body, facts, spawn, &FxHashMap::default());
            open.push_back((called.function.0, Evidence { shared: called.shared, ..evidence }));
        }
    }
    while let Some((body, evidence)) = open.pop_front() {
        match out.get_mut(&body) {
            Some(known) => {
                let more = evidence.shared & !known.shared;
                // Spawned at two places: it runs beside itself.
                let many = known.many || evidence.many || known.site != evidence.site;
                if more == 0 && many == known.many {
                    continue;
                }
                known.shared |= more;
                known.many = many;
            }
            None => {
                out.insert(body, evidence.clone());
            }
        }
        let evidence = out[&body].clone();
        if evidence.depth >= DEEPEST {
            continue;
        }
        for called in facts.get(&body).map_or(&[][..], |facts| &facts.calls) {
            let bit = |param: u32| 1u64.checked_shl(param).unwrap_or(0);
            let lent = called.lends.iter().filter(|(_, own)| evidence.shared & bit(*own) != 0);
            let shared = lent.fold(0, |bits, (param, _)| bits | bit(*param));
            open.push_back((called.function.0, Evidence { shared, depth: evidence.depth + 1, ..evidence.clone() }));
        }
    }
    out
}

/// Functions of libraries that anybody may call, and what they call.
fn callable(cx: &Context<'_>, facts: &BTreeMap<u32, Box<Facts>>) -> FxHashSet<u32> {
    let main = Symbol::from("main");
    let is_library = |id: FnId| {
        let module = cx.model.function(id).module;
        let root = cx.model.crate_of(module).root;
        !matches!(cx.model.module(root).values.get(&main), Some(Def::Fn(_)))
    };
    let mut called: FxHashSet<u32> = FxHashSet::default();
    for facts in facts.values() {
        called.extend(facts.calls.iter().map(|called| called.function.0));
    }
    let mut open: Vec<u32> = Vec::new();
    for body in facts.keys() {
        let id = FnId(*body);
        let Some(function) = cx.model.fns.get(*body as usize) else { continue };
        let of_trait = function.impl_.is_some_and(|id| cx.model.impls[id.0 as usize].trait_path.is_some());
        let entered = function.syntax.public || of_trait || function.trait_.is_some() || !called.contains(body);
        if entered && !function.test && is_library(id) {
            open.push(*body);
        }
    }
    let mut out: FxHashSet<u32> = open.iter().copied().collect();
    while let Some(body) = open.pop() {
        for called in facts.get(&body).map_or(&[][..], |facts| &facts.calls) {
            if called.spawn.is_none() && out.insert(called.function.0) {
                open.push(called.function.0);
            }
        }
    }
    out
}

//! Who is held where: guard scopes, held sets and function summaries, bottom-up over the call graph.
//!
//! Guarantees: functions are walked callees first, so that a call is seen with everything its callee takes; groups of
//! functions that call each other are walked until nothing changes (at most [`ROUNDS`] times). The result does not
//! depend on threads or hash order.
//!
//! Misses: calls that the model cannot resolve; they take nothing and keep nothing.

mod behind;
pub mod blocking;
mod callbacks;
mod changes;
mod context;
pub mod declared;
mod earlier;
pub mod effects;
mod entry;
mod glue;
mod names;
pub mod order;
mod output;
pub mod place;
mod shared;
pub mod state;
pub mod summary;
mod walk;

use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::finding::{Confidence, Location, Notice, NoticeKind};
use crate::graph::LockMode;
use crate::model::infer::{BodyTypes, Target};
use crate::model::locks::Waiting;
use crate::model::numbers::Numbers;
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model};
use context::Context;
use declared::{Declarations, Declared};
use earlier::{Corrupt, Links, Memory, Walk};
use output::Output;
use place::{BodyId, ClassName, Place};
use walk::Group;

pub use changes::Given;
pub use earlier::Walked;
pub use shared::Shared;

/// How often a group of mutually recursive functions is walked.
pub const ROUNDS: usize = 4;
/// Larger groups are walked once more only.
const LARGE_GROUP: usize = 200;

/// So many bodies are typed by one thread before another one can take over: few enough that all threads end together.
const BODIES: usize = 32;
/// The same for groups that are walked, or taken over.
const GROUPS: usize = 8;

/// Whether two locks are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sameness {
    /// Of different classes.
    Different,
    /// Of one class, perhaps different instances.
    SameClass,
    /// The same lock.
    Same,
}

/// One side of a [`Pair`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its class, where known.
    pub class: Option<ClassName>,
    /// The access path, for telling instances apart.
    pub place: Place,
    /// Its name where it has no class: the parameter it came in by.
    pub param: Option<String>,
    /// The type as the user knows it, `parking_lot::RwLock`.
    pub kind: String,
    /// How it is taken.
    pub mode: LockMode,
    /// Where.
    pub site: Location,
    /// The calls to there.
    pub way: Vec<Location>,
    /// What a waiter does.
    pub waiting: Waiting,
    /// Its holder may take it again.
    pub reentrant: bool,
    /// It was found under another name.
    #[serde(skip)]
    pub shared: Option<Shared>,
}

/// A lock wanted while another is held: a critical pair with one element of its held set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The function in which both meet.
    pub function: String,
    /// A number per function.
    #[serde(with = "crate::model::numbers")]
    pub body: u32,
    /// The thread or task that the function spawned for it, as an index into [`Regions::tasks`]; `None` for its own.
    pub task: Option<usize>,
    /// When the request is made, in steps of the function.
    pub step: u32,
    /// The function has one of the locks to itself: it owns what it lies in, or borrows it as `&mut self`.
    pub exclusive: bool,
    /// Only in test code.
    pub test: bool,
    /// The held lock.
    pub held: Side,
    /// The held guard comes from a `try_` call.
    pub held_try: bool,
    /// Held on every path.
    pub must: bool,
    /// The wanted lock.
    pub wanted: Side,
    /// Class keys, places and modes of everything surely held.
    pub gates: Vec<(Option<String>, Place, LockMode)>,
    /// Whether both are one lock.
    pub same: Sameness,
    /// How sure the identities are.
    pub confidence: Confidence,
    /// A callback that is kept in a field wants the lock; the way names where it is registered.
    pub callback: bool,
    /// The function makes the request itself, whichever branches it takes.
    pub always: bool,
    /// The function is a method on `&mut self` of this type, of which the sources keep one object behind a lock.
    #[serde(skip)]
    pub behind: Option<AdtId>,
}

/// A spawned thread or task, in steps of the function that spawns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// When it was spawned.
    pub spawned: u32,
    /// When it was joined, where that can be seen.
    pub joined: Option<u32>,
    /// Spawned in a loop: it runs beside itself.
    pub many: bool,
}

/// A thread-blocking guard that lives across an await.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAtAwait {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The guard.
    pub held: Side,
    /// Held on every path.
    pub must: bool,
    /// The await.
    pub at: Location,
}

/// A guard that is dropped by the statement that makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedAtOnce {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The guard.
    pub held: Side,
}

/// A write to a `static mut` without a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticWrite {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The static's name.
    pub name: String,
    /// Its declaration.
    pub declared: Declared,
    /// The write.
    pub at: Location,
    /// The code says that nobody else is there: it is an `unsafe fn`, whose contract is the caller's, or decides by an
    /// atomic or a `Once` who writes.
    pub reserved: bool,
}

/// What the static rules read.
#[derive(Debug, Default)]
pub struct Regions {
    /// Names of the files, for declarations.
    pub files: Vec<String>,
    /// Where things are declared.
    pub declarations: Declarations,
    /// Critical pairs, in order of functions.
    pub pairs: Vec<Pair>,
    /// Guards across awaits.
    pub awaits: Vec<HeldAtAwait>,
    /// Guards dropped at once.
    pub dropped: Vec<DroppedAtOnce>,
    /// Writes to `static mut`.
    pub static_writes: Vec<StaticWrite>,
    /// Stale reads, each with the reason why others can interfere.
    pub stale: Vec<(effects::stale::Stale, effects::reach::Concurrency)>,
    /// Stretches of concurrent code that rely on shared state that they do not hold.
    pub unsafe_regions: Vec<effects::reach::UnsafeRegion>,
    /// Uses of cells without the lock that all others hold.
    pub unguarded: Vec<effects::cells::Unguarded>,
    /// `unsafe impl Sync` and `Send` that do not hold.
    pub claims: Vec<effects::interior::Claim>,
    /// Writes without synchronisation to what other threads have, too.
    pub unsynchronized: Vec<effects::interior::Unsynchronized>,
    /// Statements with their criteria, where they were asked for.
    pub sections: Vec<effects::reach::Sections>,
    /// Spawned threads and tasks.
    pub tasks: Vec<Task>,
    /// Waits for other things than locks, and what ends them.
    pub blocking: blocking::Blocking,
    /// Acquisitions of known locks, each with the lock's class.
    pub acquired: Vec<(summary::Site, place::ClassName)>,
    /// Acquisitions in the sources.
    pub acquisitions: usize,
    /// Those whose lock stayed unknown.
    pub unresolved: usize,
    /// Classes that are taken somewhere.
    pub classes: usize,
    /// Functions with a body.
    pub functions: usize,
    /// Functions whose summaries were cut short.
    pub truncated: usize,
    /// Functions that are entered with more locks held than are kept.
    pub gates_cut: usize,
    /// Calls of registered callbacks that were not followed to all of them.
    pub callbacks_cut: usize,
}

impl Regions {
    /// What was cut short.
    pub fn notices(&self) -> impl Iterator<Item = Notice> {
        let summaries = format!(
            "{} functions take more locks than are kept ({} each), or call closures too often: findings through them may be missing",
            self.truncated,
            summary::MOST_ACQUIRES
        );
        let gates = format!(
            "{} functions are entered with more locks held than are kept ({} each): findings in them may have a gate that is not seen",
            self.gates_cut,
            entry::MOST_GATES
        );
        let callbacks = format!(
            "{} calls of registered callbacks have more behind them than is followed: findings through them may be missing",
            self.callbacks_cut
        );
        [(self.truncated, summaries), (self.gates_cut, gates), (self.callbacks_cut, callbacks)]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(_, message)| Notice { kind: NoticeKind::Truncated, file: None, line: None, message })
    }
}

/// Walks everything. `files` are the names of the model's files as reports show them. Types are inferred in parallel,
/// bodies that do not call each other are walked in parallel; cost is linear in the size of the bodies, for mutual
/// recursion times the rounds.
pub fn regions(model: &Model<'_>, files: &[String]) -> Regions {
    let cx = context::context(model, files);
    let out = walk_all(&cx, None).map(|(regions, _)| regions).unwrap_or_default();
    cx.free();
    out
}

/// The same with the statements of every function ([`Regions::sections`]).
pub fn sections(model: &Model<'_>, files: &[String]) -> Regions {
    let mut cx = context::context(model, files);
    cx.sections = true;
    walk_all(&cx, None).map(|(regions, _)| regions).unwrap_or_default()
}

/// The same as [`regions`], but what an earlier walk found is taken over where it still holds.
pub fn regions_after(
    model: &Model<'_>,
    files: &[String],
    given: Given<'_>,
    earlier: Option<Walked>,
) -> (Regions, Walked) {
    let mut cx = context::context(model, files);
    let memory = Memory::new(given, model, earlier);
    let anew = memory.without_earlier();
    let names = memory.names(&cx);
    cx.names.know(names);
    let first = walk_all(&cx, Some(memory));
    first.or_else(|_| walk_all(&context::context(model, files), Some(anew))).unwrap_or_default()
}

/// Neighbouring groups of bodies of one level, done by one thread.
#[derive(Default)]
struct Done<'g> {
    /// What was found in all of them.
    found: Output,
    /// In their order, with their walk where they were not taken over.
    groups: Vec<(&'g [BodyId], Option<Walk>)>,
}

fn walk_all(cx: &Context<'_>, mut memory: Option<Memory>) -> Result<(Regions, Walked), Corrupt> {
    let mut out = Output::default();
    let links: Vec<Links> = match &mut memory {
        Some(memory) => memory.links(cx),
        None => {
            let bodies = (0..cx.bodies.len() as u32).into_par_iter();
            bodies.with_max_len(BODIES).map(|index| Links::of(cx, BodyId(index))).collect()
        }
    };
    for level in levels(groups(&links), &links) {
        if let Some(memory) = &memory {
            recall(cx, memory, level.iter().filter(|group| !memory.holds(cx, group, &links)), &links)?;
        }
        let keep = memory.as_ref().map(Memory::numbers);
        let done: Vec<Done<'_>> = level
            .par_chunks(GROUPS)
            .map(|groups| {
                let mut done = Done::default();
                for group in groups {
                    let known = match &memory {
                        Some(memory) => memory.found(cx, group, &links)?,
                        None => None,
                    };
                    let (found, walk) = match known {
                        Some(found) => (found, None),
                        None => {
                            let (found, walk) = walk_group(cx, group, &links, keep.as_ref());
                            (found, Some(walk))
                        }
                    };
                    done.found.merge(found);
                    done.groups.push((group, walk));
                }
                Ok(done)
            })
            .collect::<Result<_, _>>()?;
        for done in done {
            out.merge(done.found);
            for (group, walk) in done.groups {
                match walk {
                    None => memory.iter_mut().for_each(|memory| memory.keep(group)),
                    Some(mut walk) => {
                        memory.iter_mut().for_each(|memory| memory.note(group, &mut walk));
                        for (id, summary) in walk.summaries.into_summaries() {
                            cx.set_summary(id, summary);
                        }
                    }
                }
            }
        }
    }
    cx.names.finish_walking();
    let roots = entry::roots(cx, &links);
    let waits = blocking::link::finish(&roots, &mut out);
    let (entry, gates_cut) = entry::gates(cx, &roots, &out);
    let callbacks_cut = callbacks::connect(cx, &mut out);
    let facts = std::mem::take(&mut out.facts);
    let flows = std::mem::take(&mut out.flows);
    let alone = entry::alone(&roots, &out);
    let mut regions = out.into_regions(cx, &entry, &alone);
    let taken = regions.acquired.iter().map(|(_, class)| class.key.clone()).collect();
    shared::rename(&shared::names(flows.iter(), &taken), &mut regions, |site| cx.location(site));
    effects::reach::finish(cx, &facts, &entry, &mut regions);
    regions.blocking = waits;
    regions.files = cx.files.to_vec();
    regions.declarations = Declarations::of(cx.model);
    regions.functions =
        cx.model.fns.iter().filter(|function| function.syntax.body.is_some() && !stub(cx.model, function)).count();
    let (walked, truncated) = match memory {
        Some(memory) => memory.finish(links, cx.names.asked()),
        None => (Walked::default(), cx.truncated()),
    };
    regions.truncated = truncated;
    regions.gates_cut = gates_cut;
    regions.callbacks_cut = callbacks_cut;
    Ok((regions, walked))
}

/// Fetches the summaries that walking `groups` needs and that nobody made in this walk.
fn recall<'g>(
    cx: &Context<'_>,
    memory: &Memory,
    groups: impl Iterator<Item = &'g Vec<BodyId>>,
    links: &[Links],
) -> Result<(), Corrupt> {
    for id in groups.flatten() {
        for callee in &links[id.0 as usize].calls {
            if cx.summary(*callee).is_none() {
                for (id, summary) in memory.summaries(*callee)? {
                    cx.set_summary(id, summary);
                }
            }
        }
    }
    Ok(())
}

/// Walks bodies that call each other, until nothing changes or the limit of rounds is reached.
fn walk_group(cx: &Context<'_>, group: &[BodyId], links: &[Links], keep: Option<&Arc<Numbers>>) -> (Output, Walk) {
    let mut out = Output::default();
    let mut summaries = Group::with_capacity(group.len());
    let calls_itself = |id: BodyId| links[id.0 as usize].calls.binary_search(&FnId(id.0)).is_ok();
    let rounds = match group.len() {
        1 => 1 + usize::from(calls_itself(group[0])),
        n if n > LARGE_GROUP => 2,
        _ => ROUNDS,
    };
    // The round in which each summary changed last.
    let mut changed: FxHashMap<FnId, usize> = FxHashMap::default();
    for round in 0..rounds {
        for id in group {
            let news = |callee: &FnId| changed.get(callee).is_some_and(|last| last + 1 >= round);
            if round > 0 && !links[id.0 as usize].calls.iter().any(news) {
                continue;
            }
            let summary = walk::walk(cx, &summaries, *id, &mut out);
            if summaries.get(*id) != Some(&summary) {
                summaries.insert(*id, summary);
                changed.insert(FnId(id.0), round);
            }
        }
    }
    let walk = Walk::new(group, summaries, &out, keep);
    (out, walk)
}

/// Groups by the longest chain of calls below them: those of one level do not call each other.
fn levels(groups: Vec<Vec<BodyId>>, links: &[Links]) -> Vec<Vec<Vec<BodyId>>> {
    // Callees come first: what has no level yet is of the group itself.
    let mut level_of: Vec<Option<usize>> = vec![None; links.len()];
    let mut out: Vec<Vec<Vec<BodyId>>> = Vec::new();
    for group in groups {
        let below = group.iter().flat_map(|id| &links[id.0 as usize].calls).filter_map(|id| level_of[id.0 as usize]);
        let level = below.map(|level| level + 1).max().unwrap_or(0);
        for id in &group {
            level_of[id.0 as usize] = Some(level);
        }
        if out.len() <= level {
            out.resize_with(level + 1, Vec::new);
        }
        out[level].push(group);
    }
    out
}

fn stub(model: &Model<'_>, function: &crate::model::FnData<'_>) -> bool {
    model.crate_of(function.module).stub
}

/// What a body calls, in a fixed order.
fn callees(cx: &Context<'_>, types: &BodyTypes) -> Vec<FnId> {
    let direct = types.calls.values().flat_map(|callee| {
        let target = match callee.target {
            Target::Fn(function) => Some(function),
            _ => None,
        };
        target.into_iter().chain(callee.derefs.iter().copied())
    });
    let locals = types.locals.iter().filter(|local| !local.by_ref).map(|local| &local.ty);
    // Values that nobody takes, temporaries, and elements of collections.
    let made = types.distinct().iter();
    let elements = types.calls.values().flat_map(|callee| match callee.on.peeled() {
        Ty::Adt(_, args) => args.iter().collect(),
        _ => Vec::new(),
    });
    let mut dropped: FxHashSet<&Ty> = FxHashSet::default();
    if !cx.drops.is_empty() {
        dropped.extend(locals.chain(made).chain(elements).filter(|ty| matches!(ty, Ty::Adt(..))));
    }
    let locals = dropped.iter().flat_map(|ty| glue::glue(cx.model, &cx.drops, ty)).map(|(drop, _)| drop);
    // `.map(Self::parse)`: named here, and called by whom it is given to.
    let named = types.names.values().filter_map(|name| match name {
        crate::model::infer::Name::Fn(function) => Some(*function),
        _ => None,
    });
    let mut out: Vec<FnId> =
        direct.chain(locals).chain(named).filter_map(|function| cx.model.dispatch(function)).flatten().collect();
    out.extend(types.fields.values().flat_map(|(_, derefs)| derefs.iter().copied()));
    out.extend(types.hidden.values().copied());
    out.extend(walk::lazy_statics(cx, types));
    out.sort_unstable();
    out.dedup();
    out
}

/// Groups of mutually recursive bodies, callees first.
fn groups(links: &[Links]) -> Vec<Vec<BodyId>> {
    let mut graph: DiGraph<BodyId, ()> = DiGraph::new();
    for index in 0..links.len() {
        graph.add_node(BodyId(index as u32));
    }
    for (index, links) in links.iter().enumerate() {
        for callee in &links.calls {
            graph.add_edge(NodeIndex::new(index), NodeIndex::new(callee.0 as usize), ());
        }
    }
    petgraph::algo::kosaraju_scc(&graph)
        .into_iter()
        .map(|group| {
            let mut group: Vec<BodyId> = group.into_iter().map(|node| graph[node]).collect();
            group.sort_unstable();
            group
        })
        .collect()
}

//! Who is held where: guard scopes, held sets and function summaries, bottom-up over the call graph.
//!
//! Guarantees: functions are walked callees first, so that a call is seen with everything its callee takes; groups of
//! functions that call each other are walked until nothing changes (at most [`ROUNDS`] times). The result does not
//! depend on threads or hash order.
//!
//! Misses: calls that the model cannot resolve; they take nothing and keep nothing.

pub mod blocking;
mod context;
pub mod effects;
mod entry;
mod glue;
pub mod order;
mod output;
pub mod place;
pub mod state;
pub mod summary;
mod walk;

use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::{Confidence, Location, Notice, NoticeKind};
use crate::graph::LockMode;
use crate::model::infer::Target;
use crate::model::locks::Waiting;
use crate::model::ty::Ty;
use crate::model::{FnId, Model};
use context::Context;
use output::Output;
use place::{BodyId, ClassName, Place};
use walk::Group;

/// How often a group of mutually recursive functions is walked.
pub const ROUNDS: usize = 4;
/// Larger groups are walked once more only.
const LARGE_GROUP: usize = 200;

/// Whether two locks are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sameness {
    /// Of different classes.
    Different,
    /// Of one class, perhaps different instances.
    SameClass,
    /// The same lock.
    Same,
}

/// One side of a [`Pair`].
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// A lock wanted while another is held: a critical pair with one element of its held set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The function in which both meet.
    pub function: String,
    /// A number per function.
    pub body: u32,
    /// The thread or task that the function spawned for it, as an index into [`Regions::tasks`]; `None` for its own.
    pub task: Option<usize>,
    /// When the request is made, in steps of the function.
    pub step: u32,
    /// The function has both locks to itself: it borrows what they lie in as `&mut self`.
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
}

/// A spawned thread or task, in steps of the function that spawns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// When it was spawned.
    pub spawned: u32,
    /// When it was joined, where that can be seen.
    pub joined: Option<u32>,
    /// Spawned in a loop: it runs beside itself.
    pub many: bool,
}

/// A thread-blocking guard that lives across an await.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedAtOnce {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The guard.
    pub held: Side,
}

/// A write to a `static mut` without a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticWrite {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The static's name.
    pub name: String,
    /// Where it is declared.
    pub declared: Location,
    /// The write.
    pub at: Location,
}

/// What the static rules read.
#[derive(Debug, Default)]
pub struct Regions {
    /// Names of the files, for declarations.
    pub files: Vec<String>,
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
}

impl Regions {
    /// What was cut short.
    pub fn notices(&self) -> Option<Notice> {
        let message = format!(
            "{} functions take more locks than are kept ({} each), or call closures too often: findings through them may be missing",
            self.truncated,
            summary::MOST_ACQUIRES
        );
        (self.truncated > 0).then_some(Notice { kind: NoticeKind::Truncated, file: None, line: None, message })
    }
}

/// Walks everything. `files` are the names of the model's files as reports show them. Types are inferred in parallel,
/// bodies that do not call each other are
/// walked in parallel; cost is linear in the size of the bodies, for mutual recursion times the rounds.
pub fn regions(model: &Model<'_>, files: &[String]) -> Regions {
    walk_all(model, files, false)
}

/// The same with the statements of every function ([`Regions::sections`]).
pub fn sections(model: &Model<'_>, files: &[String]) -> Regions {
    walk_all(model, files, true)
}

fn walk_all(model: &Model<'_>, files: &[String], sections: bool) -> Regions {
    let mut cx = context::context(model, files);
    cx.sections = sections;
    let mut out = Output::default();
    let calls: Vec<Vec<FnId>> =
        (0..cx.bodies.len()).into_par_iter().map(|index| callees(&cx, BodyId(index as u32))).collect();
    for level in levels(groups(&calls), &calls) {
        let walked: Vec<(Group, Output)> = level.par_iter().map(|group| walk_group(&cx, group, &calls)).collect();
        for (summaries, found) in walked {
            out.merge(found);
            for (id, summary) in summaries {
                cx.summaries[id.0 as usize] = summary;
            }
        }
    }
    let waits = blocking::link::finish(&cx, &mut out);
    let entry = entry::gates(&cx, &out);
    let facts = std::mem::take(&mut out.facts);
    let mut regions = out.into_regions(&entry);
    effects::reach::finish(&cx, &facts, &entry, &mut regions);
    regions.blocking = waits;
    regions.files = files.to_vec();
    regions.functions =
        cx.model.fns.iter().filter(|function| function.syntax.body.is_some() && !stub(model, function)).count();
    regions.truncated = cx.summaries.iter().filter(|summary| summary.truncated).count();
    regions
}

/// Walks bodies that call each other, until nothing changes or the limit of rounds is reached.
fn walk_group(cx: &Context<'_>, group: &[BodyId], calls: &[Vec<FnId>]) -> (Group, Output) {
    let mut out = Output::default();
    let mut summaries = Group::default();
    let calls_itself = |id: BodyId| calls[id.0 as usize].binary_search(&FnId(id.0)).is_ok();
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
            if round > 0 && !calls[id.0 as usize].iter().any(news) {
                continue;
            }
            let summary = walk::walk(cx, &summaries, *id, &mut out);
            if summaries.get(id) != Some(&summary) {
                summaries.insert(*id, summary);
                changed.insert(FnId(id.0), round);
            }
        }
    }
    (summaries, out)
}

/// Groups by the longest chain of calls below them: those of one level do not call each other.
fn levels(groups: Vec<Vec<BodyId>>, calls: &[Vec<FnId>]) -> Vec<Vec<Vec<BodyId>>> {
    // Callees come first: what has no level yet is of the group itself.
    let mut level_of: Vec<Option<usize>> = vec![None; calls.len()];
    let mut out: Vec<Vec<Vec<BodyId>>> = Vec::new();
    for group in groups {
        let below = group.iter().flat_map(|id| &calls[id.0 as usize]).filter_map(|id| level_of[id.0 as usize]);
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
fn callees(cx: &Context<'_>, id: BodyId) -> Vec<FnId> {
    let Some(types) = &cx.types[id.0 as usize] else { return Vec::new() };
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
    let mut out: Vec<FnId> =
        direct.chain(locals).filter_map(|function| cx.model.dispatch(function)).flatten().collect();
    out.extend(types.fields.values().flat_map(|(_, derefs)| derefs.iter().copied()));
    out.extend(types.hidden.values().copied());
    out.extend(walk::lazy_statics(cx, types));
    out.sort_unstable();
    out.dedup();
    out
}

/// Groups of mutually recursive bodies, callees first.
fn groups(calls: &[Vec<FnId>]) -> Vec<Vec<BodyId>> {
    let mut graph: DiGraph<BodyId, ()> = DiGraph::new();
    for index in 0..calls.len() {
        graph.add_node(BodyId(index as u32));
    }
    for (index, callees) in calls.iter().enumerate() {
        for callee in callees {
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

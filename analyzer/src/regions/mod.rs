//! Who is held where: guard scopes, held sets and function summaries, bottom-up over the call graph.
//!
//! Guarantees: functions are walked callees first, so that a call is seen with everything its callee takes; groups of
//! functions that call each other are walked until nothing changes (at most [`ROUNDS`] times). The result does not
//! depend on threads or hash order.
//!
//! Misses: calls that the model cannot resolve; they take nothing and keep nothing.

mod entry;
pub mod order;
pub mod place;
pub mod state;
pub mod summary;
mod walk;

use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::{Confidence, Location};
use crate::graph::LockMode;
use crate::model::infer::{BodyTypes, LocalId, Target, infer_fn, infer_static};
use crate::model::locks::{LockType, Shape, Waiting};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model, StaticId};
use crate::source::Edition;
use crate::syntax::{Body, Symbol};
use place::{BodyId, ClassName, Place, Root, class_of};
use state::LiveGuard;
use summary::{Acquired, HeldLock, LockRef, Site, Summary, Way};

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
    /// Spawned threads and tasks: when each was spawned and joined, in steps of the function that spawns it.
    pub tasks: Vec<(u32, Option<u32>)>,
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

/// What is known of a body before it is walked.
#[derive(Clone, Debug)]
struct BodyInfo {
    file: u32,
    edition: Edition,
    test: bool,
    name: String,
    path: String,
}

/// All that walking needs.
struct Context<'w> {
    model: &'w Model<'w>,
    files: &'w [String],
    bodies: Vec<BodyInfo>,
    types: Vec<Option<BodyTypes>>,
    summaries: Vec<Summary>,
    /// Types with a `Drop` impl in the sources.
    drops: FxHashMap<AdtId, FnId>,
    /// Types with a guard in a field.
    carriers: FxHashSet<AdtId>,
    /// Collections and iterators of the stubs.
    containers: FxHashSet<AdtId>,
}

impl<'w> Context<'w> {
    fn body(&self, id: BodyId) -> Option<(&'w Body, &BodyTypes)> {
        let types = self.types.get(id.0 as usize)?.as_ref()?;
        let index = id.0 as usize;
        let body = match self.model.fns.get(index) {
            Some(function) => function.syntax.body.as_deref()?,
            None => self.model.statics[index - self.model.fns.len()].init?,
        };
        Some((body, types))
    }

    fn summary(&self, id: FnId) -> Option<&Summary> {
        self.summaries.get(id.0 as usize)
    }

    fn local_name(&self, body: BodyId, local: LocalId) -> (String, String) {
        let types = self.types[body.0 as usize].as_ref();
        let name = types.and_then(|types| types.locals.get(local.0 as usize)).map_or("_", |local| local.name.as_str());
        let info = &self.bodies[body.0 as usize];
        (format!("{}::{name}#{}", info.path, local.0), name.to_string())
    }

    /// The name of the parameter that a place begins with.
    fn param_name(&self, place: &Place, body: BodyId) -> Option<String> {
        let Root::Param(param) = place.root else { return None };
        let types = self.types.get(body.0 as usize)?.as_ref()?;
        types.locals.iter().find(|local| local.param == Some(param)).map(|local| local.name.to_string())
    }

    fn class(&self, place: &Place) -> Option<ClassName> {
        class_of(self.model, place, &|body, local| self.local_name(body, local))
    }

    /// Whether the class of a place is only known where the function is called.
    fn depends_on_caller(&self, place: &Place) -> bool {
        matches!(place.root, Root::Param(_)) && self.class(place).is_none()
    }

    /// Whether a lock lies inside what the function borrows as `&mut self`, with no shared pointer on the way.
    fn exclusive(&self, body: BodyId, place: &Place) -> bool {
        let Some(function) = self.model.fns.get(body.0 as usize) else { return false };
        let borrows =
            function.syntax.receiver.as_ref().is_some_and(|receiver| receiver.mutable && receiver.ty.is_none());
        let owned = |step: &place::Step| match step {
            place::Step::Field(adt, name) => {
                let field = self.model.adt(*adt).variants.iter().flatten().find(|field| field.name == *name);
                field.is_some_and(|field| match &field.ty {
                    Ty::Adt(id, _) => !self.model.known.transparent.contains(id),
                    _ => false,
                })
            }
            place::Step::Tuple(_) => true,
            // What lies behind a lock may be a pointer to anything.
            place::Step::Inside | place::Step::Element(_) => false,
        };
        borrows && place.root == Root::Param(0) && place.steps.iter().all(owned)
    }

    fn location(&self, site: Site) -> Location {
        Location {
            file: self.files.get(site.file as usize).cloned().unwrap_or_default(),
            line: site.span.start.line,
            column: site.span.start.column,
            end_line: site.span.end.line,
            end_column: site.span.end.column,
            function: self.bodies.get(site.body.0 as usize).map(|body| body.name.clone()),
            label: String::new(),
        }
    }

    fn side(&self, lock: &LockRef, mode: LockMode, site: Site, way: &Way, waiting: Waiting) -> Side {
        let path = self.model.adt_path(lock.adt);
        let kind = path.strip_prefix("?::").map_or_else(|| path.clone(), str::to_string);
        Side {
            class: self.class(&lock.place),
            param: self.param_name(&lock.place, site.body),
            place: lock.place.clone(),
            kind,
            mode,
            site: self.location(site),
            way: way.iter().map(|site| self.location(*site)).collect(),
            waiting,
            reentrant: lock.shape == Shape::Reentrant,
        }
    }
}

/// Classes and modes of locks surely held.
type Gates = std::collections::BTreeMap<String, LockMode>;

type PairKey = (Site, Way, Site, Way, Sameness);

/// What walking finds.
#[derive(Default)]
struct Output {
    regions: Regions,
    pairs: FxHashSet<PairKey>,
    awaits: FxHashSet<(Site, Site)>,
    dropped: FxHashSet<Site>,
    writes: FxHashSet<Site>,
    counted: FxHashSet<Site>,
    /// Where the tasks of the body at hand begin in `regions.tasks`.
    first_task: usize,
    /// For every function of the sources: its callers, each with what is surely held at the call.
    calls: FxHashMap<FnId, Vec<(BodyId, Gates)>>,
    classes: FxHashSet<String>,
}

impl Output {
    fn count(&mut self, cx: &Context<'_>, lock: &LockRef, site: Site) {
        if !self.counted.insert(site) {
            return;
        }
        self.regions.acquisitions += 1;
        match cx.class(&lock.place) {
            Some(class) => {
                self.classes.insert(class.key);
            }
            // A parameter's lock is the caller's to know.
            None if matches!(lock.place.root, Root::Param(_)) => {}
            None => self.regions.unresolved += 1,
        }
    }

    fn pair(
        &mut self,
        cx: &Context<'_>,
        (body, task, step): (BodyId, u32, u32),
        held: &HeldLock,
        held_try: bool,
        wanted: &Acquired,
        gates: &[HeldLock],
    ) {
        let held_class = cx.class(&held.lock.place);
        let wanted_class = cx.class(&wanted.lock.place);
        let same = if held.lock.place == wanted.lock.place && held.lock.place.is_stable() {
            Sameness::Same
        } else if held_class.is_some()
            && held_class.as_ref().map(|class| &class.key) == wanted_class.as_ref().map(|class| &class.key)
        {
            Sameness::SameClass
        } else if held_class.is_some() && wanted_class.is_some() {
            Sameness::Different
        } else {
            return;
        };
        if !self.pairs.insert((held.site, held.way.clone(), wanted.site, wanted.way.clone(), same)) {
            return;
        }
        let identity = |class: &Option<ClassName>| class.as_ref().map_or(Confidence::High, |class| class.identity);
        let mut confidence = identity(&held_class).min(identity(&wanted_class));
        if !held.must {
            confidence = confidence.min(Confidence::Medium);
        }
        if wanted.dispatched {
            // Which of several implementations runs is not known.
            confidence = Confidence::Low;
        }
        let info = &cx.bodies[body.0 as usize];
        let gates = gates
            .iter()
            .map(|gate| (cx.class(&gate.lock.place).map(|class| class.key), gate.lock.place.clone(), gate.mode))
            .collect();
        self.regions.pairs.push(Pair {
            function: info.name.clone(),
            body: body.0,
            task: (task as usize).checked_sub(1).map(|task| self.first_task + task),
            step,
            exclusive: cx.exclusive(body, &held.lock.place) && cx.exclusive(body, &wanted.lock.place),
            test: info.test,
            held: cx.side(&held.lock, held.mode, held.site, &held.way, held.waiting),
            held_try,
            must: held.must,
            wanted: cx.side(&wanted.lock, wanted.mode, wanted.site, &wanted.way, wanted.waiting),
            gates,
            same,
            confidence,
        });
    }

    fn called(&mut self, cx: &Context<'_>, caller: BodyId, callee: FnId, state: &state::State) {
        let held = state.guards.iter().filter(|guard| guard.held.must && !guard.try_ && guard.param.is_none());
        let gates = held.filter_map(|guard| Some((cx.class(&guard.held.lock.place)?.key, guard.held.mode))).collect();
        self.calls.entry(callee).or_default().push((caller, gates));
    }

    fn held_at_await(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
        if !self.awaits.insert((guard.held.site, site)) {
            return;
        }
        let held = &guard.held;
        let info = &cx.bodies[body.0 as usize];
        self.regions.awaits.push(HeldAtAwait {
            function: info.name.clone(),
            test: info.test,
            held: cx.side(&held.lock, held.mode, held.site, &held.way, held.waiting),
            must: held.must,
            at: cx.location(site),
        });
    }

    fn dropped_at_once(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
        if !self.dropped.insert(site) {
            return;
        }
        let held = &guard.held;
        let info = &cx.bodies[body.0 as usize];
        let held = cx.side(&held.lock, held.mode, site, &held.way, held.waiting);
        self.regions.dropped.push(DroppedAtOnce { function: info.name.clone(), test: info.test, held });
    }

    fn static_write(&mut self, cx: &Context<'_>, body: BodyId, id: StaticId, site: Site) {
        if !self.writes.insert(site) {
            return;
        }
        let info = &cx.bodies[body.0 as usize];
        let data = &cx.model.statics[id.0 as usize];
        let declared = Location { function: None, ..cx.location(Site { file: data.file, span: data.span, body }) };
        self.regions.static_writes.push(StaticWrite {
            function: info.name.clone(),
            test: info.test,
            name: data.name.to_string(),
            declared,
            at: cx.location(site),
        });
    }
}

/// Walks everything. `files` are the names of the model's files as reports show them. Types are inferred in parallel;
/// cost is linear in the size of the bodies times the depth of recursion groups.
pub fn regions(model: &Model<'_>, files: &[String]) -> Regions {
    let mut cx = context(model, files);
    let mut out = Output::default();
    for group in groups(&cx) {
        let rounds = match group.len() {
            1 => 1 + usize::from(calls_itself(&cx, group[0])),
            n if n > LARGE_GROUP => 2,
            _ => ROUNDS,
        };
        for _ in 0..rounds {
            let mut changed = false;
            for id in &group {
                let summary = walk::walk(&cx, *id, &mut out);
                if cx.summaries[id.0 as usize] != summary {
                    cx.summaries[id.0 as usize] = summary;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }
    add_entry_gates(&cx, &mut out);
    out.regions.files = files.to_vec();
    out.regions.classes = out.classes.len();
    out.regions.functions =
        cx.model.fns.iter().filter(|function| function.syntax.body.is_some() && !stub(model, function)).count();
    out.regions.truncated = cx.summaries.iter().filter(|summary| summary.truncated).count();
    out.regions
}

/// What is surely held whenever a function is entered keeps its pairs apart from others, too. Only for functions that
/// nobody outside the sources can call; computed from callers down until nothing changes.
fn add_entry_gates(cx: &Context<'_>, out: &mut Output) {
    let roots = entry::roots(cx);
    let mut entry: FxHashMap<u32, Gates> = FxHashMap::default();
    for _ in 0..ROUNDS * 4 {
        let mut changed = false;
        for index in 0..cx.model.fns.len() as u32 {
            let id = FnId(index);
            if roots.contains(&id) {
                continue;
            }
            let Some(calls) = out.calls.get(&id) else { continue };
            let mut common: Option<Gates> = None;
            for (caller, held) in calls {
                let mut here = held.clone();
                if let Some(outer) = entry.get(&caller.0) {
                    here.extend(outer.iter().map(|(key, mode)| (key.clone(), *mode)));
                }
                common = Some(match common {
                    None => here,
                    Some(before) => before.into_iter().filter(|(key, mode)| here.get(key) == Some(mode)).collect(),
                });
            }
            let common = common.unwrap_or_default();
            if !common.is_empty() && entry.get(&index) != Some(&common) {
                entry.insert(index, common);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for pair in &mut out.regions.pairs {
        if let Some(gates) = entry.get(&pair.body) {
            pair.gates.extend(
                gates
                    .iter()
                    .map(|(key, mode)| (Some(key.clone()), Place::new(Root::Value(BodyId(u32::MAX), 0)), *mode)),
            );
        }
    }
}

fn stub(model: &Model<'_>, function: &crate::model::FnData<'_>) -> bool {
    model.crate_of(function.module).stub
}

fn context<'w>(model: &'w Model<'w>, files: &'w [String]) -> Context<'w> {
    let functions = model.fns.iter().enumerate().map(|(index, function)| BodyInfo {
        file: function.file,
        edition: model.crate_of(function.module).edition,
        test: function.test,
        name: model.fn_name(FnId(index as u32)),
        path: format!("{}::{}", model.module_path(function.module), model.fn_name(FnId(index as u32))),
    });
    let statics = model.statics.iter().map(|data| BodyInfo {
        file: data.file,
        edition: model.crate_of(data.module).edition,
        test: data.test,
        name: data.name.to_string(),
        path: format!("{}::{}", model.module_path(data.module), data.name),
    });
    let bodies: Vec<BodyInfo> = functions.chain(statics).collect();
    let types = (0..bodies.len())
        .into_par_iter()
        .map(|index| match model.fns.get(index) {
            Some(function) if stub(model, function) => None,
            Some(_) => infer_fn(model, FnId(index as u32)),
            None => infer_static(model, StaticId((index - model.fns.len()) as u32)),
        })
        .collect();
    let summaries = vec![Summary::default(); bodies.len()];
    let mut drops = FxHashMap::default();
    for impl_ in &model.impls {
        let is_drop =
            impl_.trait_.as_ref().and_then(|trait_| trait_.id) == model.known.drop && model.known.drop.is_some();
        if let (true, Some(adt), Some(drop)) =
            (is_drop, model.adt_of(&impl_.self_ty), impl_.methods.get(&Symbol::from("drop")))
        {
            drops.insert(adt, *drop);
        }
    }
    let mut containers = FxHashSet::default();
    for (index, adt) in model.adts.iter().enumerate() {
        let id = AdtId(index as u32);
        if model.crate_of(adt.module).stub {
            let path = model.module_path(adt.module);
            if ["std::collections", "std::vec", "std::slice", "std::iter"].iter().any(|prefix| path.starts_with(prefix))
                || matches!(adt.name.as_str(), "DashMap" | "Slab")
            {
                containers.insert(id);
            }
        }
    }
    Context { model, files, bodies, types, summaries, drops, carriers: carriers(model), containers }
}

/// Types of the sources that have a guard in a field, however deep.
fn carriers(model: &Model<'_>) -> FxHashSet<AdtId> {
    let mut out = FxHashSet::default();
    loop {
        let before = out.len();
        for (index, adt) in model.adts.iter().enumerate() {
            let id = AdtId(index as u32);
            if out.contains(&id) || model.crate_of(adt.module).stub {
                continue;
            }
            let has_guard = adt.variants.iter().flatten().any(|field| {
                field.ty.any(&mut |part| match part {
                    Ty::Adt(part, _) => {
                        matches!(model.adt(*part).lock, Some(LockType::Guard { .. })) || out.contains(part)
                    }
                    _ => false,
                }) && !matches!(field.ty, Ty::Ref(_))
            });
            if has_guard {
                out.insert(id);
            }
        }
        if out.len() == before {
            return out;
        }
    }
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
    let locals = types.locals.iter().filter_map(|local| cx.drops.get(&cx.model.adt_of(&local.ty)?).copied());
    let mut out: Vec<FnId> =
        direct.chain(locals).filter_map(|function| cx.model.dispatch(function)).flatten().collect();
    out.extend(types.fields.values().flat_map(|(_, derefs)| derefs.iter().copied()));
    out.sort_unstable();
    out.dedup();
    out
}

fn calls_itself(cx: &Context<'_>, id: BodyId) -> bool {
    callees(cx, id).iter().any(|callee| callee.0 == id.0)
}

/// Groups of mutually recursive bodies, callees first.
fn groups(cx: &Context<'_>) -> Vec<Vec<BodyId>> {
    let mut graph: DiGraph<BodyId, ()> = DiGraph::new();
    for index in 0..cx.bodies.len() {
        graph.add_node(BodyId(index as u32));
    }
    for index in 0..cx.bodies.len() {
        for callee in callees(cx, BodyId(index as u32)) {
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

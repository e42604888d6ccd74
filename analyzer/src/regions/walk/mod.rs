//! The guard-scope interpreter: one pass over a body in evaluation order, with the scopes of temporaries and variables
//! as the edition has them.
//!
//! Guarantees: every row of the guard-scope table (Rust Reference, "Destructors": temporary scopes, temporary lifetime
//! extension, the 2024 rules for tails and `if let`) is followed; a path that cannot be reached holds nothing; a loop
//! is walked twice, so that a guard carried into the next turn is seen.
//!
//! Misses: branch correlation (`if a {lock}; if !a {lock}`), guards that unknown functions keep or release.

mod apply;
mod apply_waits;
mod bind;
mod blocking;
mod callbacks;
mod calls;
mod channels;
mod conditions;
mod control;
mod exprs;
mod futures;
mod generics;
mod heads;
mod hidden;
mod library;
mod making;
mod named;
mod once;
mod passed;
mod picks;
mod scopes;
mod submissions;
mod temporaries;
mod types;
mod variants;

use std::rc::Rc;

use types::{Literals, through_literal};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

pub(super) use once::lazy_statics;

use super::callbacks::Doing;
use super::context::Context;
use super::effects::{self, seen::Seen};
use super::output::Output;
use super::place::{BodyId, Place, Root};
use super::state::{GuardId, LiveGuard, Owner, State, Value};
use super::summary::{Acquired, HeldLock, LockRef, Returned, Site, Summary, Way};
use crate::graph::LockMode;
use crate::model::infer::{BodyTypes, LocalId};
use crate::model::locks::{Acquire, LockType, Waiting};
use crate::model::ty::Ty;
use crate::model::{FnId, Model};
use crate::regions::Task;
use crate::source::Edition;
use crate::syntax::{Body, ExprId, Span, Symbol};

/// Whether an expression is used as a value or as a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Its value goes to a new owner.
    Move,
    /// It is looked at, borrowed or matched.
    Place,
}

/// A scope on the stack.
#[derive(Debug)]
struct Scope {
    id: u32,
    /// A block: its locals. A temporary scope has none.
    locals: Option<Vec<LocalId>>,
    /// Temporaries with a destructor, oldest first.
    temporaries: Vec<temporaries::Temporary>,
}

/// A loop, labelled block, or body around the current point.
#[derive(Debug)]
struct Frame {
    kind: FrameKind,
    label: Option<Symbol>,
    /// Scopes that stay when control leaves to this frame.
    depth: usize,
    /// States at `break`, `return` or `?`.
    exits: State,
    /// States at `continue`.
    continues: State,
    /// Guards in `break` or `return` values.
    guards: SmallVec<[GuardId; 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    Loop,
    Block,
    Body,
}

/// How deep closures, loops and calls of closures are followed.
const NESTING: usize = 24;

/// More guards at once than anybody holds; what lies beyond is not followed.
const MOST_GUARDS: usize = 256;

/// How often a body's expressions are evaluated on average, before its closures are followed no further: closures that
/// call each other twice would take exponential time.
const MOST_TURNS: usize = 40;

/// Interprets one body.
pub(super) struct Walker<'w> {
    cx: &'w Context<'w>,
    model: &'w Model<'w>,
    id: BodyId,
    file: u32,
    edition: Edition,
    body: &'w Body,
    types: &'w BodyTypes,
    state: State,
    scopes: Vec<Scope>,
    frames: Vec<Frame>,
    next: u32,
    /// What locals stand for.
    places: FxHashMap<LocalId, Place>,
    /// Closures and async blocks in locals.
    callables: FxHashMap<LocalId, Value>,
    binds: FxHashMap<LocalId, u32>,
    /// Variants of parameters for which the branches around run.
    requires: Vec<super::summary::When>,
    /// Guards of one of several locks, with the function that gave them.
    picked: Vec<(GuardId, FnId)>,
    /// Parameters that are given other values.
    changed: FxHashSet<LocalId>,
    /// Locals that hold a lock made right there, and when.
    made: FxHashMap<LocalId, u32>,
    /// What the body has made of its own so far.
    making: making::Making,
    /// What the fields of locals that were made by a literal stand for.
    literals: Rc<Literals>,
    moved: FxHashSet<LocalId>,
    /// Declared without a value.
    late: FxHashSet<LocalId>,
    /// Set in a block whose value is an extending expression: who owns temporaries borrowed there.
    extended: Option<super::state::Owner>,
    /// Locks of async lock types whose `lock()` nobody awaited yet.
    pending_locks: FxHashMap<ExprId, (LockRef, Acquire)>,
    /// Above zero: inside the closure of a one-time initialisation.
    once: u32,
    /// The spawned thread or task that runs; 0 for the function's own.
    task: u32,
    /// The threads and tasks that the function spawns.
    tasks: Vec<Task>,
    /// The async block or function that runs.
    frame: u32,
    /// Calls of async functions that nobody awaited yet: what they run, with their arguments.
    pending: FxHashMap<ExprId, (SmallVec<[FnId; 2]>, Vec<Value>)>,
    /// Calls that gave a future, in the same way.
    given_futures: FxHashMap<ExprId, (SmallVec<[FnId; 2]>, Vec<Value>)>,
    /// Closures and async blocks that were run somewhere.
    run: FxHashSet<ExprId>,
    running: Vec<ExprId>,
    /// Above zero: what runs is another thread or task and none of the function's own doing.
    detached: u32,
    /// How many branches and loop bodies what runs is in: above zero, it may not run.
    branches: u32,
    /// How often each loop around runs, where that is written.
    repeats: Vec<Option<u32>>,
    blocking: blocking::Own,
    /// What the closures do that were registered as callbacks.
    doings: FxHashMap<ExprId, Rc<Doing>>,
    /// Set while a callback is looked at.
    recording: Option<Doing>,
    /// Expressions evaluated so far.
    steps: usize,
    summary: Summary,
    seen: Seen,
    /// A value was returned.
    returned: bool,
    /// Of the bodies that are walked together with this one.
    group: &'w Group,
    out: &'w mut Output,
}

/// Summaries of the bodies of a recursion, as far as they are known.
#[derive(Default)]
pub(super) struct Group(Vec<(BodyId, Summary)>);

impl Group {
    /// Room for a group of so many.
    pub(super) fn with_capacity(bodies: usize) -> Group {
        Group(Vec::with_capacity(bodies))
    }

    pub(super) fn get(&self, id: BodyId) -> Option<&Summary> {
        self.0.binary_search_by_key(&id, |(id, _)| *id).ok().map(|at| &self.0[at].1)
    }

    /// Puts a summary in the place of the one that is there. Bodies come in order as a rule: then it takes no time.
    pub(super) fn insert(&mut self, id: BodyId, summary: Summary) {
        match self.0.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => self.0[at].1 = summary,
            Err(at) => self.0.insert(at, (id, summary)),
        }
    }

    /// All of them, in order of bodies.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Summary> {
        self.0.iter().map(|(_, summary)| summary)
    }

    /// The same, moved out.
    pub(super) fn into_summaries(self) -> Vec<(BodyId, Summary)> {
        self.0
    }
}

/// Walks a body; adds what it finds to `out` and gives its summary.
pub(super) fn walk(cx: &Context<'_>, group: &Group, id: BodyId, out: &mut Output) -> Summary {
    let Some((body, types)) = cx.body(id) else { return Summary::default() };
    let mut walker = Walker {
        cx,
        group,
        model: cx.model,
        id,
        file: cx.bodies[id.0 as usize].file,
        edition: cx.bodies[id.0 as usize].edition,
        body,
        types,
        state: State::empty(),
        scopes: Vec::new(),
        frames: Vec::new(),
        next: 0,
        places: FxHashMap::default(),
        callables: FxHashMap::default(),
        binds: FxHashMap::default(),
        requires: Vec::new(),
        picked: Vec::new(),
        changed: variants::changed_parameters(body, types),
        made: FxHashMap::default(),
        making: making::Making::default(),
        literals: Rc::default(),
        moved: FxHashSet::default(),
        late: FxHashSet::default(),
        extended: None,
        pending_locks: FxHashMap::default(),
        once: 0,
        task: 0,
        tasks: Vec::new(),
        frame: 0,
        pending: FxHashMap::default(),
        given_futures: FxHashMap::default(),
        run: FxHashSet::default(),
        running: Vec::new(),
        detached: 0,
        branches: 0,
        repeats: Vec::new(),
        blocking: blocking::Own::default(),
        doings: FxHashMap::default(),
        recording: None,
        steps: 0,
        summary: Summary::default(),
        seen: Seen::new(body.exprs.len()),
        returned: false,
        out,
    };
    walker.begin_static();
    walker.function();
    let (facts, waits) = walker.finish_blocking();
    walker.out.wait_facts(id, facts);
    walker.summary.blocking = waits;
    walker.out.spawned(walker.tasks);
    let gives_guard = !walker.summary.returns.is_empty();
    let (effects, returns_from, facts) = effects::analyse(cx, group, id, &walker.seen, gives_guard);
    walker.out.facts.insert(id.0, Box::new(facts));
    walker.summary.effects = effects;
    walker.summary.returns_from = returns_from;
    walker.summary
}

impl<'w> Walker<'w> {
    fn function(&mut self) {
        self.push_block();
        for (index, local) in self.types.locals.iter().enumerate() {
            let Some(param) = local.param else { continue };
            let id = LocalId(index as u32);
            self.places.insert(id, Place::new(Root::Param(param)));
            self.own_param_guard(id, param, &local.ty);
            self.declare(id);
        }
        self.push_frame(FrameKind::Body, None);
        let scope = self.push_temporaries();
        let value = self.eval(self.body.root, Use::Move);
        self.record_return(&value);
        self.pop_temporaries(scope);
        let falls_through = self.state.reachable;
        let exits = self.pop_frame();
        self.summary.diverges = !falls_through && !exits.exits.reachable;
        self.state.join(exits.exits);
        self.run_result(&value);
        self.pop_block();
        self.run_leftovers();
    }

    /// A guard that comes in as a parameter is held by the caller; it is tracked to see when it is given back.
    fn own_param_guard(&mut self, id: LocalId, param: u32, ty: &Ty) {
        let waiting = match self.guard_in(ty) {
            Some(waiting) if matches!(ty, Ty::Adt(..)) => waiting,
            // It need not be a guard at all: nothing is said of it where the function is suspended.
            _ if self.hands_through(ty) => Waiting::Task,
            _ => return,
        };
        // Which lock it is, the caller knows.
        let ((Ty::Adt(adt, _), _) | (_, Some(adt))) = (ty, &self.model.known.option) else { return };
        // What only may have a guard in it, may have none.
        let must = matches!(self.model.adt(*adt).lock, Some(LockType::Guard { .. }));
        let lock =
            LockRef { place: Place::new(Root::Param(param)), adt: *adt, shape: crate::model::locks::Shape::Mutex };
        let span = self.body[self.body.root].span;
        let site = Site { file: self.file, span, body: self.id };
        let held = HeldLock { lock, mode: LockMode::Exclusive, site, way: Way::new(), must, waiting };
        let guard = self.fresh();
        self.state.guards.push(LiveGuard {
            id: GuardId(guard),
            held,
            try_: false,
            owner: Owner::Local(id),
            frame: self.frame,
            param: Some(param),
        });
    }

    /// Closures and async blocks that nothing ran: somebody else will, with nothing of ours held.
    fn run_leftovers(&mut self) {
        for index in 0..self.body.exprs.len() {
            let id = ExprId(index as u32);
            if self.run.contains(&id) {
                continue;
            }
            match self.body[id].kind {
                crate::syntax::ExprKind::Closure { .. } => self.detach(|this| {
                    this.run_closure(id, &[]);
                }),
                crate::syntax::ExprKind::Async { .. } => self.detach(|this| {
                    this.run_async(id);
                }),
                _ => {}
            }
        }
    }

    /// Runs `f` as another thread or task: nothing is held, and nothing it does is this function's doing.
    fn detach(&mut self, f: impl FnOnce(&mut Self)) {
        let state = std::mem::replace(&mut self.state, State::empty());
        let frame = std::mem::replace(&mut self.frame, u32::MAX);
        let repeats = std::mem::take(&mut self.repeats);
        let steps = std::mem::take(&mut self.blocking.pools.steps);
        let initialising = std::mem::take(&mut self.blocking.initialising);
        let recording = self.recording.take();
        self.frame = self.fresh();
        self.detached += 1;
        f(self);
        self.detached -= 1;
        self.recording = recording;
        self.repeats = repeats;
        self.blocking.initialising = initialising;
        let started = std::mem::replace(&mut self.blocking.pools.steps, steps);
        self.note_started(started);
        self.frame = frame;
        self.state = state;
    }

    /// Whether enough has been evaluated.
    fn is_worn_out(&mut self) -> bool {
        let worn_out = self.steps > 10_000 + MOST_TURNS * self.body.exprs.len();
        self.summary.truncated |= worn_out;
        worn_out
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn site(&self, span: Span) -> Site {
        Site { file: self.file, span, body: self.id }
    }

    /// `return` and `?`.
    fn leave_body(&mut self, value: &Value) {
        let Some(index) = self.frames.iter().rposition(|frame| frame.kind == FrameKind::Body) else { return };
        if index == 0 {
            self.record_return(value);
        }
        self.leave(index, false, &value.guards);
    }

    fn record_return(&mut self, value: &Value) {
        if !self.state.reachable || self.detached > 0 {
            return;
        }
        for id in &value.guards {
            let Some(guard) = self.state.guards.iter().find(|guard| guard.id == *id) else { continue };
            let returned = match guard.param {
                Some(param) => Returned::Param(param),
                None => Returned::New(guard.held.clone()),
            };
            if !self.summary.returns.contains(&returned) {
                self.summary.returns.push(returned);
            }
        }
        let parts = value.parts.iter().filter_map(|(name, part)| Some((*name, part.place.clone()?)));
        let tuple = self.gives_tuple();
        let parts: Vec<_> = parts.filter(|(_, place)| tuple || self.is_whole(place)).collect();
        self.summary.add_parts(parts.into_iter(), !self.returned);
        self.returned = true;
        if let Some(place) = &value.place
            && matches!(place.root, Root::Param(_) | Root::Static(_))
            && self.summary.returns_place.is_none()
        {
            self.summary.returns_place = Some(place.clone());
        }
        self.note_returned(value);
        self.note_wrapped(value);
        if value.future.is_none() {
            self.state.release(|guard| value.guards.contains(&guard.id));
        }
    }

    // Guards.

    /// Takes a lock: pairs it with everything held, and gives the new guard.
    fn acquire(&mut self, lock: LockRef, acquire: Acquire, span: Span) -> GuardId {
        let site = self.site(span);
        self.out.count(self.cx, &lock, site);
        let acquired = Acquired {
            alone: self.has_to_itself(&lock.place),
            when: self.under_variant(),
            lock: lock.clone(),
            mode: acquire.mode,
            try_: acquire.try_,
            waiting: acquire.waiting,
            site,
            way: Way::new(),
            held: Vec::new(),
            released: 0,
            dispatched: false,
        };
        self.request(acquired, &[]);
        let held = HeldLock { lock, mode: acquire.mode, site, way: Way::new(), must: true, waiting: acquire.waiting };
        self.note_taker(&held.lock);
        if !acquire.try_ {
            self.note_taken(held.clone());
        }
        self.hold(held, acquire.try_)
    }

    /// Whether nobody else can reach the lock while this function runs.
    fn has_to_itself(&self, lock: &Place) -> bool {
        self.tasks.is_empty() && self.detached == 0 && (self.cx.exclusive(self.id, lock) || self.is_of_own_making(lock))
    }

    fn hold(&mut self, held: HeldLock, try_: bool) -> GuardId {
        let id = GuardId(self.fresh());
        let owner = self.temporary();
        let frame = self.frame;
        if self.state.guards.len() < MOST_GUARDS {
            self.state.guards.push(LiveGuard { id, held, try_, owner, frame, param: None });
        }
        id
    }

    /// A lock is wanted here, by this body or a callee: pairs it with every live guard but those in `without`.
    fn request(&mut self, acquired: Acquired, without: &[GuardId]) {
        self.request_keeping(acquired, without, None);
    }

    /// The same; `kept` is held while waiting and makes no pair.
    fn request_keeping(&mut self, acquired: Acquired, without: &[GuardId], kept: Option<HeldLock>) {
        if !self.state.reachable {
            return;
        }
        self.note_request(&acquired);
        self.record_request(&acquired);
        if self.state.guards.len() >= MOST_GUARDS {
            // Without all of what is held, nothing can be said about its order.
            self.summary.truncated = true;
            return;
        }
        let mut acquired = acquired;
        let live: Vec<&LiveGuard> = self.state.guards.iter().filter(|guard| !without.contains(&guard.id)).collect();
        let pairs = !acquired.try_ && live.iter().any(|guard| guard.param.is_none());
        let own = live.iter().filter(|guard| guard.held.must && guard.param.is_none() && pairs);
        let gates: Vec<HeldLock> = own
            .map(|guard| guard.held.clone())
            .chain(acquired.held.iter().filter(|held| held.must && pairs).cloned())
            .chain(kept.filter(|held| held.must))
            .collect();
        // Of several guards of one lock the last one says it all.
        let mut seen = FxHashSet::default();
        let mut last: Vec<&LiveGuard> =
            live.iter().rev().filter(|guard| seen.insert((&guard.held.lock, guard.held.mode))).copied().collect();
        last.reverse();
        for guard in last {
            if guard.param.is_none() && !acquired.try_ && !self.is_made_under(guard, &acquired.lock) {
                let always = self.branches == 0 && acquired.way.is_empty();
                let alone = self.has_to_itself(&guard.held.lock.place);
                let here = (self.id, self.task, self.next);
                let pair = self.out.pair(self.cx, here, &guard.held, guard.try_, &acquired, &gates);
                if let Some(pair) = pair {
                    pair.always = always;
                    // Nobody waits for what nobody else can reach.
                    pair.exclusive |= alone;
                }
            }
        }
        if self.detached > 0 {
            // What a spawned closure does with the function's parameters, only the caller can name.
            let depends = |held: &HeldLock| {
                self.cx.depends_on_caller(&held.lock.place) || self.cx.depends_on_caller(&acquired.lock.place)
            };
            let spawned = live.iter().filter(|guard| guard.param.is_none() && !acquired.try_ && depends(&guard.held));
            for guard in spawned {
                self.summary.add_spawned(guard.held.clone(), acquired.clone());
            }
            return;
        }
        let own = live.iter().filter(|guard| guard.param.is_none()).map(|guard| guard.held.clone());
        let mut held: Vec<HeldLock> = own.collect();
        held.append(&mut acquired.held);
        acquired.held = held;
        // A guard that came in and was passed on to a callee that drops it first.
        let passed_on =
            self.state.guards.iter().filter(|guard| without.contains(&guard.id)).filter_map(|guard| guard.param);
        let passed_on = passed_on.filter_map(|param| 1u64.checked_shl(param)).fold(0, |all, bit| all | bit);
        acquired.released |= self.state.released | passed_on;
        self.summary.add(acquired);
    }

    /// Gives guards a new owner.
    fn own(&mut self, guards: &[GuardId], owner: Owner) {
        for id in guards {
            if let Some(guard) = self.state.guard(*id) {
                guard.owner = owner;
            }
        }
    }

    /// Guards in a value that goes nowhere: they end.
    fn consume(&mut self, value: &Value) {
        if !value.guards.is_empty() {
            self.state.release(|guard| value.guards.contains(&guard.id));
        }
    }

    /// Guards in `value` become temporaries of the current scope.
    fn rehome(&mut self, value: &Value) {
        let owner = self.temporary();
        self.own(&value.guards, owner);
    }

    /// An await: which thread-blocking guards of this task live here? `given` are those that it gave.
    fn suspend(&mut self, span: Span, given: &[GuardId]) {
        if !self.state.reachable {
            return;
        }
        let site = self.site(span);
        for guard in &self.state.guards {
            if guard.held.waiting == Waiting::Thread && guard.frame == self.frame && !given.contains(&guard.id) {
                self.out.held_at_await(self.cx, self.id, guard, site);
            }
        }
    }
}

//! Functions of the sources at a call: their summaries in the caller's terms.
//!
//! Guarantees: parameters become the arguments' access paths; what a callee makes itself is new at every call; a lock
//! wrapper's acquisition is shown at the call that hands the guard out.

use std::rc::Rc;

use smallvec::SmallVec;

use super::{Walker, through_literal};
use crate::model::FnId;
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::regions::summary::{Acquired, CalledParam, HeldLock, LONGEST_WAY, LockRef, Returned, Site, Summary, Way};
use crate::syntax::{ExprId, Symbol};

impl Walker<'_> {
    /// Applies what a call can run.
    pub(super) fn run_targets(&mut self, id: ExprId, targets: &[FnId], args: &[Value]) -> Value {
        let site = self.site(self.body[id].span);
        let mut out = Value::default();
        for target in targets {
            let value = self.apply(*target, args, Some(site), targets.len() > 1);
            if targets.len() == 1 {
                out = value;
            }
        }
        self.finish_call(args, out)
    }

    /// Moves what the call consumed and keeps what it gives.
    pub(super) fn finish_call(&mut self, values: &[Value], out: Value) -> Value {
        let given: Vec<GuardId> = values
            .iter()
            .flat_map(|value| value.guards.iter().copied())
            .filter(|id| !out.guards.contains(id))
            .collect();
        if !given.is_empty() {
            self.state.release(|guard| given.contains(&guard.id));
        }
        out
    }

    /// Applies a function's summary at a call. `args` begins with the receiver, or an empty value where there is none;
    /// `site` is `None` for a `drop` at the end of a scope, which nobody wrote.
    pub(super) fn apply(&mut self, function: FnId, args: &[Value], site: Option<Site>, dispatched: bool) -> Value {
        let Some(summary) = self.summary(function) else { return Value::default() };
        self.apply_part(function, summary, args, site, dispatched, false)
    }

    /// The same for a part of a summary; `future` where it is what the function's future does.
    pub(super) fn apply_part(
        &mut self,
        function: FnId,
        summary: &Summary,
        args: &[Value],
        site: Option<Site>,
        dispatched: bool,
        future: bool,
    ) -> Value {
        let reachable = self.state.reachable;
        if reachable && !future {
            if let Some(site) = site {
                self.note_lock_arguments(function, args.iter().map(|arg| arg.place.as_ref()), site);
            }
            self.out.called(self.cx, self.id, function, &self.state, args.first().and_then(|arg| arg.place.as_ref()));
        }
        let places: SmallVec<[Option<Place>; 4]> = args.iter().map(|value| value.place.clone()).collect();
        let body = self.id;
        let literals = Rc::clone(&self.literals);
        // Values the callee made itself are new ones at every call.
        let fresh = self.fresh();
        let part = |place: &Place| match place.root {
            Root::Param(index) => args.get(index as usize)?.part_at(place),
            _ => None,
        };
        let renewed = |place: Place| match place.root {
            Root::Value(..) => Place { root: Root::Value(body, fresh), ..place },
            // The variables of another activation of this very function are not ours.
            Root::Local(own, ..) if own == body => Place { root: Root::Value(body, fresh), ..place },
            _ => through_literal(&literals, body, place.instantiate(&places, || Root::Value(body, fresh))),
        };
        let renew = |place: &Place| {
            let place = place.unkeyed();
            part(&place).unwrap_or_else(|| renewed(place))
        };
        let lock = |lock: &LockRef| LockRef { place: renew(&lock.place), adt: lock.adt, shape: lock.shape };
        let way = |way: &Way| -> Way { site.into_iter().chain(way.iter().copied()).take(LONGEST_WAY).collect() };
        let held = |held: &HeldLock| HeldLock {
            lock: lock(&held.lock),
            mode: held.mode,
            site: held.site,
            way: way(&held.way),
            must: held.must,
            waiting: held.waiting,
        };
        let given = Self::given_out(summary, args);
        let pick = Self::is_pick(&given);
        for acquired in summary.acquires.iter().filter(|_| reachable) {
            if Self::is_other_variant(acquired, args) {
                continue;
            }
            // A second turn of a recursion: the first one said what there is to say.
            if site.is_some_and(|site| acquired.way.contains(&site)) {
                continue;
            }
            let here = site.filter(|_| self.hands_out(&summary.returns, acquired));
            let wanted = lock(&acquired.lock);
            if let Some(site) = here {
                self.out.count(self.cx, &wanted, site);
            }
            // Most calls bring nothing new: no guard lives here, and the lock is known already.
            if self.state.guards.is_empty()
                && self.recording.is_none()
                && acquired.held.is_empty()
                && (self.detached > 0 && self.task == 0
                    || self.detached == 0
                        && self.summary.knows(&wanted, acquired, self.state.released, acquired.way.len() + 1))
            {
                continue;
            }
            let mut without: Vec<GuardId> = args
                .iter()
                .enumerate()
                .filter(|(index, _)| acquired.released & 1u64.checked_shl(*index as u32).unwrap_or(0) != 0)
                .flat_map(|(_, value)| value.guards.iter().copied())
                .collect();
            if pick {
                without.extend(self.picked_before(function, &given, acquired, &wanted.place));
            }
            let seen = Acquired {
                alone: acquired.alone || self.has_to_itself(&wanted.place),
                lock: wanted,
                mode: acquired.mode,
                try_: acquired.try_,
                waiting: acquired.waiting,
                site: here.unwrap_or(acquired.site),
                way: if here.is_some() { Way::new() } else { way(&acquired.way) },
                held: acquired.held.iter().map(held).collect(),
                released: 0,
                when: self.under_variant().or_else(|| self.handed_on(acquired, args)),
                dispatched: acquired.dispatched || dispatched,
            };
            // What the callee holds through its parameters is only known here.
            if !seen.try_ {
                for (before, after) in acquired.held.iter().zip(&seen.held) {
                    if self.cx.depends_on_caller(&before.lock.place) || self.cx.depends_on_caller(&acquired.lock.place)
                    {
                        self.out.pair(self.cx, (self.id, self.task, self.next), after, false, &seen, &seen.held);
                    }
                }
            }
            self.request(seen, &without);
        }
        let task = if future { 0 } else { self.apply_blocking(function, args, site, dispatched, &renew) };
        if !summary.invokes.is_empty() || !summary.keeps.is_empty() {
            self.apply_callbacks((&summary.invokes, &summary.keeps), args, site, dispatched, &renew);
        }
        if !summary.spawned.is_empty() && reachable {
            let task = self.new_task();
            let outer = std::mem::replace(&mut self.task, task);
            for (before, wanted) in &summary.spawned {
                let after = held(before);
                let seen = Acquired { lock: lock(&wanted.lock), way: way(&wanted.way), ..wanted.clone() };
                self.out.pair(
                    self.cx,
                    (self.id, self.task, self.next),
                    &after,
                    false,
                    &seen,
                    std::slice::from_ref(&after),
                );
                if self.cx.depends_on_caller(&after.lock.place) || self.cx.depends_on_caller(&seen.lock.place) {
                    self.summary.add_spawned(after, seen);
                }
            }
            self.task = outer;
        }
        for called in &summary.calls {
            let Some(value) = args.get(called.param as usize) else { continue };
            let phantoms: Vec<GuardId> = called
                .held
                .iter()
                .map(|inner| {
                    // Where the callee calls it elsewhere without this lock, nobody knows which of the calls happens.
                    let always = summary.calls.iter().filter(|other| other.param == called.param);
                    let always = always.into_iter().all(|other| other.held.iter().any(|held| held.lock == inner.lock));
                    let inner = HeldLock { must: inner.must && always, ..held(inner) };
                    let id = self.hold(inner, false);
                    self.own(&[id], Owner::Nobody);
                    id
                })
                .collect();
            match (value.closure, value.function, site) {
                (Some(closure), ..) => {
                    self.run_closure(closure, &[]);
                }
                (None, Some(function), Some(site)) => {
                    self.run_named(function, &[], site);
                }
                _ => {
                    if let Some(site) = site {
                        self.note_invoked(value.place.as_ref(), site);
                    }
                    self.note_called_param(value.place.as_ref(), site);
                }
            }
            self.state.release(|guard| phantoms.contains(&guard.id));
        }
        let mut out = Value { task, ..Value::of(summary.returns_place.as_ref().map(renew)) };
        if let Some(wrapped) = summary.wraps.and_then(|param| args.get(param as usize)) {
            out.closure = wrapped.closure;
            out.function = wrapped.function;
            out.given = self.callable_param(wrapped);
        }
        // Which part a guard is in, the guards themselves tell.
        if summary.returns.is_empty() {
            let part = |(name, place): &(Symbol, Place)| (*name, Value::of(Some(renew(place))));
            out.parts = summary.returns_parts.iter().map(part).collect();
        }
        for returned in given {
            match returned {
                Returned::Param(param) => {
                    if let Some(value) = args.get(*param as usize) {
                        out.guards.extend(value.guards.iter().copied());
                    }
                }
                Returned::New(inner) => {
                    let wraps = inner.way.is_empty() && self.cx.depends_on_caller(&inner.lock.place);
                    let inner_held = match site.filter(|_| wraps) {
                        Some(site) => HeldLock { site, way: Way::new(), ..held(inner) },
                        None => held(inner),
                    };
                    let id = self.hold(inner_held, false);
                    if pick {
                        self.picked.push((id, function));
                    }
                    if out.place.is_none() {
                        out.place = renew(&inner.lock.place).step(Step::Inside);
                    }
                    out.guards.push(id);
                }
            }
        }
        if summary.starts && reachable {
            self.note_started_others();
        }
        if summary.diverges && !dispatched {
            self.state = State::unreachable();
        }
        out
    }

    /// Whether an acquisition is that of a lock wrapper, whose guard the function hands out: for the reader, the call
    /// is what takes the lock.
    fn hands_out(&self, returns: &[Returned], acquired: &Acquired) -> bool {
        acquired.way.is_empty()
            && self.cx.depends_on_caller(&acquired.lock.place)
            && returns.iter().any(|returned| matches!(returned, Returned::New(held) if held.site == acquired.site))
    }

    /// A callable that came in as a parameter is called here.
    pub(super) fn note_called_param(&mut self, place: Option<&Place>, site: Option<Site>) {
        let (Some(Place { root: Root::Param(param), steps }), Some(site)) = (place, site) else { return };
        if !steps.is_empty() || self.detached > 0 || !self.state.reachable {
            return;
        }
        let called = CalledParam {
            param: *param,
            held: self
                .state
                .guards
                .iter()
                .filter(|guard| guard.param.is_none())
                .map(|guard| guard.held.clone())
                .collect(),
            site,
        };
        if !self.summary.calls.contains(&called) && self.summary.calls.len() < 16 {
            self.summary.calls.push(called);
        }
    }
}

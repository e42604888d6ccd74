//! What walking finds, each thing once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::context::Context;
use super::place::Root;
use super::place::{BodyId, ClassName};
use super::state::{LiveGuard, State};
use super::summary::{Acquired, HeldLock, LockRef, Site, Way};
use super::{DroppedAtOnce, HeldAtAwait, Pair, Regions, Sameness, StaticWrite};
use crate::finding::{Confidence, Location};
use crate::graph::LockMode;
use crate::model::{FnId, StaticId};

/// Classes and modes of locks surely held.
pub(super) type Gates = std::collections::BTreeMap<String, LockMode>;

type PairKey = (Site, Way, Site, Way, Sameness);

/// What walking finds.
#[derive(Default)]
pub(super) struct Output {
    pub(super) regions: Regions,
    pub(super) pairs: FxHashSet<PairKey>,
    pub(super) awaits: FxHashSet<(Site, Site)>,
    pub(super) dropped: FxHashSet<Site>,
    pub(super) writes: FxHashSet<Site>,
    pub(super) counted: FxHashSet<Site>,
    /// Where the tasks of the body at hand begin in `regions.tasks`.
    pub(super) first_task: usize,
    /// For every function of the sources: its callers, each with what is surely held at the call.
    pub(super) calls: FxHashMap<FnId, Vec<(BodyId, Gates)>>,
    pub(super) classes: FxHashSet<String>,
    /// What is known of shared state, by body.
    pub(super) facts: std::collections::BTreeMap<u32, super::effects::Facts>,
}

impl Output {
    pub(super) fn count(&mut self, cx: &Context<'_>, lock: &LockRef, site: Site) {
        if !self.counted.insert(site) {
            return;
        }
        // A parameter's lock is the caller's to know, and counted there.
        let class = cx.class(&lock.place);
        if class.is_none() && matches!(lock.place.root, Root::Param(_)) {
            return;
        }
        self.regions.acquisitions += 1;
        match class {
            Some(class) => {
                self.classes.insert(class.key);
            }
            None => self.regions.unresolved += 1,
        }
    }

    pub(super) fn pair(
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

    pub(super) fn called(&mut self, cx: &Context<'_>, caller: BodyId, callee: FnId, state: &State) {
        let held = state.guards.iter().filter(|guard| guard.held.must && !guard.try_ && guard.param.is_none());
        let gates = held.filter_map(|guard| Some((cx.class(&guard.held.lock.place)?.key, guard.held.mode))).collect();
        self.calls.entry(callee).or_default().push((caller, gates));
    }

    pub(super) fn held_at_await(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
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

    pub(super) fn dropped_at_once(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
        if !self.dropped.insert(site) {
            return;
        }
        let held = &guard.held;
        let info = &cx.bodies[body.0 as usize];
        let held = cx.side(&held.lock, held.mode, site, &held.way, held.waiting);
        self.regions.dropped.push(DroppedAtOnce { function: info.name.clone(), test: info.test, held });
    }

    pub(super) fn static_write(&mut self, cx: &Context<'_>, body: BodyId, id: StaticId, site: Site) {
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

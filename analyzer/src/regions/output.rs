//! What walking finds, each thing once: per group of bodies that are walked together, then of all.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::declared::Declared;
use super::place::{self, BodyId, ClassName, Place, Root};
use super::state::{LiveGuard, State};
use super::summary::{Acquired, HeldLock, LockRef, Site, Way};
use super::{DroppedAtOnce, HeldAtAwait, Pair, Regions, Sameness, StaticWrite, Task};
use crate::finding::Confidence;
use crate::graph::LockMode;
use crate::model::{FnId, StaticId};

/// Classes and modes of locks surely held.
pub(super) type Gates = std::collections::BTreeMap<String, LockMode>;

/// Whether a call is of a value that nobody else can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Alone {
    /// It is the caller's, by its signature.
    Yes,
    /// It is a part of what the caller is called on.
    LikeCaller,
    /// Others may reach it.
    No,
}

type PairKey = (Site, Way, Site, Way, Sameness);

/// Things in the order in which they were found.
type Found<K, T> = IndexMap<K, T, FxBuildHasher>;

/// What walking a group of bodies finds. Groups are walked side by side; what they find is [merged](Output::merge) in
/// a fixed order.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Output {
    pairs: Found<PairKey, Pair>,
    awaits: Found<(Site, Site), HeldAtAwait>,
    dropped: Found<Site, DroppedAtOnce>,
    writes: Found<Site, StaticWrite>,
    acquisitions: Found<Site, Identity>,
    /// For every function of the sources: its callers, each with what is surely held at the call.
    pub(super) calls: Found<FnId, Vec<(BodyId, Gates, Alone)>>,
    /// What each body waits for and signals, from its last walk; most do neither. Boxed, as the facts are: a map's node
    /// has room for eleven.
    pub(super) blocking: std::collections::BTreeMap<BodyId, Box<super::blocking::Blocking>>,
    /// Threads and tasks that the bodies spawn.
    tasks: Vec<Task>,
    /// Where those of the body at hand begin.
    first_task: usize,
    /// Where pointers to locks are passed on, each with the first such place.
    pub(super) flows: Found<super::shared::Flow, Site>,
    /// Callbacks that come into registries.
    registrations: Found<(Site, Place), super::callbacks::Registration>,
    /// Calls of registries under locks.
    invoked: Found<(BodyId, Site, Way), super::callbacks::Invoked>,
    /// What is known of shared state, by body.
    #[serde(with = "crate::model::numbers::by_body")]
    pub(super) facts: std::collections::BTreeMap<u32, Box<super::effects::Facts>>,
}

/// What is known of the lock of an acquisition.
#[derive(Serialize, Deserialize)]
enum Identity {
    /// It is a parameter's: the caller's to know, and counted there.
    Callers,
    Unknown,
    Class(ClassName),
}

impl Output {
    /// Adds what another group found.
    pub(super) fn merge(&mut self, other: Output) {
        let first_task = self.tasks.len();
        self.tasks.extend(other.tasks);
        for (key, mut pair) in other.pairs {
            pair.task = pair.task.map(|task| first_task + task);
            self.pairs.entry(key).or_insert(pair);
        }
        add_new(&mut self.awaits, other.awaits);
        add_new(&mut self.dropped, other.dropped);
        add_new(&mut self.writes, other.writes);
        add_new(&mut self.acquisitions, other.acquisitions);
        add_new(&mut self.flows, other.flows);
        add_new(&mut self.registrations, other.registrations);
        add_new(&mut self.invoked, other.invoked);
        self.facts.extend(other.facts);
        for (callee, calls) in other.calls {
            self.calls.entry(callee).or_default().extend(calls);
        }
        self.blocking.extend(other.blocking);
    }

    /// All of it, in order of functions; `entry` says what is held whenever a body is entered.
    /// `alone` has the bodies that are only ever called on what nobody else can reach.
    pub(super) fn into_regions(
        self,
        cx: &Context<'_>,
        entry: &FxHashMap<u32, Gates>,
        alone: &FxHashSet<u32>,
    ) -> Regions {
        let mut pairs: Vec<Pair> = self.pairs.into_values().collect();
        pairs.sort_by_key(|pair| pair.body);
        let behind = super::behind::Behind::of(cx);
        for pair in &mut pairs {
            pair.exclusive |= alone.contains(&pair.body)
                && pair.task.is_none()
                && cx.is_part_of_receiver(&pair.held.place)
                && cx.is_part_of_receiver(&pair.wanted.place);
            let nowhere = || Place::new(Root::Value(BodyId(u32::MAX), 0));
            let gates = entry.get(&pair.body).into_iter().flatten();
            pair.gates.extend(gates.map(|(key, mode)| (Some(key.clone()), nowhere(), *mode)));
            pair.behind = behind.of_self(cx, pair);
        }
        let unresolved = self.acquisitions.values().filter(|identity| matches!(identity, Identity::Unknown)).count();
        let classes: Vec<&String> = self.acquisitions.values().filter_map(Identity::class).collect();
        let count = unresolved + classes.len();
        let classes = classes.into_iter().collect::<FxHashSet<_>>().len();
        let acquired = self.acquisitions.into_iter().filter_map(|(site, identity)| match identity {
            Identity::Class(class) => Some((site, class)),
            _ => None,
        });
        Regions {
            acquired: acquired.collect(),
            pairs,
            awaits: self.awaits.into_values().collect(),
            dropped: self.dropped.into_values().collect(),
            static_writes: self.writes.into_values().collect(),
            tasks: self.tasks,
            acquisitions: count,
            unresolved,
            classes,
            ..Regions::default()
        }
    }

    pub(super) fn spawned(&mut self, tasks: Vec<Task>) {
        self.tasks.extend(tasks);
        self.first_task = self.tasks.len();
    }

    /// What a body waits for and signals, in place of what its walk before this one found.
    pub(super) fn wait_facts(&mut self, id: BodyId, facts: super::blocking::Blocking) {
        if facts.is_empty() {
            self.blocking.remove(&id);
        } else {
            self.blocking.insert(id, Box::new(facts));
        }
    }

    pub(super) fn flow(&mut self, flow: super::shared::Flow, site: Site) {
        self.flows.entry(flow).or_insert(site);
    }

    pub(super) fn registered(&mut self, registration: super::callbacks::Registration) {
        // Through whatever it is reached, it is one field.
        let field = Place { steps: registration.place.steps.clone(), root: Root::Value(BodyId(u32::MAX), 0) };
        self.registrations.insert((registration.site, field), registration);
    }

    pub(super) fn invocation(
        &mut self,
        body: BodyId,
        step: u32,
        call: super::callbacks::Invocation,
        gates: Vec<HeldLock>,
    ) {
        let key = (body, call.site, call.way.clone());
        self.invoked.entry(key).or_insert(super::callbacks::Invoked { body, step, call, gates });
    }

    /// Takes them out.
    pub(super) fn registrations(&mut self) -> Vec<super::callbacks::Registration> {
        std::mem::take(&mut self.registrations).into_values().collect()
    }

    /// Takes them out.
    pub(super) fn invoked(&mut self) -> Vec<super::callbacks::Invoked> {
        std::mem::take(&mut self.invoked).into_values().collect()
    }

    pub(super) fn count(&mut self, cx: &Context<'_>, lock: &LockRef, site: Site) {
        self.acquisitions.entry(site).or_insert_with(|| match cx.class(&lock.place) {
            Some(class) => Identity::Class(class),
            None if matches!(lock.place.root, Root::Param(_)) => Identity::Callers,
            None => Identity::Unknown,
        });
    }

    pub(super) fn pair(
        &mut self,
        cx: &Context<'_>,
        (body, task, step): (BodyId, u32, u32),
        held: &HeldLock,
        held_try: bool,
        wanted: &Acquired,
        gates: &[HeldLock],
    ) -> Option<&mut Pair> {
        let same = if held.lock.place == wanted.lock.place && held.lock.place.is_stable() {
            Sameness::Same
        } else {
            match place::same_class(cx.model, &held.lock.place, &wanted.lock.place) {
                Some(true) => Sameness::SameClass,
                Some(false) => Sameness::Different,
                None => return None,
            }
        };
        let indexmap::map::Entry::Vacant(entry) =
            self.pairs.entry((held.site, held.way.clone(), wanted.site, wanted.way.clone(), same))
        else {
            return None;
        };
        let held_class = cx.class(&held.lock.place);
        let wanted_class = cx.class(&wanted.lock.place);
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
        Some(entry.insert(Pair {
            function: cx.name(body),
            body: body.0,
            task: (task as usize).checked_sub(1).map(|task| self.first_task + task),
            step,
            exclusive: wanted.alone || cx.exclusive(body, &held.lock.place) && cx.exclusive(body, &wanted.lock.place),
            test: info.test,
            held: cx.side(&held.lock, held.mode, held.site, &held.way, held.waiting),
            held_try,
            must: held.must,
            wanted: cx.side(&wanted.lock, wanted.mode, wanted.site, &wanted.way, wanted.waiting),
            gates,
            same,
            confidence,
            callback: false,
            always: false,
            behind: None,
        }))
    }

    pub(super) fn called(
        &mut self,
        cx: &Context<'_>,
        caller: BodyId,
        callee: FnId,
        state: &State,
        receiver: Option<&Place>,
    ) {
        let held = state.guards.iter().filter(|guard| guard.held.must && !guard.try_ && guard.param.is_none());
        let gates = held.filter_map(|guard| Some((cx.class(&guard.held.lock.place)?.key, guard.held.mode))).collect();
        let alone = match receiver {
            Some(place) if cx.exclusive(caller, place) => Alone::Yes,
            Some(place) if cx.is_part_of_receiver(place) => Alone::LikeCaller,
            _ => Alone::No,
        };
        self.calls.entry(callee).or_default().push((caller, gates, alone));
    }

    pub(super) fn held_at_await(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
        self.awaits.entry((guard.held.site, site)).or_insert_with(|| {
            let held = &guard.held;
            let info = &cx.bodies[body.0 as usize];
            HeldAtAwait {
                function: cx.name(body),
                test: info.test,
                held: cx.side(&held.lock, held.mode, held.site, &held.way, held.waiting),
                must: held.must,
                at: cx.location(site),
            }
        });
    }

    pub(super) fn dropped_at_once(&mut self, cx: &Context<'_>, body: BodyId, guard: &LiveGuard, site: Site) {
        self.dropped.entry(site).or_insert_with(|| {
            let held = &guard.held;
            let info = &cx.bodies[body.0 as usize];
            let held = cx.side(&held.lock, held.mode, site, &held.way, held.waiting);
            DroppedAtOnce { function: cx.name(body), test: info.test, held }
        });
    }

    pub(super) fn static_write(&mut self, cx: &Context<'_>, body: BodyId, id: StaticId, site: Site, reserved: bool) {
        self.writes.entry(site).or_insert_with(|| {
            let info = &cx.bodies[body.0 as usize];
            StaticWrite {
                function: cx.name(body),
                test: info.test,
                name: cx.model.statics[id.0 as usize].name.to_string(),
                declared: Declared::Static(id),
                at: cx.location(site),
                reserved,
            }
        });
    }
}

impl Identity {
    fn class(&self) -> Option<&String> {
        match self {
            Identity::Class(class) => Some(&class.key),
            _ => None,
        }
    }
}

fn add_new<K: std::hash::Hash + Eq, T>(to: &mut Found<K, T>, from: Found<K, T>) {
    if to.is_empty() {
        *to = from;
        return;
    }
    for (key, value) in from {
        to.entry(key).or_insert(value);
    }
}

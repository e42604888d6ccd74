//! Callbacks that are kept in fields: what calls of them take.
//!
//! Guarantees: a registry is the field that callbacks are kept in (through options, collections, pointers and locks);
//! a call of what it keeps takes what the closures and functions take that the sources register there. What is taken
//! so is a critical pair of medium confidence at most, which names the registration on its way. The two locks of such
//! a pair are the same one only where the registration says so: the callback takes the lock of the very object that
//! it is registered with, and the registry is called under that object's lock; or both are one static.
//!
//! Misses: callbacks that reach their registry in a message, in an enum or through a collection of structs; what they
//! wait for other than locks. Registries of different instances are one (as lock classes are), those of a generic type
//! are told apart by the field that the value of this type lies in.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::context::Context;
use super::output::Output;
use super::place::{BodyId, Place, Root, Step};
use super::summary::{Acquired, HeldLock, LONGEST_WAY, Site, Way};
use super::{Pair, Sameness};
use crate::finding::Confidence;
use crate::model::{AdtId, Model};
use crate::syntax::Symbol;

/// Registrations that one call is followed to.
const MOST_REGISTERED: usize = 24;
/// Locks that one call is followed to.
const MOST_TAKEN: usize = 96;
/// How often a callback may call what another registry keeps.
const DEEPEST: usize = 3;

/// The field that callbacks are kept in, then the field that its owner lies in, where that is a generic type.
pub(super) type Registry = SmallVec<[(AdtId, Symbol); 2]>;

/// What a callback does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doing {
    /// The locks it takes.
    pub(super) acquires: Vec<Acquired>,
    /// The registries whose callbacks it calls.
    pub(super) invokes: Vec<Invocation>,
    /// Parameters of the function it stands in that it calls.
    pub(super) params: Vec<u32>,
}

/// A callback comes into a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Registration {
    /// The registry.
    pub(super) place: Place,
    /// What it is registered with: the receiver of the call that registers it.
    pub(super) with: Option<Place>,
    /// Where.
    pub(super) site: Site,
    /// What the callback does.
    pub(super) doing: Doing,
}

/// What a registry keeps is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Invocation {
    /// The registry.
    pub place: Place,
    /// What the function itself holds there.
    pub held: Vec<HeldLock>,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// Bit `i`: the guard passed as parameter `i` was given back before.
    pub released: u64,
    /// A call on the way had more than one possible target.
    pub dispatched: bool,
}

/// A parameter comes into a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptParam {
    /// Which one.
    pub param: u32,
    /// The registry.
    pub place: Place,
}

/// An invocation under locks, in the function where both meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Invoked {
    pub(super) body: BodyId,
    pub(super) step: u32,
    pub(super) call: Invocation,
    /// All locks that are surely held.
    pub(super) gates: Vec<HeldLock>,
}

/// The registry at a place; nothing where no field leads there.
pub(super) fn registry(model: &Model<'_>, place: &Place) -> Option<Registry> {
    let mut out = Registry::new();
    for step in place.steps.iter().rev() {
        let Step::Field(adt, name) = step else { continue };
        out.push((*adt, *name));
        if out.len() == 2 || model.adt(*adt).params.is_empty() {
            break;
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Whether it is known which registry a place is: its owner is no generic type, or lies in a known field.
pub(super) fn is_known(model: &Model<'_>, place: &Place) -> bool {
    let Some(registry) = registry(model, place) else { return false };
    registry.len() == 2 || registry.last().is_some_and(|(adt, _)| model.adt(*adt).params.is_empty())
}

/// The same for a registration: of the literal that a value of a generic type is made by, nobody knows where it goes.
fn is_filled(model: &Model<'_>, place: &Place) -> bool {
    is_known(model, place) || matches!((place.root, &place.steps[..]), (Root::Value(..), [Step::Field(..)]))
}

/// Whether a call runs all that is in the registry, or one of them. Of a field that has one callback, a call runs the
/// one of its object.
fn has_many(place: &Place) -> bool {
    let field = place.steps.iter().rposition(|step| matches!(step, Step::Field(..))).unwrap_or(0);
    let own = place.steps[..field].iter().any(|step| matches!(step, Step::Element(_)));
    own || place.steps[field..].iter().any(|step| matches!(step, Step::Element(_)))
}

fn may_be_one(a: &Registry, b: &Registry) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// A lock that a callback takes, with the registrations on the way to it.
struct Taken<'r> {
    registration: &'r Registration,
    wanted: &'r Acquired,
    way: Way,
    /// Indices of calls of registries in the way; behind each stands the registration.
    calls: SmallVec<[usize; 2]>,
    dispatched: bool,
}

/// Adds the pairs of all calls of registries. Gives the number of calls of which not everything was followed. Cost: the
/// calls under locks, times the bounded number of locks behind each.
pub(super) fn connect(cx: &Context<'_>, out: &mut Output) -> usize {
    let registrations = out.registrations();
    let invoked = out.invoked();
    let mut by_field: BTreeMap<(AdtId, Symbol), Vec<(Registry, &Registration)>> = BTreeMap::new();
    for registration in &registrations {
        if let Some(registry) =
            registry(cx.model, &registration.place).filter(|_| is_filled(cx.model, &registration.place))
        {
            by_field.entry(registry[0]).or_default().push((registry, registration));
        }
    }
    let mut cut = 0;
    for meeting in &invoked {
        let mut taken = Vec::new();
        let mut whole = true;
        let mut seen = FxHashSet::default();
        let first = (meeting.call.clone(), Way::new(), SmallVec::<[usize; 2]>::new(), None, false);
        let mut open = vec![first];
        while let Some((call, before, calls, outer, dispatched)) = open.pop() {
            let Some(registry) = registry(cx.model, &call.place) else { continue };
            let dispatched = dispatched || call.dispatched;
            let known = by_field.get(&registry[0]).map_or(&[][..], Vec::as_slice);
            let known = known.iter().filter(|(other, _)| may_be_one(&registry, other)).map(|(_, known)| *known);
            // With callbacks of several objects, which one is called is anybody's guess.
            let dispatched = dispatched || !has_many(&call.place) && known.clone().nth(1).is_some();
            for (at, registration) in known.enumerate() {
                if at >= MOST_REGISTERED {
                    whole = false;
                    break;
                }
                if !seen.insert(registration.site) {
                    continue;
                }
                let mut way: Way = before.iter().chain(&call.way).chain([&call.site]).copied().collect();
                let mut calls = calls.clone();
                calls.push(way.len() - 1);
                way.push(registration.site);
                let outermost = outer.unwrap_or(registration);
                for wanted in &registration.doing.acquires {
                    if taken.len() >= MOST_TAKEN {
                        whole = false;
                        break;
                    }
                    let way = way.iter().chain(&wanted.way).take(LONGEST_WAY + 4).copied().collect();
                    let calls = calls.clone();
                    taken.push(Taken { registration: outermost, wanted, way, calls, dispatched });
                }
                for inner in &registration.doing.invokes {
                    if calls.len() < DEEPEST {
                        open.push((inner.clone(), way.clone(), calls.clone(), Some(outermost), dispatched));
                    } else {
                        whole = false;
                    }
                }
            }
        }
        for taken in &taken {
            add(cx, out, meeting, taken);
        }
        cut += usize::from(!whole);
    }
    cut
}

fn add(cx: &Context<'_>, out: &mut Output, meeting: &Invoked, taken: &Taken<'_>) {
    let direct = taken.calls.len() == 1;
    for held in &meeting.call.held {
        let one = is_one(cx.model, &meeting.call.place, &held.lock.place, taken, direct);
        let mut wanted = taken.wanted.clone();
        wanted.way.clone_from(&taken.way);
        // What a callback calls in its turn depends on yet another registration.
        wanted.dispatched |= taken.dispatched || !direct;
        wanted.held = Vec::new();
        // In the registering function's terms: nothing that the function at hand could name.
        if !matches!(wanted.lock.place.root, Root::Static(_) | Root::Local(..)) {
            wanted.lock.place.root = Root::Value(BodyId(u32::MAX), 0);
        }
        let at = (meeting.body, 0, meeting.step);
        let Some(pair) = out.pair(cx, at, held, false, &wanted, &meeting.gates) else { continue };
        if one && pair.same == Sameness::SameClass {
            pair.same = Sameness::Same;
        }
        label(pair, taken);
    }
}

fn label(pair: &mut Pair, taken: &Taken<'_>) {
    pair.confidence = pair.confidence.min(Confidence::Medium);
    pair.callback = true;
    for at in &taken.calls {
        if let Some(call) = pair.wanted.way.get_mut(*at) {
            call.label = "calls a registered callback".to_string();
        }
        if let Some(registered) = pair.wanted.way.get_mut(*at + 1) {
            registered.label = "the callback is registered here".to_string();
        }
    }
}

/// Whether the callback takes the lock under which it is called: it takes the lock of what it is registered with, and
/// the registry is called under the lock of what has the registry.
fn is_one(model: &Model<'_>, registry: &Place, held: &Place, taken: &Taken<'_>, direct: bool) -> bool {
    let wanted = &taken.wanted.lock.place;
    if !direct || wanted.steps.contains(&Step::Element(super::place::Index::Any)) {
        return false;
    }
    let fields = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Field(..)));
    let anchors = [Some(&taken.registration.place), taken.registration.with.as_ref()];
    anchors.into_iter().flatten().any(|anchor| {
        if anchor.root != wanted.root {
            return false;
        }
        let mut shared = anchor.steps.iter().zip(&wanted.steps).take_while(|(a, b)| a == b).count();
        // What both lie in is an object, and the lock one of its fields.
        while shared > 0 && !fields(&wanted.steps[shared..]) {
            shared -= 1;
        }
        let own = &wanted.steps[shared..];
        let Some(owner) = held.steps.len().checked_sub(own.len()) else { return false };
        fields(own)
            && held.steps[owner..] == *own
            && registry.root == held.root
            && registry.steps.starts_with(&held.steps[..owner])
            && super::place::same_class(model, held, wanted) == Some(true)
    })
}

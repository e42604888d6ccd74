//! Locks that several fields share: a field that is only ever given the lock of another one is the same lock.
//!
//! Guarantees: two classes become one only where every lock that the code outside tests puts into the one comes from
//! the other (or both get theirs from one variable or parameter), as far as it can be seen; a lock of unknown origin
//! keeps its class apart. The flows follow struct literals, assignments to fields and arguments, without regard to the
//! order of calls (Steensgaard, *Points-to analysis in almost linear time*, made one-sided: what has two origins is
//! not unified with either). Two names of one lock within one value mean one lock, but never surely so.
//!
//! Misses: locks put into collections, handed through type parameters, or given to a `pub` function from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::summary::Site;
use super::{Pair, Regions, Sameness};
use crate::finding::{Confidence, Location};

/// A pointer to a lock comes to lie in a field, or in a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Flow {
    /// Where to: a class's key, or a parameter.
    pub(super) to: Slot,
    /// Where from; `None`: not known.
    pub(super) from: Option<Slot>,
}

/// What can have a pointer to a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Slot {
    /// The field, static or variable of this class.
    Class(String),
    /// A function's parameter; 0 is the receiver.
    Param(u32, u32),
}

/// Why a lock goes by the name of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The other name.
    pub name: String,
    /// Where the lock is passed on.
    pub at: Location,
}

/// Who has the lock of whom, and where it is passed on.
pub(super) type Names = FxHashMap<String, (String, Site)>;

/// Follows every class to where its locks come from. Cost: the flows, and for each class the steps to its origin.
pub(super) fn names<'f>(flows: impl Iterator<Item = (&'f Flow, &'f Site)>, taken: &BTreeSet<String>) -> Names {
    let mut origins: BTreeMap<&Slot, Vec<(Option<&Slot>, Site)>> = BTreeMap::new();
    for (flow, site) in flows {
        origins.entry(&flow.to).or_default().push((flow.from.as_ref(), *site));
    }
    // All classes by the place where their locks come from in the end.
    let mut groups: BTreeMap<&Slot, Vec<(&String, Site)>> = BTreeMap::new();
    for (slot, known) in &origins {
        if let (Slot::Class(key), Some((_, site))) = (slot, known.first()) {
            groups.entry(origin(&origins, slot)).or_default().push((key, *site));
        }
    }
    let mut out = Names::default();
    for (source, members) in groups {
        // The lock goes by the name that it has at its origin, where anybody takes it there.
        let name = match source {
            Slot::Class(key) if taken.contains(key) => key,
            _ => match members.iter().map(|(key, _)| *key).filter(|key| taken.contains(*key)).min() {
                Some(key) => key,
                None => continue,
            },
        };
        out.extend(
            members.iter().filter(|(key, _)| *key != name).map(|(key, site)| ((*key).clone(), (name.clone(), *site))),
        );
    }
    out
}

/// The only place where what `slot` has comes from in the end; itself where there are several, or an unknown one.
fn origin<'s>(origins: &BTreeMap<&'s Slot, Vec<(Option<&'s Slot>, Site)>>, slot: &'s Slot) -> &'s Slot {
    let mut at = slot;
    let mut seen = FxHashSet::from_iter([slot]);
    loop {
        let Some(known) = origins.get(at) else { return at };
        let mut next = None;
        for (from, _) in known {
            match from {
                None => return at,
                // It had it before.
                Some(from) if *from == at => {}
                Some(from) if next.is_none_or(|known| known == *from) => next = Some(*from),
                Some(_) => return at,
            }
        }
        match next {
            Some(next) if seen.insert(next) => at = next,
            _ => return at,
        }
    }
}

/// Gives every lock of the pairs the name that it has at its origin.
pub(super) fn rename(names: &Names, regions: &mut Regions, location: impl Fn(Site) -> Location) {
    if names.is_empty() {
        return;
    }
    let mut known: FxHashMap<String, super::ClassName> = FxHashMap::default();
    for class in regions.pairs.iter().flat_map(|pair| [&pair.held.class, &pair.wanted.class]).flatten() {
        known.entry(class.key.clone()).or_insert_with(|| class.clone());
    }
    for (_, class) in &regions.acquired {
        known.entry(class.key.clone()).or_insert_with(|| class.clone());
    }
    // Two locks that are one by their own names need no other one.
    for pair in regions.pairs.iter_mut().filter(|pair| pair.same != Sameness::Same) {
        let mut renamed = false;
        for side in [&mut pair.held, &mut pair.wanted] {
            let Some(class) = &mut side.class else { continue };
            let Some((key, site)) = names.get(&class.key) else { continue };
            let Some(origin) = known.get(key) else { continue };
            let mut at = location(*site);
            at.label = format!("`{}` is filled here: it is the lock of `{}`", class.name, origin.name);
            side.shared = Some(Shared { name: std::mem::take(&mut class.name), at });
            *class = super::ClassName { identity: class.identity.min(Confidence::Medium), ..origin.clone() };
            renamed = true;
        }
        for (key, _, _) in &mut pair.gates {
            if let Some((name, _)) = key.as_ref().and_then(|key| names.get(key)) {
                *key = Some(name.clone());
            }
        }
        if renamed {
            pair.confidence = pair.confidence.min(Confidence::Medium);
            meet(pair);
        }
    }
}

/// Two names that turned out to be those of one lock. What a `drop` wants is less sure: a value can be emptied before.
fn meet(pair: &mut Pair) {
    let key = |class: &Option<super::ClassName>| class.as_ref().map(|class| class.key.clone());
    if pair.same == Sameness::Different && key(&pair.held.class) == key(&pair.wanted.class) {
        let drops = |site: &Location| site.function.as_deref().is_some_and(|name| name.ends_with("::drop"));
        let dropped = pair.wanted.way.iter().chain([&pair.wanted.site]).any(drops);
        pair.same = if dropped || pair.held.place.root != pair.wanted.place.root {
            Sameness::SameClass
        } else {
            Sameness::Same
        };
    }
}

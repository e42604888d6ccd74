//! Function summaries: what a caller must know, in terms of the function's parameters.
//!
//! Guarantees: the acquisitions are critical pairs (held set inside the function, lock wanted) as in Brotherston et
//! al., "A compositional deadlock detector for Android Java" (ASE 2021), with the way to each; at most
//! [`MOST_ACQUIRES`] are kept, the shortest way per lock and mode first.
//!
//! Misses: what happens beyond the cap; [`Summary::truncated`] says so.

use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::place::{Place, Root};
use crate::graph::LockMode;
use crate::model::AdtId;
use crate::model::locks::{Shape, Waiting};
use crate::syntax::{Span, Symbol};

/// Acquisitions kept per function.
pub const MOST_ACQUIRES: usize = 64;
/// Acquisitions under more locks than this are not kept: a part of what is held would say too much.
pub const MOST_HELD: usize = 8;
/// Calls kept on the way to an acquisition.
pub const LONGEST_WAY: usize = 8;

/// A place in the sources, with the body it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// The file.
    pub file: u32,
    /// The place.
    pub span: Span,
    /// The body.
    pub body: super::place::BodyId,
}

/// A lock as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LockRef {
    /// Which one.
    pub place: Place,
    /// Its type.
    pub adt: AdtId,
    /// Its shape.
    pub shape: Shape,
}

/// The way from a function to a site in a callee: the calls, outermost first.
pub type Way = Vec<Site>;

/// A lock held at some point.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeldLock {
    /// The lock.
    pub lock: LockRef,
    /// How it is held.
    pub mode: LockMode,
    /// Where it was taken.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// On every path to this point.
    pub must: bool,
    /// Its waiters block their thread.
    pub waiting: Waiting,
}

/// A lock that a function takes, itself or in a callee.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Acquired {
    /// The lock.
    pub lock: LockRef,
    /// How it is taken.
    pub mode: LockMode,
    /// Cannot wait.
    pub try_: bool,
    /// Its waiters block their thread.
    pub waiting: Waiting,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// What the function itself holds there.
    pub held: Vec<HeldLock>,
    /// Bit `i`: the guard passed as parameter `i` was given back before.
    pub released: u64,
    /// A call on the way had more than one possible target.
    pub dispatched: bool,
    /// Nobody else can hold it: who takes it has what it lies in as `&mut self` or `self`.
    pub alone: bool,
    /// Only taken for this variant of a parameter.
    pub when: Option<When>,
}

/// A parameter is of this variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct When {
    /// The parameter.
    pub param: u32,
    /// Its variant.
    pub variant: Variant,
}

/// The variant of a value, as far as literals and patterns tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variant {
    /// The enum, and the number of the variant.
    Of(AdtId, u32),
    /// `true` or `false`.
    Flag(bool),
    /// That of a parameter of the body at hand.
    AsGiven(u32),
}

impl Variant {
    /// Whether a value of this variant is surely not of the other one.
    pub fn excludes(self, other: Variant) -> bool {
        match (self, other) {
            (Variant::Of(adt, variant), Variant::Of(of, other)) => adt == of && variant != other,
            (Variant::Flag(flag), Variant::Flag(other)) => flag != other,
            _ => false,
        }
    }
}

/// A guard that a function returns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Returned {
    /// Taken by the function.
    New(HeldLock),
    /// Passed in as this parameter.
    Param(u32),
}

/// A callable parameter that the function calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CalledParam {
    /// Which parameter.
    pub param: u32,
    /// What the function holds there.
    pub held: Vec<HeldLock>,
    /// Where.
    pub site: Site,
}

/// What a caller must know of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Locks taken, in order of first meeting.
    pub acquires: Vec<Acquired>,
    /// For each of these a hash of what tells it from others.
    hashes: Vec<u64>,
    /// Guards in the returned value.
    pub returns: Vec<Returned>,
    /// What the returned reference or pointer names.
    pub returns_place: Option<Place>,
    /// What is in the fields of the struct literal that it returns, where callers can name that.
    pub returns_parts: Vec<(Symbol, Place)>,
    /// Callable parameters that are called.
    pub calls: Vec<CalledParam>,
    /// Pairs of locks that threads or tasks spawned here take, where they depend on the function's parameters.
    pub spawned: Vec<(HeldLock, Acquired)>,
    /// What the future does that it returns without being an `async fn`: nothing of that happens at the call.
    pub future: Option<Box<Summary>>,
    /// What it does with shared state and its parameters' data.
    pub effects: Vec<super::effects::Effect>,
    /// Bit `i`: the result depends on parameter `i`.
    pub returns_from: u64,
    /// What it waits for and signals.
    pub blocking: super::blocking::summary::BlockingSummary,
    /// Registries whose callbacks it calls.
    pub invokes: Vec<super::callbacks::Invocation>,
    /// The callable parameter that it returns, or that the closure which it returns calls.
    pub wraps: Option<u32>,
    /// Parameters that it puts into registries.
    pub keeps: Vec<super::callbacks::KeptParam>,
    /// It never returns.
    pub diverges: bool,
    /// It may start threads or tasks, or hand closures to who may run them elsewhere.
    pub starts: bool,
    /// Not all acquisitions could be kept.
    pub truncated: bool,
    /// Acquisitions that differ by what the function itself holds were made one.
    pub collapsed: bool,
}

impl Summary {
    /// Notes the fields of a struct literal that is returned, as far as the caller can name what is in them.
    pub fn add_parts(&mut self, parts: impl Iterator<Item = (Symbol, Place)>, first: bool) {
        let parts: Vec<_> = parts.filter(|(_, place)| matches!(place.root, Root::Param(_) | Root::Static(_))).collect();
        if first {
            self.returns_parts = parts;
        } else {
            self.returns_parts.retain(|part| parts.contains(part));
        }
    }

    /// Adds a pair of a spawned thread or task.
    pub fn add_spawned(&mut self, held: HeldLock, wanted: Acquired) {
        let pair = (held, Acquired { held: Vec::new(), ..wanted });
        if self.spawned.len() < MOST_ACQUIRES && !self.spawned.contains(&pair) {
            self.spawned.push(pair);
        }
    }

    /// Whether [`Summary::add`] would change nothing for an acquisition like `other` but of another lock, released set
    /// and length of way, with nothing held.
    pub fn knows(&self, lock: &LockRef, other: &Acquired, released: u64, way: usize) -> bool {
        let hash = hash(lock, other.mode, other.try_, released);
        self.hashes.iter().zip(&self.acquires).any(|(known, acquired)| {
            *known == hash
                && acquired.held.is_empty()
                && acquired.when.is_none()
                && one_to_callers(&acquired.lock, lock)
                && (acquired.mode, acquired.try_, acquired.released) == (other.mode, other.try_, released)
                && acquired.way.len() <= way
        })
    }

    /// Adds an acquisition unless one of the same lock, mode and held set with a way no longer is there. Where there are
    /// too many, those that differ by what the function itself holds become one, with what all of them hold.
    pub fn add(&mut self, acquired: Acquired) {
        if acquired.held.len() > MOST_HELD {
            self.truncated = true;
            return;
        }
        let hash = hash(&acquired.lock, acquired.mode, acquired.try_, acquired.released);
        if self.merge(&acquired, hash) {
            return;
        }
        if self.acquires.len() >= MOST_ACQUIRES && !self.collapsed {
            self.collapsed = true;
            let hashes = std::mem::take(&mut self.hashes);
            for (known, hash) in std::mem::take(&mut self.acquires).into_iter().zip(hashes) {
                if !self.merge(&known, hash) {
                    self.acquires.push(known);
                    self.hashes.push(hash);
                }
            }
            if self.merge(&acquired, hash) {
                return;
            }
        }
        if self.acquires.len() >= MOST_ACQUIRES {
            self.truncated = true;
            return;
        }
        self.acquires.push(acquired);
        self.hashes.push(hash);
    }

    /// Whether it goes into one that is there.
    fn merge(&mut self, acquired: &Acquired, hash: u64) -> bool {
        let one = |a: &HeldLock, b: &HeldLock| one_to_callers(&a.lock, &b.lock);
        let collapsed = self.collapsed;
        let same = |other: &Acquired| {
            one_to_callers(&other.lock, &acquired.lock)
                && other.mode == acquired.mode
                && other.try_ == acquired.try_
                && other.released == acquired.released
                && (other.held.len() == acquired.held.len()
                    && other.held.iter().zip(&acquired.held).all(|(a, b)| one(a, b))
                    || collapsed && !other.open() && !acquired.open())
        };
        let at = (0..self.acquires.len()).find(|at| self.hashes[*at] == hash && same(&self.acquires[*at]));
        let Some(known) = at.map(|at| &mut self.acquires[at]) else { return false };
        let mut held = std::mem::take(&mut known.held);
        held.retain(|held| acquired.held.iter().any(|other| one(held, other)));
        let alone = known.alone && acquired.alone;
        let when = known.when.filter(|_| known.when == acquired.when);
        if acquired.way.len() < known.way.len() {
            *known = acquired.clone();
        }
        known.alone = alone;
        known.when = when;
        known.held = held;
        true
    }
}

impl Acquired {
    /// Only a caller can name one of the locks: what is held here makes a pair there.
    fn open(&self) -> bool {
        let open = |lock: &LockRef| {
            matches!(lock.place.root, Root::Param(_))
                && !lock.place.steps.iter().any(|step| matches!(step, super::place::Step::Field(..)))
        };
        open(&self.lock) || self.held.iter().any(|held| open(&held.lock))
    }
}

/// Whether a caller cannot tell two locks apart: values that the function made or found itself are nothing that a caller
/// can name, so only their path from there on matters.
fn one_to_callers(a: &LockRef, b: &LockRef) -> bool {
    let own = |lock: &LockRef| matches!(lock.place.root, Root::Value(..)) && !lock.place.steps.is_empty();
    a == b || own(a) && own(b) && a.place.steps == b.place.steps && a.adt == b.adt && a.shape == b.shape
}

/// Equal for acquisitions that callers cannot tell apart by their locks.
fn hash(lock: &LockRef, mode: LockMode, try_: bool, released: u64) -> u64 {
    let mut hasher = FxHasher::default();
    if matches!(lock.place.root, Root::Value(..)) {
        (&lock.place.steps, lock.adt, lock.shape).hash(&mut hasher);
    } else {
        lock.hash(&mut hasher);
    }
    (mode, try_, released).hash(&mut hasher);
    hasher.finish()
}

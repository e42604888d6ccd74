//! Function summaries: what a caller must know, in terms of the function's parameters.
//!
//! Guarantees: the acquisitions are critical pairs (held set inside the function, lock wanted) as in Brotherston et
//! al., "A compositional deadlock detector for Android Java" (ASE 2021), with the way to each; at most
//! [`MOST_ACQUIRES`] are kept, the shortest way per lock and mode first.
//!
//! Misses: what happens beyond the cap; [`Summary::truncated`] says so.

use smallvec::SmallVec;

use super::place::Place;
use crate::graph::LockMode;
use crate::model::AdtId;
use crate::model::locks::{Shape, Waiting};
use crate::syntax::Span;

/// Acquisitions kept per function.
pub const MOST_ACQUIRES: usize = 64;
/// Calls kept on the way to an acquisition.
pub const LONGEST_WAY: usize = 8;

/// A place in the sources, with the body it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// The file.
    pub file: u32,
    /// The place.
    pub span: Span,
    /// The body.
    pub body: super::place::BodyId,
}

/// A lock as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockRef {
    /// Which one.
    pub place: Place,
    /// Its type.
    pub adt: AdtId,
    /// Its shape.
    pub shape: Shape,
}

/// The way from a function to a site in a callee: the calls, outermost first.
pub type Way = SmallVec<[Site; 2]>;

/// A lock held at some point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    pub held: SmallVec<[HeldLock; 2]>,
    /// Bit `i`: the guard passed as parameter `i` was given back before.
    pub released: u64,
    /// A call on the way had more than one possible target.
    pub dispatched: bool,
}

/// A guard that a function returns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Returned {
    /// Taken by the function.
    New(HeldLock),
    /// Passed in as this parameter.
    Param(u32),
}

/// A callable parameter that the function calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CalledParam {
    /// Which parameter.
    pub param: u32,
    /// What the function holds there.
    pub held: SmallVec<[HeldLock; 2]>,
    /// Where.
    pub site: Site,
}

/// What a caller must know of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Locks taken, in order of first meeting.
    pub acquires: Vec<Acquired>,
    /// Guards in the returned value.
    pub returns: Vec<Returned>,
    /// What the returned reference or pointer names.
    pub returns_place: Option<Place>,
    /// Callable parameters that are called.
    pub calls: Vec<CalledParam>,
    /// Pairs of locks that threads or tasks spawned here take, where they depend on the function's parameters.
    pub spawned: Vec<(HeldLock, Acquired)>,
    /// What it does with shared state and its parameters' data.
    pub effects: Vec<super::effects::Effect>,
    /// Bit `i`: the result depends on parameter `i`.
    pub returns_from: u64,
    /// It never returns.
    pub diverges: bool,
    /// Not all acquisitions could be kept.
    pub truncated: bool,
}

impl Summary {
    /// Adds a pair of a spawned thread or task.
    pub fn add_spawned(&mut self, held: HeldLock, wanted: Acquired) {
        let pair = (held, Acquired { held: SmallVec::new(), ..wanted });
        if self.spawned.len() < MOST_ACQUIRES && !self.spawned.contains(&pair) {
            self.spawned.push(pair);
        }
    }

    /// Adds an acquisition unless one of the same lock, mode and held set with a way no longer is there.
    pub fn add(&mut self, acquired: Acquired) {
        let same = |other: &Acquired| {
            other.lock == acquired.lock
                && other.mode == acquired.mode
                && other.try_ == acquired.try_
                && other.released == acquired.released
                && other.held.len() == acquired.held.len()
                && other.held.iter().zip(&acquired.held).all(|(a, b)| a.lock == b.lock)
        };
        if let Some(known) = self.acquires.iter_mut().find(|other| same(other)) {
            if acquired.way.len() < known.way.len() {
                *known = acquired;
            }
            return;
        }
        if self.acquires.len() >= MOST_ACQUIRES {
            self.truncated = true;
            return;
        }
        self.acquires.push(acquired);
    }
}

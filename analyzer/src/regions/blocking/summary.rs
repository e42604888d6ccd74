//! What a caller must know of a function's waiting, in terms of the function's parameters.
//!
//! Guarantees: at most [`MOST`] of each kind are kept.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::pools::PoolStep;
use super::{Op, SignalKind};
use crate::model::AdtId;
use crate::regions::place::Place;
use crate::regions::summary::{Acquired, HeldLock, Site, Way};

/// Waits, signals, initialisations kept per function.
pub const MOST: usize = 24;

/// A wait in the function or a callee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// What for.
    pub op: Op,
    /// Which one.
    pub object: Option<Place>,
    /// The mutex that the wait gives back.
    pub monitor: Option<HeldLock>,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// In a loop.
    pub looped: bool,
    /// The guard came in as a parameter.
    pub passed: bool,
    /// Suspends a task.
    pub suspends: bool,
    /// A call on the way has several possible targets.
    pub dispatched: bool,
}

/// A signal in the function or a callee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// What.
    pub kind: SignalKind,
    /// On what.
    pub object: Place,
    /// What the function surely took before.
    pub taken: Vec<HeldLock>,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
}

/// A one-time initialisation that the function may begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initialises {
    /// The cell.
    pub cell: Place,
    /// Its type; `None`: an entry of `lazy_static!`.
    pub adt: Option<AdtId>,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// Whenever the function runs, as far as branches and loops go.
    pub always: bool,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockingSummary {
    /// Waits.
    pub waits: Vec<Waits>,
    /// Signals.
    pub signals: Vec<Signals>,
    /// Initialisations.
    pub initialises: Vec<Initialises>,
    /// Locks that are surely taken by the end.
    pub takes: SmallVec<[HeldLock; 2]>,
    /// What it submits to pools and waits for.
    pub steps: Vec<PoolStep>,
    /// The returned value is the handle of this thread or task, which takes these locks.
    pub returns: Option<(u32, Vec<Acquired>)>,
}

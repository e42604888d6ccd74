//! What functions do with shared state: which cells they read and write, under which guards, and which values flow from
//! a read to a write.
//!
//! A *cell* is what one lock guards, an atomic, or a tracked cell. `flow` follows the values of one body in the order
//! of evaluation, over the places and held guards that the guard-scope interpreter has `seen`; what callees do comes
//! from their summaries as [`Effect`]s, in terms of their parameters. [`stale`] finds reads whose value decides or
//! computes a later write of the same cell although nothing was held in between; [`reach`] says which functions can
//! run on several threads at once; [`criteria`] classifies statements as people do by hand: modifies shared state,
//! reads it and relies on it, modifies local state.
//!
//! Guarantees: an access counts only where its guard is known to live or its type is that of a cell; linear in the size
//! of the body times the number of effects kept per function ([`MOST_EFFECTS`]).
//!
//! Misses: what unknown functions do, aliases between places, values carried from one turn of a loop to the next.

mod arguments;
mod bind;
mod calls;
pub mod cells;
pub mod criteria;
mod flow;
pub mod interior;
mod library;
mod names;
pub mod reach;
pub(super) mod seen;
mod single_writer;
pub mod stale;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::context::Context;
use super::place::{BodyId, Index, Place, Root, Step};
use super::summary::{LONGEST_WAY, Site, Way};
use super::walk::Group;
use crate::model::FnId;
use crate::syntax::{ExprId, ExprKind, Span};
use seen::Seen;

pub(super) use library::is_atomic;

/// Effects kept per function.
pub const MOST_EFFECTS: usize = 48;

/// What is done with a cell, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Access {
    /// Looks at it.
    Read,
    /// Gives it a value.
    Write,
    /// Adds to a collection without looking at it.
    Append,
    /// Looks and changes at once: `+=`, `entry`, `fetch_add`, `pop`.
    Update,
}

/// Which element of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    /// All of it, or no collection.
    Whole,
    /// Some element, found by iterating.
    Some,
    /// The element with the key in this variable.
    At(Place),
    /// The element with this number.
    Number(u64),
    /// The element with a computed key.
    Unknown,
}

/// What makes a place a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cell {
    /// Nothing: data of a parameter. A caller may hold the guard of it.
    Plain,
    /// A lock: the place's first steps, this many, are what it guards.
    Guarded(u32),
    /// An atomic type.
    Atomic,
    /// `lockcheck_tracker::Tracked`.
    Tracked,
    /// A `static mut`.
    StaticMut,
}

/// What a function does with a cell, in terms of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Effect {
    /// Where.
    pub place: Place,
    /// What makes it a cell.
    pub cell: Cell,
    /// What is done.
    pub access: Access,
    /// To which element.
    pub key: Key,
    /// Where the guards held at the access were taken.
    pub held: SmallVec<[Site; 1]>,
    /// Where the guard of the cell was taken.
    pub section: Option<Site>,
    /// The access.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
    /// What is read is, or decides, what the function returns.
    pub returned: bool,
    /// Bit `i`: parameter `i` is, or decides, what is written.
    pub from: u64,
}

/// A guard held at an access: where it was taken, and the call of this body that takes it, where a callee does.
pub(super) type Held = (Site, Option<ExprId>);

/// Values by where they come from: numbers of events, and parameters (see [`param`]). Sorted.
pub(super) type Taint = SmallVec<[u32; 4]>;

/// Beyond this many origins the rest is forgotten.
const MOST_ORIGINS: usize = 24;

/// Parameter `index` as the origin of a value.
pub(super) fn param(index: u32) -> u32 {
    (1 << 31) | index
}

pub(super) fn add(to: &mut Taint, from: &Taint) {
    for origin in from {
        if let Err(at) = to.binary_search(origin)
            && to.len() < MOST_ORIGINS
        {
            to.insert(at, *origin);
        }
    }
}

/// An access in the body at hand.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The expression.
    pub(super) expr: ExprId,
    pub(super) place: Place,
    pub(super) cell: Cell,
    pub(super) access: Access,
    pub(super) key: Key,
    pub(super) held: SmallVec<[Held; 2]>,
    pub(super) section: Option<Held>,
    /// Where it happens, in a callee perhaps, and the calls to there.
    pub(super) site: Site,
    pub(super) way: Way,
    /// What is written comes from here.
    pub(super) data: Taint,
    /// The key comes from here.
    pub(super) by_key: Taint,
    /// The conditions around it come from here.
    pub(super) control: Taint,
    /// Conditions under which it is not reached, because control left before, come from here.
    pub(super) early: Taint,
    /// Which variant these values have decides that it is reached.
    pub(super) dispatch: Taint,
    /// The spawned closure it stands in.
    pub(super) spawn: Option<u32>,
    /// Calls and awaits before it.
    pub(super) steps: u32,
}

impl Event {
    /// The cell as a whole.
    pub(super) fn cell_place(&self) -> Place {
        match self.cell {
            Cell::Guarded(steps) => {
                Place { root: self.place.root, steps: self.place.steps[..steps as usize].iter().copied().collect() }
            }
            _ => self.place.clone(),
        }
    }

    /// Whether it is state that several threads can have at once, by its type or guard.
    pub(super) fn is_shared(&self) -> bool {
        self.cell != Cell::Plain
    }
}

/// A closure, async block or function that is given to another thread, a pool or a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spawn {
    /// The call that takes it.
    pub(super) site: Site,
    /// In a loop: it runs beside itself.
    pub(super) many: bool,
}

/// A call, for finding out what can run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Called {
    pub(super) function: FnId,
    /// In, or as, this spawned closure.
    pub(super) spawn: Option<u32>,
    /// Bit `i`: argument `i` comes into the spawned closure from outside.
    pub(super) shared: u64,
    /// The callee's parameter, and the own one that it lies in.
    pub(super) lends: Vec<(u32, u32)>,
}

/// What is known of a body once its values were followed. No references into the model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) calls: Vec<Called>,
    pub(super) spawns: Vec<Spawn>,
    pub(super) stale: Vec<stale::Stale>,
    /// Atomics that are compared and exchanged.
    pub(super) exchanged: Vec<String>,
    /// Cells that a lock may guard although their type does not say so.
    pub(super) uses: Vec<cells::Use>,
    /// Writes to unsynchronised interiors.
    pub(super) interior: Vec<interior::Interior>,
    /// Written cells: their classes, with the spawned closure.
    pub(super) writes: Vec<(String, Option<u32>)>,
    /// Its statements with their criteria, where they were asked for or something is stale.
    pub(super) statements: Vec<criteria::Statement>,
}

/// Follows the values of a body that was walked; gives its effects and what else is known of it.
///
/// `gives_guard`: the function returns a guard; what it guards is for the caller to look at.
pub(super) fn analyse(
    cx: &Context<'_>,
    group: &Group,
    id: BodyId,
    seen: &Seen,
    gives_guard: bool,
) -> (Vec<Effect>, u64, Facts) {
    let Some((body, types)) = cx.body(id) else { return Default::default() };
    let flow = flow::Flow::run((cx, group), id, body, types, seen);
    let mut effects = effects(&flow, id);
    effects.retain(|effect| !gives_guard || effect.access != Access::Read);
    let stale = stale::find(cx, id, &flow);
    let mut writes: Vec<(String, Option<u32>)> = Vec::new();
    for event in flow.events.iter().filter(|event| event.is_shared() && event.access != Access::Read) {
        if let Some(class) = cx.class(&event.cell_place())
            && !writes.contains(&(class.key.clone(), event.spawn))
        {
            writes.push((class.key, event.spawn));
        }
    }
    let mut exchanged: Vec<String> = Vec::new();
    for event in flow.events.iter().filter(|event| event.cell == Cell::Atomic && event.access == Access::Update) {
        if let ExprKind::MethodCall { method, .. } = &body[event.expr].kind
            && method.as_str().starts_with("compare_")
            && let Some(class) = cx.class(&event.place)
        {
            exchanged.push(class.key);
        }
    }
    let uses = cells::uses(cx, id, &flow);
    let interior = interior::find(cx, id, &flow);
    let statements = if cx.sections || !stale.is_empty() { criteria::classify(cx, id, &flow) } else { Vec::new() };
    let returns_from = params(flow.returned.iter());
    flow::done_with(flow.events);
    (
        effects,
        returns_from,
        Facts { calls: flow.calls, spawns: flow.spawns, stale, exchanged, uses, interior, writes, statements },
    )
}

/// The parameters among some origins, as bits.
fn params<'o>(origins: impl Iterator<Item = &'o u32>) -> u64 {
    origins
        .filter(|origin| **origin >= param(0))
        .fold(0, |bits, origin| bits | 1u64.checked_shl(*origin - param(0)).unwrap_or(0))
}

/// What a caller must know.
fn effects(flow: &flow::Flow<'_>, id: BodyId) -> Vec<Effect> {
    let mut out: Vec<Effect> = Vec::new();
    for (index, event) in flow.events.iter().enumerate() {
        let named = match event.place.root {
            Root::Param(_) | Root::Static(_) => true,
            Root::Local(..) | Root::Value(..) => false,
        };
        if !named || event.spawn.is_some() || event.way.len() >= LONGEST_WAY {
            continue;
        }
        // A second turn of a recursion: the first one said what there is to say.
        if event.way.iter().any(|site| site.body == id) && event.way.len() > 1 {
            continue;
        }
        let from = params(event.data.iter().chain(&event.control));
        let cell = match event.cell {
            Cell::Guarded(_) => Cell::Guarded(event.cell_place().unkeyed().steps.len() as u32),
            other => other,
        };
        let effect = Effect {
            place: event.place.unkeyed(),
            cell,
            access: event.access,
            key: event.key.clone(),
            held: event.held.iter().map(|held| held.0).collect(),
            section: event.section.map(|held| held.0),
            site: event.site,
            way: event.way.clone(),
            returned: flow.returned.binary_search(&(index as u32)).is_ok(),
            from,
        };
        let same = |known: &&mut Effect| {
            known.place == effect.place
                && known.access == effect.access
                && known.key == effect.key
                && known.section == effect.section
        };
        if let Some(known) = out.iter_mut().find(same) {
            known.returned |= effect.returned;
            known.from |= effect.from;
        } else if out.len() < MOST_EFFECTS {
            out.push(effect);
        }
    }
    out
}

/// Whether a place lies in another one, or the other in it.
pub(super) fn overlap(a: &Place, b: &Place) -> bool {
    let same = |(a, b): (&Step, &Step)| match (a, b) {
        (Step::Element(a), Step::Element(b)) => a == b || *a == Index::Any || *b == Index::Any,
        (a, b) => a == b,
    };
    a.root == b.root && a.steps.iter().zip(&b.steps).all(same)
}

/// A stretch of the sources in a body.
pub(super) fn site(cx: &Context<'_>, id: BodyId, span: Span) -> Site {
    Site { file: cx.bodies[id.0 as usize].file, span, body: id }
}

//! Cells that a lock guards by custom and not by type, and the accesses that leave it out.
//!
//! Guarantees: a lock guards a cell by custom where it is held at three uses or more, a write among them, and at four
//! of five of all uses. Accesses with `&mut self` and those of functions that are only called with the lock held count
//! as held.
//!
//! Source: lock consistency as in Blackshear, Gorogiannis, O'Hearn and Sergey, "RacerD: compositional static race
//! detection" (OOPSLA 2018). Of its ownership analysis only `&mut` and local variables are here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::flow::Flow;
use super::{Access, Cell, Facts};
use crate::finding::Location;
use crate::regions::Regions;
use crate::regions::context::Context;
use crate::regions::declared::Declared;
use crate::regions::output::Gates;
use crate::regions::place::{BodyId, Place, Root};

/// Uses under the lock that make a custom.
const FEWEST: usize = 3;

/// A use of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Class key of the cell.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is: `static mut`, a tracked cell, an atomic.
    pub cell: Cell,
    /// Its declaration.
    pub declared: Option<Declared>,
    /// It is changed.
    pub write: bool,
    /// Locks surely held: class keys and names.
    pub locks: Vec<(String, String)>,
    /// Where.
    pub at: Location,
    /// Only in test code.
    pub test: bool,
    /// Nobody else has it here.
    pub alone: bool,
}

/// A use without the lock that all others hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unguarded {
    /// The use.
    pub found: Use,
    /// Name of the lock.
    pub lock: String,
    /// Uses that hold it.
    pub held: usize,
    /// All uses.
    pub all: usize,
    /// One that holds it.
    pub example: Location,
}

/// The uses in a body.
pub(super) fn uses(cx: &Context<'_>, id: BodyId, flow: &Flow<'_>) -> Vec<Use> {
    let info = &cx.bodies[id.0 as usize];
    let function = cx.model.fns.get(id.0 as usize);
    let receiver = function.and_then(|function| function.syntax.receiver.as_ref());
    let exclusive = receiver.is_some_and(|receiver| receiver.mutable || (!receiver.reference && receiver.ty.is_none()));
    let mut out = Vec::new();
    for event in &flow.events {
        if !event.way.is_empty() || !matches!(event.cell, Cell::Atomic | Cell::Tracked | Cell::StaticMut) {
            continue;
        }
        // Of a static all is one cell.
        let place = match event.cell {
            Cell::StaticMut => Place::new(event.place.root),
            _ => event.place.clone(),
        };
        let Some(class) = cx.class(&place) else { continue };
        let guards = flow.seen.held(flow.seen_at(event.expr)).iter().filter(|guard| guard.must);
        let locks = guards.filter_map(|guard| cx.class(&guard.lock)).map(|class| (class.key, class.name)).collect();
        out.push(Use {
            key: class.key,
            name: class.name,
            cell: event.cell,
            declared: class.declared,
            write: event.access != Access::Read,
            locks,
            at: cx.location(event.site),
            test: info.test,
            alone: matches!(event.place.root, Root::Local(..)) || (exclusive && event.place.root == Root::Param(0)),
        });
    }
    out
}

/// Finds the uses that leave out what the others hold.
pub(super) fn find(facts: &BTreeMap<u32, Box<Facts>>, entry: &FxHashMap<u32, Gates>, regions: &mut Regions) {
    let mut cells: BTreeMap<&str, Vec<(&Use, Vec<&str>)>> = BTreeMap::new();
    for (body, facts) in facts {
        for each in &facts.uses {
            let gates = entry.get(body).into_iter().flat_map(|gates| gates.keys().map(String::as_str));
            let held: Vec<&str> = each.locks.iter().map(|(key, _)| key.as_str()).chain(gates).collect();
            cells.entry(&each.key).or_default().push((each, held));
        }
    }
    for uses in cells.values() {
        let uses: Vec<&(&Use, Vec<&str>)> = uses.iter().filter(|(each, _)| !each.alone && !each.test).collect();
        // Atomics may be read by anybody: only changing them under a lock is a custom.
        let counted: Vec<&&(&Use, Vec<&str>)> =
            uses.iter().filter(|(each, _)| each.write || each.cell != Cell::Atomic).collect();
        let mut locks: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, held) in &counted {
            held.iter().for_each(|lock| *locks.entry(lock).or_default() += 1);
        }
        let Some((lock, held)) = locks.into_iter().max_by_key(|(lock, held)| (*held, std::cmp::Reverse(*lock))) else {
            continue;
        };
        let example = uses.iter().find(|(each, locks)| each.write && locks.contains(&lock));
        let name = uses.iter().flat_map(|(each, _)| &each.locks).find(|(key, _)| key == lock).map(|(_, name)| name);
        let (Some(example), Some(name)) = (example, name) else { continue };
        if held < FEWEST || held * 5 < counted.len() * 4 {
            continue;
        }
        for (each, locks) in counted.iter().map(|each| (each.0, &each.1)) {
            if !locks.contains(&lock) {
                regions.unguarded.push(Unguarded {
                    found: each.clone(),
                    lock: name.clone(),
                    held,
                    all: counted.len(),
                    example: example.0.at.clone(),
                });
            }
        }
    }
}

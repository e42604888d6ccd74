//! Reads whose value decides or computes a later write of the same cell, with nothing held from the one to the other.
//!
//! A pair of a read and a write counts where both name the same cell by equal stable places, their critical sections
//! differ, no guard is held at both, and the write's section does not look at the cell again before it writes. An
//! update (`+=`, `entry`, `pop`) looks at the cell itself: it counts only where the earlier read decides that it
//! happens. For atomics no read-modify-write of the same atomic stands between.
//!
//! Source: check-then-act and stale-value errors as in Artho, Havelund and Biere, "Using block-local atomicity to
//! detect stale-value concurrency errors" (ATVA 2004); atomics after lockbud's atomicity-violation patterns.
//!
//! Misses: cells whose places are not stable (elements by a computed index), reads and writes in different functions
//! that a third one does not call.

use super::flow::Flow;
use super::{Access, Cell, Event, Key, overlap, single_writer};
use crate::finding::Location;
use crate::model::Model;
use crate::regions::context::Context;
use crate::regions::declared::Declared;
use crate::regions::place::{BodyId, Index, Place, Root, Step};
use serde::{Deserialize, Serialize};

/// How the write depends on the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dependence {
    /// The value that is written comes from the value that was read.
    Data,
    /// A condition around the write tests it.
    Control,
    /// A condition before the write tests it, and leaves where it does not hold.
    Early,
}

/// A read and the write that relies on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The function.
    pub function: String,
    /// Its number.
    #[serde(with = "crate::model::numbers")]
    pub body: u32,
    /// Only in test code.
    pub test: bool,
    /// The spawned closure of the function in which both stand.
    pub spawn: Option<u32>,
    /// Class key of the cell.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its declaration.
    pub declared: Option<Declared>,
    /// The type of the lock, atomic or cell.
    pub kind: String,
    /// An atomic.
    pub atomic: bool,
    /// How.
    pub dependence: Dependence,
    /// The write is an update.
    pub update: bool,
    /// The write adds or replaces an element of a collection.
    pub keyed: bool,
    /// Something else is called or awaited between them.
    pub works_between: bool,
    /// The cell belongs to the receiver, which is borrowed as shared.
    pub of_self: bool,
    /// The parameter that the cell lies in.
    pub param: Option<u32>,
    /// The cell lies in a variable of the function, or of the spawned closure itself.
    pub own: bool,
    /// A read-modify-write stands between, or the code says that one thread alone stores: a protocol of its own.
    pub protocol: bool,
    /// Which variant the read value has decides that the write is reached: a step of a state machine.
    pub state_machine: bool,
    /// The write only adds to a collection.
    pub append: bool,
    /// Further reads of the cell and the writes that rely on them.
    pub also: Vec<(Location, Location)>,
    /// The read, as far as this function: itself, or the call that leads there.
    pub read: Location,
    /// From there on, where a call leads to it.
    pub read_in: Option<Location>,
    /// The write, likewise.
    pub write: Location,
    /// From there on.
    pub write_in: Option<Location>,
}

/// Further pairs that are kept.
const MOST_WRITES: usize = 8;

pub(super) fn find(cx: &Context<'_>, id: BodyId, flow: &Flow<'_>) -> Vec<Stale> {
    let mut out: Vec<Stale> = Vec::new();
    for (at, write) in flow.events.iter().enumerate() {
        if write.access == Access::Read || !write.is_shared() || write.cell == Cell::StaticMut {
            continue;
        }
        // A read-modify-write of an atomic looks for itself.
        if write.cell == Cell::Atomic && write.access == Access::Update {
            continue;
        }
        let cell = write.cell_place();
        if !cell.is_stable() || cx.exclusive(id, &cell_owner(&cell)) {
            continue;
        }
        let origins =
            [(&write.data, Dependence::Data), (&write.control, Dependence::Control), (&write.early, Dependence::Early)];
        let mut best: Option<(Dependence, &Event)> = None;
        for (origins, dependence) in origins {
            for origin in origins {
                let Some(read) = flow.events.get(*origin as usize) else { continue };
                let known = best.is_some_and(|(known, _)| known <= dependence);
                if !known && relies(flow, at, *origin as usize, dependence) {
                    best = Some((dependence, read));
                }
            }
        }
        let Some((dependence, read)) = best else { continue };
        let Some(class) = cx.class(&cell) else { continue };
        let info = &cx.bodies[id.0 as usize];
        let (read_at, read_in) = ends(cx, read);
        let (write_at, write_in) = ends(cx, write);
        let number = flow.events.iter().position(|event| std::ptr::eq(event, read)).unwrap_or_default() as u32;
        let stale = Stale {
            state_machine: write.dispatch.contains(&number),
            append: write.access == Access::Append,
            also: Vec::new(),
            function: cx.name(id),
            body: id.0,
            test: info.test,
            spawn: write.spawn,
            key: class.key,
            name: class.name,
            declared: class.declared,
            kind: kind(cx, flow, &cell_owner(&cell)),
            atomic: write.cell == Cell::Atomic,
            dependence,
            update: write.access == Access::Update,
            keyed: write.key != Key::Whole,
            works_between: write.steps > read.steps + u32::from(!write.way.is_empty()),
            of_self: cell.root == Root::Param(0) && has_self(cx.model, id),
            param: match cell.root {
                Root::Param(param) => Some(param),
                _ => None,
            },
            own: match cell.root {
                Root::Local(body, local, _) => body != id || write.spawn.is_none() || flow.inside.contains(&local),
                Root::Value(..) => true,
                Root::Param(_) | Root::Static(_) => false,
            },
            protocol: write.cell == Cell::Atomic
                && (exchanged(&flow.events[..at], read)
                    || single_writer::is_claimed(cx, id, flow, &cell, (read, write))),
            read: read_at,
            read_in,
            write: write_at,
            write_in,
        };
        // One finding per cell: the surest, with the others beside it.
        match out.iter_mut().find(|known| known.key == stale.key && known.spawn == stale.spawn) {
            Some(known) if (known.dependence, known.state_machine) <= (stale.dependence, stale.state_machine) => {
                if known.write != stale.write && known.also.len() < MOST_WRITES {
                    known.also.push((stale.read, stale.write));
                }
            }
            Some(known) => {
                let also = std::mem::take(&mut known.also)
                    .into_iter()
                    .chain([(known.read.clone(), known.write.clone())])
                    .collect();
                *known = Stale { also, ..stale };
            }
            None => out.push(stale),
        }
    }
    out
}

/// Whether an atomic is read and modified in one step after `read`.
fn exchanged(events: &[Event], read: &Event) -> bool {
    let later = events.iter().rev().take_while(|event| event.expr != read.expr);
    later.into_iter().any(|event| event.cell == Cell::Atomic && event.access == Access::Update)
}

fn has_self(model: &Model<'_>, id: BodyId) -> bool {
    let receiver = model.fns.get(id.0 as usize).and_then(|function| function.syntax.receiver.as_ref());
    receiver.is_some_and(|receiver| receiver.ty.is_some() || (receiver.reference && !receiver.mutable))
}

/// The lock of a guarded cell.
fn cell_owner(cell: &Place) -> Place {
    let mut owner = cell.clone();
    if owner.steps.last() == Some(&Step::Inside) {
        owner.steps.pop();
    }
    owner
}

/// Whether the write relies on the read, and nothing keeps them together.
fn relies(flow: &Flow<'_>, at: usize, origin: usize, dependence: Dependence) -> bool {
    let (write, read) = (&flow.events[at], &flow.events[origin]);
    let pair = origin < at
        && read.access == Access::Read
        && read.cell == write.cell
        && read.spawn == write.spawn
        && read.cell_place() == write.cell_place()
        && overlap(&read.place, &write.place);
    // An update looks at the cell itself: only its happening at all may rest on the earlier look.
    if !pair || (write.access == Access::Update && dependence != Dependence::Control) {
        return false;
    }
    if read.held.iter().any(|held| write.held.contains(held))
        || (read.section.is_some() && read.section == write.section)
    {
        return false;
    }
    if !same_element(read, write, origin as u32, dependence) || is_validated(flow, read, write) {
        return false;
    }
    let between = flow.events.iter().enumerate().filter(|(index, event)| {
        *index != at
            && *index > origin
            && event.cell == write.cell
            && event.access != Access::Write
            && overlap(&event.place, &write.place)
            && event.cell_place() == write.cell_place()
    });
    // `let before = x; x = other; ..; x = before`: put aside and restored.
    let aside = |event: &Event| {
        event.cell == write.cell
            && event.access == Access::Write
            && event.place == write.place
            && event.key == Key::Whole
    };
    if dependence == Dependence::Data && flow.events[origin..at].iter().any(aside) {
        return false;
    }
    for (index, event) in between {
        // The write's own section looks again.
        if write.section.is_some() && event.section == write.section && (index < at || event.expr == write.expr) {
            return false;
        }
        // A read-modify-write decides.
        if write.section.is_none() && index < at && event.access == Access::Update {
            return false;
        }
    }
    true
}

/// Whether the write only happens where something that was read along with the value is looked at again: a version, a
/// generation, a timestamp.
fn is_validated(flow: &Flow<'_>, read: &Event, write: &Event) -> bool {
    let part_of = |section: &Event, event: &Event| {
        event.access == Access::Read
            && event.section.is_some()
            && event.section == section.section
            && event.cell_place() == write.cell_place()
    };
    write.control.iter().chain(&write.early).filter_map(|index| flow.events.get(*index as usize)).any(|again| {
        part_of(write, again)
            && flow
                .events
                .iter()
                .any(|first| part_of(read, first) && first.place == again.place && first.key == again.key)
    })
}

/// Whether both mean the same element, where the cell is a collection.
fn same_element(read: &Event, write: &Event, origin: u32, dependence: Dependence) -> bool {
    let key = |event: &Event| {
        let within = match event.cell {
            Cell::Guarded(steps) => &event.place.steps[steps as usize..],
            _ => &[],
        };
        match (&event.key, within.contains(&Step::Element(Index::Any))) {
            (Key::Whole, true) => Key::Unknown,
            (key, _) => key.clone(),
        }
    };
    match (key(read), key(write)) {
        (Key::Whole, _) | (_, Key::Whole) => true,
        (Key::At(a), Key::At(b)) if a == b => true,
        (Key::Number(a), Key::Number(b)) => a == b,
        _ => dependence == Dependence::Data && write.by_key.contains(&origin),
    }
}

/// Where an event is seen in this function, and where it happens.
fn ends(cx: &Context<'_>, event: &Event) -> (Location, Option<Location>) {
    match event.way.first() {
        Some(call) => (cx.location(*call), Some(cx.location(event.site))),
        None => (cx.location(event.site), None),
    }
}

/// The type of the lock, atomic or cell behind a place, as it is declared.
fn kind(cx: &Context<'_>, flow: &Flow<'_>, place: &Place) -> String {
    let model = cx.model;
    let ty = match place.steps.iter().rev().find(|step| matches!(step, Step::Field(..))) {
        Some(Step::Field(adt, name)) => {
            let field = model.adt(*adt).variants.iter().flatten().find(|field| field.name == *name);
            field.map(|field| &field.ty)
        }
        _ => match place.root {
            Root::Static(id) => model.statics.get(id.0 as usize).map(|data| &data.ty),
            Root::Local(body, local, _) if body == flow.id => {
                flow.types.locals.get(local.0 as usize).map(|local| &local.ty)
            }
            _ => None,
        },
    };
    match ty.map(|ty| super::library::pointee(model, ty)) {
        Some(crate::model::ty::Ty::Adt(id, _)) => {
            let path = model.adt_path(*id);
            path.strip_prefix("?::").unwrap_or(path).to_string()
        }
        Some(crate::model::ty::Ty::External(path, _)) => path.to_string(),
        _ => String::new(),
    }
}

//! One pass over the accesses to tracked cells, for [`super::races`] and [`super::lost_updates`].
//!
//! Guarantees: skipped where no cell was accessed. O(events x threads) at worst.

use lockcheck_tracker::event::{Held, ObjectKind, Op};

use super::causality::{Causality, Edges};
use super::clocks::Moment;
use super::held::{HeldLock, HeldSets};
use super::lost_updates::{LostUpdate, LostUpdates};
use super::order::Ordered;
use super::races::{Race, Races};
use super::recording::Recording;

/// One access to a tracked cell, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Thread number.
    pub thread: u32,
    /// The task it ran, 0 for none.
    pub task: u32,
    /// Where.
    pub site: u32,
    /// Whether it wrote.
    pub write: bool,
    /// The locks held.
    pub held: Vec<Held>,
}

/// An access as the detectors see it.
pub(super) struct Step<'a> {
    pub cell: u32,
    /// Thread index.
    pub thread: u32,
    pub access: Access,
    pub held: &'a [HeldLock],
    /// Under happens-before.
    pub happens: Moment,
    /// Under the order that no schedule can change: without locks and without values read.
    pub must: Moment,
}

/// Runs both detectors.
pub fn accesses(recording: &Recording, ordered: &Ordered) -> (Vec<Race>, Vec<LostUpdate>) {
    let is_cell = |id: u32| recording.objects.get(&id).is_some_and(|object| object.kind == ObjectKind::Cell);
    let accesses_cell =
        |op: Option<Op>, id: u32| matches!(op, Some(Op::Read | Op::Write | Op::ReadWrite)) && is_cell(id);
    if !ordered.has(&[Op::Read, Op::Write, Op::ReadWrite])
        || !ordered.events().any(|(_, event)| accesses_cell(event.op(), event.object))
    {
        return Default::default();
    }
    let threads = &ordered.threads;
    let mut happens = Causality::new(recording, threads, Edges { locks: true, cells: false });
    let mut must = Causality::new(recording, threads, Edges { locks: false, cells: false });
    let mut held = HeldSets::new(threads.len());
    let mut tasks: Vec<Vec<u32>> = vec![Vec::new(); threads.len()];
    let mut races = Races::default();
    let mut lost = LostUpdates::default();
    for (thread, event) in ordered.events() {
        let (_, happens_at) = happens.step(thread, &event);
        let (_, must_at) = must.step(thread, &event);
        held.step(thread, &event);
        let running = &mut tasks[thread as usize];
        match event.op() {
            Some(Op::TaskBegin) => running.push(event.object),
            Some(Op::TaskEnd) => {
                running.pop();
            }
            Some(op) if accesses_cell(Some(op), event.object) => {
                let held = held.of(thread);
                let access = Access {
                    thread: threads[thread as usize],
                    task: running.last().copied().unwrap_or(0),
                    site: event.site,
                    write: op != Op::Read,
                    held: held.iter().map(|lock| lock.held).collect(),
                };
                let step = Step { cell: event.object, thread, access, held, happens: happens_at, must: must_at };
                races.step(&happens.clocks, &step);
                // A read and write in one step cannot lose an update of its own, but overwrites others' basis.
                lost.step(&step, op == Op::ReadWrite);
            }
            _ => {}
        }
    }
    (races.found, lost.finish(&must.clocks))
}

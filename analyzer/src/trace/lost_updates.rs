//! Lost updates: a thread reads a cell, another one writes it, the first writes what it computed from the old value.
//!
//! Guarantees: *observed*: the three accesses stand in this order in the run, by one task or thread, with no other
//! access of it to the cell between its read and its write. *Predicted*: the read and the write are not inside one
//! critical section that also keeps the other write out, and fork, join and messages do not order them either, so
//! some schedule puts the other write in between. Locks do not matter for the observed case: the classic bank account
//! reads in one critical section and writes in a later one.
//!
//! Source: the unserialisable local-remote-local case read-write-write of AVIO (Lu and others, ASPLOS 2006).
//!
//! Misses: whether the value written depends on the value read; prediction looks at the first
//! [`KEPT`] accesses of each pair of places and thread only.

use indexmap::IndexMap;
use lockcheck_tracker::event::Mode;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::accesses::{Access, Step};
use super::clocks::{Clocks, Moment};

/// A lost update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostUpdate {
    /// The cell.
    pub cell: u32,
    /// The read that the write relies on.
    pub read: Access,
    /// The other thread's write.
    pub between: Access,
    /// The write that overwrites it.
    pub write: Access,
    /// Whether it happened; else it could have.
    pub observed: bool,
}

/// Accesses kept per pair of places and thread for prediction.
pub const KEPT: usize = 64;
const MOST: usize = 1_000;

/// Cell, thread, places of read and write, and locks held throughout.
type UpdateKey = (u32, u32, u32, u32, Vec<(u32, Mode)>);
/// Cell, thread, place and locks held.
type WriteKey = (u32, u32, u32, Vec<(u32, Mode)>);

#[derive(Default)]
pub(super) struct LostUpdates {
    /// By cell: its last write.
    last: FxHashMap<u32, (u32, Access)>,
    /// By cell and thread: the read that a write may rely on.
    reads: FxHashMap<(u32, u32), Basis>,
    updates: IndexMap<UpdateKey, Updates, FxBuildHasher>,
    writes: IndexMap<WriteKey, Writes, FxBuildHasher>,
    seen: FxHashSet<(u32, u32, u32, u32)>,
    found: Vec<LostUpdate>,
}

struct Basis {
    access: Access,
    must: Moment,
    sections: Vec<u32>,
    /// The last write to the cell when it was read, by number.
    writes: u32,
}

struct Updates {
    read: Access,
    write: Access,
    moments: Vec<(Moment, Moment)>,
}

struct Writes {
    access: Access,
    moments: Vec<Moment>,
}

impl LostUpdates {
    pub(super) fn step(&mut self, step: &Step<'_>, indivisible: bool) {
        let own = (step.cell, step.thread);
        let writes = self.last.get(&step.cell).map_or(0, |last| last.0);
        if !step.access.write {
            let sections = step.held.iter().map(|lock| lock.section).collect();
            self.reads.insert(own, Basis { access: step.access.clone(), must: step.must, sections, writes });
            return;
        }
        let basis = self.reads.remove(&own);
        if let Some(basis) = basis.filter(|basis| !indivisible && basis.access.task == step.access.task) {
            if basis.writes != writes
                && let Some((_, between)) = self.last.get(&step.cell)
            {
                let between = between.clone();
                self.report(step.cell, basis.access.clone(), between, step.access.clone(), true);
            }
            let throughout = step.held.iter().filter(|lock| basis.sections.contains(&lock.section));
            let locks = sorted(throughout.map(|lock| (lock.held.object, lock.held.mode)));
            let key = (step.cell, step.thread, basis.access.site, step.access.site, locks);
            let updates = self.updates.entry(key).or_insert_with(|| Updates {
                read: basis.access.clone(),
                write: step.access.clone(),
                moments: Vec::new(),
            });
            if updates.moments.len() < KEPT {
                updates.moments.push((basis.must, step.must));
            }
        }
        let locks = sorted(step.held.iter().map(|lock| (lock.held.object, lock.held.mode)));
        let key = (step.cell, step.thread, step.access.site, locks);
        let known =
            self.writes.entry(key).or_insert_with(|| Writes { access: step.access.clone(), moments: Vec::new() });
        if known.moments.len() < KEPT {
            known.moments.push(step.must);
        }
        self.last.insert(step.cell, (writes.wrapping_add(1), step.access.clone()));
    }

    /// Adds what could have happened and gives all, observed ones first.
    pub(super) fn finish(mut self, clocks: &Clocks) -> Vec<LostUpdate> {
        let (updates, writes) = (std::mem::take(&mut self.updates), std::mem::take(&mut self.writes));
        let mut by_cell: FxHashMap<u32, Vec<_>> = FxHashMap::default();
        for (key, value) in &writes {
            by_cell.entry(key.0).or_default().push((key, value));
        }
        for ((cell, thread, _, _, throughout), update) in &updates {
            for ((_, other, _, held), write) in by_cell.get(cell).into_iter().flatten() {
                let apart = throughout
                    .iter()
                    .any(|(lock, mode)| held.iter().any(|(other, theirs)| lock == other && mode.conflicts(*theirs)));
                let fits = |(read, own): &(Moment, Moment)| {
                    write.moments.iter().any(|w| !clocks.before(*w, *read) && !clocks.before(*own, *w))
                };
                if other != thread && !apart && update.moments.iter().any(fits) {
                    self.report(*cell, update.read.clone(), write.access.clone(), update.write.clone(), false);
                }
            }
        }
        self.found
    }

    /// One per cell and places; an observed one stands for the predicted ones of the same read and write.
    fn report(&mut self, cell: u32, read: Access, between: Access, write: Access, observed: bool) {
        let shadowed = !observed && self.seen.contains(&(cell, read.site, 0, write.site));
        if shadowed || self.found.len() >= MOST || !self.seen.insert((cell, read.site, between.site.max(1), write.site))
        {
            return;
        }
        if observed {
            self.seen.insert((cell, read.site, 0, write.site));
        }
        self.found.push(LostUpdate { cell, read, between, write, observed });
    }
}

fn sorted(locks: impl Iterator<Item = (u32, Mode)>) -> Vec<(u32, Mode)> {
    let mut locks: Vec<_> = locks.collect();
    locks.sort_unstable();
    locks
}

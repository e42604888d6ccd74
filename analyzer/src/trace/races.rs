//! Data races on tracked cells: two accesses, one of them a write, that nothing orders.
//!
//! Guarantees: every race reported is one in the recorded run: happens-before contains all synchronisation that was
//! recorded, locks included, so there is no false report on fully tracked code. One per cell, pair of places and pair
//! of threads.
//!
//! Source: FastTrack (Flanagan and Freund, PLDI 2009), with the last read of each thread instead of adaptive epochs.
//!
//! Misses: races that needed another schedule; accesses older than the last one of the same thread and kind.

use rustc_hash::{FxHashMap, FxHashSet};

use super::accesses::{Access, Step};
use super::clocks::{Clocks, Moment};

/// A race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// The cell.
    pub cell: u32,
    /// The access that came first in the run.
    pub first: Access,
    /// The other.
    pub second: Access,
}

/// Places are what the user repairs; beyond this many the list is of no more use.
const MOST: usize = 1_000;

#[derive(Default)]
pub(super) struct Races {
    cells: FxHashMap<u32, Cell>,
    seen: FxHashSet<(u32, u32, u32, u32, u32)>,
    pub found: Vec<Race>,
}

#[derive(Default)]
struct Cell {
    write: Option<(Moment, Access)>,
    /// By thread index: its last read since the last write.
    reads: Vec<(u32, Moment, Access)>,
}

impl Races {
    pub(super) fn step(&mut self, clocks: &Clocks, step: &Step<'_>) {
        let cell = self.cells.entry(step.cell).or_default();
        let earlier = cell.write.iter().map(|(moment, access)| (moment, access));
        let reads = cell.reads.iter().filter(|_| step.access.write).map(|(_, moment, access)| (moment, access));
        for (moment, access) in earlier.chain(reads) {
            if moment.thread == step.thread || clocks.before(*moment, step.happens) {
                continue;
            }
            let (a, b) = (access, &step.access);
            if self.found.len() < MOST && self.seen.insert((step.cell, a.site, b.site, a.thread, b.thread)) {
                self.found.push(Race { cell: step.cell, first: a.clone(), second: b.clone() });
            }
        }
        if step.access.write {
            cell.write = Some((step.happens, step.access.clone()));
            cell.reads.clear();
        } else if let Some(read) = cell.reads.iter_mut().find(|read| read.0 == step.thread) {
            (read.1, read.2) = (step.happens, step.access.clone());
        } else {
            cell.reads.push((step.thread, step.happens, step.access.clone()));
        }
    }
}

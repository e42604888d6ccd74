//! The locks that each thread holds, kept along a merged run.

use lockcheck_tracker::event::{Event, Held, Mode, Op};

/// One entry of a held set. `section` numbers the critical sections of the run, so that a lock that was given back
/// and taken again in between is not taken for one held throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The lock.
    pub held: Held,
    /// Number of the critical section.
    pub section: u32,
    depth: u32,
}

/// By thread index.
#[derive(Clone, Debug, Default)]
pub struct HeldSets {
    sets: Vec<Vec<HeldLock>>,
    sections: u32,
}

impl HeldSets {
    /// Nothing held by this many threads.
    pub fn new(threads: usize) -> Self {
        HeldSets { sets: vec![Vec::new(); threads], sections: 0 }
    }

    /// What the thread holds, outermost first.
    pub fn of(&self, thread: u32) -> &[HeldLock] {
        &self.sets[thread as usize]
    }

    /// Takes in an event.
    pub fn step(&mut self, thread: u32, event: &Event) {
        match event.op() {
            Some(Op::Acquire) => {
                if let Some(known) = self.find(thread as usize, event.object) {
                    known.depth += 1;
                    return;
                }
                self.sections += 1;
                let mode = event.mode().unwrap_or(Mode::Exclusive);
                let held = Held { object: event.object, mode, site: event.site };
                self.sets[thread as usize].push(HeldLock { held, section: self.sections, depth: 1 });
            }
            Some(Op::Release) => {
                // A guard that was sent to another thread is given back there.
                let holds = |at: &usize| self.sets[*at].iter().any(|known| known.held.object == event.object);
                let holder = Some(thread as usize).filter(holds).or_else(|| (0..self.sets.len()).find(holds));
                let Some(holder) = holder else { return };
                if let Some(known) = self.find(holder, event.object) {
                    known.depth -= 1;
                }
                self.sets[holder].retain(|known| known.depth > 0);
            }
            _ => {}
        }
    }

    fn find(&mut self, thread: usize, lock: u32) -> Option<&mut HeldLock> {
        self.sets[thread].iter_mut().find(|known| known.held.object == lock)
    }
}

//! How many slots of a bounded pool tasks can hold while they wait for that pool.
//!
//! A task is *needy* while it holds a slot and cannot finish before the pool gives out another one. If at most W slots
//! can be held by needy tasks at once, a pool of W + 1 is safe and a smaller one is not. W follows bottom-up from the
//! tree of submissions and joins.
//!
//! Guarantees: equal to exhaustive exploration for programs whose tasks submit to one pool and join their own children
//! (compared with every state of random trees in `pool_states_tests.rs`). Saturating: [`u32::MAX`] stands for no bound.
//!
//! Misses: joins of other tasks' children (see [`super::pool_states`]), dependencies between pools.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

/// What happens to a task that is submitted while all slots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Submission {
    /// The submitter waits for a slot.
    Blocks,
    /// It waits in a queue, first in, first out.
    Queues,
    /// The submitter runs it.
    RunsHere,
}

/// What a task does, as far as the pool goes. Children have numbers of the caller's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Submits a child to the pool at hand (`inside`), or starts it elsewhere.
    Submit {
        /// The child.
        child: u32,
        /// It needs a slot of the pool at hand.
        inside: bool,
    },
    /// Waits for a child's end.
    Join(u32),
}

/// Results for one task; `None` for the second: it is never needy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Most needy slots in its subtree.
    pub most: u32,
    /// Most needy slots while it is needy itself.
    pub needy: Option<u32>,
    /// Most needy slots left in its subtree after its end.
    pub left: u32,
}

impl Needs {
    /// The larger of each.
    pub fn max(self, other: Needs) -> Needs {
        Needs { most: self.most.max(other.most), needy: self.needy.max(other.needy), left: self.left.max(other.left) }
    }
}

/// The needs of a task from its steps and its children's needs. `holds`: it runs in a slot of the pool.
/// O(steps · log steps).
pub fn solve(steps: &[Step], holds: bool, submission: Submission, child_needs: impl Fn(u32) -> Needs) -> Needs {
    let holds = u32::from(holds);
    let mut count = 0;
    // Child -> its place among the children, and whether it needs a slot.
    let mut place: FxHashMap<u32, (usize, bool)> = FxHashMap::default();
    let mut unjoined = Sums::new(steps.len());
    let mut joined = FxHashSet::default();
    let (mut left, mut last_joined) = (0u32, None);
    let mut out = Needs::default();
    let sum = |parts: [u32; 3]| parts.into_iter().fold(0, u32::saturating_add);
    for step in steps {
        match *step {
            Step::Submit { child, inside } => {
                if submission == Submission::Blocks && inside {
                    out.needy = out.needy.max(Some(sum([holds, unjoined.all(), left])));
                }
                place.insert(child, (count, inside));
                unjoined.add(count, child_needs(child).most);
                count += 1;
            }
            Step::Join(child) => {
                let Some(&(at, inside)) = place.get(&child).filter(|_| !joined.contains(&child)) else { continue };
                let own = child_needs(child);
                // In a first-in-first-out queue nothing that came later runs before it, and if something that came
                // later is done, it has started.
                if submission == Submission::Queues && inside && last_joined.is_none_or(|last| last <= at) {
                    out.needy = out.needy.max(Some(sum([holds, unjoined.below(at), left])));
                }
                if let Some(needy) = own.needy {
                    let others = unjoined.all().saturating_sub(own.most);
                    out.needy = out.needy.max(Some(sum([holds.saturating_add(needy), others, left])));
                }
                out.most = out.most.max(sum([unjoined.all(), left, 0]));
                unjoined.remove(at, own.most);
                left = left.saturating_add(own.left);
                joined.insert(child);
                last_joined = last_joined.max(Some(at));
            }
        }
        out.most = out.most.max(sum([unjoined.all(), left, 0]));
    }
    out.most = out.most.max(out.needy.unwrap_or(0));
    out.left = sum([unjoined.all(), left, 0]);
    out
}

/// Sums over prefixes of a list that changes (a Fenwick tree), so that a thread with many submissions stays cheap.
struct Sums {
    tree: Vec<u32>,
    total: u32,
}

impl Sums {
    fn new(len: usize) -> Self {
        Sums { tree: vec![0; len + 1], total: 0 }
    }

    fn add(&mut self, at: usize, value: u32) {
        self.total = self.total.saturating_add(value);
        self.change(at, |sum| sum.saturating_add(value));
    }

    fn remove(&mut self, at: usize, value: u32) {
        self.total = self.total.saturating_sub(value);
        self.change(at, |sum| sum.saturating_sub(value));
    }

    fn change(&mut self, at: usize, with: impl Fn(u32) -> u32) {
        let mut at = at + 1;
        while let Some(sum) = self.tree.get_mut(at) {
            *sum = with(*sum);
            at += at & at.wrapping_neg();
        }
    }

    fn all(&self) -> u32 {
        self.total
    }

    /// Sum of what stands before `at`.
    fn below(&self, at: usize) -> u32 {
        let (mut at, mut sum) = (at, 0u32);
        while at > 0 {
            sum = sum.saturating_add(self.tree[at]);
            at &= at - 1;
        }
        sum
    }
}

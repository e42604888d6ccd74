//! How many workers a bounded pool needs so that its tasks cannot starve each other.
//!
//! A task is *needy* while it holds a slot and cannot finish before the pool gives out another one. If at most W slots
//! can be held by needy tasks at once, a pool of W + 1 is safe and a smaller one is not. W follows bottom-up from the
//! tree of submissions and joins.
//!
//! Guarantees: equal to exhaustive exploration for programs whose tasks submit to one pool and join their own children
//! (checked against brute force while the recursion was developed). The run's tree is taken as the program; a task that was cut short takes the part of the tree
//! that others of its name at its depth got to.
//!
//! Misses: a run is finite, so no pool is ever called unsafe at any size; where a recursion was cut off before
//! any task of it was seen to stop submitting, the size is a lower bound ([`Need::partial`]). Joins of other tasks' children, dependencies between pools, branches not taken. Threads outside the pool
//! count as running all at once. Without events (order mode), only joins that hung are known.

use std::collections::BTreeMap;

use lockcheck_tracker::event::{Op, PoolPolicy, WaitKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::order::Ordered;
use super::recording::{Recording, Task};
use crate::finding::PoolSize;

/// Who submits and joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Actor {
    Thread(u32),
    Task(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Submit(u32),
    Join(u32),
}

/// What each actor did, and which tasks did not get to their end.
#[derive(Clone, Debug, Default)]
struct Programs {
    steps: BTreeMap<Actor, Vec<Step>>,
    cut: FxHashSet<u32>,
}

/// How large a pool is and must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its size and the smallest safe one.
    pub size: PoolSize,
    /// The run did not get to the end of a recursion, so it may need still more.
    pub partial: bool,
}

/// The needs of all pools, by object number.
pub fn needs(recording: &Recording, ordered: &Ordered) -> BTreeMap<u32, Need> {
    if recording.pools.is_empty() {
        return BTreeMap::new();
    }
    let programs = programs(recording, ordered);
    let tree = Tree::new(recording, &programs);
    let size = |(id, pool): (&u32, &super::recording::Pool)| {
        let minimum = match pool.policy {
            PoolPolicy::CallerRuns => 1,
            policy => tree.needy(*id, policy).saturating_add(1),
        };
        let size = PoolSize { workers: pool.workers, minimum_safe_workers: Some(minimum) };
        (*id, Need { size, partial: tree.endless(*id) })
    };
    recording.pools.iter().map(size).collect()
}

fn programs(recording: &Recording, ordered: &Ordered) -> Programs {
    let mut programs = Programs::default();
    let mut running: Vec<Vec<u32>> = vec![Vec::new(); ordered.threads.len()];
    let mut submitted = FxHashSet::default();
    let (mut begun, mut ended) = (FxHashSet::default(), FxHashSet::default());
    for (thread, event) in &ordered.events {
        let stack = &mut running[*thread as usize];
        let actor = stack.last().map_or(Actor::Thread(ordered.threads[*thread as usize]), |task| Actor::Task(*task));
        let step = match event.op() {
            Some(Op::Submit) => {
                submitted.insert(event.object);
                Step::Submit(event.object)
            }
            Some(Op::TaskJoinRequest) => Step::Join(event.object),
            Some(Op::TaskBegin) => {
                begun.insert(event.object);
                stack.push(event.object);
                continue;
            }
            Some(Op::TaskEnd) => {
                ended.insert(event.object);
                stack.retain(|task| *task != event.object);
                continue;
            }
            _ => continue,
        };
        programs.steps.entry(actor).or_default().push(step);
    }
    // Without events, the tasks' own descriptions say who submitted them, in the order of their numbers.
    for (id, task) in recording.tasks.iter().filter(|(id, _)| !submitted.contains(*id)) {
        let actor = if task.parent == 0 { Actor::Thread(task.thread) } else { Actor::Task(task.parent) };
        programs.steps.entry(actor).or_default().push(Step::Submit(*id));
        if !submitted.is_empty() {
            programs.cut.insert(*id);
        }
    }
    programs.cut.extend(recording.tasks.keys().filter(|id| !begun.is_empty() && !ended.contains(*id)));
    for member in recording.deadlocks.iter().flat_map(|deadlock| &deadlock.members) {
        let actor = if member.task == 0 { Actor::Thread(member.thread) } else { Actor::Task(member.task) };
        let steps = programs.steps.entry(actor).or_default();
        programs.cut.insert(member.task);
        match member.kind {
            WaitKind::Task if !steps.contains(&Step::Join(member.object)) => steps.push(Step::Join(member.object)),
            // The submission at which it hung: its task never ran before the deadlock was broken.
            WaitKind::Slot => programs.cut.extend(steps.iter().rev().find_map(|step| match step {
                Step::Submit(task) => Some(*task),
                Step::Join(_) => None,
            })),
            _ => {}
        }
    }
    programs
}

/// Results for one task; `None` for the second: it is never needy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Needs {
    /// Most needy slots in its subtree.
    most: u32,
    /// Most needy slots while it is needy itself.
    needy: Option<u32>,
    /// Most needy slots left in its subtree after its end.
    left: u32,
}

impl Needs {
    fn max(self, other: Needs) -> Needs {
        Needs { most: self.most.max(other.most), needy: self.needy.max(other.needy), left: self.left.max(other.left) }
    }
}

/// Tasks of one kind: same depth, same name (or place, where they have none).
type Kind<'a> = (u32, &'a str, u32);

struct Tree<'a> {
    recording: &'a Recording,
    programs: &'a Programs,
    kinds: BTreeMap<u32, Kind<'a>>,
}

impl<'a> Tree<'a> {
    fn new(recording: &'a Recording, programs: &'a Programs) -> Self {
        let mut kinds: BTreeMap<u32, Kind<'a>> = BTreeMap::new();
        for (id, task) in &recording.tasks {
            // A child's number is above its parent's; a damaged trace that says otherwise makes a new root.
            let depth = kinds.get(&task.parent).filter(|_| task.parent < *id).map_or(0, |parent| parent.0 + 1);
            let site = if task.name.is_empty() { task.site } else { 0 };
            kinds.insert(*id, (depth, &task.name, site));
        }
        Tree { recording, programs, kinds }
    }

    /// W of the pool.
    fn needy(&self, pool: u32, policy: PoolPolicy) -> u32 {
        let mut seen: FxHashMap<Kind<'_>, Needs> = FxHashMap::default();
        let mut needs: FxHashMap<u32, Needs> = FxHashMap::default();
        // A task that was cut short learns from others of its kind, which may come later: a few rounds settle it.
        for _ in 0..3 {
            needs.clear();
            for (id, task) in self.recording.tasks.iter().rev() {
                let mut own = self.solve(Actor::Task(*id), pool, policy, &needs);
                if self.programs.cut.contains(id) {
                    own = own.max(seen.get(&self.kinds[id]).copied().unwrap_or_default());
                } else if task.pool == pool {
                    let known = seen.entry(self.kinds[id]).or_default();
                    *known = known.max(own);
                }
                needs.insert(*id, own);
            }
        }
        let roots = self.programs.steps.keys().filter(|actor| matches!(actor, Actor::Thread(_)));
        roots.map(|actor| self.solve(*actor, pool, policy, &needs).most).fold(0, u32::saturating_add)
    }

    fn solve(&self, actor: Actor, pool: u32, policy: PoolPolicy, needs: &FxHashMap<u32, Needs>) -> Needs {
        let task = |id: u32| self.recording.tasks.get(&id);
        let inside = |task: Option<&Task>| task.is_some_and(|task| task.pool == pool);
        let holds = u32::from(matches!(actor, Actor::Task(id) if inside(task(id))));
        let steps = self.programs.steps.get(&actor).map_or(&[][..], Vec::as_slice);
        let number = |id: u32| needs.get(&id).copied().unwrap_or_default();
        let mut children: Vec<u32> = Vec::new();
        let mut place: FxHashMap<u32, usize> = FxHashMap::default();
        let mut unjoined = Sums::new(steps.len());
        let mut joined = FxHashSet::default();
        let (mut left, mut last_joined) = (0u32, None);
        let mut out = Needs::default();
        for step in steps {
            match *step {
                Step::Submit(child) if !matches!(actor, Actor::Task(own) if own >= child) => {
                    if policy == PoolPolicy::Block && inside(task(child)) {
                        out.needy = out.needy.max(Some(holds + unjoined.all() + left));
                    }
                    place.insert(child, children.len());
                    unjoined.add(children.len(), number(child).most);
                    children.push(child);
                }
                Step::Submit(_) => {}
                Step::Join(child) => {
                    let Some(&at) = place.get(&child).filter(|_| !joined.contains(&child)) else { continue };
                    let own = number(child);
                    // In a first-in-first-out queue nothing that came later runs before it, and if something that came
                    // later is done, it has started.
                    if policy == PoolPolicy::Queue && inside(task(child)) && last_joined.is_none_or(|last| last <= at) {
                        out.needy = out.needy.max(Some(holds + unjoined.below(at) + left));
                    }
                    if let Some(needy) = own.needy {
                        out.needy = out.needy.max(Some(holds + needy + unjoined.all() - own.most + left));
                    }
                    out.most = out.most.max(unjoined.all() + left);
                    unjoined.remove(at, own.most);
                    left += own.left;
                    joined.insert(child);
                    last_joined = last_joined.max(Some(at));
                }
            }
            out.most = out.most.max(unjoined.all() + left);
        }
        out.most = out.most.max(out.needy.unwrap_or(0));
        out.left = unjoined.all() + left;
        out
    }

    /// Whether some task that was cut short is part of a recursion whose end nobody saw.
    fn endless(&self, pool: u32) -> bool {
        let label = |id: &u32| self.kinds.get(id).map(|kind| (kind.1, kind.2));
        let submits = |id: &u32| self.programs.steps.get(&Actor::Task(*id)).is_some_and(|steps| !steps.is_empty());
        let tasks = || self.recording.tasks.iter().filter(|(_, task)| task.pool == pool);
        let bottoms: FxHashSet<_> = tasks()
            .map(|(id, _)| id)
            .filter(|id| !self.programs.cut.contains(*id) && !submits(id))
            .filter_map(label)
            .collect();
        tasks().filter(|(id, _)| self.programs.cut.contains(*id)).any(|(id, task)| {
            let recursive = task.parent != 0 && label(id) == label(&task.parent);
            recursive && label(id).is_some_and(|label| !bottoms.contains(&label))
        })
    }
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
        let (mut at, mut sum) = (at, 0);
        while at > 0 {
            sum += self.tree[at];
            at &= at - 1;
        }
        sum
    }
}

#[cfg(test)]
#[path = "pools_tests.rs"]
mod tests;

//! How many workers a bounded pool needs so that its tasks cannot starve each other.
//!
//! Guarantees: the formula of [`crate::graph::pool`] on the run's tree of submissions and joins, taken as the program; where
//! tasks wait for others than their own children, every state ([`crate::graph::pool_states`]), and *unknown* where
//! these are too many;
//! a task that was cut short takes the part of the tree that others of its name at its depth got to.
//!
//! Misses: a run is finite, so no pool is ever called unsafe at any size, but what comes again and again is told ([`Crowd`]); where a recursion was cut off before
//! any task of it was seen to stop submitting, the size is a lower bound ([`Need::partial`]). Dependencies between pools, branches not taken. Threads outside the pool
//! count as running all at once. Without events (order mode), only joins that hung are known.

use std::collections::{BTreeMap, BTreeSet};

use lockcheck_tracker::event::{Op, PoolPolicy, WaitKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::order::Ordered;
use super::recording::Recording;
use crate::finding::PoolSize;
use crate::graph::pool::{self, Needs, Submission};
use crate::graph::pool_states::{self, Full, Program, TooManyStates};

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
    /// The smallest safe size could not be found out: the search was cut short.
    pub unknown: bool,
    /// How many threads outside of the pool submit to it; they count as running all at once.
    pub roots: u32,
    /// What was submitted from outside again and again.
    pub crowd: Option<Crowd>,
}

/// Tasks of one kind that came from outside of the pool and can each hold slots while they wait for it. The more of them are let in
/// at once, the more workers are needed: no fixed number is enough for all times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// One of them.
    pub task: u32,
    /// How many there were.
    pub count: u32,
    /// How many slots each can hold in vain.
    pub each: u32,
}

/// So many tasks of one kind are a crowd.
pub const CROWD: u32 = 3;

/// The needs of all pools, by object number.
pub fn needs(recording: &Recording, ordered: &Ordered) -> BTreeMap<u32, Need> {
    if recording.pools.is_empty() {
        return BTreeMap::new();
    }
    let programs = programs(recording, ordered);
    let tree = Tree::new(recording, &programs);
    let size = |(id, pool): (&u32, &super::recording::Pool)| {
        let (minimum, unknown, crowd) = match pool.policy {
            policy if tree.waits_across() => match tree.search(*id, policy) {
                Ok(minimum) => (minimum, false, None),
                Err(_) => (None, true, None),
            },
            PoolPolicy::CallerRuns => (Some(1), false, None),
            policy => {
                let (needy, needs) = tree.needy(*id, policy);
                (Some(needy.saturating_add(1)), false, tree.crowd(*id, &needs))
            }
        };
        let size = PoolSize { workers: pool.workers, minimum_safe_workers: minimum };
        (*id, Need { size, partial: tree.endless(*id), unknown, roots: tree.roots(*id), crowd })
    };
    recording.pools.iter().map(size).collect()
}

fn programs(recording: &Recording, ordered: &Ordered) -> Programs {
    let mut programs = Programs::default();
    let mut running: Vec<Vec<u32>> = vec![Vec::new(); ordered.threads.len()];
    let mut submitted = FxHashSet::default();
    let (mut begun, mut ended) = (FxHashSet::default(), FxHashSet::default());
    for (thread, event) in ordered.events() {
        let stack = &mut running[thread as usize];
        let actor = stack.last().map_or(Actor::Thread(ordered.threads[thread as usize]), |task| Actor::Task(*task));
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

    /// W of the pool, and the needs of every task.
    fn needy(&self, pool: u32, policy: PoolPolicy) -> (u32, FxHashMap<u32, Needs>) {
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
        let most = roots.map(|actor| self.solve(*actor, pool, policy, &needs).most).fold(0, u32::saturating_add);
        (most, needs)
    }

    /// The largest crowd from outside.
    fn crowd(&self, pool: u32, needs: &FxHashMap<u32, Needs>) -> Option<Crowd> {
        let mut crowds: BTreeMap<Kind<'_>, Crowd> = BTreeMap::new();
        for (id, task) in self.recording.tasks.iter().filter(|(_, task)| task.pool == pool && task.parent == 0) {
            let (Some(kind), Some(each)) = (self.kinds.get(id), needs.get(id).map(|needs| needs.most)) else {
                continue;
            };
            if each > 0 {
                let site = if task.name.is_empty() { kind.2 } else { task.site };
                let crowd = crowds.entry((kind.0, kind.1, site)).or_insert(Crowd { task: *id, count: 0, each });
                (crowd.count, crowd.each) = (crowd.count + 1, crowd.each.max(each));
            }
        }
        crowds.into_values().filter(|crowd| crowd.count >= CROWD).max_by_key(|crowd| crowd.count)
    }

    fn solve(&self, actor: Actor, pool: u32, policy: PoolPolicy, needs: &FxHashMap<u32, Needs>) -> Needs {
        let inside = |id: u32| self.recording.tasks.get(&id).is_some_and(|task| task.pool == pool);
        let holds = matches!(actor, Actor::Task(id) if inside(id));
        let steps = self.programs.steps.get(&actor).map_or(&[][..], Vec::as_slice);
        // A child's number is above its parent's; a damaged trace may say otherwise.
        let steps: Vec<pool::Step> = steps
            .iter()
            .filter_map(|step| match *step {
                Step::Submit(child) if matches!(actor, Actor::Task(own) if own >= child) => None,
                Step::Submit(child) => Some(pool::Step::Submit { child, inside: inside(child) }),
                Step::Join(child) => Some(pool::Step::Join(child)),
            })
            .collect();
        let submission = match policy {
            PoolPolicy::Block => Submission::Blocks,
            PoolPolicy::Queue => Submission::Queues,
            PoolPolicy::CallerRuns => Submission::RunsHere,
        };
        pool::solve(&steps, holds, submission, |id| needs.get(&id).copied().unwrap_or_default())
    }

    /// How many threads outside of the pool submit to it.
    fn roots(&self, pool: u32) -> u32 {
        let inside = |step: &Step| match step {
            Step::Submit(task) => self.recording.tasks.get(task).is_some_and(|task| task.pool == pool),
            Step::Join(_) => false,
        };
        let threads = self.programs.steps.iter().filter(|(actor, _)| matches!(actor, Actor::Thread(_)));
        threads.filter(|(_, steps)| steps.iter().any(inside)).count() as u32
    }

    /// Whether somebody waits for a task that another one submitted.
    fn waits_across(&self) -> bool {
        self.programs.steps.values().any(|steps| {
            let mut own = FxHashSet::default();
            steps.iter().any(|step| match step {
                Step::Submit(task) => {
                    own.insert(*task);
                    false
                }
                Step::Join(task) => !own.contains(task),
            })
        })
    }

    /// The smallest safe size by looking at every state; tasks of other pools make it unknown.
    fn search(&self, pool: u32, policy: PoolPolicy) -> Result<Option<u32>, TooManyStates> {
        if self.recording.tasks.values().any(|task| task.pool != pool) {
            return Err(TooManyStates);
        }
        let actors: Vec<Actor> = self.programs.steps.keys().copied().collect();
        let tasks = self.recording.tasks.keys().map(|task| Actor::Task(*task));
        let place: BTreeMap<Actor, usize> =
            actors.into_iter().chain(tasks).collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
        let number = |task: u32| place.get(&Actor::Task(task)).copied();
        let mut submitted = FxHashSet::default();
        let program = place.keys().map(|actor| {
            let steps = self.programs.steps.get(actor).into_iter().flatten();
            let step = |step: &Step| match *step {
                Step::Submit(task) => number(task).filter(|_| submitted.insert(task)).map(pool_states::Step::Submit),
                Step::Join(task) => number(task).map(pool_states::Step::Join),
            };
            steps.filter_map(step).collect()
        });
        let full = match policy {
            PoolPolicy::Block => Full::Blocks,
            PoolPolicy::Queue => Full::Queues { room: None },
            PoolPolicy::CallerRuns => Full::RunsHere,
        };
        Program { tasks: program.collect() }.minimum(full)
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

#[cfg(test)]
#[path = "pools_tests.rs"]
mod tests;

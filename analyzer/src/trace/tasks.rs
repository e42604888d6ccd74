//! Takes pool tasks for threads of their own: that two tasks ran one after the other on one worker is chance.
//!
//! Guarantees: what a task does comes after its submission and before what its result lets go on; which worker ran it
//! orders nothing. That a pool runs only so many tasks at once stays an order: the slot that a task takes comes after
//! the slots that had to be given back for it. Tasks that the submitter runs itself stay part of the submitter.
//!
//! Misses: tasks beyond the first [`MOST`] stay with their worker, because clocks take memory with the square of
//! the number of threads.

use std::collections::hash_map::Entry;

use lockcheck_tracker::event::Op;
use rustc_hash::{FxHashMap, FxHashSet};

use super::order::Ordered;
use super::recording::Recording;

/// Tasks that are told apart.
pub const MOST: usize = 1_024;

/// Threads and tasks in all.
pub const MOST_ACTORS: usize = 5 * 1_024;

/// A run whose thread indexes stand for threads or tasks; several have the number of one worker.
#[derive(Clone, Debug, Default)]
pub struct Actors {
    /// The run.
    pub ordered: Ordered,
    /// By thread index: the task, 0 for a thread.
    pub tasks: Vec<u32>,
}

/// Splits the workers of pools into their tasks.
pub fn split(recording: &Recording, ordered: Ordered) -> Actors {
    let threads = ordered.threads.len();
    let mut actors = Actors { tasks: vec![0; threads], ordered };
    if recording.tasks.is_empty() {
        return actors;
    }
    let mut current: Vec<u32> = (0..threads as u32).collect();
    let mut depth = vec![0_usize; threads];
    // A worker takes a slot for the task that it begins next.
    let mut slot: FxHashMap<u32, u32> = FxHashMap::default();
    // Which events change their thread index: worker, number of the event in its stream, new index.
    let mut changes: Vec<(usize, u32, u32)> = Vec::new();
    let mut passed = vec![0_u32; threads];
    for (thread, event) in actors.ordered.events() {
        let worker = thread as usize;
        let at = passed[worker];
        passed[worker] = at.saturating_add(1);
        match event.op() {
            Some(Op::SlotAcquire) if depth[worker] == 0 => {
                slot.insert(thread, at);
            }
            Some(Op::TaskBegin) => {
                let number = actors.ordered.threads[worker];
                let submitter = recording.tasks.get(&event.object);
                let inline = submitter.is_none_or(|task| task.parent == 0 && task.thread == number);
                if depth[worker] == 0 && !inline && actors.tasks.len() - threads < MOST {
                    let before = std::mem::replace(&mut current[worker], actors.tasks.len() as u32);
                    actors.tasks.push(event.object);
                    if let Some(taken) = slot.remove(&thread) {
                        changes.push((worker, taken, current[worker]));
                        changes.push((worker, taken.saturating_add(1), before));
                    }
                    changes.push((worker, at, current[worker]));
                }
                depth[worker] += 1;
            }
            // What follows, as giving the slot back, still belongs to the task.
            Some(Op::TaskEnd) => depth[worker] = depth[worker].saturating_sub(1),
            Some(Op::SlotRelease) => {}
            Some(Op::ThreadEnd) if current[worker] != thread => {
                current[worker] = thread;
                changes.push((worker, at, thread));
            }
            _ => {}
        }
    }
    let of_task: Vec<u32> = changes
        .iter()
        .filter(|(_, _, index)| *index as usize >= threads)
        .map(|(worker, _, index)| (*index, actors.ordered.threads[*worker]))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_values()
        .collect();
    actors.ordered.threads.extend(of_task);
    changes.into_iter().for_each(|(worker, from, index)| actors.ordered.change(worker, from, index));
    actors
}

/// Stands in [`Actors::tasks`] for a task that is known only by its segment.
pub const UNNAMED: u32 = u32::MAX;

/// Who the segments of threads without events belong to.
#[derive(Clone, Debug, Default)]
pub struct SegmentActors {
    /// Thread index by segment.
    pub of_segment: FxHashMap<u32, u32>,
    /// First thread index by thread number.
    pub of_thread: FxHashMap<u32, u32>,
}

/// Gives thread indexes to threads without events: a segment that does not come after an earlier one of its own
/// thread is another task on the same worker. Adds to `threads` and `tasks`, up to [`MOST_ACTORS`]; what is left out
/// then has no entry.
pub fn segment_actors(
    recording: &Recording,
    recorded: &FxHashSet<u32>,
    threads: &mut Vec<u32>,
    tasks: &mut Vec<u32>,
) -> SegmentActors {
    let mut actors = SegmentActors::default();
    let mut split = 0;
    let mut add = |number: u32, task: u32| {
        threads.push(number);
        tasks.push(task);
        (threads.len() <= MOST_ACTORS).then(|| threads.len() as u32 - 1)
    };
    for (id, segment) in recording.segments.iter().filter(|(_, segment)| !recorded.contains(&segment.thread)) {
        let same = |other: &&u32| recording.segments.get(other).is_some_and(|other| other.thread == segment.thread);
        let earlier = segment.after.iter().find(same).and_then(|other| actors.of_segment.get(other).copied());
        let known = actors.of_thread.get(&segment.thread).copied();
        let actor = match (earlier, known) {
            (Some(actor), _) => Some(actor),
            (None, Some(actor)) if split == MOST => Some(actor),
            (None, Some(_)) => {
                split += 1;
                add(segment.thread, UNNAMED)
            }
            (None, None) => add(segment.thread, 0),
        };
        let Some(actor) = actor else { break };
        actors.of_thread.entry(segment.thread).or_insert(actor);
        actors.of_segment.insert(*id, actor);
    }
    for edge in recording.edges.iter().filter(|edge| !recorded.contains(&edge.thread)) {
        if let Entry::Vacant(place) = actors.of_thread.entry(edge.thread) {
            let Some(actor) = add(edge.thread, 0) else { break };
            place.insert(actor);
        }
    }
    threads.truncate(MOST_ACTORS);
    tasks.truncate(MOST_ACTORS);
    actors
}

#[cfg(test)]
mod tests {
    use lockcheck_tracker::event::{Held, Mode, ObjectKind, PoolPolicy, Record};

    use super::super::script::Script;
    use super::*;

    /// Two tasks that nest two locks in opposite orders, one after the other on one of the pool's threads.
    fn two_tasks(workers: u32) -> Script {
        let mut script = Script::new();
        let pool = script.object(ObjectKind::Pool, "workers");
        script.record(Record::Pool { id: pool, workers, policy: PoolPolicy::Queue });
        for (id, first, second) in [(1, "a", "b"), (2, "b", "a")] {
            script.record(Record::Task { id, pool, parent: 0, thread: 1, site: 3, name: format!("task {id}").into() });
            script.event(1, Op::Submit, id, 3, 0);
            let seq = id * 2;
            script.event(2, Op::SlotAcquire, pool, 3, seq - 1);
            script.event(2, Op::TaskBegin, id, 0, 0);
            script.nest(2, &[(first, Mode::Exclusive, 10 * id), (second, Mode::Exclusive, 10 * id + 1)]);
            script.event(2, Op::TaskEnd, id, 0, 0);
            script.event(2, Op::SlotRelease, pool, 0, seq);
        }
        script
    }

    #[test]
    fn a_file_full_of_threads_asks_for_no_memory() {
        let mut script = Script::new().order_mode();
        for id in 1..6_000 {
            script.record(Record::Segment { id, thread: id, after: vec![].into() });
            let held = |object| Held { object, mode: Mode::Exclusive, site: 1 };
            let wanted = held(2);
            script.record(Record::Edge { thread: id, segment: id, held: vec![held(1)].into(), wanted, try_: false });
        }
        let (_, replay, notices) = script.replay();
        assert_eq!(replay.history.threads.len(), MOST_ACTORS);
        assert_eq!(notices[0].message, "879 threads beyond the first 5120 were left out");
    }

    #[test]
    fn tasks_that_shared_a_worker_by_chance_can_deadlock_and_those_of_a_single_slot_cannot() {
        let findings = two_tasks(2).findings();
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("thread 2 (task `task 1`) takes `a` then `b`"), "{}", findings[0].message);
        assert!(findings[0].message.contains("another schedule of this run deadlocks"));
        assert_eq!(two_tasks(1).findings(), []);
    }
}

//! Pool sizes against the table of exhaustively explored programs, and against a small explorer of our own.

use std::collections::HashSet;

use lockcheck_tracker::event::Event;
use proptest::prelude::*;

use super::super::order::order;
use super::super::recording::{Pool, Task};
use super::*;

const POOL: u32 = 1;

/// A program: each task's steps, by index into the list; `Submit` names the task to create, `Join` the n-th child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Do {
    Submit(usize),
    Join(usize),
}

/// The recording of a run of `program` from task type 0, which runs on a thread outside the pool.
fn recording(program: &[Vec<Do>], policy: PoolPolicy, roots: u32) -> (Recording, Ordered) {
    let mut recording = Recording::default();
    recording.pools.insert(POOL, Pool { workers: 2, policy });
    let mut streams: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
    let mut next = 0;
    for root in 1..=roots {
        let mut open = vec![(0usize, root, 0u32)];
        while let Some((kind, thread, own)) = open.pop() {
            let mut children = Vec::new();
            let mut events = if own == 0 { vec![] } else { vec![Event::new(Op::TaskBegin, own, 0, 0)] };
            for step in &program[kind] {
                match step {
                    Do::Submit(child) => {
                        next += 1;
                        let task = Task { pool: POOL, parent: own, thread, site: 0, name: format!("{child}") };
                        recording.tasks.insert(next, task);
                        events.push(Event::new(Op::Submit, next, 0, 0));
                        children.push(next);
                        open.push((*child, 100 + next, next));
                    }
                    Do::Join(at) => events.push(Event::new(Op::TaskJoinRequest, children[*at], 0, 0)),
                }
            }
            if own != 0 {
                events.push(Event::new(Op::TaskEnd, own, 0, 0));
            }
            streams.insert(thread, events);
        }
    }
    let ordered = order(streams);
    assert_eq!(ordered.gaps, 0);
    (recording, ordered)
}

fn minimum(program: &[Vec<Do>], policy: PoolPolicy, roots: u32) -> Option<u32> {
    let (recording, ordered) = recording(program, policy, roots);
    needs(&recording, &ordered)[&POOL].size.minimum_safe_workers
}

/// Parent submits child twice, child submits grandchild; who joins; whether the parent runs inside the pool.
fn nested(parent_joins: bool, child_joins: bool, inside: bool) -> Vec<Vec<Do>> {
    let (outer, parent, child, grandchild) = (0, 1, 2, 3);
    let mut program = vec![Vec::new(); 4];
    program[outer] = vec![Do::Submit(parent)];
    program[parent] = vec![Do::Submit(child), Do::Submit(child)];
    program[child] = vec![Do::Submit(grandchild)];
    if parent_joins {
        program[parent].extend([Do::Join(0), Do::Join(1)]);
    }
    if child_joins {
        program[child].push(Do::Join(0));
    }
    program[grandchild] = Vec::new();
    if !inside {
        program[outer] = program[parent].clone();
    }
    program
}

#[test]
fn a_result_awaited_by_another_task_is_searched_for() {
    // Two threads submit a task each; the first task waits for the second one.
    let (mut recording, _) = recording(&[vec![Do::Submit(1)], vec![]], PoolPolicy::Queue, 2);
    let streams = BTreeMap::from([
        (1, vec![Event::new(Op::Submit, 1, 0, 0)]),
        (2, vec![Event::new(Op::Submit, 2, 0, 0)]),
        (
            3,
            vec![
                Event::new(Op::TaskBegin, 1, 0, 0),
                Event::new(Op::TaskJoinRequest, 2, 0, 0),
                Event::new(Op::TaskEnd, 1, 0, 0),
            ],
        ),
        (4, vec![Event::new(Op::TaskBegin, 2, 0, 0), Event::new(Op::TaskEnd, 2, 0, 0)]),
    ]);
    let need = needs(&recording, &order(streams.clone()))[&POOL];
    assert_eq!((need.size.minimum_safe_workers, need.unknown, need.roots), (Some(2), false, 2));
    let other = Task { pool: 9, ..recording.tasks[&1].clone() };
    recording.tasks.insert(3, other);
    assert!(needs(&recording, &order(streams))[&POOL].unknown);
}

#[test]
fn what_comes_from_outside_again_and_again_is_a_crowd_and_a_pair_is_none() {
    let crowd = |count: usize| {
        let program = [vec![Do::Submit(1); count], vec![Do::Submit(2)], vec![]];
        let (recording, ordered) = recording(&program, PoolPolicy::Block, 1);
        let need = needs(&recording, &ordered)[&POOL];
        (need.size.minimum_safe_workers, need.crowd.map(|crowd| (crowd.count, crowd.each)))
    };
    assert_eq!(crowd(2), (Some(3), None));
    assert_eq!(crowd(5), (Some(6), Some((5, 1))));
    let harmless = [vec![Do::Submit(1); 5], vec![]];
    let (recording, ordered) = recording(&harmless, PoolPolicy::Block, 1);
    assert_eq!(needs(&recording, &ordered)[&POOL].crowd, None);
}

#[test]
fn nested_run_async_needs_what_exhaustive_exploration_says() {
    use PoolPolicy::{Block, CallerRuns, Queue};
    let rows = [
        ((false, false, false), 3, 1),
        ((false, false, true), 3, 1),
        ((true, true, false), 3, 3),
        ((true, true, true), 4, 4),
        ((true, false, false), 3, 1),
        ((true, false, true), 4, 2),
    ];
    for ((parent, child, inside), block, queue) in rows {
        let program = nested(parent, child, inside);
        assert_eq!(minimum(&program, Block, 1), Some(block), "block {parent} {child} {inside}");
        assert_eq!(minimum(&program, Queue, 1), Some(queue), "queue {parent} {child} {inside}");
        assert_eq!(minimum(&program, CallerRuns, 1), Some(1));
    }
    for roots in 1..=3 {
        assert_eq!(minimum(&nested(false, false, true), Block, roots), Some(2 * roots + 1));
        assert_eq!(minimum(&nested(true, true, true), Block, roots), Some(3 * roots + 1));
    }
}

/// Whether some schedule of the program on `workers` slots gets stuck: all states, for small programs.
fn can_starve(program: &[Vec<Do>], policy: PoolPolicy, workers: usize) -> Option<bool> {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Live {
        kind: usize,
        at: usize,
        children: Vec<usize>,
        started: bool,
    }
    type State = (Vec<Live>, Vec<usize>);
    let new = |kind, started| Live { kind, at: 0, children: Vec::new(), started };
    let done = |live: &Live| live.started && live.at == program[live.kind].len();
    let mut seen: HashSet<State> = HashSet::new();
    let mut open: Vec<State> = vec![(vec![new(0, true)], Vec::new())];
    while let Some(state) = open.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if seen.len() > 60_000 {
            return None;
        }
        let (all, queue) = &state;
        // Task 0 is the thread outside.
        let busy = all.iter().skip(1).filter(|live| live.started && !done(live)).count();
        let mut moved = false;
        if let Some(first) = queue.first().filter(|_| busy < workers) {
            let (mut all, mut queue) = (all.clone(), queue.clone());
            all[*first].started = true;
            queue.remove(0);
            open.push((all, queue));
            moved = true;
        }
        for (index, live) in all.iter().enumerate().filter(|(_, live)| live.started && !done(live)) {
            let (mut next, mut queued) = (all.clone(), queue.clone());
            match program[live.kind][live.at] {
                Do::Submit(_) if policy == PoolPolicy::Block && busy >= workers => continue,
                Do::Submit(kind) => {
                    let block = policy == PoolPolicy::Block;
                    let child = next.len();
                    next.push(new(kind, block));
                    next[index].children.push(child);
                    if !block {
                        queued.push(child);
                    }
                }
                Do::Join(at) if done(&all[live.children[at]]) => {}
                Do::Join(_) => continue,
            }
            next[index].at += 1;
            open.push((next, queued));
            moved = true;
        }
        if !moved && !all.iter().all(done) {
            return Some(true);
        }
    }
    Some(false)
}

/// Programs of at most 4 task types, where a type only submits later ones; joins of distinct children in any order.
fn small_program() -> impl Strategy<Value = Vec<Vec<Do>>> {
    proptest::collection::vec(proptest::collection::vec((0..4usize, any::<bool>()), 0..5), 4).prop_map(|raw| {
        let task = |(kind, steps): (usize, Vec<(usize, bool)>)| {
            let (mut children, mut joined, mut out) = (0, BTreeSet::new(), Vec::new());
            for (number, join) in steps {
                if join && children > 0 {
                    if joined.insert(number % children) {
                        out.push(Do::Join(number % children));
                    }
                } else if kind + 1 < 4 && children < 2 {
                    out.push(Do::Submit(kind + 1 + number % (3 - kind)));
                    children += 1;
                }
            }
            out
        };
        raw.into_iter().enumerate().map(task).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_minimum_is_exactly_where_exhaustive_exploration_stops_finding_starvation(
        program in small_program(), block in any::<bool>()
    ) {
        let policy = if block { PoolPolicy::Block } else { PoolPolicy::Queue };
        let minimum = minimum(&program, policy, 1).expect("finite") as usize;
        if let Some(starves) = can_starve(&program, policy, minimum) {
            prop_assert!(!starves, "{minimum} workers starve");
        }
        if minimum > 1 && let Some(starves) = can_starve(&program, policy, minimum - 1) {
            prop_assert!(starves, "{} workers are enough", minimum - 1);
        }
    }
}

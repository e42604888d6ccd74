//! The table of nested submissions cell by cell, the closed form against every state of random trees, and programs that
//! only the search covers.

use super::super::pool::{self, Needs, Submission};
use super::*;

const BOUNDED: Full = Full::Queues { room: Some(1) };
const UNBOUNDED: Full = Full::Queues { room: None };

/// A parent submits two children, each of which submits a grandchild; who joins its children; whether the parent runs
/// inside the pool; how many parents there are.
fn nested(parent_joins: bool, child_joins: bool, inside: bool, roots: usize) -> Program {
    let mut tasks: Vec<Vec<Step>> = Vec::new();
    for _ in 0..roots {
        let first = tasks.len();
        if inside {
            tasks.push(vec![Step::Submit(first + 1)]);
        }
        let parent = tasks.len();
        let (one, two) = (parent + 1, parent + 3);
        let mut steps = vec![Step::Submit(one), Step::Submit(two)];
        if parent_joins {
            steps.extend([Step::Join(one), Step::Join(two)]);
        }
        tasks.push(steps);
        for child in [one, two] {
            let mut steps = vec![Step::Submit(child + 1)];
            if child_joins {
                steps.push(Step::Join(child + 1));
            }
            tasks.extend([steps, Vec::new()]);
        }
    }
    Program { tasks }
}

#[test]
fn nested_submissions_need_what_the_table_says() {
    // Who joins (parent, child), parent in the pool: blocking, unbounded queue, queue for one, run by the caller.
    let rows = [
        ((false, false, false), [3, 1, 2, 1]),
        ((false, false, true), [3, 1, 2, 1]),
        ((true, true, false), [3, 3, 3, 1]),
        ((true, true, true), [4, 4, 4, 1]),
        ((true, false, false), [3, 1, 2, 1]),
        ((true, false, true), [4, 2, 3, 1]),
    ];
    for ((parent, child, inside), expected) in rows {
        let program = nested(parent, child, inside, 1);
        let policies = [Full::Blocks, UNBOUNDED, BOUNDED, Full::RunsHere];
        let found = policies.map(|policy| program.minimum(policy));
        assert_eq!(found, expected.map(|size| Ok(Some(size))), "{parent} {child} {inside}");
        assert_eq!(closed_form(&program, Full::Blocks), expected[0]);
        assert_eq!(closed_form(&program, UNBOUNDED), expected[1]);
        // Every cell, not only where it changes.
        for (policy, size) in policies.into_iter().zip(expected) {
            for workers in 1..=6 {
                let expected = if workers < size as usize { Answer::Starves } else { Answer::Safe };
                assert_eq!(
                    program.starves(workers, policy),
                    expected,
                    "{parent} {child} {inside} {policy:?} {workers}"
                );
            }
        }
    }
}

#[test]
fn several_parents_in_the_pool_add_up() {
    for roots in 1..=3 {
        assert_eq!(closed_form(&nested(false, false, true, roots), Full::Blocks), 2 * roots as u32 + 1);
        assert_eq!(closed_form(&nested(true, true, true, roots), Full::Blocks), 3 * roots as u32 + 1);
    }
    assert_eq!(nested(false, false, true, 2).starves(4, Full::Blocks), Answer::Starves);
    assert_eq!(nested(true, true, true, 2).starves(6, Full::Blocks), Answer::Starves);
}

/// N threads that each nest C acquisitions from a pool of connections: each acquisition is a task that submits the next
/// one while it holds its own.
#[test]
fn connections_need_n_times_c_minus_one_plus_one() {
    for threads in 1..=3 {
        for nested in 1..=3 {
            let mut tasks = Vec::new();
            for _ in 0..threads {
                for depth in 0..=nested {
                    let next = tasks.len() + 1;
                    tasks.push(if depth == nested { vec![] } else { vec![Step::Submit(next), Step::Join(next)] });
                }
            }
            let (program, expected) = (Program { tasks }, (threads * (nested - 1) + 1) as u32);
            assert_eq!(closed_form(&program, Full::Blocks), expected, "{threads} x {nested}");
            assert_eq!(program.minimum(Full::Blocks), Ok(Some(expected)), "{threads} x {nested}");
        }
    }
}

#[test]
fn joins_that_are_no_tree_are_searched() {
    // Two tasks outside submit one task each, which waits for the other one's.
    let crossed = Program { tasks: vec![vec![Step::Submit(2)], vec![Step::Submit(3)], vec![Step::Join(3)], vec![]] };
    assert_eq!(crossed.minimum(UNBOUNDED), Ok(Some(2)));
    // Each waits for the other: no size helps.
    let circle =
        Program { tasks: vec![vec![Step::Submit(1), Step::Submit(2)], vec![Step::Join(2)], vec![Step::Join(1)]] };
    assert_eq!(circle.minimum(UNBOUNDED), Ok(None));
    assert_eq!(circle.minimum(Full::Blocks), Ok(None));
}

#[test]
fn too_many_states_are_unknown() {
    let steps: Vec<Step> = (1..40).map(Step::Submit).collect();
    let mut tasks = vec![Vec::new(); 40];
    tasks[0] = steps;
    assert_eq!(Program { tasks }.starves(20, UNBOUNDED), Answer::Unknown);
}

/// W + 1, where tasks join only their own children.
fn closed_form(program: &Program, full: Full) -> u32 {
    let submission = match full {
        Full::Blocks => Submission::Blocks,
        Full::Queues { .. } => Submission::Queues,
        Full::RunsHere => Submission::RunsHere,
    };
    let submitters = program.submitters();
    let mut needs = vec![Needs::default(); program.tasks.len()];
    for task in (0..program.tasks.len()).rev() {
        let step = |step: &Step| match *step {
            Step::Submit(child) => pool::Step::Submit { child: child as u32, inside: true },
            Step::Join(child) => pool::Step::Join(child as u32),
        };
        let steps: Vec<pool::Step> = program.tasks[task].iter().map(step).collect();
        needs[task] = pool::solve(&steps, submitters[task].is_some(), submission, |child| needs[child as usize]);
    }
    let roots = (0..program.tasks.len()).filter(|task| submitters[*task].is_none());
    roots.map(|task| needs[task].most).sum::<u32>() + 1
}

/// A tree of at most `budget` tasks; children have larger numbers.
fn tree(rng: &mut fastrand::Rng, budget: &mut usize, depth: usize, tasks: &mut Vec<Vec<Step>>) -> usize {
    let own = tasks.len();
    tasks.push(Vec::new());
    let (mut steps, mut open) = (Vec::new(), Vec::new());
    let count = if depth == 0 { 0 } else { [0, 1, 1, 2, 2, 3][rng.usize(..6)] };
    for _ in 0..count {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        let child = tree(rng, budget, depth - 1, tasks);
        steps.push(Step::Submit(child));
        open.push(child);
        if rng.u8(..3) == 0 {
            steps.push(Step::Join(open.swap_remove(rng.usize(..open.len()))));
        }
    }
    while !open.is_empty() && rng.bool() {
        steps.push(Step::Join(open.swap_remove(rng.usize(..open.len()))));
    }
    tasks[own] = steps;
    own
}

/// `LOCKCHECK_TEST_TREES` sets the number of trees.
#[test]
fn the_closed_form_is_what_every_state_of_random_trees_says() {
    let trees = std::env::var("LOCKCHECK_TEST_TREES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let (mut compared, mut unknown) = (0, 0);
    for seed in 0..trees {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut tasks, mut budget) = (Vec::new(), rng.usize(1..=6));
        let roots = rng.usize(1..=2);
        (0..roots).for_each(|_| {
            tree(&mut rng, &mut budget, 3, &mut tasks);
        });
        let program = Program { tasks };
        let policy = if rng.bool() { Full::Blocks } else { UNBOUNDED };
        match program.minimum(policy) {
            Ok(minimum) => {
                assert_eq!(minimum, Some(closed_form(&program, policy)), "seed {seed}: {policy:?} {program:?}");
                compared += 1;
            }
            Err(TooManyStates) => unknown += 1,
        }
    }
    println!("{compared} trees compared, {unknown} too large");
    assert!(compared as f64 > 0.95 * trees as f64);
}

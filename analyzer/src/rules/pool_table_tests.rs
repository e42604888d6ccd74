//! Every cell of two tables about bounded pools, at run time: the nested submissions of a dispatcher, and threads that nest
//! acquisitions.
//!
//! Guarantees: a cell that can deadlock does so in the run, which meets where it must; a cell that cannot reports nothing.
//! One worker short of enough, the run names the exact number; with fewer workers it hangs before everything was submitted
//! and names a number that is too small for what it holds and never more than is enough.
//!
//! Misses: queues with a bound, which the tracked pool does not have.
//!
//! Source: exhaustive exploration of the same programs; W + 1 of Tn threads that nest Cm acquisitions is Tn(Cm - 1) + 1.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::scenario_tests::run;
use crate::finding::{Evidence, Level};

/// A run, and the smallest safe number of workers where it starves; `None` where it does not.
type Cell = (String, Option<u32>);

/// Runs all cells, two at once, and gives what is wrong.
fn wrong(cells: &[Cell]) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((command, expected)) = cells.get(next.fetch_add(1, Relaxed)) {
                    let findings = run(command, "trace");
                    let found: Vec<_> = findings
                        .iter()
                        .map(|finding| (finding.rule, finding.level, finding.evidence, finding.pool))
                        .collect();
                    let fits = match (expected, &found[..]) {
                        (None, []) => true,
                        (Some(minimum), [("pool_starvation", Level::Deny, Evidence::Observed, Some(pool)), ..]) => {
                            found.iter().all(|other| other.0 == "pool_starvation")
                                && pool.minimum_safe_workers.is_some_and(|named| {
                                    named > pool.workers
                                        && named <= *minimum
                                        && (named == *minimum || pool.workers + 1 < *minimum)
                                })
                        }
                        _ => false,
                    };
                    if !fits {
                        wrong.lock().expect("no panic").push(format!("{command}: {expected:?}, but {found:?}"));
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("no panic")
}

#[test]
fn nested_submissions_starve_in_exactly_the_cells_of_the_table() {
    // Program, and per policy the largest number of workers that starves: block, queue, caller-runs.
    let programs = [
        ("nested-run-async", [2, 0, 0]),
        ("nested-run-async inside=true", [2, 0, 0]),
        ("nested-run-async-join", [2, 2, 0]),
        ("nested-run-async-join inside=true", [3, 3, 0]),
        ("nested-run-async-join children-join=false", [2, 0, 0]),
        ("nested-run-async-join children-join=false inside=true", [3, 1, 0]),
    ];
    let mut cells = Vec::new();
    for (program, starving) in programs {
        for (policy, most) in ["block", "queue", "caller-runs"].into_iter().zip(starving) {
            for workers in 1..=4 {
                let minimum = (workers <= most).then_some(most + 1);
                cells.push((format!("{program} policy={policy} workers={workers}"), minimum));
            }
        }
    }
    assert_eq!(wrong(&cells), Vec::<String>::new());
}

#[test]
fn nested_acquisitions_starve_up_to_n_times_c_less_one() {
    let mut cells = Vec::new();
    for (threads, nested) in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)] {
        let safe = threads * (nested - 1) + 1;
        for workers in 1..=safe {
            let command = format!("bounded-pool threads={threads} nested={nested} workers={workers}");
            cells.push((command, (workers < safe).then_some(safe)));
        }
    }
    assert_eq!(wrong(&cells), Vec::<String>::new());
}

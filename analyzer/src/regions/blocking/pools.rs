//! Submissions to bounded pools and joins of their results, as far as source text shows them, and the number of
//! workers that they need.
//!
//! Guarantees: the formula of [`crate::graph::pool`] for the worst of all branches. A task that submits itself again
//! (directly or through others) needs every number of workers if it also waits for that.
//!
//! Misses: joins through channels and condition variables, priorities, pools behind trait objects. Where a program
//! has more than [`MOST_PATHS`] ways through its branches, they are taken one after the other, which can only ask for
//! more workers.

use crate::finding::Location;
use crate::graph::pool::{Needs, Step, Submission, solve};
use crate::regions::place::Place;
use crate::regions::summary::{Site, Way};
use serde::{Deserialize, Serialize};

/// Ways through the branches of one task that are told apart.
pub const MOST_PATHS: usize = 64;
/// Steps kept per function.
pub const MOST_STEPS: usize = 64;
const DEEPEST: usize = 12;

/// What a task does with pools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolStep {
    /// Submits a task.
    Submit(Box<Submit>),
    /// Starts a thread outside the pool.
    Start {
        /// Its number in the body.
        child: u32,
        /// What it does.
        steps: Vec<PoolStep>,
        /// How often; `None`: not known.
        times: Option<u32>,
    },
    /// Waits for the child with this number, in a body.
    Join(u32, Site),
    /// Waits for all tasks of a pool.
    JoinAll(Place, Site),
    /// One of these.
    Either(Vec<Vec<PoolStep>>),
}

/// A submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// The pool.
    pub pool: Place,
    /// The task's number in the body.
    pub child: u32,
    /// Its name, where one was given.
    pub name: Option<String>,
    /// What it does.
    pub steps: Vec<PoolStep>,
    /// How often; `None`: not known.
    pub times: Option<u32>,
    /// It submits itself again.
    pub recursive: bool,
    /// Where.
    pub site: Site,
    /// The calls to there.
    pub way: Way,
}

/// How a pool was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolDef {
    /// Its workers, where a number (or a default) is given.
    pub workers: Option<u32>,
    /// What happens to tasks while all are busy.
    pub submission: Submission,
    /// The policy could be read.
    pub policy_known: bool,
    /// Its name.
    pub name: Option<String>,
    /// Where.
    pub site: Site,
}

/// A pool that its own tasks can use up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFacts {
    /// The function in which it is seen.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The pool's class or name.
    pub key: String,
    /// As reports show it.
    pub name: String,
    /// Its workers, where known.
    pub workers: Option<u32>,
    /// The smallest safe number; `None`: unsafe at any size.
    pub minimum: Option<u32>,
    /// Tasks wait for results (else for slots only).
    pub joins: bool,
    /// Submitters wait while all workers are busy.
    pub blocks: bool,
    /// Where it is made.
    pub made: Option<Location>,
    /// The tasks that hold slots while they wait.
    pub needy: Vec<Needy<Location>>,
}

/// A task that holds a slot while it waits for the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needy<P> {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where it is submitted.
    pub submitted: P,
    /// Where it waits.
    pub waits: P,
    /// It waits for a slot (else for a result).
    pub slot: bool,
}

/// What came out for one task tree.
#[derive(Clone, Debug, Default)]
pub struct Worst {
    /// The needs.
    pub needs: Needs,
    /// Tasks that hold a slot while they wait, innermost first.
    pub needy: Vec<Needy<Site>>,
    /// Some task waits for a result.
    pub joins: bool,
}

/// The needs of a list of steps. `inside`: whether a place is the pool at hand. `holds`: they run in one of its slots.
pub fn worst(
    steps: &[PoolStep],
    holds: bool,
    submission: Submission,
    inside: &dyn Fn(&Place) -> bool,
    depth: usize,
) -> Worst {
    let mut out = Worst::default();
    if depth > DEEPEST {
        return out;
    }
    for path in paths(steps) {
        let mut children: Vec<Worst> = Vec::new();
        let mut numbers: Vec<(u32, usize, usize)> = Vec::new();
        let mut flat: Vec<Step> = Vec::new();
        let mut waits: Option<Site> = None;
        let mut joins = false;
        for step in &path {
            match step {
                PoolStep::Submit(submit) => {
                    let own = inside(&submit.pool);
                    let mut child = worst(&submit.steps, own, submission, inside, depth + 1);
                    if child.needs.needy.is_some() && submits_again(&submit.steps, submit.site) {
                        child.needs = Needs { most: u32::MAX, needy: Some(u32::MAX), left: child.needs.left };
                    }
                    let blocks = own && submission == Submission::Blocks;
                    if blocks && waits.is_none() {
                        waits = Some(submit.site);
                    }
                    let wait = first_wait(&submit.steps, submission, inside);
                    if own
                        && child.needs.needy.is_some()
                        && let Some(wait) = wait
                    {
                        let (waits, slot) = wait;
                        let new = Needy { name: submit.name.clone(), submitted: submit.site, waits, slot };
                        if !child.needy.contains(&new) {
                            child.needy.push(new);
                        }
                    }
                    add(&mut flat, &mut children, &mut numbers, submit.child, own, child, submit.times);
                }
                PoolStep::Start { child: number, steps, times } => {
                    let child = worst(steps, false, submission, inside, depth + 1);
                    add(&mut flat, &mut children, &mut numbers, *number, false, child, *times);
                }
                PoolStep::Join(number, _) => {
                    if let Some((_, from, to)) = numbers.iter().find(|(child, ..)| child == number) {
                        joins = true;
                        flat.extend((*from..*to).map(|child| Step::Join(child as u32)));
                    }
                }
                PoolStep::JoinAll(pool, _) if inside(pool) => {
                    if holds {
                        // It waits for itself, too.
                        out.needs = Needs { most: u32::MAX, needy: Some(u32::MAX), left: 0 };
                        out.joins = true;
                    }
                    let all: Vec<Step> = (0..children.len()).map(|child| Step::Join(child as u32)).collect();
                    flat.extend(all);
                }
                PoolStep::JoinAll(..) | PoolStep::Either(_) => {}
            }
        }
        let needs = solve(&flat, holds, submission, |child| {
            children.get(child as usize).map(|child| child.needs).unwrap_or_default()
        });
        if needs.most > out.needs.most || out.needy.is_empty() {
            out.needy.clear();
            for needy in children.iter().flat_map(|child| &child.needy) {
                if !out.needy.contains(needy) {
                    out.needy.push(needy.clone());
                }
            }
        }
        out.needs = out.needs.max(needs);
        out.joins |= (joins && holds) || children.iter().any(|child| child.joins);
    }
    out
}

/// Where a task first waits for the pool at hand.
fn first_wait(steps: &[PoolStep], submission: Submission, inside: &dyn Fn(&Place) -> bool) -> Option<(Site, bool)> {
    let mut own = Vec::new();
    let mut stack: Vec<&PoolStep> = steps.iter().rev().collect();
    while let Some(step) = stack.pop() {
        match step {
            PoolStep::Submit(submit) if inside(&submit.pool) => {
                if submission == Submission::Blocks {
                    return Some((submit.site, true));
                }
                own.push(submit.child);
            }
            PoolStep::Join(child, site) if own.contains(child) => return Some((*site, false)),
            PoolStep::JoinAll(pool, site) if inside(pool) => return Some((*site, false)),
            PoolStep::Either(paths) => stack.extend(paths.iter().flatten().rev()),
            _ => {}
        }
    }
    None
}

/// Whether a task submits itself again.
fn submits_again(steps: &[PoolStep], site: Site) -> bool {
    steps.iter().any(|step| match step {
        PoolStep::Submit(submit) => (submit.recursive && submit.site == site) || submits_again(&submit.steps, site),
        PoolStep::Start { steps, .. } => submits_again(steps, site),
        PoolStep::Either(branches) => branches.iter().any(|branch| submits_again(branch, site)),
        PoolStep::Join(..) | PoolStep::JoinAll(..) => false,
    })
}

fn add(
    flat: &mut Vec<Step>,
    children: &mut Vec<Worst>,
    numbers: &mut Vec<(u32, usize, usize)>,
    number: u32,
    inside: bool,
    child: Worst,
    times: Option<u32>,
) {
    let mut child = child;
    let count = match times {
        Some(times) => times.min(32) as usize,
        // An unknown number of tasks that are never needy is as good as one.
        None => {
            if child.needs.most > 0 {
                child.needs.most = u32::MAX;
                child.needs.needy = child.needs.needy.map(|_| u32::MAX);
            }
            1
        }
    };
    let from = children.len();
    for _ in 0..count {
        flat.push(Step::Submit { child: children.len() as u32, inside });
        children.push(child.clone());
    }
    numbers.retain(|(known, ..)| *known != number);
    numbers.push((number, from, children.len()));
}

/// All ways through the branches; one after the other where there are too many.
fn paths(steps: &[PoolStep]) -> Vec<Vec<&PoolStep>> {
    let mut out: Vec<Vec<&PoolStep>> = vec![Vec::new()];
    for step in steps {
        match step {
            PoolStep::Either(branches) => {
                let branches: Vec<Vec<&PoolStep>> = branches.iter().flat_map(|branch| paths(branch)).collect();
                if out.len() * branches.len() > MOST_PATHS {
                    for path in &mut out {
                        path.extend(branches.iter().flatten());
                    }
                } else {
                    let before = std::mem::take(&mut out);
                    for path in &before {
                        out.extend(
                            branches.iter().map(|branch| path.iter().chain(branch).copied().collect::<Vec<_>>()),
                        );
                    }
                }
            }
            step => out.iter_mut().for_each(|path| path.push(step)),
        }
    }
    out
}

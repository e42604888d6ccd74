//! Whether tasks of a bounded pool can starve each other, by looking at every state: for programs that the closed form of
//! [`super::pool`] does not cover (joins of other tasks' children, bounded queues).
//!
//! Guarantees: exact for the program given, where the answer is not [`Answer::Unknown`]: all interleavings of all tasks
//! are looked at. The number of states is bounded; what the bound cut short stays unknown.
//!
//! Misses: locks and everything else that tasks wait for. Time and memory grow exponentially with the program.

use rustc_hash::FxHashSet;

/// What becomes of a submission while all slots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The submitter waits for a slot.
    Blocks,
    /// The task waits in a queue, first in, first out; `room`: how many fit before the submitter waits.
    Queues {
        /// `None`: any number.
        room: Option<usize>,
    },
    /// The submitter runs it.
    RunsHere,
}

/// One step of a task. Tasks are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hands a task to the pool; each task is submitted at most once.
    Submit(usize),
    /// Waits for the end of any task, also one that is not submitted yet.
    Join(usize),
}

/// What each task does. Tasks that nobody submits run outside of the pool from the start.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// By task.
    pub tasks: Vec<Vec<Step>>,
}

/// What came of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Some schedule starves.
    Starves,
    /// None does.
    Safe,
    /// There were too many states.
    Unknown,
}

/// States after which the search gives up.
pub const MOST_STATES: usize = 200_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    /// Not submitted.
    Future,
    Queued,
    /// In a slot.
    Running,
    /// Outside of the pool, or on its submitter's stack.
    Outside,
    Done,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    /// By task: its stage and how many of its steps are done.
    tasks: Vec<(Stage, u16)>,
    queue: Vec<u16>,
}

impl Program {
    /// The task that submits each task.
    fn submitters(&self) -> Vec<Option<usize>> {
        let mut submitters = vec![None; self.tasks.len()];
        for (task, steps) in self.tasks.iter().enumerate() {
            for step in steps {
                if let Step::Submit(child) = step
                    && let Some(place) = submitters.get_mut(*child)
                {
                    *place = Some(task);
                }
            }
        }
        submitters
    }

    /// Whether some schedule on so many slots gets stuck. Up to [`MOST_STATES`] states.
    pub fn starves(&self, workers: usize, full: Full) -> Answer {
        if self.tasks.len() > usize::from(u16::MAX) {
            return Answer::Unknown;
        }
        let submitters = self.submitters();
        let stage = |submitter: &Option<usize>| if submitter.is_some() { Stage::Future } else { Stage::Outside };
        let start =
            State { tasks: submitters.iter().map(|submitter| (stage(submitter), 0)).collect(), queue: Vec::new() };
        let (mut seen, mut open) = (FxHashSet::default(), vec![start]);
        while let Some(state) = open.pop() {
            if seen.len() >= MOST_STATES {
                return Answer::Unknown;
            }
            if !seen.insert(state.clone()) {
                continue;
            }
            let before = open.len();
            self.moves(&state, workers, full, &mut open);
            if open.len() == before
                && state.tasks.iter().any(|(stage, _)| !matches!(stage, Stage::Done | Stage::Future))
            {
                return Answer::Starves;
            }
        }
        Answer::Safe
    }

    fn moves(&self, state: &State, workers: usize, full: Full, out: &mut Vec<State>) {
        let busy = state.tasks.iter().filter(|(stage, _)| *stage == Stage::Running).count();
        if let Some((first, rest)) = state.queue.split_first().filter(|_| busy < workers) {
            let mut next = State { tasks: state.tasks.clone(), queue: rest.to_vec() };
            next.tasks[usize::from(*first)].0 = Stage::Running;
            out.push(next);
        }
        for (task, (stage, at)) in state.tasks.iter().enumerate() {
            if !matches!(stage, Stage::Running | Stage::Outside) {
                continue;
            }
            let mut next = state.clone();
            next.tasks[task].1 += 1;
            match self.tasks[task].get(usize::from(*at)).copied() {
                None => next.tasks[task].0 = Stage::Done,
                Some(Step::Join(other)) => {
                    if state.tasks.get(other).is_some_and(|(stage, _)| *stage != Stage::Done) {
                        continue;
                    }
                }
                Some(Step::Submit(child)) => match (state.tasks.get(child).map(|(stage, _)| *stage), full) {
                    (Some(Stage::Future), Full::Blocks) if busy < workers => next.tasks[child].0 = Stage::Running,
                    (Some(Stage::Future), Full::Blocks) => continue,
                    (Some(Stage::Future), Full::Queues { room }) => {
                        if room.is_some_and(|room| state.queue.len() >= room) {
                            continue;
                        }
                        next.tasks[child].0 = Stage::Queued;
                        next.queue.push(child as u16);
                    }
                    (Some(Stage::Future), Full::RunsHere) if busy < workers => next.tasks[child].0 = Stage::Running,
                    (Some(Stage::Future), Full::RunsHere) => {
                        // On this stack: the submitter goes on once it has ended.
                        next.tasks[child].0 = Stage::Outside;
                        next.tasks[task].1 -= 1;
                    }
                    (Some(Stage::Done), Full::RunsHere) => {}
                    (Some(_), Full::RunsHere) => continue,
                    _ => {}
                },
            }
            out.push(next);
        }
    }

    /// The smallest number of slots that cannot starve: `Ok(None)` where no number is enough. More slots never hurt, and
    /// more slots than tasks are as good as any number.
    pub fn minimum(&self, full: Full) -> Result<Option<u32>, TooManyStates> {
        let safe = |workers: usize| match self.starves(workers, full) {
            Answer::Safe => Ok(true),
            Answer::Starves => Ok(false),
            Answer::Unknown => Err(TooManyStates),
        };
        for workers in 1..=self.tasks.len().max(1) {
            if safe(workers)? {
                return Ok(Some(workers as u32));
            }
        }
        Ok(None)
    }
}

/// The search was cut short at [`MOST_STATES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the search stopped after {MOST_STATES} states")]
pub struct TooManyStates;

#[cfg(test)]
#[path = "pool_states_tests.rs"]
mod tests;

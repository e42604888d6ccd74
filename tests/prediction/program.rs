//! Small random programs: threads that take mutexes and RwLocks, start and join each other, and wait for and give
//! notifications under a predicate.

use fastrand::Rng;
use lockcheck_tracker::event::Mode;

/// Locks; the last one is also the monitor of the condvars.
pub const LOCKS: usize = 4;
pub const CONDVARS: usize = 2;
/// The lock under which predicates are read and written.
pub const MONITOR: usize = LOCKS - 1;

/// One step of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Take(usize, Mode),
    Give(usize),
    Fork(usize),
    Join(usize),
    /// `while !flag { monitor = condvar.wait(monitor) }`, with the monitor held.
    WaitWhile(usize),
    /// `flag = true`, with the monitor held.
    Raise(usize),
    /// `notify_one` or `notify_all`.
    Notify(usize, bool),
}

/// By thread; thread 0 is there from the start, and so are all that nobody forks.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub threads: Vec<Vec<Step>>,
}

impl Program {
    /// Two or three threads of a few nests each.
    pub fn random(rng: &mut Rng) -> Program {
        let count = rng.usize(2..=3);
        let condvars = rng.bool();
        let mut threads: Vec<Vec<Step>> = (0..count)
            .map(|_| {
                let mut steps = Vec::new();
                for _ in 0..rng.usize(1..=2) {
                    nest(rng, condvars, &mut steps);
                }
                steps
            })
            .collect();
        for child in 1..count {
            if rng.u8(..3) == 0 {
                let at = top_level(&threads[0], rng);
                threads[0].insert(at, Step::Fork(child));
                if rng.bool() {
                    let end = if rng.bool() { threads[0].len() } else { any_after(&threads[0], at, rng) };
                    threads[0].insert(end, Step::Join(child));
                }
            }
        }
        Program { threads }
    }

    /// Whether somebody starts the thread.
    pub fn is_forked(&self, thread: usize) -> bool {
        self.threads.iter().flatten().any(|step| *step == Step::Fork(thread))
    }
}

/// Locks one inside the other, and perhaps something innermost.
fn nest(rng: &mut Rng, condvars: bool, steps: &mut Vec<Step>) {
    let mut locks: Vec<usize> = (0..MONITOR).collect();
    rng.shuffle(&mut locks);
    locks.truncate(rng.usize(0..=2 + usize::from(!condvars)));
    let mode = |rng: &mut Rng| if rng.u8(..3) == 0 { Mode::Shared } else { Mode::Exclusive };
    steps.extend(locks.iter().map(|lock| Step::Take(*lock, mode(rng))));
    if condvars && rng.u8(..3) != 0 {
        let condvar = rng.usize(..CONDVARS);
        steps.push(Step::Take(MONITOR, Mode::Exclusive));
        if rng.bool() {
            steps.extend([Step::WaitWhile(condvar), Step::Give(MONITOR)]);
        } else {
            let inside = rng.bool();
            let notify = Step::Notify(condvar, rng.bool());
            steps.push(Step::Raise(condvar));
            steps.extend(if inside { [notify, Step::Give(MONITOR)] } else { [Step::Give(MONITOR), notify] });
        }
    }
    let in_order = rng.bool();
    let given = |at: usize| if in_order { locks[at] } else { locks[locks.len() - 1 - at] };
    steps.extend((0..locks.len()).map(|at| Step::Give(given(at))));
}

/// A place where the thread holds nothing.
fn top_level(steps: &[Step], rng: &mut Rng) -> usize {
    let mut depth = 0;
    let mut places = vec![0];
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Take(..) => depth += 1,
            Step::Give(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            places.push(at + 1);
        }
    }
    places[rng.usize(..places.len())]
}

fn any_after(steps: &[Step], at: usize, rng: &mut Rng) -> usize {
    rng.usize(at + 1..=steps.len())
}

//! The states of a program and its steps, with the meaning that `std` and the tracker give them: a waiting writer holds
//! back new readers, a wait gives its monitor back and takes it again, there is no spurious wake-up.

use std::collections::{BTreeMap, HashSet};

use lockcheck_tracker::event::{Event, Mode, Op, flag};

use crate::program::{CONDVARS, LOCKS, MONITOR, Program, Step};

/// Where a thread stands inside its current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Before,
    /// Has announced its request for a lock and stands in its queue.
    Asks,
    /// Sleeps on a condvar.
    Sleeps,
    /// Was woken and needs its monitor again.
    Woken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Thread {
    started: bool,
    at: usize,
    phase: Phase,
    held: [Option<Mode>; LOCKS],
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    threads: Vec<Thread>,
    raised: [bool; CONDVARS],
    /// Who sleeps, first come first.
    sleepers: [Vec<usize>; CONDVARS],
}

/// What a blocked thread waits for: the step, and whether it is the condvar itself.
pub type Stand = (usize, bool);

impl State {
    pub fn new(program: &Program) -> State {
        let thread =
            |number| Thread { started: !program.is_forked(number), at: 0, phase: Phase::Before, held: [None; LOCKS] };
        State {
            threads: (0..program.threads.len()).map(thread).collect(),
            raised: [false; CONDVARS],
            sleepers: Default::default(),
        }
    }

    fn ended(&self, program: &Program, thread: usize) -> bool {
        self.threads[thread].started && self.threads[thread].at == program.threads[thread].len()
    }

    pub fn all_ended(&self, program: &Program) -> bool {
        (0..self.threads.len()).all(|thread| self.ended(program, thread) || !self.threads[thread].started)
            && (0..self.threads.len()).all(|thread| self.threads[thread].started)
    }

    fn can_take(&self, program: &Program, thread: usize, lock: usize, mode: Mode) -> bool {
        let others = || (0..self.threads.len()).filter(|other| *other != thread);
        let kept = others().any(|other| self.threads[other].held[lock].is_some_and(|held| held.conflicts(mode)));
        let queues = |other: usize| {
            let other_thread = &self.threads[other];
            other_thread.phase == Phase::Asks
                && program.threads[other].get(other_thread.at) == Some(&Step::Take(lock, Mode::Exclusive))
        };
        !(kept || mode == Mode::Shared && others().any(queues))
    }

    /// The state after the thread's next move, if it has one, and the events of the move.
    pub fn step(&self, program: &Program, thread: usize, recorder: &mut impl Recorder) -> Option<State> {
        let own = &self.threads[thread];
        if !own.started {
            return None;
        }
        let step = *program.threads[thread].get(own.at)?;
        let mut next = self.clone();
        let site = own.at as u32 + 1;
        match (step, own.phase) {
            (Step::Take(lock, mode), Phase::Before) => {
                recorder.lock(thread, Op::Request, lock, mode, site, 0);
                next.threads[thread].phase = Phase::Asks;
                return Some(next);
            }
            (Step::Take(lock, mode), _) => {
                if !self.can_take(program, thread, lock, mode) {
                    return None;
                }
                recorder.lock(thread, Op::Acquire, lock, mode, site, 0);
                next.threads[thread].held[lock] = Some(mode);
            }
            (Step::Give(lock), _) => {
                let mode = own.held[lock].unwrap_or(Mode::Exclusive);
                recorder.lock(thread, Op::Release, lock, mode, site, 0);
                next.threads[thread].held[lock] = None;
            }
            (Step::Fork(child), _) => {
                recorder.thread(thread, Op::Fork, child, site);
                next.threads[child].started = true;
            }
            (Step::Join(child), _) => {
                if !self.ended(program, child) {
                    return None;
                }
                recorder.thread(thread, Op::Join, child, site);
            }
            (Step::WaitWhile(condvar), Phase::Before) => {
                recorder.flag(thread, Op::Read, condvar, site);
                if !self.raised[condvar] {
                    recorder.lock(thread, Op::Release, MONITOR, Mode::Exclusive, site, flag::WAIT);
                    recorder.condvar(thread, Op::WaitBegin, condvar, site);
                    next.threads[thread].held[MONITOR] = None;
                    next.threads[thread].phase = Phase::Sleeps;
                    next.sleepers[condvar].push(thread);
                    return Some(next);
                }
            }
            (Step::WaitWhile(_), Phase::Woken) => {
                if !self.can_take(program, thread, MONITOR, Mode::Exclusive) {
                    return None;
                }
                recorder.lock(thread, Op::Request, MONITOR, Mode::Exclusive, site, flag::WAIT);
                recorder.lock(thread, Op::Acquire, MONITOR, Mode::Exclusive, site, flag::WAIT);
                next.threads[thread].held[MONITOR] = Some(Mode::Exclusive);
                next.threads[thread].phase = Phase::Before;
                return Some(next);
            }
            (Step::WaitWhile(_), _) => return None,
            (Step::Raise(condvar), _) => {
                recorder.flag(thread, Op::Write, condvar, site);
                next.raised[condvar] = true;
            }
            (Step::Notify(condvar, all), _) => {
                let number = recorder.condvar(thread, if all { Op::NotifyAll } else { Op::NotifyOne }, condvar, site);
                let woken = if all { self.sleepers[condvar].len() } else { self.sleepers[condvar].len().min(1) };
                for sleeper in next.sleepers[condvar].drain(..woken) {
                    recorder.woken(sleeper, condvar, self.threads[sleeper].at as u32 + 1, number);
                    next.threads[sleeper].phase = Phase::Woken;
                }
            }
        }
        next.threads[thread].at += 1;
        next.threads[thread].phase = Phase::Before;
        Some(next)
    }

    /// Where each thread stands that can never go on, in a state without moves.
    fn stands(&self, program: &Program) -> BTreeMap<usize, Stand> {
        (0..self.threads.len())
            .filter(|thread| self.threads[*thread].started && !self.ended(program, *thread))
            .map(|thread| (thread, (self.threads[thread].at + 1, self.threads[thread].phase == Phase::Sleeps)))
            .collect()
    }
}

/// All ways in which the program can hang: where its threads stand then. `None` where there are too many states.
pub fn explore(program: &Program) -> Option<Vec<BTreeMap<usize, Stand>>> {
    const MOST: usize = 60_000;
    let (mut seen, mut open, mut hangs) = (HashSet::new(), vec![State::new(program)], Vec::new());
    while let Some(state) = open.pop() {
        if seen.len() > MOST {
            return None;
        }
        if !seen.insert(state.clone()) {
            continue;
        }
        let before = open.len();
        open.extend((0..program.threads.len()).filter_map(|thread| state.step(program, thread, &mut Nowhere)));
        if open.len() == before && !state.all_ended(program) {
            hangs.push(state.stands(program));
        }
    }
    Some(hangs)
}

/// Who is told about events.
pub trait Recorder {
    fn lock(&mut self, thread: usize, op: Op, lock: usize, mode: Mode, site: u32, flags: u8);
    fn thread(&mut self, thread: usize, op: Op, other: usize, site: u32);
    /// The predicate of a condvar is read or written.
    fn flag(&mut self, thread: usize, op: Op, condvar: usize, site: u32);
    /// Gives the event's number.
    fn condvar(&mut self, thread: usize, op: Op, condvar: usize, site: u32) -> u32;
    fn woken(&mut self, thread: usize, condvar: usize, site: u32, number: u32);
}

struct Nowhere;

impl Recorder for Nowhere {
    fn lock(&mut self, _: usize, _: Op, _: usize, _: Mode, _: u32, _: u8) {}
    fn thread(&mut self, _: usize, _: Op, _: usize, _: u32) {}
    fn flag(&mut self, _: usize, _: Op, _: usize, _: u32) {}
    fn condvar(&mut self, _: usize, _: Op, _: usize, _: u32) -> u32 {
        0
    }
    fn woken(&mut self, _: usize, _: usize, _: u32, _: u32) {}
}

/// A trace: events by thread, threads from 1, locks from 1, condvars behind them.
#[derive(Default)]
pub struct Trace {
    pub streams: BTreeMap<u32, Vec<Event>>,
    /// Whether predicates are tracked cells; else they are data that only their mutex knows.
    pub with_flags: bool,
    pub numbers: BTreeMap<u32, u32>,
}

impl Trace {
    fn push(&mut self, thread: usize, event: Event) {
        self.streams.entry(thread as u32 + 1).or_default().push(event);
    }

    fn next(&mut self, object: u32) -> u32 {
        let number = self.numbers.entry(object).or_default();
        *number += 1;
        *number
    }
}

/// The number of a condvar in traces.
pub fn condvar_number(condvar: usize) -> u32 {
    (LOCKS + 1 + condvar) as u32
}

impl Recorder for Trace {
    fn lock(&mut self, thread: usize, op: Op, lock: usize, mode: Mode, site: u32, flags: u8) {
        let object = lock as u32 + 1;
        let number = if op == Op::Request { 0 } else { self.next(object) };
        self.push(thread, Event { raw_mode: mode as u8, flags, ..Event::new(op, object, site, number) });
    }

    fn thread(&mut self, thread: usize, op: Op, other: usize, site: u32) {
        self.push(thread, Event::new(op, other as u32 + 1, site, 0));
    }

    fn flag(&mut self, thread: usize, op: Op, condvar: usize, site: u32) {
        if self.with_flags {
            let cell = condvar_number(CONDVARS + condvar);
            let number = self.next(cell);
            self.push(thread, Event::new(op, cell, site, number));
        }
    }

    fn condvar(&mut self, thread: usize, op: Op, condvar: usize, site: u32) -> u32 {
        let number = self.next(condvar_number(condvar));
        self.push(thread, Event::new(op, condvar_number(condvar), site, number));
        number
    }

    fn woken(&mut self, thread: usize, condvar: usize, site: u32, number: u32) {
        self.push(thread, Event::new(Op::WaitEnd, condvar_number(condvar), site, number));
    }
}

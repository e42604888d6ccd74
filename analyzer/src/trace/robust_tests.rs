//! The whole analysis on traces that no tracker writes, and its predictions against exhaustive exploration.

use std::collections::HashSet;

use lockcheck_tracker::event::{DeadlockAction, Event, Held, Mode, ObjectKind, Op, PoolPolicy, Record, WaitKind};
use proptest::prelude::*;

use super::recording::{Object, Recording};
use super::script::Script;
use crate::rules::{self, Facts};

fn analyse(recording: Recording) {
    let mut notices = Vec::new();
    let (graph, replay) = super::replay(recording, &mut notices);
    rules::check(&Facts { graph: &graph, regions: None, replay: Some(&replay), notices: Default::default() });
}

fn any_record() -> impl Strategy<Value = Record<'static>> {
    let held = (0..6u32, 0..4u8).prop_map(|(object, mode)| Held {
        object,
        mode: Mode::from_u8(mode).unwrap_or(Mode::Shared),
        site: object,
    });
    let number = || 0..6u32;
    prop_oneof![
        (number(), number(), number()).prop_map(|(id, pool, parent)| Record::Task {
            id,
            pool,
            parent,
            thread: parent,
            site: 1,
            name: "t".into()
        }),
        (number(), 0..4u32, any::<bool>()).prop_map(|(id, workers, queue)| {
            let policy = if queue { PoolPolicy::Queue } else { PoolPolicy::Block };
            Record::Pool { id, workers, policy }
        }),
        (number(), number(), proptest::collection::vec(number(), 0..3))
            .prop_map(|(id, thread, after)| Record::Segment { id, thread, after: after.into() }),
        (number(), number(), proptest::collection::vec(held.clone(), 0..4), held.clone()).prop_map(
            |(thread, segment, held, wanted)| Record::Edge { thread, segment, held: held.into(), wanted, try_: false }
        ),
        (
            number(),
            proptest::collection::vec((number(), number(), number(), 0..5usize), 0..4),
            proptest::collection::vec(held, 0..3)
        )
            .prop_map(|(closer, members, held)| {
                let kinds = [WaitKind::Lock, WaitKind::Join, WaitKind::Slot, WaitKind::Task, WaitKind::Barrier];
                let members: Vec<_> = members
                    .into_iter()
                    .map(|(thread, task, object, kind)| Script::blocked(thread, task, kinds[kind], object, 1, &held))
                    .collect();
                Record::Deadlock { closer, members: members.into(), action: DeadlockAction::Panic }
            }),
    ]
}

proptest! {
    #[test]
    fn any_events_and_records_are_analysed_without_a_panic(
        events in proptest::collection::vec((0..5u32, 0..70u8, 0..6u32, 0..6u32, 0..5u8, 0..4u8), 0..60),
        records in proptest::collection::vec(any_record(), 0..12),
    ) {
        let mut recording = Recording::default();
        let kinds = [ObjectKind::Mutex, ObjectKind::Cell, ObjectKind::Pool, ObjectKind::Atomic, ObjectKind::Condvar];
        for (id, kind) in kinds.into_iter().enumerate() {
            recording.objects.insert(id as u32, Object { class: 0, kind });
        }
        records.into_iter().for_each(|record| recording.record(record));
        let mut second = recording.clone();
        for (thread, raw_op, object, seq, raw_mode, flags) in events {
            let event = Event { raw_op, raw_mode, flags, object, site: 1, seq };
            recording.streams.entry(thread).or_default().push(event);
        }
        second.append(recording);
        analyse(second);
    }
}

proptest! {
    #[test]
    fn damaged_traces_are_analysed_without_a_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..12)) {
        let mut script = Script::new();
        let pool = script.object(ObjectKind::Pool, "pool");
        script.record(Record::Pool { id: pool, workers: 2, policy: PoolPolicy::Block });
        for id in 1..4 {
            script.record(Record::Task { id, pool, parent: id - 1, thread: 1, site: 3, name: "t".into() });
            script.event(1, Op::Submit, id, 3, 0);
            script.event(2, Op::TaskBegin, id, 0, 0);
            script.nest(2, &[("a", Mode::Exclusive, 1), ("b", Mode::Shared, 2)]);
            script.access(2, Op::Write, "cell", 4);
            script.event(2, Op::TaskEnd, id, 0, 0);
            script.nest(1, &[("b", Mode::Exclusive, 5), ("a", Mode::Exclusive, 6)]);
            script.access(1, Op::Read, "cell", 7);
        }
        let members = vec![Script::blocked(2, 1, WaitKind::Slot, pool, 3, &[])];
        script.record(Record::Deadlock { closer: 2, members: members.into(), action: DeadlockAction::Panic });
        let mut bytes = script.bytes();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(recording) = super::read::read("test", bytes.as_slice(), &mut Vec::new()) {
            analyse(recording);
        }
    }
}

const LOCKS: [&str; 3] = ["a", "b", "c"];

/// A thread's steps: take a lock in a mode, or give it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Take(usize, Mode),
    Give(usize),
}

type Program = Vec<Vec<Do>>;

/// Where each thread stands, whether it has announced its request, and in which mode it holds which lock.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    at: Vec<usize>,
    asks: Vec<bool>,
    held: Vec<[Option<Mode>; 3]>,
}

impl State {
    fn new(threads: usize) -> Self {
        State { at: vec![0; threads], asks: vec![false; threads], held: vec![[None; 3]; threads] }
    }

    /// The state after the thread's next step, if it can do one. `queue`: a waiting writer holds back new readers.
    fn step(&self, program: &Program, thread: usize, queue: bool) -> Option<State> {
        let mut next = self.clone();
        match *program[thread].get(self.at[thread])? {
            Do::Take(..) if !self.asks[thread] => next.asks[thread] = true,
            Do::Take(lock, mode) => {
                let others = || (0..program.len()).filter(|other| *other != thread);
                let kept = others().any(|other| self.held[other][lock].is_some_and(|held| held.conflicts(mode)));
                let writer = |other: usize| {
                    self.asks[other] && program[other].get(self.at[other]) == Some(&Do::Take(lock, Mode::Exclusive))
                };
                if kept || queue && mode == Mode::Shared && others().any(writer) {
                    return None;
                }
                next.held[thread][lock] = Some(mode);
                next.asks[thread] = false;
                next.at[thread] += 1;
            }
            Do::Give(lock) => {
                next.held[thread][lock] = None;
                next.at[thread] += 1;
            }
        }
        Some(next)
    }

    fn stuck(&self, program: &Program, queue: bool) -> bool {
        let over = (0..program.len()).all(|thread| self.at[thread] == program[thread].len());
        !over && (0..program.len()).all(|thread| self.step(program, thread, queue).is_none())
    }
}

fn can_deadlock(program: &Program, queue: bool) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![State::new(program.len())]);
    while let Some(state) = open.pop() {
        if state.stuck(program, queue) {
            return true;
        }
        if seen.insert(state.clone()) {
            open.extend((0..program.len()).filter_map(|thread| state.step(program, thread, queue)));
        }
    }
    false
}

/// Up to 3 threads, each with up to 2 nests of up to 3 different locks.
fn program() -> impl Strategy<Value = Program> {
    let modes = [Mode::Exclusive, Mode::Exclusive, Mode::Shared];
    let nest = proptest::collection::vec((0..3usize, 0..3usize), 1..4).prop_map(move |raw| {
        let mut locks: Vec<(usize, Mode)> = Vec::new();
        for (lock, mode) in raw {
            if locks.iter().all(|known| known.0 != lock) {
                locks.push((lock, modes[mode]));
            }
        }
        let takes = locks.iter().map(|(lock, mode)| Do::Take(*lock, *mode)).collect::<Vec<_>>();
        takes.into_iter().chain(locks.iter().rev().map(|(lock, _)| Do::Give(*lock))).collect::<Vec<_>>()
    });
    proptest::collection::vec(proptest::collection::vec(nest, 1..3).prop_map(|nests| nests.concat()), 2..4)
}

/// The trace of one schedule of the program, to its end or to where it hangs.
fn run(program: &Program, mut choices: impl Iterator<Item = usize>) -> Script {
    let mut script = Script::new();
    let mut state = State::new(program.len());
    loop {
        let able: Vec<usize> =
            (0..program.len()).filter(|thread| state.step(program, *thread, false).is_some()).collect();
        if able.is_empty() {
            return script;
        }
        let thread = able[choices.next().unwrap_or(0) % able.len()];
        let (number, announced) = (thread as u32 + 1, state.asks[thread]);
        match program[thread][state.at[thread]] {
            Do::Take(lock, mode) => script.take_step(number, LOCKS[lock], mode, 1 + state.at[thread] as u32, announced),
            Do::Give(lock) => script.give(number, LOCKS[lock]),
        }
        state = state.step(program, thread, false).unwrap_or(state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_predicted_deadlock_is_one_that_exhaustive_exploration_reaches(
        program in program(), choices in proptest::collection::vec(0..6usize, 40)
    ) {
        let (_, replay, _) = run(&program, choices.into_iter()).replay();
        for prediction in &replay.predictions.deadlocks {
            prop_assert!(can_deadlock(&program, !prediction.writers.is_empty()), "{prediction:?}");
        }
    }
}

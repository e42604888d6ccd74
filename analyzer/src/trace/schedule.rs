//! The schedule of a predicted deadlock in words: who runs how far, and where everybody stands at last.
//!
//! Guarantees: the turns are those of the witness, in the order of the run, told by the locks that several threads take. Where they
//! are too many to be read, the ones in the middle are counted; beyond [`MOST_SECTIONS`] critical sections, only how many each
//! thread runs through is told.
//!
//! Misses: what threads do besides taking locks.

use super::history::{AbstractAcquire, History};
use super::names::{self, Names};
use super::predict::Prediction;
use super::recording::Recording;
use crate::finding::ScheduleStep;

/// Critical sections whose order is told.
pub const MOST_SECTIONS: usize = 100_000;
/// Turns that are told at the beginning, and at the end.
const TOLD: usize = 6;

/// A thread index, and how many locks it takes in a row.
type Turn = (u32, usize);

/// The steps into the deadlock. `acquires` is what the prediction's indexes are of.
pub fn schedule(
    recording: &Recording,
    names: &Names,
    history: &History,
    acquires: &[AbstractAcquire],
    prediction: &Prediction,
) -> Vec<ScheduleStep> {
    let actor = |thread: u32| history.actor(recording, thread);
    let name = |object: u32| format!("`{}`", names.object(recording, object));
    let at = |site: u32| Some(names::location(recording, site, String::new())).filter(|at| at.line > 0);
    let parts = || prediction.blocked.iter().filter_map(|part| Some((part, acquires.get(part.acquire as usize)?)));
    let turns = turns(history, prediction);
    let mut steps: Vec<ScheduleStep> = Vec::new();
    for (index, (thread, count)) in turns.iter().enumerate() {
        let left_out = turns.len().saturating_sub(2 * TOLD);
        if left_out > 0 && (TOLD..TOLD + left_out).contains(&index) {
            if index == TOLD {
                let does = format!("take their next {left_out} turns as in the run");
                steps.push(ScheduleStep { thread: "all threads".into(), does, at: None });
            }
            continue;
        }
        let is_last = turns[index + 1..].iter().all(|turn| turn.0 != *thread);
        let stand = parts().find(|(_, acquire)| acquire.thread == *thread).filter(|_| is_last);
        let held = stand.and_then(|(part, _)| history.stack(&part.instance).last());
        let does = match (count, held) {
            (1, Some(held)) => format!("takes {}", name(held.object)),
            (1, None) => "takes one lock and gives it back".to_owned(),
            (_, Some(held)) => format!("takes {count} locks, {} the last", name(held.object)),
            (_, None) => format!("takes {count} locks"),
        };
        steps.push(ScheduleStep { thread: actor(*thread), does, at: held.and_then(|held| at(held.site)) });
    }
    for writer in prediction.writers.iter().filter_map(|writer| history.writers.get(*writer as usize)) {
        let does = format!("waits to write {}", name(writer.wanted.object));
        steps.push(ScheduleStep { thread: actor(writer.thread), does, at: at(writer.wanted.site) });
    }
    for (_, acquire) in parts() {
        let wanted = acquire.wanted;
        let does = match history.signals.is_signal(wanted.object) {
            true => format!("waits for a notification of {}", name(wanted.object)),
            false => format!("waits for {}", name(wanted.object)),
        };
        steps.push(ScheduleStep { thread: actor(acquire.thread), does, at: at(wanted.site) });
    }
    steps
}

fn turns(history: &History, prediction: &Prediction) -> Vec<Turn> {
    let own = || {
        let all = history.sections.values().flatten();
        all.filter_map(|(thread, sections)| {
            let until = prediction.witness.get(*thread as usize)?;
            let count = sections.times().partition_point(|time| time <= until);
            (count > 0).then_some((*thread, sections, count))
        })
    };
    let mut turns: Vec<Turn> = Vec::new();
    if own().map(|(_, _, count)| count).sum::<usize>() > MOST_SECTIONS {
        for (thread, _, count) in own() {
            match turns.iter_mut().find(|turn| turn.0 == thread) {
                Some(turn) => turn.1 += count,
                None => turns.push((thread, count)),
            }
        }
        turns.sort_unstable();
        return turns;
    }
    let mut order: Vec<(u32, u32)> = own()
        .flat_map(|(thread, sections, count)| (0..count).filter_map(move |at| Some((sections.get(at)?.order, thread))))
        .collect();
    order.sort_unstable();
    for (_, thread) in order {
        match turns.last_mut() {
            Some(turn) if turn.0 == thread => turn.1 += 1,
            _ => turns.push((thread, 1)),
        }
    }
    turns
}

//! The run-time half: a join that could not return.
//!
//! Guarantees: it happened: the joined thread waits, directly or through others, for something the joiner holds, or
//! threads join each other.
//!
//! Misses: joins that would have hung in another schedule.

use lockcheck_tracker::event::WaitKind;

use super::RULE;
use crate::finding::Finding;
use crate::rules::Facts;
use crate::rules::blocked::{self, Cause};
use crate::trace::Replay;
use crate::trace::recording::Deadlock;

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::Join);
    blocked::add(deadlocks.map(|deadlock| finding(replay, deadlock)), out);
}

fn finding(replay: &Replay, deadlock: &Deadlock) -> Finding {
    let core = blocked::core(replay, deadlock);
    let lock = |id| format!("`{}`", replay.names.object(&replay.recording, id));
    let joiners = || core.iter().filter(|member| blocked::joins(replay, member));
    // The lock that a joiner holds and another member wants says it best.
    let needed = joiners().find_map(|joiner| {
        let mut blocked_on_locks = core.iter().filter(|other| other.kind == WaitKind::Lock);
        blocked_on_locks.find(|other| blocked::holds(joiner, other.object)).map(|other| (joiner, other))
    });
    let (message, help) = match needed {
        Some((joiner, other)) => (
            format!(
                "{} waits for {} while it holds {}, which {} waits for",
                blocked::who(replay, joiner),
                blocked::awaited(replay, joiner),
                lock(other.object),
                blocked::who(replay, other)
            ),
            format!("drop the guard of {} before the join", lock(other.object)),
        ),
        None => {
            let waits: Vec<String> = joiners()
                .map(|member| {
                    format!("{} waits for {}", blocked::who(replay, member), blocked::awaited(replay, member))
                })
                .collect();
            let others: Vec<String> = core
                .iter()
                .filter(|member| !blocked::joins(replay, member))
                .map(|member| {
                    format!("{} waits for {}", blocked::who(replay, member), blocked::awaited(replay, member))
                })
                .collect();
            let all: Vec<String> = waits.into_iter().chain(others).collect();
            let help = "let one thread, which none of the others waits for, join them all".to_owned();
            (format!("joins that cannot return: {}", blocked::list(&all)), help)
        }
    };
    let mut objects: Vec<u32> = Vec::new();
    for member in core.iter().filter(|member| member.kind == WaitKind::Lock) {
        if !objects.contains(&member.object) {
            objects.push(member.object);
        }
    }
    blocked::observed(replay, RULE.id, deadlock, &objects, message, help)
}

//! `join_deadlock`: a join that can never return, as observed in a run.
//!
//! Guarantees: it happened: the joined thread waits, directly or through others, for something the joiner holds, or
//! threads join each other.
//!
//! Misses: joins that would have hung in another schedule.

use lockcheck_tracker::event::WaitKind;

use super::blocked::{self, Cause};
use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};
use crate::trace::Replay;
use crate::trace::recording::Deadlock;

/// The rule.
pub const RULE: Rule = Rule {
    id: "join_deadlock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "joining a thread that needs what the joining thread holds",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a `join` that cannot return: the joined thread needs a lock that the joining thread holds, or threads join each
other or themselves.

## Why is this bad?
The joining thread keeps its guards while it waits, and the thread it waits for needs them to end.

## Example
```rust
let ui = state.lock().unwrap();
worker.join().unwrap(); // the worker locks `state` before it ends
```

## Use instead
```rust
drop(ui);
worker.join().unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
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

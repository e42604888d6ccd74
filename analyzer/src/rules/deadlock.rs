//! `deadlock`: threads that blocked each other in the observed run.
//!
//! Guarantees: it happened. Deadlocks around a pool, a join or one lock taken twice have rules of their own.
//!
//! Misses: hangs in which a thread that the tracker does not know could still help.

use lockcheck_tracker::event::WaitKind;

use super::blocked::{self, Cause};
use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};
use crate::trace::Replay;
use crate::trace::recording::Deadlock;

/// The rule.
pub const RULE: Rule = Rule {
    id: "deadlock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "threads that blocked each other while the program ran",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports threads that waited for each other in the observed run, so that none of them could ever go on: through locks,
condition variables, channels, barriers, one-time initialisation or `park`.

## Why is this bad?
The program hangs. Under `lockcheck run` the thread that closes the circle panics instead, so that a test fails with
this report and does not run into its time limit.

## Example
```rust
// thread 1                              // thread 2
let a = accounts_a.lock().unwrap();      let b = accounts_b.lock().unwrap();
let b = accounts_b.lock().unwrap();      let a = accounts_a.lock().unwrap();
```

## Use instead
```rust
// both threads: the same order
let a = accounts_a.lock().unwrap();
let b = accounts_b.lock().unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::Other);
    blocked::add(deadlocks.map(|deadlock| finding(replay, deadlock)), out);
}

fn finding(replay: &Replay, deadlock: &Deadlock) -> Finding {
    let cycle = blocked::cycle(replay, deadlock);
    let is_cycle = cycle.is_some();
    let core = || blocked::core(replay, deadlock).into_iter().cloned().collect();
    let members: Vec<_> = cycle.unwrap_or_else(core);
    let waits = members.iter().map(|member| {
        let holder = deadlock.members.iter().find(|other| {
            member.kind == WaitKind::Lock && other.thread != member.thread && blocked::holds(other, member.object)
        });
        let held_by = holder.map(|holder| format!(" held by {}", blocked::who(replay, holder))).unwrap_or_default();
        format!("{} waits for {}{held_by}", blocked::who(replay, member), blocked::awaited(replay, member))
    });
    let message = format!("deadlock: {}", blocked::list(&waits.collect::<Vec<_>>()));
    let mut objects: Vec<u32> = Vec::new();
    for member in members.iter().filter(|member| !matches!(member.kind, WaitKind::Park | WaitKind::Unknown)) {
        if !objects.contains(&member.object) {
            objects.push(member.object);
        }
    }
    let help = help(replay, deadlock, &objects, is_cycle);
    blocked::observed(replay, RULE.id, deadlock, &objects, message, help)
}

fn help(replay: &Replay, deadlock: &Deadlock, objects: &[u32], is_cycle: bool) -> String {
    let name = |object: &u32| format!("`{}`", replay.names.object(&replay.recording, *object));
    let of_kind =
        |kind: WaitKind| deadlock.members.iter().find(|member| member.kind == kind).map(|member| member.object);
    if is_cycle {
        let mut order: Vec<u32> = objects.to_vec();
        order.sort_unstable();
        let order: Vec<String> = order.iter().map(name).collect();
        return format!("take the locks in one order everywhere, for example {}", order.join(" before "));
    }
    if let Some(barrier) = of_kind(WaitKind::Barrier) {
        return format!("make the size of barrier {} the number of threads that come to it", name(&barrier));
    }
    if let Some(condvar) = of_kind(WaitKind::Condvar) {
        return format!(
            "set the predicate under its mutex and notify {} from a thread that cannot block before",
            name(&condvar)
        );
    }
    if let Some(channel) = of_kind(WaitKind::Recv).or(of_kind(WaitKind::Send)) {
        return format!(
            "drop the last sender of {}, or send an end mark, before anybody waits for it to end",
            name(&channel)
        );
    }
    "let at least one of these threads give up what it holds before it waits".to_owned()
}

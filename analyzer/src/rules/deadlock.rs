//! `deadlock`: threads that blocked each other in the observed run.
//!
//! Guarantees: it happened. Deadlocks around a pool, a join, one lock taken twice, or nothing but a channel or a
//! condition variable have rules of their own.
//!
//! Misses: hangs in which a thread that the tracker does not know could still help.

use super::blocked::{self, Cause};
use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

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
    blocked::add(deadlocks.map(|deadlock| blocked::finding(replay, RULE.id, deadlock)), out);
}

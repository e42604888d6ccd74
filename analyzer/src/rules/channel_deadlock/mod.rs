//! `channel_deadlock`: a channel that cannot move on because both its ends are in one hand.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod runtime;
mod static_pass;

/// The rule.
pub const RULE: Rule = Rule {
    id: "channel_deadlock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a channel that cannot move on: a kept sender, or a send to oneself",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a loop over all messages of a channel (or a join of the thread that runs it) in a function that still owns a
sender of that channel, and a send into a full bounded channel whose only receiver is in the same function.

## Why is this bad?
The loop ends when the last sender is gone, and the last sender waits for the loop. A send without room waits for a
receive that comes after it.

## Example
```rust
let (sender, receiver) = mpsc::channel();
for part in parts {
    let sender = sender.clone();
    thread::spawn(move || sender.send(sum(part)));
}
let total: u64 = receiver.iter().sum(); // `sender` is still here
```

## Use instead
```rust
drop(sender);
let total: u64 = receiver.iter().sum();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

//! `condvar_wait_holding_lock`: a second lock stays held while a thread waits for a notification.
//!
//! Guarantees and misses: see the two halves.

mod runtime;
mod static_pass;

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

/// The rule.
pub const RULE: Rule = Rule {
    id: "condvar_wait_holding_lock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a second lock held while waiting on a condition variable",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a guard of another lock that is alive during `Condvar::wait`, which gives back only the one mutex that it is
given. It is an error where every notifier takes that other lock before it notifies, or where another schedule of a
recorded run ends with the waiter and its notifier waiting for each other.

## Why is this bad?
The waiter keeps the lock until it is notified; if the notifier needs it first, neither goes on.

## Example
```rust
let config = self.config.lock().unwrap();
let mut ready = self.ready.lock().unwrap();
while !*ready {
    ready = self.woken.wait(ready).unwrap(); // `config` stays locked
}
```

## Use instead
```rust
let mut ready = self.ready.lock().unwrap();
while !*ready {
    ready = self.woken.wait(ready).unwrap();
}
drop(ready);
let config = self.config.lock().unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

//! `join_deadlock`: a join that can never return.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod runtime;
mod static_pass;

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
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

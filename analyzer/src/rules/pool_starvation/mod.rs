//! `pool_starvation`: tasks that hold all slots of a bounded pool while they wait for the pool.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod leak;
mod runtime;
mod static_pass;

/// The rule.
pub const RULE: Rule = Rule {
    id: "pool_starvation",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "tasks that use up a bounded pool while they wait for it",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports tasks of a bounded pool that hold its slots and wait for the same pool: for a free slot to submit another task
to, or for the result of a task that has no slot. Names the smallest number of workers with which this cannot happen.

## Why is this bad?
Once such tasks hold every slot, none of them can end, and the pool never gives out a slot again.

## Example
```rust
let pool = ThreadPool::builder().name("dispatcher").workers(2).policy(Policy::Block).build();
for _ in 0..2 {
    pool.run_async_named("child", || {
        pool.run_async_named("grandchild", work); // both slots are taken by `child`
    });
}
```

## Use instead
Enough workers, an unbounded queue where nobody joins, or a pool of its own for the inner tasks:
```rust
let pool = ThreadPool::builder().name("dispatcher").workers(3).policy(Policy::Block).build();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

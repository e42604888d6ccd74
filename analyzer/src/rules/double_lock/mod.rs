//! `double_lock`: a lock taken again while its guard lives on the same thread.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod runtime;
mod static_pass;

pub(super) use static_pass::is_read_again_by_callee;

/// The rule.
pub const RULE: Rule = Rule {
    id: "double_lock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a lock taken again while its guard lives on the same thread",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a lock that is taken a second time while the first guard is still alive on the same thread: directly, through a
call, or as write while reading. Reading twice is a warning: it only hangs while a writer waits in between; of several
places in one file that read one lock so through one function, the first is a warning and names the others.

## Why is this bad?
`std` and `parking_lot` locks are not re-entrant: the thread waits for itself (or panics).

## Example
```rust
let mut total = self.total.lock().unwrap();
*total += self.count(); // locks `self.total` again
```

## Use instead
```rust
let count = self.count();
*self.total.lock().unwrap() += count;
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

//! `lost_wakeup`: a notification that may come before the wait, or never.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod runtime;
mod static_pass;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lost_wakeup",
    group: Group::Deadlock,
    level: Level::Warn,
    summary: "a notification that may come before the wait, or never",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports condition variables that nobody notifies, and notifications whose predicate is never set under the mutex that
the waiters hold while they look at it.

## Why is this bad?
A waiter looks at the predicate, finds it false, and is about to wait. If the predicate is set and notified just then,
without the mutex, the notification finds nobody, and the waiter waits for the next one, which may never come.

## Example
```rust
self.done.store(true, Ordering::SeqCst); // the waiter holds `lock`, looks at `done`, then waits
self.woken.notify_all();
```

## Use instead
```rust
let guard = self.lock.lock().unwrap();
self.done.store(true, Ordering::SeqCst);
drop(guard);
self.woken.notify_all();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

//! `lock_order_inversion`: locks taken in opposite orders.

use super::{Facts, Group, Rule};
use crate::finding::{Finding, Level};

mod runtime;
mod static_pass;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock_order_inversion",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "locks taken in opposite orders, so that two threads can wait for each other",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a cycle in the lock graph: one thread takes `A` and then `B`, another `B` and then `A` (or a longer ring). Cycles
that cannot happen are left out: a third lock that both hold, threads that are ordered by fork and join, locks that are
only read, objects that a function has just made. Two methods on `&mut self` of a type of which the program keeps an
object behind a lock are a note: with one object they never run at once. At run time, `predicted` means that a schedule of
the recorded run which deadlocks is known; `possible` means that only the order of the locks speaks for it.

## Why is this bad?
The program works until the two threads meet at the wrong moment, and then hangs.

## Example
```rust
fn transfer(from: &Mutex<Account>, to: &Mutex<Account>) {
    let mut from = from.lock().unwrap();
    let mut to = to.lock().unwrap(); // transfer(a, b) and transfer(b, a) at once
}
```

## Use instead
```rust
let (first, second) = if a.id < b.id { (a, b) } else { (b, a) };
let first = first.lock().unwrap();
let second = second.lock().unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    runtime::check(facts, out);
    static_pass::check(facts, out);
}

//! `suppression_without_reason`: a finding is silenced, and nothing says why. Found by [`crate::suppress`], after all
//! other rules.

use super::{Group, Rule};
use crate::finding::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "suppression_without_reason",
    group: Group::Meta,
    level: Level::Warn,
    summary: "a suppression that does not say why",
    docs: DOCS,
    check: |_, _| {},
};

const DOCS: &str = r#"## What it does
Reports a `lockcheck: allow(..)` or `expect(..)`, as a comment or attribute, without a reason. The suppression counts all the same.

## Why is this bad?
Whether two locks may be taken in this order is decided by code elsewhere, which changes. Without the reason nobody can
tell later whether it still holds.

## Example
```rust
// lockcheck: allow(double_lock)
self.index.lock().unwrap().merge(&other.index.lock().unwrap());
```

## Use instead
```rust
// lockcheck: allow(double_lock) -- `other` was made in this function and nobody else has it
self.index.lock().unwrap().merge(&other.index.lock().unwrap());
```
"#;

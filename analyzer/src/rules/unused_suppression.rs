//! `unused_suppression`: a suppression that silences nothing, names no rule, or expects what is not found. Found by
//! [`crate::suppress`], after all other rules.

use super::{Group, Rule};
use crate::finding::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "unused_suppression",
    group: Group::Meta,
    level: Level::Warn,
    summary: "a suppression without effect, or one that is not understood",
    docs: DOCS,
    check: |_, _| {},
};

const DOCS: &str = r#"## What it does
Reports a `lockcheck: allow(..)` that silences nothing, an `expect(..)` whose finding is not there, and a suppression that is
not understood: an unknown rule, a wrong form. Suppressions of what only a run can show are left alone.

## Why is this bad?
The finding it was written for is gone or has moved; left where it is, it will silence the next one. One that is not
understood silences nothing, although its author believes so.

## Example
```rust
// lockcheck: allow(double_lock) -- never at once
let total = self.total();
```

## Use instead
```rust
let total = self.total();
```
"#;

//! `reentrant_initialization`: a one-time initialiser that needs its own result.
//!
//! Guarantees: the cell is the same for sure: a static, or a field by an equal access path.
//!
//! Misses: initialisers behind trait objects and function pointers, two cells whose initialisers need each other from
//! two threads.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, LockInfo, ThreadPath};

/// The rule.
pub const RULE: Rule = Rule {
    id: "reentrant_initialization",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a one-time initialiser that reaches itself",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports an initialiser of a `Once`, `OnceLock`, `OnceCell`, `LazyLock` or `lazy_static!` that uses the very thing that it
initialises, itself or through calls.

## Why is this bad?
The inner use waits until the initialisation is over, which it is part of: the thread waits for itself (or panics).

## Example
```rust
static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::with_level(default_level()));

fn default_level() -> u8 {
    CONFIG.level // `CONFIG` is being initialised
}
```

## Use instead
```rust
const DEFAULT_LEVEL: u8 = 3;

static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::with_level(DEFAULT_LEVEL));
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.blocking.reentrant {
        let name = &found.name;
        // What a callee does in some cases only, it may never do while this is initialised.
        let surely = found.always || found.way.is_empty();
        let first = wording::at(&found.first, format!("the initialisation of `{name}` begins here"));
        let mut steps = vec![first.clone()];
        steps.extend(wording::calls(&found.way, &found.again));
        let again = wording::at(&found.again, format!("`{name}` is needed here, before it is there"));
        steps.push(again.clone());
        let primary = match found.way.first() {
            Some(call) => {
                let callee = found.way.get(1).unwrap_or(&found.again).function.as_deref().unwrap_or("a function");
                wording::at(call, format!("calls `{callee}`, which needs `{name}`"))
            }
            None => again,
        };
        let related = steps.iter().filter(|step| (step.line, step.column) != (primary.line, primary.column));
        let lock = LockInfo { name: name.clone(), kind: found.kind.clone(), file: String::new(), line: 0, column: 0 };
        out.push(Finding {
            rule: RULE.id,
            level: if found.test || !surely { Level::Note } else { Level::Deny },
            confidence: if surely { Confidence::High } else { Confidence::Low },
            evidence: Evidence::Static,
            message: format!("the initialiser of `{name}` uses `{name}`, and waits for itself"),
            help: format!("compute what is needed without `{name}`, or initialise that part in a cell of its own"),
            locks: vec![lock],
            fingerprint: Fingerprint::new(
                RULE.id,
                std::slice::from_ref(&found.key),
                &wording::functions([&found.again].into_iter()),
            ),
            related: related.cloned().collect(),
            primary,
            threads: vec![ThreadPath { name: format!("`{}`", found.function), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

//! `long_lived_temporary_guard`: a guard in the head of a `match`, `if let`, `while let` or `for` that lives to its end.
//!
//! Guarantees: reported where what the head gives cannot borrow from the guard, so that nobody needs it any more.
//! Where such a guard makes a `double_lock`, that finding says so.
//!
//! Misses: heads whose type is not known.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};

/// The rule.
pub const RULE: Rule = Rule {
    id: "long_lived_temporary_guard",
    group: Group::Suspicious,
    level: Level::Note,
    summary: "a guard in the head of a `match`, `if let`, `while let` or `for` that lives to its end",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a guard that is a temporary in the head of a `match`, `if let`, `while let` or `for`, and lives through all of its
body although the value that the head gives does not need it.

## Why is this bad?
Nothing shows that the lock is held: the guard has no name. Whatever the body calls runs under the lock, and if it takes
the lock again, the thread waits for itself.

## Example
```rust
while let Some(job) = self.jobs.lock().unwrap().pop() {
    job.run(); // `jobs` is locked meanwhile
}
```

## Use instead
```rust
loop {
    let job = self.jobs.lock().unwrap().pop();
    let Some(job) = job else { break };
    job.run();
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in regions.blocking.heads.iter().filter(|head| !head.needed) {
        let side = &found.held;
        let name = wording::name(side);
        let primary =
            wording::at(&found.head, format!("{name} {} here, up to line {}", wording::taken(side), found.last_line));
        let key = side.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
        out.push(Finding {
            rule: RULE.id,
            level: Level::Note,
            confidence: Confidence::High,
            evidence: Evidence::Static,
            message: format!("{name} stays {} through the whole `{}`", wording::taken(side), found.construct),
            help: format!(
                "bind the value by `let` before the `{}`: the guard ends with that statement",
                found.construct
            ),
            locks: vec![side.info(regions)],
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([&found.head].into_iter())),
            related: Vec::new(),
            threads: vec![ThreadPath { name: format!("`{}`", found.function), steps: vec![primary.clone()] }],
            primary,
            pool: None,
            schedule: Vec::new(),
        });
    }
}

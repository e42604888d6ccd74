//! `guard_dropped_immediately`: a lock that is given back by the statement that takes it.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level};

/// The rule.
pub const RULE: Rule = Rule {
    id: "guard_dropped_immediately",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "`let _ = m.lock()` gives the lock back at once",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports `let _ = lock` and `_ = lock`, where the guard is dropped by the very statement. rustc's `let_underscore_lock`
sees `std` guards only; this rule also sees `parking_lot`, async locks and guards that come from accessors. A function
that does more than to take the lock for its caller may be called for that: silent.

## Why is this bad?
`_` is no variable: nothing is held afterwards, although the code reads as if it were.

## Example
```rust
let _ = self.state.lock();
self.write_files();
```

## Use instead
```rust
let _guard = self.state.lock();
self.write_files();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.dropped {
        let held = &found.held;
        let name = wording::name(held);
        let key = held.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
        out.push(Finding {
            rule: RULE.id,
            level: if found.test { Level::Note } else { Level::Warn },
            confidence: Confidence::High,
            evidence: Evidence::Static,
            message: format!("{name} is {} and given back by the same statement", wording::taken(held)),
            help: "bind the guard to a name, as in `let _guard = ..`, to hold the lock to the end of the block"
                .to_string(),
            locks: vec![held.info(regions)],
            primary: wording::at(&held.site, "the guard is dropped here already"),
            related: Vec::new(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions(std::iter::once(&held.site))),
        });
    }
}

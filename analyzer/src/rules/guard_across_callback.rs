//! `guard_across_callback`: somebody else's code runs while a guard is alive.
//!
//! Guarantees: only calls of parameters and fields that are functions, closures or trait objects of them.
//!
//! Misses: methods of trait objects and of generic parameters.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};

/// The rule.
pub const RULE: Rule = Rule {
    id: "guard_across_callback",
    group: Group::Deadlock,
    level: Level::Note,
    summary: "a guard alive while a caller-supplied closure or callback runs",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a guard that is alive while the function calls a closure or function pointer that it was given or that lies in
a field.

## Why is this bad?
The callback may do anything: take the same lock again, or take others in another order. Whoever writes it does not see
that a lock is held.

## Example
```rust
for listener in self.listeners.lock().unwrap().iter() {
    listener(event); // a listener that adds a listener waits for itself
}
```

## Use instead
```rust
let listeners = self.listeners.lock().unwrap().clone();
for listener in &listeners {
    listener(event);
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.blocking.callbacks {
        let Some(holding) = found.held.iter().rev().max_by_key(|holding| holding.must) else { continue };
        let side = &holding.side;
        let name = wording::name(side);
        let primary = wording::at(&found.at, format!("`{}` runs here while {name} is held", found.name));
        let mut steps = wording::calls(&side.way, &side.site);
        steps.push(wording::at(&side.site, format!("{name} {} here", wording::taken(side))));
        let related = steps.clone();
        steps.push(primary.clone());
        let key = side.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
        out.push(Finding {
            rule: RULE.id,
            level: Level::Note,
            confidence: side.class.as_ref().map_or(Confidence::Medium, |class| class.identity),
            evidence: Evidence::Static,
            message: format!("`{}`, which somebody else wrote, is called while {name} is held", found.name),
            help: format!(
                "end the guard of line {} before line {}, or say in the documentation that the lock is held",
                side.site.line, found.at.line
            ),
            locks: vec![side.info(regions)],
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([&side.site, &found.at].into_iter())),
            primary,
            related,
            threads: vec![ThreadPath { name: format!("`{}`", found.function), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

//! `same_class_nesting`: two instances of one lock class held at once, without an order between them.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::graph::LockMode;
use crate::regions::Sameness;

/// The rule.
pub const RULE: Rule = Rule {
    id: "same_class_nesting",
    group: Group::Deadlock,
    level: Level::Note,
    summary: "two locks of one kind held at once, without an order between them",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a lock that is taken while another lock of the same field (of another instance, as far as can be told) is held.

## Why is this bad?
Nothing says which of the two comes first. Two threads that name the instances the other way round wait for each other,
and if both names mean one instance, the thread waits for itself.

## Example
```rust
fn move_all(&self, other: &Store) {
    let mut mine = self.items.lock().unwrap();
    mine.append(&mut other.items.lock().unwrap());
}
```

## Use instead
```rust
fn move_all(&self, other: &Store) {
    let mut moved = std::mem::take(&mut *other.items.lock().unwrap());
    self.items.lock().unwrap().append(&mut moved);
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for pair in regions.pairs.iter().filter(|pair| pair.same == Sameness::SameClass) {
        let (held, wanted) = (&pair.held, &pair.wanted);
        if held.reentrant || wanted.mode == LockMode::SharedRecursive {
            continue;
        }
        let name = wording::name(held);
        let mut steps = wording::calls(&held.way, &held.site);
        steps.push(wording::at(&held.site, format!("{name} {} here", wording::taken(held))));
        steps.extend(wording::calls(&wanted.way, &wanted.site));
        let primary =
            wording::at(&wanted.site, format!("{name} of perhaps another instance {} here", wording::taken(wanted)));
        let related = steps.clone();
        steps.push(primary.clone());
        let key = held.class.as_ref().map_or_else(String::new, |class| class.key.clone());
        out.push(Finding {
            rule: RULE.id,
            level: Level::Note,
            confidence: Confidence::Low,
            evidence: Evidence::Static,
            message: format!("{name} of two instances is held at once, in no order that the code shows"),
            help: "take both in a fixed order (by address or id), or end the first guard before".to_string(),
            locks: vec![held.info(regions)],
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([&held.site, &wanted.site].into_iter())),
            primary,
            related,
            threads: vec![ThreadPath { name: format!("`{}`", pair.function), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

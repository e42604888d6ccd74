//! `guard_across_await`: a guard of a thread-blocking lock that lives while its task is suspended.

use indexmap::IndexMap;

use super::{Facts, Group, Rule, wording};
use crate::finding::{Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::regions::HeldAtAwait;

/// The rule.
pub const RULE: Rule = Rule {
    id: "guard_across_await",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a guard of a thread-blocking lock alive at an `.await`",
    docs: DOCS,
    check,
};

/// Further awaits of one guard that are shown.
const MOST_AWAITS: usize = 8;

const DOCS: &str = r#"## What it does
Reports a guard of a `std`, `parking_lot` or `spin` lock that is alive at an `.await`: in a variable, or as a temporary
of the same statement, of a `match`, `if let` or `for` head. A guard that was dropped before the await is not reported.
Unlike clippy's `await_holding_lock` it also sees guards that come from accessors and locks known by alias only; what
an `allow` of that lint covers is a note.

## Why is this bad?
The task may be suspended with the lock held. Any other task that wants the lock then blocks a whole worker thread; when
the suspended task needs that very thread to go on, nothing moves any more.

## Example
```rust
async fn refresh(cache: &Mutex<Cache>) {
    let mut cache = cache.lock().unwrap();
    cache.value = fetch().await;
}
```

## Use instead
```rust
async fn refresh(cache: &Mutex<Cache>) {
    let value = fetch().await;
    cache.lock().unwrap().value = value;
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    // One finding per guard: ending it before the first await mends all of them.
    let mut guards: IndexMap<(&str, u32, u32, u32), Vec<&HeldAtAwait>> = IndexMap::new();
    for found in &regions.awaits {
        let site = &found.held.site;
        guards.entry((&site.file, site.line, site.column, site.end_column)).or_default().push(found);
    }
    for mut awaits in guards.into_values() {
        awaits.sort_by_key(|found| (!found.must, found.at.line, found.at.column));
        let Some((found, later)) = awaits.split_first() else { continue };
        let held = &found.held;
        let name = wording::name(held);
        let level = if found.test {
            Level::Note
        } else if found.must {
            Level::Deny
        } else {
            Level::Warn
        };
        let primary = wording::at(&found.at, format!("suspended here while {name} is held"));
        let mut steps = wording::calls(&held.way, &held.site);
        steps.push(wording::at(&held.site, format!("{name} {} here", wording::taken(held))));
        let mut related = steps.clone();
        let later = later.iter().take(MOST_AWAITS);
        related.extend(later.map(|found| wording::at(&found.at, "and here".to_string())));
        steps.push(primary.clone());
        let key = held.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
        out.push(Finding {
            rule: RULE.id,
            level,
            confidence: held.class.as_ref().map_or(crate::finding::Confidence::Medium, |class| class.identity),
            evidence: Evidence::Static,
            message: format!("the guard of {name} is alive at an await, and its lock blocks whole threads"),
            help: format!("end the guard before line {}, or use an async lock", found.at.line),
            locks: vec![held.info(regions)],
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([&held.site, &found.at].into_iter())),
            primary,
            related,
            threads: vec![ThreadPath { name: format!("`{}`", found.function), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

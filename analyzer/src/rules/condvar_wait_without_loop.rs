//! `condvar_wait_without_loop`: a wait whose predicate nobody looks at again.
//!
//! Guarantees: silent where the wait stands in any loop of its function, waits for a condition (`wait_while`), has a
//! time limit, or gives the guard back to a caller who passed it in.
//!
//! Misses: loops that look at something else than the predicate.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::regions::blocking::Op;

/// The rule.
pub const RULE: Rule = Rule {
    id: "condvar_wait_without_loop",
    group: Group::Deadlock,
    level: Level::Warn,
    summary: "a wait on a condition variable whose predicate is not looked at again",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports `Condvar::wait` that stands in no loop: after it returns, nobody looks whether what was waited for is true.

## Why is this bad?
A wait may return without a notification, and another thread may have used up what was notified. And if the
notification came before the wait, it never returns.

## Example
```rust
let mut ready = self.ready.lock().unwrap();
if !*ready {
    ready = self.woken.wait(ready).unwrap();
}
```

## Use instead
```rust
let ready = self.ready.lock().unwrap();
let ready = self.woken.wait_while(ready, |ready| !*ready).unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let waits = regions.blocking.waits.iter().filter(|wait| wait.op == Op::Notification && wait.way.is_empty());
    let mut done: Vec<&crate::finding::Location> = Vec::new();
    for wait in waits.filter(|wait| !wait.looped && !wait.passed) {
        if done.contains(&&wait.at) {
            continue;
        }
        done.push(&wait.at);
        let name = wait.object.as_ref().and_then(|object| object.name.clone());
        let condvar = name.map_or_else(|| "a condition variable".to_string(), |name| format!("`{name}`"));
        let primary = wording::at(&wait.at, "waits once, in no loop");
        let mut steps = Vec::new();
        if let Some(monitor) = &wait.monitor {
            let label = format!("{} {} here", wording::name(monitor), wording::taken(monitor));
            steps.push(wording::at(&monitor.site, label));
        }
        let related = steps.clone();
        steps.push(primary.clone());
        let key = wait.object.as_ref().and_then(|object| object.key.clone()).unwrap_or_default();
        out.push(Finding {
            rule: RULE.id,
            level: if wait.test { Level::Note } else { Level::Warn },
            confidence: Confidence::High,
            evidence: Evidence::Static,
            message: format!("the wait on {condvar} is not repeated until its predicate holds"),
            help: "use `wait_while` with the predicate, or a `while` loop around the wait".to_string(),
            locks: wait.monitor.iter().map(|monitor| monitor.info(regions)).collect(),
            fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([&wait.at].into_iter())),
            primary,
            related,
            threads: vec![ThreadPath { name: format!("`{}`", wait.function), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

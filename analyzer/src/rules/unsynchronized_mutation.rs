//! `unsynchronized_mutation`: an interior or a raw pointer that threads share, written without synchronisation.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, LockInfo};
use crate::regions::effects::interior::kind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "unsynchronized_mutation",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "an `UnsafeCell` or raw pointer that threads share, written without synchronisation",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a write through a raw pointer or an `UnsafeCell` in a closure that is spawned more than once or beside another
one that writes there, and one in a safe public function with `&self` of a type that is `Sync` by `unsafe impl` and has
a lock or an atomic, but uses neither there. Silent where a guard is held, where the function works with atomics, and
where the write goes to an element of its own (an offset or an index).

## Why is this bad?
Two threads that write to one place at once are a data race, which is undefined behaviour: the compiler may assume that
it never happens.

## Example
```rust
struct Shared(*mut u64);
unsafe impl Send for Shared {}

for _ in 0..4 {
    let total = Shared(pointer);
    thread::spawn(move || {
        let total = total;
        unsafe { *total.0 += 1 }
    });
}
```

## Use instead
```rust
let total = Arc::new(AtomicU64::new(0));
for _ in 0..4 {
    let total = total.clone();
    thread::spawn(move || total.fetch_add(1, Ordering::Relaxed));
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.unsynchronized {
        let (name, kind) = (&found.name, kind(found.via));
        let (message, because) = if found.spawned {
            (
                format!("`{name}` is written through a {kind} by several threads, without synchronisation"),
                "runs beside other threads from here on",
            )
        } else {
            (
                format!("`{name}` is written here without synchronisation, and its type is `Sync`"),
                "threads may share it",
            )
        };
        out.push(Finding {
            rule: RULE.id,
            level: if found.test { Level::Note } else { Level::Warn },
            confidence: Confidence::Medium,
            evidence: Evidence::Static,
            message,
            help: format!("hold a lock at the write, or make `{name}` an atomic"),
            locks: vec![LockInfo {
                name: name.clone(),
                kind: kind.to_string(),
                file: String::new(),
                line: 0,
                column: 0,
            }],
            primary: wording::at(&found.at, format!("`{name}` written here")),
            related: vec![wording::at(&found.because, because)],
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(
                RULE.id,
                std::slice::from_ref(&found.key),
                &wording::functions([&found.at].into_iter()),
            ),
        });
    }
}

//! `unsound_sync_claim`: `unsafe impl Sync` over an interior that safe functions change without synchronisation.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unsound_sync_claim",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "`unsafe impl Sync` or `Send` over an unsynchronised interior",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports an `unsafe impl Sync` for a type whose `Cell`, `RefCell` or `UnsafeCell` is changed by a safe public function
with `&self`, where nothing in the type synchronises: no lock, atomic or once cell in its fields, however deep, no guard
held at the write, no check of the thread. An `unsafe impl Send` for a type with an `Rc` is reported as a note. Silent
where all access needs `&mut self`, an `unsafe fn`, or a further parameter that proves who calls: a `&mut` of a type of the
sources, or a token that the function never looks at.

## Why is this bad?
The impl promises that threads may use the value at once. Two of them in that function are a data race, which is
undefined behaviour, and no caller did anything unsafe.

## Example
```rust
pub struct Counter {
    hits: Cell<u64>,
}

unsafe impl Sync for Counter {}

impl Counter {
    pub fn hit(&self) {
        self.hits.set(self.hits.get() + 1);
    }
}
```

## Use instead
```rust
pub struct Counter {
    hits: AtomicU64,
}

impl Counter {
    pub fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.claims {
        let (name, trait_, field, kind) = (&found.name, &found.trait_, &found.field, &found.kind);
        let (message, help) = match &found.write {
            Some(write) => (
                format!(
                    "`{name}` claims to be `{trait_}`, but `{}` changes its {kind} `{field}` without synchronisation",
                    write.function.as_deref().unwrap_or("a function")
                ),
                format!(
                    "put `{field}` into an atomic or a lock, or make the functions that change it take `&mut self`"
                ),
            ),
            None => (
                format!("`{name}` claims to be `{trait_}`, but the count of its `{kind}` `{field}` is no atomic"),
                format!("make `{field}` an `Arc`"),
            ),
        };
        let certain = found.write.is_some() && !found.test;
        out.push(Finding {
            rule: RULE.id,
            level: if certain { Level::Warn } else { Level::Note },
            confidence: Confidence::Medium,
            evidence: Evidence::Static,
            message,
            help,
            locks: Vec::new(),
            primary: wording::at(&found.at, format!("`{name}` is claimed to be `{trait_}` here")),
            related: found.write.iter().map(|at| wording::at(at, format!("`{field}` changed here"))).collect(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(RULE.id, std::slice::from_ref(&found.key), std::slice::from_ref(trait_)),
        });
    }
}

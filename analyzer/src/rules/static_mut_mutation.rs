//! `static_mut_mutation`: a `static mut` that is written without a lock.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, LockInfo};

/// The rule.
pub const RULE: Rule = Rule {
    id: "static_mut_mutation",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "a `static mut` written without a lock",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports an assignment to a `static mut`, or a `&mut` borrow of it, in a function that holds no lock there. Silent for
`#[thread_local]` statics, and where only a raw pointer is made (`&raw mut`, `addr_of_mut!`). A note only in test code, in
an `unsafe fn`, whose callers have to keep other threads away, and where the function decides by `compare_exchange`,
`swap` or a `Once` who writes. The first of several writes in one file is a warning and names the others, as does the
first call of a macro that declares and writes it.

## Why is this bad?
Every thread sees the same static. Two of them writing at once is a data race, which is undefined behaviour, and a
`&mut` to it is not exclusive, whatever its type says.

## Example
```rust
static mut COUNTER: u64 = 0;

fn next() -> u64 {
    unsafe {
        COUNTER += 1;
        COUNTER
    }
}
```

## Use instead
```rust
static COUNTER: AtomicU64 = AtomicU64::new(0);

fn next() -> u64 {
    COUNTER.fetch_add(1, Ordering::Relaxed) + 1
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.static_writes {
        let declared = regions.declaration(Some(found.declared));
        out.push(Finding {
            rule: RULE.id,
            level: if found.test || found.reserved { Level::Note } else { Level::Warn },
            confidence: Confidence::Medium,
            evidence: Evidence::Static,
            message: format!("`static mut {}` is written here without a lock", found.name),
            help: format!("make `{}` an atomic, or put it into a `Mutex`", found.name),
            locks: vec![LockInfo {
                name: found.name.clone(),
                kind: "static mut".to_string(),
                file: declared.file.clone(),
                line: declared.line,
                column: declared.column,
            }],
            primary: wording::at(&found.at, format!("`{}` written here", found.name)),
            related: vec![wording::at(&declared, "declared here, visible to every thread")],
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(
                RULE.id,
                std::slice::from_ref(&found.name),
                std::slice::from_ref(&found.function),
            ),
        });
    }
}

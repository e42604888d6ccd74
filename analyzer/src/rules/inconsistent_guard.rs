//! `inconsistent_guard`: a cell that a lock guards by custom, used without it.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, LockInfo};
use crate::regions::effects::Cell;

/// The rule.
pub const RULE: Rule = Rule {
    id: "inconsistent_guard",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "a shared cell that is usually used under a lock, here without it",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a use of a `static mut` or a tracked cell without the lock that is held at nearly all its other uses, and a
change of an atomic without the lock under which it is changed otherwise (a note). A lock guards a cell by custom where
it is held at three uses or more, and at four of five. Functions with `&mut self`, and those that are only called with
the lock held, are left alone.

## Why is this bad?
Nothing but the custom keeps the accesses apart. The one that leaves the lock out races with all others, or sees a
state that was never meant to be seen.

## Example
```rust
static LOCK: Mutex<()> = Mutex::new(());
static mut TABLE: [u32; 8] = [0; 8];

fn store(at: usize, value: u32) {
    let _guard = LOCK.lock().unwrap();
    unsafe { TABLE[at] = value }
}

fn load(at: usize) -> u32 {
    unsafe { TABLE[at] }
}
```

## Use instead
```rust
static TABLE: Mutex<[u32; 8]> = Mutex::new([0; 8]);

fn store(at: usize, value: u32) {
    TABLE.lock().unwrap()[at] = value;
}

fn load(at: usize) -> u32 {
    TABLE.lock().unwrap()[at]
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for each in &regions.unguarded {
        let found = &each.found;
        // A write to a `static mut` without any lock has a rule of its own.
        if found.cell == Cell::StaticMut && found.write && found.locks.is_empty() {
            continue;
        }
        let (name, lock) = (&found.name, &each.lock);
        let used = if found.write { "changed" } else { "read" };
        let Location { file, line, column, .. } = regions.declaration(found.declared);
        let kind = match found.cell {
            Cell::StaticMut => "static mut",
            Cell::Tracked => "Tracked",
            _ => "atomic",
        };
        out.push(Finding {
            rule: RULE.id,
            level: if found.cell == Cell::Atomic { Level::Note } else { Level::Warn },
            confidence: Confidence::Medium,
            evidence: Evidence::Static,
            message: format!(
                "`{name}` is {used} without `{lock}`, which is held at {} of its {} uses",
                each.held, each.all
            ),
            help: format!("take `{lock}` here too, or put `{name}` into the lock"),
            locks: vec![LockInfo { name: name.clone(), kind: kind.to_string(), file, line, column }],
            primary: wording::at(&found.at, format!("`{name}` {used} here without `{lock}`")),
            related: vec![wording::at(&each.example, format!("`{name}` changed here under `{lock}`"))],
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

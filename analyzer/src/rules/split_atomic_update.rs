//! `split_atomic_update`: a load and a store of one atomic where one read-modify-write is meant.

use super::{Facts, Group, Rule, stale};
use crate::finding::{Finding, Level};
use crate::regions::effects::stale::Dependence;

/// The rule.
pub const RULE: Rule = Rule {
    id: "split_atomic_update",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "a load and a store of one atomic where `fetch_*` or `compare_exchange` is meant",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a `store` into an atomic whose value, or whose happening at all, depends on an earlier `load` of the same atomic
in a function that can run on several threads at once. Silent where a read-modify-write (`fetch_*`, `swap`,
`compare_exchange`) of the atomic stands between, where a lock is held over both, and where the function has the atomic
to itself. A store that only happens under a condition on the load, with a value of its own, is a note.

## Why is this bad?
Each access is atomic, both together are not: what another thread stores in between is lost.

## Example
```rust
fn next_id(&self) -> u64 {
    let id = self.last.load(Ordering::SeqCst) + 1;
    self.last.store(id, Ordering::SeqCst);
    id
}
```

## Use instead
```rust
fn next_id(&self) -> u64 {
    self.last.fetch_add(1, Ordering::SeqCst) + 1
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for (found, concurrency) in regions.stale.iter().filter(|(found, _)| found.atomic) {
        // Through calls, after another read-modify-write, or where the atomic is a lock word, it may well be a protocol.
        let direct = found.read_in.is_none() && found.write_in.is_none();
        let level = match found.dependence {
            Dependence::Data if direct && !found.test && !found.protocol && !found.state_machine => Level::Warn,
            _ => Level::Note,
        };
        let (message, help) = match found.dependence {
            Dependence::Data => (
                format!("`{}` is loaded, changed and stored again in separate steps", found.name),
                format!(
                    "use `fetch_add`, `fetch_max`, `fetch_update` or another read-modify-write on `{}`",
                    found.name
                ),
            ),
            _ => (
                format!("a load of `{}` decides whether it is stored, in separate steps", found.name),
                format!("use `compare_exchange` or `swap` on `{}`, and decide by its result", found.name),
            ),
        };
        out.push(stale::finding(RULE.id, level, found, concurrency, regions, (message, help)));
    }
}

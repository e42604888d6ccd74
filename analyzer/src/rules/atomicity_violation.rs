//! `atomicity_violation`: a value read under a lock decides or computes a write under a later one of the same lock.

use super::{Facts, Group, Rule, stale};
use crate::finding::{Finding, Level};
use crate::regions::effects::reach::Concurrency;
use crate::regions::effects::stale::Dependence;

/// The rule.
pub const RULE: Rule = Rule {
    id: "atomicity_violation",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "a value read in one critical section decides or computes a write in a later one",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a read of what a lock guards whose value decides (check-then-act) or computes (read, change, write back) a write
of the same data in a later critical section of the same lock, also through functions such as `read_account` and
`write_account`. The function must be one that can run on several threads at once. Silent where one guard covers both,
where the second section looks at the data again before it writes, and where the value was taken out and not copied.
A value that is computed outside of the lock on purpose and put into a collection afterwards is a note only, as is an
element of a collection that a called function reads or writes. The first of several functions in one file that do so
with the same data is a warning and names the others.

## Why is this bad?
Each section is safe, the two together are not: between them another thread may change the data, and the write undoes
that change, or does what the check should have prevented.

## Example
```rust
fn withdraw(&self, amount: u64) -> bool {
    let balance = *self.balance.lock().unwrap();
    if balance < amount {
        return false;
    }
    *self.balance.lock().unwrap() = balance - amount;
    true
}
```

## Use instead
```rust
fn withdraw(&self, amount: u64) -> bool {
    let mut balance = self.balance.lock().unwrap();
    if *balance < amount {
        return false;
    }
    *balance -= amount;
    true
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for (found, concurrency) in regions.stale.iter().filter(|(found, _)| !found.atomic) {
        // Computed outside on purpose: the last one to fill a place wins.
        let direct = found.read_in.is_none() && found.write_in.is_none();
        let level = match found.dependence {
            _ if found.test || found.state_machine => Level::Note,
            // Whether a callee means the same element, its caller cannot tell.
            _ if (found.append || found.keyed) && !direct => Level::Note,
            Dependence::Data => Level::Warn,
            Dependence::Control if direct && !found.works_between && !found.update => Level::Warn,
            _ => Level::Note,
        };
        let verb = match found.dependence {
            Dependence::Data => "computes",
            Dependence::Control | Dependence::Early => "decides",
        };
        let message =
            format!("a value read from `{}` {verb} a later write to it, and nothing is held in between", found.name);
        let help = match concurrency {
            Concurrency::Spawned(_) | Concurrency::Callable if found.read_in.is_some() || found.write_in.is_some() => {
                format!("give one function the whole update, and hold the lock of `{}` throughout it", found.name)
            }
            _ => format!("hold one guard of `{}` from the read to the write, or look again before writing", found.name),
        };
        out.push(stale::finding(RULE.id, level, found, concurrency, regions, (message, help)));
    }
}

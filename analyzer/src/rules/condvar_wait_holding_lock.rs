//! `condvar_wait_holding_lock`: a second lock stays held while a thread waits for a notification.
//!
//! Guarantees: deny only where every notifier in the sources surely takes the lock before it notifies, in another
//! function or thread than the waiter.
//!
//! Misses: waits with a time limit.

use rustc_hash::FxHashSet;

use super::{Facts, Group, Rule, waiting, wording};
use crate::finding::{Finding, Level};
use crate::regions::blocking::Op;

/// The rule.
pub const RULE: Rule = Rule {
    id: "condvar_wait_holding_lock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a second lock held while waiting on a condition variable",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a guard of another lock that is alive during `Condvar::wait`, which gives back only the one mutex that it is
given. It is an error where every notifier takes that other lock before it notifies.

## Why is this bad?
The waiter keeps the lock until it is notified; if the notifier needs it first, neither goes on.

## Example
```rust
let config = self.config.lock().unwrap();
let mut ready = self.ready.lock().unwrap();
while !*ready {
    ready = self.woken.wait(ready).unwrap(); // `config` stays locked
}
```

## Use instead
```rust
let mut ready = self.ready.lock().unwrap();
while !*ready {
    ready = self.woken.wait(ready).unwrap();
}
drop(ready);
let config = self.config.lock().unwrap();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let mut seen = FxHashSet::default();
    for wait in regions.blocking.waits.iter().filter(|wait| wait.op == Op::Notification) {
        let needed = waiting::needed_by_all(&regions.blocking, wait);
        let holding = match &needed {
            Some(needed) => needed.holding,
            None => match wait.held.iter().rev().max_by_key(|holding| (holding.must, !holding.around)) {
                Some(holding) => holding,
                None => continue,
            },
        };
        if !seen.insert((holding.side.site.clone(), wait.at.clone())) {
            continue;
        }
        let side = &holding.side;
        let name = wording::name(side);
        let condvar = wait.object.as_ref().and_then(|object| object.name.as_deref()).unwrap_or("a condition variable");
        let (level, message) = match &needed {
            Some(_) => (
                Level::Deny,
                format!("{name} is held while waiting on `{condvar}`, and every notifier needs {name} first"),
            ),
            None => (Level::Warn, format!("{name} stays held while waiting on `{condvar}`")),
        };
        let level = if holding.around && needed.is_none() { Level::Note } else { level };
        let level = waiting::level(wait, holding, level);
        let help =
            format!("end the guard of line {} before the wait, and take the lock again after it", side.site.line);
        out.push(waiting::finding(regions, RULE.id, wait, holding, needed.as_ref(), level, (message, help)));
    }
}

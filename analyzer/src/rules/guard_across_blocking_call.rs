//! `guard_across_blocking_call`: a guard that lives while its thread waits for something other than a lock.
//!
//! Guarantees: deny only where everybody who could end the wait takes the lock first. Joins of threads that need the
//! lock are `join_deadlock`, waits on condition variables `condvar_wait_holding_lock`.
//!
//! Misses: what it is waited for behind calls that the model cannot resolve; input and output.

use rustc_hash::FxHashSet;

use super::{Facts, Group, Rule, waiting, wording};
use crate::finding::{Finding, Level};
use crate::regions::blocking::Op;

/// The rule.
pub const RULE: Rule = Rule {
    id: "guard_across_blocking_call",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a guard alive while its thread waits for a thread, message, process or time",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a guard that is alive while its thread joins another thread, receives a message, sends into a full bounded
channel, waits at a barrier, for a child process or a future, or sleeps. It is an error where everybody who could end
the wait takes the lock first. A receiver that itself lies in the lock (`rx.lock().unwrap().recv()`, shared by workers) is
a note, as is a future that a method of the guarded value made; a sleep or a child process in a function that is called
under the guard: both end by themselves; and the end of a thread that the waiting function started itself, where that
thread takes no such lock. Of several places in one function where the same lock is held over a wait, or in one
file over the same kind of wait, one is a warning; it names the others.

## Why is this bad?
All others that need the lock wait as long. If the thread that is waited for is one of them, nobody goes on.

## Example
```rust
let mut state = self.state.lock().unwrap();
let answer = self.answers.recv().unwrap(); // the sender locks `state` before it sends
state.apply(answer);
```

## Use instead
```rust
let answer = self.answers.recv().unwrap();
self.state.lock().unwrap().apply(answer);
```
"#;

/// What a message begins with: the lock.
pub(super) fn held_by(finding: &Finding) -> &str {
    finding.message.split(HELD).next().unwrap_or_default()
}

/// What every message goes on with.
const HELD: &str = " is held while its thread waits for ";

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let mut seen = FxHashSet::default();
    for wait in regions.blocking.waits.iter().filter(|wait| wait.op != Op::Notification) {
        if waiting::needed_by_joined(&regions.blocking, wait).is_some() {
            continue;
        }
        let needed = waiting::needed_by_all(&regions.blocking, wait);
        let holding = match &needed {
            Some(needed) => needed.holding,
            // A task that is suspended hinders nobody who does not need the lock.
            None if wait.suspends => continue,
            // The surest one, and of those the last.
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
        let what = waiting::what(wait.op);
        let (level, message) = match &needed {
            Some(_) => (Level::Deny, format!("{name}{HELD}{what}, and the other side needs {name} first")),
            None if holding.around => (Level::Note, format!("{name}{HELD}{what} on what {name} guards")),
            // It ends by itself, and whoever calls that far away may not even know of it.
            None if matches!(wait.op, Op::Sleep | Op::Process) && !wait.way.is_empty() => {
                (Level::Note, format!("{name}{HELD}{what}"))
            }
            None if waiting::is_own_work(&regions.blocking, wait) => (Level::Note, format!("{name}{HELD}{what}")),
            None => (Level::Warn, format!("{name}{HELD}{what}")),
        };
        let help = match wait.way.first() {
            Some(call) => format!("end the guard of line {} before the call in line {}", side.site.line, call.line),
            None => {
                format!("end the guard of line {} before line {}, by `drop` or a block", side.site.line, wait.at.line)
            }
        };
        let level = waiting::level(wait, holding, level);
        out.push(waiting::finding(regions, RULE.id, wait, holding, needed.as_ref(), level, (message, help)));
    }
}

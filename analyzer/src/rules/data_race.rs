//! `data_race`: two accesses to a tracked cell that nothing orders.
//!
//! Guarantees: the two accesses are unordered in the recorded run. Misses: see [`crate::trace::races`].

use super::{Facts, Group, Rule, blocked};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::trace::accesses::Access;
use crate::trace::{Race, Replay, names};

/// The rule.
pub const RULE: Rule = Rule {
    id: "data_race",
    group: Group::SharedState,
    level: Level::Deny,
    summary: "two unordered accesses to a tracked cell, one of them a write",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports two accesses of different threads to one `Tracked` cell, at least one of them a write, that neither a lock nor a
fork, join, message or notification puts in order.

## Why is this bad?
Which of the two comes first is left to chance. On plain memory (`UnsafeCell`, raw pointers) it is undefined behaviour.

## Example
```rust
static COUNTER: Tracked<i64> = Tracked::named("counter", 0);
thread::spawn(|| COUNTER.set(COUNTER.get() + 1));
thread::spawn(|| COUNTER.set(COUNTER.get() - 1));
```

## Use instead
```rust
let _guard = lock.lock().unwrap();
COUNTER.set(COUNTER.get() + 1);
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let mut cells: Vec<u32> = Vec::new();
    for race in &replay.races {
        // One finding per cell: its other races are the same missing lock.
        if !cells.contains(&race.cell) {
            cells.push(race.cell);
            out.push(finding(replay, race));
        }
    }
}

/// Further places shown with the finding.
const FURTHER: usize = 8;

fn finding(replay: &Replay, race: &Race) -> Finding {
    let recording = &replay.recording;
    let name = replay.names.object(recording, race.cell);
    let thread = |access: &Access| names::thread(recording, access.thread);
    let does = |access: &Access| if access.write { "writes" } else { "reads" };
    let common = race.first.held.iter().any(|lock| race.second.held.iter().any(|other| other.object == lock.object));
    let message = format!(
        "data race on `{name}`: {} {} it and {} {} it, and nothing orders the two",
        thread(&race.first),
        does(&race.first),
        thread(&race.second),
        does(&race.second)
    );
    let guard =
        race.first.held.iter().chain(&race.second.held).map(|held| replay.names.object(recording, held.object)).next();
    let help = match guard {
        Some(guard) if !common => format!("hold `{guard}` at both accesses of `{name}`"),
        _ => format!("hold one lock at both accesses of `{name}`, or put it into a `Mutex`"),
    };
    let primary = place(replay, &race.second, &name);
    let mut related = vec![place(replay, &race.first, &name)];
    for other in
        replay.races.iter().filter(|other| other.cell == race.cell).flat_map(|other| [&other.first, &other.second])
    {
        let further = place(replay, other, &name);
        if related.len() <= FURTHER && further != primary && !related.contains(&further) {
            related.push(further);
        }
    }
    Finding {
        rule: RULE.id,
        level: RULE.level,
        confidence: Confidence::High,
        evidence: Evidence::Observed,
        message,
        help,
        locks: vec![blocked::info(replay, race.cell)],
        primary,
        related,
        threads: [&race.first, &race.second].map(|access| path(replay, access, &name)).into(),
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &[replay.names.key(recording, race.cell)], &[]),
    }
}

/// The access as a place.
pub(super) fn place(replay: &Replay, access: &Access, name: &str) -> Location {
    let verb = if access.write { "writes" } else { "reads" };
    let without = if access.held.is_empty() { " without a lock" } else { "" };
    names::location(&replay.recording, access.site, format!("{verb} `{name}`{without}"))
}

/// The locks held and then the access.
pub(super) fn path(replay: &Replay, access: &Access, name: &str) -> ThreadPath {
    let mut steps: Vec<Location> = access.held.iter().map(|held| blocked::held_location(replay, held)).collect();
    steps.push(place(replay, access, name));
    ThreadPath { name: names::thread(&replay.recording, access.thread), steps }
}

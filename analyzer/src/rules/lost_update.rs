//! `lost_update`: a write that overwrites what another thread wrote since the value was read.
//!
//! Guarantees and misses: see [`crate::trace::lost_updates`].

use super::{Facts, Group, Rule, blocked, data_race};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ScheduleStep, ThreadPath};
use crate::trace::accesses::Access;
use crate::trace::{LostUpdate, Names, Recording, Replay, names};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lost_update",
    group: Group::SharedState,
    level: Level::Deny,
    summary: "another thread wrote between a read and the write that relies on it",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a thread that reads a tracked cell and later writes it, while another thread wrote it in between (`observed`,
deny), or could have in another schedule of the same run (`predicted`, warn). Locks that are given back between the
read and the write do not help.

## Why is this bad?
The write is computed from an old value, so the other thread's update is gone: two deposits, one of which never shows.

## Example
```rust
let balance = account.get();      // another thread deposits here
account.set(balance + amount);
```

## Use instead
```rust
let _guard = bank.lock().unwrap(); // held from the read to the write
let balance = account.get();
account.set(balance + amount);
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let mut cells: Vec<u32> = Vec::new();
    for lost in replay
        .lost_updates
        .iter()
        .filter(|lost| lost.observed)
        .chain(replay.lost_updates.iter().filter(|lost| !lost.observed))
    {
        // One finding per cell, the surest one.
        if !cells.contains(&lost.cell) {
            cells.push(lost.cell);
            out.push(finding(replay, lost));
        }
    }
}

fn finding(replay: &Replay, lost: &LostUpdate) -> Finding {
    let recording = &replay.recording;
    let name = replay.names.object(recording, lost.cell);
    let (own, other) = (names::thread(recording, lost.read.thread), names::thread(recording, lost.between.thread));
    let (level, evidence, message) = match lost.observed {
        true => (
            Level::Deny,
            Evidence::Observed,
            format!("lost update of `{name}`: {own} wrote over what {other} had written since {own} read it"),
        ),
        false => (
            Level::Warn,
            Evidence::Predicted,
            format!("possible lost update of `{name}`: {other} can write it between the read and the write of {own}"),
        ),
    };
    let guard =
        lost.read.held.iter().chain(&lost.write.held).map(|held| replay.names.object(recording, held.object)).next();
    let help = match guard {
        Some(guard) => format!("keep `{guard}` locked from the read of `{name}` to its write"),
        None => format!("hold one lock from the read of `{name}` to its write, or use one atomic operation"),
    };
    let mut own_path = data_race::path(replay, &lost.read, &name);
    own_path.steps.extend(data_race::path(replay, &lost.write, &name).steps);
    let threads: Vec<ThreadPath> = vec![own_path, data_race::path(replay, &lost.between, &name)];
    let step = |access: &Access| {
        let place = data_race::place(replay, access, &name);
        let does = format!("{} `{name}`", if access.write { "writes" } else { "reads" });
        let at = (place.line > 0).then(|| Location { label: String::new(), ..place });
        ScheduleStep { thread: names::thread(recording, access.thread), does, at }
    };
    let schedule = match lost.observed {
        true => Vec::new(),
        false => [&lost.read, &lost.between, &lost.write].map(step).into(),
    };
    Finding {
        rule: RULE.id,
        level,
        confidence: if lost.observed { Confidence::High } else { Confidence::Medium },
        evidence,
        message,
        help,
        locks: vec![blocked::info(replay, lost.cell)],
        primary: data_race::place(replay, &lost.write, &name),
        related: vec![data_race::place(replay, &lost.read, &name), data_race::place(replay, &lost.between, &name)],
        threads,
        pool: None,
        schedule,
        fingerprint: fingerprint(&replay.names, recording, lost.cell),
    }
}

/// The fingerprint of lost updates of a cell.
pub fn fingerprint(names: &Names, recording: &Recording, cell: u32) -> Fingerprint {
    Fingerprint::new(RULE.id, &[names.key(recording, cell)], &[])
}

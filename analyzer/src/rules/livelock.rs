//! `livelock`: threads that give way to each other with `try_lock`, and none gets both locks.
//!
//! Guarantees and misses: see [`crate::trace::livelocks`], where the number of rounds stands.

use super::{Facts, Group, Rule, blocked};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::trace::livelocks::Livelock;
use crate::trace::{Replay, names};

/// The rule.
pub const RULE: Rule = Rule {
    id: "livelock",
    group: Group::Liveness,
    level: Level::Warn,
    summary: "threads that give way to each other with `try_lock`, so that none gets its second lock",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports threads that each hold a lock, fail to take the one that the next thread holds with `try_lock`, give their own back
and begin again: at least 100 rounds in a row, over at least 100 ms, in which all of them failed because of each other and
none ever held both of its locks.

## Why is this bad?
Nobody is blocked, so nothing hangs and no deadlock is found, yet nobody gets anywhere: all threads are busy with being
polite. It ends, if at all, when they fall out of step by chance.

## Example
```rust
loop {
    let spoon = spoon.lock().unwrap();
    if let Ok(fork) = fork.try_lock() {
        break eat(spoon, fork);
    }
    drop(spoon);                         // another thread does the same with `fork` and `spoon`
    thread::sleep(PAUSE);                // and pauses for as long
}
```

## Use instead
```rust
let spoon = spoon.lock().unwrap();       // in one order everywhere, so that nobody has to give way
let fork = fork.lock().unwrap();
eat(spoon, fork);
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    blocked::add(replay.livelocks.iter().map(|livelock| finding(replay, livelock)), out);
}

fn finding(replay: &Replay, livelock: &Livelock) -> Finding {
    let recording = &replay.recording;
    let name = |object: u32| format!("`{}`", replay.names.object(recording, object));
    let mut threads: Vec<ThreadPath> = Vec::new();
    let mut objects: Vec<u32> = Vec::new();
    for attempt in &livelock.members {
        let (own, wanted) = (name(attempt.own.object), name(attempt.wanted.object));
        let tries = format!("tries {wanted}, fails, and gives {own} back");
        let steps = vec![
            names::location(recording, attempt.own.site, format!("locks {own}")),
            names::location(recording, attempt.wanted.site, tries),
        ];
        threads.push(ThreadPath { name: names::thread(recording, attempt.thread), steps });
        if !objects.contains(&attempt.own.object) {
            objects.push(attempt.own.object);
        }
    }
    let who: Vec<String> = threads.iter().map(|thread| thread.name.clone()).collect();
    let message = format!(
        "{} gave way to each other {} times in a row: each failed to take the lock that another held, and none got both",
        blocked::list(&who),
        livelock.rounds
    );
    let mut order = objects.clone();
    order.sort_unstable();
    let order: Vec<String> = order.into_iter().map(name).collect();
    let help = format!(
        "take the locks in one order everywhere, for example {}, or pause for a random time before the next attempt",
        order.join(" before ")
    );
    let mut places: Vec<Location> = Vec::new();
    for step in threads.iter().flat_map(|thread| thread.steps.iter().rev()) {
        if !places.contains(step) {
            places.push(step.clone());
        }
    }
    let primary = if places.is_empty() { Location::default() } else { places.remove(0) };
    let mut keys: Vec<String> = objects.iter().map(|object| replay.names.key(recording, *object)).collect();
    keys.sort();
    Finding {
        rule: RULE.id,
        level: RULE.level,
        confidence: Confidence::High,
        evidence: Evidence::Observed,
        message,
        help,
        locks: objects.iter().map(|object| blocked::info(replay, *object)).collect(),
        primary,
        related: places,
        threads,
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &keys, &[]),
    }
}

//! `starvation`: a thread waits for a lock and others take it before it, again and again.
//!
//! Guarantees: the waiting thread was woken for the lock at least 100 times in one wait, over at least 200 ms, and each
//! time another one had it already; or it did nothing but try to take the lock, for at least 100 ms, and at least 100 different
//! acquisitions by others kept it out ([`crate::trace::overtakers`]). Long waits alone are no starvation: a lock that is held for
//! long, or a long queue, overtakes nobody.
//!
//! Misses: locks other than the standard library's: parking_lot hands over fairly after a while and tokio always, and the
//! tracked ones do not behave likewise; waits for anything but locks.

use super::{Facts, Group, Rule, blocked};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::trace::overtakers::Waiter;
use crate::trace::{Replay, names};

/// The rule.
pub const RULE: Rule = Rule {
    id: "starvation",
    group: Group::Liveness,
    level: Level::Warn,
    summary: "a thread that waits for a lock while others take it again and again before it",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a thread that was woken for a `std::sync` lock at least 100 times in one wait, over at least 200 ms, and found each
time that another thread had taken it already; and a thread that did nothing but poll such a lock with `try_lock` while it
was given back and taken by others at least 100 times, over at least 100 ms.

## Why is this bad?
The lock is given back often, and one thread never gets it: it stands still while the program looks busy. The locks of
the standard library are not fair, so a loop that takes its lock again right after giving it back wins nearly always.

## Example
```rust
while let Some(job) = next() {
    let mut state = state.lock().unwrap();
    work(&mut state, job);          // the guard lives to the end of the body, and the loop begins again at once
}
```

## Use instead
```rust
while let Some(job) = next() {
    let result = work_on(job);      // without the lock
    state.lock().unwrap().add(result);
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let unfair =
        |waiter: &&Waiter| replay.names.info(&replay.recording, waiter.wanted.object).kind.starts_with("std::");
    blocked::add(replay.starved.iter().filter(unfair).map(|waiter| finding(replay, waiter)), out);
}

/// Overtaking threads that are shown.
const SHOWN: usize = 3;

fn finding(replay: &Replay, waiter: &Waiter) -> Finding {
    let recording = &replay.recording;
    let name = format!("`{}`", replay.names.object(recording, waiter.wanted.object));
    let who = names::thread(recording, waiter.thread);
    let how = match waiter.milliseconds {
        Some(time) => format!("waits for {name} and was overtaken at least {} times in {time} ms", waiter.times),
        None => format!("does nothing but try to take {name}, and {} acquisitions by others kept it out", waiter.times),
    };
    let shown = &waiter.by[..waiter.by.len().min(SHOWN)];
    let others: Vec<String> = shown.iter().map(|other| names::thread(recording, other.thread)).collect();
    let others = match (others.is_empty(), waiter.by.len() - shown.len()) {
        (true, _) => "others".to_owned(),
        (false, 0) => blocked::list(&others),
        (false, more) => format!("{} and {more} more", others.join(", ")),
    };
    let message = format!("{who} {how}: {others} took it again and again");
    let primary = names::wait_location(recording, waiter.thread, waiter.wanted.site, format!("waits for {name}"));
    let mut threads = vec![ThreadPath { name: who, steps: vec![primary.clone()] }];
    let mut related = Vec::new();
    for other in shown {
        let label = format!("takes {name} {} times during the wait", other.times);
        let place = names::location(recording, other.taken.site, label);
        related.push(place.clone());
        threads.push(ThreadPath { name: names::thread(recording, other.thread), steps: vec![place] });
    }
    Finding {
        rule: RULE.id,
        level: RULE.level,
        confidence: Confidence::High,
        evidence: Evidence::Observed,
        message,
        help: format!(
            "hold {name} for shorter and work without it in between, or use a lock that is handed over fairly"
        ),
        locks: vec![blocked::info(replay, waiter.wanted.object)],
        primary,
        related,
        threads,
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &[replay.names.key(recording, waiter.wanted.object)], &[]),
    }
}

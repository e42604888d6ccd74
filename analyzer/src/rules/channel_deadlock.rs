//! `channel_deadlock`: a channel that cannot move on because both its ends are in one hand.
//!
//! Guarantees: the end that makes the trouble is a variable that was surely not moved, dropped or taken along by a
//! closure; a loop that can leave by itself is not reported.
//!
//! Misses: ends in fields and collections, two threads that each wait for the other's message.

use super::{Facts, Group, Rule, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::regions::blocking::{ChannelFact, ChannelMistake};

/// The rule.
pub const RULE: Rule = Rule {
    id: "channel_deadlock",
    group: Group::Deadlock,
    level: Level::Deny,
    summary: "a channel that cannot move on: a kept sender, or a send to oneself",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a loop over all messages of a channel (or a join of the thread that runs it) in a function that still owns a
sender of that channel, and a send into a full bounded channel whose only receiver is in the same function.

## Why is this bad?
The loop ends when the last sender is gone, and the last sender waits for the loop. A send without room waits for a
receive that comes after it.

## Example
```rust
let (sender, receiver) = mpsc::channel();
for part in parts {
    let sender = sender.clone();
    thread::spawn(move || sender.send(sum(part)));
}
let total: u64 = receiver.iter().sum(); // `sender` is still here
```

## Use instead
```rust
drop(sender);
let total: u64 = receiver.iter().sum();
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    out.extend(regions.blocking.channels.iter().map(finding));
}

fn finding(fact: &ChannelFact) -> Finding {
    let kept = &fact.kept;
    let (message, help, label) = match fact.mistake {
        ChannelMistake::KeepsSender => (
            format!("this waits until all senders are gone, and `{kept}` is one that this function keeps"),
            format!("drop `{kept}` before, or move it into the thread that sends"),
            format!("never ends while `{kept}` lives"),
        ),
        ChannelMistake::SendsToItself => {
            let room = match fact.bound {
                Some(0) => "a channel without room".to_string(),
                Some(bound) => format!("a channel with room for {bound}"),
                None => "a bounded channel".to_string(),
            };
            (
                format!(
                    "this send into {room} waits for a receive, and `{kept}`, the receiver, is still in this function"
                ),
                format!("give `{kept}` to another thread before, or give the channel more room"),
                "waits for a receive that comes later".to_string(),
            )
        }
    };
    let made = wording::at(&fact.made, "the channel is made here");
    let primary = wording::at(&fact.at, label);
    Finding {
        rule: RULE.id,
        level: if fact.test { Level::Note } else { Level::Deny },
        confidence: Confidence::High,
        evidence: Evidence::Static,
        message,
        help,
        locks: Vec::new(),
        fingerprint: Fingerprint::new(
            RULE.id,
            std::slice::from_ref(&fact.key),
            &wording::functions([&fact.at].into_iter()),
        ),
        related: vec![made.clone()],
        threads: vec![ThreadPath { name: format!("`{}`", fact.function), steps: vec![made, primary.clone()] }],
        primary,
        pool: None,
    }
}

//! The static half: a channel that cannot move on because both its ends are in one hand.
//!
//! Guarantees: the end that makes the trouble is a variable that was surely not moved, dropped or taken along by a
//! closure; a loop that can leave by itself is not reported.
//!
//! Misses: ends in fields and collections, two threads that each wait for the other's message.

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ThreadPath};
use crate::regions::blocking::{ChannelFact, ChannelMistake};
use crate::rules::{Facts, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
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
        schedule: Vec::new(),
    }
}

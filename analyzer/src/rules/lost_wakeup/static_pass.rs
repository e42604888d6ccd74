//! The static half: a notification that may come before the wait, or never.
//!
//! Guarantees: reported where nobody in the sources notifies the condition variable at all, or where no notifier ever
//! takes the waiters' mutex before and nobody but the waiters takes it: then the predicate is not set under it.
//!
//! Misses: predicates that are set under the mutex by some and without it by others.

use rustc_hash::FxHashSet;

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::regions::blocking::{Op, Signal, SignalKind, Wait};
use crate::rules::{Facts, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    let blocking = &regions.blocking;
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    let direct = blocking.waits.iter().filter(|wait| wait.op == Op::Notification && wait.way.is_empty());
    for wait in direct.filter(|wait| !wait.test) {
        let Some(object) = &wait.object else { continue };
        let Some((key, monitor)) = object.key.as_deref().zip(wait.monitor.as_ref()) else { continue };
        if !seen.insert(key) {
            continue;
        }
        let notifies: Vec<&Signal> = blocking.others(wait);
        // A notification of something that could not be named, that nobody waits on, or that a field of the same name
        // in another type of the file holds, may be this one's by another name.
        let unknown = blocking.signals.iter().filter(|signal| signal.kind == SignalKind::Notify).any(|signal| {
            let awaited = |wait: &Wait| {
                wait.op == Op::Notification
                    && wait.object.as_ref().is_some_and(|object| blocking.together(object, &signal.object))
            };
            signal.object.key.is_none()
                || signal.at.file == wait.at.file
                    && !blocking.together(object, &signal.object)
                    && field(signal.object.name.as_deref())
                        .is_some_and(|named| Some(named) == field(object.name.as_deref()))
                || !blocking.waits.iter().any(awaited)
        });
        if notifies.is_empty() {
            if !unknown {
                let message = format!("nobody notifies `{}`: this wait never returns", name(wait));
                let help = format!("call `notify_one` or `notify_all` of `{}` where its predicate is set", name(wait));
                out.push(finding(regions, wait, &wait.at, "waits here".to_string(), (message, help), Vec::new()));
            }
            continue;
        }
        let Some(mutex) = monitor.class.as_ref().map(|class| class.key.as_str()) else { continue };
        let with = |signal: &Signal| {
            signal.taken.iter().any(|taken| taken.class.as_ref().is_some_and(|class| class.key == mutex))
        };
        let waiters: FxHashSet<u32> = blocking
            .waits
            .iter()
            .filter(|other| other.object.as_ref().is_some_and(|object| object.key.as_deref() == Some(key)))
            .map(|other| other.body)
            .collect();
        let taken_elsewhere = blocking.takers.iter().any(|(body, key)| key == mutex && !waiters.contains(body));
        let in_tasks =
            blocking.spawned.iter().flat_map(|task| &task.takes).any(|taken| {
                taken.class.as_ref().is_some_and(|class| class.key == mutex) && taken.site != monitor.site
            });
        if notifies.iter().any(|signal| with(signal)) || taken_elsewhere || in_tasks || unknown {
            continue;
        }
        let first = notifies[0];
        let mutex = wording::name(monitor);
        let message = format!(
            "`{}` is notified without {mutex}: the notification can come between a waiter's look at the predicate and its wait",
            name(wait)
        );
        let help = format!("set the predicate while {mutex} is locked, then notify");
        let looks = wording::at(&wait.at, format!("waits here, with {mutex}"));
        out.push(finding(regions, wait, &first.at, "notifies here".to_string(), (message, help), vec![looks]));
    }
}

/// What stands behind the type in `Type.field`: a reference to it that is kept elsewhere often has the same name.
fn field(name: Option<&str>) -> Option<&str> {
    let (ty, field) = name?.split_once('.')?;
    (ty.starts_with(char::is_uppercase) && field.starts_with(char::is_alphabetic)).then_some(field)
}

fn name(wait: &Wait) -> &str {
    wait.object.as_ref().and_then(|object| object.name.as_deref()).unwrap_or("the condition variable")
}

fn finding(
    regions: &crate::regions::Regions,
    wait: &Wait,
    at: &Location,
    label: String,
    (message, help): (String, String),
    related: Vec<Location>,
) -> Finding {
    let key = wait.object.as_ref().and_then(|object| object.key.clone()).unwrap_or_default();
    let primary = wording::at(at, label);
    let mut steps = related.clone();
    steps.push(primary.clone());
    Finding {
        rule: RULE.id,
        level: Level::Warn,
        confidence: Confidence::Medium,
        evidence: Evidence::Static,
        message,
        help,
        locks: wait.monitor.iter().map(|monitor| monitor.info(regions)).collect(),
        fingerprint: Fingerprint::new(RULE.id, &[key], &wording::functions([at].into_iter())),
        primary,
        related,
        threads: vec![ThreadPath { name: format!("`{}`", wait.function), steps }],
        pool: None,
        schedule: Vec::new(),
    }
}

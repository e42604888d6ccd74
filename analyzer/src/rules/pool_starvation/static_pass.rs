//! The static half: pools whose own tasks submit to them, or wait for their tasks, so often that all slots can be held
//! by tasks that wait.
//!
//! Guarantees: the smallest safe number of workers by the formula of [`crate::graph::pool`], for the worst of all
//! branches that the source shows.
//!
//! Misses: tasks that wait for others through channels; how many requests start such tasks at once.

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, PoolSize, ThreadPath};
use crate::regions::blocking::pools::PoolFacts;
use crate::rules::{Facts, wording};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    out.extend(regions.blocking.pools.iter().filter_map(finding));
}

fn finding(found: &PoolFacts) -> Option<Finding> {
    let first = found.needy.first()?;
    let pool = match found.name.as_str() {
        "" => "the pool".to_string(),
        name => format!("`{name}`"),
    };
    let who = match &first.name {
        Some(name) => format!("tasks like `{name}` hold"),
        None => "tasks hold".to_string(),
    };
    let of = if first.slot { "a slot for another task" } else { "the result of another task of the pool" };
    let size = match (found.workers, found.minimum) {
        (Some(workers), Some(minimum)) => format!("{workers} workers are too few, {minimum} are enough"),
        (None, Some(minimum)) => format!("fewer than {minimum} workers are too few"),
        (_, None) => "no fixed number of workers is enough".to_string(),
    };
    let message = format!("{who} slots of {pool} while they wait for {of}: {size}");
    let otherwise = match (found.joins, found.blocks) {
        (true, true) => {
            "run the inner tasks in a pool of their own, or let submissions queue and wait for no result inside"
        }
        (true, false) => {
            "wait for results outside of the pool's own tasks, or run the inner tasks in a pool of their own"
        }
        (false, _) => "let submissions queue, which is safe as long as no task waits for another",
    };
    let help = match found.minimum {
        Some(minimum) => format!("give {pool} at least {minimum} workers, or {otherwise}"),
        None => otherwise.to_string(),
    };
    let mut steps = Vec::new();
    if let Some(made) = &found.made {
        steps.push(wording::at(made, "the pool is made here"));
    }
    for needy in &found.needy {
        let task = needy.name.as_ref().map_or_else(|| "a task".to_string(), |name| format!("task `{name}`"));
        let slot = if needy.slot { "a slot for another one" } else { "another one's result" };
        steps.push(wording::at(&needy.submitted, format!("{task} is submitted here")));
        steps.push(wording::at(&needy.waits, format!("{task} waits here for {slot}, and keeps its own slot")));
    }
    let primary = wording::at(&first.waits, "waits for the pool while it holds one of its slots");
    let mut related: Vec<Location> = Vec::new();
    for step in &steps {
        let here = (step.line, step.column, &step.file) == (primary.line, primary.column, &primary.file);
        if !here && !related.contains(step) {
            related.push(step.clone());
        }
    }
    // As at run time: the pool and the name of the task that hangs.
    let mut parts = vec![found.key.clone()];
    parts.extend(first.name.iter().map(|name| format!("task `{name}`")));
    let sure = found.workers.is_some() || found.minimum.is_none();
    let level = if sure { Level::Deny } else { Level::Warn };
    Some(Finding {
        rule: RULE.id,
        level: if found.test { Level::Note } else { level },
        confidence: if found.workers.is_some() { Confidence::High } else { Confidence::Medium },
        evidence: Evidence::Static,
        message,
        help,
        locks: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &parts, &[]),
        primary,
        related,
        threads: vec![ThreadPath { name: format!("`{}`", found.function), steps }],
        pool: found.workers.map(|workers| PoolSize { workers, minimum_safe_workers: found.minimum }),
        schedule: Vec::new(),
    })
}

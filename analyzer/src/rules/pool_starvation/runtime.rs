//! The run-time half: tasks that held all slots of a bounded pool while they waited for the pool.
//!
//! Guarantees: observed: it happened. Predicted, as a warning: a pool that did not starve in this run but is smaller than
//! the run's tree of submissions needs, where only one thread outside submits to it. The minimum number of workers follows from the run's tree of submissions
//! ([`crate::trace::pools`], where its limits stand).
//!
//! Misses: starvation that needs another branch or more load; what else keeps tasks from running at once (locks, channels), so a
//! prediction is no error.

use std::collections::{BTreeMap, BTreeSet};

use lockcheck_tracker::event::{BlockedThread, PoolPolicy, WaitKind};

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, ScheduleStep};
use crate::rules::Facts;
use crate::rules::blocked::{self, Cause};
use crate::trace::pools::{Crowd, Need};
use crate::trace::recording::{Deadlock, Task};
use crate::trace::{Replay, names};

pub(super) fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(replay) = facts.replay else { return };
    let deadlocks =
        replay.recording.deadlocks.iter().filter(|deadlock| blocked::cause(replay, deadlock) == Cause::Pool);
    let observed: Vec<_> =
        deadlocks.clone().filter_map(|deadlock| pool(replay, &blocked::core(replay, deadlock))).collect();
    blocked::add(deadlocks.map(|deadlock| finding(replay, deadlock)), out);
    let others = replay.pools.iter().filter(|(pool, _)| !observed.contains(pool));
    out.extend(others.filter_map(|(pool, need)| predicted(replay, *pool, *need)));
    let leaking: BTreeSet<u32> = replay.recording.leaks.iter().map(|(pool, _)| *pool).collect();
    let leaking = leaking.into_iter().filter(|pool| !observed.contains(pool));
    out.extend(leaking.filter_map(|pool| Some(super::leak::of(replay, pool)?.alone())));
}

/// A pool that is too small for what was submitted to it.
fn predicted(replay: &Replay, pool: u32, need: Need) -> Option<Finding> {
    let recording = &replay.recording;
    let too_small = need.size.minimum_safe_workers.is_none_or(|minimum| minimum > need.size.workers);
    if need.partial || need.unknown || need.roots > 1 || !too_small || !replay.has_events() {
        return None;
    }
    let name = format!("`{}`", replay.names.object(recording, pool));
    let nested = |(_, task): &(&u32, &Task)| task.pool == pool && task.parent != 0;
    let (inner, task) = recording.tasks.iter().find(nested)?;
    let (inner, outer) = (names::task(recording, *inner), names::task(recording, task.parent));
    let label = format!("{outer} submits {inner} while it holds a slot of {name}");
    let primary = names::location(recording, task.site, label);
    let at = names::location(recording, task.site, String::new());
    let workers = need.size.workers;
    let enough = match need.size.minimum_safe_workers {
        Some(minimum) => match need.crowd {
            Some(crowd) => {
                let (count, of) = (crowd.count, names::task(recording, crowd.task));
                format!(
                    "{minimum} are needed for the {count} of {of} in this run, and no fixed number is enough for ever more"
                )
            }
            None => format!("{minimum} are needed"),
        },
        None => "no number is enough".to_owned(),
    };
    let otherwise = "run the inner tasks in a pool of their own";
    let help = match need.size.minimum_safe_workers {
        Some(minimum) => format!("{}, or {otherwise}", enough_workers(replay, &name, need, minimum)),
        None => otherwise.to_owned(),
    };
    Some(Finding {
        rule: RULE.id,
        level: Level::Warn,
        confidence: Confidence::Medium,
        evidence: Evidence::Predicted,
        message: format!("the {workers} slots of {name} can all be held by tasks that wait for it: {enough}"),
        help,
        locks: vec![blocked::info(replay, pool)],
        primary,
        related: Vec::new(),
        threads: Vec::new(),
        pool: Some(need.size),
        schedule: vec![
            ScheduleStep { thread: outer, does: format!("and its like take all {workers} slots of {name}"), at: None },
            ScheduleStep { thread: inner, does: "is submitted and waits for a slot".to_owned(), at: Some(at) },
        ],
        fingerprint: Fingerprint::new(RULE.id, &[replay.names.key(recording, pool)], &[]),
    })
}

fn finding(replay: &Replay, deadlock: &Deadlock) -> Finding {
    let core = blocked::core(replay, deadlock);
    let recording = &replay.recording;
    let pool = pool(replay, &core);
    let need = pool.and_then(|pool| replay.pools.get(&pool).copied());
    let size = need.map(|need| need.size);
    let name = pool.map_or("the pool".to_owned(), |pool| format!("`{}`", replay.names.object(recording, pool)));

    // What the holders of the slots wait for, counted by name: "2 x task `child` waits for a slot for ...".
    let mut holders: BTreeMap<(String, String), usize> = BTreeMap::new();
    for member in core.iter().filter(|member| member.task != 0) {
        let key = (names::task(recording, member.task), blocked::awaited(replay, member));
        *holders.entry(key).or_default() += 1;
    }
    let slots: usize = holders.values().sum();
    if let Some(leak) = pool.and_then(|pool| super::leak::of(replay, pool)) {
        return leak.observed(deadlock, &core);
    }
    let holders: Vec<String> = holders
        .iter()
        .map(|((task, awaited), count)| match count {
            1 => format!("{task} waits for {awaited}"),
            _ => format!("{count} of {task} wait for {awaited}"),
        })
        .collect();
    let workers = size.map_or(slots, |size| size.workers as usize);
    let held = if slots < workers { format!("{slots} of {workers} slots") } else { format!("all {workers} slots") };
    let message = match holders.is_empty() {
        true => format!("{name} has no slot left that could ever become free"),
        false => format!("{held} of {name} are held by tasks that cannot end: {}", blocked::list(&holders)),
    };
    let mut objects: Vec<u32> = pool.into_iter().collect();
    for member in core.iter().filter(|member| member.kind == WaitKind::Lock) {
        if !objects.contains(&member.object) {
            objects.push(member.object);
        }
    }
    let help = help(replay, &core, pool, &name, need);
    let finding = blocked::observed(replay, RULE.id, deadlock, &objects, message, help);
    Finding { pool: size.filter(|_| need.is_some_and(|need| !need.unknown)), ..finding }
}

/// How many workers are enough, and for how many tasks if ever more of them come.
fn enough_workers(replay: &Replay, name: &str, need: Need, minimum: u32) -> String {
    match need.crowd {
        Some(Crowd { task, each, .. }) => {
            let of = names::task(&replay.recording, task);
            let workers = if each == 1 { "N + 1".to_owned() } else { format!("N x {each} + 1") };
            format!("let in at most N of {of} at once and give {name} {workers} workers")
        }
        None => format!("give {name} at least {minimum} workers"),
    }
}

/// The pool whose slots are waited for, or whose tasks' results are.
fn pool(replay: &Replay, core: &[&BlockedThread<'_>]) -> Option<u32> {
    let of_task = |id: u32| replay.recording.tasks.get(&id).map(|task| task.pool);
    let slot = core.iter().find(|member| member.kind == WaitKind::Slot).map(|member| member.object);
    slot.or_else(|| core.iter().find(|member| member.kind == WaitKind::Task).and_then(|member| of_task(member.object)))
        .or_else(|| core.iter().find_map(|member| of_task(member.task)))
}

fn help(replay: &Replay, core: &[&BlockedThread<'_>], pool: Option<u32>, name: &str, need: Option<Need>) -> String {
    let lock = core.iter().find(|member| {
        let wants = |other: &&&BlockedThread<'_>| other.kind == WaitKind::Lock && blocked::holds(member, other.object);
        member.kind != WaitKind::Lock && core.iter().any(|other| wants(&other))
    });
    if let Some(held) = lock.and_then(|member| member.held.first()) {
        let lock = replay.names.object(&replay.recording, held.object);
        return format!("drop the guard of `{lock}` before waiting for {name}");
    }
    let joins = core.iter().any(|member| member.kind == WaitKind::Task);
    let blocks =
        pool.and_then(|pool| replay.recording.pools.get(&pool)).is_some_and(|pool| pool.policy == PoolPolicy::Block);
    let otherwise = match (joins, blocks) {
        (true, _) => "join outside of the pool's own tasks, or run the inner tasks in a pool of their own",
        (false, true) => "use the policy `queue`, which is safe as long as no task joins another",
        (false, false) => "run the inner tasks in a pool of their own",
    };
    match need.map(|need| (need, need.size.minimum_safe_workers)) {
        Some((Need { unknown: true, .. }, _)) => format!("{otherwise}; how many workers would be enough is not known"),
        Some((_, None)) => format!("no number of workers is enough: {otherwise}"),
        Some((need @ Need { size, partial, .. }, Some(minimum))) if minimum > size.workers => {
            let so_far = if partial { " for the part of the recursion that this run got to" } else { "" };
            format!("{}{so_far}, or {otherwise}", enough_workers(replay, name, need, minimum))
        }
        _ => otherwise.to_owned(),
    }
}

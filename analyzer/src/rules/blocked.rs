//! What the rules about observed deadlocks share: which rule a deadlock belongs to, and how its members are shown.
//!
//! Guarantees: each observed deadlock belongs to exactly one rule.

use lockcheck_tracker::event::{BlockedThread, Held, Mode, WaitKind};

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, LockInfo, ThreadPath};
use crate::trace::order_graph::verb;
use crate::trace::recording::Deadlock;
use crate::trace::{Replay, names};

/// The rule that an observed deadlock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// One thread that waits for a lock that it holds: `double_lock`.
    DoubleLock,
    /// Some member waits for a slot or a result of a pool: `pool_starvation`.
    Pool,
    /// Some member joins a thread: `join_deadlock`.
    Join,
    /// All wait for messages, or for room for one: `channel_deadlock`.
    Channel,
    /// All wait for notifications: `lost_wakeup`.
    Notification,
    /// Anything else: `deadlock`.
    Other,
}

pub(super) fn cause(replay: &Replay, deadlock: &Deadlock) -> Cause {
    let core = core(replay, deadlock);
    let any = |kind: WaitKind| core.iter().any(|member| member.kind == kind && !waits_for_all(replay, member));
    let all = |kinds: &[WaitKind]| !core.is_empty() && core.iter().all(|member| kinds.contains(&member.kind));
    match &core[..] {
        [member] if holds(member, member.object) && member.kind == WaitKind::Lock => Cause::DoubleLock,
        _ if any(WaitKind::Slot) || any(WaitKind::Task) => Cause::Pool,
        _ if core.iter().any(|member| joins(replay, member)) => Cause::Join,
        _ if all(&[WaitKind::Recv, WaitKind::Send]) => Cause::Channel,
        _ if all(&[WaitKind::Condvar]) => Cause::Notification,
        _ => Cause::Other,
    }
}

/// The members without those that merely wait for others and that nobody waits for: what has to be repaired.
pub(super) fn core<'a>(replay: &Replay, deadlock: &'a Deadlock) -> Vec<&'a BlockedThread<'static>> {
    let mut core: Vec<_> = deadlock.members.iter().collect();
    loop {
        let needed: Vec<_> = core.iter().copied().filter(|a| core.iter().any(|b| obstructs(replay, a, b))).collect();
        if needed.is_empty() || needed.len() == core.len() {
            return core;
        }
        core = needed;
    }
}

/// Whether `b` cannot go on before `a` does.
fn obstructs(replay: &Replay, a: &BlockedThread<'_>, b: &BlockedThread<'_>) -> bool {
    let pool_of = |task: u32| replay.recording.tasks.get(&task).map(|task| task.pool);
    let wants_to_write = a.kind == WaitKind::Lock && a.mode == Mode::Exclusive && a.object == b.object;
    match b.kind {
        WaitKind::Permits => holds(a, b.object),
        WaitKind::Lock => holds(a, b.object) || (wants_to_write && b.mode == Mode::Shared && a.thread != b.thread),
        WaitKind::Join => a.thread == b.object,
        WaitKind::Slot => pool_of(a.task) == Some(b.object),
        WaitKind::Task => a.task == b.object || (a.task != 0 && pool_of(a.task) == pool_of(b.object)),
        // Who could notify, send or arrive is not recorded: anybody could have, but who only waits for others to end is
        // not to blame.
        _ => a.thread != b.thread && !(a.kind == WaitKind::Join && a.held.is_empty()),
    }
}

pub(super) fn holds(member: &BlockedThread<'_>, lock: u32) -> bool {
    member.held.iter().any(|held| held.object == lock)
}

/// The members that each wait for a lock held by the next one, in a ring, where they do.
pub(super) fn cycle(replay: &Replay, deadlock: &Deadlock) -> Option<Vec<BlockedThread<'static>>> {
    let core = core(replay, deadlock);
    let mut path = vec![*core.first()?];
    loop {
        let last = path[path.len() - 1];
        if last.kind != WaitKind::Lock {
            return None;
        }
        let next = core.iter().find(|member| member.thread != last.thread && holds(member, last.object))?;
        match path.iter().position(|member| member.thread == next.thread) {
            Some(start) => return Some(path.split_off(start).into_iter().cloned().collect()),
            None => path.push(next),
        }
    }
}

/// How reports end that say what a reordering of the run reaches if it does not change what `lock` protects.
pub(super) fn doubt(replay: &Replay, lock: u32) -> String {
    let name = replay.names.object(&replay.recording, lock);
    format!("{}`{name}`", super::DOUBT)
}

/// The fingerprints of the observed deadlocks as predictions would have them: cycles of locks, and waits for a
/// notification with everything that the other members wait for.
pub(super) fn as_predictions(replay: &Replay) -> Vec<Fingerprint> {
    let key = |object: u32| replay.names.key(&replay.recording, object);
    let mut found = Vec::new();
    for deadlock in &replay.recording.deadlocks {
        if let Some(cycle) = cycle(replay, deadlock) {
            let keys: Vec<String> = cycle.iter().map(|member| key(member.object)).collect();
            found.push(super::predicted_fingerprint(false, &keys));
        }
        let waiters = deadlock.members.iter().filter(|member| member.kind == WaitKind::Condvar);
        for waiter in waiters {
            // Who waits for a lock that the waiter holds, who for one of theirs, and so on: the last one owes the
            // notification.
            let (mut keys, mut last) = (vec![key(waiter.object)], waiter);
            let next = |last: &BlockedThread<'_>| {
                deadlock.members.iter().find(|member| member.kind == WaitKind::Lock && holds(last, member.object))
            };
            while let Some(member) = next(last).filter(|_| keys.len() <= deadlock.members.len()) {
                keys.insert(0, key(member.object));
                found.push(super::predicted_fingerprint(true, &keys));
                last = member;
            }
        }
    }
    found
}

/// Whether a member waits for the end of a thread, or of all tasks of a pool.
pub(super) fn joins(replay: &Replay, member: &BlockedThread<'_>) -> bool {
    member.kind == WaitKind::Join || waits_for_all(replay, member)
}

/// Whether a member waits for the pool to have no task left: recorded as a wait for the pool, but submitting nothing.
fn waits_for_all(replay: &Replay, member: &BlockedThread<'_>) -> bool {
    member.kind == WaitKind::Slot && names::wanted_task(&replay.recording, member).is_none()
}

/// What a member waits for, as `` `accounts` `` or ``the end of thread 2 `worker` ``.
pub(super) fn awaited(replay: &Replay, member: &BlockedThread<'_>) -> String {
    replay.names.awaited(&replay.recording, member)
}

/// Adds findings, one per bug: the same threads often hang again after a deadlock was broken.
pub(super) fn add(found: impl Iterator<Item = Finding>, out: &mut Vec<Finding>) {
    for finding in found {
        if out.iter().all(|known| known.fingerprint != finding.fingerprint) {
            out.push(finding);
        }
    }
}

/// The member's way into the deadlock: its task, the locks it holds, and where it waits.
pub(super) fn path(replay: &Replay, member: &BlockedThread<'_>) -> ThreadPath {
    let recording = &replay.recording;
    let mut steps = Vec::new();
    if let Some(task) = recording.tasks.get(&member.task) {
        let pool = replay.names.object(recording, task.pool);
        let label = format!("{} was submitted here and holds a slot of `{pool}`", names::task(recording, member.task));
        steps.push(names::location(recording, task.site, label));
    }
    steps.extend(member.held.iter().map(|held| held_location(replay, held)));
    steps.push(waits_at(replay, member));
    ThreadPath { name: names::thread(recording, member.thread), steps }
}

pub(super) fn held_location(replay: &Replay, held: &Held) -> Location {
    let label = format!("{} `{}`", verb(held.mode), replay.names.object(&replay.recording, held.object));
    names::location(&replay.recording, held.site, label)
}

pub(super) fn waits_at(replay: &Replay, member: &BlockedThread<'_>) -> Location {
    names::wait_location(
        &replay.recording,
        member.thread,
        member.site,
        format!("waits for {}", awaited(replay, member)),
    )
}

/// Who a member is, with its task: ``thread 2 `worker` (task `child`)``.
pub(super) fn who(replay: &Replay, member: &BlockedThread<'_>) -> String {
    names::actor(&replay.recording, member.thread, member.task)
}

/// The finding for threads that wait for each other: who waits for what, and who holds it.
pub(super) fn finding(replay: &Replay, rule: &'static str, deadlock: &Deadlock) -> Finding {
    let ring = cycle(replay, deadlock);
    let is_cycle = ring.is_some();
    let whole = || core(replay, deadlock).into_iter().cloned().collect();
    let members: Vec<_> = ring.unwrap_or_else(whole);
    let waits = members.iter().map(|member| {
        let holder = deadlock.members.iter().find(|other| {
            member.kind == WaitKind::Lock && other.thread != member.thread && holds(other, member.object)
        });
        let why = match holder {
            Some(holder) => format!(" held by {}", who(replay, holder)),
            None if member.kind == WaitKind::Once && members.len() == 1 => ", which it runs itself".to_owned(),
            None => queued_before(deadlock, member)
                .map(|writer| format!(" behind {}, which waits to write", who(replay, writer)))
                .unwrap_or_default(),
        };
        format!("{} waits for {}{why}", who(replay, member), awaited(replay, member))
    });
    let waits = list(&waits.collect::<Vec<_>>());
    let message = match rule == super::deadlock::RULE.id {
        true => format!("deadlock: {waits}"),
        false => format!("{waits}, which nobody can give any more"),
    };
    let mut objects: Vec<u32> = Vec::new();
    for member in members.iter().filter(|member| !matches!(member.kind, WaitKind::Park | WaitKind::Unknown)) {
        if !objects.contains(&member.object) {
            objects.push(member.object);
        }
    }
    let help = help(replay, deadlock, &objects, is_cycle);
    observed(replay, rule, deadlock, &objects, message, help)
}

/// The writer that a reader waits behind: it stands in the queue before it.
fn queued_before<'a>(deadlock: &'a Deadlock, member: &BlockedThread<'_>) -> Option<&'a BlockedThread<'static>> {
    let reads = member.kind == WaitKind::Lock && member.mode == Mode::Shared;
    deadlock
        .members
        .iter()
        .filter(|_| reads)
        .find(|other| other.kind == WaitKind::Lock && other.object == member.object && other.mode == Mode::Exclusive)
}

fn help(replay: &Replay, deadlock: &Deadlock, objects: &[u32], is_cycle: bool) -> String {
    let name = |object: &u32| format!("`{}`", replay.names.object(&replay.recording, *object));
    let of_kind =
        |kind: WaitKind| deadlock.members.iter().find(|member| member.kind == kind).map(|member| member.object);
    if is_cycle {
        let mut order: Vec<u32> = objects.to_vec();
        order.sort_unstable();
        let order: Vec<String> = order.iter().map(name).collect();
        return format!("take the locks in one order everywhere, for example {}", order.join(" before "));
    }
    if let Some(cell) = of_kind(WaitKind::Once) {
        return format!("let the initialiser of {} do without {} itself", name(&cell), name(&cell));
    }
    let again = |member: &&BlockedThread<'_>| {
        member.mode == Mode::Shared && holds(member, member.object) && queued_before(deadlock, member).is_some()
    };
    if let Some(member) = deadlock.members.iter().find(again) {
        return format!(
            "pass the first guard of {} on instead of reading again: a reader waits behind a writer that waits",
            name(&member.object)
        );
    }
    if let Some(barrier) = of_kind(WaitKind::Barrier) {
        return format!("make the size of barrier {} the number of threads that come to it", name(&barrier));
    }
    if let Some(condvar) = of_kind(WaitKind::Condvar) {
        return format!(
            "set the predicate under its mutex and notify {} from a thread that cannot block before",
            name(&condvar)
        );
    }
    if let Some(channel) = of_kind(WaitKind::Recv).or(of_kind(WaitKind::Send)) {
        return format!(
            "drop the last sender of {}, or send an end mark, before anybody waits for it to end",
            name(&channel)
        );
    }
    "let at least one of these threads give up what it holds before it waits".to_owned()
}

/// The finding for an observed deadlock. `objects` are the locks and other things that take part, in order.
pub(super) fn observed(
    replay: &Replay,
    rule: &'static str,
    deadlock: &Deadlock,
    objects: &[u32],
    message: String,
    help: String,
) -> Finding {
    let core = core(replay, deadlock);
    let closer = core.iter().find(|member| member.thread == deadlock.closer);
    let primary = closer.or(core.first()).map(|member| waits_at(replay, member)).unwrap_or_default();
    let bystanders = deadlock.members.iter().filter(|member| core.iter().all(|other| other.thread != member.thread));
    let threads: Vec<ThreadPath> = core.iter().copied().chain(bystanders).map(|member| path(replay, member)).collect();
    let mut related: Vec<Location> = Vec::new();
    for step in threads[..core.len()].iter().flat_map(|thread| &thread.steps) {
        if *step != primary && !related.contains(step) {
            related.push(step.clone());
        }
    }
    let mut parts: Vec<String> = objects.iter().map(|object| replay.names.key(&replay.recording, *object)).collect();
    // Tasks of one name are one part of the bug, however many of them hang.
    let mut tasks: Vec<String> = core
        .iter()
        .filter(|member| member.task != 0)
        .map(|member| names::task(&replay.recording, member.task))
        .collect();
    tasks.sort();
    tasks.dedup();
    parts.extend(tasks);
    let (level, confidence, rest) = match deadlock.rests_on {
        None => (Level::Deny, Confidence::High, String::new()),
        // The main thread of a test program, which only waits for its tests.
        Some((_, false)) => (Level::Deny, Confidence::Medium, String::new()),
        Some((count, true)) => {
            let rest = format!("; {count} threads that are not tracked did nothing for seconds, but could still help");
            (Level::Warn, Confidence::Low, rest)
        }
    };
    let message = message + &rest;
    Finding {
        rule,
        level,
        confidence,
        evidence: Evidence::Observed,
        message,
        help,
        locks: objects.iter().map(|object| info(replay, *object)).collect(),
        primary,
        related,
        threads,
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(rule, &parts, &[]),
    }
}

pub(super) fn info(replay: &Replay, object: u32) -> LockInfo {
    replay.names.info(&replay.recording, object)
}

/// `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

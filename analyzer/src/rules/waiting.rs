//! What the static rules about waiting under a guard share: who needs the guard's lock, and how it is shown.
//!
//! Guarantees: the other side counts as known only where every thread that could end the wait was seen.

use super::wording;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::regions::blocking::link::needs;
use crate::regions::blocking::{Blocking, Holding, Op, Wait};
use crate::regions::{Regions, Side};

/// With more calls than these between the guard and the wait it is a design, not an oversight.
const LONGEST: usize = 2;

/// Why a wait under a guard does not end: the lock that the other side takes.
pub(super) struct Needed<'a> {
    /// The guard.
    pub holding: &'a Holding,
    /// The other side's acquisition.
    pub taken: &'a Side,
    /// Where the other side begins, or what it does afterwards.
    pub other: &'a Location,
}

/// The guard that a joined thread needs.
pub(super) fn needed_by_joined<'a>(blocking: &'a Blocking, wait: &'a Wait) -> Option<Needed<'a>> {
    for task in blocking.joined(wait) {
        // A mutex that was given back by a wait meanwhile may have been taken by the thread then.
        for holding in wait.held.iter().filter(|holding| !holding.waited) {
            let taken = task.takes.iter().find(|taken| {
                // Two fields of one type seen from one function are two locks unless their paths are equal.
                let apart = wait.joined != 0
                    && taken.place != holding.side.place
                    && taken.place.is_stable()
                    && holding.side.place.is_stable();
                needs(taken, &holding.side) && !apart
            });
            if let Some(taken) = taken {
                return Some(Needed { holding, taken, other: &task.at });
            }
        }
    }
    None
}

/// Whether all that is waited for are threads that the waiting function started itself, none of which takes a lock that
/// is held meanwhile: a piece of work that is done side by side, and ends like any other.
pub(super) fn is_own_work(blocking: &Blocking, wait: &Wait) -> bool {
    // The function that joins knows its threads by their number.
    let joining = match wait.way.is_empty() {
        true => Some(wait),
        false => blocking.waits.iter().find(|other| other.op == wait.op && other.way.is_empty() && other.at == wait.at),
    };
    let Some(joining) = joining.filter(|joining| joining.op == Op::Join) else { return false };
    // Handles in fields are of threads that were started earlier, for longer.
    let in_variable =
        joining.object.as_ref().and_then(|object| object.key.as_ref()).is_some_and(|key| key.contains('#'));
    if joining.joined == 0 && !in_variable {
        return false;
    }
    let threads = blocking.joined(joining);
    if threads.iter().any(|thread| thread.body != joining.body) {
        return false;
    }
    // A lock in a variable may be any one of its kind.
    let may_be = |taken: &Side, held: &Side| needs(taken, held) || taken.is_local() && taken.kind == held.kind;
    let takes = |side: &Side| threads.iter().any(|thread| thread.takes.iter().any(|taken| may_be(taken, side)));
    !threads.is_empty() && !wait.held.iter().any(|holding| takes(&holding.side))
}

/// The guard that everybody who could end the wait takes before.
pub(super) fn needed_by_all<'a>(blocking: &'a Blocking, wait: &'a Wait) -> Option<Needed<'a>> {
    let others = blocking.others(wait);
    let foreign = others.iter().filter(|other| (other.body, other.task) != (wait.body, wait.task)).count();
    if foreign == 0 || foreign < others.len() {
        return None;
    }
    wait.held.iter().find_map(|holding| {
        let taken: Option<Vec<&Side>> =
            others.iter().map(|other| other.taken.iter().find(|taken| needs(taken, &holding.side))).collect();
        let taken = *taken?.first()?;
        Some(Needed { holding, taken, other: &others[0].at })
    })
}

/// What is waited for.
pub(super) fn what(op: Op) -> &'static str {
    match op {
        Op::Join => "the end of a thread",
        Op::Receive => "a message",
        Op::Send => "room in a channel",
        Op::Notification => "a notification",
        Op::Barrier => "others at a barrier",
        Op::Sleep => "time to pass",
        Op::BlockOn => "a future",
        Op::Process => "the end of a process",
        Op::Slot => "a slot of a pool",
        Op::Result => "the result of a task",
    }
}

/// The level of a finding about a guard at a wait.
pub(super) fn level(wait: &Wait, holding: &Holding, level: Level) -> Level {
    if wait.test
        || wait.dispatched
        || !holding.must
        || holding.decides
        || level == Level::Warn && wait.way.len() > LONGEST
    {
        level.min(Level::Note)
    } else {
        level
    }
}

/// The finding for a guard at a wait.
pub(super) fn finding(
    regions: &Regions,
    rule: &'static str,
    wait: &Wait,
    holding: &Holding,
    needed: Option<&Needed<'_>>,
    level: Level,
    (message, help): (String, String),
) -> Finding {
    let side = &holding.side;
    let name = wording::name(side);
    let mut steps = wording::calls(&side.way, &side.site);
    steps.push(wording::at(&side.site, format!("{name} {} here", wording::taken(side))));
    steps.extend(wording::calls(&wait.way, &wait.at));
    let last = wording::at(&wait.at, format!("waits for {} here", what(wait.op)));
    steps.push(last.clone());
    let primary = match wait.way.first() {
        Some(call) => {
            let callee = wait.way.get(1).unwrap_or(&wait.at).function.as_deref().unwrap_or("a function");
            wording::at(call, format!("calls `{callee}`, which waits for {}", what(wait.op)))
        }
        None => last,
    };
    let mut threads = vec![ThreadPath { name: format!("`{}`", wait.function), steps: steps.clone() }];
    let mut related: Vec<Location> = steps.into_iter().filter(|step| !same_place(step, &primary)).collect();
    if let Some(needed) = needed {
        let end = wording::at(
            &needed.taken.site,
            format!("{} {} on the other side", wording::name(needed.taken), wording::taken(needed.taken)),
        );
        let begin = match wait.op {
            Op::Join | Op::Result => wording::at(needed.other, "the other thread starts here"),
            Op::Send => wording::at(needed.other, "receives here, after that"),
            Op::Receive => wording::at(needed.other, "sends here, after that"),
            _ => wording::at(needed.other, "notifies here, after that"),
        };
        let mut others = wording::calls(&needed.taken.way, &needed.taken.site);
        others.push(end.clone());
        match wait.op {
            Op::Join | Op::Result => others.insert(0, begin.clone()),
            _ => others.push(begin.clone()),
        }
        for step in [begin, end] {
            if !related.contains(&step) {
                related.push(step);
            }
        }
        let name = needed.taken.site.function.as_deref().unwrap_or("another thread");
        threads.push(ThreadPath { name: format!("the other side, in `{name}`"), steps: others });
    }
    let key = side.class.as_ref().map_or_else(|| "parameter".to_string(), |class| class.key.clone());
    Finding {
        rule,
        level,
        confidence: confidence(wait, holding, needed),
        evidence: Evidence::Static,
        message,
        help,
        locks: vec![side.info(regions)],
        fingerprint: Fingerprint::new(rule, &[key], &wording::functions([&side.site, &wait.at].into_iter())),
        primary,
        related,
        threads,
        pool: None,
        schedule: Vec::new(),
    }
}

fn confidence(wait: &Wait, holding: &Holding, needed: Option<&Needed<'_>>) -> Confidence {
    let identity = holding.side.class.as_ref().map_or(Confidence::Medium, |class| class.identity);
    let identity = match needed {
        Some(needed) if needed.taken.place != holding.side.place => identity.min(Confidence::Medium),
        _ => identity,
    };
    if wait.dispatched {
        Confidence::Low
    } else if holding.must {
        identity
    } else {
        identity.min(Confidence::Medium)
    }
}

fn same_place(a: &Location, b: &Location) -> bool {
    (&a.file, a.line, a.column) == (&b.file, b.line, b.column)
}

//! Schedules for lost updates: both threads read before either writes, and then they write in turn.
//!
//! ```text
//! one    reads ......           writes        . stands before its last write
//! other            reads ......        writes . likewise; then both go on
//! ```
//!
//! Guarantees: of two threads that each lose an update of the other in the prediction, both lose one in a run that follows
//! the schedule. A thread that only writes does so before the other one's write. Linear in the run.
//!
//! Misses: updates outside of any lock, where nothing can be held back; more than two threads at once.

use std::collections::BTreeMap;
use std::fmt::Write;

use lockcheck_tracker::event::{Op, flag};

use super::Plan;
use super::plan::Run;
use crate::trace::LostUpdate;

/// Thread number and task.
type Actor = (u32, u32);

/// What one actor does with its locks around the updates.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// Acquisitions before the one that its first lost write stands in.
    before_first: u32,
    /// Acquisitions before the one that its last one stands in.
    before_last: u32,
    /// The place of the latter.
    site: u32,
    /// It read what it writes in an earlier critical section, so that it can lose an update itself.
    reads: bool,
}

/// Plans for the predicted lost updates of a run.
pub(super) fn plans(run: &Run<'_>, lost: &[LostUpdate]) -> Vec<Plan> {
    let mut pairs: BTreeMap<(Actor, Actor), Vec<&LostUpdate>> = BTreeMap::new();
    for found in lost.iter().filter(|found| !found.observed) {
        let [one, other] = actors(found);
        pairs.entry((one.min(other), one.max(other))).or_default().push(found);
    }
    let mut plans: Vec<Plan> = Vec::new();
    for ((one, other), found) in pairs {
        let Some(text) = text(run, one, other, &found) else { continue };
        for found in found {
            let fingerprint = crate::rules::lost_update::fingerprint(run.names, run.recording, found.cell);
            if plans.iter().all(|known| known.fingerprint != fingerprint) {
                plans.push(Plan { fingerprint, text: text.clone(), hangs: false });
            }
        }
    }
    plans
}

fn actors(found: &LostUpdate) -> [Actor; 2] {
    [&found.read, &found.between].map(|access| (access.thread, access.task))
}

fn text(run: &Run<'_>, one: Actor, other: Actor, found: &[&LostUpdate]) -> Option<String> {
    let ways = [way(run, one, found)?, way(run, other, found)?];
    let reads = ways.map(|way| way.reads);
    if reads == [false, false] {
        return None;
    }
    let mut steps: Vec<(usize, u32)> = Vec::new();
    let mut left = [0, 0];
    for at in [0, 1] {
        if reads[at] {
            steps.push((at, ways[at].before_first));
            left[at] = ways[at].before_last - ways[at].before_first;
        }
    }
    for at in [0, 1] {
        if !reads[at] {
            steps.push((at, ways[at].before_last + 1));
        }
    }
    while left != [0, 0] {
        for at in [0, 1] {
            if left[at] > 0 {
                left[at] -= 1;
                steps.push((at, 1));
            }
        }
    }
    let mut out = run.head();
    for actor in [one, other] {
        out.push_str(&run.thread_line(actor.0, actor.1));
    }
    out.push_str("steps");
    for (at, count) in steps.iter().filter(|step| step.1 > 0) {
        let _ = write!(out, " {at}x{count}");
    }
    out.push('\n');
    for at in [0, 1] {
        if reads[at] {
            let _ = writeln!(out, "stop {at} {} -", run.place_of(ways[at].site));
        }
    }
    Some(out)
}

/// `None` where the actor writes without a lock.
fn way(run: &Run<'_>, actor: Actor, found: &[&LostUpdate]) -> Option<Way> {
    let index = run.index(actor.0, actor.1)?;
    let is_lost_write = |cell: u32, site: u32| {
        found.iter().any(|found| {
            let own = if actors(found)[0] == actor { &found.write } else { &found.between };
            found.cell == cell && own.site == site
        })
    };
    let mut way: Option<Way> = None;
    let mut taken: Vec<u32> = Vec::new();
    let mut held: Vec<(u32, usize)> = Vec::new();
    // By cell: the acquisition that its last read stands in.
    let mut read: BTreeMap<u32, Option<usize>> = BTreeMap::new();
    for (_, event) in run.events().filter(|(thread, _)| *thread == index) {
        match event.op() {
            Some(Op::Acquire) if event.flags & flag::TRY == 0 => {
                held.push((event.object, taken.len()));
                taken.push(event.site);
            }
            Some(Op::Release) => held.retain(|(lock, _)| *lock != event.object),
            Some(Op::Read) => {
                read.insert(event.object, held.first().map(|held| held.1));
            }
            Some(Op::Write) if is_lost_write(event.object, event.site) => {
                let at = held.first()?.1;
                let before_last = u32::try_from(at).ok()?;
                let known = way.get_or_insert(Way { before_first: before_last, ..Way::default() });
                (known.before_last, known.site) = (before_last, *taken.get(at)?);
                known.reads |= read.get(&event.object).is_some_and(|before| *before != Some(at));
            }
            _ => {}
        }
    }
    way
}

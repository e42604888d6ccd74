//! Slots that tasks have taken with them: a task panicked, and what gives its slot back was never reached.
//!
//! Guarantees: the tracker recorded each leak as it happened. Where somebody waits for a slot of the pool for ever, that is
//! the finding; where slots are left, the leak is a warning, because every further panic makes the pool smaller.

use lockcheck_tracker::event::BlockedThread;

use super::RULE;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location};
use crate::rules::blocked;
use crate::trace::recording::Deadlock;
use crate::trace::{Replay, names};

/// The leaks of one pool.
pub(super) struct Leak<'a> {
    replay: &'a Replay,
    pool: u32,
    /// In the order in which they panicked.
    tasks: Vec<u32>,
}

/// The pool's leaks, if it has any.
pub(super) fn of(replay: &Replay, pool: u32) -> Option<Leak<'_>> {
    let leaks = replay.recording.leaks.iter();
    let tasks: Vec<u32> = leaks.filter(|leak| leak.0 == pool).map(|leak| leak.1).collect();
    (!tasks.is_empty()).then_some(Leak { replay, pool, tasks })
}

impl Leak<'_> {
    fn name(&self) -> String {
        format!("`{}`", self.replay.names.object(&self.replay.recording, self.pool))
    }

    /// `` task `a` and task `b` panicked and never gave theirs back``.
    fn what(&self) -> String {
        let mut tasks: Vec<String> = Vec::new();
        for task in &self.tasks {
            let task = names::task(&self.replay.recording, *task);
            if !tasks.contains(&task) {
                tasks.push(task);
            }
        }
        let its = if self.tasks.len() == 1 { "its slot" } else { "their slots" };
        format!("{} panicked and never gave {its} back", blocked::list(&tasks))
    }

    fn slots(&self) -> String {
        let of = self.replay.recording.pools.get(&self.pool).map_or(0, |pool| pool.workers);
        let count = self.tasks.len();
        let are = if count == 1 { "is" } else { "are" };
        format!("{count} of {of} slots of {} {are} lost", self.name())
    }

    fn help(&self) -> String {
        format!("give the slots of {} back in a destructor (a guard), which also runs when a task panics", self.name())
    }

    fn places(&self) -> Vec<Location> {
        let mut places: Vec<Location> = Vec::new();
        let recording = &self.replay.recording;
        for task in &self.tasks {
            let Some(site) = recording.tasks.get(task).map(|task| task.site) else { continue };
            let label = format!("{} was submitted here, panicked, and kept its slot", names::task(recording, *task));
            let place = names::location(recording, site, label);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// The finding where somebody waits for a slot for ever.
    pub(super) fn observed(&self, deadlock: &Deadlock, core: &[&BlockedThread<'_>]) -> Finding {
        let waits = core.iter().map(|member| {
            format!("{} waits for {}", blocked::who(self.replay, member), blocked::awaited(self.replay, member))
        });
        let waits = blocked::list(&waits.collect::<Vec<_>>());
        let message = format!("{}: {}; {waits}, and nobody can give one back", self.slots(), self.what());
        let mut finding = blocked::observed(self.replay, RULE.id, deadlock, &[self.pool], message, self.help());
        finding.related.extend(self.places());
        finding
    }

    /// The finding where slots are left.
    pub(super) fn alone(&self) -> Finding {
        let mut places = self.places();
        let primary = if places.is_empty() { Location::default() } else { places.remove(0) };
        Finding {
            rule: RULE.id,
            level: Level::Warn,
            confidence: Confidence::High,
            evidence: Evidence::Observed,
            message: format!("{}: {}", self.slots(), self.what()),
            help: self.help(),
            locks: vec![blocked::info(self.replay, self.pool)],
            primary,
            related: places,
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint::new(RULE.id, &[self.replay.names.key(&self.replay.recording, self.pool)], &[]),
        }
    }
}

//! What functions of the sources wait for and signal, at a call: their summaries in the caller's terms.
//!
//! Guarantees: as for locks, parameters become the arguments' access paths, and what a callee makes itself is new at
//! every call; a thread whose handle the callee returns is one that the caller started.

use super::Walker;
use crate::model::FnId;
use crate::regions::blocking::summary::{BlockingSummary, Initialises, Signals, Waits};
use crate::regions::place::{Place, Root};
use crate::regions::state::{GuardId, Value};
use crate::regions::summary::{Acquired, HeldLock, LONGEST_WAY, LockRef, Site, Way};

impl Walker<'_> {
    /// What a function of the sources does to others and waits for, at a call. Gives the thread or task whose handle
    /// it returns. `renew` gives a place of the callee in the caller's terms.
    pub(super) fn apply_blocking(
        &mut self,
        function: FnId,
        args: &[Value],
        site: Option<Site>,
        dispatched: bool,
        renew: &dyn Fn(&Place) -> Place,
    ) -> u32 {
        let Some(summary) = self.summary(function).map(|summary| &summary.blocking) else { return 0 };
        if !self.state.reachable || *summary == BlockingSummary::default() {
            return 0;
        }
        let way = |way: &Way| -> Way { site.into_iter().chain(way.iter().copied()).take(LONGEST_WAY).collect() };
        let again = |way: &Way| site.is_some_and(|site| way.contains(&site));
        let lock = |held: &HeldLock| HeldLock {
            lock: LockRef { place: renew(&held.lock.place), ..held.lock.clone() },
            way: way(&held.way),
            ..held.clone()
        };
        for signals in summary.signals.iter().filter(|signals| !again(&signals.way)) {
            self.signals(Signals {
                object: renew(&signals.object),
                taken: signals.taken.iter().map(lock).collect(),
                way: way(&signals.way),
                ..signals.clone()
            });
        }
        for waits in summary.waits.iter().filter(|waits| !again(&waits.way)) {
            let arg = match &waits.object {
                Some(Place { root: Root::Param(param), steps }) if steps.is_empty() => args.get(*param as usize),
                _ => None,
            };
            let monitor = waits.monitor.as_ref().map(lock);
            let without: Vec<GuardId> = args.iter().flat_map(|value| value.guards.iter().copied()).collect();
            if waits.passed && without.is_empty() {
                // Which guard it gives back is not known.
                continue;
            }
            self.blocking.waited.extend(without.iter().copied().filter(|_| waits.passed));
            let new = Waits {
                object: waits.object.as_ref().map(renew),
                monitor,
                way: way(&waits.way),
                dispatched: waits.dispatched || dispatched,
                ..waits.clone()
            };
            self.waits(new, arg.map_or(0, |arg| arg.task), &without);
        }
        for initialises in summary.initialises.iter().filter(|one| !again(&one.way)) {
            let cell =
                Initialises { cell: renew(&initialises.cell), way: way(&initialises.way), ..initialises.clone() };
            self.reaches(cell);
        }
        let returned = summary.returns.as_ref().map(|(number, takes)| {
            let task = self.new_task();
            let at = site.unwrap_or_else(|| self.site(self.body[self.body.root].span));
            self.blocking.spawned_at.insert(task, (at, self.task));
            let seen = takes.iter().map(|taken| Acquired {
                lock: LockRef { place: renew(&taken.lock.place), ..taken.lock.clone() },
                way: way(&taken.way),
                ..taken.clone()
            });
            self.blocking.takes.insert(task, seen.collect());
            (*number, task)
        });
        self.apply_steps(&summary.steps, renew, site, returned);
        if !dispatched {
            summary.takes.iter().for_each(|held| self.note_taken(lock(held)));
        }
        returned.map_or(0, |(_, task)| task)
    }
}

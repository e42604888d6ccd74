//! Puts the facts of all bodies together: which thread a handle is of, who is on the other side.
//!
//! Guarantees: a signal of a function that only the sources call counts where it is called, with what the caller took
//! before; one that anybody may call counts by itself, too.

use rustc_hash::FxHashSet;

use super::{Blocking, Head, Object, Op, Signal, SignalKind, Spawned, Wait};
use crate::model::FnId;
use crate::regions::Side;
use crate::regions::output::Output;

/// The facts of all bodies, in order of bodies.
pub(in crate::regions) fn finish(roots: &FxHashSet<FnId>, out: &mut Output) -> Blocking {
    let bodies = std::mem::take(&mut out.blocking);
    let mut all = Blocking::default();
    for (_, facts) in bodies {
        all.append(*facts);
    }
    let inner: FxHashSet<u32> =
        out.calls.keys().filter(|function| !roots.contains(function)).map(|function: &FnId| function.0).collect();
    all.signals.retain(|signal| signal.task != 0 || !inner.contains(&signal.body));
    all
}

impl Blocking {
    /// The threads and tasks that a join may wait for.
    pub fn joined(&self, wait: &Wait) -> Vec<&Spawned> {
        if !matches!(wait.op, Op::Join | Op::Result) {
            return Vec::new();
        }
        if wait.joined != 0 {
            return self.spawned.iter().filter(|task| task.body == wait.body && task.number == wait.joined).collect();
        }
        let Some(key) = wait.object.as_ref().and_then(|object| object.key.as_ref()) else { return Vec::new() };
        let stored: FxHashSet<(u32, u32)> = self
            .stored
            .iter()
            .filter(|stored| stored.task != 0 && stored.key == *key)
            .map(|stored| (stored.body, stored.task))
            .collect();
        self.spawned.iter().filter(|task| stored.contains(&(task.body, task.number))).collect()
    }

    /// Whether two ends or condition variables belong together.
    pub fn together(&self, a: &Object, b: &Object) -> bool {
        if a.key.is_some() && a.key == b.key || a.value.is_some() && a.value == b.value {
            return true;
        }
        let values = |object: &Object| -> FxHashSet<(u32, u32)> {
            let stored = self.stored.iter().filter(|stored| object.key.as_ref() == Some(&stored.key));
            stored.filter_map(|stored| Some((stored.body, stored.value?))).chain(object.value).collect()
        };
        let ours = values(a);
        !ours.is_empty() && values(b).iter().any(|value| ours.contains(value))
    }

    /// The head in which a guard was made as a temporary.
    pub fn head_of(&self, held: &Side) -> Option<&Head> {
        self.heads.iter().find(|head| head.held.site == held.site && head.held.way == held.way)
    }

    /// Those who can end a wait: senders for a receiver, receivers for a sender, notifiers for a waiter.
    pub fn others(&self, wait: &Wait) -> Vec<&Signal> {
        let kind = match wait.op {
            Op::Notification => SignalKind::Notify,
            Op::Receive => SignalKind::Send,
            Op::Send => SignalKind::Receive,
            _ => return Vec::new(),
        };
        let Some(object) = &wait.object else { return Vec::new() };
        self.signals.iter().filter(|signal| signal.kind == kind && self.together(&signal.object, object)).collect()
    }
}

/// Whether taking `wanted` must wait while `held` is held elsewhere: the same lock, or one of the same field.
pub fn needs(wanted: &Side, held: &Side) -> bool {
    let same = match (&wanted.class, &held.class) {
        (Some(a), Some(b)) => a.key == b.key && !a.many,
        _ => wanted.place == held.place && wanted.place.is_stable(),
    };
    same && held.mode.conflicts(wanted.mode)
}

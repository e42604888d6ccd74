//! Futures: what runs when one is awaited, spawned or blocked on, and what only makes one.
//!
//! Guarantees: what a future does happens where somebody runs it, with what is held there, be it an async block, a call
//! of an `async fn`, or a call of a function that returns an async block, boxed or not.
//!
//! Misses: futures with a `poll` of their own; all but one of several futures that a function may return; what a returned
//! future waits for and does with shared state still counts where it is made.

use smallvec::SmallVec;

use super::Walker;
use crate::model::FnId;
use crate::regions::place::Step;
use crate::regions::state::{State, Value};
use crate::syntax::{ExprId, ExprKind};

impl Walker<'_> {
    /// Runs a future to its end: an async block, or a call that gave one.
    pub(super) fn run_future(&mut self, id: ExprId) -> Value {
        if let Some((lock, taken)) = self.pending_locks.get(&id).cloned() {
            let place = lock.place.step(Step::Inside);
            let guard = self.acquire(lock, taken, self.body[id].span);
            return Value { guards: SmallVec::from_slice(&[guard]), ..Value::of(place) };
        }
        if let Some((targets, args)) = self.pending.get(&id).cloned() {
            self.run.insert(id);
            return self.run_targets(id, &targets, &args);
        }
        if let Some((targets, args)) = self.given_futures.get(&id).cloned() {
            self.run.insert(id);
            return self.run_given(id, &targets, &args);
        }
        self.run_async(id)
    }

    /// A call of functions that are not `async`: they run now, the future that they may return does not.
    pub(super) fn run_plainly(&mut self, id: ExprId, targets: SmallVec<[FnId; 2]>, args: Vec<Value>) -> Value {
        let out = self.run_targets(id, &targets, &args);
        if !targets.iter().any(|target| self.summary(*target).is_some_and(|summary| summary.future.is_some())) {
            return out;
        }
        self.given_futures.insert(id, (targets, args));
        Value { future: Some(id), ..out }
    }

    fn run_given(&mut self, id: ExprId, targets: &[FnId], args: &[Value]) -> Value {
        let site = self.site(self.body[id].span);
        let mut out = Value::default();
        for target in targets {
            let Some(summary) = self.summary(*target).and_then(|summary| summary.future.as_deref()) else { continue };
            let value = self.apply_part(*target, summary, args, Some(site), targets.len() > 1, true);
            if targets.len() == 1 {
                out = value;
            }
        }
        out
    }

    /// Whether what runs is async code.
    pub(super) fn is_async(&self) -> bool {
        let inner = self.running.iter().rev().find_map(|id| match &self.body[*id].kind {
            ExprKind::Closure { async_, .. } => Some(*async_),
            ExprKind::Async { .. } => Some(true),
            _ => None,
        });
        inner.unwrap_or_else(|| self.is_async_fn())
    }

    fn is_async_fn(&self) -> bool {
        (self.id.0 as usize) < self.model.fns.len() && self.model.signature(FnId(self.id.0)).async_
    }

    /// The future that is the body's result is what callers run; it runs with nothing of ours held.
    pub(super) fn run_result(&mut self, value: &Value) {
        let Some(future) = value.future.filter(|future| !self.run.contains(future)) else { return };
        let state = std::mem::replace(&mut self.state, State::empty());
        if self.is_async_fn() {
            self.run_future(future);
        } else {
            let outer = std::mem::take(&mut self.summary);
            self.run_future(future);
            let inner = std::mem::replace(&mut self.summary, outer);
            self.summary.truncated |= inner.truncated;
            self.summary.future = Some(Box::new(inner));
        }
        self.state = state;
    }
}

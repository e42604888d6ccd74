//! Objects that a body made itself and has not shared with another thread yet, as in a constructor.
//!
//! Nobody waits for a lock that no other thread can reach: until a function that makes an object starts the first thread,
//! it may take that object's locks in any order (the exclusive state of Savage et al., "Eraser", SOSP 1997).
//!
//! Guarantees: the object and what its lock lies in were made by literals in this body, a lock behind a pointer was made
//! here, too, no parameter is of the object's type, and the body has not given such an object away (sent it, put it into a
//! collection). Neither the body nor anything that it called since may have started a thread or task.
//!
//! Misses: objects that a called function makes; one that a called function publishes from behind a reference.

use rustc_hash::FxHashSet;

use super::Walker;
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId};
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::Value;
use crate::syntax::{ExprId, ExprKind, Symbol};

/// What a body has made of its own.
#[derive(Debug, Default)]
pub(super) struct Making {
    /// Types of which there is a literal.
    made: FxHashSet<AdtId>,
    /// Their fields that point to what came from elsewhere, or may do so.
    given: FxHashSet<(AdtId, Symbol)>,
    /// Other threads or tasks may run by now, or know of it.
    started: bool,
}

/// The fields of a tuple struct, by number.
pub(super) fn numbered(args: &[ExprId]) -> impl Iterator<Item = (Symbol, ExprId)> {
    args.iter().enumerate().map(|(at, arg)| (Symbol::from(at.to_string()), *arg))
}

impl Walker<'_> {
    /// A literal, with its fields as written and their values.
    pub(super) fn note_making(
        &mut self,
        literal: ExprId,
        fields: impl Iterator<Item = (Symbol, ExprId)>,
        values: &[(Symbol, Value)],
    ) {
        let Some(adt) = self.model.adt_of(self.ty(literal)) else { return };
        let data = self.model.adt(adt);
        if self.making.started || self.detached > 0 || data.is_enum {
            return;
        }
        self.making.made.insert(adt);
        for (name, init) in fields {
            let field = data.variants.iter().flatten().find(|field| field.name == name);
            let points = field.is_none_or(|field| match &field.ty {
                Ty::Adt(id, _) => self.model.known.transparent.contains(id),
                _ => true,
            });
            let value = values.iter().find(|(part, _)| *part == name).and_then(|(_, value)| value.place.as_ref());
            let of_ours = |place: &Place| match place.root {
                Root::Local(body, local, _) => body == self.id && self.made.contains_key(&local),
                _ => false,
            };
            if points && !self.makes_lock(init) && !value.is_some_and(of_ours) {
                self.making.given.insert((adt, name));
            }
        }
    }

    /// From here on others may have what this body made.
    pub(super) fn note_started_others(&mut self) {
        self.making.started = true;
        self.summary.starts = true;
    }

    /// Values that go to a function of which nothing is known: it may run their code on another thread. What another
    /// thread may keep borrows nothing, so that only what was moved into it can be reached from there.
    pub(super) fn note_given_away(&mut self, values: &[Value]) {
        let moves = |closure: ExprId| {
            matches!(
                self.body[closure].kind,
                ExprKind::Closure { move_: true, .. } | ExprKind::Async { move_: true, .. }
            )
        };
        let calls =
            |future: ExprId| matches!(self.body[future].kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. });
        if values.iter().any(|value| {
            value.closure.is_some_and(moves) || value.future.is_some_and(|future| moves(future) || calls(future))
        }) {
            self.note_started_others();
        }
    }

    /// A call that takes these by value: who gets an object may publish it. What wraps it (`Arc::new`) gives it back.
    pub(super) fn note_published(&mut self, called: Option<FnId>, args: &[ExprId]) {
        if self.making.made.is_empty() || self.making.started {
            return;
        }
        let wraps = called.is_some_and(|id| {
            let function = self.model.function(id);
            let stub = self.model.crate_of(function.module).stub;
            stub && function.impl_.is_some() && !self.model.signature(id).has_receiver
        });
        let has_one = |arg: &ExprId| {
            let ty = self.ty(*arg);
            !matches!(ty, Ty::Ref(_)) && contains(ty, &|adt| self.making.made.contains(&adt))
        };
        if !wraps && args.iter().any(has_one) {
            self.making.started = true;
        }
    }

    /// Whether a lock lies in an object that only this body knows so far.
    pub(super) fn is_of_own_making(&self, lock: &Place) -> bool {
        let Root::Local(body, ..) = lock.root else { return false };
        if body != self.id || self.making.started {
            return false;
        }
        let mut fields = lock.steps.iter().filter_map(|step| match step {
            Step::Field(adt, name) => Some((*adt, *name)),
            _ => None,
        });
        let Some(first) = fields.next() else { return false };
        let last = fields.next_back().unwrap_or(first);
        self.making.made.contains(&first.0)
            && self.making.made.contains(&last.0)
            && !self.making.given.contains(&last)
            && !self.is_given(last.0)
    }

    /// Whether a parameter is, or points to, an object of this type.
    fn is_given(&self, object: AdtId) -> bool {
        if self.model.fns.get(self.id.0 as usize).is_none() {
            return false;
        }
        let signature = self.model.signature(FnId(self.id.0));
        let has = |ty: &Ty| contains(ty, &|adt| adt == object);
        signature.has_receiver || signature.params.iter().any(has)
    }
}

/// Whether one of these types is part of a type as it is written.
fn contains(ty: &Ty, one: &dyn Fn(AdtId) -> bool) -> bool {
    let mut found = false;
    ty.any(&mut |part| {
        found |= matches!(part, Ty::Adt(adt, _) if one(*adt));
        found
    });
    found
}

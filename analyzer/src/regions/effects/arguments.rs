//! Arguments of calls: which cells a callee is lent, and which of them other threads have, too.
//!
//! Guarantees: a place is given only where the argument surely is it, and no copy of what was there.
//!
//! Misses: places that travel through collections.

use super::flow::Flow;
use crate::model::FnId;
use crate::model::infer::Callee;
use crate::regions::place::{Place, Root};
use crate::syntax::{ExprId, ExprKind};

impl Flow<'_> {
    /// Bit `i`: argument `i` is something that other threads have, too, because it comes from outside of the spawned
    /// closure and was not moved into it whole.
    pub(super) fn shared_arguments(&self, receiver: Option<ExprId>, args: &[ExprId], places: &[Option<Place>]) -> u64 {
        if self.spawn.is_none() {
            return 0;
        }
        let offset = places.len().saturating_sub(args.len());
        let exprs = receiver.iter().filter(|_| offset > 0).map(|receiver| (0, *receiver));
        let exprs = exprs.chain(args.iter().enumerate().map(|(index, arg)| (index + offset, *arg)));
        let mut out = 0u64;
        for (index, expr) in exprs {
            let outside = match places.get(index).and_then(Option::as_ref).map(|place| place.root) {
                Some(Root::Static(_) | Root::Param(_)) => true,
                Some(Root::Local(body, local, _)) => body == self.id && !self.inside.contains(&local),
                _ => false,
            };
            let mut inner = expr;
            while let ExprKind::Ref { expr, .. } = self.body[inner].kind {
                inner = expr;
            }
            let pointer = self.points(self.types.ty(inner))
                || self.base(inner).is_some_and(|local| {
                    let data = &self.types.locals[local.0 as usize];
                    data.by_ref || self.points(&data.ty)
                });
            if outside && (pointer || !self.moves) {
                out |= 1u64.checked_shl(index as u32).unwrap_or(0);
            }
        }
        out
    }

    pub(super) fn lends_mutably(&self, arg: ExprId, receiver: bool, function: FnId) -> bool {
        match self.body[arg].kind {
            ExprKind::Ref { mutable, .. } => mutable,
            _ if receiver => {
                self.cx.model.function(function).syntax.receiver.as_ref().is_some_and(|receiver| receiver.mutable)
            }
            _ => false,
        }
    }

    /// The place of a receiver, seen through `Deref` impls of the sources.
    pub(super) fn argument_place(&self, id: ExprId, callee: &Callee) -> Option<Place> {
        let mut place = self.argument(id)?;
        for deref in &callee.derefs {
            let target = self.summary(*deref)?.returns_place.clone()?;
            place = target.instantiate(&[Some(place)], || Root::Value(self.id, u32::MAX));
        }
        Some(place)
    }

    /// The place of an argument, unless it is a copy of what was there.
    pub(super) fn argument(&self, id: ExprId) -> Option<Place> {
        let place = self.seen.place(id)?;
        let copied = place.steps.contains(&crate::regions::place::Step::Inside) && !self.aliases(id);
        (!copied).then(|| place.clone())
    }
}

//! Branches on the variant of a parameter, and the variants that callers give.
//!
//! Guarantees: an acquisition is left out at a call only where the callee takes the lock in a branch for one variant of
//! a parameter and the argument is a literal of another one.
//!
//! Misses: arguments that were put into a variable first, branches on a parameter's parts.

use super::Walker;
use crate::model::AdtId;
use crate::model::infer::Name;
use crate::regions::state::Value;
use crate::regions::summary::{Acquired, When};
use crate::syntax::{ExprId, ExprKind, PatId, PatKind};

impl Walker<'_> {
    /// What follows only runs where `scrutinee`, a parameter, is of the variant of `pat`; gives how many such
    /// conditions there were before.
    pub(super) fn requires(&mut self, scrutinee: ExprId, pat: PatId) -> usize {
        let before = self.requires.len();
        if let Some(when) = self.variant_of_parameter(scrutinee, pat) {
            self.requires.push(when);
        }
        before
    }

    fn variant_of_parameter(&self, scrutinee: ExprId, pat: PatId) -> Option<When> {
        let mut base = scrutinee;
        while let ExprKind::Ref { expr: inner, .. } | ExprKind::Deref(inner) = &self.body[base].kind {
            base = *inner;
        }
        let Some(Name::Local(local)) = self.types.names.get(&base) else { return None };
        let local = &self.types.locals[local.0 as usize];
        let adt = self.model.adt_of(&local.ty)?;
        let path = match &self.body[pat].kind {
            PatKind::TupleStruct { path, .. } | PatKind::Struct { path, .. } | PatKind::Path(path) => path,
            _ => return None,
        };
        let data = self.model.adt(adt);
        let name = path.segments.last()?.name;
        let variant = data.written.iter().position(|(written, _)| data.is_enum && *written == name)?;
        Some(When { param: local.param?, adt, variant: variant as u32 })
    }

    /// The condition on a parameter under which the body is at this point.
    pub(super) fn under_variant(&self) -> Option<When> {
        self.requires.last().copied().filter(|_| self.detached == 0)
    }

    /// Whether a callee surely does not take a lock when it is called with these arguments.
    pub(super) fn is_other_variant(acquired: &Acquired, args: &[Value]) -> bool {
        let given = |when: &When| args.get(when.param as usize)?.variant.filter(|(adt, _)| *adt == when.adt);
        acquired.when.as_ref().is_some_and(|when| given(when).is_some_and(|(_, variant)| variant != when.variant))
    }

    /// The literal `Variant(..)`.
    pub(super) fn literal_variant(&self, adt: AdtId, variant: u32) -> Option<(AdtId, u32)> {
        self.model.adt(adt).is_enum.then_some((adt, variant))
    }
}

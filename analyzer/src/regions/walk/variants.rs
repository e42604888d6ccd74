//! Branches on the variant of a parameter or on a flag, and the variants and flags that callers give.
//!
//! Guarantees: an acquisition is left out at a call only where the callee takes the lock in a branch for one variant of
//! a parameter and the argument is a literal of another one: `Some(..)` for `None`, `true` for `false`. A function that
//! hands its own parameter on hands the condition on to its callers.
//!
//! Misses: arguments that were put into a variable first, branches on a parameter's parts, functions that return early,
//! enums that a called function changes through `&mut`.

use rustc_hash::FxHashSet;

use super::Walker;
use crate::model::AdtId;
use crate::model::infer::{BodyTypes, LocalId, Name};
use crate::model::ty::Ty;
use crate::regions::state::Value;
use crate::regions::summary::{Acquired, Variant, When};
use crate::syntax::{Body, ExprId, ExprKind, Lit, PatId, PatKind};

/// The parameters that a body gives other values, or takes the value out of.
pub(super) fn changed_parameters(body: &Body, types: &BodyTypes) -> FxHashSet<LocalId> {
    let changed = body.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Assign { place, .. } | ExprKind::AssignOp { place, .. } => Some(*place),
        ExprKind::Ref { mutable: true, expr, .. } if matches!(types.ty(*expr), Ty::Prim) => Some(*expr),
        ExprKind::MethodCall { receiver, method, .. } if CHANGES.contains(&method.as_str()) => Some(*receiver),
        _ => None,
    });
    let locals = changed.filter_map(|mut place| {
        while let ExprKind::Deref(inner) = &body[place].kind {
            place = *inner;
        }
        match types.names.get(&place) {
            Some(Name::Local(local)) => types.locals[local.0 as usize].param.map(|_| *local),
            _ => None,
        }
    });
    locals.collect()
}

/// Methods of options that change them.
const CHANGES: [&str; 6] = ["take", "take_if", "replace", "insert", "get_or_insert", "get_or_insert_with"];

impl Walker<'_> {
    /// What follows only runs where `scrutinee`, a parameter, is of the variant of `pat`; gives how many such
    /// conditions there were before.
    pub(super) fn requires(&mut self, scrutinee: ExprId, pat: PatId) -> usize {
        let before = self.requires.len();
        self.requires.extend(self.variant_of_parameter(scrutinee, pat));
        before
    }

    /// The same for a condition that holds.
    pub(super) fn requires_holding(&mut self, cond: ExprId) -> usize {
        let before = self.requires.len();
        self.requires.extend(self.when_holding(cond));
        before
    }

    /// The same for a condition that does not hold.
    pub(super) fn requires_failing(&mut self, cond: ExprId) -> usize {
        let before = self.requires.len();
        let when = match self.body[cond].kind {
            // Of both only one may have failed.
            ExprKind::Logic { .. } => None,
            ExprKind::Let { pat, .. } if !self.takes_whole_variant(pat) => None,
            _ => self.when_holding(cond).and_then(|when| self.otherwise(when)),
        };
        self.requires.extend(when);
        before
    }

    fn when_holding(&self, cond: ExprId) -> Option<When> {
        match &self.body[cond].kind {
            ExprKind::Let { pat, scrutinee } => self.variant_of_parameter(*scrutinee, *pat),
            ExprKind::Logic { lhs, rhs, and: true } => self.when_holding(*lhs).or_else(|| self.when_holding(*rhs)),
            ExprKind::Unary(inner) => {
                let when = self.when_holding(*inner).filter(|when| matches!(when.variant, Variant::Flag(_)))?;
                self.otherwise(when)
            }
            ExprKind::Path(_) => {
                let Some(Name::Local(local)) = self.types.names.get(&cond) else { return None };
                Some(When { param: self.unchanged_parameter(*local)?, variant: Variant::Flag(true) })
            }
            _ => None,
        }
    }

    /// The only other variant.
    fn otherwise(&self, when: When) -> Option<When> {
        let variant = match when.variant {
            Variant::AsGiven(_) => return None,
            Variant::Flag(flag) => Variant::Flag(!flag),
            Variant::Of(adt, variant) => {
                (self.model.adt(adt).written.len() == 2).then(|| Variant::Of(adt, 1 - variant))?
            }
        };
        Some(When { variant, ..when })
    }

    fn variant_of_parameter(&self, scrutinee: ExprId, pat: PatId) -> Option<When> {
        let mut base = scrutinee;
        while let ExprKind::Ref { expr: inner, .. } | ExprKind::Deref(inner) = &self.body[base].kind {
            base = *inner;
        }
        let Some(Name::Local(local)) = self.types.names.get(&base) else { return None };
        let param = self.unchanged_parameter(*local)?;
        let adt = self.model.adt_of(&self.types.locals[local.0 as usize].ty)?;
        let name = match &self.body[pat].kind {
            PatKind::TupleStruct { path, .. } | PatKind::Struct { path, .. } | PatKind::Path(path) => {
                path.segments.last()?.name
            }
            PatKind::Ident { name, sub: None, .. } if !self.types.bindings.contains_key(&pat) => *name,
            _ => return None,
        };
        let data = self.model.adt(adt);
        let variant = data.written.iter().position(|(written, _)| data.is_enum && *written == name)?;
        Some(When { param, variant: Variant::Of(adt, variant as u32) })
    }

    /// The parameter that a variable is, where the body gives it no other value.
    pub(super) fn unchanged_parameter(&self, local: LocalId) -> Option<u32> {
        self.types.locals[local.0 as usize].param.filter(|_| !self.changed.contains(&local))
    }

    /// Whether a pattern fails for no value of its variant.
    fn takes_whole_variant(&self, pat: PatId) -> bool {
        let binds = |pat: &PatId| match &self.body[*pat].kind {
            PatKind::Wild | PatKind::Rest => true,
            PatKind::Ident { sub: None, .. } => self.types.bindings.contains_key(pat),
            _ => false,
        };
        match &self.body[pat].kind {
            PatKind::TupleStruct { pats, .. } => pats.iter().all(binds),
            PatKind::Struct { fields, .. } => fields.iter().all(|(_, pat)| binds(pat)),
            PatKind::Path(_) | PatKind::Ident { .. } => true,
            _ => false,
        }
    }

    /// The condition on a parameter under which the body is at this point.
    pub(super) fn under_variant(&self) -> Option<When> {
        self.requires.last().copied().filter(|_| self.detached == 0)
    }

    /// Whether a callee surely does not take a lock when it is called with these arguments.
    pub(super) fn is_other_variant(acquired: &Acquired, args: &[Value]) -> bool {
        let Some(when) = &acquired.when else { return false };
        let given = args.get(when.param as usize).and_then(|value| value.variant);
        given.is_some_and(|given| given.excludes(when.variant))
    }

    /// What a callee's condition on its parameter says of the parameter of ours that it is given.
    pub(super) fn handed_on(&self, acquired: &Acquired, args: &[Value]) -> Option<When> {
        let when = acquired.when.as_ref().filter(|_| self.detached == 0)?;
        match args.get(when.param as usize)?.variant? {
            Variant::AsGiven(param) => Some(When { param, ..*when }),
            _ => None,
        }
    }

    /// The literal `Variant(..)` or `Variant`.
    pub(super) fn literal_variant(&self, adt: AdtId, variant: u32) -> Option<Variant> {
        self.model.adt(adt).is_enum.then_some(Variant::Of(adt, variant))
    }

    /// `true` or `false`.
    pub(super) fn literal_flag(literal: &Lit) -> Option<Variant> {
        match literal {
            Lit::Bool(flag) => Some(Variant::Flag(*flag)),
            _ => None,
        }
    }
}

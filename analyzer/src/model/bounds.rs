//! Whether the bounds on an impl's type parameters hold: `impl<S: Step> Step for Box<S>` is no impl for a `Box` of
//! something that takes no steps, and `impl<S: Store> Store for &S` none for a lock.
//!
//! Guarantees: an impl is only ruled out where the sources have the trait, and no impl of it that can be meant. Library
//! types implement a trait of the sources only where its own crate says so.
//!
//! Misses: bounds by traits of crates that are not there (they may hold), impls for one's own types that macros write, and
//! bounds on associated types.

use super::ty::{Ty, Vars};
use super::{ImplId, Model, TraitId};
use crate::syntax::Symbol;

/// Impls that need other impls are followed so far; what lies beyond may hold.
const DEPTH: u32 = 4;

impl Model<'_> {
    /// Whether the bounds on an impl's plain parameters hold for the arguments of `ty`, as far as the sources tell.
    pub(super) fn bounds_hold(&self, vars: &Vars, id: ImplId, ty: &Ty) -> bool {
        let data = &self.impls[id.0 as usize];
        let (Ty::Adt(_, formal), Ty::Adt(_, actual)) = (data.self_ty.peeled(), ty) else { return true };
        formal.iter().zip(actual.iter()).all(|(formal, actual)| match formal {
            Ty::Param(name) => self.bounds_of_hold(id, *name, &vars.shallow(actual), DEPTH),
            _ => true,
        })
    }

    /// Whether an impl for a bare type parameter, or for references to one, can be for `ty`.
    pub(super) fn bounds_allow(&self, id: ImplId, ty: &Ty) -> bool {
        match self.impls[id.0 as usize].self_ty.peeled() {
            Ty::Param(name) => self.bounds_of_hold(id, *name, ty, DEPTH),
            _ => true,
        }
    }

    fn bounds_of_hold(&self, id: ImplId, name: Symbol, ty: &Ty, depth: u32) -> bool {
        if !matches!(ty, Ty::Adt(..)) {
            return true;
        }
        let data = &self.impls[id.0 as usize];
        let bounds = data.generics.params.iter().filter(|param| param.name == name).flat_map(|param| &param.bounds);
        bounds.into_iter().all(|bound| {
            let scope = super::signatures::Scope { module: data.module, self_ty: None, params: &[] };
            self.lower_bound(scope, bound).id.is_none_or(|trait_| {
                self.crate_of(self.traits[trait_.0 as usize].module).stub || self.implements(ty, trait_, depth)
            })
        })
    }

    /// Whether the sources implement a trait for a type, by name or for every type that fits.
    fn implements(&self, ty: &Ty, trait_: TraitId, depth: u32) -> bool {
        let (Some(depth), Ty::Adt(adt, actual)) = (depth.checked_sub(1), ty) else { return true };
        self.traits[trait_.0 as usize].impls.iter().any(|id| match &self.impls[id.0 as usize].self_ty {
            // What a type of the sources implements, derives and other macros may say.
            Ty::Param(_) if !self.crate_of(self.adt(*adt).module).stub => true,
            Ty::Param(name) => self.bounds_of_hold(*id, *name, ty, depth),
            own => match own.peeled() {
                Ty::Adt(own, formal) if own == adt => formal.iter().zip(actual.iter()).all(|(formal, actual)| {
                    let Ty::Param(name) = formal else { return true };
                    self.bounds_of_hold(*id, *name, actual, depth)
                }),
                _ => false,
            },
        })
    }
}

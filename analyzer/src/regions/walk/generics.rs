//! Guards that come in as a value of a type parameter: `fn unpoison<G>(result: LockResult<G>) -> G`.
//!
//! Guarantees: a parameter that owns a value of such a type is followed through the body like one that is a guard by
//! its type: what comes out again is still held by the caller, and what has been dropped is not.
//!
//! Misses: futures of guards as arguments, and guards that a closure has taken along.

use super::Walker;
use crate::model::FnId;
use crate::model::ty::Ty;
use crate::regions::state::GuardId;
use crate::syntax::Symbol;

impl Walker<'_> {
    /// Whether a parameter of this type can bring a guard in: it owns a value of a type parameter that is nothing to
    /// call.
    pub(super) fn hands_through(&self, ty: &Ty) -> bool {
        let mut owned = Vec::new();
        owned_parameters(ty, &mut owned);
        if owned.is_empty() {
            return false;
        }
        let generics = &self.model.signature(FnId(self.id.0)).generics;
        let callable = |name: &Symbol| {
            let bounds = generics.iter().filter(|(known, _)| known == name).flat_map(|(_, bounds)| bounds);
            bounds.into_iter().any(|bound| matches!(bound.name.as_str(), "Fn" | "FnMut" | "FnOnce" | "Future"))
        };
        owned.iter().any(|name| !callable(name))
    }

    /// Whether a value of this type keeps these guards: it can have one by its type, or it can have what came in as a
    /// value of a type parameter and may be one.
    pub(super) fn keeps(&self, ty: &Ty, guards: &[GuardId]) -> bool {
        if self.carries_guard(ty) {
            return true;
        }
        let came_in = |id: &GuardId| self.state.guards.iter().any(|guard| guard.id == *id && guard.param.is_some());
        !guards.is_empty() && is_generic(ty) && guards.iter().all(came_in)
    }
}

/// The type parameters that a value of this type owns a value of.
fn owned_parameters<'t>(ty: &'t Ty, out: &mut Vec<&'t Symbol>) {
    match ty {
        Ty::Param(name) => out.push(name),
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().for_each(|arg| owned_parameters(arg, out)),
        _ => {}
    }
}

fn is_generic(ty: &Ty) -> bool {
    let mut owned = Vec::new();
    owned_parameters(ty, &mut owned);
    !owned.is_empty()
}

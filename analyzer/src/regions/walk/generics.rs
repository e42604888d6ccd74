//! Guards that come in as a value of a type parameter: `fn unpoison<G>(result: LockResult<G>) -> G`.
//!
//! Guarantees: a parameter that owns a value of such a type is followed through the body like one that is a guard by
//! its type, where the function's result can have it again; the caller then still holds what it has passed in.
//!
//! Misses: results that do not name the type parameter (`impl Deref`), and futures of guards as arguments.

use super::Walker;
use crate::model::FnId;
use crate::model::ty::Ty;
use crate::regions::state::GuardId;
use crate::syntax::Symbol;

impl Walker<'_> {
    /// Whether a parameter of this type can bring a guard in that the function's result can have again.
    pub(super) fn hands_through(&self, ty: &Ty) -> bool {
        let signature = self.model.signature(FnId(self.id.0));
        if signature.generics.is_empty() {
            return false;
        }
        let mut owned = Vec::new();
        owned_parameters(ty, &mut owned);
        owned.iter().any(|name| names(&signature.ret, name))
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

fn names(ty: &Ty, parameter: &Symbol) -> bool {
    ty.any(&mut |part| matches!(part, Ty::Param(name) if name == parameter))
}

fn is_generic(ty: &Ty) -> bool {
    let mut owned = Vec::new();
    owned_parameters(ty, &mut owned);
    !owned.is_empty()
}

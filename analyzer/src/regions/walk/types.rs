//! What a type says about guards and locks in a value.

use super::Walker;
use crate::model::locks::LockType;
use crate::model::ty::Ty;
use crate::regions::place::{Place, Root};
use crate::syntax::ExprId;

impl Walker<'_> {
    pub(super) fn ty(&self, id: ExprId) -> &Ty {
        self.types.ty(id)
    }

    /// Whether a value of this type can have a guard in it.
    pub(super) fn carries_guard(&self, ty: &Ty) -> bool {
        ty.any(&mut |part| match part {
            Ty::Adt(id, _) => {
                matches!(self.model.adt(*id).lock, Some(LockType::Guard { .. })) || self.cx.carriers.contains(id)
            }
            _ => false,
        })
    }

    /// The lock type of a value, through references.
    pub(super) fn lock_type(&self, ty: &Ty) -> Option<LockType> {
        match ty.peeled() {
            Ty::Adt(id, _) => self.model.adt(*id).lock,
            _ => None,
        }
    }

    /// Whether a place is a parameter as it came in, and no lock: a lock goes by the field that it is stored in.
    pub(super) fn is_whole(&self, place: &Place) -> bool {
        let Root::Param(param) = place.root else { return false };
        let lock = |ty: &Ty| ty.any(&mut |part| matches!(part, Ty::Adt(id, _) if self.model.adt(*id).lock.is_some()));
        let mut locals = self.types.locals.iter();
        place.steps.is_empty() && locals.any(|local| local.param == Some(param) && !lock(&local.ty))
    }

    /// Whether an expression names a lock, or something whose fields may be locks.
    pub(super) fn locks_inside(&self, id: ExprId) -> bool {
        let ty = self.ty(id);
        ty.any(&mut |part| match part {
            Ty::Adt(id, _) => {
                self.model.adt(*id).lock.is_some() || !self.model.crate_of(self.model.adt(*id).module).stub
            }
            _ => false,
        })
    }

    /// Whether a guard in a value of this type stays there: of `impl Deref<Target = T>` and `Box<dyn Drop>` the type
    /// does not tell, but whoever made the value did.
    pub(super) fn may_carry(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Unknown | Ty::Param(_) | Ty::Opaque(_) | Ty::Dyn(_) => true,
            Ty::Adt(id, args) if self.model.known.transparent.contains(id) => {
                args.iter().any(|arg| self.may_carry(arg))
            }
            ty => self.carries_guard(ty),
        }
    }
}

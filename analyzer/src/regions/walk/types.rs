//! What the walk asks about types, places and functions walked before.

use rustc_hash::FxHashMap;

use super::Walker;
use crate::model::FnId;
use crate::model::infer::LocalId;
use crate::model::locks::{LockType, Shape, Waiting};
use crate::model::ty::Ty;
use crate::regions::context::guard_in;
use crate::regions::place::{BodyId, Place, Root, Step};
use crate::regions::summary::Summary;
use crate::syntax::{ExprId, Symbol};

impl<'w> Walker<'w> {
    pub(super) fn ty(&self, id: ExprId) -> &Ty {
        self.types.ty(id)
    }

    /// Whether a value of this type can have a guard in it.
    pub(super) fn carries_guard(&self, ty: &Ty) -> bool {
        self.guard_in(ty).is_some()
    }

    /// What waiters for the lock of a guard in a value of this type do; `None` where there can be no guard.
    pub(super) fn guard_in(&self, ty: &Ty) -> Option<Waiting> {
        guard_in(self.model, &self.cx.carriers, ty)
    }

    /// Whether a derived `clone` of a value of this type has the very locks of the value: a lock is no more `Clone`
    /// than what a pointer to it points to is cloned.
    pub(super) fn copies_pointers(&self, ty: &Ty) -> bool {
        let Ty::Adt(id, _) = ty.peeled() else { return false };
        let data = self.model.adt(*id);
        let copied = |ty: &Ty| match ty {
            Ty::Adt(id, _) => {
                self.cx.cloned.contains(id)
                    || matches!(self.model.adt(*id).lock, Some(LockType::Lock { shape: Shape::ShardedMap, .. }))
            }
            _ => false,
        };
        !self.model.crate_of(data.module).stub
            && !self.cx.cloned.contains(id)
            && !data.variants.iter().flatten().any(|field| copied(&field.ty))
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

    /// Whether the body is a function that gives a tuple: its parts have no names of their own, so they go by those that
    /// the function has for them.
    pub(super) fn gives_tuple(&self) -> bool {
        self.model.signatures.get(self.id.0 as usize).is_some_and(|signature| matches!(signature.ret, Ty::Tuple(_)))
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

    pub(super) fn local_place(&mut self, local: LocalId) -> Place {
        if let Some(place) = self.places.get(&local) {
            return place.clone();
        }
        let version = self.binds.get(&local).copied().unwrap_or(0);
        Place::new(Root::Local(self.id, local, version))
    }

    /// What is known of a function of the sources by now.
    pub(super) fn summary(&self, id: FnId) -> Option<&'w Summary> {
        self.group.get(BodyId(id.0)).or_else(|| self.cx.summary_so_far(id))
    }

    /// A place seen through `Deref` impls of the sources.
    pub(super) fn through(&self, place: Option<Place>, derefs: &[FnId]) -> Option<Place> {
        let mut place = place;
        for id in derefs {
            place = match self.summary(*id).and_then(|summary| summary.returns_place.clone()) {
                Some(target) => Some(target.instantiate(&[place], || Root::Value(self.id, u32::MAX))),
                // A pointer of the sources' own making: what it points to is as good as itself.
                None => place.and_then(|place| place.step(Step::Inside)),
            };
        }
        place
    }

    pub(super) fn through_literal(&self, place: Place) -> Place {
        through_literal(&self.literals, self.id, place)
    }

    pub(super) fn step(&self, place: Option<Place>, step: Step) -> Option<Place> {
        place.and_then(|place| place.step(step))
    }

    /// A place for a value of unknown origin.
    pub(super) fn unknown_place(&mut self) -> Place {
        let value = self.fresh();
        Place::new(Root::Value(self.id, value))
    }
}

pub(super) type Literals = FxHashMap<LocalId, Vec<(Symbol, Place)>>;

/// A field of a variable that was made by a literal is what the literal put there.
pub(super) fn through_literal(literals: &Literals, body: BodyId, place: Place) -> Place {
    let Root::Local(of, local, _) = place.root else { return place };
    let Some(parts) = literals.get(&local) else { return place };
    let name = match place.steps.first() {
        Some(Step::Field(_, name)) if of == body => *name,
        Some(Step::Tuple(index)) if of == body => Symbol::from(index.to_string()),
        _ => return place,
    };
    let part = parts.iter().find(|(part, _)| *part == name);
    match part {
        Some((_, part)) if *part != place => {
            let mut out = part.clone();
            out.steps.extend(place.steps[1..].iter().copied());
            out
        }
        _ => place,
    }
}

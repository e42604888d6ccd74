//! Pointers to locks on their way into fields and parameters: what [`shared`](crate::regions::shared) is made of.
//!
//! Guarantees: fields that a struct literal, tuple struct or assignment fills, and arguments of functions of the
//! sources, outside tests.
//!
//! Misses: collections of pointers, and values whose type is a parameter.

use super::Walker;
use crate::model::infer::Target;
use crate::model::known::Role;
use crate::model::locks::{LockType, Shape};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model};
use crate::regions::place::{Place, Root};
use crate::regions::shared::{Flow, Slot};
use crate::regions::summary::Site;
use crate::syntax::{ExprId, PatId, PatKind};

impl Walker<'_> {
    /// A field is given a value.
    pub(super) fn note_lock_field(&mut self, adt: AdtId, field: &str, place: Option<&Place>, site: Site) {
        let data = self.model.adt(adt);
        let Some(declared) = data.variants.iter().flatten().find(|known| known.name.as_str() == field) else { return };
        if self.cx.bodies[self.id.0 as usize].test || !points_to_lock(self.model, &declared.ty) {
            return;
        }
        let to = Slot::Class(format!("{}.{field}", self.model.adt_path(adt)));
        let from = self.slot(place);
        self.out.flow(Flow { to, from }, site);
    }

    /// A lock is put where there was another one.
    pub(super) fn note_lock_replaced(
        &mut self,
        target: Option<&Place>,
        place: Option<&Place>,
        points: bool,
        site: Site,
    ) {
        let target = target.filter(|target| !target.steps.is_empty());
        if let Some(to @ Slot::Class(_)) = self.slot(target)
            && points
            && !self.cx.bodies[self.id.0 as usize].test
        {
            let from = self.slot(place);
            self.out.flow(Flow { to, from }, site);
        }
    }

    /// A function is called; `args` begins with the receiver.
    pub(super) fn note_lock_arguments<'v>(
        &mut self,
        function: FnId,
        args: impl Iterator<Item = Option<&'v Place>>,
        site: Site,
    ) {
        if self.cx.bodies[self.id.0 as usize].test {
            return;
        }
        let signature = self.model.signature(function);
        for (index, (arg, ty)) in args.skip(1).zip(&signature.params).enumerate() {
            if points_to_lock(self.model, ty) {
                let from = self.slot(arg);
                self.out.flow(Flow { to: Slot::Param(function.0, index as u32 + 1), from }, site);
            }
        }
    }

    /// `let (sender, receiver) = watch::channel(value);` names one lock twice.
    pub(super) fn pair_ends(&mut self, pat: PatId, init: ExprId) {
        let role = match self.types.calls.get(&init).map(|callee| &callee.target) {
            Some(Target::Fn(function)) => self.model.known.roles.get(function).copied(),
            _ => None,
        };
        let PatKind::Tuple(ends) = &self.body[pat].kind else { return };
        let locals: Vec<_> = ends.iter().filter_map(|end| self.types.bindings.get(end).copied()).collect();
        if let (Some(Role::Watch), [sender, receiver]) = (role, &locals[..]) {
            let place = self.local_place(*receiver);
            self.places.insert(*sender, place);
        }
    }

    fn slot(&self, place: Option<&Place>) -> Option<Slot> {
        let place = place?;
        match (self.cx.class(place), place.root) {
            (Some(class), _) => Some(Slot::Class(class.key)),
            (None, Root::Param(param)) if place.steps.is_empty() => Some(Slot::Param(self.id.0, param)),
            _ => None,
        }
    }
}

/// Whether a value of this type is a pointer to a lock that others can have, too.
pub(super) fn points_to_lock(model: &Model<'_>, ty: &Ty) -> bool {
    let mut ty = ty.peeled();
    let mut pointer = false;
    while let Ty::Adt(id, args) = ty {
        match model.adt(*id).lock {
            // An end of a watch channel points to the lock behind both.
            Some(LockType::Lock { shape: Shape::Watch, .. }) => return true,
            Some(_) => return pointer,
            None => {}
        }
        if !model.known.transparent.contains(id) && model.known.option != Some(*id) {
            return false;
        }
        pointer |= model.known.transparent.contains(id);
        let Some(inner) = args.first() else { return false };
        ty = inner.peeled();
    }
    false
}

//! What runs without being written: operators, formatting, `next` in loops, and the drops of values.
//!
//! Guarantees: a value that is dropped runs the drops of [`crate::regions::glue`], where it is dropped.
//!
//! Misses: drops of collections' elements other than by `clear`, of values assigned over, and of variables of which a
//! part was moved out (rustc drops the rest).

use super::{Use, Walker};
use crate::model::FnId;
use crate::model::ty::Ty;
use crate::regions::glue::glue;
use crate::regions::place::{Index, Place, Step};
use crate::regions::state::Value;
use crate::regions::summary::Site;
use crate::syntax::{ExprId, ExprKind};

impl Walker<'_> {
    /// Runs a function of the sources that an expression stands for, where there is one.
    pub(super) fn operator(&mut self, id: ExprId, operands: &[Value]) -> Option<Value> {
        let callee = self.types.calls.get(&id)?;
        let crate::model::infer::Target::Fn(function) = callee.target else { return None };
        let targets = self.model.dispatch(function)?;
        let operands: Vec<Value> = operands.iter().map(|value| Value::of(value.place.clone())).collect();
        Some(self.run_targets(id, &targets, &operands))
    }

    /// Runs what using this argument or iterator runs.
    pub(super) fn hidden(&mut self, id: ExprId, value: &Value) {
        let Some(function) = self.types.hidden.get(&id).copied() else { return };
        let site = self.site(self.body[id].span);
        self.apply(function, &[Value::of(value.place.clone())], Some(site), false);
    }

    /// The arguments of a macro, and then what formatting them runs.
    pub(super) fn formatted(&mut self, args: &[ExprId]) {
        let values: Vec<Value> = args.iter().map(|arg| self.eval(*arg, Use::Place)).collect();
        for (arg, value) in args.iter().zip(&values) {
            self.hidden(*arg, value);
        }
    }

    /// An iterator in a variable runs the closure of its adapter when it is used up.
    pub(super) fn lazily(&mut self, iterator: ExprId, value: &Value) {
        let mut base = iterator;
        while let ExprKind::MethodCall { receiver, .. } = &self.body[base].kind {
            base = *receiver;
        }
        let Some(crate::model::infer::Name::Local(local)) = self.types.names.get(&base) else { return };
        let kept = self.callables.get(local).and_then(|callable| callable.closure);
        if let Some(closure) = value.closure.filter(|closure| kept == Some(*closure)) {
            self.run_closure(closure, &[]);
        }
    }

    /// Runs the `deref`s of the sources between a value and what is named of it.
    pub(super) fn dereferenced(&mut self, place: Option<Place>, derefs: &[FnId], id: ExprId) -> Option<Place> {
        let mut at = place.clone();
        for function in derefs {
            let busy = self.summary(*function).is_some_and(|summary| !summary.acquires.is_empty());
            if busy {
                let site = self.site(self.body[id].span);
                self.apply(*function, &[Value::of(at.clone())], Some(site), false);
            }
            at = self.through(at, std::slice::from_ref(function));
        }
        self.through(place, derefs)
    }

    /// The value of a statement's expression that nobody takes.
    pub(super) fn discarded(&mut self, id: ExprId, value: &Value) {
        if matches!(self.body[id].kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Await(_)) {
            let ty = self.ty(id).clone();
            let site = self.site(self.body[id].span);
            self.drop_value(&ty, value, Some(site));
        }
    }

    /// A value of this type is dropped.
    pub(super) fn drop_value(&mut self, ty: &Ty, value: &Value, site: Option<Site>) {
        for (function, steps) in glue(self.model, &self.cx.drops, ty) {
            if steps.is_empty() {
                let whole = Value { place: value.place.clone(), parts: value.parts.clone(), ..Value::default() };
                self.apply(function, &[whole], site, false);
                continue;
            }
            let place = value.place.clone();
            let place = place.and_then(|place| steps.iter().try_fold(place, |place, step| place.step(*step)));
            let place = place.map(|place| self.through_literal(place));
            self.apply(function, &[Value::of(place)], site, false);
        }
    }

    /// `collection.clear()` drops the elements.
    pub(super) fn cleared(&mut self, collection: &Ty, place: Option<Place>, site: Site) {
        let Ty::Adt(_, args) = collection.peeled() else { return };
        for element in args.iter() {
            let place = place.clone().and_then(|place| place.step(Step::Element(Index::Any)));
            self.drop_value(element, &Value::of(place), Some(site));
        }
    }

    /// A variable is matched against a pattern of its fields: parts of it may go elsewhere.
    pub(super) fn taken_apart(&mut self, value: &Value) {
        if let Some(place) = &value.place
            && let (crate::regions::place::Root::Local(_, local, _), true) = (place.root, place.steps.is_empty())
        {
            self.moved.insert(local);
        }
    }

    /// A part of a variable goes elsewhere: the rest of it is not followed any more.
    pub(super) fn note_part(&mut self, base: ExprId, how: Use, id: ExprId) {
        if how != Use::Move || !matches!(self.ty(id), Ty::Adt(..)) {
            return;
        }
        if let Some(crate::model::infer::Name::Local(local)) = self.types.names.get(&base) {
            self.moved.insert(*local);
        }
    }
}

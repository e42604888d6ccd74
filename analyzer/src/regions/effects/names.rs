//! What an expression names: the cell, the element of a collection, the variable; and whether it names the thing itself
//! or a copy of it.
//!
//! Guarantees: what the guard-scope interpreter took for a place counts only where the expression's type says that the
//! value still refers to it. A clone of guarded data is nobody's but its owner's.

use smallvec::SmallVec;

use super::flow::Flow;
use super::{Cell, Held, Key, library};
use crate::model::infer::{LocalId, Name};
use crate::model::locks::LockType;
use crate::model::ty::Ty;
use crate::regions::place::{Place, Root, Step};
use crate::syntax::{ExprId, ExprKind, Lit, StaticKind};

/// A cell: its place, what makes it one, the guard's acquisition, and all that is held.
type Named = (Place, Cell, Option<Held>, SmallVec<[Held; 2]>);

impl Flow<'_> {
    /// The cell that an expression names: its place, what makes it one, the guard's acquisition, and all that is held.
    pub(super) fn cell(&self, id: ExprId) -> Option<Named> {
        let place = self.seen.place(id)?;
        let ty = self.types.ty(id);
        let by_type = if library::is_atomic(self.cx.model, ty) {
            Some(Cell::Atomic)
        } else if library::is_tracked(self.cx.model, ty) {
            Some(Cell::Tracked)
        } else {
            None
        };
        if by_type.is_none() && !self.aliases(id) {
            return None;
        }
        self.cell_at(place, by_type, id)
    }

    /// The same for a place that is known.
    pub(super) fn cell_at(&self, place: &Place, by_type: Option<Cell>, id: ExprId) -> Option<Named> {
        let guards = self.seen.held(id);
        let held = guards.iter().filter(|guard| guard.must).map(|guard| (guard.site, None)).collect();
        if by_type.is_none() {
            for guard in guards.iter().rev() {
                let steps = guard.lock.steps.len();
                if guard.lock.root == place.root
                    && place.steps.len() > steps
                    && place.steps[..steps] == guard.lock.steps[..]
                    && place.steps[steps] == Step::Inside
                {
                    let cell = Cell::Guarded(steps as u32 + 1);
                    return Some((place.clone(), cell, Some((guard.site, None)), held));
                }
            }
        }
        let cell = match (by_type, place.root) {
            (Some(cell), Root::Static(id)) if self.is_shared_static(id) => cell,
            (Some(cell), Root::Param(_) | Root::Local(..)) => cell,
            (None, Root::Static(id)) if self.cx.model.statics[id.0 as usize].kind == StaticKind::StaticMut => {
                Cell::StaticMut
            }
            (None, Root::Param(_)) => Cell::Plain,
            _ => return None,
        };
        Some((place.clone(), cell, None, held))
    }

    fn is_shared_static(&self, id: crate::model::StaticId) -> bool {
        !matches!(
            self.cx.model.statics[id.0 as usize].kind,
            StaticKind::ThreadLocal | StaticKind::PerThread | StaticKind::Const
        )
    }

    /// Whether an expression names the thing itself, not a copy of it.
    pub(super) fn aliases(&self, id: ExprId) -> bool {
        match &self.body[id].kind {
            ExprKind::Path(_) => match self.types.names.get(&id) {
                Some(Name::Local(local)) => {
                    let data = &self.types.locals[local.0 as usize];
                    data.by_ref || self.points(&data.ty)
                }
                Some(Name::Static(_)) => true,
                _ => false,
            },
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => {
                self.aliases(*base) || self.points(self.types.ty(*base))
            }
            ExprKind::Deref(inner) => self.aliases(*inner) || self.points(self.types.ty(*inner)),
            ExprKind::Ref { expr, .. } => self.aliases(*expr),
            ExprKind::Try(_) | ExprKind::Await(_) | ExprKind::Call { .. } | ExprKind::MethodCall { .. } => {
                self.points(self.types.ty(id))
            }
            _ => false,
        }
    }

    /// Whether a value of this type refers to something else.
    pub(super) fn points(&self, ty: &Ty) -> bool {
        let model = self.cx.model;
        match ty {
            Ty::Ref(_) | Ty::Ptr(_) => true,
            Ty::Adt(id, args) => {
                let is = |path: &str| model.adt_path(*id) == path;
                matches!(model.adt(*id).lock, Some(LockType::Guard { .. }))
                    || self.cx.carriers.contains_key(id)
                    || (model.known.transparent.contains(id) && !is("std::boxed::Box") && !is("std::borrow::Cow"))
                    || ((Some(*id) == model.known.option || Some(*id) == model.known.result)
                        && args.first().is_some_and(|inner| self.points(inner)))
            }
            _ => false,
        }
    }

    pub(super) fn owns(&self, local: LocalId) -> bool {
        let data = &self.types.locals[local.0 as usize];
        !data.by_ref && data.param != Some(0) && !self.points(&data.ty)
    }

    /// The variable that a place expression begins with.
    pub(super) fn base(&self, place: ExprId) -> Option<LocalId> {
        let mut at = place;
        loop {
            match &self.body[at].kind {
                ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => at = *base,
                ExprKind::Deref(inner) | ExprKind::Ref { expr: inner, .. } => at = *inner,
                ExprKind::Path(_) => match self.types.names.get(&at) {
                    Some(Name::Local(local)) => return Some(*local),
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Which element a place expression names.
    pub(super) fn element(&self, place: ExprId) -> Key {
        let mut at = place;
        loop {
            match &self.body[at].kind {
                ExprKind::Index { index, .. } => return self.key(*index),
                ExprKind::Field { base, .. } => at = *base,
                ExprKind::Deref(inner) | ExprKind::Ref { expr: inner, .. } | ExprKind::Try(inner) => at = *inner,
                ExprKind::MethodCall { method, args, .. } if library::is_keyed(method.as_str()) && !args.is_empty() => {
                    return self.key(args[0]);
                }
                ExprKind::MethodCall { receiver, .. } => at = *receiver,
                ExprKind::Path(_) => match self.types.names.get(&at) {
                    Some(Name::Local(local)) => return self.elements.get(local).cloned().unwrap_or(Key::Whole),
                    _ => return Key::Whole,
                },
                _ => return Key::Whole,
            }
        }
    }

    /// An expression as the key of an element.
    pub(super) fn key(&self, id: ExprId) -> Key {
        match &self.body[id].kind {
            ExprKind::Lit(Lit::Int(number)) => Key::Number(*number),
            ExprKind::Ref { expr, .. } => self.key(*expr),
            ExprKind::Range { .. } => Key::Some,
            _ => self.seen.place(id).map_or(Key::Unknown, |place| Key::At(place.clone())),
        }
    }
}

//! One-time initialisations: which cell's initialiser runs, and whether it reaches itself.
//!
//! Guarantees: reported only where the cell is the same for sure (equal and stable access paths).
//!
//! Misses: cells behind unresolved calls, initialisers given as function pointers, re-entrance across threads.

use super::Walker;
use crate::model::infer::{BodyTypes, Name};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model, StaticId};
use crate::regions::blocking::Reentrant;
use crate::regions::blocking::summary::{Initialises, MOST};
use crate::regions::context::Context;
use crate::regions::place::{Place, Root};
use crate::regions::summary::{LONGEST_WAY, Way};
use crate::syntax::{ExprId, Span, StaticKind};

impl Walker<'_> {
    /// An initialiser begins. Gives whether there is one to end.
    pub(super) fn begin_initialisation(&mut self, place: Option<Place>, ty: &Ty, id: ExprId) -> bool {
        let (Some(place), Some(adt)) = (place, self.model.adt_of(ty)) else { return false };
        let site = self.site(self.body[id].span);
        self.reaches(Initialises { cell: place.clone(), adt: Some(adt), site, way: Way::new(), always: true });
        self.blocking.initialising.push((place, site, self.branches));
        true
    }

    pub(super) fn end_initialisation(&mut self, begun: bool) {
        if begun {
            self.blocking.initialising.pop();
        }
    }

    /// A cell is about to be initialised, here or in a callee.
    pub(super) fn reaches(&mut self, reached: Initialises) {
        if !self.state.reachable {
            return;
        }
        let Initialises { cell, adt, site, way, always } = reached;
        if let Some((_, first, branches)) =
            self.blocking.initialising.iter().find(|(known, ..)| *known == cell && cell.is_stable())
            && let Some(class) = self.cx.class(&cell)
        {
            let info = &self.cx.bodies[self.id.0 as usize];
            let found = Reentrant {
                function: self.cx.name(self.id),
                test: info.test,
                name: class.name,
                key: class.key,
                kind: adt.map_or_else(|| "lazy_static".to_string(), |adt| self.model.adt_path(adt).to_string()),
                first: self.cx.location(*first),
                way: way.iter().map(|site| self.cx.location(*site)).collect(),
                again: self.cx.location(site),
                always: always && self.branches == *branches,
            };
            if !self.blocking.facts.reentrant.contains(&found) {
                self.blocking.facts.reentrant.push(found);
            }
            return;
        }
        let known = &mut self.blocking.summary.initialises;
        if self.detached == 0 && known.len() < MOST && !known.iter().any(|other| other.cell == cell) {
            known.push(Initialises { cell, adt, site, way, always: always && self.branches == 0 });
        }
    }

    /// A static is named: a lazy one is initialised by its first use.
    pub(super) fn note_static(&mut self, id: StaticId, span: Span) {
        let Some(adt) = lazy(self.model, id) else { return };
        let site = self.site(span);
        let place = Place::new(Root::Static(id));
        self.reaches(Initialises { cell: place, adt, site, way: Way::new(), always: true });
        let body = FnId(self.model.fns.len() as u32 + id.0);
        let Some(summary) = self.summary(body) else { return };
        for inner in &summary.blocking.initialises {
            if !inner.way.contains(&site) {
                let way = std::iter::once(site).chain(inner.way.iter().copied()).take(LONGEST_WAY).collect();
                self.reaches(Initialises { cell: inner.cell.unkeyed(), way, ..inner.clone() });
            }
        }
    }

    /// The body of a lazy static runs while it is initialised.
    pub(super) fn begin_static(&mut self) {
        let Some(index) = (self.id.0 as usize).checked_sub(self.model.fns.len()) else { return };
        let id = StaticId(index as u32);
        if lazy(self.model, id).is_some() {
            let site = self.site(self.model.statics[index].span);
            self.blocking.initialising.push((Place::new(Root::Static(id)), site, self.branches));
        }
    }
}

/// Whether a static is initialised by its first use; with its type, where it has one of its own for that.
pub(in crate::regions) fn lazy(model: &Model<'_>, id: StaticId) -> Option<Option<AdtId>> {
    let data = &model.statics[id.0 as usize];
    match data.kind {
        StaticKind::Lazy => Some(None),
        StaticKind::Static | StaticKind::StaticMut => {
            let adt = model.adt_of(&data.ty)?;
            matches!(model.adt_path(adt), "std::sync::LazyLock" | "once_cell::sync::Lazy").then_some(Some(adt))
        }
        StaticKind::Const | StaticKind::ThreadLocal | StaticKind::PerThread => None,
    }
}

/// The bodies of the lazy statics that a body names: it may be the one to run them.
pub(in crate::regions) fn lazy_statics(cx: &Context<'_>, types: &BodyTypes) -> Vec<FnId> {
    let statics = types.names.values().filter_map(|name| match name {
        Name::Static(id) if lazy(cx.model, *id).is_some() => Some(*id),
        _ => None,
    });
    statics.map(|id| FnId(cx.model.fns.len() as u32 + id.0)).collect()
}

//! What the guard-scope interpreter saw at each expression: the place that it names and the guards held there.
//!
//! Guarantees: the first time an expression was evaluated counts; equal held sets are kept once.

use smallvec::SmallVec;

use crate::model::infer::ByExpr;
use crate::regions::place::Place;
use crate::regions::state::{State, Value};
use crate::regions::summary::Site;
use crate::syntax::{ExprId, ExprKind};

/// A guard that is held.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::regions) struct Guard {
    pub(in crate::regions) lock: Place,
    pub(in crate::regions) site: Site,
    pub(in crate::regions) must: bool,
}

/// What was seen.
#[derive(Debug)]
pub(in crate::regions) struct Seen {
    places: ByExpr<(Option<Place>, u32)>,
    held: Vec<SmallVec<[Guard; 2]>>,
}

impl Seen {
    /// Nothing yet of a body with so many expressions.
    pub(in crate::regions) fn new(exprs: usize) -> Seen {
        Seen { places: ByExpr::new(exprs), held: Vec::new() }
    }

    /// Notes an expression after it was evaluated.
    pub(in crate::regions) fn note(&mut self, id: ExprId, kind: &ExprKind, value: &Value, state: &State) {
        let call = matches!(kind, ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Await(_));
        if (value.place.is_none() && !call) || !state.reachable || self.places.get(&id).is_some() {
            return;
        }
        let guards = || state.guards.iter().filter(|guard| guard.param.is_none());
        let same = self.held.last().is_some_and(|last| {
            last.len() == guards().count()
                && last.iter().zip(guards()).all(|(known, guard)| {
                    known.site == guard.held.site
                        && known.must == guard.held.must
                        && known.lock == guard.held.lock.place
                })
        });
        if !same {
            let held = guards().map(|guard| Guard {
                lock: guard.held.lock.place.clone(),
                site: guard.held.site,
                must: guard.held.must,
            });
            self.held.push(held.collect());
        }
        self.places.insert(id, (value.place.clone(), self.held.len() as u32 - 1));
    }

    /// The place that an expression names.
    pub(super) fn place(&self, id: ExprId) -> Option<&Place> {
        self.places.get(&id)?.0.as_ref()
    }

    /// The guards held there.
    pub(super) fn held(&self, id: ExprId) -> &[Guard] {
        self.places.get(&id).and_then(|(_, held)| self.held.get(*held as usize)).map_or(&[], |held| &held[..])
    }
}

//! The stack of scopes, and the frames that control leaves to.
//!
//! Guarantees: whatever leaves a scope ends its guards, variables before temporaries, in reverse order of declaration.

use smallvec::SmallVec;

use super::{Frame, FrameKind, Scope, Walker};
use crate::model::infer::LocalId;
use crate::model::ty::Ty;
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::syntax::Symbol;

impl Walker<'_> {
    pub(super) fn push_temporaries(&mut self) -> u32 {
        let id = self.fresh();
        self.scopes.push(Scope { id, locals: None, temporaries: Vec::new() });
        id
    }

    pub(super) fn pop_temporaries(&mut self, id: u32) {
        while let Some(scope) = self.scopes.pop() {
            self.end_scope(&scope);
            if scope.id == id {
                break;
            }
        }
    }

    pub(super) fn push_block(&mut self) -> u32 {
        let id = self.fresh();
        self.scopes.push(Scope { id, locals: Some(Vec::new()), temporaries: Vec::new() });
        id
    }

    pub(super) fn pop_block(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.end_scope(&scope);
        }
    }

    pub(super) fn drop_local(&mut self, local: LocalId) {
        self.state.release(|guard| guard.owner == Owner::Local(local));
        self.end_value(local);
    }

    /// Runs the drops of what is in a variable.
    fn end_value(&mut self, local: LocalId) {
        let data = &self.types.locals[local.0 as usize];
        if matches!(data.ty, Ty::Adt(..)) && !data.by_ref && !self.moved.contains(&local) {
            let ty = data.ty.clone();
            let place = Some(self.local_place(local));
            self.drop_value(&ty, &Value::of(place), None);
        }
    }

    pub(super) fn temporary(&self) -> Owner {
        let scope = self.scopes.iter().rev().find(|scope| scope.locals.is_none());
        scope.map_or(Owner::Nobody, |scope| Owner::Temporary(scope.id))
    }

    pub(super) fn innermost_block(&self) -> Owner {
        let scope = self.scopes.iter().rev().find(|scope| scope.locals.is_some());
        scope.map_or(Owner::Nobody, |scope| Owner::Temporary(scope.id))
    }

    pub(super) fn declare(&mut self, local: LocalId) {
        if let Some(locals) = self.scopes.iter_mut().rev().find_map(|scope| scope.locals.as_mut()) {
            locals.push(local);
        }
    }

    /// Runs `f` in a temporary scope of its own.
    pub(super) fn terminating<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let scope = self.push_temporaries();
        let out = f(self);
        self.pop_temporaries(scope);
        out
    }

    pub(super) fn push_frame(&mut self, kind: FrameKind, label: Option<Symbol>) {
        self.frames.push(Frame {
            kind,
            label,
            depth: self.scopes.len(),
            exits: State::unreachable(),
            continues: State::unreachable(),
            guards: SmallVec::new(),
        });
    }

    pub(super) fn pop_frame(&mut self) -> Frame {
        self.frames.pop().unwrap_or_else(|| Frame {
            kind: FrameKind::Body,
            label: None,
            depth: 0,
            exits: State::unreachable(),
            continues: State::unreachable(),
            guards: SmallVec::new(),
        })
    }

    /// What leaves these scopes early drops their variables, the last one first, while those before it still hold
    /// their guards. Where nothing is held, the end of the scopes says the same.
    fn drop_on_the_way(&mut self, depth: usize, keep: &[GuardId]) {
        if self.cx.drops.is_empty() || !self.state.reachable || self.state.guards.is_empty() {
            return;
        }
        for at in (depth.min(self.scopes.len())..self.scopes.len()).rev() {
            let scope = self.scopes[at].id;
            let locals = self.scopes[at].locals.clone().unwrap_or_default();
            for local in locals.into_iter().rev() {
                self.state.release(|guard| guard.owner == Owner::Local(local) && !keep.contains(&guard.id));
                if !self.late.contains(&local) {
                    self.end_value(local);
                }
            }
            self.state.release(|guard| guard.owner == Owner::Temporary(scope) && !keep.contains(&guard.id));
        }
    }

    /// Leaves to a frame: everything in between is dropped, in order.
    pub(super) fn leave(&mut self, index: usize, continues: bool, keep: &[GuardId]) {
        let depth = self.frames[index].depth;
        self.drop_on_the_way(depth, keep);
        let gone: Vec<Owner> = self.scopes[depth.min(self.scopes.len())..]
            .iter()
            .flat_map(|scope| {
                let locals = scope.locals.iter().flatten().map(|local| Owner::Local(*local));
                locals.chain([Owner::Temporary(scope.id)])
            })
            .collect();
        let mut state = std::mem::replace(&mut self.state, State::unreachable());
        state.release(|guard| gone.contains(&guard.owner) && !keep.contains(&guard.id));
        let frame = &mut self.frames[index];
        if continues {
            frame.continues.join(state);
        } else {
            frame.exits.join(state);
            frame.guards.extend(keep.iter().copied());
        }
    }
}

//! Temporaries with a destructor of their own, and the end of a scope.
//!
//! Guarantees: at the end of a scope variables die in the reverse order of their declaration, temporaries in the reverse
//! order of their creation, guards among them (Rust Reference, "Destructors").
//!
//! Misses: temporaries that a `let` extends, and those that a jump leaves behind; their destructors are not run.

use super::{Scope, Walker};
use crate::model::FnId;
use crate::model::ty::Ty;
use crate::regions::state::{Owner, Value};
use crate::syntax::ExprId;
use crate::syntax::ExprKind::{Call, MethodCall, Struct};

/// A temporary whose destructor stands in the sources.
#[derive(Debug)]
pub(super) struct Temporary {
    /// Guards with a higher number are younger.
    number: u32,
    drop: FnId,
    value: Value,
}

impl Walker<'_> {
    /// Drops what the scope has.
    pub(super) fn end_scope(&mut self, scope: &Scope) {
        for local in scope.locals.iter().flatten().rev() {
            self.drop_local(*local);
        }
        let ours = Owner::Temporary(scope.id);
        for temporary in scope.temporaries.iter().rev() {
            // The younger ones die first.
            self.state.release(|guard| guard.owner == ours && guard.id.0 > temporary.number);
            self.apply(temporary.drop, std::slice::from_ref(&temporary.value), None, false);
        }
        self.state.release(|guard| guard.owner == ours);
    }

    /// The value of `id` stays a temporary: remembers its destructor, to run at the end of the scope.
    pub(super) fn keep_temporary(&mut self, id: ExprId, value: &Value) {
        if !matches!(self.body[id].kind, Call { .. } | MethodCall { .. } | Struct { .. }) || !self.state.reachable {
            return;
        }
        let Ty::Adt(adt, _) = self.ty(id) else { return };
        let Some(drop) = self.cx.drops.get(adt).copied() else { return };
        let number = self.fresh();
        if let Some(scope) = self.scopes.iter_mut().rev().find(|scope| scope.locals.is_none()) {
            scope.temporaries.push(Temporary { number, drop, value: value.clone() });
        }
    }
}

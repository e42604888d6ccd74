//! What keeps a wait or an acquisition from blocking although a guard lives: a lock that was made under the guard, and a
//! flag in the guard's own data.
//!
//! Guarantees: a lock counts as made here only where a variable is initialised by the call that makes it, and only in
//! bodies that start no threads: whoever finds it later has to get past the guards that lived before. A flag is a field
//! of what a guard guards, compared or negated; what a condition calls or takes out says nothing.
//!
//! Misses: locks that are sent to a thread that ran before; flags read into a variable first.

use super::Walker;
use crate::model::infer::{Name, Target};
use crate::model::ty::Ty;
use crate::regions::place::Root;
use crate::regions::state::{LiveGuard, Owner};
use crate::regions::summary::LockRef;
use crate::syntax::{ExprId, ExprKind, PatId, PatKind};

impl Walker<'_> {
    /// `let name = Mutex::new(..)`, also in pointers.
    pub(super) fn note_made(&mut self, pat: PatId, init: ExprId) {
        let PatKind::Ident { .. } = &self.body[pat].kind else { return };
        let Some(local) = self.types.bindings.get(&pat).copied() else { return };
        if self.makes_lock(init) {
            let now = self.fresh();
            self.made.insert(local, now);
        }
    }

    pub(super) fn makes_lock(&self, init: ExprId) -> bool {
        let mut at = init;
        loop {
            let ExprKind::Call { args, .. } = &self.body[at].kind else { return false };
            let Some(Target::Fn(function)) = self.types.calls.get(&at).map(|callee| &callee.target) else {
                return false;
            };
            let data = self.model.function(*function);
            if !self.model.crate_of(data.module).stub
                || !matches!(data.syntax.name.as_str(), "new" | "default" | "from")
            {
                return false;
            }
            if self.lock_type(self.ty(at)).is_some() {
                return true;
            }
            let [inner] = &args[..] else { return false };
            at = *inner;
        }
    }

    /// Whether a lock was made after this guard was taken: nobody else can hold it while the guard lives.
    pub(super) fn is_made_under(&self, guard: &LiveGuard, lock: &LockRef) -> bool {
        let Root::Local(body, local, _) = lock.place.root else { return false };
        body == self.id
            && self.tasks.is_empty()
            && lock.place.steps.is_empty()
            && self.made.get(&local).is_some_and(|made| guard.id.0 < *made)
    }

    /// Notes the locks that guard the flags of a condition; gives how many were noted before.
    pub(super) fn decided_by(&mut self, cond: ExprId) -> usize {
        let before = self.blocking.deciding.len();
        let mut open = vec![cond];
        while let Some(at) = open.pop() {
            match &self.body[at].kind {
                ExprKind::Unary(inner) | ExprKind::Deref(inner) => open.push(*inner),
                ExprKind::Logic { lhs, rhs, .. } | ExprKind::Binary { lhs, rhs, .. } => open.extend([*lhs, *rhs]),
                ExprKind::Field { .. } | ExprKind::Path(_) => {
                    if let Some(lock) = self.guarded_flag(at) {
                        self.blocking.deciding.push(lock);
                    }
                }
                _ => {}
            }
        }
        before
    }

    /// The lock of the guard in whose data a field lies.
    fn guarded_flag(&self, field: ExprId) -> Option<LockRef> {
        let mut base = field;
        while let ExprKind::Field { base: inner, .. } | ExprKind::Deref(inner) = &self.body[base].kind {
            base = *inner;
        }
        let Some(Name::Local(local)) = self.types.names.get(&base) else { return None };
        let plain = matches!(self.ty(field).peeled(), Ty::Prim) || base == field;
        let guard = self.state.guards.iter().find(|guard| guard.owner == Owner::Local(*local))?;
        plain.then(|| guard.held.lock.clone())
    }
}

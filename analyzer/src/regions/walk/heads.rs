//! Guards that are temporaries in the head of a `match`, `if let`, `while let` or `for`, and live as long as it does.
//!
//! Guarantees: only guards that the head itself makes and does not hand to its pattern.

use super::Walker;
use crate::model::ty::Ty;
use crate::regions::blocking::Head;
use crate::regions::state::{Owner, Value};
use crate::syntax::{ExprId, ExprKind};

impl Walker<'_> {
    /// The head was evaluated; guards with numbers above `before` are its own.
    pub(super) fn note_head(
        &mut self,
        head: ExprId,
        construct: &'static str,
        before: u32,
        value: &Value,
        last_line: u32,
    ) {
        if !self.state.reachable {
            return;
        }
        let site = self.site(self.body[head].span);
        let new: Vec<_> = self
            .state
            .guards
            .iter()
            .filter(|guard| guard.id.0 > before && guard.param.is_none() && !guard.try_)
            .filter(|guard| matches!(guard.owner, Owner::Temporary(_)) && !value.guards.contains(&guard.id))
            .map(|guard| guard.held.clone())
            .collect();
        for held in new {
            let info = &self.cx.bodies[self.id.0 as usize];
            let found = Head {
                function: self.cx.name(self.id),
                test: info.test,
                construct: construct.to_string(),
                held: self.side_of(&held),
                head: self.cx.location(site),
                last_line,
                needed: self.may_borrow(head),
            };
            if !self.blocking.facts.heads.contains(&found) {
                self.blocking.facts.heads.push(found);
            }
        }
    }

    /// Whether what the head gives may borrow from something.
    fn may_borrow(&self, head: ExprId) -> bool {
        if let ExprKind::MethodCall { method, .. } = &self.body[head].kind
            && matches!(method.as_str(), "cloned" | "copied" | "to_owned" | "to_vec" | "to_string")
        {
            return false;
        }
        let is_place = matches!(
            self.body[head].kind,
            ExprKind::Path(_)
                | ExprKind::Field { .. }
                | ExprKind::Index { .. }
                | ExprKind::Deref(_)
                | ExprKind::Ref { .. }
        );
        is_place
            || self.ty(head).any(&mut |part| match part {
                Ty::Prim | Ty::Never | Ty::Tuple(_) | Ty::FnPtr(..) => false,
                Ty::Adt(adt, _) => {
                    let data = self.model.adt(*adt);
                    let stub = self.model.crate_of(data.module).stub;
                    let owned = ["Option", "Result", "Vec", "String", "Box", "Arc", "Rc", "HashMap", "BTreeMap"];
                    // A type of the sources may have a lifetime.
                    !(stub && owned.contains(&data.name.as_str()))
                }
                _ => true,
            })
    }
}

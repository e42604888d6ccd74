//! Which functions can be entered from outside: those may be called with nothing held.
//!
//! Guarantees: a function that is public, implements a trait, is a test or `main`, or is used as a value counts as one
//! that anybody may call. All others are only entered where the sources call them.

use rustc_hash::FxHashSet;

use super::Context;
use crate::model::FnId;
use crate::model::infer::Name;
use crate::syntax::{ExprId, ExprKind};

/// Functions that anybody may call.
pub(super) fn roots(cx: &Context<'_>) -> FxHashSet<FnId> {
    let mut out = FxHashSet::default();
    for (index, function) in cx.model.fns.iter().enumerate() {
        let of_trait = function.trait_.is_some()
            || function.impl_.is_some_and(|id| cx.model.impls[id.0 as usize].trait_path.is_some());
        if function.syntax.public || of_trait || function.syntax.test || function.syntax.name.as_str() == "main" {
            out.insert(FnId(index as u32));
        }
    }
    for index in 0..cx.bodies.len() {
        let Some((body, types)) = cx.body(super::place::BodyId(index as u32)) else { continue };
        let callees: FxHashSet<ExprId> = body
            .exprs
            .iter()
            .filter_map(|expr| match expr.kind {
                ExprKind::Call { callee, .. } => Some(callee),
                _ => None,
            })
            .collect();
        let values = types.names.iter().filter(|(expr, _)| !callees.contains(expr));
        out.extend(values.filter_map(|(_, name)| match name {
            Name::Fn(id) => Some(*id),
            _ => None,
        }));
    }
    out
}

//! Walking the tree: the direct children of an expression, in source order.

use super::{ExprId, ExprKind, Stmt};

/// Calls `f` with every direct child. Items inside bodies are no children.
pub fn children(kind: &ExprKind, f: &mut dyn FnMut(ExprId)) {
    use ExprKind::*;
    match kind {
        Path(_) | QualifiedPath { .. } | Lit(_) | Continue { .. } | Unknown => {}
        Call { callee, args } => {
            f(*callee);
            args.iter().copied().for_each(f);
        }
        MethodCall { receiver, args, .. } => {
            f(*receiver);
            args.iter().copied().for_each(f);
        }
        Field { base, .. } => f(*base),
        Index { base, index } => [*base, *index].into_iter().for_each(f),
        Deref(expr) | Unary(expr) | Await(expr) | Try(expr) | Ref { expr, .. } | Cast { expr, .. } => f(*expr),
        Binary { lhs, rhs, .. } | Logic { lhs, rhs, .. } => [*lhs, *rhs].into_iter().for_each(f),
        Assign { place, value } | AssignOp { place, value } => [*place, *value].into_iter().for_each(f),
        Block { stmts, .. } => {
            for stmt in stmts {
                match stmt {
                    Stmt::Let { init, els, .. } => init.iter().chain(els).copied().for_each(&mut *f),
                    Stmt::Expr { expr, .. } => f(*expr),
                }
            }
        }
        If { cond, then, els } => {
            [*cond, *then].into_iter().for_each(&mut *f);
            els.iter().copied().for_each(f);
        }
        Let { scrutinee, .. } => f(*scrutinee),
        Match { scrutinee, arms } => {
            f(*scrutinee);
            for arm in arms {
                arm.guard.iter().copied().for_each(&mut *f);
                f(arm.body);
            }
        }
        Loop { body, .. } | Closure { body, .. } | Async { body, .. } => f(*body),
        While { cond, body, .. } => [*cond, *body].into_iter().for_each(f),
        For { iter, body, .. } => [*iter, *body].into_iter().for_each(f),
        Break { value, .. } | Return(value) | Yield(value) => value.iter().copied().for_each(f),
        Struct { fields, rest, .. } => {
            fields.iter().for_each(|(_, value)| f(*value));
            rest.iter().copied().for_each(f);
        }
        Tuple(items) | Array { items, .. } => items.iter().copied().for_each(f),
        Repeat { item, len, .. } => [*item, *len].into_iter().for_each(f),
        Range { from, to } => from.iter().chain(to).copied().for_each(f),
        Macro { args, .. } => args.iter().copied().for_each(f),
        Select { arms } => {
            for arm in arms {
                arm.future.iter().chain(&arm.guard).copied().for_each(&mut *f);
                f(arm.body);
            }
        }
    }
}

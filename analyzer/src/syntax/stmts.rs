//! Blocks and statements: from syn to the plain tree.
//!
//! Guarantees: only a last expression without a semicolon is the value of its block; items in bodies, also those of
//! `thread_local!` and its like, are statements of their own.

use super::attributes::{in_usual_build, mark_test, of_expr};
use super::lower::{BodyLowering, Lowered};
use super::spans;
use super::tree::{BlockKind, ExprKind, Pos, Stmt, Symbol};
use syn::{Block, Expr, Pat};
use thin_vec::ThinVec;

impl BodyLowering<'_> {
    pub(super) fn labelled_block(&mut self, label: Option<&syn::Label>, block: &Block) -> Lowered {
        let start = label.map(|label| spans::start(label.name.apostrophe));
        let label = label.map(|label| self.file.label(&label.name));
        self.block_at(start, label, block, BlockKind::Plain)
    }

    /// A block that is part of another expression.
    pub(super) fn block(&mut self, block: &Block) -> Lowered {
        self.file.depth += 1;
        let lowered = self.block_at(None, None, block, BlockKind::Plain);
        self.file.depth -= 1;
        lowered
    }

    pub(super) fn block_at(
        &mut self,
        start: Option<Pos>,
        label: Option<Symbol>,
        block: &Block,
        kind: BlockKind,
    ) -> Lowered {
        let mut span = spans::delimited(&block.brace_token.span);
        span.start = start.unwrap_or(span.start);
        let stmts = self.stmts(&block.stmts);
        self.push(span, ExprKind::Block { stmts, label, kind })
    }

    pub(super) fn stmts(&mut self, stmts: &[syn::Stmt]) -> ThinVec<Stmt> {
        let mut lowered = ThinVec::with_capacity(stmts.len());
        let last = stmts.len().wrapping_sub(1);
        let is_let = |stmt: &syn::Stmt, usual: bool| matches!(stmt, syn::Stmt::Local(local) if in_usual_build(&local.attrs) == Some(usual));
        // Of `#[cfg(unix)] let guard = ..; #[cfg(windows)] let guard = ..;` there is one at a time.
        let has_usual = stmts.iter().any(|stmt| is_let(stmt, true));
        for (index, stmt) in stmts.iter().enumerate() {
            match stmt {
                // In the middle of code that is no test, `#[cfg(test)]` statements are not there when it runs.
                syn::Stmt::Local(local) if mark_test(&local.attrs) => {}
                syn::Stmt::Expr(expr, _) if mark_test(of_expr(expr)) => {}
                syn::Stmt::Macro(stmt) if mark_test(&stmt.attrs) => {}
                stmt if has_usual && is_let(stmt, false) => {}
                syn::Stmt::Local(local) => {
                    let stmt = self.local(local);
                    lowered.push(stmt);
                }
                syn::Stmt::Item(item) => {
                    let mut items = std::mem::take(&mut self.items);
                    self.file.item(item, &mut items);
                    self.items = items;
                }
                // A lone `;`.
                syn::Stmt::Expr(Expr::Verbatim(tokens), _) if tokens.is_empty() => {}
                syn::Stmt::Expr(expr, semi) => {
                    let expr = self.id(expr);
                    // `if x {} y()`: a block-like expression in the middle needs no semicolon and is no value.
                    lowered.push(Stmt::Expr { expr, semi: semi.is_some() || index != last });
                }
                syn::Stmt::Macro(stmt) => {
                    let value = stmt.semi_token.is_none() && index == last;
                    self.macro_stmt(&stmt.mac, !value, &mut lowered);
                }
            }
        }
        lowered
    }

    fn local(&mut self, local: &syn::Local) -> Stmt {
        let (pat, ty) = match &local.pat {
            Pat::Type(pat) => (&*pat.pat, Some(&*pat.ty)),
            pat => (pat, None),
        };
        let init = local.init.as_ref().map(|init| self.id(&init.expr));
        let els = local.init.as_ref().and_then(|init| init.diverge.as_ref()).map(|(_, els)| self.id(els));
        let ty = ty.map(|ty| Box::new(self.file.ty(ty)));
        Stmt::Let { pat: self.pat(pat), ty, init, els }
    }
}

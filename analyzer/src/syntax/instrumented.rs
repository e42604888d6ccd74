//! `#[instrument(fields(name = ?value))]` of `tracing`: the values are evaluated before the function's body.
//!
//! Guarantees: the fields stand in the tree as the arguments of one `span!`, as the attribute expands to; their
//! temporaries live together to its end. Misses: `skip`, `level` and names given by expressions, which run nothing of
//! interest.

use proc_macro2::{Delimiter, TokenTree};
use syn::parse::Parser as _;
use syn::{Attribute, Block, Expr, Meta};
use thin_vec::thin_vec;

use super::lower::BodyLowering;
use super::tree::{BlockKind, ExprId, ExprKind, MacroKind, Stmt, Symbol};
use super::{macros, spans};

impl BodyLowering<'_> {
    /// A function's body, behind what its attributes evaluate.
    pub(super) fn instrumented(&mut self, attrs: &[Attribute], block: &Block) -> ExprId {
        let Some((attr, fields)) = attrs.iter().find_map(|attr| Some((attr, fields(attr)?))) else {
            return self.block(block).id;
        };
        let span = spans::path(attr.path());
        let args = self.args(&fields);
        let kind = MacroKind::Statement;
        let fields = self.push(span, ExprKind::Macro { name: Symbol::from("span"), kind, args });
        let body = self.block(block);
        let stmts = thin_vec![Stmt::Expr { expr: fields.id, semi: true }, Stmt::Expr { expr: body.id, semi: false }];
        self.push(body.span, ExprKind::Block { stmts, label: None, kind: BlockKind::Plain }).id
    }
}

/// What stands in `fields(..)`, unless it is names only.
fn fields(attr: &Attribute) -> Option<Vec<Expr>> {
    let Meta::List(list) = &attr.meta else { return None };
    if list.path.segments.last()?.ident != "instrument" {
        return None;
    }
    let mut tokens = list.tokens.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(name) if name == "fields"))?;
    let fields = match tokens.next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => group.stream(),
        _ => return None,
    };
    let fields = macros::arguments.parse2(fields).ok()?;
    fields.iter().any(|field| !matches!(field, Expr::Path(_) | Expr::Lit(_))).then_some(fields)
}

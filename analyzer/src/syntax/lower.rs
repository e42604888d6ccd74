//! What lowering carries through one file, and the builder of one body's arena.

use super::tree::{Body, BodyHead, Expr, ExprId, ExprKind, Item, Lit, Pat, PatId, PatKind, Span, Symbol, SyntaxNotice};

/// Expressions nested deeper than this are not followed: whoever walks the tree recursively relies on it.
pub const MAX_EXPR_DEPTH: u32 = 400;

/// Items nested deeper than this (modules, items in bodies) are not followed: whoever walks or drops the tree
/// recursively relies on it.
pub const MAX_ITEM_DEPTH: u32 = 100;

/// State of lowering one file.
#[derive(Default)]
pub(super) struct Lowering {
    /// The code of the functions and initialisers so far.
    pub(super) bodies: Vec<Body>,
    /// What was left out so far.
    pub(super) notices: Vec<SyntaxNotice>,
    /// Inside something marked as a test.
    pub(super) test: bool,
    /// How deep the current expression stands, across nested items.
    pub(super) depth: u32,
    pub(super) item_depth: u32,
    pub(super) type_depth: u32,
    /// How many macro calls the current tokens stand in.
    pub(super) macro_depth: u32,
    pub(super) name_buffer: String,
    pub(super) scratch: (Vec<Expr>, Vec<Pat>),
    /// The macros that can be called.
    pub(super) macros: super::expand::Macros,
}

/// Expansions inside expansions are followed so far: every level may add as much nesting as a definition has.
const MAX_EXPANSION_DEPTH: u32 = 8;

impl Lowering {
    /// What a call of a macro of the crate makes.
    pub(super) fn expansion(&mut self, mac: &syn::Macro) -> Option<proc_macro2::TokenStream> {
        let last = &mac.path.segments.last()?.ident;
        if self.macro_depth > MAX_EXPANSION_DEPTH {
            return None;
        }
        self.macros.expand(&last.to_string(), &mac.tokens, last.span())
    }

    pub(super) fn notice(&mut self, span: Span, message: impl Into<String>) {
        self.notices.push(SyntaxNotice { span, message: message.into() });
    }

    /// Lowers the code of one function or initialiser.
    pub(super) fn body(&mut self, build: impl FnOnce(&mut BodyLowering) -> ExprId) -> Box<BodyHead> {
        // Both grow in memory that the file's bodies share (one inside another has its own), and are copied out once.
        let (exprs, pats) = std::mem::take(&mut self.scratch);
        let mut lowering = BodyLowering { file: self, exprs, pats, items: Vec::new() };
        let root = build(&mut lowering);
        let BodyLowering { mut exprs, mut pats, items, .. } = lowering;
        #[expect(clippy::drain_collect, reason = "the buffers stay for the next body")]
        let body = Body { exprs: exprs.drain(..).collect(), pats: pats.drain(..).collect(), root };
        self.scratch = (exprs, pats);
        let integer = match body[root].kind {
            ExprKind::Lit(Lit::Int(value)) => Some(value),
            _ => None,
        };
        let index = self.bodies.len() as u32;
        self.bodies.push(body);
        Box::new(BodyHead { index, items, integer })
    }
}

/// The arena of one body while it is built.
pub(super) struct BodyLowering<'a> {
    pub(super) file: &'a mut Lowering,
    exprs: Vec<Expr>,
    pats: Vec<Pat>,
    /// Items met on the way.
    pub(super) items: Vec<Item>,
}

/// A lowered expression and its extent, which includes parentheses that the tree no longer has.
#[derive(Clone, Copy)]
pub(super) struct Lowered {
    pub(super) id: ExprId,
    pub(super) span: Span,
}

impl BodyLowering<'_> {
    pub(super) fn push(&mut self, span: Span, kind: ExprKind) -> Lowered {
        // 2^32 expressions need more source than one file can have (spans are 32-bit as well).
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(Expr { span, kind });
        Lowered { id, span }
    }

    pub(super) fn push_pat(&mut self, span: Span, kind: PatKind) -> PatId {
        let id = PatId(self.pats.len() as u32);
        self.pats.push(Pat { span, kind });
        id
    }

    pub(super) fn pat_span(&self, id: PatId) -> Span {
        self.pats[id.0 as usize].span
    }

    pub(super) fn name(&mut self, ident: &syn::Ident) -> Symbol {
        self.file.name(ident)
    }
}

//! Patterns: from syn to the plain tree.
//!
//! Misses: what a pattern macro would match, and guards inside nested patterns (unstable).

use super::lower::BodyLowering;
use super::spans;
use super::tree::{PatId, PatKind, Pos, Span, Symbol};
use syn::Pat;
use syn::punctuated::Punctuated;
use thin_vec::ThinVec;

/// Patterns nested deeper than this are not followed.
const MAX_PAT_DEPTH: u32 = 100;

impl BodyLowering<'_> {
    pub(super) fn pat(&mut self, pat: &Pat) -> PatId {
        self.pat_at(pat, 0)
    }

    fn pat_at(&mut self, pat: &Pat, depth: u32) -> PatId {
        let depth = depth + 1;
        if depth > MAX_PAT_DEPTH {
            let start = pat_start(pat);
            return self.push_pat(Span { start, end: start }, PatKind::Other);
        }
        match pat {
            Pat::Ident(pat) => {
                let sub = pat.subpat.as_ref().map(|(_, sub)| self.pat_at(sub, depth));
                let first = match (&pat.by_ref, &pat.mutability) {
                    (Some(by_ref), _) => by_ref.span,
                    (None, Some(mutability)) => mutability.span,
                    (None, None) => pat.ident.span(),
                };
                let end = sub.map_or_else(|| spans::end(pat.ident.span()), |sub| self.pat_span(sub).end);
                let name = self.name(&pat.ident);
                let span = Span { start: spans::start(first), end };
                self.push_pat(span, PatKind::Ident { name, by_ref: pat.by_ref.is_some(), sub })
            }
            Pat::Wild(pat) => self.push_pat(spans::of(pat.underscore_token.span), PatKind::Wild),
            Pat::Rest(pat) => self.push_pat(joined(&pat.dot2_token.spans), PatKind::Rest),
            Pat::Tuple(pat) => {
                let pats = self.pats(&pat.elems, depth);
                self.push_pat(spans::delimited(&pat.paren_token.span), PatKind::Tuple(pats))
            }
            Pat::TupleStruct(pat) => {
                let pats = self.pats(&pat.elems, depth);
                let path = Box::new(self.file.path(&pat.path));
                let start = self.qualified_start(pat.qself.as_ref(), &pat.path);
                let span = Span { start, end: spans::close(&pat.paren_token.span) };
                self.push_pat(span, PatKind::TupleStruct { path, pats })
            }
            Pat::Struct(pat) => {
                let mut fields = ThinVec::with_capacity(pat.fields.len());
                for field in &pat.fields {
                    let name = self.member(&field.member);
                    fields.push((name, self.pat_at(&field.pat, depth)));
                }
                let path = Box::new(self.file.path(&pat.path));
                let start = self.qualified_start(pat.qself.as_ref(), &pat.path);
                let span = Span { start, end: spans::close(&pat.brace_token.span) };
                self.push_pat(span, PatKind::Struct { path, fields })
            }
            Pat::Reference(pat) => {
                let inner = self.pat_at(&pat.pat, depth);
                let span = Span { start: spans::start(pat.and_token.span), end: self.pat_span(inner).end };
                self.push_pat(span, PatKind::Ref(inner))
            }
            Pat::Or(pat) => {
                let pats: ThinVec<PatId> = pat.cases.iter().map(|case| self.pat_at(case, depth)).collect();
                let ends = pats.first().zip(pats.last()).map(|(&first, &last)| (first, last));
                let span = ends.map_or_else(Span::default, |(first, last)| Span {
                    start: self.pat_span(first).start,
                    end: self.pat_span(last).end,
                });
                self.push_pat(span, PatKind::Or(pats))
            }
            Pat::Slice(pat) => {
                let pats = self.pats(&pat.elems, depth);
                self.push_pat(spans::delimited(&pat.bracket_token.span), PatKind::Slice(pats))
            }
            Pat::Path(pat) => {
                let path = Box::new(self.file.path(&pat.path));
                let start = self.qualified_start(pat.qself.as_ref(), &pat.path);
                let span = Span { start, end: spans::path_end(&pat.path) };
                self.push_pat(span, PatKind::Path(path))
            }
            Pat::Paren(pat) => self.pat_at(&pat.pat, depth),
            Pat::Type(pat) => self.pat_at(&pat.pat, depth),
            Pat::Guard(pat) => self.pat_at(&pat.pat, depth),
            Pat::Lit(pat) => self.push_pat(spans::of(pat.lit.span()), PatKind::Other),
            Pat::Const(pat) => {
                let span =
                    Span { start: spans::start(pat.const_token.span), end: spans::close(&pat.block.brace_token.span) };
                self.push_pat(span, PatKind::Other)
            }
            Pat::Macro(pat) => {
                let start = spans::path(&pat.mac.path).start;
                self.push_pat(Span { start, end: spans::close(pat.mac.delimiter.span()) }, PatKind::Other)
            }
            Pat::Range(pat) => {
                let limits = limits(&pat.limits);
                let start = pat.start.as_ref().and_then(|e| literal_extent(e)).unwrap_or(limits).start;
                let end = pat.end.as_ref().and_then(|e| literal_extent(e)).unwrap_or(limits).end;
                self.push_pat(Span { start, end }, PatKind::Other)
            }
            Pat::Verbatim(tokens) => self.push_pat(spans::tokens(tokens).unwrap_or_default(), PatKind::Other),
            _ => self.push_pat(Span::default(), PatKind::Other),
        }
    }

    fn pats(&mut self, pats: &Punctuated<Pat, syn::Token![,]>, depth: u32) -> ThinVec<PatId> {
        pats.iter().map(|pat| self.pat_at(pat, depth)).collect()
    }

    /// The name of a field; tuple fields are named by their index.
    pub(super) fn member(&mut self, member: &syn::Member) -> Symbol {
        match member {
            syn::Member::Named(ident) => self.name(ident),
            syn::Member::Unnamed(index) => index_name(index.index),
        }
    }

    pub(super) fn qualified_start(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> Pos {
        qself.map_or_else(|| spans::path(path).start, |qself| spans::start(qself.lt_token.span))
    }
}

/// Where a pattern that is not followed begins.
fn pat_start(pat: &Pat) -> Pos {
    let mut pat = pat;
    loop {
        pat = match pat {
            Pat::Or(inner) => match inner.cases.first() {
                Some(first) => first,
                None => return Pos::default(),
            },
            Pat::Type(inner) => &inner.pat,
            Pat::Guard(inner) => &inner.pat,
            Pat::Paren(inner) => return spans::open(&inner.paren_token.span),
            Pat::Tuple(inner) => return spans::open(&inner.paren_token.span),
            Pat::Slice(inner) => return spans::open(&inner.bracket_token.span),
            Pat::Reference(inner) => return spans::start(inner.and_token.span),
            Pat::TupleStruct(inner) => return spans::path(&inner.path).start,
            Pat::Struct(inner) => return spans::path(&inner.path).start,
            Pat::Path(inner) => return spans::path(&inner.path).start,
            Pat::Ident(inner) => return spans::start(inner.ident.span()),
            Pat::Lit(inner) => return spans::start(inner.lit.span()),
            Pat::Wild(inner) => return spans::start(inner.underscore_token.span),
            Pat::Rest(inner) => return joined(&inner.dot2_token.spans).start,
            Pat::Macro(inner) => return spans::path(&inner.mac.path).start,
            Pat::Range(inner) => return limits(&inner.limits).start,
            Pat::Const(inner) => return spans::start(inner.const_token.span),
            Pat::Verbatim(tokens) => return spans::tokens(tokens).unwrap_or_default().start,
            _ => return Pos::default(),
        };
    }
}

/// The name of the tuple field with this index.
pub(super) fn index_name(index: u32) -> Symbol {
    match index {
        0 => symbol_table::static_symbol!("0"),
        1 => symbol_table::static_symbol!("1"),
        2 => symbol_table::static_symbol!("2"),
        _ => Symbol::from(index.to_string()),
    }
}

/// The extent of `..` or `..=`.
pub(super) fn limits(limits: &syn::RangeLimits) -> Span {
    match limits {
        syn::RangeLimits::HalfOpen(dots) => joined(&dots.spans),
        syn::RangeLimits::Closed(dots) => joined(&dots.spans),
    }
}

fn joined(parts: &[proc_macro2::Span]) -> Span {
    match (parts.first(), parts.last()) {
        (Some(&first), Some(&last)) => Span { start: spans::start(first), end: spans::end(last) },
        _ => Span::default(),
    }
}

/// The extent of what may stand at an end of a range pattern.
fn literal_extent(expr: &syn::Expr) -> Option<Span> {
    match expr {
        syn::Expr::Lit(expr) => Some(spans::of(expr.lit.span())),
        syn::Expr::Path(expr) => Some(spans::path(&expr.path)),
        syn::Expr::Unary(expr) => {
            let inner = literal_extent(&expr.expr)?;
            let start = match &expr.op {
                syn::UnOp::Neg(token) => spans::start(token.span),
                _ => inner.start,
            };
            Some(Span { start, end: inner.end })
        }
        _ => None,
    }
}

//! Positions: from the parser's spans to the plain numbers of the tree.
//!
//! Guarantees: lines and columns count from 1, columns in characters; a span never ends before it starts.
//! syn's own `Spanned` would print every node back to tokens, which is quadratic in depth, so the extent of a
//! node is put together from its first and last token.

use super::tree::{Pos, Span};
use proc_macro2::LineColumn;
use proc_macro2::extra::DelimSpan;

fn pos(at: LineColumn) -> Pos {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Pos { line: narrow(at.line), column: narrow(at.column).saturating_add(1) }
}

/// Where a token begins.
pub(super) fn start(span: proc_macro2::Span) -> Pos {
    pos(span.start())
}

/// One past the last character of a token.
pub(super) fn end(span: proc_macro2::Span) -> Pos {
    pos(span.end())
}

/// The extent of one token.
pub(super) fn of(span: proc_macro2::Span) -> Span {
    Span { start: start(span), end: end(span) }
}

/// One past a closing delimiter.
pub(super) fn close(delimiters: &DelimSpan) -> Pos {
    end(delimiters.close())
}

/// Where an opening delimiter begins.
pub(super) fn open(delimiters: &DelimSpan) -> Pos {
    start(delimiters.open())
}

/// From an opening to its closing delimiter, both included.
pub(super) fn delimited(delimiters: &DelimSpan) -> Span {
    Span { start: open(delimiters), end: close(delimiters) }
}

/// The extent of a path as written.
pub(super) fn path(path: &syn::Path) -> Span {
    let first = path.segments.first();
    let start_at = match (&path.leading_colon, first) {
        (Some(colons), _) => start(colons.spans[0]),
        (None, Some(segment)) => start(segment.ident.span()),
        (None, None) => Pos::default(),
    };
    Span { start: start_at, end: path_end(path) }
}

/// One past the last token of a path.
pub(super) fn path_end(path: &syn::Path) -> Pos {
    let Some(last) = path.segments.last() else { return Pos::default() };
    match &last.arguments {
        syn::PathArguments::None => end(last.ident.span()),
        syn::PathArguments::AngleBracketed(args) => end(args.gt_token.span),
        syn::PathArguments::Parenthesized(args) => match &args.output {
            syn::ReturnType::Default => close(&args.paren_token.span),
            syn::ReturnType::Type(_, ty) => type_end(ty),
        },
    }
}

/// One past the last token of a type.
pub(super) fn type_end(ty: &syn::Type) -> Pos {
    match ty {
        syn::Type::Array(ty) => close(&ty.bracket_token.span),
        syn::Type::FnPtr(ty) => match &ty.output {
            syn::ReturnType::Default => close(&ty.paren_token.span),
            syn::ReturnType::Type(_, ty) => type_end(ty),
        },
        syn::Type::Group(ty) => type_end(&ty.elem),
        syn::Type::ImplTrait(ty) => bounds_end(ty.bounds.last()).unwrap_or_else(|| end(ty.impl_token.span)),
        syn::Type::Infer(ty) => end(ty.underscore_token.span),
        syn::Type::Macro(ty) => close(ty.mac.delimiter.span()),
        syn::Type::Never(ty) => end(ty.bang_token.span),
        syn::Type::Paren(ty) => close(&ty.paren_token.span),
        syn::Type::Path(ty) => path_end(&ty.path),
        syn::Type::Ptr(ty) => type_end(&ty.elem),
        syn::Type::Reference(ty) => type_end(&ty.elem),
        syn::Type::Slice(ty) => close(&ty.bracket_token.span),
        syn::Type::TraitObject(ty) => bounds_end(ty.bounds.last()).unwrap_or_default(),
        syn::Type::Tuple(ty) => close(&ty.paren_token.span),
        syn::Type::Verbatim(tokens) => tokens_end(tokens).unwrap_or_default(),
        _ => Pos::default(),
    }
}

/// The first token of a type.
pub(super) fn type_start(ty: &syn::Type) -> Pos {
    match ty {
        syn::Type::Array(ty) => open(&ty.bracket_token.span),
        syn::Type::FnPtr(ty) => {
            let first = (ty.lifetimes.as_ref().map(|lifetimes| lifetimes.for_token.span))
                .or_else(|| ty.unsafety.as_ref().map(|token| token.span))
                .or_else(|| ty.abi.as_ref().map(|abi| abi.extern_token.span));
            start(first.unwrap_or(ty.fn_token.span))
        }
        syn::Type::Group(ty) => type_start(&ty.elem),
        syn::Type::ImplTrait(ty) => start(ty.impl_token.span),
        syn::Type::Infer(ty) => start(ty.underscore_token.span),
        syn::Type::Macro(ty) => path(&ty.mac.path).start,
        syn::Type::Never(ty) => start(ty.bang_token.span),
        syn::Type::Paren(ty) => open(&ty.paren_token.span),
        syn::Type::Path(ty) => {
            ty.qself.as_ref().map_or_else(|| path(&ty.path).start, |qself| start(qself.lt_token.span))
        }
        syn::Type::Ptr(ty) => start(ty.star_token.span),
        syn::Type::Reference(ty) => start(ty.and_token.span),
        syn::Type::Slice(ty) => open(&ty.bracket_token.span),
        syn::Type::TraitObject(ty) => match (&ty.dyn_token, ty.bounds.first()) {
            (Some(token), _) => start(token.span),
            (None, Some(syn::TypeParamBound::Trait(bound))) => path(&bound.path).start,
            (None, Some(syn::TypeParamBound::Lifetime(lifetime))) => start(lifetime.apostrophe),
            _ => Pos::default(),
        },
        syn::Type::Tuple(ty) => open(&ty.paren_token.span),
        syn::Type::Verbatim(tokens) => {
            tokens.clone().into_iter().next().map(|token| start(token.span())).unwrap_or_default()
        }
        _ => Pos::default(),
    }
}

fn bounds_end(last: Option<&syn::TypeParamBound>) -> Option<Pos> {
    match last? {
        syn::TypeParamBound::Trait(bound) => Some(match &bound.paren_token {
            Some(paren) => close(&paren.span),
            None => path_end(&bound.path),
        }),
        syn::TypeParamBound::Lifetime(lifetime) => Some(end(lifetime.ident.span())),
        syn::TypeParamBound::PreciseCapture(capture) => Some(end(capture.gt_token.span)),
        syn::TypeParamBound::Verbatim(tokens) => tokens_end(tokens),
        _ => None,
    }
}

/// One past the last of some tokens.
pub(super) fn tokens_end(tokens: &proc_macro2::TokenStream) -> Option<Pos> {
    tokens.clone().into_iter().last().map(|token| end(token.span()))
}

/// The extent of some tokens.
pub(super) fn tokens(tokens: &proc_macro2::TokenStream) -> Option<Span> {
    let mut iter = tokens.clone().into_iter();
    let first = iter.next()?.span();
    let last = iter.last().map_or(first, |token| token.span());
    Some(Span { start: start(first), end: end(last) })
}

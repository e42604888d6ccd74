//! `select!` in its three grammars.
//!
//! - tokio: `biased;`, then `pat = future, if cond => handler,` and `else => handler`;
//! - futures: `pat = future => handler,`, also `future => handler`, `default =>` and `complete =>`;
//! - crossbeam-channel: `recv(r) -> pat => handler`, `send(s, v) -> pat => handler`, `default(timeout) => handler`.
//!
//! An operation of crossbeam's form is lowered as the method call it stands for, `r.recv()` or `s.send(v)`.

use super::lower::{BodyLowering, Lowered};
use super::spans;
use super::tree::{ExprKind, SelectArm, Span};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Macro, Pat, Result, Token};
use thin_vec::ThinVec;

enum Future {
    /// An expression that is polled.
    Expr(Expr),
    /// `recv(r)`, `send(s, v)`
    Channel { operation: Ident, args: Vec<Expr>, end: proc_macro2::Span },
}

struct Written {
    pat: Option<Pat>,
    future: Option<Future>,
    guard: Option<Expr>,
    body: Expr,
}

impl BodyLowering<'_> {
    pub(super) fn select_macro(&mut self, mac: &Macro, span: Span) -> Option<Lowered> {
        let written = mac.parse_body_with(arms).ok()?;
        let mut arms = Vec::with_capacity(written.len());
        for arm in &written {
            let guard = arm.guard.as_ref().map(|guard| self.id(guard));
            let future = arm.future.as_ref().and_then(|future| self.future(future));
            let pat = arm.pat.as_ref().map(|pat| self.pat(pat));
            arms.push(SelectArm { pat, future, guard, body: self.id(&arm.body) });
        }
        Some(self.push(span, ExprKind::Select { arms: arms.into() }))
    }

    fn future(&mut self, future: &Future) -> Option<super::tree::ExprId> {
        match future {
            Future::Expr(expr) => Some(self.id(expr)),
            Future::Channel { operation, args, end } => {
                let (receiver, rest) = args.split_first()?;
                let receiver = self.id(receiver);
                let kind = ExprKind::MethodCall {
                    receiver,
                    method: self.name(operation),
                    method_span: spans::of(operation.span()),
                    types: ThinVec::new(),
                    args: rest.iter().map(|arg| self.id(arg)).collect(),
                };
                let span = Span { start: spans::start(operation.span()), end: spans::end(*end) };
                Some(self.push(span, kind).id)
            }
        }
    }
}

fn arms(input: ParseStream) -> Result<Vec<Written>> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut arms = Vec::new();
    while !input.is_empty() {
        arms.push(arm(input)?);
        while input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(arms)
}

fn arm(input: ParseStream) -> Result<Written> {
    if input.peek(Ident::peek_any) && input.peek2(Token![=>]) {
        let ahead = input.fork();
        let name = ahead.call(Ident::parse_any)?;
        if name == "else" || name == "default" || name == "complete" {
            input.advance_to(&ahead);
            return Ok(Written { pat: None, future: None, guard: None, body: handler(input)? });
        }
    }
    if input.peek(Ident) && input.peek2(syn::token::Paren) {
        let ahead = input.fork();
        if let Some(arm) = channel_arm(&ahead)? {
            input.advance_to(&ahead);
            return Ok(arm);
        }
    }
    let ahead = input.fork();
    let pat = match Pat::parse_multi_with_leading_vert(&ahead) {
        Ok(pat) if ahead.peek(Token![=]) && !ahead.peek(Token![=>]) && !ahead.peek(Token![==]) => {
            ahead.parse::<Token![=]>()?;
            input.advance_to(&ahead);
            Some(pat)
        }
        // futures also takes a future alone, whose value nobody looks at.
        _ => None,
    };
    let future = Some(Future::Expr(input.parse()?));
    let guard = if input.peek(Token![,]) && input.peek2(Token![if]) {
        input.parse::<Token![,]>()?;
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    Ok(Written { pat, future, guard, body: handler(input)? })
}

fn channel_arm(input: ParseStream) -> Result<Option<Written>> {
    let operation: Ident = input.parse()?;
    if operation != "recv" && operation != "send" && operation != "default" {
        return Ok(None);
    }
    let content;
    let paren = syn::parenthesized!(content in input);
    let Ok(args) = content.call(Punctuated::<Expr, Token![,]>::parse_terminated) else { return Ok(None) };
    if operation == "default" {
        let body = handler(input)?;
        return Ok(Some(Written { pat: None, future: args.into_iter().next().map(Future::Expr), guard: None, body }));
    }
    let pat = if input.peek(Token![->]) {
        input.parse::<Token![->]>()?;
        Some(Pat::parse_multi_with_leading_vert(input)?)
    } else {
        None
    };
    if !input.peek(Token![=>]) {
        return Ok(None);
    }
    let future = Future::Channel { operation, args: args.into_iter().collect(), end: paren.span.close() };
    Ok(Some(Written { pat, future: Some(future), guard: None, body: handler(input)? }))
}

/// `=> body`, where a block needs no comma behind it.
fn handler(input: ParseStream) -> Result<Expr> {
    input.parse::<Token![=>]>()?;
    Expr::parse_with_earlier_boundary_rule(input)
}

//! Expressions: from syn to the plain tree.
//!
//! Guarantees: children stand before their parents in the arena; parentheses and groups are gone, but the spans of
//! what contains them still include them; no expression is nested deeper than `MAX_EXPR_DEPTH` (what is deeper
//! becomes `Unknown` with a notice). Long chains of one associative operator become a balanced tree: operands keep
//! their order of evaluation, and the scopes of their temporaries do not depend on the grouping.

use super::lower::{BodyLowering, Lowered, MAX_EXPR_DEPTH};
use super::tree::{Arm, BlockKind, ExprId, ExprKind, Lit, Pos, Span, Symbol};
use super::{pats, spans};
use smallvec::SmallVec;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Pat, Token};
use thin_vec::ThinVec;

/// Chains of one operator with more operands than this are balanced.
const LONG_CHAIN: usize = 16;

/// Texts of strings up to this length are kept: names of threads, tasks and pools.
const LONGEST_NAME: usize = 40;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Comparison,
    Arithmetic,
    Assign,
}

fn operator(op: &BinOp) -> Operator {
    match op {
        BinOp::And(_) => Operator::And,
        BinOp::Or(_) => Operator::Or,
        BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => Operator::Comparison,
        BinOp::AddAssign(_)
        | BinOp::SubAssign(_)
        | BinOp::MulAssign(_)
        | BinOp::DivAssign(_)
        | BinOp::RemAssign(_)
        | BinOp::BitXorAssign(_)
        | BinOp::BitAndAssign(_)
        | BinOp::BitOrAssign(_)
        | BinOp::ShlAssign(_)
        | BinOp::ShrAssign(_) => Operator::Assign,
        _ => Operator::Arithmetic,
    }
}

impl BodyLowering<'_> {
    /// Lowers an expression; the extent it returns includes parentheses.
    pub(super) fn expr(&mut self, expr: &Expr) -> Lowered {
        if self.file.depth >= MAX_EXPR_DEPTH {
            let span = Span { start: self.expr_start(expr), end: self.expr_start(expr) };
            self.file.notice(span, format!("nested more than {MAX_EXPR_DEPTH} deep: what is deeper is not analysed"));
            return self.push(span, ExprKind::Unknown);
        }
        self.file.depth += 1;
        let lowered = self.expr_inner(expr);
        self.file.depth -= 1;
        lowered
    }

    pub(super) fn id(&mut self, expr: &Expr) -> ExprId {
        self.expr(expr).id
    }

    fn ids(&mut self, exprs: &Punctuated<Expr, Token![,]>) -> ThinVec<ExprId> {
        exprs.iter().map(|expr| self.id(expr)).collect()
    }

    fn optional(&mut self, expr: Option<&Expr>) -> Option<Lowered> {
        expr.map(|expr| self.expr(expr))
    }

    fn expr_inner(&mut self, expr: &Expr) -> Lowered {
        match expr {
            Expr::Path(e) => self.path_expr(e),
            Expr::Lit(e) => self.push(spans::of(e.lit.span()), ExprKind::Lit(literal(&e.lit))),
            Expr::MethodCall(e) => self.method_call(e),
            Expr::Call(e) => {
                let callee = self.expr(&e.func);
                let args = self.ids(&e.args);
                let span = Span { start: callee.span.start, end: spans::close(&e.paren_token.span) };
                self.push(span, ExprKind::Call { callee: callee.id, args })
            }
            Expr::Field(e) => {
                let base = self.expr(&e.base);
                let name = self.member(&e.member);
                let end = match &e.member {
                    syn::Member::Named(ident) => spans::end(ident.span()),
                    syn::Member::Unnamed(index) => spans::end(index.span),
                };
                self.push(Span { start: base.span.start, end }, ExprKind::Field { base: base.id, name })
            }
            Expr::Macro(e) => self.macro_expr(&e.mac),
            Expr::Reference(e) => self.reference(e, false),
            Expr::RawAddr(e) => {
                let mutable = matches!(e.mutability, syn::PointerMutability::Mut(_));
                self.prefix(e.and_token.span, &e.expr, |expr| ExprKind::Ref { mutable, raw: true, expr })
            }
            Expr::Unary(e) => match &e.op {
                syn::UnOp::Deref(token) => self.prefix(token.span, &e.expr, ExprKind::Deref),
                syn::UnOp::Not(token) => self.prefix(token.span, &e.expr, ExprKind::Unary),
                syn::UnOp::Neg(token) => self.prefix(token.span, &e.expr, ExprKind::Unary),
                _ => self.expr(&e.expr),
            },
            Expr::Binary(e) => self.binary(e),
            Expr::Block(e) => self.labelled_block(e.label.as_ref(), &e.block),
            Expr::Unsafe(e) => {
                let start = spans::start(e.unsafe_token.span);
                self.block_at(Some(start), None, &e.block, BlockKind::Unsafe)
            }
            Expr::Const(e) => {
                let start = spans::start(e.const_token.span);
                self.block_at(Some(start), None, &e.block, BlockKind::Const)
            }
            Expr::TryBlock(e) => {
                let start = spans::start(e.try_token.span);
                self.block_at(Some(start), None, &e.block, BlockKind::Try)
            }
            Expr::Async(e) => {
                let body = self.block(&e.block);
                let span = Span { start: spans::start(e.async_token.span), end: body.span.end };
                self.push(span, ExprKind::Async { body: body.id, move_: e.capture.is_some() })
            }
            Expr::Closure(e) => self.closure(e),
            Expr::Try(e) => self.postfix(&e.expr, ExprKind::Try, || spans::end(e.question_token.span)),
            Expr::Await(e) => self.postfix(&e.base, ExprKind::Await, || spans::end(e.await_token.span)),
            Expr::Paren(e) => {
                let inner = self.expr(&e.expr);
                Lowered { id: inner.id, span: spans::delimited(&e.paren_token.span) }
            }
            Expr::Group(e) => self.expr(&e.expr),
            _ => self.expr_less_common(expr),
        }
    }

    fn expr_less_common(&mut self, expr: &Expr) -> Lowered {
        match expr {
            Expr::If(e) => self.if_expr(e),
            Expr::Let(e) => {
                let scrutinee = self.expr(&e.expr);
                let pat = self.pat(&e.pat);
                let span = Span { start: spans::start(e.let_token.span), end: scrutinee.span.end };
                self.push(span, ExprKind::Let { pat, scrutinee: scrutinee.id })
            }
            Expr::Match(e) => self.match_expr(e),
            Expr::Loop(e) => {
                let body = self.block(&e.body);
                let label = e.label.as_ref().map(|label| self.file.label(&label.name));
                let start = labelled_start(e.label.as_ref(), e.loop_token.span);
                self.push(Span { start, end: body.span.end }, ExprKind::Loop { label, body: body.id })
            }
            Expr::While(e) => {
                let cond = self.id(&e.cond);
                let body = self.block(&e.body);
                let label = e.label.as_ref().map(|label| self.file.label(&label.name));
                let start = labelled_start(e.label.as_ref(), e.while_token.span);
                self.push(Span { start, end: body.span.end }, ExprKind::While { label, cond, body: body.id })
            }
            Expr::ForLoop(e) => {
                let iter = self.id(&e.expr);
                let pat = self.pat(&e.pat);
                let body = self.block(&e.body);
                let label = e.label.as_ref().map(|label| self.file.label(&label.name));
                let start = labelled_start(e.label.as_ref(), e.for_token.span);
                self.push(Span { start, end: body.span.end }, ExprKind::For { label, pat, iter, body: body.id })
            }
            Expr::Assign(e) => {
                let place = self.expr(&e.left);
                let value = self.expr(&e.right);
                self.spanning(place, value, ExprKind::Assign { place: place.id, value: value.id })
            }
            Expr::Index(e) => {
                let base = self.expr(&e.expr);
                let index = self.id(&e.index);
                let span = Span { start: base.span.start, end: spans::close(&e.bracket_token.span) };
                self.push(span, ExprKind::Index { base: base.id, index })
            }
            Expr::Return(e) => {
                self.jump(e.return_token.span, None, e.expr.as_deref(), |_, value| ExprKind::Return(value))
            }
            Expr::Yield(e) => self.jump(e.yield_token.span, None, e.expr.as_deref(), |_, value| ExprKind::Yield(value)),
            Expr::Break(e) => self.jump(e.break_token.span, e.label.as_ref(), e.expr.as_deref(), |label, value| {
                ExprKind::Break { label, value }
            }),
            Expr::Continue(e) => {
                self.jump(e.continue_token.span, e.label.as_ref(), None, |label, _| ExprKind::Continue { label })
            }
            Expr::Struct(e) => self.struct_expr(e),
            Expr::Tuple(e) => {
                let items = self.ids(&e.elems);
                self.push(spans::delimited(&e.paren_token.span), ExprKind::Tuple(items))
            }
            Expr::Array(e) => {
                let items = self.ids(&e.elems);
                self.push(spans::delimited(&e.bracket_token.span), ExprKind::Array { items, vec: false })
            }
            Expr::Repeat(e) => {
                let item = self.id(&e.expr);
                let len = self.id(&e.len);
                self.push(spans::delimited(&e.bracket_token.span), ExprKind::Repeat { item, len, vec: false })
            }
            Expr::Cast(e) => {
                let operand = match (&*e.expr, &*e.ty) {
                    (Expr::Reference(of), syn::Type::Ptr(_)) => self.reference(of, true),
                    _ => self.expr(&e.expr),
                };
                let ty = Box::new(self.file.ty(&e.ty));
                let span = Span { start: operand.span.start, end: spans::type_end(&e.ty).max(operand.span.end) };
                self.push(span, ExprKind::Cast { expr: operand.id, ty })
            }
            Expr::Range(e) => {
                let from = self.optional(e.start.as_deref());
                let to = self.optional(e.end.as_deref());
                let dots = pats::limits(&e.limits);
                let span = Span {
                    start: from.map_or(dots.start, |from| from.span.start),
                    end: to.map_or(dots.end, |to| to.span.end),
                };
                self.push(span, ExprKind::Range { from: from.map(|e| e.id), to: to.map(|e| e.id) })
            }
            Expr::Infer(e) => self.push(spans::of(e.underscore_token.span), ExprKind::Unknown),
            Expr::Verbatim(tokens) => self.push(spans::tokens(tokens).unwrap_or_default(), ExprKind::Unknown),
            _ => self.push(Span::default(), ExprKind::Unknown),
        }
    }

    fn spanning(&mut self, first: Lowered, last: Lowered, kind: ExprKind) -> Lowered {
        self.push(Span { start: first.span.start, end: last.span.end }, kind)
    }

    fn prefix(&mut self, token: proc_macro2::Span, operand: &Expr, kind: impl FnOnce(ExprId) -> ExprKind) -> Lowered {
        let operand = self.expr(operand);
        let span = Span { start: spans::start(token), end: operand.span.end };
        self.push(span, kind(operand.id))
    }

    fn reference(&mut self, e: &syn::ExprReference, raw: bool) -> Lowered {
        let mutable = e.mutability.is_some();
        self.prefix(e.and_token.span, &e.expr, |expr| ExprKind::Ref { mutable, raw, expr })
    }

    fn postfix(&mut self, operand: &Expr, kind: fn(ExprId) -> ExprKind, end: impl FnOnce() -> Pos) -> Lowered {
        let operand = self.expr(operand);
        let span = Span { start: operand.span.start, end: end() };
        self.push(span, kind(operand.id))
    }

    fn jump(
        &mut self,
        token: proc_macro2::Span,
        label: Option<&syn::Lifetime>,
        value: Option<&Expr>,
        kind: fn(Option<Symbol>, Option<ExprId>) -> ExprKind,
    ) -> Lowered {
        let mut span = spans::of(token);
        if let Some(label) = label {
            span.end = spans::end(label.ident.span());
        }
        let label = label.map(|label| self.file.label(label));
        let value = self.optional(value);
        if let Some(value) = value {
            span.end = value.span.end;
        }
        self.push(span, kind(label, value.map(|value| value.id)))
    }

    fn path_expr(&mut self, e: &syn::ExprPath) -> Lowered {
        let mut path = Box::new(self.file.path(&e.path));
        let start = self.qualified_start(e.qself.as_ref(), &e.path);
        let span = Span { start, end: spans::path_end(&e.path) };
        // The colons of `<T>::new` are not those of an absolute path.
        path.absolute &= e.qself.as_ref().is_none_or(|qself| qself.position > 0);
        let kind = match &e.qself {
            Some(qself) => ExprKind::QualifiedPath { of: Box::new(self.file.ty(&qself.ty)), path },
            None => ExprKind::Path(path),
        };
        self.push(span, kind)
    }

    fn method_call(&mut self, e: &syn::ExprMethodCall) -> Lowered {
        let receiver = self.expr(&e.receiver);
        let args = self.ids(&e.args);
        let kind = ExprKind::MethodCall {
            receiver: receiver.id,
            method: self.name(&e.method),
            method_span: spans::of(e.method.span()),
            types: self.file.turbofish(e.turbofish.as_ref()),
            args,
        };
        self.push(Span { start: receiver.span.start, end: spans::close(&e.paren_token.span) }, kind)
    }

    fn binary(&mut self, e: &syn::ExprBinary) -> Lowered {
        let class = operator(&e.op);
        if class == Operator::Assign {
            let place = self.expr(&e.left);
            let value = self.expr(&e.right);
            return self.spanning(place, value, ExprKind::AssignOp { place: place.id, value: value.id });
        }
        let mut operands: SmallVec<[&Expr; 8]> = SmallVec::new();
        operands.push(&e.right);
        let mut left = &*e.left;
        while let Expr::Binary(inner) = left
            && operator(&inner.op) == class
            && class != Operator::Comparison
        {
            operands.push(&inner.right);
            left = &inner.left;
        }
        operands.push(left);
        operands.reverse();
        self.chain(&operands, class)
    }

    /// Lowers the operands of a chain: grouped to the left as written, or balanced where that would nest deeply.
    fn chain(&mut self, operands: &[&Expr], class: Operator) -> Lowered {
        let [first, rest @ ..] = operands else { return self.push(Span::default(), ExprKind::Unknown) };
        let depth = self.file.depth;
        let lowered = if rest.is_empty() {
            self.expr(first)
        } else if operands.len() <= LONG_CHAIN {
            self.file.depth = depth + rest.len() as u32 - 1;
            let mut whole = self.expr(first);
            for operand in rest {
                let operand = self.expr(operand);
                whole = self.operation(whole, operand, class);
                self.file.depth = self.file.depth.saturating_sub(1).max(depth);
            }
            whole
        } else {
            self.file.depth = depth + 1;
            let (front, back) = operands.split_at(operands.len() / 2);
            let front = self.chain(front, class);
            let back = self.chain(back, class);
            self.operation(front, back, class)
        };
        self.file.depth = depth;
        lowered
    }

    fn operation(&mut self, lhs: Lowered, rhs: Lowered, class: Operator) -> Lowered {
        let (l, r) = (lhs.id, rhs.id);
        let kind = match class {
            Operator::And | Operator::Or => ExprKind::Logic { lhs: l, rhs: r, and: class == Operator::And },
            _ => ExprKind::Binary { lhs: l, rhs: r, comparison: class == Operator::Comparison },
        };
        self.spanning(lhs, rhs, kind)
    }

    fn closure(&mut self, e: &syn::ExprClosure) -> Lowered {
        let mut params = ThinVec::with_capacity(e.inputs.len());
        for input in &e.inputs {
            let ty = match input {
                Pat::Type(typed) => Some(self.file.ty(&typed.ty)),
                _ => None,
            };
            params.push((self.pat(input), ty));
        }
        let body = self.expr(&e.body);
        let first = (e.lifetimes.as_ref().map(|lifetimes| lifetimes.for_token.span))
            .or_else(|| e.constness.as_ref().map(|token| token.span))
            .or_else(|| e.asyncness.as_ref().map(|token| token.span))
            .or_else(|| e.capture.as_ref().map(|token| token.span))
            .unwrap_or(e.inputs_begin.span);
        let kind = ExprKind::Closure {
            params,
            ret: self.file.return_type(&e.output).map(Box::new),
            body: body.id,
            move_: e.capture.is_some(),
            async_: e.asyncness.is_some(),
        };
        self.push(Span { start: spans::start(first), end: body.span.end }, kind)
    }

    fn if_expr(&mut self, e: &syn::ExprIf) -> Lowered {
        let cond = self.id(&e.cond);
        let then = self.block(&e.then_branch);
        let els = e.else_branch.as_ref().map(|(_, els)| self.expr(els));
        let span = Span { start: spans::start(e.if_token.span), end: els.unwrap_or(then).span.end };
        self.push(span, ExprKind::If { cond, then: then.id, els: els.map(|els| els.id) })
    }

    fn match_expr(&mut self, e: &syn::ExprMatch) -> Lowered {
        let scrutinee = self.id(&e.expr);
        let mut arms = ThinVec::with_capacity(e.arms.len());
        for arm in &e.arms {
            arms.push(self.arm(&arm.pat, &arm.body));
        }
        let span = Span { start: spans::start(e.match_token.span), end: spans::close(&e.brace_token.span) };
        self.push(span, ExprKind::Match { scrutinee, arms })
    }

    fn arm(&mut self, pat: &Pat, body: &Expr) -> Arm {
        let (pat, guard) = match pat {
            Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
            pat => (pat, None),
        };
        let pat = self.pat(pat);
        let guard = guard.map(|guard| self.id(guard));
        Arm { pat, guard, body: self.id(body) }
    }

    fn struct_expr(&mut self, e: &syn::ExprStruct) -> Lowered {
        let mut fields = ThinVec::with_capacity(e.fields.len());
        for field in &e.fields {
            let name = self.member(&field.member);
            fields.push((name, self.id(&field.expr)));
        }
        let rest = e.rest.as_ref().map(|rest| self.id(rest));
        let path = Box::new(self.file.path(&e.path));
        let start = self.qualified_start(e.qself.as_ref(), &e.path);
        let span = Span { start, end: spans::close(&e.brace_token.span) };
        self.push(span, ExprKind::Struct { path, fields, rest })
    }

    /// Where an expression that is not followed begins, found without recursion.
    fn expr_start(&self, expr: &Expr) -> Pos {
        let mut expr = expr;
        loop {
            expr = match expr {
                Expr::MethodCall(e) => &e.receiver,
                Expr::Call(e) => &e.func,
                Expr::Field(e) => &e.base,
                Expr::Index(e) => &e.expr,
                Expr::Await(e) => &e.base,
                Expr::Try(e) => &e.expr,
                Expr::Binary(e) => &e.left,
                Expr::Assign(e) => &e.left,
                Expr::Cast(e) => &e.expr,
                Expr::Group(e) => &e.expr,
                Expr::Unary(e) => &e.expr,
                Expr::Reference(e) => &e.expr,
                Expr::RawAddr(e) => &e.expr,
                Expr::Paren(e) => return spans::open(&e.paren_token.span),
                Expr::Tuple(e) => return spans::open(&e.paren_token.span),
                Expr::Array(e) => return spans::open(&e.bracket_token.span),
                Expr::Block(e) => return spans::open(&e.block.brace_token.span),
                Expr::Unsafe(e) => return spans::start(e.unsafe_token.span),
                Expr::If(e) => return spans::start(e.if_token.span),
                Expr::Match(e) => return spans::start(e.match_token.span),
                Expr::Closure(e) => return spans::start(e.inputs_begin.span),
                Expr::Lit(e) => return spans::start(e.lit.span()),
                Expr::Path(e) => return spans::path(&e.path).start,
                Expr::Macro(e) => return spans::path(&e.mac.path).start,
                Expr::Struct(e) => return spans::path(&e.path).start,
                Expr::Return(e) => return spans::start(e.return_token.span),
                Expr::Let(e) => return spans::start(e.let_token.span),
                Expr::Loop(e) => return spans::start(e.loop_token.span),
                Expr::While(e) => return spans::start(e.while_token.span),
                Expr::ForLoop(e) => return spans::start(e.for_token.span),
                Expr::Async(e) => return spans::start(e.async_token.span),
                Expr::Break(e) => return spans::start(e.break_token.span),
                Expr::Continue(e) => return spans::start(e.continue_token.span),
                Expr::Yield(e) => return spans::start(e.yield_token.span),
                Expr::Const(e) => return spans::start(e.const_token.span),
                Expr::TryBlock(e) => return spans::start(e.try_token.span),
                Expr::Infer(e) => return spans::start(e.underscore_token.span),
                Expr::Range(e) => match &e.start {
                    Some(start) => start,
                    None => return pats::limits(&e.limits).start,
                },
                Expr::Repeat(e) => return spans::open(&e.bracket_token.span),
                Expr::Verbatim(tokens) => return spans::tokens(tokens).unwrap_or_default().start,
                _ => return Pos::default(),
            };
        }
    }
}

fn labelled_start(label: Option<&syn::Label>, keyword: proc_macro2::Span) -> Pos {
    spans::start(label.map_or(keyword, |label| label.name.apostrophe))
}

fn literal(lit: &syn::Lit) -> Lit {
    match lit {
        syn::Lit::Int(int) => int.base10_digits().parse().map_or(Lit::Other, Lit::Int),
        syn::Lit::Bool(bool) => Lit::Bool(bool.value),
        syn::Lit::Str(text) => {
            let text = text.value();
            Lit::Str((text.len() <= LONGEST_NAME).then(|| Symbol::from(text)))
        }
        syn::Lit::ByteStr(_) | syn::Lit::CStr(_) => Lit::Str(None),
        _ => Lit::Other,
    }
}

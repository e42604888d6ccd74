//! Macro calls in expressions and statements: what known macros do, and what the tokens of unknown ones look like.
//!
//! Guarantees: the arguments of the macros in [`shape`] stand in the tree in order of evaluation. A macro nobody
//! here knows is read as comma-separated expressions, else as statements, and marked `Unknown`: it may evaluate
//! them never, once or often. Misses: what such a macro adds of its own, and every macro whose tokens are neither.

use super::lower::{BodyLowering, Lowered};
use super::spans;
use super::tree::{Arm, BlockKind, ExprKind, Lit, MacroKind, PatKind, Span, Stmt, Symbol};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Block, Expr, Ident, LitStr, Macro, Pat, Result, Token};
use thin_vec::{ThinVec, thin_vec};

/// Macro calls nested deeper than this are not read: every level parses its tokens again.
const MAX_MACRO_DEPTH: u32 = 32;

/// How a known macro's tokens are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Comma-separated arguments, as format macros and the log macros take them.
    Args(MacroKind),
    /// A condition; the rest runs where it does not hold.
    Assert,
    /// `e, pat if guard`
    Matches,
    /// `e, pat if guard, message`
    AssertMatches,
    /// `e`, as in `e?`
    Try,
    /// `e`, as in `e.await`
    Await,
    /// The place whose address is taken.
    AddressOf {
        mutable: bool,
    },
    /// `[..]` without the brackets.
    Vec,
    /// Values in a JSON-like literal.
    Json,
    /// A block that is a future or stream.
    Stream,
    /// A block that runs when the scope ends.
    Defer,
    Select,
    /// Evaluates nothing of what it holds.
    Inert,
    /// Not known.
    Unknown,
}

/// What is known about a macro of this name.
fn shape(name: &str) -> Shape {
    match name {
        "println" | "print" | "eprintln" | "eprint" | "dbg" => Shape::Args(MacroKind::Statement),
        "trace" | "debug" | "info" | "warn" | "error" | "log" | "event" | "span" => Shape::Args(MacroKind::Statement),
        "trace_span" | "debug_span" | "info_span" | "warn_span" | "error_span" => Shape::Args(MacroKind::Statement),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Shape::Args(MacroKind::Statement),
        "assert" | "debug_assert" | "ensure" => Shape::Assert,
        "format" | "format_args" | "write" | "writeln" | "concat" | "anyhow" | "eyre" | "format_err" => {
            Shape::Args(MacroKind::Value)
        }
        "pin" | "ready" | "try_ready" => Shape::Args(MacroKind::Value),
        "panic" | "todo" | "unimplemented" | "unreachable" | "bail" => Shape::Args(MacroKind::Diverges),
        "join" | "try_join" => Shape::Args(MacroKind::Awaits),
        "select" | "select_biased" => Shape::Select,
        "matches" => Shape::Matches,
        "assert_matches" | "debug_assert_matches" => Shape::AssertMatches,
        "try" => Shape::Try,
        "await" => Shape::Await,
        "vec" => Shape::Vec,
        "json" | "bson" | "doc" => Shape::Json,
        "addr_of" => Shape::AddressOf { mutable: false },
        "addr_of_mut" => Shape::AddressOf { mutable: true },
        "stream" | "try_stream" => Shape::Stream,
        "defer" | "defer_on_unwind" | "defer_on_success" => Shape::Defer,
        "stringify"
        | "quote"
        | "quote_spanned"
        | "parse_quote"
        | "parse_quote_spanned"
        | "include_str"
        | "include_bytes"
        | "include"
        | "env"
        | "option_env"
        | "line"
        | "file"
        | "column"
        | "module_path"
        | "cfg"
        | "offset_of"
        | "compile_error" => Shape::Inert,
        _ => Shape::Unknown,
    }
}

/// The extent of a macro call.
pub(super) fn extent(mac: &Macro) -> Span {
    Span { start: spans::path(&mac.path).start, end: spans::close(mac.delimiter.span()) }
}

impl BodyLowering<'_> {
    pub(super) fn macro_expr(&mut self, mac: &Macro) -> Lowered {
        let span = extent(mac);
        let name = mac.path.segments.last().map_or_else(|| Symbol::from(""), |last| self.name(&last.ident));
        if self.file.macro_depth >= MAX_MACRO_DEPTH {
            return self.push(span, ExprKind::Macro { name, kind: MacroKind::Opaque, args: ThinVec::new() });
        }
        self.file.macro_depth += 1;
        let lowered = match self.known_macro(mac, name, span) {
            Some(lowered) => lowered,
            None => self.unknown_macro(mac, name, span),
        };
        self.file.macro_depth -= 1;
        lowered
    }

    /// Lowers a macro whose meaning is known; nothing where its tokens are not what that meaning needs.
    fn known_macro(&mut self, mac: &Macro, name: Symbol, span: Span) -> Option<Lowered> {
        match shape(name.as_str()) {
            Shape::Args(kind) => {
                let args = mac.parse_body_with(arguments).ok()?;
                Some(self.call(span, name, kind, &args))
            }
            Shape::Assert => {
                let args = mac.parse_body_with(arguments).ok()?;
                let (cond, rest) = args.split_first()?;
                let cond = self.expr(cond);
                let cond = self.push(cond.span, ExprKind::Unary(cond.id));
                let then = self.call(span, name, MacroKind::Diverges, rest);
                Some(self.push(span, ExprKind::If { cond: cond.id, then: then.id, els: None }))
            }
            Shape::Matches => {
                let (scrutinee, pat, guard, _) = mac.parse_body_with(matching).ok()?;
                let yes = ExprKind::Lit(Lit::Bool(true));
                let no = ExprKind::Lit(Lit::Bool(false));
                Some(self.two_arms(span, &scrutinee, &pat, guard.as_ref(), [yes, no]))
            }
            Shape::AssertMatches => {
                let (scrutinee, pat, guard, rest) = mac.parse_body_with(matching).ok()?;
                let no = self.args(&rest);
                let no = ExprKind::Macro { name, kind: MacroKind::Diverges, args: no };
                Some(self.two_arms(span, &scrutinee, &pat, guard.as_ref(), [ExprKind::Tuple(ThinVec::new()), no]))
            }
            Shape::Try => {
                let operand: Expr = mac.parse_body().ok()?;
                let operand = self.id(&operand);
                Some(self.push(span, ExprKind::Try(operand)))
            }
            Shape::Await => {
                let operand: Expr = mac.parse_body().ok()?;
                let operand = self.id(&operand);
                Some(self.push(span, ExprKind::Await(operand)))
            }
            Shape::AddressOf { mutable } => {
                let place: Expr = mac.parse_body().ok()?;
                let expr = self.id(&place);
                Some(self.push(span, ExprKind::Ref { mutable, raw: true, expr }))
            }
            Shape::Vec => self.vec_macro(mac, span),
            Shape::Json => {
                let mut values = Vec::new();
                mac.parse_body_with(|input: ParseStream| json(input, &mut values)).ok()?;
                Some(self.call(span, name, MacroKind::Value, &values))
            }
            Shape::Stream => {
                let stmts = mac.parse_body_with(Block::parse_within).ok()?;
                let body = self.macro_block(span, &stmts);
                Some(self.push(span, ExprKind::Async { body: body.id, move_: true }))
            }
            Shape::Defer => {
                let stmts = mac.parse_body_with(Block::parse_within).ok()?;
                let body = self.macro_block(span, &stmts).id;
                let closure =
                    ExprKind::Closure { params: ThinVec::new(), ret: None, body, move_: false, async_: false };
                let closure = self.push(span, closure).id;
                Some(self.push(span, ExprKind::Macro { name, kind: MacroKind::Unknown, args: thin_vec![closure] }))
            }
            Shape::Select => self.select_macro(mac, span),
            Shape::Inert => {
                Some(self.push(span, ExprKind::Macro { name, kind: MacroKind::Value, args: ThinVec::new() }))
            }
            Shape::Unknown => None,
        }
    }

    fn unknown_macro(&mut self, mac: &Macro, name: Symbol, span: Span) -> Lowered {
        if let Some(tokens) = self.file.expansion(mac) {
            if let Ok(expr) = syn::parse2::<Expr>(tokens.clone()) {
                return self.expr(&expr);
            }
            if let Ok(stmts) = Block::parse_within.parse2(tokens) {
                return self.macro_block(span, &stmts);
            }
        }
        if let Ok(args) = mac.parse_body_with(arguments) {
            return self.call(span, name, MacroKind::Unknown, &args);
        }
        if let Ok(stmts) = mac.parse_body_with(Block::parse_within) {
            let block = self.macro_block(span, &stmts).id;
            return self.push(span, ExprKind::Macro { name, kind: MacroKind::Unknown, args: thin_vec![block] });
        }
        self.push(span, ExprKind::Macro { name, kind: MacroKind::Opaque, args: ThinVec::new() })
    }

    pub(super) fn args(&mut self, args: &[Expr]) -> ThinVec<super::tree::ExprId> {
        args.iter().map(|arg| self.id(arg)).collect()
    }

    fn call(&mut self, span: Span, name: Symbol, kind: MacroKind, args: &[Expr]) -> Lowered {
        let args = self.args(args);
        self.push(span, ExprKind::Macro { name, kind, args })
    }

    /// The statements of a macro as the block it would put them in.
    pub(super) fn macro_block(&mut self, span: Span, stmts: &[syn::Stmt]) -> Lowered {
        self.file.depth += 1;
        let stmts = self.stmts(stmts);
        self.file.depth -= 1;
        self.push(span, ExprKind::Block { stmts, label: None, kind: BlockKind::Plain })
    }

    fn two_arms(
        &mut self,
        span: Span,
        scrutinee: &Expr,
        pat: &Pat,
        guard: Option<&Expr>,
        [yes, no]: [ExprKind; 2],
    ) -> Lowered {
        let scrutinee = self.id(scrutinee);
        let pat = self.pat(pat);
        let guard = guard.map(|guard| self.id(guard));
        let body = self.push(span, yes).id;
        let wild = self.push_pat(span, PatKind::Wild);
        let no = self.push(span, no).id;
        let arms = vec![Arm { pat, guard, body }, Arm { pat: wild, guard: None, body: no }];
        self.push(span, ExprKind::Match { scrutinee, arms: arms.into() })
    }

    fn vec_macro(&mut self, mac: &Macro, span: Span) -> Option<Lowered> {
        let (items, len) = mac.parse_body_with(elements).ok()?;
        let kind = match (items.as_slice(), len) {
            ([item], Some(len)) => ExprKind::Repeat { item: self.id(item), len: self.id(&len), vec: true },
            (items, _) => ExprKind::Array { items: self.args(items), vec: true },
        };
        Some(self.push(span, kind))
    }

    /// Lowers a macro call that stands as a statement; `semi` says that its value is not the block's.
    pub(super) fn macro_stmt(&mut self, mac: &Macro, semi: bool, out: &mut ThinVec<Stmt>) {
        let is = |name: &str| mac.path.segments.last().is_some_and(|last| last.ident == name);
        let mut items = Vec::new();
        if self.file.known_item_macro(mac, &mut items) {
            self.items.append(&mut items);
            return;
        }
        if is("cfg_if")
            && let Some(cfg) = self.cfg_if_stmt(mac)
        {
            out.push(Stmt::Expr { expr: cfg.id, semi });
            return;
        }
        // `pin! { let future = f(); }` declares the variable where the macro stands.
        if is("pin")
            && let Ok(stmts) = mac.parse_body_with(Block::parse_within)
            && matches!(stmts.first(), Some(syn::Stmt::Local(_)))
        {
            out.extend(self.stmts(&stmts));
            return;
        }
        // What the statements of an expansion declare, the caller may have named.
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        if name.is_some_and(|name| shape(&name) == Shape::Unknown)
            && let Some(tokens) = self.file.expansion(mac)
            && let Ok(stmts) = Block::parse_within.parse2(tokens)
        {
            self.file.macro_depth += 1;
            let before = out.len();
            out.extend(self.stmts(&stmts));
            self.file.macro_depth -= 1;
            if out.len() > before
                && let Some(Stmt::Expr { semi: last, .. }) = out.last_mut()
            {
                *last |= semi;
            }
            return;
        }
        out.push(Stmt::Expr { expr: self.macro_expr(mac).id, semi });
    }

    /// `cfg_if!` among statements: the branches as those of an `if` whose condition nobody knows here.
    fn cfg_if_stmt(&mut self, mac: &Macro) -> Option<Lowered> {
        let branches = mac.parse_body_with(super::macro_items::cfg_if_branches).ok()?;
        let mut parsed = Vec::with_capacity(branches.len());
        for branch in branches {
            let stmts = Block::parse_within.parse2(branch.tokens).ok()?;
            parsed.push((branch.span, branch.condition, stmts));
        }
        let mut whole: Option<Lowered> = None;
        for (span, condition, stmts) in parsed.iter().rev() {
            let block = self.macro_block(*span, stmts);
            whole = Some(if *condition {
                let cond = self.push(Span { start: span.start, end: span.start }, ExprKind::Unknown).id;
                let span = Span { start: span.start, end: whole.unwrap_or(block).span.end };
                self.push(span, ExprKind::If { cond, then: block.id, els: whole.map(|whole| whole.id) })
            } else {
                block
            });
        }
        whole
    }
}

/// Comma-separated arguments; keys (`name = `, `target: `, `a.b = `) and the sigils of log macros are passed over.
pub(super) fn arguments(input: ParseStream) -> Result<Vec<Expr>> {
    let mut args = Vec::new();
    // `join!(biased; a, b)`
    if input.peek(Ident) && input.peek2(Token![;]) && input.fork().parse::<Ident>()? == "biased" {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    while !input.is_empty() {
        skip_key(input)?;
        if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
        } else if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
        }
        args.push(input.parse()?);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(args)
}

fn skip_key(input: ParseStream) -> Result<()> {
    let text = input.peek(LitStr);
    if !text && !input.peek(Ident::peek_any) {
        return Ok(());
    }
    if !(input.peek2(Token![=]) || input.peek2(Token![:]) || input.peek2(Token![.])) {
        return Ok(());
    }
    let ahead = input.fork();
    if text {
        ahead.parse::<LitStr>()?;
    } else {
        ahead.call(Ident::parse_any)?;
        while ahead.peek(Token![.]) && ahead.peek2(Ident::peek_any) {
            ahead.parse::<Token![.]>()?;
            ahead.call(Ident::parse_any)?;
        }
    }
    if ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]) {
        ahead.parse::<Token![=]>()?;
        input.advance_to(&ahead);
    } else if ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
        ahead.parse::<Token![:]>()?;
        input.advance_to(&ahead);
    }
    Ok(())
}

/// What stands between the brackets of an array: a list, or one element and the length behind the semicolon.
fn elements(input: ParseStream) -> Result<(Vec<Expr>, Option<Expr>)> {
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
        if items.len() == 1 && input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            return Ok((items, Some(input.parse()?)));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok((items, None))
}

/// `scrutinee, pattern if guard, rest..`
fn matching(input: ParseStream) -> Result<(Expr, Pat, Option<Expr>, Vec<Expr>)> {
    let scrutinee = input.parse()?;
    input.parse::<Token![,]>()?;
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok((scrutinee, pat, guard, arguments(input)?))
}

/// The expressions in a JSON-like literal, and the comma behind it.
fn json(input: ParseStream, values: &mut Vec<Expr>) -> Result<()> {
    if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        while !content.is_empty() {
            content.parse::<proc_macro2::TokenTree>()?;
            content.parse::<Token![:]>()?;
            json(&content, values)?;
        }
    } else if input.peek(syn::token::Bracket) {
        let content;
        syn::bracketed!(content in input);
        while !content.is_empty() {
            json(&content, values)?;
        }
    } else {
        values.push(input.parse()?);
    }
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

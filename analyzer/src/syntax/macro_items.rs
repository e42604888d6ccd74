//! Macro calls where items stand: the ones that declare statics, `cfg_if!`, and wrappers around items.
//!
//! Misses: items that a macro makes up itself, and macros whose tokens are no items.

use super::lower::Lowering;
use super::tree::{AssocItem, Item, ItemKind, Span, StaticKind};
use super::{attributes, macros, spans};
use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Expr, Ident, Macro, Result, Token, Type, Visibility};

/// Macro calls nested deeper than this are not read: every level parses its tokens again.
const MAX_MACRO_DEPTH: u32 = 32;

/// One entry of `thread_local!` or `lazy_static!`.
struct Declaration {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    ty: Type,
    init: Option<Expr>,
}

/// One branch of `cfg_if!`.
pub(super) struct Branch {
    /// Its braces.
    pub(super) span: Span,
    /// It has a condition (the last `else` has none).
    pub(super) condition: bool,
    /// Its condition can hold in tests only.
    test: bool,
    /// What stands in its braces.
    pub(super) tokens: TokenStream,
}

impl Lowering {
    pub(super) fn item_macro(&mut self, item: &syn::ItemMacro, out: &mut Vec<Item>) {
        if let Some(ident) = &item.ident {
            let kind = ItemKind::MacroRules { text: item.mac.tokens.to_string() };
            let name = self.name(ident);
            out.push(Item { name, span: spans::of(ident.span()), public: false, test: self.test, kind });
            return;
        }
        if self.macro_depth >= MAX_MACRO_DEPTH {
            let message = format!("macros nested more than {MAX_MACRO_DEPTH} deep: what is deeper is not analysed");
            self.notice(macros::extent(&item.mac), message);
            return;
        }
        self.macro_depth += 1;
        if !self.known_item_macro(&item.mac, out)
            && !self.cfg_if_items(&item.mac, out)
            && let Some(items) = self.made(&item.mac, all_items)
        {
            items.iter().for_each(|item| self.item(item, out));
        }
        self.macro_depth -= 1;
    }

    /// Lowers a macro that declares statics, wherever it stands.
    pub(super) fn known_item_macro(&mut self, mac: &Macro, out: &mut Vec<Item>) -> bool {
        let Some(name) = mac.path.segments.last().map(|last| &last.ident) else { return false };
        let kind = if name == "thread_local" || name == "task_local" {
            StaticKind::ThreadLocal
        } else if name == "lazy_static" {
            StaticKind::Lazy
        } else {
            return false;
        };
        let Ok(declarations) = mac.parse_body_with(declarations) else { return false };
        for declaration in declarations {
            let outside = self.test;
            self.test = outside || attributes::mark_test(&declaration.attrs);
            let Declaration { vis, name, ty, init, .. } = &declaration;
            let item = self.static_item(name, vis, ty, kind, init.as_ref());
            out.push(item);
            self.test = outside;
        }
        true
    }

    fn cfg_if_items(&mut self, mac: &Macro, out: &mut Vec<Item>) -> bool {
        if mac.path.segments.last().is_none_or(|last| last.ident != "cfg_if") {
            return false;
        }
        let Ok(branches) = mac.parse_body_with(cfg_if_branches) else { return false };
        for branch in branches {
            let outside = self.test;
            self.test = outside || branch.test;
            match all_items.parse2(branch.tokens) {
                Ok(items) => items.iter().for_each(|item| self.item(item, out)),
                Err(error) => self.notice(branch.span, format!("this branch of `cfg_if!` is not analysed: {error}")),
            }
            self.test = outside;
        }
        true
    }

    /// The items that a macro of the crate makes, or those that stand in the call of one that nobody here knows.
    fn made<T>(&mut self, mac: &Macro, read: fn(ParseStream) -> Result<Vec<T>>) -> Option<Vec<T>> {
        let made = self.expansion(mac).and_then(|tokens| read.parse2(tokens).ok());
        made.or_else(|| mac.parse_body_with(read).ok())
    }

    pub(super) fn impl_macro(&mut self, mac: &Macro, out: &mut Vec<AssocItem>) {
        if self.macro_depth < MAX_MACRO_DEPTH
            && let Some(items) = self.made(mac, all::<syn::ImplItem>)
        {
            self.macro_depth += 1;
            items.iter().for_each(|item| self.impl_member(item, out));
            self.macro_depth -= 1;
        }
    }

    pub(super) fn trait_macro(&mut self, mac: &Macro, out: &mut Vec<AssocItem>) {
        if self.macro_depth < MAX_MACRO_DEPTH
            && let Some(items) = self.made(mac, all::<syn::TraitItem>)
        {
            self.macro_depth += 1;
            items.iter().for_each(|item| self.trait_item(item, out));
            self.macro_depth -= 1;
        }
    }
}

fn all<T: syn::parse::Parse>(input: ParseStream) -> Result<Vec<T>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(items)
}

/// Items, perhaps after inner attributes, and nothing else.
fn all_items(input: ParseStream) -> Result<Vec<syn::Item>> {
    input.call(Attribute::parse_inner)?;
    all(input)
}

/// `static NAME: T = e;`, `static ref NAME: T = e;`, any number of them.
fn declarations(input: ParseStream) -> Result<Vec<Declaration>> {
    let mut declarations = Vec::new();
    while !input.is_empty() {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        input.parse::<Token![static]>()?;
        if input.peek(Token![ref]) {
            input.parse::<Token![ref]>()?;
        }
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let init = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        declarations.push(Declaration { attrs, vis, name, ty, init });
        if !input.is_empty() {
            input.parse::<Token![;]>()?;
        }
    }
    Ok(declarations)
}

/// `if #[cfg(..)] { .. } else if #[cfg(..)] { .. } else { .. }`
pub(super) fn cfg_if_branches(input: ParseStream) -> Result<Vec<Branch>> {
    let mut branches = Vec::new();
    loop {
        let condition = input.peek(Token![if]);
        let mut attrs = Vec::new();
        if condition {
            input.parse::<Token![if]>()?;
            attrs = input.call(Attribute::parse_outer)?;
        }
        let TokenTree::Group(group) = input.parse()? else { return Err(input.error("expected braces")) };
        let span = Span { start: spans::start(group.span_open()), end: spans::end(group.span_close()) };
        branches.push(Branch { span, condition, test: attributes::mark_test(&attrs), tokens: group.stream() });
        if !condition || !input.peek(Token![else]) {
            return Ok(branches);
        }
        input.parse::<Token![else]>()?;
    }
}

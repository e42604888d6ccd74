//! Reading what remains of a file that does not parse: item by item, and member by member inside a broken impl,
//! trait, module or extern block.
//!
//! Guarantees: a broken function costs itself alone; every lost piece has a notice with its extent and the parser's
//! words. Misses: where an item without braces or semicolon breaks off, the item behind it may be lost with it,
//! unless it starts on a line of its own in the same column.

use super::lower::Lowering;
use super::{repair, spans};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::str::FromStr as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, File, ForeignItem, ImplItem, Item, Result, TraitItem};

/// Parses a file that tokenizes.
pub(super) fn parse(tokens: TokenStream, text: &str, edition: u16, lowering: &mut Lowering) -> File {
    if let Ok(file) = syn::parse2(tokens) {
        return file;
    }
    // The tokens are gone: keeping them during the first attempt would make the parser copy every one of them.
    let tokens = TokenStream::from_str(text).unwrap_or_default();
    let mut recovery = Recovery { edition, lowering };
    let parsed = (|input: ParseStream| recovery.file(input)).parse2(tokens);
    parsed.unwrap_or(File { shebang: None, frontmatter: None, attrs: Vec::new(), items: Vec::new() })
}

struct Recovery<'a> {
    edition: u16,
    lowering: &'a mut Lowering,
}

/// Something that stands in a list and can be read on when a part of it is broken.
trait Member: Parse {
    /// What the parser says about the whole can be narrowed down to a part of it.
    fn narrow(tokens: &[TokenTree], recovery: &mut Recovery<'_>) -> Option<Self>;
}

impl Recovery<'_> {
    fn file(&mut self, input: ParseStream) -> Result<File> {
        let attrs = self.inner_attributes(input);
        Ok(File { shebang: None, frontmatter: None, attrs, items: self.list(input) })
    }

    fn inner_attributes(&mut self, input: ParseStream) -> Vec<Attribute> {
        let ahead = input.fork();
        match ahead.call(Attribute::parse_inner) {
            Ok(attrs) => {
                input.advance_to(&ahead);
                attrs
            }
            Err(_) => Vec::new(),
        }
    }

    fn list<T: Member>(&mut self, input: ParseStream) -> Vec<T> {
        let mut members = Vec::new();
        while !input.is_empty() {
            let ahead = input.fork();
            match ahead.parse() {
                Ok(member) => {
                    input.advance_to(&ahead);
                    members.push(member);
                }
                Err(error) => members.extend(self.broken(&take(input), &error)),
            }
        }
        members
    }

    fn list_in<T: Member>(&mut self, tokens: TokenStream) -> Vec<T> {
        (|input: ParseStream| {
            // Inner attributes of a module or impl; what they say about tests stands on the outer ones as a rule.
            self.inner_attributes(input);
            Ok(self.list(input))
        })
        .parse2(tokens)
        .unwrap_or_default()
    }

    /// What can be had of a member that does not parse.
    fn broken<T: Member>(&mut self, tokens: &[TokenTree], error: &syn::Error) -> Option<T> {
        // Bare trait objects were taken, with a warning, until 2021.
        let repaired = repair::repair(tokens.iter().cloned().collect(), self.edition < 2021);
        if let Ok(member) = syn::parse2(repaired) {
            return Some(member);
        }
        if let Some(member) = T::narrow(tokens, self) {
            return Some(member);
        }
        let (first, last) = tokens.first().zip(tokens.last())?;
        let span = super::tree::Span { start: spans::start(first.span()), end: spans::end(last.span()) };
        self.lowering.notice(span, format!("{}: not analysed: {}", describe(tokens), brief(error)));
        None
    }
}

impl Member for Item {
    fn narrow(tokens: &[TokenTree], recovery: &mut Recovery<'_>) -> Option<Self> {
        let (head, inside) = split_block(tokens)?;
        let mut item = syn::parse2(head).ok()?;
        match &mut item {
            Item::Impl(item) => item.items = recovery.list_in(inside),
            Item::Trait(item) => item.items = recovery.list_in(inside),
            Item::ForeignMod(item) => item.items = recovery.list_in(inside),
            Item::Mod(item) => item.content.as_mut()?.1 = recovery.list_in(inside),
            _ => return None,
        }
        Some(item)
    }
}

impl Member for ImplItem {
    fn narrow(_: &[TokenTree], _: &mut Recovery<'_>) -> Option<Self> {
        None
    }
}

impl Member for TraitItem {
    fn narrow(_: &[TokenTree], _: &mut Recovery<'_>) -> Option<Self> {
        None
    }
}

impl Member for ForeignItem {
    fn narrow(_: &[TokenTree], _: &mut Recovery<'_>) -> Option<Self> {
        None
    }
}

/// An item with its last block emptied, and what stood in the block.
fn split_block(tokens: &[TokenTree]) -> Option<(TokenStream, TokenStream)> {
    let (last, head) = tokens.split_last()?;
    let TokenTree::Group(group) = last else { return None };
    if group.delimiter() != Delimiter::Brace {
        return None;
    }
    let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
    empty.set_span(group.span());
    Some((head.iter().cloned().chain([TokenTree::Group(empty)]).collect(), group.stream()))
}

/// Words that begin an item.
const ITEM_WORDS: [&str; 20] = [
    "fn",
    "impl",
    "trait",
    "mod",
    "struct",
    "enum",
    "union",
    "static",
    "const",
    "type",
    "use",
    "extern",
    "macro_rules",
    "macro",
    "pub",
    "async",
    "unsafe",
    "default",
    "auto",
    "crate",
];

/// Takes the tokens of one broken item: up to its block or semicolon, or to where a line begins the next one.
fn take(input: ParseStream) -> Vec<TokenTree> {
    let mut tokens: Vec<TokenTree> = Vec::new();
    let mut value = false;
    while !input.is_empty() {
        let ahead = input.fork();
        let Ok(token) = ahead.parse::<TokenTree>() else { break };
        if let Some(first) = tokens.first() {
            let (begin, here) = (first.span().start(), token.span().start());
            let attribute = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
            let word = matches!(&token, TokenTree::Ident(ident) if ITEM_WORDS.iter().any(|word| ident == word));
            let attributes_only = in_attributes(&tokens);
            if here.line > begin.line && here.column == begin.column && (attribute || word) && !attributes_only {
                break;
            }
        }
        input.advance_to(&ahead);
        if let TokenTree::Ident(ident) = &token {
            let item = tokens.iter().any(is_item_word);
            // The value of a `const` may hold blocks; that of `const fn` is its block.
            value = (value && ident != "fn")
                || (!item && ["static", "const", "type", "use"].iter().any(|word| ident == word));
        }
        let end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !value,
            _ => false,
        };
        tokens.push(token);
        if end {
            break;
        }
    }
    tokens
}

/// Whether an item keyword other than a modifier stands here.
fn is_item_word(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident)
        if ["fn", "impl", "trait", "mod", "struct", "enum", "union", "static", "type", "use"]
            .iter().any(|word| ident == word))
}

/// Whether these tokens are attributes and nothing else so far.
fn in_attributes(tokens: &[TokenTree]) -> bool {
    tokens.iter().all(|token| match token {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '#' | '!'),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        _ => false,
    })
}

/// The parser's message without its longer lists.
fn brief(error: &syn::Error) -> String {
    let message = error.to_string();
    match message.split_once(", expected one of") {
        Some((before, _)) => before.to_owned(),
        None => message,
    }
}

/// What an item calls itself.
fn describe(tokens: &[TokenTree]) -> String {
    let position = tokens.iter().position(is_item_word);
    match position.map(|at| (&tokens[at], tokens.get(at + 1))) {
        Some((word, Some(TokenTree::Ident(name)))) => format!("`{word} {name}`"),
        Some((word, _)) => format!("`{word}`"),
        None => "part of the file".into(),
    }
}

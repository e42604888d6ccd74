//! `macro_rules!` of the scanned crate, expanded where they are called.
//!
//! Guarantees: a rule matches as the reference says for fragments, repetitions and separators, without going back into
//! a fragment; what a macro brings along stands at its call in the sources, what the caller wrote where it was written;
//! expansion is bounded by the length of the file, so that it stays linear in the sources. The algorithm is the one of
//! the Rust Reference, "Macros By Example".
//!
//! Misses: hygiene (a name of the macro can hide one of the caller), procedural macros, `macro_rules!` that other macros
//! make, metavariable expressions, and calls beyond the bound, which are read like those of unknown macros.

use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr as _;
use std::sync::Arc;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Result};

use super::shape::{Scanner, Shape};

/// Expansions may make so many tokens in a file, and in a longer one as many as it has about itself.
const LEAST_TOKENS: usize = 2_000;
/// Bytes of source per token, about.
const TOKEN: usize = 6;
/// Macros are only looked up in definitions with no more tokens than this.
const LONGEST_DEFINITION: usize = 4_000;

/// Brackets in a definition may nest so deep: the parser recurses.
const DEEPEST_DEFINITION: u32 = 32;

/// Definitions by name: the text between the outer delimiters.
pub type Definitions = std::collections::BTreeMap<String, String>;

/// The macros that one file can call.
#[derive(Default)]
pub(super) struct Macros {
    /// Of this file.
    own: HashMap<String, TokenStream>,
    /// Of other files of the crate.
    others: Option<Arc<Definitions>>,
    parsed: HashMap<String, Option<Rc<Vec<Rule>>>>,
    /// How many tokens may still be made.
    left: usize,
}

/// `matcher => transcriber`
struct Rule {
    matcher: Vec<Matcher>,
    body: TokenStream,
}

enum Matcher {
    Token(TokenTree),
    Group(Delimiter, Vec<Matcher>),
    Fragment(String, String),
    Repeat { inside: Vec<Matcher>, separator: Option<TokenTree>, most_one: bool },
}

/// What a rule's names stand for.
type Bindings = HashMap<String, Bound>;

#[derive(Clone)]
enum Bound {
    Tokens(TokenStream),
    Many(Vec<Bound>),
}

impl Macros {
    pub(super) fn new(text: &str, others: Option<Arc<Definitions>>) -> Macros {
        Macros { own: own(text), others, parsed: HashMap::new(), left: LEAST_TOKENS.max(text.len() / TOKEN) }
    }

    /// What a call makes; nothing where no rule matches, the macro is not known or the bound is reached.
    pub(super) fn expand(&mut self, name: &str, args: &TokenStream, at: Span) -> Option<TokenStream> {
        if self.left == 0 {
            return None;
        }
        let rules = self.rules(name)?;
        for rule in rules.iter() {
            let matched = |input: ParseStream| {
                let mut bindings = Bindings::new();
                matches(&rule.matcher, input, &mut bindings)?;
                if input.is_empty() { Ok(bindings) } else { Err(input.error("more tokens")) }
            };
            let Ok(bindings) = matched.parse2(args.clone()) else { continue };
            return transcribe(rule.body.clone(), &bindings, at, &mut self.left);
        }
        None
    }

    fn rules(&mut self, name: &str) -> Option<Rc<Vec<Rule>>> {
        if let Some(known) = self.parsed.get(name) {
            return known.clone();
        }
        let tokens = match self.own.get(name) {
            Some(tokens) => Some(tokens.clone()),
            None => self.others.as_ref().and_then(|others| others.get(name)?.parse().ok()),
        };
        let rules = tokens.and_then(rules).map(Rc::new);
        self.parsed.insert(name.to_string(), rules.clone());
        rules
    }
}

/// The definitions in a text, which other modules of its crate may call. Nothing for a text that does not tokenize.
pub fn definitions(text: &str) -> Definitions {
    own(text).into_iter().map(|(name, tokens)| (name, tokens.to_string())).collect()
}

/// Finds `macro_rules! name { .. }`, wherever they stand. Only the definitions are tokenized.
fn own(text: &str) -> HashMap<String, TokenStream> {
    let mut found = HashMap::new();
    if !text.contains("macro_rules!") {
        return found;
    }
    let mut scanner = Scanner::new(text);
    while let Some((at, shape)) = scanner.next() {
        let is_word = |shape: Shape, at: usize| match shape {
            Shape::Word(end) => text.get(at..end),
            _ => None,
        };
        if is_word(shape, at) != Some("macro_rules") || !matches!(scanner.next(), Some((_, Shape::Punct(b'!')))) {
            continue;
        }
        let Some(name) = scanner.next().and_then(|(at, shape)| is_word(shape, at)) else { continue };
        let Some((open, Shape::Open(_))) = scanner.next() else { continue };
        let mut depth = 1;
        let close = scanner.by_ref().find_map(|(at, shape)| {
            match shape {
                Shape::Open(_) => depth += 1,
                Shape::Close(_) => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        });
        let Some(Ok(tokens)) = close.and_then(|close| text.get(open + 1..close)).map(TokenStream::from_str) else {
            continue;
        };
        if size(&tokens) <= LONGEST_DEFINITION && flat(&tokens, DEEPEST_DEFINITION) {
            found.entry(name.to_string()).or_insert(tokens);
        }
    }
    found
}

fn rules(tokens: TokenStream) -> Option<Vec<Rule>> {
    let mut out = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(TokenTree::Group(pattern)) = tokens.next() {
        let arrow = tokens.by_ref().take(2).collect::<TokenStream>().to_string();
        let Some(TokenTree::Group(body)) = tokens.next() else { return None };
        if arrow.replace(' ', "") != "=>" {
            return None;
        }
        out.push(Rule { matcher: matchers(pattern.stream())?, body: body.stream() });
        tokens.next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == ';'));
    }
    Some(out)
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn matchers(tokens: TokenStream) -> Option<Vec<Matcher>> {
    let mut out = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if !is_punct(&token, '$') {
            out.push(match token {
                TokenTree::Group(group) => Matcher::Group(group.delimiter(), matchers(group.stream())?),
                token => Matcher::Token(token),
            });
            continue;
        }
        match tokens.next()? {
            TokenTree::Ident(name) => {
                if !is_punct(&tokens.next()?, ':') {
                    return None;
                }
                let TokenTree::Ident(kind) = tokens.next()? else { return None };
                out.push(Matcher::Fragment(name.to_string(), kind.to_string()));
            }
            TokenTree::Group(group) => {
                let inside = matchers(group.stream())?;
                let (separator, most_one) = repetition(&mut tokens)?;
                out.push(Matcher::Repeat { inside, separator, most_one });
            }
            _ => return None,
        }
    }
    Some(out)
}

/// What stands behind `$( .. )`: the separator, and whether it is there once at most.
fn repetition(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<(Option<TokenTree>, bool)> {
    let operator = |token: &TokenTree| match token {
        TokenTree::Punct(punct) if matches!(punct.as_char(), '*' | '+') => Some(false),
        TokenTree::Punct(punct) if punct.as_char() == '?' => Some(true),
        _ => None,
    };
    let first = tokens.next()?;
    match operator(&first) {
        Some(most_one) => Some((None, most_one)),
        None => {
            let mut next = tokens.next()?;
            // A separator of two characters, `=>`: the first one is enough to tell where an element ends.
            if operator(&next).is_none() {
                next = tokens.next()?;
            }
            Some((Some(first), operator(&next)?))
        }
    }
}

fn matches(pattern: &[Matcher], input: ParseStream, out: &mut Bindings) -> Result<()> {
    for matcher in pattern {
        match matcher {
            Matcher::Token(wanted) => {
                let found: TokenTree = input.parse()?;
                if found.to_string() != wanted.to_string() {
                    return Err(Error::new(found.span(), "another token"));
                }
            }
            Matcher::Group(delimiter, inside) => {
                let TokenTree::Group(group) = input.parse()? else { return Err(input.error("no group")) };
                if group.delimiter() != *delimiter {
                    return Err(input.error("another bracket"));
                }
                let whole = |content: ParseStream| {
                    matches(inside, content, out)?;
                    if content.is_empty() { Ok(()) } else { Err(content.error("more tokens")) }
                };
                whole.parse2(group.stream())?;
            }
            Matcher::Fragment(name, kind) => {
                out.insert(name.clone(), Bound::Tokens(fragment(kind, input)?));
            }
            Matcher::Repeat { inside, separator, most_one } => {
                repeat(inside, separator.as_ref(), *most_one, input, out)?
            }
        }
    }
    Ok(())
}

fn repeat(
    inside: &[Matcher],
    separator: Option<&TokenTree>,
    most_one: bool,
    input: ParseStream,
    out: &mut Bindings,
) -> Result<()> {
    let mut turns: Vec<Bindings> = Vec::new();
    while !input.is_empty() && (!most_one || turns.is_empty()) {
        let ahead = input.fork();
        if let (Some(separator), false) = (separator, turns.is_empty()) {
            let found: TokenTree = ahead.parse()?;
            if found.to_string() != separator.to_string() {
                break;
            }
        }
        let mut turn = Bindings::new();
        if matches(inside, &ahead, &mut turn).is_err() || ahead.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&ahead);
        turns.push(turn);
    }
    for name in names(inside) {
        let all = turns.iter().filter_map(|turn| turn.get(&name).cloned()).collect();
        out.insert(name, Bound::Many(all));
    }
    Ok(())
}

fn names(pattern: &[Matcher]) -> Vec<String> {
    let mut out = Vec::new();
    for matcher in pattern {
        match matcher {
            Matcher::Fragment(name, _) => out.push(name.clone()),
            Matcher::Group(_, inside) | Matcher::Repeat { inside, .. } => out.extend(names(inside)),
            Matcher::Token(_) => {}
        }
    }
    out
}

/// Takes one fragment. Expressions and types are kept together by invisible brackets.
fn fragment(kind: &str, input: ParseStream) -> Result<TokenStream> {
    use syn::ext::IdentExt as _;
    let begin = input.cursor();
    let mut together = false;
    match kind {
        "expr" | "expr_2021" => {
            let expr: syn::Expr = input.parse()?;
            together = !matches!(expr, syn::Expr::Path(_) | syn::Expr::Lit(_) | syn::Expr::Group(_));
        }
        "ty" => together = !matches!(input.parse::<syn::Type>()?, syn::Type::Path(_)),
        "ident" => drop(input.call(syn::Ident::parse_any)?),
        "tt" => drop(input.parse::<TokenTree>()?),
        "lifetime" => drop(input.parse::<syn::Lifetime>()?),
        "literal" => drop(input.parse::<syn::Lit>()?),
        "path" => drop(input.parse::<syn::Path>()?),
        "pat" => drop(syn::Pat::parse_multi_with_leading_vert(input)?),
        "pat_param" => drop(syn::Pat::parse_single(input)?),
        "stmt" => drop(input.parse::<syn::Stmt>()?),
        "block" => drop(input.parse::<syn::Block>()?),
        "item" => drop(input.parse::<syn::Item>()?),
        "meta" => drop(input.parse::<syn::Meta>()?),
        "vis" => drop(input.parse::<syn::Visibility>()?),
        _ => return Err(input.error("an unknown fragment")),
    }
    let (end, mut at) = (input.cursor(), begin);
    let mut tokens = TokenStream::new();
    while at != end {
        let Some((token, next)) = at.token_tree() else { break };
        tokens.extend([token]);
        at = next;
    }
    Ok(if together { TokenTree::Group(Group::new(Delimiter::None, tokens)).into() } else { tokens })
}

/// Writes a rule's body; nothing where it would make more tokens than are `left`, or names what it does not have.
fn transcribe(body: TokenStream, bindings: &Bindings, at: Span, left: &mut usize) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    let mut tokens = body.into_iter().peekable();
    while let Some(mut token) = tokens.next() {
        take(left, 1)?;
        if is_punct(&token, '$') {
            match tokens.next()? {
                TokenTree::Ident(name) if name == "crate" => {
                    out.extend([TokenTree::Ident(proc_macro2::Ident::new("crate", at))]);
                }
                TokenTree::Ident(name) => match bindings.get(&name.to_string())? {
                    Bound::Tokens(bound) => {
                        take(left, size(bound))?;
                        out.extend(bound.clone());
                    }
                    Bound::Many(_) => return None,
                },
                TokenTree::Group(group) => {
                    let (separator, _) = repetition(&mut tokens)?;
                    let used = used(group.stream(), bindings);
                    let turns = used.iter().filter_map(|name| match bindings.get(name) {
                        Some(Bound::Many(all)) => Some(all.len()),
                        _ => None,
                    });
                    for turn in 0..turns.max()? {
                        let mut inner = bindings.clone();
                        for name in &used {
                            if let Some(Bound::Many(all)) = bindings.get(name) {
                                inner.insert(name.clone(), all.get(turn)?.clone());
                            }
                        }
                        if let (Some(separator), true) = (&separator, turn > 0) {
                            out.extend([separator.clone()]);
                        }
                        out.extend(transcribe(group.stream(), &inner, at, left)?);
                    }
                }
                _ => return None,
            }
            continue;
        }
        if let TokenTree::Group(group) = &token {
            let inside = transcribe(group.stream(), bindings, at, left)?;
            token = TokenTree::Group(Group::new(group.delimiter(), inside));
        }
        token.set_span(at);
        out.extend([token]);
    }
    Some(out)
}

fn take(left: &mut usize, tokens: usize) -> Option<()> {
    let enough = left.checked_sub(tokens);
    *left = enough.unwrap_or(0);
    enough.map(drop)
}

/// Whether brackets nest no deeper than this.
fn flat(tokens: &TokenStream, depth: u32) -> bool {
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Group(group) => depth > 0 && flat(&group.stream(), depth - 1),
        _ => true,
    })
}

fn size(tokens: &TokenStream) -> usize {
    let inside = |token: TokenTree| match token {
        TokenTree::Group(group) => 1 + size(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(inside).sum()
}

/// The names of a repetition's body that stand for something.
fn used(body: TokenStream, bindings: &Bindings) -> Vec<String> {
    let mut out = Vec::new();
    let mut after = false;
    for token in body {
        match &token {
            TokenTree::Ident(name) if after && bindings.contains_key(&name.to_string()) => out.push(name.to_string()),
            TokenTree::Group(group) => out.extend(used(group.stream(), bindings)),
            _ => {}
        }
        after = is_punct(&token, '$');
    }
    out
}

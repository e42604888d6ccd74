//! Syntax that syn does not take, rewritten to what it takes; spans stay.
//!
//! Of older editions:
//!
//! - `Box<Fn(u8)>`, `&mut FnMut()`: a bare trait object gets its `dyn`;
//! - `fn f(u8);` in a trait: the parameter gets the name `_`;
//! - `async` and `await` as names: raw identifiers.
//!
//! Unstable syntax: `super let` loses its `super`, `impl const Trait` and `~const Trait` lose their `const`.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

/// Rewrites the tokens of an item that did not parse; what older editions wrote only where `old`.
pub(super) fn repair(tokens: TokenStream, old: bool) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out: Vec<TokenTree> = Vec::with_capacity(tokens.len() + 4);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        match token {
            TokenTree::Ident(ident) if old && ident == "async" && !continues_async(next) => {
                out.push(Ident::new_raw("async", ident.span()).into());
            }
            TokenTree::Ident(ident) if old && ident == "await" && !is_punct(out.last(), '.') => {
                out.push(Ident::new_raw("await", ident.span()).into());
            }
            TokenTree::Ident(ident) if old && is_bare_object(&out, ident, next) => {
                out.push(Ident::new("dyn", ident.span()).into());
                out.push(token.clone());
            }
            TokenTree::Ident(ident) if ident == "super" && is_word(next, "let") => {}
            TokenTree::Ident(ident) if ident == "const" && is_word(out.last(), "impl") => {}
            TokenTree::Punct(tilde) if tilde.as_char() == '~' && is_word(next, "const") => at += 1,
            TokenTree::Group(group) => {
                let parameters = old && group.delimiter() == Delimiter::Parenthesis && follows_function_name(&out);
                let mut inside = repair(group.stream(), old);
                if parameters {
                    inside = name_parameters(inside);
                }
                let mut repaired = Group::new(group.delimiter(), inside);
                repaired.set_span(group.span());
                out.push(repaired.into());
            }
            token => out.push(token.clone()),
        }
        at += 1;
    }
    out.into_iter().collect()
}

fn punct(char: char, spacing: Spacing, span: Span) -> TokenTree {
    let mut punct = Punct::new(char, spacing);
    punct.set_span(span);
    punct.into()
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

/// Whether `async` is a keyword before this token.
fn continues_async(next: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Ident(ident)) => ["fn", "move", "unsafe", "extern"].iter().any(|word| ident == word),
        Some(TokenTree::Punct(punct)) => punct.as_char() == '|',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// Whether `Fn(..)` or `for<'a> Fn(..)` begins here at a place where a type stands.
fn is_bare_object(before: &[TokenTree], ident: &Ident, next: Option<&TokenTree>) -> bool {
    let function = ["Fn", "FnMut", "FnOnce"].iter().any(|name| ident == name)
        && matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    let binder = ident == "for" && is_punct(next, '<');
    if !function && !binder {
        return false;
    }
    match before {
        [] => true,
        [.., TokenTree::Punct(minus), TokenTree::Punct(punct)] if minus.as_char() == '-' && punct.as_char() == '>' => {
            true
        }
        [.., TokenTree::Punct(punct)] => matches!(punct.as_char(), '<' | '&' | ',' | '='),
        // `&'a Fn()`
        [.., TokenTree::Punct(apostrophe), TokenTree::Ident(_)] if apostrophe.as_char() == '\'' => true,
        [.., TokenTree::Ident(ident)] => ident == "mut" || ident == "as",
        _ => false,
    }
}

/// Whether what was read ends in `fn name` or `fn name<..>`.
fn follows_function_name(before: &[TokenTree]) -> bool {
    let mut end = before.len();
    if is_punct(before.last(), '>') {
        let mut depth = 0_i32;
        while let Some(at) = end.checked_sub(1) {
            depth += i32::from(is_punct(before.get(at), '>')) - i32::from(is_punct(before.get(at), '<'));
            end = at;
            if depth == 0 {
                break;
            }
        }
    }
    matches!(before.get(..end), Some([.., TokenTree::Ident(word), TokenTree::Ident(_)]) if word == "fn")
}

/// Gives every parameter that is a type alone the name `_`.
fn name_parameters(parameters: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut parameter: Vec<TokenTree> = Vec::new();
    let mut angles = 0_i32;
    for token in parameters {
        if let TokenTree::Punct(punct) = &token {
            let arrow = is_punct(parameter.last(), '-');
            angles += i32::from(punct.as_char() == '<') - i32::from(punct.as_char() == '>' && !arrow);
            if punct.as_char() == ',' && angles <= 0 {
                finish_parameter(&mut parameter, &mut out);
                out.push(token);
                continue;
            }
        }
        parameter.push(token);
    }
    finish_parameter(&mut parameter, &mut out);
    out.into_iter().collect()
}

fn finish_parameter(parameter: &mut Vec<TokenTree>, out: &mut Vec<TokenTree>) {
    let named = parameter.iter().enumerate().any(|(at, token)| {
        let colon = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
        // `::` is no colon.
        colon && !is_punct(parameter.get(at + 1), ':') && !(at > 0 && is_punct(parameter.get(at - 1), ':'))
    });
    let receiver = parameter.iter().any(|token| matches!(token, TokenTree::Ident(ident) if ident == "self"));
    if let Some(first) = parameter.first()
        && !named
        && !receiver
    {
        out.push(Ident::new("_", first.span()).into());
        out.push(punct(':', Spacing::Alone, first.span()));
    }
    out.append(parameter);
}

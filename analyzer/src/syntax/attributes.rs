//! What attributes say about an item: that only tests compile it, or where its file lies.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Expr, Item, Lit, Meta};

/// The attributes of an item.
pub(super) fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The attributes of an expression statement. Kinds that are no statements are left out.
pub(super) fn of_expr(expr: &syn::Expr) -> &[Attribute] {
    use syn::Expr;
    match expr {
        Expr::Assign(expr) => &expr.attrs,
        Expr::Await(expr) => &expr.attrs,
        Expr::Binary(expr) => &expr.attrs,
        Expr::Block(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Loop(expr) => &expr.attrs,
        Expr::Macro(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Try(expr) => &expr.attrs,
        Expr::Unsafe(expr) => &expr.attrs,
        Expr::While(expr) => &expr.attrs,
        _ => &[],
    }
}

/// Whether attributes say that the item exists in test builds only, or is a test: `#[cfg(test)]`, `#[test]`,
/// `#[tokio::test]`, `#[bench]` and their like.
pub(super) fn mark_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("cfg") => needs_test(list.tokens.clone()),
        meta => meta.path().segments.last().is_some_and(|last| {
            const TEST_ATTRIBUTES: [&str; 7] =
                ["test", "bench", "rstest", "test_case", "quickcheck", "wasm_bindgen_test", "proptest"];
            TEST_ATTRIBUTES.iter().any(|name| last.ident == name)
        }),
    })
}

/// Whether a `cfg` predicate can hold in test builds only.
fn needs_test(predicate: TokenStream) -> bool {
    let mut tokens = predicate.into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { return false };
    match tokens.next() {
        None => name == "test",
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let parts = split_at_commas(group.stream());
            if name == "all" {
                parts.into_iter().any(needs_test)
            } else if name == "any" {
                // `any(test, feature = "testing")`: what tests of other crates ask for.
                let only = |part: &TokenStream| needs_test(part.clone());
                parts.iter().any(only) && parts.iter().all(|part| only(part) || is_feature_for_tests(part.clone()))
            } else {
                false
            }
        }
        Some(_) => false,
    }
}

/// `feature = ".."` with a name that says what it is for.
fn is_feature_for_tests(predicate: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = predicate.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(value)] => {
            name == "feature" && value.to_string().contains("test")
        }
        _ => false,
    }
}

/// Whether attributes let a part of the program exist in the usual build: on a Unix system, with all features; `None` where
/// they say nothing of that.
pub(super) fn in_usual_build(attrs: &[Attribute]) -> Option<bool> {
    let predicates = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(holds(list.tokens.clone())),
        _ => None,
    });
    predicates.reduce(|one, other| match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    })?
}

/// The same of one predicate.
fn holds(predicate: TokenStream) -> Option<bool> {
    let mut tokens = predicate.into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { return None };
    match tokens.next() {
        None if name == "unix" || name == "debug_assertions" || name == "panic" => Some(true),
        None if name == "windows" || name == "miri" || name == "loom" || name == "doc" || name == "docsrs" => {
            Some(false)
        }
        None => None,
        Some(TokenTree::Punct(_)) => {
            let Some(TokenTree::Literal(value)) = tokens.next() else { return None };
            let value = value.to_string();
            let is = |usual: &str| Some(value.trim_matches('"') == usual);
            match name.to_string().as_str() {
                "feature" => Some(true),
                "target_os" => is("linux"),
                "target_family" => is("unix"),
                "target_has_atomic" => Some(true),
                "target_pointer_width" => is("64"),
                "target_arch" if value.contains("wasm") => Some(false),
                _ => None,
            }
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let parts: Vec<Option<bool>> = split_at_commas(group.stream()).into_iter().map(holds).collect();
            if name == "not" {
                parts.first().copied().flatten().map(|holds| !holds)
            } else if name == "all" || name == "any" {
                // `all` is false where one part is, `any` true where one part is.
                let decides = name == "any";
                match parts.contains(&Some(decides)) {
                    true => Some(decides),
                    false if parts.iter().all(|part| *part == Some(!decides)) => Some(!decides),
                    false => None,
                }
            } else {
                None
            }
        }
        Some(_) => None,
    }
}

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    for token in tokens {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            parts.push(part.drain(..).collect());
        } else {
            part.push(token);
        }
    }
    if !part.is_empty() {
        parts.push(part.into_iter().collect());
    }
    parts
}

/// `#[path = ".."]`.
pub(super) fn path(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(value), .. }) => Some(value.value()),
            _ => None,
        },
        _ => None,
    })
}

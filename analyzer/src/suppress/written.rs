//! The suppressions that stand in a text.

use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Meta, Token};

use super::{Scope, Suppression};
use crate::nearest::hint;
use crate::rules::selector::Selector;
use crate::syntax::Span;
use crate::syntax::outline::Outline;

/// How long an attribute may be, in bytes, to be read: its nesting is bounded by it.
const LONGEST_ATTRIBUTE: usize = 2000;

/// Lints of clippy and rustc, and the rules that say the same.
const THEIRS: [(&str, &str); 2] =
    [("await_holding_lock", "guard_across_await"), ("let_underscore_lock", "guard_dropped_immediately")];

const VERBS: [&str; 3] = ["allow", "expect", "allow-file"];

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Suppression(Suppression),
    /// Addressed to us and not understood: where, and what is wrong.
    Wrong(Span, String),
}

/// All suppressions of a text, comments first.
pub(super) fn read(text: &str) -> Vec<Written> {
    let outline = Outline::new(text);
    let mut out = Vec::new();
    for (extent, said) in outline.comments() {
        let Some(said) = said.strip_prefix("lockcheck:") else { continue };
        let span = outline.span(extent.clone());
        // An order of locks, which is no suppression; see `documented`.
        if let Some(order) = said.trim().strip_prefix("order").filter(|rest| rest.trim_start().starts_with('(')) {
            out.extend(crate::documented::chain(order).err().map(|message| Written::Wrong(span, message)));
            continue;
        }
        match comment(said.trim()) {
            Err(message) => out.push(Written::Wrong(span, message)),
            Ok((verb, names, reason)) => {
                let scope = if verb == "allow-file" {
                    Scope::File
                } else if outline.follows_code(extent.start) {
                    Scope::Line(span.start.line)
                } else {
                    match outline.behind(extent.end) {
                        Some(extent) => Scope::Extent(outline.span(extent)),
                        None => {
                            out.push(Written::Wrong(span, "nothing follows that this suppression could mean".into()));
                            continue;
                        }
                    }
                };
                add(&mut out, names, verb == "expect", scope, span, reason);
            }
        }
    }
    for found in outline.attributes().filter(|each| each.extent.len() <= LONGEST_ATTRIBUTE) {
        let written = text.get(found.extent.clone()).unwrap_or_default();
        let theirs: Vec<_> = THEIRS.iter().filter(|(lint, _)| written.contains(lint)).collect();
        let ours = written.contains("cfg_attr") && written.contains("lockcheck");
        if !ours && theirs.is_empty() {
            continue;
        }
        let span = outline.span(found.extent.clone());
        let around = if found.inner {
            outline.around(found.extent.start)
        } else {
            outline.behind(found.extent.start).unwrap_or(found.extent.clone())
        };
        let scope = if around == (0..text.len()) { Scope::File } else { Scope::Extent(outline.span(around)) };
        for (expect, names, reason) in attribute(written) {
            add(&mut out, names, expect, scope, span, reason);
        }
        for (_, rule) in theirs.iter().filter(|(lint, _)| silences(written, lint)) {
            let names = vec![((*rule).to_owned(), Selector::Rule(rule))];
            out.push(Written::Suppression(Suppression {
                names,
                expect: false,
                scope,
                span,
                reason: true,
                borrowed: true,
            }));
        }
    }
    out
}

/// Adds a suppression for the names that are known, and what is wrong with the others.
fn add(out: &mut Vec<Written>, written: Vec<String>, expect: bool, scope: Scope, span: Span, reason: bool) {
    let mut names = Vec::new();
    for name in written {
        match Selector::parse(&name, &[]) {
            Ok(selector) => names.push((name, selector)),
            Err(error) => out.push(Written::Wrong(span, error.to_string())),
        }
    }
    if !names.is_empty() {
        out.push(Written::Suppression(Suppression { names, expect, scope, span, reason, borrowed: false }));
    }
}

/// `VERB(NAME, ..) -- reason`: the verb, the names, and whether there is a reason.
fn comment(said: &str) -> Result<(&str, Vec<String>, bool), String> {
    let form = "write `// lockcheck: allow(RULE) -- reason`";
    let word = said.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').next().unwrap_or_default();
    let Some(verb) = VERBS.into_iter().find(|verb| *verb == word) else {
        return Err(format!("`{word}` is not understood{}; {form}", hint(word, VERBS)));
    };
    let rest = said[word.len()..].trim_start();
    let Some((names, rest)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return Err(format!("the names behind `{verb}` are missing; {form}"));
    };
    let names: Vec<String> =
        names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(format!("`{verb}` names no rule; {form}"));
    }
    let rest = rest.trim();
    match rest.strip_prefix("--") {
        Some(reason) => Ok((verb, names, !reason.trim().is_empty())),
        None if rest.is_empty() => Ok((verb, names, false)),
        None => Err(format!("what follows `{verb}(..)` is not understood; {form}")),
    }
}

/// Whether an attribute is an `allow` or `expect` of this lint, also under a condition.
fn silences(written: &str, lint: &str) -> bool {
    let written = written.replacen("#!", "#", 1);
    let Ok(attributes) = syn::Attribute::parse_outer.parse_str(&written) else { return false };
    let names = |meta: &Meta| {
        let Meta::List(list) = meta else { return false };
        let silencing = list.path.is_ident("allow") || list.path.is_ident("expect");
        let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
        silencing
            && parts.iter().flatten().any(|part| part.path().segments.last().is_some_and(|name| name.ident == lint))
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
            parts.iter().flatten().skip(1).any(names)
        }
        meta => names(meta),
    })
}

/// `#[cfg_attr(lockcheck, allow(lockcheck::RULE, reason = ".."), ..)]`: whether it is an expectation, the names, and
/// whether there is a reason. Attributes that say something else give nothing.
fn attribute(written: &str) -> Vec<(bool, Vec<String>, bool)> {
    let written = written.replacen("#!", "#", 1);
    let Ok(attributes) = syn::Attribute::parse_outer.parse_str(&written) else { return Vec::new() };
    let parts = |meta: &Meta| match meta {
        Meta::List(list) => list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok(),
        _ => None,
    };
    let mut out = Vec::new();
    for attribute in attributes.iter().filter(|each| each.path().is_ident("cfg_attr")) {
        let Some(metas) = parts(&attribute.meta) else { continue };
        let mut metas = metas.iter();
        if !metas.next().is_some_and(|condition| condition.path().is_ident("lockcheck")) {
            continue;
        }
        for meta in metas {
            let expect = meta.path().is_ident("expect");
            if !expect && !meta.path().is_ident("allow") {
                continue;
            }
            let (mut names, mut reason) = (Vec::new(), false);
            for part in parts(meta).iter().flatten() {
                match part {
                    Meta::Path(path) if path.segments.first().is_some_and(|first| first.ident == "lockcheck") => {
                        let segments: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
                        names.push(segments.join("::"));
                    }
                    Meta::NameValue(value) if value.path.is_ident("reason") => reason = true,
                    _ => {}
                }
            }
            if !names.is_empty() {
                out.push((expect, names, reason));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(said: &str) -> String {
        comment(said).expect_err("not understood")
    }

    #[test]
    fn comments_are_read_with_names_and_reason() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(comment("allow(double_lock) -- why"), Ok(("allow", names(&["double_lock"]), true)));
        assert_eq!(comment("expect(a, lockcheck::b)"), Ok(("expect", names(&["a", "lockcheck::b"]), false)));
        assert_eq!(comment("allow-file ( all ) -- "), Ok(("allow-file", names(&["all"]), false)));
    }

    #[test]
    fn what_is_not_understood_names_the_mend() {
        let form = "write `// lockcheck: allow(RULE) -- reason`";
        assert_eq!(error("alow(a)"), format!("`alow` is not understood; did you mean `allow`?; {form}"));
        assert_eq!(error("allow double_lock"), format!("the names behind `allow` are missing; {form}"));
        assert_eq!(error("allow()"), format!("`allow` names no rule; {form}"));
        assert_eq!(error("allow(a) because"), format!("what follows `allow(..)` is not understood; {form}"));
        assert_eq!(error(""), format!("`` is not understood; {form}"));
    }

    #[test]
    fn attributes_are_read_and_those_of_others_are_not() {
        let read = |text: &str| attribute(text);
        let name = |name: &str| vec![name.to_owned()];
        assert_eq!(
            read("#[cfg_attr(lockcheck, allow(lockcheck::double_lock, reason = \"x\"))]"),
            [(false, name("lockcheck::double_lock"), true)]
        );
        assert_eq!(
            read("#![cfg_attr(lockcheck, inline, expect(lockcheck::all), allow(clippy::all))]"),
            [(true, name("lockcheck::all"), false)]
        );
        for other in ["#[cfg_attr(test, allow(lockcheck::all))]", "#[cfg_attr(lockcheck)]", "#[cfg_attr(]", "#[a]"] {
            assert_eq!(read(other), [], "{other}");
        }
    }
}

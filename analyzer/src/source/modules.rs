//! Which files a file includes as modules: what is needed to tell crate roots from the rest before anything is parsed.
//!
//! Guarantees: `mod x;`, nested inline modules, `#[path]` (also inside `cfg_attr`), `include!` of a literal, and all of
//! these inside macro calls, read from tokens, so comments and strings do not mislead. Only files with a `mod ...;` or
//! an `include!` in them are tokenised.
//!
//! Misses: modules whose declaration a macro builds. Such a file then is a root of its own.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::walk::absolute;

/// A file that another one asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Names of the inline modules around it.
    inside: Vec<String>,
    kind: WantedKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum WantedKind {
    /// `mod name;`
    Module(String),
    /// `#[path = "..."] mod name;` or `include!("...")`
    Path(String),
}

/// What `text` includes, in source order. Empty where the text is not even tokens.
pub(super) fn wanted(text: &str) -> Vec<Wanted> {
    if !declares_something(text) {
        return Vec::new();
    }
    let mut out = Vec::new();
    if let Ok(tokens) = text.parse::<TokenStream>() {
        collect(tokens, &mut Vec::new(), &mut out);
    }
    // Tokens carry spans of a per-thread map that would grow with every file; none of them is kept.
    proc_macro2::extra::invalidate_current_thread_spans();
    out
}

/// A cheap look that may say yes too often.
fn declares_something(text: &str) -> bool {
    text.contains("include!")
        || text.match_indices("mod").any(|(at, _)| {
            let name = text[at + 3..].trim_start();
            let rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '#');
            rest.len() < name.len() && rest.trim_start().starts_with([';', '/'])
        })
}

fn collect(tokens: TokenStream, inside: &mut Vec<String>, out: &mut Vec<Wanted>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut path = None;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [TokenTree::Punct(hash), TokenTree::Group(group), ..]
                if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
            {
                path = path_attribute(group.stream()).or(path);
                at += 2;
                continue;
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end), ..]
                if word == "mod" && end.as_char() == ';' =>
            {
                let name = name.to_string();
                let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
                let kind = path.take().map_or(WantedKind::Module(name), WantedKind::Path);
                out.push(Wanted { inside: inside.clone(), kind });
                at += 3;
                continue;
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..] if word == "mod" => {
                let name = name.to_string();
                inside.push(path.take().unwrap_or_else(|| name.strip_prefix("r#").unwrap_or(&name).to_owned()));
                collect(body.stream(), inside, out);
                inside.pop();
                at += 3;
                continue;
            }
            [TokenTree::Ident(word), TokenTree::Punct(bang), TokenTree::Group(arguments), ..]
                if word == "include" && bang.as_char() == '!' =>
            {
                if let Some(file) = only_string(arguments.stream()) {
                    out.push(Wanted { inside: Vec::new(), kind: WantedKind::Path(file) });
                }
                at += 3;
                continue;
            }
            // `pub`, `pub(crate)` and `unsafe` may stand between an attribute and its `mod`.
            [TokenTree::Ident(word), ..] if word == "pub" || word == "unsafe" || word == "crate" || word == "in" => {}
            [TokenTree::Group(group), ..] => {
                collect(group.stream(), inside, out);
                if group.delimiter() != Delimiter::Parenthesis {
                    path = None;
                }
            }
            _ => path = None,
        }
        at += 1;
    }
}

/// `path = "..."`, also inside `cfg_attr(condition, path = "...")`.
fn path_attribute(attribute: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    if let [TokenTree::Ident(name), TokenTree::Group(arguments)] = &tokens[..]
        && name == "cfg_attr"
    {
        return path_attribute(arguments.stream());
    }
    tokens.windows(3).find_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Punct(equals), TokenTree::Literal(value)]
            if name == "path" && equals.as_char() == '=' =>
        {
            string(value)
        }
        _ => None,
    })
}

fn only_string(arguments: TokenStream) -> Option<String> {
    match arguments.into_iter().next() {
        Some(TokenTree::Literal(literal)) => string(&literal),
        _ => None,
    }
}

fn string(literal: &proc_macro2::Literal) -> Option<String> {
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|value| value.value())
}

/// Where the module files of a file lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A crate root, `mod.rs` and the like: beside it.
    Beside,
    /// Any other file `x.rs`: in the folder `x`.
    Below,
    /// Not known to be either: below where such a file exists, else beside.
    Either,
}

/// The paths that `wanted` may mean in `file`, most likely first. The caller takes the first that exists.
pub(super) fn candidates(file: &Path, place: Place, wanted: &Wanted) -> Vec<PathBuf> {
    let parent = file.parent().unwrap_or(Path::new(""));
    let below = parent.join(file.file_stem().unwrap_or_default());
    let is_mod = file.file_name().is_some_and(|name| name == "mod.rs");
    let folders = match place {
        _ if is_mod => vec![parent.to_owned()],
        Place::Beside => vec![parent.to_owned()],
        Place::Below => vec![below],
        Place::Either => vec![below, parent.to_owned()],
    };
    let inner = |folder: &Path| wanted.inside.iter().fold(folder.to_owned(), |folder, name| folder.join(name));
    match &wanted.kind {
        // A `path` outside inline modules counts from the file's own folder whatever the file is.
        WantedKind::Path(path) if wanted.inside.is_empty() => vec![absolute(parent, Path::new(path))],
        WantedKind::Path(path) => folders.iter().map(|folder| absolute(&inner(folder), Path::new(path))).collect(),
        WantedKind::Module(name) => folders
            .iter()
            .map(|folder| inner(folder))
            .flat_map(|folder| [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(file: &str, place: Place, text: &str) -> Vec<String> {
        wanted(text)
            .iter()
            .flat_map(|wanted| candidates(Path::new(file), place, wanted))
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn declarations_are_found_and_comments_and_strings_are_not() {
        let text = r##"
            // mod no1;
            /* mod no2; */
            const T: &str = "mod no3;";
            #[cfg(test)] pub(crate) mod a;
            mod r#type;
            cfg_if! { if #[cfg(x)] { mod b; } }
        "##;
        assert_eq!(
            all("s/lib.rs", Place::Beside, text),
            ["s/a.rs", "s/a/mod.rs", "s/type.rs", "s/type/mod.rs", "s/b.rs", "s/b/mod.rs"]
        );
    }

    #[test]
    fn inline_modules_are_folders_and_plain_files_have_one_too() {
        let text = "mod outer { mod inner; }";
        assert_eq!(all("s/x.rs", Place::Below, text), ["s/x/outer/inner.rs", "s/x/outer/inner/mod.rs"]);
        assert_eq!(all("s/mod.rs", Place::Below, text), ["s/outer/inner.rs", "s/outer/inner/mod.rs"]);
        assert_eq!(all("s/x.rs", Place::Either, "mod a;"), ["s/x/a.rs", "s/x/a/mod.rs", "s/a.rs", "s/a/mod.rs"]);
    }

    #[test]
    fn path_attributes_and_includes_name_the_file() {
        assert_eq!(all("/s/x.rs", Place::Below, "#[path = \"../y.rs\"]\n#[cfg(unix)] pub mod a;"), ["/y.rs"]);
        assert_eq!(all("/s/x.rs", Place::Below, "#[cfg_attr(unix, path = \"u.rs\")] mod a;"), ["/s/u.rs"]);
        assert_eq!(all("/s/x.rs", Place::Below, "mod m { #[path = \"u.rs\"] mod a; }"), ["/s/x/m/u.rs"]);
        assert_eq!(all("/s/x.rs", Place::Below, "include!(\"gen.rs\");"), ["/s/gen.rs"]);
        assert_eq!(
            all("/s/x.rs", Place::Below, "#[path = \"u.rs\"] struct S; mod a;"),
            ["/s/x/a.rs", "/s/x/a/mod.rs"],
            "the attribute belongs to the struct"
        );
    }

    #[test]
    fn broken_text_includes_nothing() {
        assert_eq!(wanted("mod a; }"), []);
        assert_eq!(wanted("mod"), []);
    }
}

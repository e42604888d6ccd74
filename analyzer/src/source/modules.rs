//! Which files a file includes as modules: what is needed to tell crate roots from the rest before anything is parsed.
//!
//! Guarantees: `mod x;`, nested inline modules, `#[path]` (also inside `cfg_attr`), `include!` of a literal, and all of
//! these inside macro calls, read from the text's shape, so comments and strings do not mislead.
//!
//! Misses: modules whose declaration a macro builds, and those in the bodies of functions, which need a `#[path]`. Such a
//! file then is a root of its own.

use std::path::{Path, PathBuf};

use super::walk::absolute;
use crate::syntax::shape::{Scanner, Shape};

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

/// What `text` includes, in source order. Linear in its length; a text whose brackets do not match includes nothing.
pub(super) fn wanted(text: &str) -> Vec<Wanted> {
    if !declares_something(text) {
        return Vec::new();
    }
    let tokens = Tokens { text, scanner: Scanner::new(text) };
    let tokens: Vec<Token<'_>> = if mentions(text, "include!") { tokens.collect() } else { without_bodies(tokens) };
    let mut reader = Reader { tokens: &tokens, at: 0, inside: Vec::new(), out: Vec::new() };
    let balanced = reader.list() && reader.at == tokens.len();
    if balanced { reader.out } else { Vec::new() }
}

/// A cheap look that may say yes too often.
fn declares_something(text: &str) -> bool {
    mentions(text, "include!")
        || memchr::memmem::find_iter(text.as_bytes(), "mod").any(|at| {
            let name = text[at + 3..].trim_start();
            let rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '#');
            rest.len() < name.len() && rest.trim_start().starts_with([';', '/'])
        })
}

fn mentions(text: &str, word: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some()
}

/// All tokens but those in the bodies of functions, which are most of a file.
fn without_bodies<'a>(tokens: Tokens<'a>) -> Vec<Token<'a>> {
    let mut out = Vec::new();
    // How deep in brackets: here, where a function was announced, and where the body begins that is left out.
    let (mut depth, mut announced, mut body) = (0usize, None, None);
    for token in tokens {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        match token {
            Token::Close(_) if body == Some(depth) => body = None,
            _ if body.is_some() => continue,
            Token::Open(b'{') if announced == Some(depth - 1) => (announced, body) = (None, Some(depth - 1)),
            Token::Punct(b';') if announced == Some(depth) => announced = None,
            Token::Close(_) if announced.is_some_and(|announced| depth < announced) => announced = None,
            // `fn(` is a type.
            Token::Word(_) if out.last() == Some(&Token::Word("fn")) => announced = Some(depth),
            _ => {}
        }
        out.push(token);
    }
    out
}

/// A token as far as declarations of modules go; comments are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Punct(u8),
    Open(u8),
    Close(u8),
    Literal(&'a str),
}

struct Tokens<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (start, shape) = self.scanner.next()?;
            let written = || self.text.get(start..self.scanner.offset()).unwrap_or_default();
            return Some(match shape {
                Shape::Comment => continue,
                Shape::Open(byte) => Token::Open(byte),
                Shape::Close(byte) => Token::Close(byte),
                Shape::Punct(byte) => Token::Punct(byte),
                Shape::Word(end) => {
                    let word = self.text.get(start..end).unwrap_or_default();
                    Token::Word(word.strip_prefix("r#").unwrap_or(word))
                }
                Shape::Literal => Token::Literal(written()),
            });
        }
    }
}

/// Nested deeper, nothing is read: the parser will not either.
const DEEPEST: usize = 256;

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    /// Names of the inline modules around, and an entry without name for every other bracket.
    inside: Vec<Option<String>>,
    out: Vec<Wanted>,
}

impl Reader<'_, '_> {
    /// Up to the closing bracket of the list, or the end; `false` where the brackets do not match.
    fn list(&mut self) -> bool {
        let mut path = None;
        while let Some(rest) = self.tokens.get(self.at..).filter(|rest| !rest.is_empty()) {
            match rest {
                [Token::Punct(b'#'), Token::Open(b'['), ..] => {
                    let Some(end) = self.matching(self.at + 1) else { return false };
                    path = path_attribute(&self.tokens[self.at + 2..end]).or(path);
                    self.at = end + 1;
                    continue;
                }
                [Token::Word("mod"), Token::Word(name), Token::Punct(b';'), ..] => {
                    let kind = path.take().map_or_else(|| WantedKind::Module((*name).to_owned()), WantedKind::Path);
                    self.out.push(Wanted { inside: self.inside.iter().flatten().cloned().collect(), kind });
                    self.at += 3;
                    continue;
                }
                [Token::Word("mod"), Token::Word(name), Token::Open(open), ..] => {
                    let name = path.take().unwrap_or_else(|| (*name).to_owned());
                    self.at += 3;
                    if !self.nested(*open, Some(name)) {
                        return false;
                    }
                    continue;
                }
                [Token::Word("include"), Token::Punct(b'!'), Token::Open(_), Token::Literal(file), ..] => {
                    if let Some(file) = string(file) {
                        self.out.push(Wanted { inside: Vec::new(), kind: WantedKind::Path(file) });
                    }
                    self.at += 2;
                    continue;
                }
                // `pub`, `pub(crate)` and `unsafe` may stand between an attribute and its `mod`.
                [Token::Word("pub" | "unsafe" | "crate" | "in"), ..] => {}
                [Token::Open(open), ..] => {
                    self.at += 1;
                    if !self.nested(*open, None) {
                        return false;
                    }
                    if *open != b'(' {
                        path = None;
                    }
                    continue;
                }
                [Token::Close(_), ..] => return true,
                _ => path = None,
            }
            self.at += 1;
        }
        self.inside.is_empty()
    }

    /// What stands in brackets, the closing one included.
    fn nested(&mut self, open: u8, name: Option<String>) -> bool {
        if self.inside.len() >= DEEPEST {
            return false;
        }
        self.inside.push(name);
        let closed = self.list() && self.tokens.get(self.at) == Some(&Token::Close(closing(open)));
        self.inside.pop();
        self.at += 1;
        closed
    }

    /// Where the bracket at `open` closes.
    fn matching(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token {
                Token::Open(_) => depth += 1,
                Token::Close(_) => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// `path = "..."`, also inside `cfg_attr(condition, path = "...")`.
fn path_attribute(attribute: &[Token<'_>]) -> Option<String> {
    if !matches!(attribute, [Token::Word("path" | "cfg_attr"), ..]) {
        return None;
    }
    attribute.windows(3).find_map(|window| match window {
        [Token::Word("path"), Token::Punct(b'='), Token::Literal(value)] => string(value),
        _ => None,
    })
}

fn string(literal: &str) -> Option<String> {
    syn::parse_str::<syn::LitStr>(literal).ok().map(|value| value.value())
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
    fn what_follows_functions_counts_and_their_bodies_do_not() {
        let text = r##"
            struct S { call: fn(u8) -> u8 }
            trait T { fn a(x: [u8; 2]) -> [u8; { 1 + 1 }]; fn b(&self) { if x { mod no1; } } }
            mod a { fn c<const N: usize>() -> fn() where [(); N]: Sized { mod no2; } mod b; }
            fn d() {}
            mod e;
        "##;
        assert_eq!(all("s/lib.rs", Place::Beside, text), ["s/a/b.rs", "s/a/b/mod.rs", "s/e.rs", "s/e/mod.rs"]);
        assert_eq!(all("s/lib.rs", Place::Beside, "fn f() { include!(\"x.rs\") }"), ["s/x.rs"]);
    }

    #[test]
    fn broken_text_includes_nothing() {
        assert_eq!(wanted("mod a; }"), []);
        assert_eq!(wanted("mod"), []);
    }
}

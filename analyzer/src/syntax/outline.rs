//! The shape of a file for those who look for what a comment or an attribute speaks of: comments, attributes, and the
//! statement or item behind them, by bytes.
//!
//! Works on the text and not on the tree, so that it holds for code inside macros and in files that did not parse.
//! Guarantees: linear time for the outline, bounded time for a question.
//! Misses: where a statement without semicolon ends is decided by the token behind its closing brace; an operator that
//! begins the next statement (`*x = 1` behind a `match`) counts as its beginning.

use std::ops::Range;

use super::comments::said;
use super::shape::{Lines, Scanner, Shape};
use super::tree::Span;

/// Words that begin what ends with a semicolon, whatever braces are in it.
const UNTIL_SEMICOLON: &[&str] = &["let", "use", "static", "const", "type", "return", "break", "yield"];

/// Words that begin what ends with its first braces on the outermost level, or with a semicolon.
const UNTIL_BRACES: &[&str] = &[
    "fn",
    "impl",
    "mod",
    "trait",
    "struct",
    "enum",
    "union",
    "unsafe",
    "async",
    "extern",
    "auto",
    "macro_rules",
    "if",
    "match",
    "loop",
    "while",
    "for",
];

/// Tokens on the outermost level of a statement, its brackets aside, after which it is cut.
const MOST_TOKENS: usize = 10_000;

/// A text's tokens, comments and lines.
pub struct Outline<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    comments: Vec<(Range<usize>, &'t str)>,
    lines: Lines,
}

struct Token {
    extent: Range<usize>,
    shape: Shape,
    /// Of a bracket: the index of the other one, or its own.
    partner: usize,
    /// The braces around it.
    braces: Option<usize>,
    /// The first token from here on that is in no attribute that begins here.
    bare: usize,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// From `#` to behind `]`.
    pub extent: Range<usize>,
    /// `#![..]`
    pub inner: bool,
}

impl<'t> Outline<'t> {
    /// The outline of a text.
    pub fn new(text: &'t str) -> Outline<'t> {
        let (mut tokens, mut comments) = (Vec::<Token>::new(), Vec::new());
        // Open brackets, each with the braces around it.
        let mut open: Vec<(usize, Option<usize>)> = Vec::new();
        let mut braces = None;
        let mut scanner = Scanner::new(text);
        while let Some((start, shape)) = scanner.next() {
            let extent = start..scanner.offset().min(text.len());
            let mut partner = tokens.len();
            match shape {
                Shape::Comment => {
                    if let Some(written) = text.get(extent.clone()).map(str::trim_end)
                        && let Some(said) = said(written)
                    {
                        comments.push((start..start + written.len(), said));
                    }
                    continue;
                }
                Shape::Close(_) => {
                    if let Some((opening, around)) = open.pop() {
                        tokens[opening].partner = tokens.len();
                        (partner, braces) = (opening, around);
                    }
                }
                _ => {}
            }
            tokens.push(Token { extent, shape, partner, braces, bare: tokens.len() });
            if let Shape::Open(bracket) = shape {
                open.push((tokens.len() - 1, braces));
                if bracket == b'{' {
                    braces = Some(tokens.len() - 1);
                }
            }
        }
        let mut outline = Outline { text, tokens, comments, lines: Lines::new(text) };
        for at in (0..outline.tokens.len()).rev() {
            if let Some((close, _)) = outline.attribute(at) {
                outline.tokens[at].bare = outline.tokens.get(close + 1).map_or(close + 1, |next| next.bare);
            }
        }
        outline
    }

    /// Comments that are no documentation, and what they say.
    pub fn comments(&self) -> &[(Range<usize>, &'t str)] {
        &self.comments
    }

    /// All attributes, also those of macro rules.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        (0..self.tokens.len()).filter_map(|at| {
            let (close, inner) = self.attribute(at)?;
            Some(Attribute { extent: self.tokens[at].extent.start..self.tokens[close].extent.end, inner })
        })
    }

    /// Of an attribute that begins at a token: its last token, and whether it is an inner one.
    fn attribute(&self, at: usize) -> Option<(usize, bool)> {
        let inner = self.is_punct(at + 1, b'!');
        let bracket = at + 1 + usize::from(inner);
        let is = self.is_punct(at, b'#') && matches!(self.tokens.get(bracket)?.shape, Shape::Open(b'['));
        let close = self.tokens.get(bracket)?.partner;
        (is && close > bracket).then_some((close, inner))
    }

    /// Some bytes as lines and columns.
    pub fn span(&self, extent: Range<usize>) -> Span {
        self.lines.span(self.text, extent)
    }

    /// Whether code stands before this offset on its line.
    pub fn follows_code(&self, at: usize) -> bool {
        let line = self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let next = self.first_from(at);
        next > 0 && self.tokens[next - 1].extent.end > line
    }

    /// The innermost braces around an offset; the whole text where there are none.
    pub fn around(&self, at: usize) -> Range<usize> {
        let next = self.first_from(at);
        let open = match self.tokens.get(next) {
            // Before the closing brace is still inside.
            Some(token) if token.shape == Shape::Close(b'}') && token.partner < next => Some(token.partner),
            Some(token) => token.braces,
            None => None,
        };
        let Some(open) = open.map(|open| &self.tokens[open]) else { return 0..self.text.len() };
        open.extent.start..self.tokens[open.partner].extent.end
    }

    /// The statement, item, arm or field that begins behind this offset; its attributes belong to it. `None` at the end
    /// of a block.
    pub fn behind(&self, at: usize) -> Option<Range<usize>> {
        let first = self.first_from(at);
        let mut index = self.tokens.get(first)?.bare;
        // `pub`, `pub(crate)`, `default`, and labels stand before the word that decides.
        while matches!(self.word(index), Some("pub" | "default")) || self.is_label(index) {
            index += 1;
            match self.tokens.get(index)?.shape {
                Shape::Open(b'(') => index = self.tokens[index].partner.max(index) + 1,
                Shape::Punct(b':') => index += 1,
                _ => {}
            }
        }
        if matches!(self.tokens.get(index)?.shape, Shape::Close(_)) {
            return None;
        }
        let word = self.word(index).unwrap_or_default();
        let constant = word == "const" && !matches!(self.word(index + 1), Some("fn" | "unsafe" | "async" | "extern"));
        let semicolon = UNTIL_SEMICOLON.contains(&word) && (word != "const" || constant);
        let braces = UNTIL_BRACES.contains(&word) || (word == "const" && !constant);
        let mut last = index;
        for _ in 0..MOST_TOKENS {
            let Some(token) = self.tokens.get(index) else { break };
            match token.shape {
                Shape::Close(_) => break,
                Shape::Open(bracket) => {
                    index = token.partner.max(index);
                    last = index;
                    if bracket == b'{' && !semicolon && !self.goes_on(index + 1) {
                        break;
                    }
                }
                Shape::Punct(b';') => {
                    last = index;
                    break;
                }
                Shape::Punct(b',') if !semicolon && !braces => break,
                _ => last = index,
            }
            index += 1;
        }
        Some(self.tokens[first].extent.start..self.tokens[last].extent.end)
    }

    /// Whether what stands behind closing braces belongs to the same statement.
    fn goes_on(&self, index: usize) -> bool {
        match self.tokens.get(index).map(|token| token.shape) {
            Some(Shape::Punct(b'.' | b'?' | b'=' | b';' | b'+' | b'-' | b'/' | b'<' | b'>' | b'^' | b'%')) => true,
            Some(Shape::Punct(byte @ (b'&' | b'|'))) => self.is_punct(index + 1, byte),
            Some(Shape::Word(_)) => matches!(self.word(index), Some("else" | "as")),
            _ => false,
        }
    }

    /// The index of the first token at or behind an offset.
    fn first_from(&self, at: usize) -> usize {
        self.tokens.partition_point(|token| token.extent.start < at)
    }

    fn is_punct(&self, index: usize, byte: u8) -> bool {
        self.tokens.get(index).is_some_and(|token| token.shape == Shape::Punct(byte))
    }

    fn is_label(&self, index: usize) -> bool {
        let token = self.tokens.get(index);
        token.is_some_and(|token| self.text[token.extent.clone()].starts_with('\'')) && self.is_punct(index + 1, b':')
    }

    fn word(&self, index: usize) -> Option<&'t str> {
        let token = self.tokens.get(index)?;
        matches!(token.shape, Shape::Word(_)).then(|| self.text.get(token.extent.clone()))?
    }
}

#[cfg(test)]
mod tests {
    use super::Outline;

    /// What stands behind the mark `§`.
    fn behind(text: &str) -> Option<String> {
        let at = text.find('§').expect("a mark");
        let text = text.replace('§', " ");
        Outline::new(&text).behind(at).map(|extent| text[extent].to_owned())
    }

    #[test]
    fn statements_end_where_rust_ends_them() {
        let cases = [
            ("{ § let a = match b { _ => 1 }; c(); }", "let a = match b { _ => 1 };"),
            ("{ § a(|x| { b; c }).d(); e }", "a(|x| { b; c }).d();"),
            ("{ § if a { b } else if c { d } else { e } f(); }", "if a { b } else if c { d } else { e }"),
            ("{ § if let A { x } = y && z { b } f(); }", "if let A { x } = y && z { b }"),
            ("{ § match a { b => { c } }.d(); e }", "match a { b => { c } }.d();"),
            ("{ § match a { b => c } match d {} }", "match a { b => c }"),
            ("{ § 'a: loop { break 'a; } f() }", "'a: loop { break 'a; }"),
            ("{ § a = B { c: 1 }; d }", "a = B { c: 1 };"),
            ("{ § a() }", "a()"),
            ("match x { § A => b(), C => d }", "A => b()"),
            ("match x { § A => { b } C => d }", "A => { b }"),
            ("{ § unsafe { a } b }", "unsafe { a }"),
            ("{ § select! { a } b }", "select! { a }"),
            ("{ § return A { x: 1 }; b }", "return A { x: 1 };"),
        ];
        for (text, expected) in cases {
            assert_eq!(behind(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(behind("{ a(); § }"), None);
        assert_eq!(behind("§"), None);
    }

    #[test]
    fn items_are_whole_with_their_attributes() {
        let cases = [
            ("§ #[a] #[b(c)] pub(crate) fn f<A, B>(a: A) -> [u8; 2] where A: B { c; } fn g() {}", 2),
            ("§ impl<A> B for C<A> { fn d() {} } fn g() {}", 1),
            ("§ struct A<B, C>(B, C); fn g() {}", 1),
            ("§ struct A { b: C, d: E } fn g() {}", 1),
            ("§ const fn f() {} fn g() {}", 1),
            ("§ const A: B = { C }; fn g() {}", 1),
            ("§ pub static A: B = B { c: D }; fn g() {}", 1),
            ("§ pub async unsafe extern \"C\" fn f() {} fn g() {}", 1),
            ("§ macro_rules! a { () => {} } fn g() {}", 1),
        ];
        for (text, _) in cases {
            let end = text.find(" fn g").expect("the next item");
            let expected = text[..end].trim_start_matches('§').trim();
            assert_eq!(behind(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(behind("struct A { § b: C, d: E }").as_deref(), Some("b: C"));
    }

    #[test]
    fn attributes_comments_and_the_braces_around() {
        let text = "#![a] mod m { #[b] fn f() { x(); } // c\n }";
        let outline = Outline::new(text);
        let attributes: Vec<_> = outline.attributes().map(|each| (&text[each.extent.clone()], each.inner)).collect();
        assert_eq!(attributes, [("#![a]", true), ("#[b]", false)]);
        assert_eq!(outline.comments().iter().map(|(_, said)| *said).collect::<Vec<_>>(), ["c"]);
        assert!(outline.follows_code(outline.comments()[0].0.start));
        assert_eq!(&text[outline.around(text.find("x()").expect("x"))], "{ x(); }");
        assert!(text[outline.around(text.find("// c").expect("c"))].starts_with("{ #[b] fn"));
        assert_eq!(outline.around(0), 0..text.len());
        assert!(!Outline::new("a;\n  // b").follows_code(5));
    }

    #[test]
    fn any_text_has_an_outline() {
        for text in ["{", "}", "# [", "#![", "§ 'a", "pub", "pub(", "const", "\"", "'", "{{{}", ")(", "#[a", "é"] {
            let outline = Outline::new(text);
            let _ = outline.attributes().count();
            for at in 0..=text.len() {
                let _ = (outline.behind(at), outline.around(at), outline.follows_code(at));
            }
        }
    }
}

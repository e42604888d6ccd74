//! The shape of a text without tokens: brackets, punctuation and words outside comments and literals, by bytes.
//!
//! It serves what must happen before or without the real tokenizer: bounding the parser's recursion and cutting a
//! file that does not tokenize. Guarantees: linear time, no allocation, right on every text the tokenizer accepts.
//! Misses: on a text it rejects (a quote nobody closes), what follows may be taken for the inside of a literal.

use super::tree::{Pos, Span};
use std::ops::Range;

/// What [`Scanner`] sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `(`, `[` or `{`
    Open(u8),
    /// `)`, `]` or `}`
    Close(u8),
    /// One byte of punctuation.
    Punct(u8),
    /// An identifier or keyword, up to this offset.
    Word(usize),
    /// A literal or lifetime.
    Literal,
    /// A comment of either form.
    Comment,
}

/// Where the lines of a text begin.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// Offsets of all line starts.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.0
    }

    fn position(&self, text: &str, at: usize) -> Pos {
        let line = self.0.partition_point(|&start| start <= at).max(1);
        let column = text.get(self.0[line - 1]..at).map_or(0, |before| before.chars().count());
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Pos { line: narrow(line), column: narrow(column).saturating_add(1) }
    }

    /// The span of some bytes.
    pub(crate) fn span(&self, text: &str, extent: Range<usize>) -> Span {
        Span { start: self.position(text, extent.start), end: self.position(text, extent.end) }
    }
}

/// The text with these extents blanked: every character but line ends becomes a space, so positions stay.
pub(crate) fn blank(text: &str, extents: &[Range<usize>]) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    for extent in extents {
        let Some((kept, gone)) = text.get(at..extent.start).zip(text.get(extent.clone())) else { continue };
        blanked.push_str(kept);
        blanked.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        at = extent.end;
    }
    blanked.push_str(text.get(at..).unwrap_or_default());
    blanked
}

/// Walks over a text; yields each shape with the offset of its first byte.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scanner { bytes: text.as_bytes(), at: 0 }
    }

    /// One past what the last shape covers.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Goes on at a later offset.
    pub(crate) fn skip_to(&mut self, offset: usize) {
        self.at = self.at.max(offset).min(self.bytes.len());
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_line(&mut self) {
        self.at = self.bytes[self.at..].iter().position(|&b| b == b'\n').map_or(self.bytes.len(), |n| self.at + n);
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Behind the opening quote: to behind the closing one.
    fn skip_quoted(&mut self, quote: u8) {
        while self.at < self.bytes.len() {
            let byte = self.byte(0);
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote {
                return;
            }
        }
    }

    /// Behind the `r`: a raw string, if there is one.
    fn skip_raw_string(&mut self) -> bool {
        let hashes = self.bytes[self.at..].iter().take_while(|&&b| b == b'#').count();
        if self.byte(hashes) != b'"' {
            return false;
        }
        self.at += hashes + 1;
        while self.at < self.bytes.len() {
            let closes = self.byte(0) == b'"' && (1..=hashes).all(|n| self.byte(n) == b'#');
            self.at += 1;
            if closes {
                self.at += hashes;
                break;
            }
        }
        true
    }

    /// Behind the apostrophe: a character or a lifetime.
    fn skip_apostrophe(&mut self) {
        if self.byte(0) == b'\\' {
            self.skip_quoted(b'\'');
            return;
        }
        let character = match self.byte(0) {
            0..0xc0 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        if self.byte(character) == b'\'' {
            self.at += character + 1;
        } else {
            self.skip_word();
        }
    }

    fn skip_word(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
    }

    /// At an identifier, which may turn out to be the prefix of a literal.
    fn word(&mut self) -> Shape {
        let start = self.at;
        self.skip_word();
        let raw = match &self.bytes[start..self.at] {
            b"r" | b"br" | b"cr" => true,
            b"b" | b"c" => false,
            _ => return Shape::Word(self.at),
        };
        if raw {
            if self.skip_raw_string() {
                return Shape::Literal;
            }
            if self.byte(0) == b'#' && is_word(self.byte(1)) {
                self.at += 1;
                self.skip_word();
            }
        } else if matches!(self.byte(0), b'"' | b'\'') {
            let quote = self.byte(0);
            self.at += 1;
            self.skip_quoted(quote);
            return Shape::Literal;
        }
        Shape::Word(self.at)
    }
}

impl Iterator for Scanner<'_> {
    type Item = (usize, Shape);

    fn next(&mut self) -> Option<(usize, Shape)> {
        loop {
            // An escape at the very end may have been passed over.
            let rest = self.bytes.get(self.at..)?;
            let start = self.at + rest.iter().position(|&byte| byte > b' ')?;
            self.at = start;
            let byte = self.bytes[start];
            match byte {
                b'/' if self.byte(1) == b'/' => {
                    self.skip_line();
                    return Some((start, Shape::Comment));
                }
                b'/' if self.byte(1) == b'*' => {
                    self.skip_block_comment();
                    return Some((start, Shape::Comment));
                }
                b'(' | b'[' | b'{' => {
                    self.at += 1;
                    return Some((start, Shape::Open(byte)));
                }
                b')' | b']' | b'}' => {
                    self.at += 1;
                    return Some((start, Shape::Close(byte)));
                }
                b'"' => {
                    self.at += 1;
                    self.skip_quoted(b'"');
                    return Some((start, Shape::Literal));
                }
                b'\'' => {
                    self.at += 1;
                    self.skip_apostrophe();
                    return Some((start, Shape::Literal));
                }
                b'0'..=b'9' => {
                    self.skip_word();
                    return Some((start, Shape::Literal));
                }
                byte if is_word(byte) => return Some((start, self.word())),
                byte => {
                    self.at += 1;
                    if byte.is_ascii_punctuation() {
                        return Some((start, Shape::Punct(byte)));
                    }
                }
            }
        }
    }
}

/// Which bytes belong to a word: letters, digits, `_`, and every byte of a character outside ASCII.
const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        word[byte] = b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
        byte += 1;
    }
    word
};

fn is_word(byte: u8) -> bool {
    WORD[byte as usize]
}

#[cfg(test)]
mod tests {
    use super::{Scanner, Shape};

    fn shapes(text: &str) -> String {
        Scanner::new(text)
            .filter(|(_, shape)| *shape != Shape::Comment)
            .map(|(start, shape)| match shape {
                Shape::Open(b) | Shape::Close(b) | Shape::Punct(b) => (b as char).to_string(),
                Shape::Word(end) => text[start..end].to_owned(),
                Shape::Literal | Shape::Comment => "lit".to_owned(),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn literals_and_comments_hide_brackets() {
        assert_eq!(
            shapes(r##"f("(\")", '(', b'\'', r#"("#, br"(", c"(") // (("##),
            "f ( lit , lit , lit , lit , lit , lit )"
        );
        assert_eq!(shapes("a /* ( /* ( */ ( */ b"), "a b");
        assert_eq!(shapes("'a: loop { x::<'_>('é', '\\u{7d}') }"), "lit : loop { x : : < lit > ( lit , lit ) }");
        assert_eq!(shapes("r#type r#fn rb 0x1f 1.5 é"), "r#type r#fn rb lit lit . lit é");
        assert_eq!(shapes("\"never closed ( "), "lit");
        assert_eq!(shapes("/* never closed ( "), "");
        assert_eq!(shapes("'\\"), "lit");
    }
}

//! Cutting a file that does not even tokenize: what has an unbalanced bracket or an unclosed literal is blanked, so
//! that the rest can be read at its old positions.
//!
//! Lines that begin an item in column 1 are where a file is cut, and lines that begin a member at its indentation
//! where a broken impl, trait or module is. Guarantees: what is kept tokenizes; work is bounded by a multiple of
//! the length. Misses: items that share a line; code that is not indented as usual.

use super::shape::{Lines, Scanner, Shape, blank};
use super::tree::SyntaxNotice;
use proc_macro2::TokenStream;
use std::ops::Range;
use std::str::FromStr as _;

/// The text with what does not tokenize blanked, and a notice per blanked piece.
pub(super) fn keep_balanced(text: &str) -> (String, Vec<SyntaxNotice>) {
    let lines = Lines::new(text);
    let mut cut =
        Cut { text, lines: &lines, budget: text.len().saturating_mul(8).saturating_add(1 << 16), lost: Vec::new() };
    cut.pieces(0..text.len(), 0, 0);
    let lost = cut.lost;
    let notices = (lost.iter())
        .map(|extent| {
            let what = first_code_line(&text[extent.clone()]);
            let message = format!("`{what}`: not analysed: brackets or a literal are not closed");
            SyntaxNotice { span: lines.span(text, extent.clone()), message }
        })
        .collect();
    (blank(text, &lost), notices)
}

struct Cut<'a> {
    text: &'a str,
    lines: &'a Lines,
    /// Bytes that may still be looked at.
    budget: usize,
    lost: Vec<Range<usize>>,
}

impl Cut<'_> {
    fn tokenizes(&mut self, text: &str) -> bool {
        match self.budget.checked_sub(text.len()) {
            Some(left) => {
                self.budget = left;
                TokenStream::from_str(text).is_ok()
            }
            None => false,
        }
    }

    /// Cuts a region at the items that begin with this indentation.
    fn pieces(&mut self, region: Range<usize>, indent: usize, depth: u32) {
        let starts = self.item_starts(&region, indent);
        let mut begin = region.start;
        let mut next = 0;
        while begin < region.end {
            while starts.get(next).is_some_and(|&start| start <= begin) {
                next += 1;
            }
            let near = starts.get(next).copied().unwrap_or(region.end);
            let far = self.balanced_end(begin..region.end, &starts[next.min(starts.len())..]).unwrap_or(region.end);
            begin = if self.tokenizes(&self.text[begin..far]) {
                far
            } else {
                if near == far || !self.tokenizes(&self.text[begin..near]) {
                    self.broken(begin..near, indent, depth);
                }
                near
            };
        }
    }

    /// The first start behind the region's beginning at which all brackets and literals are closed.
    fn balanced_end(&mut self, region: Range<usize>, starts: &[usize]) -> Option<usize> {
        if self.budget == 0 {
            return None;
        }
        let mut scanner = Scanner::new(&self.text[region.clone()]);
        let mut starts = starts.iter().copied().peekable();
        let mut open = 0_i64;
        loop {
            let token = scanner.next();
            let (from, shape) = token.map_or((region.end, Shape::Literal), |(at, shape)| (region.start + at, shape));
            while let Some(&start) = starts.peek()
                && start <= from
            {
                if open <= 0 {
                    self.budget = self.budget.saturating_sub(start - region.start);
                    return Some(start);
                }
                starts.next();
            }
            if token.is_none() {
                self.budget = self.budget.saturating_sub(region.len());
                return None;
            }
            // Starts inside a literal or comment are none.
            let end = region.start + scanner.offset();
            while starts.peek().is_some_and(|&start| start < end) {
                starts.next();
            }
            match shape {
                Shape::Open(_) => open += 1,
                Shape::Close(_) => open -= 1,
                _ => {}
            }
        }
    }

    /// A piece that does not tokenize: what is whole at its beginning is kept, and what is whole in a container.
    fn broken(&mut self, mut piece: Range<usize>, indent: usize, depth: u32) {
        let whole = piece.start + whole_items(&self.text[piece.clone()]);
        if whole > piece.start && self.tokenizes(&self.text[piece.start..whole]) {
            piece.start = whole;
        }
        let known = self.lost.len();
        if depth < 8
            && let Some((inside, inner)) = self.container(&piece, indent)
        {
            self.pieces(inside, inner, depth + 1);
            let local: Vec<Range<usize>> =
                self.lost[known..].iter().map(|lost| lost.start - piece.start..lost.end - piece.start).collect();
            if self.tokenizes(&blank(&self.text[piece.clone()], &local)) {
                return;
            }
        }
        self.lost.truncate(known);
        self.lost.push(piece);
    }

    /// The inside of an impl, trait or module, and the indentation of its members.
    fn container(&self, piece: &Range<usize>, indent: usize) -> Option<(Range<usize>, usize)> {
        let text = &self.text[piece.clone()];
        let mut is_container = false;
        let mut open = None;
        for (at, shape) in Scanner::new(text) {
            match shape {
                Shape::Word(end) => match &text[at..end] {
                    "impl" | "trait" | "mod" | "extern" => is_container = true,
                    "fn" if !is_container => return None,
                    _ => {}
                },
                Shape::Open(b'{') => {
                    open = Some(piece.start + at + 1);
                    break;
                }
                _ => {}
            }
        }
        let open = open.filter(|_| is_container)?;
        let lines = self.line_starts(&(open..piece.end));
        let close = (lines.iter().rev().copied())
            .find(|&line| self.indentation(line) == indent && self.text[line + indent..].starts_with('}'))?;
        let inner = lines.iter().find_map(|&line| {
            let inner = self.indentation(line);
            (inner > indent && line < close && begins_item(&self.text[line + inner..])).then_some(inner)
        })?;
        Some((open..close, inner))
    }

    fn line_starts(&self, region: &Range<usize>) -> &[usize] {
        let starts = self.lines.starts();
        let first = starts.partition_point(|&start| start < region.start);
        let last = starts.partition_point(|&start| start < region.end);
        &starts[first..last.max(first)]
    }

    fn indentation(&self, line: usize) -> usize {
        self.text.as_bytes()[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// Lines of the region that begin an item with this indentation; attributes and doc comments belong to theirs.
    fn item_starts(&self, region: &Range<usize>, indent: usize) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut attributes = false;
        for &line in self.line_starts(region) {
            if self.indentation(line) != indent {
                continue;
            }
            let rest = &self.text[line + indent..];
            let attribute = rest.starts_with("#[") || rest.starts_with("///") || rest.starts_with("/**");
            if attribute || begins_item(rest) {
                if !attributes {
                    starts.push(line);
                }
                attributes = attribute;
            }
        }
        starts
    }
}

/// The length of what stands before the first bracket that is not closed, up to the end of an item.
fn whole_items(piece: &str) -> usize {
    let mut open = Vec::new();
    let mut whole = 0;
    for (at, shape) in Scanner::new(piece) {
        match shape {
            Shape::Open(bracket) => open.push(bracket),
            Shape::Close(bracket) => {
                let matching = match bracket {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                if open.pop() != Some(matching) {
                    return whole;
                }
                if open.is_empty() && bracket == b'}' {
                    whole = at + 1;
                }
            }
            Shape::Punct(b';') if open.is_empty() => whole = at + 1,
            _ => {}
        }
    }
    whole
}

/// Whether an item begins here.
fn begins_item(rest: &str) -> bool {
    const WORDS: [&str; 19] = [
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
        "pub",
        "async",
        "unsafe",
        "default",
        "auto",
        "macro",
    ];
    let end = rest.bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'_').count();
    match rest.as_bytes().get(end) {
        Some(b' ' | b'\t' | b'(' | b'<' | b'\n' | b'\r') => WORDS.contains(&&rest[..end]),
        // A macro call such as `lazy_static! {`.
        Some(b'!') => end > 0,
        _ => false,
    }
}

/// The first line that is no comment or attribute, cut to a readable length.
fn first_code_line(piece: &str) -> String {
    let mut code = piece.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = code.find(|line| !line.starts_with('/') && !line.starts_with('#')).unwrap_or_default();
    line.trim_end_matches('{').trim_end().chars().take(60).collect()
}

//! A bound on the recursion of the parser, taken from the text before the parser sees it.
//!
//! syn descends once per bracket, prefix operator, generic argument list and the like, and the trees it builds are
//! dropped recursively; 100,000 parentheses would overflow any stack. The bound counts, per place, what can make it
//! descend. Guarantees: the parser never needs more stack than [`Need::stack`] says; what is nested beyond
//! [`MAX_NESTING`] is blanked before parsing and gets a notice. Cost: one pass over the bytes.

use super::shape::{Lines, Scanner, Shape, blank};
use super::tree::SyntaxNotice;
use std::borrow::Cow;
use std::ops::Range;

/// Deeper than this is not parsed. Hand-written code stays below 100, generated code below 1000.
pub(super) const MAX_NESTING: usize = 20_000;
/// More links than this in one chain (operators, method calls, `else if`) are not parsed.
const MAX_CHAIN: usize = 200_000;

// Measured with syn 3.0.9 on x86-64: at most 8 KiB (64 KiB unoptimised) per level of nesting and per nested item,
// and 61 bytes (236 unoptimised) per link of a chain, for parsing and dropping together.
const LEVEL_STACK: usize = if cfg!(debug_assertions) { 64 << 10 } else { 12 << 10 };
const LINK_STACK: usize = if cfg!(debug_assertions) { 512 } else { 128 };
/// What lowering takes per level, which is bounded by `MAX_EXPR_DEPTH`.
const LOWERING_STACK: usize = if cfg!(debug_assertions) { 12 << 10 } else { 2 << 10 };

/// The deepest place of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    levels: usize,
    links: usize,
}

impl Need {
    /// Bytes of stack that parse, lower and drop the text.
    pub(super) fn stack(self) -> usize {
        let lowered = (self.levels + self.links).min(super::MAX_EXPR_DEPTH as usize + 16);
        (64 << 10) + self.levels * LEVEL_STACK + self.links * LINK_STACK + lowered * LOWERING_STACK
    }

    fn is_excessive(self) -> bool {
        self.levels > MAX_NESTING || self.links > MAX_CHAIN
    }
}

/// What one bracket level has open.
#[derive(Clone, Copy, Default)]
struct Level {
    open: usize,
    brace: bool,
    /// Levels and links below this bracket.
    base: Need,
    /// Prefixes since the last separator.
    prefixes: usize,
    /// `<` without `>` since the last semicolon.
    angles: usize,
    links: usize,
    /// Where the current statement or item began.
    begin: usize,
}

impl Level {
    fn need(&self) -> Need {
        Need { levels: self.base.levels + self.prefixes + self.angles, links: self.base.links + self.links }
    }

    fn end(&mut self, at: usize) {
        self.angles = 0;
        self.end_statement(at);
    }

    /// As [`Level::end`], but generic arguments may go on.
    fn end_statement(&mut self, at: usize) {
        (self.prefixes, self.links, self.begin) = (0, 0, at);
    }
}

/// What the last token was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    No,
    /// A name: `<` behind it may open generic arguments.
    Name,
    /// A literal or closing bracket: `<` behind it compares.
    Value,
}

/// Measures a text; where a place is too deep, blanks the block (or the item) around it and says so.
pub(super) fn bound(text: &mut Cow<'_, str>) -> (Need, Vec<SyntaxNotice>) {
    let (need, excessive) = measure(text);
    if excessive.is_empty() {
        return (need, Vec::new());
    }
    let lines = Lines::new(text);
    let message = format!("nested too deeply (more than {MAX_NESTING} levels): not analysed");
    let notices = (excessive.iter())
        .map(|extent| SyntaxNotice { span: lines.span(text, extent.clone()), message: message.clone() })
        .collect();
    *text = Cow::Owned(blank(text, &excessive));
    (need, notices)
}

/// The deepest place that stays, and the extents that have to go.
fn measure(text: &str) -> (Need, Vec<Range<usize>>) {
    let mut deepest = Need::default();
    let mut excessive = Vec::new();
    let mut levels = vec![Level::default()];
    // Whether the last token can end an operand: then an operator behind it is binary and no new level.
    let mut operand = Operand::No;
    let mut scanner = Scanner::new(text);
    while let Some((at, shape)) = scanner.next() {
        let before = operand;
        operand = Operand::No;
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        match shape {
            Shape::Open(bracket) => {
                level.links += 1;
                let mut base = level.need();
                base.levels += 1;
                levels.push(Level { open: at, brace: bracket == b'{', base, begin: at + 1, ..Level::default() });
            }
            Shape::Close(bracket) => {
                operand = Operand::Value;
                if depth > 1 {
                    levels.pop();
                }
                if let Some(level) = levels.last_mut()
                    && bracket == b'}'
                {
                    match after_block(text, at + 1) {
                        After::New => level.end_statement(at + 1),
                        After::Unclear => level.begin = at + 1,
                        After::Same => {}
                    }
                }
            }
            Shape::Punct(b';') => level.end(at + 1),
            Shape::Punct(b',') => (level.prefixes, level.links) = (0, 0),
            Shape::Punct(b'<') if before == Operand::Value => level.links += 1,
            Shape::Punct(b'<') => level.angles += 1,
            Shape::Punct(b'>') => match at.checked_sub(1).map(|previous| text.as_bytes()[previous]) {
                Some(b'-') => level.prefixes += 1,
                // An arm's pattern ends.
                Some(b'=') => level.end(at + 1),
                _ => level.angles = level.angles.saturating_sub(1),
            },
            Shape::Punct(b'?') => {
                level.links += 1;
                operand = before;
            }
            Shape::Punct(b'=' | b'@' | b':') => level.prefixes += 1,
            Shape::Punct(b'.' | b'#' | b'$') => level.links += 1,
            Shape::Punct(_) if before == Operand::No => level.prefixes += 1,
            Shape::Punct(_) => level.links += 1,
            Shape::Word(end) => match &text[at..end] {
                "return" | "break" | "yield" | "if" | "match" | "while" | "for" | "let" | "in" | "move" | "async"
                | "unsafe" | "static" | "const" | "dyn" | "impl" | "fn" | "do" | "become" | "box" | "mut" | "loop"
                | "raw" => level.prefixes += 1,
                "as" | "else" => level.links += 1,
                _ => operand = Operand::Name,
            },
            Shape::Literal => operand = Operand::Value,
            Shape::Comment => operand = before,
        }
        let Some(level) = levels.last() else { break };
        let need = level.need();
        if need.is_excessive() {
            let (extent, left) = offender(text, &levels);
            levels.truncate(left);
            if let Some(level) = levels.last_mut() {
                level.end(extent.end);
            }
            scanner.skip_to(extent.end);
            excessive.push(extent);
            operand = Operand::No;
        } else {
            deepest.levels = deepest.levels.max(need.levels);
            deepest.links = deepest.links.max(need.links);
        }
    }
    (deepest, excessive)
}

/// What follows a block.
enum After {
    /// More of the same expression.
    Same,
    /// Something else.
    New,
    /// A bracket: arguments of the block's value, or something else.
    Unclear,
}

fn after_block(text: &str, at: usize) -> After {
    match Scanner::new(&text[at..]).find(|(_, shape)| *shape != Shape::Comment) {
        Some((_, Shape::Punct(punct))) if punct != b'#' => After::Same,
        Some((start, Shape::Word(end))) if matches!(&text[at + start..at + end], "else" | "as") => After::Same,
        Some((_, Shape::Open(_))) => After::Unclear,
        _ => After::New,
    }
}

/// The extent to blank (the inside of the innermost block that is itself not deep, else the item), and how many
/// levels stay open around it.
fn offender(text: &str, levels: &[Level]) -> (Range<usize>, usize) {
    const SHALLOW: usize = 64;
    let block = levels.iter().rposition(|level| level.brace && level.base.levels <= SHALLOW);
    let (start, mut depth) = match block {
        Some(index) => (levels[index].open + 1, 1_usize),
        None => (levels.first().map_or(0, |level| level.begin), 0),
    };
    let left = block.map_or(1, |index| index + 1);
    for (at, shape) in Scanner::new(&text[start..]) {
        match shape {
            Shape::Open(_) => depth += 1,
            Shape::Close(_) if depth <= 1 && block.is_some() => return (start..start + at, left),
            Shape::Close(bracket) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && bracket == b'}' {
                    return (start..start + at + 1, left);
                }
            }
            Shape::Punct(b';') if depth == 0 => return (start..start + at + 1, left),
            _ => {}
        }
    }
    (start..text.len(), left)
}

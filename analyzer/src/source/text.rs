//! The text of a file, and its positions: byte offset, line and column in characters, column in UTF-16 units.
//!
//! Guarantees: [`Text::text`] and [`Text::raw`] have the same length and the same line breaks, so that an offset or a
//! position in one is the same place in the other; no position, however wrong, makes a function here panic.
//!
//! Misses: other encodings than UTF-8. A lone carriage return is no line break, as for rustc.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use line_index::{LineCol, LineIndex, TextSize, WideEncoding, WideLineCol};

/// Files above this size, in bytes, are left out: positions must fit in 32 bits, and no hand-written file is so large.
pub const MAX_BYTES: u64 = 64 << 20;

/// Why a file has no [`Text`].
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The operating system said no.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A folder, a pipe or a device.
    #[error("is not a regular file")]
    NotAFile,
    /// Above [`MAX_BYTES`].
    #[error("is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Holds a NUL byte.
    #[error("is a binary file")]
    Binary,
    /// Not UTF-8.
    #[error("is not UTF-8 (first invalid byte in line {line})")]
    NotUtf8 {
        /// Line of the first invalid byte, from 1.
        line: u32,
    },
}

/// The text of a file; cloning is O(1).
#[derive(Clone, Debug)]
pub struct Text(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    raw: String,
    /// Only where it differs from `raw`.
    parse: Option<String>,
    bom: bool,
    index: OnceLock<LineIndex>,
}

impl Text {
    /// Reads and decodes a file of at most [`MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, TextError> {
        // A pipe or device could block or never end, so it is not even opened.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(TextError::NotAFile);
        }
        if metadata.len() > MAX_BYTES {
            return Err(TextError::TooLarge);
        }
        Text::decode(std::fs::read(path)?)
    }

    /// Decodes a file's bytes: cuts a byte order mark, blanks a shebang line for the parser.
    pub fn decode(mut bytes: Vec<u8>) -> Result<Self, TextError> {
        const BOM: &[u8] = b"\xEF\xBB\xBF";
        if bytes.len() as u64 > MAX_BYTES {
            return Err(TextError::TooLarge);
        }
        let bom = bytes.starts_with(BOM);
        if bom {
            bytes.drain(..BOM.len());
        }
        if bytes.contains(&0) {
            return Err(TextError::Binary);
        }
        let raw = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            TextError::NotUtf8 { line: 1 + valid.iter().filter(|byte| **byte == b'\n').count() as u32 }
        })?;
        let parse = shebang(&raw).map(|end| {
            // One space per byte: nothing that is parsed stands on this line, so only its length in bytes matters.
            format!("{}{}", " ".repeat(end), &raw[end..])
        });
        Ok(Text(Arc::new(Inner { raw, parse, bom, index: OnceLock::new() })))
    }

    /// What to give to a parser: without byte order mark, the shebang line blanked with spaces.
    pub fn text(&self) -> &str {
        self.0.parse.as_deref().unwrap_or(&self.0.raw)
    }

    /// The file as its author sees it: all of it but the byte order mark.
    pub fn raw(&self) -> &str {
        &self.0.raw
    }

    /// Offset of [`Text::raw`] in the file: 3 after a byte order mark, else 0.
    pub fn bom_len(&self) -> usize {
        if self.0.bom { 3 } else { 0 }
    }

    /// Number of lines; a line break at the end of the file starts no further one.
    pub fn line_count(&self) -> usize {
        let raw = self.raw();
        let ends = memchr::memchr_iter(b'\n', raw.as_bytes()).count();
        ends + usize::from(!raw.is_empty() && !raw.ends_with('\n'))
    }

    /// The byte range of a line, from 1, without its line break.
    pub fn line_range(&self, line: u32) -> Option<Range<usize>> {
        let range = self.index().line(line.checked_sub(1)?)?;
        let range = usize::from(range.start())..usize::from(range.end());
        let content = self.raw()[range.clone()].trim_end_matches(['\n', '\r']);
        Some(range.start..range.start + content.len())
    }

    /// A line, from 1, without its line break.
    pub fn line(&self, line: u32) -> Option<&str> {
        self.line_range(line).map(|range| &self.raw()[range])
    }

    /// Byte offset of a place given as line and character column, both from 1. A column past the end of its line
    /// gives the line's end; O(log lines + non-ASCII characters of the line).
    pub fn offset(&self, line: u32, column: u32) -> Option<usize> {
        self.offset_of(WideEncoding::Utf32, line, column.checked_sub(1)?)
    }

    /// Line and character column, both from 1, of a byte offset; `None` past the end or inside a character.
    pub fn position(&self, offset: usize) -> Option<(u32, u32)> {
        let place = self.wide(WideEncoding::Utf32, offset)?;
        Some((place.line + 1, place.col + 1))
    }

    /// Line and UTF-16 column, both from 0 as editors' protocols count, of a place as lines and characters from 1.
    pub fn to_utf16(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let place = self.wide(WideEncoding::Utf16, self.offset(line, column)?)?;
        Some((place.line, place.col))
    }

    /// The reverse of [`Text::to_utf16`]; a place inside a surrogate pair gives the character's start.
    pub fn position_of_utf16(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        self.position(self.offset_of(WideEncoding::Utf16, line.checked_add(1)?, column)?)
    }

    fn index(&self) -> &LineIndex {
        self.0.index.get_or_init(|| LineIndex::new(&self.0.raw))
    }

    fn wide(&self, encoding: WideEncoding, offset: usize) -> Option<WideLineCol> {
        let place = self.index().try_line_col(TextSize::try_from(offset).ok()?)?;
        self.index().to_wide(encoding, place)
    }

    fn offset_of(&self, encoding: WideEncoding, line: u32, col: u32) -> Option<usize> {
        let range = self.line_range(line)?;
        let place = self.index().to_utf8(encoding, WideLineCol { line: line - 1, col });
        let offset =
            place.map_or(range.end, |LineCol { col, .. }| range.start.saturating_add(col as usize).min(range.end));
        Some(self.raw().floor_char_boundary(offset))
    }
}

/// Length of the first line where it is a shebang; `#![attribute]` is none.
fn shebang(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("#!")?;
    if rest.trim_start().starts_with('[') {
        return None;
    }
    let line = text.split('\n').next().unwrap_or(text);
    Some(line.strip_suffix('\r').unwrap_or(line).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: impl AsRef<[u8]>) -> Text {
        Text::decode(bytes.as_ref().to_vec()).expect("valid text")
    }

    #[test]
    fn positions_agree_in_all_units() {
        let long = format!("{}é𝄞x", "a".repeat(10_000));
        // (text, line, column, byte offset in raw, UTF-16 column from 0)
        let cases: &[(&str, u32, u32, usize, u32)] = &[
            ("ab\ncd", 2, 2, 4, 1),
            ("ab\ncd", 1, 3, 2, 2),
            ("éx", 1, 2, 2, 1),
            ("é𝄞x", 1, 3, 6, 3),
            ("a\n𝄞𝄞x", 2, 3, 10, 4),
            ("\tx", 1, 2, 1, 1),
            ("a\r\nb", 2, 1, 3, 0),
            ("\u{feff}ab\nc", 1, 2, 1, 1),
            ("#!/bin/x\nab", 2, 2, 10, 1),
            (&long, 1, 10_003, 10_006, 10_003),
            ("", 1, 1, 0, 0),
            ("a\n", 2, 1, 2, 0),
        ];
        for (source, line, column, offset, utf16) in cases {
            let text = text(source);
            assert_eq!(text.offset(*line, *column), Some(*offset), "{source:.20}");
            assert_eq!(text.position(*offset), Some((*line, *column)), "{source:.20}");
            assert_eq!(text.to_utf16(*line, *column), Some((line - 1, *utf16)), "{source:.20}");
            assert_eq!(text.position_of_utf16(line - 1, *utf16), Some((*line, *column)), "{source:.20}");
        }
    }

    #[test]
    fn wrong_positions_are_clamped_or_refused() {
        let text = text("a𝄞\r\nb");
        assert_eq!(text.offset(1, 99), Some(5));
        assert_eq!(text.offset(1, u32::MAX), Some(5));
        assert_eq!((text.offset(0, 1), text.offset(1, 0), text.offset(3, 1)), (None, None, None));
        assert_eq!((text.position(2), text.position(99)), (None, None));
        assert_eq!(text.position_of_utf16(0, 2), Some((1, 2)), "inside the surrogate pair");
        assert_eq!(text.position_of_utf16(u32::MAX, 0), None);
    }

    #[test]
    fn shebang_is_blanked_for_the_parser_only() {
        let script = text("#!/usr/bin/env é\r\nfn main() {}\n");
        assert_eq!(script.raw().len(), script.text().len());
        assert!(script.text().trim_start().starts_with("fn main"));
        assert!(script.raw().starts_with("#!/usr"));
        assert_eq!(script.text().lines().count(), script.raw().lines().count());
        for attribute in ["#![allow(x)]\n", "#! [allow(x)]\n"] {
            assert_eq!(text(attribute).text(), attribute);
        }
        assert_eq!(text("#!").text(), "  ");
    }

    #[test]
    fn byte_order_mark_is_cut_and_its_length_kept() {
        let marked = text("\u{feff}#!/bin/x\nfn f() {}");
        assert_eq!(marked.bom_len(), 3);
        assert_eq!(marked.position(marked.raw().find("fn").expect("fn")), Some((2, 1)));
    }

    #[test]
    fn lines_are_counted_and_cut_without_their_breaks() {
        let text = text("a\r\nb\n\nc");
        assert_eq!(text.line_count(), 4);
        let lines: Vec<_> = (1..=5).map(|line| text.line(line)).collect();
        assert_eq!(lines, [Some("a"), Some("b"), Some(""), Some("c"), None]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason() {
        let reason = |bytes: &[u8]| Text::decode(bytes.to_vec()).expect_err("no text").to_string();
        assert_eq!(reason(b"fn\0"), "is a binary file");
        assert_eq!(reason(b"ok\nb\xFFad"), "is not UTF-8 (first invalid byte in line 2)");
        assert_eq!(reason(&vec![b' '; MAX_BYTES as usize + 1]), "is larger than 64 MiB");
        assert!(Text::read(Path::new("no/such/file")).is_err());
        assert!(matches!(Text::read(Path::new(".")), Err(TextError::NotAFile)));
    }
}

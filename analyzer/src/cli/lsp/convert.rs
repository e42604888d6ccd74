//! Between the report's places (lines and characters from 1) and the protocol's (lines and code units from 0).
//!
//! Guarantees: UTF-16 unless the client offers UTF-8; a place that only says where something begins is as long as its word,
//! as in the other formats.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gen_lsp_types::{
    Code, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, InitializeParams, Location as Place, Message,
    Position, Range, Uri,
};

use super::analysis::Analysis;
use crate::finding::{Finding, Level, Location};
use crate::source::Text;

/// How columns count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// UTF-8 where the client has it.
    pub(super) fn agreed(params: &InitializeParams) -> Encoding {
        let value = serde_json::to_value(params).unwrap_or_default();
        let offered = value["capabilities"]["general"]["positionEncodings"].as_array().cloned().unwrap_or_default();
        if offered.iter().any(|each| each == "utf-8") { Encoding::Utf8 } else { Encoding::Utf16 }
    }

    /// Line and character, from 1, as a position.
    pub(super) fn position(self, text: Option<&Text>, line: u32, column: u32) -> Position {
        let (line, column) = (line.max(1), column.max(1));
        let plain = Position { line: line - 1, character: column - 1 };
        let Some(text) = text else { return plain };
        match self {
            Encoding::Utf16 => {
                text.to_utf16(line, column).map_or(plain, |(line, character)| Position { line, character })
            }
            Encoding::Utf8 => match (text.offset(line, column), text.line_range(line)) {
                (Some(offset), Some(range)) => Position { line: line - 1, character: (offset - range.start) as u32 },
                _ => plain,
            },
        }
    }

    /// The reverse, as line and character from 1.
    pub(super) fn place(self, text: &Text, position: Position) -> Option<(u32, u32)> {
        match self {
            Encoding::Utf16 => text.position_of_utf16(position.line, position.character),
            Encoding::Utf8 => {
                let line = text.line_range(position.line.checked_add(1)?)?;
                let offset = line.start.saturating_add(position.character as usize).min(line.end);
                text.position(text.raw().floor_char_boundary(offset))
            }
        }
    }

    /// The byte of a position in a plain text; its end where there is no such line.
    pub(super) fn offset(self, text: &str, position: Position) -> usize {
        let mut start = 0;
        for _ in 0..position.line {
            match text[start..].find('\n') {
                Some(at) => start += at + 1,
                None => return text.len(),
            }
        }
        let line = text[start..].split('\n').next().unwrap_or_default();
        let mut units = 0;
        for (at, c) in line.char_indices() {
            if units >= position.character {
                return start + at;
            }
            units += match self {
                Encoding::Utf8 => c.len_utf8() as u32,
                Encoding::Utf16 => c.len_utf16() as u32,
            };
        }
        start + line.len()
    }

    /// A location's range.
    pub(super) fn range(self, text: Option<&Text>, location: &Location) -> Range {
        let start = self.position(text, location.line, location.column);
        let mut end = self.position(text, location.end_line, location.end_column);
        if (end.line, end.character) <= (start.line, start.character) {
            let word = text.and_then(|text| {
                let rest: String =
                    text.line(location.line)?.chars().skip(location.column.saturating_sub(1) as usize).collect();
                Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count() as u32)
            });
            end = self.position(text, location.line, location.column + word.unwrap_or(1).max(1));
        }
        Range { start, end }
    }
}

/// The diagnostics of the last scan, by file.
pub(super) fn diagnostics(analysis: &Analysis, encoding: Encoding) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut out: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
    for finding in analysis.report.iter().flat_map(|report| &report.findings) {
        if finding.primary.file.is_empty() {
            continue;
        }
        out.entry(analysis.path(&finding.primary.file)).or_default().push(diagnostic(analysis, finding, encoding));
    }
    out
}

/// One finding.
pub(super) fn diagnostic(analysis: &Analysis, finding: &Finding, encoding: Encoding) -> Diagnostic {
    let text = analysis.text(&finding.primary.file);
    let mut message = finding.message.clone();
    if !finding.help.is_empty() {
        message.push_str(&format!("\nhelp: {}", finding.help));
    }
    let mut places: Vec<&Location> = Vec::new();
    let steps = finding.threads.iter().flat_map(|path| &path.steps);
    for place in steps.chain(&finding.related) {
        let same =
            |other: &&Location| (&other.file, other.line, other.column) == (&place.file, place.line, place.column);
        if !place.file.is_empty() && !same(&&finding.primary) && !places.iter().any(same) {
            places.push(place);
        }
    }
    let related = places.into_iter().filter_map(|place| {
        let uri = Uri::from_file_path(analysis.path(&place.file)).ok()?;
        let range = encoding.range(analysis.text(&place.file).as_ref(), place);
        Some(DiagnosticRelatedInformation { location: Place { uri, range }, message: place.label.clone() })
    });
    Diagnostic {
        range: encoding.range(text.as_ref(), &finding.primary),
        severity: Some(match finding.level {
            Level::Deny => DiagnosticSeverity::Error,
            Level::Warn => DiagnosticSeverity::Warning,
            Level::Note | Level::Allow => DiagnosticSeverity::Information,
        }),
        code: Some(Code::String(finding.rule.to_owned())),
        source: Some("lockcheck".into()),
        message: Message::String(message),
        related_information: Some(related.collect()),
        ..Diagnostic::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_there_and_back_in_both_encodings() {
        let raw = "a\r\n𝄞é\tx\n";
        let text = Text::decode(raw.into()).expect("text");
        for (encoding, line, column, character) in [
            (Encoding::Utf16, 2, 2, 2),
            (Encoding::Utf16, 2, 4, 4),
            (Encoding::Utf8, 2, 2, 4),
            (Encoding::Utf8, 2, 4, 7),
            (Encoding::Utf8, 1, 2, 1),
        ] {
            let position = encoding.position(Some(&text), line, column);
            assert_eq!(position, Position { line: line - 1, character }, "{encoding:?} {line}:{column}");
            assert_eq!(encoding.place(&text, position), Some((line, column)));
            assert_eq!(Some(encoding.offset(raw, position)), text.offset(line, column));
        }
        assert_eq!(Encoding::Utf16.offset(raw, Position { line: 99, character: 0 }), raw.len());
    }
}

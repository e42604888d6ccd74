//! A [`Report`] as bytes, one file per format.
//!
//! Guarantees: the same report, texts and style give the same bytes; every place of a finding appears in every format
//! that has room for it; control characters of source text or names never reach a terminal.
//!
//! Misses: anything that is not in the report model. Nothing here prints; [`crate::cli`] does.

mod cargo_json;
mod human;
mod lockcheck_json;
mod marks;
mod rustc;
pub mod sections;
mod short;
mod snippet;
pub mod stats;

#[cfg(test)]
mod robust_tests;
#[cfg(test)]
mod samples;

use crate::finding::{Evidence, Level, NoticeKind, Report};
use crate::source::{Targets, Texts};

/// The output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For a terminal, with snippets of the source.
    Human,
    /// One line per finding, as compilers print them.
    Short,
    /// The text that rustc would print.
    Rustc,
    /// Lines that cargo would print with `--message-format json`: what rust-analyzer reads.
    Json,
    /// The whole report as one document, `lockcheck.report/1`.
    LockcheckJson,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: &[Format] = &[Format::Human, Format::Short, Format::Rustc, Format::Json, Format::LockcheckJson];

    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Short => "short",
            Format::Rustc => "rustc",
            Format::Json => "json",
            Format::LockcheckJson => "lockcheck-json",
        }
    }

    /// One line about it.
    pub fn about(self) -> &'static str {
        match self {
            Format::Human => "for a terminal, with snippets of the source",
            Format::Short => "one line per finding",
            Format::Rustc => "the text that rustc would print",
            Format::Json => "cargo-compatible lines, for rust-analyzer and bacon",
            Format::LockcheckJson => "the whole report as one document",
        }
    }

    /// For programs rather than people: the report alone, without colours or a closing summary.
    pub fn is_machine(self) -> bool {
        self != Format::Human
    }
}

/// How much a report for people says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Findings only.
    Quiet,
    /// Findings, notices and the closing summary.
    #[default]
    Normal,
    /// Fingerprints and every path too.
    Verbose,
}

/// How a report for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// Box-drawing characters; else ASCII.
    pub unicode: bool,
    /// Columns to wrap at.
    pub width: usize,
    /// How much to say.
    pub verbosity: Verbosity,
}

impl Default for Style {
    fn default() -> Self {
        Style { color: false, unicode: true, width: 100, verbosity: Verbosity::Normal }
    }
}

/// What renderers need besides the report.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The texts to show snippets of.
    pub texts: &'a Texts,
    /// Cargo's names for the packages and targets of files.
    pub targets: &'a Targets,
    /// The look.
    pub style: Style,
}

/// The report in one format. Complexity: linear in the findings' places, whatever the size of the files.
pub fn render(report: &Report, format: Format, context: &Context<'_>) -> Vec<u8> {
    match format {
        Format::Human => human::render(report, context.texts, context.style).into_bytes(),
        Format::Short => short::render(report).into_bytes(),
        Format::Rustc => rustc::render(report, context.texts).into_bytes(),
        Format::Json => cargo_json::render(report, context),
        Format::LockcheckJson => lockcheck_json::render(report),
    }
}

/// The word for a level that compilers use.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note | Level::Allow => "note",
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Deny => "deny",
        Level::Warn => "warn",
        Level::Note => "note",
        Level::Allow => "allow",
    }
}

fn evidence_name(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Static => "static",
        Evidence::Possible => "possible",
        Evidence::Predicted => "predicted",
        Evidence::Confirmed => "confirmed",
        Evidence::Observed => "observed",
    }
}

fn notice_name(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::UnparsedFile => "unparsed_file",
        NoticeKind::UnreadableFile => "unreadable_file",
        NoticeKind::Truncated => "truncated",
        NoticeKind::CutOffTrace => "cut_off_trace",
        NoticeKind::Program => "program",
        NoticeKind::Configuration => "configuration",
        NoticeKind::InternalError => "internal_error",
    }
}

/// `text` on one line, without characters that could move a cursor or hide text: each becomes a question mark.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' || c == '\t' {
                ' '
            } else if is_unsafe(c) {
                '?'
            } else {
                c
            }
        })
        .collect()
}

/// Control characters, and those that change the direction of writing.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_notices_are_those_of_the_document() {
        use NoticeKind::*;
        for kind in [UnparsedFile, UnreadableFile, Truncated, CutOffTrace, Program, InternalError] {
            assert_eq!(serde_json::to_value(kind).expect("serializes"), notice_name(kind));
        }
    }

    #[test]
    fn text_cannot_move_the_cursor_or_turn_around() {
        assert_eq!(clean("a\x1b[2Jb\u{202E}c\nd\u{85}é"), "a?[2Jb?c d?é");
    }

    #[test]
    fn every_format_renders_every_sample_and_an_empty_report() {
        let (texts, targets) = (samples::texts(), Targets::default());
        for format in Format::ALL {
            for report in samples::all() {
                for (color, unicode, width) in [(false, true, 80), (true, false, 20), (true, true, 1)] {
                    let style = Style { color, unicode, width, verbosity: Verbosity::Verbose };
                    let bytes = render(&report, *format, &Context { texts: &texts, targets: &targets, style });
                    assert!(String::from_utf8(bytes).is_ok());
                }
            }
        }
    }
}

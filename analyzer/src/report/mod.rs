//! A [`Report`] as bytes, one file per format.
//!
//! Guarantees: the same report, texts and style give the same bytes; every place of a finding appears in every format
//! that has room for it; control characters of source text or names never reach a terminal.
//!
//! Misses: anything that is not in the report model. Nothing here prints; [`crate::cli`] does.

mod cargo_json;
pub mod chrome_trace;
mod counts;
mod dot;
mod github;
pub mod graph;
mod html;
mod human;
mod lockcheck_json;
mod marks;
mod mermaid;
mod narrated;
mod page;
mod rustc;
mod sarif;
pub mod sections;
mod short;
mod snippet;
pub mod stats;

#[cfg(test)]
mod robust_tests;
#[cfg(test)]
pub(crate) mod samples;

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
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, which GitHub shows as annotations.
    Github,
    /// One page for a browser, with the timeline of a run and its lock graph.
    Html,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: &[Format] = &[
        Format::Human,
        Format::Short,
        Format::Rustc,
        Format::Json,
        Format::LockcheckJson,
        Format::Sarif,
        Format::Github,
        Format::Html,
    ];

    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Short => "short",
            Format::Rustc => "rustc",
            Format::Json => "json",
            Format::LockcheckJson => "lockcheck-json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Html => "html",
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
            Format::Sarif => "SARIF 2.1.0, for code scanning",
            Format::Github => "annotations in a workflow of GitHub",
            Format::Html => "one page for a browser",
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

/// What a report for people is drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Box-drawing characters.
    #[default]
    Unicode,
    /// ASCII only; names and source lines stay what they are.
    Ascii,
    /// Nothing is drawn: sentences, for screen readers.
    Narrated,
}

/// How a report for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// What it is drawn with.
    pub theme: Theme,
    /// Columns to wrap at.
    pub width: usize,
    /// How much to say.
    pub verbosity: Verbosity,
}

impl Default for Style {
    fn default() -> Self {
        Style { color: false, theme: Theme::Unicode, width: 100, verbosity: Verbosity::Normal }
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
    /// What there is to draw besides findings, where the command knows it.
    pub pictures: Option<&'a Pictures>,
}

pub use page::Pictures;

/// The report in one format. Complexity: linear in the findings' places, whatever the size of the files.
pub fn render(report: &Report, format: Format, context: &Context<'_>) -> Vec<u8> {
    match format {
        Format::Human if context.style.theme == Theme::Narrated => {
            narrated::render(report, context.texts, context.style).into_bytes()
        }
        Format::Human => human::render(report, context.texts, context.style).into_bytes(),
        Format::Short => short::render(report).into_bytes(),
        Format::Rustc => rustc::render(report, context.texts).into_bytes(),
        Format::Json => cargo_json::render(report, context),
        Format::LockcheckJson => lockcheck_json::render(report),
        Format::Sarif => sarif::render(report, context),
        Format::Github => github::render(report, context).into_bytes(),
        Format::Html => html::render(report, context).into_bytes(),
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

pub(crate) fn level_name(level: Level) -> &'static str {
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
                for (color, theme, width) in
                    [(false, Theme::Unicode, 80), (true, Theme::Ascii, 20), (true, Theme::Narrated, 1)]
                {
                    let style = Style { color, theme, width, verbosity: Verbosity::Verbose };
                    let bytes =
                        render(&report, *format, &Context { texts: &texts, targets: &targets, style, pictures: None });
                    assert!(String::from_utf8(bytes).is_ok());
                }
            }
        }
    }
}

//! `rustc`: the text that rustc would print, for matchers that know it: rust.vim, VS Code's `$rustc`, bacon.
//!
//! Guarantees: `error: message` and, on the next line, ` --> file:line:column`; the rule stands in a note, never in
//! brackets behind `error`, where those matchers do not expect it. Never coloured.
//!
//! Misses: the order of a thread's steps; labels say what happens at each place.

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet, renderer::DecorStyle};

use super::marks::{FileMarks, marks};
use super::{clean, is_unsafe, level_name, severity};
use crate::finding::{Finding, Report};
use crate::source::Texts;

pub(super) fn render(report: &Report, texts: &Texts) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&one(finding, texts));
        out.push('\n');
    }
    for notice in &report.notices {
        out.push_str(&format!("note: {}\n", clean(&notice.message)));
        if let Some(file) = &notice.file {
            out.push_str(&format!(" --> {}:{}:1\n", clean(file), notice.line.unwrap_or(1)));
        }
        out.push('\n');
    }
    out
}

/// One finding, with a final line break.
pub(super) fn one(finding: &Finding, texts: &Texts) -> String {
    let level = match severity(finding.level) {
        "error" => Title::ERROR,
        "warning" => Title::WARNING,
        _ => Title::NOTE,
    };
    let files = marks(finding, texts, |_| true);
    let windows: Vec<Option<Window>> = files.iter().map(Window::new).collect();
    let mut group = Group::with_title(level.primary_title(clean(&finding.message)));
    for (file, window) in files.iter().zip(&windows) {
        match window {
            Some(window) => group = group.element(window.snippet(file)),
            None => {
                for mark in &file.marks {
                    let (line, column) = (mark.location.line as usize, mark.location.column as usize);
                    group = group.element(Origin::path(clean(file.file)).line(line).char_column(column));
                }
            }
        }
    }
    if !finding.help.is_empty() {
        group = group.element(Title::HELP.message(clean(&finding.help)));
    }
    group = group.element(Title::NOTE.message(format!("lockcheck::{} ({})", finding.rule, level_name(finding.level))));
    let mut text = Renderer::plain().decor_style(DecorStyle::Ascii).render(&[group]);
    text.push('\n');
    text
}

/// The part of a file that its marks need.
struct Window {
    text: String,
    first_line: u32,
    start: usize,
}

impl Window {
    /// `None` where a mark has no text to stand in.
    fn new(file: &FileMarks<'_>) -> Option<Self> {
        let text = file.text.as_ref()?;
        let shown = file.marks.iter().all(|mark| mark.span.is_some());
        let lines = || file.marks.iter().map(|mark| mark.location.line);
        let (first, last) = (lines().min()?, lines().max()?);
        let start = text.line_range(first)?.start;
        let end = text.line_range(last).map_or(text.raw().len(), |range| range.end);
        // Of the same length in bytes, so that spans hold.
        let safe = |c: char| is_unsafe(c) && !matches!(c, '\n' | '\t' | '\r');
        let window = &text.raw()[start..end];
        let window = window.chars().flat_map(|c| {
            let (c, times) = if safe(c) { ('?', c.len_utf8()) } else { (c, 1) };
            std::iter::repeat_n(c, times)
        });
        shown.then(|| Window { text: window.collect(), first_line: first, start })
    }

    fn snippet<'a>(&'a self, file: &'a FileMarks<'_>) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let annotations = file.marks.iter().filter_map(|mark| {
            let span = mark.span.clone()?;
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            Some(kind.span(span.start - self.start..span.end - self.start).label(clean(&mark.labels().join("; "))))
        });
        Snippet::source(self.text.as_str())
            .line_start(self.first_line as usize)
            .path(clean(file.file))
            .annotations(annotations)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn samples_as_rustc_text() {
        insta::assert_snapshot!(super::render(&samples::everything(), &samples::texts()));
    }

    #[test]
    fn the_place_stands_right_below_the_message() {
        for line in super::render(&samples::everything(), &samples::texts()).lines().collect::<Vec<_>>().windows(2) {
            if line[0].starts_with("error: ") || line[0].starts_with("warning: ") {
                assert!(line[1].trim_start().starts_with("--> src/"), "{line:?}");
            }
        }
    }
}

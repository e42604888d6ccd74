//! A finding's places as labelled spans of text, by file: what every format with snippets draws.
//!
//! Guarantees: the primary place's file comes first, then files in the order of the threads' steps; each place stands
//! there once, with all labels that belong to it; exactly one mark is primary. A place that only says where something
//! begins, as run-time places do, is widened to the word and call it begins.
//!
//! Misses: places of which not even the file is known.

use std::ops::Range;

use crate::finding::{Finding, Location};
use crate::source::{Text, Texts};

/// The longest line, in bytes, that is shown.
const MAX_LINE: usize = 400;

/// A labelled place.
#[derive(Clone, Debug)]
pub(super) struct Mark<'a> {
    pub(super) location: &'a Location,
    /// What the finding says about the place itself, as its primary or a related one.
    own: Vec<&'a str>,
    pub(super) primary: bool,
    /// The steps of threads that pass here.
    pub(super) steps: Vec<Step<'a>>,
    /// In the raw text of the file; `None` where that is unknown or cannot be shown.
    pub(super) span: Option<Range<usize>>,
}

/// A step of a thread's path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// Index of the thread.
    pub(super) thread: usize,
    /// Index of the step in its path.
    pub(super) at: usize,
    /// What happens.
    pub(super) label: &'a str,
}

impl<'a> Mark<'a> {
    /// The thread whose step it is, if one alone passes here.
    pub(super) fn thread(&self) -> Option<usize> {
        let thread = self.steps.first()?.thread;
        self.steps.iter().all(|step| step.thread == thread).then_some(thread)
    }

    /// First line and column and one past the last ones, in characters from 1: a place with nothing but a beginning is
    /// as long as what snippets underline.
    pub(super) fn extent(&self, text: Option<&Text>) -> (u32, u32, u32, u32) {
        let location = self.location;
        let (line, column) = (location.line.max(1), location.column.max(1));
        let (mut end_line, mut end_column) = (location.end_line.max(line), location.end_column.max(1));
        if (end_line, end_column) <= (line, column.saturating_add(1))
            && let (Some(text), Some(span)) = (text, &self.span)
            && let Some((line, column)) = text.position(span.end)
        {
            (end_line, end_column) = (line, column);
        }
        (line, column, end_line, end_column)
    }

    /// What happens here, without saying anything twice: what the finding says about the place itself, else the
    /// labels of the steps. Never empty.
    pub(super) fn labels(&self) -> Vec<&'a str> {
        let steps = self.steps.iter().map(|step| step.label);
        let all: Vec<&str> = if self.own.is_empty() { steps.collect() } else { self.own.clone() };
        let mut labels = Vec::new();
        for label in all {
            if !label.is_empty() && !labels.contains(&label) {
                labels.push(label);
            }
        }
        if labels.is_empty() { vec!["here"] } else { labels }
    }
}

/// The marks of one file, in the order in which they were given.
#[derive(Clone, Debug)]
pub(super) struct FileMarks<'a> {
    pub(super) file: &'a str,
    pub(super) text: Option<Text>,
    pub(super) marks: Vec<Mark<'a>>,
}

/// All places of a finding. `related` says which of its related places count.
pub(super) fn marks<'a>(
    finding: &'a Finding,
    texts: &Texts,
    related: impl Fn(&Location) -> bool,
) -> Vec<FileMarks<'a>> {
    let mut files: Vec<FileMarks<'a>> = Vec::new();
    let mut add = |location: &'a Location, step: Option<(usize, usize)>, primary: bool| {
        if location.file.is_empty() || location.line == 0 {
            return;
        }
        let at = files.iter().position(|file| file.file == location.file).unwrap_or_else(|| {
            files.push(FileMarks { file: &location.file, text: texts.get(&location.file), marks: Vec::new() });
            files.len() - 1
        });
        let marks = &mut files[at].marks;
        if !marks.iter().any(|mark| same_place(mark.location, location)) {
            let span = files[at].text.as_ref().and_then(|text| span(text, location));
            files[at].marks.push(Mark { location, own: Vec::new(), primary, steps: Vec::new(), span });
        }
        let same = |mark: &&mut Mark<'_>| same_place(mark.location, location);
        if let Some(mark) = files[at].marks.iter_mut().find(same) {
            match step {
                Some((thread, at)) => mark.steps.push(Step { thread, at, label: &location.label }),
                None => mark.own.push(&location.label),
            }
        }
    };
    add(&finding.primary, None, true);
    for (thread, path) in finding.threads.iter().enumerate() {
        path.steps.iter().enumerate().for_each(|(at, step)| add(step, Some((thread, at)), false));
    }
    for location in finding.related.iter().filter(|location| related(location)) {
        add(location, None, false);
    }
    // Editors drop a diagnostic without a primary place; where it is unknown, the first known one stands in.
    if files.iter().all(|file| !file.marks.iter().any(|mark| mark.primary))
        && let Some(mark) = files.iter_mut().find_map(|file| file.marks.first_mut())
    {
        mark.primary = true;
    }
    files
}

/// Whether two locations begin at the same place.
pub(super) fn same_place(a: &Location, b: &Location) -> bool {
    (&a.file, a.line, a.column) == (&b.file, b.line, b.column)
}

/// What to underline: never empty, never past the line's end, never more than one line.
fn span(text: &Text, location: &Location) -> Option<Range<usize>> {
    let line = text.line_range(location.line)?;
    if line.len() > MAX_LINE {
        return None;
    }
    let start = text.offset(location.line, location.column.max(1))?;
    let mut end = line.end;
    if location.end_line <= location.line {
        end = text.offset(location.line, location.end_column.max(1))?;
    }
    if end <= start + 1 {
        end = start + call_length(&text.raw()[start..line.end]);
    }
    // At the end of a line, point at its last character instead of at nothing.
    if start == line.end && !line.is_empty() {
        let last = text.raw()[..start].char_indices().next_back()?.0;
        return Some(last..start);
    }
    (start < end.min(line.end)).then(|| start..end.min(line.end))
}

/// Length of the word, or `word(...)` on one line, or else the one character that `text` begins with.
fn call_length(text: &str) -> usize {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    if word == 0 {
        return text.chars().next().map_or(0, char::len_utf8);
    }
    if !text[word..].starts_with('(') {
        return word;
    }
    let mut depth = 0;
    for (at, c) in text[word..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return word + at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, line: u32, column: u32, end_line: u32, end_column: u32) -> Option<String> {
        let text = Text::decode(source.as_bytes().to_vec()).expect("text");
        let location = Location { file: "a.rs".into(), line, column, end_line, end_column, ..Location::default() };
        span(&text, &location).map(|span| text.raw()[span].to_owned())
    }

    #[test]
    fn spans_are_widened_to_calls_and_cut_at_the_end_of_the_line() {
        assert_eq!(shown("a.lock(f(x)).b", 1, 3, 1, 3).as_deref(), Some("lock(f(x))"));
        assert_eq!(shown("a.lock(\n)", 1, 3, 1, 4).as_deref(), Some("lock"));
        assert_eq!(shown("a.lock()", 1, 1, 1, 7).as_deref(), Some("a.lock"));
        assert_eq!(shown("a\r\n  .lock()", 1, 1, 2, 9).as_deref(), Some("a"));
        assert_eq!(shown("é+", 1, 2, 1, 2).as_deref(), Some("+"));
    }

    #[test]
    fn places_outside_the_text_have_no_span_or_the_nearest_one() {
        assert_eq!(shown("ab\n", 9, 1, 9, 2), None);
        assert_eq!(shown("ab\n\n", 2, 1, 2, 1), None);
        assert_eq!(shown("ab\n", 1, 99, 1, 100).as_deref(), Some("b"));
        assert_eq!(shown(&"x".repeat(10_000), 1, 1, 1, 2), None);
        assert_eq!(shown("abc", 1, 3, 1, 1).as_deref(), Some("c"));
    }
}

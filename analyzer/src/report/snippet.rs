//! What miette draws: one finding as a `Diagnostic`, and its files as one indexed `SourceCode`.
//!
//! Guarantees: snippets of several files stand in one picture, each under its own path; reading a span costs
//! O(log lines + bytes shown), not a scan of the file as miette's own sources do; no control character gets through.
//!
//! Misses: nothing that miette can draw; lines too long for any terminal have no span and are left to the caller.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::marks::FileMarks;
use super::{clean, is_unsafe};
use crate::source::Text;

/// A finding as miette wants it. The only `Diagnostic` there is: the report model does not know miette.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) severity: Severity,
    pub(super) files: Files,
    pub(super) labels: Vec<LabeledSpan>,
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.labels.is_empty()).then_some(&self.files as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Several files in one space of offsets: each begins where the one before it ends, plus one.
#[derive(Debug, Default)]
pub(super) struct Files(Vec<File>);

#[derive(Debug)]
struct File {
    name: String,
    base: usize,
    text: Text,
    /// Where the text has characters that must not reach a terminal; of the same length.
    safe: Option<String>,
}

impl Files {
    /// Adds a file and gives its base: what to add to offsets in its raw text.
    pub(super) fn add(&mut self, file: &FileMarks<'_>, text: &Text) -> usize {
        let base = self.0.last().map_or(0, |last| last.base + last.text.raw().len() + 1);
        let bad = |(at, c): (usize, char)| match c {
            '\n' | '\t' => false,
            '\r' => !text.raw()[at..].starts_with("\r\n"),
            c => is_unsafe(c),
        };
        // Files are large and most of them plain: a look at the bytes is all that these cost.
        let plain = |byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
        let unsafe_ = !text.raw().as_bytes().iter().all(plain) && text.raw().char_indices().any(bad);
        let safe = unsafe_.then(|| {
            let replaced = text.raw().char_indices().flat_map(|(at, c)| {
                let (c, times) = if bad((at, c)) { ('?', c.len_utf8()) } else { (c, 1) };
                std::iter::repeat_n(c, times)
            });
            replaced.collect()
        });
        self.0.push(File { name: clean(file.file), base, text: text.clone(), safe });
        base
    }
}

impl SourceCode for Files {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.0.partition_point(|file| file.base <= span.offset());
        let file = file.checked_sub(1).map(|at| &self.0[at]).ok_or(MietteError::OutOfBounds)?;
        let start = span.offset() - file.base;
        let end = start + span.len();
        // A span over two files is refused here; that keeps miette from drawing them as one snippet.
        if end > file.text.raw().len() {
            return Err(MietteError::OutOfBounds);
        }
        let place = |offset| file.text.position(offset).ok_or(MietteError::OutOfBounds);
        let ((line, column), (last, _)) = (place(start)?, place(end)?);
        let first = line.saturating_sub(before as u32).max(1);
        let range = lines(&file.text, first, last.saturating_add(after as u32));
        let shown = &file.safe.as_deref().unwrap_or(file.text.raw())[range.clone()];
        Ok(Box::new(MietteSpanContents::new_named(
            file.name.clone(),
            shown.as_bytes(),
            (file.base + range.start, range.len()).into(),
            first as usize - 1,
            // With context, miette wants the column of where the contents begin, which is a line's start.
            if before == 0 && after == 0 { column as usize - 1 } else { 0 },
            shown.lines().count(),
        )))
    }
}

/// The bytes of these lines without the last one's line break.
fn lines(text: &Text, first: u32, last: u32) -> Range<usize> {
    let start = text.line_range(first).map_or(text.raw().len(), |range| range.start);
    let end = text.line_range(last).map_or(text.raw().len(), |range| range.end);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(sources: &[&str]) -> Files {
        let mut files = Files::default();
        for source in sources {
            let text = Text::decode(source.as_bytes().to_vec()).expect("text");
            files.add(&FileMarks { file: "a.rs", text: None, marks: Vec::new() }, &text);
        }
        files
    }

    fn read(files: &Files, offset: usize, len: usize) -> Option<(String, usize, usize)> {
        let contents = files.read_span(&(offset, len).into(), 1, 1).ok()?;
        Some((String::from_utf8_lossy(contents.data()).into_owned(), contents.line(), contents.span().offset()))
    }

    #[test]
    fn each_file_is_read_with_its_own_lines() {
        let files = files(&["one\ntwo\nthree\nfour", "éins\nzwei\n"]);
        assert_eq!(read(&files, 5, 1), Some(("one\ntwo\nthree".into(), 0, 0)));
        assert_eq!(read(&files, 15, 2), Some(("three\nfour".into(), 2, 8)));
        assert_eq!(read(&files, 19, 2), Some(("éins\nzwei".into(), 0, 19)));
    }

    #[test]
    fn spans_over_two_files_or_past_the_end_are_refused() {
        let files = files(&["one", "two"]);
        assert_eq!((read(&files, 1, 5), read(&files, 6, 9), read(&files, 99, 1)), (None, None, None));
        assert_eq!(read(&Files::default(), 0, 0), None);
    }

    #[test]
    fn unsafe_characters_are_replaced_and_lengths_kept() {
        let files = files(&["a\x1b[2J\rb\u{202E}c\r\nd"]);
        assert_eq!(read(&files, 0, 1), Some(("a?[2J?b???c\r\nd".into(), 0, 0)));
    }
}

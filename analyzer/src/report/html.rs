//! `html`: the report as one page that needs nothing else: no network, no other file, readable without scripts.
//!
//! Guarantees: whatever text a name or source line has, it is shown as text; every place of a finding is there, with its
//! line where the text is known. Where the command knows them, the page ends with the threads' timeline and the lock
//! graph, drawn by a script that is part of it ([`super::page`]).
//!
//! Misses: colours of Rust's syntax; lines longer than a screen are left out, as in the other formats with snippets.

use std::ops::Range;

use askama::Template;

use super::counts::{count, looked_at};
use super::marks::{FileMarks, marks};
use super::{Context, evidence_name, level_name, page, severity};
use crate::finding::{Confidence, Finding, Location, Mode, Report};

/// Lines shown around a marked one.
const AROUND: u32 = 2;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: &'static str,
    report: &'a Report,
    /// What was found: its kind and its number with the word.
    counts: Vec<(&'static str, String)>,
    looked_at: String,
    findings: Vec<Block<'a>>,
    style: &'static str,
    script: &'static str,
    /// As JSON that can stand in a script element; empty where there is nothing to draw.
    data: String,
    version: &'static str,
}

struct Block<'a> {
    id: String,
    finding: &'a Finding,
    level: &'static str,
    severity: &'static str,
    evidence: &'static str,
    confidence: &'static str,
    snippets: Vec<Snippet<'a>>,
    /// Name of each thread, and of each step its number, place and what happens.
    threads: Vec<(&'a str, Vec<Step<'a>>)>,
    further: Vec<&'a Location>,
}

struct Step<'a> {
    number: String,
    place: &'a Location,
}

struct Snippet<'a> {
    file: &'a str,
    lines: Vec<Line>,
    /// Places without text: where, and what happens.
    bare: Vec<(u32, u32, String)>,
}

struct Line {
    /// 0 for a gap.
    number: u32,
    /// The text in pieces; those with a mark are underlined.
    pieces: Vec<(String, bool)>,
    labels: Vec<String>,
}

pub(super) fn render(report: &Report, context: &Context<'_>) -> String {
    let summary = &report.summary;
    let page = Page {
        title: match report.mode {
            Mode::Scan => "lockcheck scan",
            Mode::Run => "lockcheck run",
            Mode::Analyze => "lockcheck analyze",
        },
        report,
        counts: [(summary.deny, "error"), (summary.warn, "warning"), (summary.note, "note")]
            .into_iter()
            .map(|(number, kind)| (number, kind, count(number, kind)))
            .chain([(summary.suppressed, "suppressed", format!("{} suppressed", summary.suppressed))])
            .filter(|(number, ..)| *number > 0)
            .map(|(_, kind, text)| (kind, text))
            .collect(),
        looked_at: looked_at(report).join(", "),
        findings: report.findings.iter().enumerate().map(|(at, finding)| block(at, finding, context)).collect(),
        style: page::STYLE,
        script: page::SCRIPT,
        data: context.pictures.map(page::embedded).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
    };
    // Only the writer can fail, and a `String` does not.
    page.render().unwrap_or_default()
}

fn block<'a>(at: usize, finding: &'a Finding, context: &Context<'_>) -> Block<'a> {
    let is_step = |location: &Location| {
        finding.threads.iter().flat_map(|path| &path.steps).any(|step| super::marks::same_place(step, location))
    };
    let in_picture = |location: &Location| finding.threads.is_empty() || is_step(location);
    let step = |thread: usize, at: usize, place: &'a Location| {
        let letter =
            u8::try_from(thread).ok().filter(|thread| *thread < 26).map_or('T', |thread| char::from(b'A' + thread));
        Step { number: format!("{letter}{}", at + 1), place }
    };
    let threads = finding.threads.iter().enumerate().map(|(thread, path)| {
        let steps = path.steps.iter().enumerate().map(|(at, place)| step(thread, at, place)).collect();
        (path.name.as_str(), steps)
    });
    Block {
        id: format!("finding-{}", at + 1),
        finding,
        level: level_name(finding.level),
        severity: severity(finding.level),
        evidence: evidence_name(finding.evidence),
        confidence: match finding.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        },
        snippets: marks(finding, context.texts, in_picture).iter().map(snippet).collect(),
        threads: threads.collect(),
        further: finding.related.iter().filter(|location| !in_picture(location)).collect(),
    }
}

fn snippet<'a>(file: &FileMarks<'a>) -> Snippet<'a> {
    let mut snippet = Snippet { file: file.file, lines: Vec::new(), bare: Vec::new() };
    let mut shown: Vec<u32> = Vec::new();
    for mark in &file.marks {
        let line = mark.location.line;
        if mark.span.is_none() {
            snippet.bare.push((line, mark.location.column, mark.labels().join("; ")));
        } else {
            shown.extend(line.saturating_sub(AROUND).max(1)..=line.saturating_add(AROUND));
        }
    }
    shown.sort_unstable();
    shown.dedup();
    let Some(text) = &file.text else { return snippet };
    let mut before = None;
    for number in shown {
        let Some(range) = text.line_range(number) else { continue };
        if before.is_some_and(|before| before + 1 != number) {
            snippet.lines.push(Line { number: 0, pieces: Vec::new(), labels: Vec::new() });
        }
        before = Some(number);
        let here = || file.marks.iter().filter(|mark| mark.location.line == number && mark.span.is_some());
        let spans = here().filter_map(|mark| mark.span.clone()).collect();
        let labels = here().map(|mark| {
            let steps: Vec<_> = mark
                .steps
                .iter()
                .map(|step| {
                    let letter = u8::try_from(step.thread)
                        .ok()
                        .filter(|thread| *thread < 26)
                        .map_or('T', |thread| char::from(b'A' + thread));
                    format!("{letter}{}", step.at + 1)
                })
                .collect();
            format!("{} {}", steps.join(" "), mark.labels().join("; ")).trim().to_owned()
        });
        let labels = labels.collect();
        snippet.lines.push(Line { number, pieces: pieces(text.raw(), range, spans), labels });
    }
    snippet
}

/// A line cut at the ends of the spans in it.
fn pieces(text: &str, line: Range<usize>, mut spans: Vec<Range<usize>>) -> Vec<(String, bool)> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut out = Vec::new();
    let mut at = line.start;
    for span in spans {
        let (start, end) = (span.start.clamp(at, line.end), span.end.clamp(at, line.end));
        out.push((text[at..start].to_owned(), false));
        out.push((text[start..end].to_owned(), true));
        at = end;
    }
    out.push((text[at..line.end].to_owned(), false));
    out.retain(|(piece, _)| !piece.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn shown(report: &Report) -> String {
        samples::rendered(render, report)
    }

    #[test]
    fn samples_as_a_page() {
        let page = shown(&samples::everything());
        let body = page.split_once("<body>").expect("a body").1;
        insta::assert_snapshot!(body);
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = shown(&samples::everything());
        for word in ["src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "http:"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn text_of_the_program_is_never_markup() {
        let mut report = samples::double_lock();
        report.findings[0].message = "<script>alert(1)</script> & `a<b>`".into();
        report.findings[0].primary.label = "</pre><b>".into();
        let page = shown(&report);
        assert!(!page.contains("<script>alert") && !page.contains("</pre><b>"), "{page}");
    }

    #[test]
    fn marked_pieces_do_not_overlap() {
        let cut = |spans: Vec<Range<usize>>| pieces("xx a.lock() yy", 3..11, spans);
        assert_eq!(cut(vec![5..9, 3..9]), [("a.lock".into(), true), ("()".into(), false)]);
        assert_eq!(cut(vec![]), [("a.lock()".into(), false)]);
    }
}

//! `json`: what cargo prints with `--message-format json`, one `compiler-message` per finding, for rust-analyzer,
//! bacon and whatever else reads cargo.
//!
//! Guarantees: exactly one primary span per diagnostic; every other place is a labelled secondary span; a change of
//! the text that mends a finding is a child with a replacement, which editors offer as a quick fix; lines and
//! columns from 1, columns in characters; no finding, no line; nothing but diagnostics.
//!
//! Misses: notices, evidence and fingerprints, which cargo has no field for; `lockcheck-json` has them.

use std::borrow::Cow;

use serde::Serialize;

use super::marks::{FileMarks, Mark, marks};
use super::{Context, rustc, severity};
use crate::finding::{Finding, Report};
use crate::fix::{self, Fix};
use crate::source::Target;

#[derive(Serialize)]
struct CompilerMessage<'a> {
    reason: &'static str,
    package_id: &'a str,
    manifest_path: &'a str,
    target: CargoTarget<'a>,
    message: Diagnostic<'a>,
}

#[derive(Serialize)]
struct CargoTarget<'a> {
    kind: [&'a str; 1],
    crate_types: [&'a str; 1],
    name: &'a str,
    src_path: &'a str,
    edition: &'a str,
    doc: bool,
    doctest: bool,
    test: bool,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    #[serde(rename = "$message_type", skip_serializing_if = "Option::is_none")]
    message_type: Option<&'static str>,
    message: Cow<'a, str>,
    code: Option<Code>,
    level: &'static str,
    spans: Vec<Span<'a>>,
    children: Vec<Diagnostic<'a>>,
    rendered: Option<String>,
}

#[derive(Serialize)]
struct Code {
    code: String,
    explanation: Option<&'static str>,
}

#[derive(Serialize)]
struct Span<'a> {
    file_name: Cow<'a, str>,
    byte_start: usize,
    byte_end: usize,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    text: Vec<Line>,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<&'static str>,
    expansion: Option<()>,
}

#[derive(Serialize)]
struct Line {
    text: String,
    highlight_start: u32,
    highlight_end: u32,
}

pub(super) fn render(report: &Report, context: &Context<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for finding in &report.findings {
        let files = marks(finding, context.texts, |_| true);
        let explain = format!("for further information run `lockcheck explain {}`", finding.rule);
        let unknown = Target { kind: "lib", crate_type: "lib", name: "unknown".into(), ..Target::default() };
        let target = context.targets.get(&finding.primary.file).unwrap_or(&unknown);
        let message = CompilerMessage {
            reason: "compiler-message",
            package_id: &target.package_id,
            manifest_path: &target.manifest_path,
            target: CargoTarget {
                kind: [target.kind],
                crate_types: [target.crate_type],
                name: &target.name,
                src_path: &target.src_path,
                edition: if target.edition.is_empty() { "2021" } else { target.edition },
                doc: target.kind == "lib",
                doctest: target.kind == "lib",
                test: true,
            },
            message: diagnostic(finding, &files, &explain, context),
        };
        serde_json::to_writer(&mut out, &message).expect("plain data, written to memory");
        out.push(b'\n');
    }
    out
}

fn diagnostic<'a>(
    finding: &'a Finding,
    files: &[FileMarks<'a>],
    explain: &'a str,
    context: &Context<'a>,
) -> Diagnostic<'a> {
    let mut spans = Vec::new();
    for file in files {
        spans.extend(file.marks.iter().map(|mark| span(file, mark, context)));
    }
    let mut children = Vec::new();
    if !finding.help.is_empty() {
        children.push(child("help", &finding.help));
    }
    children.push(child("note", explain));
    let fixes = fix::fixes(finding, &|file| context.texts.get(file));
    children.extend(fixes.iter().filter_map(|fix| quick_fix(finding, fix, context)));
    Diagnostic {
        message_type: Some("diagnostic"),
        message: Cow::Borrowed(&finding.message),
        code: Some(Code { code: format!("lockcheck::{}", finding.rule), explanation: None }),
        level: severity(finding.level),
        spans,
        children,
        rendered: Some(rustc::one(finding, context.texts)),
    }
}

fn child<'a>(level: &'static str, message: &'a str) -> Diagnostic<'a> {
    let (code, rendered, message) = (None, None, Cow::Borrowed(message));
    Diagnostic { message_type: None, message, code, level, spans: Vec::new(), children: Vec::new(), rendered }
}

/// A child with a replacement, which editors offer as a quick fix. They offer it where the cursor is in what is replaced,
/// so that reaches over the finding's place.
fn quick_fix<'a>(finding: &Finding, fix: &Fix, context: &Context<'a>) -> Option<Diagnostic<'a>> {
    let text = context.texts.get(&fix.file)?;
    let place = &finding.primary;
    let first = text.offset(place.line, place.column)?;
    let last = text.offset(place.end_line.max(place.line), place.end_column.max(1))?;
    let range = fix.range.start.min(first)..fix.range.end.max(last);
    let raw = text.raw();
    let replacement = format!("{}{}{}", &raw[range.start..fix.range.start], fix.text, &raw[fix.range.end..range.end]);
    let ((line_start, column_start), (line_end, column_end)) = (text.position(range.start)?, text.position(range.end)?);
    let line =
        Line { text: text.line(line_start)?.to_owned(), highlight_start: column_start, highlight_end: column_end };
    let span = Span {
        file_name: Cow::Owned(context.targets.file_name(&fix.file).to_owned()),
        byte_start: range.start + text.bom_len(),
        byte_end: range.end + text.bom_len(),
        line_start,
        line_end,
        column_start,
        column_end,
        is_primary: true,
        text: vec![line],
        label: None,
        suggested_replacement: Some(replacement),
        suggestion_applicability: Some(if fix.safe { "MachineApplicable" } else { "MaybeIncorrect" }),
        expansion: None,
    };
    let message = Cow::Owned(fix.title.clone());
    let (code, rendered, children) = (None, None, Vec::new());
    Some(Diagnostic { message_type: None, message, code, level: "help", spans: vec![span], children, rendered })
}

fn span<'a>(file: &FileMarks<'a>, mark: &Mark<'a>, context: &Context<'a>) -> Span<'a> {
    let location = mark.location;
    let (line_start, column_start, line_end, column_end) = mark.extent(file.text.as_ref());
    let (mut bytes, mut lines) = (0..0, Vec::new());
    if let Some(text) = &file.text {
        let offset = |line, column| text.offset(line, column).map(|offset| offset + text.bom_len());
        let start = offset(line_start, column_start).unwrap_or(0);
        bytes = start..offset(line_end, column_end).unwrap_or(start).max(start);
        for line in line_start..=line_end.min(line_start.saturating_add(20)) {
            let Some(content) = text.line(line) else { break };
            let past_end = content.chars().count() as u32 + 1;
            lines.push(Line {
                text: content.to_owned(),
                highlight_start: if line == line_start { column_start } else { 1 },
                highlight_end: if line == line_end { column_end } else { past_end },
            });
        }
    }
    Span {
        file_name: Cow::Borrowed(context.targets.file_name(&location.file)),
        byte_start: bytes.start,
        byte_end: bytes.end,
        line_start,
        line_end,
        column_start,
        column_end,
        is_primary: mark.primary,
        text: lines,
        label: Some(mark.labels().join("; ")),
        suggested_replacement: None,
        suggestion_applicability: None,
        expansion: None,
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::Message;
    use cargo_metadata::diagnostic::DiagnosticLevel;

    use super::super::{Style, samples};
    use super::*;
    use crate::source::Targets;

    fn lines(report: &Report) -> String {
        let (texts, targets) = (samples::texts(), Targets::default());
        let context = Context { texts: &texts, targets: &targets, style: Style::default(), pictures: None };
        String::from_utf8(render(report, &context)).expect("UTF-8")
    }

    #[test]
    fn cargos_own_reader_accepts_every_line() {
        let report = samples::everything();
        let text = lines(&report);
        let messages: Vec<Message> =
            Message::parse_stream(text.as_bytes()).collect::<Result<_, _>>().expect("readable");
        assert_eq!(messages.len(), report.findings.len());
        for (message, finding) in messages.iter().zip(&report.findings) {
            let Message::CompilerMessage(message) = message else { panic!("not a compiler message: {message:?}") };
            let diagnostic = &message.message;
            assert_eq!(diagnostic.message, finding.message);
            let code = &diagnostic.code.as_ref().expect("a code").code;
            assert_eq!(code.matches("::").count(), 1, "{code}");
            assert_eq!(diagnostic.spans.iter().filter(|span| span.is_primary).count(), 1);
            assert!(diagnostic.spans.iter().all(|span| span.label.as_ref().is_some_and(|label| !label.is_empty())));
            assert!(diagnostic.children.iter().all(|child| child.spans.is_empty()));
            let mut with_text = diagnostic.spans.iter().filter(|span| span.file_name != "src/report.rs");
            assert!(with_text.all(|span| span.byte_start < span.byte_end && !span.text.is_empty()));
            let expected = [DiagnosticLevel::Error, DiagnosticLevel::Warning, DiagnosticLevel::Note];
            assert!(expected.contains(&diagnostic.level));
        }
    }

    #[test]
    fn samples_as_cargo_lines() {
        let values = lines(&samples::everything());
        let values = values.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("valid JSON"));
        let pretty: Vec<_> = values.map(|value| serde_json::to_string_pretty(&value).expect("prints")).collect();
        insta::assert_snapshot!(pretty.join("\n"));
    }

    #[test]
    fn no_finding_is_no_line() {
        let report = Report { findings: Vec::new(), ..samples::everything() };
        assert_eq!(lines(&report), "");
    }
}

//! `github`: workflow commands, which GitHub shows as annotations on the changed lines.
//!
//! Guarantees: one command per finding, the worst first; GitHub's escapes; columns only where a place is on one line, as
//! GitHub wants it. GitHub shows ten annotations of each level per step and drops the others without a word, so the rest
//! stands in a folded group of the log, one line each, and its title says how many there are.
//!
//! Misses: links to the other places, which annotations cannot have; they are lines of the message.

use std::fmt::Write;

use super::marks::{Mark, marks};
use super::{Context, clean, severity};
use crate::finding::{Finding, Level, Report};

/// Annotations of one level that GitHub shows per step.
const MOST: usize = 10;

pub(super) fn render(report: &Report, context: &Context<'_>) -> String {
    let mut out = String::new();
    let mut rest = Vec::new();
    let mut shown = [0; 3];
    for finding in &report.findings {
        let (command, count) = match finding.level {
            Level::Deny => ("error", &mut shown[0]),
            Level::Warn => ("warning", &mut shown[1]),
            Level::Note | Level::Allow => ("notice", &mut shown[2]),
        };
        *count += 1;
        if *count > MOST {
            rest.push(finding);
        } else {
            annotation(&mut out, command, finding, context);
        }
    }
    for notice in &report.notices {
        shown[2] += 1;
        let mut properties = "title=lockcheck".to_string();
        if let Some(file) = &notice.file {
            let _ = write!(properties, ",file={},line={}", property(file), notice.line.unwrap_or(1));
        }
        if shown[2] <= MOST {
            let _ = writeln!(out, "::notice {properties}::{}", data(&notice.message));
        }
    }
    if !rest.is_empty() {
        let _ = writeln!(out, "::group::lockcheck: {} more findings than GitHub shows as annotations", rest.len());
        for finding in rest {
            let place = &finding.primary;
            let (file, line, column) = (clean(&place.file), place.line, place.column);
            let (level, message) = (severity(finding.level), clean(&finding.message));
            let _ = writeln!(out, "{file}:{line}:{column}: {level}: {message} [lockcheck::{}]", finding.rule);
        }
        out.push_str("::endgroup::\n");
    }
    out
}

fn annotation(out: &mut String, command: &str, finding: &Finding, context: &Context<'_>) {
    let files = marks(finding, context.texts, |_| true);
    let all = || files.iter().flat_map(|file| file.marks.iter().map(move |mark| (file, mark)));
    let mut properties = format!("title=lockcheck ({})", property(finding.rule));
    if let Some((file, mark)) = all().find(|(_, mark)| mark.primary) {
        let (line, column, end_line, end_column) = mark.extent(file.text.as_ref());
        let _ = write!(properties, ",file={},line={line}", property(file.file));
        if end_line == line {
            let _ = write!(properties, ",col={column},endLine={line},endColumn={}", end_column.max(column));
        } else {
            let _ = write!(properties, ",endLine={end_line}");
        }
    }
    let mut text = clean(&finding.message);
    let other = |mark: &Mark<'_>| {
        let (location, label) = (mark.location, mark.labels().join("; "));
        format!("\n{}:{}:{}: {}", clean(&location.file), location.line, location.column, clean(&label))
    };
    text.extend(all().filter(|(_, mark)| !mark.primary).map(|(_, mark)| other(mark)));
    if !finding.help.is_empty() {
        let _ = write!(text, "\nhelp: {}", clean(&finding.help));
    }
    let _ = writeln!(out, "::{command} {properties}::{}", data(&text));
}

/// Escapes of what stands behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes of a property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn shown(report: &Report) -> String {
        samples::rendered(render, report)
    }

    #[test]
    fn samples_as_workflow_commands() {
        insta::assert_snapshot!(shown(&samples::everything()));
    }

    #[test]
    fn ten_of_a_level_are_annotations_and_the_rest_is_in_the_log() {
        let mut report = samples::double_lock();
        report.findings = (0..13).map(|_| report.findings[0].clone()).collect();
        report.findings.extend(samples::odd().findings);
        let text = shown(&report);
        let count = |begin: &str| text.lines().filter(|line| line.starts_with(begin)).count();
        assert_eq!((count("::error "), count("::warning "), count("src/chain.rs:11:13: error: ")), (10, 1, 3));
        assert!(text.contains("::group::lockcheck: 3 more findings"), "{text}");
    }

    #[test]
    fn nothing_in_a_name_can_end_a_property_or_begin_a_command() {
        let mut report = samples::double_lock();
        report.findings[0].primary.file = "a,b:c%\n::error::x.rs".into();
        report.findings[0].message = "100%\n::error::gotcha".into();
        let text = shown(&report);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.rs,"), "{text}");
        assert!(text.contains("::100%25 ::error::gotcha"), "{text}");
    }
}

//! `human` with the theme `narrated`: the report in sentences, for screen readers and terminals that draw nothing.
//!
//! Guarantees: no column means anything, nothing is drawn, nothing is said by colour alone; each place says its file, line,
//! column, its line of source and what happens there; threads one after the other.
//!
//! Misses: nothing of what the drawn view shows.

use std::fmt::Write;

use super::marks::{marks, same_place};
use super::{Style, Verbosity, clean, evidence_name, level_name, severity};
use crate::finding::{Confidence, Finding, Location, Report};
use crate::source::Texts;

pub(super) fn render(report: &Report, texts: &Texts, style: Style) -> String {
    let mut out = String::new();
    for (at, finding) in report.findings.iter().enumerate() {
        let _ = writeln!(out, "Finding {} of {}.", at + 1, report.findings.len());
        one(&mut out, finding, texts, style);
        out.push('\n');
    }
    if style.verbosity > Verbosity::Quiet {
        for notice in &report.notices {
            let place = match (&notice.file, notice.line) {
                (Some(file), Some(line)) => format!("{}, line {line}: ", clean(file)),
                (Some(file), None) => format!("{}: ", clean(file)),
                (None, _) => String::new(),
            };
            let _ = writeln!(out, "Notice: {place}{}.", clean(&notice.message));
        }
        let counts = &report.summary;
        let _ = writeln!(out, "lockcheck: errors {}, warnings {}, notes {}.", counts.deny, counts.warn, counts.note);
    }
    wrapped(&out, style.width.max(40))
}

fn one(out: &mut String, finding: &Finding, texts: &Texts, style: Style) {
    let _ = writeln!(out, "{}: {}.", severity(finding.level), clean(&finding.message));
    let confidence = match finding.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let (level, evidence) = (level_name(finding.level), evidence_name(finding.evidence));
    let _ = writeln!(out, "Rule: {}; level: {level}; evidence: {evidence}; confidence: {confidence}.", finding.rule);
    let files = marks(finding, texts, |_| true);
    let source = |location: &Location| {
        let file = files.iter().find(|file| file.file == location.file)?;
        let shown = file.marks.iter().any(|mark| same_place(mark.location, location) && mark.span.is_some());
        Some(clean(file.text.as_ref()?.line(location.line)?.trim())).filter(|_| shown)
    };
    let mut place = |opening: &str, location: &Location| {
        if location.file.is_empty() {
            let _ = writeln!(out, "{opening}: {}, at an unknown place.", clean(&location.label));
            return;
        }
        let label = if location.label.is_empty() { "here".into() } else { clean(&location.label) };
        let (file, line, column) = (clean(&location.file), location.line, location.column);
        let _ = write!(out, "{opening}: {label}. File {file}, line {line}, column {column}");
        if let Some(function) = &location.function {
            let _ = write!(out, ", in {}", clean(function));
        }
        match source(location) {
            Some(text) => {
                let _ = writeln!(out, ": {text}");
            }
            None => out.push_str(".\n"),
        }
    };
    place("Place", &finding.primary);
    for path in &finding.threads {
        for (at, step) in path.steps.iter().enumerate() {
            place(&format!("{}, step {} of {}", clean(&path.name), at + 1, path.steps.len()), step);
        }
    }
    let steps = || finding.threads.iter().flat_map(|path| &path.steps);
    for location in finding.related.iter().filter(|place| !steps().any(|step| same_place(step, place))) {
        place("Further place", location);
    }
    if !finding.schedule.is_empty() {
        let steps: Vec<String> = finding.schedule.iter().map(|step| clean(&step.to_string())).collect();
        let _ = writeln!(out, "Schedule: {}.", steps.join("; "));
    }
    if let Some(pool) = finding.pool {
        let minimum = pool.minimum_safe_workers.map_or("no number is enough".into(), |at| format!("{at} are needed"));
        let _ = writeln!(out, "Pool: {} workers; {minimum}.", pool.workers);
    }
    if !finding.help.is_empty() {
        let _ = writeln!(out, "Help: {}.", clean(&finding.help));
    }
    if style.verbosity >= Verbosity::Verbose {
        let _ = writeln!(out, "Fingerprint: {}.", finding.fingerprint);
    }
}

fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(&textwrap::fill(line, textwrap::Options::new(width)));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Theme, samples};
    use super::*;

    #[test]
    fn samples_in_sentences() {
        let style = Style { theme: Theme::Narrated, ..Style::default() };
        insta::assert_snapshot!(render(&samples::everything(), &samples::texts(), style));
    }

    #[test]
    fn nothing_is_drawn() {
        let text = render(&samples::everything(), &samples::texts(), Style::default());
        assert!(text.is_ascii(), "{text}");
    }
}

//! `human`: the view for a terminal. miette draws the snippets; around them stand what happened, the way of each
//! thread, the size a pool needs, and what to do.
//!
//! Guarantees: all files of a finding in one picture, each thread in its own colour in the snippets and in its path;
//! nothing wider than the given width but source lines; the same text with and without colour.
//!
//! Misses: the text of files that cannot be read; their places are listed by path instead.

use std::fmt::Write;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, ThemeCharacters};
use owo_colors::Style as Paint;

use super::counts::{count, looked_at};
use super::marks::{FileMarks, Mark, marks, same_place};
use super::snippet::{Drawing, Files};
use super::{Style, Theme, Verbosity, clean, evidence_name, level_name};
use crate::finding::{Confidence, Finding, Level, Location, Mode, Report};
use crate::source::Texts;

pub(super) fn render(report: &Report, texts: &Texts, style: Style) -> String {
    let look = Look::new(style);
    let mut out = String::new();
    for finding in &report.findings {
        look.finding(&mut out, finding, texts);
        out.push('\n');
    }
    if style.verbosity > Verbosity::Quiet {
        look.notices(&mut out, report);
        look.summary(&mut out, report);
    }
    out
}

/// Colours and characters, decided once.
struct Look {
    style: Style,
    characters: ThemeCharacters,
    error: Paint,
    warning: Paint,
    note: Paint,
    bold: Paint,
    dim: Paint,
    link: Paint,
    /// One per thread, repeated.
    threads: Vec<Paint>,
}

impl Look {
    fn new(style: Style) -> Self {
        let paint = |with: fn(Paint) -> Paint| if style.color { with(Paint::new()) } else { Paint::new() };
        Look {
            style,
            characters: if style.theme == Theme::Unicode {
                ThemeCharacters::unicode()
            } else {
                ThemeCharacters::ascii()
            },
            error: paint(|paint| paint.red().bold()),
            warning: paint(|paint| paint.yellow().bold()),
            note: paint(|paint| paint.cyan().bold()),
            bold: paint(|paint| paint.bold()),
            dim: paint(|paint| paint.dimmed()),
            link: paint(|paint| paint.cyan()),
            threads: vec![
                paint(|paint| paint.magenta().bold()),
                paint(|paint| paint.cyan().bold()),
                paint(|paint| paint.green().bold()),
                paint(|paint| paint.yellow().bold()),
                paint(|paint| paint.blue().bold()),
            ],
        }
    }

    fn level(&self, level: Level) -> Paint {
        match level {
            Level::Deny => self.error,
            Level::Warn => self.warning,
            Level::Note | Level::Allow => self.note,
        }
    }

    fn thread(&self, thread: usize) -> Paint {
        self.threads[thread % self.threads.len()]
    }

    fn finding(&self, out: &mut String, finding: &Finding, texts: &Texts) {
        // Where threads tell the story, further places are a list, or they would bury it.
        let in_picture = |location: &Location| finding.threads.is_empty() || is_step(finding, location);
        let files = marks(finding, texts, in_picture);
        let (drawing, paints) = self.drawing(finding, &files);
        let mut theme = if self.style.color { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
        theme.characters = self.characters.clone();
        theme.styles.link = self.link;
        (theme.styles.error, theme.styles.warning, theme.styles.advice) = (self.error, self.warning, self.note);
        theme.styles.highlights = if paints.is_empty() { vec![self.error] } else { paints };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(self.width())
            .with_links(false)
            .with_context_lines(1)
            .without_syntax_highlighting();
        // Only the writer can fail, and a `String` does not.
        let _ = handler.render_report(out, &drawing);

        self.places_without_text(out, &files);
        self.paths(out, finding);
        self.further(out, finding.related.iter().filter(|location| !in_picture(location)));
        if !finding.schedule.is_empty() {
            let steps: Vec<String> = finding.schedule.iter().map(|step| step.to_string()).collect();
            self.item(out, "schedule", &steps.join("; "));
        }
        if let Some(pool) = finding.pool {
            let minimum = match pool.minimum_safe_workers {
                Some(minimum) => format!("at least {minimum} are needed"),
                None => "no number of workers is enough".into(),
            };
            self.item(out, "pool", &format!("{}; {minimum}", count(pool.workers as usize, "worker")));
        }
        if !finding.help.is_empty() {
            self.item(out, "help", &finding.help);
        }
        if self.style.verbosity >= Verbosity::Verbose {
            for lock in &finding.locks {
                let place =
                    if lock.file.is_empty() { String::new() } else { format!(" at {}:{}", lock.file, lock.line) };
                self.item(out, "lock", &format!("`{}`, {}{place}", lock.name, lock.kind));
            }
            self.item(out, "id", &finding.fingerprint.to_string());
        }
    }

    /// What miette draws, and the colour of each label in the order in which miette counts them.
    fn drawing(&self, finding: &Finding, files: &[FileMarks<'_>]) -> (Drawing, Vec<Paint>) {
        let mut shown = Files::default();
        let mut labels = Vec::new();
        for file in files {
            let Some(text) = file.text.as_ref().filter(|_| file.marks.iter().any(|mark| mark.span.is_some())) else {
                continue;
            };
            let base = shown.add(file, text);
            for mark in &file.marks {
                let Some(span) = &mark.span else { continue };
                let range = (base + span.start, span.len());
                let label = Some(labels_of(mark, finding.threads.len() > 1));
                let labelled = match mark.primary {
                    true => LabeledSpan::new_primary_with_span(label, range),
                    false => LabeledSpan::new_with_span(label, range),
                };
                let paint = match mark.thread() {
                    Some(thread) if finding.threads.len() > 1 => self.thread(thread),
                    _ if mark.primary => self.level(finding.level),
                    _ => self.note,
                };
                labels.push((labelled, paint));
            }
        }
        labels.sort_by_key(|(label, _)| label.offset());
        let confidence = match finding.confidence {
            Confidence::High => "",
            Confidence::Medium => ", medium confidence",
            Confidence::Low => ", low confidence",
        };
        let (level, evidence) = (level_name(finding.level), evidence_name(finding.evidence));
        let severity = match finding.level {
            Level::Deny => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Note | Level::Allow => Severity::Advice,
        };
        let code = format!("lockcheck::{} ({level}, {evidence}{confidence})", finding.rule);
        let (labels, paints) = labels.into_iter().unzip();
        (Drawing { code, message: clean(&finding.message), severity, files: shown, labels }, paints)
    }

    fn places_without_text(&self, out: &mut String, files: &[FileMarks<'_>]) {
        for mark in files.iter().flat_map(|file| &file.marks).filter(|mark| mark.span.is_none()) {
            let label: Vec<_> = mark.labels().into_iter().map(clean).collect();
            let _ = writeln!(out, "    {}  {}", self.link.style(place(mark.location)), label.join("; "));
        }
    }

    /// The way of each thread, where there is more than one or the way is longer than what the snippets show in order.
    fn paths(&self, out: &mut String, finding: &Finding) {
        let all = finding.threads.iter().map(|path| path.steps.len());
        let telling = finding.threads.len() > 1 || all.max().unwrap_or(0) > 2;
        if !telling && self.style.verbosity < Verbosity::Verbose {
            return;
        }
        let c = &self.characters;
        for (thread, path) in finding.threads.iter().enumerate() {
            let paint = self.thread(thread);
            let _ = writeln!(out, "  {}", paint.style(clean(&path.name)));
            let width = finding
                .threads
                .iter()
                .flat_map(|path| &path.steps)
                .map(|step| columns(&place(step)))
                .max()
                .unwrap_or(0);
            for (at, step) in path.steps.iter().enumerate() {
                let branch = if at + 1 == path.steps.len() { c.lbot } else { c.lcross };
                let number =
                    if finding.threads.len() > 1 { format!("{} ", step_name(thread, at)) } else { String::new() };
                let shown = place(step);
                let fill = " ".repeat(width - columns(&shown));
                let function = step.function.as_ref().map_or(String::new(), |name| format!(" in `{}`", clean(name)));
                let _ = writeln!(
                    out,
                    "    {}{}{fill}  {}{}",
                    paint.style(format!("{branch}{} {number}", c.hbar)),
                    self.link.style(shown),
                    clean(&step.label),
                    self.dim.style(function)
                );
            }
        }
    }

    fn further<'a>(&self, out: &mut String, places: impl Iterator<Item = &'a Location>) {
        for location in places {
            let _ = writeln!(out, "  also {}  {}", self.link.style(place(location)), clean(&location.label));
        }
    }

    /// `  help: text`, wrapped below itself.
    fn item(&self, out: &mut String, name: &str, text: &str) {
        let first = format!("  {}: ", self.note.style(name));
        let rest = " ".repeat(name.len() + 4);
        let options = textwrap::Options::new(self.width()).initial_indent(&first).subsequent_indent(&rest);
        let _ = writeln!(out, "{}", textwrap::fill(&clean(text), options));
    }

    fn notices(&self, out: &mut String, report: &Report) {
        for notice in &report.notices {
            let file = notice.file.as_ref().map(|file| clean(file));
            let place = match (file, notice.line) {
                (Some(file), Some(line)) => format!("{file}:{line}: "),
                (Some(file), None) => format!("{file}: "),
                (None, _) => String::new(),
            };
            let _ = writeln!(out, "{}: {place}{}", self.note.style("notice"), clean(&notice.message));
        }
    }

    fn summary(&self, out: &mut String, report: &Report) {
        let counts = &report.summary;
        // That nothing was found says nothing where nothing was looked at.
        if report.mode == Mode::Scan && counts.files == 0 {
            return;
        }
        let mut found = Vec::new();
        for (number, word, paint) in [
            (counts.deny, "error", self.error),
            (counts.warn, "warning", self.warning),
            (counts.note, "note", self.note),
        ] {
            if number > 0 {
                found.push(paint.style(count(number, word)).to_string());
            }
        }
        if found.is_empty() {
            found.push(self.bold.style("nothing found").to_string());
        }
        let mut looked = looked_at(report);
        if counts.suppressed > 0 {
            looked.push(format!("{} suppressed", counts.suppressed));
        }
        looked.push(format!("{} ms", counts.elapsed_ms));
        let looked = self.dim.style(format!("({})", looked.join(", "))).to_string();
        let _ = writeln!(out, "lockcheck: {} {looked}", found.join(", "));
        if let Some(finding) = report.findings.first() {
            let text = format!("run `lockcheck explain {}` to read more about a rule", finding.rule);
            let _ = writeln!(out, "{}", self.dim.style(text));
        }
    }

    fn width(&self) -> usize {
        self.style.width.max(40)
    }
}

fn is_step(finding: &Finding, location: &Location) -> bool {
    finding.threads.iter().flat_map(|path| &path.steps).any(|step| same_place(step, location))
}

/// What stands below a place, a line for each thing. Where several threads take part, each line begins with the steps
/// it is about, and steps of the same text share one.
fn labels_of(mark: &Mark<'_>, several: bool) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for step in mark.steps.iter().filter(|_| several) {
        let (name, label) = (step_name(step.thread, step.at), clean(step.label));
        match lines.iter_mut().find(|(_, other)| *other == label) {
            Some((names, _)) => *names = format!("{names} {name}"),
            None => lines.push((name, label)),
        }
    }
    if lines.is_empty() {
        return mark.labels().into_iter().map(clean).collect::<Vec<_>>().join("\n");
    }
    lines.into_iter().map(|(names, label)| format!("{names} {label}")).collect::<Vec<_>>().join("\n")
}

/// `A1`: what a step is called both in the snippets and in its thread's path.
fn step_name(thread: usize, step: usize) -> String {
    match u8::try_from(thread).ok().filter(|thread| *thread < 26) {
        Some(thread) => format!("{}{}", char::from(b'A' + thread), step + 1),
        None => format!("T{}.{}", thread + 1, step + 1),
    }
}

fn place(location: &Location) -> String {
    if location.file.is_empty() {
        return "unknown place".into();
    }
    format!("{}:{}:{}", clean(&location.file), location.line, location.column)
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn shown(report: &Report, style: Style) -> String {
        render(report, &samples::texts(), style)
    }

    #[test]
    fn double_lock_in_one_function() {
        insta::assert_snapshot!(shown(&samples::double_lock(), Style::default()));
    }

    #[test]
    fn lock_order_inversion_over_two_files() {
        insta::assert_snapshot!(shown(&samples::lock_order_inversion(), Style::default()));
    }

    #[test]
    fn pool_starvation_of_two_workers() {
        insta::assert_snapshot!(shown(&samples::pool_starvation(), Style::default()));
    }

    #[test]
    fn a_clean_scan_says_what_was_looked_at() {
        insta::assert_snapshot!(shown(&samples::clean_scan(), Style::default()));
    }

    #[test]
    fn places_without_text_and_notices_in_ascii() {
        let style = Style { theme: Theme::Ascii, verbosity: Verbosity::Verbose, ..Style::default() };
        let text = shown(&samples::odd(), style);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn quiet_leaves_out_all_but_findings() {
        let style = Style { verbosity: Verbosity::Quiet, ..Style::default() };
        assert_eq!(shown(&samples::clean_scan(), style), "");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let escape = |text: &str| {
            let mut out = String::new();
            let mut parts = text.split('\x1b');
            out.push_str(parts.next().unwrap_or(""));
            parts.for_each(|part| out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest)));
            out
        };
        for report in samples::all() {
            let coloured = shown(&report, Style { color: true, ..Style::default() });
            assert_eq!(escape(&coloured), shown(&report, Style::default()));
            assert!(coloured.contains('\x1b'));
        }
    }
}

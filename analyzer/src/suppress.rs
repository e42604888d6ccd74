//! Suppressions: what the user wrote beside the code to silence a finding there, and what is wrong with it.
//!
//! ```text
//! // lockcheck: allow(double_lock) -- the second lock is another instance
//! // lockcheck: expect(deadlock, static_mut_mutation) -- until the pool is gone
//! // lockcheck: allow-file(suspicious) -- generated
//! #[cfg_attr(lockcheck, allow(lockcheck::double_lock, reason = ".."))]
//! ```
//!
//! At the end of a line with code a comment speaks of that line, on a line of its own of the statement, item, arm or field
//! that follows. An attribute speaks of what it stands on, `#![..]` of the braces or the file around it. Names are rules,
//! groups, or `all`.
//!
//! `allow(clippy::await_holding_lock)` and `allow(let_underscore_lock)`, of clippy and rustc, make notes of what the rules
//! find that say the same as these lints: whoever wrote that has looked at it, though not at what lockcheck says. Nothing is
//! asked of them.
//!
//! A finding is suppressed where any place that it shows carries the suppression: its primary place, the acquisitions that
//! take part, the calls on the way, and further places of the same kind. One comment at one of them is enough, because
//! each of them can be the one that is known to be harmless.
//!
//! Guarantees: strings, doc comments and other people's comments are never taken for suppressions; what is suppressed is
//! counted; a suppression without a reason, without effect or with an unknown name is a finding of its own.
//!
//! Misses: whether a suppression of what only a run can show has an effect; such ones are never called unused.

mod written;

use memchr::memmem;
use rustc_hash::FxHashMap;

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, Report};
use crate::rules::selector::Selector;
use crate::rules::{suppression_without_reason, unused_suppression};
use crate::source::Text;
use crate::syntax::{Pos, Span};
use written::Written;

/// Rules that read a recorded run only: that the static pass finds nothing says nothing.
const NEEDS_A_RUN: [&str; 6] = ["deadlock", "pool_starvation", "lost_update", "data_race", "starvation", "livelock"];

/// Lines of a place in which a comment at the end of a line counts for it.
const MOST_LINES: u32 = 64;

/// Suppressions around a place that are looked at, innermost first.
const MOST_AROUND: usize = 256;

/// A suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// What it silences, as written and as understood.
    pub names: Vec<(String, Selector)>,
    /// That nothing is silenced is worth a warning by itself.
    pub expect: bool,
    /// Where it counts.
    pub scope: Scope,
    /// The comment or attribute.
    pub span: Span,
    /// A reason is given.
    pub reason: bool,
    /// It is addressed to another tool that looks for the same.
    pub borrowed: bool,
}

/// Where a suppression counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the whole file.
    File,
    /// For what stands on a line.
    Line(u32),
    /// For what begins in a stretch of the file.
    Extent(Span),
}

/// The suppressions of a file, each with the names that had an effect.
#[derive(Debug, Default)]
struct InFile {
    all: Vec<(Suppression, Vec<bool>)>,
    /// Those that count everywhere.
    file: Vec<usize>,
    /// Those of a line.
    lines: FxHashMap<u32, Vec<usize>>,
    /// Extents by their start. As they nest, the ones around a place are its innermost one and that one's outer ones.
    extents: Vec<(Span, usize)>,
    /// Of each extent the one around it.
    outer: Vec<Option<usize>>,
}

type Known = FxHashMap<String, InFile>;

impl InFile {
    fn add(&mut self, suppression: Suppression) {
        let index = self.all.len();
        match suppression.scope {
            Scope::File => self.file.push(index),
            Scope::Line(line) => self.lines.entry(line).or_default().push(index),
            Scope::Extent(extent) => self.extents.push((extent, index)),
        }
        let used = vec![false; suppression.names.len()];
        self.all.push((suppression, used));
    }

    /// Puts the extents in order, outer ones first.
    fn sort(&mut self) {
        self.extents.sort_by_key(|(extent, index)| (extent.start, std::cmp::Reverse(extent.end), *index));
        let mut open: Vec<usize> = Vec::new();
        self.outer.clear();
        for (at, (extent, _)) in self.extents.iter().enumerate() {
            while open.last().is_some_and(|outer| self.extents[*outer].0.end <= extent.start) {
                open.pop();
            }
            self.outer.push(open.last().copied());
            open.push(at);
        }
    }

    /// The suppressions that count for a place.
    fn covering(&self, place: &Location) -> Vec<usize> {
        let mut out = self.file.clone();
        // A place spans few lines; one that spans more is a body, and comments in it mean what is there.
        let end = place.end_line.clamp(place.line, place.line.saturating_add(MOST_LINES));
        out.extend((place.line..=end).filter_map(|line| self.lines.get(&line)).flatten());
        let start = Pos { line: place.line, column: place.column };
        let mut at = self.extents.partition_point(|(extent, _)| extent.start <= start).checked_sub(1);
        for _ in 0..MOST_AROUND {
            let Some(index) = at else { break };
            let (extent, suppression) = self.extents[index];
            if start < extent.end {
                out.push(suppression);
            }
            at = self.outer[index];
        }
        out
    }
}

/// Which pass a report comes from, as far as suppressions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// All files were looked at: what has no effect can be said.
    Static,
    /// Only what ran was looked at.
    Recorded,
}

/// Takes suppressed findings out of a report and counts them; adds what is wrong with the suppressions themselves.
/// Linear in the texts; files that do not name lockcheck are passed over.
pub fn apply<'t>(report: &mut Report, files: impl IntoIterator<Item = (&'t str, Text)>, pass: Pass) {
    let mut known = Known::default();
    let mut order = Vec::new();
    let mut own = Vec::new();
    for (name, text) in files {
        let needles = [&b"lockcheck"[..], b"await_holding_lock", b"let_underscore_lock"];
        let named = needles.iter().any(|needle| memmem::find(text.text().as_bytes(), needle).is_some());
        if !named || known.contains_key(name) {
            continue;
        }
        let mut suppressions = InFile::default();
        for written in written::read(text.text()) {
            match written {
                Written::Suppression(suppression) => {
                    suppressions.add(suppression);
                }
                Written::Wrong(span, message) => own.push(unused(name, span, message)),
            }
        }
        if !suppressions.all.is_empty() {
            suppressions.sort();
            order.push(name.to_owned());
            known.insert(name.to_owned(), suppressions);
        }
    }
    let before = report.findings.len();
    report.findings.retain_mut(|finding| match said_of(finding, &mut known) {
        Said::Nothing => true,
        Said::ToOthers => {
            finding.level = finding.level.min(Level::Note);
            true
        }
        Said::ToUs => false,
    });
    if pass == Pass::Static {
        for name in &order {
            own.extend(
                known[name].all.iter().filter(|(each, _)| !each.reason).map(|(each, _)| without_reason(name, each)),
            );
        }
        // What is said of suppressions can itself be suppressed, where it is named.
        own.retain(|finding| !is_suppressed(finding, &mut known));
        let idle: Vec<_> = order.iter().flat_map(|name| without_effect(name, &known[name].all)).collect();
        own.extend(idle.into_iter().filter(|finding| !is_suppressed(finding, &mut known)));
        report.findings.append(&mut own);
    }
    report.summary.suppressed += before - report.findings.iter().filter(|each| !is_own(each.rule)).count();
}

fn is_own(rule: &str) -> bool {
    rule == unused_suppression::RULE.id || rule == suppression_without_reason::RULE.id
}

/// What was written of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    /// Another tool is not to report the like.
    ToOthers,
    ToUs,
}

fn is_suppressed(finding: &Finding, known: &mut Known) -> bool {
    said_of(finding, known) == Said::ToUs
}

/// What was said of a finding; marks everything that says it as used.
fn said_of(finding: &Finding, known: &mut Known) -> Said {
    let steps = finding.threads.iter().flat_map(|thread| &thread.steps);
    let mut said = Said::Nothing;
    for place in [&finding.primary].into_iter().chain(&finding.related).chain(steps) {
        let Some(suppressions) = known.get_mut(&place.file) else { continue };
        for index in suppressions.covering(place) {
            let (suppression, used) = &mut suppressions.all[index];
            for ((_, selector), used) in suppression.names.iter().zip(used) {
                // `all` does not mean what is said of itself.
                let meant = selector.matches(finding.rule) && !(is_own(finding.rule) && *selector == Selector::All);
                *used |= meant;
                if meant {
                    said = said.max(if suppression.borrowed { Said::ToOthers } else { Said::ToUs });
                }
            }
        }
    }
    said
}

fn without_effect(file: &str, suppressions: &[(Suppression, Vec<bool>)]) -> Vec<Finding> {
    let mut out = Vec::new();
    for (suppression, used) in suppressions.iter().filter(|(suppression, _)| !suppression.borrowed) {
        for ((name, selector), used) in suppression.names.iter().zip(used) {
            let needs_a_run = match selector {
                Selector::Rule(rule) => NEEDS_A_RUN.contains(rule) || is_own(rule),
                // Also the name of a rule that needs a run.
                Selector::Group(group) => matches!(group.name(), "deadlock" | "meta"),
                Selector::All => false,
            };
            if *used || needs_a_run {
                continue;
            }
            let message = match suppression.expect {
                true => format!("`{name}` is expected here, and not found"),
                false => format!("nothing of `{name}` is found here: this suppression has no effect"),
            };
            out.push(unused(file, suppression.span, message));
        }
    }
    out
}

fn unused(file: &str, span: Span, message: String) -> Finding {
    let rule = &unused_suppression::RULE;
    own(rule.id, rule.level, file, span, message, "take it away, or name what is found here")
}

fn without_reason(file: &str, suppression: &Suppression) -> Finding {
    let rule = &suppression_without_reason::RULE;
    let names: Vec<_> = suppression.names.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("{} is suppressed here without a reason", names.join(", "));
    let help = "say why behind `--`, or in `reason = \"..\"` of the attribute";
    own(rule.id, rule.level, file, suppression.span, message, help)
}

fn own(rule: &'static str, level: Level, file: &str, span: Span, message: String, help: &str) -> Finding {
    let primary = Location {
        file: file.to_owned(),
        line: span.start.line,
        column: span.start.column,
        end_line: span.end.line,
        end_column: span.end.column,
        function: None,
        label: "written here".to_owned(),
    };
    Finding {
        rule,
        level,
        confidence: Confidence::High,
        evidence: Evidence::Static,
        fingerprint: Fingerprint::new(rule, &[], &[file.to_owned(), message.clone()]),
        message,
        help: help.to_owned(),
        locks: Vec::new(),
        primary,
        related: Vec::new(),
        threads: Vec::new(),
        pool: None,
        schedule: Vec::new(),
    }
}

#[cfg(test)]
#[path = "suppress/suppress_tests.rs"]
mod tests;

//! The counts of a report in words.
//!
//! Guarantees: a number stands with the right form of its word; what a command does not count is left out, not shown as 0.
//!
//! Misses: any language but English.

use crate::finding::{Mode, Report};

/// `1 lock`, `2 locks`.
pub(super) fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// What the command looked at, in the order in which it is told.
pub(super) fn looked_at(report: &Report) -> Vec<String> {
    let counts = &report.summary;
    let mut looked = match report.mode {
        Mode::Scan => {
            vec![count(counts.files, "file"), count(counts.lines, "line"), count(counts.functions, "function")]
        }
        Mode::Analyze => vec![count(counts.files, "trace")],
        Mode::Run => Vec::new(),
    };
    let unresolved = match counts.unresolved {
        0 => String::new(),
        number => format!(" ({number} unresolved)"),
    };
    let facts = [
        (counts.locks, count(counts.locks, "lock")),
        (counts.acquisitions, count(counts.acquisitions, "acquisition") + &unresolved),
        (counts.order_edges, count(counts.order_edges, "order edge")),
    ];
    // A scan says what it saw none of; a run may simply not have counted it.
    looked
        .extend(facts.into_iter().filter(|(number, _)| *number > 0 || report.mode == Mode::Scan).map(|(_, text)| text));
    looked
}

//! `short`: one line per finding, `src/a.rs:4:15: warning: message [lockcheck::rule]`, the shape that Vim's and Emacs's
//! default matchers and `cargo --message-format short` have in common.
//!
//! Guarantees: one line each, never coloured; notices come last, as notes.
//!
//! Misses: every place but the primary one.

use std::fmt::Write;

use super::{clean, notice_name, severity};
use crate::finding::Report;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let place = &finding.primary;
        let _ = writeln!(
            out,
            "{}:{}:{}: {}: {} [lockcheck::{}]",
            clean(&place.file),
            place.line,
            place.column,
            severity(finding.level),
            clean(&finding.message),
            finding.rule
        );
    }
    for notice in &report.notices {
        if let Some(file) = &notice.file {
            let _ = write!(out, "{}:{}:1: ", clean(file), notice.line.unwrap_or(1));
        }
        let _ = writeln!(out, "note: {} [lockcheck::{}]", clean(&notice.message), notice_name(notice.kind));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn samples_as_short_lines() {
        insta::assert_snapshot!(super::render(&samples::everything()));
    }
}

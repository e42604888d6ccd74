//! `unparsed_file`: a file, or a part of one, that did not parse and was not analysed.
//!
//! At its default level the notice of the report says it; only where the user sets another level it is a finding.

use super::{Group, Rule};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, NoticeKind, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unparsed_file",
    group: Group::Meta,
    level: Level::Note,
    summary: "a file, or a part of it, that did not parse and was not analysed",
    docs: DOCS,
    check: |_, _| {},
};

const DOCS: &str = r#"## What it does
Names every part of a file that did not parse. All the rest of the file is analysed.

## Why is this bad?
Nothing is known of the locks that are taken there: a finding may be missing. Mostly the text is no Rust: a template, a test
of a parser, a conflict that was never resolved.

## Example
```rust
fn total(&self) -> u32 {
    self.total.lock().unwrap(
}
```

## Use instead
```rust
fn total(&self) -> u32 {
    *self.total.lock().unwrap()
}
```
What is not meant to be Rust can be left out by `exclude` in `lockcheck.toml` or by a `.lockcheckignore`.
"#;

/// Makes findings of a report's notices about files that did not parse, for a level other than the default.
pub fn as_findings(report: &mut Report, level: Level) {
    if level == RULE.level {
        return;
    }
    let (unparsed, others) =
        std::mem::take(&mut report.notices).into_iter().partition(|notice| notice.kind == NoticeKind::UnparsedFile);
    report.notices = others;
    if level == Level::Allow {
        return;
    }
    for notice in unparsed {
        let file = notice.file.unwrap_or_default();
        let line = notice.line.unwrap_or(1);
        let primary = Location {
            file: file.clone(),
            line,
            column: 1,
            end_line: line,
            end_column: 1,
            function: None,
            label: "did not parse".to_owned(),
        };
        report.findings.push(Finding {
            rule: RULE.id,
            level,
            confidence: Confidence::High,
            evidence: Evidence::Static,
            fingerprint: Fingerprint::new(RULE.id, &[], &[file, notice.message.clone()]),
            message: notice.message,
            help: "mend the text, or leave the file out by `exclude` in lockcheck.toml".to_owned(),
            locks: Vec::new(),
            primary,
            related: Vec::new(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
        });
    }
}

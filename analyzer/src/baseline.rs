//! A baseline: findings that are known and accepted for now, so that only new ones count.
//!
//! ```json
//! {"schema":"lockcheck.baseline/1","findings":[
//! {"fingerprint":"0011223344556677","rule":"double_lock","count":1,"file":"src/a.rs","function":"Chain::import"}
//! ]}
//! ```
//!
//! Guarantees: one entry per line, sorted, so that a baseline merges and its changes can be read; what counts is the
//! fingerprint, which has no line numbers in it: code may move. Of findings with one fingerprint as many are accepted as
//! the entry counts, so a further one is new. What is accepted is counted as suppressed.
//!
//! Misses: why something was accepted; suppressions in the code say that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Report};

/// The file that is written where none is named.
pub const FILE: &str = "lockcheck-baseline.json";

const SCHEMA: &str = "lockcheck.baseline/1";

/// Known findings, by fingerprint and rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<(String, String), Entry>);

/// What is accepted of one fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// How many.
    pub count: usize,
    /// Where one of them was seen.
    pub file: String,
    /// In which function.
    pub function: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    fingerprint: String,
    rule: String,
    count: usize,
    #[serde(default)]
    file: String,
    #[serde(default)]
    function: String,
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    findings: Vec<Line>,
}

/// Why a file is no baseline.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// Not what `--write-baseline` writes.
    #[error("not a baseline: {0}")]
    Invalid(String),
    /// Of a newer lockcheck.
    #[error("its schema is `{0}`, and this lockcheck reads `lockcheck.baseline/1`")]
    Schema(String),
}

impl Baseline {
    /// The findings of a report.
    pub fn of(report: &Report) -> Baseline {
        let mut entries: BTreeMap<_, Entry> = BTreeMap::new();
        for finding in &report.findings {
            let entry = entries.entry(key(finding)).or_default();
            if entry.count == 0 {
                entry.file.clone_from(&finding.primary.file);
                entry.function = finding.primary.function.clone().unwrap_or_default();
            }
            entry.count += 1;
        }
        Baseline(entries)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// It is not JSON of the right shape, or of another version.
    pub fn read(text: &str) -> Result<Baseline, BaselineError> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| BaselineError::Invalid(error.to_string()))?;
        if document.schema != SCHEMA {
            return Err(BaselineError::Schema(document.schema));
        }
        let mut entries: BTreeMap<_, Entry> = BTreeMap::new();
        for line in document.findings {
            let entry = entries.entry((line.fingerprint, line.rule)).or_default();
            // A merge of two branches can leave two lines.
            *entry = Entry { count: entry.count.max(line.count), file: line.file, function: line.function };
        }
        Ok(Baseline(entries))
    }

    /// The file's text.
    pub fn write(&self) -> String {
        let line = |((fingerprint, rule), entry): (&(String, String), &Entry)| {
            let (fingerprint, rule) = (fingerprint.clone(), rule.clone());
            let (file, function) = (entry.file.clone(), entry.function.clone());
            serde_json::to_string(&Line { fingerprint, rule, count: entry.count, file, function }).unwrap_or_default()
        };
        let lines: Vec<String> = self.0.iter().map(line).collect();
        let (open, close) = if lines.is_empty() { ("", "") } else { ("\n", "\n") };
        format!("{{\"schema\":\"{SCHEMA}\",\"findings\":[{open}{}{close}]}}\n", lines.join(",\n"))
    }

    /// Takes what is known out of a report and counts it as suppressed. Gives what is left over of the baseline: entries
    /// that nothing was found for, with how many are missing.
    pub fn apply(&self, report: &mut Report) -> Baseline {
        let mut left = self.0.clone();
        let before = report.findings.len();
        report.findings.retain(|finding| match left.get_mut(&key(finding)) {
            Some(entry) if entry.count > 0 => {
                entry.count -= 1;
                false
            }
            _ => true,
        });
        report.summary.suppressed += before - report.findings.len();
        report.finish();
        left.retain(|_, entry| entry.count > 0);
        Baseline(left)
    }

    /// This baseline without what is left over in `gone`.
    pub fn without(&self, gone: &Baseline) -> Baseline {
        let mut entries = self.0.clone();
        for (key, left) in &gone.0 {
            if let Some(entry) = entries.get_mut(key) {
                entry.count = entry.count.saturating_sub(left.count);
            }
        }
        entries.retain(|_, entry| entry.count > 0);
        Baseline(entries)
    }

    /// Only the entries whose file `keep` is true for.
    pub fn of_files(mut self, keep: impl Fn(&str) -> bool) -> Baseline {
        self.0.retain(|_, entry| keep(&entry.file));
        self
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.0.values().map(|entry| entry.count).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key(finding: &Finding) -> (String, String) {
    (finding.fingerprint.to_string(), finding.rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn report() -> Report {
        samples::everything()
    }

    #[test]
    fn what_is_written_is_read_back_and_has_a_line_per_finding() {
        let baseline = Baseline::of(&report());
        let text = baseline.write();
        assert_eq!(Baseline::read(&text), Ok(baseline));
        assert_eq!(text.lines().count(), report().findings.len() + 2, "{text}");
        let empty = Baseline::default();
        assert_eq!(Baseline::read(&empty.write()), Ok(empty));
    }

    #[test]
    fn known_findings_are_suppressed_and_a_further_one_is_new() {
        let baseline = Baseline::of(&report());
        let mut again = report();
        again.findings.push(Finding {
            primary: crate::finding::Location { line: 99, ..again.findings[0].primary.clone() },
            ..again.findings[0].clone()
        });
        let known = report().findings.len();
        let left = baseline.apply(&mut again);
        assert_eq!((again.findings.len(), again.summary.suppressed), (1, known));
        assert_eq!(again.summary.deny, 1, "counted anew");
        assert!(left.is_empty());
    }

    #[test]
    fn what_is_gone_is_left_over_and_can_be_pruned() {
        let baseline = Baseline::of(&report());
        let mut fixed = report();
        fixed.findings.remove(0);
        let gone = baseline.apply(&mut fixed);
        assert_eq!(gone.len(), 1);
        assert_eq!(baseline.without(&gone).len(), report().findings.len() - 1);
        assert!(gone.clone().of_files(|file| file == "other.rs").is_empty());
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let refused = |text: &str| Baseline::read(text).expect_err("refused").to_string();
        assert!(refused("[]").starts_with("not a baseline: "));
        assert_eq!(
            refused("{\"schema\":\"lockcheck.baseline/2\",\"findings\":[]}"),
            "its schema is `lockcheck.baseline/2`, and this lockcheck reads `lockcheck.baseline/1`"
        );
    }
}

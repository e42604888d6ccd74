//! The one report model of both passes: what was found, how sure it is, and where it can be seen.
//!
//! Guarantees: no format knows more than this; paths are relative to the current directory with `/`; lines and
//! columns count from 1, columns in characters; a [`Fingerprint`] has no line numbers in it and is the same for the
//! static and the run-time finding of one bug.
//!
//! Misses: source text. Renderers that show snippets get it from [`crate::source::Texts`].

use serde::{Deserialize, Serialize};

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not reported.
    Allow,
    /// For information.
    Note,
    /// Suspicious.
    Warn,
    /// Makes the command exit with 1.
    Deny,
}

/// How sure the identity of the locks and the paths to them are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Same type or class only.
    Low,
    /// Same field of the same type, perhaps of another instance.
    Medium,
    /// The same lock.
    High,
}

/// What stands behind a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Read from source text.
    Static,
    /// Acquisition order in a run; no schedule is known that deadlocks.
    Possible,
    /// A schedule that deadlocks follows from the recorded run.
    Predicted,
    /// A steered run deadlocked.
    Confirmed,
    /// It happened.
    Observed,
}

/// A place in the user's source, with the reason why it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Location {
    /// Path relative to the current directory, with `/`.
    pub file: String,
    /// First line, from 1.
    pub line: u32,
    /// First column in characters, from 1.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// One past the last column.
    pub end_column: u32,
    /// The function it stands in, as `Chain::import`.
    pub function: Option<String>,
    /// What happens here.
    pub label: String,
}

/// Reports leave an unknown function out; a format that is read back by position cannot.
impl Serialize for Location {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let without_function = serializer.is_human_readable() && self.function.is_none();
        let mut out = serializer.serialize_struct("Location", 7 - usize::from(without_function))?;
        out.serialize_field("file", &self.file)?;
        out.serialize_field("line", &self.line)?;
        out.serialize_field("column", &self.column)?;
        out.serialize_field("end_line", &self.end_line)?;
        out.serialize_field("end_column", &self.end_column)?;
        if without_function {
            out.skip_field("function")?;
        } else {
            out.serialize_field("function", &self.function)?;
        }
        out.serialize_field("label", &self.label)?;
        out.end()
    }
}

/// A lock that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LockInfo {
    /// As the user wrote it, `Chain.header`.
    pub name: String,
    /// Its type, `parking_lot::RwLock`.
    pub kind: String,
    /// Where it is declared or made; empty where unknown.
    pub file: String,
    /// Line of that place, 0 where unknown.
    pub line: u32,
    /// Column of that place, 0 where unknown.
    pub column: u32,
}

/// What one thread (or one side of a cycle) does, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ThreadPath {
    /// As ``thread 2 `worker` `` or `` `Chain::commit` ``.
    pub name: String,
    /// Its steps.
    pub steps: Vec<Location>,
}

/// How large a bounded pool must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PoolSize {
    /// Its slots.
    pub workers: u32,
    /// The smallest number that cannot starve; `None`: unsafe at any size.
    pub minimum_safe_workers: Option<u32>,
}

/// A finding's identity across runs, edits and passes: 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Hashes the rule, the locks of the cycle (in any rotation) and the functions that take part.
    ///
    /// The locks are rotated so that the smallest comes first; functions are sorted and deduplicated, so neither the
    /// side that happened to be found first nor a moved line changes the result.
    pub fn new(rule: &str, locks: &[String], functions: &[String]) -> Self {
        let start = (0..locks.len()).min_by_key(|at| {
            let mut rotated = locks.to_vec();
            rotated.rotate_left(*at);
            rotated
        });
        let mut text = String::from(rule);
        for offset in 0..locks.len() {
            text.push('\0');
            text.push_str(&locks[(start.unwrap_or(0) + offset) % locks.len()]);
        }
        let mut functions = functions.to_vec();
        functions.sort();
        functions.dedup();
        text.push('\u{1}');
        text.push_str(&functions.join("\0"));
        Fingerprint(xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id, `double_lock`.
    pub rule: &'static str,
    /// How it counts.
    pub level: Level,
    /// How sure the locks' identity is.
    pub confidence: Confidence,
    /// What stands behind it.
    pub evidence: Evidence,
    /// One line, lower-case, naming the locks.
    pub message: String,
    /// One concrete thing to do.
    pub help: String,
    /// The locks that take part, in the order of the cycle.
    pub locks: Vec<LockInfo>,
    /// The place that an editor underlines.
    pub primary: Location,
    /// The other places.
    pub related: Vec<Location>,
    /// The way of each thread or side.
    pub threads: Vec<ThreadPath>,
    /// Set by `pool_starvation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolSize>,
    /// For predictions: who runs how far, and where everybody stands at last, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduleStep>,
    /// Its identity.
    pub fingerprint: Fingerprint,
}

/// One step of the schedule behind a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ScheduleStep {
    /// As [`ThreadPath::name`].
    pub thread: String,
    /// As ``takes `a` ``, to be read behind the thread.
    pub does: String,
    /// Where, if that is one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
}

impl std::fmt::Display for ScheduleStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.thread, self.does)?;
        self.at.iter().try_for_each(|at| write!(f, " ({}:{})", at.file, at.line))
    }
}

/// Something the reader should know that is no finding: a file left out, a search cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Which kind.
    pub kind: NoticeKind,
    /// The file, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// One line, lower-case.
    pub message: String,
}

/// The kinds of [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A file, or a part of it, did not parse.
    UnparsedFile,
    /// A file could not be read.
    UnreadableFile,
    /// A search was cut short by a cap.
    Truncated,
    /// A trace ends before the program did.
    CutOffTrace,
    /// The observed program ended in a way the reader should know.
    Program,
    /// The configuration names what is not there.
    Configuration,
    /// lockcheck itself went wrong on one file and went on.
    InternalError,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Source files (scan) or traces.
    pub files: usize,
    /// Source lines.
    pub lines: usize,
    /// Functions with a body.
    pub functions: usize,
    /// Lock classes.
    pub locks: usize,
    /// Acquisitions.
    pub acquisitions: usize,
    /// Acquisitions whose lock stayed unknown.
    pub unresolved: usize,
    /// Edges of the lock graph.
    pub order_edges: usize,
    /// Findings at deny level.
    pub deny: usize,
    /// Findings at warn level.
    pub warn: usize,
    /// Findings at note level.
    pub note: usize,
    /// Findings that the user suppressed.
    pub suppressed: usize,
    /// Wall-clock time of the whole command.
    pub elapsed_ms: u64,
}

/// Which pass a report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The static pass.
    Scan,
    /// A run under the tracker.
    Run,
    /// A recorded trace.
    Analyze,
}

/// All that a command found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which pass.
    pub mode: Mode,
    /// What was looked at.
    pub summary: Summary,
    /// Deny first, then by place.
    pub findings: Vec<Finding>,
    /// In order of files.
    pub notices: Vec<Notice>,
}

impl Report {
    /// Puts findings (deny first, then by file, line, rule) and notices in their order, drops those at
    /// [`Level::Allow`] and repeated fingerprints at one place, and counts the levels.
    pub fn finish(&mut self) {
        self.findings.retain(|finding| finding.level != Level::Allow);
        self.findings.sort_by(|a, b| {
            let key = |f: &Finding| {
                (
                    std::cmp::Reverse(f.level),
                    f.primary.file.clone(),
                    f.primary.line,
                    f.primary.column,
                    f.rule,
                    f.fingerprint,
                )
            };
            key(a).cmp(&key(b))
        });
        self.findings.dedup_by(|a, b| a.fingerprint == b.fingerprint && a.primary == b.primary);
        self.notices.sort_by(|a, b| (&a.file, a.line, a.kind, &a.message).cmp(&(&b.file, b.line, b.kind, &b.message)));
        self.notices.dedup();
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        (self.summary.deny, self.summary.warn, self.summary.note) =
            (count(Level::Deny), count(Level::Warn), count(Level::Note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_ignores_rotation_and_order_of_functions() {
        let text = |items: &[&str]| items.iter().map(|item| item.to_string()).collect::<Vec<_>>();
        let one = Fingerprint::new("r", &text(&["b", "a", "c"]), &text(&["f", "g"]));
        assert_eq!(one, Fingerprint::new("r", &text(&["a", "c", "b"]), &text(&["g", "f", "g"])));
        assert_ne!(one, Fingerprint::new("r", &text(&["c", "a", "b"]), &text(&["f", "g"])));
        assert_ne!(one, Fingerprint::new("s", &text(&["b", "a", "c"]), &text(&["f", "g"])));
        assert_eq!(one.to_string().len(), 16);
    }
}

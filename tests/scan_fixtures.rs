//! Scan fixtures: `fixtures/scan/{bad,good}/<rule>/*.rs`.
//!
//! Whatever is found at deny or warn level in a bad file beside what its marks expect fails the test. A good file gives
//! nothing at these levels. The marks are those of `lockcheck_tests::snippets`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lockcheck::finding::{Level, Report};
use lockcheck_tests::snippets::{Mark, edition, marks, scan};
use lockcheck_tests::workspace;

fn fixtures(kind: &str) -> Vec<(String, PathBuf)> {
    let root = workspace().join("fixtures/scan").join(kind);
    let entries = |dir: &Path| {
        let mut entries: Vec<_> =
            std::fs::read_dir(dir).into_iter().flatten().flatten().map(|each| each.path()).collect();
        entries.sort();
        entries
    };
    let rule = |dir: &Path| dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let in_rule = |dir: PathBuf| {
        let files =
            entries(&dir).into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
        files.map(|file| (rule(&dir), file)).collect::<Vec<_>>()
    };
    entries(&root).into_iter().filter(|path| path.is_dir()).flat_map(in_rule).collect()
}

/// What is wrong with a report, given what is expected of it.
fn differences(report: &Report, expected: &[Mark]) -> Vec<String> {
    let mut open: BTreeMap<Mark, usize> = BTreeMap::new();
    expected.iter().for_each(|mark| *open.entry(mark.clone()).or_default() += 1);
    let mut wrong = Vec::new();
    for finding in &report.findings {
        let mark = (finding.primary.line as usize, finding.rule.to_owned());
        match open.get_mut(&mark).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None if finding.level < Level::Warn => {}
            None => wrong.push(format!("line {}: unexpected {}: {}", mark.0, mark.1, finding.message)),
        }
        let capital = finding.message.chars().next().is_none_or(char::is_uppercase);
        if capital || finding.message.ends_with('.') || finding.help.is_empty() {
            wrong.push(format!("line {}: message or help against the convention: {}", mark.0, finding.message));
        }
    }
    let missing = open.into_iter().filter(|(_, count)| *count > 0);
    wrong.extend(missing.map(|((line, rule), _)| format!("line {line}: expected {rule}, not found")));
    wrong.extend(report.notices.iter().map(|notice| format!("notice: {}", notice.message)));
    wrong
}

fn check(kind: &str, expected: impl Fn(&str, &str) -> Vec<Mark>) {
    let fixtures = fixtures(kind);
    assert!(!fixtures.is_empty(), "no fixtures in fixtures/scan/{kind}");
    let mut failed = Vec::new();
    for (rule, file) in &fixtures {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let wrong = differences(&scan(&text, edition(&text)), &expected(rule, &text));
        let shown = file.strip_prefix(workspace()).unwrap_or(file).display();
        failed.extend(wrong.iter().map(|wrong| format!("{shown}: {wrong}")));
    }
    assert!(failed.is_empty(), "{} problems in {} files:\n{}", failed.len(), fixtures.len(), failed.join("\n"));
}

#[test]
fn bad_code_is_found_where_it_is_marked() {
    check("bad", |rule, text| {
        let marks = marks(text, edition(text));
        assert!(marks.iter().any(|(_, marked)| marked == rule), "a bad file of {rule} without a mark of it:\n{text}");
        marks
    });
}

#[test]
fn good_code_is_left_alone() {
    check("good", |rule, text| {
        assert_eq!(marks(text, edition(text)), [], "a good file of {rule} with marks");
        Vec::new()
    });
}

#[test]
fn differences_tell_what_is_missing_and_what_is_too_much() {
    let report = scan("fn main() {}\n", "2021");
    assert_eq!(differences(&report, &[]), Vec::<String>::new());
    assert_eq!(differences(&report, &[(3, "double_lock".into())]), ["line 3: expected double_lock, not found"]);
}

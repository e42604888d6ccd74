//! Snippets with marks: `fixtures/scan/**/*.rs`.
//!
//! A line `... //~ rule` expects a finding of that rule whose primary place is on that line; `//~^ rule` expects it one
//! line above, `//~^^ rule` two; several rules are separated by commas; `//~2021 rule` counts in that edition only. Lines
//! `//@ KEY: VALUE` say more about the whole file:
//!
//! - `//@ edition: 2024`: the edition it is scanned in, 2021 otherwise
//! - `//@ oracle: 2021, 2024`: the editions in which the oracle compiles and runs it
//! - `//@ row: 5`: the rows of the guard-scope table that it shows
//!
//! Guarantees: a mark that points above the first line points at the first line, so it can never be fulfilled unseen.

use std::path::Path;

use lockcheck::finding::Report;
use lockcheck::source::{Request, discover};

use crate::folder;

/// Line and rule.
pub type Mark = (usize, String);

/// What a line `//@ KEY: VALUE` of a snippet says, split at commas; empty where there is none.
pub fn header<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix("//@ ")?.strip_prefix(key)?.strip_prefix(':'));
    value.into_iter().flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// The edition that a snippet is scanned in.
pub fn edition(text: &str) -> &str {
    header(text, "edition").first().copied().unwrap_or("2021")
}

/// What the marks of a snippet expect in an edition, in order.
pub fn marks(text: &str, edition: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((_, mark)) = line.split_once("//~") else { continue };
        let unconditional = mark.trim_start_matches(|c: char| c.is_ascii_digit());
        let only = &mark[..mark.len() - unconditional.len()];
        if !only.is_empty() && only != edition {
            continue;
        }
        let rules = unconditional.trim_start_matches('^');
        let line = at + 1 - (unconditional.len() - rules.len()).min(at);
        marks.extend(rules.split(',').map(|rule| (line, rule.trim().to_owned())));
    }
    marks.sort();
    marks
}

/// Scans one text as the library of a package of this edition.
pub fn scan(text: &str, edition: &str) -> Report {
    let manifest = format!("[package]\nname = \"fixture\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
    let dir = folder(&[("Cargo.toml", &manifest), ("src/lib.rs", text)]);
    scan_path(&dir.path().join("src/lib.rs"), dir.path())
}

/// Scans one path with the shown paths relative to `cwd`.
pub fn scan_path(path: &Path, cwd: &Path) -> Report {
    let paths = [path.to_owned()];
    let request = Request { paths: &paths, cwd, metadata: None };
    lockcheck::scan(&discover(&request).expect("readable sources"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(marks: &[(usize, &str)]) -> Vec<Mark> {
        marks.iter().map(|(line, rule)| (*line, (*rule).to_owned())).collect()
    }

    #[test]
    fn marks_point_at_their_line_or_above() {
        let text = "a //~ one\nb\n//~^ two, three\n//~^^^ one";
        assert_eq!(marks(text, "2021"), named(&[(1, "one"), (1, "one"), (2, "three"), (2, "two")]));
        assert_eq!(marks("//~^^^^ one", "2021"), named(&[(1, "one")]));
    }

    #[test]
    fn marks_of_another_edition_do_not_count() {
        let text = "a //~2021 one\nb //~ two\n//~2024^ three";
        assert_eq!(marks(text, "2021"), named(&[(1, "one"), (2, "two")]));
        assert_eq!(marks(text, "2024"), named(&[(2, "three"), (2, "two")]));
    }

    #[test]
    fn headers_are_read_by_their_key() {
        let text = "//! About.\n//@ oracle: 2021, 2024\n//@ row: 5\n";
        assert_eq!(header(text, "oracle"), ["2021", "2024"]);
        assert_eq!(header(text, "row"), ["5"]);
        assert_eq!(header(text, "edition"), [""; 0]);
        assert_eq!(edition(text), "2021");
    }
}

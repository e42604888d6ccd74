//! The guard-scope table is complete: every row is shown by a fixture that the oracle runs, in every edition in which the
//! row can be written.
//!
//! The rows are those of the table in which the temporary scopes, the lifetime extension and the edition's changes of the
//! Rust Reference ("Destructors") were measured; `order` is the order of evaluation and of drops inside one statement,
//! `async` is what lives at an `.await`.

use std::collections::BTreeMap;

use lockcheck_tests::snippets::header;

use super::fixtures;

/// Rows with a number.
const ROWS: std::ops::RangeInclusive<u32> = 1..=32;

/// Let chains are new in 2024.
const NOT_WRITABLE: [(&str, &str); 1] = [("12", "2021")];

#[test]
fn every_row_of_the_guard_scope_table_has_a_fixture_in_both_editions() {
    let mut shown: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for fixture in fixtures() {
        for row in header(&fixture.text, "row") {
            for edition in &fixture.editions {
                shown.entry((row.to_owned(), edition.clone())).or_default().push(fixture.path.clone());
            }
        }
    }
    let rows = ROWS.map(|row| row.to_string()).chain(["order".to_owned(), "async".to_owned()]);
    let expected = rows.flat_map(|row| ["2021", "2024"].map(|edition| (row.clone(), edition.to_owned())));
    let mut missing = Vec::new();
    for row in expected.filter(|(row, edition)| !NOT_WRITABLE.contains(&(row, edition))) {
        if shown.remove(&row).is_none() {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "rows and editions without a fixture: {missing:?}");
    assert!(shown.is_empty(), "fixtures of rows that the table does not have: {shown:?}");
}

#[test]
fn every_fixture_of_the_table_says_its_row() {
    let fixtures = fixtures();
    let mut files = lockcheck_tests::project_files("fixtures/scan/scopes");
    files.retain(|file| {
        let runs = fixtures.iter().any(|fixture| fixture.path == file.path);
        !runs || header(&file.text, "row").is_empty()
    });
    let paths: Vec<_> = files.iter().map(|file| &file.path).collect();
    assert!(paths.is_empty(), "files of the table without `//@ row:` or `//@ oracle:`: {paths:?}");
}

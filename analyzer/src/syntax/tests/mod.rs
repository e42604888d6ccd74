//! Tests of the lowering: one table per family of constructs, then properties over mutated sources.

mod expressions;
mod items;
mod macros;
mod mutations;
mod nesting;
mod positions;
mod recovery;

use super::{dump, parse};

/// The dump of a function body given as statements, without the outer braces.
fn body(source: &str) -> String {
    let dumped = dump::file(&parse(&format!("fn f() {{ {source} }}"), 2024));
    let inner = dumped.trim_end().strip_prefix("fn f() {").and_then(|rest| rest.strip_suffix('}'));
    inner.map_or(dumped.clone(), str::to_owned)
}

/// The dump of a file.
fn file(source: &str) -> String {
    dump::file(&parse(source, 2024)).trim_end().to_owned()
}

/// Checks every row: statements of a body, and what they are lowered to.
#[track_caller]
fn check_bodies(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(body(source), *expected, "for `{source}`");
    }
}

/// Checks every row: a file, and what it is lowered to.
#[track_caller]
fn check_files(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(file(source), *expected, "for `{source}`");
    }
}

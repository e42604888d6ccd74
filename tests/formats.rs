//! Formats and where they go, from the outside: machine formats alone on standard output, files beside them.

use lockcheck_tests::{folder, lockcheck, workspace};

const SOURCE: &str = "fn main() {}\n";

#[test]
fn the_document_names_its_schema_and_everything_it_looked_at() {
    let dir = folder(&[("a.rs", SOURCE)]);
    let done = lockcheck(dir.path(), &["scan", "a.rs", "--message-format", "lockcheck-json"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let document = done.document();
    assert_eq!(document["schema"], "lockcheck.report/1");
    assert_eq!(document["mode"], "scan");
    assert_eq!(document["tool"]["name"], "lockcheck");
    let summary = document["summary"].as_object().expect("a summary");
    let fields = [
        "acquisitions",
        "deny",
        "elapsed_ms",
        "files",
        "functions",
        "lines",
        "locks",
        "note",
        "order_edges",
        "suppressed",
        "unresolved",
        "warn",
    ];
    let mut known: Vec<_> = summary.keys().map(String::as_str).collect();
    known.sort_unstable();
    assert_eq!(known, fields);
    assert!(summary.values().all(serde_json::Value::is_u64));
    assert!(document["findings"].is_array() && document["notices"].is_array());
}

#[test]
fn cargo_lines_hold_nothing_but_diagnostics() {
    let dir = folder(&[("a.rs", SOURCE), ("b.rs", "\0")]);
    let done = lockcheck(dir.path(), &["scan", ".", "--message-format", "json"]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn reports_are_also_written_to_files() {
    let dir = folder(&[("a.rs", SOURCE)]);
    let args = ["scan", "a.rs", "--output", "lockcheck-json=out.json", "--output", "human=out.txt", "-q"];
    let done = lockcheck(dir.path(), &args);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    let json = std::fs::read_to_string(dir.path().join("out.json")).expect("written");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    assert!(dir.path().join("out.txt").exists());

    let done = lockcheck(dir.path(), &["scan", "a.rs", "--output", "short=no/such/folder/out"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("error: cannot write the report to `no/such/folder/out`: "), "{done:?}");
}

#[test]
fn colour_is_a_matter_of_the_flag_where_there_is_no_terminal() {
    let dir = folder(&[("a.rs", SOURCE)]);
    for (flag, coloured) in [("always", true), ("never", false), ("auto", false)] {
        let done = lockcheck(dir.path(), &["scan", "a.rs", "--color", flag]);
        assert_eq!(done.stdout.contains('\x1b'), coloured, "{done:?}");
        let done = lockcheck(dir.path(), &["scan", "a.rs", "--color", flag, "--message-format", "short"]);
        assert!(!done.stdout.contains('\x1b'), "{done:?}");
    }
}

#[test]
fn two_scans_of_the_same_sources_are_the_same_to_the_byte() {
    let scan = || {
        let done = lockcheck(workspace(), &["scan", "--message-format", "lockcheck-json"]);
        let mut document = done.document();
        document["summary"]["elapsed_ms"] = 0.into();
        document
    };
    assert_eq!(scan(), scan());
}

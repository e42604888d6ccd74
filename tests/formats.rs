//! Formats and where they go, from the outside: machine formats alone on standard output, files beside them.

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
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

/// A run with one finding in a format for programs.
fn example(format: &str) -> String {
    let done = lockcheck(workspace(), &["run", "example", "--message-format", format]);
    assert_eq!(done.code, Some(1), "{done:?}");
    done.stdout
}

#[test]
fn editors_read_a_finding_from_cargo_lines() {
    let lines = example("json");
    let messages: Vec<_> = Message::parse_stream(lines.as_bytes()).map(|message| message.expect("readable")).collect();
    let [Message::CompilerMessage(message)] = &messages[..] else { panic!("{messages:?}") };
    let diagnostic = &message.message;
    assert_eq!(diagnostic.level, DiagnosticLevel::Error);
    assert_eq!(diagnostic.code.as_ref().map(|code| code.code.as_str()), Some("lockcheck::pool_starvation"));
    assert_eq!(diagnostic.spans.iter().filter(|span| span.is_primary).count(), 1);
    for span in &diagnostic.spans {
        let text = std::fs::read_to_string(workspace().join(&span.file_name)).expect("a file of the project");
        let line = text.lines().nth(span.line_start - 1).expect("a line of the file");
        assert_eq!(span.text[0].text, line);
        let shown: String =
            line.chars().skip(span.column_start - 1).take(span.column_end - span.column_start).collect();
        assert_eq!(text[span.byte_start as usize..span.byte_end as usize], shown, "bytes and columns agree");
        assert!(!shown.is_empty() && span.label.as_ref().is_some_and(|label| !label.is_empty()));
    }
    assert!(diagnostic.rendered.as_ref().is_some_and(|text| text.starts_with("error: ")));
}

#[test]
fn matchers_of_compiler_text_find_file_line_and_column() {
    let short = example("short");
    let mut parts = short.splitn(4, ':');
    let file = parts.next().expect("a file");
    assert!(workspace().join(file).is_file(), "{short}");
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
    let (line, column) = (number(parts.next()), number(parts.next()));
    assert!(line.is_some() && column.is_some(), "{short}");
    let rest = parts.next().expect("a message");
    assert!(rest.starts_with(" error: ") && rest.trim_end().ends_with("[lockcheck::pool_starvation]"), "{short}");
    assert_eq!(short.lines().count(), 1);

    // What rust.vim, VS Code's `$rustc` and bacon look for: the message, and the place on the next line.
    let rustc = example("rustc");
    let mut lines = rustc.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("error: ")), "{rustc}");
    let place = format!("--> {file}:{}:{}", line.unwrap_or(0), column.unwrap_or(0));
    assert_eq!(lines.next().map(str::trim), Some(place.as_str()), "{rustc}");
}

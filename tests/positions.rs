//! Positions are right in every format: characters of several bytes and of two UTF-16 units, tabs, CRLF, a byte order mark,
//! a shebang line, lines of ten thousand columns.
//!
//! Guarantees: for each row every format that names the place names the same one: the line, and the column counted in the
//! unit of that format; where the format has the text itself (bytes, snippets), that is compared too.
//!
//! Misses: the drawing of the `human` format, which snapshots test.

use cargo_metadata::Message;
use lockcheck_tests::{command, lockcheck};
use serde_json::Value;

/// A function that locks twice in one line, behind `before`: the second acquisition is the place.
fn source(before: &str, line_break: &str) -> String {
    let lines = [
        "use std::sync::Mutex;",
        "pub struct A { x: Mutex<u32> }",
        "impl A {",
        "    pub fn f(&self) {",
        "        let _x = self.x.lock().unwrap();",
        &format!("{before}let _y = self.x.lock().unwrap();"),
        "    }",
        "}",
        "",
    ];
    lines.join(line_break)
}

struct Row {
    name: &'static str,
    /// What stands before the file's first line.
    opening: &'static str,
    before: String,
    line_break: &'static str,
}

fn rows() -> Vec<Row> {
    let row = |name, opening, before: &str, line_break| Row { name, opening, before: before.into(), line_break };
    vec![
        row("plain", "", "        ", "\n"),
        row("two bytes", "", "        /* é */ ", "\n"),
        row("two UTF-16 units", "", "        /* 𝄞𝄞 */ ", "\n"),
        row("wide and combining", "", "        /* 漢e\u{301} */ ", "\n"),
        row("tabs", "", "\t\t", "\n"),
        row("a tab inside", "", "        /*\té*/ ", "\n"),
        row("CRLF", "", "        ", "\r\n"),
        row("byte order mark", "\u{feff}", "        ", "\n"),
        row("byte order mark and CRLF", "\u{feff}", "        /* é */ ", "\r\n"),
        row("shebang", "#!/usr/bin/env rust-script é\n", "        ", "\n"),
        row("all of it", "\u{feff}#!/usr/bin/env x\r\n", "\t/* é𝄞 */ ", "\r\n"),
        row("10,000 columns", "", &format!("        /* {} */ ", "x".repeat(10_000)), "\n"),
        row("10,000 columns of two bytes", "", &format!("        /* {} */ ", "é".repeat(10_000)), "\n"),
    ]
}

#[test]
fn every_format_names_the_same_place() {
    let dir = tempfile::tempdir().expect("a folder");
    for row in rows() {
        let name = row.name;
        let text = format!("{}{}", row.opening, source(&row.before, row.line_break));
        std::fs::write(dir.path().join("a.rs"), &text).expect("write");
        let shebang = u64::from(row.opening.contains("#!"));
        let line = 6 + shebang;
        let column = row.before.chars().count() as u64 + "let _y = ".len() as u64 + 1;
        let length = "self.x.lock()".len() as u64;
        let outputs = ["lockcheck-json", "json", "sarif", "github", "short", "rustc", "html"];
        let mut args = vec!["scan".to_owned(), "a.rs".into(), "-q".into()];
        args.extend(outputs.iter().flat_map(|format| ["--output".into(), format!("{format}={format}.out")]));
        let done = command(
            std::process::Command::new(lockcheck_tests::binary("lockcheck")).current_dir(dir.path()).args(&args),
        );
        assert_eq!(done.code, Some(1), "{name}: {done:?}");
        let read = |format: &str| std::fs::read_to_string(dir.path().join(format!("{format}.out"))).expect("written");
        let json = |format: &str| -> Value { serde_json::from_str(&read(format)).expect("valid JSON") };

        let document = json("lockcheck-json");
        let place = &document["findings"][0]["primary"];
        let number = |value: &Value| value.as_u64().expect("a number");
        assert_eq!((number(&place["line"]), number(&place["column"])), (line, column), "{name}: lockcheck-json");
        assert_eq!((number(&place["end_line"]), number(&place["end_column"])), (line, column + length), "{name}");

        let sarif = json("sarif");
        let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
        let found = (number(&region["startLine"]), number(&region["startColumn"]), number(&region["endColumn"]));
        assert_eq!(found, (line, column, column + length), "{name}: sarif");

        let lines = read("json");
        let message = Message::parse_stream(lines.as_bytes()).next().expect("a message").expect("readable");
        let Message::CompilerMessage(message) = message else { panic!("{name}: {message:?}") };
        let span = message.message.spans.iter().find(|span| span.is_primary).expect("a primary place");
        assert_eq!((span.line_start as u64, span.column_start as u64), (line, column), "{name}: json");
        let bytes = span.byte_start as usize..span.byte_end as usize;
        assert_eq!(&text[bytes], "self.x.lock()", "{name}: bytes of json count from the file's first byte");
        assert_eq!(span.text[0].highlight_start as u64, column, "{name}");

        let github = read("github");
        let wanted = format!(",file=a.rs,line={line},col={column},endLine={line},endColumn={}::", column + length);
        assert!(github.contains(&wanted), "{name}: {wanted} is not in {github:.300}");
        assert!(read("short").starts_with(&format!("a.rs:{line}:{column}: error: ")), "{name}: {:.200}", read("short"));
        assert!(read("rustc").contains(&format!("--> a.rs:{line}:{column}\n")), "{name}: {:.400}", read("rustc"));
        let html = read("html");
        if row.before.len() < 400 {
            assert!(html.contains("<mark>self.x.lock()</mark>"), "{name}: html");
        } else {
            assert!(html.contains(&format!("a.rs:{line}:{column}")), "{name}: html");
        }
    }
    let done = lockcheck(dir.path(), &["scan", "a.rs", "--message-format", "short"]);
    assert_eq!(done.code, Some(1));
}

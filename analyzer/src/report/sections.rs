//! The statements of functions with their criteria, for `lockcheck scan --sections`: as text and as JSON.
//!
//! Guarantees: every statement once, in the order written, with its source line; what must stay in order and what may
//! run at any time is named by line.

use serde::Serialize;

use crate::regions::effects::criteria::{Statement, lines};
use crate::regions::effects::reach::Sections;
use crate::source::Texts;

const LEGEND: &str =
    "criteria: 1 modifies shared state, 2 reads shared state and relies on it, 3 modifies local state\n";

/// As text.
pub fn text(sections: &[Sections], texts: &Texts) -> String {
    let mut out = String::from(LEGEND);
    for section in sections {
        out.push_str(&format!("\n`{}` ({}:{})\n", section.function, section.at.file, section.at.line));
        for statement in &section.statements {
            let source = texts.get(&statement.at.file);
            let line = source.as_ref().and_then(|text| text.line(statement.at.line)).unwrap_or_default();
            let line: String = line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let criteria = if statement.composite && statement.criteria() == "none" {
                String::new()
            } else {
                statement.criteria()
            };
            let row = format!("  {:>5}  {:<5}  {line}", statement.at.line, criteria);
            out.push_str(row.trim_end());
            out.push('\n');
        }
        for line in summary(section) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

/// What follows from the criteria.
fn summary(section: &Sections) -> Vec<String> {
    let simple = || section.statements.iter().filter(|statement| !statement.composite);
    let keep: Vec<&Statement> = simple().filter(|statement| !statement.is_free()).collect();
    let free: Vec<&Statement> = simple().filter(|statement| statement.is_free()).collect();
    let mut out = Vec::new();
    if !keep.is_empty() {
        out.push(format!("must stay sequential: {}", lines(keep.iter().copied())));
    }
    if !free.is_empty() {
        let names = names(free.iter().flat_map(|statement| statement.calls.iter().chain(&statement.unknown)));
        let what = if names.is_empty() { String::new() } else { format!(" ({names})") };
        out.push(format!("safe to run concurrently: {}{what}", lines(free.iter().copied())));
    }
    let unknown = names(free.iter().flat_map(|statement| &statement.unknown));
    if !unknown.is_empty() {
        out.push(format!("not in the sources, so taken to touch no shared state: {unknown}"));
    }
    out
}

/// Names in backticks, each once.
fn names<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut out: Vec<String> = Vec::new();
    for name in names {
        let name = format!("`{name}`");
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out.join(", ")
}

#[derive(Serialize)]
struct Document<'s> {
    schema: &'static str,
    functions: Vec<Function<'s>>,
}

#[derive(Serialize)]
struct Function<'s> {
    function: &'s str,
    file: &'s str,
    line: u32,
    statements: Vec<Row<'s>>,
}

#[derive(Serialize)]
struct Row<'s> {
    line: u32,
    end_line: u32,
    depth: u32,
    criteria: Vec<u8>,
    free: bool,
    composite: bool,
    calls: &'s [String],
    unknown: &'s [String],
    cells: &'s [String],
}

/// As one JSON document, schema `lockcheck.sections/1`.
pub fn json(sections: &[Sections]) -> String {
    let row = |statement: &'_ Statement| {
        let all = [(statement.modifies, 1), (statement.relies, 2), (statement.local, 3)];
        all.iter().filter(|(is, _)| *is).map(|(_, number)| *number).collect::<Vec<u8>>()
    };
    let functions = sections.iter().map(|section| Function {
        function: &section.function,
        file: &section.at.file,
        line: section.at.line,
        statements: section
            .statements
            .iter()
            .map(|statement| Row {
                line: statement.at.line,
                end_line: statement.at.end_line,
                depth: statement.depth,
                criteria: row(statement),
                free: statement.is_free(),
                composite: statement.composite,
                calls: &statement.calls,
                unknown: &statement.unknown,
                cells: &statement.cells,
            })
            .collect(),
    });
    let document = Document { schema: "lockcheck.sections/1", functions: functions.collect() };
    let mut out = serde_json::to_string(&document).unwrap_or_default();
    out.push('\n');
    out
}

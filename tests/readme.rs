//! What the documents say is what the program does: the README's commands are run and its tables compared, and the
//! paths and tests that ARCHITECTURE.md names are looked up.
//!
//! Guarantees: every command of a `console` block is run. Its exit code must be the one shown behind `$ echo $?`, and
//! its output the one shown, times aside. A `rust` block is saved under the name that the line above it gives, so
//! that commands can name it.
//!
//! Misses: of `run`, whose threads may swap places, everything but the first line and the headings of the findings;
//! the claims in running text.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use lockcheck::cli::Exit;
use lockcheck::finding::Level;
use lockcheck::report::Format;
use lockcheck::rules::REGISTRY;
use lockcheck_tests::{binary, command, folder, lockcheck, project_files, workspace};

/// What the README promises to run the main job and the tests.
const PROMISED: [&str; 2] = ["cargo run --release --bin lockcheck -- run example", "cargo test --workspace"];

fn document(name: &str) -> String {
    let path = workspace().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A fenced block, with the last line of text above it.
struct Block<'a> {
    language: &'a str,
    above: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    let mut above = "";
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some(language) => {
                let lines = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block { language, above: std::mem::take(&mut above), lines });
            }
            None if line.is_empty() => {}
            None => above = line,
        }
    }
    blocks
}

/// A command of a `console` block, with what the README shows of it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    args: Vec<String>,
    output: Vec<String>,
    code: Option<i32>,
}

fn shown(lines: &[&str]) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        if let Some(args) = line.strip_prefix("$ lockcheck ") {
            let args = args.split_whitespace().map(str::to_owned).collect();
            all.push(Shown { args, output: Vec::new(), code: None });
            continue;
        }
        let last = all.last_mut().unwrap_or_else(|| panic!("`{line}` stands before any command"));
        if *line == "$ echo $?" {
            let code = lines.next().and_then(|code| code.parse().ok());
            last.code = Some(code.unwrap_or_else(|| panic!("no exit code behind `$ echo $?` of {:?}", last.args)));
        } else {
            assert!(!line.starts_with("$ "), "a command that this test does not know: {line}");
            last.output.push((*line).to_owned());
        }
    }
    all
}

/// The line with every `12 ms` as `_ ms` and without spaces at its end.
fn without_times(line: &str) -> String {
    let line = line.trim_end();
    match line.split_once(" ms") {
        Some((before, after)) => format!("{}_ ms{after}", before.trim_end_matches(|c: char| c.is_ascii_digit())),
        None => line.to_owned(),
    }
}

/// What must be the same: all, or for a run the first line and the headings of the findings.
fn compared(lines: impl Iterator<Item = String>, run: bool) -> Vec<String> {
    let kept = lines.enumerate().filter(|(at, line)| !run || *at == 0 || line.starts_with("lockcheck::"));
    kept.map(|(_, line)| without_times(&line)).collect()
}

/// What is wrong with a shown command, if anything. It runs where the files are that it names.
fn difference(shown: &Shown, saved: &Path) -> Option<String> {
    let names_a_file = shown.args.iter().any(|arg| saved.join(arg).is_file());
    let dir = if names_a_file { saved } else { workspace() };
    let done = command(Command::new(binary("lockcheck")).current_dir(dir).args(&shown.args));
    let printed = format!("{}{}", done.stdout, done.stderr);
    let run = shown.args.first().is_some_and(|word| word == "run");
    let same = compared(printed.lines().map(str::to_owned), run) == compared(shown.output.iter().cloned(), run);
    let line = shown.args.join(" ");
    if !same {
        return Some(format!("`lockcheck {line}` prints something else now:\n{printed}"));
    }
    let code = shown.code.is_some_and(|code| done.code != Some(code));
    code.then(|| format!("`lockcheck {line}` exits with {:?} now, not with {:?}", done.code, shown.code))
}

/// The first cells of the table whose heading begins with `heading`, and the rest of each row.
fn table<'a>(text: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let rows = text.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |row: &'a str| row.trim_start_matches("| ").split_once(" | ").expect("a row of two cells at least");
    rows.map(cells).map(|(first, rest)| (first.trim_matches('`'), rest)).collect()
}

#[test]
fn the_promised_commands_stand_in_the_readme() {
    let readme = document("README.md");
    for promised in PROMISED {
        assert!(readme.contains(promised), "the README lost `{promised}`");
    }
}

#[test]
fn what_the_readme_shows_is_what_the_program_prints() {
    let readme = document("README.md");
    let blocks = blocks(&readme);
    let saved = folder(&[]);
    for block in blocks.iter().filter(|block| block.language == "rust") {
        let name = block.above.split('`').nth(1).filter(|name| name.ends_with(".rs"));
        let name = name.unwrap_or_else(|| panic!("no file name above the block {:?}", block.lines));
        std::fs::write(saved.path().join(name), block.lines.join("\n") + "\n").expect("write");
    }
    let consoles = blocks.iter().filter(|block| block.language == "console");
    let shown: Vec<_> = consoles.flat_map(|block| shown(&block.lines)).collect();
    assert!(!shown.is_empty(), "a README that shows nothing");
    let wrong: Vec<_> = shown.iter().filter_map(|each| difference(each, saved.path())).collect();
    assert!(wrong.is_empty(), "the README is not up to date:\n{}", wrong.join("\n"));
}

#[test]
fn the_tables_of_the_readme_are_complete() {
    let readme = document("README.md");
    let rows = table(&readme, "rule");
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), REGISTRY.iter().map(|r| r.id).collect::<Vec<_>>());
    for (rule, (_, row)) in REGISTRY.iter().zip(rows) {
        let level = match rule.level {
            Level::Allow => "allow",
            Level::Note => "note",
            Level::Warn => "warn",
            Level::Deny => "deny",
        };
        let start = format!("{level} | {} |", rule.group.name());
        assert!(row.starts_with(&start) && row.contains(rule.summary), "{}: {row}", rule.id);
    }
    let formats: Vec<_> = table(&readme, "format").into_iter().map(|row| row.0).collect();
    assert_eq!(formats, Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>());
    let codes: Vec<_> = table(&readme, "code").into_iter().map(|row| row.0.to_owned()).collect();
    let exits = [Exit::Clean, Exit::Findings, Exit::Unable, Exit::ProgramFailed, Exit::Internal, Exit::Interrupted];
    assert_eq!(codes, exits.map(|exit| exit.code().to_string()));
}

#[test]
fn the_readme_lists_the_commands_that_there_are() {
    let readme = document("README.md");
    let listed: BTreeSet<_> =
        table(&readme, "command").into_iter().filter_map(|(command, _)| command.split(' ').nth(1)).collect();
    let help = lockcheck(workspace(), &["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let there: BTreeSet<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(there.len() > 1, "{help}");
    assert_eq!(listed, there.into_iter().filter(|name| *name != "help").collect());
}

#[test]
fn the_architecture_names_only_what_is_there() {
    let text = document("ARCHITECTURE.md");
    let prose: String = text.split("```").step_by(2).collect();
    let prose = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    let files: Vec<_> =
        ["analyzer", "runtime-tracker", "fixtures", "tests"].into_iter().flat_map(project_files).collect();
    let is_there = |name: &str| {
        let inside = |path: String| if name.ends_with('/') { path.contains(name) } else { path.ends_with(name) };
        files.iter().any(|file| inside(format!("/{}", file.path)))
    };
    let named = prose.split('`').skip(1).step_by(2).filter(|name| !name.contains(' '));
    let paths: BTreeSet<_> = named.filter(|name| name.ends_with(".rs") || name.ends_with('/')).collect();
    let mut wrong: Vec<_> = paths.iter().filter(|name| !is_there(&format!("/{name}"))).copied().collect();
    let tests: BTreeSet<_> = prose.split("held by `").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    let is_test = |name: &str| {
        files.iter().any(|file| file.path.starts_with("tests/") && file.text.contains(&format!("fn {name}()")))
    };
    wrong.extend(tests.iter().filter(|name| !is_test(name)));
    assert!(wrong.is_empty(), "neither a path nor a test of this project: {wrong:?}");
    assert!(paths.len() > 50 && tests.len() > 5, "a code map: {paths:?}, {tests:?}");
}

#[test]
fn blocks_are_read_as_written() {
    let text = "above `a.rs`:\n\n```rust\nfn a() {}\n```\n\n```console\n$ lockcheck x y\none\n$ echo $?\n1\n```\n";
    let blocks = blocks(text);
    assert_eq!(
        (blocks[0].language, blocks[0].above, &blocks[0].lines[..]),
        ("rust", "above `a.rs`:", &["fn a() {}"][..])
    );
    let args = vec!["x".to_owned(), "y".to_owned()];
    assert_eq!(shown(&blocks[1].lines), [Shown { args, output: vec!["one".into()], code: Some(1) }]);
    assert_eq!(without_times("(1 file, 12 ms) "), "(1 file, _ ms)");
    let lines = || ["1", "2", "lockcheck::a (deny)"].into_iter().map(str::to_owned);
    assert_eq!(compared(lines(), true), ["1", "lockcheck::a (deny)"]);
    assert_eq!(compared(lines(), false).len(), 3);
}

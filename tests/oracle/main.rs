//! The oracle: rustc decides what the marks of the guard-scope fixtures must say.
//!
//! Fixtures with `//@ oracle: 2021, 2024` are compiled for these editions with the locks of `locks.rs`, which never
//! block but log every overlap, and are run. What the program saw must be what the marks say: each second acquisition
//! of a held lock is a `double_lock`, each suspension under a thread-blocking guard a `guard_across_await`, and each
//! pair of locks taken both ways round has one of its acquisitions marked `lock_order_inversion`. The scan must say
//! the same in every one of these editions. The guard-scope table is `fixtures/scan/scopes`: `table.rs` sees to it that
//! every row is there.
//!
//! Misses: read under read is an overlap here and a warning there; both carry the same mark.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

use lockcheck::finding::Level;
use lockcheck_tests::snippets::{self, header};
use lockcheck_tests::{command, folder, project_files};

mod table;

const LOCKS: &str = include_str!("locks.rs");

/// Crates whose paths mean `locks.rs` in a compiled fixture.
const REPLACED: [(&str, &str); 4] = [
    ("std::sync::", "crate::locks::sync::"),
    ("parking_lot::", "crate::locks::parking_lot::"),
    ("tokio::", "crate::locks::tokio::"),
    ("futures::", "crate::locks::futures::"),
];

/// The rules that a run can decide.
const DECIDED: [&str; 3] = ["double_lock", "guard_across_await", "lock_order_inversion"];

/// Lines by rule.
type Lines = BTreeMap<String, BTreeSet<usize>>;

struct Fixture {
    /// Where it stands in the project.
    path: String,
    /// Its module and file name in the compiled crate.
    module: String,
    text: String,
    editions: Vec<String>,
}

/// What a fixture's program did.
#[derive(Debug, Default)]
struct Log {
    overlaps: BTreeSet<usize>,
    awaits: BTreeSet<usize>,
    /// Line, lock held, lock taken.
    orders: BTreeSet<(usize, u64, u64)>,
}

fn fixtures() -> Vec<Fixture> {
    let fixture = |file: lockcheck_tests::ProjectFile| {
        let editions: Vec<String> = header(&file.text, "oracle").into_iter().map(str::to_owned).collect();
        let module = file.path.trim_start_matches("fixtures/scan/").trim_end_matches(".rs").replace('/', "_");
        (!editions.is_empty()).then_some(Fixture { path: file.path, module, text: file.text, editions })
    };
    ["bad", "good", "scopes"]
        .into_iter()
        .flat_map(|kind| project_files(&format!("fixtures/scan/{kind}")))
        .filter_map(fixture)
        .collect()
}

/// What the marks say in an edition.
fn marks(text: &str, edition: &str) -> Lines {
    let mut lines = Lines::new();
    for (line, rule) in snippets::marks(text, edition) {
        lines.entry(rule).or_default().insert(line);
    }
    lines
}

/// Compiles the fixtures as one program and gives what each of them did.
fn run(edition: &str, fixtures: &[&Fixture]) -> BTreeMap<String, Log> {
    let mut root = String::from("mod locks;\n");
    let mut runs = String::new();
    let mut files = vec![("locks.rs".to_owned(), LOCKS.to_owned())];
    for Fixture { module, text, .. } in fixtures {
        let replace = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = REPLACED.iter().fold(text.clone(), replace);
        files.push((format!("{module}.rs"), format!("{text}\npub fn run_fixture() {{ main() }}\n")));
        writeln!(root, "mod {module};").expect("a string");
        // A thread each: a guard that is never given back must not reach the next fixture.
        writeln!(runs, "    std::thread::spawn({module}::run_fixture).join().expect({module:?});").expect("a string");
    }
    let write_log = "    std::fs::write(std::env::args().nth(1).unwrap(), locks::log()).unwrap();";
    writeln!(root, "fn main() {{\n{runs}{write_log}\n}}").expect("a string");
    files.push(("main.rs".to_owned(), root));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let dir = folder(&files);
    let program = dir.path().join(format!("oracle{}", std::env::consts::EXE_SUFFIX));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc.current_dir(dir.path()).args(["--crate-name", "oracle", "--edition", edition]);
    rustc.args(["--cap-lints", "allow", "-Copt-level=0", "-Cdebuginfo=0", "-Ccodegen-units=4", "main.rs", "-o"]);
    let compiled = command(rustc.arg(&program));
    assert_eq!(compiled.code, Some(0), "edition {edition}: a fixture does not compile:\n{}", compiled.stderr);
    let log = dir.path().join("log");
    let ran = command(Command::new(&program).current_dir(dir.path()).arg(&log));
    assert_eq!(ran.code, Some(0), "edition {edition}: a fixture failed:\n{}", ran.stderr);
    let mut logs: BTreeMap<String, Log> =
        fixtures.iter().map(|fixture| (fixture.module.clone(), Log::default())).collect();
    for line in std::fs::read_to_string(log).expect("the log").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse().expect("a number");
        let log = logs.get_mut(words[0].trim_end_matches(".rs")).expect("a line of a fixture");
        let line = number(1) as usize;
        match words[2] {
            "overlap" => log.overlaps.extend([line]),
            "await" => log.awaits.extend([line]),
            _ => log.orders.extend([(line, number(3), number(4))]),
        }
    }
    logs
}

/// How marks and run differ.
fn differences(marks: &Lines, log: &Log) -> Vec<String> {
    let none = BTreeSet::new();
    let marked = |rule: &str| marks.get(rule).unwrap_or(&none);
    let mut wrong = Vec::new();
    for (rule, seen) in [("double_lock", &log.overlaps), ("guard_across_await", &log.awaits)] {
        let mut tell = |lines: Vec<&usize>, what: &str| {
            wrong.extend(lines.into_iter().map(|line| format!("line {line}: {rule} {what}")));
        };
        tell(seen.difference(marked(rule)).collect(), "happens, but is not marked");
        tell(marked(rule).difference(seen).collect(), "is marked, but does not happen");
    }
    let marked = marked("lock_order_inversion");
    let mut circles: BTreeMap<(u64, u64), BTreeSet<usize>> = BTreeMap::new();
    for (line, held, taken) in &log.orders {
        if log.orders.iter().any(|(_, from, to)| (from, to) == (taken, held)) {
            circles.entry((*held.min(taken), *held.max(taken))).or_default().insert(*line);
        }
    }
    let unmarked = circles.values().filter(|lines| lines.is_disjoint(marked));
    wrong.extend(unmarked.map(|lines| format!("lines {lines:?}: lock_order_inversion happens, but is not marked")));
    let idle = marked.iter().filter(|line| circles.values().all(|lines| !lines.contains(line)));
    wrong.extend(idle.map(|line| format!("line {line}: lock_order_inversion is marked, but does not happen")));
    wrong
}

/// What the scan finds at warn level and above.
fn scan(text: &str, edition: &str) -> Lines {
    let mut lines = Lines::new();
    for finding in snippets::scan(text, edition).findings.iter().filter(|finding| finding.level >= Level::Warn) {
        lines.entry(finding.rule.to_owned()).or_default().insert(finding.primary.line as usize);
    }
    lines
}

/// Every edition with the fixtures that run in it.
fn by_edition(fixtures: &[Fixture]) -> BTreeMap<&str, Vec<&Fixture>> {
    let mut editions: BTreeMap<&str, Vec<&Fixture>> = BTreeMap::new();
    for fixture in fixtures {
        for edition in &fixture.editions {
            editions.entry(edition).or_default().push(fixture);
        }
    }
    editions
}

#[test]
fn marks_say_what_the_compiled_program_does() {
    let fixtures = fixtures();
    let editions = by_edition(&fixtures);
    assert!(editions.contains_key("2021") && editions.contains_key("2024"), "fixtures for both editions");
    let mut failed = Vec::new();
    for (edition, fixtures) in editions {
        let logs = run(edition, &fixtures);
        for fixture in fixtures {
            let wrong = differences(&marks(&fixture.text, edition), &logs[&fixture.module]);
            failed.extend(wrong.iter().map(|wrong| format!("{} ({edition}): {wrong}", fixture.path)));
        }
    }
    assert!(failed.is_empty(), "{} marks are wrong:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn the_scan_says_the_same_in_every_edition() {
    let fixtures = fixtures();
    let mut failed = Vec::new();
    for (edition, fixtures) in by_edition(&fixtures) {
        for fixture in fixtures {
            let (marks, found) = (marks(&fixture.text, edition), scan(&fixture.text, edition));
            let none = BTreeSet::new();
            for rule in DECIDED {
                let [marks, found] = [&marks, &found].map(|lines| lines.get(rule).unwrap_or(&none));
                let place = format!("{} ({edition}): line", fixture.path);
                failed.extend(marks.difference(found).map(|line| format!("{place} {line}: {rule} not found")));
                failed.extend(found.difference(marks).map(|line| format!("{place} {line}: unexpected {rule}")));
            }
        }
    }
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn a_wrong_mark_is_noticed() {
    let text = "fn main() {\n    let lock = std::sync::Mutex::new(0);\n    let other = std::sync::Mutex::new(0);\n    \
                let guard = lock.lock();\n    drop(lock.lock());\n    drop(other.lock());\n    drop(guard);\n    \
                let last = other.lock();\n    drop(lock.lock()); //~ double_lock\n}\n";
    let fixture =
        Fixture { path: String::new(), module: "wrong".to_owned(), text: text.to_owned(), editions: Vec::new() };
    let logs = run("2021", &[&fixture]);
    let expected = [
        "line 5: double_lock happens, but is not marked",
        "line 9: double_lock is marked, but does not happen",
        "lines {6, 9}: lock_order_inversion happens, but is not marked",
    ];
    assert_eq!(differences(&marks(text, "2021"), &logs["wrong"]), expected);
}

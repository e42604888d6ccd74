//! The invariants of the architecture, checked over the project's own source text.

use std::collections::BTreeMap;

use lockcheck_tests::{ProjectFile, project_files, workspace};

/// Longest file, in lines.
const MAX_LINES: usize = 600;

/// Files that may be longer, with their own limit: each is one flat list of types that belong together.
const LONGER: [(&str, usize); 1] = [("runtime-tracker/src/event/record.rs", 620)];

fn own_files() -> Vec<ProjectFile> {
    ["analyzer", "runtime-tracker", "fixtures/src", "tests"].into_iter().flat_map(project_files).collect()
}

/// Fails with every place where a file of `folder`, but of none of `except`, has one of `words` in its code.
fn nowhere(folder: &str, except: &[&str], words: &[&str], why: &str) {
    let mut found = Vec::new();
    let files = project_files(folder);
    assert!(!files.is_empty(), "{folder} has no file");
    for file in files {
        if except.iter().any(|except| file.path.starts_with(&format!("{folder}/{except}"))) {
            continue;
        }
        for (number, line) in file.code() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{why}:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_guarantees() {
    let silent: Vec<_> = own_files().into_iter().filter(|file| !file.text.starts_with("//! ")).collect();
    let silent: Vec<_> = silent.iter().map(|file| &file.path).collect();
    assert!(silent.is_empty(), "files that do not open with `//!`: {silent:?}");
}

#[test]
fn no_file_is_long() {
    let limits = BTreeMap::from(LONGER);
    for file in own_files() {
        let limit = limits.get(file.path.as_str()).copied().unwrap_or(MAX_LINES);
        let lines = file.text.lines().count();
        assert!(lines <= limit, "{} has {lines} lines, more than {limit}", file.path);
    }
}

#[test]
fn only_report_knows_formats() {
    let words = ["miette", "annotate_snippets", "compiler-message", "lockcheck.report/", "2.1.0/sarif"];
    nowhere("analyzer/src", &["report/"], &words, "only `report` knows a format");
    nowhere(
        "analyzer/src",
        &["report/", "cli/"],
        &["owo_colors", "is_terminal"],
        "only `report` and `cli` know colours",
    );
}

#[test]
fn rules_never_build_the_graph() {
    let words = ["LockGraph::default", "LockGraph::new", "&mut LockGraph"];
    nowhere("analyzer/src/rules", &[], &words, "rules read the graph and never build it");
}

#[test]
fn the_core_does_no_input_or_output() {
    for folder in ["cache", "syntax", "model", "regions", "graph", "rules", "report"] {
        let words = ["std::fs", "File::open", "std::env", "std::net", "Command::new"];
        nowhere(&format!("analyzer/src/{folder}"), &[], &words, "only `source`, `trace` and `cli` touch the world");
    }
}

#[test]
fn nothing_but_the_command_line_prints_or_starts_a_process() {
    let prints = ["println!", "print!(", "eprint!(", "dbg!", "io::stdout", "io::stderr"];
    let starts = ["process::Command", "Command::new", "process::exit", "MetadataCommand::new"];
    // The table of known library functions names what users' programs call.
    // The wrappers in `instrument` are processes of their own, in front of compilers and programs.
    let except = ["cli/", "instrument/", "model/known.rs"];
    nowhere("analyzer/src", &except, &prints, "only `cli` prints");
    nowhere("analyzer/src", &except, &starts, "only `cli` and `instrument` start or end processes");
}

#[test]
fn the_analyzer_knows_the_tracker_by_its_events_alone() {
    let mut found = Vec::new();
    for file in project_files("analyzer/src") {
        let in_cli = file.path.starts_with("analyzer/src/cli/");
        // The tables of known libraries name what users' programs call, the tracker's types among it.
        let names =
            ["model/known.rs", "model/stubs/", "instrument/facade.rs"].iter().any(|path| file.path.contains(path));
        for (number, line) in file.code() {
            // Its sources are for the program's compiler to know.
            let known = |rest: &str| rest.starts_with("::event") || rest.starts_with("::shim::SOURCES");
            let tracker = line.split("lockcheck_tracker").skip(1).any(|rest| !known(rest));
            if (tracker && !names || line.contains("lockcheck_fixtures")) && !in_cli {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "more than the event format:\n{}", found.join("\n"));
}

#[test]
fn the_tracker_enters_programs_without_bringing_anything_along() {
    let path = workspace().join("runtime-tracker/Cargo.toml");
    let manifest = cargo_toml::Manifest::from_slice(&std::fs::read(path).expect("readable")).expect("a manifest");
    let default = manifest.features.get("default").cloned().unwrap_or_default();
    assert!(default.is_empty(), "default features: {default:?}");
    let optional = |dependency: &cargo_toml::Dependency| match dependency {
        cargo_toml::Dependency::Inherited(detail) => detail.optional,
        other => other.optional(),
    };
    let brought: Vec<_> =
        manifest.dependencies.iter().filter(|(_, each)| !optional(each)).map(|(name, _)| name).collect();
    assert!(brought.is_empty(), "dependencies of the default build: {brought:?}");
    assert!(
        manifest.build_dependencies.is_empty() && manifest.target.values().all(|each| each.dependencies.is_empty())
    );
}

#[test]
fn the_tracker_does_not_know_the_analyzer() {
    nowhere("runtime-tracker/src", &[], &[" lockcheck::", "use lockcheck;"], "the tracker depends on nothing above it");
}

#[test]
fn error_texts_are_lower_case_and_have_no_final_full_stop() {
    let mut wrong = Vec::new();
    for file in project_files("analyzer/src") {
        for (number, line) in file.code() {
            for opening in ["#[error(\"", "Failure(\"", "Failure(format!(\"", ".error(\"", ".note(\""] {
                let texts = line.split(opening).skip(1).filter_map(|rest| rest.rsplit_once('"').map(|(text, _)| text));
                for text in texts {
                    let capital = text.chars().next().is_some_and(char::is_uppercase);
                    if capital || text.ends_with('.') {
                        wrong.push(format!("{}:{number}: {text}", file.path));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

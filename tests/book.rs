//! The book: its pages about rules are what `lockcheck explain` prints, its links lead somewhere, and the path of a new user
//! is walked as it is written.
//!
//! Guarantees: every file that `start.md` shows is saved, every command that it shows is run in that folder, and what it
//! prints and exits with is what stands there, times aside.
//!
//! Misses: the installation itself, which would build everything anew; the recipes for editors, whose formats
//! `editors.rs` tests.
//!
//! `LOCKCHECK_UPDATE_BOOK=1 cargo test -p lockcheck-tests --test book` writes what is out of date.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockcheck::rules::REGISTRY;
use lockcheck_tests::{binary, command, folder, workspace};

fn book() -> PathBuf {
    workspace().join("analyzer/book/src")
}

/// Compares a file of the book with what it should be, or writes it where that is asked for.
fn same(path: &Path, wanted: &str) {
    if std::env::var_os("LOCKCHECK_UPDATE_BOOK").is_some() {
        std::fs::write(path, wanted).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let name = path.display();
    assert!(found == wanted, "{name} is out of date; LOCKCHECK_UPDATE_BOOK=1 writes it. It should be:\n{wanted}");
}

#[test]
fn the_pages_about_rules_are_what_explain_prints() {
    let mut index = String::from("# Rules\n\n| rule | group | what it reports |\n|---|---|---|\n");
    let mut summary = String::from(
        "# Summary\n\n[Introduction](introduction.md)\n\n- [From the first scan to a quiet CI](start.md)\n\
         - [Formats](formats.md)\n- [Editors](editors.md)\n- [CI](ci.md)\n- [The lock graph](graph.md)\n- [Rules](rules/index.md)\n",
    );
    for rule in REGISTRY {
        let page = command(Command::new(binary("lockcheck")).args(["explain", rule.id])).stdout;
        same(&book().join(format!("rules/{}.md", rule.id)), &page);
        index.push_str(&format!("| [`{0}`]({0}.md) | {1} | {2} |\n", rule.id, rule.group.name(), rule.summary));
        summary.push_str(&format!("  - [{0}](rules/{0}.md)\n", rule.id));
    }
    same(&book().join("rules/index.md"), &index);
    same(&book().join("SUMMARY.md"), &summary);
    let pages = std::fs::read_dir(book().join("rules")).expect("a folder").count();
    assert_eq!(pages, REGISTRY.len() + 1, "a page of a rule that is gone");
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = std::fs::read_to_string(book().join("SUMMARY.md")).expect("a summary");
    for entry in std::fs::read_dir(book()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".md")) else {
            continue;
        };
        assert!(name == "SUMMARY.md" || summary.contains(&format!("]({name})")), "{name} is not in the summary");
        let text = std::fs::read_to_string(&path).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let there = link.starts_with("https://") || book().join(link).is_file();
            assert!(there, "{name} links to {link}");
        }
    }
}

/// Runs a line in a shell, with `lockcheck` in its path.
fn shell(line: &str, dir: &Path) -> String {
    let tool = binary("lockcheck");
    let mut paths = vec![tool.parent().expect("a folder").to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut shell = Command::new("bash");
    shell
        .current_dir(dir)
        .env("PATH", std::env::join_paths(paths).expect("paths"))
        .args(["-o", "pipefail", "-c", line]);
    let done = command(&mut shell);
    let mut out = format!("{}{}", done.stdout, done.stderr);
    if let Some(code) = done.code.filter(|code| *code != 0) {
        out.push_str(&format!("[exit code {code}]\n"));
    }
    // Times are as they are.
    let words = out.split_inclusive('\n').map(|line| match line.split_once(" ms)") {
        Some((before, after)) => {
            format!("{}1 ms){after}", before.trim_end_matches(|c: char| c.is_ascii_digit()))
        }
        None => line.to_owned(),
    });
    words.collect()
}

#[test]
fn the_path_of_a_new_user_leads_where_it_says() {
    let path = book().join("start.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    assert!(text.contains("cargo install --path analyzer"));
    let dir = folder(&[]);
    let mut out = String::new();
    let mut lines = text.lines();
    let mut above = "";
    let mut exits = Vec::new();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else {
            if !line.is_empty() {
                above = line;
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if language == "console" {
            for line in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                let printed = shell(line, dir.path());
                exits.push(printed.contains("[exit code 1]"));
                out.push_str(&format!("$ {line}\n{printed}"));
            }
        } else {
            block.iter().for_each(|line| out.push_str(&format!("{line}\n")));
            if let Some(name) = above.split('`').rfind(|word| word.contains('.')).filter(|_| language != "sh") {
                let file = dir.path().join(name);
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("create");
                std::fs::write(file, block.join("\n") + "\n").expect("write");
            }
        }
        out.push_str("```\n");
    }
    // The scan and the CI run are red; the suppressed and the accepted ones are not; the new one is.
    assert_eq!(exits, [true, false, true, false, false, false, true]);
    same(&path, &out);
}

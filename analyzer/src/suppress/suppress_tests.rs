//! Tests of suppressions, on whole scans.

use crate::config::Config;
use crate::finding::{Level, Report};
use crate::source::{Request, discover};

fn report(text: &str) -> Report {
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("a.rs"), text).expect("write");
    let paths = [dir.path().to_owned()];
    let sources = discover(&Request { paths: &paths, cwd: dir.path(), metadata: None }).expect("files");
    crate::scan_with(&sources, &Config::default())
}

/// Rule, line and message of what is found in a file; and the number of suppressed findings.
fn found(text: &str) -> (Vec<(&'static str, u32, String)>, usize) {
    let report = report(text);
    let findings = report.findings.into_iter().map(|each| (each.rule, each.primary.line, each.message));
    (findings.collect(), report.summary.suppressed)
}

/// A function that locks twice, with these lines put in.
fn twice(above: &str, at_end: &str) -> String {
    format!(
        "use std::sync::Mutex;\nfn twice(count: &Mutex<u32>) {{\n    let guard = count.lock();\n    {above}\n    \
         drop(count.lock()); {at_end}\n    drop(guard);\n}}\n"
    )
}

fn rules(text: &str) -> (Vec<&'static str>, usize) {
    let (findings, suppressed) = found(text);
    (findings.into_iter().map(|(rule, ..)| rule).collect(), suppressed)
}

#[test]
fn a_comment_above_or_behind_silences_its_line() {
    assert_eq!(rules(&twice("", "")), (vec!["double_lock"], 0));
    for comment in [
        "allow(double_lock)",
        "expect(double_lock)",
        "allow(static_mut_mutation, deadlock)",
        "allow(all)",
        "allow-file(double-lock)",
    ] {
        let comment = format!("// lockcheck: {comment} -- a test");
        for text in [
            twice(&comment, ""),
            twice("", &comment),
            twice(&comment.replace("//", "/*").replace("test", "test */"), ""),
        ] {
            let (findings, suppressed) = found(&text);
            let own = usize::from(comment.contains("static_mut"));
            assert_eq!((findings.len(), suppressed), (own, 1), "{text}\n{findings:?}");
        }
    }
}

#[test]
fn a_comment_above_an_item_silences_all_of_it_and_nothing_else() {
    let comment = "// lockcheck: allow(double_lock) -- a test\n";
    assert_eq!(
        rules(&format!("{comment}{}", twice("", ""))).0,
        ["double_lock", "unused_suppression"],
        "that is the `use`"
    );
    let text = twice("", "").replace("fn twice", &format!("{comment}#[inline]\nfn twice"));
    assert_eq!(rules(&text), (vec![], 1));
    let second = twice("", "").replace("use std::sync::Mutex;", "").replace("twice", "again");
    assert_eq!(rules(&format!("{text}{second}")), (vec!["double_lock"], 1));
}

#[test]
fn any_place_that_a_finding_shows_may_carry_the_comment() {
    let text = twice("", "")
        .replace("let guard = count.lock();", "let guard = count.lock(); // lockcheck: allow(double_lock) -- a test");
    assert_eq!(rules(&text), (vec![], 1));
}

#[test]
fn attributes_silence_what_they_stand_on() {
    let attribute = "#[cfg_attr(lockcheck, allow(lockcheck::double_lock, reason = \"a test\"))]\n";
    assert_eq!(rules(&twice(attribute, "")), (vec![], 1));
    assert_eq!(rules(&twice("", "").replace("fn twice", &format!("{attribute}fn twice"))), (vec![], 1));
    assert_eq!(rules(&format!("{}{}", attribute.replacen('#', "#!", 1), twice("", ""))), (vec![], 1));
    assert_eq!(rules(&twice("", "").replace("let guard", &format!("{attribute}let other = 1;\nlet guard"))).1, 0);
}

#[test]
fn suppressions_without_reason_effect_or_meaning_are_findings() {
    let message = |text: &str| {
        found(text).0.into_iter().map(|(rule, line, message)| format!("{line} {rule}: {message}")).collect::<Vec<_>>()
    };
    assert_eq!(
        message(&twice("", "// lockcheck: allow(double_lock)")),
        ["5 suppression_without_reason: `double_lock` is suppressed here without a reason"]
    );
    assert_eq!(
        message("fn f() {} // lockcheck: allow(double_lock) -- a test"),
        ["1 unused_suppression: nothing of `double_lock` is found here: this suppression has no effect"]
    );
    assert_eq!(
        message("fn f() {} // lockcheck: expect(double_lock) -- a test"),
        ["1 unused_suppression: `double_lock` is expected here, and not found"]
    );
    assert_eq!(
        message("fn f() {} // lockcheck: allow(double_lok) -- a test"),
        ["1 unused_suppression: `double_lok` is neither a rule nor a group; did you mean `double_lock`?"]
    );
    assert_eq!(message("fn f() {} // lockcheck: allow(deadlock, data_race) -- only a run shows it"), [""; 0]);
}

#[test]
fn what_is_said_of_suppressions_can_be_suppressed_by_its_name_only() {
    let named = "// lockcheck: allow-file(unused_suppression, suppression_without_reason) -- a test\n";
    assert_eq!(rules(&format!("{named}fn f() {{}} // lockcheck: allow(double_lock)")), (vec![], 0));
    let all = "// lockcheck: allow-file(all) -- a test\n";
    assert!(
        rules(&format!("{all}fn f() {{}} // lockcheck: allow(double_lock)")).0.contains(&"suppression_without_reason")
    );
}

#[test]
fn texts_that_only_look_like_suppressions_do_nothing() {
    for text in [
        "/// lockcheck: allow(double_lock)\nfn f() {}",
        "fn f() { let _ = \"// lockcheck: allow(double_lock)\"; }",
        "// see lockcheck: allow(double_lock)\nfn f() {}",
        "// uses lockcheck\nfn f() {}",
    ] {
        assert_eq!(rules(text), (vec![], 0), "{text}");
    }
}

#[test]
fn what_clippy_is_not_to_say_of_the_same_is_a_note_and_nothing_is_asked_of_it() {
    let text = |attribute: &str| {
        format!(
            "use std::sync::Mutex;\n{attribute}\nasync fn run(count: &Mutex<u32>) {{\n    let _count = count.lock();\n    \
             wait().await;\n}}\nasync fn wait() {{}}\n"
        )
    };
    let levels = |attribute: &str| -> Vec<_> {
        report(&text(attribute)).findings.iter().map(|finding| (finding.rule, finding.level)).collect()
    };
    assert_eq!(levels(""), [("guard_across_await", Level::Deny)]);
    for attribute in [
        "#[allow(clippy::await_holding_lock)]",
        "#[expect(clippy::await_holding_lock, reason = \"one thread\")]",
        "#[cfg_attr(test, allow(clippy::all, clippy::await_holding_lock))]",
    ] {
        assert_eq!(levels(attribute), [("guard_across_await", Level::Note)], "{attribute}");
    }
    for attribute in ["#[warn(clippy::await_holding_lock)]", "#[doc = \"await_holding_lock\"]", "#[allow(unused)]"] {
        assert_eq!(levels(attribute), [("guard_across_await", Level::Deny)], "{attribute}");
    }
    assert_eq!(rules("#[allow(let_underscore_lock)]\nfn nothing() {}\n"), (vec![], 0));
}

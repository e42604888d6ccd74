//! `lockcheck scan --sections`, and what a plain scan says of the same code: the bank bot of the fixtures.

use lockcheck_tests::{Done, lockcheck, workspace};

const BANK: &str = "fixtures/scan/bad/unsafe_region/bank_bot.rs";
const PUT_RIGHT: &str = "fixtures/scan/good/unsafe_region/bank_bot_put_right.rs";

fn scan(args: &[&str]) -> Done {
    let all: Vec<&str> = ["scan"].iter().chain(args).copied().collect();
    lockcheck(workspace(), &all)
}

/// The findings that count: the way in which the bot's workers share a receiver is worth a note.
fn counted(document: &serde_json::Value) -> Vec<&serde_json::Value> {
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().filter(|finding| finding["level"] != "note").collect()
}

#[test]
fn every_statement_of_the_transaction_has_its_criteria() {
    let done = scan(&["--sections", "transaction", BANK]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let rows: Vec<(&str, &str)> = done
        .stdout
        .lines()
        .filter_map(|line| line.trim_start().split_once(char::is_whitespace))
        .filter(|(number, _)| number.parse::<u32>().is_ok())
        .filter_map(|(_, rest)| rest.trim_start().split_once(char::is_whitespace))
        .map(|(criteria, code)| (criteria, code.trim_start()))
        .collect();
    let expected = [
        ("3", "let chat_id"),
        ("3", "let (source_id, target_id, amount) = parse"),
        ("none", "send_message"),
        ("none", "log"),
        ("2,3", "let mut source = bank.read_account"),
        ("2,3", "let mut target = bank.read_account"),
        ("3", "source.balance -= amount"),
        ("3", "target.balance += amount"),
        ("none", "send_message"),
        ("none", "log"),
        ("1", "bank.write_account(source)"),
        ("1", "bank.write_account(target)"),
        ("none", "send_message"),
        ("none", "log"),
    ];
    assert_eq!(rows.len(), expected.len(), "{}", done.stdout);
    for ((criteria, code), (wanted, start)) in rows.iter().zip(expected) {
        assert!(*criteria == wanted && code.starts_with(start), "{criteria} {code}, not {wanted} {start}");
    }
    assert!(done.stdout.contains("must stay sequential: lines 56-57, 62-63, 65-66, 71-72\n"), "{}", done.stdout);
    let free = "safe to run concurrently: lines 59-60, 68-69, 74-75 (`send_message`, `log`)\n";
    assert!(done.stdout.contains(free), "{}", done.stdout);
}

#[test]
fn the_transaction_that_runs_asynchronously_as_a_whole_is_an_unsafe_region_with_advice() {
    let done = scan(&[BANK, "--message-format", "lockcheck-json"]);
    let document = done.document();
    let findings = counted(&document);
    assert_eq!(findings.len(), 1, "{done:?}");
    assert_eq!((&findings[0]["rule"], &findings[0]["level"]), (&"unsafe_region".into(), &"warn".into()), "{done:?}");
    let help = findings[0]["help"].as_str().expect("a help line");
    assert!(help.starts_with("only `send_message` and `log` may run asynchronously"), "{help}");
    assert!(help.contains("keep lines 56-57, 62-63, 65-66, 71-72 in order"), "{help}");
}

#[test]
fn the_bank_put_right_is_left_alone() {
    let done = scan(&[PUT_RIGHT, "--message-format", "lockcheck-json"]);
    assert!(counted(&done.document()).is_empty(), "{done:?}");
}

#[test]
fn sections_come_as_one_json_document_too() {
    let done = scan(&["--sections", "transaction", BANK, "--message-format", "lockcheck-json"]);
    let document = done.document();
    let statements = document["functions"][0]["statements"].as_array().expect("statements");
    assert_eq!(document["schema"], "lockcheck.sections/1");
    assert_eq!(statements[4]["criteria"], serde_json::json!([2, 3]), "{done:?}");
    assert_eq!(statements.len(), 14, "{done:?}");
}

#[test]
fn without_a_name_the_functions_that_touch_shared_state_are_shown() {
    let done = scan(&["--sections", BANK]);
    for shown in ["`Bank::read_account`", "`Bank::write_account`", "`transaction`"] {
        assert!(done.stdout.contains(shown), "{done:?}");
    }
    assert!(!done.stdout.contains("`parse` ("), "{done:?}");
}

#[test]
fn an_unknown_function_is_an_error_with_the_nearest_name() {
    let done = scan(&["--sections", "transacton", BANK]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert!(
        done.stderr.contains("there is no function `transacton`") && done.stderr.contains("`transaction`?"),
        "{done:?}"
    );
}

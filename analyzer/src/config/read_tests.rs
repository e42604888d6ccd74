//! Tests of reading the configuration.

use super::*;
use crate::rules::Group;

fn parsed(text: &str) -> Config {
    read(text, WHOLE, "lockcheck.toml", Path::new("/w")).expect("valid").expect("there")
}

fn error(text: &str) -> String {
    read(text, WHOLE, "lockcheck.toml", Path::new("/w")).expect_err("invalid").to_string()
}

#[test]
fn everything_that_can_be_said_is_read() {
    let config = parsed(
        "exclude = [\"generated/\", \"*_pb.rs\"]\n[rules]\ndouble_lock = \"warn\"\nall = \"note\"\nshared_state = \
         \"allow\"\n[locks.\"my::SpinLock\"]\nacquire = [\"lock\"]\nshared = \"read\"\ntry = [\"try_lock\"]\nguard = \
         \"my::Guard\"\nreentrant = true\n",
    );
    let levels = [
        (Selector::All, Level::Note),
        (Selector::Group(Group::SharedState), Level::Allow),
        (Selector::Rule("double_lock"), Level::Warn),
    ];
    assert_eq!(config.levels, levels, "the narrowest comes last");
    let lock = UserLock {
        path: "my::SpinLock".into(),
        acquire: vec!["lock".into()],
        shared: vec!["read".into()],
        try_: vec!["try_lock".into()],
        guard: Some("my::Guard".into()),
        reentrant: true,
    };
    assert_eq!(config.locks, [lock]);
    for (file, excluded) in [
        ("/w/generated/a.rs", true),
        ("/w/src/generated/a.rs", true),
        ("/w/src/x_pb.rs", true),
        ("/w/src/a.rs", false),
        ("/elsewhere/generated/a.rs", false),
    ] {
        assert_eq!(config.exclude.contains(Path::new(file)), excluded, "{file}");
    }
}

#[test]
fn what_is_not_understood_is_an_error_with_its_place_and_the_mend() {
    let cases = [
        ("[rule]\n", "1:2: unknown key `rule`; there are exclude, locks, order, rules; did you mean `rules`?"),
        (
            "\n[rules]\n  doublelock = \"deny\"",
            "3:3: `doublelock` is neither a rule nor a group; did you mean `double_lock`?",
        ),
        (
            "[rules]\ndouble_lock = \"warning\"",
            "2:15: `warning` is no level; there are allow, note, warn, deny; did you mean `warn`?",
        ),
        ("[rules]\ndouble_lock = 1", "2:15: expected a string, found a number"),
        ("rules = []", "1:9: expected a table, found an array"),
        ("exclude = [\"a\", 1]", "1:17: expected a string, found a number"),
        (
            "exclude = [\"é\", \"{a\"]",
            "1:17: not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        (
            "[locks.\"my::Lock\"]\naquire = [\"lock\"]",
            "2:1: unknown key `aquire`; there are acquire, guard, reentrant, shared, try; did you mean `acquire`?",
        ),
        (
            "[locks.\"my::Lock\"]",
            "1:8: nothing takes `my::Lock`; name the methods that take it, as `acquire = [\"lock\"]`",
        ),
        ("[locks.\"my Lock\"]\nacquire = []", "1:8: `my Lock` is no path of a type; write it as `krate::module::Type`"),
        ("[locks.A]\nreentrant = \"yes\"", "2:13: expected true or false, found a string"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("lockcheck.toml:{expected}"), "{text}");
    }
    let broken = error("[rules\n");
    assert!(broken.starts_with("lockcheck.toml:1:7: not TOML: "), "{broken}");
}

#[test]
fn an_order_of_locks_keeps_its_line_and_needs_two_of_them() {
    let read = read("[order]\n\nbank = [\"A.a\", \"B.b\"]\n", WHOLE, "lockcheck.toml", Path::new("/w"));
    let config = read.expect("valid").expect("a configuration");
    assert_eq!(
        (config.order[0].line, config.order[0].file.as_str(), config.order[0].locks.len()),
        (3, "lockcheck.toml", 2)
    );
    assert!(error("[order]\nx = [\"a\"]\n").starts_with("lockcheck.toml:2:5: an order is of two locks or more"));
}

#[test]
fn a_table_of_a_manifest_is_read_with_the_manifests_lines() {
    let text = "[package]\nname = \"a\"\n[package.metadata.lockcheck.rules]\ndeadlock = \"denied\"\n";
    let path = ["package", "metadata", "lockcheck"];
    let error = read(text, &path, "Cargo.toml", Path::new("/w")).expect_err("invalid").to_string();
    assert!(error.starts_with("Cargo.toml:4:12: `denied` is no level"), "{error}");
    assert!(
        read(text, &["workspace", "metadata", "lockcheck"], "Cargo.toml", Path::new("/w")).expect("valid").is_none()
    );
}

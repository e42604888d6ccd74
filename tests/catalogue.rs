//! The catalogue of rules: names, documentation, and what the command line says about them.

use std::collections::BTreeSet;

use lockcheck::rules::REGISTRY;
use lockcheck_tests::{lockcheck, workspace};

/// The headings of a rule's documentation, in their order.
const HEADINGS: [&str; 4] = ["What it does", "Why is this bad?", "Example", "Use instead"];

#[test]
fn ids_are_unique_and_in_snake_case() {
    let ids: BTreeSet<_> = REGISTRY.iter().map(|rule| rule.id).collect();
    assert!(!ids.is_empty(), "a catalogue without rules");
    assert_eq!(ids.len(), REGISTRY.len());
    for id in ids {
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !id.is_empty(), "{id}");
    }
}

#[test]
fn every_rule_is_documented_under_the_same_headings() {
    for rule in REGISTRY {
        let headings: Vec<_> = rule
            .docs
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .map(|line| line.trim_start_matches('#').trim())
            .collect();
        let at: Vec<_> = HEADINGS.iter().map(|heading| headings.iter().position(|each| each == heading)).collect();
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{}: {headings:?}", rule.id);
    }
}

#[test]
fn summaries_are_lower_case_and_have_no_final_full_stop() {
    for rule in REGISTRY {
        let first = rule.summary.chars().next().expect("a summary");
        assert!(
            !first.is_uppercase() && !rule.summary.ends_with('.') && !rule.summary.contains('\n'),
            "{}",
            rule.summary
        );
    }
}

#[test]
fn every_rule_is_listed_and_explained() {
    let rules = lockcheck(workspace(), &["rules"]);
    assert_eq!((rules.code, rules.stdout.lines().count(), rules.stderr.as_str()), (Some(0), REGISTRY.len(), ""));
    for rule in REGISTRY {
        assert!(rules.stdout.lines().any(|line| line.split_whitespace().next() == Some(rule.id)), "{}", rule.id);
        for name in [rule.id.to_owned(), format!("lockcheck::{}", rule.id)] {
            let explained = lockcheck(workspace(), &["explain", &name]);
            assert_eq!(explained.code, Some(0), "{explained:?}");
            assert!(HEADINGS.iter().all(|heading| explained.stdout.contains(heading)), "{explained:?}");
        }
    }
}

#[test]
fn an_unknown_rule_is_refused() {
    let done = lockcheck(workspace(), &["explain", "no_such_rule_at_all"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
    assert!(done.stderr.starts_with("error: there is no rule `no_such_rule_at_all`"), "{done:?}");
}

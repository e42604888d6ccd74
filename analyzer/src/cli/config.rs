//! `lockcheck config`: what counts, and where each thing comes from.

use std::fmt::Write;
use std::path::PathBuf;

use super::args::ConfigArgs;
use super::terminal::to_stdout;
use super::{Exit, Failure};
use crate::config::Config;
use crate::report::level_name;
use crate::rules::REGISTRY;
use crate::rules::selector::Selector;

/// Prints the configuration as TOML that says the same, with the origin of each line.
pub(super) fn config(args: &ConfigArgs) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().map_err(|error| Failure(format!("no current directory: {error}")))?;
    let paths: &[PathBuf] = &args.paths;
    let config =
        crate::config::load(args.config.as_deref(), paths, &cwd).map_err(|error| Failure(error.to_string()))?;
    to_stdout(text(&config).as_bytes())?;
    Ok(Exit::Clean)
}

fn text(config: &Config) -> String {
    let file = config.file.as_deref();
    let mut out = match file {
        Some(file) => format!("# from {file}\n"),
        None => "# there is no configuration: all of it is lockcheck's own\n".into(),
    };
    let list = |items: &[String]| items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ");
    if !config.exclude.patterns().is_empty() {
        let _ = writeln!(out, "exclude = [{}]", list(config.exclude.patterns()));
    }
    out.push_str("\n[rules]\n");
    let width = REGISTRY.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in REGISTRY {
        let set = config.levels.iter().rev().find(|(selector, _)| selector.matches(rule.id));
        let (level, origin) = match (set, file) {
            (Some((Selector::Rule(_), level)), Some(file)) => (*level, file.to_owned()),
            (Some((Selector::Group(group), level)), Some(file)) => (*level, format!("{file}, `{}`", group.name())),
            (Some((Selector::All, level)), Some(file)) => (*level, format!("{file}, `all`")),
            _ => (rule.level, "default: the highest level of the rule".into()),
        };
        let level = quoted(level_name(level));
        let _ = writeln!(out, "{:width$} = {level:7} # {origin}", rule.id);
    }
    for lock in &config.locks {
        let _ = writeln!(out, "\n[locks.{}]", quoted(&lock.path));
        for (key, methods) in [("acquire", &lock.acquire), ("shared", &lock.shared), ("try", &lock.try_)] {
            if !methods.is_empty() {
                let _ = writeln!(out, "{key} = [{}]", list(methods));
            }
        }
        if let Some(guard) = &lock.guard {
            let _ = writeln!(out, "guard = {}", quoted(guard));
        }
        if lock.reentrant {
            out.push_str("reentrant = true\n");
        }
    }
    if !config.order.is_empty() {
        out.push_str("\n[order]\n");
        for (number, chain) in config.order.iter().enumerate() {
            let _ = writeln!(out, "chain-{} = [{}] # {}:{}", number + 1, list(&chain.locks), chain.file, chain.line);
        }
    }
    out
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_says_the_same_when_it_is_read_again() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("lockcheck.toml");
        let written = "exclude = [\"gen/\"]\n[rules]\nall = \"warn\"\ndouble_lock = \"deny\"\n\
                       [locks.\"a::Spin\"]\nacquire = \"lock\"\nreentrant = true\n[order]\nx = [\"A.a\", \"B[_]\"]\n";
        std::fs::write(&path, written).expect("write");
        let load = || crate::config::load(Some(&path), &[], dir.path()).expect("valid");
        let first = load();
        let shown = text(&first);
        assert!(shown.contains("double_lock"), "{shown}");
        std::fs::write(&path, &shown).expect("write");
        let second = load();
        assert_eq!((&first.locks, first.exclude.patterns()), (&second.locks, second.exclude.patterns()));
        assert_eq!(first.order[0].locks, second.order[0].locks);
        let level = |config: &Config, rule: &str| {
            config.levels.iter().rev().find(|(selector, _)| selector.matches(rule)).map(|(_, level)| *level)
        };
        for rule in REGISTRY {
            assert_eq!(level(&first, rule.id), level(&second, rule.id), "{}", rule.id);
        }
    }
}

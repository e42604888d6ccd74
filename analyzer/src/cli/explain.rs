//! `lockcheck explain` and `lockcheck rules`.

use super::terminal::to_stdout;
use super::{Exit, Failure};
use crate::finding::Level;
use crate::nearest::hint;
use crate::rules::REGISTRY;

/// Prints what a rule is about.
pub(super) fn explain(name: &str) -> Result<Exit, Failure> {
    let id = name.strip_prefix("lockcheck::").unwrap_or(name).replace('-', "_");
    let Some(rule) = REGISTRY.iter().find(|rule| rule.id == id) else {
        let hint = hint(&id, REGISTRY.iter().map(|rule| rule.id));
        return Err(Failure(format!("there is no rule `{name}`{hint}; `lockcheck rules` lists them all")));
    };
    let head = format!("# {}\n\n{}, {} by default\n\n", rule.id, rule.group.name(), level_name(rule.level));
    to_stdout(format!("{head}{}\n", rule.docs.trim()).as_bytes())?;
    Ok(Exit::Clean)
}

/// Prints one line per rule.
pub(super) fn rules() -> Result<Exit, Failure> {
    let mut out = String::new();
    let width = REGISTRY.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let groups = REGISTRY.iter().map(|rule| rule.group.name().len()).max().unwrap_or(0);
    for rule in REGISTRY {
        let (level, group) = (level_name(rule.level), rule.group.name());
        out.push_str(&format!("{:width$}  {level:5}  {group:groups$}  {}\n", rule.id, rule.summary));
    }
    to_stdout(out.as_bytes())?;
    Ok(Exit::Clean)
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Note => "note",
        Level::Warn => "warn",
        Level::Deny => "deny",
    }
}

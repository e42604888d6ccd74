//! What users name where they set levels or suppress findings: a rule, a group, or all rules.

use super::{Group, REGISTRY};
use crate::nearest::hint;

/// All groups.
pub const GROUPS: [Group; 5] = [Group::Deadlock, Group::SharedState, Group::Liveness, Group::Suspicious, Group::Meta];

/// A rule or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// One rule.
    Rule(&'static str),
    /// All rules of a group. A rule and a group may share a name; the group then includes the rule.
    Group(Group),
    /// All rules.
    All,
}

/// A name that is neither a rule nor a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is neither a rule nor a group{hint}")]
pub struct UnknownName {
    name: String,
    hint: String,
}

impl Selector {
    /// Reads `double_lock`, `lockcheck::double_lock`, `double-lock`, `deadlock` or `all`.
    ///
    /// # Errors
    /// A name that is neither a rule nor a group, with the nearest one; `others` are further names that count there.
    pub fn parse(name: &str, others: &[&'static str]) -> Result<Selector, UnknownName> {
        let id = name.strip_prefix("lockcheck::").unwrap_or(name).replace('-', "_");
        if id == "all" {
            return Ok(Selector::All);
        }
        if let Some(group) = GROUPS.into_iter().find(|group| group.name() == id) {
            return Ok(Selector::Group(group));
        }
        let rules = REGISTRY.iter().map(|rule| rule.id);
        rules.clone().find(|known| *known == id).map(Selector::Rule).ok_or_else(|| {
            let names = rules.chain(GROUPS.into_iter().map(Group::name)).chain(["all"]).chain(others.iter().copied());
            UnknownName { name: name.to_owned(), hint: hint(&id, names) }
        })
    }

    /// Whether a rule is meant.
    pub fn matches(self, rule: &str) -> bool {
        match self {
            Selector::Rule(id) => id == rule,
            Selector::Group(group) => REGISTRY.iter().any(|known| known.id == rule && known.group == group),
            Selector::All => true,
        }
    }

    /// How narrow it is: where several name a rule, the narrowest counts.
    pub fn narrowness(self) -> u8 {
        match self {
            Selector::All => 0,
            Selector::Group(_) => 1,
            Selector::Rule(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_groups_and_all_are_found_in_every_spelling() {
        assert_eq!(Selector::parse("lockcheck::double-lock", &[]), Ok(Selector::Rule("double_lock")));
        assert_eq!(Selector::parse("shared-state", &[]), Ok(Selector::Group(Group::SharedState)));
        assert_eq!(Selector::parse("all", &[]), Ok(Selector::All));
        let error = |name: &str| Selector::parse(name, &["warnings"]).expect_err("unknown").to_string();
        assert_eq!(error("doublelock"), "`doublelock` is neither a rule nor a group; did you mean `double_lock`?");
        assert_eq!(error("warning"), "`warning` is neither a rule nor a group; did you mean `warnings`?");
    }

    #[test]
    fn a_group_means_its_rules_and_all_means_every_rule() {
        assert!(Selector::Group(Group::Deadlock).matches("double_lock"));
        assert!(!Selector::Group(Group::Meta).matches("double_lock"));
        assert!(Selector::All.matches("double_lock"));
        assert!(Selector::Rule("double_lock").narrowness() > Selector::All.narrowness());
    }
}

//! `-A`, `-W` and `-D`: levels by rule, by group, or for all `warnings`.
//!
//! Guarantees: flags count in the order in which they were written, so a later one wins over an earlier one; a name
//! that is neither rule nor group is an error with the nearest name.

use clap::ArgMatches;

use super::Failure;
use crate::config::Config;
use crate::finding::{Level, Report};
use crate::rules::selector::Selector;
use crate::rules::unparsed_file;

/// What the configuration says, then what the flags say, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Levels(Vec<(Target, Level)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Rules(Selector),
    /// Whatever is at warn level by then.
    Warnings,
}

impl Levels {
    /// The configuration's levels, and behind them the flags of a command.
    pub(super) fn read(config: &Config, matches: Option<&ArgMatches>) -> Result<Levels, Failure> {
        let mut flags = Vec::new();
        for (id, level) in [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)] {
            let Some(matches) = matches else { break };
            let names = matches.get_many::<String>(id).into_iter().flatten();
            let places = matches.indices_of(id).into_iter().flatten();
            flags.extend(places.zip(names).map(|(place, name)| (place, name.clone(), level)));
        }
        flags.sort_by_key(|(place, ..)| *place);
        let flags = Levels::from_flags(flags.into_iter().map(|(_, name, level)| (name, level)))?;
        let mut levels: Vec<_> =
            config.levels.iter().map(|(selector, level)| (Target::Rules(*selector), *level)).collect();
        levels.extend(flags.0);
        Ok(Levels(levels))
    }

    fn from_flags(flags: impl IntoIterator<Item = (String, Level)>) -> Result<Levels, Failure> {
        // One flag may name several, as rustc allows.
        let mut out = Vec::new();
        for (names, level) in flags {
            for name in names.split(',').map(str::trim) {
                out.push((target(name)?, level));
            }
        }
        Ok(Levels(out))
    }

    /// The level of a rule's finding that has `level` by itself.
    fn of(&self, rule: &str, level: Level) -> Level {
        self.0.iter().fold(level, |level, (target, wanted)| match target {
            Target::Rules(selector) if selector.matches(rule) => *wanted,
            Target::Warnings if level == Level::Warn => *wanted,
            _ => level,
        })
    }

    /// Sets the levels of the findings, drops what is allowed and counts anew.
    pub(super) fn apply(&self, report: &mut Report) {
        for finding in &mut report.findings {
            finding.level = self.of(finding.rule, finding.level);
        }
        unparsed_file::as_findings(report, self.of(unparsed_file::RULE.id, unparsed_file::RULE.level));
        report.finish();
    }
}

fn target(name: &str) -> Result<Target, Failure> {
    if name.strip_prefix("lockcheck::").unwrap_or(name) == "warnings" {
        return Ok(Target::Warnings);
    }
    Selector::parse(name, &["warnings"]).map(Target::Rules).map_err(|error| Failure(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::*;
    use crate::rules::Group;

    fn report(levels: &[Level]) -> Report {
        let finding = |(at, level): (usize, &Level)| Finding {
            rule: "lost_update",
            level: *level,
            confidence: Confidence::High,
            evidence: Evidence::Static,
            message: String::new(),
            help: String::new(),
            locks: Vec::new(),
            primary: Location::default(),
            related: Vec::new(),
            threads: Vec::new(),
            pool: None,
            schedule: Vec::new(),
            fingerprint: Fingerprint(at as u64),
        };
        let findings = levels.iter().enumerate().map(finding).collect();
        Report { mode: Mode::Scan, summary: Summary::default(), findings, notices: Vec::new() }
    }

    fn after(flags: &[(&str, Level)], levels: &[Level]) -> Vec<Level> {
        let flags = flags.iter().map(|(name, level)| (name.to_string(), *level));
        let mut report = report(levels);
        Levels::from_flags(flags).expect("known names").apply(&mut report);
        report.findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn warnings_become_errors_and_the_last_flag_wins() {
        use Level::*;
        assert_eq!(after(&[], &[Warn, Note]), [Warn, Note]);
        assert_eq!(after(&[("warnings", Deny)], &[Warn, Note]), [Deny, Note]);
        assert_eq!(after(&[("warnings", Allow)], &[Warn, Deny]), [Deny]);
        assert_eq!(after(&[("warnings", Deny), ("warnings", Allow)], &[Warn]), [Deny], "no warning is left");
    }

    #[test]
    fn rules_and_groups_are_set_in_the_order_of_the_flags() {
        use Level::*;
        assert_eq!(after(&[("lost_update", Deny)], &[Warn]), [Deny]);
        assert_eq!(after(&[("deadlock", Deny), ("double_lock", Allow)], &[Warn]), [Warn], "others are not touched");
        assert_eq!(after(&[("shared_state", Deny), ("lost_update", Note)], &[Warn]), [Note]);
        assert_eq!(after(&[("lost_update", Note), ("shared_state", Deny)], &[Warn]), [Deny]);
        assert_eq!(after(&[("double_lock,lost_update", Allow)], &[Warn]), []);
        assert_eq!(after(&[("lost_update", Warn), ("warnings", Deny)], &[Note]), [Deny]);
    }

    #[test]
    fn flags_are_read_in_the_order_they_were_written() {
        use clap::Args as _;
        let command = super::super::args::ScanArgs::augment_args(clap::Command::new("scan").no_binary_name(true));
        let arguments = ["-D", "warnings", "-A", "lost_update", "a.rs", "--deny=double_lock", "-W", "deadlock"];
        let matches = command.get_matches_from(arguments);
        let expected = [
            (Target::Warnings, Level::Deny),
            (Target::Rules(Selector::Rule("lost_update")), Level::Allow),
            (Target::Rules(Selector::Rule("double_lock")), Level::Deny),
            (Target::Rules(Selector::Group(Group::Deadlock)), Level::Warn),
        ];
        assert_eq!(Levels::read(&Config::default(), Some(&matches)), Ok(Levels(expected.to_vec())));
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest_one() {
        let error = |name: &str| target(name).expect_err("unknown").to_string();
        assert_eq!(error("warning"), "`warning` is neither a rule nor a group; did you mean `warnings`?");
        assert_eq!(error("shared"), "`shared` is neither a rule nor a group; did you mean `shared_state`?");
        assert_eq!(error("xyz"), "`xyz` is neither a rule nor a group");
        assert_eq!(target("shared-state"), Ok(Target::Rules(Selector::Group(Group::SharedState))));
        assert_eq!(target("lockcheck::warnings"), Ok(Target::Warnings));
    }
}

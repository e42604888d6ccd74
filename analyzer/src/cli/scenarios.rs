//! The built-in scenarios, as `run` needs them: the only place that knows `lockcheck_fixtures`.

pub(super) use lockcheck_fixtures::Scenario;
use lockcheck_fixtures::{Options, options};

use super::Failure;
use super::args::RunArgs;
use crate::nearest::hint;

pub(super) use lockcheck_fixtures::all;

/// The scenario and its options, checked.
/// `examples`: of the package here, which could have been meant too.
pub(super) fn chosen(name: &str, args: &RunArgs, examples: &[String]) -> Result<(&'static Scenario, Options), Failure> {
    let Some(scenario) = lockcheck_fixtures::find(name) else {
        let names: Vec<&str> = all().iter().map(|scenario| scenario.name).collect();
        let known = names.iter().copied().chain(examples.iter().map(String::as_str));
        let hint = hint(name, known);
        let mut message = format!("there is no scenario `{name}`{hint}\nscenarios: {}", names.join(", "));
        if !examples.is_empty() {
            message.push_str(&format!("\nexamples of the package here: {}", examples.join(", ")));
        }
        return Err(Failure(message));
    };
    let options = Options {
        workers: args.workers.map(|workers| workers as usize),
        policy: args.policy.and_then(|policy| Options::policy_named(policy.name())),
        set: args.settings.iter().cloned().collect(),
    };
    options::check(scenario, &options).map_err(|error| Failure(error.to_string()))?;
    Ok((scenario, options))
}

/// The folder of the scenarios' crate, as the places of a run name it.
pub(super) fn folder() -> &'static str {
    lockcheck_fixtures::scenarios::FOLDER.trim_end_matches("scenarios/")
}

/// Whether there is a scenario of this name.
pub(super) fn is_one(name: &str) -> bool {
    lockcheck_fixtures::find(name).is_some()
}

/// Two lines per scenario: what happens, and what lockcheck should report; with `settings`, its `--set` keys too.
pub(super) fn list(settings: bool) -> String {
    let width = all().iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for scenario in all() {
        out.push_str(&format!("{:width$}  {}\n", scenario.name, scenario.summary));
        out.push_str(&format!("{:width$}  reports: {}\n", "", scenario.reports));
        if settings && scenario.has_pool {
            out.push_str(&format!("{:width$}  --workers N, --policy block|queue|caller-runs\n", ""));
        }
        for setting in scenario.settings.iter().filter(|_| settings) {
            let default = match setting.default {
                options::Value::Number(number) => number.to_string(),
                options::Value::Flag(on) => on.to_string(),
            };
            out.push_str(&format!("{:width$}  --set {}={default}: {}\n", "", setting.key, setting.summary));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches};

    use super::*;

    fn choose(args: &[&str]) -> Result<(&'static str, Options), String> {
        let command = RunArgs::augment_args(clap::Command::new("run").no_binary_name(true));
        let args = RunArgs::from_arg_matches(&command.get_matches_from(args)).expect("arguments");
        let name = args.name.clone().unwrap_or_default();
        chosen(&name, &args, &[])
            .map(|(scenario, options)| (scenario.name, options))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_reach_the_scenario() {
        let (name, options) = choose(&["example", "--workers", "3", "--policy", "caller-runs"]).expect("a scenario");
        assert_eq!((name, options.workers), ("example", Some(3)));
        assert_eq!(options.policy, Options::policy_named("caller-runs"));
        assert!(options.policy.is_some());
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_runs() {
        assert!(
            choose(&["exampel"]).unwrap_err().starts_with("there is no scenario `exampel`; did you mean `example`?\n")
        );
        assert!(choose(&["example", "--set", "no_such_key=1"]).unwrap_err().contains("has no setting `no_such_key`"));
    }

    #[test]
    fn the_list_has_every_scenario_and_its_settings_on_request() {
        let (short, long) = (list(false), list(true));
        assert!(all().iter().all(|scenario| short.lines().any(|line| line.split(' ').next() == Some(scenario.name))));
        let (setting, pool) = ("--set times=20000: ", "--workers N, --policy");
        assert!(!short.contains(setting) && long.contains(setting) && !short.contains(pool) && long.contains(pool));
    }
}

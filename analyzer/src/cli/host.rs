//! The other end of `run`: this program again, as the process in which a scenario runs.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use clap::{Args as _, FromArgMatches};

use super::args::{OnDeadlock, RunArgs};
use super::{scenarios, terminal};

/// The first argument of such a process. Not a command: it is never offered.
const WORD: &str = "__host";

/// Runs a scenario if that is what this process was started for.
pub(super) fn if_asked(arguments: &[OsString]) -> Option<ExitCode> {
    if arguments.get(1).is_none_or(|word| word != WORD) {
        return None;
    }
    let parser = RunArgs::augment_args(clap::Command::new(WORD));
    let args = parser.try_get_matches_from(&arguments[1..]).and_then(|matches| RunArgs::from_arg_matches(&matches));
    let args = args.map_err(|error| error.to_string());
    let chosen = args.and_then(|args| {
        scenarios::chosen(args.name.as_deref().unwrap_or_default(), &args, &[]).map_err(|failure| failure.to_string())
    });
    let code = match chosen {
        Ok((scenario, options)) => lockcheck_fixtures::host(scenario.name, &options),
        Err(error) => {
            terminal::to_stderr(format!("{error}\n").as_bytes());
            2
        }
    };
    // The full width of an exit code, which `ExitCode` does not have: what a scenario returns stays what it is.
    std::process::exit(code)
}

/// The command line that asks for the scenario with these options.
pub(super) fn as_written(name: &str, args: &RunArgs) -> String {
    let mut line = format!("lockcheck run {name}");
    line.extend(args.workers.map(|workers| format!(" --workers {workers}")));
    line.extend(args.policy.map(|policy| format!(" --policy {}", policy.name())));
    line.extend(args.settings.iter().map(|(key, value)| format!(" --set {key}={value}")));
    line
}

/// The command that makes such a process.
pub(super) fn command(name: &str, args: &RunArgs, trace: &OsStr) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORD, name]);
    if let Some(workers) = args.workers {
        command.arg(format!("--workers={workers}"));
    }
    if let Some(policy) = args.policy {
        command.arg(format!("--policy={}", policy.name()));
    }
    command.args(args.settings.iter().map(|(key, value)| format!("--set={key}={value}")));
    command.env("LOCKCHECK", "trace").env("LOCKCHECK_TRACE", trace);
    if args.stats {
        command.env("LOCKCHECK_STATS", "1");
    }
    command.env("LOCKCHECK_ON_DEADLOCK", OnDeadlock::name(args.on_deadlock));
    Ok(command)
}

//! The arguments, as clap reads them. Help texts are the documentation comments here.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use super::{Exit, Failure, terminal};
use crate::report::Format;
use crate::report::graph::GraphFormat;

/// finds deadlocks and lock-order inversions in Rust: in source text, in a running program, in a recorded trace
#[derive(Debug, Parser)]
#[command(name = "lockcheck", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) look: Look,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "exit codes: 0 nothing at deny level, 1 at least one deny finding, 2 could not do the job, \
                          3 the observed program failed by itself, 101 internal error, 130 interrupted";

/// How messages look, for every command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Look {
    /// when to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
    /// what to draw reports with
    #[arg(long, global = true, value_enum, default_value_t = ThemeChoice::Auto, value_name = "THEME")]
    pub(super) theme: ThemeChoice,
    /// columns to wrap at, in place of the terminal's
    #[arg(long, global = true, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..=1000))]
    pub(super) width: Option<u16>,
    /// print findings only, no notices and no summary
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// print fingerprints, lock types and every path too
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

/// `--theme`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ThemeChoice {
    /// what the terminal can show; sentences where NO_GRAPHICS is set
    Auto,
    /// box-drawing characters
    Unicode,
    /// ASCII
    Ascii,
    /// sentences, nothing drawn
    Narrated,
}

/// `--color`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// where the output is a terminal; see NO_COLOR, CLICOLOR_FORCE, CARGO_TERM_COLOR
    Auto,
    /// always
    Always,
    /// never
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// run a program, as it is, or a scenario under the tracker, and report
    Run(Box<RunArgs>),
    /// look for deadlocks in source text, without building it
    Scan(ScanArgs),
    /// report on recorded traces; several are merged
    Analyze(AnalyzeArgs),
    /// print the lock graph of source text or of recorded traces
    Graph(GraphArgs),
    /// explain a rule
    Explain {
        /// the rule, as `double_lock`
        rule: String,
    },
    /// list all rules
    Rules,
    /// print the configuration that counts, and where each line of it comes from
    Config(ConfigArgs),
    /// serve editors: diagnostics, hover and code actions over standard input and output
    Lsp,
    /// print a manual page
    #[command(hide = true)]
    Man {
        /// the command; the whole program if there is none
        command: Option<String>,
    },
    /// print a completion script
    Completions {
        /// the shell
        shell: clap_complete::Shell,
    },
}

/// What every command with a report has.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// how to print the report
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(super) message_format: Format,
    /// also write the report to a file; may be given several times
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    pub(super) output: Vec<(Format, PathBuf)>,
    /// the configuration, in place of the nearest lockcheck.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// leave out the findings that stand in this file
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// do not report a rule, a group, or all `warnings`; of several such flags the last one counts
    #[arg(short = 'A', long = "allow", value_name = "RULE|GROUP")]
    pub(super) allow: Vec<String>,
    /// report at warn level
    #[arg(short = 'W', long = "warn", value_name = "RULE|GROUP")]
    pub(super) warn: Vec<String>,
    /// report at deny level, which makes the exit code 1
    #[arg(short = 'D', long = "deny", value_name = "RULE|GROUP")]
    pub(super) deny: Vec<String>,
}

/// `--with-cargo-check`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CargoTool {
    /// cargo check
    Check,
    /// cargo clippy
    Clippy,
}

/// Findings that are known.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct KnownArgs {
    /// write today's findings to the baseline (lockcheck-baseline.json, or the one that --baseline names)
    #[arg(long)]
    pub(super) write_baseline: bool,
    /// take out of the baseline what is not found any more
    #[arg(long, conflicts_with = "write_baseline")]
    pub(super) prune_baseline: bool,
    /// report only what was not there yet at this revision of git
    #[arg(long, value_name = "REV", conflicts_with = "write_baseline")]
    pub(super) new_since: Option<String>,
}

impl ReportArgs {
    /// Whether the report is printed or written in this format.
    pub(super) fn wants(&self, format: Format) -> bool {
        self.message_format == format || self.output.iter().any(|(each, _)| *each == format)
    }
}

/// `scan`
#[derive(Debug, clap::Args)]
pub(super) struct ScanArgs {
    /// files and folders; the workspace of the current directory if there are none
    pub(super) paths: Vec<PathBuf>,
    /// treat a file that does not parse as an error
    #[arg(long)]
    pub(super) strict: bool,
    /// read and analyse every file anew, and leave nothing for the next scan
    #[arg(long)]
    pub(super) no_cache: bool,
    /// print the statements of a function, or of all that touch shared state, with what they do to it
    #[arg(long, value_name = "FN", num_args = 0..=1)]
    pub(super) sections: Option<Option<String>>,
    /// apply the changes that are safe, then report what is left
    #[arg(long)]
    pub(super) fix: bool,
    /// with --fix: also change files that git could not bring back
    #[arg(long, requires = "fix")]
    pub(super) allow_dirty: bool,
    /// scan again whenever a source file changes
    #[arg(long, conflicts_with_all = ["fix", "write_baseline", "sections"])]
    pub(super) watch: bool,
    /// first run `cargo check`, or `cargo clippy`, with the same kind of output: for editors that run one command only
    #[arg(long, value_enum, value_name = "TOOL", num_args = 0..=1, default_missing_value = "check", require_equals = true)]
    pub(super) with_cargo_check: Option<CargoTool>,
    #[command(flatten)]
    pub(super) known: KnownArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// `config`
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// what would be scanned
    pub(super) paths: Vec<PathBuf>,
    /// the configuration, in place of the nearest lockcheck.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// `graph`
#[derive(Debug, clap::Args)]
pub(super) struct GraphArgs {
    /// source files and folders, or trace files; the workspace of the current directory if there are none
    pub(super) paths: Vec<PathBuf>,
    /// how to print the graph
    #[arg(long, visible_alias = "format", value_enum, default_value_t = GraphFormat::Human, value_name = "FORMAT")]
    pub(super) message_format: GraphFormat,
    /// also write it to a file; may be given several times
    #[arg(long, value_name = "FORMAT=PATH", value_parser = graph_output)]
    pub(super) output: Vec<(GraphFormat, PathBuf)>,
    /// only the locks on cycles
    #[arg(long)]
    pub(super) cycles_only: bool,
    /// print the order that the code follows today, as `[order]` of a lockcheck.toml
    #[arg(long, conflicts_with_all = ["message_format", "output", "cycles_only"])]
    pub(super) order: bool,
    /// the configuration, in place of the nearest lockcheck.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// `analyze`
#[derive(Debug, clap::Args)]
pub(super) struct AnalyzeArgs {
    /// trace files
    #[arg(required = true)]
    pub(super) traces: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// `run`
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// a scenario (see --list), an example of the package here, or a Rust file that is a program
    pub(super) name: Option<String>,
    /// list the scenarios
    #[arg(long)]
    pub(super) list: bool,
    /// run every scenario, and compare what is reported with what is expected
    #[arg(long, conflicts_with_all = [
        "name", "list", "workers", "policy", "settings", "trace", "stats", "confirm", "perturb", "seed", "runs", "replay",
        "example", "bin", "test", "lib", "package", "command",
    ])]
    pub(super) all: bool,
    /// workers of the scenario's pool
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) workers: Option<u32>,
    /// what the scenario's pool does with a submission when no worker is free
    #[arg(long, value_enum)]
    pub(super) policy: Option<Policy>,
    /// a setting of the scenario; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(super) settings: Vec<(String, String)>,
    /// keep the trace in this file
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// also show which locks cost most waiting
    #[arg(long)]
    pub(super) stats: bool,
    /// what to do when threads block each other
    #[arg(long, value_enum, default_value_t = OnDeadlock::Panic)]
    pub(super) on_deadlock: OnDeadlock,
    /// run again, steered into each predicted deadlock, and say which ones closed
    #[arg(long)]
    pub(super) confirm: bool,
    /// delay threads so that they meet in other orders; `targeted` is --confirm
    #[arg(long, value_enum, default_value_t = Perturb::None, value_name = "STRATEGY")]
    pub(super) perturb: Perturb,
    /// seed of --perturb; with --runs, the first of them
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// run up to so many times, until threads block each other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) runs: u32,
    /// steer the run by a schedule that --confirm kept
    #[arg(long, value_name = "FILE", conflicts_with_all = ["perturb", "confirm"])]
    pub(super) replay: Option<PathBuf>,
    /// end the program after this time, in seconds; scenarios end after 30 by default
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// run an example of the cargo project here
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bin", "test", "lib", "name"])]
    pub(super) example: Option<String>,
    /// run a program of the cargo project here
    #[arg(long, value_name = "NAME", conflicts_with_all = ["test", "lib", "name"])]
    pub(super) bin: Option<String>,
    /// run an integration test of the cargo project here
    #[arg(long, value_name = "NAME", conflicts_with_all = ["lib", "name"])]
    pub(super) test: Option<String>,
    /// run the unit tests of the library here
    #[arg(long, conflicts_with = "name")]
    pub(super) lib: bool,
    /// the package of the workspace here that has the target
    #[arg(short, long, value_name = "NAME")]
    pub(super) package: Option<String>,
    /// a command, usually of cargo, the programs of which are tracked; with a target or file: its arguments
    #[arg(last = true)]
    pub(super) command: Vec<std::ffi::OsString>,
}

/// `--policy`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Policy {
    /// the submitter waits
    Block,
    /// the task waits in an unbounded queue
    Queue,
    /// the submitter runs the task itself
    CallerRuns,
}

impl Policy {
    /// As users write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Policy::Block => "block",
            Policy::Queue => "queue",
            Policy::CallerRuns => "caller-runs",
        }
    }
}

/// `--perturb`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Perturb {
    /// leave the threads alone
    None,
    /// short random delays before locks
    Random,
    /// random priorities with a few changes
    Pct,
    /// steer into predicted deadlocks
    Targeted,
}

/// `--on-deadlock`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnDeadlock {
    /// let the threads hang; the program is ended once the report is complete
    Report,
    /// the thread that closes the cycle panics, so that its guards are dropped and the others go on
    Panic,
    /// abort the program
    Abort,
}

impl OnDeadlock {
    /// As the tracker's environment variable spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            OnDeadlock::Report => "report",
            OnDeadlock::Panic => "panic",
            OnDeadlock::Abort => "abort",
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Format::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

impl ValueEnum for GraphFormat {
    fn value_variants<'a>() -> &'a [Self] {
        GraphFormat::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    named_output(text, Format::ALL, Format::name)
}

fn graph_output(text: &str) -> Result<(GraphFormat, PathBuf), String> {
    named_output(text, GraphFormat::ALL, GraphFormat::name)
}

fn named_output<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<(T, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH")?;
    let format = all.iter().copied().find(|known| name(*known) == format).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|format| name(*format)).collect();
        format!("`{format}` is no format; there are {}", names.join(", "))
    })?;
    if path.is_empty() { Err("the path is missing".into()) } else { Ok((format, path.into())) }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key.is_empty() { Err("the key is missing".into()) } else { Ok((key.into(), value.into())) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(number) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds above 0".into()),
    }
}

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "lockcheck", &mut script);
    terminal::to_stdout(&script)?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn values_are_read_or_refused_with_a_reason() {
        assert_eq!(output("short=a=b"), Ok((Format::Short, "a=b".into())));
        assert_eq!(output("short").unwrap_err(), "expected FORMAT=PATH");
        assert!(output("xml=a").unwrap_err().starts_with("`xml` is no format; there are human, short"));
        assert!(output("json=").is_err());
        assert_eq!(setting("k=v=w"), Ok(("k".into(), "v=w".into())));
        assert!(setting("=v").is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}

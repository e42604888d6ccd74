//! In front of each program that cargo starts: tells the tracker inside where to write, and gives the program the
//! environment that it would have without lockcheck.
//!
//! Guarantees: compilers, build scripts and procedural macros record nothing, because they are not started through here.
//! The user's own runner runs behind this one. Each start leaves a note of what was started in the folder of traces.
//!
//! Misses: programs that take their whole environment away from their children.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::session::Settings;

/// The name under which this program is the runner.
pub(super) const NAME: &str = "lockcheck-runner";
/// The end of the names of files that say what was started.
pub(super) const STARTED: &str = "started.json";

/// Where the system looks for libraries, which cargo sets.
const LIBRARIES: &str = if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// What was started, and the beginning of the names of its traces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Started {
    /// The program's path and arguments.
    pub(super) command: Vec<String>,
    /// Its process.
    pub(super) pid: u32,
    /// The package that cargo ran it for.
    pub(super) package: Option<String>,
    /// The folder it was started in.
    pub(super) folder: Option<PathBuf>,
    /// What cargo told it in its environment.
    pub(super) environment: Vec<(String, String)>,
}

/// Runs a program: `arguments` begin with it.
pub(super) fn run(arguments: &[OsString]) -> ExitCode {
    let Some(program) = arguments.first() else { return ExitCode::from(101) };
    let Some(settings) = Settings::from_environment() else {
        return started(Command::new(program).args(&arguments[1..]));
    };
    let mut command = match settings.runner.split_first() {
        Some((runner, rest)) => {
            let mut command = Command::new(runner);
            command.args(rest).args(arguments);
            command
        }
        None => {
            let mut command = Command::new(program);
            command.args(&arguments[1..]);
            command
        }
    };
    prepare(&mut command, &settings, arguments);
    started(&mut command)
}

/// Sets the environment of a program and notes its start.
pub(super) fn prepare(command: &mut Command, settings: &Settings, arguments: &[OsString]) {
    let pid = std::process::id();
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let unique = format!("{moment:020}-{pid}");
    for (name, value) in &settings.restore {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let trace: PathBuf = settings.traces.join(format!("{unique}-%p.trace"));
    command.envs(&settings.program).env("LOCKCHECK_TRACE", trace);
    if is_test_program(arguments) {
        command.env("LOCKCHECK_TEST_PROGRAM", "1");
    }
    let words = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let from_cargo = |name: &str| name.starts_with("CARGO") || ["OUT_DIR", LIBRARIES].contains(&name);
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let note = Started {
        command: words,
        pid,
        package: std::env::var("CARGO_PKG_NAME").ok(),
        folder: std::env::current_dir().ok(),
        environment: std::env::vars_os().filter_map(text).filter(|(name, _)| from_cargo(name)).collect(),
    };
    // Without the note, reports name the process by its number.
    if let Ok(bytes) = serde_json::to_vec(&note) {
        let _ = std::fs::write(settings.traces.join(format!("{unique}-{STARTED}")), bytes);
    }
}

/// Whether cargo or rustdoc has built the program as one that runs tests: such are started where they are built.
pub(super) fn is_test_program(arguments: &[impl AsRef<OsStr>]) -> bool {
    let folder = arguments.first().and_then(|program| Path::new(program.as_ref()).parent()?.file_name());
    folder.is_some_and(|folder| folder == "deps" || folder.to_string_lossy().starts_with("rustdoctest"))
}

/// Becomes another program, or runs it and ends as it does where the system has no such thing.
pub(super) fn started(command: &mut Command) -> ExitCode {
    #[cfg(unix)]
    let failed = std::os::unix::process::CommandExt::exec(command);
    #[cfg(not(unix))]
    let failed = match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(101)),
        Err(error) => error,
    };
    let shown = command.get_program().to_string_lossy();
    // Nobody is left to tell where that fails.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("error: cannot start `{shown}`: {failed}\n").as_bytes(),
    );
    ExitCode::from(101)
}

//! One run of a program: what its wrappers must know, and the environment that makes cargo use them.
//!
//! Guarantees: all that the wrappers read stands in one file that lives as long as the [`Session`]; the traces of all
//! processes lie in one folder that goes with it.
//!
//! Misses: paths that are not UTF-8.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::cargo_config::{CargoConfig, runner_variable};
use super::command::Request;
use super::runner::{STARTED, Started};
use super::toolchain::Toolchain;
use super::wrapper::Unit;
use super::{Untrackable, folders, probe, runner, rustdoc, shim, wrapper};

/// The variable that names the file for the wrappers.
const VARIABLE: &str = "LOCKCHECK_SESSION";

/// What the wrappers must know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    /// The folder of the shims for this compiler.
    pub(super) runtime: PathBuf,
    pub(super) rustc: PathBuf,
    pub(super) rustdoc: PathBuf,
    pub(super) host: String,
    /// The user's own wrapper.
    pub(super) wrapper: Option<PathBuf>,
    /// The user's own runner.
    pub(super) runner: Vec<String>,
    pub(super) traces: PathBuf,
    /// One file per crate that could not be tracked, beside its artefacts.
    untracked: PathBuf,
    /// The environment of programs: what the tracker reads.
    pub(super) program: BTreeMap<String, String>,
    /// The environment of programs: what it was before lockcheck changed it.
    pub(super) restore: BTreeMap<String, Option<String>>,
}

impl Settings {
    pub(super) fn from_environment() -> Option<Self> {
        serde_json::from_slice(&std::fs::read(std::env::var_os(VARIABLE)?).ok()?).ok()
    }

    /// Notes that a unit was compiled without the shim. The note stays with the artefact, which cargo may use again.
    pub(super) fn untracked(&self, unit: &Unit<'_>, loss: &str, reason: &str) {
        let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
        let note = format!("crate `{}` {version}: {loss} ({reason})", unit.crate_name);
        let _ = std::fs::create_dir_all(&self.untracked);
        let _ = folders::write_whole(&self.note(unit), note.as_bytes());
    }

    /// Takes such a note back.
    pub(super) fn tracked(&self, unit: &Unit<'_>) {
        let _ = std::fs::remove_file(self.note(unit));
    }

    fn note(&self, unit: &Unit<'_>) -> PathBuf {
        self.untracked.join(format!("{}{}", unit.crate_name, unit.suffix))
    }
}

/// What the tracker inside programs is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'a> {
    /// `order` or `trace`.
    pub mode: &'a str,
    /// `report`, `panic` or `abort`.
    pub on_deadlock: &'a str,
}

/// A prepared run.
#[derive(Debug)]
pub struct Session {
    folder: TempDir,
    settings: Settings,
    artefacts: PathBuf,
    environment: Vec<(String, OsString)>,
    notes: Vec<String>,
}

/// Prepares to run a command in `cwd`: the shim is compiled and tried out, folders and wrappers are laid out.
///
/// # Errors
/// Where programs cannot be tracked here: no compiler, one that does not take the shim, no folder to write to.
pub fn prepare(request: &Request, cwd: &Path, programs: Programs<'_>) -> Result<Session, Untrackable> {
    let config = CargoConfig::read(cwd);
    let toolchain = Toolchain::find(&config, request.channel())?;
    let target_dir = target_dir(request, &config, cwd);
    let fallback = target_dir.iter().map(|target| target.join("lockcheck"));
    let base: Vec<PathBuf> = [folders::cache()].into_iter().chain(fallback).collect();
    let runtime = folders::usable(&base)?.join(&toolchain.key);
    let target = request.target().or_else(|| config.target());
    let host_shim = shim::shim(&runtime, &toolchain.rustc, &toolchain.host)?;
    probe::probe(&toolchain.rustc, &host_shim)?;

    let folder = tempfile::Builder::new().prefix("lockcheck-").tempdir();
    let folder = folder.map_err(|error| Untrackable::new(format!("no temporary folder: {error}")))?;
    let traces = folder.path().join("traces");
    let made = std::fs::create_dir_all(&traces).and_then(|()| links(&runtime.join("bin")));
    made.map_err(|error| Untrackable::new(format!("the wrappers cannot be laid out: {error}")))?;
    let own = target_dir.map(|target| folders::artefacts(&target, &toolchain.key));
    let artefacts = folders::usable(&own.into_iter().chain([runtime.join("artefacts")]).collect::<Vec<_>>())?;

    let bin = |name: &str| runtime.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut environment: Vec<(String, OsString)> = vec![
        ("RUSTC_WRAPPER".into(), bin(wrapper::NAME).into()),
        ("RUSTDOC".into(), bin(rustdoc::NAME).into()),
        ("CARGO_TARGET_DIR".into(), artefacts.clone().into()),
        // Where it is set apart from the target folder it would be shared with plain builds.
        ("CARGO_BUILD_BUILD_DIR".into(), artefacts.clone().into()),
        // Compilers and build scripts contain the tracker too.
        ("LOCKCHECK".into(), "off".into()),
        (VARIABLE.into(), folder.path().join("session.json").into()),
    ];
    let targets: Vec<String> = [toolchain.host.clone()].into_iter().chain(target.clone()).collect();
    environment.extend(targets.iter().map(|target| (runner_variable(target), bin(runner::NAME).into())));
    let before = |name: &String| (name.clone(), std::env::var(name).ok());
    let mut notes = Vec::new();
    let runner = config.runner(target.as_deref().unwrap_or(&toolchain.host));
    if runner.is_empty() && config.has_cfg_runner() {
        notes.push("a runner that cargo's configuration gives by `cfg(...)` is left out".to_owned());
    }
    let settings = Settings {
        runtime,
        rustc: toolchain.rustc,
        rustdoc: toolchain.rustdoc,
        host: toolchain.host,
        wrapper: config.wrapper(),
        runner,
        traces,
        untracked: artefacts.join("untracked"),
        program: [("LOCKCHECK", programs.mode), ("LOCKCHECK_ON_DEADLOCK", programs.on_deadlock)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        restore: environment.iter().map(|(name, _)| before(name)).collect(),
    };
    let json =
        serde_json::to_vec(&settings).map_err(|error| Untrackable::new(format!("a path is not UTF-8: {error}")))?;
    std::fs::write(folder.path().join("session.json"), json)
        .map_err(|error| Untrackable::new(format!("the temporary folder cannot be written: {error}")))?;
    Ok(Session { folder, settings, artefacts, environment, notes })
}

/// The target folder that cargo would use; `None` where there is no project.
fn target_dir(request: &Request, config: &CargoConfig, cwd: &Path) -> Option<PathBuf> {
    if let Some(named) = request.target_dir().or_else(|| config.target_dir()) {
        return Some(cwd.join(named));
    }
    let mut metadata = cargo_metadata::MetadataCommand::new();
    if let Some(cargo) = request.cargo() {
        metadata.cargo_path(cargo);
    }
    if let Some(manifest) = request.manifest() {
        metadata.manifest_path(cwd.join(manifest));
    }
    let metadata = metadata.current_dir(cwd).no_deps().other_options(vec!["--offline".to_owned()]).exec().ok()?;
    Some(metadata.target_directory.into_std_path_buf())
}

/// This program under the names of the wrappers.
fn links(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let this = std::env::current_exe()?;
    for name in [wrapper::NAME, rustdoc::NAME, runner::NAME] {
        let link = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        if std::fs::read_link(&link).is_ok_and(|to| to == this) {
            continue;
        }
        // Other runs may be using the link, so it is exchanged as a whole.
        let new = folder.join(format!("{name}.{}", std::process::id()));
        let _ = std::fs::remove_file(&new);
        #[cfg(unix)]
        std::os::unix::fs::symlink(&this, &new)?;
        #[cfg(not(unix))]
        std::fs::copy(&this, &new)?;
        std::fs::rename(&new, &link)?;
    }
    Ok(())
}

impl Session {
    /// The command in the environment that has its program tracked.
    pub fn command(&self, request: &Request) -> Command {
        let mut command = request.command_into(&self.artefacts);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The folder that the traces of all processes appear in.
    pub fn traces_folder(&self) -> &Path {
        &self.settings.traces
    }

    /// The folder for whatever else belongs to this run alone.
    pub(super) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The traces, in the order in which the programs were started.
    pub fn traces(&self) -> Vec<PathBuf> {
        let mut traces = self.files(".trace");
        traces.sort();
        traces
    }

    /// What was started, and the process that a trace is of.
    fn started(&self, trace: &Path) -> Option<(Started, String)> {
        let name = trace.file_name()?.to_str()?;
        let (unique, process) = name.strip_suffix(".trace")?.rsplit_once('-')?;
        let note = std::fs::read(trace.with_file_name(format!("{unique}-{STARTED}"))).ok()?;
        Some((serde_json::from_slice(&note).ok()?, process.to_owned()))
    }

    /// Whether a trace is that of a program that runs tests.
    pub fn runs_tests(&self, trace: &Path) -> bool {
        self.started(trace).is_some_and(|(started, _)| runner::is_test_program(&started.command))
    }

    /// The command that runs the program of a trace once more, without cargo; `None` for a child of another program, which
    /// nobody can start alone.
    pub fn again(&self, trace: &Path) -> Option<Command> {
        let (started, process) = self.started(trace)?;
        let (program, arguments) = started.command.split_first()?;
        if process.parse() != Ok(started.pid) || !self.settings.runner.is_empty() {
            return None;
        }
        let mut command = Command::new(program);
        command.args(arguments).envs(started.environment);
        if let Some(folder) = started.folder {
            command.current_dir(folder);
        }
        runner::prepare(&mut command, &self.settings, &started.command.iter().map(Into::into).collect::<Vec<_>>());
        Some(command)
    }

    /// What a trace is the trace of, as the user knows it: the program's path, with its process if it is a child's.
    pub fn program(&self, trace: &Path) -> Option<String> {
        let (started, process) = self.started(trace)?;
        let program = started.command.first()?;
        // A program of one file is started by lockcheck itself, which does not know its number when it writes the note.
        let known = self.settings.runner.is_empty() && started.pid != std::process::id();
        let child = known && process.parse() != Ok(started.pid);
        Some(if child { format!("{program}, process {process}") } else { program.clone() })
    }

    /// The processes that were started and still run, as far as the system tells: a number alone may be another's by now.
    pub fn processes(&self) -> Vec<u32> {
        let read = |path: PathBuf| serde_json::from_slice::<Started>(&std::fs::read(path).ok()?).ok();
        let ours = self.settings.traces.to_string_lossy().into_owned().into_bytes();
        let is_ours = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.windows(ours.len()).any(|window| window == ours)
        };
        self.files(STARTED).into_iter().filter_map(read).map(|started| started.pid).filter(is_ours).collect()
    }

    /// What the user should know: crates that are not tracked, settings that do not count.
    pub fn notices(&self) -> Vec<String> {
        let notes = std::fs::read_dir(&self.settings.untracked).into_iter().flatten().flatten();
        let mut notes: Vec<String> = notes.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect();
        notes.sort();
        notes.dedup();
        self.notes.iter().cloned().chain(notes).collect()
    }

    fn files(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.settings.traces).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(end)).collect()
    }
}

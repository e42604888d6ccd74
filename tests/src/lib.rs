//! Helpers of the end-to-end tests: the binary under test, folders to run it in, and the project's own sources.
//!
//! Guarantees: the binary is built once per test program, also where only this package is tested; a command that
//! hangs is ended and fails its test.
//!
//! Misses: processes that a command leaves behind.

pub mod mutate;
pub mod snippets;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The longest that any command may take.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// The path of `lockcheck` or `cargo-lockcheck`, built when first asked for.
pub fn binary(name: &'static str) -> PathBuf {
    static LOCKCHECK: OnceLock<PathBuf> = OnceLock::new();
    static CARGO: OnceLock<PathBuf> = OnceLock::new();
    let built = if name == "lockcheck" { &LOCKCHECK } else { &CARGO };
    built
        .get_or_init(|| {
            let build = escargot::CargoBuild::new().manifest_path(workspace().join("Cargo.toml"));
            let build = build.package("lockcheck").bin(name);
            build.run().expect("the binary builds").path().to_owned()
        })
        .clone()
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Done {
    /// The `lockcheck-json` document on standard output.
    pub fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs `lockcheck` in a folder, without colours that the environment asks for.
pub fn lockcheck(dir: &Path, args: &[&str]) -> Done {
    command(Command::new(binary("lockcheck")).current_dir(dir).args(args))
}

/// Runs a command to its end.
pub fn command(command: &mut Command) -> Done {
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Files instead of pipes: nobody has to read while the command runs, and nothing can fill up.
    let file = |name: &str| std::fs::File::create(folder.path().join(name)).expect("a temporary file");
    let child = command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break status;
        }
        if started.elapsed() > TIME_LIMIT {
            child.kill().expect("the child can be ended");
            child.wait().expect("the child ends");
            panic!("{command:?} took longer than {TIME_LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let read = |name: &str| {
        let bytes = std::fs::read(folder.path().join(name)).expect("a temporary file");
        String::from_utf8(bytes).unwrap_or_else(|error| panic!("{command:?}: {name} is not UTF-8: {error}"))
    };
    Done { code: status.code(), stdout: read("stdout"), stderr: read("stderr"), took: started.elapsed() }
}

/// A temporary folder with these files.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("create the folder");
        std::fs::write(path, text).expect("write the file");
    }
    dir
}

/// A file of the project.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl ProjectFile {
    /// Its lines with their numbers, without comment lines and without the test module at its end.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests").unwrap_or(self.text.len());
        let is_test = self.path.contains("/src/") && self.path.contains("/tests/")
            || self.path.ends_with("tests.rs")
            || self.path.ends_with("samples.rs");
        let text = if is_test { "" } else { &self.text[..end] };
        text.lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The project's own Rust files under a folder of the workspace, sorted.
pub fn project_files(folder: &str) -> Vec<ProjectFile> {
    let mut files = Vec::new();
    collect(&workspace().join(folder), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn collect(dir: &Path, files: &mut Vec<ProjectFile>) {
    for entry in std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(workspace()).expect("inside the workspace");
            files.push(ProjectFile { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

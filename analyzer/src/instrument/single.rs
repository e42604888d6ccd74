//! A program of one file: compiled by rustc alone, into the folder of the run.
//!
//! Guarantees: the newest edition that the file compiles in is used; the compiler's messages are those of the first try.
//!
//! Misses: dependencies; such a program is an example of a package.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::session::Session;
use super::{Untrackable, runner, shim, wrapper};

const EDITIONS: [&str; 3] = ["2024", "2021", "2018"];

/// What became of a file.
#[derive(Debug)]
pub enum Single {
    /// The command that runs it.
    Program(Command),
    /// What the compiler says against it.
    Refused(String),
}

impl Session {
    /// Compiles a program of one file and gives the command that runs it with these arguments.
    ///
    /// # Errors
    /// Where the compiler or the shim is gone since the session began.
    pub fn single(&self, file: &Path, arguments: &[OsString]) -> Result<Single, Untrackable> {
        let settings = self.settings();
        let shim = shim::shim(&settings.runtime, &settings.rustc, &settings.host)?;
        let name = file.file_stem().map_or_else(|| "program".into(), |stem| stem.to_string_lossy().replace('-', "_"));
        let program = self.scratch().join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let mut refused = None;
        for edition in EDITIONS {
            let mut compile = Command::new(&settings.rustc);
            compile
                .args(["--edition", edition, "--cap-lints", "warn", "-C", "debuginfo=1", "-o"])
                .arg(&program)
                .arg(file);
            wrapper::see_shim(&mut compile, &shim);
            let output = compile.output();
            let output =
                output.map_err(|error| Untrackable::new(format!("the compiler could not be started: {error}")))?;
            if output.status.success() {
                let mut command = Command::new(&program);
                command.args(arguments);
                let words: Vec<OsString> = [file.into()].into_iter().chain(arguments.iter().cloned()).collect();
                runner::prepare(&mut command, settings, &words);
                return Ok(Single::Program(command));
            }
            refused.get_or_insert_with(|| String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(Single::Refused(refused.unwrap_or_default()))
    }
}

//! The command that the user wants to run, as far as it must be understood: is it cargo, which toolchain, which target.
//!
//! Guarantees: nothing is changed but an explicit `--target-dir`, which gets a folder of lockcheck's own below it.
//!
//! Misses: what a script or another tool that calls cargo says on cargo's command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    words: Vec<OsString>,
}

impl Request {
    /// A command line; `None` where it is empty.
    pub fn new(words: Vec<OsString>) -> Option<Self> {
        (!words.is_empty()).then_some(Request { words })
    }

    /// As the user would write it.
    pub fn shown(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    /// Whether the command is cargo itself.
    pub fn is_cargo(&self) -> bool {
        Path::new(&self.words[0]).file_stem().is_some_and(|stem| stem == "cargo")
    }

    /// The command as it is, for where nothing can be tracked.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command
    }

    /// The command with its artefacts in this folder, where it names one.
    pub(super) fn command_into(&self, artefacts: &Path) -> Command {
        let mut request = self.clone();
        let end = self.options().len() + 1;
        for at in 1..end {
            let word = self.words[at].to_string_lossy();
            if word == "--target-dir" && at + 1 < end {
                request.words[at + 1] = artefacts.into();
            } else if word.starts_with("--target-dir=") {
                request.words[at] = "--target-dir=".into();
                request.words[at].push(artefacts);
            }
        }
        request.command()
    }

    /// The toolchain that rustup's cargo is asked for, as `+nightly`.
    pub(super) fn channel(&self) -> Option<&OsStr> {
        let word = self.words.get(1).filter(|word| self.is_cargo() && word.to_string_lossy().starts_with('+'));
        word.map(OsString::as_os_str)
    }

    pub(super) fn cargo(&self) -> Option<&OsStr> {
        self.is_cargo().then_some(self.words[0].as_os_str())
    }

    pub(super) fn target(&self) -> Option<String> {
        self.value("--target").map(|target| target.to_string_lossy().into_owned())
    }

    pub(super) fn target_dir(&self) -> Option<PathBuf> {
        self.value("--target-dir").map(PathBuf::from)
    }

    pub(super) fn manifest(&self) -> Option<PathBuf> {
        self.value("--manifest-path").map(PathBuf::from)
    }

    /// The words that cargo itself reads.
    fn options(&self) -> &[OsString] {
        let options = &self.words[1..];
        &options[..options.iter().position(|word| word == "--").unwrap_or(options.len())]
    }

    fn value(&self, name: &str) -> Option<OsString> {
        if !self.is_cargo() {
            return None;
        }
        let options = self.options();
        options.iter().enumerate().find_map(|(at, word)| {
            if word == name {
                return options.get(at + 1).cloned();
            }
            let rest = word.to_str()?.strip_prefix(name)?.strip_prefix('=')?;
            Some(rest.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Request {
        Request::new(line.split_whitespace().map(OsString::from).collect()).expect("words")
    }

    #[test]
    fn what_matters_of_cargos_command_line_is_read_up_to_its_end() {
        let cargo = request("/bin/cargo +nightly test --target=a-b --target-dir x -- --target c --target-dir y");
        assert_eq!((cargo.target().as_deref(), cargo.target_dir()), (Some("a-b"), Some("x".into())));
        assert_eq!(cargo.channel(), Some(OsStr::new("+nightly")));
        let command = cargo.command_into(Path::new("/own"));
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(words.join(" "), "+nightly test --target=a-b --target-dir /own -- --target c --target-dir y");
    }

    #[test]
    fn other_programs_are_left_as_they_are() {
        let make = request("make --target-dir x");
        assert_eq!((make.target_dir(), make.is_cargo(), make.channel()), (None, false, None));
    }
}

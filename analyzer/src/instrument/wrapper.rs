//! In front of the compiler (`RUSTC_WRAPPER`): each crate of the program is compiled against the tracked `std`.
//!
//! Guarantees: whatever is no compilation of a crate passes through unchanged, as does everything where there is no
//! session. The user's own wrapper runs behind this one. A crate that compiles plainly but not against the shim is compiled
//! plainly, and named. A crate that compiles in neither way gives its own errors.
//!
//! Misses: a lint that the user denies is a warning here, as it is for dependencies: new types give new warnings.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use super::facade;
use super::session::Settings;
use super::shim::{self, Shim};

/// The name under which this program is the wrapper.
pub(super) const NAME: &str = "lockcheck-rustc";

/// Crates below the tracker, which must see the real `std`: they are told where the others' `std` lies and no more.
const BENEATH: [&str; 1] = ["parking_lot_core"];
/// Crates that are `std` itself, where cargo builds it.
const STD: [&str; 5] = ["core", "alloc", "std", "compiler_builtins", "proc_macro"];

/// Runs the compiler: `arguments` begin with it.
pub(super) fn run(arguments: &[OsString]) -> ExitCode {
    let (settings, compilation) = (Settings::from_environment(), Compilation::read(arguments));
    let (Some(settings), Some(compilation)) = (settings, compilation) else {
        let wrapper = Settings::from_environment().and_then(|settings| settings.wrapper);
        return code(plain(wrapper, arguments).status());
    };
    if STD.contains(&compilation.name.as_str()) || compilation.has_own_std {
        settings.untracked(&compilation.unit(), "it is not tracked", "cargo builds `std` itself for this program");
        return code(plain(settings.wrapper, arguments).status());
    }
    let target = compilation.target.as_deref().unwrap_or(&settings.host);
    let shim = match shim::shim(&settings.runtime, &settings.rustc, target) {
        Ok(shim) => shim,
        Err(error) => {
            settings.untracked(&compilation.unit(), "it is not tracked", &error.to_string());
            return code(plain(settings.wrapper, arguments).status());
        }
    };
    let beneath = |arguments: &[OsString]| {
        let mut command = plain(settings.wrapper.clone(), arguments);
        find_shim(&mut command, &shim);
        command
    };
    let on_top = |arguments: &[OsString]| {
        let mut command = plain(settings.wrapper.clone(), arguments);
        see_shim(&mut command, &shim);
        if !compilation.caps_lints {
            command.arg("--cap-lints=warn");
        }
        command
    };
    if BENEATH.contains(&compilation.name.as_str()) {
        return code(beneath(arguments).status());
    }
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // A crate that the user is working on has tests that look into it.
    let is_own = std::env::var_os("CARGO_PRIMARY_PACKAGE").is_some();
    let facade = facade::facade(&compilation.name, &version).filter(|_| !is_own);
    let both = facade.and_then(|facade| facade.split(arguments, &settings.runtime.join("src")));
    let mut tries: Vec<(Command, Option<&str>)> = Vec::new();
    if let Some(both) = &both {
        let real = both.real.as_deref().map(|real| held_back(beneath(real)));
        if real.is_none_or(|real| real.succeeded()) {
            tries.push((on_top(&both.ours), None));
        }
    }
    tries.push((on_top(arguments), both.is_some().then_some("its locks are not tracked")));
    if let Some(real) = facade::towards_real(arguments) {
        tries.push((on_top(&real), Some("its locks of `lock_api` are not tracked")));
    }
    tries.push((beneath(arguments), Some("it is not tracked")));
    let mut first: Option<Ended> = None;
    for (command, loss) in tries {
        let ended = held_back(command);
        if ended.succeeded() || ended.status.is_none() {
            match (loss, &first) {
                (Some(loss), Some(first)) => settings.untracked(&compilation.unit(), loss, &first.first_error()),
                (Some(loss), None) => {
                    settings.untracked(&compilation.unit(), loss, "its real source does not compile alone")
                }
                (None, _) => settings.tracked(&compilation.unit()),
            }
            return ended.finish();
        }
        first.get_or_insert(ended);
    }
    first.map_or(ExitCode::from(101), Ended::finish)
}

/// What there is to know about a call of the compiler.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compilation {
    name: String,
    target: Option<String>,
    caps_lints: bool,
    has_own_std: bool,
    /// What cargo tells units of one crate apart by.
    suffix: String,
}

impl Compilation {
    /// `None` where nothing is compiled: cargo asks the compiler something.
    fn read(arguments: &[OsString]) -> Option<Self> {
        let mut words: Vec<String> = Vec::new();
        for argument in arguments.iter().skip(1).map(|argument| argument.to_string_lossy()) {
            match argument.strip_prefix('@').and_then(|path| std::fs::read_to_string(path).ok()) {
                Some(text) => words.extend(text.lines().map(str::to_owned)),
                None => words.push(argument.into_owned()),
            }
        }
        let mut read = Compilation::default();
        for (at, word) in words.iter().enumerate() {
            let value = |name: &str| match word.strip_prefix(name)? {
                "" => words.get(at + 1).map(String::as_str),
                rest => rest.strip_prefix('='),
            };
            if let Some(name) = value("--crate-name") {
                read.name = name.to_owned();
            } else if let Some(target) = value("--target") {
                read.target = Some(target.to_owned());
            } else if let Some(of) = value("--extern") {
                let name = of.split('=').next().unwrap_or(of);
                read.has_own_std |= name.rsplit(':').next() == Some("std");
            } else if let Some(suffix) =
                value("-C").or(word.strip_prefix("-C")).and_then(|of| of.strip_prefix("extra-filename="))
            {
                read.suffix = suffix.to_owned();
            }
            read.caps_lints |= value("--cap-lints").is_some();
        }
        (!read.name.is_empty() && read.name != "___").then_some(read)
    }

    fn unit(&self) -> Unit<'_> {
        Unit { crate_name: &self.name, suffix: &self.suffix }
    }
}

/// One unit of cargo's graph.
pub(super) struct Unit<'a> {
    pub(super) crate_name: &'a str,
    pub(super) suffix: &'a str,
}

/// Makes the compiler take the shim as `std`, and find it again where dependencies use it.
pub(super) fn see_shim(command: &mut Command, shim: &Shim) {
    let mut std = OsString::from("std=");
    std.push(&shim.library);
    command.arg("--extern").arg(std);
    find_shim(command, shim);
}

/// Makes the compiler find the shim where dependencies use it.
fn find_shim(command: &mut Command, shim: &Shim) {
    let mut folder = OsString::from("dependency=");
    folder.push(&shim.folder);
    command.arg("-L").arg(folder);
}

fn plain(wrapper: Option<PathBuf>, arguments: &[OsString]) -> Command {
    let program = arguments.first().map_or(OsStr::new("rustc"), OsString::as_os_str);
    let mut command = match wrapper {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(arguments.get(1..).unwrap_or_default());
    command
}

/// A compiler that has ended, with the error messages that nobody has seen yet.
struct Ended {
    status: Option<i32>,
    errors: Vec<Vec<u8>>,
}

/// Runs the compiler, passing on all it says but its errors.
fn held_back(mut command: Command) -> Ended {
    let Ok(mut child) = command.stderr(Stdio::piped()).spawn() else {
        let error = format!("error: `{}` could not be started\n", command.get_program().to_string_lossy());
        return Ended { status: Some(101), errors: vec![error.into_bytes()] };
    };
    let mut errors = Vec::new();
    let mut reader = BufReader::new(
        child
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>)
            .unwrap_or_else(|| Box::new(std::io::empty())),
    );
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) if is_error(&line) => errors.push(line),
            Ok(_) => say(&line),
        }
    }
    let status = child.wait().ok().and_then(|status| status.code());
    Ended { status, errors }
}

impl Ended {
    fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// Says what was held back.
    fn finish(self) -> ExitCode {
        self.errors.iter().for_each(|line| say(line));
        ExitCode::from(self.status.and_then(|status| u8::try_from(status).ok()).unwrap_or(1))
    }

    fn first_error(&self) -> String {
        let message = |line: &Vec<u8>| {
            let message: serde_json::Value = serde_json::from_slice(line).ok()?;
            Some(message.get("message")?.as_str()?.lines().next()?.to_owned())
        };
        let plain = || self.errors.first().map(|line| String::from_utf8_lossy(line).trim().to_owned());
        self.errors.iter().find_map(message).or_else(plain).unwrap_or_else(|| "the compiler gave no reason".into())
    }
}

/// Whether a line is an error message, in JSON as cargo wants it or as text.
fn is_error(line: &[u8]) -> bool {
    let has = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
    // The notes on how many errors there were belong to them.
    let json = || has(br#""level":"error"#) || has(br#""level":"failure-note""#);
    if line.starts_with(b"{") { json() } else { line.starts_with(b"error") }
}

fn say(line: &[u8]) {
    // Nobody is left to tell where that fails.
    let _ = std::io::stderr().lock().write_all(line);
}

fn code(status: std::io::Result<std::process::ExitStatus>) -> ExitCode {
    match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            say(format!("error: the compiler could not be started: {error}\n").as_bytes());
            ExitCode::from(101)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Compilation> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Compilation::read(&words)
    }

    #[test]
    fn questions_of_cargo_are_no_compilations() {
        assert_eq!(read("rustc -vV"), None);
        assert_eq!(read("rustc - --crate-name ___ --print=file-names --crate-type bin"), None);
    }

    #[test]
    fn a_compilation_is_read_in_both_spellings() {
        let line = "rustc --crate-name a --edition=2021 a.rs --cap-lints allow --target=x-y -C extra-filename=-1f \
                    --extern noprelude:std=x.rlib";
        let read = read(line).expect("a compilation");
        assert_eq!((read.name.as_str(), read.target.as_deref(), read.suffix.as_str()), ("a", Some("x-y"), "-1f"));
        assert!(read.caps_lints && read.has_own_std);
    }

    #[test]
    fn only_errors_are_held_back() {
        assert!(is_error(br#"{"$message_type":"diagnostic","message":"m","level":"error","spans":[]}"#));
        assert!(!is_error(br#"{"$message_type":"diagnostic","message":"m","level":"warning","spans":[]}"#));
        assert!(is_error(b"error[E0308]: mismatched types\n") && !is_error(b"  --> a.rs\n"));
    }
}

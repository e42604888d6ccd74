//! In front of rustdoc: documentation tests are compiled against the tracked `std`, as the crate they document is.
//!
//! Guarantees: what is no run of documentation tests passes through unchanged.
//!
//! Misses: documentation tests that do not compile against the shim fail.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use super::session::Settings;
use super::{shim, wrapper};

/// The name under which this program is rustdoc.
pub(super) const NAME: &str = "lockcheck-rustdoc";

/// Runs rustdoc with these arguments.
pub(super) fn run(arguments: &[OsString]) -> ExitCode {
    let Some(settings) = Settings::from_environment() else {
        return super::runner::started(Command::new("rustdoc").args(arguments));
    };
    let mut command = Command::new(&settings.rustdoc);
    command.args(arguments);
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    if words.iter().any(|word| word == "--test") {
        let target = words.iter().position(|word| word == "--target").and_then(|at| words.get(at + 1));
        let target = target.map_or(settings.host.as_str(), |target| target);
        if let Ok(shim) = shim::shim(&settings.runtime, &settings.rustc, target) {
            wrapper::see_shim(&mut command, &shim);
        }
    }
    super::runner::started(&mut command)
}

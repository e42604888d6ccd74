//! Tracking a program whose sources are left alone: its compiler gets a crate of ours under the name `std`.
//!
//! `rustc --extern std=SHIM -L dependency=DIR` makes rustc take our crate as `std` for the crate that is being compiled
//! (transitive dependencies, the real `std` below the shim among them, are found by their hash). The shim is all of the
//! real `std` with the tracker's `sync` and `thread` in place of its own. No text changes: what resolves is the name, so
//! macros, generated code, documentation tests and every dependency get the same types.
//!
//! ```text
//! lockcheck run -- cargo test
//!   session:  toolchain -> shim (compiled once per compiler) -> probe -> environment of cargo
//!   cargo:    RUSTC_WRAPPER -> wrapper, RUSTDOC -> rustdoc, runner of the target -> runner
//!   programs: write traces into one folder
//! ```
//!
//! Guarantees: nothing of the user's project is written to; the artefacts lie in a folder of their own. Where the
//! technique does not work with a compiler, [`prepare`] says so and the program can run untracked. A crate that cannot be
//! compiled against the shim is compiled plainly and named ([`Session::notices`]).
//!
//! Misses: that rustc takes `std` by `--extern` is a consequence of documented flags, not a documented promise, hence the
//! probe; `-Z build-std`; programs that are not started through cargo's runner are tracked without a trace.

mod cargo_config;
mod command;
mod facade;
mod folders;
mod probe;
mod runner;
mod rustdoc;
mod session;
mod shim;
mod single;
mod toolchain;
mod wrapper;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

pub use command::Request;
pub use session::{Programs, Session, prepare};
pub use single::Single;

/// Why a program cannot be tracked: one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untrackable(String);

impl Untrackable {
    fn new(message: impl Into<String>) -> Self {
        Untrackable(message.into())
    }
}

/// Does the work of a wrapper if this process was started as one, by its own name.
pub fn if_wrapper(arguments: &[OsString]) -> Option<ExitCode> {
    let name = Path::new(arguments.first()?).file_stem()?.to_str()?;
    let code = match name {
        wrapper::NAME => wrapper::run(&arguments[1..]),
        rustdoc::NAME => rustdoc::run(&arguments[1..]),
        runner::NAME => runner::run(&arguments[1..]),
        _ => return None,
    };
    Some(code)
}

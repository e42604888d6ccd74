//! Which compiler a program is built with.
//!
//! Guarantees: the same compiler gives the same [`Toolchain::key`], another one (or another version of the tracker) another.
//!
//! Misses: a compiler that only some crates are built with; its artefacts do not fit the shim and rustc says so.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use lockcheck_tracker::shim::SOURCES;
use xxhash_rust::xxh3::Xxh3;

use super::Untrackable;
use super::cargo_config::CargoConfig;

/// A compiler and what goes with it.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    /// The compiler itself, not rustup's proxy where that can be told apart.
    pub(super) rustc: PathBuf,
    /// Its documentation tool, unless the user names one.
    pub(super) rustdoc: PathBuf,
    /// The target of programs that name none.
    pub(super) host: String,
    /// Version and a hash of everything that the shim depends on, for names of folders.
    pub(super) key: String,
}

impl Toolchain {
    /// The compiler that cargo would use with this configuration; `channel`: a rustup override as `+nightly`.
    pub(super) fn find(config: &CargoConfig, channel: Option<&OsStr>) -> Result<Self, Untrackable> {
        let named = config.rustc();
        let is_named = named.is_some();
        let mut ask: Vec<OsString> = vec![named.unwrap_or_else(|| PathBuf::from("rustc")).into()];
        ask.extend(channel.filter(|_| !is_named).map(OsStr::to_owned));
        let version = output(&ask, &["-vV"])?;
        let field =
            |name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned());
        let host = field("host:").ok_or_else(|| Untrackable::new("the compiler does not name its host"))?;
        let release = field("release:").unwrap_or_else(|| "unknown".into());
        let sysroot = PathBuf::from(output(&ask, &["--print", "sysroot"])?.trim());
        let tool = |name: &str| sysroot.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let rustc = match tool("rustc") {
            direct if direct.is_file() && !is_named => direct,
            _ => PathBuf::from(&ask[0]),
        };
        let rustdoc = match config.rustdoc() {
            Some(named) => named,
            None if tool("rustdoc").is_file() => tool("rustdoc"),
            None => PathBuf::from("rustdoc"),
        };
        let key = format!("{release}-{:016x}", hash(&version));
        Ok(Toolchain { rustc, rustdoc, host, key })
    }
}

fn hash(version: &str) -> u64 {
    let mut hash = Xxh3::new();
    let parts = SOURCES.iter().flat_map(|(path, text)| [*path, *text]);
    for part in [version, env!("CARGO_PKG_VERSION")].into_iter().chain(parts) {
        hash.update(&part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.digest()
}

fn output(program: &[OsString], args: &[&str]) -> Result<String, Untrackable> {
    let shown = program[0].to_string_lossy();
    let output = Command::new(&program[0]).args(&program[1..]).args(args).output();
    let output = output.map_err(|error| Untrackable::new(format!("`{shown}` could not be started: {error}")))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        let reason = error.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim();
        return Err(Untrackable::new(format!("`{shown} {}` failed: {reason}", args.join(" "))));
    }
    String::from_utf8(output.stdout).map_err(|_| Untrackable::new(format!("`{shown} {}` is not UTF-8", args.join(" "))))
}

//! Asking cargo what the workspace is.

use std::path::Path;
use std::process::{Command, Stdio};

use cargo_metadata::{Metadata, MetadataCommand};

use super::Failure;
use super::args::CargoTool;
use super::terminal::Terminal;

/// Runs `cargo check` or `cargo clippy` over the workspace; its lines go where ours go. Whether it succeeded.
pub(super) fn check(tool: CargoTool, dir: &Path, lines: bool) -> Result<bool, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(dir).stdin(Stdio::null());
    command.arg(match tool {
        CargoTool::Check => "check",
        CargoTool::Clippy => "clippy",
    });
    command.args(["--workspace", "--all-targets"]);
    if lines {
        command.arg("--message-format=json");
    }
    let status = command.status().map_err(|error| Failure(format!("cargo cannot be started: {error}")))?;
    Ok(status.success())
}

/// What `cargo metadata --no-deps --offline` says in `dir`; `None` where there is no manifest or cargo fails, in which
/// case manifests are read directly.
pub(super) fn metadata(dir: &Path, terminal: &Terminal) -> Option<Metadata> {
    dir.ancestors().find(|folder| folder.join("Cargo.toml").is_file())?;
    let options = vec!["--offline".into()];
    match MetadataCommand::new().current_dir(dir).no_deps().other_options(options).exec() {
        Ok(metadata) => Some(metadata),
        Err(error) => {
            if terminal.is_verbose() {
                let error = error.to_string();
                let reason = error.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given");
                terminal.note(&format!(
                    "cargo could not be asked for the workspace ({reason}); manifests are read directly"
                ));
            }
            None
        }
    }
}

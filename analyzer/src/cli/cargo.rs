//! Asking cargo what the workspace is.

use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

use super::terminal::Terminal;

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

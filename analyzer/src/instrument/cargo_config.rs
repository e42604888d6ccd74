//! What the user has told cargo about tools that lockcheck puts itself in front of: compiler wrapper, rustdoc, runner.
//!
//! Read as cargo does: the environment first, then `.cargo/config.toml` of the folder and those above it, then the one of
//! `CARGO_HOME`; the first that says something counts.
//!
//! Guarantees: files that cannot be read or are no TOML say nothing.
//!
//! Misses: `include`, `--config` on cargo's command line, and `target.'cfg(...)'.runner`, which is reported by
//! [`CargoConfig::has_cfg_runner`] so that the user can be told.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Table;

/// The configuration as it holds for one folder.
#[derive(Debug)]
pub(super) struct CargoConfig {
    /// Folder that relative paths of the file count from, and what it says; nearest first.
    files: Vec<(PathBuf, Table)>,
    environment: fn(&str) -> Option<OsString>,
}

impl CargoConfig {
    /// For commands that run in `cwd`.
    pub(super) fn read(cwd: &Path) -> Self {
        let mut folders: Vec<PathBuf> = cwd.ancestors().map(|folder| folder.join(".cargo")).collect();
        let home =
            std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        folders.extend(home.filter(|home| !folders.contains(home)).into_iter().collect::<Vec<_>>());
        let files = folders.into_iter().filter_map(|folder| {
            let text =
                ["config", "config.toml"].iter().find_map(|name| std::fs::read_to_string(folder.join(name)).ok())?;
            Some((folder.parent()?.to_owned(), text.parse::<Table>().ok()?))
        });
        CargoConfig {
            files: files.collect(),
            environment: |name| std::env::var_os(name).filter(|value| !value.is_empty()),
        }
    }

    /// The compiler, where one is named.
    pub(super) fn rustc(&self) -> Option<PathBuf> {
        self.tool(&["RUSTC", "CARGO_BUILD_RUSTC"], "rustc")
    }

    /// The documentation tool, where one is named.
    pub(super) fn rustdoc(&self) -> Option<PathBuf> {
        self.tool(&["RUSTDOC", "CARGO_BUILD_RUSTDOC"], "rustdoc")
    }

    /// The user's own compiler wrapper.
    pub(super) fn wrapper(&self) -> Option<PathBuf> {
        self.tool(&["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"], "rustc-wrapper")
    }

    /// Where cargo puts its artefacts, where that is said.
    pub(super) fn target_dir(&self) -> Option<PathBuf> {
        let names = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
        if let Some(value) = names.iter().find_map(|name| (self.environment)(name)) {
            return Some(value.into());
        }
        self.files.iter().find_map(|(base, file)| Some(base.join(file.get("build")?.get("target-dir")?.as_str()?)))
    }

    /// The target to build for, where one is named.
    pub(super) fn target(&self) -> Option<String> {
        if let Some(value) = (self.environment)("CARGO_BUILD_TARGET") {
            return value.into_string().ok();
        }
        self.files.iter().find_map(|(_, file)| Some(file.get("build")?.get("target")?.as_str()?.to_owned()))
    }

    /// The user's own runner of programs for a target; empty where there is none.
    pub(super) fn runner(&self, target: &str) -> Vec<String> {
        if let Some(value) = (self.environment)(&runner_variable(target)) {
            return words(&value.to_string_lossy());
        }
        let of_file = |(base, file): &(PathBuf, Table)| {
            let runner = file.get("target")?.get(target)?.get("runner")?;
            let mut words = match runner {
                toml::Value::String(text) => words(text),
                toml::Value::Array(parts) => parts.iter().filter_map(|part| Some(part.as_str()?.to_owned())).collect(),
                _ => return None,
            };
            let program = words.first_mut()?;
            *program = located(base, program).to_string_lossy().into_owned();
            Some(words)
        };
        self.files.iter().find_map(of_file).unwrap_or_default()
    }

    /// Whether a runner is given by a `cfg(...)` only, which is left out.
    pub(super) fn has_cfg_runner(&self) -> bool {
        let targets = self.files.iter().filter_map(|(_, file)| file.get("target")?.as_table());
        targets.flatten().any(|(name, of)| name.starts_with("cfg(") && of.get("runner").is_some())
    }

    fn tool(&self, variables: &[&str], key: &str) -> Option<PathBuf> {
        if let Some(value) = variables.iter().find_map(|name| (self.environment)(name)) {
            return Some(value.into());
        }
        let of_file = |(base, file): &(PathBuf, Table)| {
            let text = file.get("build")?.get(key)?.as_str()?;
            (!text.is_empty()).then(|| located(base, text))
        };
        self.files.iter().find_map(of_file)
    }
}

/// The variable of the environment that names the runner for a target.
pub(super) fn runner_variable(target: &str) -> String {
    let name: String = target.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("CARGO_TARGET_{name}_RUNNER")
}

/// Names without a slash are looked up by the system, others count from the folder of the file.
fn located(base: &Path, text: &str) -> PathBuf {
    if text.contains(['/', '\\']) { base.join(text) } else { text.into() }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, environment: fn(&str) -> Option<OsString>) -> CargoConfig {
        let file = text.parse().expect("TOML");
        CargoConfig { files: vec![("/home/me/project".into(), file)], environment }
    }

    #[test]
    fn files_are_read_as_cargo_does() {
        let text = "[build]\nrustc-wrapper = 'sccache'\nrustdoc = 'tools/doc'\ntarget-dir = 'out'\n\
                    [target.x86_64-unknown-linux-gnu]\nrunner = 'tools/run --quiet'\n\
                    [target.'cfg(unix)']\nrunner = ['a', 'b']";
        let config = config(text, |_| None);
        assert_eq!(config.wrapper(), Some("sccache".into()));
        assert_eq!(config.rustdoc(), Some("/home/me/project/tools/doc".into()));
        assert_eq!(config.target_dir(), Some("/home/me/project/out".into()));
        assert_eq!(config.runner("x86_64-unknown-linux-gnu"), ["/home/me/project/tools/run", "--quiet"]);
        assert!(config.runner("wasm32-wasip1").is_empty() && config.rustc().is_none() && config.has_cfg_runner());
    }

    #[test]
    fn the_environment_counts_for_more() {
        let set = |name: &str| match name {
            "RUSTC_WRAPPER" => Some("ccache".into()),
            "CARGO_TARGET_A_B_RUNNER" => Some("qemu -x".into()),
            _ => None,
        };
        let config = config("[build]\nrustc-wrapper = 'sccache'", set);
        assert_eq!(config.wrapper(), Some("ccache".into()));
        assert_eq!(config.runner("a-b"), ["qemu", "-x"]);
    }
}

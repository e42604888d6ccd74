//! Which file holds the configuration.

use std::path::{Path, PathBuf};

use super::read::{WHOLE, read};
use super::{Config, ConfigError};
use crate::source::{display_path, nearest_folder};

/// Files of their own, then tables of the manifest, in the order in which they count.
const FILES: [&str; 2] = ["lockcheck.toml", ".lockcheck.toml"];
const TABLES: [[&str; 3]; 2] = [["package", "metadata", "lockcheck"], ["workspace", "metadata", "lockcheck"]];

/// Reads `named`, or else the configuration that counts for `paths`: searched from the innermost folder that holds all
/// of them (`cwd` where there are none) upwards.
///
/// # Errors
/// A named file that cannot be read; anything that is not understood. A manifest that is not TOML has no configuration:
/// that it is broken is said elsewhere.
pub fn load(named: Option<&Path>, paths: &[PathBuf], cwd: &Path) -> Result<Config, ConfigError> {
    if let Some(named) = named {
        let path = cwd.join(named);
        let unreadable =
            |error: std::io::Error| ConfigError::Unreadable { file: named.to_owned(), reason: error.to_string() };
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        // A manifest may be named as well.
        let tables: Vec<&[&str]> = match path.file_name().is_some_and(|name| name == "Cargo.toml") {
            true => TABLES.iter().map(|table| table.as_slice()).collect(),
            false => vec![WHOLE],
        };
        let folder = path.parent().unwrap_or(cwd);
        for table in tables {
            if let Some(config) = read(&text, table, &display_path(cwd, &path), folder)? {
                return Ok(config);
            }
        }
        return Ok(Config::default());
    }
    for folder in nearest_folder(paths, cwd).ancestors() {
        if let Some(config) = in_folder(folder, cwd)? {
            return Ok(config);
        }
        if is_root(folder) {
            break;
        }
    }
    Ok(Config::default())
}

fn in_folder(folder: &Path, cwd: &Path) -> Result<Option<Config>, ConfigError> {
    for name in FILES {
        let path = folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => return read(&text, WHOLE, &display_path(cwd, &path), folder),
            Err(error) if path.is_file() => {
                let file = PathBuf::from(display_path(cwd, &path));
                return Err(ConfigError::Unreadable { file, reason: error.to_string() });
            }
            Err(_) => {}
        }
    }
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    // Most manifests say nothing to us; whether the others are valid is cargo's to say.
    if !text.contains("lockcheck") || toml::de::DeTable::parse(&text).is_err() {
        return Ok(None);
    }
    for table in TABLES {
        if let Some(config) = read(&text, &table, &display_path(cwd, &path), folder)? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

/// The root of a workspace or repository: what lies above is somebody else's.
fn is_root(folder: &Path) -> bool {
    let has_workspace = || {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        text.contains("workspace")
            && toml::de::DeTable::parse(&text)
                .is_ok_and(|document| document.get_ref().iter().any(|(key, _)| key.get_ref() == "workspace"))
    };
    folder.join(".git").exists() || has_workspace()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("dir");
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("create");
            std::fs::write(path, text).expect("write");
        }
        dir
    }

    fn level(level: &str) -> String {
        format!("[rules]\nall = \"{level}\"\n")
    }

    fn table(table: &str, name: &str) -> String {
        format!("[{table}]\n[{table}.metadata.lockcheck.rules]\nall = \"{name}\"\n")
    }

    fn found(dir: &tempfile::TempDir, path: &str) -> Option<(String, Level)> {
        let config = load(None, &[dir.path().join(path)], dir.path()).expect("valid");
        Some((config.file?, config.levels.first()?.1))
    }

    #[test]
    fn the_nearest_configuration_counts_and_files_before_tables() {
        let (workspace, package) = (table("workspace", "note"), table("package", "warn"));
        let dir = project(&[
            ("lockcheck.toml", &level("allow")),
            ("w/Cargo.toml", &workspace),
            ("w/a/Cargo.toml", &package),
            ("w/a/src/lib.rs", ""),
            ("w/b/.lockcheck.toml", &level("deny")),
            ("w/b/src/lib.rs", ""),
            ("w/c/src/lib.rs", ""),
            ("x/lib.rs", ""),
        ]);
        let expected = [
            ("w/a/src/lib.rs", "w/a/Cargo.toml", Level::Warn),
            ("w/b/src", "w/b/.lockcheck.toml", Level::Deny),
            ("w/c", "w/Cargo.toml", Level::Note),
            ("x", "lockcheck.toml", Level::Allow),
        ];
        for (path, file, level) in expected {
            assert_eq!(found(&dir, path), Some((file.to_owned(), level)), "{path}");
        }
        let both = [dir.path().join("w/a/src"), dir.path().join("w/b/src/lib.rs")];
        assert_eq!(load(None, &both, dir.path()).expect("valid").file.as_deref(), Some("w/Cargo.toml"));
        let member = dir.path().join("w/a");
        assert_eq!(load(None, &[], &member).expect("valid").file.as_deref(), Some("Cargo.toml"));
    }

    #[test]
    fn the_search_ends_at_the_root_of_the_workspace() {
        let dir = project(&[
            ("lockcheck.toml", &level("allow")),
            ("w/Cargo.toml", "[workspace]\n"),
            ("w/a/src/lib.rs", ""),
            ("r/.git/HEAD", ""),
            ("r/a/lib.rs", ""),
        ]);
        assert_eq!(found(&dir, "w/a"), None);
        assert_eq!(found(&dir, "r/a"), None);
    }

    #[test]
    fn a_named_file_must_be_there() {
        let dir = project(&[("mine.toml", &level("warn")), ("lockcheck.toml", "nonsense")]);
        let named = |name: &str| load(Some(Path::new(name)), &[], dir.path());
        assert_eq!(named("mine.toml").expect("valid").file.as_deref(), Some("mine.toml"));
        let error = named("no.toml").expect_err("missing").to_string();
        assert!(error.starts_with("the configuration `no.toml` cannot be read: "), "{error}");
        assert!(load(None, &[], dir.path()).is_err(), "a broken one is an error");
    }

    #[test]
    fn a_broken_manifest_is_not_ours_to_report() {
        let dir = project(&[("Cargo.toml", "[package\nname = \"lockcheck\"")]);
        assert!(load(None, &[], dir.path()).is_ok_and(|config| config.file.is_none()));
    }
}

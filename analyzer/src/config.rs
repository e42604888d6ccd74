//! `lockcheck.toml`: levels of rules, lock types of the user's own, files to leave out.
//!
//! ```toml
//! exclude = ["generated/"]            # as in a .gitignore, relative to this file
//!
//! [rules]                             # rules, groups or `all`; the narrowest name counts
//! guard_across_await = "warn"         # allow, note, warn, deny
//!
//! [locks."bank::sync::SpinLock"]      # the type's path; its last parts are enough
//! acquire = ["lock"]                  # methods that wait until the lock is free
//! shared = ["read"]                   # likewise, but they let other readers in
//! try = ["try_lock", "try_read"]      # methods that never wait; shared where `shared` has the rest of the name
//! guard = "bank::sync::SpinGuard"     # what they give; only needed where their return type does not say it
//! reentrant = false                   # whether its holder may take it again
//!
//! [order]                             # locks by the names that reports show, outermost first
//! bank = ["Bank.accounts", "Bank.log"]
//! ```
//!
//! The first of these that there is counts, alone: `lockcheck.toml`, `.lockcheck.toml`, `[package.metadata.lockcheck]` and
//! `[workspace.metadata.lockcheck]` of `Cargo.toml`; in the folder that is looked at, then in those above it up to the
//! root of the workspace or repository.
//!
//! Guarantees: a key or value that is not understood is an error that names the place, and the mend where there is a near
//! name; nothing is ignored silently.
//!
//! Misses: one configuration per run; members of a workspace cannot differ.

mod find;
mod read;

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::documented::Chain;
use crate::finding::{Level, Notice, NoticeKind};
use crate::model::Model;
use crate::model::user_locks::UserLock;
use crate::rules::selector::Selector;

pub use find::load;

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file it was read from, as the user would name it.
    pub file: Option<String>,
    /// Levels, widest selectors first: a later one counts for more.
    pub levels: Vec<(Selector, Level)>,
    /// Lock types.
    pub locks: Vec<UserLock>,
    /// The documented order of locks.
    pub order: Vec<Chain>,
    /// Files to leave out.
    pub exclude: Exclude,
}

impl Config {
    /// Tells the model of the user's lock types; gives what was named and is not there.
    pub fn locks_of(&self, model: &mut Model<'_>) -> Vec<Notice> {
        let notice = |message| Notice { kind: NoticeKind::Configuration, file: self.file.clone(), line: None, message };
        model.name_locks(&self.locks).into_iter().map(notice).collect()
    }
}

/// Files to leave out.
#[derive(Clone, Debug, Default)]
pub struct Exclude(Option<Gitignore>, Vec<String>);

impl Exclude {
    /// Patterns as in a `.gitignore` in `folder`.
    ///
    /// # Errors
    /// The pattern that is none, by index, with the reason.
    pub fn new(folder: &Path, patterns: &[String]) -> Result<Exclude, (usize, String)> {
        let mut builder = GitignoreBuilder::new(folder);
        for (index, pattern) in patterns.iter().enumerate() {
            builder.add_line(None, pattern).map_err(|error| (index, reason(&error)))?;
        }
        let built = builder.build().map_err(|error| (0, reason(&error)))?;
        Ok(Exclude((!patterns.is_empty()).then_some(built), patterns.to_vec()))
    }

    /// As they were written.
    pub fn patterns(&self) -> &[String] {
        &self.1
    }

    /// Whether a file is left out. `file` is absolute.
    pub fn contains(&self, file: &Path) -> bool {
        self.0.as_ref().is_some_and(|patterns| {
            file.starts_with(patterns.path()) && patterns.matched_path_or_any_parents(file, false).is_ignore()
        })
    }
}

fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        ignore::Error::WithLineNumber { err, .. } | ignore::Error::WithPath { err, .. } => reason(err),
        other => other.to_string(),
    }
}

/// Why there is no configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Something in it is not understood.
    #[error("{file}:{line}:{column}: {message}")]
    Invalid {
        /// The file, as the user would name it.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong, and the mend.
        message: String,
    },
}

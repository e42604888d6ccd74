//! `scan --fix`: applies the changes that are safe.
//!
//! Guarantees: only [`crate::fix`]'s safe changes; a file is written whole or not at all, with its byte order mark and line
//! breaks; nothing is changed where git would not have the old text, unless the user allows it.
//!
//! Misses: findings that appear only after a change; a second call finds those.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::Failure;
use crate::finding::Report;
use crate::fix::{Fix, apply, fixes};
use crate::source::{Sources, Texts};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mended {
    pub(super) changes: usize,
    pub(super) files: usize,
}

/// Mends what can be mended without asking.
pub(super) fn mend(report: &Report, sources: &Sources, cwd: &Path, allow_dirty: bool) -> Result<Mended, Failure> {
    let texts = Texts::from_sources(sources);
    let mut by_file: BTreeMap<String, Vec<Fix>> = BTreeMap::new();
    for fix in report.findings.iter().flat_map(|finding| fixes(finding, &|file| texts.get(file))) {
        if fix.safe {
            by_file.entry(fix.file.clone()).or_default().push(fix);
        }
    }
    let mut mended = Mended { changes: 0, files: by_file.len() };
    for name in by_file.keys().filter(|_| !allow_dirty) {
        saved(name, cwd)?;
    }
    for (name, fixes) in &by_file {
        let Some(file) = sources.files.iter().find(|file| file.display == *name) else { continue };
        let mut text = if file.text.bom_len() > 0 { String::from("\u{feff}") } else { String::new() };
        text.push_str(&apply(&file.text, &fixes.iter().collect::<Vec<_>>()));
        std::fs::write(&file.path, text).map_err(|error| Failure(format!("`{name}` cannot be written: {error}")))?;
        mended.changes += fixes.len();
    }
    Ok(mended)
}

/// An error where git does not have the file as it is.
fn saved(file: &str, cwd: &Path) -> Result<(), Failure> {
    let allow = "`--allow-dirty` changes it all the same";
    let status = Command::new("git").current_dir(cwd).args(["status", "--porcelain", "--ignored", "--", file]).output();
    match status {
        Ok(done) if done.status.success() && done.stdout.is_empty() => Ok(()),
        Ok(done) if done.status.success() => {
            Err(Failure(format!("`{file}` has changes that are not committed; {allow}")))
        }
        _ => Err(Failure(format!("`{file}` is in no git repository that could bring it back; {allow}"))),
    }
}

//! Paths of a recorded program as the user has them: relative to the current directory.
//!
//! The compiler names the files of a workspace relative to its root, and everything else as cargo gives it, absolute.
//!
//! Guarantees: only paths change, and only to such as exist, in places, locks and the texts that name them.
//!
//! Misses: files that are gone since the program was built.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::finding::{Finding, Report};

/// Rewrites the paths of a report; `root`: the workspace's folder.
pub(super) fn from_here(report: &mut Report, root: &Path, cwd: &Path) {
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    for finding in &mut report.findings {
        let Finding { primary, related, threads, locks, message, help, schedule, .. } = finding;
        let steps = threads.iter_mut().flat_map(|thread| &mut thread.steps);
        let files: Vec<&mut String> = [&mut *primary]
            .into_iter()
            .chain(related)
            .chain(steps)
            .chain(schedule.iter_mut().filter_map(|step| step.at.as_mut()))
            .map(|place| &mut place.file)
            .chain(locks.iter_mut().map(|lock| &mut lock.file))
            .collect();
        let mut changed: BTreeMap<String, String> = BTreeMap::new();
        for file in files {
            let new = known.entry(file.clone()).or_insert_with(|| seen_from(file, root, cwd)).clone();
            if let Some(new) = new {
                changed.insert(std::mem::replace(file, new.clone()), new);
            }
        }
        // Locks without a name are called by their place.
        let names = locks.iter_mut().map(|lock| &mut lock.name);
        let labels = [primary].into_iter().chain(&mut finding.related).map(|place| &mut place.label);
        let steps = finding.threads.iter_mut().flat_map(|thread| &mut thread.steps).map(|place| &mut place.label);
        let schedule = schedule.iter_mut().flat_map(|step| [&mut step.thread, &mut step.does]);
        for text in [message, help].into_iter().chain(names).chain(labels).chain(steps).chain(schedule) {
            for (old, new) in &changed {
                *text = text.replace(&format!("({old}:"), &format!("({new}:"));
            }
            *text = without_registry(text);
        }
    }
}

/// A text in which files of published crates are called by crate and version: `(dashmap-6.2.1/src/lib.rs:928)`.
fn without_registry(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("/registry/src/") {
        let after = &rest[at + "/registry/src/".len()..];
        let opening = rest[..at].rfind('(');
        let (Some(opening), Some(slash)) = (opening, after.find('/')) else { break };
        if rest[opening + 1..at].contains([' ', ')']) {
            break;
        }
        out.push_str(&rest[..=opening]);
        rest = &after[slash + 1..];
    }
    out + rest
}

/// The path as seen from `cwd`; `None` where it stays.
fn seen_from(file: &str, root: &Path, cwd: &Path) -> Option<String> {
    if file.is_empty() {
        return None;
    }
    let path = root.join(file);
    if !path.is_file() {
        return None;
    }
    let relative = match path.strip_prefix(cwd) {
        Ok(below) => below.to_owned(),
        // What lies outside of the workspace is told apart by being absolute.
        Err(_) if !path.starts_with(root) => return None,
        Err(_) => {
            let above = cwd.strip_prefix(root).ok()?.components().map(|_| Component::ParentDir);
            above.collect::<PathBuf>().join(path.strip_prefix(root).ok()?)
        }
    };
    let relative = relative.to_string_lossy().replace('\\', "/");
    (relative != file).then_some(relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_crates_are_called_by_their_names() {
        let text =
            "takes `RwLock (/home/me/.cargo/registry/src/index.crates.io-19/dashmap-6.2.1/src/lib.rs:9)` in (a.rs:1)";
        assert_eq!(without_registry(text), "takes `RwLock (dashmap-6.2.1/src/lib.rs:9)` in (a.rs:1)");
        assert_eq!(without_registry("see /registry/src/x"), "see /registry/src/x");
    }

    #[test]
    fn files_of_the_workspace_are_seen_from_the_current_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for member in ["a", "b"] {
            std::fs::create_dir_all(root.join(member)).expect("made");
            std::fs::write(root.join(member).join("lib.rs"), "").expect("written");
        }
        let cwd = root.join("a");
        assert_eq!(seen_from("a/lib.rs", root, root), None);
        assert_eq!(seen_from("a/lib.rs", root, &cwd).as_deref(), Some("lib.rs"));
        assert_eq!(seen_from("b/lib.rs", root, &cwd).as_deref(), Some("../b/lib.rs"));
        assert_eq!(seen_from(&root.join("a/lib.rs").to_string_lossy(), root, &cwd).as_deref(), Some("lib.rs"));
        assert_eq!(seen_from("c/lib.rs", root, &cwd), None);
        assert_eq!(seen_from("", root, &cwd), None);
    }
}

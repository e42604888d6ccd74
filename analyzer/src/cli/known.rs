//! `--baseline`, `--write-baseline`, `--prune-baseline` and `--new-since`: findings that are known already.
//!
//! Guarantees: a baseline that cannot be read or written is an error, never a scan without one; `--new-since` compares with
//! the findings of that revision, by fingerprint, so that moved lines are not new; neither the work tree nor git's index is
//! touched.
//!
//! Misses: with `--new-since`, lock types of another configuration than today's.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Failure;
use super::args::{KnownArgs, ReportArgs};
use super::terminal::Terminal;
use crate::baseline::{Baseline, FILE};
use crate::config::Config;
use crate::finding::{Notice, NoticeKind, Report};
use crate::source::{Request, Sources, discover_without};

/// Takes what the baseline knows out of a report.
pub(super) fn apply_baseline(args: &ReportArgs, report: &mut Report) -> Result<(), Failure> {
    if let Some(path) = &args.baseline {
        read(path)?.apply(report);
    }
    Ok(())
}

/// The same for a scan, which also knows what is gone, and may write the baseline. Gives whether it did: then there is
/// nothing left to report.
pub(super) fn scan(
    args: &ReportArgs,
    known: &KnownArgs,
    report: &mut Report,
    sources: &Sources,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    let path = args.baseline.clone().unwrap_or_else(|| FILE.into());
    if known.write_baseline {
        let baseline = Baseline::of(report);
        write(&path, &baseline)?;
        terminal.note(&format!("findings written to `{}`: {}", path.display(), baseline.len()));
        return Ok(true);
    }
    if args.baseline.is_none() && !known.prune_baseline {
        return Ok(false);
    }
    let baseline = read(&path)?;
    // What lies in files that were not looked at may still be there.
    let looked_at = |file: &str| sources.files.iter().any(|each| each.display == file) || !Path::new(file).exists();
    let gone = baseline.apply(report).of_files(looked_at);
    if known.prune_baseline {
        write(&path, &baseline.without(&gone))?;
        terminal.note(&format!("findings taken out of `{}`, as they are gone: {}", path.display(), gone.len()));
    } else if !gone.is_empty() {
        report.notices.push(Notice {
            kind: NoticeKind::Configuration,
            file: Some(path.to_string_lossy().replace('\\', "/")),
            line: None,
            message: format!("findings in it that are gone: {}; `--prune-baseline` takes them out", gone.len()),
        });
    }
    Ok(false)
}

/// The baseline of a file.
pub(super) fn read(path: &Path) -> Result<Baseline, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure(format!("the baseline `{shown}` cannot be read: {error}")))?;
    Baseline::read(&text).map_err(|error| Failure(format!("the baseline `{shown}` cannot be used: {error}")))
}

fn write(path: &Path, baseline: &Baseline) -> Result<(), Failure> {
    std::fs::write(path, baseline.write())
        .map_err(|error| Failure(format!("the baseline `{}` cannot be written: {error}", path.display())))
}

/// Takes out of a report what was there at a revision already.
pub(super) fn new_since(
    revision: &str,
    report: &mut Report,
    paths: &[PathBuf],
    cwd: &Path,
    config: &Config,
    levels: &super::levels::Levels,
) -> Result<(), Failure> {
    let top = PathBuf::from(git(cwd, &["rev-parse", "--show-toplevel"])?.trim());
    let folder = tempfile::Builder::new().prefix("lockcheck-").tempdir();
    let folder = folder.map_err(|error| Failure(format!("no temporary folder for `{revision}`: {error}")))?;
    let tree = folder.path().join("tree");
    let commit = git(cwd, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])?;
    let index = folder.path().join("index");
    let prefix = format!("--prefix={}/", tree.display());
    for arguments in [&["read-tree", commit.trim()][..], &["checkout-index", "--all", "--force", &prefix]] {
        let command = Command::new("git").current_dir(&top).env("GIT_INDEX_FILE", &index).args(arguments).output();
        output(command, arguments)?;
    }
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (cwd, top, tree) = (canonical(cwd), canonical(&top), canonical(&tree));
    let Ok(below) = cwd.strip_prefix(&top) else { return Ok(()) };
    let there = tree.join(below);
    let in_tree = |path: &PathBuf| match cwd.join(path).strip_prefix(&top) {
        Ok(inside) => tree.join(inside),
        Err(_) => there.join(path),
    };
    let paths: Vec<PathBuf> = paths.iter().map(in_tree).collect();
    let known: Vec<PathBuf> = paths.iter().filter(|path| path.exists()).cloned().collect();
    // What was not there then is new altogether.
    if !there.is_dir() || (known.is_empty() && !paths.is_empty()) {
        return Ok(());
    }
    let request = Request { paths: &known, cwd: &there, metadata: None };
    let excluded =
        |file: &Path| file.strip_prefix(&tree).is_ok_and(|inside| config.exclude.contains(&top.join(inside)));
    let Ok(sources) = discover_without(&request, &excluded) else { return Ok(()) };
    let mut old = crate::scan_with(&sources, config);
    levels.apply(&mut old);
    let suppressed = report.summary.suppressed;
    Baseline::of(&old).apply(report);
    report.summary.suppressed = suppressed;
    Ok(())
}

fn git(cwd: &Path, arguments: &[&str]) -> Result<String, Failure> {
    output(Command::new("git").current_dir(cwd).args(arguments).output(), arguments)
}

fn output(done: std::io::Result<std::process::Output>, arguments: &[&str]) -> Result<String, Failure> {
    let done = done.map_err(|error| Failure(format!("git cannot be started: {error}")))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let said = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given");
    let said = said.strip_prefix("fatal: ").unwrap_or(said);
    Err(Failure(format!("git {} failed: {said}", arguments.first().copied().unwrap_or_default())))
}

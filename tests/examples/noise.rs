//! How quiet the static pass is on good, published code: `cargo run -p lockcheck-tests --example noise`.
//!
//! Fetches the crates that `tests/noise/verdicts.toml` pins (from the registry, through a package made for that), scans
//! each, prints a table and compares what is found with the verdicts. Ends with 1 where a deny finding has no verdict,
//! where more than [`MOST_FALSE`] are judged false, where warnings exceed one per [`LINES_PER_WARNING`] lines or less
//! than [`LEAST_RESOLVED`] percent of the acquisitions are resolved; with 2 where it could not do its job. Entries for
//! findings without a verdict are printed as TOML, to be judged and pasted. Arguments name the crates to look at; none
//! means all.
//!
//! Guarantees: each crate is scanned by itself, as its author publishes it; nothing of it is built or run.
//!
//! Misses: what a verdict is worth. Each was given by reading the sources that the finding names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use lockcheck::finding::{Finding, Level, Report};
use lockcheck::source::{Request, discover};
use lockcheck_tests::{folder, workspace};
use serde::Deserialize;

/// Deny findings that may be judged false, over all crates.
const MOST_FALSE: usize = 3;
/// One warning in so many lines is allowed, over all crates.
const LINES_PER_WARNING: usize = 10_000;
/// Percent of the acquisitions whose lock is known, over all crates.
const LEAST_RESOLVED: f64 = 95.0;

/// The verdict file.
#[derive(Deserialize)]
struct Verdicts {
    /// What is scanned: version by crate.
    crates: BTreeMap<String, String>,
    /// What was judged.
    finding: Vec<Judged>,
}

/// A finding somebody judged.
#[derive(Deserialize)]
struct Judged {
    #[serde(rename = "crate")]
    krate: String,
    rule: String,
    fingerprint: String,
    /// The locks: a cycle of these is the same one, whichever of its witnesses is shown.
    locks: Vec<String>,
    verdict: Verdict,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    True,
    False,
    Unclear,
}

/// Everything that was counted.
#[derive(Default)]
struct Total {
    lines: usize,
    acquisitions: usize,
    unresolved: usize,
    warn: usize,
    judged: [usize; 3],
    missing: Vec<String>,
    gone: Vec<String>,
}

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("noise: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(only: &[String]) -> Result<ExitCode, String> {
    let path = workspace().join("tests/noise/verdicts.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let verdicts: Verdicts = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(unknown) = only.iter().find(|name| !verdicts.crates.contains_key(*name)) {
        return Err(format!("no crate `{unknown}` in {}", path.display()));
    }
    if let Some(judged) = verdicts.finding.iter().find(|judged| judged.reason.trim().is_empty()) {
        return Err(format!("the verdict on {} {} has no reason", judged.krate, judged.fingerprint));
    }
    let wanted = verdicts.crates.iter().filter(|(name, _)| only.is_empty() || only.contains(name));
    println!(
        "{:<28} {:>8} {:>6} {:>9} {:>5} {:>5} {:>5} {:>6}",
        "crate", "lines", "locked", "resolved", "deny", "warn", "note", "ms"
    );
    let mut total = Total::default();
    for (name, version) in wanted {
        let folder = fetch(name, version)?;
        let started = Instant::now();
        let request = Request { paths: std::slice::from_ref(&folder), cwd: &folder, metadata: None };
        let sources = discover(&request).map_err(|error| format!("{name}: {error}"))?;
        let report = lockcheck::scan(&sources);
        row(&format!("{name} {version}"), &report, started.elapsed().as_millis());
        let judged: Vec<&Judged> = verdicts.finding.iter().filter(|judged| judged.krate == *name).collect();
        total.add(name, &report, &judged);
    }
    Ok(total.conclude())
}

fn row(name: &str, report: &Report, ms: u128) {
    let summary = &report.summary;
    println!(
        "{name:<28} {:>8} {:>6} {:>8.1}% {:>5} {:>5} {:>5} {ms:>6}",
        summary.lines,
        summary.acquisitions,
        percent(summary.acquisitions, summary.unresolved),
        summary.deny,
        summary.warn,
        summary.note
    );
}

fn percent(all: usize, unresolved: usize) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * (all - unresolved) as f64 / all as f64 }
}

impl Total {
    fn add(&mut self, name: &str, report: &Report, judged: &[&Judged]) {
        self.lines += report.summary.lines;
        self.acquisitions += report.summary.acquisitions;
        self.unresolved += report.summary.unresolved;
        self.warn += report.summary.warn;
        let is = |judged: &Judged, finding: &Finding| {
            let cycle = finding.rule == "lock_order_inversion" && same_locks(&judged.locks, finding);
            judged.rule == finding.rule && (cycle || judged.fingerprint == finding.fingerprint.to_string())
        };
        for finding in report.findings.iter().filter(|finding| finding.level == Level::Deny) {
            match judged.iter().find(|judged| is(judged, finding)) {
                Some(judged) => self.judged[judged.verdict as usize] += 1,
                None => self.missing.push(entry(name, finding)),
            }
        }
        for judged in judged.iter().filter(|judged| !report.findings.iter().any(|finding| is(judged, finding))) {
            self.gone.push(format!("{name}: {} {} ({})", judged.rule, judged.fingerprint, judged.reason));
        }
    }

    fn conclude(&self) -> ExitCode {
        let resolved = percent(self.acquisitions, self.unresolved);
        let [right, wrong, unclear] = self.judged;
        println!(
            "\n{} lines, {} acquisitions ({resolved:.1}% resolved), {} warnings; deny findings: {right} true, {wrong} \
             false, {unclear} unclear, {} without a verdict",
            self.lines,
            self.acquisitions,
            self.warn,
            self.missing.len()
        );
        for gone in &self.gone {
            println!("no longer found: {gone}");
        }
        let mut problems = Vec::new();
        if !self.missing.is_empty() {
            println!("\n# read the places, then paste into tests/noise/verdicts.toml");
            self.missing.iter().for_each(|entry| print!("\n{entry}"));
            problems.push(format!("{} deny findings have no verdict", self.missing.len()));
        }
        if wrong > MOST_FALSE {
            problems.push(format!("{wrong} deny findings are judged false, more than {MOST_FALSE}"));
        }
        if self.warn > self.lines / LINES_PER_WARNING + usize::from(self.lines < LINES_PER_WARNING) {
            problems.push(format!("{} warnings are more than one in {LINES_PER_WARNING} lines", self.warn));
        }
        if resolved < LEAST_RESOLVED {
            problems.push(format!("{resolved:.1}% of the acquisitions are resolved, less than {LEAST_RESOLVED}%"));
        }
        for problem in &problems {
            eprintln!("noise: {problem}");
        }
        ExitCode::from(u8::from(!problems.is_empty()))
    }
}

fn same_locks(names: &[String], finding: &Finding) -> bool {
    let (mut ours, mut theirs): (Vec<&str>, Vec<&str>) =
        (names.iter().map(String::as_str).collect(), finding.locks.iter().map(|lock| lock.name.as_str()).collect());
    ours.sort_unstable();
    theirs.sort_unstable();
    ours == theirs
}

/// A verdict to be filled in.
fn entry(name: &str, finding: &Finding) -> String {
    let places: Vec<String> = std::iter::once(&finding.primary)
        .chain(&finding.related)
        .map(|place| format!("#   {}:{} {}", place.file, place.line, place.label))
        .collect();
    format!(
        "# {}\n{}\n[[finding]]\ncrate = {name:?}\nrule = {:?}\nfingerprint = \"{}\"\nlocks = {:?}\nverdict = \"true, false or \
         unclear\"\nreason = \"\"\n",
        finding.message,
        places.join("\n"),
        finding.rule,
        finding.fingerprint,
        finding.locks.iter().map(|lock| lock.name.as_str()).collect::<Vec<_>>()
    )
}

/// The folder in which cargo has the sources of this version of a crate; fetches them where needed.
fn fetch(name: &str, version: &str) -> Result<PathBuf, String> {
    let manifest = format!(
        "[package]\nname = \"noise\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies.{name}]\nversion = \
         \"={version}\"\ndefault-features = false\n\n[workspace]\n"
    );
    let package = folder(&[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
    let manifest = package.path().join("Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo)
        .args(["fetch", "--quiet", "--manifest-path"])
        .arg(&manifest)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !done.success() {
        return Err(format!("cargo could not fetch {name} {version}"));
    }
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(&manifest)
        .other_options(["--offline".to_string()])
        .exec()
        .map_err(|error| format!("{name} {version}: {error}"))?;
    let found = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let folder = found.and_then(|package| package.manifest_path.parent());
    folder.map(|folder| folder.as_std_path().to_owned()).ok_or_else(|| format!("cargo names no folder for {name}"))
}

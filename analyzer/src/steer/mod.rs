//! From a predicted deadlock or lost update to a schedule that a second run can be steered by, and back: was it confirmed?
//!
//! ```text
//! trace -> prediction -> Plan -> file -> LOCKCHECK_SCHEDULE of another run -> trace -> confirmed?
//! ```
//!
//! Guarantees: a plan is text, the same for the same trace; a confirmation is a deadlock that the tracker observed in
//! the steered run, over the lock classes of the prediction in the same order, or a lost update of the predicted cell that
//! happened in it.
//!
//! Misses: runs that take another branch than the recorded one; tasks that their submitter ran itself are steered by place only.

use std::path::{Path, PathBuf};

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Report};
use crate::graph::cycles::Limits;
use crate::rules;
use crate::trace::history::{History, Places};
use crate::trace::{self, Names, TraceError, accesses, order, predict, read, tasks};

mod actors;
mod lost;
mod plan;

/// How to get into one predicted deadlock or lost update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the finding.
    pub fingerprint: Fingerprint,
    /// The file for `LOCKCHECK_SCHEDULE=replay:FILE`.
    pub text: String,
    /// Whether it leads into a deadlock; else into a lost update.
    pub hangs: bool,
}

/// Plans for the predictions of recorded runs, one per finding; each trace is taken for a process of its own.
pub fn plans(traces: &[PathBuf]) -> Result<Vec<Plan>, TraceError> {
    let mut plans: Vec<Plan> = Vec::new();
    for path in traces {
        let mut recording = read::read_file(path, &mut Vec::new())?;
        let ordered = order::order(std::mem::take(&mut recording.streams));
        let (_, lost) = accesses::accesses(&recording, &ordered);
        let actors = tasks::split(&recording, ordered);
        let history = History::new(&recording, &actors, Places::Apart);
        let predictions = predict::predict(&history, Limits::default());
        let names = Names::new(&recording);
        let run = plan::Run::new(&recording, &actors, &history, &names);
        for plan in run.plans(&predictions).into_iter().chain(lost::plans(&run, &lost)) {
            if plans.iter().all(|known| known.fingerprint != plan.fingerprint) {
                plans.push(plan);
            }
        }
    }
    Ok(plans)
}

/// Which findings the deadlocks and lost updates observed in a run confirm.
pub fn confirmed_by(traces: &[PathBuf]) -> Result<Vec<Fingerprint>, TraceError> {
    let (_, replay, _) = trace::load(traces)?;
    let lost = replay.lost_updates.iter().filter(|lost| lost.observed);
    let lost = lost.map(|lost| rules::lost_update::fingerprint(&replay.names, &replay.recording, lost.cell));
    Ok(rules::observed_fingerprints(&replay).into_iter().chain(lost).collect())
}

/// Marks what a steered run has confirmed; `again` tells the reader how to repeat it.
pub fn confirm(report: &mut Report, fingerprint: Fingerprint, again: &str) {
    for finding in report.findings.iter_mut().filter(|finding| is_open(finding, fingerprint)) {
        finding.evidence = Evidence::Confirmed;
        if let Some(doubt) = finding.message.find(rules::DOUBT) {
            finding.message.truncate(doubt);
            finding.message.push_str(rules::PREDICTED);
            (finding.level, finding.confidence) = (Level::Deny, Confidence::High);
        }
        if finding.rule == rules::lost_update::RULE.id {
            finding.level = rules::lost_update::RULE.level;
            finding.message.push_str("; a steered run lost it");
        }
        finding.message = finding.message.replace(rules::PREDICTED, "a steered run deadlocked there");
        finding.help = format!("{}; {again}", finding.help);
    }
}

/// Whether the finding is a prediction of this fingerprint, or would be but for a doubt that a steered run can take away.
pub fn is_open(finding: &Finding, fingerprint: Fingerprint) -> bool {
    let in_doubt = finding.evidence == Evidence::Possible && !finding.schedule.is_empty();
    (finding.evidence == Evidence::Predicted || in_doubt) && finding.fingerprint == fingerprint
}

/// Where the schedule of a confirmed finding is kept: in the project's `target`, else in the temporary folder.
pub fn folder(here: &Path) -> PathBuf {
    let project = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file() && folder.join("target").is_dir());
    match project {
        Some(project) => project.join("target").join("lockcheck"),
        None => std::env::temp_dir().join("lockcheck"),
    }
}

//! `--confirm`, `--perturb` and `--replay`: runs of the same program under a schedule.
//!
//! Guarantees: a prediction that no steered run confirmed stays a prediction, and a notice says so. Steered runs print
//! nothing of the program's own output. What the tracker is told stands in one environment variable, so that any
//! command can be steered.
//!
//! Misses: programs whose input or timing makes them take another branch in each run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Failure;
use super::args::{Perturb, RunArgs};
use super::child::{End, Limits, watch_over};
use crate::finding::{Evidence, Notice, NoticeKind, Report};
use crate::steer;

/// The variable that the tracker reads.
pub(super) const VARIABLE: &str = "LOCKCHECK_SCHEDULE";
/// Steered runs per prediction.
const ATTEMPTS: usize = 3;
/// After this time no further prediction is tried.
const LONGEST: Duration = Duration::from_secs(300);

/// The schedule of run `number` of the program, where the arguments ask for one.
pub(super) fn schedule(args: &RunArgs, number: u32) -> Option<OsString> {
    if let Some(file) = &args.replay {
        let mut value = OsString::from("replay:");
        value.push(file);
        return Some(value);
    }
    let name = match args.perturb {
        Perturb::Random => "random",
        Perturb::Pct => "pct",
        Perturb::None | Perturb::Targeted => return None,
    };
    Some(format!("{name}:{}", seed(args, number)).into())
}

fn seed(args: &RunArgs, number: u32) -> u64 {
    args.seed.unwrap_or(1).wrapping_add(number.into())
}

/// How to see again what run `number` of several has shown.
pub(super) fn found_by(args: &RunArgs, number: u32, report: &Report) -> Option<Notice> {
    let strategy = match args.perturb {
        Perturb::Random => "random",
        Perturb::Pct => "pct",
        Perturb::None | Perturb::Targeted => return None,
    };
    let seed = seed(args, number);
    let observed = report.findings.iter().any(|finding| finding.evidence == Evidence::Observed);
    let message = match observed {
        true => format!(
            "run {} of {} showed this; see it again with `--perturb {strategy} --seed {seed}`",
            number + 1,
            args.runs
        ),
        false => {
            format!("{} runs under `--perturb {strategy}` showed no deadlock; the last seed was {seed}", number + 1)
        }
    };
    Some(notice(message))
}

fn notice(message: String) -> Notice {
    Notice { kind: NoticeKind::Program, file: None, line: None, message }
}

/// Whether the arguments ask for confirmation.
pub(super) fn is_asked(args: &RunArgs) -> bool {
    args.confirm || args.perturb == Perturb::Targeted
}

/// Runs the program again for each predicted deadlock or lost update of `report`, up to [`ATTEMPTS`] times, and marks what closed.
///
/// `launch` makes the command that records into the given file; `written` is how the user would write the run with an
/// option more.
pub(super) fn confirm(
    report: &mut Report,
    traces: &[PathBuf],
    written: &dyn Fn(&str) -> String,
    timeout: Duration,
    launch: &dyn Fn(&Path) -> Result<Command, Failure>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let plans = steer::plans(traces).map_err(|error| Failure(error.to_string()))?;
    let (mut open, mut tried) = (0, 0);
    let predicted =
        |report: &Report| report.findings.iter().filter(|found| found.evidence == Evidence::Predicted).count();
    for plan in &plans {
        if !report.findings.iter().any(|finding| steer::is_open(finding, plan.fingerprint)) {
            continue;
        }
        if started.elapsed() > LONGEST {
            break;
        }
        tried += 1;
        let folder = temporary()?;
        let file = folder.path().join("schedule");
        let failed = |error: std::io::Error| Failure(format!("cannot write a schedule: {error}"));
        std::fs::write(&file, &plan.text).map_err(failed)?;
        let mut confirmed = None;
        for attempt in 1..=ATTEMPTS {
            let trace = folder.path().join(format!("run{attempt}"));
            std::fs::create_dir(&trace).map_err(failed)?;
            let mut value = OsString::from("replay:");
            value.push(&file);
            let mut command = launch(&trace.join("run.trace"))?;
            command.env(VARIABLE, value).env("LOCKCHECK_ON_DEADLOCK", "panic");
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let limits = Limits { time: timeout, hangs: None, stdout_to_stderr: false };
            if matches!(watch_over(command, &limits)?, End::Interrupted) {
                return Ok(());
            }
            let found = steer::confirmed_by(&super::run::traces(&trace)).unwrap_or_default();
            if found.contains(&plan.fingerprint) {
                confirmed = Some(attempt);
                break;
            }
        }
        match confirmed {
            Some(_) => {
                let what = if plan.hangs { "see it hang" } else { "see it happen" };
                let again = keep(plan).map(|file| format!("{what} with `{}`", written(&format!("--replay {file}"))));
                steer::confirm(report, plan.fingerprint, &again.unwrap_or_else(|| "--confirm shows it again".into()));
            }
            None => open += 1,
        }
    }
    if open > 0 {
        report.notices.push(notice(format!(
            "{open} of {tried} predictions did not come true in {ATTEMPTS} steered runs each; they stay predictions"
        )));
    } else if tried == 0 && predicted(report) == 0 {
        report.notices.push(notice("no deadlock was predicted, so there was nothing to confirm".into()));
    }
    Ok(())
}

/// Keeps the schedule of a confirmed finding; gives the path as the user can write it.
fn keep(plan: &steer::Plan) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let folder = steer::folder(&here);
    std::fs::create_dir_all(&folder).ok()?;
    let file = folder.join(format!("{}.schedule", plan.fingerprint));
    std::fs::write(&file, &plan.text).ok()?;
    let shown = file.strip_prefix(&here).unwrap_or(&file);
    Some(shown.to_string_lossy().replace('\\', "/"))
}

fn temporary() -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("lockcheck-").tempdir();
    folder.map_err(|error| Failure(format!("no temporary folder for the trace: {error}")))
}

//! Watching over a program and all the processes that are started for it.
//!
//! Guarantees: when [`watch_over`] returns, the command is gone, and so is every tracked process that it was ended with:
//! after its time limit, after Ctrl-C, and where lockcheck itself panics. A process that hangs in a deadlock which nobody
//! breaks is ended alone, so that cargo goes on with the next test program. Of a program that stands still without a proven
//! deadlock it is said once, while it does, what its threads wait for.
//!
//! Misses: processes that are not started through cargo's runner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Failure;
use super::child::{Ended, GRACE, on_interrupt, stderr, was_interrupted};
use super::terminal::Terminal;
use super::watch::Watch;
use crate::finding::{Notice, NoticeKind};
use crate::instrument::Session;
use crate::trace::long_waits;
use crate::written::Written;

/// How often the folder of traces is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a command may take to end after its programs were ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What to watch for.
pub(super) struct Watched<'a> {
    /// The time limit.
    pub(super) time: Option<Duration>,
    /// Whether a deadlock in a trace means that the program hangs for good.
    pub(super) ends_hangs: bool,
    /// Whether the program's standard output goes to standard error.
    pub(super) stdout_to_stderr: bool,
    /// Whose programs they are; `None` where nothing is tracked.
    pub(super) session: Option<&'a Session>,
}

/// How a command came to its end.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    status: Option<ExitStatus>,
    /// Programs that were ended because they hung.
    hung: BTreeSet<String>,
    limit: Option<Duration>,
    pub(super) interrupted: bool,
}

impl Outcome {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success()) && !self.was_ended()
    }

    /// Whether lockcheck ended anything.
    pub(super) fn was_ended(&self) -> bool {
        self.limit.is_some() || self.interrupted || !self.hung.is_empty()
    }

    /// What the reader should know.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let mut messages: Vec<String> =
            self.hung.iter().map(|program| format!("{program} hung in a deadlock and was ended")).collect();
        if let Some(limit) = self.limit {
            messages.push(format!(
                "the program had not ended after {} s and was ended; see --timeout",
                limit.as_secs_f64()
            ));
        }
        if self.interrupted {
            messages.push("the program was ended because of an interrupt".into());
        }
        match self.status {
            Some(status) if !status.success() => messages.push(format!("the program ended by itself with {status}")),
            _ => {}
        }
        messages
            .into_iter()
            .map(|message| Notice { kind: NoticeKind::Program, file: None, line: None, message })
            .collect()
    }
}

/// Starts a command and waits for its end.
pub(super) fn watch_over(mut command: Command, watched: &Watched<'_>, terminal: &Terminal) -> Result<Outcome, Failure> {
    if watched.stdout_to_stderr {
        command.stdout(stderr()?);
    }
    let interrupted = on_interrupt();
    let shown = command.get_program().to_string_lossy().into_owned();
    let child = command.spawn();
    let mut child = Ended(child.map_err(|error| Failure(format!("`{shown}` could not be started: {error}")))?);
    let programs = Programs(watched.session);
    let started = Instant::now();
    let mut hangs = Hangs::default();
    let mut outcome = Outcome::default();
    let mut looked = started;
    let mut pause = Duration::from_millis(1);
    loop {
        let ended = child.0.try_wait();
        let ended = ended.map_err(|error| Failure(format!("the program could not be watched: {error}")))?;
        if interrupted.load(Ordering::Relaxed) > 0 || ended.is_some_and(was_interrupted) {
            outcome.interrupted = true;
        } else if let Some(status) = ended {
            outcome.status = Some(status);
        } else if watched.time.is_some_and(|limit| started.elapsed() >= limit) {
            outcome.limit = watched.time;
        } else {
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if let Some(session) = watched.session {
                    outcome.hung.extend(hangs.look(session, watched.ends_hangs, terminal));
                }
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
            continue;
        }
        drop(programs);
        let patience = Instant::now();
        while outcome.status.is_none() && patience.elapsed() < LAST_WORDS {
            if child.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        return Ok(outcome);
    }
}

/// Ends whatever still runs of the programs when it goes out of scope.
struct Programs<'a>(Option<&'a Session>);

impl Drop for Programs<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.0 {
            session.processes().into_iter().for_each(end);
        }
    }
}

/// Traces that grow.
#[derive(Default)]
struct Hangs {
    watches: BTreeMap<PathBuf, Growing>,
}

/// A trace, and what was found in it.
struct Growing {
    watch: Watch,
    /// Since when there is a deadlock in it.
    deadlocked: Option<Instant>,
    /// Its process was ended.
    ended: bool,
    /// It was said that its program stands still.
    told: bool,
}

impl Hangs {
    /// Ends the programs that have hung for long enough in a deadlock, and names them; tells of those that stand still.
    fn look(&mut self, session: &Session, ends: bool, terminal: &Terminal) -> Vec<String> {
        let mut ended = Vec::new();
        for trace in session.traces() {
            let growing = self.watches.entry(trace.clone()).or_insert_with(|| Growing {
                watch: Watch::new(&trace),
                deadlocked: None,
                ended: false,
                told: false,
            });
            let program = || session.program(&trace).unwrap_or_else(|| "a program".into());
            if growing.ended {
                continue;
            }
            if !growing.watch.has_deadlocked() {
                if !growing.told && growing.watch.stands_still(session.runs_tests(&trace)) {
                    growing.told = true;
                    tell(&program(), &trace, terminal);
                }
                continue;
            }
            if !ends {
                continue;
            }
            let since = growing.deadlocked.get_or_insert_with(|| {
                terminal.note(&format!("{} hangs in a deadlock; the report follows when it is ended", program()));
                Instant::now()
            });
            if since.elapsed() >= GRACE {
                growing.ended = true;
                if let Some(process) = growing.watch.process() {
                    end(process);
                }
                ended.push(program());
            }
        }
        ended
    }
}

/// Says what the threads of a program that stands still wait for.
fn tell(program: &str, trace: &Path, terminal: &Terminal) {
    let texts = super::analyze::texts();
    let written = Written::new(&texts);
    let lines = long_waits::of_trace(trace, &|site| written.at(site)).unwrap_or_default();
    if !lines.is_empty() {
        terminal.note(&format!("{program} stands still, though no deadlock is proven:\n  {}", lines.join("\n  ")));
    }
}

#[cfg(unix)]
fn end(process: u32) {
    use nix::sys::signal::{Signal, kill};
    if let Ok(process) = i32::try_from(process) {
        // Fails where it is gone already, which is what is wanted.
        let _ = kill(nix::unistd::Pid::from_raw(process), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn end(process: u32) {
    // Fails where it is gone already, which is what is wanted.
    let _ = Command::new("taskkill").args(["/F", "/T", "/PID", &process.to_string()]).output();
}

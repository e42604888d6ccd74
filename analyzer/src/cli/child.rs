//! Watching over an observed program until it ends or has to be ended.
//!
//! Guarantees: the program is gone when [`watch_over`] returns, whatever happens: after its time limit, after a
//! deadlock that nobody will break, after Ctrl-C, and also where lockcheck itself panics.
//!
//! Misses: processes that the program itself started.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::watch::Watch;
use super::{Exit, Failure};

/// How long other threads may go on after a deadlock was reported that nobody breaks.
pub(super) const GRACE: Duration = Duration::from_millis(300);

/// How a program came to its end.
#[derive(Debug)]
pub(super) enum End {
    /// By itself.
    Itself(ExitStatus),
    /// It was ended at its time limit.
    TimeLimit,
    /// It was ended because it hung in a deadlock that is in the trace.
    Deadlock,
    /// It was ended because the user pressed Ctrl-C.
    Interrupted,
}

/// What to wait for.
pub(super) struct Limits<'a> {
    /// The time limit.
    pub(super) time: Duration,
    /// The trace in which a deadlock record means that the program hangs, if it does.
    pub(super) hangs: Option<&'a Path>,
    /// Whether the program's standard output goes to standard error.
    pub(super) stdout_to_stderr: bool,
}

/// Starts a program and waits for its end.
pub(super) fn watch_over(mut command: Command, limits: &Limits<'_>) -> Result<End, Failure> {
    if limits.stdout_to_stderr {
        command.stdout(stderr()?);
    }
    let interrupted = on_interrupt();
    let child = command.stdin(Stdio::null()).spawn();
    let mut child = Ended(child.map_err(|error| Failure(format!("the program could not be started: {error}")))?);
    let started = Instant::now();
    let mut watch = limits.hangs.map(Watch::new);
    let mut deadlocked_since = None;
    let mut pause = Duration::from_millis(1);
    loop {
        let ended =
            child.0.try_wait().map_err(|error| Failure(format!("the program could not be watched: {error}")))?;
        // In a terminal, Ctrl-C reaches the program too, perhaps before it is counted here.
        if interrupted.load(Ordering::Relaxed) > 0 || ended.is_some_and(was_interrupted) {
            return Ok(End::Interrupted);
        }
        if let Some(status) = ended {
            return Ok(End::Itself(status));
        }
        if deadlocked_since.is_none() && watch.as_mut().is_some_and(Watch::has_deadlocked) {
            deadlocked_since = Some(Instant::now());
        }
        if deadlocked_since.is_some_and(|since| since.elapsed() >= GRACE) {
            return Ok(End::Deadlock);
        }
        if started.elapsed() >= limits.time {
            return Ok(End::TimeLimit);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(unix)]
pub(super) fn was_interrupted(status: ExitStatus) -> bool {
    const SIGINT: i32 = 2;
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGINT)
}

#[cfg(not(unix))]
pub(super) fn was_interrupted(_: ExitStatus) -> bool {
    false
}

/// Ends the child when it goes out of scope.
pub(super) struct Ended(pub(super) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Fails where the child is gone already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Counts presses of Ctrl-C; the second one ends lockcheck at once.
pub(super) fn on_interrupt() -> Arc<AtomicUsize> {
    // One for all programs that are run, one after the other or at once.
    static COUNT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();
    COUNT
        .get_or_init(|| {
            let count = Arc::new(AtomicUsize::new(0));
            let counted = count.clone();
            // Without a handler, Ctrl-C ends lockcheck and the program with it: less polite, but no hang.
            let _ = ctrlc::set_handler(move || {
                if counted.fetch_add(1, Ordering::Relaxed) > 0 {
                    std::process::exit(Exit::Interrupted.code().into());
                }
            });
            count
        })
        .clone()
}

/// Standard error as someone's standard output.
#[cfg(unix)]
pub(super) fn stderr() -> Result<Stdio, Failure> {
    use std::os::fd::AsFd;
    let copy = std::io::stderr().as_fd().try_clone_to_owned();
    copy.map(Stdio::from).map_err(|error| Failure(format!("standard error cannot be used: {error}")))
}

/// Standard error as someone's standard output.
#[cfg(windows)]
pub(super) fn stderr() -> Result<Stdio, Failure> {
    use std::os::windows::io::AsHandle;
    let copy = std::io::stderr().as_handle().try_clone_to_owned();
    copy.map(Stdio::from).map_err(|error| Failure(format!("standard error cannot be used: {error}")))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn end(program: &str, time: Duration) -> (End, Duration) {
        let mut command = Command::new("sh");
        command.args(["-c", program]);
        let started = Instant::now();
        let limits = Limits { time, hangs: None, stdout_to_stderr: true };
        (watch_over(command, &limits).expect("sh runs"), started.elapsed())
    }

    #[test]
    fn a_program_that_ends_is_waited_for() {
        let (end, _) = end("exit 7", Duration::from_secs(60));
        assert!(matches!(end, End::Itself(status) if status.code() == Some(7)));
    }

    #[test]
    fn a_program_that_hangs_is_ended_at_its_limit() {
        let (end, took) = end("exec sleep 600", Duration::from_millis(100));
        assert!(matches!(end, End::TimeLimit) && took < Duration::from_secs(60));
    }

    #[test]
    fn a_program_that_cannot_be_started_is_a_failure() {
        let limits = Limits { time: Duration::from_secs(1), hangs: None, stdout_to_stderr: false };
        assert!(watch_over(Command::new("/no/such/program"), &limits).is_err());
    }
}

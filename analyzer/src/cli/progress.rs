//! A spinner on standard error while something takes long.
//!
//! Guarantees: only on a terminal, only after a moment, never with `--quiet` or in CI; gone before anything else is printed.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::terminal::Terminal;

/// Nobody wants to read what is over before it can be read.
const MOMENT: Duration = Duration::from_millis(300);

/// Shows that something goes on, until it is dropped.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Begins to say `what`, where anybody looks.
    pub(super) fn start(terminal: &Terminal, what: String) -> Progress {
        if !terminal.shows_progress() {
            return Progress(None);
        }
        let (sender, done) = channel();
        let thread = std::thread::spawn(move || {
            if done.recv_timeout(MOMENT) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(what);
            bar.enable_steady_tick(Duration::from_millis(100));
            let _ = done.recv();
            bar.finish_and_clear();
        });
        Progress(Some((sender, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

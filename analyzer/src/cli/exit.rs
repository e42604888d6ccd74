//! What the exit codes mean: the one place that decides it.

use std::process::ExitCode;

use crate::finding::Report;

/// How a command ended.
///
/// | code | meaning |
/// |---|---|
/// | 0 | nothing at deny level |
/// | 1 | at least one finding at deny level |
/// | 2 | could not do the job: usage, configuration, input or output, no Rust file under the paths |
/// | 3 | `run` only: the observed program failed by itself, and there is no finding at deny level |
/// | 101 | lockcheck itself panicked |
/// | 130 | interrupted |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Nothing at deny level.
    Clean = 0,
    /// At least one finding at deny level.
    Findings = 1,
    /// Could not do the job.
    Unable = 2,
    /// The observed program failed by itself, and there is no finding at deny level.
    ProgramFailed = 3,
    /// lockcheck itself panicked.
    Internal = 101,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// The exit of a command that gave a report.
    pub fn of(report: &Report) -> Exit {
        if report.summary.deny > 0 { Exit::Findings } else { Exit::Clean }
    }

    /// The exit of `run`: findings count for more than how the program ended.
    pub fn of_run(report: &Report, program_failed: bool, interrupted: bool) -> Exit {
        match Exit::of(report) {
            _ if interrupted => Exit::Interrupted,
            Exit::Clean if program_failed => Exit::ProgramFailed,
            exit => exit,
        }
    }

    /// The number that the operating system gets.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Mode, Summary};

    #[test]
    fn codes_are_those_of_the_documentation() {
        let codes = [Exit::Clean, Exit::Findings, Exit::Unable, Exit::ProgramFailed, Exit::Internal, Exit::Interrupted];
        assert_eq!(codes.map(Exit::code), [0, 1, 2, 3, 101, 130]);
    }

    #[test]
    fn findings_count_for_more_than_a_failed_program_and_an_interrupt_for_more_than_both() {
        let report = |deny| Report {
            mode: Mode::Run,
            summary: Summary { deny, warn: 1, ..Summary::default() },
            findings: Vec::new(),
            notices: Vec::new(),
        };
        let cases = [
            (0, false, false, Exit::Clean),
            (0, true, false, Exit::ProgramFailed),
            (1, false, false, Exit::Findings),
            (1, true, false, Exit::Findings),
            (0, false, true, Exit::Interrupted),
            (1, true, true, Exit::Interrupted),
        ];
        for (deny, failed, interrupted, exit) in cases {
            assert_eq!(Exit::of_run(&report(deny), failed, interrupted), exit);
        }
    }
}

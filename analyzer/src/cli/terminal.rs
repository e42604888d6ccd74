//! Standard output and standard error: colours, width, and writing.
//!
//! Guarantees: a closed pipe ends the output and nothing else; colour is decided once per stream, by `--color`, then
//! `NO_COLOR`, `CLICOLOR_FORCE`, `CARGO_TERM_COLOR`, then whether the stream is a terminal.
//!
//! Misses: terminals that claim more than they can show.

use std::io::{ErrorKind, IsTerminal, Write};

use super::Failure;
use super::args::{Color, Look, ReportArgs, ThemeChoice};
use crate::finding::Report;
use crate::report::{Context, Format, Pictures, Style, Theme, Verbosity, render};
use crate::source::{Targets, Texts};

/// Where something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    color: Color,
    theme: ThemeChoice,
    width: Option<u16>,
    verbosity: Verbosity,
}

impl Terminal {
    pub(super) fn new(look: &Look) -> Self {
        let verbosity = match (look.quiet, look.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        Terminal { color: look.color, theme: look.theme, width: look.width, verbosity }
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Somebody sees the report appear.
    pub(super) fn is_interactive(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Somebody may wonder what goes on.
    pub(super) fn shows_progress(&self) -> bool {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        self.verbosity > Verbosity::Quiet && !in_ci && std::io::stderr().is_terminal()
    }

    /// `error: message` on standard error.
    pub(super) fn error(&self, message: &str) {
        self.message("error", owo_colors::Style::new().red().bold(), message);
    }

    /// `note: message` on standard error, unless the user wants quiet.
    pub(super) fn note(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.message("note", owo_colors::Style::new().cyan().bold(), message);
        }
    }

    fn message(&self, word: &str, paint: owo_colors::Style, message: &str) {
        let word = if self.style(Stream::Stderr).color { paint.style(word).to_string() } else { word.into() };
        to_stderr(format!("{word}: {message}\n").as_bytes());
    }

    /// The look of a report on a stream.
    pub(super) fn style(&self, stream: Stream) -> Style {
        let (is_terminal, width, unicode) = match stream {
            Stream::Stdout => {
                let stdout = std::io::stdout();
                (stdout.is_terminal(), terminal_size::terminal_size_of(&stdout), supports_unicode::Stream::Stdout)
            }
            Stream::Stderr => {
                let stderr = std::io::stderr();
                (stderr.is_terminal(), terminal_size::terminal_size_of(&stderr), supports_unicode::Stream::Stderr)
            }
        };
        let width = match (self.width, width) {
            (Some(wanted), _) => usize::from(wanted),
            (None, Some((width, _))) => usize::from(width.0).clamp(60, 120),
            (None, None) => Style::default().width,
        };
        let color = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => auto_color(is_terminal, |name| std::env::var(name).ok()),
        };
        let theme = match self.theme {
            ThemeChoice::Unicode => Theme::Unicode,
            ThemeChoice::Ascii => Theme::Ascii,
            ThemeChoice::Narrated => Theme::Narrated,
            // What other tools that draw with miette listen to as well.
            ThemeChoice::Auto if std::env::var_os("NO_GRAPHICS").is_some_and(|value| value != "0") => Theme::Narrated,
            ThemeChoice::Auto if supports_unicode::on(unicode) => Theme::Unicode,
            ThemeChoice::Auto => Theme::Ascii,
        };
        Style { color, theme, width, verbosity: self.verbosity }
    }

    /// Prints a report in the format the user asked for, and writes it to the files the user asked for.
    pub(super) fn emit(
        &self,
        report: &Report,
        args: &ReportArgs,
        texts: &Texts,
        targets: &Targets,
        human: Stream,
        pictures: Option<&Pictures>,
    ) -> Result<(), Failure> {
        for (format, path) in &args.output {
            let theme = if self.theme == ThemeChoice::Narrated { Theme::Narrated } else { Theme::Unicode };
            let width = self.width.map_or(Style::default().width, usize::from);
            let style = Style { theme, width, verbosity: self.verbosity, ..Style::default() };
            let bytes = render(report, *format, &Context { texts, targets, style, pictures });
            std::fs::write(path, bytes)
                .map_err(|error| Failure(format!("cannot write the report to `{}`: {error}", path.display())))?;
        }
        let stream = if args.message_format == Format::Human { human } else { Stream::Stdout };
        let bytes =
            render(report, args.message_format, &Context { texts, targets, style: self.style(stream), pictures });
        match stream {
            Stream::Stdout => to_stdout(&bytes)?,
            Stream::Stderr => to_stderr(&bytes),
        }
        Ok(())
    }
}

fn auto_color(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return false;
    }
    if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
        return true;
    }
    match variable("CARGO_TERM_COLOR").as_deref() {
        Some("always") => true,
        Some("never") => false,
        _ => is_terminal && variable("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Writes to standard output. Where a reader has gone away, as `head` does, the rest is not wanted.
pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. Nobody is left to tell where that fails.
pub(super) fn to_stderr(bytes: &[u8]) {
    let _ = std::io::stderr().lock().write_all(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_environment_then_the_terminal() {
        let decide = |is_terminal, variables: &[(&str, &str)]| {
            auto_color(is_terminal, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
            })
        };
        assert!(decide(true, &[]) && !decide(false, &[]));
        assert!(!decide(true, &[("NO_COLOR", "1")]) && decide(true, &[("NO_COLOR", "")]));
        assert!(decide(false, &[("CLICOLOR_FORCE", "1")]) && !decide(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!decide(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(decide(false, &[("CARGO_TERM_COLOR", "always")]) && !decide(true, &[("CARGO_TERM_COLOR", "never")]));
        assert!(!decide(true, &[("TERM", "dumb")]) && decide(true, &[("CARGO_TERM_COLOR", "auto")]));
    }
}

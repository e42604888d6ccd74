//! `lockcheck man`: manual pages, made from the arguments.

use clap::CommandFactory;

use super::args::Args;
use super::terminal::to_stdout;
use super::{Exit, Failure};
use crate::nearest::hint;

/// Prints the page of the program or of one of its commands.
pub(super) fn man(command: Option<&str>) -> Result<Exit, Failure> {
    let mut program = Args::command();
    program.build();
    let page = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                let hint = hint(name, program.get_subcommands().map(clap::Command::get_name));
                return Err(Failure(format!("there is no command `{name}`{hint}")));
            }
        },
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(page).render(&mut out).map_err(|error| Failure(format!("no manual page: {error}")))?;
    to_stdout(&out)?;
    Ok(Exit::Clean)
}

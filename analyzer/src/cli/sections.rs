//! `lockcheck scan --sections`: the statements of functions, each with what it does to shared and local state.

use super::terminal::{self};
use super::{Exit, Failure};
use crate::config::Config;
use crate::nearest;
use crate::regions::effects::reach::Sections;
use crate::report::{Format, sections};
use crate::source::{Sources, Texts};

/// Prints the statements of `function`, or of all functions that touch shared state.
pub(super) fn print(
    sources: &Sources,
    config: &Config,
    function: Option<&str>,
    format: Format,
) -> Result<Exit, Failure> {
    let all = crate::sections(sources, config);
    let chosen: Vec<Sections> = match function {
        Some(name) => {
            let tail = format!("::{name}");
            let found: Vec<Sections> =
                all.iter().filter(|each| each.function == name || each.function.ends_with(&tail)).cloned().collect();
            if found.is_empty() {
                let hint = nearest::hint(name, all.iter().map(|each| each.function.as_str()));
                return Err(Failure(format!("there is no function `{name}` with statements{hint}")));
            }
            found
        }
        None => {
            let touches = |each: &&Sections| each.statements.iter().any(|statement| !statement.cells.is_empty());
            all.iter().filter(touches).cloned().collect()
        }
    };
    let out = match format {
        Format::Json | Format::LockcheckJson => sections::json(&chosen),
        _ if chosen.is_empty() => "no function here touches shared state\n".to_string(),
        _ => sections::text(&chosen, &Texts::from_sources(sources)),
    };
    terminal::to_stdout(out.as_bytes())?;
    Ok(Exit::Clean)
}

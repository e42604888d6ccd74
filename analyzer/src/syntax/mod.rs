//! Source text to a plain tree; never fails, gives notices.
//!
//! Guarantees: any text gives a tree; what could not be read is named in [`FileSyntax::notices`]; no I/O, no name
//! resolution. Misses: what macros make of their tokens (see `macros`).

mod attributes;
#[cfg(test)]
mod dump;
mod exprs;
mod items;
mod lower;
mod macro_items;
mod macros;
mod pats;
mod prepare;
mod select;
mod spans;
#[cfg(test)]
mod tests;
pub mod tree;
mod types;

pub use lower::MAX_EXPR_DEPTH;
pub use tree::*;

use lower::Lowering;
use std::str::FromStr as _;

/// Reads one file of the given language edition (2015, 2018, ...).
pub fn parse(text: &str, edition: u16) -> FileSyntax {
    let _ = edition;
    let mut lowering = Lowering::default();
    let tokens = proc_macro2::TokenStream::from_str(&prepare::prepare(text));
    let file = match tokens {
        Ok(tokens) => syn::parse2::<syn::File>(tokens),
        Err(error) => Err(error.into()),
    };
    let mut items = Vec::new();
    match file {
        Ok(file) => {
            lowering.test = attributes::mark_test(&file.attrs);
            items = lowering.items(&file.items);
        }
        Err(error) => lowering.notice(spans::of(error.span()), format!("not analysed: {error}")),
    }
    let test = lowering.test;
    let notices = lowering.notices;
    proc_macro2::extra::invalidate_current_thread_spans();
    FileSyntax { items, notices, test }
}

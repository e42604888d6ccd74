//! Source text to a plain tree; never fails, gives notices.
//!
//! Guarantees: any text gives a tree; what could not be read is named in [`FileSyntax::notices`]; no I/O, no name
//! resolution. Misses: what macros of other crates and procedural macros make of their tokens (see `macros`, `expand`).

mod attributes;
pub mod bindings;
pub mod comments;
mod cut;
#[cfg(test)]
mod dump;
pub mod expand;
mod exprs;
mod instrumented;
mod items;
pub mod keep;
mod lower;
mod macro_items;
mod macros;
mod nesting;
pub mod outline;
mod pats;
mod prepare;
mod recover;
mod repair;
mod select;
pub(crate) mod shape;
mod spans;
mod stmts;
#[cfg(test)]
mod tests;
pub mod tree;
mod types;
mod visit;
pub mod words;

pub use lower::{MAX_EXPR_DEPTH, MAX_ITEM_DEPTH};
pub use tree::*;
pub use visit::children;

use lower::Lowering;
use std::borrow::Cow;
use std::str::FromStr as _;
use std::sync::Arc;

/// Stack that every thread is expected to have left.
const STACK_AT_HAND: usize = 1 << 20;

/// Reads one file of the given language edition (2015, 2018, ...).
///
/// Linear in the length of the text. Needs at most 1 MiB of stack; a text that nests deeper is read on a thread of
/// its own.
pub fn parse(text: &str, edition: u16) -> FileSyntax {
    read(prepare::prepare(text), edition, 0, None)
}

/// The same, where other files of the crate define macros.
pub fn parse_with(text: &str, edition: u16, macros: &Arc<expand::Definitions>) -> FileSyntax {
    read(prepare::prepare(text), edition, 0, Some(macros))
}

fn read(mut text: Cow<'_, str>, edition: u16, attempt: u32, macros: Option<&Arc<expand::Definitions>>) -> FileSyntax {
    let (need, notices) = nesting::bound(&mut text);
    if need.stack() <= STACK_AT_HAND {
        return read_here(&text, edition, notices, attempt, macros);
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("deep file".into()).stack_size(need.stack());
        let thread = builder.spawn_scoped(scope, || read_here(&text, edition, notices, attempt, macros));
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(file)) => file,
            Ok(Err(_)) => lost(&text, "the parser failed"),
            Err(error) => lost(&text, &format!("no thread with enough stack for its nesting: {error}")),
        }
    })
}

fn read_here(
    text: &str,
    edition: u16,
    notices: Vec<SyntaxNotice>,
    attempt: u32,
    macros: Option<&Arc<expand::Definitions>>,
) -> FileSyntax {
    let mut lowering = Lowering { notices, ..Lowering::default() };
    let bare = prepare::without_comments(text);
    let file = match proc_macro2::TokenStream::from_str(&bare) {
        Ok(tokens) => recover::parse(tokens, &bare, edition, &mut lowering),
        Err(_) if attempt == 0 => {
            let (rest, mut lost) = cut::keep_balanced(text);
            proc_macro2::extra::invalidate_current_thread_spans();
            let mut file = read(Cow::Owned(rest), edition, attempt + 1, macros);
            file.notices.append(&mut lost);
            file.notices.extend(lowering.notices);
            file.notices.sort_by_key(|notice| notice.span);
            return file;
        }
        Err(error) => {
            lowering.notice(spans::of(error.span()), format!("not analysed: {error}"));
            syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: Vec::new() }
        }
    };
    lowering.test = attributes::mark_test(&file.attrs);
    lowering.macros = expand::Macros::new(text, macros.cloned());
    let items = lowering.items(&file.items);
    let test = lowering.test;
    let notices = std::mem::take(&mut lowering.notices);
    let bodies = std::mem::take(&mut lowering.bodies);
    drop(lowering);
    drop(file);
    proc_macro2::extra::invalidate_current_thread_spans();
    FileSyntax { items, bodies: bodies.into(), notices, test }
}

/// A file of which nothing could be read.
fn lost(text: &str, why: &str) -> FileSyntax {
    let span = shape::Lines::new(text).span(text, 0..text.len());
    let notice = SyntaxNotice { span, message: format!("not analysed: {why}") };
    FileSyntax { notices: vec![notice], ..FileSyntax::default() }
}

//! What the user calls the locks of a recording: looked up in the sources, by the places where they are made.
//!
//! Guarantees: a file is read and parsed once, and only if a lock without a name of its own is made in it.
//!
//! Misses: sources that have changed since they ran.

use std::cell::RefCell;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use crate::source::Texts;
use crate::syntax::bindings::bindings;
use crate::syntax::{self, Pos};
use crate::trace::recording::Site;

/// The names, by place.
#[derive(Debug)]
pub struct Written<'a> {
    texts: &'a Texts,
    files: RefCell<FxHashMap<String, FxHashMap<Pos, String>>>,
}

impl<'a> Written<'a> {
    /// Those in these texts.
    pub fn new(texts: &'a Texts) -> Self {
        Written { texts, files: RefCell::default() }
    }

    /// What the result of the call at this place is called.
    pub fn at(&self, site: &Site) -> Option<String> {
        let mut files = self.files.borrow_mut();
        let names = files.entry(site.file.replace('\\', "/")).or_insert_with_key(|file| {
            // The newest edition: what older ones read differently are no calls.
            self.texts.get(file).map(|text| bindings(&syntax::parse(text.text(), 2024))).unwrap_or_default()
        });
        names.get(&Pos { line: site.line, column: site.column }).cloned()
    }
}

/// [`crate::report::stats::table`] with these names.
pub fn stats(traces: &[PathBuf], texts: &Texts) -> Option<String> {
    let written = Written::new(texts);
    crate::report::stats::table(traces, &|site| written.at(site))
}

//! The texts that renderers show snippets of, by display path.
//!
//! Guarantees: a file is read at most once; one that is missing or unreadable has no text, which is no error. What
//! was scanned is never read a second time, so that a snippet shows what was analysed.
//!
//! Misses: whether a file that is read from disk still is what ran; a trace does not hold its sources.

use std::cell::RefCell;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::{Sources, Text};

/// Where renderers get text from.
#[derive(Debug, Default)]
pub struct Texts {
    known: RefCell<FxHashMap<String, Option<Text>>>,
    /// Folders that display paths may be relative to, in order.
    bases: Vec<PathBuf>,
}

impl Texts {
    /// The texts of these sources and nothing else.
    pub fn from_sources(sources: &Sources) -> Self {
        let known = sources.files.iter().map(|file| (file.display.clone(), Some(file.text.clone())));
        Texts { known: RefCell::new(known.collect()), bases: Vec::new() }
    }

    /// Texts that are read when asked for, relative to the first of these folders that has the file.
    pub fn from_disk(bases: Vec<PathBuf>) -> Self {
        Texts { known: RefCell::default(), bases }
    }

    /// Adds a text under a display path, in place of what lies on disk.
    pub fn insert(&mut self, display: impl Into<String>, text: Text) {
        self.known.get_mut().insert(display.into(), Some(text));
    }

    /// The text of a file.
    pub fn get(&self, display: &str) -> Option<Text> {
        if let Some(known) = self.known.borrow().get(display) {
            return known.clone();
        }
        let text = self.bases.iter().find_map(|base| Text::read(&base.join(display)).ok());
        self.known.borrow_mut().insert(display.to_owned(), text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_once_from_the_first_folder_that_has_them() {
        let (first, second) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
        std::fs::write(second.path().join("a.rs"), "fn a() {}").expect("write");
        let texts = Texts::from_disk(vec![first.path().into(), second.path().into()]);
        assert_eq!(texts.get("a.rs").as_ref().map(Text::raw), Some("fn a() {}"));
        std::fs::remove_file(second.path().join("a.rs")).expect("remove");
        assert_eq!(texts.get("a.rs").as_ref().map(Text::raw), Some("fn a() {}"));
        assert!(texts.get("b.rs").is_none());
    }
}

//! Files by their text: what they define and declare.
//!
//! Guarantees: an entry is found by a 128-bit hash of the text alone, so that a moved file or a switch between branches
//! finds it, too.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::source::Text;
use crate::syntax::expand::Definitions;
use crate::syntax::keep::{self, Shape};
use crate::syntax::{Bodies, FileSyntax, parse_with};

/// Kept files.
#[derive(Default)]
pub struct Files {
    pub(super) by_text: FxHashMap<u128, Kept>,
}

/// One kept file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    pub(super) definitions: Definitions,
    /// How it was read: by the edition and the macros at hand.
    pub(super) how: u64,
    pub(super) shape: Shape,
    /// Of the items.
    pub(super) length: u32,
    #[serde(skip)]
    pub(super) items: Bytes,
}

/// How the files of a package are read.
#[derive(Clone, Debug)]
pub struct How {
    /// The edition's year.
    pub edition: u16,
    /// The macros that files of the package define.
    pub macros: Arc<Definitions>,
    number: u64,
}

impl How {
    /// With the number that tells it from others.
    pub fn new(edition: u16, macros: Arc<Definitions>) -> How {
        let bytes = postcard::to_allocvec(&(edition, &*macros)).unwrap_or_default();
        How { edition, macros, number: xxh3_64(&bytes) }
    }
}

/// A number for a text.
pub fn number(text: &Text) -> u128 {
    xxh3_128(text.text().as_bytes())
}

/// The same, with how the text is read: equal numbers stand for equal trees.
pub fn number_as_read(text: u128, how: &How) -> u128 {
    text ^ (u128::from(how.number) << 32)
}

impl Files {
    /// The macros that a file defines, where that is known.
    pub fn definitions(&self, text: u128) -> Option<&Definitions> {
        self.by_text.get(&text).map(|kept| &kept.definitions)
    }

    /// The items of a file that was read in the same way, and their shape; its bodies are read when they are needed.
    pub fn items(&self, number: u128, text: &Text, how: &How) -> Option<(FileSyntax, Shape)> {
        let kept = self.by_text.get(&number).filter(|kept| kept.how == how.number)?;
        let mut file = keep::from_bytes(&kept.items)?;
        let (text, how) = (text.clone(), how.clone());
        file.bodies = Bodies::later(move || {
            // Reading it did not fail before.
            let read = || parse_with(text.text(), how.edition, &how.macros).bodies.into_all();
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_default()
        });
        Some((file, kept.shape.clone()))
    }

    /// Takes over one entry into those of the next scan.
    pub fn carry(&mut self, number: u128, to: &mut Files) {
        if let Some(kept) = self.by_text.remove(&number) {
            to.by_text.insert(number, kept);
        }
    }

    /// Adds a file that was read.
    pub fn add(&mut self, number: u128, kept: Kept) {
        self.by_text.insert(number, kept);
    }
}

impl Kept {
    /// What to keep of a file.
    pub fn of(definitions: Definitions, how: &How, file: &FileSyntax) -> Kept {
        let items = Bytes::from(keep::to_bytes(file));
        Kept { definitions, how: how.number, shape: Shape::of(file), length: items.len() as u32, items }
    }

    /// What it declares.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

//! A file's items as bytes, to be kept from one scan to the next, and a number for their shape.
//!
//! Guarantees: what [`to_bytes`] gives, [`from_bytes`] reads back, without the bodies; bytes of any other origin give
//! `None`. Two files with equal [`shape`] declare the same things in the same order, wherever in the file they stand.
//!
//! Misses: bodies. They are read again from the text when they are needed.

use std::cell::Cell;

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use super::tree::{FileSyntax, Span};

thread_local! {
    /// Set while positions are left out.
    static WITHOUT_POSITIONS: Cell<bool> = const { Cell::new(false) };
}

/// The items and notices.
pub fn to_bytes(file: &FileSyntax) -> Vec<u8> {
    postcard::to_allocvec(file).unwrap_or_default()
}

/// Reads them back.
pub fn from_bytes(bytes: &[u8]) -> Option<FileSyntax> {
    postcard::from_bytes(bytes).ok()
}

/// What the file declares, positions aside.
pub fn shape(file: &FileSyntax) -> u64 {
    WITHOUT_POSITIONS.set(true);
    let bytes = postcard::to_allocvec(&(&file.items, file.test)).unwrap_or_default();
    WITHOUT_POSITIONS.set(false);
    xxh3_64(&bytes)
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if WITHOUT_POSITIONS.get() {
            return serializer.serialize_unit();
        }
        (self.start.line, self.start.column, self.end.line, self.end.column).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse;

    const TEXT: &str =
        "use a::b;\nstruct S { m: Mutex<u8> }\nimpl S { fn f(&self) { self.m.lock(); } }\nfn g() -> u8 { 1 }\n";

    #[test]
    fn items_are_read_back_without_their_bodies() {
        let file = parse(TEXT, 2021);
        let back = from_bytes(&to_bytes(&file)).expect("the bytes are whole");
        assert_eq!(format!("{:?}", back.items), format!("{:?}", file.items));
        assert!(back.bodies.all().is_empty() && file.bodies.all().len() == 2);
        assert!(from_bytes(b"\xff\xff\xff\xff").is_none());
    }

    #[test]
    fn the_shape_knows_declarations_and_no_positions() {
        let of = |text: &str| shape(&parse(text, 2021));
        assert_eq!(of(TEXT), of(&TEXT.replace("self.m.lock();", "let x = 1;\n\n drop(x);")));
        assert_ne!(of(TEXT), of(&TEXT.replace("u8>", "u16>")));
        assert_ne!(of(TEXT), of(&format!("{TEXT}fn h() {{}}")));
        assert_ne!(of(TEXT), of(&TEXT.replace("self.m.lock();", "fn inner() {}")));
    }
}

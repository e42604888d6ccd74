//! A file's items as bytes, to be kept from one scan to the next, and numbers for their shape.
//!
//! Guarantees: what [`to_bytes`] gives, [`from_bytes`] reads back, without the bodies; bytes of any other origin give
//! `None`. Two files with equal [`Shape`]s declare the same things in the same order, wherever in the file they stand.
//!
//! Misses: bodies. They are read again from the text when they are needed.

use std::cell::Cell;

use serde::{Deserialize, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::tree::{AssocItem, BodyHead, FileSyntax, Function, Item, ItemKind, Span, Symbol};

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

/// What a file declares, positions aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// All of it but functions that can come and go alone.
    pub rest: u64,
    /// All functions, those in bodies included, in the order written.
    pub functions: Vec<FunctionShape>,
}

/// What a function declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionShape {
    /// Its name.
    pub name: Symbol,
    /// A number for its name and all around it.
    pub path: u64,
    /// A number for its signature.
    pub signature: u64,
}

impl Shape {
    /// That of a file.
    pub fn of(file: &FileSyntax) -> Shape {
        let mut shaping = Shaping { rest: Xxh3::new(), functions: Vec::new() };
        WITHOUT_POSITIONS.set(true);
        shaping.rest(&file.test);
        shaping.items(&file.items, 0);
        WITHOUT_POSITIONS.set(false);
        Shape { rest: shaping.rest.digest(), functions: shaping.functions }
    }
}

struct Shaping {
    rest: Xxh3,
    functions: Vec<FunctionShape>,
}

impl Shaping {
    fn rest(&mut self, part: &impl Serialize) {
        self.rest.update(&number(part).to_le_bytes());
    }

    /// `around` is a number for what the items stand in.
    fn items(&mut self, items: &[Item], around: u64) {
        for item in items {
            let head = (around, item.name, item.public, item.test);
            match &item.kind {
                // A name alone decides nothing for code that does not say it.
                ItemKind::Fn(function) if stands_alone(function) => self.function(function, around),
                ItemKind::Mod { items: Some(items), path } => {
                    self.rest(&(head, path));
                    self.items(items, number(&head));
                    self.rest(&"end");
                }
                // A method of a trait can be called without being named.
                ItemKind::Impl { generics, trait_: None, negative, unsafe_, self_ty, items } => {
                    let head = (head, generics, negative, unsafe_, self_ty);
                    self.rest(&head);
                    let around = number(&head);
                    for item in items {
                        match item {
                            AssocItem::Fn(function) if stands_alone(function) => self.function(function, around),
                            other => self.whole_member(other, around),
                        }
                    }
                    self.rest(&"end");
                }
                _ => self.whole(item, around),
            }
        }
    }

    fn whole(&mut self, item: &Item, around: u64) {
        self.rest(item);
        let around = number(&(around, item.name));
        match &item.kind {
            ItemKind::Mod { items: Some(items), .. } => items.iter().for_each(|item| self.whole(item, around)),
            ItemKind::Impl { items, negative: false, .. } | ItemKind::Trait { items, .. } => {
                items.iter().for_each(|item| self.whole_member(item, around));
            }
            ItemKind::Fn(function) => self.whole_function(function, around),
            ItemKind::Static { init: Some(body), .. } => self.inside(body, around),
            _ => {}
        }
    }

    fn whole_member(&mut self, item: &AssocItem, around: u64) {
        self.rest(item);
        if let AssocItem::Fn(function) = item {
            self.whole_function(function, around);
        }
    }

    fn whole_function(&mut self, function: &Function, around: u64) {
        self.function(function, around);
        if let Some(body) = &function.body {
            self.inside(body, number(&(around, function.name)));
        }
    }

    fn inside(&mut self, body: &BodyHead, around: u64) {
        body.items.iter().for_each(|item| self.whole(item, around));
    }

    fn function(&mut self, function: &Function, around: u64) {
        let Function { name, span: _, generics, receiver, params, ret, async_, unsafe_, public, test, body } = function;
        let types: Vec<_> = params.iter().map(|param| &param.ty).collect();
        let integer = body.as_ref().map(|body| body.integer);
        let signature = (generics, receiver, types, ret, (async_, unsafe_, public, test), integer);
        let path = number(&(around, name));
        self.functions.push(FunctionShape { name: *name, path, signature: number(&signature) });
    }
}

/// Whether no other item stands in it.
fn stands_alone(function: &Function) -> bool {
    function.body.as_ref().is_none_or(|body| body.items.is_empty())
}

fn number(part: &impl Serialize) -> u64 {
    xxh3_64(&postcard::to_allocvec(part).unwrap_or_default())
}

/// Which body it is depends on those before it: no shape.
pub(crate) fn index<S: Serializer>(index: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    if WITHOUT_POSITIONS.get() { serializer.serialize_unit() } else { index.serialize(serializer) }
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
        let of = |text: &str| Shape::of(&parse(text, 2021));
        assert_eq!(of(TEXT), of(&TEXT.replace("self.m.lock();", "let x = 1;\n\n drop(x);")));
        assert_ne!(of(TEXT).rest, of(&TEXT.replace("u8>", "u16>")).rest);
        assert_ne!(of(TEXT).rest, of(&TEXT.replace("self.m.lock();", "fn inner() {}")).rest);
        assert_ne!(of(TEXT).rest, of(&TEXT.replace("impl S {", "impl Drop for S {")).rest);
        // Functions that nothing calls without naming them come and go alone.
        for more in [format!("fn h() {{}}\n{TEXT}"), TEXT.replace("impl S {", "impl S { fn h(&self) {}")] {
            assert_eq!(of(TEXT).rest, of(&more).rest);
            assert_eq!(of(&more).functions.len(), 3);
        }
        let changed = of(&TEXT.replace("-> u8", "-> u16"));
        assert_eq!(changed.rest, of(TEXT).rest);
        let differ = |(a, b): (&FunctionShape, &FunctionShape)| a.path == b.path && a.signature != b.signature;
        assert_eq!(of(TEXT).functions.iter().zip(&changed.functions).map(differ).collect::<Vec<_>>(), [false, true]);
    }
}

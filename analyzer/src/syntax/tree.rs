//! The plain syntax tree that the rest of the static pass reads: what syn parsed, without tokens, `Send`, compact.
//!
//! Guarantees: every expression that can run stands in the tree in source form, so that evaluation order and
//! temporary scopes can be decided later; expressions and patterns of one body lie in one arena and are named by
//! index. Holds no resolution: a path is what was written.
//!
//! Misses: what stood in a macro whose arguments are not expressions (`ExprKind::Macro` of kind `Opaque`).

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

mod bodies;
mod body;

pub use bodies::Bodies;
pub use body::*;

/// An interned name.
pub type Symbol = symbol_table::GlobalSymbol;

/// A place in a file: line and column from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pos {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A stretch of a file; `end` is one past the last character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct Span {
    /// First character.
    pub start: Pos,
    /// One past the last character.
    pub end: Pos,
}

/// One file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileSyntax {
    /// Its items, in order.
    pub items: Vec<Item>,
    /// The code of its functions and initialisers; items name it by number.
    #[serde(skip)]
    pub bodies: Bodies,
    /// What could not be read.
    pub notices: Vec<SyntaxNotice>,
    /// `#![cfg(test)]` at the top.
    pub test: bool,
}

/// A part of a file that did not parse and is therefore not analysed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxNotice {
    /// Where.
    pub span: Span,
    /// What the parser said, and what was left out.
    pub message: String,
}

/// An item with what all items have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Its name; empty for impls, uses, macro calls.
    pub name: Symbol,
    /// The name's place (the whole head for impls).
    pub span: Span,
    /// `pub` in any form.
    pub public: bool,
    /// Under `#[cfg(test)]`, `#[test]`, `#[bench]` or an async test attribute.
    pub test: bool,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of items.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ItemKind {
    /// `mod name;` (`items: None`) or `mod name { .. }`.
    Mod {
        /// The inline content.
        items: Option<Vec<Item>>,
        /// `#[path = ".."]`.
        path: Option<String>,
    },
    /// A `use` tree, one entry per leaf.
    Use(Vec<Import>),
    /// `extern crate name as alias;` (the item's name is the alias).
    ExternCrate {
        /// The crate's own name.
        krate: Symbol,
    },
    /// A struct or union.
    Struct {
        /// Its type parameters.
        generics: Generics,
        /// Its fields.
        fields: Vec<Field>,
    },
    /// An enum.
    Enum {
        /// Its type parameters.
        generics: Generics,
        /// Its variants.
        variants: Vec<Variant>,
    },
    /// `type Name = ..;`
    TypeAlias {
        /// Its type parameters.
        generics: Generics,
        /// The aliased type.
        ty: TypeRef,
    },
    /// A `static`, a `const`, or an entry of `lazy_static!` / `thread_local!`.
    Static {
        /// The declared type (for `lazy_static!` and `thread_local!`: of the value).
        ty: TypeRef,
        /// Which of these it is.
        kind: StaticKind,
        /// The initialiser, where it is an expression that can run.
        init: Option<Box<BodyHead>>,
    },
    /// An impl block.
    Impl {
        /// Its type parameters.
        generics: Generics,
        /// The implemented trait.
        trait_: Option<Path>,
        /// `impl !Trait for ..`.
        negative: bool,
        /// `unsafe impl`.
        unsafe_: bool,
        /// The type.
        self_ty: TypeRef,
        /// Its associated items.
        items: Vec<AssocItem>,
    },
    /// A trait.
    Trait {
        /// Its type parameters.
        generics: Generics,
        /// Its supertraits.
        supertraits: Vec<Path>,
        /// Its associated items.
        items: Vec<AssocItem>,
    },
    /// A function.
    Fn(Box<Function>),
    /// A `macro_rules!` whose rules could be kept as text.
    MacroRules {
        /// Its definition.
        text: String,
    },
}

/// What an [`ItemKind::Static`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StaticKind {
    /// `static`.
    Static,
    /// `static mut`.
    StaticMut,
    /// `const`.
    Const,
    /// In `lazy_static!`.
    Lazy,
    /// In `thread_local!`.
    ThreadLocal,
    /// `#[thread_local] static`: each thread has its own, and uses it as it is.
    PerThread,
}

/// One leaf of a `use` tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The path without a trailing `self` or `*`.
    pub path: Vec<Symbol>,
    /// Began with `::`.
    pub absolute: bool,
    /// The name it has here; `None` for a glob. `_` for `as _`.
    pub alias: Option<Symbol>,
}

/// A field; tuple fields are named `0`, `1`, ...
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: Symbol,
    /// Its place.
    pub span: Span,
    /// Its type.
    pub ty: TypeRef,
}

/// An enum variant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: Symbol,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// Type parameters with their bounds (where clauses on a plain parameter are merged in).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Generics {
    /// Type parameters in order; lifetimes and const parameters are left out.
    pub params: Vec<TypeParam>,
}

/// One type parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TypeParam {
    /// Its name.
    pub name: Symbol,
    /// Its trait bounds.
    pub bounds: Vec<Path>,
    /// Its default.
    pub default: Option<TypeRef>,
}

/// An item of an impl or a trait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AssocItem {
    /// A method or associated function.
    Fn(Box<Function>),
    /// `type Name = ty;`
    Type {
        /// Its name.
        name: Symbol,
        /// Its type, where given.
        ty: Option<TypeRef>,
    },
    /// `const NAME: ty`.
    Const {
        /// Its name.
        name: Symbol,
        /// Its type.
        ty: TypeRef,
    },
}

/// A function with or without a body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: Symbol,
    /// The name's place.
    pub span: Span,
    /// Its type parameters (`impl Trait` parameters stay in the parameter's type).
    pub generics: Generics,
    /// The receiver.
    pub receiver: Option<Receiver>,
    /// The parameters after the receiver; their patterns lie in the body's arena.
    pub params: Vec<Param>,
    /// The written return type.
    pub ret: Option<TypeRef>,
    /// `async fn`.
    pub async_: bool,
    /// `unsafe fn`.
    pub unsafe_: bool,
    /// `pub` in any form.
    pub public: bool,
    /// A test function or inside `#[cfg(test)]`.
    pub test: bool,
    /// The body; `None` for a declaration. Patterns of the parameters need an arena, so a declaration has none.
    pub body: Option<Box<BodyHead>>,
}

/// `self` in one of its forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receiver {
    /// `&self` or `&mut self`.
    pub reference: bool,
    /// `&mut self`.
    pub mutable: bool,
    /// The type of `self: Type`.
    pub ty: Option<TypeRef>,
}

impl Receiver {
    /// `self` or `&mut self`: nobody else has the value during the call.
    pub fn is_exclusive(&self) -> bool {
        self.ty.is_none() && (self.mutable || !self.reference)
    }
}

/// A parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Param {
    /// Its pattern; `None` in a declaration without a body.
    pub pat: Option<PatId>,
    /// Its type.
    pub ty: TypeRef,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeRef {
    /// A named type.
    Path(Path),
    /// `&T`, `&mut T`.
    Ref {
        /// `&mut`.
        mutable: bool,
        /// The referent.
        inner: Box<TypeRef>,
    },
    /// A raw pointer.
    Ptr(Box<TypeRef>),
    /// `[T]` or `[T; n]`.
    Slice(Box<TypeRef>),
    /// `(A, B)`; `()` is the empty one.
    Tuple(Vec<TypeRef>),
    /// `fn(A) -> B`.
    FnPtr {
        /// Parameter types.
        params: Vec<TypeRef>,
        /// Return type.
        ret: Option<Box<TypeRef>>,
    },
    /// `impl A + B`.
    ImplTrait(Vec<Path>),
    /// `dyn A + B`, also a bare trait object where that is certain.
    DynTrait(Vec<Path>),
    /// `<T as Trait>::Name`; `T::Name` stays a path.
    Assoc {
        /// `T`.
        of: Box<TypeRef>,
        /// `Trait`.
        trait_: Option<Box<Path>>,
        /// `Name`.
        name: Symbol,
    },
    /// `!`
    Never,
    /// `_`
    Infer,
    /// A macro or something unreadable.
    Unknown,
}

/// A path as written, with generic arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Path {
    /// Began with `::`.
    pub absolute: bool,
    /// Its segments.
    pub segments: SmallVec<[PathSegment; 1]>,
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathSegment {
    /// Its name.
    pub name: Symbol,
    /// Its generic arguments, where written.
    pub args: Option<Box<GenericArgs>>,
}

/// Generic arguments of a segment; lifetimes and const arguments are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GenericArgs {
    /// Type arguments in order. For `Fn(A, B) -> C`: `A`, `B`.
    pub types: Vec<TypeRef>,
    /// `Name = T`; for `Fn(A, B) -> C`: `Output = C`.
    pub bindings: Vec<(Symbol, TypeRef)>,
}

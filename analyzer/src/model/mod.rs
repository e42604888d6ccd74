//! Names and types across files: modules, items, signatures, and what a path, a field or a method means.
//!
//! Guarantees: built from syntax alone, no I/O; what cannot be resolved is `None` or [`ty::Ty::Unknown`]. Names of types
//! count only for crates that are not there: the unmistakable ones of locks ([`locks`]) and of std types under their own
//! names ([`known::stand_in`]). Libraries that matter for locking are described by stubs in `stubs/`, written as Rust signatures
//! and read by the same code as the user's sources.
//!
//! Misses: code that macros of other crates generate, trait selection beyond one level of impls, const generics.

mod bounds;
pub mod infer;
pub mod items;
pub mod known;
pub mod locks;
pub mod lookup;
pub mod modules;
pub mod numbers;
mod own_locks;
pub mod program;
pub mod resolve;
pub mod signatures;
pub mod ty;
pub mod user_locks;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::source::Edition;
use crate::syntax::{Body, BodyHead, Function, Import, Span, StaticKind, Symbol, TypeRef};
use locks::LockType;
use ty::{TraitRef, Ty};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u32);
    )*};
}

ids! {
    /// A crate.
    CrateId,
    /// A module, or the anonymous module of a body with items in it.
    ModuleId,
    /// A struct, enum or union.
    AdtId,
    /// A trait.
    TraitId,
    /// An impl block.
    ImplId,
    /// A type alias.
    AliasId,
    /// A static, const or thread-local.
    StaticId,
}

/// A function with or without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FnId(#[serde(with = "numbers")] pub u32);

/// What a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Def {
    /// A module.
    Module(ModuleId),
    /// A struct, enum or union.
    Adt(AdtId),
    /// An enum variant, by index.
    Variant(AdtId, u32),
    /// A trait.
    Trait(TraitId),
    /// A type alias.
    Alias(AliasId),
    /// A function.
    Fn(FnId),
    /// A static or const.
    Static(StaticId),
    /// Something in a crate that is not there, by its path.
    External(Symbol),
}

/// A crate: one target of a package, or the stub of a library.
#[derive(Debug)]
pub struct Crate {
    /// Its name in paths.
    pub name: Symbol,
    /// The root module.
    pub root: ModuleId,
    /// Decides about `use` paths and temporary scopes.
    pub edition: Edition,
    /// The crates it can name: name in code -> name of the crate.
    pub dependencies: Dependencies,
    /// A stub: signatures without bodies.
    pub stub: bool,
}

/// A module.
#[derive(Debug)]
pub struct Module<'a> {
    /// Its crate.
    pub krate: CrateId,
    /// The module around it.
    pub parent: Option<ModuleId>,
    /// Its name; empty for roots and bodies.
    pub name: Symbol,
    /// The file its items stand in.
    pub file: u32,
    /// The anonymous module of a body.
    pub block: bool,
    /// Types and modules by name.
    pub types: FxHashMap<Symbol, Def>,
    /// Functions, statics, consts, constructors by name.
    pub values: FxHashMap<Symbol, Def>,
    /// Imports under a name.
    pub imports: FxHashMap<Symbol, Vec<&'a Import>>,
    /// Glob imports, and whether they are there for others, too.
    pub globs: Vec<(&'a Import, bool)>,
}

/// A field with its type.
#[derive(Debug)]
pub struct FieldData {
    /// Its name.
    pub name: Symbol,
    /// Its type in terms of the type's parameters.
    pub ty: Ty,
    /// Where it is declared.
    pub span: Span,
}

/// A struct, enum or union.
#[derive(Debug)]
pub struct AdtData<'a> {
    /// Its name.
    pub name: Symbol,
    /// Where it stands.
    pub module: ModuleId,
    /// The file.
    pub file: u32,
    /// Its name's place.
    pub span: Span,
    /// Its type parameters.
    pub params: Vec<Symbol>,
    /// Fields as written, one list per variant (structs have one).
    pub written: Vec<(Symbol, &'a [crate::syntax::Field])>,
    /// Fields with types, likewise.
    pub variants: Vec<Vec<FieldData>>,
    /// An enum.
    pub is_enum: bool,
    /// What kind of lock or guard it is, for stubs, configured types and locks of the sources.
    pub lock: Option<LockType>,
    /// Its path, once somebody asked for it.
    path: OnceLock<String>,
}

/// A trait.
#[derive(Debug)]
pub struct TraitData<'a> {
    /// Its name.
    pub name: Symbol,
    /// Where it stands.
    pub module: ModuleId,
    /// Supertraits as written.
    pub supertraits: &'a [crate::syntax::Path],
    /// Its methods.
    pub methods: FxHashMap<Symbol, FnId>,
    /// The impls of it in the sources.
    pub impls: Vec<ImplId>,
}

/// An impl block.
#[derive(Debug)]
pub struct ImplData<'a> {
    /// Where it stands.
    pub module: ModuleId,
    /// The file.
    pub file: u32,
    /// The head's place.
    pub span: Span,
    /// Its type parameters with bounds as written.
    pub generics: &'a crate::syntax::Generics,
    /// The trait, where there is one.
    pub trait_: Option<TraitRef>,
    /// The trait as written.
    pub trait_path: Option<&'a crate::syntax::Path>,
    /// The type as written.
    pub self_ref: &'a TypeRef,
    /// The type.
    pub self_ty: Ty,
    /// Its methods.
    pub methods: FxHashMap<Symbol, FnId>,
    /// Its associated types as written.
    pub types: FxHashMap<Symbol, &'a TypeRef>,
    /// `unsafe impl`
    pub unsafe_: bool,
    /// In test code.
    pub test: bool,
}

/// A type alias.
#[derive(Debug)]
pub struct AliasData<'a> {
    /// Where it stands.
    pub module: ModuleId,
    /// Its type parameters.
    pub params: Vec<Symbol>,
    /// What it stands for, as written.
    pub ty: &'a TypeRef,
}

/// A static, const or thread-local.
#[derive(Debug)]
pub struct StaticData<'a> {
    /// Its name.
    pub name: Symbol,
    /// Where it stands.
    pub module: ModuleId,
    /// The file.
    pub file: u32,
    /// Its name's place.
    pub span: Span,
    /// Its type as written.
    pub ty_ref: &'a TypeRef,
    /// Its type.
    pub ty: Ty,
    /// Which kind.
    pub kind: StaticKind,
    /// The initialiser.
    pub init: Option<&'a crate::syntax::BodyHead>,
    /// In test code.
    pub test: bool,
}

/// A function.
#[derive(Debug)]
pub struct FnData<'a> {
    /// Its syntax.
    pub syntax: &'a Function,
    /// Where its paths are resolved: its body's own module where it has items.
    pub module: ModuleId,
    /// The file.
    pub file: u32,
    /// The impl it stands in.
    pub impl_: Option<ImplId>,
    /// The trait it stands in.
    pub trait_: Option<TraitId>,
    /// Only compiled for tests.
    pub test: bool,
}

/// A function's types.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// `Self`.
    pub self_ty: Ty,
    /// There is a receiver.
    pub has_receiver: bool,
    /// The receiver is taken by value (`self`, `self: Box<Self>`).
    pub receiver_by_value: bool,
    /// Parameter types after the receiver.
    pub params: Vec<Ty>,
    /// The return type; for an `async fn` its output.
    pub ret: Ty,
    /// `async fn`.
    pub async_: bool,
    /// Type parameters in scope (own, synthetic for `impl Trait`, and the impl's) with their bounds.
    pub generics: Vec<(Symbol, Vec<TraitRef>)>,
}

/// Everything that is known about the sources. Immutable once built.
#[derive(Debug, Default)]
pub struct Model<'a> {
    /// All files, stubs included.
    pub files: Vec<&'a crate::syntax::FileSyntax>,
    /// All crates.
    pub crates: Vec<Crate>,
    /// All modules.
    pub modules: Vec<Module<'a>>,
    /// All structs, enums and unions.
    pub adts: Vec<AdtData<'a>>,
    /// All traits.
    pub traits: Vec<TraitData<'a>>,
    /// All impls.
    pub impls: Vec<ImplData<'a>>,
    /// All type aliases.
    pub aliases: Vec<AliasData<'a>>,
    /// All statics.
    pub statics: Vec<StaticData<'a>>,
    /// All functions.
    pub fns: Vec<FnData<'a>>,
    /// Their signatures.
    pub signatures: Vec<Signature>,
    /// Library crates by name.
    pub crates_by_name: FxHashMap<Symbol, CrateId>,
    /// Impls by the type they are for.
    pub impls_of: FxHashMap<AdtId, Vec<ImplId>>,
    /// Trait impls for type parameters, references, tuples, primitives, by the methods they have.
    pub blanket_impls: FxHashMap<Symbol, Vec<ImplId>>,
    /// Named imports, resolved.
    pub resolved_imports: FxHashMap<(ModuleId, Symbol), resolve::Imported>,
    /// Modules behind glob imports.
    pub resolved_globs: FxHashMap<ModuleId, Vec<(Def, bool)>>,
    /// What methods of lock types of the sources take: of those that the user names, and of those that are built so.
    pub user_acquires: FxHashMap<(AdtId, Symbol), locks::Acquire>,
    /// Items of the stubs that the analysis refers to.
    pub known: known::Known,
}

/// One file as the model sees it.
#[derive(Clone, Copy)]
pub struct ModelFile<'a> {
    /// Its syntax.
    pub syntax: &'a crate::syntax::FileSyntax,
    /// Its path, for `mod name;`.
    pub path: &'a std::path::Path,
}

/// Names in code, each with the name of the crate behind it, in the order of the manifest: what is made of it is the
/// same in every process, whatever numbers its symbols have.
pub type Dependencies = indexmap::IndexMap<Symbol, Symbol, rustc_hash::FxBuildHasher>;

/// A crate to build: its root file and what it can name.
#[derive(Clone, Debug)]
pub struct CrateInput {
    /// Its name in paths.
    pub name: Symbol,
    /// Index of its root file.
    pub root: usize,
    /// Its edition.
    pub edition: Edition,
    /// Name in code -> crate name.
    pub dependencies: Dependencies,
    /// Other crates can name it.
    pub library: bool,
    /// A stub.
    pub stub: bool,
    /// All in it is test code.
    pub test: bool,
    /// Files of the same package, to be mounted below the root if nothing names them.
    pub files: Vec<usize>,
}

impl<'a> Model<'a> {
    /// Builds the model. Linear in the size of the syntax, but for glob imports.
    pub fn build(files: &[ModelFile<'a>], crates: &[CrateInput]) -> Model<'a> {
        let mut model = Model { files: files.iter().map(|file| file.syntax).collect(), ..Model::default() };
        modules::mount(&mut model, files, crates);
        resolve::resolve_imports(&mut model);
        model.known = known::Known::find(&model);
        signatures::fill(&mut model);
        model.find_own_locks();
        model
    }

    /// The function's data.
    pub fn function(&self, id: FnId) -> &FnData<'a> {
        &self.fns[id.0 as usize]
    }

    /// The function's code.
    pub fn code(&self, id: FnId) -> Option<&'a Body> {
        let function = self.function(id);
        self.code_of(function.file, function.syntax.body.as_deref()?)
    }

    /// The initialiser of a static.
    pub fn init(&self, id: StaticId) -> Option<&'a Body> {
        let data = &self.statics[id.0 as usize];
        self.code_of(data.file, data.init?)
    }

    fn code_of(&self, file: u32, head: &BodyHead) -> Option<&'a Body> {
        self.files.get(file as usize)?.bodies.get(head.index)
    }

    /// The function's types.
    pub fn signature(&self, id: FnId) -> &Signature {
        &self.signatures[id.0 as usize]
    }

    /// The type's data.
    pub fn adt(&self, id: AdtId) -> &AdtData<'a> {
        &self.adts[id.0 as usize]
    }

    /// The module's data.
    pub fn module(&self, id: ModuleId) -> &Module<'a> {
        &self.modules[id.0 as usize]
    }

    /// The crate a module belongs to.
    pub fn crate_of(&self, id: ModuleId) -> &Crate {
        &self.crates[self.module(id).krate.0 as usize]
    }

    /// The function's name as reports show it: `Chain::import`, `<Chain as Drop>::drop` is `Chain::drop`.
    pub fn fn_name(&self, id: FnId) -> String {
        let function = self.function(id);
        let name = function.syntax.name;
        if let Some(impl_) = function.impl_ {
            return format!("{}::{name}", self.type_name(&self.impls[impl_.0 as usize].self_ty));
        }
        if let Some(trait_) = function.trait_ {
            return format!("{}::{name}", self.traits[trait_.0 as usize].name);
        }
        name.to_string()
    }

    /// The struct or enum behind references.
    pub fn adt_of(&self, ty: &Ty) -> Option<AdtId> {
        match ty.peeled() {
            Ty::Adt(id, _) => Some(*id),
            _ => None,
        }
    }

    /// A type's bare name.
    pub fn type_name(&self, ty: &Ty) -> String {
        match ty.peeled() {
            Ty::Adt(id, _) => self.adt(*id).name.to_string(),
            Ty::External(path, _) => path.as_str().rsplit("::").next().unwrap_or_default().to_string(),
            Ty::Param(name) => name.to_string(),
            Ty::Dyn(traits) | Ty::Opaque(traits) => {
                traits.first().map_or_else(|| "_".to_string(), |trait_| trait_.name.to_string())
            }
            Ty::Slice(_) => "[_]".to_string(),
            _ => "_".to_string(),
        }
    }

    /// A type's path from its crate on, `std::sync::Mutex`.
    pub fn adt_path(&self, id: AdtId) -> &str {
        let adt = self.adt(id);
        adt.path.get_or_init(|| format!("{}::{}", self.module_path(adt.module), adt.name))
    }

    /// A module's path from its crate on.
    pub fn module_path(&self, id: ModuleId) -> String {
        let module = self.module(id);
        match module.parent {
            Some(parent) if module.block => self.module_path(parent),
            Some(parent) => format!("{}::{}", self.module_path(parent), module.name),
            None => self.crate_of(id).name.to_string(),
        }
    }
}

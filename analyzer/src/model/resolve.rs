//! Paths to definitions: modules, imports with renames and globs, other crates, the prelude.
//!
//! Guarantees: terminates on cyclic imports; prefers what rustc prefers (own items, named imports, globs, crates,
//! prelude); a path into a crate that is not there becomes [`Def::External`] with that path.
//!
//! Misses: visibility, macros, derive helper names.

use rustc_hash::FxHashMap;

use super::{CrateId, Def, Model, ModuleId};
use crate::source::Edition;
use crate::syntax::{Import, Symbol};

/// Which kind of name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Types, traits, modules.
    Type,
    /// Functions, statics, constructors.
    Value,
}

/// What a named import means in each namespace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Imported {
    /// As a type, trait or module.
    pub ty: Option<Def>,
    /// As a function, static or constructor.
    pub value: Option<Def>,
}

/// How many imports are followed one after another.
const DEPTH: u32 = 32;

/// Resolves all imports once, so that lookups afterwards are hash lookups.
pub fn resolve_imports(model: &mut Model<'_>) {
    for index in 0..model.modules.len() {
        let id = ModuleId(index as u32);
        let globs: Vec<Def> = model.modules[index]
            .globs
            .clone()
            .into_iter()
            .filter_map(|import| model.import(id, import, Namespace::Type, DEPTH))
            .collect();
        if !globs.is_empty() {
            model.resolved_globs.insert(id, globs);
        }
    }
    let mut resolved = FxHashMap::default();
    for index in 0..model.modules.len() {
        let id = ModuleId(index as u32);
        for (name, imports) in &model.modules[index].imports {
            let find = |ns| imports.iter().find_map(|import| model.import(id, import, ns, DEPTH));
            resolved.insert((id, *name), Imported { ty: find(Namespace::Type), value: find(Namespace::Value) });
        }
    }
    model.resolved_imports = resolved;
}

impl Model<'_> {
    /// Resolves a path as far as modules, crates and variants go. Gives the definition and how many segments it took;
    /// the rest are associated items.
    pub fn resolve(&self, from: ModuleId, path: &[Symbol], absolute: bool, ns: Namespace) -> Option<(Def, usize)> {
        self.resolve_at(from, path, absolute, ns, DEPTH)
    }

    fn resolve_at(
        &self,
        from: ModuleId,
        path: &[Symbol],
        absolute: bool,
        ns: Namespace,
        depth: u32,
    ) -> Option<(Def, usize)> {
        let depth = depth.checked_sub(1)?;
        let first_ns = if path.len() == 1 { ns } else { Namespace::Type };
        let (mut def, mut used) = match path.first()?.as_str() {
            "crate" | "$crate" => (Def::Module(self.crate_of(from).root), 1),
            "self" => (Def::Module(self.plain_module(from)), 1),
            "super" => {
                let mut module = self.plain_module(from);
                let mut used = 0;
                while path.get(used).is_some_and(|segment| segment.as_str() == "super") {
                    module = self.plain_module(self.module(module).parent?);
                    used += 1;
                }
                (Def::Module(module), used)
            }
            _ if absolute => {
                let krate = self.crate_of(from);
                let local = (krate.edition == Edition::E2015)
                    .then(|| self.lookup_in(krate.root, path[0], first_ns, depth))
                    .flatten();
                (local.or_else(|| self.krate(from, path[0]))?, 1)
            }
            _ => (self.lookup(from, path, first_ns, depth)?, 1),
        };
        while used < path.len() {
            let ns = if used + 1 == path.len() { ns } else { Namespace::Type };
            def = match def {
                Def::Module(module) => self.lookup_in(module, path[used], ns, depth)?,
                Def::Adt(adt) if self.adt(adt).is_enum => {
                    match self.adt(adt).written.iter().position(|(name, _)| *name == path[used]) {
                        Some(index) => Def::Variant(adt, index as u32),
                        None => break,
                    }
                }
                Def::External(name) => Def::External(Symbol::from(format!("{name}::{}", path[used]))),
                _ => break,
            };
            used += 1;
        }
        Some((def, used))
    }

    /// A first segment: scopes from the inside out, then crates, then the prelude.
    fn lookup(&self, from: ModuleId, path: &[Symbol], ns: Namespace, depth: u32) -> Option<Def> {
        let name = path[0];
        let mut module = from;
        loop {
            if let Some(def) = self.lookup_in(module, name, ns, depth) {
                return Some(def);
            }
            match self.module(module) {
                inner if inner.block => module = inner.parent?,
                _ => break,
            }
        }
        let krate = || if ns == Namespace::Type { self.krate(from, name) } else { None };
        let prelude = || {
            let prelude = self.known.prelude?;
            self.lookup_in(prelude, name, ns, depth)
        };
        krate().or_else(prelude).or_else(|| {
            // A lower-case head of a longer path is a crate that the manifest did not tell of.
            let unknown_crate = path.len() > 1 && name.as_str().starts_with(|first: char| first.is_ascii_lowercase());
            unknown_crate.then_some(Def::External(name))
        })
    }

    /// A name inside one module: own items, named imports, globs.
    fn lookup_in(&self, module: ModuleId, name: Symbol, ns: Namespace, depth: u32) -> Option<Def> {
        self.lookup_seen(module, name, ns, depth, &mut Vec::new())
    }

    fn lookup_seen(
        &self,
        id: ModuleId,
        name: Symbol,
        ns: Namespace,
        depth: u32,
        seen: &mut Vec<ModuleId>,
    ) -> Option<Def> {
        let depth = depth.checked_sub(1)?;
        let module = self.module(id);
        let own = match ns {
            Namespace::Type => &module.types,
            Namespace::Value => &module.values,
        };
        if let Some(def) = own.get(&name) {
            return Some(*def);
        }
        if let Some(imports) = module.imports.get(&name) {
            let found = match self.resolved_imports.get(&(id, name)) {
                Some(resolved) => match ns {
                    Namespace::Type => resolved.ty,
                    Namespace::Value => resolved.value,
                },
                None => imports.iter().find_map(|import| self.import(id, import, ns, depth)),
            };
            if found.is_some() {
                return found;
            }
        }
        if seen.contains(&id) {
            return None;
        }
        seen.push(id);
        let resolved = self.resolved_globs.get(&id);
        let unresolved = if resolved.is_none() { module.globs.as_slice() } else { &[] };
        let mut targets = resolved.into_iter().flatten().copied().chain(
            unresolved.iter().filter_map(|import| {
                // The glob's own path must not be looked up through the very same glob.
                self.import(id, import, Namespace::Type, depth / 2)
            }),
        );
        targets.find_map(|target| match target {
            Def::Module(target) => self.lookup_seen(target, name, ns, depth, seen),
            Def::Adt(adt) => {
                let index = self.adt(adt).written.iter().position(|(variant, _)| *variant == name)?;
                self.adt(adt).is_enum.then_some(Def::Variant(adt, index as u32))
            }
            _ => None,
        })
    }

    fn import(&self, from: ModuleId, import: &Import, ns: Namespace, depth: u32) -> Option<Def> {
        let depth = depth.checked_sub(1)?;
        if import.path.is_empty() {
            return Some(Def::Module(self.crate_of(from).root));
        }
        let special = matches!(import.path[0].as_str(), "crate" | "self" | "super" | "$crate");
        if self.crate_of(from).edition == Edition::E2015 && !special {
            let root = self.crate_of(from).root;
            // Inside the root module the import itself is found first; it must not answer its own question.
            let found = if from == root && import.path.len() == 1 {
                None
            } else {
                self.resolve_at(root, &import.path, false, ns, depth)
            };
            if let Some((def, used)) = found
                && used == import.path.len()
                && !matches!(def, Def::External(_))
            {
                return Some(def);
            }
            if let Some(krate) = self.krate(from, import.path[0]) {
                return self.continue_path(krate, &import.path[1..], ns, depth);
            }
            return found.filter(|(_, used)| *used == import.path.len()).map(|(def, _)| def);
        }
        // `use name::..` where `name` is this import's own alias means the crate.
        if !special
            && import.alias == Some(import.path[0])
            && let Some(krate) = self.krate(from, import.path[0])
        {
            return self.continue_path(krate, &import.path[1..], ns, depth);
        }
        let (def, used) = self.resolve_at(from, &import.path, import.absolute, ns, depth)?;
        (used == import.path.len()).then_some(def)
    }

    fn continue_path(&self, mut def: Def, rest: &[Symbol], ns: Namespace, depth: u32) -> Option<Def> {
        for (index, segment) in rest.iter().enumerate() {
            let ns = if index + 1 == rest.len() { ns } else { Namespace::Type };
            def = match def {
                Def::Module(module) => self.lookup_in(module, *segment, ns, depth)?,
                Def::Adt(adt) => {
                    let index = self.adt(adt).written.iter().position(|(name, _)| name == segment)?;
                    Def::Variant(adt, index as u32)
                }
                Def::External(name) => Def::External(Symbol::from(format!("{name}::{segment}"))),
                _ => return None,
            };
        }
        Some(def)
    }

    /// A crate by the name it has in the crate of `from`.
    fn krate(&self, from: ModuleId, name: Symbol) -> Option<Def> {
        let krate = self.crate_of(from);
        let target = krate.dependencies.get(&name).copied();
        let wanted = match target.unwrap_or(name).as_str() {
            "core" | "alloc" => Symbol::from("std"),
            _ => target.unwrap_or(name),
        };
        let find = |name: &Symbol| self.crates_by_name.get(name).map(|id: &CrateId| Def::Module(self.crates[id.0 as usize].root));
        // Any crate may name the stubs: manifests are often not there.
        find(&wanted).or_else(|| target.map(Def::External))
    }

    /// The module around anonymous ones.
    pub fn plain_module(&self, mut id: ModuleId) -> ModuleId {
        while self.module(id).block
            && let Some(parent) = self.module(id).parent
        {
            id = parent;
        }
        id
    }
}

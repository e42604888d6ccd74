//! Paths to definitions: modules, imports with renames and globs, other crates, the prelude.
//!
//! Guarantees: terminates on cyclic imports; prefers what rustc prefers (own items, named imports, globs, crates,
//! prelude); a path into a crate that is not there becomes [`Def::External`] with that path.
//!
//! Misses: visibility, except that of glob imports, macros, derive helper names.

use symbol_table::static_symbol;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// As a type, trait or module.
    pub ty: Option<Def>,
    /// As a function, static or constructor.
    pub value: Option<Def>,
}

/// Rounds after which imports that still change are left as they are (a cycle of renames).
const ROUNDS: usize = 32;

/// Resolves all imports once, so that lookups afterwards are hash lookups. Every round resolves with what the rounds
/// before found, as rustc does; each costs time linear in the number of unresolved imports.
pub fn resolve_imports(model: &mut Model<'_>) {
    let mut open = model.modules.iter().map(|module| module.imports.keys().copied().collect()).collect::<Vec<_>>();
    // Crates that are not there come last: only what nothing else explains is foreign.
    for foreign in [false, true] {
        for _ in 0..ROUNDS {
            if !resolve_round(model, &mut open, foreign) {
                break;
            }
        }
    }
}

/// `open`: for every module the names that may still come to mean something, or something more.
fn resolve_round(model: &mut Model<'_>, open: &mut [Vec<Symbol>], foreign: bool) -> bool {
    let mut changed = false;
    for (index, open) in open.iter_mut().enumerate() {
        let id = ModuleId(index as u32);
        let known = model.resolved_globs.get(&id).map_or(0, Vec::len);
        let globs = &model.modules[index].globs;
        if known < globs.len() {
            let find = |import| model.import(id, import, Namespace::Type, foreign);
            let found: Vec<(Def, bool)> =
                globs.iter().filter_map(|(import, public)| Some((find(import)?, *public))).collect();
            if found.len() > known {
                model.resolved_globs.insert(id, found);
                changed = true;
            }
        }
        let mut found: Vec<(Symbol, Imported)> = Vec::new();
        open.retain(|name| {
            let Some(imports) = model.modules[index].imports.get(name) else { return false };
            let before = model.resolved_imports.get(&(id, *name)).copied().unwrap_or_default();
            let find = |ns| imports.iter().find_map(|import| model.import(id, import, ns, foreign));
            let after = Imported {
                ty: before.ty.or_else(|| find(Namespace::Type)),
                value: before.value.or_else(|| find(Namespace::Value)),
            };
            if after != before {
                found.push((*name, after));
            }
            let all = after.ty.is_some() && after.value.is_some();
            after == Imported::default() || !all && imports.iter().any(|import| model.may_name_more(id, import))
        });
        changed |= !found.is_empty();
        model.resolved_imports.extend(found.into_iter().map(|(name, imported)| ((id, name), imported)));
    }
    changed
}

impl Model<'_> {
    /// Resolves a path as far as modules, crates and variants go. Gives the definition and how many segments it took;
    /// the rest are associated items.
    pub fn resolve(&self, from: ModuleId, path: &[Symbol], absolute: bool, ns: Namespace) -> Option<(Def, usize)> {
        self.resolve_at(from, path, absolute, ns, true)
    }

    /// `foreign`: whether an unknown lower-case head may be a crate that is not there.
    fn resolve_at(
        &self,
        from: ModuleId,
        path: &[Symbol],
        absolute: bool,
        ns: Namespace,
        foreign: bool,
    ) -> Option<(Def, usize)> {
        let first_ns = if path.len() == 1 { ns } else { Namespace::Type };
        let super_ = static_symbol!("super");
        let (mut def, mut used) = match *path.first()? {
            first if first == static_symbol!("crate") || first == static_symbol!("$crate") => {
                (Def::Module(self.crate_of(from).root), 1)
            }
            first if first == static_symbol!("self") => (Def::Module(self.plain_module(from)), 1),
            first if first == super_ => {
                let mut module = self.plain_module(from);
                let mut used = 0;
                while path.get(used) == Some(&super_) {
                    module = self.plain_module(self.module(module).parent?);
                    used += 1;
                }
                (Def::Module(module), used)
            }
            _ if absolute => {
                let krate = self.crate_of(from);
                let local =
                    (krate.edition == Edition::E2015).then(|| self.lookup_in(krate.root, path[0], first_ns)).flatten();
                (local.or_else(|| self.krate(from, path[0]))?, 1)
            }
            _ => (self.lookup(from, path, first_ns, foreign)?, 1),
        };
        while used < path.len() {
            let ns = if used + 1 == path.len() { ns } else { Namespace::Type };
            def = match def {
                Def::Module(module) => self.lookup_from(module, path[used], ns, self.is_within(from, module))?,
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
    fn lookup(&self, from: ModuleId, path: &[Symbol], ns: Namespace, foreign: bool) -> Option<Def> {
        let name = path[0];
        let mut module = from;
        loop {
            if let Some(def) = self.lookup_in(module, name, ns) {
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
            self.lookup_in(prelude, name, ns)
        };
        krate().or_else(prelude).or_else(|| {
            // A lower-case head of a longer path is a crate that the manifest did not tell of.
            let unknown_crate = path.len() > 1 && name.as_str().starts_with(|first: char| first.is_ascii_lowercase());
            (foreign && unknown_crate).then_some(Def::External(name))
        })
    }

    /// A name inside one module: own items, named imports, globs (and the globs of those).
    fn lookup_in(&self, id: ModuleId, name: Symbol, ns: Namespace) -> Option<Def> {
        self.lookup_from(id, name, ns, true)
    }

    /// Whether one module lies in another one, or is it.
    fn is_within(&self, mut inner: ModuleId, outer: ModuleId) -> bool {
        while inner != outer {
            let Some(parent) = self.module(inner).parent else { return false };
            inner = parent;
        }
        true
    }

    /// The same; `inside` where who asks sees what the module imports for itself.
    fn lookup_from(&self, id: ModuleId, name: Symbol, ns: Namespace, inside: bool) -> Option<Def> {
        if let Some(def) = self.named_in(id, name, ns) {
            return Some(def);
        }
        let mut seen: smallvec::SmallVec<[ModuleId; 8]> = smallvec::smallvec![id];
        let mut next = 0;
        while let Some(module) = seen.get(next).copied() {
            next += 1;
            for (target, public) in self.resolved_globs.get(&module).into_iter().flatten() {
                if module == id && !inside && !public {
                    continue;
                }
                match target {
                    Def::Module(target) if !seen.contains(target) => {
                        if let Some(def) = self.named_in(*target, name, ns) {
                            return Some(def);
                        }
                        seen.push(*target);
                    }
                    Def::Adt(adt) if self.adt(*adt).is_enum => {
                        let variant = self.adt(*adt).written.iter().position(|(variant, _)| *variant == name);
                        if let Some(index) = variant {
                            return Some(Def::Variant(*adt, index as u32));
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// A name that a module declares or imports by name.
    fn named_in(&self, id: ModuleId, name: Symbol, ns: Namespace) -> Option<Def> {
        let module = self.module(id);
        let (own, imported) = match ns {
            Namespace::Type => {
                (module.types.get(&name), self.resolved_imports.get(&(id, name)).and_then(|found| found.ty))
            }
            Namespace::Value => {
                (module.values.get(&name), self.resolved_imports.get(&(id, name)).and_then(|found| found.value))
            }
        };
        own.copied().or(imported)
    }

    fn import(&self, from: ModuleId, import: &Import, ns: Namespace, foreign: bool) -> Option<Def> {
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
                self.resolve_at(root, &import.path, false, ns, foreign)
            };
            if let Some((def, used)) = found
                && used == import.path.len()
                && !matches!(def, Def::External(_))
            {
                return Some(def);
            }
            if let Some(krate) = self.krate(from, import.path[0]) {
                return self.continue_path(krate, &import.path[1..], ns);
            }
            return found.filter(|(_, used)| *used == import.path.len()).map(|(def, _)| def);
        }
        // `use name::..` where `name` is this import's own alias means the crate.
        if !special
            && import.alias == Some(import.path[0])
            && let Some(krate) = self.krate(from, import.path[0])
        {
            return self.continue_path(krate, &import.path[1..], ns);
        }
        let (def, used) = self.resolve_at(from, &import.path, import.absolute, ns, foreign)?;
        (used == import.path.len()).then_some(def)
    }

    /// Whether an import that names something in one namespace may come to name something in the other one: not where
    /// the module that it imports from has no import of that name and no glob.
    fn may_name_more(&self, from: ModuleId, import: &Import) -> bool {
        let Some((name, way)) = import.path.split_last() else { return false };
        let special = import.alias == Some(import.path[0]) || self.crate_of(from).edition == Edition::E2015;
        if way.is_empty() || special {
            return true;
        }
        match self.resolve_at(from, way, import.absolute, Namespace::Type, false) {
            Some((Def::Module(module), used)) if used == way.len() => {
                let module = self.module(module);
                !module.globs.is_empty() || module.imports.contains_key(name)
            }
            _ => true,
        }
    }

    fn continue_path(&self, mut def: Def, rest: &[Symbol], ns: Namespace) -> Option<Def> {
        for (index, segment) in rest.iter().enumerate() {
            let ns = if index + 1 == rest.len() { ns } else { Namespace::Type };
            def = match def {
                Def::Module(module) => self.lookup_in(module, *segment, ns)?,
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
        let find = |name: &Symbol| {
            self.crates_by_name.get(name).map(|id: &CrateId| Def::Module(self.crates[id.0 as usize].root))
        };
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

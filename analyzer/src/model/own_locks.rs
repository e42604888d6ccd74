//! Lock types that the sources define themselves, known by their build.
//!
//! A type is a lock where it shares an `UnsafeCell` of its type parameter among threads (`unsafe impl Sync`), and hands
//! out guards of the same crate by a method `lock`, `read` or `write`; a guard is what stands for the data (`Deref`) and
//! does something when it ends (`Drop`). Kernels, runtimes and the lock libraries themselves are built so.
//!
//! Guarantees: all of this must be there; nothing is a lock by its name alone, and a cell that panics instead of waiting
//! (`borrow`) is none. The bodies of methods that take such a lock count for nothing at a call, as for locks that the
//! user names. Readers of such a lock may always join other readers, and a type that counts its owner's turns is
//! reentrant: nothing is said of it that its build does not show.
//!
//! Misses: locks without data or without a guard, and locks over `lock_api`'s traits, whose users call `lock_api`.

use rustc_hash::FxHashSet;
use symbol_table::static_symbol;

use super::locks::{Acquire, LockType, Shape, Waiting};
use super::ty::Ty;
use super::{AdtData, AdtId, ImplData, ImplId, Model};
use crate::graph::LockMode;
use crate::syntax::Symbol;

/// How deep the cell may lie in types of the sources.
const DEPTH: u32 = 3;

/// Methods that take a lock, bare or before an underscore (`lock_irq`).
const METHODS: &[(&str, LockMode)] = &[
    ("lock", LockMode::Exclusive),
    ("write", LockMode::Exclusive),
    ("read", LockMode::SharedRecursive),
    ("upread", LockMode::Upgradable),
    ("upgradable_read", LockMode::Upgradable),
    ("upgradeable_read", LockMode::Upgradable),
];

/// A method that takes a lock, and the guard that it gives.
struct Method {
    name: Symbol,
    taken: Acquire,
    guard: AdtId,
}

impl Model<'_> {
    /// Finds the lock types of the sources. Linear in the impls, and in the methods of those that are locks.
    pub(super) fn find_own_locks(&mut self) {
        let own = |data: &ImplData<'_>| !self.crate_of(data.module).stub;
        let shared: FxHashSet<AdtId> = self
            .impls
            .iter()
            .filter(|data| data.unsafe_ && own(data) && is_of(data, static_symbol!("Sync")))
            .filter_map(|data| self.adt_of(&data.self_ty))
            .collect();
        let mut found: Vec<(AdtId, Vec<Method>)> = shared
            .into_iter()
            .filter(|adt| self.adt(*adt).lock.is_none() && self.has_cell(*adt, DEPTH))
            .map(|adt| (adt, self.taking_methods(adt)))
            .filter(|(_, methods)| !methods.is_empty())
            .collect();
        found.sort_by_key(|(adt, _)| *adt);
        for (adt, methods) in found {
            let shares = methods.iter().any(|method| method.taken.mode != LockMode::Exclusive);
            let shape = match (is_reentrant(self.adt(adt)), shares) {
                (true, _) => Shape::Reentrant,
                (false, true) => Shape::RwLock,
                (false, false) => Shape::Mutex,
            };
            let waiting = match methods.iter().any(|method| method.taken.waiting == Waiting::Task) {
                true => Waiting::Task,
                false => Waiting::Thread,
            };
            self.adts[adt.0 as usize].lock = Some(LockType::Lock { shape, waiting });
            for Method { name, taken, guard } in methods {
                self.user_acquires.insert((adt, name), taken);
                let data = &mut self.adts[guard.0 as usize];
                data.lock = data.lock.or(Some(LockType::Guard { waiting }));
            }
        }
    }

    /// Whether the type has an `UnsafeCell` of a type parameter.
    fn has_cell(&self, adt: AdtId, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let data = self.adt(adt);
        !data.is_enum && data.variants.iter().flatten().any(|field| self.is_cell(&field.ty, depth))
    }

    fn is_cell(&self, ty: &Ty, depth: u32) -> bool {
        let of_param = |args: &[Ty]| args.iter().any(|arg| matches!(arg, Ty::Param(_)));
        match ty {
            Ty::Adt(id, args) if self.crate_of(self.adt(*id).module).stub => {
                self.adt(*id).name.as_str() == "UnsafeCell" && of_param(args)
            }
            Ty::Adt(id, args) => of_param(args) && self.has_cell(*id, depth),
            Ty::External(path, args) => path.as_str().rsplit("::").next() == Some("UnsafeCell") && of_param(args),
            _ => false,
        }
    }

    /// The methods that take the lock.
    fn taking_methods(&self, adt: AdtId) -> Vec<Method> {
        let krate = self.module(self.adt(adt).module).krate;
        let inherent = self.impls_of.get(&adt).into_iter().flatten().map(|id| &self.impls[id.0 as usize]);
        let methods = inherent.filter(|data| data.trait_path.is_none()).flat_map(|data| &data.methods);
        let mut out: Vec<Method> = methods
            .filter_map(|(name, id)| {
                let signature = self.signature(*id);
                let (mode, tried) = taking(name.as_str())?;
                let (guard, may_fail) = self.own_guard(&signature.ret)?;
                let same_crate = self.module(self.adt(guard).module).krate == krate;
                let waiting = if signature.async_ { Waiting::Task } else { Waiting::Thread };
                let taken = Acquire { mode, try_: tried || may_fail, waiting };
                (signature.has_receiver && same_crate).then_some(Method { name: *name, taken, guard })
            })
            .collect();
        out.sort_by_key(|method| method.name.as_str());
        out
    }

    /// The guard in a return type, and whether there may be none.
    fn own_guard(&self, ty: &Ty) -> Option<(AdtId, bool)> {
        let Ty::Adt(id, args) = ty else { return None };
        let data = self.adt(*id);
        if self.crate_of(data.module).stub {
            let (guard, _) = args.iter().find_map(|arg| self.own_guard(arg))?;
            return Some((guard, Some(*id) == self.known.option));
        }
        let impls = self.impls_of.get(id)?;
        let has = |name| impls.iter().any(|id: &ImplId| is_of(&self.impls[id.0 as usize], name));
        (has(static_symbol!("Drop")) && has(static_symbol!("Deref"))).then_some((*id, false))
    }
}

/// Whether it implements the trait of this name.
fn is_of(data: &ImplData<'_>, name: Symbol) -> bool {
    data.trait_path.and_then(|path| path.segments.last()).is_some_and(|last| last.name == name)
}

/// How a method of this name takes a lock, and whether it only tries.
fn taking(name: &str) -> Option<(LockMode, bool)> {
    let bare = name.strip_prefix("try_").unwrap_or(name);
    let bare = bare.strip_prefix("blocking_").unwrap_or(bare);
    let says = |word: &str| bare.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    METHODS.iter().find(|(word, _)| says(word)).map(|(_, mode)| (*mode, name.starts_with("try_")))
}

/// Whether its holder may take it again: it says so, or counts how often its owner has it.
fn is_reentrant(data: &AdtData<'_>) -> bool {
    let says = |text: &str, words: &[&str]| {
        let text = text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let field = |words: &[&str]| data.variants.iter().flatten().any(|field| says(field.name.as_str(), words));
    says(data.name.as_str(), &["reentrant", "recursive"])
        || field(&["reentran", "recurs"])
        || field(&["owner", "holder"]) && field(&["count", "depth", "level"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_take_by_their_first_word() {
        assert_eq!(taking("lock_irq_disabled"), Some((LockMode::Exclusive, false)));
        assert_eq!(taking("try_read"), Some((LockMode::SharedRecursive, true)));
        assert_eq!(taking("blocking_write"), Some((LockMode::Exclusive, false)));
        assert_eq!(taking("upread"), Some((LockMode::Upgradable, false)));
        assert_eq!(taking("locked"), None);
        assert_eq!(taking("borrow"), None);
    }
}

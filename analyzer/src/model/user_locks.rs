//! Lock types of the user's own, named in the configuration.
//!
//! Guarantees: what is named and not there (a type, a method, a guard) is said; nothing is taken for a lock that was not
//! named. The bodies of methods that take the lock count for nothing at a call: what a spin loop does inside is not what
//! the lock is for.
//!
//! Misses: locks without a guard, that are given back by a method; types of crates whose sources are not looked at.

use super::locks::{Acquire, LockType, Shape, Waiting};
use super::ty::Ty;
use super::{AdtId, FnId, Model};
use crate::graph::LockMode;
use crate::nearest::hint;
use crate::syntax::Symbol;

/// A lock type, as the user describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserLock {
    /// Its path, `bank::sync::SpinLock`; the last parts are enough.
    pub path: String,
    /// Methods that wait until nobody else has it.
    pub acquire: Vec<String>,
    /// Methods that wait until nobody else has it exclusively.
    pub shared: Vec<String>,
    /// Methods that take it without waiting.
    pub try_: Vec<String>,
    /// The path of its guard, where the methods' return types do not say it.
    pub guard: Option<String>,
    /// Its holder may take it again.
    pub reentrant: bool,
}

impl UserLock {
    /// Every method that takes it, with its mode and whether it only tries.
    fn methods(&self) -> impl Iterator<Item = (&str, LockMode, bool)> {
        let tried = |name: &str| {
            let bare = name.strip_prefix("try_").unwrap_or(name);
            let shared = self.shared.iter().any(|method| method == name || method == bare);
            if shared { LockMode::Shared } else { LockMode::Exclusive }
        };
        let acquire = self.acquire.iter().map(|name| (name.as_str(), LockMode::Exclusive, false));
        let shared = self.shared.iter().map(|name| (name.as_str(), LockMode::Shared, false));
        let try_ = self.try_.iter().map(move |name| (name.as_str(), tried(name), true));
        acquire.chain(shared).chain(try_)
    }
}

impl Model<'_> {
    /// Takes over the user's lock types. Gives what could not be found, one line each.
    pub fn name_locks(&mut self, locks: &[UserLock]) -> Vec<String> {
        let mut problems = Vec::new();
        for lock in locks {
            let found = self.adts_at(&lock.path);
            if found.is_empty() {
                problems.push(format!(
                    "the lock type `{}` is not in the sources{}",
                    lock.path,
                    self.nearest_type(&lock.path)
                ));
            }
            for adt in found {
                self.name_lock(adt, lock, &mut problems);
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }

    fn name_lock(&mut self, adt: AdtId, lock: &UserLock, problems: &mut Vec<String>) {
        let shape = match (lock.reentrant, lock.shared.is_empty()) {
            (true, _) => Shape::Reentrant,
            (false, true) => Shape::Mutex,
            (false, false) => Shape::RwLock,
        };
        let mut kind = Waiting::Thread;
        let mut guards = Vec::new();
        for (name, mode, try_) in lock.methods() {
            let Some(method) = self.method_of(adt, name) else {
                let known = self.method_names(adt);
                let hint = hint(name, known.iter().map(|known| known.as_str()));
                problems.push(format!("the lock type `{}` has no method `{name}`{hint}", lock.path));
                continue;
            };
            let signature = self.signature(method);
            let waiting = if signature.async_ { Waiting::Task } else { Waiting::Thread };
            kind = waiting;
            self.user_acquires.insert((adt, Symbol::from(name)), Acquire { mode, try_, waiting });
            match self.guard_in(&self.signature(method).ret) {
                Some(guard) => guards.push(guard),
                None if lock.guard.is_none() => {
                    let mend = "name its guard by `guard = \"..\"`";
                    problems.push(format!(
                        "`{name}` of the lock type `{}` gives nothing that could be a guard; {mend}",
                        lock.path
                    ));
                }
                None => {}
            }
        }
        if let Some(path) = &lock.guard {
            guards = self.adts_at(path);
            if guards.is_empty() {
                problems.push(format!("the guard `{path}` is not in the sources{}", self.nearest_type(path)));
            }
        }
        self.adts[adt.0 as usize].lock = Some(LockType::Lock { shape, waiting: kind });
        for guard in guards {
            let data = &mut self.adts[guard.0 as usize];
            data.lock = data.lock.or(Some(LockType::Guard { waiting: kind }));
        }
    }

    /// What a method of the user's own lock type takes.
    pub fn user_acquire(&self, on: &Ty, method: Symbol) -> Option<Acquire> {
        if self.user_acquires.is_empty() {
            return None;
        }
        self.user_acquires.get(&(self.adt_of(on)?, method)).copied()
    }

    /// Types of the sources whose path is or ends with `path`.
    fn adts_at(&self, path: &str) -> Vec<AdtId> {
        let path = path.strip_prefix("crate::").unwrap_or(path);
        let last = Symbol::from(path.rsplit("::").next().unwrap_or(path));
        let all =
            self.adts.iter().enumerate().filter(|(_, data)| data.name == last && !self.crate_of(data.module).stub);
        let ids = all.map(|(index, _)| AdtId(index as u32));
        ids.filter(|id| {
            let full = self.adt_path(*id);
            full == path || full.strip_suffix(path).is_some_and(|rest| rest.ends_with("::"))
        })
        .collect()
    }

    fn nearest_type(&self, path: &str) -> String {
        let last = path.rsplit("::").next().unwrap_or(path);
        let own = self.adts.iter().filter(|data| !self.crate_of(data.module).stub);
        hint(last, own.map(|data| data.name.as_str()))
    }

    fn method_of(&self, adt: AdtId, name: &str) -> Option<FnId> {
        let name = Symbol::from(name);
        self.impls_of.get(&adt)?.iter().find_map(|id| self.impls[id.0 as usize].methods.get(&name).copied())
    }

    fn method_names(&self, adt: AdtId) -> Vec<Symbol> {
        let impls = self.impls_of.get(&adt).into_iter().flatten();
        let mut names: Vec<Symbol> = impls.flat_map(|id| self.impls[id.0 as usize].methods.keys().copied()).collect();
        names.sort_by_key(|name| name.as_str());
        names
    }

    /// The guard in a return type: a type of the sources, or a guard that is known already, perhaps in a `Result`.
    fn guard_in(&self, ty: &Ty) -> Option<AdtId> {
        let Ty::Adt(id, args) = ty else { return None };
        let data = self.adt(*id);
        match data.lock {
            Some(LockType::Guard { .. }) => Some(*id),
            _ if self.crate_of(data.module).stub => args.iter().find_map(|arg| self.guard_in(arg)),
            _ => Some(*id),
        }
    }
}

//! What library functions do with the value they are called on, where their signature does not say it.
//!
//! Guarantees: only names of the standard library's collections, atomics and cells, and only on values that are known
//! to be such.

use super::{Access, Key};
use crate::model::Model;
use crate::model::known::{self, Role};
use crate::model::ty::Ty;
use crate::syntax::Symbol;

/// What a method with `&mut self` does to a collection or value; `None` where it only gives a reference into it.
pub(super) fn mutates(name: &str) -> Option<Access> {
    Some(match name {
        "get_mut" | "iter_mut" | "values_mut" | "first_mut" | "last_mut" | "as_mut" | "deref_mut" | "borrow_mut"
        | "as_deref_mut" | "peek_mut" | "front_mut" | "back_mut" | "split_at_mut" | "chunks_mut" | "as_mut_slice"
        | "by_ref" | "range_mut" | "get_refresh" | "as_mut_ptr" => return None,
        "push" | "push_back" | "push_front" | "extend" | "extend_from_slice" | "append" | "push_str" => Access::Append,
        "clear" | "fill" | "set" => Access::Write,
        "insert" => Access::Write,
        _ => Access::Update,
    })
}

/// Whether the method's first argument is a key.
pub(super) fn is_keyed(name: &str) -> bool {
    matches!(name, "get" | "get_mut" | "contains_key" | "contains" | "insert" | "remove" | "entry" | "get_key_value")
}

/// Which element a method without a key looks at.
pub(super) fn unkeyed(name: &str) -> Key {
    match name {
        "iter" | "values" | "keys" | "first" | "last" | "front" | "back" | "drain" | "into_iter" | "range" => Key::Some,
        _ => Key::Whole,
    }
}

/// Whether a value of this type is an atomic.
pub(in crate::regions) fn is_atomic(model: &Model<'_>, ty: &Ty) -> bool {
    let is = |path: &str| {
        let name = path.rsplit("::").next().unwrap_or_default();
        name.len() > 6 && name.starts_with("Atomic") && path.contains("atomic")
    };
    match pointee(model, ty) {
        Ty::Adt(id, _) => model.crate_of(model.adt(*id).module).stub && is(model.adt_path(*id)),
        Ty::External(path, _) => is(path.as_str()),
        _ => false,
    }
}

/// Whether a value of this type is a tracked cell.
pub(super) fn is_tracked(model: &Model<'_>, ty: &Ty) -> bool {
    let path = match pointee(model, ty) {
        Ty::Adt(id, _) => model.adt_path(*id),
        Ty::External(path, _) => path.as_str(),
        _ => return false,
    };
    path.split("::").next() == Some(known::TRACKER) && path.ends_with("::Tracked")
}

/// Through references and pointers that are as good as what they point to.
pub(super) fn pointee<'t>(model: &Model<'_>, ty: &'t Ty) -> &'t Ty {
    let mut ty = ty.peeled();
    for _ in 0..4 {
        match ty {
            Ty::Adt(id, args) if model.known.transparent.contains(id) => match args.first() {
                Some(inner) => ty = inner.peeled(),
                None => break,
            },
            _ => break,
        }
    }
    ty
}

/// What a method of an atomic does.
pub(super) fn atomic(name: &str) -> Option<Access> {
    Some(match name {
        "load" => Access::Read,
        "store" => Access::Write,
        _ if name.starts_with("fetch_")
            || name.starts_with("compare_")
            || name == "swap"
            || name.ends_with("update") =>
        {
            Access::Update
        }
        _ => return None,
    })
}

/// What a method of a tracked cell does.
pub(super) fn tracked(name: &str) -> Option<Access> {
    Some(match name {
        "get" | "read" => Access::Read,
        "set" => Access::Write,
        "update" => Access::Update,
        _ => return None,
    })
}

/// Methods and functions of crates that are not there and run what they are given on another thread or as another
/// task.
const SPAWNERS: &[&str] = &[
    "spawn",
    "spawn_blocking",
    "spawn_local",
    "spawn_fifo",
    "spawn_async",
    "spawn_named",
    "run_async",
    "run_async_named",
    "execute",
    "submit",
    "dispatch_async",
];

/// Whether a function of this name, of a crate that is not there, spawns.
pub(super) fn spawns_by_name(name: Symbol) -> bool {
    let last = name.as_str().rsplit("::").next().unwrap_or_default();
    SPAWNERS.contains(&last)
}

/// Whether a library function spawns.
pub(super) fn spawns(role: Role) -> bool {
    matches!(role, Role::SpawnThread | Role::SpawnTask | Role::Submit)
}

/// Whether what is passed as a parameter of this type may run on another thread: something to call, or a future, that
/// must be `Send`.
pub(super) fn is_sent(model: &Model<'_>, ty: &Ty, generics: &[(Symbol, Vec<crate::model::ty::TraitRef>)]) -> bool {
    let sent = |traits: &[crate::model::ty::TraitRef]| {
        let has = |names: &[&str]| traits.iter().any(|trait_| names.contains(&trait_.name.as_str()));
        has(&["Send"]) && has(&["Fn", "FnMut", "FnOnce", "Future"])
    };
    match pointee(model, ty) {
        Ty::Param(name) => generics.iter().any(|(bound, traits)| bound == name && sent(traits)),
        Ty::Dyn(traits) | Ty::Opaque(traits) => sent(traits),
        _ => false,
    }
}

/// Arithmetic that leaves its receiver as it is, by the names that the standard library gave it.
pub(super) fn computes_by_name(name: crate::syntax::Symbol) -> bool {
    let name = name.as_str();
    ["wrapping_", "saturating_", "checked_", "overflowing_"].iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, "duration_since" | "elapsed")
}

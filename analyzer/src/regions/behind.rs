//! Objects that the program keeps in a lock: who has one as `&mut self` holds that lock.
//!
//! A struct with methods on `&mut self` that several threads share lies in a `Mutex<T>` or `RwLock<T>`. Whichever function
//! calls such a method, and wherever it took the lock, two threads are not in methods of one object at once: the lock
//! around it is a gate that no function names.
//!
//! Guarantees: only for types that some field or static has behind a lock, and none in a collection: of several objects
//! each has its own lock, while what they point to may be shared. Linear in the declarations.
//!
//! Misses: objects that lie in variables alone, or behind a lock of another crate.

use rustc_hash::FxHashSet;

use super::Pair;
use super::context::Context;
use super::place::{Place, Root};
use crate::model::locks::{LockType, Shape};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId};

/// Types that lie behind locks, and nowhere else as far as fields and statics say.
#[derive(Debug, Default)]
pub(super) struct Behind {
    types: FxHashSet<AdtId>,
}

/// How deep a type is looked into.
const DEEPEST: u32 = 12;

impl Behind {
    /// Reads the declarations.
    pub(super) fn of(cx: &Context<'_>) -> Behind {
        let mut found = Found::default();
        let fields = cx.model.adts.iter().filter(|adt| !cx.model.crate_of(adt.module).stub);
        let fields = fields.flat_map(|adt| adt.variants.iter().flatten()).map(|field| &field.ty);
        for ty in fields.chain(cx.model.statics.iter().map(|data| &data.ty)) {
            found.look(cx, ty, Around::Nothing, 0);
        }
        found.locked.retain(|adt| !found.many.contains(adt) && !cx.cloned.contains(adt));
        Behind { types: found.locked }
    }

    /// The type of `self` where a pair is of a method on `&mut self` of an object that lies behind a lock, and one of
    /// its locks is reached through `self`.
    pub(super) fn of_self(&self, cx: &Context<'_>, pair: &Pair) -> Option<AdtId> {
        if pair.task.is_some() || self.types.is_empty() {
            return None;
        }
        let function = cx.model.fns.get(pair.body as usize)?;
        if !function.syntax.receiver.as_ref().is_some_and(|receiver| receiver.reference && receiver.is_exclusive()) {
            return None;
        }
        let of_self = |place: &Place| place.root == Root::Param(0) && !place.steps.is_empty();
        if !of_self(&pair.held.place) && !of_self(&pair.wanted.place) {
            return None;
        }
        let adt = cx.model.adt_of(&cx.model.signature(FnId(pair.body)).self_ty)?;
        self.types.contains(&adt).then_some(adt)
    }
}

/// What a type argument lies in.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Nothing,
    Lock,
    Collection,
}

#[derive(Default)]
struct Found {
    locked: FxHashSet<AdtId>,
    many: FxHashSet<AdtId>,
}

impl Found {
    fn look(&mut self, cx: &Context<'_>, ty: &Ty, around: Around, depth: u32) {
        if depth > DEEPEST {
            return;
        }
        let mut each = |ty: &Ty, around: Around| self.look(cx, ty, around, depth + 1);
        match ty {
            Ty::Adt(id, args) => {
                let data = cx.model.adt(*id);
                if !cx.model.crate_of(data.module).stub {
                    match around {
                        Around::Lock => drop(self.locked.insert(*id)),
                        Around::Collection => drop(self.many.insert(*id)),
                        Around::Nothing => {}
                    }
                }
                let around = match data.lock {
                    _ if around == Around::Collection || cx.containers.contains(id) => Around::Collection,
                    Some(LockType::Lock { shape: Shape::Mutex | Shape::RwLock, .. }) => Around::Lock,
                    Some(_) => Around::Collection,
                    None => around,
                };
                args.iter().for_each(|arg| self.look(cx, arg, around, depth + 1));
            }
            // It may be a collection.
            Ty::External(_, args) => args.iter().for_each(|arg| each(arg, Around::Collection)),
            Ty::Slice(inner) => each(inner, Around::Collection),
            Ty::Ref(inner) | Ty::Ptr(inner) => each(inner, around),
            Ty::Tuple(parts) => parts.iter().for_each(|part| each(part, around)),
            _ => {}
        }
    }
}

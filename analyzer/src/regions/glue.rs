//! Drop glue: which `drop`s of the sources the end of a value runs, and on which of its fields.
//!
//! Guarantees: a type's own `drop` comes first, then those of its fields in the order of declaration, as in the Rust
//! Reference ("Destructors"); only what the value owns for sure is followed (plain fields and boxes).
//!
//! Misses: enums, elements of collections, and what a shared pointer points to: it may live on.

use rustc_hash::FxHashMap;

use super::place::Step;
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model};

/// Fields of fields are followed so far.
const DEPTH: u32 = 3;

/// The drops that a value of this type runs, each with the way to its field. `drops` are the types with a `Drop` impl.
pub(super) fn glue(model: &Model<'_>, drops: &FxHashMap<AdtId, FnId>, ty: &Ty) -> Vec<(FnId, Vec<Step>)> {
    let mut out = Vec::new();
    if !drops.is_empty() {
        collect(model, drops, ty, &mut Vec::new(), DEPTH, &mut out);
    }
    out
}

fn collect(
    model: &Model<'_>,
    drops: &FxHashMap<AdtId, FnId>,
    ty: &Ty,
    steps: &mut Vec<Step>,
    depth: u32,
    out: &mut Vec<(FnId, Vec<Step>)>,
) {
    let Ty::Adt(adt, args) = ty else { return };
    if let Some(drop) = drops.get(adt) {
        out.push((*drop, steps.clone()));
    }
    let data = model.adt(*adt);
    let Some(depth) = depth.checked_sub(1) else { return };
    if model.crate_of(data.module).stub {
        if let ("Box", Some(inner)) = (data.name.as_str(), args.first()) {
            collect(model, drops, inner, steps, depth, out);
        }
        return;
    }
    if data.is_enum {
        return;
    }
    for field in data.variants.iter().flatten() {
        steps.push(Step::Field(*adt, field.name));
        collect(model, drops, &field.ty, steps, depth, out);
        steps.pop();
    }
}

//! Whether one thread alone stores into an atomic, as far as the code around a load and a store says so: then both
//! together lose nothing.
//!
//! Taken as saying so: an `unsafe fn` (its contract is the caller's business); a `fence` in the body; a relaxed load
//! and a releasing store, which is how the only writer reads what it wrote itself; a handle that the function has to
//! itself (`self`, `&mut self`); a handle that is not `Sync`, because a `Cell`, an `Rc` or a raw pointer is a field of it.
//!
//! Misses: contracts that only comments tell, and locks of the program's own making around the call.

use super::Event;
use super::flow::Flow;
use crate::model::ty::Ty;
use crate::model::{AdtId, Model};
use crate::regions::context::Context;
use crate::regions::place::{BodyId, Place, Root};
use crate::syntax::{ExprId, ExprKind, Path};

/// Whether somebody says that nobody else stores into `cell` between `read` and `write`.
pub(super) fn is_claimed(
    cx: &Context<'_>,
    id: BodyId,
    flow: &Flow<'_>,
    cell: &Place,
    (read, write): (&Event, &Event),
) -> bool {
    let Some(function) = cx.model.fns.get(id.0 as usize) else { return false };
    let own = read.way.is_empty() && write.way.is_empty();
    function.syntax.unsafe_
        || own && ordering(flow, read.expr) == Some("Relaxed") && ordering(flow, write.expr) == Some("Release")
        || has_fence(flow)
        || is_handle(cx, id, flow, cell)
}

/// The name of the ordering that an access of an atomic is given.
fn ordering<'f>(flow: &'f Flow<'_>, access: ExprId) -> Option<&'f str> {
    let ExprKind::MethodCall { args, .. } = &flow.body[access].kind else { return None };
    match &flow.body[*args.last()?].kind {
        ExprKind::Path(path) => last(path),
        _ => None,
    }
}

fn last(path: &Path) -> Option<&str> {
    path.segments.last().map(|segment| segment.name.as_str())
}

fn has_fence(flow: &Flow<'_>) -> bool {
    flow.body.exprs.iter().any(|expr| match &expr.kind {
        ExprKind::Call { callee, .. } => match &flow.body[*callee].kind {
            ExprKind::Path(path) => matches!(last(path), Some("fence" | "light_barrier" | "heavy_barrier")),
            _ => false,
        },
        _ => false,
    })
}

/// The atomic is reached through a parameter that one thread has at a time.
fn is_handle(cx: &Context<'_>, id: BodyId, flow: &Flow<'_>, cell: &Place) -> bool {
    let Root::Param(param) = cell.root else { return false };
    let receiver = cx.model.fns[id.0 as usize].syntax.receiver.as_ref();
    if param == 0 && receiver.is_some_and(|receiver| receiver.is_exclusive()) {
        return true;
    }
    let local = flow.types.locals.iter().find(|local| local.param == Some(param));
    matches!(local.map(|local| local.ty.peeled()), Some(Ty::Adt(adt, _)) if is_unshared(cx.model, *adt))
}

/// Whether a type of the sources is not `Sync`: one of its own fields is not, and nobody claims the opposite.
fn is_unshared(model: &Model<'_>, adt: AdtId) -> bool {
    if model.crate_of(model.adt(adt).module).stub {
        return false;
    }
    let bars = |part: &Ty| match part {
        Ty::Ptr(_) => true,
        Ty::Adt(id, _) => matches!(
            model.adt_path(*id),
            "std::cell::Cell" | "std::cell::RefCell" | "std::cell::UnsafeCell" | "std::rc::Rc" | "std::rc::Weak"
        ),
        _ => false,
    };
    let own = |ty: &Ty| match ty {
        Ty::External(path, args) if path.as_str().ends_with("PhantomData") => args.iter().any(bars),
        ty => bars(ty),
    };
    let claimed = || {
        let impls = model.impls_of.get(&adt).into_iter().flatten().map(|id| &model.impls[id.0 as usize]);
        let mut claims = impls.filter(|impl_| impl_.unsafe_).filter_map(|impl_| impl_.trait_path);
        claims.any(|path| last(path) == Some("Sync"))
    };
    model.adt(adt).variants.iter().flatten().any(|field| own(&field.ty)) && !claimed()
}

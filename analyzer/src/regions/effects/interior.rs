//! Types that claim to be `Sync` (or `Send`) by `unsafe impl`, and the places where their interior is changed without
//! synchronisation; raw pointers that a spawned closure writes through.
//!
//! What makes such a claim good is looked for first: a lock, an atomic or a once cell among the fields, however deep; a
//! guard held at the write; an atomic operation in the function; access only through `&mut self`, in an `unsafe fn`,
//! in a private function, or for the thread that owns the value; a further parameter that proves it (`&mut` of something, or a
//! token that is never looked at). Only a safe, public function with `&self` that writes
//! with none of these shows that the claim does not hold.
//!
//! Misses: claims that are broken by reads alone, by `Clone` of the interior, or by functions outside of the type's
//! impls.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::flow::Flow;
use super::reach::Evidence;
use super::{Cell, Facts, site};
use crate::finding::Location;
use crate::model::ty::Ty;
use crate::model::{AdtId, Model};
use crate::regions::Regions;
use crate::regions::context::Context;
use crate::regions::place::BodyId;
use crate::regions::summary::Site;
use crate::syntax::{ExprId, ExprKind, Function, PatKind, Span, Symbol, TypeRef};

/// How deep fields are searched for synchronisation.
const DEPTH: u32 = 4;

/// How an interior is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Via {
    /// `Cell::set` and its kin.
    Cell,
    /// `RefCell::borrow_mut`.
    RefCell,
    /// `*cell.get() = ..`
    UnsafeCell,
    /// `*pointer = ..`
    Pointer,
}

/// A write to an unsynchronised interior, in the body that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::regions) struct Interior {
    /// The type, in fields, and its field; `None` for a variable.
    owner: Option<(AdtId, Symbol)>,
    name: String,
    via: Via,
    at: Site,
    spawn: Option<u32>,
    /// In a safe function with `&self` that others can call.
    open: bool,
}

/// A claim, with what shows that it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The type.
    pub name: String,
    /// Its path.
    pub key: String,
    /// `Sync` or `Send`.
    pub trait_: String,
    /// The impl.
    pub at: Location,
    /// Only in test code.
    pub test: bool,
    /// The field, and what it is.
    pub field: String,
    /// Its type.
    pub kind: String,
    /// Where it is changed without synchronisation; `None` for an `Rc` that is claimed to be `Send`.
    pub write: Option<Location>,
}

/// A write without synchronisation to what other threads have, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsynchronized {
    /// What is written.
    pub name: String,
    /// For fingerprints.
    pub key: String,
    /// How.
    pub via: Via,
    /// The write.
    pub at: Location,
    /// Only in test code.
    pub test: bool,
    /// The claim that lets threads share it, or the spawn.
    pub because: Location,
    /// It is a spawn.
    pub spawned: bool,
}

/// The writes of a body.
pub(super) fn find(cx: &Context<'_>, id: BodyId, flow: &Flow<'_>) -> Vec<Interior> {
    let Some(function) = cx.model.fns.get(id.0 as usize) else { return Vec::new() };
    let mut out = Vec::new();
    let mut quiet: Option<bool> = None;
    for index in 0..flow.body.exprs.len() {
        let at = ExprId(index as u32);
        let Some((target, via)) = written(flow, at) else { continue };
        let held = !flow.seen.held(target).is_empty() || !flow.seen.held(at).is_empty();
        if held || *quiet.get_or_insert_with(|| synchronises(flow)) {
            continue;
        }
        let syntax = function.syntax;
        let of_trait = function.impl_.is_some_and(|id| cx.model.impls[id.0 as usize].trait_path.is_some());
        let shared = syntax.receiver.as_ref().is_some_and(|receiver| receiver.reference && !receiver.mutable);
        let mine = flow.base(target).is_some_and(|local| Some(local) == flow.types.self_local);
        let (owner, name) = owner(flow, target);
        out.push(Interior {
            owner,
            name,
            via,
            at: site(cx, id, flow.body[at].span),
            spawn: flow.spawn_of(flow.body[at].span),
            open: shared
                && mine
                && !syntax.unsafe_
                && !function.test
                && (of_trait || syntax.public && !has_token(cx.model, syntax, flow)),
        });
    }
    out
}

/// Whether a further parameter can prove that nobody else is there: a `&mut` of a type of the sources, or a value that
/// the body never looks at (`_py: Python<'_>`).
fn has_token(model: &Model<'_>, syntax: &Function, flow: &Flow<'_>) -> bool {
    let own = |ty: &Ty| matches!(ty.peeled(), Ty::Adt(adt, _) if !model.crate_of(model.adt(*adt).module).stub);
    syntax.params.iter().enumerate().any(|(index, param)| {
        let local = flow.types.locals.iter().find(|local| local.param == Some(index as u32 + 1));
        let unused = match param.pat.map(|pat| &flow.body[pat].kind) {
            Some(PatKind::Ident { name, .. }) => name.as_str().starts_with('_'),
            Some(PatKind::Wild) => true,
            _ => false,
        };
        unused || matches!(param.ty, TypeRef::Ref { mutable: true, .. }) && local.is_some_and(|local| own(&local.ty))
    })
}

/// What an expression writes, if that is an interior: the field or variable, and how.
fn written(flow: &Flow<'_>, at: ExprId) -> Option<(ExprId, Via)> {
    match &flow.body[at].kind {
        ExprKind::Assign { place, .. } | ExprKind::AssignOp { place, .. } => through_pointer(flow, *place),
        ExprKind::MethodCall { receiver, method, .. } => {
            let path = stub_path(flow, *receiver)?;
            match (path, method.as_str()) {
                ("std::cell::Cell", "set" | "replace" | "take" | "swap") => Some((*receiver, Via::Cell)),
                ("std::cell::RefCell", "borrow_mut" | "replace") => Some((*receiver, Via::RefCell)),
                _ => None,
            }
        }
        ExprKind::Ref { mutable: true, expr, .. } => through_pointer(flow, *expr),
        _ => None,
    }
}

fn stub_path<'f>(flow: &Flow<'f>, id: ExprId) -> Option<&'f str> {
    match flow.types.ty(id).peeled() {
        Ty::Adt(adt, _) => Some(flow.cx.model.adt_path(*adt)),
        _ => None,
    }
}

/// `*self.cell.get()`, `(*self.pointer).field`: the cell or pointer behind a place expression. Elements at an offset
/// may be disjoint, and are left alone.
fn through_pointer(flow: &Flow<'_>, place: ExprId) -> Option<(ExprId, Via)> {
    let mut at = place;
    loop {
        match &flow.body[at].kind {
            ExprKind::Field { base, .. } => at = *base,
            ExprKind::Deref(inner) => {
                return match &flow.body[*inner].kind {
                    ExprKind::MethodCall { receiver, method, .. }
                        if method.as_str() == "get" && stub_path(flow, *receiver) == Some("std::cell::UnsafeCell") =>
                    {
                        Some((*receiver, Via::UnsafeCell))
                    }
                    ExprKind::Field { .. } | ExprKind::Path(_) if matches!(flow.types.ty(*inner), Ty::Ptr(_)) => {
                        Some((*inner, Via::Pointer))
                    }
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}

/// The field and the type that has it; or a variable.
fn owner(flow: &Flow<'_>, target: ExprId) -> (Option<(AdtId, Symbol)>, String) {
    match &flow.body[target].kind {
        ExprKind::Field { name, .. } => match flow.types.fields.get(&target) {
            Some((adt, _)) => (Some((*adt, *name)), format!("{}.{name}", flow.cx.model.adt(*adt).name)),
            None => (None, name.to_string()),
        },
        ExprKind::Path(path) => {
            (None, path.segments.last().map(|segment| segment.name.to_string()).unwrap_or_default())
        }
        _ => (None, "it".to_string()),
    }
}

/// Whether a body orders its writes in a way of its own: atomics, locks that are taken or asked, thread identity.
fn synchronises(flow: &Flow<'_>) -> bool {
    if flow.events.iter().any(|event| event.cell == Cell::Atomic) {
        return true;
    }
    let asks = [
        "lock",
        "try_lock",
        "acquire",
        "try_acquire",
        "is_locked",
        "compare_exchange",
        "swap",
        "current",
        "id",
        "call_once",
    ];
    flow.body.exprs.iter().any(|expr| {
        let name = match &expr.kind {
            ExprKind::MethodCall { method, .. } => Some(*method),
            ExprKind::Call { callee, .. } => match &flow.body[*callee].kind {
                ExprKind::Path(path) => path.segments.last().map(|segment| segment.name),
                _ => None,
            },
            _ => None,
        };
        name.is_some_and(|name| {
            let name = name.as_str();
            asks.contains(&name) || name.contains("lock") || name.contains("enter") || name.contains("assert_")
        })
    }) || flow
        .calls
        .iter()
        .any(|called| flow.summary(called.function).is_some_and(|summary| !summary.acquires.is_empty()))
}

/// Fields of a type, however deep.
fn fields<'m>(model: &'m Model<'_>, adt: AdtId) -> impl Iterator<Item = (&'m Symbol, &'m Ty)> {
    model.adt(adt).variants.iter().flatten().map(|field| (&field.name, &field.ty))
}

/// Whether something in a type synchronises.
fn is_synchronised(model: &Model<'_>, ty: &Ty, depth: u32, seen: &mut FxHashSet<AdtId>) -> bool {
    let by_name = |path: &str| {
        let name = path.rsplit("::").next().unwrap_or_default();
        let words = [
            "Atomic",
            "Mutex",
            "Lock",
            "Once",
            "Semaphore",
            "Notify",
            "Condvar",
            "Barrier",
            "Lazy",
            "Raw",
            "Thread",
            "Latch",
            "Event",
        ];
        words.iter().any(|word| name.contains(word)) && !path.ends_with("::RefCell")
    };
    ty.any(&mut |part| match part {
        Ty::Adt(id, _) => {
            if by_name(model.adt_path(*id)) || model.adt(*id).lock.is_some() {
                return true;
            }
            let own = !model.crate_of(model.adt(*id).module).stub;
            own && depth > 0
                && seen.insert(*id)
                && fields(model, *id).any(|(_, ty)| is_synchronised(model, ty, depth - 1, seen))
        }
        Ty::External(path, _) => by_name(path.as_str()),
        // What a parameter brings along is not known.
        Ty::Param(_) => false,
        _ => false,
    })
}

/// Decides about claims and writes; `facts` are those of all bodies.
pub(super) fn finish(
    cx: &Context<'_>,
    facts: &BTreeMap<u32, Box<Facts>>,
    spawned: &FxHashMap<u32, Evidence>,
    regions: &mut Regions,
) {
    let model = cx.model;
    let mut claims: BTreeMap<AdtId, (usize, String)> = BTreeMap::new();
    for (index, impl_) in model.impls.iter().enumerate() {
        let trait_ = impl_.trait_path.and_then(|path| path.segments.last()).map(|segment| segment.name.to_string());
        let Some(trait_ @ ("Sync" | "Send")) = trait_.as_deref() else { continue };
        let Ty::Adt(adt, _) = &impl_.self_ty else { continue };
        if !impl_.unsafe_ || model.crate_of(impl_.module).stub {
            continue;
        }
        if trait_ == "Sync" {
            claims.insert(*adt, (index, trait_.to_string()));
        } else if let Some((field, _)) = fields(model, *adt).find(|(_, ty)| is_counted(model, ty)) {
            regions.claims.push(Claim {
                name: model.adt(*adt).name.to_string(),
                key: model.adt_path(*adt).to_string(),
                trait_: trait_.to_string(),
                at: place(cx, impl_.file, impl_.span),
                test: impl_.test,
                field: field.to_string(),
                kind: "Rc".to_string(),
                write: None,
            });
        }
    }
    let mut reported: FxHashSet<AdtId> = FxHashSet::default();
    for (body, facts) in facts {
        let test = cx.bodies[*body as usize].test;
        for write in &facts.interior {
            if let Some((adt, field)) = write.owner
                && write.open
                && let Some((index, trait_)) = claims.get(&adt)
            {
                let impl_ = &model.impls[*index];
                let mut seen = FxHashSet::from_iter([adt]);
                let synchronised = fields(model, adt).any(|(_, ty)| is_synchronised(model, ty, DEPTH, &mut seen));
                let at = cx.location(write.at);
                if synchronised || write.via == Via::Pointer {
                    regions.unsynchronized.push(Unsynchronized {
                        name: write.name.clone(),
                        key: format!("{}.{field}", model.adt_path(adt)),
                        via: write.via,
                        at,
                        test,
                        because: place(cx, impl_.file, impl_.span),
                        spawned: false,
                    });
                } else if reported.insert(adt) {
                    regions.claims.push(Claim {
                        name: model.adt(adt).name.to_string(),
                        key: model.adt_path(adt).to_string(),
                        trait_: trait_.clone(),
                        at: place(cx, impl_.file, impl_.span),
                        test: impl_.test,
                        field: field.to_string(),
                        kind: kind(write.via).to_string(),
                        write: Some(at),
                    });
                }
                continue;
            }
            let evidence = write.spawn.and_then(|spawn| {
                let spawn = facts.spawns.get(spawn as usize)?;
                let twice = facts.interior.iter().any(|other| other.name == write.name && other.spawn != write.spawn);
                (spawn.many || twice || spawned.contains_key(body)).then(|| cx.location(spawn.site))
            });
            if let (Some(because), Via::Pointer | Via::UnsafeCell) = (evidence, write.via) {
                regions.unsynchronized.push(Unsynchronized {
                    name: write.name.clone(),
                    key: format!("{}::{}", cx.path(BodyId(*body)), write.name),
                    via: write.via,
                    at: cx.location(write.at),
                    test,
                    because,
                    spawned: true,
                });
            }
        }
    }
}

/// The name of a type that [`Via`] stands for.
pub fn kind(via: Via) -> &'static str {
    match via {
        Via::Cell => "Cell",
        Via::RefCell => "RefCell",
        Via::UnsafeCell => "UnsafeCell",
        Via::Pointer => "raw pointer",
    }
}

/// `Rc` or its `Weak`: a count that is no atomic.
fn is_counted(model: &Model<'_>, ty: &Ty) -> bool {
    matches!(ty, Ty::Adt(id, _) if matches!(model.adt_path(*id), "std::rc::Rc" | "std::rc::Weak"))
}

fn place(cx: &Context<'_>, file: u32, span: Span) -> Location {
    Location { function: None, ..cx.location(Site { file, span, body: BodyId(u32::MAX) }) }
}

impl Flow<'_> {
    /// The spawned closure around a stretch of the body.
    pub(super) fn spawn_of(&self, span: Span) -> Option<u32> {
        let inside = |at: &&(Span, u32)| at.0.start <= span.start && span.end <= at.0.end;
        self.spawned.iter().filter(inside).map(|(_, spawn)| *spawn).next_back()
    }

    /// The expression at which guards were seen for an event: a call has its own.
    pub(super) fn seen_at(&self, expr: ExprId) -> ExprId {
        match &self.body[expr].kind {
            ExprKind::MethodCall { receiver, .. } if self.seen.place(*receiver).is_some() => *receiver,
            _ => expr,
        }
    }
}

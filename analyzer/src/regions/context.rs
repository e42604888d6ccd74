//! What walking a body may look at: the model, inferred types, and the summaries of everything walked before.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::names::{self, Variable};
use super::place::{self, BodyId, ClassName, Place, Root, class_of};
use super::summary::{LockRef, Site, Summary, Way};
use super::{Side, stub};
use crate::finding::Location;
use crate::graph::LockMode;
use crate::model::infer::{BodyTypes, LocalId, infer_fn, infer_static};
use crate::model::locks::{LockType, Shape, Waiting};
use crate::model::ty::Ty;
use crate::model::{AdtId, FnId, Model, StaticId};
use crate::source::Edition;
use crate::syntax::{Body, Symbol};

/// What is known of a body before it is walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyInfo {
    pub(super) file: u32,
    pub(super) edition: Edition,
    pub(super) test: bool,
}

/// All that walking needs.
pub(super) struct Context<'w> {
    pub(super) model: &'w Model<'w>,
    pub(super) files: &'w [String],
    pub(super) bodies: Vec<BodyInfo>,
    /// Boxed, as the summaries are: a scan that takes over what an earlier one found asks for few.
    types: Vec<OnceLock<Option<Box<BodyTypes>>>>,
    summaries: Vec<OnceLock<Box<Summary>>>,
    nothing: Summary,
    /// Types with a `Drop` impl in the sources.
    pub(super) drops: FxHashMap<AdtId, FnId>,
    /// Types whose `Clone` is written by hand.
    pub(super) cloned: FxHashSet<AdtId>,
    /// Types with a guard in a field.
    pub(super) carriers: FxHashMap<AdtId, Waiting>,
    /// Collections and iterators of the stubs.
    pub(super) containers: FxHashSet<AdtId>,
    /// Statements are asked for.
    pub(super) sections: bool,
    /// Names of variables that are asked for after walking.
    pub(super) names: names::Names,
}

impl<'w> Context<'w> {
    pub(super) fn body(&self, id: BodyId) -> Option<(&'w Body, &BodyTypes)> {
        let types = self.types_of(id)?;
        let index = id.0 as usize;
        let body = match self.model.fns.get(index) {
            Some(_) => self.model.code(FnId(id.0))?,
            None => self.model.init(StaticId((index - self.model.fns.len()) as u32))?,
        };
        Some((body, types))
    }

    /// The types inside a body; inferred when they are first asked for.
    fn types_of(&self, id: BodyId) -> Option<&BodyTypes> {
        let index = id.0 as usize;
        let infer = || match self.model.fns.get(index) {
            Some(function) if stub(self.model, function) => None,
            Some(_) => infer_fn(self.model, FnId(id.0)),
            None => infer_static(self.model, StaticId((index - self.model.fns.len()) as u32)),
        };
        self.types.get(index)?.get_or_init(|| infer().map(Box::new)).as_deref()
    }

    /// A body's name as reports show it.
    pub(super) fn name(&self, id: BodyId) -> String {
        let index = id.0 as usize;
        match index.checked_sub(self.model.fns.len()) {
            None => self.model.fn_name(FnId(id.0)),
            Some(index) => self.model.statics[index].name.to_string(),
        }
    }

    /// The same with the modules on the way, the crate first.
    pub(super) fn path(&self, id: BodyId) -> String {
        let index = id.0 as usize;
        let module = match index.checked_sub(self.model.fns.len()) {
            None => self.model.fns[index].module,
            Some(index) => self.model.statics[index].module,
        };
        format!("{}::{}", self.model.module_path(module), self.name(id))
    }

    /// Gives the types and summaries back side by side: they are many small pieces.
    pub(super) fn free(self) {
        rayon::join(|| self.types.into_par_iter().for_each(drop), || self.summaries.into_par_iter().for_each(drop));
    }

    /// The summary of a function that was walked before.
    pub(super) fn summary(&self, id: FnId) -> Option<&Summary> {
        self.summaries.get(id.0 as usize)?.get().map(Box::as_ref)
    }

    /// The same; of one that was not walked yet nothing is known.
    pub(super) fn summary_so_far(&self, id: FnId) -> Option<&Summary> {
        Some(self.summaries.get(id.0 as usize)?.get().map_or(&self.nothing, Box::as_ref))
    }

    pub(super) fn set_summary(&self, id: BodyId, summary: Summary) {
        // One that is there is the same: a group is walked or taken over once.
        self.summaries[id.0 as usize].set(Box::new(summary)).ok();
    }

    /// How many functions' summaries were cut short.
    pub(super) fn truncated(&self) -> usize {
        self.summaries.iter().filter(|summary| summary.get().is_some_and(|summary| summary.truncated)).count()
    }

    pub(super) fn local_name(&self, body: BodyId, local: LocalId) -> (String, String) {
        let name = self.names.get(body, Variable::Local(local.0), || {
            self.types_of(body).and_then(|types| types.locals.get(local.0 as usize)).map(|local| local.name)
        });
        let name = name.map_or("_", |name| name.as_str());
        (format!("{}::{name}#{}", self.path(body), local.0), name.to_string())
    }

    /// The name of the parameter that a place begins with.
    pub(super) fn param_name(&self, place: &Place, body: BodyId) -> Option<String> {
        let Root::Param(param) = place.root else { return None };
        let name = self.names.get(body, Variable::Param(param), || {
            let types = self.types_of(body)?;
            types.locals.iter().find(|local| local.param == Some(param)).map(|local| local.name)
        });
        name.map(|name| name.to_string())
    }

    pub(super) fn class(&self, place: &Place) -> Option<ClassName> {
        class_of(self.model, place, &|body, local| self.local_name(body, local))
    }

    /// Whether the class of a place is only known where the function is called.
    pub(super) fn depends_on_caller(&self, place: &Place) -> bool {
        matches!(place.root, Root::Param(_)) && !place::has_class(self.model, place)
    }

    /// Whether a lock lies inside what the function has as `&mut self` or `self`, with no shared pointer on the way.
    pub(super) fn exclusive(&self, body: BodyId, place: &Place) -> bool {
        let Some(function) = self.model.fns.get(body.0 as usize) else { return false };
        let receiver = function.syntax.receiver.as_ref();
        receiver.is_some_and(|receiver| receiver.is_exclusive()) && self.is_part_of_receiver(place)
    }

    /// Whether a place lies inside what the function is called on, with no shared pointer on the way.
    pub(super) fn is_part_of_receiver(&self, place: &Place) -> bool {
        let owned = |step: &place::Step| match step {
            place::Step::Field(adt, name) => {
                let field = self.model.adt(*adt).variants.iter().flatten().find(|field| field.name == *name);
                field.is_some_and(|field| match &field.ty {
                    Ty::Adt(id, _) => !self.model.known.transparent.contains(id),
                    _ => false,
                })
            }
            place::Step::Tuple(_) => true,
            // What lies behind a lock may be a pointer to anything.
            place::Step::Inside | place::Step::Element(_) => false,
        };
        place.root == Root::Param(0) && place.steps.iter().all(owned)
    }

    pub(super) fn location(&self, site: Site) -> Location {
        Location {
            file: self.files.get(site.file as usize).cloned().unwrap_or_default(),
            line: site.span.start.line,
            column: site.span.start.column,
            end_line: site.span.end.line,
            end_column: site.span.end.column,
            function: ((site.body.0 as usize) < self.bodies.len()).then(|| self.name(site.body)),
            label: String::new(),
        }
    }

    pub(super) fn side(&self, lock: &LockRef, mode: LockMode, site: Site, way: &Way, waiting: Waiting) -> Side {
        let path = self.model.adt_path(lock.adt);
        let kind = path.strip_prefix("?::").unwrap_or(path).to_string();
        Side {
            class: self.class(&lock.place),
            param: self.param_name(&lock.place, site.body),
            place: lock.place.clone(),
            kind,
            mode,
            site: self.location(site),
            way: way.iter().map(|site| self.location(*site)).collect(),
            waiting,
            reentrant: lock.shape == Shape::Reentrant,
            shared: None,
        }
    }
}

/// Gathers it.
pub(super) fn context<'w>(model: &'w Model<'w>, files: &'w [String]) -> Context<'w> {
    let functions = model.fns.iter().map(|function| BodyInfo {
        file: function.file,
        edition: model.crate_of(function.module).edition,
        test: function.test,
    });
    let statics = model.statics.iter().map(|data| BodyInfo {
        file: data.file,
        edition: model.crate_of(data.module).edition,
        test: data.test,
    });
    let bodies: Vec<BodyInfo> = functions.chain(statics).collect();
    let types = bodies.iter().map(|_| OnceLock::new()).collect();
    let summaries = bodies.iter().map(|_| OnceLock::new()).collect();
    let mut drops = FxHashMap::default();
    let mut cloned = FxHashSet::default();
    for impl_ in &model.impls {
        if impl_.trait_.as_ref().is_some_and(|trait_| trait_.name.as_str() == "Clone") {
            cloned.extend(model.adt_of(&impl_.self_ty));
        }
        let is_drop =
            impl_.trait_.as_ref().and_then(|trait_| trait_.id) == model.known.drop && model.known.drop.is_some();
        if let (true, Some(adt), Some(drop)) =
            (is_drop, model.adt_of(&impl_.self_ty), impl_.methods.get(&Symbol::from("drop")))
        {
            drops.insert(adt, *drop);
        }
    }
    let mut containers = FxHashSet::default();
    for (index, adt) in model.adts.iter().enumerate() {
        let id = AdtId(index as u32);
        if model.crate_of(adt.module).stub {
            let path = model.module_path(adt.module);
            if ["std::collections", "std::vec", "std::slice", "std::iter"].iter().any(|prefix| path.starts_with(prefix))
                || matches!(adt.name.as_str(), "DashMap" | "Slab")
            {
                containers.insert(id);
            }
        }
    }
    Context {
        model,
        files,
        bodies,
        types,
        summaries,
        nothing: Summary::default(),
        drops,
        cloned,
        carriers: carriers(model),
        containers,
        sections: false,
        names: names::Names::default(),
    }
}

/// Types of the sources that have a guard in a field, however deep.
fn carriers(model: &Model<'_>) -> FxHashMap<AdtId, Waiting> {
    let mut out = FxHashMap::default();
    loop {
        let before = out.len();
        for (index, adt) in model.adts.iter().enumerate() {
            let id = AdtId(index as u32);
            if out.contains_key(&id) || model.crate_of(adt.module).stub {
                continue;
            }
            let fields = adt.variants.iter().flatten().filter(|field| !matches!(field.ty, Ty::Ref(_)));
            let found = fields.filter_map(|field| guard_in(model, &out, &field.ty));
            if let Some(waiting) = found.reduce(either) {
                out.insert(id, waiting);
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

/// Whether a value of this type can have a guard in it, and what the waiters for its lock do.
pub(super) fn guard_in(model: &Model<'_>, carriers: &FxHashMap<AdtId, Waiting>, ty: &Ty) -> Option<Waiting> {
    let mut found = None;
    ty.any(&mut |part| {
        if let Ty::Adt(id, _) = part {
            let here = match model.adt(*id).lock {
                Some(LockType::Guard { waiting }) => Some(waiting),
                _ => carriers.get(id).copied(),
            };
            found = found.into_iter().chain(here).reduce(either);
        }
        found == Some(Waiting::Thread)
    });
    found
}

/// Of two guards in one value the one that blocks threads counts.
fn either(a: Waiting, b: Waiting) -> Waiting {
    if a == Waiting::Thread { a } else { b }
}

//! From written types to resolved ones: fields, statics, impl heads, function signatures.
//!
//! Guarantees: aliases are expanded, `Self` and type parameters resolved, `impl Trait` parameters become parameters
//! of their own; a name that cannot be found becomes [`Ty::External`] with that name, so that it is equal to itself
//! and to nothing else.
//!
//! Misses: defaults of type parameters, const arguments.

use std::sync::Arc;

use rayon::prelude::*;

use super::resolve::Namespace;
use super::ty::{Args, Subst, TraitRef, Ty};
use super::{AdtId, Def, FieldData, ImplId, Model, ModuleId, Signature, known, locks};
use crate::syntax::{Generics, Path, StaticKind, Symbol, TypeRef};

/// Where a written type stands.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// Where names are looked up.
    pub module: ModuleId,
    /// `Self`.
    pub self_ty: Option<&'s Ty>,
    /// Type parameters by name.
    pub params: &'s [Symbol],
}

/// Aliases may name each other; this many are followed.
const ALIAS_DEPTH: u32 = 16;

/// Items that one thread takes at least: each is little work.
const FEWEST: usize = 64;

/// Fills in all types. Needs resolved imports.
pub fn fill(model: &mut Model<'_>) {
    let fields = (0..model.adts.len()).into_par_iter().with_min_len(FEWEST).map(|index| {
        let adt = &model.adts[index];
        let own = Ty::Adt(AdtId(index as u32), adt.params.iter().map(|name| Ty::Param(*name)).collect());
        let scope = Scope { module: adt.module, self_ty: Some(&own), params: &adt.params };
        let of_variant = |(_, fields): &(Symbol, &[crate::syntax::Field])| -> Vec<FieldData> {
            let field = |field: &crate::syntax::Field| FieldData {
                name: field.name,
                ty: model.lower(scope, &field.ty),
                span: field.span,
            };
            fields.iter().map(field).collect()
        };
        adt.written.iter().map(of_variant).collect()
    });
    let fields: Vec<Vec<Vec<FieldData>>> = fields.collect();
    for (index, variants) in fields.into_iter().enumerate() {
        model.adts[index].variants = variants;
        if model.crate_of(model.adts[index].module).stub {
            model.adts[index].lock = locks::lock_type(model.adt_path(AdtId(index as u32)));
        }
    }
    for index in 0..model.statics.len() {
        let data = &model.statics[index];
        let ty = model.lower(Scope { module: data.module, self_ty: None, params: &[] }, data.ty_ref);
        model.statics[index].ty = match (data.kind, model.known.local_key) {
            (StaticKind::ThreadLocal, Some(key)) => Ty::Adt(key, Arc::from([ty])),
            _ => ty,
        };
    }
    for index in 0..model.impls.len() {
        let data = &model.impls[index];
        let params: Vec<Symbol> = data.generics.params.iter().map(|param| param.name).collect();
        let bare = Scope { module: data.module, self_ty: None, params: &params };
        let self_ty = model.lower(bare, data.self_ref);
        let trait_ = data.trait_path.map(|path| model.lower_bound(Scope { self_ty: Some(&self_ty), ..bare }, path));
        let id = ImplId(index as u32);
        match self_ty.peeled() {
            Ty::Adt(adt, _) => model.impls_of.entry(*adt).or_default().push(id),
            _ => {
                for name in model.impls[index].methods.keys() {
                    model.blanket_impls.entry(*name).or_default().push(id);
                }
            }
        }
        if let Some(trait_id) = trait_.as_ref().and_then(|trait_| trait_.id) {
            model.traits[trait_id.0 as usize].impls.push(id);
        }
        model.impls[index].self_ty = self_ty;
        model.impls[index].trait_ = trait_;
    }
    let signatures = (0..model.fns.len()).into_par_iter().with_min_len(FEWEST);
    model.signatures = signatures.map(|index| signature(model, index)).collect();
}

fn signature(model: &Model<'_>, index: usize) -> Signature {
    let data = &model.fns[index];
    let function = data.syntax;
    let outer: Option<&Generics> = data.impl_.map(|id| model.impls[id.0 as usize].generics);
    let mut params: Vec<Symbol> = outer.into_iter().chain([&function.generics]).flat_map(names).collect();
    let self_ty = match (data.impl_, data.trait_) {
        (Some(id), _) => model.impls[id.0 as usize].self_ty.clone(),
        (None, Some(_)) => Ty::Param(Symbol::from("Self")),
        (None, None) => Ty::Unknown,
    };
    if data.trait_.is_some() {
        params.push(Symbol::from("Self"));
    }
    let own = (self_ty != Ty::Unknown).then_some(&self_ty);
    let scope = Scope { module: data.module, self_ty: own, params: &params };
    let mut generics: Vec<(Symbol, Vec<TraitRef>)> = outer
        .into_iter()
        .chain([&function.generics])
        .flat_map(|generics| &generics.params)
        .map(|param| (param.name, param.bounds.iter().map(|bound| model.lower_bound(scope, bound)).collect()))
        .collect();
    if let Some(trait_) = data.trait_ {
        let trait_data = &model.traits[trait_.0 as usize];
        let own = TraitRef { id: Some(trait_), name: trait_data.name, args: Ty::no_args(), bindings: Arc::from([]) };
        let supers = trait_data.supertraits.iter().map(|path| model.lower_bound(scope, path));
        generics.push((Symbol::from("Self"), std::iter::once(own).chain(supers).collect()));
    }
    let types = function
        .params
        .iter()
        .enumerate()
        .map(|(position, param)| match &param.ty {
            TypeRef::ImplTrait(bounds) => {
                let name = Symbol::from(format!("impl#{position}"));
                generics.push((name, bounds.iter().map(|bound| model.lower_bound(scope, bound)).collect()));
                Ty::Param(name)
            }
            ty => model.lower(scope, ty),
        })
        .collect();
    let receiver = function.receiver.as_ref();
    let by_value = |receiver: &crate::syntax::Receiver| match &receiver.ty {
        Some(ty) => !matches!(ty, TypeRef::Ref { .. }),
        None => !receiver.reference,
    };
    Signature {
        has_receiver: receiver.is_some(),
        receiver_by_value: receiver.is_some_and(by_value),
        params: types,
        ret: function.ret.as_ref().map_or_else(Ty::unit, |ret| model.lower(scope, ret)),
        async_: function.async_,
        generics,
        self_ty,
    }
}

fn names(generics: &Generics) -> impl Iterator<Item = Symbol> {
    generics.params.iter().map(|param| param.name)
}

impl Model<'_> {
    /// Resolves a written type.
    pub fn lower(&self, scope: Scope<'_>, ty: &TypeRef) -> Ty {
        self.lower_at(scope, ty, ALIAS_DEPTH)
    }

    fn lower_at(&self, scope: Scope<'_>, ty: &TypeRef, depth: u32) -> Ty {
        let Some(depth) = depth.checked_sub(1) else { return Ty::Unknown };
        let lower = |ty: &TypeRef| self.lower_at(scope, ty, depth);
        match ty {
            TypeRef::Path(path) => self.lower_path(scope, path, depth),
            TypeRef::Ref { inner, .. } => lower(inner).reference(),
            TypeRef::Ptr(inner) => Ty::Ptr(Arc::new(lower(inner))),
            TypeRef::Slice(inner) => Ty::Slice(Arc::new(lower(inner))),
            TypeRef::Tuple(items) => Ty::Tuple(items.iter().map(lower).collect()),
            TypeRef::FnPtr { params, ret } => {
                let ret = ret.as_deref().map_or_else(Ty::unit, lower);
                Ty::FnPtr(params.iter().map(lower).collect(), Arc::new(ret))
            }
            TypeRef::ImplTrait(bounds) => {
                self.opaque(bounds.iter().map(|bound| self.lower_bound(scope, bound)).collect())
            }
            TypeRef::DynTrait(bounds) => Ty::Dyn(bounds.iter().map(|bound| self.lower_bound(scope, bound)).collect()),
            TypeRef::Assoc { of, name, .. } => Ty::Assoc(Arc::new(lower(of)), *name),
            TypeRef::Never => Ty::Never,
            TypeRef::Infer | TypeRef::Unknown => Ty::Unknown,
        }
    }

    /// `impl Future<Output = T>` is a future, other `impl Trait` stays opaque.
    fn opaque(&self, traits: Arc<[TraitRef]>) -> Ty {
        for trait_ in traits.iter() {
            if trait_.name.as_str() == "Future"
                && let Some(output) = trait_.binding(Symbol::from("Output"))
            {
                return Ty::Future(Arc::new(output.clone()));
            }
        }
        Ty::Opaque(traits)
    }

    fn lower_path(&self, scope: Scope<'_>, path: &Path, depth: u32) -> Ty {
        let Some(first) = path.segments.first() else { return Ty::Unknown };
        let assoc = |base: Ty, from: usize| {
            path.segments[from..].iter().fold(base, |base, segment| Ty::Assoc(Arc::new(base), segment.name))
        };
        if first.name.as_str() == "Self" {
            return assoc(scope.self_ty.cloned().unwrap_or_default(), 1);
        }
        if scope.params.contains(&first.name) {
            return assoc(Ty::Param(first.name), 1);
        }
        let names: smallvec::SmallVec<[Symbol; 4]> = path.segments.iter().map(|segment| segment.name).collect();
        let args = |index: usize| -> Vec<Ty> {
            let args = path.segments[index].args.as_deref();
            args.into_iter().flat_map(|args| &args.types).map(|ty| self.lower_at(scope, ty, depth)).collect()
        };
        let Some((def, used)) = self.resolve(scope.module, &names, path.absolute, Namespace::Type) else {
            if names.len() == 1 && is_primitive(names[0].as_str()) {
                return Ty::Prim;
            }
            let name = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("::");
            return self.external(Symbol::from(name), args(names.len() - 1));
        };
        let base = match def {
            Def::Adt(id) => {
                let mut args = args(used - 1);
                args.resize(self.adt(id).params.len().max(args.len()), Ty::Unknown);
                Ty::Adt(id, args.into())
            }
            Def::Alias(id) => {
                let alias = &self.aliases[id.0 as usize];
                let args = args(used - 1);
                let target = self.lower_at(
                    Scope { module: alias.module, self_ty: None, params: &alias.params },
                    alias.ty,
                    depth,
                );
                let arg = |index: usize| args.get(index).cloned().unwrap_or_default();
                target
                    .subst(&alias.params.iter().enumerate().map(|(index, name)| (*name, arg(index))).collect::<Subst>())
            }
            Def::Trait(_) if used == names.len() => return Ty::Dyn(Arc::from([self.lower_bound(scope, path)])),
            Def::External(name) => self.external(name, args(used - 1)),
            _ => return Ty::Unknown,
        };
        assoc(base, used)
    }

    /// A type of a crate that is not there; with the unmistakable name of a lock it is one.
    fn external(&self, name: Symbol, mut args: Vec<Ty>) -> Ty {
        if let Some(last) = locks::stub_name(name.as_str())
            && let Some(by_name) = self.crates_by_name.get(&Symbol::from(super::known::BY_NAME))
        {
            let root = self.module(self.crates[by_name.0 as usize].root);
            if let Some(Def::Adt(id)) = root.types.get(&Symbol::from(last)) {
                // `lock_api::Mutex<RawMutex, T>` and the like: the data comes last.
                let data = args.pop().unwrap_or_default();
                return Ty::Adt(*id, Arc::from([data]));
            }
        }
        let last = name.as_str().rsplit("::").next().unwrap_or_default();
        if let Some((stub, id)) = known::stand_in(last).and_then(|path| Some((path, self.known.stand_ins.get(path)?))) {
            // `SmallVec<[T; 4]>` is a sequence of `T`.
            if let ("std::vec::Vec", Some(Ty::Slice(item))) = (stub, args.first()) {
                args = vec![(**item).clone()];
            }
            args.resize(self.adt(*id).params.len(), Ty::Unknown);
            return Ty::Adt(*id, args.into());
        }
        Ty::External(name, args.into())
    }

    /// Resolves a trait bound.
    pub fn lower_bound(&self, scope: Scope<'_>, path: &Path) -> TraitRef {
        let names: smallvec::SmallVec<[Symbol; 4]> = path.segments.iter().map(|segment| segment.name).collect();
        let id = match self.resolve(scope.module, &names, path.absolute, Namespace::Type) {
            Some((Def::Trait(id), _)) => Some(id),
            _ => None,
        };
        let last = path.segments.last();
        let generic = last.and_then(|segment| segment.args.as_deref());
        let args: Args = generic.into_iter().flat_map(|args| &args.types).map(|ty| self.lower(scope, ty)).collect();
        let bindings =
            generic.into_iter().flat_map(|args| &args.bindings).map(|(name, ty)| (*name, self.lower(scope, ty)));
        let name = last.map_or_else(|| Symbol::from(""), |segment| segment.name);
        TraitRef { id, name, args, bindings: bindings.collect() }
    }
}

fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
            | "bool"
            | "char"
            | "str"
    )
}

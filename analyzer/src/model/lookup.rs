//! Members of types: fields, methods through auto-deref, associated types.
//!
//! Guarantees: a method is found where rustc would look (inherent impls, trait impls, bounds, then the deref target);
//! trait methods on type parameters and trait objects give the trait's declaration, and [`Model::dispatch`] its
//! implementations. Nothing is guessed on an unknown receiver.
//!
//! Misses: autoref rules between `&self` and `self` impls of one name, which traits are in scope, specialisation.

use std::sync::Arc;

use smallvec::SmallVec;
use symbol_table::static_symbol;

use super::ty::{Subst, TraitRef, Ty, Vars};
use super::{AdtId, FnId, ImplId, Model, TraitId};
use crate::syntax::Symbol;

/// How many dereferences are tried.
const DEREF_LIMIT: usize = 10;
/// A trait method with more implementations than this is not followed.
pub const DISPATCH_LIMIT: usize = 8;

/// A method that a call may mean.
#[derive(Clone, Debug)]
pub struct Method {
    /// The function.
    pub id: FnId,
    /// The type it was found on (`Self`).
    pub on: Ty,
    /// `Deref::deref` functions of the sources that were passed on the way, receiver first.
    pub derefs: SmallVec<[FnId; 1]>,
}

/// Bounds of the type parameters in scope.
pub type Bounds<'b> = &'b [(Symbol, Vec<TraitRef>)];

impl Model<'_> {
    /// Finds a method. `vars` resolves inference variables in the receiver.
    pub fn find_method(&self, vars: &mut Vars, bounds: Bounds<'_>, receiver: &Ty, name: Symbol) -> Option<Method> {
        let mut ty = vars.shallow(receiver);
        let mut derefs = SmallVec::new();
        for _ in 0..DEREF_LIMIT {
            if let Some(id) = self.method_on(vars, bounds, &ty, name) {
                // Slices have the methods of their stub.
                let on = match (&ty, self.known.slice) {
                    (Ty::Slice(item), Some(slice)) => Ty::Adt(slice, Arc::from([(**item).clone()])),
                    _ => ty,
                };
                return Some(Method { id, on, derefs });
            }
            // What implements `Iterator` has an iterator's adapters.
            if let (Some(iter), Some(item)) = (self.known.iter, self.iterator_item(vars, bounds, &ty)) {
                let adapter = Ty::Adt(iter, Arc::from([item]));
                if let Some(id) = self.method_on(vars, bounds, &adapter, name) {
                    return Some(Method { id, on: adapter, derefs });
                }
            }
            let (next, through) = self.deref(vars, &ty)?;
            derefs.extend(through);
            ty = vars.shallow(&next);
        }
        None
    }

    /// A method found on exactly this type.
    fn method_on(&self, vars: &mut Vars, bounds: Bounds<'_>, ty: &Ty, name: Symbol) -> Option<FnId> {
        match ty {
            Ty::Adt(adt, _) => {
                let impls = self.impls_of.get(adt).map_or(&[][..], Vec::as_slice);
                let inherent = |id: &ImplId| self.impls[id.0 as usize].trait_path.is_none();
                for wanted in [true, false] {
                    for id in impls.iter().filter(|id| inherent(id) == wanted) {
                        if let Some(method) = self.impls[id.0 as usize].methods.get(&name)
                            && self.impl_fits(vars, *id, ty)
                        {
                            return Some(*method);
                        }
                    }
                }
                let mut provided = |id: &ImplId| {
                    if !self.impl_fits(vars, *id, ty) {
                        return None;
                    }
                    let trait_ = self.impls[id.0 as usize].trait_.as_ref()?.id?;
                    self.trait_method(trait_, name)
                };
                impls.iter().find_map(&mut provided).or_else(|| self.blanket_method(ty, name))
            }
            Ty::Param(param) => {
                let own = bounds.iter().filter(|(bound, _)| bound == param).flat_map(|(_, traits)| traits);
                own.filter_map(|trait_| trait_.id).find_map(|id| self.trait_method(id, name))
            }
            Ty::Dyn(traits) | Ty::Opaque(traits) => traits
                .iter()
                .filter_map(|trait_| trait_.id)
                .find_map(|id| self.trait_method(id, name))
                .or_else(|| self.blanket_method(ty, name)),
            Ty::Slice(item) => {
                let slice = Ty::Adt(self.known.slice?, Arc::from([(**item).clone()]));
                self.method_on(vars, bounds, &slice, name)
            }
            Ty::Ref(_) | Ty::Tuple(_) | Ty::Prim | Ty::FnPtr(..) => self.blanket_method(ty, name),
            _ => None,
        }
    }

    /// A method declared by a trait or one of its supertraits.
    pub fn trait_method(&self, id: TraitId, name: Symbol) -> Option<FnId> {
        self.trait_method_at(id, name, 8)
    }

    fn trait_method_at(&self, id: TraitId, name: Symbol, depth: u32) -> Option<FnId> {
        let depth = depth.checked_sub(1)?;
        let data = &self.traits[id.0 as usize];
        if let Some(method) = data.methods.get(&name) {
            return Some(*method);
        }
        data.supertraits.iter().find_map(|path| {
            let scope = super::signatures::Scope { module: data.module, self_ty: None, params: &[] };
            self.trait_method_at(self.lower_bound(scope, path).id?, name, depth)
        })
    }

    /// A method of a trait of the sources that is implemented for all types, or for this very one.
    fn blanket_method(&self, ty: &Ty, name: Symbol) -> Option<FnId> {
        self.blanket_impls.get(&name)?.iter().find_map(|id| {
            let data = &self.impls[id.0 as usize];
            let method = data.methods.get(&name)?;
            let fits = match (data.self_ty.peeled(), ty) {
                (Ty::Param(_), Ty::Adt(..) | Ty::Dyn(_) | Ty::Opaque(_)) => {
                    // Only traits of the sources: their authors mean their own types.
                    data.trait_.as_ref().is_some_and(|trait_| trait_.id.is_some()) && self.bounds_allow(*id, ty)
                }
                (own, ty) => own == ty,
            };
            fits.then_some(*method)
        })
    }

    /// Whether an impl can be for this type: no concrete argument of it clashes.
    fn impl_fits(&self, vars: &Vars, id: ImplId, ty: &Ty) -> bool {
        fn clash(vars: &Vars, impl_: &Ty, ty: &Ty) -> bool {
            // Concrete, and of no name.
            let bare = |ty: &Ty| matches!(ty, Ty::Prim | Ty::Dyn(_) | Ty::Slice(_) | Ty::Tuple(_) | Ty::FnPtr(..));
            match (impl_, &vars.shallow(ty)) {
                (Ty::Adt(x, xs), Ty::Adt(y, ys)) => {
                    *x != *y || xs.iter().zip(ys.iter()).any(|(x, y)| clash(vars, x, y))
                }
                (Ty::Adt(..), other) | (other, Ty::Adt(..)) => bare(other),
                _ => false,
            }
        }
        let data = &self.impls[id.0 as usize];
        !clash(vars, data.self_ty.peeled(), ty) && self.bounds_hold(vars, id, ty)
    }

    /// One step of auto-deref: the target, and the `deref` of the sources that it goes through.
    pub fn deref(&self, vars: &mut Vars, ty: &Ty) -> Option<(Ty, Option<FnId>)> {
        match ty {
            Ty::Ref(inner) | Ty::Ptr(inner) => Some(((**inner).clone(), None)),
            Ty::Adt(adt, _) => {
                let impls = self.impls_of.get(adt)?;
                impls.iter().find_map(|id| {
                    let data = &self.impls[id.0 as usize];
                    if data.trait_path?.segments.last()?.name != static_symbol!("Deref") {
                        return None;
                    }
                    let target = self.impl_type(vars, *id, ty, static_symbol!("Target"))?;
                    let through = data.methods.get(&static_symbol!("deref")).copied();
                    Some((target, through))
                })
            }
            _ => None,
        }
    }

    /// An associated type of an impl, with the impl's parameters replaced by what `ty` has for them.
    fn impl_type(&self, vars: &mut Vars, id: ImplId, ty: &Ty, name: Symbol) -> Option<Ty> {
        let data = &self.impls[id.0 as usize];
        let written = data.types.get(&name)?;
        let params: Vec<Symbol> = data.generics.params.iter().map(|param| param.name).collect();
        let scope = super::signatures::Scope { module: data.module, self_ty: Some(&data.self_ty), params: &params };
        let map = self.instantiate(vars, &params);
        vars.unify(&data.self_ty.subst(&map), ty);
        Some(self.lower(scope, written).subst(&map))
    }

    /// Fresh variables for type parameters.
    pub fn instantiate(&self, vars: &mut Vars, params: &[Symbol]) -> Subst {
        params.iter().map(|name| (*name, vars.fresh())).collect()
    }

    /// Resolves `<ty as ?>::name` as far as impls and bounds tell.
    pub fn project(&self, vars: &mut Vars, bounds: Bounds<'_>, ty: &Ty, name: Symbol) -> Option<Ty> {
        let ty = vars.shallow(ty);
        match &ty {
            Ty::Ref(inner) => {
                let item = self.project(vars, bounds, inner, name)?;
                Some(if name == static_symbol!("Item") && !matches!(item, Ty::Ref(_)) {
                    item.reference()
                } else {
                    item
                })
            }
            Ty::Slice(item) if name == static_symbol!("Item") => Some((**item).clone()),
            Ty::Future(output) if name == static_symbol!("Output") => Some((**output).clone()),
            Ty::Adt(adt, args) if Some(*adt) == self.known.option && name == static_symbol!("Item") => {
                args.first().cloned()
            }
            Ty::Adt(adt, _) => {
                let impls = self.impls_of.get(adt)?;
                impls.iter().find_map(|id| self.impl_type(vars, *id, &ty, name))
            }
            Ty::Dyn(traits) | Ty::Opaque(traits) => traits.iter().find_map(|trait_| trait_.binding(name).cloned()),
            Ty::Param(param) => {
                let own = bounds.iter().filter(|(bound, _)| bound == param).flat_map(|(_, traits)| traits);
                own.into_iter().find_map(|trait_| trait_.binding(name).cloned())
            }
            _ => None,
        }
    }

    /// The item of what implements `Iterator` (not merely `IntoIterator`).
    fn iterator_item(&self, vars: &mut Vars, bounds: Bounds<'_>, ty: &Ty) -> Option<Ty> {
        let item = static_symbol!("Item");
        match ty {
            Ty::Adt(adt, _) => {
                if Some(*adt) == self.known.iter {
                    return None;
                }
                let impls = self.impls_of.get(adt)?;
                let id = *impls.iter().find(|id| {
                    let path = self.impls[id.0 as usize].trait_path;
                    path.and_then(|path| path.segments.last())
                        .is_some_and(|last| last.name == static_symbol!("Iterator"))
                })?;
                self.impl_type(vars, id, ty, item)
            }
            Ty::Dyn(traits) | Ty::Opaque(traits) => iterator_binding(traits),
            Ty::Param(param) => {
                bounds.iter().filter(|(bound, _)| bound == param).find_map(|(_, traits)| iterator_binding(traits))
            }
            _ => None,
        }
    }

    /// The functions that a call of `id` can run: itself, or for a trait's method its implementations.
    /// `None` where there are too many to follow.
    pub fn dispatch(&self, id: FnId) -> Option<SmallVec<[FnId; 2]>> {
        let data = self.function(id);
        let Some(trait_) = data.trait_ else { return Some(SmallVec::from_slice(&[id])) };
        let impls = &self.traits[trait_.0 as usize].impls;
        if impls.len() > DISPATCH_LIMIT {
            return None;
        }
        let own = |id: &ImplId| self.impls[id.0 as usize].methods.get(&data.syntax.name).copied();
        let mut out: SmallVec<[FnId; 2]> = impls.iter().filter_map(own).collect();
        if data.syntax.body.is_some() && out.len() < impls.len().max(1) {
            out.push(id);
        }
        Some(out)
    }

    /// A field's type on a value of type `ty`, through auto-deref; with the type that declares it.
    pub fn find_field(&self, vars: &mut Vars, ty: &Ty, name: Symbol) -> Option<(Ty, AdtId, SmallVec<[FnId; 1]>)> {
        let mut ty = vars.shallow(ty);
        let mut derefs = SmallVec::new();
        for _ in 0..DEREF_LIMIT {
            if let Ty::Adt(adt, args) = &ty {
                let data = self.adt(*adt);
                let stub = self.crate_of(data.module).stub;
                let field = data.variants.first().and_then(|fields| fields.iter().find(|field| field.name == name));
                if let (Some(field), false, false) = (field, data.is_enum, stub) {
                    let map = data.params.iter().copied().zip(args.iter().cloned()).collect::<Subst>();
                    return Some((field.ty.subst(&map), *adt, derefs));
                }
            }
            let (next, through) = self.deref(vars, &ty)?;
            derefs.extend(through);
            ty = vars.shallow(&next);
        }
        None
    }
}

fn iterator_binding(traits: &[TraitRef]) -> Option<Ty> {
    let iterator = traits
        .iter()
        .find(|trait_| matches!(trait_.name.as_str(), "Iterator" | "DoubleEndedIterator" | "ExactSizeIterator"))?;
    Some(iterator.binding(static_symbol!("Item")).cloned().unwrap_or_default())
}

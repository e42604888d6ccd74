//! Patterns: which names they bind, with which types, and whether they own what they bind.

use super::{Infer, Name};
use crate::model::resolve::Namespace;
use crate::model::ty::{Subst, Ty};
use crate::model::{AdtId, Def};
use crate::syntax::{PatId, PatKind, Path, Symbol};

impl Infer<'_> {
    /// Binds the names of `pat` for a value of type `ty`.
    pub(super) fn bind(&mut self, pat: PatId, ty: &Ty) {
        self.bind_at(pat, ty, false, None);
    }

    /// Binds a parameter; its plain name stands for parameter `index`.
    pub(super) fn bind_param(&mut self, pat: PatId, ty: &Ty, index: u32) {
        self.bind_at(pat, ty, false, Some(index));
    }

    fn bind_at(&mut self, pat: PatId, ty: &Ty, by_ref: bool, param: Option<u32>) {
        let body = self.body;
        match &body[pat].kind {
            PatKind::Wild | PatKind::Rest | PatKind::Other | PatKind::Path(_) => {}
            PatKind::Ident { name, by_ref: own_ref, sub } => {
                if sub.is_none() && !own_ref && self.is_constant(*name) {
                    return;
                }
                let bound = if *own_ref || by_ref { ty.clone().reference() } else { ty.clone() };
                let local = self.add_local(*name, bound, by_ref || *own_ref, param);
                self.out.bindings.insert(pat, local);
                if let Some(sub) = sub {
                    self.bind_at(*sub, ty, by_ref, None);
                }
            }
            PatKind::Ref(inner) => {
                let inner_ty = match self.shallow(ty) {
                    Ty::Ref(inner) => (*inner).clone(),
                    other => other,
                };
                self.bind_at(*inner, &inner_ty, false, param);
            }
            PatKind::Or(pats) => {
                // All alternatives bind the same names; the later ones must not shadow the first.
                let before = self.scope.len();
                for (index, alternative) in pats.iter().enumerate() {
                    if index == 0 {
                        self.bind_at(*alternative, ty, by_ref, None);
                        continue;
                    }
                    let after = self.scope.len();
                    self.bind_at(*alternative, ty, by_ref, None);
                    let names: Vec<_> = self.scope.drain(after..).collect();
                    for (name, local) in names {
                        let first = self.scope[before..].iter().find(|(bound, _)| *bound == name).map(|(_, id)| *id);
                        if let Some(first) = first {
                            self.rebind(local, first);
                        }
                    }
                }
            }
            PatKind::Tuple(pats) => {
                let (ty, by_ref) = self.see_through(ty, by_ref);
                let items = match &ty {
                    Ty::Tuple(items) => items.clone(),
                    _ => Ty::no_args(),
                };
                self.bind_list(pats, |index| items.get(index).cloned(), items.len(), by_ref);
            }
            PatKind::Slice(pats) => {
                let (ty, by_ref) = self.see_through(ty, by_ref);
                let item = match &ty {
                    Ty::Slice(item) => (**item).clone(),
                    _ => self.item_of(&ty).unwrap_or_default(),
                };
                for pat in pats {
                    self.bind_at(*pat, &item, by_ref, None);
                }
            }
            PatKind::TupleStruct { path, pats } => {
                let (ty, by_ref) = self.see_through(ty, by_ref);
                self.note_constructor(pat, path);
                let fields = self.variant_fields(path, &ty);
                let find = |index: usize| fields.iter().find(|(name, _)| name.as_str() == index.to_string());
                self.bind_list(pats, |index| find(index).map(|(_, ty)| ty.clone()), fields.len(), by_ref);
            }
            PatKind::Struct { path, fields } => {
                let (ty, by_ref) = self.see_through(ty, by_ref);
                self.note_constructor(pat, path);
                let types = self.variant_fields(path, &ty);
                for (name, pat) in fields {
                    let ty = types.iter().find(|(field, _)| field == name).map(|(_, ty)| ty.clone());
                    self.bind_at(*pat, &ty.unwrap_or_default(), by_ref, None);
                }
            }
        }
    }

    fn note_constructor(&mut self, pat: PatId, path: &Path) {
        if let Some(found) = self.constructor(path) {
            self.out.constructors.insert(pat, found);
        }
    }

    /// Binds a list in which `..` may stand for any number.
    fn bind_list(&mut self, pats: &[PatId], ty: impl Fn(usize) -> Option<Ty>, len: usize, by_ref: bool) {
        let body = self.body;
        let rest = pats.iter().position(|pat| matches!(body[*pat].kind, PatKind::Rest));
        for (index, pat) in pats.iter().enumerate() {
            let position = match rest {
                Some(rest) if index > rest => (len + index).checked_sub(pats.len()),
                _ => Some(index),
            };
            let ty = position.and_then(&ty).unwrap_or_default();
            self.bind_at(*pat, &ty, by_ref, None);
        }
    }

    /// Default binding modes: matching through a reference binds by reference.
    fn see_through(&mut self, ty: &Ty, by_ref: bool) -> (Ty, bool) {
        let mut ty = self.shallow(ty);
        let mut by_ref = by_ref;
        while let Ty::Ref(inner) = &ty {
            ty = self.shallow(inner);
            by_ref = true;
        }
        (ty, by_ref)
    }

    /// Field names and types of the variant or struct that a pattern or literal names, on a value of type `ty`.
    pub(super) fn variant_fields(&mut self, path: &Path, ty: &Ty) -> Vec<(Symbol, Ty)> {
        let Some((adt, variant)) = self.constructor(path) else { return Vec::new() };
        let fresh = Ty::Adt(adt, self.model.adt(adt).params.iter().map(|_| self.vars.fresh()).collect());
        self.vars.unify(&fresh, ty);
        let Ty::Adt(_, args) = &fresh else { return Vec::new() };
        let data = self.model.adt(adt);
        let map: Subst = data.params.iter().copied().zip(args.iter().cloned()).collect();
        let fields = data.variants.get(variant as usize).map_or(&[][..], Vec::as_slice);
        fields.iter().map(|field| (field.name, field.ty.subst(&map))).collect()
    }

    /// The struct or variant that a path names.
    pub(super) fn constructor(&mut self, path: &Path) -> Option<(AdtId, u32)> {
        let names: Vec<Symbol> = path.segments.iter().map(|segment| segment.name).collect();
        if names.first().is_some_and(|first| first.as_str() == "Self") {
            let Ty::Adt(adt, _) = self.signature.self_ty.peeled() else { return None };
            return match names.get(1) {
                None => Some((*adt, 0)),
                Some(name) => {
                    let index = self.model.adt(*adt).written.iter().position(|(variant, _)| variant == name)?;
                    Some((*adt, index as u32))
                }
            };
        }
        let find = |ns| self.model.resolve(self.module, &names, path.absolute, ns);
        match find(Namespace::Value).or_else(|| find(Namespace::Type))? {
            (Def::Variant(adt, index), used) if used == names.len() => Some((adt, index)),
            (Def::Adt(adt), used) if used == names.len() => Some((adt, 0)),
            (Def::Alias(_), used) => {
                // `type Alias = Enum<..>; Alias::Variant`
                let head = Path { absolute: path.absolute, segments: path.segments[..used].into() };
                let Ty::Adt(adt, _) = self.lower_path(&head) else { return None };
                match names.get(used) {
                    None => Some((adt, 0)),
                    Some(name) => {
                        let index = self.model.adt(adt).written.iter().position(|(variant, _)| variant == name)?;
                        Some((adt, index as u32))
                    }
                }
            }
            _ => match find(Namespace::Type)? {
                (Def::Adt(adt), used) if used == names.len() => Some((adt, 0)),
                _ => None,
            },
        }
    }

    /// Whether a lone identifier in a pattern is a constant or unit variant rather than a new name.
    fn is_constant(&self, name: Symbol) -> bool {
        if !name.as_str().starts_with(|first: char| first.is_ascii_uppercase()) {
            return false;
        }
        let def = self.model.resolve(self.module, &[name], false, Namespace::Value);
        matches!(def, Some((Def::Variant(..) | Def::Static(_) | Def::Adt(_) | Def::External(_), _)))
            || name.as_str().chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                && name.as_str().len() > 1
    }

    /// Makes patterns that bound `local` bind `first` instead.
    fn rebind(&mut self, local: super::LocalId, first: super::LocalId) {
        let ty = self.out.locals[local.0 as usize].ty.clone();
        let first_ty = self.out.locals[first.0 as usize].ty.clone();
        self.vars.unify(&first_ty, &ty);
        #[expect(clippy::iter_over_hash_type, reason = "each entry is changed on its own")]
        for bound in self.out.bindings.values_mut() {
            if *bound == local {
                *bound = first;
            }
        }
    }

    pub(super) fn name_local(&mut self, expr: crate::syntax::ExprId, name: Symbol) -> Option<Ty> {
        let local = self.local(name)?;
        self.out.names.insert(expr, Name::Local(local));
        Some(self.out.locals[local.0 as usize].ty.clone())
    }
}

//! Types, paths and generics: from syn to the plain tree.
//!
//! Guarantees: a type is lowered as written. Misses: lifetimes, const arguments, `?Sized`-like relaxed bounds; types
//! nested more than [`MAX_TYPE_DEPTH`] deep end in `Unknown`.

use super::lower::Lowering;
use super::tree::{GenericArgs, Generics, Path, PathSegment, Symbol, TypeParam, TypeRef};
use smallvec::SmallVec;
use std::fmt::Write as _;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, GenericParam, PathArguments, ReturnType, Token, Type, TypeParamBound, WherePredicate};
use thin_vec::ThinVec;

/// Types nested deeper than this are not followed.
const MAX_TYPE_DEPTH: u32 = 64;

impl Lowering {
    /// An identifier, without `r#`.
    pub(super) fn name(&mut self, ident: &syn::Ident) -> Symbol {
        self.name_buffer.clear();
        // Writing to a `String` cannot fail.
        let _ = write!(self.name_buffer, "{ident}");
        Symbol::from(self.name_buffer.strip_prefix("r#").unwrap_or(&self.name_buffer))
    }

    /// A lifetime or label, without the apostrophe.
    pub(super) fn label(&mut self, lifetime: &syn::Lifetime) -> Symbol {
        self.name(&lifetime.ident)
    }

    pub(super) fn path(&mut self, path: &syn::Path) -> Path {
        Path {
            absolute: path.leading_colon.is_some(),
            segments: path.segments.iter().map(|segment| self.segment(segment)).collect(),
        }
    }

    fn segment(&mut self, segment: &syn::PathSegment) -> PathSegment {
        let name = self.name(&segment.ident);
        let args = match &segment.arguments {
            PathArguments::None => None,
            PathArguments::AngleBracketed(args) => Some(Box::new(self.generic_args(args))),
            PathArguments::Parenthesized(args) => {
                let types = args.inputs.iter().map(|input| self.ty(&input.ty)).collect();
                let output = self.return_type(&args.output).unwrap_or_else(|| TypeRef::Tuple(Vec::new()));
                Some(Box::new(GenericArgs { types, bindings: vec![(Symbol::from("Output"), output)] }))
            }
        };
        PathSegment { name, args }
    }

    fn generic_args(&mut self, args: &syn::AngleBracketedGenericArguments) -> GenericArgs {
        let mut lowered = GenericArgs::default();
        for arg in &args.args {
            match arg {
                GenericArgument::Type(ty) => lowered.types.push(self.ty(ty)),
                GenericArgument::AssocType(binding) => {
                    let name = self.name(&binding.ident);
                    lowered.bindings.push((name, self.ty(&binding.ty)));
                }
                GenericArgument::Constraint(constraint) => {
                    let name = self.name(&constraint.ident);
                    lowered.bindings.push((name, TypeRef::ImplTrait(self.bounds(&constraint.bounds))));
                }
                _ => {}
            }
        }
        lowered
    }

    /// The types of a turbofish.
    pub(super) fn turbofish(&mut self, args: Option<&syn::AngleBracketedGenericArguments>) -> ThinVec<TypeRef> {
        args.map(|args| self.generic_args(args).types.into()).unwrap_or_default()
    }

    pub(super) fn return_type(&mut self, output: &ReturnType) -> Option<TypeRef> {
        match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    pub(super) fn bounds(&mut self, bounds: &Punctuated<TypeParamBound, Token![+]>) -> Vec<Path> {
        let mut paths = Vec::new();
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound
                && bound.maybe.is_none()
            {
                paths.push(self.path(&bound.path));
            }
        }
        paths
    }

    pub(super) fn ty(&mut self, ty: &Type) -> TypeRef {
        if self.type_depth >= MAX_TYPE_DEPTH {
            return TypeRef::Unknown;
        }
        self.type_depth += 1;
        let lowered = self.ty_inner(ty);
        self.type_depth -= 1;
        lowered
    }

    fn ty_inner(&mut self, ty: &Type) -> TypeRef {
        match ty {
            Type::Array(ty) => TypeRef::Slice(Box::new(self.ty(&ty.elem))),
            Type::Slice(ty) => TypeRef::Slice(Box::new(self.ty(&ty.elem))),
            Type::FnPtr(ty) => TypeRef::FnPtr {
                params: ty.inputs.iter().map(|input| self.ty(&input.ty)).collect(),
                ret: self.return_type(&ty.output).map(Box::new),
            },
            Type::Group(ty) => self.ty(&ty.elem),
            Type::Paren(ty) => self.ty(&ty.elem),
            Type::ImplTrait(ty) => TypeRef::ImplTrait(self.bounds(&ty.bounds)),
            Type::TraitObject(ty) => TypeRef::DynTrait(self.bounds(&ty.bounds)),
            Type::Infer(_) => TypeRef::Infer,
            Type::Never(_) => TypeRef::Never,
            Type::Path(ty) => self.type_path(ty),
            Type::Ptr(ty) => TypeRef::Ptr(Box::new(self.ty(&ty.elem))),
            Type::Reference(ty) => {
                TypeRef::Ref { mutable: ty.mutability.is_some(), inner: Box::new(self.ty(&ty.elem)) }
            }
            Type::Tuple(ty) => TypeRef::Tuple(ty.elems.iter().map(|elem| self.ty(elem)).collect()),
            _ => TypeRef::Unknown,
        }
    }

    fn type_path(&mut self, ty: &syn::TypePath) -> TypeRef {
        let mut path = self.path(&ty.path);
        let Some(qself) = &ty.qself else {
            // `Box<Fn(u8)>`: parenthesised arguments belong to a trait, and a trait in type position is an object.
            let sugar =
                ty.path.segments.last().is_some_and(|last| matches!(last.arguments, PathArguments::Parenthesized(_)));
            return if sugar { TypeRef::DynTrait(vec![path]) } else { TypeRef::Path(path) };
        };
        let names: SmallVec<[super::tree::PathSegment; 1]> =
            path.segments.drain(qself.position.min(path.segments.len())..).collect();
        let mut of = self.ty(&qself.ty);
        let mut trait_ = (!path.segments.is_empty()).then(|| Box::new(path));
        for segment in names {
            of = TypeRef::Assoc { of: Box::new(of), trait_: trait_.take(), name: segment.name };
        }
        of
    }

    /// Type parameters with their bounds and the where clauses on them.
    pub(super) fn generics(&mut self, generics: &syn::Generics) -> Generics {
        let mut params: Vec<TypeParam> = Vec::new();
        for param in &generics.params {
            if let GenericParam::Type(param) = param {
                params.push(TypeParam {
                    name: self.name(&param.ident),
                    bounds: self.bounds(&param.bounds),
                    default: param.default.as_ref().map(|(_, ty)| self.ty(ty)),
                });
            }
        }
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            let WherePredicate::Type(predicate) = predicate else { continue };
            let Type::Path(syn::TypePath { qself: None, path, .. }) = &predicate.bounded_ty else { continue };
            let Some(ident) = path.get_ident() else { continue };
            let name = self.name(ident);
            if let Some(index) = params.iter().position(|param| param.name == name) {
                let bounds = self.bounds(&predicate.bounds);
                params[index].bounds.extend(bounds);
            }
        }
        Generics { params }
    }
}

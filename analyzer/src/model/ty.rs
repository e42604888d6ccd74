//! Types as far as source text tells them: an honest `Unknown`, structural substitution, and unification with
//! inference variables.
//!
//! Guarantees: unification only ever fills variables; a clash leaves both sides as they are and is no error, because
//! the code is assumed to compile and the model to be incomplete. References are kept, lifetimes and const
//! arguments are not.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{AdtId, FnId, TraitId};
use crate::syntax::{ExprId, Symbol};

/// Type arguments.
pub type Args = Arc<[Ty]>;

/// A resolved type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Ty {
    /// Not known.
    #[default]
    Unknown,
    /// `!`
    Never,
    /// A primitive: no methods that matter, no locks inside.
    Prim,
    /// A struct, enum or union of the scanned sources or of the known-library stubs.
    Adt(AdtId, Args),
    /// A named type of a crate that is not there, by its path as written.
    External(Symbol, Args),
    /// `&T`, `&mut T`
    Ref(Arc<Ty>),
    /// `*const T`, `*mut T`
    Ptr(Arc<Ty>),
    /// `(A, B)`
    Tuple(Args),
    /// `[T]`, `[T; n]`
    Slice(Arc<Ty>),
    /// A type parameter in scope.
    Param(Symbol),
    /// `dyn A + B`
    Dyn(Arc<[TraitRef]>),
    /// `impl A + B`
    Opaque(Arc<[TraitRef]>),
    /// `<T as ?>::Name`, not (yet) resolved.
    Assoc(Arc<Ty>, Symbol),
    /// A function item.
    FnDef(FnId),
    /// `fn(A) -> B`
    FnPtr(Args, Arc<Ty>),
    /// A closure of the body at hand.
    Closure(ExprId),
    /// The future of an async block of the body at hand, or of an async function; with its output.
    Future(Arc<Ty>),
    /// An inference variable of the body at hand.
    Var(u32),
}

/// A trait with arguments: `Fn(A) -> B` has `A` as its one tuple argument and `Output = B` as its binding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraitRef {
    /// The trait, where it is known.
    pub id: Option<TraitId>,
    /// Its last path segment as written.
    pub name: Symbol,
    /// Its arguments.
    pub args: Args,
    /// Its bindings.
    pub bindings: Arc<[(Symbol, Ty)]>,
}

impl Ty {
    /// No arguments.
    pub fn no_args() -> Args {
        Arc::from([])
    }

    /// `&self`
    pub fn reference(self) -> Ty {
        Ty::Ref(Arc::new(self))
    }

    /// `()`
    pub fn unit() -> Ty {
        Ty::Tuple(Ty::no_args())
    }

    /// Without references around it.
    pub fn peeled(&self) -> &Ty {
        match self {
            Ty::Ref(inner) => inner.peeled(),
            other => other,
        }
    }

    /// Applies `f` to every child.
    pub fn map_children(&self, f: &mut dyn FnMut(&Ty) -> Ty) -> Ty {
        let mut all = |args: &Args| args.iter().map(&mut *f).collect::<Args>();
        match self {
            Ty::Adt(id, args) if !args.is_empty() => Ty::Adt(*id, all(args)),
            Ty::External(name, args) if !args.is_empty() => Ty::External(*name, all(args)),
            Ty::Tuple(args) if !args.is_empty() => Ty::Tuple(all(args)),
            Ty::Ref(inner) => Ty::Ref(Arc::new(f(inner))),
            Ty::Ptr(inner) => Ty::Ptr(Arc::new(f(inner))),
            Ty::Slice(inner) => Ty::Slice(Arc::new(f(inner))),
            Ty::Future(inner) => Ty::Future(Arc::new(f(inner))),
            Ty::Assoc(inner, name) => Ty::Assoc(Arc::new(f(inner)), *name),
            Ty::FnPtr(args, ret) => {
                let args = all(args);
                Ty::FnPtr(args, Arc::new(f(ret)))
            }
            Ty::Dyn(traits) => Ty::Dyn(traits.iter().map(|trait_| trait_.map(f)).collect()),
            Ty::Opaque(traits) => Ty::Opaque(traits.iter().map(|trait_| trait_.map(f)).collect()),
            other => other.clone(),
        }
    }

    /// Whether a part of the type satisfies `test`.
    pub fn any(&self, test: &mut dyn FnMut(&Ty) -> bool) -> bool {
        if test(self) {
            return true;
        }
        match self {
            Ty::Adt(_, args) | Ty::External(_, args) | Ty::Tuple(args) => args.iter().any(|arg| arg.any(test)),
            Ty::Ref(inner) | Ty::Ptr(inner) | Ty::Slice(inner) | Ty::Assoc(inner, _) | Ty::Future(inner) => {
                inner.any(test)
            }
            Ty::FnPtr(args, ret) => args.iter().any(|arg| arg.any(test)) || ret.any(test),
            _ => false,
        }
    }

    /// Whether it has more than `most` parts. Linear in `most`: a type that is written in few words can have very many.
    pub fn exceeds(&self, most: u32) -> bool {
        let mut left = most;
        self.any(&mut |_| {
            left = left.saturating_sub(1);
            left == 0
        })
    }

    /// Replaces type parameters.
    pub fn subst(&self, map: &Subst) -> Ty {
        if map.is_empty() {
            return self.clone();
        }
        match self {
            Ty::Param(name) => map.get(name).cloned().unwrap_or_else(|| self.clone()),
            Ty::Unknown | Ty::Never | Ty::Prim | Ty::FnDef(_) | Ty::Closure(_) | Ty::Var(_) => self.clone(),
            other => other.map_children(&mut |child| child.subst(map)),
        }
    }
}

impl TraitRef {
    fn map(&self, f: &mut dyn FnMut(&Ty) -> Ty) -> TraitRef {
        TraitRef {
            id: self.id,
            name: self.name,
            args: self.args.iter().map(&mut *f).collect(),
            bindings: self.bindings.iter().map(|(name, ty)| (*name, f(ty))).collect(),
        }
    }

    /// Replaces type parameters.
    pub fn subst(&self, map: &Subst) -> TraitRef {
        self.map(&mut |ty| ty.subst(map))
    }

    /// The binding of an associated type.
    pub fn binding(&self, name: Symbol) -> Option<&Ty> {
        self.bindings.iter().find(|(bound, _)| *bound == name).map(|(_, ty)| ty)
    }
}

/// Types for type parameters.
pub type Subst = FxHashMap<Symbol, Ty>;

/// Inference variables of one body.
#[derive(Debug, Default)]
pub struct Vars {
    values: Vec<Option<Ty>>,
}

/// How deep types are followed: recursive types and cyclic variables end here.
pub(super) const DEPTH: u32 = 24;

/// How many parts of a type are followed: `let x = (x, x)` doubles them in every line.
pub(super) const PARTS: u32 = 2_000;

impl Vars {
    /// A new variable.
    pub fn fresh(&mut self) -> Ty {
        self.values.push(None);
        Ty::Var(self.values.len() as u32 - 1)
    }

    /// Follows variables at the top of `ty` only.
    pub fn shallow(&self, ty: &Ty) -> Ty {
        let mut ty = ty;
        for _ in 0..DEPTH {
            match ty {
                Ty::Var(index) => match self.values.get(*index as usize) {
                    Some(Some(value)) => ty = value,
                    _ => return ty.clone(),
                },
                _ => return ty.clone(),
            }
        }
        Ty::Unknown
    }

    /// Replaces all variables; those without a value become `Unknown`.
    pub fn resolve(&self, ty: &Ty) -> Ty {
        self.resolve_at(ty, 0, &mut { PARTS })
    }

    fn resolve_at(&self, ty: &Ty, depth: u32, parts: &mut u32) -> Ty {
        if depth > DEPTH || *parts == 0 {
            return Ty::Unknown;
        }
        *parts -= 1;
        // Most types hold no variable, and stay shared.
        if !ty.any(&mut |part| matches!(part, Ty::Var(_))) {
            return ty.clone();
        }
        match self.shallow(ty) {
            Ty::Var(_) => Ty::Unknown,
            other => other.map_children(&mut |child| self.resolve_at(child, depth + 1, parts)),
        }
    }

    /// Makes both the same where variables allow it.
    pub fn unify(&mut self, a: &Ty, b: &Ty) {
        self.unify_at(a, b, 0);
    }

    fn unify_at(&mut self, a: &Ty, b: &Ty, depth: u32) {
        if depth > DEPTH {
            return;
        }
        let (a, b) = (self.shallow(a), self.shallow(b));
        match (&a, &b) {
            (Ty::Var(x), Ty::Var(y)) if x == y => {}
            (Ty::Var(_), Ty::Unknown | Ty::Never) | (Ty::Unknown | Ty::Never, Ty::Var(_)) => {}
            (Ty::Var(x), other) | (other, Ty::Var(x)) if !self.occurs(*x, other, 0, &mut { PARTS }) => {
                self.values[*x as usize] = Some(other.clone());
            }
            (Ty::Adt(x, xs), Ty::Adt(y, ys)) if x == y => self.unify_all(xs, ys, depth),
            (Ty::External(x, xs), Ty::External(y, ys)) if x == y => self.unify_all(xs, ys, depth),
            (Ty::Tuple(xs), Ty::Tuple(ys)) => self.unify_all(xs, ys, depth),
            (Ty::Ref(x), Ty::Ref(y)) | (Ty::Ptr(x), Ty::Ptr(y)) => self.unify_at(x, y, depth + 1),
            // Auto-deref and reborrowing make a reference count loosely.
            (Ty::Ref(x), other) | (other, Ty::Ref(x)) => self.unify_at(x, other, depth + 1),
            (Ty::Slice(x), Ty::Slice(y)) | (Ty::Future(x), Ty::Future(y)) => self.unify_at(x, y, depth + 1),
            (Ty::FnPtr(xs, x), Ty::FnPtr(ys, y)) => {
                self.unify_all(xs, ys, depth);
                self.unify_at(x, y, depth + 1);
            }
            _ => {}
        }
    }

    fn unify_all(&mut self, xs: &Args, ys: &Args, depth: u32) {
        for (x, y) in xs.iter().zip(ys.iter()) {
            self.unify_at(x, y, depth + 1);
        }
    }

    /// Also where the type is too large to tell.
    fn occurs(&self, var: u32, ty: &Ty, depth: u32, parts: &mut u32) -> bool {
        depth > DEPTH
            || ty.any(&mut |part| {
                *parts = parts.saturating_sub(1);
                *parts == 0
                    || match part {
                        Ty::Var(index) => {
                            *index == var
                                || self
                                    .values
                                    .get(*index as usize)
                                    .and_then(Option::as_ref)
                                    .is_some_and(|value| self.occurs(var, value, depth + 1, parts))
                        }
                        _ => false,
                    }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adt(id: u32, args: &[Ty]) -> Ty {
        Ty::Adt(AdtId(id), args.into())
    }

    #[test]
    fn unification_fills_variables_through_references() {
        let mut vars = Vars::default();
        let var = vars.fresh();
        vars.unify(&adt(1, std::slice::from_ref(&var)).reference(), &adt(1, &[Ty::Prim]));
        assert_eq!(vars.resolve(&var), Ty::Prim);
    }

    #[test]
    fn a_cyclic_variable_stays_unknown() {
        let mut vars = Vars::default();
        let var = vars.fresh();
        vars.unify(&var, &adt(1, std::slice::from_ref(&var)));
        assert_eq!(vars.resolve(&var), Ty::Unknown);
        let other = vars.fresh();
        vars.unify(&var, &other);
        vars.unify(&other, &adt(2, std::slice::from_ref(&var)));
        vars.resolve(&var);
    }

    #[test]
    fn substitution_reaches_every_part() {
        let t = Symbol::from("T");
        let map = Subst::from_iter([(t, Ty::Prim)]);
        let ty = Ty::Tuple([adt(1, &[Ty::Param(t)]), Ty::Param(t).reference()].into());
        assert!(!ty.subst(&map).any(&mut |part| matches!(part, Ty::Param(_))));
    }
}

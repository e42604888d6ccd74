//! Types inside one body: what each expression is, which local a name means, which function a call runs.
//!
//! Guarantees: one forward walk with unification; closures are typed from the bounds of what they are passed to;
//! what stays open after the walk is `Unknown`. Two walks over the same body give the same result.
//!
//! Misses: types that only later code would tell (a walk never goes back), integer and float kinds, coercions.

mod by_expr;
mod calls;
mod exprs;
mod hidden;
mod pats;

pub use by_expr::ByExpr;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use symbol_table::static_symbol;

use super::lookup::Bounds;
use super::signatures::Scope;
use super::ty::{DEPTH, PARTS, TraitRef, Ty, Vars};
use super::{AdtId, FnId, Model, ModuleId, Signature, StaticId};
use crate::syntax::{Body, ExprId, Function, PatId, Symbol};

/// Index of a local variable of a body, parameters included. `self` is a local like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalId(pub u32);

/// A local variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub ty: Ty,
    /// `ref name`, or bound through a reference: it does not own what it names.
    pub by_ref: bool,
    /// Which parameter it is: 0 for the receiver, then from 1.
    pub param: Option<u32>,
}

/// What a path expression means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A local variable.
    Local(LocalId),
    /// A static, const or thread-local.
    Static(StaticId),
    /// A function.
    Fn(FnId),
    /// A struct or variant used as a value or constructor.
    Constructor(AdtId, u32),
}

/// What a call runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A function (perhaps a trait's declaration: see [`Model::dispatch`]).
    Fn(FnId),
    /// A constructor of a tuple struct or variant.
    Constructor(AdtId, u32),
    /// A closure of this body.
    Closure(ExprId),
    /// A function of a crate that is not there.
    External(Symbol),
    /// A callable value: parameter, field, function pointer.
    Value,
}

/// A resolved call.
#[derive(Clone, Debug)]
pub struct Callee {
    /// What runs.
    pub target: Target,
    /// For methods: the type it was found on.
    pub on: Ty,
    /// `Deref::deref` functions of the sources on the way from the receiver.
    pub derefs: SmallVec<[FnId; 1]>,
    /// Written `Type::method(receiver, ..)`: the first argument is the receiver.
    pub receiver_first: bool,
}

/// The result of inference.
#[derive(Debug, Default)]
pub struct BodyTypes {
    /// Per expression an index into `distinct`: a body has few types, and many expressions of each.
    types: Vec<u32>,
    distinct: Vec<Ty>,
    /// All locals.
    pub locals: Vec<Local>,
    /// Path expressions.
    pub names: ByExpr<Name>,
    /// Identifier patterns that bind.
    pub bindings: FxHashMap<PatId, LocalId>,
    /// Calls and method calls that could be resolved.
    pub calls: ByExpr<Callee>,
    /// Field expressions: the type that declares the field, and `deref`s on the way.
    pub fields: ByExpr<(AdtId, SmallVec<[FnId; 1]>)>,
    /// Struct and variant patterns: what they name.
    pub constructors: FxHashMap<PatId, (AdtId, u32)>,
    /// Functions that run without being written, by the argument that is formatted or the iterator of a loop.
    pub hidden: FxHashMap<ExprId, FnId>,
    /// The receiver's local.
    pub self_local: Option<LocalId>,
}

impl BodyTypes {
    /// The types that expressions have, each once.
    pub fn distinct(&self) -> &[Ty] {
        &self.distinct
    }

    /// The expression's type.
    pub fn ty(&self, id: ExprId) -> &Ty {
        let index = self.types.get(id.0 as usize);
        index.and_then(|index| self.distinct.get(*index as usize)).unwrap_or(&Ty::Unknown)
    }
}

/// What is expected of a closure: its parameters' types and what it gives.
type Expected<'e> = Option<&'e Ty>;

pub(super) struct Infer<'m> {
    model: &'m Model<'m>,
    body: &'m Body,
    module: ModuleId,
    signature: &'m Signature,
    params: Vec<Symbol>,
    vars: Vars,
    /// Per expression, before variables are filled in.
    types: Vec<Ty>,
    out: BodyTypes,
    /// Names in scope, innermost last.
    scope: Vec<(Symbol, LocalId)>,
    /// Parameter and return types of the closures met so far.
    closures: FxHashMap<ExprId, (Vec<Ty>, Ty)>,
    /// Return types of the functions and closures around the current expression.
    returns: Vec<Ty>,
    /// Types of `break` values of the loops around.
    breaks: Vec<Ty>,
}

/// Infers a function's body.
pub fn infer_fn(model: &Model<'_>, id: FnId) -> Option<BodyTypes> {
    let data = model.function(id);
    let function: &Function = data.syntax;
    let body = model.code(id)?;
    let signature = model.signature(id);
    let mut infer = Infer::new(model, body, data.module, signature);
    if signature.has_receiver {
        let ty = match function.receiver.as_ref() {
            Some(receiver) => match &receiver.ty {
                Some(ty) => infer.lower(ty),
                None if receiver.reference => signature.self_ty.clone().reference(),
                None => signature.self_ty.clone(),
            },
            None => Ty::Unknown,
        };
        let local = infer.add_local(static_symbol!("self"), ty, false, Some(0));
        infer.out.self_local = Some(local);
    }
    for (index, param) in function.params.iter().enumerate() {
        if let Some(pat) = param.pat {
            let ty = signature.params.get(index).cloned().unwrap_or_default();
            infer.bind_param(pat, &ty, index as u32 + 1);
        }
    }
    infer.returns.push(signature.ret.clone());
    let ty = infer.expr(body.root, Some(&signature.ret));
    infer.vars.unify(&signature.ret, &ty);
    Some(infer.finish())
}

/// Infers the initialiser of a static.
pub fn infer_static(model: &Model<'_>, id: StaticId) -> Option<BodyTypes> {
    let data = &model.statics[id.0 as usize];
    let body = model.init(id)?;
    let signature = Signature::default();
    let mut infer = Infer::new(model, body, data.module, &signature);
    infer.returns.push(data.ty.clone());
    infer.expr(body.root, Some(&data.ty));
    Some(infer.finish())
}

impl<'m> Infer<'m> {
    fn new(model: &'m Model<'m>, body: &'m Body, module: ModuleId, signature: &'m Signature) -> Infer<'m> {
        let exprs = body.exprs.len();
        Infer {
            model,
            body,
            module,
            signature,
            params: signature.generics.iter().map(|(name, _)| *name).collect(),
            vars: Vars::default(),
            types: vec![Ty::Unknown; exprs],
            out: BodyTypes {
                names: ByExpr::new(exprs),
                calls: ByExpr::new(exprs),
                fields: ByExpr::new(exprs),
                ..BodyTypes::default()
            },
            scope: Vec::new(),
            closures: FxHashMap::default(),
            returns: Vec::new(),
            breaks: Vec::new(),
        }
    }

    fn finish(mut self) -> BodyTypes {
        let vars = &self.vars;
        let mut distinct: IndexSet<Ty, FxBuildHasher> = IndexSet::default();
        // Half of all expressions have one of these.
        let mut plain = [None; 3];
        let mut number = |ty: &Ty| {
            let mut add = |ty: Ty| distinct.insert_full(ty).0 as u32;
            match ty {
                Ty::Unknown => *plain[0].get_or_insert_with(|| add(Ty::Unknown)),
                Ty::Prim => *plain[1].get_or_insert_with(|| add(Ty::Prim)),
                Ty::Never => *plain[2].get_or_insert_with(|| add(Ty::Never)),
                ty => add(vars.resolve(ty)),
            }
        };
        self.out.types = self.types.iter().map(&mut number).collect();
        self.out.distinct = distinct.into_iter().collect();
        self.out.locals.iter_mut().for_each(|local| local.ty = vars.resolve(&local.ty));
        for callee in self.out.calls.values_mut() {
            callee.on = vars.resolve(&callee.on);
        }
        self.out
    }

    fn bounds(&self) -> Bounds<'m> {
        &self.signature.generics
    }

    fn lower(&self, ty: &crate::syntax::TypeRef) -> Ty {
        let self_ty = Some(&self.signature.self_ty).filter(|ty| **ty != Ty::Unknown);
        self.model.lower(Scope { module: self.module, self_ty, params: &self.params }, ty)
    }

    fn lower_path(&self, path: &crate::syntax::Path) -> Ty {
        self.lower(&crate::syntax::TypeRef::Path(path.clone()))
    }

    fn add_local(&mut self, name: Symbol, ty: Ty, by_ref: bool, param: Option<u32>) -> LocalId {
        let id = LocalId(self.out.locals.len() as u32);
        self.out.locals.push(Local { name, ty, by_ref, param });
        self.scope.push((name, id));
        id
    }

    fn local(&self, name: Symbol) -> Option<LocalId> {
        self.scope.iter().rev().find(|(bound, _)| *bound == name).map(|(_, id)| *id)
    }

    /// Runs `f` and forgets the names it brought into scope.
    fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.scope.len();
        let out = f(self);
        self.scope.truncate(depth);
        out
    }

    /// Follows variables and resolves projections at the top of a type.
    fn shallow(&mut self, ty: &Ty) -> Ty {
        let mut ty = self.vars.shallow(ty);
        for _ in 0..4 {
            let Ty::Assoc(of, name) = &ty else { break };
            let of = self.shallow(of);
            match self.project(&of, *name) {
                Some(found) => ty = self.vars.shallow(&found),
                None => break,
            }
        }
        ty
    }

    fn project(&mut self, ty: &Ty, name: Symbol) -> Option<Ty> {
        let bounds = self.bounds();
        self.model.project(&mut self.vars, bounds, ty, name)
    }

    fn item_of(&mut self, ty: &Ty) -> Option<Ty> {
        self.project(ty, static_symbol!("Item"))
    }

    /// Resolves projections anywhere in a type. A projection can give a type with the same projection in it, without
    /// end: what a type of [`PARTS`] parts still asks for stays unknown.
    fn normal(&mut self, ty: &Ty) -> Ty {
        self.normal_within(ty, &mut { PARTS }, 0)
    }

    fn normal_within(&mut self, ty: &Ty, parts: &mut u32, depth: u32) -> Ty {
        if !ty.any(&mut |part| matches!(part, Ty::Assoc(..))) {
            return ty.clone();
        }
        if *parts == 0 || depth > DEPTH {
            return Ty::Unknown;
        }
        *parts -= 1;
        let top = self.shallow(ty);
        if matches!(top, Ty::Assoc(..)) {
            return top;
        }
        top.map_children(&mut |child| self.normal_within(child, parts, depth + 1))
    }

    fn option(&self, item: Ty) -> Ty {
        self.model.known.option.map_or(Ty::Unknown, |id| Ty::Adt(id, [item].into()))
    }

    fn trait_callable(traits: &[TraitRef]) -> Option<&TraitRef> {
        traits.iter().find(|trait_| {
            matches!(trait_.name.as_str(), "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce")
        })
    }
}

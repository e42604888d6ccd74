//! Calls: which function runs, and what its generic signature says about arguments and result.

use std::sync::Arc;

use smallvec::SmallVec;
use symbol_table::static_symbol;

use super::{Callee, Expected, Infer, Name, Target};
use crate::model::resolve::Namespace;
use crate::model::ty::{Subst, Ty};
use crate::model::{Def, FnId, Signature};
use crate::syntax::{ExprId, ExprKind, Path, Symbol, TypeRef};

/// What a path means as a value.
enum Value {
    Fn { id: FnId, on: Option<Ty> },
    Constructor(crate::model::AdtId, u32),
    Static(crate::model::StaticId),
    External(Symbol),
    Unknown,
}

impl Infer<'_> {
    pub(super) fn path(&mut self, id: ExprId, path: &Path) -> Ty {
        if path.segments.len() == 1
            && !path.absolute
            && let Some(ty) = self.name_local(id, path.segments[0].name)
        {
            return ty;
        }
        match self.value(path) {
            Value::Fn { id: function, .. } => {
                self.out.names.insert(id, Name::Fn(function));
                Ty::FnDef(function)
            }
            Value::Constructor(adt, variant) => {
                self.out.names.insert(id, Name::Constructor(adt, variant));
                Ty::Adt(adt, self.model.adt(adt).params.iter().map(|_| self.vars.fresh()).collect())
            }
            Value::Static(found) => {
                self.out.names.insert(id, Name::Static(found));
                self.model.statics[found.0 as usize].ty.clone()
            }
            Value::External(_) | Value::Unknown => Ty::Unknown,
        }
    }

    pub(super) fn qualified(&mut self, id: ExprId, of: &Ty, path: &Path) -> Ty {
        let Some(last) = path.segments.last() else { return Ty::Unknown };
        match self.associated(of, last.name) {
            Some(function) => {
                self.out.names.insert(id, Name::Fn(function));
                Ty::FnDef(function)
            }
            None => Ty::Unknown,
        }
    }

    fn associated(&mut self, of: &Ty, name: Symbol) -> Option<FnId> {
        let bounds = self.bounds();
        self.model.find_method(&mut self.vars, bounds, of, name).map(|method| method.id)
    }

    fn value(&mut self, path: &Path) -> Value {
        let names: SmallVec<[Symbol; 4]> = path.segments.iter().map(|segment| segment.name).collect();
        let Some(first) = names.first() else { return Value::Unknown };
        let typed = |this: &mut Self, used: usize| {
            // `Type::name`: everything before is a type.
            let head = Path { absolute: path.absolute, segments: path.segments[..used].into() };
            let on = this.lower_path(&head);
            let on = match on {
                Ty::Adt(id, args) => Ty::Adt(
                    id,
                    args.iter().map(|arg| if *arg == Ty::Unknown { this.vars.fresh() } else { arg.clone() }).collect(),
                ),
                other => other,
            };
            match this.associated(&on, names[used]) {
                Some(id) => Value::Fn { id, on: Some(on) },
                // `#[derive(Default)]` leaves no impl in the sources.
                None if names[used].as_str() == "default" => match this.default_method() {
                    Some(id) => Value::Fn { id, on: Some(on) },
                    None => Value::Unknown,
                },
                None => match &on {
                    Ty::External(name, _) => Value::External(Symbol::from(format!("{name}::{}", names[used]))),
                    _ => Value::Unknown,
                },
            }
        };
        if first.as_str() == "Self" || self.params.contains(first) {
            if names.len() == 2 {
                if let Some((adt, variant)) = self.constructor(path)
                    && self.model.adt(adt).is_enum
                {
                    return Value::Constructor(adt, variant);
                }
                return typed(self, 1);
            }
            if names.len() == 1
                && let Ty::Adt(adt, _) = self.signature.self_ty.peeled()
            {
                return Value::Constructor(*adt, 0);
            }
            return Value::Unknown;
        }
        let found = self
            .model
            .resolve(self.module, &names, path.absolute, Namespace::Value)
            .or_else(|| self.model.resolve(self.module, &names, path.absolute, Namespace::Type));
        match found {
            Some((Def::Fn(id), used)) if used == names.len() => Value::Fn { id, on: None },
            Some((Def::Static(id), used)) if used == names.len() => Value::Static(id),
            Some((Def::Variant(adt, index), used)) if used == names.len() => Value::Constructor(adt, index),
            Some((Def::Adt(adt), used)) if used == names.len() => Value::Constructor(adt, 0),
            Some((Def::External(name), used)) if used == names.len() => {
                // The stand-ins for locks of unknown crates have constructors.
                let head = Path { absolute: path.absolute, segments: path.segments[..used - 1].into() };
                if used > 1 && crate::model::locks::stub_name(names[used - 2].as_str()).is_some() {
                    let on = self.lower_path(&head);
                    if let Some(id) = self.associated(&on, names[used - 1]) {
                        return Value::Fn { id, on: Some(on) };
                    }
                }
                Value::External(name)
            }
            Some((Def::Adt(_) | Def::Alias(_), used)) if used + 1 == names.len() => typed(self, used),
            Some((Def::Alias(_), used)) if used == names.len() => match self.constructor(path) {
                Some((adt, variant)) => Value::Constructor(adt, variant),
                None => Value::Unknown,
            },
            Some((Def::Trait(trait_), used)) if used + 1 == names.len() => {
                match self.model.trait_method(trait_, names[used]) {
                    Some(id) => Value::Fn { id, on: None },
                    None => Value::Unknown,
                }
            }
            None if names.len() == 2 => typed(self, 1),
            _ => Value::Unknown,
        }
    }

    fn default_method(&self) -> Option<FnId> {
        let prelude = self.model.known.prelude?;
        match self.model.resolve(prelude, &[static_symbol!("Default")], false, Namespace::Type)? {
            (Def::Trait(id), _) => self.model.trait_method(id, static_symbol!("default")),
            _ => None,
        }
    }

    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: &[ExprId], expected: Expected<'_>) -> Ty {
        let body = self.body;
        let (value, turbofish): (Value, &[TypeRef]) = match &body[callee].kind {
            ExprKind::Path(path) => {
                let local = path.segments.len() == 1 && !path.absolute && self.local(path.segments[0].name).is_some();
                if local {
                    return self.call_value(id, callee, args);
                }
                let types = path.segments.last().and_then(|segment| segment.args.as_deref());
                (self.value(path), types.map_or(&[], |args| &args.types))
            }
            ExprKind::QualifiedPath { of, path } => {
                let of = self.lower(of);
                let found = path.segments.last().and_then(|last| self.associated(&of, last.name));
                (found.map_or(Value::Unknown, |id| Value::Fn { id, on: Some(of) }), &[])
            }
            _ => return self.call_value(id, callee, args),
        };
        match value {
            Value::Fn { id: function, on } => {
                let signature = self.model.signature(function);
                let receiver_first = signature.has_receiver;
                let map = self.generics(function, signature, turbofish);
                let mut formals: Vec<Ty> = signature.params.iter().map(|ty| ty.subst(&map)).collect();
                let own = signature.self_ty.subst(&map);
                if let Some(on) = &on {
                    self.vars.unify(&own, on);
                }
                if receiver_first {
                    formals.insert(0, own.clone());
                }
                let target = Target::Fn(function);
                let on = on.unwrap_or(own);
                self.out.calls.insert(id, Callee { target, on, derefs: SmallVec::new(), receiver_first });
                self.out.names.insert(callee, Name::Fn(function));
                let ret = signature.ret.subst(&map);
                self.arguments(args, &formals, signature, &map, expected.map(|ty| (ty, &ret)));
                self.result(function, signature, &ret, None)
            }
            Value::Constructor(adt, variant) => {
                let target = Target::Constructor(adt, variant);
                self.out
                    .calls
                    .insert(id, Callee { target, on: Ty::Unknown, derefs: SmallVec::new(), receiver_first: false });
                let params = &self.model.adt(adt).params;
                let fresh: Arc<[Ty]> = params.iter().map(|_| self.vars.fresh()).collect();
                let map: Subst = params.iter().copied().zip(fresh.iter().cloned()).collect();
                let whole = Ty::Adt(adt, fresh);
                if let Some(expected) = expected {
                    self.vars.unify(&whole, expected);
                }
                let fields = self.model.adt(adt).variants.get(variant as usize);
                for (index, arg) in args.iter().enumerate() {
                    let formal = fields.and_then(|fields| fields.get(index)).map(|field| field.ty.subst(&map));
                    let ty = self.expr(*arg, formal.as_ref());
                    if let Some(formal) = formal {
                        self.vars.unify(&formal, &ty);
                    }
                }
                whole
            }
            Value::External(name) => {
                let target = Target::External(name);
                self.out
                    .calls
                    .insert(id, Callee { target, on: Ty::Unknown, derefs: SmallVec::new(), receiver_first: false });
                for arg in args {
                    self.expr(*arg, None);
                }
                Ty::Unknown
            }
            Value::Static(_) | Value::Unknown => {
                for arg in args {
                    self.expr(*arg, None);
                }
                Ty::Unknown
            }
        }
    }

    /// A call of a closure, function pointer or callable parameter.
    fn call_value(&mut self, id: ExprId, callee: ExprId, args: &[ExprId]) -> Ty {
        let ty = self.expr(callee, None);
        let mut ty = self.shallow(&ty);
        for _ in 0..6 {
            match self.model.deref(&mut self.vars, &ty) {
                Some((next, _)) => ty = self.shallow(&next),
                None => break,
            }
        }
        let (target, params, ret) = match &ty {
            Ty::Closure(closure) => {
                let (params, ret) = self.closures.get(closure).cloned().unwrap_or_default();
                (Target::Closure(*closure), params, ret)
            }
            Ty::FnDef(function) => {
                let signature = self.model.signature(*function);
                (Target::Fn(*function), signature.params.clone(), signature.ret.clone())
            }
            Ty::FnPtr(params, ret) => (Target::Value, params.to_vec(), (**ret).clone()),
            Ty::Param(name) => {
                let bounds = self.bounds();
                let traits = bounds.iter().find(|(bound, _)| bound == name).map_or(&[][..], |(_, traits)| traits);
                let (params, ret) = callable(traits);
                (Target::Value, params, ret)
            }
            Ty::Dyn(traits) | Ty::Opaque(traits) => {
                let (params, ret) = callable(traits);
                (Target::Value, params, ret)
            }
            _ => (Target::Value, Vec::new(), Ty::Unknown),
        };
        self.out.calls.insert(id, Callee { target, on: Ty::Unknown, derefs: SmallVec::new(), receiver_first: false });
        for (index, arg) in args.iter().enumerate() {
            let ty = self.expr(*arg, params.get(index));
            if let Some(param) = params.get(index) {
                self.vars.unify(param, &ty);
            }
        }
        ret
    }

    pub(super) fn method_call(
        &mut self,
        id: ExprId,
        receiver: ExprId,
        name: Symbol,
        turbofish: &[TypeRef],
        args: &[ExprId],
        expected: Expected<'_>,
    ) -> Ty {
        let receiver_ty = self.expr(receiver, None);
        let receiver_ty = self.shallow(&receiver_ty);
        let bounds = self.bounds();
        let Some(method) = self.model.find_method(&mut self.vars, bounds, &receiver_ty, name) else {
            if name == static_symbol!("to_string")
                && let Some(function) = self.formatting(&receiver_ty)
            {
                self.out.hidden.insert(receiver, function);
            }
            return self.unknown_method(&receiver_ty, name, args);
        };
        let signature = self.model.signature(method.id);
        let map = self.generics(method.id, signature, turbofish);
        self.vars.unify(&signature.self_ty.subst(&map), &method.on);
        let on = method.on.clone();
        let callee = Callee { target: Target::Fn(method.id), on, derefs: method.derefs, receiver_first: false };
        self.out.calls.insert(id, callee);
        let stub = self.model.crate_of(self.model.function(method.id).module).stub;
        if !signature.has_receiver && stub {
            // `Arc::clone(this: &Arc<T>)` stands for `.clone()` too.
            if let Some(first) = signature.params.first() {
                self.vars.unify(&first.subst(&map), &method.on);
            }
        }
        let formals: Vec<Ty> = signature.params.iter().map(|ty| ty.subst(&map)).collect();
        let ret = signature.ret.subst(&map);
        self.arguments(args, &formals, signature, &map, expected.map(|ty| (ty, &ret)));
        let ret = self.result(method.id, signature, &ret, Some(&method.on));
        if name == static_symbol!("collect")
            && let Ty::Adt(_, items) = &method.on
            && let Some(item) = items.first()
        {
            let target = match self.vars.shallow(&ret) {
                Ty::Var(_) => expected.cloned().unwrap_or(ret.clone()),
                found => found,
            };
            self.collected(item, &target);
        }
        ret
    }

    /// Methods on unknown or foreign types, where the name alone decides the type.
    fn unknown_method(&mut self, receiver: &Ty, name: Symbol, args: &[ExprId]) -> Ty {
        for arg in args {
            self.expr(*arg, None);
        }
        match name.as_str() {
            "clone" | "to_owned" | "as_ref" | "as_mut" | "borrow" | "borrow_mut" | "by_ref" => {
                receiver.peeled().clone()
            }
            // A lock known by name only: its `lock()` may or may not give a result.
            "unwrap" | "expect" => match receiver {
                Ty::Adt(id, _) if self.model.adt(*id).lock.is_some() => receiver.clone(),
                _ => Ty::Unknown,
            },
            _ => Ty::Unknown,
        }
    }

    /// Fresh variables for a function's type parameters, those given by turbofish filled in.
    fn generics(&mut self, function: FnId, signature: &Signature, turbofish: &[TypeRef]) -> Subst {
        let mut map = Subst::default();
        for (name, _) in &signature.generics {
            let var = self.vars.fresh();
            map.insert(*name, var);
        }
        let own = &self.model.function(function).syntax.generics.params;
        for (param, written) in own.iter().zip(turbofish) {
            let ty = self.lower(written);
            if ty != Ty::Unknown
                && let Some(var) = map.get(&param.name)
            {
                let ty =
                    ty.map_children(&mut |child| if *child == Ty::Unknown { self.vars.fresh() } else { child.clone() });
                self.vars.unify(&var.clone(), &ty);
            }
        }
        map
    }

    /// Plain arguments first: they tell the types that closures are asked for.
    fn arguments(
        &mut self,
        args: &[ExprId],
        formals: &[Ty],
        signature: &Signature,
        map: &Subst,
        expected: Option<(&Ty, &Ty)>,
    ) {
        let body = self.body;
        let closure = |arg: &ExprId| matches!(body[*arg].kind, ExprKind::Closure { .. });
        for (index, arg) in args.iter().enumerate().filter(|(_, arg)| !closure(arg)) {
            let ty = self.expr(*arg, formals.get(index));
            if let Some(formal) = formals.get(index) {
                let formal = self.normal(formal);
                self.vars.unify(&formal, &ty);
                if let Ty::FnDef(function) = ty {
                    self.function_argument(index, formals.len(), function, signature, map);
                }
            }
        }
        if let Some((expected, ret)) = expected {
            // Only where nothing is known yet: an expectation may be a supertype of what comes.
            if matches!(self.vars.shallow(ret), Ty::Adt(..)) {
                self.vars.unify(ret, expected);
            }
        }
        for (index, arg) in args.iter().enumerate().filter(|(_, arg)| closure(arg)) {
            let ExprKind::Closure { params, ret, body: inner, async_, .. } = &body[*arg].kind else { continue };
            let bound = self.callable_bound(index, formals, signature, map);
            let expected = bound.as_ref().map(|(params, ret)| (params.as_slice(), ret));
            self.closure(*arg, params, ret.as_deref(), *inner, *async_, expected);
            if let Some(formal) = formals.get(index) {
                self.vars.unify(formal, &Ty::Closure(*arg));
            }
        }
    }

    /// What the signature asks of a callable argument.
    fn callable_bound(
        &mut self,
        index: usize,
        formals: &[Ty],
        signature: &Signature,
        map: &Subst,
    ) -> Option<(Vec<Ty>, Ty)> {
        let offset = formals.len() - signature.params.len();
        let declared = signature.params.get(index.checked_sub(offset)?)?;
        let (params, ret) = match declared.peeled() {
            Ty::Param(name) => {
                let (_, traits) = signature.generics.iter().find(|(bound, _)| bound == name)?;
                Self::trait_callable(traits)?;
                callable(traits)
            }
            Ty::Dyn(traits) | Ty::Opaque(traits) => callable(traits),
            Ty::FnPtr(params, ret) => (params.to_vec(), (**ret).clone()),
            Ty::Adt(_, args) => match args.first()? {
                Ty::Dyn(traits) => callable(traits),
                _ => return None,
            },
            _ => return None,
        };
        Some((params.iter().map(|ty| ty.subst(map)).collect(), ret.subst(map)))
    }

    /// `.map(Self::name)`: a function passed where a callable is asked for.
    fn function_argument(&mut self, index: usize, formals: usize, function: FnId, signature: &Signature, map: &Subst) {
        let Some(declared) =
            index.checked_sub(formals - signature.params.len()).and_then(|at| signature.params.get(at))
        else {
            return;
        };
        let Ty::Param(name) = declared.peeled() else { return };
        let Some((_, traits)) = signature.generics.iter().find(|(bound, _)| bound == name) else { return };
        let (_, wanted) = callable(traits);
        let given = self.model.signature(function).ret.clone();
        if !given.any(&mut |part| matches!(part, Ty::Param(_))) {
            self.vars.unify(&wanted.subst(map), &given);
        }
    }

    fn result(&mut self, function: FnId, signature: &Signature, ret: &Ty, on: Option<&Ty>) -> Ty {
        let ret = self.normal(ret);
        let ret = match (&ret, on) {
            // `clone` of a trait: the receiver's own type.
            (Ty::Var(_), Some(on)) if self.model.function(function).syntax.name == static_symbol!("clone") => {
                on.peeled().clone()
            }
            _ => ret,
        };
        if signature.async_ { Ty::Future(Arc::new(ret)) } else { ret }
    }

    /// Puts an iterator's item type into the collection it is collected into.
    fn collected(&mut self, item: &Ty, target: &Ty) {
        let Ty::Adt(id, args) = self.vars.shallow(target) else { return };
        let known = &self.model.known;
        if (Some(id) == known.result || Some(id) == known.option)
            && let Ty::Adt(item_id, item_args) = self.vars.shallow(item)
            && item_id == id
            && let (Some(inner), Some(target)) = (item_args.first(), args.first())
        {
            return self.collected(&inner.clone(), &target.clone());
        }
        if self.model.known.transparent.contains(&id) {
            if let Some(Ty::Slice(target)) = args.first() {
                self.vars.unify(target, item);
            }
            return;
        }
        match (args.len(), self.vars.shallow(item)) {
            (1, item) => self.vars.unify(&args[0], &item),
            (2, Ty::Tuple(pair)) if pair.len() == 2 => {
                self.vars.unify(&args[0], &pair[0]);
                self.vars.unify(&args[1], &pair[1]);
            }
            _ => {}
        }
    }
}

/// Parameter types and return type of the first callable trait.
fn callable(traits: &[crate::model::ty::TraitRef]) -> (Vec<Ty>, Ty) {
    match Infer::trait_callable(traits) {
        Some(trait_) => {
            let output = trait_.binding(static_symbol!("Output")).cloned();
            (trait_.args.to_vec(), output.unwrap_or_else(Ty::unit))
        }
        None => (Vec::new(), Ty::Unknown),
    }
}

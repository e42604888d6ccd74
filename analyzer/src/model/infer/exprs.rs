//! Expressions: one method per group of kinds.

use std::sync::Arc;

use symbol_table::static_symbol;

use super::{Expected, Infer};
use crate::model::ty::{PARTS, Ty};
use crate::syntax::{BlockKind, Expr, ExprId, ExprKind, MacroKind, Stmt, Symbol};

impl Infer<'_> {
    /// Infers an expression and records its type.
    pub(super) fn expr(&mut self, id: ExprId, expected: Expected<'_>) -> Ty {
        let ty = match self.expr_kind(id, expected) {
            ty if ty.exceeds(PARTS) => Ty::Unknown,
            ty => ty,
        };
        self.types[id.0 as usize] = ty.clone();
        ty
    }

    fn exprs(&mut self, ids: &[ExprId]) {
        for id in ids {
            self.expr(*id, None);
        }
    }

    fn expr_kind(&mut self, id: ExprId, expected: Expected<'_>) -> Ty {
        let body = self.body;
        let Expr { kind, .. } = &body[id];
        match kind {
            ExprKind::Path(path) => self.path(id, path),
            ExprKind::QualifiedPath { of, path } => {
                let of = self.lower(of);
                self.qualified(id, &of, path)
            }
            ExprKind::Lit(_) => Ty::Prim,
            ExprKind::Call { callee, args } => self.call(id, *callee, args, expected),
            ExprKind::MethodCall { receiver, method, types, args, .. } => {
                self.method_call(id, *receiver, *method, types, args, expected)
            }
            ExprKind::Field { base, name } => self.field(id, *base, *name),
            ExprKind::Index { base, index } => {
                let base = self.expr(*base, None);
                let range = matches!(body[*index].kind, ExprKind::Range { .. });
                self.expr(*index, None);
                self.index_operator(id, &base);
                self.index(&base, range)
            }
            ExprKind::Deref(inner) => {
                let ty = self.expr(*inner, None);
                let ty = self.shallow(&ty);
                match self.model.deref(&mut self.vars, &ty) {
                    Some((target, through)) => {
                        if let Some(function) = through {
                            self.deref_operator(id, function, &ty);
                        }
                        target
                    }
                    None => Ty::Unknown,
                }
            }
            ExprKind::Unary(inner) => self.expr(*inner, None),
            ExprKind::Ref { expr, .. } => {
                let expected = expected.map(|ty| self.shallow(ty).peeled().clone());
                self.expr(*expr, expected.as_ref()).reference()
            }
            ExprKind::Binary { lhs, rhs, comparison } => {
                let ty = self.expr(*lhs, None);
                self.expr(*rhs, None);
                let found = self.operator(id, &ty, *comparison);
                found.unwrap_or(if *comparison { Ty::Prim } else { ty })
            }
            ExprKind::Logic { lhs, rhs, .. } => {
                self.exprs(&[*lhs, *rhs]);
                Ty::Prim
            }
            ExprKind::Assign { place, value } => {
                let place = self.expr(*place, None);
                let value = self.expr(*value, Some(&place));
                self.vars.unify(&place, &value);
                Ty::unit()
            }
            ExprKind::AssignOp { place, value } => {
                self.exprs(&[*value, *place]);
                Ty::unit()
            }
            ExprKind::Block { stmts, label, kind } => {
                let ty = self.scoped(|this| {
                    if label.is_some() {
                        let var = this.vars.fresh();
                        this.breaks.push(var);
                    }
                    let ty = this.block(stmts, expected);
                    if label.is_some()
                        && let Some(var) = this.breaks.pop()
                    {
                        this.vars.unify(&var, &ty);
                        return var;
                    }
                    ty
                });
                if *kind == BlockKind::Try { self.option(ty) } else { ty }
            }
            ExprKind::If { cond, then, els } => {
                let then_ty = self.scoped(|this| {
                    this.expr(*cond, None);
                    this.expr(*then, expected)
                });
                match els {
                    Some(els) => {
                        let els = self.expr(*els, expected);
                        self.join(&then_ty, &els)
                    }
                    None => Ty::unit(),
                }
            }
            ExprKind::Let { pat, scrutinee } => {
                let ty = self.expr(*scrutinee, None);
                self.bind(*pat, &ty);
                Ty::Prim
            }
            ExprKind::Match { scrutinee, arms } => {
                let ty = self.expr(*scrutinee, None);
                let mut out: Option<Ty> = None;
                for arm in arms {
                    let arm_ty = self.scoped(|this| {
                        this.bind(arm.pat, &ty);
                        if let Some(guard) = arm.guard {
                            this.expr(guard, None);
                        }
                        this.expr(arm.body, expected)
                    });
                    out = Some(match out {
                        Some(out) => self.join(&out, &arm_ty),
                        None => arm_ty,
                    });
                }
                out.unwrap_or(Ty::Never)
            }
            ExprKind::Loop { body, .. } => {
                let var = self.vars.fresh();
                self.breaks.push(var);
                self.expr(*body, None);
                self.breaks.pop().unwrap_or_default()
            }
            ExprKind::While { cond, body, .. } => {
                self.breaks.push(Ty::Unknown);
                self.scoped(|this| this.exprs(&[*cond, *body]));
                self.breaks.pop();
                Ty::unit()
            }
            ExprKind::For { pat, iter, body, .. } => {
                let ty = self.expr(*iter, None);
                let ty = self.shallow(&ty);
                self.turns(*iter, &ty);
                let item = self.item_of(&ty).unwrap_or_default();
                let item = self.normal(&item);
                self.breaks.push(Ty::Unknown);
                self.scoped(|this| {
                    this.bind(*pat, &item);
                    this.expr(*body, None);
                });
                self.breaks.pop();
                Ty::unit()
            }
            ExprKind::Break { value, .. } => {
                if let Some(value) = value {
                    let ty = self.expr(*value, None);
                    if let Some(target) = self.breaks.last().cloned() {
                        self.vars.unify(&target, &ty);
                    }
                }
                Ty::Never
            }
            ExprKind::Continue { .. } => Ty::Never,
            ExprKind::Return(value) => {
                let wanted = self.returns.last().cloned();
                if let Some(value) = value {
                    let ty = self.expr(*value, wanted.as_ref());
                    if let Some(wanted) = wanted {
                        self.vars.unify(&wanted, &ty);
                    }
                }
                Ty::Never
            }
            ExprKind::Yield(value) => {
                self.exprs(&Vec::from_iter(*value));
                Ty::Unknown
            }
            ExprKind::Closure { params, ret, body, async_, .. } => {
                self.closure(id, params, ret.as_deref(), *body, *async_, None)
            }
            ExprKind::Async { body, .. } => {
                let var = self.vars.fresh();
                self.returns.push(var.clone());
                let ty = self.expr(*body, None);
                self.vars.unify(&var, &ty);
                self.returns.pop();
                Ty::Future(Arc::new(var))
            }
            ExprKind::Await(inner) => {
                let ty = self.expr(*inner, None);
                self.awaited(&ty)
            }
            ExprKind::Try(inner) => {
                let ty = self.expr(*inner, None);
                match self.shallow(&ty) {
                    Ty::Adt(id, args) if Some(id) == self.model.known.option || Some(id) == self.model.known.result => {
                        args.first().cloned().unwrap_or_default()
                    }
                    _ => Ty::Unknown,
                }
            }
            ExprKind::Struct { path, fields, rest } => self.struct_literal(path, fields, *rest),
            ExprKind::Tuple(items) => Ty::Tuple(items.iter().map(|item| self.expr(*item, None)).collect()),
            ExprKind::Array { items, vec } => {
                let item = self.vars.fresh();
                for id in items {
                    let ty = self.expr(*id, None);
                    self.vars.unify(&item, &ty);
                }
                self.sequence(item, *vec)
            }
            ExprKind::Repeat { item, len, vec } => {
                let item = self.expr(*item, None);
                self.expr(*len, None);
                self.sequence(item, *vec)
            }
            ExprKind::Cast { expr, ty } => {
                self.expr(*expr, None);
                self.lower(ty)
            }
            ExprKind::Range { from, to } => {
                self.exprs(&from.iter().chain(to).copied().collect::<Vec<_>>());
                self.model.known.iter.map_or(Ty::Unknown, |id| Ty::Adt(id, [Ty::Prim].into()))
            }
            ExprKind::Macro { name, kind, args } => {
                let types: Vec<Ty> = args.iter().map(|arg| self.expr(*arg, None)).collect();
                self.formats(*name, args, &types);
                match kind {
                    MacroKind::Diverges => Ty::Never,
                    MacroKind::Statement => Ty::unit(),
                    MacroKind::Awaits => {
                        let outputs = types.iter().map(|ty| self.awaited(ty)).collect();
                        Ty::Tuple(outputs)
                    }
                    MacroKind::Value | MacroKind::Unknown | MacroKind::Opaque => Ty::Unknown,
                }
            }
            ExprKind::Select { arms } => {
                let mut out = Ty::Unknown;
                for arm in arms {
                    let ty = arm.future.map_or(Ty::Unknown, |future| self.expr(future, None));
                    let output = self.awaited(&ty);
                    out = self.scoped(|this| {
                        if let Some(pat) = arm.pat {
                            this.bind(pat, &output);
                        }
                        if let Some(guard) = arm.guard {
                            this.expr(guard, None);
                        }
                        this.expr(arm.body, expected)
                    });
                }
                out
            }
            ExprKind::Unknown => Ty::Unknown,
        }
    }

    fn block(&mut self, stmts: &[Stmt], expected: Expected<'_>) -> Ty {
        let mut out = Ty::unit();
        for (index, stmt) in stmts.iter().enumerate() {
            match stmt {
                Stmt::Let { pat, ty, init, els } => {
                    let written = match ty {
                        Some(ty) => self.lower(ty),
                        None => self.vars.fresh(),
                    };
                    let written = self.open(written);
                    if let Some(init) = init {
                        let ty = self.expr(*init, Some(&written));
                        self.vars.unify(&written, &ty);
                    }
                    if let Some(els) = els {
                        self.expr(*els, None);
                    }
                    self.bind(*pat, &written);
                    out = Ty::unit();
                }
                Stmt::Expr { expr, semi } => {
                    let last = index + 1 == stmts.len() && !semi;
                    let ty = self.expr(*expr, if last { expected } else { None });
                    out = if last || ty == Ty::Never { ty } else { Ty::unit() };
                }
            }
        }
        out
    }

    /// `_` in a written type is open.
    fn open(&mut self, ty: Ty) -> Ty {
        match ty {
            Ty::Unknown => self.vars.fresh(),
            other => other.map_children(&mut |child| self.open(child.clone())),
        }
    }

    /// The type of a value that comes from either side.
    fn join(&mut self, a: &Ty, b: &Ty) -> Ty {
        match (self.vars.shallow(a), self.vars.shallow(b)) {
            (Ty::Never | Ty::Unknown, other) | (other, Ty::Never | Ty::Unknown) => other,
            (a, b) => {
                self.vars.unify(&a, &b);
                a
            }
        }
    }

    pub(super) fn awaited(&mut self, ty: &Ty) -> Ty {
        match self.shallow(ty) {
            Ty::Future(output) => (*output).clone(),
            Ty::Adt(id, args) if self.model.known.transparent.contains(&id) => {
                // `Pin<Box<dyn Future<Output = T>>>`
                let inner = args.first().cloned().unwrap_or_default();
                self.awaited(&inner)
            }
            Ty::Ref(inner) => self.awaited(&inner),
            other => {
                let output = static_symbol!("Output");
                self.project(&other, output).unwrap_or_default()
            }
        }
    }

    fn sequence(&self, item: Ty, vec: bool) -> Ty {
        match self.model.known.vec {
            Some(id) if vec => Ty::Adt(id, [item].into()),
            _ => Ty::Slice(Arc::new(item)),
        }
    }

    fn field(&mut self, id: ExprId, base: ExprId, name: Symbol) -> Ty {
        let base = self.expr(base, None);
        let base = self.shallow(&base);
        let mut plain = base.clone();
        for _ in 0..8 {
            if let Ty::Tuple(items) = &plain {
                return name.as_str().parse::<usize>().ok().and_then(|at| items.get(at).cloned()).unwrap_or_default();
            }
            match self.model.deref(&mut self.vars, &plain) {
                Some((next, _)) => plain = self.vars.shallow(&next),
                None => break,
            }
        }
        match self.model.find_field(&mut self.vars, &base, name) {
            Some((ty, adt, derefs)) => {
                self.out.fields.insert(id, (adt, derefs));
                self.normal(&ty)
            }
            None => Ty::Unknown,
        }
    }

    fn index(&mut self, base: &Ty, range: bool) -> Ty {
        let mut ty = self.shallow(base);
        for _ in 0..8 {
            match &ty {
                Ty::Slice(item) if range => return Ty::Slice(item.clone()),
                Ty::Slice(item) => return (**item).clone(),
                Ty::Adt(..) => {
                    let output = static_symbol!("Output");
                    if let Some(found) = self.project(&ty, output) {
                        return found;
                    }
                }
                _ => {}
            }
            match self.model.deref(&mut self.vars, &ty) {
                Some((next, _)) => ty = self.shallow(&next),
                None => break,
            }
        }
        Ty::Unknown
    }

    fn struct_literal(&mut self, path: &crate::syntax::Path, fields: &[(Symbol, ExprId)], rest: Option<ExprId>) -> Ty {
        let mut head = path.clone();
        let constructor = self.constructor(path);
        if constructor.is_some_and(|(adt, _)| self.model.adt(adt).is_enum) && head.segments.len() > 1 {
            head.segments.pop();
        }
        let written = self.lower_path(&head);
        let whole = match constructor {
            Some((adt, _)) => match self.open(written) {
                ty @ Ty::Adt(..) => ty,
                _ => Ty::Adt(adt, self.model.adt(adt).params.iter().map(|_| self.vars.fresh()).collect()),
            },
            None => written,
        };
        let types = self.variant_fields(path, &whole);
        for (name, value) in fields {
            let declared = types.iter().find(|(field, _)| field == name).map(|(_, ty)| ty.clone());
            let ty = self.expr(*value, declared.as_ref());
            if let Some(declared) = declared {
                self.vars.unify(&declared, &ty);
            }
        }
        if let Some(rest) = rest {
            self.expr(rest, Some(&whole));
        }
        whole
    }

    /// Infers a closure; `expected` are the parameter types and the return type that its receiver asks for.
    pub(super) fn closure(
        &mut self,
        id: ExprId,
        params: &[(crate::syntax::PatId, Option<crate::syntax::TypeRef>)],
        ret: Option<&crate::syntax::TypeRef>,
        body: ExprId,
        async_: bool,
        expected: Option<(&[Ty], &Ty)>,
    ) -> Ty {
        let mut types = Vec::with_capacity(params.len());
        for (index, (_, written)) in params.iter().enumerate() {
            let ty = match written {
                Some(written) => {
                    let ty = self.lower(written);
                    self.open(ty)
                }
                None => self.vars.fresh(),
            };
            if let Some(wanted) = expected.and_then(|(types, _)| types.get(index)) {
                let wanted = self.normal(wanted);
                if matches!(self.vars.shallow(&ty), Ty::Var(_)) && matches!(self.vars.shallow(&wanted), Ty::Unknown) {
                    // Keep the variable open.
                } else {
                    self.vars.unify(&ty, &wanted);
                }
            }
            types.push(ty);
        }
        let output = match ret {
            Some(ret) => self.lower(ret),
            None => self.vars.fresh(),
        };
        self.returns.push(output.clone());
        let breaks = std::mem::take(&mut self.breaks);
        let value = self.scoped(|this| {
            for ((pat, _), ty) in params.iter().zip(&types) {
                this.bind(*pat, ty);
            }
            this.expr(body, None)
        });
        self.breaks = breaks;
        self.returns.pop();
        self.vars.unify(&output, &value);
        let given = if async_ { Ty::Future(Arc::new(output)) } else { output };
        if let Some((_, wanted)) = expected {
            self.vars.unify(wanted, &given);
        }
        self.closures.insert(id, (types, given));
        self.types[id.0 as usize] = Ty::Closure(id);
        Ty::Closure(id)
    }
}

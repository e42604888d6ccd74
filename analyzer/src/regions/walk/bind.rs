//! Patterns: where the guards and places of a value go.

use std::rc::Rc;

use super::calls::PASS_THROUGH;
use super::making::numbered;
use super::{Use, Walker};
use crate::model::infer::{LocalId, Target};
use crate::model::ty::Ty;
use crate::regions::place::{Index, Step};
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::regions::summary::Returned;
use crate::syntax::{ExprId, ExprKind, PatId, PatKind, Stmt, Symbol};

/// What a pattern says about a value that is a guard or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// `Some(..)`, `Ok(..)`
    Success,
    /// `None`, `Err(..)`
    Failure,
    /// Says nothing.
    Either,
}

impl Walker<'_> {
    /// Binds `pat` to `value`; guards move to the variables that own them.
    pub(super) fn bind(&mut self, pat: PatId, value: &Value) {
        let body = self.body;
        match &body[pat].kind {
            PatKind::Ident { by_ref, sub, .. } => {
                let Some(local) = self.types.bindings.get(&pat).copied() else { return };
                let data = &self.types.locals[local.0 as usize];
                self.declare(local);
                let iterator = !value.guards.is_empty()
                    && self.model.adt_of(&data.ty).is_some_and(|adt| Some(adt) == self.model.known.iter);
                let owns = !by_ref
                    && !data.by_ref
                    && (value.closure.is_some()
                        || iterator
                        || self.may_carry(&data.ty)
                        || self.keeps(&data.ty, &value.guards));
                let mut bound = value.clone();
                if owns {
                    self.own(&value.guards, Owner::Local(local));
                } else {
                    bound.guards.clear();
                }
                self.rebind(local, bound);
                if let Some(sub) = sub {
                    self.bind(*sub, &Value::of(value.place.clone()));
                }
            }
            PatKind::Ref(inner) => self.bind(*inner, &Value::of(value.place.clone())),
            PatKind::Or(pats) => {
                for pat in pats {
                    self.bind(*pat, value);
                }
            }
            PatKind::Tuple(pats) => {
                let whole = value;
                let empty = Value { guards: smallvec::SmallVec::new(), ..whole.clone() };
                let guarded = self.guarded_part(pats).filter(|_| whole.guards.len() == 1);
                for (index, pat) in pats.iter().enumerate() {
                    // What is a guard for sure has it: nothing of an unknown type does.
                    let value = if guarded.is_some_and(|at| at != index) { &empty } else { whole };
                    let known = value.parts.iter().find(|(name, _)| name.as_str() == index.to_string());
                    let part = match known {
                        Some((_, part)) => part.clone(),
                        None => {
                            let place = self.step(value.place.clone(), Step::Tuple(index as u32));
                            self.part(value, *pat, place)
                        }
                    };
                    self.bind(*pat, &part);
                }
            }
            PatKind::Slice(pats) => {
                for (index, pat) in pats.iter().enumerate() {
                    let place = self.step(value.place.clone(), Step::Element(Index::At(index as u32)));
                    let part = self.part(value, *pat, place);
                    self.bind(*pat, &part);
                }
            }
            PatKind::TupleStruct { path, pats } => {
                self.taken_apart(value);
                let last = path.segments.last().map(|segment| segment.name);
                let payload = last.is_some_and(|name| matches!(name.as_str(), "Some" | "Ok" | "Err"));
                for (index, inner) in pats.iter().enumerate() {
                    let place = match payload {
                        true => value.place.clone(),
                        false => self.field_of_pattern(value, pat, &index.to_string()),
                    };
                    let part = self.part(value, *inner, place);
                    self.bind(*inner, &part);
                }
            }
            PatKind::Struct { fields, .. } => {
                self.taken_apart(value);
                for (name, inner) in fields {
                    let place = self.field_of_pattern(value, pat, name.as_str());
                    let part = self.part(value, *inner, place);
                    self.bind(*inner, &part);
                }
            }
            PatKind::Wild | PatKind::Rest | PatKind::Path(_) | PatKind::Other => {}
        }
    }

    /// The only part of a tuple that surely has a guard.
    fn guarded_part(&self, pats: &[PatId]) -> Option<usize> {
        let carries = |pat: &PatId| {
            let local = self.types.bindings.get(pat);
            local.is_some_and(|local| self.carries_guard(&self.types.locals[local.0 as usize].ty))
        };
        let mut all = pats.iter().enumerate().filter(|(_, pat)| carries(pat)).map(|(at, _)| at);
        all.next().filter(|_| all.next().is_none())
    }

    /// The part of a value that a sub-pattern gets. Which of several guards is in which part is not known: the part
    /// that can have a guard gets the next one.
    fn part(&mut self, value: &Value, pat: PatId, place: Option<crate::regions::place::Place>) -> Value {
        let mut guards = value.guards.clone();
        if guards.len() > 1 {
            let free: Vec<GuardId> = guards
                .iter()
                .copied()
                .filter(|id| self.state.guard(*id).is_some_and(|guard| !matches!(guard.owner, Owner::Local(_))))
                .collect();
            let takes = matches!(self.body[pat].kind, PatKind::Ident { .. });
            guards = free.into_iter().take(usize::from(takes)).collect();
        }
        Value {
            guards,
            place,
            parts: Vec::new(),
            task: value.task,
            closure: value.closure,
            function: value.function,
            given: None,
            future: value.future,
            asked: value.asked.clone(),
            variant: None,
        }
    }

    /// The place of a field that a struct or variant pattern names.
    fn field_of_pattern(&self, value: &Value, pat: PatId, field: &str) -> Option<crate::regions::place::Place> {
        let place = value.place.clone()?;
        let (adt, variant) = *self.types.constructors.get(&pat)?;
        let data = self.model.adt(adt);
        let name = match data.written.get(variant as usize) {
            Some((variant, _)) if data.is_enum => format!("{variant}.{field}"),
            _ => field.to_string(),
        };
        place.step(Step::Field(adt, Symbol::from(name)))
    }

    /// A variable gets a new value.
    pub(super) fn rebind(&mut self, local: LocalId, value: Value) {
        *self.binds.entry(local).or_default() += 1;
        if self.literals.contains_key(&local) {
            Rc::make_mut(&mut self.literals).remove(&local);
        }
        let parts: Vec<_> = value.parts.iter().filter_map(|(name, part)| Some((*name, part.place.clone()?))).collect();
        if !parts.is_empty() {
            Rc::make_mut(&mut self.literals).insert(local, parts);
        }
        match value.place {
            Some(place) => self.places.insert(local, place),
            None => self.places.remove(&local),
        };
        if value.closure.is_some()
            || value.future.is_some()
            || value.task != 0
            || value.given.is_some()
            || value.asked.is_some()
        {
            let Value { closure, future, task, given, asked, .. } = value;
            let callable = Value { closure, future, task, given, asked, ..Value::default() };
            self.callables.insert(local, callable);
        } else {
            self.callables.remove(&local);
        }
    }

    /// What matching `pat` tells about guards in the scrutinee.
    pub(super) fn outcome(&self, pat: PatId) -> Outcome {
        let name = |path: &crate::syntax::Path| path.segments.last().map(|segment| segment.name);
        let of = |name: Option<Symbol>| match name.map(|name| name.as_str()) {
            Some("Some" | "Ok") => Outcome::Success,
            Some("None" | "Err") => Outcome::Failure,
            _ => Outcome::Either,
        };
        match &self.body[pat].kind {
            PatKind::TupleStruct { path, .. } | PatKind::Path(path) => of(name(path)),
            PatKind::Ident { name, .. } if name.as_str() == "None" => Outcome::Failure,
            PatKind::Ref(inner) => self.outcome(*inner),
            _ => Outcome::Either,
        }
    }

    /// What a pattern of successes leaves where it does not match.
    pub(super) fn release_unmatched(&self, state: &mut State, pat: PatId, scrutinee: ExprId, value: &Value) {
        if self.takes_all_successes(pat) {
            self.release_absent(state, scrutinee, value);
        } else {
            state.release(|guard| guard.try_ && value.guards.contains(&guard.id));
        }
    }

    /// Takes out the guards of a value that is `None` or an error here: those of attempts, and those that can only be in
    /// the other variant. An error of `lock` itself holds the guard.
    pub(super) fn release_absent(&self, state: &mut State, scrutinee: ExprId, value: &Value) {
        let only_inside = self.fails_without_guards(self.ty(scrutinee).peeled());
        state.release(|guard| (guard.try_ || only_inside) && value.guards.contains(&guard.id));
    }

    /// Whether a type is an `Option` or `Result` that has a guard in its success, and none in its failure.
    pub(super) fn fails_without_guards(&self, ty: &Ty) -> bool {
        let known = &self.model.known;
        match ty {
            Ty::Adt(id, args) if Some(*id) == known.option => {
                args.first().is_some_and(|inside| self.carries_guard(inside))
            }
            Ty::Adt(id, args) if Some(*id) == known.result => {
                let of = |at: usize, test: &dyn Fn(&Ty) -> bool| args.get(at).is_some_and(test);
                of(0, &|inside| self.carries_guard(inside)) && of(1, &|error| !self.may_carry(error))
            }
            _ => false,
        }
    }

    /// As [`release_absent`](Self::release_absent), in the present state.
    pub(super) fn settle(&mut self, scrutinee: ExprId, value: &Value) {
        let mut state = std::mem::replace(&mut self.state, State::unreachable());
        self.release_absent(&mut state, scrutinee, value);
        self.state = state;
    }

    /// Whether a pattern matches every `Some(..)`, or every `Ok(..)`.
    pub(super) fn takes_all_successes(&self, pat: PatId) -> bool {
        let PatKind::TupleStruct { pats, .. } = &self.body[pat].kind else { return false };
        self.outcome(pat) == Outcome::Success && pats.iter().all(|pat| self.is_irrefutable(*pat))
    }

    fn is_irrefutable(&self, pat: PatId) -> bool {
        match &self.body[pat].kind {
            PatKind::Wild | PatKind::Rest => true,
            // A constant is not bound.
            PatKind::Ident { sub, .. } => {
                self.types.bindings.contains_key(&pat) && sub.is_none_or(|sub| self.is_irrefutable(sub))
            }
            PatKind::Ref(inner) => self.is_irrefutable(*inner),
            PatKind::Tuple(pats) => pats.iter().all(|pat| self.is_irrefutable(*pat)),
            _ => false,
        }
    }

    /// `let pat = init else { .. };`
    pub(super) fn let_(&mut self, pat: PatId, init: Option<ExprId>, els: Option<ExprId>) {
        let body = self.body;
        let Some(init) = init else {
            self.bind(pat, &Value::default());
            self.late.extend(self.types.bindings.get(&pat));
            return;
        };
        let scope = self.push_temporaries();
        let wild = matches!(body[pat].kind, PatKind::Wild);
        let is_place = matches!(
            body[init].kind,
            ExprKind::Path(_) | ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Deref(_)
        );
        let value = self.initialiser(init, if wild && is_place { Use::Place } else { Use::Move });
        if wild && !is_place {
            self.dropped_at_once(init, &value);
        }
        if let Some(els) = els {
            let outcome = self.outcome(pat);
            let main = self.state.clone();
            // The temporaries are gone before the else block runs.
            if outcome == Outcome::Success {
                let mut state = std::mem::replace(&mut self.state, State::unreachable());
                self.release_unmatched(&mut state, pat, init, &value);
                self.state = state;
            }
            let temporary = Owner::Temporary(scope);
            self.state.release(|guard| guard.owner == temporary);
            self.eval(els, Use::Move);
            self.state = main;
        }
        if self.binds_by_ref(pat) {
            // `let ref name = value` extends the value's life like `let name = &value`.
            let block = self.innermost_block();
            self.own(&value.guards, block);
        }
        self.bind(pat, &value);
        self.note_made(pat, init);
        self.pair_ends(pat, init);
        self.pop_temporaries(scope);
    }

    fn binds_by_ref(&self, pat: PatId) -> bool {
        match &self.body[pat].kind {
            PatKind::Ident { by_ref, .. } => *by_ref,
            PatKind::Tuple(pats) | PatKind::Slice(pats) | PatKind::TupleStruct { pats, .. } => {
                pats.iter().any(|pat| self.binds_by_ref(*pat))
            }
            PatKind::Struct { fields, .. } => fields.iter().any(|(_, pat)| self.binds_by_ref(*pat)),
            _ => false,
        }
    }

    /// An initialiser: temporaries that the extending rules name live to the end of the block.
    pub(super) fn initialiser(&mut self, init: ExprId, how: Use) -> Value {
        let outer = self.extended;
        let owner = outer.unwrap_or_else(|| self.innermost_block());
        let value = match &self.body[init].kind {
            // The extending position is handed on to the values of blocks, branches and arms.
            ExprKind::Block { label: None, .. } | ExprKind::If { .. } | ExprKind::Match { .. } => {
                self.extended = Some(owner);
                self.eval(init, how)
            }
            _ => {
                self.extended = None;
                self.extending(init, how, owner)
            }
        };
        self.extended = outer;
        value
    }

    /// An expression in an extending position: `owner` has the temporaries that it borrows.
    fn extending(&mut self, init: ExprId, how: Use, owner: Owner) -> Value {
        let body = self.body;
        let part = |this: &mut Self, part: ExprId| {
            this.extended = Some(owner);
            let value = this.initialiser(part, Use::Move);
            this.extended = None;
            value
        };
        match &body[init].kind {
            ExprKind::Ref { expr, .. } => {
                let mut base = *expr;
                while let ExprKind::Field { base: inner, .. }
                | ExprKind::Index { base: inner, .. }
                | ExprKind::Deref(inner) = &body[base].kind
                {
                    base = *inner;
                }
                if !matches!(
                    body[base].kind,
                    ExprKind::Call { .. }
                        | ExprKind::MethodCall { .. }
                        | ExprKind::Await(_)
                        | ExprKind::Try(_)
                        | ExprKind::Struct { .. }
                ) {
                    return self.eval(init, how);
                }
                let value = self.eval(base, Use::Place);
                self.own(&value.guards, owner);
                Value::of(value.place)
            }
            ExprKind::Array { items, .. } => {
                let mut out = Value::default();
                for item in items {
                    let value = part(self, *item);
                    out.guards.extend(value.guards);
                }
                out
            }
            ExprKind::Call { args, .. } => {
                let target = self.types.calls.get(&init).map(|callee| callee.target.clone());
                let Some(Target::Constructor(adt, _)) = target else { return self.eval(init, how) };
                let values: Vec<Value> = args.iter().map(|arg| part(self, *arg)).collect();
                let wraps = [self.model.known.option, self.model.known.result].contains(&Some(adt));
                self.note_kept_fields(init, values.iter().enumerate().filter(|_| !wraps));
                let out = self.constructed(adt, values);
                self.note_making(init, numbered(args), &out.parts);
                out
            }
            ExprKind::Struct { fields, rest: None, .. } => {
                let mut out = Value::default();
                for (name, item) in fields {
                    let value = part(self, *item);
                    out.guards.extend(value.guards.iter().copied());
                    out.parts.push((*name, value));
                }
                self.note_kept_fields(init, out.parts.iter().map(|(name, value)| (name.as_str(), value)));
                self.note_making(init, fields.iter().map(|(name, value)| (*name, *value)), &out.parts);
                out
            }
            ExprKind::Tuple(items) => {
                let mut out = Value::default();
                for (index, item) in items.iter().enumerate() {
                    let value = part(self, *item);
                    out.guards.extend(value.guards.iter().copied());
                    out.parts.push((Symbol::from(index.to_string()), value));
                }
                out
            }
            _ => self.eval(init, how),
        }
    }

    /// `let _ = lock();`: the guard is gone at once.
    pub(super) fn dropped_at_once(&mut self, init: ExprId, value: &Value) {
        let mut made = init;
        loop {
            made = match &self.body[made].kind {
                ExprKind::MethodCall { receiver, method, .. } if PASS_THROUGH.contains(&method.as_str()) => *receiver,
                ExprKind::Try(inner) | ExprKind::Await(inner) => *inner,
                _ => break,
            };
        }
        let waits = |method: &Symbol| method.as_str().starts_with("wait");
        // `let _ = condvar.wait_timeout(guard, time);` is a nap: the guard was needed for it.
        let nap = matches!(&self.body[made].kind, ExprKind::MethodCall { method, .. } if waits(method));
        if !self.state.reachable || nap || self.ends_body(init) || self.does_more_than_lock(made) {
            return;
        }
        let site = self.site(self.body[init].span);
        for guard in &self.state.guards {
            if value.guards.contains(&guard.id) && guard.param.is_none() && !guard.try_ {
                self.out.dropped_at_once(self.cx, self.id, guard, site);
            }
        }
    }

    /// Whether a call is of a function that does more than to take this one lock for its caller: it may be called for
    /// that.
    fn does_more_than_lock(&self, call: ExprId) -> bool {
        let Some(Target::Fn(function)) = self.types.calls.get(&call).map(|callee| &callee.target) else { return false };
        let given = match &self.body[call].kind {
            ExprKind::MethodCall { args, .. } => !args.is_empty(),
            ExprKind::Call { args, .. } => args.len() > 1,
            _ => false,
        };
        self.summary(*function).is_some_and(|summary| {
            let known = summary.returns.iter().any(|returned| matches!(returned, Returned::New(_)));
            known && (given || summary.acquires.len() > 1)
        })
    }

    /// Whether the body's last statement is what binds `init`: with nothing left to guard, the lock is only waited for.
    fn ends_body(&self, init: ExprId) -> bool {
        let ExprKind::Block { stmts, .. } = &self.body[self.body.root].kind else { return false };
        match stmts.last() {
            Some(Stmt::Let { init: Some(last), .. }) => *last == init,
            Some(Stmt::Expr { expr, .. }) => {
                matches!(self.body[*expr].kind, ExprKind::Assign { value, .. } if value == init)
            }
            _ => false,
        }
    }
}

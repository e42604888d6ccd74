//! Where values come from: one pass over a body in the order of evaluation, with the accesses to cells as origins.
//!
//! Guarantees: a variable holds what the assignments that reach this point may have put there; a value computed under a condition
//! depends on it by control, one after a branch that leaves depends on the branch's condition as an early exit.
//!
//! Misses: loops are followed once; what is stored in fields of locals counts as the whole local.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::criteria::Mark;
use super::seen::Seen;
use super::{Access, Called, Cell, Event, Key, Spawn, Taint, add, param, site};
use crate::model::FnId;
use crate::model::infer::{BodyTypes, LocalId, Name};
use crate::model::ty::Ty;
use crate::regions::context::Context;
use crate::regions::place::BodyId;
use crate::regions::summary::{Summary, Way};
use crate::regions::walk::Group;
use crate::syntax::{Body, ExprId, ExprKind, Span};

/// How deep expressions are followed; syntax is bounded too.
const DEPTH: u32 = 400;

pub(super) struct Flow<'a> {
    pub(super) cx: &'a Context<'a>,
    /// Summaries of the bodies that are walked together with this one.
    group: &'a Group,
    pub(super) id: BodyId,
    pub(super) body: &'a Body,
    pub(super) types: &'a BodyTypes,
    pub(super) seen: &'a Seen,
    pub(super) events: Vec<Event>,
    pub(super) calls: Vec<Called>,
    pub(super) spawns: Vec<Spawn>,
    /// Origins of the result.
    pub(super) returned: Taint,
    /// Origins of all conditions.
    pub(super) conditions: Taint,
    pub(super) marks: Vec<Mark>,
    /// Statements around the current expression.
    pub(super) open: Vec<usize>,
    pub(super) locals: FxHashMap<LocalId, Taint>,
    /// Of which element a variable holds a reference.
    pub(super) elements: FxHashMap<LocalId, Key>,
    /// What the variables that were assigned in the branches around would be without, and their conditions.
    assigned: Vec<(LocalId, Taint)>,
    control: Taint,
    pub(super) early: Taint,
    /// Values by whose variant control was dispatched.
    dispatch: Taint,
    /// Branches around the current expression.
    branches: u32,
    pub(super) loops: u32,
    /// Closures around it: their `return` is not the function's.
    pub(super) closures: u32,
    pub(super) spawn: Option<u32>,
    /// The spawned closure takes what it names by value.
    pub(super) moves: bool,
    /// Where spawned closures stand.
    pub(super) spawned: Vec<(Span, u32)>,
    /// Variables of spawned closures.
    pub(super) inside: FxHashSet<LocalId>,
    /// Calls and awaits so far.
    pub(super) steps: u32,
    /// The statement at hand assigns to a variable.
    pub(super) assigns: bool,
    /// Calls of functions that are not in the sources, in the statement at hand.
    pub(super) unknown: Vec<String>,
    pub(super) names: Vec<String>,
    depth: u32,
}

impl<'a> Flow<'a> {
    pub(super) fn run(
        (cx, group): (&'a Context<'_>, &'a Group),
        id: BodyId,
        body: &'a Body,
        types: &'a BodyTypes,
        seen: &'a Seen,
    ) -> Flow<'a> {
        let mut flow = Flow {
            cx,
            group,
            id,
            body,
            types,
            seen,
            events: Vec::new(),
            calls: Vec::new(),
            spawns: Vec::new(),
            returned: Taint::new(),
            conditions: Taint::new(),
            marks: Vec::new(),
            open: Vec::new(),
            locals: FxHashMap::default(),
            elements: FxHashMap::default(),
            assigned: Vec::new(),
            control: Taint::new(),
            early: Taint::new(),
            dispatch: Taint::new(),
            branches: 0,
            loops: 0,
            closures: 0,
            spawn: None,
            moves: false,
            spawned: Vec::new(),
            inside: FxHashSet::default(),
            steps: 0,
            assigns: false,
            unknown: Vec::new(),
            names: Vec::new(),
            depth: 0,
        };
        for (index, local) in types.locals.iter().enumerate() {
            if let Some(at) = local.param {
                flow.locals.insert(LocalId(index as u32), SmallVec::from_slice(&[param(at)]));
            }
        }
        let result = flow.eval(body.root);
        add(&mut flow.returned, &result);
        flow
    }

    /// The summary of a callee.
    pub(super) fn summary(&self, id: FnId) -> Option<&'a Summary> {
        self.group.get(&BodyId(id.0)).or_else(|| self.cx.summary_so_far(id))
    }

    /// Follows an expression whose value is used.
    pub(super) fn eval(&mut self, id: ExprId) -> Taint {
        if self.depth >= DEPTH {
            return Taint::new();
        }
        self.depth += 1;
        let out = self.expr(id);
        self.depth -= 1;
        out
    }

    fn expr(&mut self, id: ExprId) -> Taint {
        let body = self.body;
        match &body[id].kind {
            ExprKind::Lit(_) | ExprKind::Unknown | ExprKind::Continue { .. } | ExprKind::QualifiedPath { .. } => {
                Taint::new()
            }
            ExprKind::Path(_) => {
                let from = self.place(id);
                if matches!(self.types.names.get(&id), Some(Name::Static(_))) { self.look(id, from) } else { from }
            }
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Deref(_) => {
                let from = self.place(id);
                self.look(id, from)
            }
            ExprKind::Call { callee, args } => self.call(id, *callee, args),
            ExprKind::MethodCall { receiver, method, args, .. } => self.method(id, *receiver, *method, args),
            ExprKind::Unary(inner) | ExprKind::Cast { expr: inner, .. } | ExprKind::Try(inner) => self.eval(*inner),
            ExprKind::Await(inner) => {
                self.steps += 1;
                self.eval(*inner)
            }
            ExprKind::Ref { mutable, expr, .. } => {
                let from = self.place(*expr);
                if *mutable { from } else { self.look(*expr, from) }
            }
            ExprKind::Assign { place, value } => {
                let data = self.eval(*value);
                if !matches!(body[*place].kind, ExprKind::Unknown) {
                    self.assign(*place, data, Access::Write);
                }
                Taint::new()
            }
            ExprKind::AssignOp { place, value } => {
                let data = self.eval(*value);
                self.assign(*place, data, Access::Update);
                Taint::new()
            }
            ExprKind::Block { stmts, .. } => self.block(stmts),
            ExprKind::If { cond, then, els } => {
                let tested = self.eval(*cond);
                let mut out = tested.clone();
                let outer = self.dispatch.clone();
                if let ExprKind::Let { pat, .. } = body[*cond].kind
                    && self.is_variant(pat)
                {
                    add(&mut self.dispatch, &tested);
                }
                let value = self.under(&tested, |this| this.eval(*then));
                self.dispatch = outer;
                add(&mut out, &value);
                if let Some(els) = els {
                    let value = self.under(&tested, |this| this.eval(*els));
                    add(&mut out, &value);
                }
                if self.leaves(*then) || els.is_some_and(|els| self.leaves(els)) {
                    add(&mut self.early, &tested);
                }
                out
            }
            ExprKind::Let { pat, scrutinee } => {
                let value = self.scrutinee(*scrutinee);
                self.bind(*pat, &value);
                self.bind_element(*pat, *scrutinee);
                value
            }
            ExprKind::Match { scrutinee, arms } => {
                let value = self.scrutinee(*scrutinee);
                let mut out = value.clone();
                let mut leaves = false;
                let outer = self.dispatch.clone();
                if arms.iter().any(|arm| self.is_variant(arm.pat)) {
                    add(&mut self.dispatch, &value);
                }
                for arm in arms {
                    self.bind(arm.pat, &value);
                    self.bind_element(arm.pat, *scrutinee);
                    let mut tested = value.clone();
                    if let Some(guard) = arm.guard {
                        add(&mut tested, &self.eval(guard));
                    }
                    let arm_value = self.under(&tested, |this| this.eval(arm.body));
                    add(&mut out, &arm_value);
                    leaves |= self.leaves(arm.body);
                }
                self.dispatch = outer;
                if leaves {
                    add(&mut self.early, &value);
                }
                out
            }
            ExprKind::Loop { body, .. } => self.turn(&Taint::new(), *body),
            ExprKind::While { cond, body, .. } => {
                let tested = self.eval(*cond);
                self.turn(&tested, *body)
            }
            ExprKind::For { pat, iter, body, .. } => {
                let items = self.scrutinee(*iter);
                self.bind(*pat, &items);
                // How often it runs says little about what it does.
                self.turn(&Taint::new(), *body)
            }
            ExprKind::Break { value, .. } => value.map(|value| self.eval(value)).unwrap_or_default(),
            ExprKind::Return(value) | ExprKind::Yield(value) => {
                let value = value.map(|value| self.eval(value)).unwrap_or_default();
                if self.closures == 0 {
                    add(&mut self.returned, &value);
                    let control = self.control.clone();
                    add(&mut self.returned, &control);
                }
                Taint::new()
            }
            ExprKind::Closure { .. } => self.closure(id, &Taint::new()),
            ExprKind::Async { body, .. } => {
                self.closures += 1;
                let out = self.eval(*body);
                self.closures -= 1;
                out
            }
            ExprKind::Binary { lhs, rhs, .. } | ExprKind::Logic { lhs, rhs, .. } => self.all(&[*lhs, *rhs]),
            ExprKind::Struct { fields, rest, .. } => {
                let parts: SmallVec<[ExprId; 8]> = fields.iter().map(|(_, value)| *value).chain(*rest).collect();
                self.all(&parts)
            }
            ExprKind::Tuple(items) | ExprKind::Array { items, .. } => self.all(items),
            ExprKind::Repeat { item, len, .. } => self.all(&[*item, *len]),
            ExprKind::Range { from, to } => {
                let bounds: SmallVec<[ExprId; 2]> = from.iter().chain(to).copied().collect();
                self.all(&bounds)
            }
            ExprKind::Macro { args, .. } => self.all(args),
            ExprKind::Select { arms } => {
                let mut out = Taint::new();
                for arm in arms {
                    let value = arm.future.map(|future| self.eval(future)).unwrap_or_default();
                    if let Some(pat) = arm.pat {
                        self.bind(pat, &value);
                    }
                    let value = self.under(&value, |this| this.eval(arm.body));
                    add(&mut out, &value);
                }
                out
            }
        }
    }

    pub(super) fn all(&mut self, ids: &[ExprId]) -> Taint {
        let mut out = Taint::new();
        for id in ids {
            let value = self.eval(*id);
            add(&mut out, &value);
        }
        out
    }

    /// Follows a place expression without looking at what is there.
    pub(super) fn place(&mut self, id: ExprId) -> Taint {
        let body = self.body;
        match &body[id].kind {
            ExprKind::Path(_) => match self.types.names.get(&id) {
                Some(Name::Local(local)) => self.locals.get(local).cloned().unwrap_or_default(),
                _ => Taint::new(),
            },
            ExprKind::Field { base, .. } => self.place(*base),
            ExprKind::Index { base, index } => {
                let mut out = self.place(*base);
                add(&mut out, &self.eval(*index));
                out
            }
            ExprKind::Deref(inner) | ExprKind::Ref { expr: inner, .. } => self.place(*inner),
            _ => self.eval(id),
        }
    }

    /// What is matched or iterated is looked at.
    fn scrutinee(&mut self, id: ExprId) -> Taint {
        match self.body[id].kind {
            ExprKind::Path(_) => {
                let from = self.place(id);
                self.look(id, from)
            }
            _ => self.eval(id),
        }
    }

    /// The value at a place is looked at; `from` is where the place itself comes from.
    pub(super) fn look(&mut self, id: ExprId, from: Taint) -> Taint {
        let key = self.element(id);
        self.access(id, id, Access::Read, key, Taint::new(), from)
    }

    /// An access at expression `at` to the place that `of` names, if that is a cell's: gives `from` with the access.
    pub(super) fn access(
        &mut self,
        at: ExprId,
        of: ExprId,
        access: Access,
        key: Key,
        data: Taint,
        mut from: Taint,
    ) -> Taint {
        let Some((place, cell, section, held)) = self.cell(of) else { return from };
        let site = site(self.cx, self.id, self.body[at].span);
        let number = self.event(Event {
            expr: at,
            place,
            cell,
            access,
            key,
            held,
            section,
            site,
            way: Way::new(),
            data,
            by_key: Taint::new(),
            control: Taint::new(),
            early: Taint::new(),
            dispatch: Taint::new(),
            spawn: None,
            steps: 0,
        });
        add(&mut from, &SmallVec::from_slice(&[number]));
        from
    }

    /// Notes an event under the conditions at hand.
    pub(super) fn event(&mut self, event: Event) -> u32 {
        self.events.push(Event {
            control: self.control.clone(),
            early: self.early.clone(),
            dispatch: self.dispatch.clone(),
            spawn: self.spawn,
            steps: self.steps,
            ..event
        });
        self.events.len() as u32 - 1
    }

    fn assign(&mut self, place: ExprId, data: Taint, access: Access) {
        if let (ExprKind::Path(_), Some(Name::Local(local))) = (&self.body[place].kind, self.types.names.get(&place)) {
            self.assigns = true;
            let entry = self.locals.entry(*local).or_default();
            let before = match access {
                Access::Write => std::mem::take(entry),
                _ => Taint::new(),
            };
            add(entry, &data);
            if self.branches > 0 {
                // After the branch it may be what it was before, or not, as the condition has it.
                let mut otherwise = before;
                add(&mut otherwise, &self.control);
                self.assigned.push((*local, otherwise));
            }
            return;
        }
        let from = self.place(place);
        // An assignment to a pointer to an atomic makes it point elsewhere.
        if self.cell(place).is_some_and(|cell| !matches!(cell.1, Cell::Atomic | Cell::Tracked)) {
            let key = self.element(place);
            let before = self.events.len();
            self.access(place, place, access, key, data.clone(), Taint::new());
            if let Some(event) = self.events.get_mut(before) {
                add(&mut event.by_key, &from);
            }
        }
        if let Some(local) = self.base(place) {
            self.assigns |= self.events.last().is_none_or(|event| event.expr != place || !event.is_shared());
            if self.owns(local) {
                add(self.locals.entry(local).or_default(), &data);
            }
        }
    }

    /// A variable may have been changed by a call. What is only borrowed has other owners: its parts are not mixed.
    pub(super) fn taint_base(&mut self, place: ExprId, data: &Taint) {
        if let Some(local) = self.base(place)
            && self.owns(local)
        {
            add(self.locals.entry(local).or_default(), data);
        }
    }

    fn leaves(&self, id: ExprId) -> bool {
        matches!(self.types.ty(id), Ty::Never)
    }

    /// Runs `f` under a condition that depends on `tested`.
    pub(super) fn under<T>(&mut self, tested: &Taint, f: impl FnOnce(&mut Self) -> T) -> T {
        add(&mut self.conditions, tested);
        let outer = self.control.clone();
        add(&mut self.control, tested);
        self.branches += 1;
        let assigned = self.assigned.len();
        let out = f(self);
        for (local, otherwise) in self.assigned.split_off(assigned) {
            add(self.locals.entry(local).or_default(), &otherwise);
        }
        self.branches -= 1;
        self.control = outer;
        out
    }

    fn turn(&mut self, tested: &Taint, body: ExprId) -> Taint {
        let early = self.early.clone();
        self.loops += 1;
        let out = self.under(tested, |this| this.eval(body));
        self.loops -= 1;
        self.early = early;
        out
    }

    /// Runs a closure where it stands, with `arg` as its arguments.
    pub(super) fn closure(&mut self, id: ExprId, arg: &Taint) -> Taint {
        let body = self.body;
        let ExprKind::Closure { params, body: inner, .. } = &body[id].kind else { return Taint::new() };
        for (pat, _) in params {
            self.bind(*pat, arg);
        }
        self.closures += 1;
        let early = self.early.clone();
        let out = self.eval(*inner);
        self.early = early;
        self.closures -= 1;
        out
    }
}

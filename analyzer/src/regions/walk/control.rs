//! Control flow: blocks, branches, loops, jumps, and closures and async blocks when they run.

use super::bind::Outcome;
use super::{FrameKind, NESTING, Use, Walker};
use crate::regions::state::{GuardId, Owner, State, Value};
use crate::source::Edition;
use crate::syntax::{Arm, ExprId, ExprKind, PatId, SelectArm, Stmt, Symbol};

impl Walker<'_> {
    pub(super) fn block(&mut self, stmts: &[Stmt], label: Option<Symbol>) -> Value {
        if label.is_some() {
            self.push_frame(FrameKind::Block, label);
        }
        self.push_block();
        let mut out = Value::default();
        let extended = self.extended.take();
        for (index, stmt) in stmts.iter().enumerate() {
            match stmt {
                Stmt::Let { pat, init, els, .. } => self.let_(*pat, *init, *els),
                Stmt::Expr { expr, semi } if !semi && index + 1 == stmts.len() => {
                    self.extended = extended;
                    out = self.tail(*expr);
                }
                Stmt::Expr { expr, .. } => self.terminating(|this| {
                    let value = this.eval(*expr, Use::Move);
                    this.discarded(*expr, &value);
                }),
            }
        }
        self.extended = extended;
        self.pop_block();
        if label.is_some() {
            let frame = self.pop_frame();
            self.state.join(frame.exits);
            out.guards.extend(frame.guards);
            self.rehome(&out);
        }
        out
    }

    /// A block's value. Its temporaries outlive the block's variables before 2024, and die first since.
    fn tail(&mut self, expr: ExprId) -> Value {
        if self.edition >= Edition::E2024 {
            let scope = self.push_temporaries();
            let value = self.result(expr);
            self.own(&value.guards, Owner::Nobody);
            self.pop_temporaries(scope);
            self.rehome(&value);
            value
        } else {
            let value = self.result(expr);
            self.rehome(&value);
            value
        }
    }

    /// What a block, branch or arm gives: in an extending position where the whole expression is in one.
    fn result(&mut self, expr: ExprId) -> Value {
        if self.extended.is_some() { self.initialiser(expr, Use::Move) } else { self.eval(expr, Use::Move) }
    }

    pub(super) fn if_(&mut self, cond: ExprId, then: ExprId, els: Option<ExprId>) -> Value {
        let has_let = self.contains_let(cond);
        let drops_first = has_let && self.edition >= Edition::E2024;
        let scope = if drops_first { Some(self.push_temporaries()) } else { None };
        // Names of the condition live in a block around the then-branch.
        self.push_block();
        let end = super::exprs::body_end(self.body, els.unwrap_or(then));
        let construct = self.blocking.construct.replace(("if let", end));
        let extended = self.extended.take();
        let mut otherwise = self.condition(cond);
        self.extended = extended;
        self.blocking.construct = construct;
        let mark = self.pool_mark();
        let deciding = self.decided_by(cond);
        let requires = self.requires_holding(cond);
        let mut out = self.branch(then);
        self.requires.truncate(requires);
        let then_steps = self.pool_branch(mark);
        self.pop_block();
        if let Some(scope) = scope {
            self.own(&out.guards, Owner::Nobody);
            self.pop_temporaries(scope);
            let temporary = Owner::Temporary(scope);
            otherwise.release(|guard| guard.owner == temporary);
            self.rehome(&out);
        }
        let then_state = std::mem::replace(&mut self.state, otherwise);
        if let Some(els) = els {
            let requires = self.requires_failing(cond);
            let value = self.branch(els);
            self.requires.truncate(requires);
            out = merge(out, value);
        }
        self.blocking.deciding.truncate(deciding);
        let else_steps = self.pool_branch(mark);
        self.pool_either(vec![then_steps, else_steps]);
        let else_state = std::mem::replace(&mut self.state, then_state);
        self.state.join(else_state);
        out
    }

    /// A branch's value goes to whoever has the whole expression.
    fn branch(&mut self, expr: ExprId) -> Value {
        let scope = self.push_temporaries();
        self.branches += 1;
        let value = self.result(expr);
        self.branches -= 1;
        self.own(&value.guards, Owner::Nobody);
        self.pop_temporaries(scope);
        self.rehome(&value);
        value
    }

    fn contains_let(&self, cond: ExprId) -> bool {
        match &self.body[cond].kind {
            ExprKind::Let { .. } => true,
            ExprKind::Logic { lhs, rhs, .. } => self.contains_let(*lhs) || self.contains_let(*rhs),
            _ => false,
        }
    }

    /// Evaluates a condition; `self.state` is where it holds, the returned state where it does not.
    pub(super) fn condition(&mut self, cond: ExprId) -> State {
        let body = self.body;
        match &body[cond].kind {
            ExprKind::Logic { lhs, rhs, and: true } => {
                let mut otherwise = self.condition(*lhs);
                otherwise.join(self.condition(*rhs));
                otherwise
            }
            ExprKind::Let { pat, scrutinee } => {
                let before = self.next;
                let value = self.eval(*scrutinee, Use::Place);
                if let Some((construct, end)) = self.blocking.construct {
                    self.note_head(*scrutinee, construct, before, &value, end);
                }
                let mut otherwise = self.state.clone();
                match self.outcome(*pat) {
                    Outcome::Success => self.release_unmatched(&mut otherwise, *pat, *scrutinee, &value),
                    Outcome::Failure => self.settle(*scrutinee, &value),
                    Outcome::Either => {}
                }
                self.bind(*pat, &value);
                otherwise
            }
            ExprKind::Unary(inner) if self.emptiness(*inner).is_some() => {
                let holds = self.condition(*inner);
                std::mem::replace(&mut self.state, holds)
            }
            _ => {
                let tested = self.emptiness(cond);
                self.terminating(|this| this.eval(cond, Use::Place));
                let mut otherwise = self.state.clone();
                // `slot.is_none()`: where it holds, no guard is in the slot.
                if let Some((local, empty)) = tested {
                    let none = if empty { &mut self.state } else { &mut otherwise };
                    none.release(|guard| guard.owner == Owner::Local(local));
                }
                otherwise
            }
        }
    }

    /// `local.is_none()` (true) or `local.is_some()` (false), where the variable is an `Option` or `Result` with a guard: of
    /// a guard itself, that would be a question about what it guards.
    fn emptiness(&self, cond: ExprId) -> Option<(crate::model::infer::LocalId, bool)> {
        let ExprKind::MethodCall { receiver, method, .. } = &self.body[cond].kind else { return None };
        let empty = match method.as_str() {
            "is_none" | "is_err" => true,
            "is_some" | "is_ok" => false,
            _ => return None,
        };
        match self.types.names.get(receiver) {
            Some(crate::model::infer::Name::Local(local)) => {
                let own = self.fails_without_guards(&self.types.locals[local.0 as usize].ty);
                own.then_some((*local, empty))
            }
            _ => None,
        }
    }

    /// `a && b`, `a || b` outside a condition.
    pub(super) fn logic(&mut self, id: ExprId) {
        let body = self.body;
        let ExprKind::Logic { lhs, rhs, .. } = &body[id].kind else { return };
        self.terminating(|this| this.eval(*lhs, Use::Place));
        let skipped = self.state.clone();
        self.branches += 1;
        self.terminating(|this| this.eval(*rhs, Use::Place));
        self.branches -= 1;
        self.state.join(skipped);
    }

    pub(super) fn match_(&mut self, scrutinee: ExprId, arms: &[Arm]) -> Value {
        let first_guard = self.next;
        let extended = self.extended.take();
        let value = self.eval(scrutinee, Use::Place);
        let end = arms.iter().map(|arm| super::exprs::body_end(self.body, arm.body)).max().unwrap_or(0);
        self.note_head(scrutinee, "match", first_guard, &value, end);
        let before = self.state.clone();
        let mut after = State::unreachable();
        let mut out = Value::default();
        let mut first = true;
        let mut branches = Vec::new();
        let mut only_failures = false;
        for arm in arms {
            let mark = self.pool_mark();
            self.state = before.clone();
            if only_failures || self.outcome(arm.pat) == Outcome::Failure {
                self.settle(scrutinee, &value);
            }
            only_failures |= arm.guard.is_none() && self.takes_all_successes(arm.pat);
            self.push_block();
            self.bind(arm.pat, &value);
            if let Some(guard) = arm.guard {
                self.terminating(|this| this.eval(guard, Use::Place));
            }
            let scope = self.push_temporaries();
            self.extended = extended;
            let one_of = u32::from(arms.len() > 1);
            self.branches += one_of;
            let requires = self.requires(scrutinee, arm.pat);
            let arm_value = self.result(arm.body);
            self.requires.truncate(requires);
            self.branches -= one_of;
            self.extended = None;
            self.own(&arm_value.guards, Owner::Nobody);
            self.pop_temporaries(scope);
            self.pop_block();
            self.rehome(&arm_value);
            if self.state.reachable {
                out = if first { arm_value } else { merge(out, arm_value) };
                first = false;
            }
            after.join(std::mem::replace(&mut self.state, State::unreachable()));
            branches.push(self.pool_branch(mark));
        }
        self.pool_either(branches);
        self.extended = extended;
        self.state = if arms.is_empty() { State::unreachable() } else { after };
        out
    }

    /// All loops: `cond` for `while`, `item` for `for`.
    pub(super) fn loop_(
        &mut self,
        label: Option<Symbol>,
        cond: Option<ExprId>,
        item: Option<(PatId, Value)>,
        body: ExprId,
    ) -> Value {
        // A guard of one turn can only meet the next turn's acquisitions: two turns show all there is to see.
        let deep = self.frames.iter().filter(|frame| frame.kind == FrameKind::Loop).count() > 3;
        let mut out = Value::default();
        let mut after = State::unreachable();
        self.blocking.channels.loops.push(body);
        for turn in 0..if deep { 1 } else { 2 } {
            self.push_frame(FrameKind::Loop, label);
            if item.is_some() {
                // The iterator may be empty or used up.
                after.join(self.state.clone());
            }
            let entry = self.state.clone();
            let scope = self.push_temporaries();
            self.push_block();
            if let Some(cond) = cond {
                let mut otherwise = self.condition(cond);
                let temporary = Owner::Temporary(scope);
                otherwise.release(|guard| guard.owner == temporary);
                after.join(otherwise);
            }
            if let Some((pat, value)) = &item {
                self.bind(*pat, value);
            }
            let branches = u32::from(cond.is_some() || item.is_some());
            self.branches += branches;
            self.eval(body, Use::Move);
            self.branches -= branches;
            self.pop_block();
            self.pop_temporaries(scope);
            let frame = self.pop_frame();
            self.state.join(frame.continues);
            // A later turn breaks with the guard of the same lock: one of them stands for both.
            if turn == 0 || out.guards.is_empty() || frame.guards.is_empty() {
                after.join(frame.exits);
                out.guards.extend(frame.guards);
            }
            if !self.state.reachable || self.state == entry {
                break;
            }
        }
        if item.is_some() {
            after.join(self.state.clone());
        }
        self.blocking.channels.loops.pop();
        self.state = after;
        self.rehome(&out);
        out
    }

    pub(super) fn break_(&mut self, label: Option<Symbol>, value: Option<ExprId>) -> Value {
        let value = value.map(|value| self.eval(value, Use::Move)).unwrap_or_default();
        if let Some(index) = self.target(label) {
            self.leave(index, false, &value.guards);
        } else {
            self.state = State::unreachable();
        }
        Value::default()
    }

    pub(super) fn continue_(&mut self, label: Option<Symbol>) -> Value {
        match self.target(label) {
            Some(index) => self.leave(index, true, &[]),
            None => self.state = State::unreachable(),
        }
        Value::default()
    }

    pub(super) fn in_loop(&self) -> bool {
        self.frames.iter().any(|frame| frame.kind == FrameKind::Loop)
    }

    fn target(&self, label: Option<Symbol>) -> Option<usize> {
        let body = self.frames.iter().rposition(|frame| frame.kind == FrameKind::Body).map_or(0, |at| at + 1);
        let found = self.frames[body..].iter().rposition(|frame| match label {
            Some(_) => frame.label == label,
            None => frame.kind == FrameKind::Loop,
        })?;
        Some(body + found)
    }

    pub(super) fn select(&mut self, id: ExprId, arms: &[SelectArm]) -> Value {
        let scope = self.push_temporaries();
        self.blocking.selecting += 1;
        let futures: Vec<Value> = arms
            .iter()
            .map(|arm| {
                let value = arm.future.map(|future| self.eval(future, Use::Move)).unwrap_or_default();
                match value.future {
                    Some(future) => self.run_future(future),
                    None => value,
                }
            })
            .collect();
        self.blocking.selecting -= 1;
        // Outside of async code it is the `select!` of channels that block.
        if self.is_async() {
            self.suspend(self.body[id].span, &[]);
        }
        let all: Vec<_> = futures.iter().flat_map(|value| value.guards.iter().copied()).collect();
        self.own(&all, Owner::Nobody);
        self.pop_temporaries(scope);
        let before = self.state.clone();
        let mut after = State::unreachable();
        let mut out = Value::default();
        for (arm, value) in arms.iter().zip(&futures) {
            self.state = before.clone();
            // Only this arm's future is done; the others' guards were never there.
            self.state.release(|guard| all.contains(&guard.id) && !value.guards.contains(&guard.id));
            self.rehome(value);
            self.push_block();
            if let Some(pat) = arm.pat {
                self.bind(pat, value);
            }
            let arm_value = self.terminating(|this| this.eval(arm.body, Use::Move));
            self.pop_block();
            out = merge(out, arm_value);
            after.join(std::mem::replace(&mut self.state, State::unreachable()));
        }
        self.state = if arms.is_empty() { before } else { after };
        out
    }

    /// A closure as a value. A `move` closure takes the guards of the variables it names with it.
    pub(super) fn closure_value(&mut self, id: ExprId, move_: bool) -> Value {
        let mut value = Value { closure: Some(id), ..Value::default() };
        if move_ && !self.cx.drops.is_empty() {
            let captured = self.captured(id);
            self.moved.extend(captured);
        }
        self.note_captured(id, move_);
        if move_ && !self.state.guards.is_empty() {
            let captured = self.captured(id);
            let guards = self.state.guards.iter().filter(|guard| match guard.owner {
                Owner::Local(local) => captured.contains(&local),
                _ => false,
            });
            value.guards = guards.map(|guard| guard.id).collect();
            self.rehome(&value);
        }
        value
    }

    /// The variables that a closure names.
    pub(super) fn captured(&self, id: ExprId) -> Vec<crate::model::infer::LocalId> {
        // Children come before their parents: the closure's expressions lie between its first leaf and itself.
        let mut inside = vec![id];
        let mut out = Vec::new();
        while let Some(at) = inside.pop() {
            if let Some(crate::model::infer::Name::Local(local)) = self.types.names.get(&at) {
                out.push(*local);
            }
            crate::syntax::children(&self.body[at].kind, &mut |child| inside.push(child));
        }
        out
    }

    /// Runs a closure now; gives its value.
    pub(super) fn run_closure(&mut self, id: ExprId, args: &[Value]) -> Value {
        let body = self.body;
        let ExprKind::Closure { params, body: inner, .. } = &body[id].kind else { return Value::default() };
        if self.running.contains(&id) || self.running.len() >= NESTING || self.is_worn_out() {
            return Value::default();
        }
        self.run.insert(id);
        self.running.push(id);
        self.push_frame(FrameKind::Body, None);
        self.push_block();
        for (index, (pat, _)) in params.iter().enumerate() {
            self.bind(*pat, args.get(index).unwrap_or(&Value::default()));
        }
        let before = self.living();
        let scope = self.push_temporaries();
        let mut value = self.eval(*inner, Use::Move);
        self.own(&value.guards, Owner::Nobody);
        self.pop_temporaries(scope);
        self.pop_block();
        let mut frame = self.pop_frame();
        self.end_captured(&before, &mut frame.exits);
        self.state.join(frame.exits);
        value.guards.extend(frame.guards);
        self.rehome(&value);
        self.running.pop();
        value
    }

    fn living(&self) -> Vec<GuardId> {
        self.state.guards.iter().map(|guard| guard.id).collect()
    }

    /// A closure or async block that consumes a variable has taken it along: where it is left early, the variable ends
    /// with it, too.
    fn end_captured(&self, before: &[GuardId], exits: &mut State) {
        if self.state.reachable && exits.reachable {
            let lives = |id: &GuardId| self.state.guards.iter().any(|guard| guard.id == *id);
            exits.release(|guard| before.contains(&guard.id) && !lives(&guard.id));
        }
    }

    /// Runs an async block now.
    pub(super) fn run_async(&mut self, id: ExprId) -> Value {
        let body = self.body;
        let ExprKind::Async { body: inner, .. } = &body[id].kind else { return Value::default() };
        if self.running.contains(&id) || self.running.len() >= NESTING || self.is_worn_out() {
            return Value::default();
        }
        self.run.insert(id);
        self.running.push(id);
        let before = self.living();
        self.push_frame(FrameKind::Body, None);
        let scope = self.push_temporaries();
        let mut value = self.eval(*inner, Use::Move);
        self.own(&value.guards, Owner::Nobody);
        self.pop_temporaries(scope);
        let mut frame = self.pop_frame();
        self.end_captured(&before, &mut frame.exits);
        self.state.join(frame.exits);
        value.guards.extend(frame.guards);
        self.rehome(&value);
        self.running.pop();
        value
    }
}

/// The value of either branch.
fn merge(mut a: Value, b: Value) -> Value {
    for guard in b.guards {
        if !a.guards.contains(&guard) {
            a.guards.push(guard);
        }
    }
    if a.place != b.place {
        a.place = match (a.place, b.place) {
            (Some(a), Some(b)) => a.either_variant(&b),
            (a, b) => a.or(b),
        };
    }
    a.closure = a.closure.or(b.closure);
    a.variant = a.variant.filter(|_| a.variant == b.variant);
    a.given = a.given.or(b.given);
    a.task = if a.task == 0 { b.task } else { a.task };
    a.future = a.future.or(b.future);
    a
}

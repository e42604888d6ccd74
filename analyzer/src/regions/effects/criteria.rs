//! Statements by what they do: 1 modifies shared state, 2 reads shared state and relies on it, 3 modifies local state.
//!
//! Guarantees: a statement relies on what it reads where a later write of shared state or a condition depends on the
//! value, or the function returns it. A statement with none of the three may run at any time, as far as the sources
//! tell; calls of functions that are not in the sources are named, because nothing is known of them.
//!
//! Adding to a collection that the function never looks at (a log, an outbox) modifies nothing that it relies on, and
//! counts like printing. Statements with others inside (`if`, loops, closures) count for their head only.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::flow::Flow;
use super::{Access, Event, add, param, site};
use crate::finding::Location;
use crate::regions::context::Context;
use crate::regions::place::BodyId;
use crate::syntax::{ExprKind, PatId, PatKind, Span, Stmt, Symbol};

/// A statement of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Where it stands; of one with others inside, its head.
    pub at: Location,
    /// How deep it stands in other statements.
    pub depth: u32,
    /// It has other statements inside.
    pub composite: bool,
    /// It stands in a spawned closure: number of the closure in the function.
    pub spawn: Option<u32>,
    /// 1: modifies shared state.
    pub modifies: bool,
    /// 2: reads shared state and relies on it.
    pub relies: bool,
    /// 3: modifies local state.
    pub local: bool,
    /// It leaves the function or a loop.
    pub jumps: bool,
    /// Functions of the sources that it calls.
    pub calls: Vec<String>,
    /// Functions that it calls and that are not in the sources.
    pub unknown: Vec<String>,
    /// The shared state that it touches, by name.
    pub cells: Vec<String>,
}

impl Statement {
    /// Whether it may run at any time.
    pub fn is_free(&self) -> bool {
        !self.modifies && !self.relies && !self.local && !self.jumps && !self.composite
    }

    /// `1`, `2,3`, `none`.
    pub fn criteria(&self) -> String {
        let numbers = [(self.modifies, "1"), (self.relies, "2"), (self.local, "3")];
        let numbers: Vec<&str> = numbers.iter().filter(|(is, _)| *is).map(|(_, number)| *number).collect();
        if numbers.is_empty() { "none".to_string() } else { numbers.join(",") }
    }
}

/// `line 4`, `lines 4, 6-9`.
pub fn lines<'s>(statements: impl IntoIterator<Item = &'s Statement>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for statement in statements {
        let (from, to) = (statement.at.line, statement.at.end_line.max(statement.at.line));
        match ranges.last_mut() {
            Some(last) if from <= last.1 + 1 => last.1 = last.1.max(to),
            _ => ranges.push((from, to)),
        }
    }
    let shown = ranges.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    let one = ranges.len() == 1 && ranges[0].0 == ranges[0].1;
    format!("{} {}", if one { "line" } else { "lines" }, shown.collect::<Vec<_>>().join(", "))
}

/// A statement while values are followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    span: Span,
    depth: u32,
    composite: bool,
    spawn: Option<u32>,
    first: usize,
    end: usize,
    binds: bool,
    jumps: bool,
    assigns: bool,
    unknown: Vec<Symbol>,
    names: Vec<Symbol>,
    outer: (bool, Vec<Symbol>, Vec<Symbol>),
}

impl Flow<'_> {
    /// Begins a statement; gives its number.
    pub(super) fn begin(&mut self, stmt: &Stmt) -> Option<usize> {
        if !self.cx.sections && self.marks.len() > 4_000 {
            return None;
        }
        let body = self.body;
        let (span, binds, jumps) = match stmt {
            Stmt::Let { pat, init, .. } => {
                let start = body[*pat].span;
                let end = init.map_or(start, |init| body[init].span);
                (Span { start: start.start, end: end.end }, self.binds(*pat), false)
            }
            Stmt::Expr { expr, .. } => (body[*expr].span, false, is_jump(&body[*expr].kind)),
        };
        let outer =
            (std::mem::take(&mut self.assigns), std::mem::take(&mut self.unknown), std::mem::take(&mut self.names));
        let depth = self.open.len() as u32;
        if let Some(above) = self.open.last() {
            self.marks[*above].composite = true;
        }
        let first = self.events.len();
        self.marks.push(Mark { span, depth, spawn: self.spawn, first, binds, jumps, outer, ..Mark::default() });
        self.open.push(self.marks.len() - 1);
        Some(self.marks.len() - 1)
    }

    /// Ends it.
    pub(super) fn end(&mut self, mark: Option<usize>) {
        let Some(index) = mark else { return };
        self.open.pop();
        let end = self.events.len();
        let (assigns, unknown, names) =
            (self.assigns, std::mem::take(&mut self.unknown), std::mem::take(&mut self.names));
        let mark = &mut self.marks[index];
        mark.end = end;
        (mark.assigns, mark.unknown, mark.names) = (assigns, unknown, names);
        (self.assigns, self.unknown, self.names) = std::mem::take(&mut mark.outer);
    }

    fn binds(&self, pat: PatId) -> bool {
        match &self.body[pat].kind {
            PatKind::Ident { .. } => self.types.bindings.contains_key(&pat),
            PatKind::Tuple(pats) | PatKind::Slice(pats) | PatKind::Or(pats) | PatKind::TupleStruct { pats, .. } => {
                pats.iter().any(|pat| self.binds(*pat))
            }
            PatKind::Struct { fields, .. } => fields.iter().any(|(_, pat)| self.binds(*pat)),
            PatKind::Ref(inner) => self.binds(*inner),
            _ => false,
        }
    }
}

fn is_jump(kind: &ExprKind) -> bool {
    matches!(kind, ExprKind::Return(_) | ExprKind::Break { .. } | ExprKind::Continue { .. } | ExprKind::Try(_))
}

/// Classifies the statements of a body.
pub(super) fn classify(cx: &Context<'_>, id: BodyId, flow: &Flow<'_>) -> Vec<Statement> {
    let relied = relied(flow);
    let looked: FxHashSet<crate::regions::place::Place> = flow
        .events
        .iter()
        .filter(|event| event.is_shared() && matches!(event.access, Access::Read | Access::Update))
        .map(Event::cell_place)
        .collect();
    let mut out = Vec::new();
    for (index, mark) in flow.marks.iter().enumerate() {
        let inside: SmallVec<[(usize, usize); 4]> = flow.marks[index + 1..]
            .iter()
            .take_while(|inner| inner.depth > mark.depth)
            .filter(|inner| inner.depth == mark.depth + 1)
            .map(|inner| (inner.first, inner.end))
            .collect();
        let own = (mark.first..mark.end).filter(|at| !inside.iter().any(|(first, end)| (first..end).contains(&at)));
        let mut statement = Statement {
            at: cx.location(site(cx, id, head(mark))),
            depth: mark.depth,
            composite: mark.composite,
            spawn: mark.spawn,
            modifies: false,
            relies: false,
            local: mark.binds || mark.assigns,
            jumps: mark.jumps,
            calls: mark.names.iter().map(Symbol::to_string).collect(),
            unknown: mark.unknown.iter().map(Symbol::to_string).collect(),
            cells: Vec::new(),
        };
        for at in own {
            let event = &flow.events[at];
            if !event.is_shared() {
                continue;
            }
            let output = event.access == Access::Append && !looked.contains(&event.cell_place());
            statement.modifies |= event.access != Access::Read && !output;
            statement.relies |= matches!(event.access, Access::Read | Access::Update) && relied.contains(&(at as u32));
            if let Some(class) = cx.class(&event.cell_place())
                && !statement.cells.contains(&class.name)
            {
                statement.cells.push(class.name);
            }
        }
        out.push(statement);
    }
    out
}

/// The first line of a statement with others inside.
fn head(mark: &Mark) -> Span {
    match mark.composite {
        true => Span { start: mark.span.start, end: mark.span.start },
        false => mark.span,
    }
}

/// The reads on which a later write, a condition or the result depends.
fn relied(flow: &Flow<'_>) -> FxHashSet<u32> {
    let mut out = flow.conditions.clone();
    add(&mut out, &flow.returned);
    let mut all: FxHashSet<u32> = out.into_iter().collect();
    for event in flow.events.iter().filter(|event| event.is_shared() && event.access != Access::Read) {
        all.extend(event.data.iter().chain(&event.control).chain(&event.by_key).filter(|origin| **origin < param(0)));
    }
    all
}

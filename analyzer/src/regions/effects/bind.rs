//! Statements and patterns: which variable gets what.
//!
//! Guarantees: every variable of a pattern holds what the whole value may come from; `let (a, b) = (x, y)` gives each its
//! part.
//!
//! Misses: parts of values that are taken apart otherwise.

use super::flow::Flow;
use super::{Key, Taint, add};
use crate::syntax::{ExprId, ExprKind, PatId, PatKind, Stmt};

impl Flow<'_> {
    pub(super) fn bind(&mut self, pat: PatId, value: &Taint) {
        let body = self.body;
        match &body[pat].kind {
            PatKind::Ident { sub, .. } => {
                if let Some(local) = self.types.bindings.get(&pat) {
                    self.locals.insert(*local, value.clone());
                    if self.spawn.is_some() {
                        self.inside.insert(*local);
                    }
                }
                if let Some(sub) = sub {
                    self.bind(*sub, value);
                }
            }
            PatKind::Ref(inner) => self.bind(*inner, value),
            PatKind::Tuple(pats) | PatKind::Slice(pats) | PatKind::Or(pats) | PatKind::TupleStruct { pats, .. } => {
                pats.iter().for_each(|pat| self.bind(*pat, value));
            }
            PatKind::Struct { fields, .. } => fields.iter().for_each(|(_, pat)| self.bind(*pat, value)),
            PatKind::Wild | PatKind::Rest | PatKind::Path(_) | PatKind::Other => {}
        }
    }

    /// Whether a pattern names a variant of an enum of the sources.
    pub(super) fn is_variant(&self, pat: PatId) -> bool {
        let model = self.cx.model;
        let named = |pat: &PatId| {
            self.types
                .constructors
                .get(pat)
                .is_some_and(|(adt, _)| model.adt(*adt).is_enum && !model.crate_of(model.adt(*adt).module).stub)
        };
        match &self.body[pat].kind {
            PatKind::Or(pats) | PatKind::Tuple(pats) => pats.iter().any(|pat| self.is_variant(*pat)),
            PatKind::Ref(inner) => self.is_variant(*inner),
            PatKind::Path(path) => path.segments.len() > 1,
            _ => named(&pat),
        }
    }

    /// The variables of a pattern hold references to the element that `init` names.
    pub(super) fn bind_element(&mut self, pat: PatId, init: ExprId) {
        let key = self.element(init);
        if key == Key::Whole {
            return;
        }
        let body = self.body;
        let mut open = vec![pat];
        while let Some(pat) = open.pop() {
            match &body[pat].kind {
                PatKind::Ident { .. } => {
                    if let Some(local) = self.types.bindings.get(&pat) {
                        self.elements.insert(*local, key.clone());
                    }
                }
                PatKind::TupleStruct { pats, .. } => open.extend(pats),
                PatKind::Ref(inner) => open.push(*inner),
                _ => {}
            }
        }
    }

    pub(super) fn block(&mut self, stmts: &[Stmt]) -> Taint {
        let mut out = Taint::new();
        for (index, stmt) in stmts.iter().enumerate() {
            let mark = self.begin(stmt);
            match stmt {
                Stmt::Let { pat, init, els, .. } => {
                    let (value, parts) = self.initialiser(*pat, *init);
                    if let Some(els) = els {
                        let tested = value.clone();
                        self.under(&tested, |this| this.eval(*els));
                        add(&mut self.early, &tested);
                    }
                    match (&self.body[*pat].kind, parts) {
                        (PatKind::Tuple(pats), Some(parts)) => {
                            pats.iter().zip(&parts).for_each(|(pat, part)| self.bind(*pat, part));
                        }
                        _ => self.bind(*pat, &value),
                    }
                    if let Some(init) = init {
                        self.bind_element(*pat, *init);
                    }
                }
                Stmt::Expr { expr, semi } => {
                    let value = self.eval(*expr);
                    if !semi && index + 1 == stmts.len() {
                        out = value;
                    }
                }
            }
            self.end(mark);
        }
        out
    }

    /// `let (a, b) = (x, y)`: each variable gets its part.
    fn initialiser(&mut self, pat: PatId, init: Option<ExprId>) -> (Taint, Option<Vec<Taint>>) {
        let Some(init) = init else { return Default::default() };
        let body = self.body;
        match (&body[pat].kind, &body[init].kind) {
            (PatKind::Tuple(pats), ExprKind::Tuple(items)) if pats.len() == items.len() => {
                let parts: Vec<Taint> = items.iter().map(|item| self.eval(*item)).collect();
                let mut out = Taint::new();
                parts.iter().for_each(|part| add(&mut out, part));
                (out, Some(parts))
            }
            _ => (self.eval(init), None),
        }
    }
}

//! Functions that run without being written: operators, formatting, `next` of a loop's iterator, `deref` of `*value`.
//!
//! Guarantees: only functions with a body in the sources are named, and only where exactly one can be meant; derived
//! impls run nothing of interest.
//!
//! Misses: what a format string asks for (a type with both `Display` and `Debug` in the sources is left alone), which of
//! several operators of one precedence is written, operators on references to type parameters.

use smallvec::SmallVec;
use symbol_table::static_symbol;

use super::{Callee, Infer, Target};
use crate::model::FnId;
use crate::model::ty::Ty;
use crate::syntax::{ExprId, Symbol};

/// Methods behind comparisons; the first one that a type has is the one that decides.
const COMPARISONS: &[&str] = &["eq", "partial_cmp", "cmp"];
/// Methods behind the other operators.
const ARITHMETIC: &[&str] = &["add", "sub", "mul", "div", "rem", "bitand", "bitor", "bitxor", "shl", "shr"];
/// Macros that format their arguments.
const FORMATS: &[&str] = &[
    "print",
    "println",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "write",
    "writeln",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "log",
    "bail",
    "anyhow",
    "eyre",
    "format_err",
    "ensure",
    "assert",
    "debug_assert",
    "assert_eq",
    "assert_ne",
    "debug_assert_eq",
    "debug_assert_ne",
];

impl Infer<'_> {
    /// A function of the sources by this name that `receiver.name()` would run.
    fn written(&mut self, receiver: &Ty, name: &str) -> Option<(FnId, Ty)> {
        let receiver = self.shallow(receiver);
        if !matches!(receiver.peeled(), Ty::Adt(..)) {
            return None;
        }
        let bounds = self.bounds();
        let found = self.model.find_method(&mut self.vars, bounds, &receiver, Symbol::from(name))?;
        let function = self.model.function(found.id);
        let plain = found.derefs.is_empty() && !self.model.crate_of(function.module).stub;
        (plain && function.syntax.body.is_some()).then_some((found.id, found.on))
    }

    /// What `lhs op rhs` runs; notes the call and gives the operation's type where a function of the sources tells it.
    pub(super) fn operator(&mut self, id: ExprId, lhs: &Ty, comparison: bool) -> Option<Ty> {
        let found = if comparison {
            COMPARISONS.iter().find_map(|name| self.written(lhs, name))?
        } else {
            let mut all = ARITHMETIC.iter().filter_map(|name| self.written(lhs, name));
            let one = all.next()?;
            if all.next().is_some() {
                return None;
            }
            one
        };
        let (function, on) = found;
        let ret = self.note(id, function, on);
        Some(if comparison { Ty::Prim } else { ret })
    }

    /// What `base[index]` runs.
    pub(super) fn index_operator(&mut self, id: ExprId, base: &Ty) {
        if let Some((function, on)) = self.written(base, "index").or_else(|| self.written(base, "index_mut")) {
            self.note(id, function, on);
        }
    }

    /// What `*value` runs.
    pub(super) fn deref_operator(&mut self, id: ExprId, function: FnId, on: &Ty) {
        self.note(id, function, on.clone());
    }

    fn note(&mut self, id: ExprId, function: FnId, on: Ty) -> Ty {
        let ret = self.model.signature(function).ret.clone();
        let callee = Callee { target: Target::Fn(function), on, derefs: SmallVec::new(), receiver_first: false };
        self.out.calls.insert(id, callee);
        match ret {
            Ty::Assoc(..) | Ty::Param(_) => Ty::Unknown,
            ret => ret,
        }
    }

    /// What formatting these arguments of the macro `name` runs.
    pub(super) fn formats(&mut self, name: Symbol, args: &[ExprId], types: &[Ty]) {
        if !FORMATS.contains(&name.as_str()) {
            return;
        }
        let compares = name.as_str().ends_with("_eq") || name.as_str().ends_with("_ne");
        for (arg, ty) in args.iter().zip(types) {
            let function = match compares {
                true => self.written(ty, "eq").map(|(function, _)| function),
                false => self.formatting(ty),
            };
            if let Some(function) = function {
                self.out.hidden.insert(*arg, function);
            }
        }
    }

    /// The only `fmt` that the sources write for a type, seen through references and plain pointers.
    pub(super) fn formatting(&mut self, ty: &Ty) -> Option<FnId> {
        let mut ty = self.shallow(ty);
        for _ in 0..4 {
            match &ty {
                Ty::Ref(inner) => ty = self.shallow(inner),
                Ty::Adt(id, args) if self.model.known.transparent.contains(id) => {
                    let inner = args.first().cloned().unwrap_or_default();
                    ty = self.shallow(&inner);
                }
                _ => break,
            }
        }
        let Ty::Adt(adt, _) = ty else { return None };
        let impls = self.model.impls_of.get(&adt)?.iter().map(|id| &self.model.impls[id.0 as usize]);
        let fmt = static_symbol!("fmt");
        let mut all = impls.filter(|data| data.trait_path.is_some()).filter_map(|data| data.methods.get(&fmt).copied());
        let one = all.next()?;
        (all.next().is_none() && self.model.function(one).syntax.body.is_some()).then_some(one)
    }

    /// What every turn of `for _ in items` runs.
    pub(super) fn turns(&mut self, iter: ExprId, items: &Ty) {
        if let Some((function, _)) = self.written(items, "next") {
            self.out.hidden.insert(iter, function);
        }
    }
}

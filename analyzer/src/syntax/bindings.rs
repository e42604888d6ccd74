//! What the user calls a thing where it is made: the variable, field or static that a call's result goes to.
//!
//! A recording knows a lock by the place of the call that made it, `Mutex::new` in line 7; whoever wrote line 7 knows it as
//! `table` or `Chain.header`.
//!
//! Guarantees: a name is given only where the value, perhaps wrapped by calls with one argument (`Arc::new`), by a
//! closure's value or by a method chain, goes to exactly one binding: a `let`, a field of a struct literal, a `static`, the place of
//! an assignment. Cost is linear in the source.
//!
//! Misses: values that are returned or passed on before they get a name.

use rustc_hash::FxHashMap;

use super::{
    AssocItem, Body, BodyHead, ExprId, ExprKind, FileSyntax, Item, ItemKind, PatId, PatKind, Pos, Stmt, TypeRef,
};

/// By the place of a call (for method calls of the method's name): what its result is called.
pub fn bindings(file: &FileSyntax) -> FxHashMap<Pos, String> {
    let mut out = FxHashMap::default();
    items(file, &file.items, None, &mut out);
    out
}

fn items(file: &FileSyntax, all: &[Item], owner: Option<&str>, out: &mut FxHashMap<Pos, String>) {
    for item in all {
        match &item.kind {
            ItemKind::Mod { items: Some(inner), .. } => items(file, inner, owner, out),
            ItemKind::Static { init: Some(init), .. } => body(file, init, owner, Some(item.name.as_str().into()), out),
            ItemKind::Fn(function) => {
                if let Some(head) = &function.body {
                    body(file, head, owner, None, out);
                }
            }
            ItemKind::Impl { self_ty, items, .. } => associated(file, items, type_name(self_ty), out),
            ItemKind::Trait { items, .. } => associated(file, items, None, out),
            _ => {}
        }
    }
}

fn associated(file: &FileSyntax, all: &[AssocItem], owner: Option<&str>, out: &mut FxHashMap<Pos, String>) {
    for item in all {
        if let AssocItem::Fn(function) = item
            && let Some(head) = &function.body
        {
            body(file, head, owner, None, out);
        }
    }
}

fn type_name(ty: &TypeRef) -> Option<&str> {
    match ty {
        TypeRef::Path(path) => path.segments.last().map(|segment| segment.name.as_str()),
        _ => None,
    }
}

fn body(
    file: &FileSyntax,
    head: &BodyHead,
    owner: Option<&str>,
    name: Option<String>,
    out: &mut FxHashMap<Pos, String>,
) {
    items(file, &head.items, owner, out);
    let Some(body) = file.bodies.get(head.index) else { return };
    // Parents come after their children, so going backwards each has its name before its children look.
    let mut names: Vec<Option<String>> = vec![None; body.exprs.len()];
    names[body.root.0 as usize] = name;
    for at in (0..body.exprs.len()).rev() {
        let own = names[at].take();
        if let (Some(name), Some(place)) = (&own, place(body, at)) {
            out.insert(place, name.clone());
        }
        hand_down(body, at, own, owner, &mut names);
    }
}

/// Where a call stands for [`std::panic::Location::caller`].
fn place(body: &Body, at: usize) -> Option<Pos> {
    match &body.exprs[at].kind {
        ExprKind::Call { .. } => Some(body.exprs[at].span.start),
        ExprKind::MethodCall { method_span, .. } => Some(method_span.start),
        _ => None,
    }
}

/// Gives the children their names: by what they are bound to, or the parent's own where the value is passed through.
fn hand_down(body: &Body, at: usize, own: Option<String>, owner: Option<&str>, names: &mut [Option<String>]) {
    let mut give = |child: ExprId, name: Option<String>| names[child.0 as usize] = name;
    match &body.exprs[at].kind {
        ExprKind::Block { stmts, .. } => {
            for stmt in stmts {
                if let Stmt::Let { pat, init: Some(init), .. } = stmt {
                    bind(body, *pat, *init, &mut give);
                }
            }
            if let Some(Stmt::Expr { expr, semi: false }) = stmts.last() {
                give(*expr, own);
            }
        }
        ExprKind::Let { pat, scrutinee } => bind(body, *pat, *scrutinee, &mut give),
        ExprKind::Assign { place, value } => give(*value, place_name(body, *place, owner)),
        ExprKind::Struct { path, fields, .. } => {
            let written = path.segments.last().map(|segment| segment.name.as_str());
            let of = written.filter(|name| *name != "Self").or(owner);
            for (field, value) in fields {
                give(*value, of.map(|of| format!("{of}.{field}")));
            }
        }
        ExprKind::Call { callee, args } if args.len() == 1 && !starts_thread(body, *callee) => give(args[0], own),
        ExprKind::MethodCall { receiver, method, args, .. } => {
            if let ([only], false) = (args.as_slice(), method.as_str() == "spawn") {
                give(*only, own.clone());
            }
            if args.is_empty() {
                give(*receiver, own);
            } else if matches!(body[*receiver].kind, ExprKind::MethodCall { .. }) {
                // `(0..5).map(|_| Mutex::new(0)).collect::<Vec<_>>()`, and whatever comes after `map`.
                give(*receiver, own);
            }
        }
        ExprKind::Closure { body, .. } => give(*body, own),
        ExprKind::Ref { expr, .. } | ExprKind::Try(expr) | ExprKind::Cast { expr, .. } => give(*expr, own),
        ExprKind::Array { items, .. } => items.iter().for_each(|item| give(*item, own.clone())),
        ExprKind::Repeat { item, .. } => give(*item, own),
        ExprKind::If { then, els, .. } => {
            give(*then, own.clone());
            els.iter().for_each(|els| give(*els, own.clone()));
        }
        ExprKind::Match { arms, .. } => arms.iter().for_each(|arm| give(arm.body, own.clone())),
        _ => {}
    }
}

fn bind(body: &Body, pat: PatId, value: ExprId, give: &mut dyn FnMut(ExprId, Option<String>)) {
    match (&body[pat].kind, &body[value].kind) {
        (PatKind::Ident { name, .. }, _) => give(value, Some(name.as_str().to_owned())),
        (PatKind::Tuple(pats), ExprKind::Tuple(values)) if pats.len() == values.len() => {
            pats.iter().zip(values).for_each(|(pat, value)| bind(body, *pat, *value, give));
        }
        (PatKind::Slice(pats), ExprKind::Array { items, .. }) if pats.len() == items.len() => {
            pats.iter().zip(items).for_each(|(pat, value)| bind(body, *pat, *value, give));
        }
        // The two ends of a channel.
        (PatKind::Tuple(pats), ExprKind::Call { .. }) => {
            let name = |pat: &PatId| match &body[*pat].kind {
                PatKind::Ident { name, .. } => Some(name.as_str()),
                PatKind::Wild => Some("_"),
                _ => None,
            };
            let names: Option<Vec<&str>> = pats.iter().map(name).collect();
            give(value, names.map(|names| format!("({})", names.join(", "))));
        }
        _ => {}
    }
}

/// `x`, or `Owner.field` for `self.field`.
fn place_name(body: &Body, place: ExprId, owner: Option<&str>) -> Option<String> {
    match &body[place].kind {
        ExprKind::Path(path) => Some(path.segments.last()?.name.as_str().to_owned()),
        ExprKind::Field { base, name } => {
            let base = place_name(body, *base, owner)?;
            let base = if base == "self" { owner? } else { &base };
            Some(format!("{base}.{name}"))
        }
        ExprKind::Deref(expr) => place_name(body, *expr, owner),
        _ => None,
    }
}

/// What a new thread makes is not what its handle is called.
fn starts_thread(body: &Body, callee: ExprId) -> bool {
    match &body[callee].kind {
        ExprKind::Path(path) => {
            path.segments.last().is_some_and(|last| matches!(last.name.as_str(), "spawn" | "spawn_blocking"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in the order of their places.
    fn names(text: &str) -> Vec<String> {
        let found = bindings(&super::super::parse(text, 2021));
        let mut found: Vec<(Pos, String)> = found.into_iter().collect();
        found.sort();
        found.into_iter().map(|(pos, name)| format!("{}:{} {name}", pos.line, pos.column)).collect()
    }

    #[test]
    fn variables_fields_and_statics_name_what_is_made_for_them() {
        let text = "static LOG: Mutex<u8> = Mutex::new(0);\n\
                    impl Chain { fn new() -> Self {\n\
                    Self { header: Arc::new(Mutex::new(0)), rest: [Mutex::new(1)] }\n\
                    } }\n\
                    fn f() {\n\
                    let (a, b) = (Mutex::new(1), Arc::new(Mutex::new(2)));\n\
                    let forks: Vec<_> = (0..5).map(|_| Mutex::new(())).collect();\n\
                    let all = vec![Mutex::new(1)];\n\
                    chain.tail = Mutex::new(3);\n\
                    let (jobs, todo) = channel();\n\
                    }";
        let expected = [
            "1:25 LOG",
            "3:16 Chain.header",
            "3:25 Chain.header",
            "3:48 Chain.rest",
            "6:15 a",
            "6:30 b",
            "6:39 b",
            "7:28 forks",
            "7:36 forks",
            "7:52 forks",
            "8:16 all",
            "9:14 chain.tail",
            "10:20 (jobs, todo)",
        ];
        assert_eq!(names(text), expected);
    }

    #[test]
    fn what_goes_nowhere_certain_has_no_name() {
        let text = "fn f() -> Mutex<u8> {\n\
                    let pair = join(Mutex::new(1), Mutex::new(2));\n\
                    let thread = spawn(move || Mutex::new(1));\n\
                    g(Mutex::new(3));\n\
                    Mutex::new(0)\n\
                    }";
        assert_eq!(names(text), ["2:12 pair", "3:14 thread"]);
    }
}

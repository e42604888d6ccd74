//! A compact text form of the tree, for tests: Rust-like, with every nesting made visible by parentheses.

use super::tree::*;
use std::fmt::Write as _;

/// A whole file, one item per line.
pub(super) fn file(file: &FileSyntax) -> String {
    let mut out = String::new();
    items(&mut out, file.bodies.all(), &file.items, 0);
    for notice in &file.notices {
        let start = notice.span.start;
        let _ = writeln!(out, "notice {}:{} {}", start.line, start.column, notice.message);
    }
    out
}

fn items(out: &mut String, bodies: &[Body], list: &[Item], indent: usize) {
    for item in list {
        let _ = writeln!(out, "{}{}", "  ".repeat(indent), item_text(bodies, item, indent));
    }
}

fn item_text(bodies: &[Body], item: &Item, indent: usize) -> String {
    let mut head = String::new();
    if item.test {
        head.push_str("#test ");
    }
    if item.public && !matches!(item.kind, ItemKind::Fn(_)) {
        head.push_str("pub ");
    }
    let name = item.name;
    head + &match &item.kind {
        ItemKind::Mod { items: None, path } => format!("mod {name};{}", path.as_deref().unwrap_or_default()),
        ItemKind::Mod { items: Some(list), .. } => {
            let mut out = format!("mod {name} {{\n");
            items(&mut out, bodies, list, indent + 1);
            out + &"  ".repeat(indent) + "}"
        }
        ItemKind::Use(imports) => format!("use {}", join(imports, import)),
        ItemKind::ExternCrate { krate } => format!("extern crate {krate} as {name}"),
        ItemKind::Struct { generics, fields } => {
            format!("struct {name}{} {{ {} }}", params(generics), join(fields, field))
        }
        ItemKind::Enum { generics, variants } => {
            let variant = |v: &Variant| format!("{}({})", v.name, join(&v.fields, field));
            format!("enum {name}{} {{ {} }}", params(generics), join(variants, variant))
        }
        ItemKind::TypeAlias { generics, ty: aliased } => format!("type {name}{} = {}", params(generics), ty(aliased)),
        ItemKind::Static { ty: of, kind, init } => {
            let init = init.as_ref().map_or_else(String::new, |head| format!(" = {}", code(bodies, head)));
            format!("{kind:?} {name}: {}{init}", ty(of))
        }
        ItemKind::Impl { generics, trait_, negative, unsafe_, self_ty, items } => {
            let mut out = format!("{}impl{} ", if *unsafe_ { "unsafe " } else { "" }, params(generics));
            if let Some(trait_) = trait_ {
                let _ = write!(out, "{}{} for ", if *negative { "!" } else { "" }, path(trait_));
            }
            out + &ty(self_ty) + &assoc_items(bodies, items, indent)
        }
        ItemKind::Trait { generics, supertraits, items } => {
            let over = if supertraits.is_empty() { String::new() } else { format!(": {}", plus(supertraits)) };
            format!("trait {name}{}{over}{}", params(generics), assoc_items(bodies, items, indent))
        }
        ItemKind::Fn(f) => function(bodies, f),
        ItemKind::MacroRules { text } => format!("macro_rules {name} {text}"),
    }
}

fn assoc_items(bodies: &[Body], list: &[AssocItem], indent: usize) -> String {
    let mut out = String::from(" {");
    for item in list {
        let text = match item {
            AssocItem::Fn(f) => function(bodies, f),
            AssocItem::Type { name, ty: given } => {
                format!("type {name}{}", given.as_ref().map_or_else(String::new, |given| format!(" = {}", ty(given))))
            }
            AssocItem::Const { name, ty: of } => format!("const {name}: {}", ty(of)),
        };
        let _ = write!(out, "\n{}{text}", "  ".repeat(indent + 1));
    }
    out + " }"
}

fn function(bodies: &[Body], f: &Function) -> String {
    let mut out = String::new();
    if f.test {
        out.push_str("#test ");
    }
    if f.public {
        out.push_str("pub ");
    }
    if f.async_ {
        out.push_str("async ");
    }
    let _ = write!(out, "fn {}{}(", f.name, params(&f.generics));
    let mut inputs = Vec::new();
    if let Some(receiver) = &f.receiver {
        inputs.push(match (&receiver.ty, receiver.reference, receiver.mutable) {
            (Some(given), ..) => format!("self: {}", ty(given)),
            (None, true, true) => "&mut self".into(),
            (None, true, false) => "&self".into(),
            (None, false, _) => "self".into(),
        });
    }
    for param in &f.params {
        inputs.push(match (&f.body, param.pat) {
            (Some(head), Some(id)) => format!("{}: {}", pat(&bodies[head.index as usize], id), ty(&param.ty)),
            _ => ty(&param.ty),
        });
    }
    out.push_str(&inputs.join(", "));
    out.push(')');
    if let Some(ret) = &f.ret {
        let _ = write!(out, " -> {}", ty(ret));
    }
    match &f.body {
        Some(head) => out + " " + &code(bodies, head),
        None => out + ";",
    }
}

/// The items inside come first, as rustc sees them.
fn code(bodies: &[Body], head: &BodyHead) -> String {
    let body = &bodies[head.index as usize];
    let inner: String = head.items.iter().map(|item| format!("[{}] ", item_text(bodies, item, 0))).collect();
    match expr(body, body.root).strip_prefix('{') {
        Some("}") => format!("{{{}}}", inner.trim_end()),
        Some(rest) => format!("{{{inner}{rest}"),
        None => inner + &expr(body, body.root),
    }
}

fn import(import: &Import) -> String {
    let start = if import.absolute { "::" } else { "" };
    let path = import.path.iter().map(Symbol::as_str).collect::<Vec<_>>().join("::");
    format!("{start}{path} as {}", import.alias.map_or("*", |alias| alias.as_str()))
}

fn field(field: &Field) -> String {
    format!("{}: {}", field.name, ty(&field.ty))
}

fn params(generics: &Generics) -> String {
    if generics.params.is_empty() {
        return String::new();
    }
    let param = |p: &TypeParam| {
        let bounds = if p.bounds.is_empty() { String::new() } else { format!(": {}", plus(&p.bounds)) };
        let default = p.default.as_ref().map_or_else(String::new, |default| format!(" = {}", ty(default)));
        format!("{}{bounds}{default}", p.name)
    };
    format!("<{}>", join(&generics.params, param))
}

/// A type.
pub(super) fn ty(of: &TypeRef) -> String {
    match of {
        TypeRef::Path(p) => path(p),
        TypeRef::Ref { mutable, inner } => format!("&{}{}", if *mutable { "mut " } else { "" }, ty(inner)),
        TypeRef::Ptr(inner) => format!("*{}", ty(inner)),
        TypeRef::Slice(inner) => format!("[{}]", ty(inner)),
        TypeRef::Tuple(types) => format!("({})", join(types, ty)),
        TypeRef::FnPtr { params, ret } => {
            format!(
                "fn({}){}",
                join(params, ty),
                ret.as_ref().map_or_else(String::new, |ret| format!(" -> {}", ty(ret)))
            )
        }
        TypeRef::ImplTrait(bounds) => format!("impl {}", plus(bounds)),
        TypeRef::DynTrait(bounds) => format!("dyn {}", plus(bounds)),
        TypeRef::Assoc { of, trait_, name } => {
            format!("<{}{}>::{name}", ty(of), trait_.as_ref().map_or_else(String::new, |t| format!(" as {}", path(t))))
        }
        TypeRef::Never => "!".into(),
        TypeRef::Infer => "_".into(),
        TypeRef::Unknown => "?".into(),
    }
}

fn plus(paths: &[Path]) -> String {
    paths.iter().map(path).collect::<Vec<_>>().join(" + ")
}

fn path(path: &Path) -> String {
    let segment = |segment: &PathSegment| match &segment.args {
        None => segment.name.to_string(),
        Some(args) => {
            let mut all: Vec<String> = args.types.iter().map(ty).collect();
            all.extend(args.bindings.iter().map(|(name, of)| format!("{name} = {}", ty(of))));
            format!("{}<{}>", segment.name, all.join(", "))
        }
    };
    let text = path.segments.iter().map(segment).collect::<Vec<_>>().join("::");
    format!("{}{text}", if path.absolute { "::" } else { "" })
}

fn join<T>(list: &[T], text: impl Fn(&T) -> String) -> String {
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// An expression.
pub(super) fn expr(body: &Body, id: ExprId) -> String {
    let e = |id: &ExprId| expr(body, *id);
    let p = |id: &PatId| pat(body, *id);
    let some =
        |before: &str, id: &Option<ExprId>| id.map_or_else(String::new, |id| format!("{before}{}", expr(body, id)));
    let tag = |label: &Option<Symbol>| label.map_or_else(String::new, |label| format!("'{label}: "));
    match &body[id].kind {
        ExprKind::Path(p) => path(p),
        ExprKind::QualifiedPath { of, path: p } => format!("<{}>::{}", ty(of), path(p)),
        ExprKind::Lit(Lit::Int(value)) => value.to_string(),
        ExprKind::Lit(Lit::Bool(value)) => value.to_string(),
        ExprKind::Lit(Lit::Str(_)) => "\"\"".into(),
        ExprKind::Lit(Lit::Other) => "lit".into(),
        ExprKind::Call { callee, args } => format!("{}({})", e(callee), join(args, e)),
        ExprKind::MethodCall { receiver, method, types, args, .. } => {
            let fish = if types.is_empty() { String::new() } else { format!("::<{}>", join(types, ty)) };
            format!("{}.{method}{fish}({})", e(receiver), join(args, e))
        }
        ExprKind::Field { base, name } => format!("{}.{name}", e(base)),
        ExprKind::Index { base, index } => format!("{}[{}]", e(base), e(index)),
        ExprKind::Deref(of) => format!("(*{})", e(of)),
        ExprKind::Unary(of) => format!("(!{})", e(of)),
        ExprKind::Ref { mutable, expr, .. } => format!("(&{}{})", if *mutable { "mut " } else { "" }, e(expr)),
        ExprKind::Binary { lhs, rhs, comparison } => {
            format!("({} {} {})", e(lhs), if *comparison { "<=>" } else { "+" }, e(rhs))
        }
        ExprKind::Logic { lhs, rhs, and } => format!("({} {} {})", e(lhs), if *and { "&&" } else { "||" }, e(rhs)),
        ExprKind::Assign { place, value } => format!("({} = {})", e(place), e(value)),
        ExprKind::AssignOp { place, value } => format!("({} += {})", e(place), e(value)),
        ExprKind::Block { stmts, label, kind } => {
            let kind = match kind {
                BlockKind::Plain => "",
                BlockKind::Unsafe => "unsafe ",
                BlockKind::Const => "const ",
                BlockKind::Try => "try ",
            };
            let inner = stmts.iter().map(|s| stmt(body, s)).collect::<Vec<_>>().join(" ");
            format!("{}{kind}{{{inner}}}", tag(label))
        }
        ExprKind::If { cond, then, els } => format!("if {} {}{}", e(cond), e(then), some(" else ", els)),
        ExprKind::Let { pat, scrutinee } => format!("let {} = {}", p(pat), e(scrutinee)),
        ExprKind::Match { scrutinee, arms } => {
            let arm = |arm: &Arm| format!("{}{} => {}", p(&arm.pat), some(" if ", &arm.guard), e(&arm.body));
            format!("match {} {{{}}}", e(scrutinee), join(arms, arm))
        }
        ExprKind::Loop { label, body: inner } => format!("{}loop {}", tag(label), e(inner)),
        ExprKind::While { label, cond, body: inner } => format!("{}while {} {}", tag(label), e(cond), e(inner)),
        ExprKind::For { label, pat, iter, body: inner } => {
            format!("{}for {} in {} {}", tag(label), p(pat), e(iter), e(inner))
        }
        ExprKind::Break { label, value } => format!("break {}{}", tag(label), some("", value)),
        ExprKind::Continue { label } => format!("continue {}", tag(label)),
        ExprKind::Return(value) => format!("return{}", some(" ", value)),
        ExprKind::Yield(value) => format!("yield{}", some(" ", value)),
        ExprKind::Closure { params, ret, body: inner, move_, async_ } => {
            let param = |(id, of): &(PatId, Option<TypeRef>)| {
                p(id) + &of.as_ref().map_or_else(String::new, |of| format!(": {}", ty(of)))
            };
            let ret = ret.as_ref().map_or_else(String::new, |ret| format!("-> {} ", ty(ret)));
            let head = if *async_ { "async " } else { "" }.to_owned() + if *move_ { "move " } else { "" };
            format!("({head}|{}| {ret}{})", join(params, param), e(inner))
        }
        ExprKind::Async { body: inner, move_ } => format!("async {}{}", if *move_ { "move " } else { "" }, e(inner)),
        ExprKind::Await(of) => format!("{}.await", e(of)),
        ExprKind::Try(of) => format!("{}?", e(of)),
        ExprKind::Struct { path: name, fields, rest } => {
            let field = |(name, id): &(Symbol, ExprId)| format!("{name}: {}", e(id));
            format!("{} {{ {}{} }}", path(name), join(fields, field), some(" ..", rest))
        }
        ExprKind::Tuple(items) => format!("({})", join(items, e)),
        ExprKind::Array { items, vec } => format!("{}[{}]", if *vec { "vec" } else { "" }, join(items, e)),
        ExprKind::Repeat { item, len, vec } => format!("{}[{}; {}]", if *vec { "vec" } else { "" }, e(item), e(len)),
        ExprKind::Cast { expr, ty: to } => format!("({} as {})", e(expr), ty(to)),
        ExprKind::Range { from, to } => format!("({}..{})", some("", from), some("", to)),
        ExprKind::Macro { name, kind, args } => format!("{name}!{kind:?}({})", join(args, e)),
        ExprKind::Select { arms } => {
            let arm = |arm: &SelectArm| {
                let pat = arm.pat.map_or_else(String::new, |id| format!("{} = ", pat(body, id)));
                format!("{pat}{}{} => {}", some("", &arm.future), some(" if ", &arm.guard), e(&arm.body))
            };
            format!("select {{{}}}", join(arms, arm))
        }
        ExprKind::Unknown => "?".into(),
    }
}

fn stmt(body: &Body, stmt: &Stmt) -> String {
    match stmt {
        Stmt::Let { pat: id, ty: of, init, els } => {
            let mut out = format!("let {}", pat(body, *id));
            if let Some(of) = of {
                let _ = write!(out, ": {}", ty(of));
            }
            if let Some(init) = init {
                let _ = write!(out, " = {}", expr(body, *init));
            }
            if let Some(els) = els {
                let _ = write!(out, " else {}", expr(body, *els));
            }
            out + ";"
        }
        Stmt::Expr { expr: id, semi } => expr(body, *id) + if *semi { ";" } else { "" },
    }
}

fn pat(body: &Body, id: PatId) -> String {
    let p = |id: &PatId| pat(body, *id);
    match &body[id].kind {
        PatKind::Wild => "_".into(),
        PatKind::Rest => "..".into(),
        PatKind::Ident { name, by_ref, sub } => {
            let sub = sub.map_or_else(String::new, |sub| format!(" @ {}", pat(body, sub)));
            format!("{}{name}{sub}", if *by_ref { "ref " } else { "" })
        }
        PatKind::Tuple(pats) => format!("({})", join(pats, p)),
        PatKind::TupleStruct { path: name, pats } => format!("{}({})", path(name), join(pats, p)),
        PatKind::Struct { path: name, fields } => {
            format!("{} {{ {} }}", path(name), join(fields, |(name, id)| format!("{name}: {}", p(id))))
        }
        PatKind::Ref(inner) => format!("&{}", p(inner)),
        PatKind::Or(pats) => format!("({})", pats.iter().map(p).collect::<Vec<_>>().join(" | ")),
        PatKind::Slice(pats) => format!("[{}]", join(pats, p)),
        PatKind::Path(name) => path(name),
        PatKind::Other => "const".into(),
    }
}

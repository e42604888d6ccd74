//! Macro calls.

use super::{check_bodies, check_files};

#[test]
fn format_and_log_macros_evaluate_their_arguments() {
    check_bodies(&[
        (r#"println!("{} {x}", m.lock(), y = z());"#, r#"println!Statement("", m.lock(), z());"#),
        (
            r#"info!(target: "t", key = 1, a.b = ?v, %w, ?x.y(), "lit" = 2, "m {}", f());"#,
            r#"info!Statement("", 1, v, w, x.y(), 2, "", f());"#,
        ),
        (r#"tracing::info_span!("s", id = %self.id());"#, r#"info_span!Statement("", self.id());"#),
        ("log::log!(Level::Info, \"x\");", "log!Statement(Level::Info, \"\");"),
        ("assert_eq!(a.lock(), b(), \"x {}\", c);", "assert_eq!Statement(a.lock(), b(), \"\", c);"),
        ("let s = format!(\"{}\", a());", "let s = format!Value(\"\", a());"),
        ("write!(f, \"{:?}\", a())?;", "write!Value(f, \"\", a())?;"),
        ("f(a == b, x::y, A::B { c: 1 });", "f((a <=> b), x::y, A::B { c: 1 });"),
        ("println!(\"{}\", a == b);", "println!Statement(\"\", (a <=> b));"),
        ("m!(a::b, c => d);", "m!Opaque();"),
    ]);
}

#[test]
fn assertions_branch() {
    check_bodies(&[
        ("assert!(a.lock().ok(), \"m {}\", b());", "if (!a.lock().ok()) assert!Diverges(\"\", b());"),
        ("ensure!(x > 1);", "if (!(x <=> 1)) ensure!Diverges();"),
        (
            "matches!(a.lock().get(), Some(1) | None if b)",
            "match a.lock().get() {(Some(const) | None) if b => true, _ => false}",
        ),
        ("assert_matches!(x(), Ok(_), \"m\");", "match x() {Ok(_) => (), _ => assert_matches!Diverges(\"\")};"),
        (
            "panic!(\"{}\", a()); todo!(); unreachable!()",
            "panic!Diverges(\"\", a()); todo!Diverges(); unreachable!Diverges()",
        ),
        ("let x = r#try!(f());", "let x = f()?;"),
    ]);
}

#[test]
fn collections() {
    check_bodies(&[
        ("vec![a(), b()]; vec![0; n]; vec![]; vec![1,]", "vec[a(), b()]; vec[0; n]; vec[]; vec[1]"),
        (r#"json!({"a": x(), b: [1, y()], "c": {"d": null}, (k): z}, );"#, "json!Value(x(), 1, y(), null, z);"),
        ("json!([x, {\"y\": z}]);", "json!Value(x, z);"),
        ("addr_of_mut!(p.x);", "(&mut p.x);"),
        ("quote! { fn f() { m.lock(); } };", "quote!Value();"),
    ]);
}

#[test]
fn async_macros() {
    check_bodies(&[
        ("tokio::join!(a(), b());", "join!Awaits(a(), b());"),
        ("join!(biased; a(), b());", "join!Awaits(a(), b());"),
        ("try_join!(a, async { b });", "try_join!Awaits(a, async {b});"),
        ("tokio::pin!(x);", "pin!Value(x);"),
        ("pin! { let x = f(); } x.await;", "let x = f(); x.await;"),
        ("stream! { yield a.lock().x; };", "async move {yield a.lock().x;};"),
        ("defer! { m.unlock(); }", "defer!Unknown((|| {m.unlock();}))"),
    ]);
}

#[test]
fn select_in_its_grammars() {
    check_bodies(&[
        (
            "tokio::select! { biased; Some(x) = rx.recv(), if ok() => { f(x) } _ = t.tick() => g(), else => h() }",
            "select {Some(x) = rx.recv() if ok() => {f(x)}, _ = t.tick() => g(),  => h()}",
        ),
        ("select! { x = fut => a, default => b, complete => break, };", "select {x = fut => a,  => b,  => break };"),
        ("select_biased! { () = f => {}, g => {} }", "select {() = f => {}, g => {}}"),
        (
            "select! { recv(r) -> m => f(m), send(s, v()) -> _ => {} default(T) => {} }",
            "select {m = r.recv() => f(m), _ = s.send(v()) => {}, T => {}}",
        ),
        ("select! { what is this }", "select!Opaque()"),
    ]);
}

#[test]
fn unknown_macros_are_read_as_what_their_tokens_look_like() {
    check_bodies(&[
        ("mine!(a.lock(), b);", "mine!Unknown(a.lock(), b);"),
        ("mine! { let x = a.lock(); x.y(); }", "mine!Unknown({let x = a.lock(); x.y();})"),
        ("mine!(a b c);", "mine!Opaque();"),
        ("mine!();", "mine!Unknown();"),
    ]);
}

#[test]
fn items_in_macros_are_items() {
    check_files(&[
        ("cfg_rt! { pub mod a; fn f() {} }", "pub mod a;\nfn f() {}"),
        (
            "cfg_if::cfg_if! { if #[cfg(unix)] { fn f() {} } else if #[cfg(test)] { fn g() {} } else { fn h() {} } }",
            "fn f() {}\n#test #test fn g() {}\nfn h() {}",
        ),
        ("impl A { cfg! { fn f(&self) {} } }", "impl A {\n  fn f(&self) {} }"),
        ("trait A { cfg! { fn f(&self); } }", "trait A {\n  fn f(&self); }"),
        ("bitflags! { struct F: u8 { const A = 1; } }", ""),
        ("macro_rules! m { ($x:expr) => { $x } }", "macro_rules m ($ x : expr) => { $ x }"),
    ]);
    check_bodies(&[("cfg_if! { if #[cfg(unix)] { a(); } else { b(); } }", "if ? {a();} else {b();}")]);
}

//! Files that do not parse, or do not even tokenize.

use super::super::{dump, parse};
use crate::syntax::FileSyntax;

fn check(edition: u16, rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(dump::file(&parse(source, edition)).trim_end(), *expected, "for `{source}`");
    }
}

fn names(file: &FileSyntax) -> Vec<&'static str> {
    file.items.iter().map(|item| item.name.as_str()).collect()
}

/// 199 functions around the given one, which is the hundredth.
fn around(broken: &str) -> String {
    let mut text = String::from("//! Documentation\nuse a::b;\n");
    for n in 0..199 {
        text += &format!(
            "\n/// Says \"hello\".\n#[inline]\npub fn f{n}(x: u8) -> u8 {{\n    a.lock().b({{ x }}, \"}}\")\n}}\n"
        );
        if n == 99 {
            text += broken;
        }
    }
    text
}

#[test]
fn one_broken_function_costs_itself_alone() {
    for broken in [
        "fn broken() {\n    let = ;\n}\n",
        "fn broken( {\n",
        "fn broken() {\n    if x {\n}\n",
        "fn broken() {\n    x)\n}\n",
        "fn broken() {\n    }\n}\n",
        "fn broken() {\n    let s = \"never closed;\n}\n",
        "fn broken() {\n    'ab'\n}\n",
        "fn broken() {\n    a(]\n}\n",
        "fn broken\n",
        "broken broken broken\n",
        "<<<<<<< HEAD\nfn broken() {}\n=======\n>>>>>>> other\n",
        "fn broken() {\n    let s = r#\"never closed\";\n}\n",
        "/* never closed\nfn broken() {}\n",
        "fn broken() { \u{0} }\n",
        "}\n",
    ] {
        let file = parse(&around(broken), 2021);
        let found = names(&file).into_iter().filter(|name| name.starts_with('f')).count();
        assert!(found >= 199, "{found} for {broken:?}: {:?}", file.notices);
        assert!(!file.notices.is_empty(), "{broken:?}");
        let last = file.items.last().expect("items");
        assert_eq!(last.name.as_str(), "f198");
        let lines = around(broken).lines().count() as u32;
        assert_eq!(last.span.start.line, lines - 2, "{broken:?}");
    }
}

#[test]
fn a_broken_method_costs_itself_alone() {
    for broken in ["let = ;", "if x {", "x)", "\"never closed"] {
        let text = format!(
            "struct S;\n\nimpl S {{\n    fn a(&self) {{\n        x()\n    }}\n\n    fn b(&self) {{\n        {broken}\n    }}\n\n    /// c\n    fn c(&self) {{\n        y(\"s\")\n    }}\n}}\n\nfn after() {{}}\n"
        );
        let file = parse(&text, 2021);
        let dumped = dump::file(&file);
        let kept = "struct S {  }\nimpl S {\n  fn a(&self) {x()}\n  fn c(&self) {y(\"\")} }\nfn after() {}\nnotice 8:";
        assert!(dumped.starts_with(kept), "{broken}: {dumped}");
        assert_eq!(file.notices.len(), 1, "{broken}: {:?}", file.notices);
    }
}

#[test]
fn broken_members_of_traits_modules_and_extern_blocks() {
    let rows = [
        (
            "trait T { fn a(&self) { x } fn b(,) { } fn c(&self); }",
            "trait T {\n  fn a(&self) {x}\n  fn c(&self); }\nnotice 1:29 `fn b`: not analysed: expected one of",
        ),
        (
            "mod m { #![allow(x)] fn a() {} fn b() { let } static X: u8 = { 1 }; }",
            "mod m {\n  fn a() {}\n  Static X: u8 = {1}\n}\nnotice 1:32 `fn b`: not analysed: unexpected end of input",
        ),
        (
            "fn a() {}\nconst X: = 1\nfn b() {}",
            "fn a() {}\nfn b() {}\nnotice 2:1 part of the file: not analysed: expected one of",
        ),
    ];
    for (source, expected) in rows {
        let dumped = dump::file(&parse(source, 2021));
        assert!(dumped.starts_with(expected), "for `{source}`:\n{dumped}");
    }
}

#[test]
fn older_editions() {
    check(
        2015,
        &[
            (
                "fn f(x: Box<Fn(u8) -> u8 + Send>, y: &Trait) {}",
                "fn f(x: Box<dyn Fn<u8, Output = u8> + Send>, y: &Trait) {}",
            ),
            (
                "fn f(x: &mut FnMut(), y: &'a Fn()) {}",
                "fn f(x: &mut dyn FnMut<Output = ()>, y: &dyn Fn<Output = ()>) {}",
            ),
            (
                "trait T { fn f(u8, Vec<(u8, u8)>); fn g<A>(&self, ::std::A, x: B) -> u8; }",
                "trait T {\n  fn f(u8, Vec<(u8, u8)>);\n  fn g<A>(&self, ::std::A, B) -> u8; }",
            ),
            ("trait T { fn f(u8) { x() } }", "trait T {\n  fn f(_: u8) {x()} }"),
            ("fn f(async: u8) { async.g(async { 1 }) }", "fn f(async: u8) {async.g(async {1})}"),
            ("mod async; use a::async::b;", "mod async;\nuse a::async::b as b"),
            ("fn f() { match x { 0...9 => {} } }", "fn f() {match x {const => {}}}"),
            ("fn f() { try!(x); }", "fn f() {x?;}"),
            ("fn f() { await!(x) }", "fn f() {x.await}"),
        ],
    );
    check(
        2024,
        &[
            ("fn f() { super let x = g(); x }", "fn f() {let x = g(); x}"),
            ("impl const A for B { fn f() { x() } }", "impl A for B {\n  fn f() {x()} }"),
        ],
    );
}

#[test]
fn nothing_at_all() {
    for text in ["", "\u{feff}", "#!x", "\0", "}", "\"", "'", "/*", "#", "r#\"", "---", "\u{feff}#![", "é"] {
        let file = parse(text, 2021);
        assert!(file.items.is_empty(), "{text:?}");
    }
}

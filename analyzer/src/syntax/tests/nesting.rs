//! Text that nests too deeply for any stack.

use crate::syntax::{FileSyntax, parse};

fn names(file: &FileSyntax) -> Vec<&'static str> {
    file.items.iter().map(|item| item.name.as_str()).collect()
}

/// Every construct that makes the parser descend, `n` times.
fn deep(n: usize) -> Vec<String> {
    let wrap = |before: &str, middle: &str, after: &str| format!("{}{middle}{}", before.repeat(n), after.repeat(n));
    let body = |inner: String| format!("fn a() {{ {inner} }}");
    vec![
        body(wrap("(", "x", ")")),
        body(wrap("[", "x", "]")),
        body(wrap("{", "x", "}")),
        body(wrap("!", "x", "")),
        body(wrap("& ", "x", "")),
        body(wrap("&&", "x", "")),
        body(wrap("x + ", "x", "")),
        body(wrap("x - -", "x", "")),
        body(wrap("x = ", "x", "")),
        body(wrap("return ", "x", "")),
        body(wrap("return {x} + ", "x", "")),
        body(wrap("break 'a ", "x", "")),
        body(wrap("|x| ", "x", "")),
        body(wrap("|| ", "x", "")),
        body(wrap("x", "", ".a()")),
        body(format!("x{}", "?".repeat(n))),
        body(format!("x{}", "[0]".repeat(n))),
        body(format!("x{}", "()".repeat(n))),
        body(format!("x{}", " as u8".repeat(n))),
        body(wrap("if a {} else ", "{}", "")),
        body(wrap("if ", "a", "{}")),
        body(wrap("match ", "a", "{}")),
        body(wrap("match x { _ => ", "a", "}")),
        body(wrap("if let x = ", "a", "{}")),
        body(wrap("f(", "x", ")")),
        body(wrap("A { a: ", "x", "}")),
        body(wrap("a::<A", "", ">")),
        body(wrap("x as A<", "u8", ">")),
        body(wrap("async {", "x", "}")),
        body(wrap("m!(", "x", ")")),
        body(wrap("m!{", "x", "}")),
        body(format!("m!({})", wrap("(", "x", ")"))),
        body(format!("let {} = x;", wrap("& ", "x", ""))),
        body(format!("let {} = x;", wrap("(", "x", ")"))),
        body(format!("let {} = x;", wrap("x @ ", "x", ""))),
        wrap("fn a() {", "", "}"),
        wrap("mod a {", "", "}"),
        wrap("impl A { fn a() {", "", "}}"),
        format!("type A = {};", wrap("& ", "u8", "")),
        format!("type A = {};", wrap("A<", "u8", "> ")),
        format!("type A = {};", wrap("A<u8, B = ", "u8", ">")),
        format!("type A = {};", wrap("A<{", "1", "}>")),
        format!("type A = {};", wrap("(", "u8", ",)")),
        format!("type A = {};", wrap("fn() -> ", "u8", "")),
        format!("type A = {};", wrap("[", "u8", "; 1]")),
        format!("type A = {};", wrap("<", "u8", " as A>::B")),
        format!("type A = {};", wrap("dyn Fn() -> ", "u8", "")),
        format!("fn a(x: {}) {{}}", wrap("impl A<B = ", "u8", ">")),
        format!("use {}x;", "x::".repeat(n)),
        format!("use {};", wrap("x::{", "y", "}")),
        format!("#[a{}] fn a() {{}}", wrap("(", "x", ")")),
        format!("cfg_if! {{ {} }}", wrap("if #[cfg(a)] {} else ", "{}", "")),
        wrap("m! {", "", "}"),
        "(".repeat(n),
        ")".repeat(n),
        "fn a() {".repeat(n),
        "A<".repeat(n),
    ]
}

#[test]
fn deep_text_neither_overflows_nor_hangs_nor_hides_its_neighbours() {
    for n in [150, 600, 30_000] {
        for text in deep(n) {
            let start: String = text.chars().take(40).collect();
            let file = parse(&format!("fn first() {{}}\n{text}\nfn last() {{}}\n"), 2021);
            let names = names(&file);
            assert_eq!(names.first(), Some(&"first"), "{n} times: {start}: {:?}", file.notices);
            let unbalanced =
                text.chars().all(|c| !matches!(c, ')' | '}')) && text.contains(['(', '{']) || text.starts_with(')');
            if !unbalanced && text.ends_with([';', '}']) {
                assert_eq!(names.last(), Some(&"last"), "{n} times: {start}: {:?}", file.notices);
            }
        }
    }
}

#[test]
fn only_the_block_that_nests_too_deeply_is_lost() {
    let deep = format!("{}x{}", "(".repeat(100_000), ")".repeat(100_000));
    let file = parse(&format!("impl A {{ fn a() {{ 1; {deep}; }}\n fn b() {{ c() }} }}"), 2021);
    let dumped = crate::syntax::dump::file(&file);
    assert!(dumped.starts_with("impl A {\n  fn a() {}\n  fn b() {c()} }\nnotice 1:18 nested too deeply"), "{dumped}");
}

#[test]
fn a_chain_of_fifty_thousand_operators_is_kept() {
    let operands = vec!["x.lock()"; 50_000].join(" + ");
    let file = parse(&format!("fn a() {{ {operands} }}"), 2021);
    assert!(file.notices.is_empty(), "{:?}", file.notices);
    let body = &file.bodies.all()[0];
    assert!(body.exprs.len() >= 150_000, "{}", body.exprs.len());
}

#[test]
fn long_lines_and_big_files_are_ordinary() {
    let line = format!("fn f() {{ {} }}\n", "a.lock().b(c, 1);".repeat(600));
    assert!(line.len() > 10_000);
    let text = line.repeat(40);
    let file = parse(&text, 2021);
    assert!(file.notices.is_empty(), "{:?}", file.notices);
    assert_eq!(file.items.len(), 40);
}

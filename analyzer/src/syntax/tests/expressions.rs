//! Expressions, statements and patterns.

use super::check_bodies;

#[test]
fn calls_and_places_keep_their_source_form() {
    check_bodies(&[
        ("a.lock().unwrap();", "a.lock().unwrap();"),
        ("self.a.b[0].lock()", "self.a.b[0].lock()"),
        ("t.0.1.lock();", "t.0.1.lock();"),
        ("m::<u8>::f::<Arc<Mutex<T>>>(x, y);", "m<u8>::f<Arc<Mutex<T>>>(x, y);"),
        ("v.iter().collect::<Vec<_>>();", "v.iter().collect::<Vec<_>>();"),
        ("<T as Lock>::lock(&m);", "<T>::Lock::lock((&m));"),
        ("<T>::new();", "<T>::new();"),
        ("::std::mem::drop(g);", "::std::mem::drop(g);"),
        ("(f)(x);", "f(x);"),
        ("r#type.r#fn();", "type.fn();"),
        ("f(&mut *g, &raw const x);", "f((&mut (*g)), (&x));"),
        ("x as *const T as usize", "((x as *T) as usize)"),
        ("Point { x: 1, y, ..rest() };", "Point { x: 1, y: y ..rest() };"),
        ("[1, 2]; [x; 3]; (); (a,);", "[1, 2]; [x; 3]; (); (a);"),
        ("a..; ..=b; ..; a..b;", "(a..); (..b); (..); (a..b);"),
        ("_ = x;", "(? = x);"),
        ("(a, _) = x;", "((a, ?) = x);"),
        (r#"f("s", b"s", c"s", 'c', 1.5, 0xff_u8, true);"#, r#"f("", "", "", lit, lit, 255, true);"#),
    ]);
}

#[test]
fn operators_are_sorted_by_how_they_evaluate() {
    check_bodies(&[
        ("a + b * c - d", "((a + (b + c)) + d)"),
        ("a < b", "(a <=> b)"),
        ("a && b || c", "((a && b) || c)"),
        ("a && (b && c)", "(a && (b && c))"),
        ("*a += *b;", "((*a) += (*b));"),
        ("a = b = c;", "(a = (b = c));"),
        ("!-a", "(!(!a))"),
    ]);
}

#[test]
fn a_long_chain_is_balanced_and_keeps_its_order() {
    let operands: Vec<String> = (0..1000).map(|n| format!("x{n}")).collect();
    let dumped = super::body(&operands.join(" || "));
    let deepest = dumped.chars().scan(0, |depth, c| {
        *depth += i32::from(c == '(') - i32::from(c == ')');
        Some(*depth)
    });
    assert!(deepest.max().is_some_and(|deepest| deepest <= 32), "{dumped}");
    assert_eq!(dumped.replace(['(', ')'], ""), operands.join(" || "));
}

#[test]
fn control_flow() {
    check_bodies(&[
        ("if a { b } else if c { d } else { e }", "if a {b} else if c {d} else {e}"),
        ("if let Some(x) = y && x.ok() { z }", "if (let Some(x) = y && x.ok()) {z}"),
        ("while let Some(x) = q.pop() { f(x); }", "while let Some(x) = q.pop() {f(x);}"),
        ("'a: while c { continue 'a; }", "'a: while c {continue 'a: ;}"),
        ("'o: for (i, x) in v.iter() { break 'o; }", "'o: for (i, x) in v.iter() {break 'o: ;}"),
        ("let x = loop { break 1; };", "let x = loop {break 1;};"),
        ("'b: { break 'b x; }", "'b: {break 'b: x;}"),
        (
            "match x { A(y) if y.ok() => y, B { z, .. } => return z, _ => {} }",
            "match x {A(y) if y.ok() => y, B { z: z } => return z, _ => {}}",
        ),
        ("let Some(x) = y else { return; };", "let Some(x) = y else {return;};"),
        ("let x: Vec<u8>;", "let x: Vec<u8>;"),
        ("unsafe { x }", "unsafe {x}"),
        ("const { x };", "const {x};"),
        ("x?.y?;", "x?.y?;"),
    ]);
}

#[test]
fn closures_and_async_code() {
    check_bodies(&[
        ("f(|x, y: u8| x + y);", "f((|x, y: u8| (x + y)));"),
        ("spawn(move || { g() });", "spawn((move || {g()}));"),
        ("f(async move |x| -> u8 { x });", "f((async move |x| -> u8 {x}));"),
        ("async move { a().await };", "async move {a().await};"),
        ("m.lock().await.push(f().await?);", "m.lock().await.push(f().await?);"),
    ]);
}

#[test]
fn only_a_last_expression_without_semicolon_is_the_value() {
    check_bodies(&[
        ("if a {} b();", "if a {}; b();"),
        ("match a {} loop {} b", "match a {}; loop {}; b"),
        ("{ a } b;", "{a}; b;"),
        ("m! { a } b;", "m!Unknown(a); b;"),
        ("m! { a }", "m!Unknown(a)"),
        ("m!(a)", "m!Unknown(a)"),
        ("m!(a);", "m!Unknown(a);"),
        (";;a;", "a;"),
    ]);
}

#[test]
fn patterns() {
    check_bodies(&[
        ("let &(ref a, mut b, _, ..) = x;", "let &(ref a, b, _, ..) = x;"),
        ("let n @ 1..=5 = x;", "let n @ const = x;"),
        ("let (A | B) = x;", "let (A | B) = x;"),
        ("let [a, .., b] = x;", "let [a, .., b] = x;"),
        ("let E::Unit = x;", "let E::Unit = x;"),
        ("let S { a, b: ref c, 0: d, .. } = x;", "let S { a: a, b: ref c, 0: d } = x;"),
        ("let <T as U>::C = x;", "let U::C = x;"),
        ("let -1 = x;", "let const = x;"),
    ]);
}

#[test]
fn items_inside_bodies_belong_to_the_body() {
    check_bodies(&[
        ("fn g() { h() } g();", "[fn g() {h()}] g();"),
        ("use a::b; static X: u8 = 1;", "[use a::b as b] [Static X: u8 = 1]"),
        ("thread_local! { static T: C = C::new(); }", "[ThreadLocal T: C = C::new()]"),
    ]);
}

//! Lines, columns and extents.

use crate::syntax::{ExprKind, Span, parse};

/// The text between two positions of one line.
fn text(source: &str, span: Span) -> String {
    assert_eq!(span.start.line, span.end.line);
    let line = source.lines().nth(span.start.line as usize - 1).expect("the line exists");
    line.chars().skip(span.start.column as usize - 1).take((span.end.column - span.start.column) as usize).collect()
}

#[test]
fn spans_cover_what_was_written() {
    let source = "fn f() {\n    (/* ä */ é.x).lock(a, 1).unwrap();\n    x = &(y + z) as *const T;\n    'l: loop {}\n    unsafe { q };\n    m!(r);\n    return <A as B>::c;\n    -(1..=2) }";
    let file = parse(source, 2021);
    let body = &file.bodies.all()[0];
    let spans: Vec<String> =
        body.exprs.iter().filter(|e| e.span.start.line == e.span.end.line).map(|e| text(source, e.span)).collect();
    let expected = [
        "é",
        "é.x",
        "a",
        "1",
        "(/* ä */ é.x).lock(a, 1)",
        "(/* ä */ é.x).lock(a, 1).unwrap()",
        "x",
        "y",
        "z",
        "y + z",
        "&(y + z)",
        "&(y + z) as *const T",
        "x = &(y + z) as *const T",
        "{}",
        "'l: loop {}",
        "q",
        "unsafe { q }",
        "r",
        "m!(r)",
        "<A as B>::c",
        "return <A as B>::c",
        "1",
        "2",
        "1..=2",
        "-(1..=2)",
    ];
    assert_eq!(spans, expected);
    let methods: Vec<String> = (body.exprs.iter())
        .filter_map(|e| match &e.kind {
            ExprKind::MethodCall { method_span, .. } => Some(text(source, *method_span)),
            _ => None,
        })
        .collect();
    assert_eq!(methods, ["lock", "unwrap"]);
}

#[test]
fn columns_count_characters_from_one() {
    let source = "\u{feff}#!/usr/bin/env run\r\n/* 😀é */ fn f() { \"😀\".g() }";
    let file = parse(source, 2021);
    assert!(file.notices.is_empty(), "{:?}", file.notices);
    let item = &file.items[0];
    assert_eq!((item.span.start.line, item.span.start.column), (2, 13));
    let call =
        &file.bodies.all()[0].exprs.iter().find(|e| matches!(e.kind, ExprKind::MethodCall { .. })).expect("a call");
    assert_eq!((call.span.start.column, call.span.end.column), (19, 26));
}

#[test]
fn children_come_before_their_parents() {
    let source = "fn f(a: A) { if let Some(x) = a.b(|y| y + 1) && c { match x { d => e.f()?, _ => vec![1, 2][0] } } }";
    let file = parse(source, 2024);
    let body = &file.bodies.all()[0];
    assert_eq!(body.root.0 as usize, body.exprs.len() - 1);
    let text = format!("{:?}", body.exprs);
    assert!(!text.is_empty());
    for (index, expr) in body.exprs.iter().enumerate() {
        for part in format!("{:?}", expr.kind).split("ExprId(").skip(1) {
            let child: usize = part.split(')').next().and_then(|n| n.parse().ok()).expect("an index");
            assert!(child < index, "{child} in {index}");
        }
    }
}

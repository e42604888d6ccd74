//! Properties over mutated sources: nothing makes the parser panic, and spans stay inside the text.

use crate::syntax::comments::comments;
use crate::syntax::{AssocItem, Body, ExprKind, FileSyntax, Function, Item, ItemKind, MAX_EXPR_DEPTH, Span, parse};
use proptest::prelude::*;

/// Real sources with many constructs in them.
const SOURCES: [&str; 6] = [
    include_str!("../macros.rs"),
    include_str!("../exprs.rs"),
    include_str!("../select.rs"),
    include_str!("../recover.rs"),
    include_str!("../shape.rs"),
    "use a::{self, b as c};\nasync fn f<T: A + Send>(x: &mut T, (a, b): (u8, u8)) -> impl B where T: C {\n    tokio::select! { biased; Some(x) = rx.recv(), if ok() => { f(x) } _ = t.tick() => g(), else => h() }\n    let Some(g) = m.lock().await else { return };\n    'a: while let Some(x) = q.lock().unwrap().pop() { if let Ok(y) = x && y.z() { break 'a; } }\n    matches!(m.lock().get(), Some(1..=2) if b); vec![0; n]; println!(\"{}\", m.lock()); json!({\"a\": [x()]});\n}\nlazy_static! { static ref A: Mutex<u8> = Mutex::new(0); }\ncfg_if! { if #[cfg(test)] { mod t { fn g() {} } } else { trait T { type A; fn f(&self) -> Box<dyn Fn(u8)>; } } }\n#[cfg(test)] impl !Send for X {}\n",
];

/// Every span of a tree, and the shape its arenas must have.
fn check(text: &str, file: &FileSyntax) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lengths: Vec<u32> = text.split('\n').map(|line| line.chars().count() as u32).collect();
    let inside = |span: Span| {
        for pos in [span.start, span.end] {
            let line = lengths.get((pos.line as usize).wrapping_sub(1));
            assert!(line.is_some_and(|&length| (1..=length + 1).contains(&pos.column)), "{span:?}\n{text}");
        }
        assert!(span.start <= span.end, "{span:?}\n{text}");
    };
    file.notices.iter().for_each(|notice| inside(notice.span));
    for notice in &file.notices {
        assert!(!notice.message.contains("the parser failed"), "{text}");
    }
    items(&file.items, &inside);
    file.bodies.all().iter().for_each(|code| body(code, &inside));
}

fn items(list: &[Item], inside: &impl Fn(Span)) {
    for item in list {
        inside(item.span);
        match &item.kind {
            ItemKind::Mod { items: Some(list), .. } => items(list, inside),
            ItemKind::Struct { fields, .. } => fields.iter().for_each(|field| inside(field.span)),
            ItemKind::Static { init: Some(init), .. } => items(&init.items, inside),
            ItemKind::Fn(f) => function(f, inside),
            ItemKind::Impl { items, .. } | ItemKind::Trait { items, .. } => {
                for item in items {
                    if let AssocItem::Fn(f) = item {
                        function(f, inside);
                    }
                }
            }
            _ => {}
        }
    }
}

fn function(f: &Function, inside: &impl Fn(Span)) {
    inside(f.span);
    if let Some(b) = &f.body {
        items(&b.items, inside);
    }
}

fn body(body: &Body, inside: &impl Fn(Span)) {
    assert!((body.root.0 as usize) < body.exprs.len());
    body.pats.iter().for_each(|pat| inside(pat.span));
    for expr in &body.exprs {
        inside(expr.span);
        if let ExprKind::MethodCall { method_span, .. } = &expr.kind {
            inside(*method_span);
        }
    }
}

/// What is done to a text: a kind, a place, another place and a length.
type Mutation = (u8, usize, usize, usize);

fn mutate(text: &str, mutations: &[Mutation]) -> String {
    const NOISE: [&str; 16] =
        ["{", "}", "(", ")", "\"", "'", "/*", "*/", "#", "r#\"", "é😀", "\r\n", "async", "<", "!", "\0"];
    let mut chars: Vec<char> = text.chars().collect();
    for &(kind, a, b, length) in mutations {
        let (a, b) = (a % (chars.len() + 1), b % (chars.len() + 1));
        let end = (a + length).min(chars.len());
        let piece: Vec<char> = chars[a..end].to_vec();
        match kind % 4 {
            0 => drop(chars.drain(a..end)),
            1 => drop(chars.splice(b..b, piece)),
            2 => {
                chars.drain(a..end);
                let b = b.min(chars.len());
                chars.splice(b..b, piece);
            }
            _ => drop(chars.splice(a..a, NOISE[b % NOISE.len()].chars())),
        }
    }
    chars.into_iter().collect()
}

#[test]
fn sources_as_they_are() {
    for source in SOURCES {
        let file = parse(source, 2024);
        assert!(file.notices.is_empty(), "{:?}", file.notices);
        check(source, &file);
    }
}

#[test]
fn comments_are_exactly_what_the_tokenizer_skips() {
    for source in SOURCES {
        let mut lines: Vec<Vec<char>> = source.lines().map(|line| line.chars().collect()).collect();
        let found = comments(source);
        for comment in &found {
            let (start, end) = (comment.span.start, comment.span.end);
            assert_eq!(start.line, end.line);
            lines[start.line as usize - 1][start.column as usize - 1..end.column as usize - 1].fill(' ');
        }
        let without: String = lines.iter().flat_map(|line| line.iter().chain(['\n'].iter())).collect();
        let tokens = |text: &str| text.parse::<proc_macro2::TokenStream>().expect("it tokenizes").to_string();
        assert_eq!(tokens(&without), tokens(source));
        assert!(comments(&without).is_empty());
    }
    assert!(SOURCES.iter().map(|source| comments(source).len()).sum::<usize>() > 5);
}

#[test]
fn depth_of_the_tree_is_bounded() {
    fn depth(body: &Body) -> usize {
        // Children come first, so one pass finds the depth of every expression.
        let mut depths = vec![1_usize; body.exprs.len()];
        for (index, expr) in body.exprs.iter().enumerate() {
            for part in format!("{:?}", expr.kind).split("ExprId(").skip(1) {
                let child: usize = part.split(')').next().and_then(|n| n.parse().ok()).expect("an index");
                depths[index] = depths[index].max(depths[child] + 1);
            }
        }
        depths[body.root.0 as usize]
    }
    for (before, after) in [
        ("(a + ", ")"),
        ("f(", ")"),
        ("{ let x = ", "; }"),
        ("!", ""),
        ("", ".a(|| b)"),
        ("a + ", ""),
        ("match y { &z @ (_, 1) => ", "}"),
        ("if let &A(1) = ", " {}"),
        ("return async move {", "}"),
    ] {
        let text = format!("fn f() {{ {}x{} }}", before.repeat(3000), after.repeat(3000));
        let file = parse(&text, 2021);
        check(&text, &file);
        let depth = depth(&file.bodies.all()[0]);
        assert!(depth <= MAX_EXPR_DEPTH as usize + 2, "{depth} for {before}x{after}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn mutated_sources_give_a_tree(
        source in 0..SOURCES.len(),
        window in (any::<usize>(), 0_usize..4000),
        mutations in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), 1_usize..60), 0..8),
    ) {
        let lines: Vec<&str> = SOURCES[source].split_inclusive('\n').collect();
        let first = window.0 % lines.len();
        let part: String = lines[first..].concat().chars().take(window.1).collect();
        let text = mutate(&part, &mutations);
        check(&text, &parse(&text, 2015));
        for comment in comments(&text) {
            prop_assert!(comment.span.start < comment.span.end);
        }
    }

    #[test]
    fn token_soup_gives_a_tree(tokens in prop::collection::vec(0_usize..40, 0..120)) {
        const WORDS: [&str; 40] = [
            "fn", "f", "(", ")", "{", "}", "[", "]", "<", ">", ",", ";", ":", "::", "->", "=>", "=", "&", "|", "!",
            "#", "impl", "trait", "mod", "struct", "let", "if", "else", "match", "select", "async", "move", "'a", "\"s\"",
            "1", "..", "x", ".", "use", "static",
        ];
        let text: String = tokens.iter().flat_map(|&token| [WORDS[token], " "]).collect();
        check(&text, &parse(&text, 2018));
    }
}

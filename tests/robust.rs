//! Whatever is given to `scan`, it ends soon, with a report or a message: huge, deep, broken and generated texts, and
//! folders that are no projects.
//!
//! Sizes are chosen so that anything worse than linear would not end within the limit, also without optimisation.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use lockcheck::finding::{Level, NoticeKind, Report};
use lockcheck::source::{Request, discover};
use lockcheck_tests::snippets::{scan, scan_path};
use lockcheck_tests::{folder, lockcheck};

/// The longest that an input here may take; all of them take a small part of it.
const LIMIT: Duration = Duration::from_secs(60);

const HEAD: &str = "use std::sync::Mutex;\npub struct S { a: Mutex<u32>, b: Mutex<u32> }\n";

/// A method that locks twice: it must be found whatever stands before it.
const TWICE: &str = "\nimpl S { pub fn twice(&self) { let _g = self.a.lock(); drop(self.a.lock()); } }\n";

fn timed(name: &str, text: &str) -> Report {
    let started = Instant::now();
    let report = scan(text, "2021");
    let took = started.elapsed();
    assert!(took < LIMIT, "{name}: {took:?} for {} bytes", text.len());
    let broken = report.notices.iter().find(|notice| notice.kind == NoticeKind::InternalError);
    assert!(broken.is_none(), "{name}: {broken:?}");
    report
}

fn finds_twice(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|found| found.rule == "double_lock" && found.primary.function.as_deref() == Some("S::twice"))
}

/// `open` n times, `middle`, `close` n times.
fn nested(open: &str, n: usize, middle: &str, close: &str) -> String {
    format!("{}{middle}{}", open.repeat(n), close.repeat(n))
}

#[test]
fn deep_texts_cost_at_most_the_item_they_stand_in() {
    let cases = [
        ("parentheses", format!("fn f() -> u32 {{ {} }}", nested("(", 100_000, "1", ")"))),
        ("braces", format!("fn f() {{ {} }}", nested("{", 100_000, "", "}"))),
        ("types", format!("struct A {{ a: {} }}", nested("Vec<", 50_000, "u32", ">"))),
        ("patterns", format!("fn f(x: u32) {{ let {} = x; }}", nested("(", 50_000, "y", ",)"))),
        ("use trees", format!("use a::{};", nested("{b::", 20_000, "c", "}"))),
        ("attributes", format!("#[a({})] fn f() {{}}", nested("(", 50_000, "", ")"))),
        ("many attributes", format!("{} fn f() {{}}", "#[a]\n".repeat(50_000))),
        ("modules", nested("mod a {", 5_000, "", "}")),
        ("references", format!("fn f(a: {}u32) {{}}", "&".repeat(50_000))),
        ("operators", format!("fn f() -> bool {{ {}true }}", "!".repeat(50_000))),
        ("sums", format!("fn f() -> u32 {{ {}1 }}", "1 + ".repeat(50_000))),
        ("method chains", format!("fn f(s: &S) {{ s{}; }}", ".x()".repeat(30_000))),
        ("else if", format!("fn f(x: u32) {{ if x == 0 {{}} {} }}", "else if x == 1 {} ".repeat(10_000))),
        ("macros", nested("m! { ", 2_000, "", " }")),
        ("raw strings", format!("fn f() {{ let a = r{}\"x\"; }}", "#".repeat(10_000))),
    ];
    for (name, text) in cases {
        let report = timed(name, &format!("{HEAD}{text}{TWICE}"));
        // A raw string that nobody closes takes the rest of the file with it.
        assert!(finds_twice(&report) || name == "raw strings", "{name}: {:?}", report.notices);
    }
}

#[test]
fn texts_of_one_kind_in_great_number_are_linear() {
    let functions = (0..8_000).fold(String::new(), |mut out, n| {
        let _ = writeln!(
            out,
            "impl S {{ pub fn f{n}(&self, x: u32) -> u32 {{ let mut g = self.a.lock().unwrap(); *g += x; *g }} }}"
        );
        out
    });
    let arms = (0..4_000).fold(String::new(), |out, n| out + &format!("{n} => {{ let g = s.a.lock().unwrap(); }}\n"));
    let guards = (0..4_000).fold(String::new(), |out, n| out + &format!("let g{n} = s.a.lock().unwrap();\n"));
    let returns =
        (0..4_000).fold(String::new(), |out, n| out + &format!("if x == {n} {{ drop(s.b.lock()); return; }}\n"));
    let cases = [
        ("functions", functions),
        ("array literal", format!("static A: [u32; 200000] = [{}];", "12345,".repeat(200_000))),
        ("one line", format!("fn f() {{ {} }}", "let a = 1 + 2; ".repeat(40_000))),
        ("arms", format!("fn f(s: &S, x: u32) {{ match x {{ {arms} _ => {{}} }} }}")),
        ("guards", format!("fn f(s: &S) {{ {guards} }}")),
        ("returns", format!("fn f(s: &S, x: u32) {{ let g = s.a.lock().unwrap(); {returns} }}")),
        ("suppressions", "// lockcheck: allow(double_lock) -- x\n".repeat(20_000) + "fn f() {}"),
        (
            "attributes that suppress",
            "#[cfg_attr(lockcheck, allow(lockcheck::double_lock, reason = \"x\"))]\n".repeat(5_000) + "fn f() {}",
        ),
    ];
    for (name, text) in cases {
        let report = timed(name, &format!("{HEAD}{text}{TWICE}"));
        assert!(finds_twice(&report), "{name}: {:?}", report.notices);
    }
    let open = timed("ten million braces", &"{".repeat(10_000_000));
    assert!(open.findings.is_empty() && !open.notices.is_empty());
}

#[test]
fn calls_in_rings_chains_and_closures_are_bounded() {
    let ring = |n: usize| {
        (0..n).fold(HEAD.to_owned(), |out, at| {
            out + &format!("fn r{at}(s: &S) {{ let g = s.a.lock().unwrap(); drop(g); r{}(s); }}\n", (at + 1) % n)
        })
    };
    // Every function holds a lock of its own while it calls the next one.
    let chain = (0..2_000).fold("use std::sync::Mutex;\n".to_owned(), |out, at| {
        out + &format!(
            "static L{at}: Mutex<u32> = Mutex::new(0);\nfn c{at}() {{ let g = L{at}.lock().unwrap(); c{}(); }}\n",
            at + 1
        )
    });
    let twice = |inner: &str| format!("{HEAD}fn g(f: impl Fn()) {{ f(); f(); }}\nfn f(s: &S) {{ {inner} }}\n{TWICE}");
    let called = (1..60).fold("let c0 = || drop(s.b.lock());".to_owned(), |out, at| {
        out + &format!("let c{at} = || {{ c{0}(); c{0}(); }};", at - 1)
    });
    timed("ring", &ring(10_000));
    timed("chain", &chain);
    for (name, inner) in [
        ("closures that are called twice", nested("let c = || { drop(s.b.lock());", 60, "", "}; c(); c();")),
        ("closures that are passed on", nested("g(|| ", 100, "drop(s.b.lock())", ")")),
        ("closures that call closures", format!("{called} c59();")),
    ] {
        assert!(finds_twice(&timed(name, &twice(&inner))), "{name}");
    }
}

#[test]
fn branches_nested_over_one_lock_are_not_worse_than_their_text() {
    for (name, open, close) in [
        ("match", "match *s.a.lock().unwrap() { 0 => {} _ => ", " }"),
        ("match on results", "match s.a.lock() { Ok(g) => ", ", Err(_) => { return; } }"),
        ("try_lock", "match s.a.try_lock() { Ok(g) => { drop(g); } Err(_) => ", " }"),
        ("if let", "if let 0 = *s.a.lock().unwrap() {} else { ", " }"),
        ("while let", "while let Ok(g) = s.a.lock() { ", " }"),
        ("for", "for x in s.a.lock().iter() { ", " }"),
        ("loop", "loop { let g = s.a.lock().unwrap(); if *g > 3 { break; } ", " }"),
        ("map", "s.a.lock().map(|g| ", ")"),
    ] {
        let text = format!("{HEAD}fn f(s: &S) {{ {}; }}\n{TWICE}", nested(open, 390, "drop(s.b.lock())", close));
        assert!(finds_twice(&timed(name, &text)), "{name}");
    }
}

#[test]
fn one_broken_function_costs_itself_only() {
    let good = |n: usize| {
        format!(
            "impl S {{\n    pub fn f{n}(&self) {{\n        let _g = self.a.lock();\n        drop(self.a.lock());\n    }}\n}}\n"
        )
    };
    for broken in [
        "fn broken( { let x = ; }",
        "fn broken() { let = match }",
        "fn broken() -> { @ }",
        "impl S { fn broken(&self) { self.; } }",
    ] {
        let mut text = HEAD.to_owned();
        for n in 0..166 {
            text += &if n == 80 { format!("{broken}\n") } else { good(n) };
        }
        assert!(text.lines().count() > 950);
        let report = timed(broken, &text);
        let found =
            report.findings.iter().filter(|found| found.rule == "double_lock" && found.level == Level::Deny).count();
        assert_eq!(found, 165, "{broken}");
        assert_eq!(
            report.notices.iter().filter(|notice| notice.kind == NoticeKind::UnparsedFile).count(),
            1,
            "{broken}"
        );
    }
}

#[test]
fn syntax_of_the_first_edition_loses_at_most_its_item() {
    let text = format!(
        "{HEAD}extern crate std;\ntrait Old {{ fn anonymous(&self, u32) -> Box<Fn(u32) -> u32>; }}\n\
         struct Holder {{ callback: Box<FnMut(&Old)>, old: &'static (Old + Send) }}\n\
         fn tried(s: &S) -> Result<u32, ()> {{ let v = try!(Ok(1)); match v {{ 0...9 => Ok(0), _ => Err(()) }} }}\n\
         fn async(await: u32) -> u32 {{ await }}\n{TWICE}"
    );
    let report = scan(&text, "2015");
    assert!(finds_twice(&report), "{:?}", report.notices);
    assert!(report.notices.len() <= 1, "{:?}", report.notices);
}

#[test]
fn generated_names_do_not_multiply() {
    let globs = (0..1_000).fold(String::new(), |out, n| {
        out + &format!("mod m{n} {{ pub use super::m{}::*; pub fn f{n}() {{}} }}\n", (n + 1) % 1_000)
    });
    let aliases = (0..60).fold(String::new(), |out, n| out + &format!("type A{n} = (A{0}, A{0});\n", n + 1));
    let supers = (0..1_000).fold(String::new(), |out, n| out + &format!("trait T{n}: T{} {{}}\n", (n + 1) % 1_000));
    let impls = (0..3_000).fold("trait T { fn t(&self); }\n".to_owned(), |out, n| {
        out + &format!("struct X{n}; impl T for X{n} {{ fn t(&self) {{}} }} fn c{n}(x: &dyn T) {{ x.t(); }}\n")
    });
    for (name, text) in [
        ("glob imports in a ring", globs),
        ("aliases that double", format!("{aliases} struct U {{ a: A0 }}")),
        ("supertraits in a ring", format!("{supers} fn f(x: &dyn T0) {{ x.t(); }}")),
        ("implementations", impls),
    ] {
        assert!(finds_twice(&timed(name, &format!("{HEAD}{text}{TWICE}"))), "{name}");
    }
}

#[test]
fn files_that_are_no_text_are_notices() {
    let dir = folder(&[("src/lib.rs", &format!("{HEAD}{TWICE}")), ("x.rs/inner.rs", "fn f() {}")]);
    std::fs::write(dir.path().join("src/latin.rs"), b"fn f() { \"\xe9\" }").expect("write");
    std::fs::write(dir.path().join("src/nul.rs"), b"fn f() {}\0").expect("write");
    std::fs::write(dir.path().join("src/utf16.rs"), b"\xff\xfef\0n\0").expect("write");
    std::fs::write(dir.path().join("src/empty.rs"), b"").expect("write");
    let report = scan_path(dir.path(), dir.path());
    assert!(finds_twice(&report));
    assert_eq!(
        report.summary.files, 3,
        "the library, the empty file, and the one in a folder that is named like a file"
    );
    let unread = report.notices.iter().filter(|notice| notice.kind == NoticeKind::UnreadableFile).count();
    assert_eq!(unread, 3, "{:?}", report.notices);
}

#[cfg(unix)]
#[test]
fn links_pipes_and_locked_folders_do_not_hold_a_scan_up() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = folder(&[("src/lib.rs", &format!("{HEAD}{TWICE}")), ("closed/a.rs", "fn f() {}"), ("b.rs", "fn f() {}")]);
    symlink(dir.path(), dir.path().join("src/round")).expect("link");
    symlink("self.rs", dir.path().join("self.rs")).expect("link");
    symlink("/nowhere/at/all.rs", dir.path().join("dangling.rs")).expect("link");
    symlink("/dev/zero", dir.path().join("endless.rs")).expect("link");
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
    mode(&dir.path().join("closed"), 0o000);
    mode(&dir.path().join("b.rs"), 0o000);
    let started = Instant::now();
    let report = scan_path(dir.path(), dir.path());
    mode(&dir.path().join("closed"), 0o755);
    assert!(started.elapsed() < LIMIT && finds_twice(&report), "{:?}", report.notices);
    let done = lockcheck(dir.path(), &["scan", "endless.rs"]);
    assert_eq!(done.code, Some(2), "{done:?}");
}

#[test]
fn manifests_that_lead_round_are_read_once() {
    let library = format!("{HEAD}{TWICE}");
    let member = |name: &str, other: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\nworkspace = \"../{other}\"\n[dependencies]\n{other} = {{ path = \"../{other}\" }}\n"
        )
    };
    let dir = folder(&[
        ("a/Cargo.toml", &member("a", "b")),
        ("a/src/lib.rs", &library),
        ("b/Cargo.toml", &member("b", "a")),
        ("b/src/lib.rs", "pub use a::S;\npub mod a { pub use crate::b::*; }\npub mod b { pub use crate::a::*; }\n"),
    ]);
    let started = Instant::now();
    assert!(finds_twice(&scan_path(dir.path(), dir.path())));
    assert!(started.elapsed() < LIMIT);
    let round = folder(&[
        ("src/lib.rs", "#[path = \"lib.rs\"] mod again;\nmod a;\n"),
        ("src/a.rs", "#[path = \"lib.rs\"] mod b;\n"),
    ]);
    assert!(scan_path(round.path(), round.path()).findings.is_empty());
}

#[test]
fn nothing_to_look_at_is_a_message() {
    let empty = tempfile::tempdir().expect("dir");
    let done = lockcheck(empty.path(), &["scan"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    let workspace = folder(&[("Cargo.toml", "[workspace]\nmembers = []\n")]);
    assert_eq!(lockcheck(workspace.path(), &["scan"]).code, Some(2));
    let broken = folder(&[("Cargo.toml", "[package\n"), ("src/lib.rs", "fn f() {}")]);
    assert_eq!(lockcheck(broken.path(), &["scan"]).code, Some(0));
    let paths = [empty.path().join("missing.rs")];
    let missing = discover(&Request { paths: &paths, cwd: empty.path(), metadata: None });
    assert!(missing.is_err());
}

#[test]
fn types_without_end_are_cut() {
    // The item of the iterator holds the item of the iterator.
    let projection = format!(
        "{HEAD}pub struct Wrap<A, B>(A, B);\n\
         pub fn each<I: Iterator<Item = Wrap<dyn Fn(I::Item) -> I::Item, <I as Iterator>::Item>>>(items: I, s: &S) {{\n\
             for item in items {{ let g = s.a.lock(); let _ = (item.0, item.1); drop(g); }}\n\
         }}\n"
    );
    timed("projection", &projection);
    let wrapped = (0..20_000).fold(format!("{HEAD}fn f(s: &S) {{ let x = 1u32;\n"), |mut out, _| {
        out.push_str("let x = Some(x);\n");
        out
    });
    timed("wrapped", &(wrapped + "let _ = x; }"));
    let doubled = (0..200).fold(format!("{HEAD}fn f(s: &S) {{ let x = 1u32;\n"), |mut out, _| {
        out.push_str("let x = (x, x);\n");
        out
    });
    timed("doubled", &(doubled + "let _ = x; }"));
}

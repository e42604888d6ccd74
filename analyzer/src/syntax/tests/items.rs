//! Items, types, generics and attributes.

use super::check_files;

#[test]
fn structs_enums_and_aliases() {
    check_files(&[
        (
            "pub struct S<T: Send = u8> where T: Sync { a: Arc<Mutex<T>>, pub(crate) b: [u8; 4] }",
            "pub struct S<T: Send + Sync = u8> { a: Arc<Mutex<T>>, b: [u8] }",
        ),
        ("struct T(pub u8, &'static str);", "struct T { 0: u8, 1: &str }"),
        ("union U { a: u8, b: i8 }", "struct U { a: u8, b: i8 }"),
        ("enum E<T> { A, B(T), C { x: u8 } }", "enum E<T> { A(), B(0: T), C(x: u8) }"),
        ("type Shared<T> = Arc<Mutex<T>>;", "type Shared<T> = Arc<Mutex<T>>"),
    ]);
}

#[test]
fn types_as_written() {
    check_files(&[
        ("type A = Box<dyn Fn(u8) -> u8 + Send>;", "type A = Box<dyn Fn<u8, Output = u8> + Send>"),
        ("type A = Box<Any + Send>;", "type A = Box<dyn Any + Send>"),
        ("type A = <T as Iterator>::Item;", "type A = <T as Iterator>::Item"),
        ("type A = <<T as B>::C as D>::E;", "type A = <<T as B>::C as D>::E"),
        ("type A = <T>::B::C;", "type A = <<T>::B>::C"),
        ("type A = T::Item;", "type A = T::Item"),
        (
            "type A = (u8, *const u8, fn(u8) -> !, &mut [u8], &'a str);",
            "type A = (u8, *u8, fn(u8) -> !, &mut [u8], &str)",
        ),
        ("type A = I<Item = u8, B: Send, 3, 'a, { N }>;", "type A = I<Item = u8, B = impl Send>"),
        ("type A = for<'a> fn(&'a u8);", "type A = fn(&u8)"),
        ("type A = m!(x);", "type A = ?"),
    ]);
}

#[test]
fn functions_and_receivers() {
    check_files(&[
        (
            "pub async fn f<T, U>(a: T, (b, _): (U, u8)) -> impl Iterator<Item = T> where U: Send {}",
            "pub async fn f<T, U: Send>(a: T, (b, _): (U, u8)) -> impl Iterator<Item = T> {}",
        ),
        ("fn f(x: impl Fn(u8) + Send, y: &dyn A) {}", "fn f(x: impl Fn<u8, Output = ()> + Send, y: &dyn A) {}"),
        (
            "impl<T: A> B<T> for C<T> { fn a(&self) {} fn b(&mut self, x: u8) {} fn c(mut self: Arc<Self>) {} fn d(self) {} }",
            "impl<T: A> B<T> for C<T> {\n  fn a(&self) {}\n  fn b(&mut self, x: u8) {}\n  fn c(self: Arc<Self>) {}\n  fn d(self) {} }",
        ),
        ("unsafe impl Sync for A {} impl !Send for A {}", "unsafe impl Sync for A { }\nimpl !Send for A { }"),
        (
            "trait T: Send + 'static { type A: B; type C = u8; const D: u8 = 1; fn e(&self, x: u8); fn f() {} }",
            "trait T: Send {\n  type A\n  type C = u8\n  const D: u8\n  fn e(&self, u8);\n  fn f() {} }",
        ),
        ("extern \"C\" { fn c(x: u8, ...) -> u8; static mut S: u8; }", "fn c(u8) -> u8;\nStaticMut S: u8"),
    ]);
}

#[test]
fn imports_are_flat() {
    check_files(&[
        ("use a::{self, b::{c as d, *}, e as _};", "use a as a, a::b::c as d, a::b as *, a::e as _"),
        ("use ::std::sync::Mutex;", "use ::std::sync::Mutex as Mutex"),
        ("use {a, b::c};", "use a as a, b::c as c"),
        ("use self::a::self as x;", "use self::a as x"),
        ("extern crate foo as bar; extern crate baz;", "extern crate foo as bar\nextern crate baz as baz"),
    ]);
}

#[test]
fn statics_and_their_initialisers() {
    check_files(&[
        ("static A: Mutex<u8> = Mutex::new(0);", "Static A: Mutex<u8> = Mutex::new(0)"),
        ("static mut B: u8 = 0; const C: usize = 4;", "StaticMut B: u8 = 0\nConst C: usize = 4"),
        (
            "lazy_static! { pub static ref A: Mutex<u8> = Mutex::new(0); static ref B: u8 = f(); }",
            "pub Lazy A: Mutex<u8> = Mutex::new(0)\nLazy B: u8 = f()",
        ),
        (
            "std::thread_local!(static A: u8 = const { 1 }; pub static B: u8 = 2);",
            "ThreadLocal A: u8 = const {1}\npub ThreadLocal B: u8 = 2",
        ),
        ("tokio::task_local! { static ID: u8; }", "ThreadLocal ID: u8"),
    ]);
}

#[test]
fn test_code_is_marked_also_inside() {
    check_files(&[
        ("#[test] fn f() {}", "#test #test fn f() {}"),
        ("#[tokio::test(flavor = \"multi_thread\")] async fn f() {}", "#test #test async fn f() {}"),
        (
            "#[cfg(test)] mod t { fn f() { fn g() {} } }",
            "#test mod t {\n  #test #test fn f() {[#test #test fn g() {}]}\n}",
        ),
        ("#[cfg(all(test, unix))] fn f() {} fn g() {}", "#test #test fn f() {}\nfn g() {}"),
        ("#[cfg(any(test, unix))] fn f() {}", "fn f() {}"),
        ("#[cfg(not(test))] fn f() {}", "fn f() {}"),
        ("#[cfg_attr(test, inline)] fn f() {}", "fn f() {}"),
        ("impl A { #[cfg(test)] fn f() {} fn g() {} }", "impl A {\n  #test fn f() {}\n  fn g() {} }"),
        ("#![cfg(test)] fn f() {}", "#test #test fn f() {}"),
        ("#[cfg(FALSE)] fn f() {} #[cfg(unix)] fn f() {}", "fn f() {}\nfn f() {}"),
    ]);
}

#[test]
fn modules() {
    check_files(&[(
        "mod a; #[path = \"x/y.rs\"] pub mod b; mod c { mod d; }",
        "mod a;\npub mod b;x/y.rs\nmod c {\n  mod d;\n}",
    )]);
}

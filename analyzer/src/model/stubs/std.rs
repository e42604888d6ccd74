//! What the analysis must know of the standard library, as signatures. Read by lockcheck, never compiled.
//! Iterators are one type `Iter<T>`; lifetimes, const arguments and trait machinery are left out.

pub mod prelude {
    pub use crate::boxed::Box;
    pub use crate::clone::Clone;
    pub use crate::default::Default;
    pub use crate::iter::{DoubleEndedIterator, Extend, FromIterator, IntoIterator, Iterator};
    pub use crate::mem::drop;
    pub use crate::ops::{Drop, Fn, FnMut, FnOnce};
    pub use crate::option::Option;
    pub use crate::option::Option::{None, Some};
    pub use crate::result::Result;
    pub use crate::result::Result::{Err, Ok};
    pub use crate::string::String;
    pub use crate::vec::Vec;
}

pub mod clone {
    pub trait Clone {
        fn clone(&self) -> Self {}
    }
}
pub mod default {
    pub trait Default {
        fn default() -> Self {}
    }
}
pub mod convert {
    pub trait Into<T> {
        fn into(self) -> T {}
    }
    pub trait From<T> {
        fn from(value: T) -> Self {}
    }
    pub trait AsRef<T> {
        fn as_ref(&self) -> &T {}
    }
}
pub mod borrow {
    pub enum Cow<T> {
        Borrowed(T),
        Owned(T),
    }
    impl<T> crate::ops::Deref for Cow<T> {
        type Target = T;
    }
}
pub mod future {
    pub trait Future {}
}
pub mod pin {
    pub struct Pin<P> {
        pointer: P,
    }
    impl<P> Pin<P> {
        pub fn new(pointer: P) -> Pin<P> {}
        pub fn as_mut(&mut self) -> Pin<P> {}
        pub fn as_ref(&self) -> Pin<P> {}
        pub fn get_mut(self) -> P {}
        pub fn get_ref(self) -> P {}
        pub fn into_inner(self) -> P {}
        pub fn set(&mut self, value: P) {}
    }
    impl<P> crate::ops::Deref for Pin<P> {
        type Target = P;
    }
}
pub mod ops {
    pub trait Deref {
        type Target;
        fn deref(&self) -> &Self::Target {}
    }
    pub trait DerefMut {
        fn deref_mut(&mut self) -> &mut Self::Target {}
    }
    pub trait Drop {
        fn drop(&mut self) {}
    }
    pub trait Index<I> {
        type Output;
    }
    pub trait Fn {}
    pub trait FnMut {}
    pub trait FnOnce {}
    pub enum ControlFlow<B, C> {
        Continue(C),
        Break(B),
    }
    pub enum Bound<T> {
        Included(T),
        Excluded(T),
        Unbounded,
    }
}
pub mod mem {
    pub fn drop<T>(value: T) {}
    pub fn forget<T>(value: T) {}
    pub fn take<T>(place: &mut T) -> T {}
    pub fn replace<T>(place: &mut T, value: T) -> T {}
    pub fn swap<T>(a: &mut T, b: &mut T) {}
    pub struct ManuallyDrop<T> {
        value: T,
    }
    impl<T> ManuallyDrop<T> {
        pub fn new(value: T) -> ManuallyDrop<T> {}
        pub fn into_inner(slot: ManuallyDrop<T>) -> T {}
    }
    impl<T> crate::ops::Deref for ManuallyDrop<T> {
        type Target = T;
    }
}
pub mod boxed {
    pub struct Box<T> {
        value: T,
    }
    impl<T> Box<T> {
        pub fn new(value: T) -> Box<T> {}
        pub fn pin(value: T) -> crate::pin::Pin<Box<T>> {}
        pub fn leak(value: Box<T>) -> &mut T {}
        pub fn as_ref(&self) -> &T {}
        pub fn as_mut(&mut self) -> &mut T {}
        pub fn clone(&self) -> Box<T> {}
    }
    impl<T> crate::ops::Deref for Box<T> {
        type Target = T;
    }
}
pub mod rc {
    pub struct Rc<T> {
        value: T,
    }
    pub struct Weak<T> {
        value: T,
    }
    impl<T> Rc<T> {
        pub fn new(value: T) -> Rc<T> {}
        pub fn clone(this: &Rc<T>) -> Rc<T> {}
        pub fn downgrade(this: &Rc<T>) -> Weak<T> {}
        pub fn as_ref(&self) -> &T {}
    }
    impl<T> Weak<T> {
        pub fn upgrade(&self) -> crate::option::Option<Rc<T>> {}
        pub fn clone(&self) -> Weak<T> {}
    }
    impl<T> crate::ops::Deref for Rc<T> {
        type Target = T;
    }
}
pub mod cell {
    pub struct RefCell<T> {
        value: T,
    }
    pub struct Ref<T> {
        value: T,
    }
    pub struct RefMut<T> {
        value: T,
    }
    pub struct Cell<T> {
        value: T,
    }
    pub struct UnsafeCell<T> {
        value: T,
    }
    pub struct OnceCell<T> {
        value: T,
    }
    impl<T> RefCell<T> {
        pub fn new(value: T) -> RefCell<T> {}
        pub fn borrow(&self) -> Ref<T> {}
        pub fn borrow_mut(&self) -> RefMut<T> {}
        pub fn get_mut(&mut self) -> &mut T {}
        pub fn into_inner(self) -> T {}
    }
    impl<T> crate::ops::Deref for Ref<T> {
        type Target = T;
    }
    impl<T> crate::ops::Deref for RefMut<T> {
        type Target = T;
    }
    impl<T> Cell<T> {
        pub fn new(value: T) -> Cell<T> {}
        pub fn get(&self) -> T {}
        pub fn set(&self, value: T) {}
        pub fn take(&self) -> T {}
        pub fn replace(&self, value: T) -> T {}
    }
    impl<T> UnsafeCell<T> {
        pub fn new(value: T) -> UnsafeCell<T> {}
        pub fn get(&self) -> *mut T {}
    }
    impl<T> OnceCell<T> {
        pub fn new() -> OnceCell<T> {}
        pub fn get(&self) -> Option<&T> {}
        pub fn get_or_init<F: FnOnce() -> T>(&self, init: F) -> &T {}
    }
}
pub mod option {
    pub enum Option<T> {
        None,
        Some(T),
    }
    impl<T> Option<T> {
        pub fn is_some(&self) -> bool {}
        pub fn is_none(&self) -> bool {}
        pub fn is_some_and<F: FnOnce(T) -> bool>(self, f: F) -> bool {}
        pub fn is_none_or<F: FnOnce(T) -> bool>(self, f: F) -> bool {}
        pub fn as_ref(&self) -> Option<&T> {}
        pub fn as_mut(&mut self) -> Option<&mut T> {}
        pub fn as_deref(&self) -> Option<&T> {}
        pub fn as_deref_mut(&mut self) -> Option<&mut T> {}
        pub fn clone(&self) -> Option<T> {}
        pub fn expect(self, message: &str) -> T {}
        pub fn unwrap(self) -> T {}
        pub fn unwrap_unchecked(self) -> T {}
        pub fn unwrap_or(self, default: T) -> T {}
        pub fn unwrap_or_default(self) -> T {}
        pub fn unwrap_or_else<F: FnOnce() -> T>(self, f: F) -> T {}
        pub fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Option<U> {}
        pub fn inspect<F: FnOnce(&T)>(self, f: F) -> Option<T> {}
        pub fn map_or<U, F: FnOnce(T) -> U>(self, default: U, f: F) -> U {}
        pub fn map_or_else<U, D: FnOnce() -> U, F: FnOnce(T) -> U>(self, default: D, f: F) -> U {}
        pub fn ok_or<E>(self, error: E) -> Result<T, E> {}
        pub fn ok_or_else<E, F: FnOnce() -> E>(self, f: F) -> Result<T, E> {}
        pub fn and<U>(self, other: Option<U>) -> Option<U> {}
        pub fn and_then<U, F: FnOnce(T) -> Option<U>>(self, f: F) -> Option<U> {}
        pub fn filter<F: FnOnce(&T) -> bool>(self, f: F) -> Option<T> {}
        pub fn or(self, other: Option<T>) -> Option<T> {}
        pub fn or_else<F: FnOnce() -> Option<T>>(self, f: F) -> Option<T> {}
        pub fn insert(&mut self, value: T) -> &mut T {}
        pub fn get_or_insert(&mut self, value: T) -> &mut T {}
        pub fn get_or_insert_with<F: FnOnce() -> T>(&mut self, f: F) -> &mut T {}
        pub fn take(&mut self) -> Option<T> {}
        pub fn take_if<F: FnOnce(&mut T) -> bool>(&mut self, f: F) -> Option<T> {}
        pub fn replace(&mut self, value: T) -> Option<T> {}
        pub fn zip<U>(self, other: Option<U>) -> Option<(T, U)> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn iter_mut(&mut self) -> crate::iter::Iter<&mut T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn copied(self) -> Option<T> {}
        pub fn cloned(self) -> Option<T> {}
        pub fn flatten(self) -> T {}
        pub fn transpose(self) -> T {}
    }
}
pub mod result {
    pub enum Result<T, E> {
        Ok(T),
        Err(E),
    }
    impl<T, E> Result<T, E> {
        pub fn is_ok(&self) -> bool {}
        pub fn is_err(&self) -> bool {}
        pub fn is_ok_and<F: FnOnce(T) -> bool>(self, f: F) -> bool {}
        pub fn is_err_and<F: FnOnce(E) -> bool>(self, f: F) -> bool {}
        pub fn ok(self) -> Option<T> {}
        pub fn err(self) -> Option<E> {}
        pub fn as_ref(&self) -> Result<&T, &E> {}
        pub fn as_mut(&mut self) -> Result<&mut T, &mut E> {}
        pub fn clone(&self) -> Result<T, E> {}
        pub fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Result<U, E> {}
        pub fn map_or<U, F: FnOnce(T) -> U>(self, default: U, f: F) -> U {}
        pub fn map_or_else<U, D: FnOnce(E) -> U, F: FnOnce(T) -> U>(self, default: D, f: F) -> U {}
        pub fn map_err<O, F: FnOnce(E) -> O>(self, f: F) -> Result<T, O> {}
        pub fn inspect<F: FnOnce(&T)>(self, f: F) -> Result<T, E> {}
        pub fn inspect_err<F: FnOnce(&E)>(self, f: F) -> Result<T, E> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn expect(self, message: &str) -> T {}
        pub fn unwrap(self) -> T {}
        pub fn expect_err(self, message: &str) -> E {}
        pub fn unwrap_err(self) -> E {}
        pub fn unwrap_or_default(self) -> T {}
        pub fn and<U>(self, other: Result<U, E>) -> Result<U, E> {}
        pub fn and_then<U, F: FnOnce(T) -> Result<U, E>>(self, f: F) -> Result<U, E> {}
        pub fn or<O>(self, other: Result<T, O>) -> Result<T, O> {}
        pub fn or_else<O, F: FnOnce(E) -> Result<T, O>>(self, f: F) -> Result<T, O> {}
        pub fn unwrap_or(self, default: T) -> T {}
        pub fn unwrap_or_else<F: FnOnce(E) -> T>(self, f: F) -> T {}
        pub fn copied(self) -> Result<T, E> {}
        pub fn cloned(self) -> Result<T, E> {}
    }
}
pub mod string {
    pub struct String {}
    impl String {
        pub fn new() -> String {}
        pub fn clone(&self) -> String {}
    }
}
pub mod iter {
    pub struct Iter<T> {
        item: T,
    }
    pub trait Iterator {
        type Item;
        fn next(&mut self) -> Option<Self::Item> {}
    }
    pub trait DoubleEndedIterator {}
    pub trait IntoIterator {
        type Item;
        fn into_iter(self) -> Iter<Self::Item> {}
    }
    pub trait FromIterator {}
    pub trait Extend {}
    impl<T> Iterator for Iter<T> {
        type Item = T;
    }
    impl<T> Iter<T> {
        pub fn next(&mut self) -> Option<T> {}
        pub fn next_back(&mut self) -> Option<T> {}
        pub fn into_iter(self) -> Iter<T> {}
        pub fn iter(&self) -> Iter<T> {}
        pub fn by_ref(&mut self) -> &mut Iter<T> {}
        pub fn clone(&self) -> Iter<T> {}
        pub fn count(self) -> usize {}
        pub fn last(self) -> Option<T> {}
        pub fn nth(&mut self, n: usize) -> Option<T> {}
        pub fn step_by(self, step: usize) -> Iter<T> {}
        pub fn chain<U>(self, other: U) -> Iter<T> {}
        pub fn zip<U>(self, other: Iter<U>) -> Iter<(T, U)> {}
        pub fn map<B, F: FnMut(T) -> B>(self, f: F) -> Iter<B> {}
        pub fn for_each<F: FnMut(T)>(self, f: F) {}
        pub fn filter<F: FnMut(&T) -> bool>(self, f: F) -> Iter<T> {}
        pub fn filter_map<B, F: FnMut(T) -> Option<B>>(self, f: F) -> Iter<B> {}
        pub fn enumerate(self) -> Iter<(usize, T)> {}
        pub fn peekable(self) -> Iter<T> {}
        pub fn peek(&mut self) -> Option<&T> {}
        pub fn skip_while<F: FnMut(&T) -> bool>(self, f: F) -> Iter<T> {}
        pub fn take_while<F: FnMut(&T) -> bool>(self, f: F) -> Iter<T> {}
        pub fn map_while<B, F: FnMut(T) -> Option<B>>(self, f: F) -> Iter<B> {}
        pub fn skip(self, n: usize) -> Iter<T> {}
        pub fn take(self, n: usize) -> Iter<T> {}
        pub fn scan<S, B, F: FnMut(&mut S, T) -> Option<B>>(self, state: S, f: F) -> Iter<B> {}
        pub fn flat_map<U, F: FnMut(T) -> U>(self, f: F) -> Iter<<U as IntoIterator>::Item> {}
        pub fn flatten(self) -> Iter<<T as IntoIterator>::Item> {}
        pub fn fuse(self) -> Iter<T> {}
        pub fn inspect<F: FnMut(&T)>(self, f: F) -> Iter<T> {}
        pub fn collect<C>(self) -> C {}
        pub fn partition<C, F: FnMut(&T) -> bool>(self, f: F) -> (C, C) {}
        pub fn fold<B, F: FnMut(B, T) -> B>(self, init: B, f: F) -> B {}
        pub fn try_fold<B, R, F: FnMut(B, T) -> R>(&mut self, init: B, f: F) -> R {}
        pub fn try_for_each<R, F: FnMut(T) -> R>(&mut self, f: F) -> R {}
        pub fn reduce<F: FnMut(T, T) -> T>(self, f: F) -> Option<T> {}
        pub fn all<F: FnMut(T) -> bool>(&mut self, f: F) -> bool {}
        pub fn any<F: FnMut(T) -> bool>(&mut self, f: F) -> bool {}
        pub fn find<F: FnMut(&T) -> bool>(&mut self, f: F) -> Option<T> {}
        pub fn find_map<B, F: FnMut(T) -> Option<B>>(&mut self, f: F) -> Option<B> {}
        pub fn position<F: FnMut(T) -> bool>(&mut self, f: F) -> Option<usize> {}
        pub fn rposition<F: FnMut(T) -> bool>(&mut self, f: F) -> Option<usize> {}
        pub fn max(self) -> Option<T> {}
        pub fn min(self) -> Option<T> {}
        pub fn max_by_key<B, F: FnMut(&T) -> B>(self, f: F) -> Option<T> {}
        pub fn min_by_key<B, F: FnMut(&T) -> B>(self, f: F) -> Option<T> {}
        pub fn max_by<F: FnMut(&T, &T) -> Ordering>(self, f: F) -> Option<T> {}
        pub fn min_by<F: FnMut(&T, &T) -> Ordering>(self, f: F) -> Option<T> {}
        pub fn rev(self) -> Iter<T> {}
        pub fn unzip<A, B>(self) -> (A, B) {}
        pub fn copied(self) -> Iter<T> {}
        pub fn cloned(self) -> Iter<T> {}
        pub fn cycle(self) -> Iter<T> {}
        pub fn sum<S>(self) -> S {}
        pub fn product<S>(self) -> S {}
        pub fn len(&self) -> usize {}
    }
    pub fn once<T>(value: T) -> Iter<T> {}
    pub fn empty<T>() -> Iter<T> {}
    pub fn repeat<T>(value: T) -> Iter<T> {}
    pub fn repeat_with<T, F: FnMut() -> T>(f: F) -> Iter<T> {}
    pub fn from_fn<T, F: FnMut() -> Option<T>>(f: F) -> Iter<T> {}
    pub fn successors<T, F: FnMut(&T) -> Option<T>>(first: Option<T>, f: F) -> Iter<T> {}
}

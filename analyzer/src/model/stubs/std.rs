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
    pub fn from_fn<T, F: FnMut() -> Option<T>>(f: F) -> Iter<T> {}
    pub fn successors<T, F: FnMut(&T) -> Option<T>>(first: Option<T>, f: F) -> Iter<T> {}
}
pub mod vec {
    pub struct Vec<T> {
        item: T,
    }
    impl<T> Vec<T> {
        pub fn new() -> Vec<T> {}
        pub fn with_capacity(n: usize) -> Vec<T> {}
        pub fn clone(&self) -> Vec<T> {}
        pub fn push(&mut self, value: T) {}
        pub fn pop(&mut self) -> Option<T> {}
        pub fn insert(&mut self, at: usize, value: T) {}
        pub fn remove(&mut self, at: usize) -> T {}
        pub fn swap_remove(&mut self, at: usize) -> T {}
        pub fn drain<R>(&mut self, range: R) -> crate::iter::Iter<T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {}
        pub fn retain_mut<F: FnMut(&mut T) -> bool>(&mut self, f: F) {}
        pub fn append(&mut self, other: &mut Vec<T>) {}
        pub fn extend<I>(&mut self, items: I) {}
        pub fn split_off(&mut self, at: usize) -> Vec<T> {}
        pub fn clear(&mut self) {}
        pub fn truncate(&mut self, n: usize) {}
        pub fn dedup(&mut self) {}
        pub fn as_slice(&self) -> &[T] {}
        pub fn into_boxed_slice(self) -> crate::boxed::Box<[T]> {}
    }
    impl<T> crate::ops::Deref for Vec<T> {
        type Target = [T];
    }
    impl<T> crate::iter::IntoIterator for Vec<T> {
        type Item = T;
    }
}
pub mod slice {
    pub struct Slice<T> {
        item: T,
    }
    impl<T> Slice<T> {
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn first(&self) -> Option<&T> {}
        pub fn first_mut(&mut self) -> Option<&mut T> {}
        pub fn last(&self) -> Option<&T> {}
        pub fn last_mut(&mut self) -> Option<&mut T> {}
        pub fn get(&self, index: usize) -> Option<&T> {}
        pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {}
        pub fn get_unchecked(&self, index: usize) -> &T {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn iter_mut(&mut self) -> crate::iter::Iter<&mut T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn chunks(&self, n: usize) -> crate::iter::Iter<&[T]> {}
        pub fn windows(&self, n: usize) -> crate::iter::Iter<&[T]> {}
        pub fn to_vec(&self) -> crate::vec::Vec<T> {}
        pub fn into_vec(self) -> crate::vec::Vec<T> {}
        pub fn swap(&mut self, a: usize, b: usize) {}
        pub fn contains(&self, value: &T) -> bool {}
        pub fn sort(&mut self) {}
        pub fn sort_by<F: FnMut(&T, &T) -> Ordering>(&mut self, f: F) {}
        pub fn sort_by_key<K, F: FnMut(&T) -> K>(&mut self, f: F) {}
        pub fn sort_unstable_by<F: FnMut(&T, &T) -> Ordering>(&mut self, f: F) {}
        pub fn sort_unstable_by_key<K, F: FnMut(&T) -> K>(&mut self, f: F) {}
        pub fn binary_search_by<F: FnMut(&T) -> Ordering>(&self, f: F) -> Result<usize, usize> {}
        pub fn binary_search_by_key<K, F: FnMut(&T) -> K>(&self, key: &K, f: F) -> Result<usize, usize> {}
        pub fn partition_point<F: FnMut(&T) -> bool>(&self, f: F) -> usize {}
        pub fn split_at(&self, at: usize) -> (&[T], &[T]) {}
        pub fn split_at_mut(&mut self, at: usize) -> (&mut [T], &mut [T]) {}
        pub fn split_first(&self) -> Option<(&T, &[T])> {}
        pub fn split_last(&self) -> Option<(&T, &[T])> {}
    }
}
pub mod collections {
    pub use self::hash_map::HashMap;
    pub mod hash_map {
        pub use crate::collections::{Entry, HashMap, OccupiedEntry, VacantEntry};
    }
    pub mod btree_map {
        pub use crate::collections::{BTreeMap, Entry, OccupiedEntry, VacantEntry};
    }
    pub mod hash_set {
        pub use crate::collections::HashSet;
    }
    pub mod vec_deque {
        pub use crate::collections::VecDeque;
    }
    pub enum Entry<K, V> {
        Occupied(OccupiedEntry<K, V>),
        Vacant(VacantEntry<K, V>),
    }
    pub struct OccupiedEntry<K, V> {
        key: K,
        value: V,
    }
    pub struct VacantEntry<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> OccupiedEntry<K, V> {
        pub fn get(&self) -> &V {}
        pub fn get_mut(&mut self) -> &mut V {}
        pub fn into_mut(self) -> &mut V {}
        pub fn insert(&mut self, value: V) -> V {}
        pub fn remove(self) -> V {}
        pub fn key(&self) -> &K {}
    }
    impl<K, V> VacantEntry<K, V> {
        pub fn insert(self, value: V) -> &mut V {}
        pub fn key(&self) -> &K {}
    }
    impl<K, V> Entry<K, V> {
        pub fn or_insert(self, value: V) -> &mut V {}
        pub fn or_insert_with<F: FnOnce() -> V>(self, f: F) -> &mut V {}
        pub fn or_insert_with_key<F: FnOnce(&K) -> V>(self, f: F) -> &mut V {}
        pub fn or_default(self) -> &mut V {}
        pub fn and_modify<F: FnOnce(&mut V)>(self, f: F) -> Entry<K, V> {}
        pub fn key(&self) -> &K {}
    }
    pub struct HashMap<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> HashMap<K, V> {
        pub fn new() -> HashMap<K, V> {}
        pub fn with_capacity(n: usize) -> HashMap<K, V> {}
        pub fn clone(&self) -> HashMap<K, V> {}
        pub fn get<Q>(&self, key: &Q) -> Option<&V> {}
        pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V> {}
        pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)> {}
        pub fn contains_key<Q>(&self, key: &Q) -> bool {}
        pub fn insert(&mut self, key: K, value: V) -> Option<V> {}
        pub fn remove<Q>(&mut self, key: &Q) -> Option<V> {}
        pub fn remove_entry<Q>(&mut self, key: &Q) -> Option<(K, V)> {}
        pub fn entry(&mut self, key: K) -> Entry<K, V> {}
        pub fn keys(&self) -> crate::iter::Iter<&K> {}
        pub fn values(&self) -> crate::iter::Iter<&V> {}
        pub fn values_mut(&mut self) -> crate::iter::Iter<&mut V> {}
        pub fn into_values(self) -> crate::iter::Iter<V> {}
        pub fn into_keys(self) -> crate::iter::Iter<K> {}
        pub fn iter(&self) -> crate::iter::Iter<(&K, &V)> {}
        pub fn iter_mut(&mut self) -> crate::iter::Iter<(&K, &mut V)> {}
        pub fn into_iter(self) -> crate::iter::Iter<(K, V)> {}
        pub fn drain(&mut self) -> crate::iter::Iter<(K, V)> {}
        pub fn retain<F: FnMut(&K, &mut V) -> bool>(&mut self, f: F) {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn clear(&mut self) {}
        pub fn extend<I>(&mut self, items: I) {}
    }
    impl<K, V> crate::iter::IntoIterator for HashMap<K, V> {
        type Item = (K, V);
    }
    impl<K, V> crate::ops::Index<K> for HashMap<K, V> {
        type Output = V;
    }
    pub struct BTreeMap<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> BTreeMap<K, V> {
        pub fn new() -> BTreeMap<K, V> {}
        pub fn clone(&self) -> BTreeMap<K, V> {}
        pub fn get<Q>(&self, key: &Q) -> Option<&V> {}
        pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V> {}
        pub fn contains_key<Q>(&self, key: &Q) -> bool {}
        pub fn insert(&mut self, key: K, value: V) -> Option<V> {}
        pub fn remove<Q>(&mut self, key: &Q) -> Option<V> {}
        pub fn entry(&mut self, key: K) -> Entry<K, V> {}
        pub fn first_key_value(&self) -> Option<(&K, &V)> {}
        pub fn last_key_value(&self) -> Option<(&K, &V)> {}
        pub fn pop_first(&mut self) -> Option<(K, V)> {}
        pub fn pop_last(&mut self) -> Option<(K, V)> {}
        pub fn range<R>(&self, range: R) -> crate::iter::Iter<(&K, &V)> {}
        pub fn keys(&self) -> crate::iter::Iter<&K> {}
        pub fn values(&self) -> crate::iter::Iter<&V> {}
        pub fn values_mut(&mut self) -> crate::iter::Iter<&mut V> {}
        pub fn into_values(self) -> crate::iter::Iter<V> {}
        pub fn iter(&self) -> crate::iter::Iter<(&K, &V)> {}
        pub fn iter_mut(&mut self) -> crate::iter::Iter<(&K, &mut V)> {}
        pub fn into_iter(self) -> crate::iter::Iter<(K, V)> {}
        pub fn retain<F: FnMut(&K, &mut V) -> bool>(&mut self, f: F) {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn clear(&mut self) {}
        pub fn extend<I>(&mut self, items: I) {}
        pub fn split_off<Q>(&mut self, key: &Q) -> BTreeMap<K, V> {}
    }
    impl<K, V> crate::iter::IntoIterator for BTreeMap<K, V> {
        type Item = (K, V);
    }
    impl<K, V> crate::ops::Index<K> for BTreeMap<K, V> {
        type Output = V;
    }
    pub struct HashSet<T> {
        item: T,
    }
    impl<T> HashSet<T> {
        pub fn new() -> HashSet<T> {}
        pub fn clone(&self) -> HashSet<T> {}
        pub fn contains<Q>(&self, value: &Q) -> bool {}
        pub fn get<Q>(&self, value: &Q) -> Option<&T> {}
        pub fn insert(&mut self, value: T) -> bool {}
        pub fn remove<Q>(&mut self, value: &Q) -> bool {}
        pub fn take<Q>(&mut self, value: &Q) -> Option<T> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn drain(&mut self) -> crate::iter::Iter<T> {}
        pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn clear(&mut self) {}
        pub fn extend<I>(&mut self, items: I) {}
    }
    impl<T> crate::iter::IntoIterator for HashSet<T> {
        type Item = T;
    }
    pub struct BTreeSet<T> {
        item: T,
    }
    impl<T> BTreeSet<T> {
        pub fn new() -> BTreeSet<T> {}
        pub fn clone(&self) -> BTreeSet<T> {}
        pub fn contains<Q>(&self, value: &Q) -> bool {}
        pub fn insert(&mut self, value: T) -> bool {}
        pub fn remove<Q>(&mut self, value: &Q) -> bool {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn first(&self) -> Option<&T> {}
        pub fn last(&self) -> Option<&T> {}
        pub fn pop_first(&mut self) -> Option<T> {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
    }
    impl<T> crate::iter::IntoIterator for BTreeSet<T> {
        type Item = T;
    }
    pub struct VecDeque<T> {
        item: T,
    }
    impl<T> VecDeque<T> {
        pub fn new() -> VecDeque<T> {}
        pub fn with_capacity(n: usize) -> VecDeque<T> {}
        pub fn clone(&self) -> VecDeque<T> {}
        pub fn push_back(&mut self, value: T) {}
        pub fn push_front(&mut self, value: T) {}
        pub fn pop_back(&mut self) -> Option<T> {}
        pub fn pop_front(&mut self) -> Option<T> {}
        pub fn front(&self) -> Option<&T> {}
        pub fn front_mut(&mut self) -> Option<&mut T> {}
        pub fn back(&self) -> Option<&T> {}
        pub fn back_mut(&mut self) -> Option<&mut T> {}
        pub fn get(&self, index: usize) -> Option<&T> {}
        pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {}
        pub fn remove(&mut self, index: usize) -> Option<T> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn iter_mut(&mut self) -> crate::iter::Iter<&mut T> {}
        pub fn into_iter(self) -> crate::iter::Iter<T> {}
        pub fn drain<R>(&mut self, range: R) -> crate::iter::Iter<T> {}
        pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn clear(&mut self) {}
        pub fn extend<I>(&mut self, items: I) {}
    }
    impl<T> crate::iter::IntoIterator for VecDeque<T> {
        type Item = T;
    }
    impl<T> crate::ops::Index<usize> for VecDeque<T> {
        type Output = T;
    }
    pub struct BinaryHeap<T> {
        item: T,
    }
    impl<T> BinaryHeap<T> {
        pub fn new() -> BinaryHeap<T> {}
        pub fn push(&mut self, value: T) {}
        pub fn pop(&mut self) -> Option<T> {}
        pub fn peek(&self) -> Option<&T> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
    }
    impl<T> crate::iter::IntoIterator for BinaryHeap<T> {
        type Item = T;
    }
    pub struct LinkedList<T> {
        item: T,
    }
    impl<T> LinkedList<T> {
        pub fn new() -> LinkedList<T> {}
        pub fn push_back(&mut self, value: T) {}
        pub fn pop_front(&mut self) -> Option<T> {}
        pub fn iter(&self) -> crate::iter::Iter<&T> {}
    }
    impl<T> crate::iter::IntoIterator for LinkedList<T> {
        type Item = T;
    }
}
pub mod sync {
    pub use self::mpsc::*;
    pub struct Arc<T> {
        value: T,
    }
    pub struct Weak<T> {
        value: T,
    }
    impl<T> Arc<T> {
        pub fn new(value: T) -> Arc<T> {}
        pub fn pin(value: T) -> crate::pin::Pin<Arc<T>> {}
        pub fn new_cyclic<F: FnOnce(&Weak<T>) -> T>(f: F) -> Arc<T> {}
        pub fn clone(this: &Arc<T>) -> Arc<T> {}
        pub fn downgrade(this: &Arc<T>) -> Weak<T> {}
        pub fn as_ref(&self) -> &T {}
        pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {}
        pub fn make_mut(this: &mut Arc<T>) -> &mut T {}
        pub fn try_unwrap(this: Arc<T>) -> Result<T, Arc<T>> {}
        pub fn into_inner(this: Arc<T>) -> Option<T> {}
        pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {}
        pub fn strong_count(this: &Arc<T>) -> usize {}
    }
    impl<T> Weak<T> {
        pub fn new() -> Weak<T> {}
        pub fn upgrade(&self) -> Option<Arc<T>> {}
        pub fn clone(&self) -> Weak<T> {}
    }
    impl<T> crate::ops::Deref for Arc<T> {
        type Target = T;
    }
    pub struct PoisonError<T> {
        guard: T,
    }
    impl<T> PoisonError<T> {
        pub fn into_inner(self) -> T {}
        pub fn get_ref(&self) -> &T {}
        pub fn get_mut(&mut self) -> &mut T {}
    }
    pub enum TryLockError<T> {
        Poisoned(PoisonError<T>),
        WouldBlock,
    }
    pub type LockResult<T> = Result<T, PoisonError<T>>;
    pub type TryLockResult<T> = Result<T, TryLockError<T>>;
    pub struct Mutex<T> {
        value: T,
    }
    pub struct MutexGuard<T> {
        value: T,
    }
    pub struct MappedMutexGuard<T> {
        value: T,
    }
    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {}
        pub fn lock(&self) -> LockResult<MutexGuard<T>> {}
        pub fn try_lock(&self) -> TryLockResult<MutexGuard<T>> {}
        pub fn is_poisoned(&self) -> bool {}
        pub fn clear_poison(&self) {}
        pub fn into_inner(self) -> LockResult<T> {}
        pub fn get_mut(&mut self) -> LockResult<&mut T> {}
    }
    impl<T> MutexGuard<T> {
        pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: MutexGuard<T>, f: F) -> MappedMutexGuard<U> {}
    }
    impl<T> crate::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    impl<T> crate::ops::Deref for MappedMutexGuard<T> {
        type Target = T;
    }
    pub struct ReentrantLock<T> {
        value: T,
    }
    pub struct ReentrantLockGuard<T> {
        value: T,
    }
    impl<T> ReentrantLock<T> {
        pub fn new(value: T) -> ReentrantLock<T> {}
        pub fn lock(&self) -> ReentrantLockGuard<T> {}
    }
    impl<T> crate::ops::Deref for ReentrantLockGuard<T> {
        type Target = T;
    }
    pub struct RwLock<T> {
        value: T,
    }
    pub struct RwLockReadGuard<T> {
        value: T,
    }
    pub struct RwLockWriteGuard<T> {
        value: T,
    }
    impl<T> RwLock<T> {
        pub fn new(value: T) -> RwLock<T> {}
        pub fn read(&self) -> LockResult<RwLockReadGuard<T>> {}
        pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<T>> {}
        pub fn write(&self) -> LockResult<RwLockWriteGuard<T>> {}
        pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<T>> {}
        pub fn is_poisoned(&self) -> bool {}
        pub fn into_inner(self) -> LockResult<T> {}
        pub fn get_mut(&mut self) -> LockResult<&mut T> {}
    }
    impl<T> RwLockWriteGuard<T> {
        pub fn downgrade(guard: RwLockWriteGuard<T>) -> RwLockReadGuard<T> {}
    }
    impl<T> crate::ops::Deref for RwLockReadGuard<T> {
        type Target = T;
    }
    impl<T> crate::ops::Deref for RwLockWriteGuard<T> {
        type Target = T;
    }
    pub struct Condvar {}
    pub struct WaitTimeoutResult {}
    impl Condvar {
        pub fn new() -> Condvar {}
        pub fn wait<T>(&self, guard: MutexGuard<T>) -> LockResult<MutexGuard<T>> {}
        pub fn wait_while<T, F: FnMut(&mut T) -> bool>(&self, guard: MutexGuard<T>, f: F) -> LockResult<MutexGuard<T>> {}
        pub fn wait_timeout<T>(
            &self,
            guard: MutexGuard<T>,
            timeout: Duration,
        ) -> LockResult<(MutexGuard<T>, WaitTimeoutResult)> {}
        pub fn wait_timeout_ms<T>(&self, guard: MutexGuard<T>, ms: u32) -> LockResult<(MutexGuard<T>, bool)> {}
        pub fn wait_timeout_while<T, F: FnMut(&mut T) -> bool>(
            &self,
            guard: MutexGuard<T>,
            timeout: Duration,
            f: F,
        ) -> LockResult<(MutexGuard<T>, WaitTimeoutResult)> {}
        pub fn notify_one(&self) {}
        pub fn notify_all(&self) {}
    }
    pub struct Once {}
    impl Once {
        pub fn new() -> Once {}
        pub fn call_once<F: FnOnce()>(&self, f: F) {}
        pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {}
        pub fn is_completed(&self) -> bool {}
    }
    pub struct OnceLock<T> {
        value: T,
    }
    impl<T> OnceLock<T> {
        pub fn new() -> OnceLock<T> {}
        pub fn get(&self) -> Option<&T> {}
        pub fn get_mut(&mut self) -> Option<&mut T> {}
        pub fn set(&self, value: T) -> Result<(), T> {}
        pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {}
        pub fn wait(&self) -> &T {}
    }
    pub struct LazyLock<T, F> {
        value: T,
        init: F,
    }
    impl<T, F> LazyLock<T, F> {
        pub fn new<G: FnOnce() -> T>(f: G) -> LazyLock<T, F> {}
        pub fn force(this: &LazyLock<T, F>) -> &T {}
    }
    impl<T, F> crate::ops::Deref for LazyLock<T, F> {
        type Target = T;
    }
    pub struct Barrier {}
    impl Barrier {
        pub fn new(n: usize) -> Barrier {}
        pub fn wait(&self) -> BarrierWaitResult {}
    }
    pub struct BarrierWaitResult {}
    pub mod mpsc {
        pub struct Sender<T> {
            item: T,
        }
        pub struct SyncSender<T> {
            item: T,
        }
        pub struct Receiver<T> {
            item: T,
        }
        pub struct SendError<T>(pub T);
        pub struct RecvError;
        pub enum TryRecvError {
            Empty,
            Disconnected,
        }
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {}
        pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {}
        impl<T> Sender<T> {
            pub fn send(&self, value: T) -> Result<(), SendError<T>> {}
            pub fn clone(&self) -> Sender<T> {}
        }
        impl<T> SyncSender<T> {
            pub fn send(&self, value: T) -> Result<(), SendError<T>> {}
            pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {}
            pub fn clone(&self) -> SyncSender<T> {}
        }
        impl<T> Receiver<T> {
            pub fn recv(&self) -> Result<T, RecvError> {}
            pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvError> {}
            pub fn try_recv(&self) -> Result<T, TryRecvError> {}
            pub fn iter(&self) -> crate::iter::Iter<T> {}
            pub fn try_iter(&self) -> crate::iter::Iter<T> {}
        }
        impl<T> crate::iter::IntoIterator for Receiver<T> {
            type Item = T;
        }
    }
    pub mod atomic {
        pub struct AtomicBool {}
        pub struct AtomicUsize {}
        pub struct AtomicIsize {}
        pub struct AtomicU64 {}
        pub struct AtomicU32 {}
        pub struct AtomicU16 {}
        pub struct AtomicU8 {}
        pub struct AtomicI64 {}
        pub struct AtomicI32 {}
        pub struct AtomicPtr<T> {
            value: T,
        }
        pub enum Ordering {
            Relaxed,
            Release,
            Acquire,
            AcqRel,
            SeqCst,
        }
    }
}
pub mod thread {
    pub struct JoinHandle<T> {
        value: T,
    }
    pub struct ScopedJoinHandle<T> {
        value: T,
    }
    pub struct Scope {}
    pub struct Builder {}
    pub struct Thread {}
    pub type Result<T> = crate::result::Result<T, crate::boxed::Box<dyn Any>>;
    pub fn spawn<T, F: FnOnce() -> T>(f: F) -> JoinHandle<T> {}
    pub fn scope<T, F: FnOnce(&Scope) -> T>(f: F) -> T {}
    pub fn sleep(time: Duration) {}
    pub fn park() {}
    pub fn yield_now() {}
    pub fn current() -> Thread {}
    impl Builder {
        pub fn new() -> Builder {}
        pub fn name(self, name: String) -> Builder {}
        pub fn stack_size(self, size: usize) -> Builder {}
        pub fn spawn<T, F: FnOnce() -> T>(self, f: F) -> crate::result::Result<JoinHandle<T>, Error> {}
    }
    impl Scope {
        pub fn spawn<T, F: FnOnce() -> T>(&self, f: F) -> ScopedJoinHandle<T> {}
    }
    impl<T> JoinHandle<T> {
        pub fn join(self) -> Result<T> {}
        pub fn thread(&self) -> &Thread {}
        pub fn is_finished(&self) -> bool {}
    }
    impl<T> ScopedJoinHandle<T> {
        pub fn join(self) -> Result<T> {}
    }
    pub struct LocalKey<T> {
        value: T,
    }
    impl<T> LocalKey<T> {
        pub fn with<R, F: FnOnce(&T) -> R>(&self, f: F) -> R {}
        pub fn try_with<R, F: FnOnce(&T) -> R>(&self, f: F) -> crate::result::Result<R, AccessError> {}
        pub fn with_borrow<R, F: FnOnce(&T) -> R>(&self, f: F) -> R {}
        pub fn with_borrow_mut<R, F: FnOnce(&mut T) -> R>(&self, f: F) -> R {}
    }
}
pub mod panic {
    pub fn catch_unwind<R, F: FnOnce() -> R>(f: F) -> crate::thread::Result<R> {}
    pub struct AssertUnwindSafe<T>(pub T);
    impl<T> crate::ops::Deref for AssertUnwindSafe<T> {
        type Target = T;
    }
}
pub mod process {
    pub fn exit(code: i32) -> ! {}
    pub fn abort() -> ! {}
}

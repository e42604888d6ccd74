//! The collections of the standard library, as signatures; a part of the stub of `std`.

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
        // Arrays have it; they count as slices.
        pub fn map<U, F: FnMut(T) -> U>(self, f: F) -> [U] {}
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

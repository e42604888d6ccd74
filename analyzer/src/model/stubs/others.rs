//! What the analysis must know of smaller libraries, as signatures; one module per crate.

pub mod spin {
    pub struct Mutex<T> {
        value: T,
    }
    pub struct MutexGuard<T> {
        value: T,
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
    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {}
        pub fn lock(&self) -> MutexGuard<T> {}
        pub fn try_lock(&self) -> Option<MutexGuard<T>> {}
    }
    impl<T> RwLock<T> {
        pub fn new(value: T) -> RwLock<T> {}
        pub fn read(&self) -> RwLockReadGuard<T> {}
        pub fn write(&self) -> RwLockWriteGuard<T> {}
        pub fn try_read(&self) -> Option<RwLockReadGuard<T>> {}
        pub fn try_write(&self) -> Option<RwLockWriteGuard<T>> {}
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockReadGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockWriteGuard<T> {
        type Target = T;
    }
    pub mod mutex {
        pub use super::{Mutex, MutexGuard};
    }
    pub mod rwlock {
        pub use super::{RwLock, RwLockReadGuard, RwLockWriteGuard};
    }
}
pub mod async_lock {
    pub struct Mutex<T> {
        value: T,
    }
    pub struct MutexGuard<T> {
        value: T,
    }
    pub struct MutexGuardArc<T> {
        value: T,
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
    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {}
        pub async fn lock(&self) -> MutexGuard<T> {}
        pub async fn lock_arc(&self) -> MutexGuardArc<T> {}
        pub fn lock_blocking(&self) -> MutexGuard<T> {}
        pub fn try_lock(&self) -> Option<MutexGuard<T>> {}
    }
    impl<T> RwLock<T> {
        pub fn new(value: T) -> RwLock<T> {}
        pub async fn read(&self) -> RwLockReadGuard<T> {}
        pub async fn write(&self) -> RwLockWriteGuard<T> {}
        pub fn try_read(&self) -> Option<RwLockReadGuard<T>> {}
        pub fn try_write(&self) -> Option<RwLockWriteGuard<T>> {}
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for MutexGuardArc<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockReadGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockWriteGuard<T> {
        type Target = T;
    }
}
pub mod futures {
    pub mod lock {
        pub use async_lock::{Mutex, MutexGuard};
    }
    pub mod executor {
        pub fn block_on<F>(future: F) -> <F as Future>::Output {}
    }
}
pub mod once_cell {
    pub mod sync {
        pub struct OnceCell<T> {
            value: T,
        }
        pub struct Lazy<T, F> {
            value: T,
            init: F,
        }
        impl<T> OnceCell<T> {
            pub fn new() -> OnceCell<T> {}
            pub fn get(&self) -> Option<&T> {}
            pub fn set(&self, value: T) -> Result<(), T> {}
            pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {}
            pub fn get_or_try_init<E, F: FnOnce() -> Result<T, E>>(&self, f: F) -> Result<&T, E> {}
        }
        impl<T, F> Lazy<T, F> {
            pub fn new<G: FnOnce() -> T>(f: G) -> Lazy<T, F> {}
            pub fn force(this: &Lazy<T, F>) -> &T {}
        }
        impl<T, F> std::ops::Deref for Lazy<T, F> {
            type Target = T;
        }
    }
}
pub mod crossbeam_utils {
    pub struct CachePadded<T> {
        value: T,
    }
    impl<T> CachePadded<T> {
        pub fn new(value: T) -> CachePadded<T> {}
    }
    impl<T> std::ops::Deref for CachePadded<T> {
        type Target = T;
    }
    pub use self::thread::scope;
    pub mod thread {
        pub fn scope<R, F: FnOnce(&Scope) -> R>(f: F) -> std::thread::Result<R> {}
        pub struct Scope {}
        impl Scope {
            pub fn spawn<T, F: FnOnce(&Scope) -> T>(&self, f: F) -> std::thread::ScopedJoinHandle<T> {}
        }
    }
    pub mod sync {
        pub struct ShardedLock<T> {
            value: T,
        }
        pub struct ShardedLockReadGuard<T> {
            value: T,
        }
        pub struct ShardedLockWriteGuard<T> {
            value: T,
        }
        impl<T> ShardedLock<T> {
            pub fn new(value: T) -> ShardedLock<T> {}
            pub fn read(&self) -> std::sync::LockResult<ShardedLockReadGuard<T>> {}
            pub fn try_read(&self) -> std::sync::TryLockResult<ShardedLockReadGuard<T>> {}
            pub fn write(&self) -> std::sync::LockResult<ShardedLockWriteGuard<T>> {}
            pub fn try_write(&self) -> std::sync::TryLockResult<ShardedLockWriteGuard<T>> {}
            pub fn is_poisoned(&self) -> bool {}
            pub fn into_inner(self) -> std::sync::LockResult<T> {}
            pub fn get_mut(&mut self) -> std::sync::LockResult<&mut T> {}
        }
        impl<T> std::ops::Deref for ShardedLockReadGuard<T> {
            type Target = T;
        }
        impl<T> std::ops::Deref for ShardedLockWriteGuard<T> {
            type Target = T;
        }
        impl<T> std::ops::DerefMut for ShardedLockWriteGuard<T> {}
    }
}
pub mod crossbeam {
    pub use crossbeam_utils::scope;
    pub mod channel {
        pub use crossbeam_channel::*;
    }
    pub mod sync {
        pub use crossbeam_utils::sync::*;
    }
    pub mod thread {
        pub use crossbeam_utils::thread::*;
    }
    pub mod utils {
        pub use crossbeam_utils::CachePadded;
    }
}
pub mod crossbeam_channel {
    pub struct Sender<T> {
        item: T,
    }
    pub struct Receiver<T> {
        item: T,
    }
    pub fn bounded<T>(n: usize) -> (Sender<T>, Receiver<T>) {}
    pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {}
    impl<T> Sender<T> {
        pub fn send(&self, value: T) -> Result<(), SendError> {}
        pub fn try_send(&self, value: T) -> Result<(), SendError> {}
        pub fn clone(&self) -> Sender<T> {}
    }
    impl<T> Receiver<T> {
        pub fn recv(&self) -> Result<T, RecvError> {}
        pub fn try_recv(&self) -> Result<T, RecvError> {}
        pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvError> {}
        pub fn iter(&self) -> std::iter::Iter<T> {}
        pub fn clone(&self) -> Receiver<T> {}
    }
    impl<T> std::iter::IntoIterator for Receiver<T> {
        type Item = T;
    }
}
pub mod flume {
    pub struct Sender<T> {
        item: T,
    }
    pub struct Receiver<T> {
        item: T,
    }
    pub fn bounded<T>(n: usize) -> (Sender<T>, Receiver<T>) {}
    pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {}
    impl<T> Sender<T> {
        pub fn send(&self, value: T) -> Result<(), SendError> {}
        pub fn try_send(&self, value: T) -> Result<(), SendError> {}
        pub fn clone(&self) -> Sender<T> {}
    }
    impl<T> Receiver<T> {
        pub fn recv(&self) -> Result<T, RecvError> {}
        pub fn try_recv(&self) -> Result<T, RecvError> {}
        pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvError> {}
        pub fn iter(&self) -> std::iter::Iter<T> {}
        pub fn clone(&self) -> Receiver<T> {}
    }
    impl<T> std::iter::IntoIterator for Receiver<T> {
        type Item = T;
    }
}
pub mod threadpool {
    pub struct ThreadPool {}
    impl ThreadPool {
        pub fn new(workers: usize) -> ThreadPool {}
        pub fn execute<F: FnOnce()>(&self, job: F) {}
        pub fn join(&self) {}
        pub fn clone(&self) -> ThreadPool {}
    }
}
pub mod lockcheck_tracker {
    pub struct Tracked<T> {
        value: T,
    }
    impl<T> Tracked<T> {
        pub fn new(value: T) -> Tracked<T> {}
        pub fn named(name: &str, value: T) -> Tracked<T> {}
        pub fn into_inner(self) -> T {}
        pub fn get(&self) -> T {}
        pub fn set(&self, value: T) {}
        pub fn read<R, F: FnOnce(&T) -> R>(&self, look: F) -> R {}
        pub fn update<R, F: FnOnce(&mut T) -> R>(&self, change: F) -> R {}
    }
    pub mod sync {
        pub use std::sync::*;
    }
    pub mod thread {
        pub use std::thread::*;
    }
    pub mod pool {
        pub struct ThreadPool {}
        pub struct Builder {}
        pub struct Promise<T> {
            value: T,
        }
        pub enum Policy {
            Block,
            Queue,
            CallerRuns,
        }
        impl Builder {
            pub fn name(self, name: &str) -> Builder {}
            pub fn workers(self, workers: usize) -> Builder {}
            pub fn policy(self, policy: Policy) -> Builder {}
            pub fn build(self) -> ThreadPool {}
        }
        impl ThreadPool {
            pub fn new(workers: usize) -> ThreadPool {}
            pub fn builder() -> Builder {}
            pub fn clone(&self) -> ThreadPool {}
            pub fn workers(&self) -> usize {}
            pub fn policy(&self) -> Policy {}
            pub fn run_async<T, F: FnOnce() -> T>(&self, f: F) -> Promise<T> {}
            pub fn run_async_named<T, F: FnOnce() -> T>(&self, name: &str, f: F) -> Promise<T> {}
            pub fn join(&self) {}
        }
        impl<T> Promise<T> {
            pub fn join(self) -> std::thread::Result<T> {}
            pub fn is_finished(&self) -> bool {}
        }
    }
}
pub mod rayon {
    pub fn spawn<F: FnOnce()>(f: F) {}
    pub fn join<A, B, F: FnOnce() -> A, G: FnOnce() -> B>(a: F, b: G) -> (A, B) {}
    pub fn scope<R, F: FnOnce(&Scope) -> R>(f: F) -> R {}
    pub struct Scope {}
    impl Scope {
        pub fn spawn<F: FnOnce(&Scope)>(&self, f: F) {}
    }
}
pub mod slab {
    pub struct Slab<T> {
        item: T,
    }
    impl<T> Slab<T> {
        pub fn new() -> Slab<T> {}
        pub fn get(&self, key: usize) -> Option<&T> {}
        pub fn get_mut(&mut self, key: usize) -> Option<&mut T> {}
        pub fn insert(&mut self, value: T) -> usize {}
        pub fn remove(&mut self, key: usize) -> T {}
        pub fn try_remove(&mut self, key: usize) -> Option<T> {}
        pub fn contains(&self, key: usize) -> bool {}
        pub fn iter(&self) -> std::iter::Iter<(usize, &T)> {}
        pub fn iter_mut(&mut self) -> std::iter::Iter<(usize, &mut T)> {}
        pub fn drain(&mut self) -> std::iter::Iter<T> {}
        pub fn len(&self) -> usize {}
    }
    impl<T> std::ops::Index<usize> for Slab<T> {
        type Output = T;
    }
}
pub mod dashmap {
    pub struct DashMap<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> DashMap<K, V> {
        pub fn new() -> DashMap<K, V> {}
        pub fn with_capacity(capacity: usize) -> DashMap<K, V> {}
        pub fn get<Q>(&self, key: &Q) -> Option<Ref<K, V>> {}
        pub fn get_mut<Q>(&self, key: &Q) -> Option<RefMut<K, V>> {}
        pub fn iter(&self) -> Iter<K, V> {}
        pub fn iter_mut(&self) -> IterMut<K, V> {}
        pub fn entry(&self, key: K) -> Entry<K, V> {}
        pub fn try_entry(&self, key: K) -> Option<Entry<K, V>> {}
        pub fn insert(&self, key: K, value: V) -> Option<V> {}
        pub fn remove<Q>(&self, key: &Q) -> Option<(K, V)> {}
        pub fn remove_if<Q, F: FnOnce(&K, &V) -> bool>(&self, key: &Q, f: F) -> Option<(K, V)> {}
        pub fn remove_if_mut<Q, F: FnOnce(&K, &mut V) -> bool>(&self, key: &Q, f: F) -> Option<(K, V)> {}
        pub fn retain<F: FnMut(&K, &mut V) -> bool>(&self, f: F) {}
        pub fn alter<Q, F: FnOnce(&K, V) -> V>(&self, key: &Q, f: F) {}
        pub fn alter_all<F: FnMut(&K, V) -> V>(&self, f: F) {}
        pub fn view<Q, R, F: FnOnce(&K, &V) -> R>(&self, key: &Q, f: F) -> Option<R> {}
        pub fn clear(&self) {}
        pub fn shrink_to_fit(&self) {}
        pub fn contains_key<Q>(&self, key: &Q) -> bool {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
        pub fn into_iter(self) -> std::iter::Iter<(K, V)> {}
    }
    pub struct DashSet<K> {
        key: K,
    }
    impl<K> DashSet<K> {
        pub fn new() -> DashSet<K> {}
        pub fn get<Q>(&self, key: &Q) -> Option<Ref<K, K>> {}
        pub fn iter(&self) -> Iter<K, K> {}
        pub fn insert(&self, key: K) -> bool {}
        pub fn remove<Q>(&self, key: &Q) -> Option<K> {}
        pub fn retain<F: FnMut(&K) -> bool>(&self, f: F) {}
        pub fn clear(&self) {}
        pub fn contains<Q>(&self, key: &Q) -> bool {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
    }
    pub struct Ref<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> Ref<K, V> {
        pub fn key(&self) -> &K {}
        pub fn value(&self) -> &V {}
        pub fn pair(&self) -> (&K, &V) {}
    }
    impl<K, V> std::ops::Deref for Ref<K, V> {
        type Target = V;
    }
    pub struct RefMut<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> RefMut<K, V> {
        pub fn key(&self) -> &K {}
        pub fn value(&self) -> &V {}
        pub fn value_mut(&mut self) -> &mut V {}
        pub fn pair(&self) -> (&K, &V) {}
        pub fn pair_mut(&mut self) -> (&K, &mut V) {}
        pub fn downgrade(self) -> Ref<K, V> {}
    }
    impl<K, V> std::ops::Deref for RefMut<K, V> {
        type Target = V;
    }
    pub struct Iter<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> std::iter::Iterator for Iter<K, V> {
        type Item = Ref<K, V>;
    }
    pub struct IterMut<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> std::iter::Iterator for IterMut<K, V> {
        type Item = RefMut<K, V>;
    }
    pub enum Entry<K, V> {
        Occupied(OccupiedEntry<K, V>),
        Vacant(VacantEntry<K, V>),
    }
    impl<K, V> Entry<K, V> {
        pub fn key(&self) -> &K {}
        pub fn and_modify<F: FnOnce(&mut V)>(self, f: F) -> Entry<K, V> {}
        pub fn or_default(self) -> RefMut<K, V> {}
        pub fn or_insert(self, value: V) -> RefMut<K, V> {}
        pub fn or_insert_with<F: FnOnce() -> V>(self, f: F) -> RefMut<K, V> {}
        pub fn or_try_insert_with<E, F: FnOnce() -> Result<V, E>>(self, f: F) -> Result<RefMut<K, V>, E> {}
        pub fn insert(self, value: V) -> RefMut<K, V> {}
    }
    pub struct OccupiedEntry<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> OccupiedEntry<K, V> {
        pub fn get(&self) -> &V {}
        pub fn get_mut(&mut self) -> &mut V {}
        pub fn key(&self) -> &K {}
        pub fn insert(&mut self, value: V) -> V {}
        pub fn into_ref(self) -> RefMut<K, V> {}
        pub fn remove(self) -> V {}
    }
    pub struct VacantEntry<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> VacantEntry<K, V> {
        pub fn insert(self, value: V) -> RefMut<K, V> {}
        pub fn key(&self) -> &K {}
        pub fn into_key(self) -> K {}
    }
    pub mod mapref {
        pub mod one {
            pub use crate::Ref;
            pub use crate::RefMut;
        }
        pub mod multiple {
            pub use crate::Ref as RefMulti;
            pub use crate::RefMut as RefMutMulti;
        }
        pub mod entry {
            pub use crate::Entry;
            pub use crate::OccupiedEntry;
            pub use crate::VacantEntry;
        }
    }
}
pub mod prometheus_client {
    pub mod metrics {
        pub mod family {
            pub struct Family<S, M, C> {
                labels: S,
                metric: M,
                constructor: C,
            }
            pub struct MappedRwLockReadGuard<M> {
                metric: M,
            }
            impl<S, M, C> Family<S, M, C> {
                pub fn new_with_constructor(constructor: C) -> Family<S, M, C> {}
                pub fn get_or_create(&self, labels: &S) -> MappedRwLockReadGuard<M> {}
                pub fn get_or_create_owned(&self, labels: &S) -> M {}
                pub fn get(&self, labels: &S) -> Option<MappedRwLockReadGuard<M>> {}
                pub fn remove(&self, labels: &S) -> bool {}
                pub fn clear(&self) {}
            }
            impl<M> std::ops::Deref for MappedRwLockReadGuard<M> {
                type Target = M;
            }
        }
    }
}

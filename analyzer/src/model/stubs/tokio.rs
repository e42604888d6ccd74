//! What the analysis must know of tokio, as signatures.

pub use self::task::spawn;

pub mod sync {
    pub struct Mutex<T> {
        value: T,
    }
    pub struct MutexGuard<T> {
        value: T,
    }
    pub struct MappedMutexGuard<T> {
        value: T,
    }
    pub struct OwnedMutexGuard<T> {
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
    pub struct RwLockMappedWriteGuard<T> {
        value: T,
    }
    pub struct OwnedRwLockReadGuard<T> {
        value: T,
    }
    pub struct OwnedRwLockWriteGuard<T> {
        value: T,
    }
    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {}
        pub fn const_new(value: T) -> Mutex<T> {}
        pub async fn lock(&self) -> MutexGuard<T> {}
        pub async fn lock_owned(self) -> OwnedMutexGuard<T> {}
        pub fn blocking_lock(&self) -> MutexGuard<T> {}
        pub fn blocking_lock_owned(self) -> OwnedMutexGuard<T> {}
        pub fn try_lock(&self) -> Result<MutexGuard<T>, TryLockError> {}
        pub fn try_lock_owned(self) -> Result<OwnedMutexGuard<T>, TryLockError> {}
        pub fn get_mut(&mut self) -> &mut T {}
        pub fn into_inner(self) -> T {}
    }
    impl<T> MutexGuard<T> {
        pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: MutexGuard<T>, f: F) -> MappedMutexGuard<U> {}
        pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: MutexGuard<T>, f: F) -> Result<MappedMutexGuard<U>, MutexGuard<T>> {}
    }
    impl<T> RwLock<T> {
        pub fn new(value: T) -> RwLock<T> {}
        pub async fn read(&self) -> RwLockReadGuard<T> {}
        pub async fn write(&self) -> RwLockWriteGuard<T> {}
        pub async fn read_owned(self) -> OwnedRwLockReadGuard<T> {}
        pub async fn write_owned(self) -> OwnedRwLockWriteGuard<T> {}
        pub fn blocking_read(&self) -> RwLockReadGuard<T> {}
        pub fn blocking_write(&self) -> RwLockWriteGuard<T> {}
        pub fn try_read(&self) -> Result<RwLockReadGuard<T>, TryLockError> {}
        pub fn try_write(&self) -> Result<RwLockWriteGuard<T>, TryLockError> {}
        pub fn get_mut(&mut self) -> &mut T {}
        pub fn into_inner(self) -> T {}
    }
    impl<T> RwLockReadGuard<T> {
        pub fn map<U, F: FnOnce(&T) -> &U>(guard: RwLockReadGuard<T>, f: F) -> RwLockReadGuard<U> {}
        pub fn try_map<U, F: FnOnce(&T) -> Option<&U>>(guard: RwLockReadGuard<T>, f: F) -> Result<RwLockReadGuard<U>, RwLockReadGuard<T>> {}
    }
    impl<T> RwLockWriteGuard<T> {
        pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: RwLockWriteGuard<T>, f: F) -> RwLockMappedWriteGuard<U> {}
        pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: RwLockWriteGuard<T>, f: F) -> Result<RwLockMappedWriteGuard<U>, RwLockWriteGuard<T>> {}
        pub fn downgrade(self) -> RwLockReadGuard<T> {}
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for MappedMutexGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for OwnedMutexGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockReadGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockWriteGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for RwLockMappedWriteGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for OwnedRwLockReadGuard<T> {
        type Target = T;
    }
    impl<T> std::ops::Deref for OwnedRwLockWriteGuard<T> {
        type Target = T;
    }
    pub struct Semaphore {}
    pub struct Notify {}
    pub struct OnceCell<T> {
        value: T,
    }
    impl<T> OnceCell<T> {
        pub fn new() -> OnceCell<T> {}
        pub fn get(&self) -> Option<&T> {}
    }
    pub mod mpsc {
        pub struct Sender<T> {
            item: T,
        }
        pub struct Receiver<T> {
            item: T,
        }
        pub struct UnboundedSender<T> {
            item: T,
        }
        pub struct UnboundedReceiver<T> {
            item: T,
        }
        pub fn channel<T>(n: usize) -> (Sender<T>, Receiver<T>) {}
        pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {}
        impl<T> Sender<T> {
            pub async fn send(&self, value: T) -> Result<(), SendError> {}
            pub fn blocking_send(&self, value: T) -> Result<(), SendError> {}
            pub fn try_send(&self, value: T) -> Result<(), SendError> {}
            pub fn clone(&self) -> Sender<T> {}
        }
        impl<T> UnboundedSender<T> {
            pub fn send(&self, value: T) -> Result<(), SendError> {}
            pub fn clone(&self) -> UnboundedSender<T> {}
        }
        impl<T> Receiver<T> {
            pub async fn recv(&mut self) -> Option<T> {}
            pub fn blocking_recv(&mut self) -> Option<T> {}
        }
        impl<T> UnboundedReceiver<T> {
            pub async fn recv(&mut self) -> Option<T> {}
        }
    }
    pub mod watch {
        pub struct Sender<T> {
            value: T,
        }
        pub struct Receiver<T> {
            value: T,
        }
        pub struct Ref<T> {
            value: T,
        }
        pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {}
        impl<T> Sender<T> {
            pub fn new(value: T) -> Sender<T> {}
            pub fn send(&self, value: T) -> Result<(), SendError> {}
            pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {}
            pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {}
            pub fn send_replace(&self, value: T) -> T {}
            pub fn borrow(&self) -> Ref<T> {}
            pub fn subscribe(&self) -> Receiver<T> {}
            pub fn clone(&self) -> Sender<T> {}
        }
        impl<T> Receiver<T> {
            pub fn borrow(&self) -> Ref<T> {}
            pub fn borrow_and_update(&mut self) -> Ref<T> {}
            pub fn has_changed(&self) -> Result<bool, RecvError> {}
            pub async fn changed(&mut self) -> Result<(), RecvError> {}
            pub fn clone(&self) -> Receiver<T> {}
        }
        impl<T> std::ops::Deref for Ref<T> {
            type Target = T;
        }
    }
    pub mod oneshot {
        pub struct Sender<T> {
            item: T,
        }
        pub struct Receiver<T> {
            item: T,
        }
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {}
        impl<T> Sender<T> {
            pub fn send(self, value: T) -> Result<(), T> {}
        }
    }
}
pub mod task {
    pub struct JoinHandle<T> {
        value: T,
    }
    pub fn spawn<F>(future: F) -> JoinHandle<()> {}
    pub fn spawn_local<F>(future: F) -> JoinHandle<()> {}
    pub fn spawn_blocking<T, F: FnOnce() -> T>(f: F) -> JoinHandle<T> {}
    pub fn block_in_place<T, F: FnOnce() -> T>(f: F) -> T {}
}
pub mod runtime {
    pub struct Runtime {}
    pub struct Handle {}
    impl Runtime {
        pub fn new() -> Result<Runtime, Error> {}
        pub fn block_on<F>(&self, future: F) -> <F as Future>::Output {}
        pub fn spawn<F>(&self, future: F) -> crate::task::JoinHandle<()> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> crate::task::JoinHandle<T> {}
        pub fn handle(&self) -> &Handle {}
    }
    impl Handle {
        pub fn current() -> Handle {}
        pub fn block_on<F>(&self, future: F) -> <F as Future>::Output {}
        pub fn spawn<F>(&self, future: F) -> crate::task::JoinHandle<()> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> crate::task::JoinHandle<T> {}
    }
}

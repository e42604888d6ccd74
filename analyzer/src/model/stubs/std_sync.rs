//! Locks, channels and threads of the standard library, as signatures; a part of the stub of `std`.

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
        // Only the tracker's has a name.
        pub fn named(name: &str, value: T) -> Mutex<T> {}
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
        // Only the tracker's has a name.
        pub fn named(name: &str, value: T) -> RwLock<T> {}
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
        // Only the tracker's has a name.
        pub fn named(name: &str) -> Condvar {}
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
        pub struct AtomicI16 {}
        pub struct AtomicI8 {}
        pub struct AtomicPtr<T> {
            value: T,
        }
        impl AtomicBool {
            pub fn new(value: bool) -> AtomicBool {}
        }
        impl AtomicUsize {
            pub fn new(value: usize) -> AtomicUsize {}
        }
        impl AtomicIsize {
            pub fn new(value: isize) -> AtomicIsize {}
        }
        impl AtomicU64 {
            pub fn new(value: u64) -> AtomicU64 {}
        }
        impl AtomicU32 {
            pub fn new(value: u32) -> AtomicU32 {}
        }
        impl AtomicU16 {
            pub fn new(value: u16) -> AtomicU16 {}
        }
        impl AtomicU8 {
            pub fn new(value: u8) -> AtomicU8 {}
        }
        impl AtomicI64 {
            pub fn new(value: i64) -> AtomicI64 {}
        }
        impl AtomicI32 {
            pub fn new(value: i32) -> AtomicI32 {}
        }
        impl AtomicI16 {
            pub fn new(value: i16) -> AtomicI16 {}
        }
        impl AtomicI8 {
            pub fn new(value: i8) -> AtomicI8 {}
        }
        impl<T> AtomicPtr<T> {
            pub fn new(value: *mut T) -> AtomicPtr<T> {}
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
    pub struct Child {}
    pub struct Command {}
    pub struct ExitStatus {}
    pub struct Output {}
    impl Child {
        pub fn wait(&mut self) -> Result<ExitStatus, Error> {}
        pub fn wait_with_output(self) -> Result<Output, Error> {}
    }
    impl Command {
        pub fn new(program: &str) -> Command {}
        pub fn arg(&mut self, arg: &str) -> &mut Command {}
        pub fn args(&mut self, args: &str) -> &mut Command {}
        pub fn env(&mut self, name: &str, value: &str) -> &mut Command {}
        pub fn current_dir(&mut self, dir: &str) -> &mut Command {}
        pub fn stdin(&mut self, to: Stdio) -> &mut Command {}
        pub fn stdout(&mut self, to: Stdio) -> &mut Command {}
        pub fn stderr(&mut self, to: Stdio) -> &mut Command {}
        pub fn spawn(&mut self) -> Result<Child, Error> {}
        pub fn status(&mut self) -> Result<ExitStatus, Error> {}
        pub fn output(&mut self) -> Result<Output, Error> {}
    }
    pub fn exit(code: i32) -> ! {}
    pub fn abort() -> ! {}
}

//! The locks that oracle fixtures are compiled with: same signatures and drop rules as the real ones, but they never
//! block. What would have been a hang is written down instead.
//!
//! Guarantees: an acquisition while a guard of the same lock lives on the same thread is logged as `overlap` with the
//! line of the acquisition; while a guard of another lock lives, as `order` with both locks; a suspension while a
//! guard of a thread-blocking lock lives, as `await`.
//!
//! Misses: whatever needs two threads to meet. Values are reached through raw pointers, so overlapping guards alias;
//! the oracle is compiled without optimization and its fixtures do not use two of them at once.

use std::cell::{RefCell, UnsafeCell};
use std::fmt::{Debug, Display, Formatter, Write};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

static LOG: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());

/// Everything logged so far: lines of `FILE LINE KIND [FROM TO]`.
pub fn log() -> String {
    LOG.lock().unwrap().clone()
}

fn write(at: &Location<'_>, what: std::fmt::Arguments<'_>) {
    let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
    writeln!(LOG.lock().unwrap(), "{file} {} {what}", at.line()).unwrap();
}

/// A guard that lives on this thread.
struct Held {
    guard: u64,
    lock: u64,
    blocks_thread: bool,
}

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A lock of any kind; numbered when it is first taken.
#[derive(Default)]
pub struct Lock<T: ?Sized> {
    number: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: as for the lock it stands for; that overlapping guards alias is said above.
unsafe impl<T: ?Sized + Send> Send for Lock<T> {}
unsafe impl<T: ?Sized + Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    const fn new(value: T) -> Lock<T> {
        Lock { number: AtomicU64::new(0), value: UnsafeCell::new(value) }
    }

    fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Lock<T> {
    fn number(&self) -> u64 {
        let number = fresh();
        match self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => number,
            Err(known) => known,
        }
    }

    fn is_held(&self) -> bool {
        let lock = self.number();
        HELD.with_borrow(|held| held.iter().any(|each| each.lock == lock))
    }

    fn acquire(&self, at: &Location<'_>, blocks_thread: bool) -> Guard<'_, T> {
        let lock = self.number();
        HELD.with_borrow(|held| {
            if held.iter().any(|each| each.lock == lock) {
                write(at, format_args!("overlap"));
            }
            for other in held.iter().filter(|each| each.lock != lock) {
                write(at, format_args!("order {} {lock}", other.lock));
            }
        });
        self.enter(blocks_thread)
    }

    fn enter(&self, blocks_thread: bool) -> Guard<'_, T> {
        let (guard, lock) = (fresh(), self.number());
        HELD.with_borrow_mut(|held| held.push(Held { guard, lock, blocks_thread }));
        Guard { held: Live { guard }, value: self.value.get(), lock: &self.number, marker: std::marker::PhantomData }
    }
}

struct Live {
    guard: u64,
}

impl Drop for Live {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| held.retain(|each| each.guard != self.guard));
    }
}

/// The guard of any lock.
pub struct Guard<'a, T: ?Sized + 'a> {
    held: Live,
    value: *mut T,
    lock: &'a AtomicU64,
    marker: std::marker::PhantomData<&'a mut T>,
}

impl<T: ?Sized> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // Having a destructor of its own is what matters for scopes and moves.
    }
}

impl<T: ?Sized> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock outlives its guard.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized + Display> Display for Guard<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + Debug> Debug for Guard<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl<'a, T: ?Sized> Guard<'a, T> {
    /// `MutexGuard::map` of parking_lot.
    pub fn map<U: ?Sized>(mut guard: Guard<'a, T>, f: impl FnOnce(&mut T) -> &mut U) -> Guard<'a, U> {
        let value: *mut U = f(&mut guard);
        let held = Live { guard: guard.held.guard };
        let lock = guard.lock;
        std::mem::forget(guard);
        Guard { held, value, lock, marker: std::marker::PhantomData }
    }

    /// `MutexGuard::unlocked` of parking_lot.
    pub fn unlocked<R>(guard: &mut Guard<'a, T>, f: impl FnOnce() -> R) -> R {
        let number = guard.held.guard;
        let lock = guard.lock.load(Ordering::Relaxed);
        HELD.with_borrow_mut(|held| held.retain(|each| each.guard != number));
        let result = f();
        HELD.with_borrow_mut(|held| held.push(Held { guard: number, lock, blocks_thread: true }));
        result
    }
}

/// Stands for `std::sync`.
pub mod sync {
    use super::{Guard, Lock};
    use std::panic::Location;
    pub use std::sync::{
        Arc, Barrier, LazyLock, LockResult, Once, OnceLock, PoisonError, TryLockError, TryLockResult, Weak, atomic,
        mpsc,
    };

    pub type MutexGuard<'a, T> = Guard<'a, T>;
    pub type RwLockReadGuard<'a, T> = Guard<'a, T>;
    pub type RwLockWriteGuard<'a, T> = Guard<'a, T>;

    #[derive(Default)]
    pub struct Mutex<T: ?Sized>(Lock<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Mutex<T> {
            Mutex(Lock::new(value))
        }
        pub fn into_inner(self) -> LockResult<T> {
            Ok(self.0.into_inner())
        }
    }

    impl<T: ?Sized> Mutex<T> {
        #[track_caller]
        pub fn lock(&self) -> LockResult<Guard<'_, T>> {
            Ok(self.0.acquire(Location::caller(), true))
        }
        pub fn try_lock(&self) -> TryLockResult<Guard<'_, T>> {
            if self.0.is_held() { Err(TryLockError::WouldBlock) } else { Ok(self.0.enter(true)) }
        }
    }

    #[derive(Default)]
    pub struct RwLock<T: ?Sized>(Lock<T>);

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> RwLock<T> {
            RwLock(Lock::new(value))
        }
    }

    impl<T: ?Sized> RwLock<T> {
        #[track_caller]
        pub fn read(&self) -> LockResult<Guard<'_, T>> {
            Ok(self.0.acquire(Location::caller(), true))
        }
        #[track_caller]
        pub fn write(&self) -> LockResult<Guard<'_, T>> {
            Ok(self.0.acquire(Location::caller(), true))
        }
    }

    /// Wakes up at once.
    #[derive(Default)]
    pub struct Condvar;

    impl Condvar {
        pub const fn new() -> Condvar {
            Condvar
        }
        pub fn wait<'a, T>(&self, guard: Guard<'a, T>) -> LockResult<Guard<'a, T>> {
            Ok(guard)
        }
        pub fn notify_one(&self) {}
        pub fn notify_all(&self) {}
    }
}

/// Stands for `parking_lot`.
pub mod parking_lot {
    use super::{Guard, Lock};
    use std::panic::Location;

    pub type MutexGuard<'a, T> = Guard<'a, T>;
    pub type MappedMutexGuard<'a, T> = Guard<'a, T>;

    #[derive(Default)]
    pub struct Mutex<T: ?Sized>(Lock<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Mutex<T> {
            Mutex(Lock::new(value))
        }
    }

    impl<T: ?Sized> Mutex<T> {
        #[track_caller]
        pub fn lock(&self) -> Guard<'_, T> {
            self.0.acquire(Location::caller(), true)
        }
        pub fn try_lock(&self) -> Option<Guard<'_, T>> {
            (!self.0.is_held()).then(|| self.0.enter(true))
        }
    }

    #[derive(Default)]
    pub struct RwLock<T: ?Sized>(Lock<T>);

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> RwLock<T> {
            RwLock(Lock::new(value))
        }
    }

    impl<T: ?Sized> RwLock<T> {
        #[track_caller]
        pub fn read(&self) -> Guard<'_, T> {
            self.0.acquire(Location::caller(), true)
        }
        #[track_caller]
        pub fn write(&self) -> Guard<'_, T> {
            self.0.acquire(Location::caller(), true)
        }
    }
}

/// Stands for `tokio`.
pub mod tokio {
    use super::{HELD, write};
    use std::future::Future;
    use std::panic::Location;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// Suspends its task once, and logs the thread-blocking guards that live meanwhile.
    pub struct Pause {
        at: &'static Location<'static>,
        suspended: bool,
    }

    impl Future for Pause {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.suspended, true) {
                return Poll::Ready(());
            }
            if HELD.with_borrow(|held| held.iter().any(|each| each.blocks_thread)) {
                write(self.at, format_args!("await"));
            }
            Poll::Pending
        }
    }

    #[track_caller]
    fn pause() -> Pause {
        Pause { at: Location::caller(), suspended: false }
    }

    pub mod sync {
        use super::super::{Guard, Lock};
        use std::future::Future;
        use std::panic::Location;

        pub type MutexGuard<'a, T> = Guard<'a, T>;

        #[derive(Default)]
        pub struct Mutex<T: ?Sized>(Lock<T>);

        impl<T> Mutex<T> {
            pub const fn new(value: T) -> Mutex<T> {
                Mutex(Lock::new(value))
            }
        }

        impl<T: ?Sized> Mutex<T> {
            #[track_caller]
            pub fn lock(&self) -> impl Future<Output = Guard<'_, T>> {
                let at = Location::caller();
                async move { self.0.acquire(at, false) }
            }
        }
    }

    pub mod task {
        #[track_caller]
        pub fn yield_now() -> super::Pause {
            super::pause()
        }
    }

    pub mod time {
        pub use std::time::Duration;

        #[track_caller]
        pub fn sleep(_: Duration) -> super::Pause {
            super::pause()
        }

        #[derive(Default)]
        pub struct Interval;

        pub fn interval(_: Duration) -> Interval {
            Interval
        }

        impl Interval {
            #[track_caller]
            pub fn tick(&mut self) -> super::Pause {
                super::pause()
            }
        }
    }
}

/// Stands for `futures`.
pub mod futures {
    pub mod executor {
        use std::future::Future;
        use std::task::{Context, Poll, Waker};

        pub fn block_on<F: Future>(future: F) -> F::Output {
            let mut future = std::pin::pin!(future);
            let mut context = Context::from_waker(Waker::noop());
            loop {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return value;
                }
            }
        }
    }
}

//! The same code against `std` and against the tracker: every stable method of every mirrored type is called, by the name
//! and with the types that `std` gives it, and has to do the same.
//!
//! A method that `std` does not have does not compile here, and neither does one that the tracker lacks.

macro_rules! on_both {
    ($($item:item)*) => {
        mod of_std {
            use std::{sync, thread};
            $($item)*
        }
        mod of_the_tracker {
            use lockcheck_tracker::{sync, thread};
            $($item)*
        }
    };
}

on_both! {
    use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
    use std::time::{Duration, Instant};

    use sync::atomic::{
        self, AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16,
        AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
    use sync::mpsc::{self, RecvTimeoutError, SendError, TryRecvError, TrySendError};
    use sync::{
        Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once, OnceLock, OnceState,
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, WaitTimeoutResult, Weak,
    };

    const SHORT: Duration = Duration::from_millis(10);

    static MUTEX: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static RWLOCK: RwLock<u8> = RwLock::new(0);
    static CONDVAR: Condvar = Condvar::new();
    static ONCE: Once = Once::new();
    static CELL: OnceLock<String> = OnceLock::new();
    static LAZY: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(7));
    static BARRIER: Barrier = Barrier::new(1);
    static FLAG: AtomicBool = AtomicBool::new(false);
    static PLACE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    fn is_safe<T: UnwindSafe + RefUnwindSafe>() {}

    #[test]
    fn types_are_const_and_have_the_auto_traits() {
        MUTEX.lock().unwrap().push(1);
        *RWLOCK.write().unwrap() += 1;
        CONDVAR.notify_all();
        ONCE.call_once(|| ());
        CELL.set("a".into()).unwrap();
        assert_eq!(*LAZY.lock().unwrap(), 7);
        assert!(BARRIER.wait().is_leader());
        FLAG.store(true, Ordering::SeqCst);
        assert!(PLACE.load(Ordering::SeqCst).is_null());
        is_send::<(Mutex<u8>, RwLock<u8>, Condvar, Once, OnceLock<u8>, LazyLock<u8>, Barrier, mpsc::Sender<u8>)>();
        is_sync::<(Mutex<u8>, RwLock<u8>, Condvar, Once, OnceLock<u8>, LazyLock<u8>, Barrier, mpsc::Sender<u8>)>();
        is_send::<(mpsc::Receiver<u8>, mpsc::SyncSender<u8>, thread::Thread, thread::JoinHandle<u8>)>();
        is_sync::<(mpsc::SyncSender<u8>, thread::Thread, thread::JoinHandle<u8>, AtomicPtr<u8>)>();
        is_sync::<(MutexGuard<'static, u8>, RwLockReadGuard<'static, u8>, RwLockWriteGuard<'static, u8>)>();
        is_safe::<(Mutex<u8>, RwLock<u8>, Condvar, Once, OnceLock<u8>, Barrier, AtomicU8)>();
        is_safe::<(mpsc::Sender<u8>, mpsc::SyncSender<u8>)>();
        let weak: Weak<Mutex<dyn Send>> = Arc::downgrade(&(Arc::new(Mutex::new(1u8)) as Arc<Mutex<dyn Send>>));
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn mutex_and_its_guard() {
        let lock = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || *lock.lock().unwrap() += 1)
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock().unwrap(), 4);
        let other = lock.clone();
        let result = thread::spawn(move || {
            let _guard: MutexGuard<'_, i32> = other.lock().unwrap();
            panic!("on purpose");
        })
        .join();
        assert!(result.is_err() && lock.is_poisoned());
        let result: LockResult<MutexGuard<'_, i32>> = lock.lock();
        *result.unwrap_or_else(PoisonError::into_inner) = 5;
        assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
        lock.clear_poison();
        let guard = lock.try_lock().unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!((format!("{guard:?}"), format!("{guard}")), ("5".into(), "5".into()));
        assert_eq!(format!("{lock:?}"), "Mutex { data: \"<locked>\", poisoned: false, .. }");
        drop(guard);
        assert_eq!(format!("{lock:?}"), "Mutex { data: 5, poisoned: false, .. }");
        let mut lock = Arc::into_inner(lock).unwrap();
        *lock.get_mut().unwrap() += 1;
        assert_eq!((lock.into_inner().unwrap(), *Mutex::from(3).lock().unwrap()), (6, 3));
        assert_eq!(Mutex::<u8>::default().into_inner().unwrap(), 0);
    }

    #[test]
    fn rwlock_and_its_guards() {
        let mut lock = RwLock::new(5);
        {
            let (one, two) = (lock.read().unwrap(), lock.try_read().unwrap());
            assert_eq!(*one + *two, 10);
            assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        }
        *lock.write().unwrap() += 1;
        let writer = lock.try_write().unwrap();
        assert!(lock.try_read().is_err());
        assert_eq!(format!("{lock:?}"), "RwLock { data: <locked>, poisoned: false, .. }");
        let reader = RwLockWriteGuard::downgrade(writer);
        assert_eq!((*reader, *lock.read().unwrap(), format!("{reader:?} {reader}")), (6, 6, "6 6".into()));
        drop(reader);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _guard = lock.write();
            panic!("on purpose");
        }));
        assert!(lock.is_poisoned() && lock.read().is_err() && lock.write().is_err());
        lock.clear_poison();
        assert_eq!(format!("{lock:?}"), "RwLock { data: 6, poisoned: false, .. }");
        *lock.get_mut().unwrap() = 1;
        assert_eq!(lock.into_inner().unwrap() + RwLock::from(2).into_inner().unwrap(), 3);
        assert_eq!(*RwLock::<u8>::default().read().unwrap(), 0);
    }

    #[test]
    fn condvar_and_its_results() {
        let pair = Arc::new((Mutex::new(false), Condvar::default()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let (lock, bell) = &*other;
            *lock.lock().unwrap() = true;
            bell.notify_one();
            bell.notify_all();
        });
        let (lock, bell) = &*pair;
        let mut started = lock.lock().unwrap();
        while !*started {
            started = bell.wait(started).unwrap();
        }
        let started = bell.wait_while(started, |started| !*started).unwrap();
        let (started, over): (_, WaitTimeoutResult) = bell.wait_timeout(started, SHORT).unwrap();
        let _ = over.timed_out();
        let (started, over) = bell.wait_timeout_while(started, SHORT, |_| true).unwrap();
        assert!(over.timed_out());
        let (started, over) = bell.wait_timeout_while(started, SHORT, |_| false).unwrap();
        assert!(!over.timed_out() && *started);
        drop(started);
        thread.join().unwrap();
        assert_eq!(format!("{bell:?}"), "Condvar { .. }");
    }

    #[test]
    fn barrier_and_its_result() {
        let barrier = Arc::new(Barrier::new(3));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let barrier = barrier.clone();
                thread::spawn(move || (0..50).filter(|_| barrier.wait().is_leader()).count())
            })
            .collect();
        assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>(), 50);
        let result: BarrierWaitResult = Barrier::new(0).wait();
        assert_eq!(format!("{result:?} {barrier:?}"), "BarrierWaitResult { is_leader: true } Barrier { .. }");
    }

    #[test]
    fn once_and_its_state() {
        let once = Once::new();
        assert!(!once.is_completed());
        assert!(catch_unwind(AssertUnwindSafe(|| once.call_once(|| panic!("on purpose")))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| once.call_once(|| ()))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| once.wait())).is_err());
        once.call_once_force(|state: &OnceState| assert!(state.is_poisoned()));
        once.call_once(|| unreachable!("it is done"));
        once.wait();
        once.wait_force();
        assert!(once.is_completed());
        let late = Once::new();
        thread::scope(|scope| {
            scope.spawn(|| late.wait());
            thread::sleep(SHORT);
            late.call_once_force(|state| assert!(!state.is_poisoned()));
        });
    }

    #[test]
    fn once_lock() {
        let mut cell = OnceLock::new();
        assert!(cell.get().is_none() && cell.get_mut().is_none());
        assert!(catch_unwind(AssertUnwindSafe(|| cell.get_or_init(|| panic!("on purpose")))).is_err());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(*cell.get_or_init(|| 92), 92));
            }
            assert_eq!(*cell.wait(), 92);
        });
        assert_eq!((cell.set(1), *cell.get_or_init(|| 2)), (Err(1), 92));
        *cell.get_mut().unwrap() += 1;
        assert_eq!(cell.clone(), cell);
        assert_eq!(format!("{cell:?} {:?}", OnceLock::<u8>::new()), "OnceLock(93) OnceLock(<uninit>)");
        assert_eq!((cell.take(), cell.get(), cell.set(4)), (Some(93), None, Ok(())));
        assert_eq!((cell.into_inner(), OnceLock::from(5).into_inner()), (Some(4), Some(5)));
        assert_eq!(OnceLock::<u8>::default().get(), None);
    }

    #[test]
    fn lazy_lock() {
        let calls = AtomicU32::new(0);
        let mut lazy = LazyLock::new(|| calls.fetch_add(1, Ordering::Relaxed) + 10);
        assert!(LazyLock::get(&lazy).is_none() && LazyLock::get_mut(&mut lazy).is_none());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(*lazy, 10));
            }
        });
        assert_eq!((*LazyLock::force(&lazy), LazyLock::get(&lazy)), (10, Some(&10)));
        *LazyLock::force_mut(&mut lazy) += 1;
        *lazy += 1;
        assert_eq!((format!("{lazy:?}"), calls.load(Ordering::Relaxed)), ("LazyLock(12)".into(), 1));
        let broken: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
        for _ in 0..2 {
            assert!(catch_unwind(AssertUnwindSafe(|| *broken)).is_err());
        }
        assert_eq!(*LazyLock::<u8>::default(), 0);
    }

    #[test]
    fn channels_without_bound() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let sender = sender.clone();
            thread::spawn(move || sender.send(number).unwrap());
        }
        let mut all = [receiver.recv().unwrap(), receiver.recv().unwrap(), receiver.recv().unwrap()];
        all.sort_unstable();
        assert_eq!((all, receiver.try_recv()), ([0, 1, 2], Err(TryRecvError::Empty)));
        let start = Instant::now();
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= SHORT);
        (3..6).for_each(|number| sender.send(number).unwrap());
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [3, 4, 5]);
        sender.send(6).unwrap();
        assert_eq!(receiver.recv_timeout(SHORT), Ok(6));
        sender.send(7).unwrap();
        assert_eq!(format!("{sender:?} {receiver:?}"), "Sender { .. } Receiver { .. }");
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [7]);
        assert_eq!((&receiver).into_iter().next(), None);
        assert_eq!((receiver.try_recv(), receiver.recv().is_err()), (Err(TryRecvError::Disconnected), true));
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Disconnected));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || (0..4).for_each(|number| sender.send(number).unwrap()));
        assert_eq!(receiver.into_iter().sum::<i32>(), 6);
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        assert_eq!(sender.send("back"), Err(SendError("back")));
        let (sender, receiver) = mpsc::channel::<u8>();
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(SHORT);
                drop(sender);
            });
            assert!(receiver.recv().is_err());
        });
    }

    #[test]
    fn channels_with_a_bound() {
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let other = sender.clone();
        let waits = thread::spawn(move || (2..50).for_each(|number| other.send(number).unwrap()));
        assert_eq!((0..49).map(|_| receiver.recv().unwrap()).collect::<Vec<_>>(), (1..50).collect::<Vec<_>>());
        waits.join().unwrap();
        assert_eq!(sender.try_send(3), Ok(()));
        assert_eq!(format!("{sender:?}"), "SyncSender { .. }");
        let other = sender.clone();
        let waits = thread::spawn(move || other.send(4));
        thread::sleep(SHORT);
        drop(receiver);
        assert_eq!(waits.join().unwrap(), Err(SendError(4)));
        assert_eq!(sender.try_send(5), Err(TrySendError::Disconnected(5)));
    }

    #[test]
    fn channels_where_both_have_to_meet() {
        let (sender, receiver) = mpsc::sync_channel(0);
        assert_eq!((sender.try_send(0), receiver.try_recv()), (Err(TrySendError::Full(0)), Err(TryRecvError::Empty)));
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        let mut threads = Vec::new();
        for turn in 0..3 {
            let sender = sender.clone();
            threads.push(thread::spawn(move || (0..100).for_each(|number| sender.send(turn * 100 + number).unwrap())));
        }
        let mut all: Vec<i32> = (0..300)
            .map(|at| match at % 3 {
                0 => receiver.recv().unwrap(),
                1 => receiver.recv_timeout(Duration::from_secs(20)).unwrap(),
                _ => loop {
                    if let Ok(number) = receiver.try_recv() {
                        break number;
                    }
                    thread::yield_now();
                },
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        all.sort_unstable();
        assert_eq!(all, (0..300).collect::<Vec<_>>());
        let other = sender.clone();
        let waits = thread::spawn(move || other.send(1));
        thread::sleep(SHORT);
        drop(receiver);
        assert_eq!((waits.join().unwrap(), sender.send(2)), (Err(SendError(1)), Err(SendError(2))));
        assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
        let (sender, receiver) = mpsc::sync_channel::<u8>(0);
        let waits = thread::spawn(move || receiver.recv());
        thread::sleep(SHORT);
        drop(sender);
        assert!(waits.join().unwrap().is_err());
        let (sender, receiver) = mpsc::sync_channel(0);
        let waits = thread::spawn(move || receiver.recv());
        while sender.try_send(9).is_err() {
            thread::yield_now();
        }
        assert_eq!(waits.join().unwrap(), Ok(9));
    }

    macro_rules! integers {
        ($($name:ident $value:ident)*) => {
            $({
                let (relaxed, exact) = (Ordering::Relaxed, Ordering::SeqCst);
                let mut atomic = $name::new(5);
                assert_eq!((atomic.load(relaxed), atomic.swap(6, exact)), (5, 5));
                atomic.store(7, Ordering::Release);
                assert_eq!(atomic.compare_exchange(7, 8, exact, relaxed), Ok(7));
                assert_eq!(atomic.compare_exchange(7, 9, Ordering::AcqRel, Ordering::Acquire), Err(8));
                while atomic.compare_exchange_weak(8, 1, exact, relaxed).is_err() {}
                assert_eq!((atomic.fetch_add(2, exact), atomic.fetch_sub(1, exact)), (1, 3));
                assert_eq!((atomic.fetch_and(3, exact), atomic.fetch_or(4, exact), atomic.fetch_xor(1, exact)), (2, 2, 6));
                assert_eq!((atomic.fetch_nand($value::MAX, exact), atomic.load(exact)), (7, !7));
                atomic.store(7, exact);
                assert_eq!((atomic.fetch_max(9, exact), atomic.fetch_min(4, exact)), (7, 9));
                assert_eq!(atomic.fetch_update(exact, relaxed, |value| Some(value + 1)), Ok(4));
                assert_eq!(atomic.fetch_update(exact, relaxed, |_| None), Err(5));
                assert_eq!(atomic.try_update(exact, relaxed, |value| value.checked_add(1)), Ok(5));
                assert_eq!(atomic.update(exact, relaxed, |value| value - 1), 6);
                *atomic.get_mut() += 1;
                // SAFETY: the atomic lives and nobody else uses it.
                unsafe { *atomic.as_ptr() += 1 };
                assert_eq!(format!("{atomic:?}"), "7");
                let mut plain: $value = 3;
                // SAFETY: the value lives, is aligned, and is used through the atomic alone meanwhile.
                unsafe { $name::from_ptr(&raw mut plain) }.fetch_add(1, exact);
                assert_eq!((atomic.into_inner(), plain, $name::from(2).into_inner()), (7, 4, 2));
                assert_eq!($name::default().load(exact), 0);
                assert_eq!(size_of::<$name>(), size_of::<$value>());
            })*
        };
    }

    #[test]
    fn atomics() {
        integers!(AtomicI8 i8 AtomicU8 u8 AtomicI16 i16 AtomicU16 u16 AtomicI32 i32 AtomicU32 u32);
        integers!(AtomicI64 i64 AtomicU64 u64 AtomicIsize isize AtomicUsize usize);
        let order = Ordering::SeqCst;
        let flag = AtomicBool::new(true);
        assert!(flag.fetch_and(false, order) && !flag.fetch_or(true, order) && flag.fetch_xor(true, order));
        assert!(!flag.fetch_nand(true, order) && flag.fetch_not(order) && !flag.swap(true, order));
        assert_eq!(flag.compare_exchange(true, false, order, order), Ok(true));
        assert_eq!(flag.fetch_update(order, order, |value| value.then_some(false)), Err(false));
        let (mut numbers, mut other) = ([1u32, 2, 3], 9);
        let place = AtomicPtr::new(numbers.as_mut_ptr());
        assert_eq!(place.fetch_ptr_add(1, order), numbers.as_mut_ptr());
        assert_eq!(place.fetch_byte_add(4, order), &raw mut numbers[1]);
        assert_eq!(place.fetch_ptr_sub(1, order), &raw mut numbers[2]);
        assert_eq!(place.fetch_byte_sub(4, order), &raw mut numbers[1]);
        assert_eq!(place.swap(&raw mut other, order), &raw mut numbers[0]);
        assert_eq!(format!("{place:p}"), format!("{:p}", &raw mut other));
        assert_eq!(place.fetch_or(0, order), place.fetch_and(usize::MAX, order));
        assert_eq!(place.fetch_xor(0, order), place.into_inner());
        atomic::fence(order);
        atomic::compiler_fence(order);
    }

    #[test]
    fn threads_and_scopes() {
        let named = thread::Builder::new().name("worker".into()).stack_size(64 * 1024);
        let thread = named.spawn(|| (thread::current().name().map(str::to_owned), thread::current().id())).unwrap();
        let (name, id) = (thread.thread().name().map(str::to_owned), thread.thread().id());
        assert_eq!((thread.join().unwrap(), name.as_deref()), ((name.clone(), id), Some("worker")));
        assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
        let finished = thread::spawn(|| ());
        while !finished.is_finished() {
            thread::yield_now();
        }
        let mut numbers = vec![1, 2, 3];
        let mut sum = 0;
        thread::scope(|scope| {
            let length = scope.spawn(|| numbers.len());
            scope.spawn(|| {
                scope.spawn(|| sum = numbers.iter().sum());
            });
            let other = thread::Builder::new().spawn_scoped(scope, || numbers[0]).unwrap();
            assert_eq!((length.join().unwrap(), other.thread().name()), (3, None));
            assert!(other.is_finished() || other.join().is_ok());
        });
        numbers.push(sum);
        assert_eq!(numbers, [1, 2, 3, 6]);
        assert!(catch_unwind(|| thread::scope(|scope| drop(scope.spawn(|| panic!("on purpose"))))).is_err());
        assert!(thread::available_parallelism().is_ok() && !thread::panicking());
    }

    #[test]
    fn parked_threads() {
        let flag = Arc::new(AtomicBool::new(false));
        let other = flag.clone();
        let parked = thread::Builder::new()
            .spawn(move || {
                while !other.load(Ordering::Acquire) {
                    thread::park();
                }
            })
            .unwrap();
        thread::sleep(SHORT);
        flag.store(true, Ordering::Release);
        parked.thread().unpark();
        parked.join().unwrap();
        thread::current().unpark();
        thread::park();
        let start = Instant::now();
        thread::park_timeout(SHORT);
        assert!(start.elapsed() < Duration::from_secs(20));
        let main = thread::current();
        thread::scope(|scope| {
            scope.spawn(move || main.clone().unpark());
            thread::park_timeout(Duration::from_secs(20));
        });
    }
}

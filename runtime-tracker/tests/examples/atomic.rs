//! `atomic`: the examples of each operation, of a boolean, a number and a pointer.

use std::ptr;

use super::sync::Arc;
use super::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicUsize, Ordering::*, compiler_fence, fence,
};
use super::thread;

#[test]
fn a_flag_lets_the_other_thread_go_on() {
    let busy = Arc::new(AtomicUsize::new(1));
    let other = busy.clone();
    let thread = thread::spawn(move || other.store(0, Release));
    while busy.load(Acquire) != 0 {
        std::hint::spin_loop();
    }
    thread.join().unwrap();
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| THREADS.fetch_add(1, Relaxed)))));
    assert_eq!(THREADS.load(SeqCst), 4);
}

#[test]
fn a_fence_makes_a_spin_lock() {
    #[derive(Default)]
    struct Spin {
        taken: AtomicBool,
        count: AtomicUsize,
    }
    let spin = Spin::default();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..500 {
                    while spin.taken.compare_exchange_weak(false, true, Relaxed, Relaxed).is_err() {
                        thread::yield_now();
                    }
                    fence(Acquire);
                    compiler_fence(SeqCst);
                    // Two steps, which nothing but the lock keeps together.
                    spin.count.store(spin.count.load(Relaxed) + 1, Relaxed);
                    spin.taken.store(false, Release);
                }
            });
        }
    });
    assert_eq!(spin.count.into_inner(), 1000);
}

#[test]
fn a_boolean_is_loaded_stored_and_exchanged() {
    let mut flag = AtomicBool::new(true);
    assert!(flag.load(Relaxed) && *flag.get_mut());
    flag.store(false, Relaxed);
    assert!(!flag.swap(true, AcqRel) && flag.load(Relaxed));
    assert_eq!(flag.compare_exchange(true, false, Acquire, Relaxed), Ok(true));
    assert_eq!(flag.compare_exchange(true, false, SeqCst, Acquire), Err(false));
    let mut old = flag.load(Relaxed);
    while let Err(found) = flag.compare_exchange_weak(old, true, SeqCst, Relaxed) {
        old = found;
    }
    #[allow(deprecated, reason = "it is mirrored as well")]
    let before = flag.compare_and_swap(true, false, SeqCst);
    assert!(before && !flag.into_inner());
}

#[test]
fn a_boolean_is_combined_by_every_table() {
    for (a, b) in [(true, true), (true, false), (false, true), (false, false)] {
        type Combine = fn(&AtomicBool, bool) -> bool;
        let tables: [(Combine, bool); 4] = [
            (|flag, b| flag.fetch_and(b, SeqCst), a & b),
            (|flag, b| flag.fetch_nand(b, SeqCst), !(a & b)),
            (|flag, b| flag.fetch_or(b, SeqCst), a | b),
            (|flag, b| flag.fetch_xor(b, SeqCst), a ^ b),
        ];
        for (combine, result) in tables {
            let flag = AtomicBool::new(a);
            assert_eq!((combine(&flag, b), flag.load(SeqCst)), (a, result));
        }
        let flag = AtomicBool::new(a);
        assert_eq!((flag.fetch_not(SeqCst), flag.load(SeqCst)), (a, !a));
    }
}

#[test]
fn an_update_repeats_until_nobody_came_between_or_gives_up() {
    let flag = AtomicBool::new(false);
    assert_eq!(flag.fetch_update(SeqCst, SeqCst, |_| None), Err(false));
    assert_eq!(flag.try_update(SeqCst, SeqCst, |flag| Some(!flag)), Ok(false));
    assert!(flag.update(SeqCst, SeqCst, |flag| !flag) && !flag.load(SeqCst));
    let number = AtomicI64::new(7);
    assert_eq!(number.fetch_update(SeqCst, SeqCst, |number| (number < 10).then_some(number + 1)), Ok(7));
    assert_eq!(number.fetch_update(SeqCst, SeqCst, |_| None), Err(8));
    assert_eq!((number.update(SeqCst, SeqCst, |number| number * 2), number.load(SeqCst)), (8, 16));
}

#[test]
fn a_number_is_added_to_and_its_extremes_are_kept() {
    let number = AtomicI64::new(10);
    assert_eq!((number.fetch_add(10, SeqCst), number.fetch_sub(5, SeqCst), number.load(SeqCst)), (10, 20, 15));
    assert_eq!((number.fetch_max(42, SeqCst), number.fetch_min(22, SeqCst), number.load(SeqCst)), (15, 42, 22));
    // Past the end it begins again.
    let byte = AtomicU8::new(u8::MAX);
    assert_eq!((byte.fetch_add(2, SeqCst), byte.load(SeqCst)), (u8::MAX, 1));
    let bits = AtomicU8::new(0b10_1101);
    assert_eq!((bits.fetch_and(0b11_0011, SeqCst), bits.load(SeqCst)), (0b10_1101, 0b10_0001));
    assert_eq!((bits.fetch_or(0b01_0010, SeqCst), bits.load(SeqCst)), (0b10_0001, 0b11_0011));
    assert_eq!((bits.fetch_xor(0b11_1100, SeqCst), bits.load(SeqCst)), (0b11_0011, 0b00_1111));
    assert_eq!((bits.fetch_nand(0b00_0110, SeqCst), bits.into_inner()), (0b00_1111, 0b1111_1001));
}

#[test]
fn an_atomic_stands_over_memory_that_is_there_already() {
    let place = Box::into_raw(Box::new(false));
    // SAFETY: aligned, alive, and only used through the atomic meanwhile.
    unsafe { AtomicBool::from_ptr(place) }.store(true, Relaxed);
    // SAFETY: made by `Box::into_raw`, and nobody else has it any more.
    assert!(*unsafe { Box::from_raw(place) });
    let number = AtomicI64::new(1);
    // SAFETY: no other thread has the number.
    unsafe { *number.as_ptr() += 1 };
    assert_eq!(number.load(Relaxed), 2);
}

#[test]
fn a_pointer_is_exchanged_for_another() {
    let (mut five, mut ten) = (5, 10);
    let (to_five, to_ten) = (&raw mut five, &raw mut ten);
    let mut place = AtomicPtr::new(to_five);
    assert_eq!((place.load(Relaxed), *place.get_mut()), (to_five, to_five));
    assert_eq!((place.swap(to_ten, Relaxed), place.load(Relaxed)), (to_five, to_ten));
    assert_eq!(place.compare_exchange(to_ten, to_five, SeqCst, Relaxed), Ok(to_ten));
    assert_eq!(place.compare_exchange(to_ten, to_five, SeqCst, Relaxed), Err(to_five));
    assert_eq!(place.fetch_update(SeqCst, SeqCst, |now| (now == to_five).then_some(to_ten)), Ok(to_five));
    assert_eq!(place.try_update(SeqCst, SeqCst, |now| (now == to_five).then_some(to_ten)), Err(to_ten));
    assert_eq!(place.update(SeqCst, SeqCst, |_| to_five), to_ten);
    place.store(to_ten, Release);
    // SAFETY: it points to `ten`, which is alive.
    assert_eq!(unsafe { *place.into_inner() }, 10);
}

#[test]
fn a_pointer_is_moved_and_tagged() {
    let place = AtomicPtr::<i64>::new(ptr::null_mut());
    assert_eq!((place.fetch_ptr_add(2, Relaxed).addr(), place.fetch_ptr_sub(1, Relaxed).addr()), (0, 16));
    assert_eq!((place.fetch_byte_add(3, Relaxed).addr(), place.fetch_byte_sub(1, Relaxed).addr()), (8, 11));
    let mut value = 3_i64;
    let place = AtomicPtr::new(&raw mut value);
    assert_eq!(place.fetch_or(1, Relaxed).addr() & 1, 0);
    assert_eq!(place.load(Relaxed).map_addr(|at| at & !1), &raw mut value);
    assert_eq!(place.fetch_xor(1, Relaxed).addr() & 1, 1);
    assert_eq!((place.fetch_and(!7, Relaxed), place.into_inner()), (&raw mut value, &raw mut value));
}

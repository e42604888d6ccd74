//! What is done with locks to see what they cost: the same work, over whichever library's locks.
//!
//! Guarantees: locks are made outside of the time that is measured, and taken once before.
//!
//! Misses: what a lock costs where it is fought for depends on luck ([`CONTENDED`]).

use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A mutex.
pub trait Lock: Send + Sync + 'static {
    fn new() -> Self;
    fn lock(&self) -> impl DerefMut<Target = u64>;
}

impl Lock for std::sync::Mutex<u64> {
    fn new() -> Self {
        std::sync::Mutex::new(0)
    }
    #[inline(always)]
    fn lock(&self) -> impl DerefMut<Target = u64> {
        self.lock().unwrap()
    }
}

/// A reader-writer lock.
pub trait Shared: 'static {
    fn new() -> Self;
    fn read(&self) -> impl Deref<Target = u64>;
}

impl Shared for std::sync::RwLock<u64> {
    fn new() -> Self {
        std::sync::RwLock::new(1)
    }
    #[inline(always)]
    fn read(&self) -> impl Deref<Target = u64> {
        self.read().unwrap()
    }
}

/// Runs a number of rounds; gives the time and the number of locks taken.
pub type Workload = Box<dyn FnMut(u64) -> (Duration, u64)>;

fn timed(locks: u64, rounds: u64, work: impl FnOnce()) -> (Duration, u64) {
    let start = Instant::now();
    work();
    (start.elapsed(), rounds * locks)
}

fn one<L: Lock>() -> Workload {
    let lock = L::new();
    Box::new(move |rounds| {
        timed(1, rounds, || {
            for _ in 0..rounds {
                *black_box(&lock).lock() += 1;
            }
        })
    })
}

fn two_nested<L: Lock>() -> Workload {
    let (a, b) = (L::new(), L::new());
    Box::new(move |rounds| {
        timed(2, rounds, || {
            for _ in 0..rounds {
                let mut outer = black_box(&a).lock();
                let mut inner = black_box(&b).lock();
                *outer += 1;
                *inner += 1;
                drop(inner);
            }
        })
    })
}

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn four_deep<L: Lock>() -> Workload {
    let locks: Vec<L> = (0..64).map(|_| L::new()).collect();
    let mut state = 0xDEAD_BEEF_CAFE_F00D;
    let mut sets = Vec::new();
    while sets.len() < 256 {
        let mut set: [usize; 4] = std::array::from_fn(|_| random(&mut state) as usize % 64);
        set.sort_unstable();
        if set[0] != set[1] && set[1] != set[2] && set[2] != set[3] {
            sets.push(set);
        }
    }
    Box::new(move |rounds| {
        timed(4, rounds, || {
            for round in 0..rounds {
                let set = &sets[round as usize % 256];
                let (mut a, mut b) = (locks[set[0]].lock(), locks[set[1]].lock());
                let (mut c, mut d) = (locks[set[2]].lock(), locks[set[3]].lock());
                *a += 1;
                *b += 1;
                *c += 1;
                *d += 1;
                drop(d);
                drop(c);
                drop(b);
            }
        })
    })
}

fn many_pairs<L: Lock>() -> Workload {
    let locks: Vec<L> = (0..1000).map(|_| L::new()).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15;
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    while pairs.len() < 4000 {
        let (a, b) = (random(&mut state) as usize % 1000, random(&mut state) as usize % 1000);
        if a != b && !pairs.contains(&(a.min(b), a.max(b))) {
            pairs.push((a.min(b), a.max(b)));
        }
    }
    let mut at = 0;
    Box::new(move |rounds| {
        timed(2, rounds, || {
            for _ in 0..rounds {
                let (outer, inner) = pairs[at];
                at = (at + 1) % pairs.len();
                let mut outer = locks[outer].lock();
                let mut inner = locks[inner].lock();
                *outer += 1;
                *inner += 1;
                drop(inner);
            }
        })
    })
}

#[repr(align(128))]
struct Apart<T>(T);

/// Runs `work(thread)` on two threads at once; the time from the first start to the last end.
fn on_two_threads(work: impl Fn(usize) + Sync) -> Duration {
    let ready = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads = [0, 1].map(|thread| {
            let (ready, work) = (&ready, &work);
            scope.spawn(move || {
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < 2 {
                    std::hint::spin_loop();
                }
                let start = Instant::now();
                work(thread);
                (start, Instant::now())
            })
        });
        let times = threads.map(|thread| thread.join().expect("no panic in a benchmark"));
        times[0].1.max(times[1].1) - times[0].0.min(times[1].0)
    })
}

fn two_threads_private<L: Lock>() -> Workload {
    let locks = [0, 1].map(|_| (Apart(L::new()), Apart(L::new())));
    Box::new(move |rounds| {
        let time = on_two_threads(|thread| {
            let (a, b) = &locks[thread];
            for _ in 0..rounds {
                let mut outer = a.0.lock();
                let mut inner = b.0.lock();
                *outer += 1;
                *inner += 1;
                drop(inner);
            }
        });
        (time, rounds * 4)
    })
}

fn two_threads_one_lock<L: Lock>() -> Workload {
    let lock = L::new();
    Box::new(move |rounds| {
        let time = on_two_threads(|_| {
            let mut own = 1u64;
            for _ in 0..rounds {
                {
                    let mut value = lock.lock();
                    (0..8).for_each(|_| *value = value.wrapping_mul(0x9E37_79B9).rotate_left(17));
                }
                (0..8).for_each(|_| own = black_box(own.wrapping_mul(0x9E37_79B9).rotate_left(17)));
            }
        });
        (time, rounds * 2)
    })
}

/// Locks of one round of [`new_edges`].
const FRESH: usize = 200;

fn new_edges<L: Lock>() -> Workload {
    let mut locks = Vec::new();
    Box::new(move |_| {
        locks.clear();
        locks.extend((0..FRESH).map(|_| L::new()));
        locks.iter().for_each(|lock| *lock.lock() += 1);
        let start = Instant::now();
        for pair in locks.windows(2) {
            let outer = pair[0].lock();
            *pair[1].lock() += 1;
            drop(outer);
        }
        (start.elapsed(), FRESH as u64 - 1)
    })
}

fn read<S: Shared>() -> Workload {
    let lock = S::new();
    Box::new(move |rounds| {
        timed(1, rounds, || {
            for _ in 0..rounds {
                black_box(*black_box(&lock).read());
            }
        })
    })
}

/// A workload's name, and what makes it.
pub type Named = (&'static str, fn() -> Workload);

/// All of them, for one library's locks.
pub fn all<L: Lock, S: Shared>() -> [Named; 8] {
    [
        ("one lock", one::<L>),
        ("two nested", two_nested::<L>),
        ("four deep of 64", four_deep::<L>),
        ("4000 pairs of 1000", many_pairs::<L>),
        ("two threads, private locks", two_threads_private::<L>),
        (CONTENDED, two_threads_one_lock::<L>),
        ("rwlock read", read::<S>),
        (FIRST, new_edges::<L>),
    ]
}

/// The one that does the same whatever number of rounds it is asked for, and can have no more than [`FIRST_TURNS`] turns: the
/// tracker does not look at more than 16384 nestings that differ in nothing but the instances.
pub const FIRST: &str = "nesting seen first";
/// See [`FIRST`].
pub const FIRST_TURNS: usize = 71;

/// The one whose times depend on luck.
pub const CONTENDED: &str = "two threads, one lock";

/// How many rounds of a workload take about `length`.
pub fn calibrate(name: &str, workload: &mut Workload, length: Duration) -> u64 {
    if name == FIRST {
        return 1;
    }
    let mut rounds = 16;
    workload(rounds);
    loop {
        // The quicker of two, so that a pause is not taken for work.
        let time = workload(rounds).0.min(workload(rounds).0);
        if time * 2 >= length || rounds > 1 << 28 {
            return (rounds as f64 * length.as_secs_f64() / time.as_secs_f64().max(1e-9)) as u64 + 1;
        }
        rounds *= 2;
    }
}

/// The one in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

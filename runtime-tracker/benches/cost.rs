//! What tracking costs: each workload on `std`'s types and on the tracked ones, interleaved in one process, once per mode.
//!
//! Prints nanoseconds per lock and unlock, the median of the ratios to `std` of the same repetition, and the ratio of the
//! quickest twentieths, which says more on a busy machine. `cargo bench
//! -p lockcheck-tracker`; arguments select workloads by a part of their name, `LOCKCHECK=...` selects one mode.

use std::hint::black_box;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lockcheck_tracker::sync as tracked;

/// Many short turns, so that the median stands where other processes take the processor now and then.
const REPETITIONS: usize = 101;
const LENGTH: Duration = Duration::from_millis(1);

trait Lock: Send + Sync + 'static {
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

impl Lock for tracked::Mutex<u64> {
    fn new() -> Self {
        tracked::Mutex::new(0)
    }
    #[inline(always)]
    fn lock(&self) -> impl DerefMut<Target = u64> {
        self.lock().unwrap()
    }
}

/// Runs a number of rounds; gives the time and the number of locks taken.
type Workload = Box<dyn FnMut(u64) -> (Duration, u64)>;

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

fn new_edges<L: Lock>() -> Workload {
    let mut locks = Vec::new();
    Box::new(move |rounds| {
        let mut time = Duration::ZERO;
        for _ in 0..rounds.div_ceil(999) {
            locks.clear();
            locks.extend((0..1000).map(|_| L::new()));
            locks.iter().for_each(|lock| *lock.lock() += 1);
            let start = Instant::now();
            for at in 0..999 {
                let outer = locks[at].lock();
                *locks[at + 1].lock() += 1;
                drop(outer);
            }
            time += start.elapsed();
        }
        (time, rounds.div_ceil(999) * 999)
    })
}

fn std_read() -> Workload {
    let lock = std::sync::RwLock::new(1u64);
    Box::new(move |rounds| {
        timed(1, rounds, || {
            for _ in 0..rounds {
                black_box(*black_box(&lock).read().unwrap());
            }
        })
    })
}

fn tracked_read() -> Workload {
    let lock = tracked::RwLock::new(1u64);
    Box::new(move |rounds| {
        timed(1, rounds, || {
            for _ in 0..rounds {
                black_box(*black_box(&lock).read().unwrap());
            }
        })
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(name: &str, mut plain: Workload, mut tracked: Workload) {
    let calibrate = |workload: &mut Workload| {
        let mut rounds = 4096;
        workload(rounds);
        loop {
            let (time, _) = workload(rounds);
            if time * 2 >= LENGTH || rounds > 1 << 28 {
                return (rounds as f64 * LENGTH.as_secs_f64() / time.as_secs_f64().max(1e-9)) as u64 + 1;
            }
            rounds *= 2;
        }
    };
    let rounds = [calibrate(&mut plain), calibrate(&mut tracked)];
    let (mut times, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    for repetition in 0..REPETITIONS {
        let mut nanoseconds = [0.0; 2];
        for turn in 0..2 {
            let which = (turn + repetition) % 2;
            let workload = if which == 0 { &mut plain } else { &mut tracked };
            let (time, locks) = workload(rounds[which]);
            nanoseconds[which] = time.as_secs_f64() * 1e9 / locks as f64;
            times[which].push(nanoseconds[which]);
        }
        ratios.push(nanoseconds[1] / nanoseconds[0]);
    }
    let [mut plain, mut tracked] = times;
    let [median_plain, median_tracked] = [median(&mut plain), median(&mut tracked)];
    let quiet = tracked[REPETITIONS / 20] / plain[REPETITIONS / 20];
    println!(
        "  {name:<28} {median_plain:>8.2} ns {median_tracked:>9.2} ns {:>7.2}x {quiet:>7.2}x",
        median(&mut ratios)
    );
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if std::env::var_os("LOCKCHECK").is_none() {
        for mode in ["off", "order", "trace"] {
            let trace = std::env::temp_dir().join(format!("lockcheck-cost-{}.trace", std::process::id()));
            let mut again = std::process::Command::new(std::env::current_exe().expect("own path"));
            again.args(&wanted).env("LOCKCHECK", mode);
            if mode == "trace" {
                again.env("LOCKCHECK_TRACE", &trace);
            }
            let _ = again.status();
            let _ = std::fs::remove_file(trace);
        }
        return;
    }
    println!(
        "LOCKCHECK={:<20} {:>11} {:>12} {:>8} {:>8}",
        std::env::var("LOCKCHECK").unwrap_or_default(),
        "std",
        "tracked",
        "ratio",
        "quiet"
    );
    type Std = std::sync::Mutex<u64>;
    type Tracked = tracked::Mutex<u64>;
    let run = |name: &str, plain: fn() -> Workload, tracked: fn() -> Workload| {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            compare(name, plain(), tracked());
        }
    };
    run("one lock", one::<Std>, one::<Tracked>);
    run("two nested", two_nested::<Std>, two_nested::<Tracked>);
    run("four deep of 64", four_deep::<Std>, four_deep::<Tracked>);
    run("4000 pairs of 1000", many_pairs::<Std>, many_pairs::<Tracked>);
    run("two threads, private locks", two_threads_private::<Std>, two_threads_private::<Tracked>);
    run("two threads, one lock", two_threads_one_lock::<Std>, two_threads_one_lock::<Tracked>);
    run("rwlock read", std_read, tracked_read);
    run("nesting seen first", new_edges::<Std>, new_edges::<Tracked>);
}

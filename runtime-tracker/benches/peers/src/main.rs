//! What other detectors of deadlocks cost beside this one: the workloads of `benches/cost`, on `std`'s locks and on those of each
//! peer, in turns within one process, as ratios to `std`.
//!
//! ```text
//! cargo run --release --manifest-path runtime-tracker/benches/peers/Cargo.toml --target-dir target/peers -- [WORKLOAD]...
//! ```
//! Arguments select workloads by a part of their name, `--turns N` sets how often each contestant has its turn (51),
//! `LOCKCHECK` the tracker's mode (`order`), with `LOCKCHECK_TRACE` the file of its trace. `--no-default-features` takes deloxide without its lock-order graph.
//!
//! Guarantees: a ratio is the median of the ratios to `std` in the same turn, so that noise strikes both.
//!
//! Misses: what the tools find; that is another question, and another test.

#[path = "../../cost/workloads.rs"]
mod workloads;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use workloads::{CONTENDED, FIRST, FIRST_TURNS, Lock, Named, Shared, Workload, all, calibrate, median};

const LENGTH: Duration = Duration::from_millis(2);

macro_rules! contestant {
    ($mutex:ty, $rwlock:ty, $guard:ident => $open:expr) => {
        impl Lock for $mutex {
            fn new() -> Self {
                <$mutex>::new(0)
            }
            #[inline(always)]
            fn lock(&self) -> impl DerefMut<Target = u64> {
                let $guard = <$mutex>::lock(self);
                $open
            }
        }

        impl Shared for $rwlock {
            fn new() -> Self {
                <$rwlock>::new(1)
            }
            #[inline(always)]
            fn read(&self) -> impl Deref<Target = u64> {
                let $guard = <$rwlock>::read(self);
                $open
            }
        }
    };
}

contestant!(lockcheck_tracker::sync::Mutex<u64>, lockcheck_tracker::sync::RwLock<u64>, guard => guard.unwrap());
contestant!(tracing_mutex::stdsync::tracing::Mutex<u64>, tracing_mutex::stdsync::tracing::RwLock<u64>, guard => guard.unwrap());
contestant!(deloxide::Mutex<u64>, deloxide::RwLock<u64>, guard => guard);
contestant!(no_deadlocks::Mutex<u64>, no_deadlocks::RwLock<u64>, guard => guard.unwrap());
contestant!(parking_lot::Mutex<u64>, parking_lot::RwLock<u64>, guard => guard);

const NAMES: [&str; 6] = ["std", "lockcheck", "tracing-mutex", "deloxide", "parking_lot", "no_deadlocks"];

/// The workloads of each contestant, in the order of [`NAMES`].
fn contestants() -> [[Named; 8]; NAMES.len()] {
    use tracing_mutex::stdsync::tracing;
    [
        all::<std::sync::Mutex<u64>, std::sync::RwLock<u64>>(),
        all::<lockcheck_tracker::sync::Mutex<u64>, lockcheck_tracker::sync::RwLock<u64>>(),
        all::<tracing::Mutex<u64>, tracing::RwLock<u64>>(),
        all::<deloxide::Mutex<u64>, deloxide::RwLock<u64>>(),
        all::<parking_lot::Mutex<u64>, parking_lot::RwLock<u64>>(),
        all::<no_deadlocks::Mutex<u64>, no_deadlocks::RwLock<u64>>(),
    ]
}

/// By contestant, the median of its nanoseconds per lock and of its ratios to the first.
fn compare(name: &str, mut workloads: Vec<Workload>, turns: usize) -> Vec<(f64, f64)> {
    let rounds: Vec<u64> = workloads.iter_mut().map(|workload| calibrate(name, workload, LENGTH)).collect();
    let turns = if name == FIRST { turns.min(FIRST_TURNS) } else { turns };
    let mut times = vec![Vec::new(); workloads.len()];
    for turn in 0..turns {
        for place in 0..workloads.len() {
            // Each one runs after each other one.
            let which = (place + turn) % workloads.len();
            let (time, locks) = workloads[which](rounds[which]);
            times[which].push(time.as_secs_f64() * 1e9 / locks as f64);
        }
    }
    let plain = times[0].clone();
    let ratios = |own: &[f64]| own.iter().zip(&plain).map(|(own, plain)| own / plain).collect::<Vec<_>>();
    times.iter_mut().map(|own| (median(&mut ratios(own)), median(own))).map(|(ratio, time)| (time, ratio)).collect()
}

fn main() {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut turns = 51;
    if let Some(at) = wanted.iter().position(|argument| argument == "--turns") {
        turns = wanted.get(at + 1).and_then(|turns| turns.parse().ok()).expect("`--turns` takes a number");
        wanted.drain(at..at + 2);
    }
    deloxide::Deloxide::new().callback(|_| ()).start().expect("deloxide starts");

    println!("ratio to std, and nanoseconds per lock and unlock; tracker in the mode `{}`", mode());
    print!("{:<28}", "");
    NAMES.iter().for_each(|name| print!("{name:>20}"));
    println!();
    let contestants = contestants();
    for at in 0..contestants[0].len() {
        let (name, _) = contestants[0][at];
        let asked = wanted.iter().any(|part| name.contains(part.as_str()));
        if !asked && (name == CONTENDED || !wanted.is_empty()) {
            continue;
        }
        print!("{name:<28}");
        let made = contestants.iter().map(|workloads| workloads[at].1()).collect();
        for (time, ratio) in compare(name, made, turns) {
            print!("{ratio:>9.2}x{time:>8.1}ns");
        }
        println!();
    }
    // Whatever deloxide's threads do at the end is not waited for.
    std::process::exit(0);
}

fn mode() -> String {
    std::env::var("LOCKCHECK").unwrap_or_else(|_| "order".into())
}

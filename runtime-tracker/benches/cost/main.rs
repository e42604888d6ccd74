//! What tracking costs: each workload on `std`'s types and on the tracked ones, interleaved in one process, once per mode.
//!
//! Prints nanoseconds per lock and unlock, the median of the ratios to `std` of the same repetition, the ratio of the
//! quickest twentieths, which says more on a busy machine, and the median of those repetitions in which the core was not
//! shared ([`probe`]), with their number. `cargo bench -p lockcheck-tracker`; arguments select workloads by a part of their name, `LOCKCHECK=...` selects one mode.

mod probe;
mod workloads;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lockcheck_tracker::sync as tracked;
use workloads::{FIRST, FIRST_TURNS, Lock, Shared, Workload, all, calibrate, median};

/// Many short turns, so that the median stands where other processes take the processor now and then.
const REPETITIONS: usize = 101;
const LENGTH: Duration = Duration::from_millis(1);

impl Lock for tracked::Mutex<u64> {
    fn new() -> Self {
        tracked::Mutex::new(0)
    }
    #[inline(always)]
    fn lock(&self) -> impl DerefMut<Target = u64> {
        self.lock().unwrap()
    }
}

impl Shared for tracked::RwLock<u64> {
    fn new() -> Self {
        tracked::RwLock::new(1)
    }
    #[inline(always)]
    fn read(&self) -> impl Deref<Target = u64> {
        self.read().unwrap()
    }
}

fn compare(name: &str, mut plain: Workload, mut tracked: Workload) {
    let rounds = [calibrate(name, &mut plain, LENGTH), calibrate(name, &mut tracked, LENGTH)];
    let (mut times, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    let repetitions = if name == FIRST { FIRST_TURNS } else { REPETITIONS };
    let mut quickest = f64::INFINITY;
    for repetition in 0..repetitions {
        let mut nanoseconds = [0.0; 2];
        let mut probes = [probe::arithmetic(), 0.0, 0.0];
        for turn in 0..2 {
            let which = (turn + repetition) % 2;
            let workload = if which == 0 { &mut plain } else { &mut tracked };
            let (time, locks) = workload(rounds[which]);
            nanoseconds[which] = time.as_secs_f64() * 1e9 / locks as f64;
            times[which].push(nanoseconds[which]);
            probes[turn + 1] = probe::arithmetic();
        }
        quickest = probes.into_iter().fold(quickest, f64::min);
        let slowest = probes.into_iter().fold(0.0, f64::max);
        ratios.push((nanoseconds[1] / nanoseconds[0], slowest));
    }
    let [mut plain, mut tracked] = times;
    let [median_plain, median_tracked] = [median(&mut plain), median(&mut tracked)];
    let quiet = tracked[repetitions / 20] / plain[repetitions / 20];
    let (alone, count) = probe::undisturbed(&ratios, quickest);
    println!(
        "  {name:<28} {median_plain:>8.2} ns {median_tracked:>9.2} ns {:>7.2}x {quiet:>7.2}x {alone:>7.2}x {count:>4}",
        median(&mut ratios.iter().map(|(ratio, _)| *ratio).collect::<Vec<_>>())
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
        "LOCKCHECK={:<20} {:>11} {:>12} {:>8} {:>8} {:>8}",
        std::env::var("LOCKCHECK").unwrap_or_default(),
        "std",
        "tracked",
        "ratio",
        "quiet",
        "alone"
    );
    let plain = all::<std::sync::Mutex<u64>, std::sync::RwLock<u64>>();
    let tracked = all::<tracked::Mutex<u64>, tracked::RwLock<u64>>();
    for ((name, plain), (_, tracked)) in plain.into_iter().zip(tracked) {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            compare(name, plain(), tracked());
        }
    }
}

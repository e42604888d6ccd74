//! Analyses broken traces for a long time: `cargo run -p lockcheck-tests --example fuzz_traces -- --seconds 600`.
//!
//! Records a few scenarios, adds a trace in each exchange format, breaks them, and reads, analyses and reports on each in this
//! process. Keeps a file for every input that panics or takes too long. `--seed N` repeats a run, `--out DIR` says where
//! files go. Ends with 1 if anything was found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;
use lockcheck_tests::lockcheck;

/// An analysis that takes longer is kept.
const SLOW: Duration = Duration::from_secs(5);
const SCENARIOS: [&[&str]; 7] = [
    &["bank-locks"],
    &["example"],
    &["mergesort", "--set", "safe=true"],
    &["bank-transaction"],
    &["race-simulation"],
    &["event"],
    &["dining-philosophers"],
];

struct Arguments {
    time: Duration,
    seed: u64,
    out: PathBuf,
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("usage: fuzz_traces [--seconds N] [--seed N] [--out DIR]");
        return ExitCode::from(2);
    };
    if std::fs::create_dir_all(&arguments.out).is_err() {
        eprintln!("`{}` cannot be made", arguments.out.display());
        return ExitCode::from(2);
    }
    let traces = traces(&arguments.out);
    println!("{} traces, seed {}, {} s", traces.len(), arguments.seed, arguments.time.as_secs());
    std::panic::set_hook(Box::new(|_| {}));
    let mut rng = Rng::with_seed(arguments.seed);
    let started = Instant::now();
    let (mut inputs, mut read, mut found) = (0_u64, 0_u64, 0_u64);
    let mut slowest = Duration::ZERO;
    let current = arguments.out.join("current.trace");
    while started.elapsed() < arguments.time {
        let input = broken(&mut rng, &traces);
        if std::fs::write(&current, &input).is_err() {
            eprintln!("`{}` cannot be written", current.display());
            return ExitCode::from(2);
        }
        inputs += 1;
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| analyse(&current)));
        let took = begun.elapsed();
        slowest = slowest.max(took);
        read += u64::from(matches!(outcome, Ok(true)));
        if outcome.is_err() || took > SLOW {
            found += 1;
            let kept = arguments.out.join(format!("found-{found}.trace"));
            let _ = std::fs::copy(&current, &kept);
            println!("{}: {}", kept.display(), if outcome.is_err() { "panics" } else { "is slow" });
        }
    }
    println!("{inputs} inputs, {read} of them readable, slowest {slowest:.1?}, {found} found");
    ExitCode::from(u8::from(found > 0))
}

/// Everything that is done with a trace; whether it could be read.
fn analyse(path: &Path) -> bool {
    let paths = [path.to_path_buf()];
    let report = lockcheck::analyze(&paths);
    let plans = lockcheck::steer::plans(&paths);
    assert!(report.is_ok() || plans.is_err(), "what cannot be analysed gives no plan");
    report.is_ok()
}

fn traces(out: &Path) -> Vec<Vec<u8>> {
    let mut traces = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let file = out.join(format!("recorded-{number}.trace"));
        let name = file.to_string_lossy().into_owned();
        lockcheck(out, &[&["run"], *scenario, &["--trace", name.as_str(), "-q"]].concat());
        traces.extend(std::fs::read(file));
    }
    let text = "T0|fork(T1)|1\nT1|acq(L1)|2\nT1|req(L2)|3\nT1|acq(L2)|3\nT1|w(V1)|4\nT1|wait(L2)|5\nT1|rel(L2)|6\n\
                T0|acq(L2)|7\nT0|notify(L2)|8\nT0|rel(L2)|9\nT1|acq(L2)|10\nT1|rel(L2)|11\nT1|rel(L1)|12\nT0|join(T1)|13\n";
    traces.push(text.into());
    traces.push(rapid_bin());
    traces
}

/// Two threads that nest two locks in both orders, in RapidBin.
fn rapid_bin() -> Vec<u8> {
    let nest = |thread: u64, first: u64, second: u64| {
        [(0, first), (0, second), (1, second), (1, first)].map(|(op, lock)| thread | op << 10 | lock << 14)
    };
    let events = [nest(0, 0, 1), nest(1, 1, 0)].concat();
    let mut bytes = Vec::new();
    bytes.extend(2u16.to_be_bytes());
    bytes.extend(2u32.to_be_bytes());
    bytes.extend(0u32.to_be_bytes());
    bytes.extend((events.len() as u64).to_be_bytes());
    bytes.extend(events.into_iter().flat_map(u64::to_be_bytes));
    bytes
}

/// One trace with some of it changed, moved, repeated or left out.
fn broken(rng: &mut Rng, traces: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = traces[rng.usize(..traces.len())].clone();
    for _ in 0..rng.usize(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.usize(..bytes.len());
        let len = rng.usize(1..=64.min(bytes.len() - at).max(1));
        match rng.u8(..8) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] ^= 1 << rng.u8(..8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + len)),
            4 => {
                let piece = bytes[at..at + len].to_vec();
                let to = rng.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => {
                let other = &traces[rng.usize(..traces.len())];
                let from = rng.usize(..other.len());
                let piece = other[from..(from + 64).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let value = [0, 1, 0x7FFF_FFFF, 0x8000_0000, u32::MAX][rng.usize(..5)];
                bytes.iter_mut().skip(at).zip(value.to_le_bytes()).for_each(|(byte, new)| *byte = new);
            }
            _ => bytes[at..at + len].fill(if rng.bool() { 0 } else { 0xFF }),
        }
    }
    bytes
}

fn arguments() -> Option<Arguments> {
    let mut arguments =
        Arguments { time: Duration::from_secs(60), seed: 1, out: std::env::temp_dir().join("lockcheck-fuzz-traces") };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next()?;
        match name.as_str() {
            "--seconds" => arguments.time = Duration::from_secs(value.parse().ok()?),
            "--seed" => arguments.seed = value.parse().ok()?,
            "--out" => arguments.out = value.into(),
            _ => return None,
        }
    }
    Some(arguments)
}

//! Scans broken sources for a long time: `cargo run -p lockcheck-tests --example mutate -- --seconds 600 [PATH...]`.
//!
//! Takes the Rust files under the paths (default: this project's own), breaks them, scans each in this process and keeps a
//! file for every input that panics or takes too long. `--seed N` repeats a run, `--out DIR` says where files go. The input
//! at hand lies in `current.rs` there, should the process die. Ends with 1 if anything was found.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lockcheck_tests::mutate::{Outcome, mutate, outcome};
use lockcheck_tests::workspace;

/// Larger files take most of the time and show little more.
const LARGEST: u64 = 120_000;
/// Threads that hang cannot be ended; so many are borne.
const MOST_HANGING: usize = 3;

struct Arguments {
    time: Duration,
    seed: u64,
    out: PathBuf,
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let mut files = Vec::new();
    arguments.paths.iter().for_each(|path| collect(path, &mut files));
    files.sort();
    if files.is_empty() || std::fs::create_dir_all(&arguments.out).is_err() {
        eprintln!("no Rust file under the paths, or `{}` cannot be made", arguments.out.display());
        return ExitCode::from(2);
    }
    // A panic is a result here, and its message is in the summary.
    std::panic::set_hook(Box::new(|_| {}));
    println!("{} files, seed {}, {} s", files.len(), arguments.seed, arguments.time.as_secs());
    run(&arguments, &files)
}

fn run(arguments: &Arguments, files: &[PathBuf]) -> ExitCode {
    let mut rng = fastrand::Rng::with_seed(arguments.seed);
    let started = Instant::now();
    let (mut inputs, mut no_text, mut found, mut hanging) = (0_u64, 0_u64, 0_u64, 0);
    let (mut slowest, mut told) = (Duration::ZERO, Instant::now());
    while started.elapsed() < arguments.time && hanging < MOST_HANGING {
        let [text, other] = [0; 2].map(|_| std::fs::read(&files[rng.usize(..files.len())]).unwrap_or_default());
        let input = mutate(&mut rng, &text, &other);
        let current = arguments.out.join("current.rs");
        let _ = std::fs::write(&current, &input);
        inputs += 1;
        let problem = match outcome(&input) {
            Outcome::Fine(took) => {
                slowest = slowest.max(took);
                None
            }
            Outcome::NoText => {
                no_text += 1;
                None
            }
            Outcome::Panicked(message) => Some(format!("panic: {message}")),
            Outcome::Slow(limit) => {
                hanging += 1;
                Some(format!("not done after {limit:?}"))
            }
        };
        if let Some(problem) = problem {
            found += 1;
            let kept = arguments.out.join(format!("found-{}-{inputs}.rs", arguments.seed));
            let _ = std::fs::write(&kept, &input);
            println!("{}: {problem}", kept.display());
        }
        if told.elapsed() > Duration::from_secs(30) {
            told = Instant::now();
            println!("{inputs} inputs, {found} found, slowest {slowest:?}");
        }
    }
    println!("{inputs} inputs ({no_text} no text) in {:?}, {found} found, slowest {slowest:?}", started.elapsed());
    ExitCode::from(u8::from(found > 0))
}

fn arguments() -> Result<Arguments, String> {
    let own = ["analyzer", "runtime-tracker", "fixtures", "tests"].map(|folder| workspace().join(folder));
    let out = workspace().join("target/mutate");
    let mut arguments = Arguments { time: Duration::from_secs(60), seed: 1, out, paths: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|number| number.parse::<u64>().ok());
        match word.as_str() {
            "--seconds" => arguments.time = Duration::from_secs(number().ok_or("--seconds needs a number")?),
            "--seed" => arguments.seed = number().ok_or("--seed needs a number")?,
            "--out" => arguments.out = words.next().ok_or("--out needs a folder")?.into(),
            path => arguments.paths.push(path.into()),
        }
    }
    if arguments.paths.is_empty() {
        arguments.paths = own.to_vec();
    }
    Ok(arguments)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    if metadata.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| collect(&entry.path(), files));
    } else if metadata.len() <= LARGEST && path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_owned());
    }
}

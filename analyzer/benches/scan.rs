//! What a scan costs beside parsing: the whole scan and `syn::parse_file` of the same files on the same threads, in
//! turns in one process.
//!
//! Prints medians, and the ratios to parsing. `cargo bench -p lockcheck --bench scan [-- PATH...]`; without paths the
//! sources of all dependencies in the lock file are scanned, which every machine that built this has.

use std::hint::black_box;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockcheck::cache::Cache;
use lockcheck::config::Config;
use lockcheck::source::{Request, Sources, Text, discover};
use lockcheck::{model::program::Program, regions, rules};
use rayon::prelude::*;

/// Odd, so that the median is one of them.
const REPETITIONS: usize = 7;
/// syn recurses; generated files are deep.
const STACK: usize = 128 << 20;

/// The program's: parsing gains by it as much as the rest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let paths: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).map(PathBuf::from).collect();
    let paths = if paths.is_empty() { dependencies() } else { paths };
    let read = || sources(&paths);
    let bytes: usize = read().files.iter().map(|file| file.text.raw().len()).sum();
    println!("{:.1} MB in {} files, {} threads", bytes as f64 / 1e6, read().files.len(), rayon::current_num_threads());
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().expect("threads");
    let mut times: Vec<Vec<Duration>> = Vec::new();
    for _ in 0..REPETITIONS {
        times.push(pool.install(|| turn(&read)).to_vec());
    }
    let medians = |times: &[Vec<Duration>], phase: usize| {
        let mut all: Vec<Duration> = times.iter().map(|time| time[phase]).collect();
        all.sort();
        all[all.len() / 2].as_secs_f64()
    };
    let parse = medians(&times, 0);
    for (phase, name) in PHASES.iter().enumerate() {
        let time = medians(&times, phase);
        println!("{name:<34} {:>9.1} ms {:>7.2}", time * 1e3, time / parse);
    }
    println!();
    let mut kept = 0;
    let times: Vec<Vec<Duration>> = (0..REPETITIONS).map(|_| pool.install(|| again(&read, &mut kept))).collect();
    let cold = medians(&times, 0);
    for (phase, name) in AGAIN.iter().enumerate() {
        let time = medians(&times, phase);
        println!("{name:<34} {:>9.1} ms {:>7.2} of a scan without cache", time * 1e3, time / cold);
    }
    println!("{:<34} {:>9.1} MB {:>7.2} of the sources", "the cache", kept as f64 / 1e6, kept as f64 / bytes as f64);
}

const AGAIN: [&str; 5] = [
    "no cache",
    "first scan, writing the cache",
    "second scan, nothing changed",
    "second scan, one body changed",
    "second scan, a function added",
];

/// Scans with a cache; what is kept goes through a file each time, which has so many bytes in the end.
fn again(read: &dyn Fn() -> Sources, kept: &mut u64) -> Vec<Duration> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let config = Config::default();
    let mut out = vec![timed(|| {
        black_box(lockcheck::scan_with(&read(), &config));
    })];
    let function = "fn lockcheck_bench_added() {}\n";
    for edit in [None, None, Some((body as At, "    let _edited = 0;\n")), Some((item as At, function))] {
        out.push(timed(|| {
            let stored = std::fs::read(file.path()).expect("the file is there");
            let mut cache = Cache::from_bytes(stored, 0).unwrap_or_default();
            let mut sources = read();
            if let Some((at, edit)) = edit {
                change(&mut sources, at, edit);
            }
            black_box(lockcheck::scan_after(&sources, &config, &mut cache));
            if cache.changed {
                let mut to = BufWriter::with_capacity(1 << 16, std::fs::File::create(file.path()).expect("a file"));
                cache.write_to(&mut to, 0).expect("the file can be written");
            }
        }));
    }
    *kept = std::fs::metadata(file.path()).map_or(0, |data| data.len());
    out
}

/// Where in a text something goes.
type At = fn(&str) -> Option<usize>;

/// Adds a line to a file of middling size that has a function.
fn change(sources: &mut Sources, at: At, edit: &str) {
    let mut files: Vec<_> = sources.files.iter_mut().filter(|file| at(file.text.text()).is_some()).collect();
    files.sort_by_key(|file| file.text.raw().len());
    let middle = files.len() / 2;
    let Some(file) = files.get_mut(middle) else { return };
    let mut text = file.text.raw().to_string();
    let at = at(&text).expect("it has such a place");
    text.insert_str(at, edit);
    file.text = Text::decode(text.into_bytes()).expect("it is text");
}

/// Where the first body of more than one line begins.
fn body(text: &str) -> Option<usize> {
    let function = text.find("fn ")?;
    Some(function + text[function..].find("{\n")? + 2)
}

/// In front of a function of the outermost module.
fn item(text: &str) -> Option<usize> {
    Some(text.find("\n\nfn ").or_else(|| text.find("\n\npub fn "))? + 2)
}

const PHASES: [&str; 9] = [
    "syn::parse_file",
    "whole scan, with reading",
    "  reading",
    "  syntax",
    "  model",
    "  regions",
    "  graph and rules",
    "  freeing",
    "report of the library",
];

fn turn(read: &dyn Fn() -> Sources) -> [Duration; PHASES.len()] {
    let mut out = [Duration::ZERO; PHASES.len()];
    let sources = read();
    out[0] = timed(|| {
        sources.files.par_iter().for_each(|file| {
            black_box(syn::parse_file(file.text.text()).ok());
        });
    });
    let start = Instant::now();
    let mut last = start;
    let mut lap = |phase: usize, out: &mut [Duration; PHASES.len()]| {
        out[phase] = last.elapsed();
        last = Instant::now();
    };
    let sources = read();
    lap(2, &mut out);
    let program = Program::parse(&sources);
    lap(3, &mut out);
    let model = program.model();
    lap(4, &mut out);
    let regions = regions::regions(&model, &program.names);
    lap(5, &mut out);
    let graph = regions::order::lock_graph(&regions);
    let facts = rules::Facts { graph: &graph, regions: Some(&regions), replay: None, notices: Default::default() };
    black_box(rules::check(&facts));
    lap(6, &mut out);
    drop(facts);
    drop((graph, regions, model));
    drop(program);
    lap(7, &mut out);
    out[1] = start.elapsed();
    out[8] = timed(|| {
        black_box(lockcheck::scan(&read()));
    });
    out
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn sources(paths: &[PathBuf]) -> Sources {
    let cwd = std::env::current_dir().expect("a current directory");
    discover(&Request { paths, cwd: &cwd, metadata: None }).expect("the paths exist")
}

/// Folders of all packages that the workspace depends on.
fn dependencies() -> Vec<PathBuf> {
    let mut command = cargo_metadata::MetadataCommand::new();
    let metadata = command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).exec().expect("cargo metadata");
    let packages = metadata.packages.iter().filter(|package| package.source.is_some());
    packages.filter_map(|package| package.manifest_path.parent()).map(|dir| dir.as_std_path().to_path_buf()).collect()
}

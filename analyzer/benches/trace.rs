//! How fast traces are analysed, and in how much memory: `cargo bench -p lockcheck --bench trace -- [EVENTS|FILE]...`
//!
//! A number makes a trace of so many events (8 threads, 500 nests of up to three of 1000 locks, some cells); a path reads that
//! file in any of the three formats. Without arguments: one and two million events, which shows whether the time grows
//! in proportion. Prints events per second and the peak of the process's memory after each trace (so: smallest first).

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use lockcheck_tracker::event::{Event, Frame, FrameKind, Header, Mode, ObjectKind, Op, Record, RecordingMode};

const THREADS: usize = 8;
const LOCKS: u32 = 1_000;
const CELLS: u32 = 16;
const NESTS: usize = 500;
/// Events of one thread that are written together, as the tracker does.
const CHUNK: usize = 4_096;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if wanted.is_empty() {
        wanted = vec!["1000000".to_owned(), "2000000".to_owned()];
    }
    for wanted in wanted {
        let (path, made) = match wanted.parse::<usize>() {
            Ok(events) => (generate(folder.path(), events), true),
            Err(_) => (PathBuf::from(&wanted), false),
        };
        let started = Instant::now();
        let (_, replay, notices) = lockcheck::trace::load(std::slice::from_ref(&path)).expect("a readable trace");
        let took = started.elapsed();
        println!(
            "{wanted}: {} events in {took:.2?}, {:.2} million events per second; {} patterns, {} deadlocks, {} races; peak \
             memory {} MiB; {} notices",
            replay.events,
            replay.events as f64 / took.as_secs_f64() / 1e6,
            replay.predictions.patterns,
            replay.predictions.deadlocks.len(),
            replay.races.len(),
            peak_memory() / 1024,
            notices.len()
        );
        if made {
            std::fs::remove_file(path).expect("the generated trace can be removed");
        }
    }
}

/// In KiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

struct Writer {
    out: BufWriter<std::fs::File>,
    streams: Vec<Vec<u8>>,
    numbers: Vec<u32>,
}

impl Writer {
    fn frame(&mut self, kind: FrameKind, thread: u32, payload: &[u8]) {
        let head = Frame::new(kind, thread, payload.len() as u32).encode();
        self.out.write_all(&head).and_then(|()| self.out.write_all(payload)).expect("room on the disk");
    }

    fn event(&mut self, thread: usize, event: Event) {
        self.streams[thread].extend(event.encode());
        if self.streams[thread].len() >= CHUNK * event.encode().len() {
            self.flush(thread);
        }
    }

    fn flush(&mut self, thread: usize) {
        let payload = std::mem::take(&mut self.streams[thread]);
        self.frame(FrameKind::Events, thread as u32 + 1, &payload);
    }

    fn next(&mut self, object: u32) -> u32 {
        self.numbers[object as usize] += 1;
        self.numbers[object as usize]
    }
}

fn generate(folder: &Path, events: usize) -> PathBuf {
    let path = folder.join("generated");
    let file = std::fs::File::create(&path).expect("a writable folder");
    let objects = LOCKS + CELLS + 1;
    let mut writer =
        Writer { out: BufWriter::new(file), streams: vec![Vec::new(); THREADS], numbers: vec![0; objects as usize] };
    writer.out.write_all(&Header::new(RecordingMode::Trace, 1, 0, 0).encode()).expect("room on the disk");
    let mut records = Vec::new();
    for line in 1..100 {
        Record::Site { id: line, line, column: 1, file: "src/main.rs".into() }.encode(&mut records);
    }
    for id in 1..objects {
        let kind = if id <= LOCKS { ObjectKind::Mutex } else { ObjectKind::Cell };
        let name = format!("object {id}");
        Record::Class { id, site: 1, kind: "lock".into(), data: "".into(), name: name.into() }.encode(&mut records);
        Record::Object { id, class: id, kind }.encode(&mut records);
    }
    writer.frame(FrameKind::Records, 0, &records);
    let mut rng = fastrand::Rng::with_seed(1);
    // A program has so many places where it nests locks, not more the longer it runs.
    let nests: Vec<Vec<u32>> = (0..NESTS)
        .map(|_| {
            let mut locks: Vec<u32> = (0..rng.usize(1..=3)).map(|_| rng.u32(1..=LOCKS)).collect();
            locks.sort_unstable();
            locks.dedup();
            locks
        })
        .collect();
    // A few are taken in the other order as well, so that there is something to find.
    let reversed =
        nests.iter().filter(|locks| locks.len() > 1).step_by(50).map(|locks| locks.iter().rev().copied().collect());
    let nests: Vec<Vec<u32>> = nests.iter().cloned().chain(reversed.collect::<Vec<_>>()).collect();
    let mut made = 0;
    while made < events {
        let thread = rng.usize(..THREADS);
        let locks = &nests[rng.usize(..nests.len())];
        for lock in locks {
            let site = 1 + lock % 90;
            let lock_event =
                |op, number| Event { raw_mode: Mode::Exclusive as u8, ..Event::new(op, *lock, site, number) };
            writer.event(thread, lock_event(Op::Request, 0));
            let number = writer.next(*lock);
            writer.event(thread, lock_event(Op::Acquire, number));
            made += 2;
        }
        if rng.u8(..4) == 0 {
            // A cell that the innermost lock protects.
            let cell = LOCKS + 1 + locks[0] % CELLS;
            let number = writer.next(cell);
            writer.event(thread, Event::new(Op::Read, cell, 95, number));
            made += 1;
        }
        for lock in locks.iter().rev() {
            let number = writer.next(*lock);
            let release = Event::new(Op::Release, *lock, 0, number);
            writer.event(thread, Event { raw_mode: Mode::Exclusive as u8, ..release });
            made += 1;
        }
    }
    (0..THREADS).for_each(|thread| writer.flush(thread));
    let mut end = Vec::new();
    Record::End.encode(&mut end);
    writer.frame(FrameKind::Records, 0, &end);
    writer.out.flush().expect("room on the disk");
    path
}

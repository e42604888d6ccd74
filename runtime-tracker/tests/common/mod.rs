//! Runs a test's body in a child process with a time limit and gives back what became of it.
//!
//! Each test is `common::in_child(name, options, body)`: the test binary starts itself again for that one test, and the
//! second process, recognised by an environment variable, runs the body.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lockcheck_tracker::event::compact::Decoder;
use lockcheck_tracker::event::{
    EVENT_LEN, Event, FRAME_LEN, Frame, FrameKind, HEADER_LEN, Header, LockStats, Record, STATS_LEN,
};

const CHILD: &str = "LOCKCHECK_TEST_CHILD";

/// How the child is run.
#[derive(Clone, Copy)]
pub struct Options {
    pub mode: &'static str,
    pub on_deadlock: &'static str,
    pub seconds: u64,
    /// End the child with a kill after this many milliseconds.
    pub kill_after_ms: Option<u64>,
    /// The trace goes through a pipe.
    pub pipe: bool,
    /// What locks cost is counted.
    pub stats: bool,
}

pub const ORDER: Options =
    Options { mode: "order", on_deadlock: "panic", seconds: 20, kill_after_ms: None, pipe: false, stats: false };
pub const TRACE: Options = Options { mode: "trace", ..ORDER };

/// What became of the child.
pub struct Outcome {
    pub success: bool,
    pub timed_out: bool,
    pub stdout: String,
    pub stderr: String,
    pub trace: Trace,
    /// Bytes of the trace's file.
    pub length: usize,
}

impl Outcome {
    pub fn expect_success(self) -> Self {
        assert!(self.success && !self.timed_out, "timed out: {}\n{}\n{}", self.timed_out, self.stdout, self.stderr);
        self
    }

    /// Lines that the body printed through [`say`].
    pub fn said(&self) -> Vec<&str> {
        self.stdout.lines().filter_map(|line| line.split_once("@@ ").map(|(_, rest)| rest)).collect()
    }

    /// The rules of the findings that the callback got.
    pub fn findings(&self) -> Vec<&str> {
        self.said().into_iter().filter_map(|line| line.strip_prefix("finding ")).collect()
    }
}

/// Prints a line that the parent finds.
pub fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n@@ {line}");
    let _ = out.flush();
}

/// `None` in the child, which has run `body` and is at its end.
pub fn in_child(test: &str, options: Options, body: impl FnOnce()) -> Option<Outcome> {
    if is_child(test) {
        body();
        return None;
    }
    Some(run_child(test, &[test, "--exact", "--nocapture", "--test-threads=1"], options))
}

/// Whether this process is the child for `test`; if so, its findings are printed.
pub fn is_child(test: &str) -> bool {
    let child = std::env::var(CHILD).is_ok_and(|name| name == test);
    if child {
        lockcheck_tracker::on_finding(|finding| {
            say(format!("finding {}", finding.rule));
            eprintln!("{finding}");
        });
    }
    child
}

/// Starts the test binary again as the child for `test`.
pub fn run_child(test: &str, arguments: &[&str], options: Options) -> Outcome {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path: PathBuf = std::env::temp_dir().join(format!("lockcheck-test-{}-{number}.trace", std::process::id()));
    let mut reader = None;
    if options.pipe {
        assert!(Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()));
        let path = path.clone();
        reader = Some(std::thread::spawn(move || std::fs::read(path)));
    }
    let mut child = Command::new(std::env::current_exe().expect("own path"))
        .args(arguments)
        .env(CHILD, test)
        .env("LOCKCHECK", options.mode)
        .env("LOCKCHECK_TRACE", &path)
        .env("LOCKCHECK_ON_DEADLOCK", options.on_deadlock)
        .env("LOCKCHECK_STATS", if options.stats { "1" } else { "0" })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test binary starts");
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let out = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = out.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let err = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = err.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let limit = options.kill_after_ms.map_or(Duration::from_secs(options.seconds), Duration::from_millis);
    let start = Instant::now();
    let mut timed_out = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if start.elapsed() > limit {
            timed_out = true;
            child.kill().expect("a child can be ended");
            break child.wait().expect("a child can be waited for");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let bytes = reader.map_or_else(|| std::fs::read(&path), |reader| reader.join().expect("reader")).ok();
    let _ = std::fs::remove_file(&path);
    let length = bytes.as_ref().map_or(0, Vec::len);
    let trace = bytes.map_or_else(Trace::default, |bytes| Trace::read(&bytes));
    let (stdout, stderr) = (out.join().expect("reader"), err.join().expect("reader"));
    Outcome { success: status.success(), timed_out, stdout, stderr, trace, length }
}

/// A trace file's content.
#[derive(Default)]
pub struct Trace {
    pub header: Option<Header>,
    pub records: Vec<Record<'static>>,
    /// Events with their threads, each thread's in order.
    pub events: Vec<(u32, Event)>,
    /// By number, what locks that were taken have cost.
    pub stats: Vec<(u32, LockStats)>,
    /// Bytes at the end that are no whole frame.
    pub rest: usize,
    /// Bytes of events that are not zero.
    pub bytes: usize,
}

impl Trace {
    fn read(bytes: &[u8]) -> Self {
        let header = Header::decode(bytes).ok();
        let mut trace = Trace { header, ..Trace::default() };
        let mut at = HEADER_LEN.min(bytes.len());
        let mut decoders: HashMap<u32, Decoder> = HashMap::new();
        while let Some(frame) = Frame::decode(&bytes[at..]) {
            let Some(payload) = bytes.get(at + FRAME_LEN..at + FRAME_LEN + frame.len as usize) else { break };
            match frame.kind {
                Some(FrameKind::Events) => {
                    let events = payload.chunks_exact(EVENT_LEN);
                    trace.events.extend(
                        events.map(|chunk| (frame.thread, Event::decode(chunk.try_into().expect("sixteen bytes")))),
                    );
                }
                Some(FrameKind::Compact) => {
                    trace.bytes += payload.iter().filter(|byte| **byte != 0).count();
                    let decoder = decoders.entry(frame.thread).or_default();
                    let result = decoder.decode(payload, &mut |event| {
                        trace.events.push((frame.thread, event));
                        true
                    });
                    assert_eq!(result, Ok(()));
                }
                Some(FrameKind::Stats) => {
                    let entries = payload.as_chunks::<STATS_LEN>().0.iter().map(LockStats::decode);
                    let taken = (frame.thread..).zip(entries).filter(|(_, stats)| stats.acquisitions > 0);
                    trace.stats.extend(taken);
                }
                None => assert!(payload.iter().all(|byte| *byte == 0), "room between frames is empty"),
                Some(FrameKind::Records) => {
                    let mut payload = payload;
                    while let Some((record, len)) = Record::decode(payload) {
                        trace.records.push(record);
                        payload = &payload[len..];
                    }
                    assert!(payload.iter().take(4).all(|byte| *byte == 0), "behind records is nothing");
                }
            }
            at += FRAME_LEN + frame.len as usize;
        }
        trace.rest = bytes.len() - at;
        trace
    }

    pub fn deadlocks(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Deadlock { .. })).count()
    }

    pub fn double_locks(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::DoubleLock { .. })).count()
    }

    pub fn edges(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Edge { .. })).count()
    }

    pub fn ended(&self) -> bool {
        self.records.contains(&Record::End)
    }
}

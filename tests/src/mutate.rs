//! Broken sources: real files with tokens, lines and bytes deleted, doubled, swapped, spliced and unbalanced, and what the
//! scan makes of them.
//!
//! Guarantees: the same seed and files give the same inputs; an input is scanned in this process on a thread of its own,
//! so that one that takes too long can be told from one that ends.
//!
//! Misses: what needs several files to go wrong. A stack overflow ends the process; the caller keeps the input on disk.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use lockcheck::finding::{NoticeKind, Report};
use lockcheck::source::{Edition, Package, Root, RootKind, SourceFile, Sources, Text};

/// What scanning an input did.
#[derive(Debug)]
pub enum Outcome {
    /// It ended, after this time.
    Fine(Duration),
    /// It is no text at all.
    NoText,
    /// It panicked, with this message where there is one.
    Panicked(String),
    /// It did not end in time.
    Slow(Duration),
}

/// What one may expect of the slowest machine without optimisation: a scan is linear in the text.
pub fn time_limit(bytes: usize) -> Duration {
    Duration::from_secs(10) + Duration::from_millis(bytes as u64 / 10)
}

/// Scans one file and waits no longer than its limit.
pub fn outcome(input: &[u8]) -> Outcome {
    let limit = time_limit(input.len());
    let Ok(text) = Text::decode(input.to_vec()) else { return Outcome::NoText };
    let (send, receive) = mpsc::channel();
    let started = Instant::now();
    std::thread::spawn(move || {
        let report = std::panic::catch_unwind(AssertUnwindSafe(|| lockcheck::scan(&sources(text))));
        // Nobody listens any more once it was too slow.
        let _ = send.send(report.map_err(message));
    });
    match receive.recv_timeout(limit) {
        Ok(Ok(report)) if is_broken(&report) => Outcome::Panicked("the parser panicked".to_owned()),
        Ok(Ok(_)) => Outcome::Fine(started.elapsed()),
        Ok(Err(message)) => Outcome::Panicked(message),
        Err(_) => Outcome::Slow(started.elapsed()),
    }
}

fn is_broken(report: &Report) -> bool {
    report.notices.iter().any(|notice| notice.kind == NoticeKind::InternalError)
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(|| "no message".to_owned(), |text| (*text).to_owned()),
    }
}

/// One file as a library of its own.
fn sources(text: Text) -> Sources {
    let file = SourceFile { path: PathBuf::from("/input/lib.rs"), display: "lib.rs".to_owned(), package: 0, text };
    let package = Package {
        name: "input".to_owned(),
        edition: Edition::E2021,
        dir: PathBuf::from("/input"),
        dependencies: Vec::new(),
        roots: vec![Root { file: 0, kind: RootKind::Lib, name: "input".to_owned() }],
    };
    Sources { packages: vec![package], files: vec![file], notices: Vec::new() }
}

/// Pieces that change what stands around them.
const FRAGMENTS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "\"",
    "'",
    "r#\"",
    "\"#",
    "b'",
    "/*",
    "*/",
    "//",
    "//!",
    "#[",
    "#![",
    "#",
    "!",
    "?",
    ";",
    ",",
    "::",
    "=>",
    "->",
    "..",
    "..=",
    "|",
    "||",
    "&",
    "&&",
    "=",
    "@",
    "$",
    "\\",
    "\u{feff}",
    "é",
    "\r",
    "\t",
    "---\n",
    " fn ",
    " impl ",
    " match ",
    " if let ",
    " else ",
    " while ",
    " loop ",
    " for ",
    " in ",
    " move ",
    " async ",
    ".await",
    " return ",
    " break ",
    " unsafe ",
    " const ",
    " static ",
    " mod ",
    " use ",
    " macro_rules! m ",
    " let ",
    " ref ",
    " mut ",
    " dyn ",
    " where ",
    " self",
    " Self",
    " super::",
    " crate::",
    ".lock().unwrap()",
    " drop(",
    "|| ",
    "|x| ",
    "'a: ",
    "#[cfg(test)] ",
    "// lockcheck: allow(all) -- x\n",
    "#[cfg_attr(lockcheck, allow(lockcheck::all))] ",
    "u128::MAX",
    "1e999",
    "0x",
];

/// A broken version of `text`; `other` is a file to splice with.
pub fn mutate(rng: &mut Rng, text: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    for _ in 0..1 + rng.usize(..6) {
        step(rng, &mut out, other);
        out.truncate(400_000);
    }
    out
}

fn step(rng: &mut Rng, out: &mut Vec<u8>, other: &[u8]) {
    let cuts = if rng.u8(..4) == 0 { lines(out) } else { tokens(out) };
    match rng.u8(..12) {
        0 | 1 => {
            let gone = range(rng, &cuts, 8);
            out.drain(gone);
        }
        2 => {
            let copied = range(rng, &cuts, 12);
            let copy = out[copied.clone()].to_vec();
            insert(out, copied.end, &copy);
        }
        3 => {
            // Many times over: what nests, nests deep.
            let copied = range(rng, &cuts, 4);
            let copy = out[copied.clone()].repeat(1 + rng.usize(..400));
            insert(out, copied.end, &copy);
        }
        4 | 5 => {
            let (a, b) = (range(rng, &cuts, 6), range(rng, &cuts, 6));
            let (a, b) = if a.start <= b.start { (a, b) } else { (b, a) };
            if a.end <= b.start {
                let swapped = [&out[b.clone()], &out[a.end..b.start], &out[a.clone()]].concat();
                out.splice(a.start..b.end, swapped);
            }
        }
        6 => out.truncate(cut(rng, &cuts)),
        7 => {
            let other_cuts = tokens(other);
            let (here, there) = (cut(rng, &cuts), cut(rng, &other_cuts));
            out.truncate(here);
            out.extend_from_slice(&other[there.min(other.len())..]);
        }
        8 => {
            let from = range(rng, &tokens(other), 40);
            let at = cut(rng, &cuts);
            insert(out, at, &other[from]);
        }
        9 | 10 => {
            let at = cut(rng, &cuts);
            let fragment = FRAGMENTS[rng.usize(..FRAGMENTS.len())];
            insert(out, at, fragment.as_bytes());
        }
        _ => {
            if !out.is_empty() {
                let at = rng.usize(..out.len());
                out[at] = rng.u8(..128).max(1);
            }
        }
    }
}

fn insert(out: &mut Vec<u8>, at: usize, what: &[u8]) {
    let at = at.min(out.len());
    out.splice(at..at, what.iter().copied());
}

fn cut(rng: &mut Rng, cuts: &[usize]) -> usize {
    cuts[rng.usize(..cuts.len())]
}

/// Between two cuts that are at most `most` apart.
fn range(rng: &mut Rng, cuts: &[usize], most: usize) -> Range<usize> {
    let first = rng.usize(..cuts.len());
    let last = (first + 1 + rng.usize(..most)).min(cuts.len() - 1);
    cuts[first]..cuts[last].max(cuts[first])
}

/// Where tokens begin, roughly: every change between words, blanks and anything else; with the end.
fn tokens(text: &[u8]) -> Vec<usize> {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => 1,
        b' ' | b'\n' | b'\t' | b'\r' => 2,
        _ => 3,
    };
    let starts =
        (0..text.len()).filter(|&at| at == 0 || class(text[at]) == 3 || class(text[at]) != class(text[at - 1]));
    starts.chain([text.len()]).collect()
}

fn lines(text: &[u8]) -> Vec<usize> {
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let mut cuts: Vec<usize> = std::iter::once(0).chain(starts).chain([text.len()]).collect();
    cuts.dedup();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_another_one_others() {
        let run = |seed| {
            let mut rng = Rng::with_seed(seed);
            (0..20).map(|_| mutate(&mut rng, b"fn f() { a(b); }\n", b"struct S;")).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn even_nothing_can_be_mutated() {
        let mut rng = Rng::with_seed(3);
        for _ in 0..500 {
            mutate(&mut rng, b"", b"");
        }
    }
}

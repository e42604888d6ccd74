//! RAPID `std` text: one event per line, `T1|acq(L3)|345`.
//!
//! Guarantees: read line by line into the same [`Recording`] as the tracker's own traces, so that one predictor
//! serves both; lines that are not events are skipped and counted in one notice.
//!
//! Misses: files and names: the third field becomes a line number of a nameless file, locks and threads keep the
//! names that the text gives them.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use lockcheck_tracker::event::{Event, Mode, ObjectKind, Op, RecordingMode};
use rustc_hash::FxBuildHasher;

use super::recording::{Class, Object, Recording, Site, Thread};

/// The operations of the exchange formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RapidOp {
    Acquire,
    Release,
    Request,
    Read,
    Write,
    Fork,
    Join,
    Begin,
    End,
    Wait,
    Notify,
    NotifyAll,
}

/// Longer lines are no events.
const LONGEST_LINE: u64 = 1 << 16;

/// Reads RAPID text; `None` where no line is an event, or it is no text. `notice` is told about lines that are none.
pub fn read(mut input: impl BufRead, notice: &mut dyn FnMut(String)) -> std::io::Result<Option<Recording>> {
    let mut builder = Builder::default();
    let mut skipped = 0;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let got = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        let Ok(line) = std::str::from_utf8(&bytes) else { return Ok(None) };
        match line.trim() {
            "" if got == 0 => break,
            "" => {}
            line => match parse(line) {
                Some((thread, op, operand, location)) => builder.event(thread, op, operand, location),
                None => skipped += 1,
            },
        }
    }
    if builder.count == 0 {
        return Ok(None);
    }
    if skipped > 0 {
        notice(format!("{skipped} lines of the trace are not events and were left out"));
    }
    Ok(Some(builder.finish(true)))
}

fn parse(line: &str) -> Option<(&str, RapidOp, &str, u32)> {
    let mut fields = line.split('|');
    let (thread, call) = (fields.next()?, fields.next()?);
    let location = fields.next().unwrap_or("0").trim().parse().unwrap_or(0);
    let (name, operand) = call.split_once('(').unwrap_or((call, ""));
    let op = match name.trim() {
        "acq" => RapidOp::Acquire,
        "rel" => RapidOp::Release,
        "req" => RapidOp::Request,
        "r" => RapidOp::Read,
        "w" => RapidOp::Write,
        "fork" => RapidOp::Fork,
        "join" => RapidOp::Join,
        "begin" => RapidOp::Begin,
        "end" => RapidOp::End,
        "wait" => RapidOp::Wait,
        "notify" => RapidOp::Notify,
        "notifyAll" | "broadcast" => RapidOp::NotifyAll,
        _ => return None,
    };
    Some((thread.trim(), op, operand.trim_end().trim_end_matches(')').trim(), location))
}

/// Builds a [`Recording`] from events that come in the order they happened.
#[derive(Default)]
pub(super) struct Builder {
    recording: Recording,
    threads: HashMap<String, u32, FxBuildHasher>,
    /// By kind.
    objects: [HashMap<String, u32, FxBuildHasher>; 3],
    depth: HashMap<(u32, u32), u32, FxBuildHasher>,
    /// By thread and condvar: the event number at which the thread began to wait.
    waits: HashMap<(u32, u32), u32, FxBuildHasher>,
    /// By thread and monitor: a wait that begins when the monitor is given back.
    about_to_wait: HashMap<(u32, u32), (u32, u32), FxBuildHasher>,
    /// By condvar: the event number of the last notify.
    notified: HashMap<u32, u32, FxBuildHasher>,
    count: u32,
}

/// Locks, variables and condvars have numbers of their own in these formats.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum ObjectKindKey {
    Lock,
    Variable,
    Condvar,
}

impl Builder {
    pub(super) fn event(&mut self, thread: &str, op: RapidOp, operand: &str, location: u32) {
        self.count += 1;
        let thread = self.thread(thread);
        let site = location.saturating_add(1);
        self.recording.sites.entry(site).or_insert_with(|| Site { file: String::new(), line: location, column: 0 });
        match op {
            RapidOp::Begin => self.push(thread, Op::ThreadBegin, thread, site),
            RapidOp::End => self.push(thread, Op::ThreadEnd, thread, site),
            RapidOp::Fork | RapidOp::Join => {
                let other = self.thread(operand);
                self.push(thread, if op == RapidOp::Fork { Op::Fork } else { Op::Join }, other, site);
            }
            RapidOp::Read | RapidOp::Write => {
                let cell = self.object(ObjectKindKey::Variable, operand);
                self.push(thread, if op == RapidOp::Read { Op::Read } else { Op::Write }, cell, site);
            }
            RapidOp::Request => {
                let lock = self.object(ObjectKindKey::Lock, operand);
                if self.depth.get(&(thread, lock)).is_none_or(|depth| *depth == 0) {
                    self.push(thread, Op::Request, lock, site);
                }
            }
            RapidOp::Acquire => {
                let lock = self.object(ObjectKindKey::Lock, operand);
                self.wake(thread, operand, site);
                // Monitors are re-entrant: only the outermost taking and the last giving back are events.
                let depth = self.depth.entry((thread, lock)).or_default();
                *depth += 1;
                if *depth == 1 {
                    self.push(thread, Op::Acquire, lock, site);
                }
            }
            RapidOp::Release => {
                let lock = self.object(ObjectKindKey::Lock, operand);
                let depth = self.depth.entry((thread, lock)).or_default();
                if *depth == 1 {
                    self.push(thread, Op::Release, lock, site);
                    if let Some((condvar, site)) = self.about_to_wait.remove(&(thread, lock)) {
                        self.push(thread, Op::WaitBegin, condvar, site);
                    }
                }
                let depth = self.depth.entry((thread, lock)).or_default();
                *depth = depth.saturating_sub(1);
            }
            // The release and the re-acquisition around a wait are events of their own in these texts.
            RapidOp::Wait | RapidOp::Notify | RapidOp::NotifyAll => {
                let condvar = self.object(ObjectKindKey::Condvar, operand);
                let op = match op {
                    RapidOp::Wait => Op::WaitBegin,
                    RapidOp::Notify => Op::NotifyOne,
                    _ => Op::NotifyAll,
                };
                if op == Op::WaitBegin {
                    self.waits.insert((thread, condvar), self.count);
                } else {
                    self.notified.insert(condvar, self.count);
                }
                // A thread waits once it has given its monitor back.
                let monitor = self.known(ObjectKindKey::Lock, operand).unwrap_or(0);
                if op == Op::WaitBegin && self.depth.get(&(thread, monitor)).is_some_and(|depth| *depth > 0) {
                    self.about_to_wait.insert((thread, monitor), (condvar, site));
                } else {
                    self.push(thread, op, condvar, site);
                }
            }
        }
    }

    /// Java's monitors are condvar and lock in one: taking the lock again ends the wait.
    fn wake(&mut self, thread: u32, operand: &str, site: u32) {
        let Some(condvar) = self.known(ObjectKindKey::Condvar, operand) else { return };
        if let Some(since) = self.waits.remove(&(thread, condvar)) {
            let notify = self.notified.get(&condvar).copied().filter(|at| *at > since).unwrap_or(0);
            let event = Event::new(Op::WaitEnd, condvar, site, notify);
            self.recording.streams.entry(thread).or_default().push(event);
        }
    }

    fn push(&mut self, thread: u32, op: Op, object: u32, site: u32) {
        let mut event = Event::new(op, object, site, self.count);
        event.raw_mode = Mode::Exclusive as u8;
        self.recording.streams.entry(thread).or_default().push(event);
    }

    fn thread(&mut self, name: &str) -> u32 {
        if let Some(id) = self.threads.get(name) {
            return *id;
        }
        let id = self.threads.len() as u32 + 1;
        self.threads.insert(name.to_owned(), id);
        let thread = Thread { number: id, name: name.to_owned(), ..Thread::default() };
        self.recording.threads.entry(id).or_insert(thread);
        id
    }

    fn known(&self, kind: ObjectKindKey, name: &str) -> Option<u32> {
        self.objects[kind as usize].get(name).copied()
    }

    fn object(&mut self, kind: ObjectKindKey, name: &str) -> u32 {
        if let Some(id) = self.known(kind, name) {
            return id;
        }
        let id = self.objects.iter().map(HashMap::len).sum::<usize>() as u32 + 1;
        self.objects[kind as usize].insert(name.to_owned(), id);
        let (kind, word) = match kind {
            ObjectKindKey::Lock => (ObjectKind::Mutex, "lock"),
            ObjectKindKey::Variable => (ObjectKind::Cell, "variable"),
            ObjectKindKey::Condvar => (ObjectKind::Condvar, "condvar"),
        };
        let class = Class { kind: word.to_owned(), name: format!("{word} {name}"), ..Class::default() };
        self.recording.classes.insert(id, class);
        self.recording.objects.insert(id, Object { class: id, kind });
        id
    }

    pub(super) fn finish(mut self, complete: bool) -> Recording {
        self.recording.mode = Some(RecordingMode::Trace);
        self.recording.processes = 1;
        self.recording.complete = complete;
        self.recording
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_one_stream_per_thread_and_strange_lines_are_counted() {
        let mut notices = Vec::new();
        let text = b"T0|fork(T1)|1\nT1|acq(L3)|345\nT1|acq(L3)|346\nT1|w(V1)|7\nhello\nT1|rel(L3)|8\nT1|rel(L3)|9\n";
        let recording = read(&text[..], &mut |message| notices.push(message)).expect("memory").expect("is RAPID text");
        assert_eq!(recording.streams[&1].len(), 1);
        let ops: Vec<_> = recording.streams[&2].iter().filter_map(|event| event.op()).collect();
        assert_eq!(ops, [Op::Acquire, Op::Write, Op::Release]);
        assert_eq!(notices, ["1 lines of the trace are not events and were left out"]);
        assert!(read(&b"fn main() {}\n"[..], &mut |_| ()).expect("memory").is_none());
        assert!(read(&b"T0|acq(L1)|1\n\xFF\n"[..], &mut |_| ()).expect("memory").is_none(), "no text");
    }
}

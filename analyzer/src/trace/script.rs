//! Traces for tests, written through the tracker's format as the tracker would.

use std::collections::BTreeMap;
use std::io::Cursor;

use lockcheck_tracker::event::{
    BlockedThread, Event, Frame, FrameKind, Header, Held, Mode, ObjectKind, Op, Record, RecordingMode, WaitKind, flag,
};

use super::{Replay, read};
use crate::finding::{Finding, Notice};
use crate::graph::LockGraph;
use crate::rules::{self, Facts};

/// What a test records: every thread is `1..`, every object has its name, every event a line of `src/main.rs`.
#[derive(Default)]
pub(crate) struct Script {
    records: Vec<u8>,
    streams: BTreeMap<u32, Vec<Event>>,
    objects: BTreeMap<String, u32>,
    seqs: BTreeMap<u32, u32>,
    sites: u32,
    order_mode: bool,
}

impl Script {
    /// Lines 1 to 99 of `src/main.rs` are the places.
    pub(crate) fn new() -> Self {
        let mut script = Script::default();
        for line in 1..100 {
            script.record(Record::Site { id: line, line, column: 5, file: "src/main.rs".into() });
        }
        script.sites = 99;
        script
    }

    /// Records no events, only what is given by [`Script::record`].
    pub(crate) fn order_mode(mut self) -> Self {
        self.order_mode = true;
        self
    }

    pub(crate) fn record(&mut self, record: Record<'_>) {
        record.encode(&mut self.records);
    }

    pub(crate) fn thread(&mut self, id: u32, name: &str) {
        self.record(Record::Thread { id, parent: 0, site: 0, name: name.into() });
    }

    /// The number of the object with this name.
    pub(crate) fn object(&mut self, kind: ObjectKind, name: &str) -> u32 {
        if let Some(id) = self.objects.get(name) {
            return *id;
        }
        let id = self.objects.len() as u32 + 1;
        self.objects.insert(name.to_owned(), id);
        self.record(Record::Class {
            id,
            site: 0,
            kind: format!("std::sync::{kind:?}").into(),
            data: "()".into(),
            name: name.into(),
        });
        self.record(Record::Object { id, class: id, kind });
        id
    }

    pub(crate) fn lock(&mut self, name: &str) -> u32 {
        self.object(ObjectKind::RwLock, name)
    }

    pub(crate) fn event(&mut self, thread: u32, op: Op, object: u32, line: u32, seq: u32) {
        self.streams.entry(thread).or_default().push(Event::new(op, object, line, seq));
    }

    fn next(&mut self, object: u32) -> u32 {
        let seq = self.seqs.entry(object).or_default();
        *seq += 1;
        *seq
    }

    pub(crate) fn take(&mut self, thread: u32, name: &str, mode: Mode, line: u32) {
        self.take_step(thread, name, mode, line, false);
        self.take_step(thread, name, mode, line, true);
    }

    /// The request, or the acquisition that follows it.
    pub(crate) fn take_step(&mut self, thread: u32, name: &str, mode: Mode, line: u32, acquire: bool) {
        let lock = self.lock(name);
        let (op, seq) = if acquire { (Op::Acquire, self.next(lock)) } else { (Op::Request, 0) };
        let event = Event { raw_mode: mode as u8, ..Event::new(op, lock, line, seq) };
        self.streams.entry(thread).or_default().push(event);
    }

    /// A `try_lock` that the current holder kept out.
    pub(crate) fn try_fail(&mut self, thread: u32, name: &str, line: u32) {
        let lock = self.lock(name);
        let seq = self.seqs.get(&lock).copied().unwrap_or(0);
        self.event(thread, Op::TryFail, lock, line, seq);
    }

    /// The same, after another 100 ms.
    pub(crate) fn try_fail_later(&mut self, thread: u32, name: &str, line: u32) {
        self.try_fail(thread, name, line);
        if let Some(event) = self.streams.get_mut(&thread).and_then(|stream| stream.last_mut()) {
            event.flags = flag::TRY | flag::CONTENDED;
        }
    }

    pub(crate) fn give(&mut self, thread: u32, name: &str) {
        let lock = self.lock(name);
        let seq = self.next(lock);
        let stream = self.streams.entry(thread).or_default();
        let taken = stream.iter().rev().find(|event| event.op() == Some(Op::Acquire) && event.object == lock);
        let raw_mode = taken.map_or(0, |event| event.raw_mode);
        stream.push(Event { raw_mode, ..Event::new(Op::Release, lock, 0, seq) });
    }

    /// Takes the locks one inside the other at the given lines, and gives them back.
    pub(crate) fn nest(&mut self, thread: u32, locks: &[(&str, Mode, u32)]) {
        locks.iter().for_each(|(name, mode, line)| self.take(thread, name, *mode, *line));
        locks.iter().rev().for_each(|(name, ..)| self.give(thread, name));
    }

    pub(crate) fn access(&mut self, thread: u32, op: Op, cell: &str, line: u32) {
        let cell = self.object(ObjectKind::Cell, cell);
        let seq = self.next(cell);
        self.event(thread, op, cell, line, seq);
    }

    pub(crate) fn blocked(
        thread: u32,
        task: u32,
        kind: WaitKind,
        object: u32,
        line: u32,
        held: &[Held],
    ) -> BlockedThread<'static> {
        BlockedThread { thread, task, kind, object, mode: Mode::Exclusive, site: line, held: held.to_vec().into() }
    }

    /// The trace file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mode = if self.order_mode { RecordingMode::Order } else { RecordingMode::Trace };
        let mut bytes = Header::new(mode, 7, 1, 0).encode().to_vec();
        let mut frame = |kind, thread, payload: &[u8]| {
            bytes.extend(Frame::new(kind, thread, payload.len() as u32).encode());
            bytes.extend(payload);
        };
        frame(FrameKind::Records, 0, &self.records);
        for (thread, stream) in &self.streams {
            let payload: Vec<u8> = stream.iter().flat_map(Event::encode).collect();
            frame(FrameKind::Events, *thread, &payload);
        }
        let mut end = Vec::new();
        Record::End.encode(&mut end);
        frame(FrameKind::Records, 0, &end);
        bytes
    }

    pub(crate) fn replay(&self) -> (LockGraph, Replay, Vec<Notice>) {
        let mut notices = Vec::new();
        let recording = read::read("test", Cursor::new(self.bytes()), &mut notices).expect("a readable trace");
        let (graph, replay) = super::replay(recording, &mut notices);
        (graph, replay, notices)
    }

    /// All findings of the run-time rules.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let (graph, replay, notices) = self.replay();
        assert_eq!(notices, []);
        rules::check(&Facts { graph: &graph, regions: None, replay: Some(&replay), notices: Default::default() })
    }
}

//! What each thread of a recorded run did, as spans to draw: held locks, waits, tasks.
//!
//! Guarantees: time is the step of the merged run ([`super::order`]), which keeps every order that the trace knows; a wait
//! that never ended reaches to the end of the run and says so; a hold that a deadlock froze likewise. Where the recording
//! is cut short by [`MOST_SPANS`], [`Timeline::left_out`] counts what is missing. Memory: twice that many spans, and the run.
//!
//! Misses: seconds, which the tracker does not record; accesses of cells and atomics.

use std::path::PathBuf;

use lockcheck_tracker::event::{Event, Mode, Op};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::names::{self, Names};
use super::order::order;
use super::read;
use super::recording::{Numbering, Recording, Written};
use crate::finding::Notice;

/// Spans kept.
pub const MOST_SPANS: usize = 20_000;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// Number of steps.
    pub length: u32,
    /// Names of the threads, in order of their beginning.
    pub threads: Vec<String>,
    /// Names of what is held or waited for.
    pub objects: Vec<String>,
    /// In order of their beginning.
    pub spans: Vec<Span>,
    /// Spans beyond [`MOST_SPANS`].
    pub left_out: usize,
}

/// Something that a thread did for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Index of the thread.
    pub thread: usize,
    /// What kind.
    pub kind: SpanKind,
    /// Index of the object.
    pub object: usize,
    /// First step.
    pub start: u32,
    /// Step after the last one.
    pub end: u32,
    /// Where it began, as `file:line`.
    pub place: String,
    /// For locks: not exclusive.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// It had not ended when the recording did.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// The wait is part of an observed deadlock.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stuck: bool,
}

/// The kinds of [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// A lock is held.
    Hold,
    /// Something is waited for.
    Wait,
    /// A task runs.
    Task,
}

/// Reads trace files again for their timeline: several are several processes, one after the other.
pub fn load(paths: &[PathBuf], written: Written<'_>) -> Timeline {
    let mut unread: Vec<Notice> = Vec::new();
    let mut whole: Option<Recording> = None;
    for path in paths {
        if let Ok(recording) = read::read_file(path, &mut unread) {
            match &mut whole {
                Some(whole) => whole.append(recording),
                None => whole = Some(recording),
            }
        }
    }
    whole.map_or_else(Timeline::default, |mut whole| {
        whole.learn(written);
        timeline(whole)
    })
}

/// The timeline of a recording. O(events).
pub fn timeline(mut recording: Recording) -> Timeline {
    let ordered = order(std::mem::take(&mut recording.streams));
    let names = Names::new(&recording);
    let mut drawing = Drawing {
        recording: &recording,
        names,
        objects: FxHashMap::default(),
        open: Vec::new(),
        out: Timeline::default(),
    };
    drawing.out.threads = ordered.threads.iter().map(|thread| names::thread(&recording, *thread)).collect();
    drawing.open = vec![Vec::new(); ordered.threads.len()];
    for (at, (thread, event)) in ordered.events().enumerate() {
        drawing.event(at as u32, thread as usize, &event);
    }
    let end = ordered.len() as u32;
    for thread in 0..drawing.open.len() {
        let stuck = recording.deadlocks.iter().flat_map(|deadlock| &deadlock.members);
        let stuck = stuck.into_iter().any(|member| ordered.threads.get(thread) == Some(&member.thread));
        for open in std::mem::take(&mut drawing.open[thread]) {
            let kind = open.kind;
            drawing.close(thread, open, end, true, stuck && kind == SpanKind::Wait);
        }
    }
    let mut out = drawing.out;
    out.length = end;
    out.shorten();
    out
}

impl Timeline {
    /// Keeps the first [`MOST_SPANS`] by their beginning.
    fn shorten(&mut self) {
        self.spans.sort_by_key(|span| (span.start, span.thread, span.kind, std::cmp::Reverse(span.end)));
        self.left_out += self.spans.len().saturating_sub(MOST_SPANS);
        self.spans.truncate(MOST_SPANS);
    }
}

/// Something that has begun.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: SpanKind,
    what: (Numbering, u32),
    start: u32,
    site: u32,
    shared: bool,
}

struct Drawing<'a> {
    recording: &'a Recording,
    names: Names,
    objects: FxHashMap<(Numbering, u32), usize>,
    /// By thread.
    open: Vec<Vec<Open>>,
    out: Timeline,
}

impl Drawing<'_> {
    fn event(&mut self, at: u32, thread: usize, event: &Event) {
        let Some(op) = event.op() else { return };
        let what = (Numbering::of(op), event.object);
        let shared = matches!(event.mode(), Some(Mode::Shared | Mode::SharedRecursive));
        let begin = |kind| Open { kind, what, start: at, site: event.site, shared };
        use SpanKind::{Hold, Task, Wait};
        match op {
            Op::Request | Op::JoinRequest | Op::SendRequest | Op::RecvRequest | Op::TaskJoinRequest => {
                self.open[thread].push(begin(Wait));
            }
            Op::SlotRequest | Op::BarrierRequest | Op::Park | Op::WaitBegin => self.open[thread].push(begin(Wait)),
            Op::Acquire => {
                self.end(thread, Wait, what, at);
                self.open[thread].push(begin(Hold));
            }
            Op::Release => self.end(thread, Hold, what, at),
            Op::Join
            | Op::Send
            | Op::Recv
            | Op::TaskJoin
            | Op::SlotAcquire
            | Op::Barrier
            | Op::Unparked
            | Op::WaitEnd => {
                self.end(thread, Wait, what, at);
            }
            Op::TaskBegin => self.open[thread].push(begin(Task)),
            Op::TaskEnd => self.end(thread, Task, what, at),
            _ => {}
        }
    }

    /// Ends the innermost span of this kind and object; what never began is passed over.
    fn end(&mut self, thread: usize, kind: SpanKind, what: (Numbering, u32), at: u32) {
        let open = &mut self.open[thread];
        if let Some(place) = open.iter().rposition(|open| open.kind == kind && open.what == what) {
            let open = open.remove(place);
            // A lock that was free was not waited for.
            if kind != SpanKind::Wait || at > open.start + 1 {
                self.close(thread, open, at, false, false);
            }
        }
    }

    fn close(&mut self, thread: usize, open: Open, end: u32, still_open: bool, stuck: bool) {
        // Behind the last one kept, none can be among the first.
        let full = self.out.spans.len() >= MOST_SPANS && self.out.left_out > 0;
        if full && self.out.spans.get(MOST_SPANS - 1).is_some_and(|last| open.start > last.start) {
            self.out.left_out += 1;
            return;
        }
        if self.out.spans.len() >= 2 * MOST_SPANS {
            self.out.shorten();
        }
        let object = self.object(open.what);
        let site = self.recording.sites.get(&open.site);
        let place = site.map_or(String::new(), |site| format!("{}:{}", site.file.replace('\\', "/"), site.line));
        self.out.spans.push(Span {
            thread,
            kind: open.kind,
            object,
            start: open.start,
            end: end.max(open.start + 1),
            place,
            shared: open.shared,
            open: still_open,
            stuck,
        });
    }

    fn object(&mut self, what: (Numbering, u32)) -> usize {
        if let Some(known) = self.objects.get(&what) {
            return *known;
        }
        let name = match what {
            (Numbering::Thread, id) => names::thread(self.recording, id),
            (Numbering::Task, id) => names::task(self.recording, id),
            (Numbering::Object, id) => self.names.object(self.recording, id),
        };
        self.out.objects.push(name);
        let index = self.out.objects.len() - 1;
        self.objects.insert(what, index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::script::Script;

    fn shown(script: &Script) -> (Timeline, Vec<String>) {
        let mut notices = Vec::new();
        let recording = read::read("test", std::io::Cursor::new(script.bytes()), &mut notices).expect("a trace");
        let timeline = timeline(recording);
        let span = |span: &Span| {
            let end = if span.stuck {
                "stuck"
            } else if span.open {
                "open"
            } else {
                "ended"
            };
            format!("{} {:?} {} {end}", span.thread, span.kind, timeline.objects[span.object])
        };
        let told = timeline.spans.iter().map(span).collect();
        (timeline, told)
    }

    #[test]
    fn a_free_lock_is_held_and_not_waited_for() {
        let mut script = Script::new();
        script.thread(1, "main");
        script.nest(1, &[("a", Mode::Exclusive, 3), ("b", Mode::Shared, 4)]);
        let (timeline, told) = shown(&script);
        assert_eq!(told, ["0 Hold a ended", "0 Hold b ended"]);
        assert_eq!((timeline.spans[1].shared, timeline.spans[1].place.as_str()), (true, "src/main.rs:4"));
        assert!(timeline.spans[0].end > timeline.spans[1].end, "the outer one ends last");
    }

    #[test]
    fn of_a_long_run_the_first_spans_are_kept_and_the_rest_is_counted() {
        let mut script = Script::new();
        script.take(1, "outer", Mode::Exclusive, 1);
        for _ in 0..5 * MOST_SPANS / 2 {
            script.nest(1, &[("a", Mode::Exclusive, 3)]);
        }
        script.give(1, "outer");
        let (timeline, _) = shown(&script);
        assert_eq!((timeline.spans.len(), timeline.left_out), (MOST_SPANS, 3 * MOST_SPANS / 2 + 1));
        assert_eq!(timeline.objects[timeline.spans[0].object], "outer", "it began first and ended last");
        assert!(timeline.spans.is_sorted_by_key(|span| span.start));
    }

    #[test]
    fn waits_of_a_deadlock_never_end() {
        use lockcheck_tracker::event::{DeadlockAction, Record, WaitKind};
        let mut script = Script::new();
        for (thread, own, other, line) in [(1, "a", "b", 3), (2, "b", "a", 6)] {
            script.thread(thread, "");
            script.take(thread, own, Mode::Exclusive, line);
            script.take_step(thread, other, Mode::Exclusive, line + 1, false);
        }
        let (a, b) = (script.lock("a"), script.lock("b"));
        let members =
            vec![Script::blocked(1, 0, WaitKind::Lock, b, 4, &[]), Script::blocked(2, 0, WaitKind::Lock, a, 7, &[])];
        script.record(Record::Deadlock { closer: 2, members: members.into(), action: DeadlockAction::Report });
        let (timeline, mut told) = shown(&script);
        told.sort();
        assert_eq!(told, ["0 Hold a open", "0 Wait b stuck", "1 Hold b open", "1 Wait a stuck"]);
        assert!(timeline.spans.iter().all(|span| span.end == timeline.length));
    }
}

//! Chrome's trace events: the timeline of a run for Perfetto and `chrome://tracing`.
//!
//! Guarantees: one track per thread; holds and waits are asynchronous pairs, since guards need not end in the order of
//! their beginning; an arrow leads from whoever gave a lock back to whoever then got it; a wait that a deadlock froze is an
//! instant event too. A microsecond is one step of the merged run, as the tracker records order and not time.
//!
//! Misses: durations in seconds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::trace::timeline::{SpanKind, Timeline};

/// The events as one document.
pub fn render(timeline: Option<&Timeline>) -> Vec<u8> {
    let empty = Timeline::default();
    let timeline = timeline.unwrap_or(&empty);
    let mut events: Vec<Value> = Vec::new();
    events.push(json!({ "ph": "M", "pid": 1, "name": "process_name", "args": { "name": "lockcheck run" } }));
    for (tid, name) in timeline.threads.iter().enumerate() {
        events.push(json!({ "ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": { "name": name } }));
    }
    // By lock: who gave it back last, and when.
    let mut given: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
    for span in timeline.spans.iter().filter(|span| span.kind == SpanKind::Hold && !span.open) {
        given.entry(span.object).or_default().push((span.end, span.thread));
    }
    given.values_mut().for_each(|times| times.sort_unstable());
    for (id, span) in timeline.spans.iter().enumerate() {
        let object = &timeline.objects[span.object];
        let (category, name) = match span.kind {
            SpanKind::Hold => ("hold", format!("holds {object}")),
            SpanKind::Wait => ("wait", format!("waits for {object}")),
            SpanKind::Task => ("task", object.clone()),
        };
        let (tid, args) = (span.thread, json!({ "place": span.place, "ended": !span.open }));
        let event = |phase: &str, ts: u32| json!({ "ph": phase, "cat": category, "name": name, "id": id, "pid": 1, "tid": tid, "ts": ts, "args": args });
        events.push(event("b", span.start));
        events.push(event("e", span.end));
        if span.stuck {
            events.push(json!({ "ph": "i", "s": "t", "cat": "deadlock", "name": format!("stuck: waits for {object}"), "pid": 1, "tid": tid, "ts": span.start }));
        }
        // An ended wait: the last one to give the lock back before it is whom it waited for.
        if span.kind == SpanKind::Wait && !span.open {
            let before = given.get(&span.object).and_then(|times| {
                let at = times.partition_point(|(end, _)| *end <= span.end);
                times.get(at.checked_sub(1)?).filter(|(end, _)| *end >= span.start)
            });
            if let Some((end, from)) = before {
                let flow = |phase: &str, tid: usize, ts: u32| json!({ "ph": phase, "cat": "lock", "name": object, "id": id, "bp": "e", "pid": 1, "tid": tid, "ts": ts });
                events.push(flow("s", *from, *end));
                events.push(flow("f", tid, span.end));
            }
        }
    }
    let mut out = serde_json::to_vec(&json!({
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": { "unit": "one microsecond is one step of the merged run", "left_out": timeline.left_out },
    }))
    .expect("plain data, written to memory");
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::timeline::Span;

    #[test]
    fn a_contended_lock_is_a_hold_a_wait_and_an_arrow() {
        let span = |thread, kind, start, end| Span {
            thread,
            kind,
            object: 0,
            start,
            end,
            place: "a.rs:1".into(),
            shared: false,
            open: false,
            stuck: false,
        };
        let timeline = Timeline {
            length: 9,
            threads: vec!["thread 1".into(), "thread 2 `b`".into()],
            objects: vec!["log".into()],
            spans: vec![
                span(0, SpanKind::Hold, 1, 5),
                span(1, SpanKind::Wait, 2, 6),
                Span { open: true, stuck: true, ..span(0, SpanKind::Wait, 7, 9) },
            ],
            left_out: 0,
        };
        let document: Value = serde_json::from_slice(&render(Some(&timeline))).expect("valid JSON");
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("prints"));
    }
}

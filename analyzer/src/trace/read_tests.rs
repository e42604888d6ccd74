//! The reader against whole, cut, mutated and random bytes.

use std::io::Cursor;

use lockcheck_tracker::event::{Op, RecordingMode};
use proptest::prelude::*;

use super::*;

/// A small but complete trace of two threads.
fn trace() -> Vec<u8> {
    let mut records = Vec::new();
    Record::Site { id: 1, line: 3, column: 5, file: "src/main.rs".into() }.encode(&mut records);
    Record::Thread { id: 1, parent: 0, site: 0, name: "main".into() }.encode(&mut records);
    let mut events = Vec::new();
    for (op, seq) in [(Op::Request, 0), (Op::Acquire, 1), (Op::Release, 2)] {
        events.extend(Event::new(op, 1, 1, seq).encode());
    }
    let mut end = Vec::new();
    Record::End.encode(&mut end);
    let mut bytes = Header::new(RecordingMode::Trace, 7, 1, 0).encode().to_vec();
    for (kind, payload) in [(FrameKind::Records, records), (FrameKind::Events, events), (FrameKind::Records, end)] {
        bytes.extend(Frame::new(kind, 1, payload.len() as u32).encode());
        bytes.extend(payload);
    }
    bytes
}

fn outcome(bytes: &[u8]) -> (Result<Recording, TraceError>, Vec<Notice>) {
    let mut notices = Vec::new();
    let result = read("t.lockcheck", Cursor::new(bytes), &mut notices);
    (result, notices)
}

#[test]
fn a_complete_trace_is_read_without_a_notice() {
    let (recording, notices) = outcome(&trace());
    let recording = recording.expect("readable");
    assert!(recording.complete && notices.is_empty());
    assert_eq!(recording.streams[&1].len(), 3);
    assert_eq!(recording.sites[&1].file, "src/main.rs");
}

#[test]
fn every_cut_gives_what_stands_before_it_and_says_so() {
    let whole = trace();
    for cut in HEADER_LEN..whole.len() {
        let (recording, notices) = outcome(&whole[..cut]);
        let recording = recording.expect("partly readable");
        assert!(!recording.complete, "cut at {cut}");
        assert_eq!(notices.len(), 1, "cut at {cut}");
        assert_eq!(notices[0].kind, NoticeKind::CutOffTrace);
    }
    assert!(matches!(outcome(&whole[..HEADER_LEN - 1]).0, Err(TraceError::Short { .. })));
}

#[test]
fn room_that_was_never_written_is_no_damage_but_other_bytes_are() {
    let mut padded = trace();
    padded.extend([0; 100]);
    assert!(outcome(&padded).1.is_empty());
    padded.extend([9; 100]);
    let (recording, notices) = outcome(&padded);
    assert_eq!(recording.expect("partly readable").streams[&1].len(), 3);
    assert!(notices[0].message.contains("damaged"));
}

#[test]
fn foreign_newer_and_damaged_headers_each_get_their_own_error() {
    assert!(matches!(outcome(b"\x7fELF and so on").0, Err(TraceError::Foreign { .. })));
    assert!(matches!(outcome(b"").0, Err(TraceError::Foreign { .. })));
    let mut newer = trace();
    newer[8] = MAJOR as u8 + 1;
    assert!(matches!(outcome(&newer).0, Err(TraceError::Newer { .. })));
    let mut corrupt = trace();
    corrupt[12] = 77;
    assert!(matches!(outcome(&corrupt).0, Err(TraceError::Corrupt { .. })));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), framed in any::<bool>()) {
        let mut input = if framed { Header::new(RecordingMode::Order, 1, 1, 0).encode().to_vec() } else { Vec::new() };
        input.extend(bytes);
        let _ = outcome(&input);
    }

    #[test]
    fn mutated_traces_never_panic(changes in proptest::collection::vec((0..1000usize, any::<u8>()), 1..6)) {
        let mut bytes = trace();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = outcome(&bytes);
    }
}

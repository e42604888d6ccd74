//! Looking into a trace while it grows: has the observed program deadlocked, or does it stand still?
//!
//! Guarantees: reads each byte once and skips over events; a frame that is not yet complete is read next time; a file
//! that is missing, foreign or broken never says yes.
//!
//! Misses: everything but deadlocks and long waits; the analysis reads the trace again when the program is gone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockcheck_tracker::event::{FRAME_LEN, Frame, FrameKind, HEADER_LEN, Header, Record, WaitKind};

/// After this time without any news a program in which threads wait counts as one that stands still.
const STILL: Duration = Duration::from_secs(5);

/// A trace that is being written.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    /// How far complete frames were read; 0 before the header is.
    offset: u64,
    deadlocked: bool,
    process: Option<u32>,
    /// The threads that have waited for long, and what for.
    waiting: BTreeMap<u32, WaitKind>,
    /// The processor time that the process had used when it was first seen with these, and when that was.
    since: Option<(Instant, Option<u64>)>,
}

impl Watch {
    pub(super) fn new(path: &Path) -> Self {
        Watch { path: path.into(), offset: 0, deadlocked: false, process: None, waiting: BTreeMap::new(), since: None }
    }

    /// Reads on, and says whether a deadlock was recorded by now.
    pub(super) fn has_deadlocked(&mut self) -> bool {
        // What cannot be read now may be later; what never can is for the analysis to complain about.
        if !self.deadlocked {
            let _ = self.read_on();
        }
        self.deadlocked
    }

    /// Whether threads wait and nothing has changed about it for some time: a thread waits for a lock, or, if the program
    /// `runs_tests`, for anything while the whole process does nothing. Looks at what was read already.
    pub(super) fn stands_still(&mut self, runs_tests: bool) -> bool {
        if self.waiting.is_empty() {
            self.since = None;
            return false;
        }
        let used = self.process.and_then(processor_time);
        let (since, before) = *self.since.get_or_insert_with(|| (Instant::now(), used));
        let for_lock = self.waiting.values().any(|kind| matches!(kind, WaitKind::Lock | WaitKind::Once));
        if !for_lock && used != before {
            self.since = None;
            return false;
        }
        since.elapsed() >= STILL && (for_lock || (runs_tests && used.is_some()))
    }

    fn take_in(&mut self, mut records: &[u8]) {
        while let Some((record, len)) = Record::decode(records) {
            match record {
                Record::Deadlock { .. } => self.deadlocked = true,
                Record::LongWait { ended, waits, .. } => {
                    self.since = None;
                    if ended {
                        self.waiting.remove(&waits.thread);
                    } else {
                        self.waiting.insert(waits.thread, waits.kind);
                    }
                }
                _ => {}
            }
            records = &records[len..];
        }
    }

    /// The process that writes the trace, once its header is read.
    pub(super) fn process(&self) -> Option<u32> {
        self.process
    }

    fn read_on(&mut self) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        let len = file.metadata()?.len();
        if self.offset == 0 {
            let mut header = [0; HEADER_LEN];
            file.read_exact(&mut header)?;
            let Ok(header) = Header::decode(&header) else { return Ok(()) };
            self.process = Some(header.pid);
            self.offset = HEADER_LEN as u64;
        }
        while !self.deadlocked && self.offset + FRAME_LEN as u64 <= len {
            file.seek(SeekFrom::Start(self.offset))?;
            let mut head = [0; FRAME_LEN];
            file.read_exact(&mut head)?;
            let Some(frame) = Frame::decode(&head) else { return Ok(()) };
            let end = self.offset + FRAME_LEN as u64 + u64::from(frame.len);
            if end > len {
                return Ok(());
            }
            if frame.kind == Some(FrameKind::Records) {
                let mut payload = vec![0; frame.len as usize];
                file.read_exact(&mut payload)?;
                self.take_in(&payload);
            }
            self.offset = end;
        }
        Ok(())
    }
}

/// What a process has used of the processors, in ticks of the system; `None` where nobody tells.
fn processor_time(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may have anything in it.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lockcheck_tracker::event::{DeadlockAction, Event, Op, RecordingMode};

    use super::*;

    fn frame(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
        [&Frame::new(kind, 1, payload.len() as u32).encode()[..], payload].concat()
    }

    #[test]
    fn a_deadlock_is_seen_once_its_frame_is_complete() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("a.trace");
        let mut watch = Watch::new(&path);
        assert!(!watch.has_deadlocked(), "no file yet");

        let mut deadlock = Vec::new();
        Record::Thread { id: 1, parent: 0, site: 0, name: "main".into() }.encode(&mut deadlock);
        Record::Deadlock { closer: 1, members: vec![].into(), action: DeadlockAction::Report }.encode(&mut deadlock);
        let mut bytes = Header::new(RecordingMode::Trace, 1, 0, 0).encode().to_vec();
        bytes.extend(frame(FrameKind::Events, &Event::new(Op::Fork, 1, 1, 1).encode()));
        bytes.extend(frame(FrameKind::Records, &deadlock));
        let mut file = File::create(&path).expect("create");
        let (last, front) = bytes.split_last().expect("not empty");
        for byte in front {
            file.write_all(&[*byte]).expect("write");
            assert!(!watch.has_deadlocked());
        }
        file.write_all(&[*last]).expect("write");
        assert!(watch.has_deadlocked());
    }

    #[test]
    fn a_foreign_or_broken_file_never_says_yes() {
        let dir = tempfile::tempdir().expect("dir");
        for (name, bytes) in
            [("a", vec![7; 100]), ("b", [&Header::new(RecordingMode::Trace, 1, 0, 0).encode()[..], &[9; 99]].concat())]
        {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("write");
            let mut watch = Watch::new(&path);
            assert!(!watch.has_deadlocked() && !watch.has_deadlocked());
        }
    }
}

//! Looking into a trace while it grows: has the observed program deadlocked?
//!
//! Guarantees: reads each byte once and skips over events; a frame that is not yet complete is read next time; a file
//! that is missing, foreign or broken never says yes.
//!
//! Misses: everything but deadlock records; the analysis reads the trace again when the program is gone.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use lockcheck_tracker::event::{FRAME_LEN, Frame, FrameKind, HEADER_LEN, Header, Record};

/// A trace that is being written.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    /// How far complete frames were read; 0 before the header is.
    offset: u64,
    deadlocked: bool,
    process: Option<u32>,
}

impl Watch {
    pub(super) fn new(path: &Path) -> Self {
        Watch { path: path.into(), offset: 0, deadlocked: false, process: None }
    }

    /// Reads on, and says whether a deadlock was recorded by now.
    pub(super) fn has_deadlocked(&mut self) -> bool {
        // What cannot be read now may be later; what never can is for the analysis to complain about.
        if !self.deadlocked {
            let _ = self.read_on();
        }
        self.deadlocked
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
                self.deadlocked = has_deadlock(&payload);
            }
            self.offset = end;
        }
        Ok(())
    }
}

fn has_deadlock(mut records: &[u8]) -> bool {
    while let Some((record, len)) = Record::decode(records) {
        if matches!(record, Record::Deadlock { .. }) {
            return true;
        }
        records = &records[len..];
    }
    false
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

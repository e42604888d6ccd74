//! From bytes to a [`Recording`]: the tracker's own format, RAPID text and RapidBin, told apart by how they begin.
//!
//! Guarantees: any bytes give a recording, a partial recording with a [`NoticeKind::CutOffTrace`] notice, or a typed
//! error; never a panic, never more memory than a small multiple of the input and of `MOST_REPEATED` events. The input is
//! read once, frame by frame.
//!
//! Misses: what stands behind a damaged frame header: frames have no marks to find the next one by. Of repetitions, which
//! a few bytes can tell in any number, what is beyond that many events.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use lockcheck_tracker::event::compact::{Decoder, Stop};
use lockcheck_tracker::event::{
    EVENT_LEN, Event, FRAME_LEN, FormatError, Frame, FrameKind, HEADER_LEN, Header, LockStats, MAGIC, MAJOR, Record,
    STATS_LEN,
};

use super::recording::Recording;
use super::{rapid, rapid_bin};
use crate::finding::{Notice, NoticeKind};

/// Why a file gives no recording at all.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It could not be opened or read.
    #[error("cannot read the trace `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is neither a trace of the tracker nor RAPID text nor RapidBin.
    #[error("`{path}` is not a trace: it is neither a lockcheck recording nor RAPID text nor RapidBin")]
    Foreign {
        /// The file.
        path: String,
    },
    /// It ends inside the header.
    #[error("the trace `{path}` ends inside its header: nothing was recorded")]
    Short {
        /// The file.
        path: String,
    },
    /// It needs a newer lockcheck.
    #[error(
        "the trace `{path}` has format version {major}, and this lockcheck reads up to {MAJOR}; use a newer lockcheck"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        major: u16,
    },
    /// Its header does not hold together.
    #[error("the header of the trace `{path}` is damaged")]
    Corrupt {
        /// The file.
        path: String,
    },
}

/// Reads one trace file of any of the three formats.
pub fn read_file(path: &Path, notices: &mut Vec<Notice>) -> Result<Recording, TraceError> {
    let name = path.to_string_lossy().replace('\\', "/");
    let file = std::fs::File::open(path).map_err(|source| TraceError::Unreadable { path: name.clone(), source })?;
    read(&name, std::io::BufReader::new(file), notices)
}

/// Reads one trace of any of the three formats. `path` is only used in messages.
pub fn read(path: &str, mut input: impl Read, notices: &mut Vec<Notice>) -> Result<Recording, TraceError> {
    let unreadable = |source| TraceError::Unreadable { path: path.to_owned(), source };
    let mut start = Vec::new();
    input.by_ref().take(HEADER_LEN as u64).read_to_end(&mut start).map_err(unreadable)?;
    if !start.starts_with(&MAGIC[..start.len().min(MAGIC.len())]) || start.is_empty() {
        let mut add = |message| notices.push(cut_off(path, message));
        let is_binary = rapid_bin::is_header(&start);
        let whole = std::io::BufReader::new(start.as_slice().chain(input));
        let read = if is_binary { rapid_bin::read(whole, &mut add) } else { rapid::read(whole, &mut add) };
        return read.map_err(unreadable)?.ok_or_else(|| TraceError::Foreign { path: path.to_owned() });
    }
    let path = path.to_owned();
    let header = Header::decode(&start).map_err(|error| match error {
        FormatError::Foreign => TraceError::Foreign { path: path.clone() },
        FormatError::Short => TraceError::Short { path: path.clone() },
        FormatError::Newer { major } => TraceError::Newer { path: path.clone(), major },
        FormatError::Corrupt => TraceError::Corrupt { path: path.clone() },
    })?;
    let mut recording = Recording { mode: Some(header.mode), pid: header.pid, processes: 1, ..Recording::default() };
    let ending = frames(&mut recording, input).map_err(unreadable_at(&path))?;
    let message = match ending {
        Ending::Damaged => Some("a part of the trace is damaged; what stands before it was analysed".to_owned()),
        Ending::Full => Some("the trace has too many events; those before the last were analysed".to_owned()),
        Ending::Inside => {
            Some("the trace ends in the middle of an entry; what stands before it was analysed".to_owned())
        }
        Ending::Clean if !recording.complete => Some(
            "the program ended before it could close the trace; what was recorded until then was analysed".to_owned(),
        ),
        Ending::Clean => None,
    };
    recording.complete &= message.is_none();
    notices.extend(message.map(|message| cut_off(&path, message)));
    Ok(recording)
}

fn unreadable_at(path: &str) -> impl Fn(std::io::Error) -> TraceError {
    move |source| TraceError::Unreadable { path: path.to_owned(), source }
}

fn cut_off(path: &str, message: String) -> Notice {
    Notice { kind: NoticeKind::CutOffTrace, file: Some(path.to_owned()), line: None, message }
}

/// How many events, beyond four for each byte of the file, are read.
const MOST_REPEATED: usize = 8 << 20;

/// How the frames came to an end.
enum Ending {
    /// At the end of a frame, or where a preallocated file was never written.
    Clean,
    /// In the middle of a frame.
    Inside,
    /// Where there are too many events.
    Full,
    /// At bytes that are no frame, or a record that does not hold together.
    Damaged,
}

fn frames(recording: &mut Recording, mut input: impl Read) -> Result<Ending, std::io::Error> {
    let mut payload = Vec::new();
    let mut decoders: BTreeMap<u32, Decoder> = BTreeMap::new();
    let mut room = MOST_REPEATED;
    loop {
        let mut head = [0; FRAME_LEN];
        let got = fill(&mut input, &mut head)?;
        let Some(frame) = Frame::decode(&head[..got]) else {
            let blank = head.iter().all(|byte| *byte == 0);
            return Ok(match got {
                0 => Ending::Clean,
                // The tracker grows its file before it writes: zeros are room that was never used.
                FRAME_LEN if blank => only_zeros(input)?,
                _ if blank => Ending::Clean,
                FRAME_LEN => Ending::Damaged,
                _ => Ending::Inside,
            });
        };
        payload.clear();
        // `take` and not `vec![0; len]`: a damaged length must not ask for memory that the file does not fill.
        input.by_ref().take(u64::from(frame.len)).read_to_end(&mut payload)?;
        let whole = payload.len() == frame.len as usize;
        let sound = match frame.kind {
            Some(FrameKind::Events) => events(recording, frame.thread, &payload),
            Some(FrameKind::Records) => records(recording, &payload),
            Some(FrameKind::Compact) => {
                let stream = recording.streams.entry(frame.thread).or_default();
                let decoder = decoders.entry(frame.thread).or_default();
                room = room.saturating_add(payload.len().saturating_mul(4));
                let result = decoder.decode(&payload, &mut |event| {
                    let fits = room > 0;
                    if fits {
                        room -= 1;
                        stream.push(event);
                    }
                    fits
                });
                if result == Err(Stop::Full) {
                    return Ok(Ending::Full);
                }
                result.is_ok()
            }
            Some(FrameKind::Stats) => stats(recording, frame.thread, &payload),
            None => true,
        };
        if !whole {
            return Ok(Ending::Inside);
        }
        if !sound {
            return Ok(Ending::Damaged);
        }
    }
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, std::io::Error> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

fn only_zeros(mut input: impl Read) -> Result<Ending, std::io::Error> {
    let mut buffer = [0; 8192];
    loop {
        let got = fill(&mut input, &mut buffer)?;
        if got == 0 {
            return Ok(Ending::Clean);
        }
        if buffer[..got].iter().any(|byte| *byte != 0) {
            return Ok(Ending::Damaged);
        }
    }
}

/// Events with op 0 are room that was never written.
fn events(recording: &mut Recording, thread: u32, payload: &[u8]) -> bool {
    let (whole, rest) = payload.as_chunks::<EVENT_LEN>();
    let stream = recording.streams.entry(thread).or_default();
    stream.extend(whole.iter().map(Event::decode).filter(|event| event.raw_op != 0));
    rest.is_empty()
}

/// Entries of locks that were never taken are zero.
fn stats(recording: &mut Recording, first: u32, payload: &[u8]) -> bool {
    let (entries, _) = payload.as_chunks::<STATS_LEN>();
    let numbered = entries.iter().zip(first..=u32::MAX).map(|(entry, lock)| (lock, LockStats::decode(entry)));
    for (lock, stats) in numbered.filter(|(_, stats)| stats.acquisitions > 0) {
        recording.stats.entry(lock).or_default().add(&stats);
    }
    true
}

fn records(recording: &mut Recording, mut payload: &[u8]) -> bool {
    while !payload.is_empty() {
        let Some((record, used)) = Record::decode(payload) else {
            // A length of zero is none: the end of what was recorded, or a record that was about to be when the program ended.
            return payload.iter().take(4).all(|byte| *byte == 0);
        };
        recording.record(record);
        payload = &payload[used..];
    }
    true
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;

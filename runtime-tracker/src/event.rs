//! The trace format: everything that the tracker tells the analyzer, and the only thing both share.
//!
//! A trace file is a [`Header`] and then frames. A frame belongs to one thread and holds the tokens of [`compact`]
//! events (what the hot path writes in trace mode), fixed-size [`Event`]s (16 bytes, what it wrote before minor version 2)
//! or length-prefixed [`Record`]s (names, sites, order edges, observed deadlocks), or [`LockStats`]. All integers are little-endian.
//!
//! Guarantees: a frame is complete or cut off, never torn in the middle by another thread; a reader skips record
//! kinds and event ops that it does not know, so a newer *minor* version stays readable; a newer *major* version
//! is refused. Order between threads is not the order in the file: events on one object carry that object's
//! sequence number, which together with the order inside each thread gives the partial order of the run.
//!
//! Misses: wall-clock time (only [`Header::started_unix_ns`] is recorded), and whatever happened on types that
//! are not tracked.

pub mod compact;
mod reader;
mod record;
mod stats;

pub use record::*;
pub use stats::*;

/// First eight bytes of every trace file.
pub const MAGIC: [u8; 8] = *b"LOCKCHK\0";
/// Raised when an old reader would misread the file; such files are refused.
pub const MAJOR: u16 = 1;
/// Raised when only new ops or record kinds were added; old readers skip those.
pub const MINOR: u16 = 3;
/// Size of the file header in bytes.
pub const HEADER_LEN: usize = 32;
/// Size of a frame's header in bytes.
pub const FRAME_LEN: usize = 16;
/// Size of an event in bytes.
pub const EVENT_LEN: usize = 16;
const FRAME_MAGIC: u16 = 0x4B4C; // "LK"

/// How much the tracker recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordingMode {
    /// Order edges, counters and observed deadlocks only.
    Order = 1,
    /// Every event.
    Trace = 2,
}

/// The first [`HEADER_LEN`] bytes of a trace file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Format version, see [`MAJOR`].
    pub major: u16,
    /// Format version, see [`MINOR`].
    pub minor: u16,
    /// What was recorded.
    pub mode: RecordingMode,
    /// The recorded process.
    pub pid: u32,
    /// The process that started it.
    pub parent_pid: u32,
    /// When recording began, nanoseconds since the Unix epoch.
    pub started_unix_ns: u64,
}

/// Why bytes are not a trace this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// The file does not begin with [`MAGIC`].
    Foreign,
    /// The file ends inside the header.
    Short,
    /// Written by a newer, incompatible version.
    Newer {
        /// Its major version.
        major: u16,
    },
    /// The header names a recording mode that does not exist.
    Corrupt,
}

impl Header {
    /// A header of this version.
    pub fn new(mode: RecordingMode, pid: u32, parent_pid: u32, started_unix_ns: u64) -> Self {
        Header { major: MAJOR, minor: MINOR, mode, pid, parent_pid, started_unix_ns }
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&self.major.to_le_bytes());
        out[10..12].copy_from_slice(&self.minor.to_le_bytes());
        out[12..14].copy_from_slice(&(self.mode as u16).to_le_bytes());
        out[14..18].copy_from_slice(&self.pid.to_le_bytes());
        out[18..22].copy_from_slice(&self.parent_pid.to_le_bytes());
        out[22..30].copy_from_slice(&self.started_unix_ns.to_le_bytes());
        out
    }

    /// Reads a header, refusing foreign files and newer major versions.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let magic = &bytes[..bytes.len().min(8)];
        if magic != &MAGIC[..magic.len()] || bytes.is_empty() {
            return Err(FormatError::Foreign);
        }
        if bytes.len() < HEADER_LEN {
            return Err(FormatError::Short);
        }
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let major = half(8);
        if major > MAJOR {
            return Err(FormatError::Newer { major });
        }
        let mode = match half(12) {
            1 => RecordingMode::Order,
            2 => RecordingMode::Trace,
            _ => return Err(FormatError::Corrupt),
        };
        let started_unix_ns = u64::from(word(22)) | u64::from(word(26)) << 32;
        Ok(Header { major, minor: half(10), mode, pid: word(14), parent_pid: word(18), started_unix_ns })
    }
}

/// What a frame's payload consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// [`Event`]s, [`EVENT_LEN`] bytes each.
    Events = 1,
    /// Length-prefixed [`Record`]s.
    Records = 2,
    /// Tokens of [`compact`]; since minor version 2.
    Compact = 3,
    /// [`LockStats`] of the locks from number `thread` on; since minor version 2.
    Stats = 4,
}

/// The [`FRAME_LEN`] bytes before a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is; `None` for a kind of a newer minor version, to be skipped.
    pub kind: Option<FrameKind>,
    /// The thread that wrote the payload; 0 where no thread did.
    pub thread: u32,
    /// Payload length in bytes.
    pub len: u32,
}

impl Frame {
    /// A frame header of a known kind.
    pub fn new(kind: FrameKind, thread: u32, len: u32) -> Self {
        Frame { kind: Some(kind), thread, len }
    }

    /// The frame header's bytes.
    pub fn encode(&self) -> [u8; FRAME_LEN] {
        let mut out = [0; FRAME_LEN];
        out[..2].copy_from_slice(&FRAME_MAGIC.to_le_bytes());
        out[2] = self.kind.map_or(0, |kind| kind as u8);
        out[4..8].copy_from_slice(&self.thread.to_le_bytes());
        out[8..12].copy_from_slice(&self.len.to_le_bytes());
        out
    }

    /// Reads a frame header; `None` where the bytes are none (cut off, or not a frame).
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < FRAME_LEN || u16::from_le_bytes([bytes[0], bytes[1]]) != FRAME_MAGIC {
            return None;
        }
        let kind = match bytes[2] {
            1 => Some(FrameKind::Events),
            2 => Some(FrameKind::Records),
            3 => Some(FrameKind::Compact),
            4 => Some(FrameKind::Stats),
            _ => None,
        };
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some(Frame { kind, thread: word(4), len: word(8) })
    }
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// Mutex, or the write side of an RwLock.
    Exclusive = 0,
    /// The read side of an RwLock.
    Shared = 1,
    /// A read that never waits behind a queued writer (`read_recursive`).
    SharedRecursive = 2,
    /// An upgradable read.
    Upgradable = 3,
}

impl Mode {
    /// The mode with this number.
    pub fn from_u8(raw: u8) -> Option<Self> {
        Some(match raw {
            0 => Mode::Exclusive,
            1 => Mode::Shared,
            2 => Mode::SharedRecursive,
            3 => Mode::Upgradable,
            _ => return None,
        })
    }

    /// Whether a holder in `self` keeps out a request in `other`.
    pub fn conflicts(self, other: Mode) -> bool {
        let shared = |mode| matches!(mode, Mode::Shared | Mode::SharedRecursive);
        match (self, other) {
            (Mode::Upgradable, b) => !shared(b),
            (a, Mode::Upgradable) => !shared(a),
            (a, b) => !(shared(a) && shared(b)),
        }
    }
}

/// What happened. `object` of the [`Event`] is named in each description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Op {
    /// The thread starts (object: itself).
    ThreadBegin = 1,
    /// The thread ends (object: itself).
    ThreadEnd = 2,
    /// The thread starts another (object: the new thread), written before the new thread's `ThreadBegin`.
    Fork = 3,
    /// About to wait for another thread's end (object: that thread).
    JoinRequest = 4,
    /// That thread has ended (object: it).
    Join = 5,
    /// About to take a lock, written before blocking (object: the lock). Since minor version 2 it is left out where the
    /// acquisition follows at once. Since minor version 3 with the sequence number that the lock had (0 where not known):
    /// that of the last exclusive acquisition.
    Request = 10,
    /// The lock is taken; [`flag::TRY`] where it came from a `try_` call that had no `Request`.
    Acquire = 11,
    /// The lock is given back; [`flag::WAIT`] where a condvar wait gave it back.
    Release = 12,
    /// A `try_` call came back without the lock. Since minor version 3 of mutexes with the sequence number of the
    /// acquisition that kept it out (0 where not known), and with [`flag::CONTENDED`] whenever the thread has failed to take
    /// the same lock for another 100 ms.
    TryFail = 13,
    /// Begins to wait on a condvar (object: the condvar), after the `Release` of its mutex.
    WaitBegin = 20,
    /// Woken (object: the condvar; seq: that of the notify that woke it, 0 for time-out or spurious), before the
    /// `Request` of its mutex.
    WaitEnd = 21,
    /// `notify_one` (object: the condvar).
    NotifyOne = 22,
    /// `notify_all` (object: the condvar).
    NotifyAll = 23,
    /// Reads a tracked cell or atomic (object: the cell).
    Read = 30,
    /// Writes a tracked cell or atomic.
    Write = 31,
    /// Reads and writes an atomic in one step.
    ReadWrite = 32,
    /// About to send (object: the channel).
    SendRequest = 40,
    /// Sent (seq: number of the message).
    Send = 41,
    /// About to receive.
    RecvRequest = 42,
    /// Received (seq: number of the message).
    Recv = 43,
    /// A task is handed to a pool (object: the task, described by [`Record::Task`]).
    Submit = 50,
    /// The task starts on this thread.
    TaskBegin = 51,
    /// The task ends on this thread.
    TaskEnd = 52,
    /// About to wait for a task's result.
    TaskJoinRequest = 53,
    /// The task's result is here.
    TaskJoin = 54,
    /// About to wait for a free slot of a pool (object: the pool).
    SlotRequest = 55,
    /// Got the slot (site: of the submission).
    SlotAcquire = 56,
    /// Gave the slot back.
    SlotRelease = 57,
    /// About to wait at a barrier (object: the barrier).
    BarrierRequest = 60,
    /// Let through (seq: generation of the barrier).
    Barrier = 61,
    /// A one-time initialisation begins (object: the cell).
    OnceBegin = 62,
    /// It is done.
    OnceEnd = 63,
    /// Another thread's initialisation was seen as done.
    OnceSeen = 64,
    /// `thread::park` is about to wait.
    Park = 65,
    /// `thread::park` returned.
    Unparked = 66,
    /// `Thread::unpark` (object: that thread).
    Unpark = 67,
}

/// Bits of [`Event::flags`].
pub mod flag {
    /// The acquisition cannot have waited.
    pub const TRY: u8 = 1;
    /// Part of a condvar wait.
    pub const WAIT: u8 = 2;
    /// The acquisition had to wait for another thread.
    pub const CONTENDED: u8 = 4;
    /// The guard was dropped while its thread panicked.
    pub const PANIC: u8 = 8;
}

/// One step of one thread, [`EVENT_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The op's number; see [`Event::op`].
    pub raw_op: u8,
    /// Lock mode, for lock ops.
    pub raw_mode: u8,
    /// See [`flag`].
    pub flags: u8,
    /// What it happened to: a number that [`Record::Object`], [`Record::Thread`] or [`Record::Task`] describes.
    pub object: u32,
    /// Where: a number that [`Record::Site`] describes; 0 where unknown.
    pub site: u32,
    /// The object's sequence number: events on one object, sorted by it, stand in the order they happened.
    pub seq: u32,
}

impl Event {
    /// An event without mode or flags.
    pub fn new(op: Op, object: u32, site: u32, seq: u32) -> Self {
        Event { raw_op: op as u8, raw_mode: 0, flags: 0, object, site, seq }
    }

    /// What happened; `None` for an op of a newer minor version.
    pub fn op(&self) -> Option<Op> {
        const ALL: [Op; 35] = [
            Op::ThreadBegin,
            Op::ThreadEnd,
            Op::Fork,
            Op::JoinRequest,
            Op::Join,
            Op::Request,
            Op::Acquire,
            Op::Release,
            Op::TryFail,
            Op::WaitBegin,
            Op::WaitEnd,
            Op::NotifyOne,
            Op::NotifyAll,
            Op::Read,
            Op::Write,
            Op::ReadWrite,
            Op::SendRequest,
            Op::Send,
            Op::RecvRequest,
            Op::Recv,
            Op::Submit,
            Op::TaskBegin,
            Op::TaskEnd,
            Op::TaskJoinRequest,
            Op::TaskJoin,
            Op::SlotRequest,
            Op::SlotAcquire,
            Op::SlotRelease,
            Op::BarrierRequest,
            Op::Barrier,
            Op::OnceBegin,
            Op::OnceEnd,
            Op::OnceSeen,
            Op::Park,
            Op::Unparked,
        ];
        if self.raw_op == Op::Unpark as u8 {
            return Some(Op::Unpark);
        }
        ALL.into_iter().find(|op| *op as u8 == self.raw_op)
    }

    /// The lock mode; `None` where the number is none.
    pub fn mode(&self) -> Option<Mode> {
        Mode::from_u8(self.raw_mode)
    }

    /// The event's bytes.
    pub fn encode(&self) -> [u8; EVENT_LEN] {
        let mut out = [0; EVENT_LEN];
        out[0] = self.raw_op;
        out[1] = self.raw_mode;
        out[2] = self.flags;
        out[4..8].copy_from_slice(&self.object.to_le_bytes());
        out[8..12].copy_from_slice(&self.site.to_le_bytes());
        out[12..16].copy_from_slice(&self.seq.to_le_bytes());
        out
    }

    /// Reads an event.
    pub fn decode(bytes: &[u8; EVENT_LEN]) -> Self {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Event { raw_op: bytes[0], raw_mode: bytes[1], flags: bytes[2], object: word(4), site: word(8), seq: word(12) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_survives_a_round_trip_and_refuses_what_it_must() {
        let header = Header::new(RecordingMode::Trace, 7, 3, 1 << 40);
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok(header));
        assert_eq!(Header::decode(&bytes[..20]), Err(FormatError::Short));
        assert_eq!(Header::decode(b"ELF"), Err(FormatError::Foreign));
        assert_eq!(Header::decode(b""), Err(FormatError::Foreign));
        let mut newer = bytes;
        newer[8] = MAJOR as u8 + 1;
        assert_eq!(Header::decode(&newer), Err(FormatError::Newer { major: MAJOR + 1 }));
    }

    #[test]
    fn every_op_is_found_by_its_number() {
        for raw in 0..=255u8 {
            let event = Event { raw_op: raw, raw_mode: 0, flags: 0, object: 1, site: 2, seq: 3 };
            if let Some(op) = event.op() {
                assert_eq!(op as u8, raw);
            }
            assert_eq!(Event::decode(&event.encode()), event);
        }
        assert_eq!(
            (0..=255u8).filter(|raw| Event { raw_op: *raw, ..Event::new(Op::Fork, 0, 0, 0) }.op().is_some()).count(),
            36
        );
    }
}

//! The trace format: everything that the tracker tells the analyzer, and the only thing both share.
//!
//! A trace file is a [`Header`] and then frames. A frame belongs to one thread and holds either fixed-size
//! [`Event`]s (16 bytes, what the hot path writes in trace mode) or length-prefixed [`Record`]s (names, sites,
//! order edges, observed deadlocks). All integers are little-endian.
//!
//! Guarantees: a frame is complete or cut off, never torn in the middle by another thread; a reader skips record
//! kinds and event ops that it does not know, so a newer *minor* version stays readable; a newer *major* version
//! is refused. Order between threads is not the order in the file: events on one object carry that object's
//! sequence number, which together with the order inside each thread gives the partial order of the run.
//!
//! Misses: wall-clock time (only [`Header::started_unix_ns`] is recorded), and whatever happened on types that
//! are not tracked.

use std::borrow::Cow;

/// First eight bytes of every trace file.
pub const MAGIC: [u8; 8] = *b"LOCKCHK\0";
/// Raised when an old reader would misread the file; such files are refused.
pub const MAJOR: u16 = 1;
/// Raised when only new ops or record kinds were added; old readers skip those.
pub const MINOR: u16 = 0;
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
    /// About to take a lock, written before blocking (object: the lock).
    Request = 10,
    /// The lock is taken; [`flag::TRY`] where it came from a `try_` call that had no `Request`.
    Acquire = 11,
    /// The lock is given back; [`flag::WAIT`] where a condvar wait gave it back.
    Release = 12,
    /// A `try_` call came back without the lock.
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

/// What an [`Record::Object`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// A Mutex.
    Mutex = 1,
    /// An RwLock.
    RwLock = 2,
    /// A Condvar.
    Condvar = 3,
    /// A tracked shared cell.
    Cell = 4,
    /// An atomic.
    Atomic = 5,
    /// A channel.
    Channel = 6,
    /// A bounded pool.
    Pool = 7,
    /// A barrier.
    Barrier = 8,
    /// A one-time cell.
    Once = 9,
    /// A semaphore.
    Semaphore = 10,
    /// Of a newer minor version.
    Unknown = 255,
}

impl ObjectKind {
    fn from_u8(raw: u8) -> Self {
        match raw {
            1 => ObjectKind::Mutex,
            2 => ObjectKind::RwLock,
            3 => ObjectKind::Condvar,
            4 => ObjectKind::Cell,
            5 => ObjectKind::Atomic,
            6 => ObjectKind::Channel,
            7 => ObjectKind::Pool,
            8 => ObjectKind::Barrier,
            9 => ObjectKind::Once,
            10 => ObjectKind::Semaphore,
            _ => ObjectKind::Unknown,
        }
    }
}

/// What a pool does with a submission when no slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PoolPolicy {
    /// The submitter waits.
    Block = 1,
    /// The task waits in an unbounded queue.
    Queue = 2,
    /// The submitter runs the task itself.
    CallerRuns = 3,
}

/// A lock that a thread holds or wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The lock.
    pub object: u32,
    /// How it is (to be) taken.
    pub mode: Mode,
    /// Where.
    pub site: u32,
}

/// What a blocked thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WaitKind {
    /// A lock (object: it).
    Lock = 1,
    /// The end of a thread (object: it).
    Join = 2,
    /// A free slot of a pool (object: it).
    Slot = 3,
    /// A task's result (object: the task).
    Task = 4,
    /// A notification (object: the condvar).
    Condvar = 5,
    /// A message (object: the channel).
    Recv = 6,
    /// Room in a channel.
    Send = 7,
    /// The other members of a barrier.
    Barrier = 8,
    /// Another thread's initialisation.
    Once = 9,
    /// An `unpark`.
    Park = 10,
    /// Of a newer minor version.
    Unknown = 255,
}

impl WaitKind {
    fn from_u8(raw: u8) -> Self {
        match raw {
            1 => WaitKind::Lock,
            2 => WaitKind::Join,
            3 => WaitKind::Slot,
            4 => WaitKind::Task,
            5 => WaitKind::Condvar,
            6 => WaitKind::Recv,
            7 => WaitKind::Send,
            8 => WaitKind::Barrier,
            9 => WaitKind::Once,
            10 => WaitKind::Park,
            _ => WaitKind::Unknown,
        }
    }
}

/// One member of an observed deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedThread<'a> {
    /// The thread.
    pub thread: u32,
    /// The pool task it runs, 0 for none.
    pub task: u32,
    /// What it waits for.
    pub kind: WaitKind,
    /// The lock, thread, pool, task... it waits for.
    pub object: u32,
    /// The wanted mode, for locks.
    pub mode: Mode,
    /// Where it waits.
    pub site: u32,
    /// The locks it holds, outermost first.
    pub held: Cow<'a, [Held]>,
}

/// What the tracker did about an observed deadlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DeadlockAction {
    /// Only reported.
    Report = 1,
    /// The thread that closed the cycle unwinds.
    Panic = 2,
    /// The process is aborted.
    Abort = 3,
}

/// A description, an order edge or an observation. Numbers are dense and unique per kind and process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A place in the source.
    Site {
        /// Its number.
        id: u32,
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
        /// The file as the compiler names it.
        file: Cow<'a, str>,
    },
    /// A lock class: all objects made at one site, or under one name.
    Class {
        /// Its number.
        id: u32,
        /// Where its objects are made.
        site: u32,
        /// The type as the user knows it, as `std::sync::Mutex`.
        kind: Cow<'a, str>,
        /// The type of the protected data.
        data: Cow<'a, str>,
        /// A given name; empty for none.
        name: Cow<'a, str>,
    },
    /// A lock, cell, pool... instance.
    Object {
        /// Its number.
        id: u32,
        /// Its class.
        class: u32,
        /// What it is.
        kind: ObjectKind,
    },
    /// A thread.
    Thread {
        /// Its number.
        id: u32,
        /// The thread that started it; 0 for none known.
        parent: u32,
        /// Where it was started.
        site: u32,
        /// Its name; empty for none.
        name: Cow<'a, str>,
    },
    /// A bounded pool (its [`Record::Object`] comes before).
    Pool {
        /// Its number.
        id: u32,
        /// Its number of slots.
        workers: u32,
        /// What happens when all are taken.
        policy: PoolPolicy,
    },
    /// A task handed to a pool.
    Task {
        /// Its number.
        id: u32,
        /// The pool.
        pool: u32,
        /// The task that submitted it; 0 where a plain thread did.
        parent: u32,
        /// The thread that submitted it.
        thread: u32,
        /// Where.
        site: u32,
        /// Its name; empty for none.
        name: Cow<'a, str>,
    },
    /// A stretch of a thread between two synchronisations with other threads (fork, join): the nodes of the
    /// happens-before order that order edges refer to.
    Segment {
        /// Its number.
        id: u32,
        /// Its thread.
        thread: u32,
        /// The segments that came before it.
        after: Cow<'a, [u32]>,
    },
    /// `wanted` was requested while `held` was held; one record per new context.
    Edge {
        /// The thread.
        thread: u32,
        /// The thread's segment.
        segment: u32,
        /// All locks held, outermost first; the edge runs from each of them.
        held: Cow<'a, [Held]>,
        /// The lock requested.
        wanted: Held,
        /// The request could not wait.
        try_: bool,
    },
    /// A thread took a lock that it already held.
    DoubleLock {
        /// The thread.
        thread: u32,
        /// The first acquisition.
        first: Held,
        /// The second.
        second: Held,
    },
    /// Threads that block each other, found as the last of them blocked.
    Deadlock {
        /// The thread that closed it.
        closer: u32,
        /// All that can never go on.
        members: Cow<'a, [BlockedThread<'a>]>,
        /// What was done about it.
        action: DeadlockAction,
    },
    /// The process ended in an orderly way; without it the recording was cut off.
    End,
    /// Of a newer minor version.
    Unknown {
        /// Its kind.
        kind: u8,
    },
}

/// Where encoded bytes go: a `Vec<u8>`, or a fixed buffer where nothing may be allocated.
pub trait Sink {
    /// Takes the bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts what would be written.
struct Length(usize);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

fn put_u32(out: &mut dyn Sink, value: u32) {
    out.put(&value.to_le_bytes());
}

fn put_str(out: &mut dyn Sink, text: &str) {
    put_u32(out, text.len() as u32);
    out.put(text.as_bytes());
}

fn put_held(out: &mut dyn Sink, held: &Held) {
    put_u32(out, held.object);
    put_u32(out, held.site);
    out.put(&[held.mode as u8]);
}

fn put_all_held(out: &mut dyn Sink, all: &[Held]) {
    put_u32(out, all.len() as u32);
    for held in all {
        put_held(out, held);
    }
}

impl Record<'_> {
    fn kind(&self) -> u8 {
        match self {
            Record::Site { .. } => 1,
            Record::Class { .. } => 2,
            Record::Object { .. } => 3,
            Record::Thread { .. } => 4,
            Record::Pool { .. } => 5,
            Record::Task { .. } => 6,
            Record::Segment { .. } => 7,
            Record::Edge { .. } => 8,
            Record::DoubleLock { .. } => 9,
            Record::Deadlock { .. } => 10,
            Record::End => 11,
            Record::Unknown { kind } => *kind,
        }
    }

    /// Appends the record, length first. Allocates nothing itself.
    pub fn encode(&self, out: &mut dyn Sink) {
        let mut length = Length(0);
        self.body(&mut length);
        put_u32(out, length.0 as u32);
        self.body(out);
    }

    /// The number of bytes that [`Record::encode`] appends.
    pub fn encoded_len(&self) -> usize {
        let mut length = Length(4);
        self.body(&mut length);
        length.0
    }

    fn body(&self, out: &mut dyn Sink) {
        out.put(&[self.kind()]);
        match self {
            Record::Site { id, line, column, file } => {
                [*id, *line, *column].into_iter().for_each(|value| put_u32(out, value));
                put_str(out, file);
            }
            Record::Class { id, site, kind, data, name } => {
                put_u32(out, *id);
                put_u32(out, *site);
                [kind, data, name].into_iter().for_each(|text| put_str(out, text));
            }
            Record::Object { id, class, kind } => {
                put_u32(out, *id);
                put_u32(out, *class);
                out.put(&[*kind as u8]);
            }
            Record::Thread { id, parent, site, name } => {
                [*id, *parent, *site].into_iter().for_each(|value| put_u32(out, value));
                put_str(out, name);
            }
            Record::Pool { id, workers, policy } => {
                put_u32(out, *id);
                put_u32(out, *workers);
                out.put(&[*policy as u8]);
            }
            Record::Task { id, pool, parent, thread, site, name } => {
                [*id, *pool, *parent, *thread, *site].into_iter().for_each(|value| put_u32(out, value));
                put_str(out, name);
            }
            Record::Segment { id, thread, after } => {
                [*id, *thread, after.len() as u32].into_iter().for_each(|value| put_u32(out, value));
                after.iter().for_each(|value| put_u32(out, *value));
            }
            Record::Edge { thread, segment, held, wanted, try_ } => {
                put_u32(out, *thread);
                put_u32(out, *segment);
                put_all_held(out, held);
                put_held(out, wanted);
                out.put(&[u8::from(*try_)]);
            }
            Record::DoubleLock { thread, first, second } => {
                put_u32(out, *thread);
                put_held(out, first);
                put_held(out, second);
            }
            Record::Deadlock { closer, members, action } => {
                put_u32(out, *closer);
                out.put(&[*action as u8]);
                put_u32(out, members.len() as u32);
                for member in members.iter() {
                    put_u32(out, member.thread);
                    put_u32(out, member.task);
                    out.put(&[member.kind as u8, member.mode as u8]);
                    put_u32(out, member.object);
                    put_u32(out, member.site);
                    put_all_held(out, &member.held);
                }
            }
            Record::End | Record::Unknown { .. } => {}
        }
    }

    /// Reads one record from the front of `bytes` and says how many bytes it took.
    /// `None` where the bytes end first or do not hold together; never panics, never reads past the end.
    pub fn decode(bytes: &[u8]) -> Option<(Record<'static>, usize)> {
        let len = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let body = bytes.get(4..4usize.checked_add(len)?)?;
        let mut reader = Reader(body.get(1..)?);
        let record = match body[0] {
            1 => Record::Site { id: reader.u32()?, line: reader.u32()?, column: reader.u32()?, file: reader.text()? },
            2 => Record::Class {
                id: reader.u32()?,
                site: reader.u32()?,
                kind: reader.text()?,
                data: reader.text()?,
                name: reader.text()?,
            },
            3 => Record::Object { id: reader.u32()?, class: reader.u32()?, kind: ObjectKind::from_u8(reader.u8()?) },
            4 => Record::Thread { id: reader.u32()?, parent: reader.u32()?, site: reader.u32()?, name: reader.text()? },
            5 => Record::Pool {
                id: reader.u32()?,
                workers: reader.u32()?,
                policy: match reader.u8()? {
                    1 => PoolPolicy::Block,
                    2 => PoolPolicy::Queue,
                    3 => PoolPolicy::CallerRuns,
                    _ => return None,
                },
            },
            6 => Record::Task {
                id: reader.u32()?,
                pool: reader.u32()?,
                parent: reader.u32()?,
                thread: reader.u32()?,
                site: reader.u32()?,
                name: reader.text()?,
            },
            7 => {
                Record::Segment { id: reader.u32()?, thread: reader.u32()?, after: reader.list(4, Reader::u32)?.into() }
            }
            8 => Record::Edge {
                thread: reader.u32()?,
                segment: reader.u32()?,
                held: reader.list(9, Reader::held)?.into(),
                wanted: reader.held()?,
                try_: reader.u8()? != 0,
            },
            9 => Record::DoubleLock { thread: reader.u32()?, first: reader.held()?, second: reader.held()? },
            10 => Record::Deadlock {
                closer: reader.u32()?,
                action: match reader.u8()? {
                    1 => DeadlockAction::Report,
                    2 => DeadlockAction::Panic,
                    3 => DeadlockAction::Abort,
                    _ => return None,
                },
                members: reader.list(22, Reader::blocked)?.into(),
            },
            11 => Record::End,
            kind => Record::Unknown { kind },
        };
        Some((record, 4 + len))
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<Cow<'static, str>> {
        let len = self.u32()? as usize;
        Some(String::from_utf8_lossy(self.take(len)?).into_owned().into())
    }

    fn held(&mut self) -> Option<Held> {
        Some(Held { object: self.u32()?, site: self.u32()?, mode: Mode::from_u8(self.u8()?)? })
    }

    fn blocked(&mut self) -> Option<BlockedThread<'static>> {
        let (thread, task) = (self.u32()?, self.u32()?);
        let (kind, mode) = (WaitKind::from_u8(self.u8()?), Mode::from_u8(self.u8()?)?);
        let (object, site) = (self.u32()?, self.u32()?);
        let held = self.list(9, Reader::held)?.into();
        Some(BlockedThread { thread, task, kind, object, mode, site, held })
    }

    /// A counted list whose elements take at least `least` bytes, so that a hostile count cannot ask for memory.
    fn list<T>(&mut self, least: usize, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()? as usize;
        if count.checked_mul(least)? > self.0.len() {
            return None;
        }
        (0..count).map(|_| each(self)).collect()
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

    #[test]
    fn records_survive_a_round_trip_and_every_cut_is_refused() {
        let held = Held { object: 1, mode: Mode::Shared, site: 9 };
        let member = BlockedThread {
            thread: 2,
            task: 0,
            kind: WaitKind::Lock,
            object: 4,
            mode: Mode::Exclusive,
            site: 5,
            held: vec![held].into(),
        };
        let records = [
            Record::Site { id: 1, line: 2, column: 3, file: "a.rs".into() },
            Record::Class { id: 1, site: 1, kind: "std::sync::Mutex".into(), data: "u8".into(), name: "".into() },
            Record::Object { id: 1, class: 1, kind: ObjectKind::RwLock },
            Record::Thread { id: 1, parent: 0, site: 0, name: "main".into() },
            Record::Pool { id: 3, workers: 2, policy: PoolPolicy::Block },
            Record::Task { id: 1, pool: 3, parent: 0, thread: 1, site: 1, name: "child".into() },
            Record::Segment { id: 2, thread: 1, after: vec![1, 0].into() },
            Record::Edge { thread: 1, segment: 2, held: vec![held].into(), wanted: held, try_: true },
            Record::DoubleLock { thread: 1, first: held, second: held },
            Record::Deadlock { closer: 2, members: vec![member].into(), action: DeadlockAction::Panic },
            Record::End,
        ];
        for record in records {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(bytes.len(), record.encoded_len());
            assert_eq!(Record::decode(&bytes), Some((record, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(Record::decode(&bytes[..cut]), None);
            }
        }
    }
}

//! The records of a trace: descriptions of what event numbers mean, order edges, observations.
//!
//! Guarantees: encoding allocates nothing itself; decoding never panics, never reads past the end and never asks for
//! memory that the bytes cannot back; kinds of a newer minor version come out as [`Record::Unknown`].

use std::borrow::Cow;

use super::Mode;
use super::reader::Reader;

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
    /// Permits of a semaphore (object: it); since minor version 1.
    Permits = 11,
    /// Of a newer minor version.
    Unknown = 255,
}

impl WaitKind {
    pub(super) fn from_u8(raw: u8) -> Self {
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
            11 => WaitKind::Permits,
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
    /// The [`Record::Deadlock`] that comes next rests on threads that are not tracked and did nothing but wait for some
    /// time; since minor version 2.
    Rests {
        /// How many.
        untracked: u32,
        /// Whether one of them is not the main thread.
        others: bool,
    },
    /// A thread came to a wait inside a dependency from this place; since minor version 2.
    Called {
        /// The thread.
        thread: u32,
        /// Where it waits.
        site: u32,
        /// Line of the call, from 1.
        line: u32,
        /// Column of the call, from 1.
        column: u32,
        /// The file of the call, absolute.
        file: Cow<'a, str>,
        /// The function that calls.
        function: Cow<'a, str>,
    },
    /// A thread that waits for a lock was woken again and again and found that others had taken it already; since minor
    /// version 3. Written at 100 times and after 200 ms, and then whenever the number has doubled.
    Overtaken {
        /// The thread that waits.
        thread: u32,
        /// The lock, and where it is waited for.
        wanted: Held,
        /// How often so far.
        times: u32,
        /// Milliseconds since the first time.
        milliseconds: u32,
    },
    /// A task panicked and never gave its slot back; since minor version 3.
    Leaked {
        /// The pool.
        pool: u32,
        /// The task.
        task: u32,
    },
    /// A thread has waited for so long that whoever looks at a program that hangs wants to know; since minor version 3. The
    /// same record with `ended` says that it waits no more.
    LongWait {
        /// Whether the wait is over.
        ended: bool,
        /// Who waits, for what, and what it holds.
        waits: BlockedThread<'a>,
        /// The threads that hold the lock it waits for, as far as they could be looked at.
        holders: Cow<'a, [(u32, Held)]>,
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

#[inline]
fn put_u32<S: Sink + ?Sized>(out: &mut S, value: u32) {
    out.put(&value.to_le_bytes());
}

#[inline]
fn put_str<S: Sink + ?Sized>(out: &mut S, text: &str) {
    put_u32(out, text.len() as u32);
    out.put(text.as_bytes());
}

#[inline]
fn put_held<S: Sink + ?Sized>(out: &mut S, held: &Held) {
    put_u32(out, held.object);
    put_u32(out, held.site);
    out.put(&[held.mode as u8]);
}

#[inline]
fn put_blocked<S: Sink + ?Sized>(out: &mut S, member: &BlockedThread<'_>) {
    put_u32(out, member.thread);
    put_u32(out, member.task);
    out.put(&[member.kind as u8, member.mode as u8]);
    put_u32(out, member.object);
    put_u32(out, member.site);
    put_all_held(out, &member.held);
}

#[inline]
fn put_all_held<S: Sink + ?Sized>(out: &mut S, all: &[Held]) {
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
            Record::Rests { .. } => 20,
            Record::Called { .. } => 21,
            Record::LongWait { .. } => 22,
            Record::Overtaken { .. } => 23,
            Record::Leaked { .. } => 24,
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

    /// What [`Record::encode`] appends, without the length in front.
    #[inline]
    pub(crate) fn body<S: Sink + ?Sized>(&self, out: &mut S) {
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
                members.iter().for_each(|member| put_blocked(out, member));
            }
            Record::LongWait { ended, waits, holders } => {
                out.put(&[u8::from(*ended)]);
                put_blocked(out, waits);
                put_u32(out, holders.len() as u32);
                for (thread, held) in holders.iter() {
                    put_u32(out, *thread);
                    put_held(out, held);
                }
            }
            Record::Called { thread, site, line, column, file, function } => {
                [*thread, *site, *line, *column].into_iter().for_each(|value| put_u32(out, value));
                [file, function].into_iter().for_each(|text| put_str(out, text));
            }
            Record::Rests { untracked, others } => {
                put_u32(out, *untracked);
                out.put(&[u8::from(*others)]);
            }
            Record::Overtaken { thread, wanted, times, milliseconds } => {
                put_u32(out, *thread);
                put_held(out, wanted);
                put_u32(out, *times);
                put_u32(out, *milliseconds);
            }
            Record::Leaked { pool, task } => {
                put_u32(out, *pool);
                put_u32(out, *task);
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
            21 => Record::Called {
                thread: reader.u32()?,
                site: reader.u32()?,
                line: reader.u32()?,
                column: reader.u32()?,
                file: reader.text()?,
                function: reader.text()?,
            },
            23 => Record::Overtaken {
                thread: reader.u32()?,
                wanted: reader.held()?,
                times: reader.u32()?,
                milliseconds: reader.u32()?,
            },
            24 => Record::Leaked { pool: reader.u32()?, task: reader.u32()? },
            22 => Record::LongWait {
                ended: reader.u8()? != 0,
                waits: reader.blocked()?,
                holders: reader.list(13, |reader| Some((reader.u32()?, reader.held()?)))?.into(),
            },
            20 => Record::Rests { untracked: reader.u32()?, others: reader.u8()? != 0 },
            kind => Record::Unknown { kind },
        };
        Some((record, 4 + len))
    }
}

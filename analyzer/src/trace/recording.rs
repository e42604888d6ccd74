//! What a trace file says, as it stands there: descriptions, observations, and one stream of events per thread.
//!
//! Guarantees: plain data, ordered by number, so that iteration is deterministic; several recordings can be put
//! together, each keeping its own numbers apart from the others'.
//!
//! Misses: any order between threads; [`super::order`] makes one.

use std::collections::{BTreeMap, BTreeSet};

use lockcheck_tracker::event::{
    BlockedThread, DeadlockAction, Event, Held, LockStats, ObjectKind, Op, PoolPolicy, Record, RecordingMode, WaitKind,
};

use super::stream::Stream;

/// What the source calls the thing that is made at a place; `None` where nothing is known.
pub type Written<'a> = &'a dyn Fn(&Site) -> Option<String>;

/// A place in the source, as the tracker recorded it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The file as the compiler names it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A lock class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Where its objects are made.
    pub site: u32,
    /// The type as the user knows it.
    pub kind: String,
    /// The type of the protected data.
    pub data: String,
    /// A given name; empty for none.
    pub name: String,
    /// What the source calls it, see [`Recording::learn`]; empty where nothing is known.
    pub written: String,
}

/// A lock, cell, pool... instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its class.
    pub class: u32,
    /// What it is.
    pub kind: ObjectKind,
}

/// A thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its number in its own process.
    pub number: u32,
    /// Its process.
    pub pid: u32,
    /// The thread that started it; 0 for none known.
    pub parent: u32,
    /// Where it was started.
    pub site: u32,
    /// Its name; empty for none.
    pub name: String,
}

/// A bounded pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its number of slots.
    pub workers: u32,
    /// What happens when all are taken.
    pub policy: PoolPolicy,
}

/// A task handed to a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The pool.
    pub pool: u32,
    /// The task that submitted it; 0 where a plain thread did.
    pub parent: u32,
    /// The thread that submitted it.
    pub thread: u32,
    /// Where.
    pub site: u32,
    /// Its name; empty for none.
    pub name: String,
}

/// A stretch of a thread between two synchronisations with other threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its thread.
    pub thread: u32,
    /// The segments that came before it.
    pub after: Vec<u32>,
}

/// An order edge that the tracker found by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The thread.
    pub thread: u32,
    /// The thread's segment.
    pub segment: u32,
    /// All locks held, outermost first.
    pub held: Vec<Held>,
    /// The lock requested.
    pub wanted: Held,
}

/// A thread took a lock that it already held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DoubleLock {
    /// The thread.
    pub thread: u32,
    /// The first acquisition.
    pub first: Held,
    /// The second.
    pub second: Held,
}

/// A wait for a lock that was in vain again and again: others had the lock whenever the thread was woken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overtaken {
    /// The thread that waits.
    pub thread: u32,
    /// The lock, and where it is waited for.
    pub wanted: Held,
    /// How often, at least.
    pub times: u32,
    /// For how many milliseconds, at least.
    pub milliseconds: u32,
}

/// Where the user's own code called into the dependency that a thread waited in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The thread.
    pub thread: u32,
    /// Where it waited.
    pub site: u32,
    /// The place of the call; its file is absolute.
    pub from: Site,
    /// The function that calls.
    pub function: String,
}

/// Threads that blocked each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// The thread that closed it.
    pub closer: u32,
    /// All that could never go on.
    pub members: Vec<BlockedThread<'static>>,
    /// What was done about it.
    pub action: DeadlockAction,
    /// The threads that the tracker does not know and that did nothing but wait: how many, and whether one of them is not
    /// the main thread.
    pub rests_on: Option<(u32, bool)>,
}

/// A thread that waited for long when the recording ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongWait {
    /// Who, for what, and what it holds.
    pub waits: BlockedThread<'static>,
    /// The threads that hold the lock it waits for, as far as they could be looked at.
    pub holders: Vec<(u32, Held)>,
}

/// One trace file, or several put together.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What was recorded; [`RecordingMode::Trace`] where one of several files has every event.
    pub mode: Option<RecordingMode>,
    /// The process; the first of several.
    pub pid: u32,
    /// Number of processes.
    pub processes: usize,
    /// Places.
    pub sites: BTreeMap<u32, Site>,
    /// Lock classes.
    pub classes: BTreeMap<u32, Class>,
    /// Instances.
    pub objects: BTreeMap<u32, Object>,
    /// Threads.
    pub threads: BTreeMap<u32, Thread>,
    /// Pools, by object number.
    pub pools: BTreeMap<u32, Pool>,
    /// Tasks.
    pub tasks: BTreeMap<u32, Task>,
    /// Segments.
    pub segments: BTreeMap<u32, Segment>,
    /// Order edges, in the order they were found.
    pub edges: Vec<Edge>,
    /// Locks taken twice.
    pub double_locks: Vec<DoubleLock>,
    /// Observed deadlocks.
    pub deadlocks: Vec<Deadlock>,
    /// Waits that were overtaken, with how often so far; a wait can be here several times.
    pub overtaken: Vec<Overtaken>,
    /// Pool and task, where a task panicked and kept its slot.
    pub leaks: Vec<(u32, u32)>,
    /// Calls into dependencies that led to deadlocks.
    pub calls: Vec<Call>,
    /// By thread: what it waited for long, where the wait is not over.
    pub long_waits: BTreeMap<u32, LongWait>,
    /// Events by thread, in the order of that thread.
    pub streams: BTreeMap<u32, Stream>,
    /// What locks have cost, where it was counted.
    pub stats: BTreeMap<u32, LockStats>,
    /// Whether the recording was closed in an orderly way.
    pub complete: bool,
    /// Belongs to the deadlock that is recorded next.
    pub(super) rests_on: Option<(u32, bool)>,
}

impl Recording {
    /// Takes in one record. Later descriptions of one number replace earlier ones; unknown records are skipped.
    pub fn record(&mut self, record: Record<'static>) {
        match record {
            Record::Site { id, line, column, file } => {
                self.sites.insert(id, Site { file: file.into_owned(), line, column });
            }
            Record::Class { id, site, kind, data, name } => {
                let (kind, data, name) = (kind.into_owned(), data.into_owned(), name.into_owned());
                self.classes.insert(id, Class { site, kind, data, name, written: String::new() });
            }
            Record::Object { id, class, kind } => {
                self.objects.insert(id, Object { class, kind });
            }
            Record::Thread { id, parent, site, name } => {
                let (number, pid, name) = (id, self.pid, name.into_owned());
                self.threads.insert(id, Thread { number, pid, parent, site, name });
            }
            Record::Pool { id, workers, policy } => {
                self.pools.insert(id, Pool { workers, policy });
            }
            Record::Task { id, pool, parent, thread, site, name } => {
                self.tasks.insert(id, Task { pool, parent, thread, site, name: name.into_owned() });
            }
            Record::Segment { id, thread, after } => {
                self.segments.insert(id, Segment { thread, after: after.into_owned() });
            }
            // A try-lock cannot wait: it makes no order edge, and what it took stands in the held sets of later ones.
            Record::Edge { try_: true, .. } | Record::Unknown { .. } => {}
            Record::Edge { thread, segment, held, wanted, try_: false } => {
                self.edges.push(Edge { thread, segment, held: held.into_owned(), wanted });
            }
            Record::DoubleLock { thread, first, second } => {
                self.double_locks.push(DoubleLock { thread, first, second });
            }
            Record::Deadlock { closer, members, action } => {
                let rests_on = self.rests_on.take();
                self.deadlocks.push(Deadlock { closer, members: members.into_owned(), action, rests_on });
            }
            Record::Called { thread, site, line, column, file, function } => {
                let from = Site { file: file.into_owned(), line, column };
                self.calls.push(Call { thread, site, from, function: function.into_owned() });
            }
            Record::Overtaken { thread, wanted, times, milliseconds } => {
                self.overtaken.push(Overtaken { thread, wanted, times, milliseconds });
            }
            Record::Leaked { pool, task } => self.leaks.push((pool, task)),
            Record::LongWait { ended: true, waits, .. } => {
                self.long_waits.remove(&waits.thread);
            }
            Record::LongWait { ended: false, waits, holders } => {
                self.long_waits.insert(waits.thread, LongWait { waits, holders: holders.into_owned() });
            }
            Record::Rests { untracked, others } => self.rests_on = Some((untracked, others)),
            Record::End => {
                self.complete = true;
                // Threads that only wait end with the process.
                self.long_waits.clear();
            }
        }
    }

    /// Takes over what the source calls locks that have no name of their own. A name that several places share gets the place
    /// behind it.
    pub fn learn(&mut self, written: Written<'_>) {
        let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (id, class) in self.classes.iter().filter(|(_, class)| class.name.is_empty()) {
            if let Some(name) = self.sites.get(&class.site).and_then(written) {
                found.entry(name).or_default().push(*id);
            }
        }
        for (name, classes) in found {
            let place = |id: &u32| self.sites.get(&self.classes.get(id)?.site);
            let places: BTreeSet<_> = classes.iter().filter_map(place).map(|site| (&site.file, site.line)).collect();
            let shared = places.len() > 1 || self.classes.values().any(|class| class.name == name);
            let texts: Vec<(u32, String)> = classes
                .iter()
                .map(|id| match place(id).filter(|_| shared) {
                    Some(site) => (*id, format!("{name} ({}:{})", site.file.replace('\\', "/"), site.line)),
                    None => (*id, name.clone()),
                })
                .collect();
            for (id, text) in texts {
                if let Some(class) = self.classes.get_mut(&id) {
                    class.written = text;
                }
            }
        }
    }

    /// Puts the recording of another process behind this one. Numbers of `other` are raised above those of `self`.
    pub fn append(&mut self, mut other: Recording) {
        let by = Shift::above(self);
        let both_modes = [self.mode, other.mode];
        self.mode = both_modes.into_iter().flatten().max_by_key(|mode| *mode as u16);
        self.complete &= other.complete;
        self.processes += other.processes;
        self.sites.extend(other.sites.into_iter().map(|(id, site)| (by.site(id), site)));
        self.classes.extend(
            other
                .classes
                .into_iter()
                .map(|(id, class)| (id.saturating_add(by.classes), Class { site: by.site(class.site), ..class })),
        );
        self.objects.extend(
            other.objects.into_iter().map(|(id, object)| {
                (by.object(id), Object { class: object.class.saturating_add(by.classes), ..object })
            }),
        );
        self.threads.extend(other.threads.into_iter().map(|(id, thread)| {
            (by.thread(id), Thread { parent: by.thread(thread.parent), site: by.site(thread.site), ..thread })
        }));
        self.pools.extend(other.pools.into_iter().map(|(id, pool)| (by.object(id), pool)));
        self.tasks.extend(other.tasks.into_iter().map(|(id, task)| {
            let (pool, parent) = (by.object(task.pool), by.task(task.parent));
            (by.task(id), Task { pool, parent, thread: by.thread(task.thread), site: by.site(task.site), ..task })
        }));
        self.segments.extend(other.segments.into_iter().map(|(id, segment)| {
            let after = segment.after.iter().map(|before| before.saturating_add(by.segments)).collect();
            (id.saturating_add(by.segments), Segment { thread: by.thread(segment.thread), after })
        }));
        self.edges.extend(other.edges.iter().map(|edge| Edge {
            thread: by.thread(edge.thread),
            segment: edge.segment.saturating_add(by.segments),
            held: edge.held.iter().map(|held| by.held(*held)).collect(),
            wanted: by.held(edge.wanted),
        }));
        self.double_locks.extend(other.double_locks.iter().map(|double| DoubleLock {
            thread: by.thread(double.thread),
            first: by.held(double.first),
            second: by.held(double.second),
        }));
        self.overtaken.extend(other.overtaken.iter().map(|overtaken| Overtaken {
            thread: by.thread(overtaken.thread),
            wanted: by.held(overtaken.wanted),
            ..*overtaken
        }));
        self.leaks.extend(other.leaks.iter().map(|(pool, task)| (by.object(*pool), by.task(*task))));
        self.calls.extend(other.calls.into_iter().map(|call| Call {
            thread: by.thread(call.thread),
            site: by.site(call.site),
            ..call
        }));
        self.deadlocks.extend(other.deadlocks.into_iter().map(|deadlock| Deadlock {
            closer: by.thread(deadlock.closer),
            members: deadlock.members.into_iter().map(|member| by.member(member)).collect(),
            action: deadlock.action,
            rests_on: deadlock.rests_on,
        }));
        self.long_waits.extend(other.long_waits.into_iter().map(|(thread, LongWait { waits, holders })| {
            let holders = holders.into_iter().map(|(thread, held)| (by.thread(thread), by.held(held))).collect();
            (by.thread(thread), LongWait { waits: by.member(waits), holders })
        }));
        self.stats.extend(other.stats.iter().map(|(lock, stats)| (by.object(*lock), *stats)));
        while let Some((thread, stream)) = other.streams.pop_first() {
            let shifted = stream.iter().map(|event| Event {
                object: by.event_object(&event),
                site: by.site(event.site),
                ..event
            });
            self.streams.entry(by.thread(thread)).or_default().extend(shifted);
        }
    }
}

/// By how much each kind of number is raised. 0 stands for "none" and stays 0.
struct Shift {
    sites: u32,
    classes: u32,
    objects: u32,
    threads: u32,
    tasks: u32,
    segments: u32,
}

impl Shift {
    fn above(recording: &Recording) -> Self {
        fn after<T>(map: &BTreeMap<u32, T>) -> u32 {
            map.last_key_value().map_or(0, |(last, _)| last.saturating_add(1))
        }
        Shift {
            sites: after(&recording.sites),
            classes: after(&recording.classes),
            objects: after(&recording.objects),
            threads: after(&recording.threads).max(after(&recording.streams)),
            tasks: after(&recording.tasks),
            segments: after(&recording.segments),
        }
    }

    fn site(&self, id: u32) -> u32 {
        if id == 0 { 0 } else { id.saturating_add(self.sites) }
    }

    fn object(&self, id: u32) -> u32 {
        id.saturating_add(self.objects)
    }

    fn thread(&self, id: u32) -> u32 {
        if id == 0 { 0 } else { id.saturating_add(self.threads) }
    }

    fn task(&self, id: u32) -> u32 {
        if id == 0 { 0 } else { id.saturating_add(self.tasks) }
    }

    fn held(&self, held: Held) -> Held {
        Held { object: self.object(held.object), site: self.site(held.site), ..held }
    }

    fn member(&self, member: BlockedThread<'static>) -> BlockedThread<'static> {
        let object = match member.kind {
            WaitKind::Join | WaitKind::Park => self.thread(member.object),
            WaitKind::Task => self.task(member.object),
            _ => self.object(member.object),
        };
        BlockedThread {
            thread: self.thread(member.thread),
            task: self.task(member.task),
            object,
            site: self.site(member.site),
            held: member.held.iter().map(|held| self.held(*held)).collect::<Vec<_>>().into(),
            ..member
        }
    }

    fn event_object(&self, event: &Event) -> u32 {
        match event.op().map(Numbering::of) {
            Some(Numbering::Thread) => self.thread(event.object),
            Some(Numbering::Task) => self.task(event.object),
            Some(Numbering::Object) | None => self.object(event.object),
        }
    }
}

/// Which numbers the object of an event is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Numbering {
    /// [`Recording::threads`].
    Thread,
    /// [`Recording::tasks`].
    Task,
    /// [`Recording::objects`].
    Object,
}

impl Numbering {
    /// For events with this op.
    pub fn of(op: Op) -> Self {
        match op {
            Op::ThreadBegin | Op::ThreadEnd | Op::Fork | Op::JoinRequest | Op::Join => Numbering::Thread,
            Op::Park | Op::Unparked | Op::Unpark => Numbering::Thread,
            Op::Submit | Op::TaskBegin | Op::TaskEnd | Op::TaskJoinRequest | Op::TaskJoin => Numbering::Task,
            _ => Numbering::Object,
        }
    }
}

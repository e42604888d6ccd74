//! Who is who in another run: a thread or task is known by who started it, where, and the how-many-th it was there.
//!
//! Guarantees: the same program with the same order of events inside each thread gives the same keys, whatever numbers
//! its threads get. The analyzer computes the same keys from the records of a trace (`steer/actors.rs` there).
//!
//! Misses: threads that no tracked spawn announced are known by their names alone.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use crate::raw::{List, Map};
use crate::site::Site;
use crate::threads;

struct Actors {
    /// By number: the key.
    threads: List<(u32, u64)>,
    tasks: List<(u32, u64)>,
    /// How many were started by whom at which place.
    started: Map,
}

static ACTORS: Mutex<Actors> = Mutex::new(Actors { threads: List::new(), tasks: List::new(), started: Map::new() });

thread_local! {
    /// Thread number, task and key of whoever ran here last.
    static KNOWN: Cell<(u32, u32, u64)> = const { Cell::new((0, 0, 0)) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// FNV-1a, as the analyzer has it.
fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

fn find(list: &List<(u32, u64)>, number: u32) -> u64 {
    list.iter().rev().find(|known| known.0 == number).map_or(0, |known| known.1)
}

impl Actors {
    fn child(&mut self, parent: u64, kind: &str, site: Site) -> u64 {
        let mut key = hash(hash(BASIS, &parent.to_le_bytes()), kind.as_bytes());
        if let Some(location) = site.location() {
            key = hash(key, location.file().as_bytes());
            key = hash(key, &location.line().to_le_bytes());
            key = hash(key, &location.column().to_le_bytes());
        }
        let ordinal = self.started.get(key | 1).unwrap_or(0);
        self.started.insert(key | 1, ordinal + 1);
        hash(key, &ordinal.to_le_bytes())
    }
}

fn with<R>(work: impl FnOnce(&mut Actors) -> R) -> R {
    work(&mut ACTORS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A thread that nobody announced.
pub(crate) fn stranger(number: u32, name: &str) {
    if super::is_on() {
        with(|actors| actors.threads.push((number, hash(hash(BASIS, b"thread"), name.as_bytes()))));
    }
}

/// `parent` (a thread, or the task it runs) starts a thread.
pub(crate) fn forked(number: u32, parent: u32, site: Site) {
    if super::is_on() {
        let task = threads::task();
        with(|actors| {
            let parent = if task == 0 { find(&actors.threads, parent) } else { find(&actors.tasks, task) };
            let key = actors.child(parent, "fork", site);
            actors.threads.push((number, key));
        });
    }
}

/// A task, or a thread outside of all tasks, submits a task.
pub(crate) fn submitted(number: u32, parent: u32, thread: u32, site: Site) {
    if super::is_on() {
        with(|actors| {
            let parent = if parent == 0 { find(&actors.threads, thread) } else { find(&actors.tasks, parent) };
            let key = actors.child(parent, "task", site);
            actors.tasks.push((number, key));
        });
    }
}

/// The key of the calling thread, or of the task that it runs.
pub(super) fn current() -> u64 {
    let (number, task) = (threads::me().number(), threads::task());
    let (known, known_task, key) = KNOWN.with(Cell::get);
    if (known, known_task) == (number, task) && key != 0 {
        return key;
    }
    let key = with(|actors| if task == 0 { find(&actors.threads, number) } else { find(&actors.tasks, task) });
    KNOWN.with(|known| known.set((number, task, key)));
    key
}

/// How often the calling thread asked before.
pub(super) fn count() -> u64 {
    COUNT.with(|count| count.replace(count.get() + 1))
}

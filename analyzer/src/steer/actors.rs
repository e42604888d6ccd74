//! Who is who in another run, from the records of a trace.
//!
//! Guarantees: the keys that the tracker gives in a run with the same forks (`schedule/actors.rs` there): parent, place,
//! and the how-many-th it was there.
//!
//! Misses: threads started by tasks, whose records name the worker.

use rustc_hash::FxHashMap;

use crate::trace::Recording;

/// Keys by number.
#[derive(Debug, Default)]
pub(super) struct Keys {
    threads: FxHashMap<u32, u64>,
    tasks: FxHashMap<u32, u64>,
}

/// FNV-1a.
fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

impl Keys {
    pub(super) fn new(recording: &Recording) -> Keys {
        let mut keys = Keys::default();
        let mut started: FxHashMap<u64, u32> = FxHashMap::default();
        let mut child = |parent: u64, kind: &str, site: u32| {
            let mut key = hash(hash(BASIS, &parent.to_le_bytes()), kind.as_bytes());
            if let Some(site) = recording.sites.get(&site) {
                key = hash(key, site.file.as_bytes());
                key = hash(key, &site.line.to_le_bytes());
                key = hash(key, &site.column.to_le_bytes());
            }
            let ordinal = started.entry(key | 1).or_default();
            *ordinal += 1;
            hash(key, &(*ordinal - 1).to_le_bytes())
        };
        for (number, thread) in &recording.threads {
            let key = match thread.parent {
                0 => hash(hash(BASIS, b"thread"), thread.name.as_bytes()),
                parent => child(keys.threads.get(&parent).copied().unwrap_or(0), "fork", thread.site),
            };
            keys.threads.insert(*number, key);
        }
        for (number, task) in &recording.tasks {
            let parent = match task.parent {
                0 => keys.threads.get(&task.thread),
                parent => keys.tasks.get(&parent),
            };
            keys.tasks.insert(*number, child(parent.copied().unwrap_or(0), "task", task.site));
        }
        keys
    }

    /// The key of a task, or of a thread outside of all tasks (`task` 0).
    pub(super) fn of(&self, thread: u32, task: u32) -> u64 {
        let key = if task == 0 { self.threads.get(&thread) } else { self.tasks.get(&task) };
        key.copied().unwrap_or(0)
    }
}

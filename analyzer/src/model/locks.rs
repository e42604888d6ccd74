//! Which library types are locks and guards, and what their methods take.
//!
//! Guarantees: a method acquires only on a type that is known to be a lock; a type of an unknown crate counts as a
//! lock only by an unmistakable name: that of a lock of std or parking_lot, or one that says what kind of mutex or lock it
//! is (`SpinLock`, `TicketMutex`, `MutexIrqSafe`).
//!
//! Misses: locks of unknown crates under other names, until lockcheck.toml names them; those whose names say that they
//! wait, or do not wait, in another way (`RawMutex`, `AsyncMutex`, `RecursiveMutex`).

use crate::graph::LockMode;
use serde::{Deserialize, Serialize};

/// What a lock does to a thread that must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Waiting {
    /// Blocks the thread: its guard must not live across an await.
    Thread,
    /// Suspends the task.
    Task,
}

/// A lock or guard type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockType {
    /// A lock.
    Lock {
        /// Its shape.
        shape: Shape,
        /// What it does to waiters.
        waiting: Waiting,
    },
    /// A guard; its value keeps a lock.
    Guard {
        /// What the lock does to waiters.
        waiting: Waiting,
    },
    /// A condition variable.
    Condvar,
}

/// How a lock can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shape {
    /// `lock`
    Mutex,
    /// `lock`, again by its holder without waiting.
    Reentrant,
    /// `read`, `write`, `upgradable_read`
    RwLock,
    /// A map whose every shard has a lock: `get`, `entry`, `insert`
    ShardedMap,
    /// The value of a watch channel, by either end: `borrow` reads it, `send` writes it.
    Watch,
    /// Metrics by their labels behind one lock: `get_or_create` writes where the labels are new, and gives a reader.
    MetricFamily,
}

/// What a method call on a lock takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acquire {
    /// How.
    pub mode: LockMode,
    /// It cannot wait (without end).
    pub try_: bool,
    /// It waits by blocking the thread even on an async lock (`blocking_lock`).
    pub waiting: Waiting,
}

/// The lock type at this path of a stub crate.
pub fn lock_type(path: &str) -> Option<LockType> {
    let (krate, name) = (path.split("::").next()?, path.rsplit("::").next()?);
    if krate == "dashmap" {
        return sharded(name);
    }
    if path.starts_with("tokio::sync::watch::") {
        return watch(name);
    }
    if krate == "prometheus_client" {
        return family(name);
    }
    let waiting = match krate {
        "std" | "parking_lot" | "lock_api" | "spin" | "crossbeam_utils" | super::known::BY_NAME => Waiting::Thread,
        "tokio" | "async_lock" | "futures" | "async_std" => Waiting::Task,
        _ => return None,
    };
    by_name(name, waiting)
}

/// Maps of locked shards, and the references into them, which keep a shard locked.
fn sharded(name: &str) -> Option<LockType> {
    Some(match name {
        "DashMap" | "DashSet" => LockType::Lock { shape: Shape::ShardedMap, waiting: Waiting::Thread },
        "Ref" | "RefMut" | "Iter" | "IterMut" | "Entry" | "OccupiedEntry" | "VacantEntry" => {
            LockType::Guard { waiting: Waiting::Thread }
        }
        _ => return None,
    })
}

/// The ends of a watch channel: behind both is one lock that blocks threads, and hands itself to writers first.
fn watch(name: &str) -> Option<LockType> {
    Some(match name {
        "Sender" | "Receiver" => LockType::Lock { shape: Shape::Watch, waiting: Waiting::Thread },
        "Ref" => LockType::Guard { waiting: Waiting::Thread },
        _ => return None,
    })
}

/// A family of metrics, and the reference to one of them, which keeps the family read-locked.
fn family(name: &str) -> Option<LockType> {
    Some(match name {
        "Family" => LockType::Lock { shape: Shape::MetricFamily, waiting: Waiting::Thread },
        "MappedRwLockReadGuard" => LockType::Guard { waiting: Waiting::Thread },
        _ => return None,
    })
}

/// The lock or guard that a type of an unknown crate is by its name, under the name that parking_lot has for it.
pub fn stub_name(path: &str) -> Option<&str> {
    let name = path.rsplit("::").next().unwrap_or_default();
    match by_name(name, Waiting::Thread) {
        Some(LockType::Lock { .. } | LockType::Guard { .. }) => Some(name),
        Some(LockType::Condvar) => None,
        None => kind_of_lock(name),
    }
}

/// Words in the names of locks that are not taken, or not waited for, like others.
const OTHER_WAYS: &[&str] =
    &["Raw", "Try", "Async", "Tokio", "Future", "Reentrant", "Recursive", "Remutex", "Optimistic"];

/// The same for the name of a kind of lock: `SpinLock`, `TicketMutexGuard`, `RwLockIrqSafe`.
fn kind_of_lock(name: &str) -> Option<&'static str> {
    if OTHER_WAYS.iter().any(|word| name.contains(word)) {
        return None;
    }
    let (name, guard) = match name.strip_suffix("Guard") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (name, writes, reads) = match (name.strip_suffix("Write"), name.strip_suffix("Read")) {
        (Some(name), _) if guard => (name, true, false),
        (_, Some(name)) if guard => (name, false, true),
        _ => (name, false, false),
    };
    let name = name.strip_suffix("IrqSafe").or_else(|| name.strip_suffix("NoIrq")).unwrap_or(name);
    let shared = name.ends_with("RwLock") || name.ends_with("RwSpinLock") || name.ends_with("RwSpinlock");
    let exclusive = name.ends_with("Mutex") || name.ends_with("SpinLock") || name.ends_with("Spinlock");
    Some(match (shared, exclusive, guard) {
        (true, _, false) => "RwLock",
        (true, _, true) if writes => "RwLockWriteGuard",
        (true, _, true) if reads => "RwLockReadGuard",
        (false, true, false) => "Mutex",
        (false, true, true) if !writes && !reads => "MutexGuard",
        _ => return None,
    })
}

fn by_name(name: &str, waiting: Waiting) -> Option<LockType> {
    Some(match name {
        "Mutex" | "FairMutex" | "SpinMutex" => LockType::Lock { shape: Shape::Mutex, waiting },
        "ReentrantMutex" | "ReentrantLock" => LockType::Lock { shape: Shape::Reentrant, waiting },
        "RwLock" | "ShardedLock" => LockType::Lock { shape: Shape::RwLock, waiting },
        "Condvar" => LockType::Condvar,
        "MutexGuard"
        | "RwLockReadGuard"
        | "RwLockWriteGuard"
        | "RwLockUpgradableReadGuard"
        | "FairMutexGuard"
        | "ReentrantMutexGuard"
        | "ReentrantLockGuard"
        | "SpinMutexGuard"
        | "ShardedLockReadGuard"
        | "ShardedLockWriteGuard"
        | "MappedMutexGuard"
        | "MappedRwLockReadGuard"
        | "MappedRwLockWriteGuard"
        | "MappedFairMutexGuard"
        | "MappedReentrantMutexGuard"
        | "OwnedMutexGuard"
        | "OwnedRwLockReadGuard"
        | "OwnedRwLockWriteGuard"
        | "OwnedMappedMutexGuard"
        | "RwLockMappedWriteGuard"
        | "OwnedRwLockMappedWriteGuard"
        | "ArcMutexGuard"
        | "ArcRwLockReadGuard"
        | "ArcRwLockWriteGuard"
        | "ArcRwLockUpgradableReadGuard"
        | "MutexGuardArc"
        | "RwLockReadGuardArc"
        | "RwLockWriteGuardArc" => LockType::Guard { waiting },
        _ => return None,
    })
}

/// What the method `name` of a lock of this shape takes.
pub fn acquire(shape: Shape, waiting: Waiting, name: &str) -> Option<Acquire> {
    use LockMode::{Exclusive, Shared, SharedRecursive, Upgradable};
    let bare = name.strip_prefix("try_").unwrap_or(name);
    let try_ = bare.len() != name.len();
    let bare = bare.strip_suffix("_until").or_else(|| bare.strip_suffix("_for")).unwrap_or(bare);
    let (bare, waiting) = match bare.strip_prefix("blocking_").or_else(|| bare.strip_suffix("_blocking")) {
        Some(bare) => (bare, Waiting::Thread),
        None => (bare, waiting),
    };
    let bare = bare.strip_suffix("_owned").or_else(|| bare.strip_suffix("_arc")).unwrap_or(bare);
    let bare = if bare == "read_arc_recursive" { "read_recursive" } else { bare };
    let mode = match (shape, bare) {
        (Shape::Mutex | Shape::Reentrant, "lock") => Exclusive,
        (Shape::RwLock, "read") => Shared,
        (Shape::RwLock, "read_recursive") => SharedRecursive,
        (Shape::RwLock, "write") => Exclusive,
        (Shape::RwLock, "upgradable_read" | "upgradeable_read") => Upgradable,
        // A reader of a shard never waits for writers that wait themselves. What asks without taking a reference along
        // (`len`) or needs the map to itself (`into_iter`) is left out.
        (Shape::ShardedMap, "get" | "iter" | "contains_key" | "contains" | "view") => SharedRecursive,
        (
            Shape::ShardedMap,
            "get_mut" | "iter_mut" | "entry" | "insert" | "remove" | "remove_if" | "remove_if_mut" | "retain" | "alter"
            | "alter_all" | "clear" | "shrink_to_fit",
        ) => Exclusive,
        (Shape::Watch, "borrow" | "borrow_and_update") => Shared,
        (Shape::MetricFamily, "get_or_create" | "get_or_create_owned" | "remove" | "clear") => Exclusive,
        (Shape::MetricFamily, "get") => Shared,
        (Shape::Watch, "send" | "send_modify" | "send_if_modified" | "send_replace") => Exclusive,
        _ => return None,
    };
    Some(Acquire { mode, try_, waiting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_take_what_their_names_say() {
        let of = |shape, name| acquire(shape, Waiting::Task, name);
        assert_eq!(
            of(Shape::RwLock, "try_read_for"),
            Some(Acquire { mode: LockMode::Shared, try_: true, waiting: Waiting::Task })
        );
        assert_eq!(of(Shape::Mutex, "blocking_lock").map(|acquire| acquire.waiting), Some(Waiting::Thread));
        assert_eq!(of(Shape::Mutex, "lock_owned").map(|acquire| acquire.try_), Some(false));
        assert_eq!(of(Shape::Mutex, "read"), None);
        assert_eq!(of(Shape::RwLock, "into_inner"), None);
    }

    #[test]
    fn both_ends_of_a_watch_channel_are_locks() {
        let lock = |path| matches!(lock_type(path), Some(LockType::Lock { shape: Shape::Watch, .. }));
        assert!(lock("tokio::sync::watch::Sender") && lock("tokio::sync::watch::Receiver"));
        assert!(!lock("tokio::sync::mpsc::Sender"));
        let mode = |name| acquire(Shape::Watch, Waiting::Thread, name).map(|acquire| acquire.mode);
        assert_eq!(mode("borrow_and_update"), Some(LockMode::Shared));
        assert_eq!(mode("send_replace"), Some(LockMode::Exclusive));
        assert_eq!(mode("has_changed"), None);
    }

    #[test]
    fn unknown_crates_have_locks_by_unmistakable_names_only() {
        let names = [
            ("util::RwLock", Some("RwLock")),
            ("util::Condvar", None),
            ("util::LockTable", None),
            ("kernel::SpinLock", Some("Mutex")),
            ("irq::MutexIrqSafe", Some("Mutex")),
            ("irq::RwLockIrqSafeWriteGuard", Some("RwLockWriteGuard")),
            ("sync::TicketMutexGuard", Some("MutexGuard")),
            ("sync::RwLockGuard", None),
            ("sync::AsyncMutex", None),
            ("sync::RecursiveMutex", None),
            ("sync::FileLock", None),
        ];
        for (path, name) in names {
            assert_eq!(stub_name(path), name, "{path}");
        }
    }
}

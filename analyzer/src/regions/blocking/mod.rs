//! Facts about waiting for something other than a lock: for the end of a thread, a message, a notification, a slot of
//! a pool, a one-time initialisation.
//!
//! Guarantees: everything is collected per body and refers to nothing of the model; the facts of the last walk over a
//! body count. What the other side needs is said by the [`Signal`]s (who sends, receives, notifies, after taking which
//! locks) and [`Spawned`] (what a thread or task takes).
//!
//! Misses: ends of channels that travel through messages or collections, handles that a library keeps.

pub mod link;
pub mod pools;
pub mod summary;

use super::Side;
use crate::finding::Location;
use pools::PoolFacts;
use serde::{Deserialize, Serialize};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Op {
    /// The end of a thread.
    Join,
    /// A message.
    Receive,
    /// Room in a bounded channel.
    Send,
    /// A notification of a condition variable.
    Notification,
    /// Other threads at a barrier.
    Barrier,
    /// Time.
    Sleep,
    /// A future, by blocking the thread.
    BlockOn,
    /// The end of a child process.
    Process,
    /// A slot of a bounded pool.
    Slot,
    /// The result of a task of a pool, or of all its tasks.
    Result,
}

/// Something that is waited for or signalled: a handle, channel, condition variable, pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its class, where it lies in a field, static or variable.
    pub key: Option<String>,
    /// As reports show it.
    pub name: Option<String>,
    /// The value it is, where its making was seen: the body and a number in it.
    pub value: Option<(u32, u32)>,
}

/// A guard that is held at some point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The lock.
    pub side: Side,
    /// On every path.
    pub must: bool,
    /// A condition variable gave it back and took it again meanwhile.
    pub waited: bool,
    /// What is waited for lies inside the lock.
    pub around: bool,
    /// Whether the wait happens depends on a flag that the lock guards: who sets it may be done with the lock.
    pub decides: bool,
}

/// A place where something is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The body.
    pub body: u32,
    /// Its function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// What for.
    pub op: Op,
    /// Which one.
    pub object: Option<Object>,
    /// The mutex that the wait gives back.
    pub monitor: Option<Side>,
    /// The thread that is joined, where it was spawned by the same function.
    pub joined: u32,
    /// The guards.
    pub held: Vec<Holding>,
    /// Where.
    pub at: Location,
    /// The calls to there.
    pub way: Vec<Location>,
    /// In a loop of the function it stands in, or given a condition to wait for.
    pub looped: bool,
    /// The guard that it waits with came in as a parameter.
    pub passed: bool,
    /// The thread or task of the body that waits; 0 for its own.
    pub task: u32,
    /// Suspends a task instead of blocking a thread.
    pub suspends: bool,
    /// A call on the way has several possible targets.
    pub dispatched: bool,
}

/// What a [`Signal`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignalKind {
    /// Wakes waiters of a condition variable.
    Notify,
    /// Sends a message.
    Send,
    /// Takes a message.
    Receive,
}

/// Something that lets others go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// What.
    pub kind: SignalKind,
    /// The body.
    pub body: u32,
    /// Its function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// On what.
    pub object: Object,
    /// The locks that were surely taken before, given back since or not.
    pub taken: Vec<Side>,
    /// Where.
    pub at: Location,
    /// The calls to there.
    pub way: Vec<Location>,
    /// The thread or task of the body that does it; 0 for its own.
    pub task: u32,
}

/// A thread or task that a body starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawned {
    /// The body.
    pub body: u32,
    /// Its number in the body, from 1.
    pub number: u32,
    /// Where it is started.
    pub at: Location,
    /// The locks that it takes.
    pub takes: Vec<Side>,
    /// The thread or task that starts it.
    pub parent: u32,
}

/// A handle, end of a channel or pool that was put into a field, static or collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The body.
    pub body: u32,
    /// Where it lies.
    pub key: String,
    /// The thread or task, if it is a handle; 0 otherwise.
    pub task: u32,
    /// The value, if it is the end of a channel or a pool.
    pub value: Option<u32>,
}

/// An initialiser that reaches itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reentrant {
    /// The function in which it is seen.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The cell.
    pub name: String,
    /// Its class.
    pub key: String,
    /// Its type.
    pub kind: String,
    /// Where it begins.
    pub first: Location,
    /// The calls from there.
    pub way: Vec<Location>,
    /// Where it is reached again.
    pub again: Location,
    /// Whenever the initialiser runs, as far as branches and loops go: others may depend on what is never so here.
    pub always: bool,
}

/// Somebody else's code that runs under a guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// What is called, as written.
    pub name: String,
    /// The guards.
    pub held: Vec<Holding>,
    /// The call.
    pub at: Location,
}

/// A guard that is a temporary in the head of a `match`, `if let`, `while let` or `for`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// Which construct.
    pub construct: String,
    /// The guard.
    pub held: Side,
    /// The head, and the end of the construct.
    pub head: Location,
    /// The last line in which the guard lives.
    pub last_line: u32,
    /// What the head gives may borrow from the guard.
    pub needed: bool,
}

/// What a channel is used for wrongly within one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChannelMistake {
    /// A loop over all messages, while the same function keeps a sender.
    KeepsSender,
    /// A send that waits for room, with the only receiver in the same function.
    SendsToItself,
}

/// A [`ChannelMistake`] with its places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFact {
    /// Which.
    pub mistake: ChannelMistake,
    /// The function.
    pub function: String,
    /// Only in test code.
    pub test: bool,
    /// The channel's making.
    pub made: Location,
    /// The variable that makes the trouble: the kept sender, or the receiver.
    pub kept: String,
    /// Its key.
    pub key: String,
    /// How many messages there is room for.
    pub bound: Option<u64>,
    /// Where it hangs.
    pub at: Location,
}

/// Everything of one body, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocking {
    /// Waits.
    pub waits: Vec<Wait>,
    /// Signals.
    pub signals: Vec<Signal>,
    /// Threads and tasks.
    pub spawned: Vec<Spawned>,
    /// What was stored where.
    pub stored: Vec<Stored>,
    /// Which body takes locks of which class itself.
    pub takers: Vec<(u32, String)>,
    /// Initialisers that reach themselves.
    pub reentrant: Vec<Reentrant>,
    /// Callbacks under guards.
    pub callbacks: Vec<Callback>,
    /// Guards in heads.
    pub heads: Vec<Head>,
    /// Channels.
    pub channels: Vec<ChannelFact>,
    /// Pools.
    pub pools: Vec<PoolFacts>,
}

impl Blocking {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let Blocking { waits, signals, spawned, stored, takers, reentrant, callbacks, heads, channels, pools } = self;
        waits.is_empty()
            && signals.is_empty()
            && spawned.is_empty()
            && stored.is_empty()
            && takers.is_empty()
            && reentrant.is_empty()
            && callbacks.is_empty()
            && heads.is_empty()
            && channels.is_empty()
            && pools.is_empty()
    }

    /// Adds what another body found.
    pub fn append(&mut self, other: Blocking) {
        self.waits.extend(other.waits);
        self.signals.extend(other.signals);
        self.spawned.extend(other.spawned);
        self.stored.extend(other.stored);
        self.takers.extend(other.takers);
        self.reentrant.extend(other.reentrant);
        self.callbacks.extend(other.callbacks);
        self.heads.extend(other.heads);
        self.channels.extend(other.channels);
        self.pools.extend(other.pools);
    }
}

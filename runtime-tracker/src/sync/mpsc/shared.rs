//! What both ends of a channel share beside `std`'s channel: its number, who waits, and what may have changed meanwhile.
//!
//! Guarantees: no lost wake-up: a waiter says that it waits before it looks whether anything has changed, and whoever
//! changes something looks afterwards whether anybody waits (both sequentially consistent).
//!
//! Misses: fairness between senders that wait for room is that of the queue, and running ones may overtake.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::Common;
use super::meet::Meet;
use crate::event::{Event, Mode, ObjectKind, Op, WaitKind};
use crate::head::{Head, Kind};
use crate::park::{self, Priority, Wake};
use crate::site::Site;
use crate::wait::{self, Goal, Wait};
use crate::{config, threads};

/// A message on its way.
pub(super) struct Message<T> {
    pub(super) value: T,
    /// Its number in the trace, 0 for none.
    pub(super) number: u32,
    /// What its sender had done by then.
    segment: u32,
}

/// One direction: what has happened, and who waits for more.
#[derive(Default)]
struct Side {
    /// Messages sent (or taken), and the end of the other side.
    changes: AtomicUsize,
    /// How many wait for a change.
    waiting: AtomicUsize,
}

pub(super) struct Shared {
    head: Head,
    kind: Kind,
    bound: Option<usize>,
    sent: Side,
    taken: Side,
    senders: AtomicUsize,
    messages: AtomicU32,
    pub(super) meet: Mutex<Meet>,
}

impl Shared {
    /// `None` where nothing is tracked: then `std` does everything.
    pub(super) fn new<T>(head: Head, bound: Option<usize>) -> Common {
        if config::ready() == config::OFF {
            return None;
        }
        let type_name = if bound.is_some() { "std::sync::mpsc::sync_channel" } else { "std::sync::mpsc::channel" };
        let kind = Kind { object: ObjectKind::Channel, type_name, data: std::any::type_name::<T> };
        Some(Arc::new(Shared {
            head,
            kind,
            bound,
            sent: Side::default(),
            taken: Side::default(),
            senders: AtomicUsize::new(1),
            messages: AtomicU32::new(0),
            meet: Mutex::default(),
        }))
    }

    fn number(&self) -> u32 {
        if config::is_on() { self.head.lock(Mode::Exclusive, self.kind).lock() } else { 0 }
    }

    fn emit(&self, op: Op, site: Site, seq: u32) {
        if config::traces() && threads::is_tracked() {
            threads::emit_at(Event::new(op, self.number(), 0, seq), site);
        }
    }

    pub(super) fn goal(&self, kind: WaitKind) -> Goal {
        Goal::Anyone { kind, object: self.number() }
    }

    pub(super) fn is_rendezvous(&self) -> bool {
        self.bound == Some(0)
    }

    pub(super) fn has_senders(&self) -> bool {
        self.senders.load(SeqCst) != 0
    }

    pub(super) fn sending_address(&self) -> usize {
        (&raw const self.taken).addr()
    }

    pub(super) fn receiving_address(&self) -> usize {
        (&raw const self.sent).addr()
    }

    fn change(&self, side: &Side, all: bool) {
        side.changes.fetch_add(1, SeqCst);
        // Those that wait to meet somebody are counted elsewhere, and have to be told of the end alone.
        if side.waiting.load(SeqCst) != 0 || (all && self.is_rendezvous()) {
            let address = (&raw const *side).addr();
            let _ = if all { park::wake_all(address, || 0) } else { park::wake_one(address, || 0).into() };
        }
    }

    /// Waits until the count of `side` is no longer `seen`.
    #[track_caller]
    fn wait(&self, side: &Side, seen: usize, kind: WaitKind, until: Option<Instant>, front: bool, site: Site) -> Wake {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        side.waiting.fetch_add(1, SeqCst);
        let _waiting = Waiting(&side.waiting);
        let wait = Wait { goal: self.goal(kind), site, address: (&raw const *side).addr() };
        wait::sleep(wait, Priority::of(front), until, || side.changes.load(SeqCst) == seen, || {})
    }

    pub(super) fn wants_to_receive(&self, site: Site) {
        self.emit(Op::RecvRequest, site, 0);
    }

    /// How many messages were sent.
    pub(super) fn sent_count(&self) -> usize {
        self.sent.changes.load(SeqCst)
    }

    #[track_caller]
    pub(super) fn wait_for_message(&self, seen: usize, until: Option<Instant>, front: bool, site: Site) -> Wake {
        self.wait(&self.sent, seen, WaitKind::Recv, until, front, site)
    }

    /// A message was taken out.
    pub(super) fn received<T>(&self, message: Message<T>, site: Site) -> T {
        if self.bound.is_some() {
            self.change(&self.taken, false);
        }
        self.emit(Op::Recv, site, message.number);
        threads::receive(message.segment);
        message.value
    }

    /// The receiver is gone.
    pub(super) fn receiver_dropped(&self) {
        if self.is_rendezvous() {
            self.meet_lock().closed = true;
        }
        self.change(&self.taken, true);
    }
}

/// The senders' part, one per sender; the last one to be dropped tells the receiver.
pub(super) struct Senders(Common);

impl Senders {
    /// For the first sender.
    pub(super) fn first(shared: Common) -> Self {
        Senders(shared)
    }

    /// The message for a value.
    pub(super) fn message<T>(&self, value: T) -> Message<T> {
        let (mut number, mut segment) = (0, 0);
        if let Some(shared) = &self.0 {
            if config::traces() {
                number = shared.messages.fetch_add(1, Relaxed).wrapping_add(1);
            }
            segment = threads::publish();
        }
        Message { value, number, segment }
    }

    /// The message is in the channel.
    pub(super) fn sent(&self, number: u32, site: Site) {
        if let Some(shared) = &self.0 {
            shared.emit(Op::Send, site, number);
            shared.change(&shared.sent, false);
        }
    }

    pub(super) fn wants_to_send(&self, site: Site) {
        if let Some(shared) = &self.0 {
            shared.emit(Op::SendRequest, site, 0);
        }
    }

    /// How many messages fit in, `None` where nothing is tracked or there is no limit.
    pub(super) fn bound(&self) -> Option<usize> {
        self.0.as_ref().and_then(|shared| shared.bound)
    }

    /// How many messages were taken out.
    pub(super) fn taken(&self) -> usize {
        self.0.as_ref().map_or(0, |shared| shared.taken.changes.load(SeqCst))
    }

    #[track_caller]
    pub(super) fn wait_for_room(&self, seen: usize, site: Site) {
        if let Some(shared) = &self.0 {
            shared.wait(&shared.taken, seen, WaitKind::Send, None, false, site);
        }
    }

    /// See [`Shared::meet_receiver`]; `true` where nothing is tracked.
    #[track_caller]
    pub(super) fn meet_receiver(&self, site: Site) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.meet_receiver(site))
    }

    /// See [`Shared::try_meet_receiver`].
    pub(super) fn try_meet_receiver(&self) -> Option<bool> {
        self.0.as_ref().map_or(Some(true), |shared| shared.try_meet_receiver())
    }
}

impl Clone for Senders {
    fn clone(&self) -> Self {
        if let Some(shared) = &self.0 {
            shared.senders.fetch_add(1, SeqCst);
        }
        Senders(self.0.clone())
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        if let Some(shared) = &self.0
            && shared.senders.fetch_sub(1, SeqCst) == 1
        {
            shared.change(&shared.sent, true);
        }
    }
}

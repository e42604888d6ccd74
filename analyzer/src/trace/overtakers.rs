//! Who took a lock again and again while another thread waited for it.
//!
//! Guarantees: that a blocked wait was overtaken, and how often, is the tracker's own count
//! ([`super::recording::Overtaken`]). A thread that polls a lock with `try_lock` waits too, as long as that is all that it
//! does: it was overtaken once per acquisition that kept it out, and reported from [`LEAST_POLLS`] different ones on, if that took
//! 100 ms. The
//! acquisitions in between are told by the lock's sequence numbers. O(events) and that per reported lock.
//!
//! Misses: without events (mode `order`), who overtook, and polling; a wait among several of one thread at one place that
//! was overtaken less than another.

use std::collections::BTreeMap;

use lockcheck_tracker::event::{Event, Held, Mode, Op, flag};

use super::order::Ordered;
use super::recording::Recording;

/// A thread that waited for a lock while others had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Thread number.
    pub thread: u32,
    /// The lock, and where it was waited for.
    pub wanted: Held,
    /// How often, at least, the thread was woken in vain; for a thread that polls, how many acquisitions kept it out.
    pub times: u32,
    /// Over how many milliseconds, at least; `None` for a thread that polls.
    pub milliseconds: Option<u32>,
    /// The others, most acquisitions first.
    pub by: Vec<Overtaker>,
}

/// A thread that took the lock meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overtaker {
    /// Thread number.
    pub thread: u32,
    /// The lock, and where it was taken first during the wait.
    pub taken: Held,
    /// How often.
    pub times: usize,
}

/// As many different acquisitions must have kept out a thread that polls, with nothing done in between.
pub const LEAST_POLLS: u32 = 100;

/// Each lock's wait that was overtaken most, by lock.
pub fn waiters(recording: &Recording, ordered: &Ordered) -> Vec<Waiter> {
    let blocked = recording.overtaken.iter().map(|overtaken| {
        let (thread, wanted) = (overtaken.thread, overtaken.wanted);
        let range = blocked_range(thread, wanted, ordered).unwrap_or((u32::MAX, u32::MAX));
        let milliseconds = Some(overtaken.milliseconds);
        (Waiter { thread, wanted, times: overtaken.times, milliseconds, by: Vec::new() }, range)
    });
    let mut most: BTreeMap<u32, (Waiter, Range)> = BTreeMap::new();
    for (waiter, range) in blocked.chain(polls(ordered)) {
        let known = most.entry(waiter.wanted.object).or_insert_with(|| (waiter.clone(), range));
        if known.0.times < waiter.times {
            *known = (waiter, range);
        }
    }
    let waiters =
        most.into_values().map(|(waiter, range)| Waiter { by: overtakers(&waiter, range, ordered), ..waiter });
    waiters.collect()
}

/// Sequence numbers of a lock: those of a wait lie strictly in between.
type Range = (u32, u32);

fn number(ordered: &Ordered, thread: u32) -> u32 {
    ordered.threads.get(thread as usize).copied().unwrap_or(0)
}

/// Where the wait lies that has most acquisitions between its request and its end.
fn blocked_range(thread: u32, wanted: Held, ordered: &Ordered) -> Option<Range> {
    let own = ordered.events().filter(|(by, event)| event.object == wanted.object && number(ordered, *by) == thread);
    let mut begun = None;
    let mut best: Option<Range> = None;
    for event in own.map(|(_, event)| Some(event)).chain([None]) {
        match event.as_ref().and_then(Event::op) {
            Some(Op::Request) => begun = event.filter(|event| event.site == wanted.site && event.seq != 0),
            Some(Op::Acquire) | None => {
                let end = event.map_or(u32::MAX, |event| event.seq);
                let range = begun.take().map(|request| (request.seq, end));
                let longer = |range: &Range| best.is_none_or(|best| range.1 - range.0 > best.1 - best.0);
                best = range.filter(|range| range.0 < range.1).filter(longer).or(best);
            }
            _ => {}
        }
    }
    best
}

/// A thread that does nothing but try to take a lock.
#[derive(Clone, Copy)]
struct Polling {
    wanted: Held,
    first: u32,
    last: u32,
    times: u32,
    /// Failures that were marked: 100 ms lie between two of them.
    marked: u32,
}

fn polls(ordered: &Ordered) -> Vec<(Waiter, Range)> {
    let mut polling: Vec<Option<Polling>> = vec![None; ordered.threads.len()];
    let mut found = Vec::new();
    let mut end = |thread: u32, polled: Option<Polling>| {
        let long = |polled: &Polling| polled.times >= LEAST_POLLS && polled.marked >= 2;
        if let Some(Polling { wanted, first, last, times, .. }) = polled.filter(long) {
            let waiter = Waiter { thread, wanted, times, milliseconds: None, by: Vec::new() };
            found.push((waiter, (first - 1, last.saturating_add(1))));
        }
    };
    if !ordered.has(&[Op::TryFail]) {
        return found;
    }
    for (thread, event) in ordered.events() {
        let Some(slot) = polling.get_mut(thread as usize) else { continue };
        let tries = event.op() == Some(Op::TryFail) && event.seq != 0;
        let same = |known: &Polling| known.wanted.object == event.object && known.wanted.site == event.site;
        if let Some(known) = slot.as_mut().filter(|known| tries && same(known)) {
            known.times += u32::from(event.seq != known.last);
            known.marked += u32::from(event.flags & flag::CONTENDED != 0);
            known.last = event.seq;
            continue;
        }
        end(number(ordered, thread), slot.take());
        if tries {
            let wanted = Held { object: event.object, mode: event.mode().unwrap_or(Mode::Exclusive), site: event.site };
            *slot = Some(Polling { wanted, first: event.seq, last: event.seq, times: 1, marked: 0 });
        }
    }
    for (thread, polled) in polling.into_iter().enumerate() {
        end(number(ordered, thread as u32), polled);
    }
    found
}

fn overtakers(waiter: &Waiter, (from, to): Range, ordered: &Ordered) -> Vec<Overtaker> {
    let mut by: Vec<Overtaker> = Vec::new();
    for (thread, event) in ordered.events() {
        let thread = number(ordered, thread);
        let meanwhile = event.seq > from && event.seq < to && thread != waiter.thread;
        if event.op() != Some(Op::Acquire) || event.object != waiter.wanted.object || !meanwhile {
            continue;
        }
        match by.iter_mut().find(|known| known.thread == thread) {
            Some(known) => known.times += 1,
            None => {
                let mode = event.mode().unwrap_or(Mode::Exclusive);
                let taken = Held { object: event.object, mode, site: event.site };
                by.push(Overtaker { thread, taken, times: 1 });
            }
        }
    }
    by.sort_by_key(|overtaker| (std::cmp::Reverse(overtaker.times), overtaker.thread));
    by
}

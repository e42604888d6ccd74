//! How often a wait for a lock was in vain: the thread was woken because the lock was given back, and found that another
//! thread had taken it already.
//!
//! Guarantees: counted by the waiting thread, after it has slept; an acquisition without a wait pays nothing. What is
//! written down has happened at least [`LEAST`] times in one wait, over at least [`LEAST_TIME`].
//!
//! A thread that polls with `try_lock` is told of by its events; here it only gets the time ([`poll`]), which events do not
//! have.
//!
//! Misses: who took the lock instead, which the trace's events tell; waits that are overtaken without being woken.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::event::{Held, Record, flag};
use crate::held::LockMode;
use crate::site::Site;
use crate::{names, record, threads};

/// As often a wait must have been in vain.
const LEAST: u32 = 100;
/// As long it must have been so: what is over sooner is an ordinary scramble.
const LEAST_TIME: Duration = Duration::from_millis(200);

/// Of one wait.
#[derive(Default)]
pub(crate) struct Overtaken {
    times: u32,
    told: u32,
    since: Option<Instant>,
}

impl Overtaken {
    /// The thread was woken, and the lock was taken.
    #[cold]
    #[inline(never)]
    pub(crate) fn again(&mut self, lock: LockMode, site: Site) {
        self.times = self.times.saturating_add(1);
        let since = *self.since.get_or_insert_with(Instant::now);
        let enough = self.times >= LEAST.max(self.told.saturating_mul(2)) && since.elapsed() >= LEAST_TIME;
        if !enough || lock == LockMode::NONE || !threads::is_tracked() {
            return;
        }
        self.told = self.times;
        let (times, milliseconds) = (self.times, u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX));
        threads::busy(|| {
            let wanted = Held { object: lock.lock(), mode: lock.mode(), site: names::site(site) };
            record::record(&Record::Overtaken { thread: threads::me().number(), wanted, times, milliseconds });
        });
    }
}

/// Between two marked failures to take a lock.
const POLLED: Duration = Duration::from_millis(100);

thread_local! {
    /// The lock that the thread failed to take last, and since when, or since the last marked failure.
    static POLLS: Cell<Option<(LockMode, Instant)>> = const { Cell::new(None) };
}

/// The flag for a failed `try_lock` of this lock: [`flag::CONTENDED`] every 100 ms as long as the thread tries no other one.
pub(crate) fn poll(lock: LockMode) -> u8 {
    let now = Instant::now();
    let before = POLLS.try_with(Cell::get).ok().flatten().filter(|(known, _)| *known == lock);
    let marked = before.is_some_and(|(_, since)| now - since >= POLLED);
    if before.is_none() || marked {
        let _ = POLLS.try_with(|polls| polls.set(Some((lock, now))));
    }
    if marked { flag::CONTENDED } else { 0 }
}

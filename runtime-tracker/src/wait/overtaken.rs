//! How often a wait for a lock was in vain: the thread was woken because the lock was given back, and found that another
//! thread had taken it already.
//!
//! Guarantees: counted by the waiting thread, after it has slept; an acquisition without a wait pays nothing. What is
//! written down has happened at least [`LEAST`] times in one wait, over at least [`LEAST_TIME`].
//!
//! Misses: who took the lock instead, which the trace's events tell; waits that are overtaken without being woken.

use std::time::{Duration, Instant};

use crate::event::{Held, Record};
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

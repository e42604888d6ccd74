//! Steering a run: `LOCKCHECK_SCHEDULE` decides which thread may request its next lock, and when.
//!
//! | value | strategy |
//! |---|---|
//! | `replay:FILE` | [`replay`]: the schedule in the file, then the pauses that let its deadlock close |
//! | `random:SEED` | [`random`]: short random delays |
//! | `pct:SEED` | [`pct`]: random priorities with random changes |
//!
//! Every blocking request for a lock asks [`before`] and tells [`after`]; both cost one relaxed load where no strategy is
//! active. Works in trace mode only, because the other modes' hot paths do not come by here.
//!
//! Guarantees: no strategy holds a thread for ever: who is not let on within the schedule's patience ends the steering
//! and everybody runs free. A held thread counts as able to go on, so steering by itself is never taken for a deadlock.
//!
//! Misses: try-locks, channels, atomics and everything untracked run freely between the requests.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::site::Site;
use crate::threads;

mod actors;
mod file;
mod pct;
mod random;
mod replay;

pub(crate) use actors::{forked, stranger, submitted};

/// Whether a strategy is at work.
static ACTIVE: AtomicBool = AtomicBool::new(false);

enum Strategy {
    Free,
    Random { seed: u64 },
    Pct(pct::Pct),
    Replay(replay::Replay),
}

static STRATEGY: Mutex<Strategy> = Mutex::new(Strategy::Free);
static BELL: Condvar = Condvar::new();

fn strategy() -> MutexGuard<'static, Strategy> {
    STRATEGY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a strategy is at work.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    ACTIVE.load(Relaxed)
}

/// Takes in the value of the environment variable; what is not understood steers nothing.
pub(crate) fn open(value: &str) {
    let Some((name, rest)) = value.split_once(':') else { return };
    let chosen = match name {
        "random" => rest.parse().ok().map(|seed| Strategy::Random { seed }),
        "pct" => rest.parse().ok().map(|seed| Strategy::Pct(pct::Pct::new(seed))),
        "replay" => std::fs::read(rest).ok().and_then(|bytes| file::parse(&bytes)).map(Strategy::Replay),
        _ => None,
    };
    if let Some(chosen) = chosen {
        *strategy() = chosen;
        ACTIVE.store(true, Relaxed);
    }
}

/// The calling thread is about to request a lock.
#[inline(always)]
pub(crate) fn before(site: Site) {
    if is_on() {
        steer(site);
    }
}

/// The calling thread has got the lock.
#[inline(always)]
pub(crate) fn after() {
    if is_on() {
        advance();
    }
}

#[cold]
#[inline(never)]
fn steer(site: Site) {
    if !threads::is_tracked() {
        return;
    }
    let actor = actors::current();
    let mut chosen = strategy();
    match &mut *chosen {
        Strategy::Free => {}
        Strategy::Random { seed } => {
            let pause = random::pause(*seed, actor, actors::count());
            drop(chosen);
            random::sleep(pause);
        }
        Strategy::Pct(pct) => {
            let pause = pct.pause(actor);
            drop(chosen);
            random::sleep(pause);
        }
        Strategy::Replay(_) => replay::request(chosen, actor, site),
    }
}

#[cold]
#[inline(never)]
fn advance() {
    if let Strategy::Replay(replay) = &mut *strategy()
        && threads::is_tracked()
        && replay.acquired(actors::current())
    {
        BELL.notify_all();
    }
}

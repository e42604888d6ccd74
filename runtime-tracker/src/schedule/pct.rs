//! Random priorities with a few random changes: threads of low priority come late to every lock.
//!
//! Source: PCT (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010). There a scheduler runs one thread at a time;
//! here real threads run, and a priority is a delay before each request, so the paper's probability does not carry over.
//!
//! Guarantees: priorities and the numbers of the requests at which they change follow from the seed.

use std::time::Duration;

use super::random::mix;

/// Priorities there are.
const RANKS: u64 = 4;
/// The delay of one rank.
const STEP: Duration = Duration::from_micros(700);
/// Requests of the whole run after which a priority changes lie below this number.
const HORIZON: u64 = 64;
/// Number of changes: bugs that need as many more orders than one are found.
const CHANGES: u64 = 3;

/// The state of the strategy.
pub(super) struct Pct {
    seed: u64,
    requests: u64,
    /// Changes passed; each gives everybody new priorities from the requesting thread's point of view.
    changed: [u64; CHANGES as usize],
}

impl Pct {
    pub(super) fn new(seed: u64) -> Self {
        Pct { seed, requests: 0, changed: [0; CHANGES as usize] }
    }

    /// How long the thread waits before its request.
    pub(super) fn pause(&mut self, actor: u64) -> Duration {
        self.requests += 1;
        for change in 0..CHANGES {
            if mix(self.seed ^ change << 32) % HORIZON + 1 == self.requests {
                self.changed[change as usize] = actor;
            }
        }
        let lowered = self.changed.contains(&actor);
        let rank = if lowered { RANKS } else { mix(self.seed ^ actor) % RANKS };
        STEP * rank as u32
    }
}

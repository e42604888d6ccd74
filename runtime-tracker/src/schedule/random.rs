//! Random delays before requests: the simplest strategy that finds hangs by chance.
//!
//! Guarantees: which requests are delayed, and for how long, follows from the seed, the thread and the number of its
//! request. No more than [`LONGEST`] each.
//!
//! Misses: any promise; a deadlock that needs several rare moments at once is rarely found.

use std::time::Duration;

/// The longest delay.
const LONGEST: Duration = Duration::from_millis(3);

/// SplitMix64.
pub(super) fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

/// How long to wait: nothing for two of three requests.
pub(super) fn pause(seed: u64, actor: u64, count: u64) -> Duration {
    let value = mix(mix(seed ^ actor).wrapping_add(count));
    if !value.is_multiple_of(3) { Duration::ZERO } else { LONGEST * ((value >> 32) % 1_000) as u32 / 1_000 }
}

pub(super) fn sleep(pause: Duration) {
    if !pause.is_zero() {
        std::thread::sleep(pause);
    }
}

//! Whether the processor's core is there for this thread alone.
//!
//! Two hardware threads of one core share its units, and in a virtual machine the other one may be anybody's. Code that
//! waits for one locked instruction after the other, as `std`'s locks do, hardly notices; the instructions that a tracked
//! lock has in between take up to twice as long. So a ratio says something about the locks only where a loop of plain
//! arithmetic, run right before and after, was as quick as it ever is.
//!
//! Guarantees: the loop touches no memory and depends on nothing but the core's speed.
//!
//! Misses: what happens between two probes, and to other threads of the same workload.

use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 2000;
/// So much slower than the quickest is still full speed.
const TOLERANCE: f64 = 1.06;

/// Nanoseconds for a fixed piece of arithmetic: six chains of which none waits for another, about what a core can do at once.
pub fn arithmetic() -> f64 {
    let start = Instant::now();
    let mut chains = [1u64, 2, 3, 4, 5, 6];
    for _ in 0..ROUNDS {
        for chain in &mut chains {
            *chain = chain.wrapping_mul(3).rotate_left(5) ^ 77;
        }
    }
    black_box(chains);
    start.elapsed().as_secs_f64() * 1e9
}

/// The median of the ratios between whose probes the core had its full speed, and how many there are. Each ratio comes
/// with the slowest of its probes; `quickest` is the quickest of all.
pub fn undisturbed(ratios: &[(f64, f64)], quickest: f64) -> (f64, usize) {
    let full = ratios.iter().filter(|(_, probe)| *probe <= quickest * TOLERANCE);
    let mut full: Vec<f64> = full.map(|(ratio, _)| *ratio).collect();
    full.sort_by(f64::total_cmp);
    (full.get(full.len() / 2).copied().unwrap_or(f64::NAN), full.len())
}

//! What a lock has cost, as the trace has it: a frame of [`FrameKind::Stats`](super::FrameKind::Stats) holds entries of
//! [`STATS_LEN`] bytes for the locks from the frame's `thread` on; entries of locks that were never taken are zero.

/// Length of an entry in bytes.
pub const STATS_LEN: usize = 64;

/// What one lock has cost. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockStats {
    /// How often it was taken.
    pub acquisitions: u64,
    /// How often somebody had to wait for it.
    pub contended: u64,
    /// For how long, all waits together.
    pub waited: u64,
    /// The longest wait.
    pub longest_wait: u64,
    /// How often it was measured how long the lock was held: always at first, later one time of eight.
    pub measured: u64,
    /// For how long it was held those times together.
    pub held: u64,
    /// The longest of them.
    pub longest_hold: u64,
    /// Where the lock was taken that time.
    pub longest_hold_site: u32,
    /// Where the longest wait was.
    pub longest_wait_site: u32,
}

impl LockStats {
    /// Reads an entry.
    pub fn decode(bytes: &[u8; STATS_LEN]) -> Self {
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at * 8 + byte]));
        LockStats {
            acquisitions: word(0),
            contended: word(1),
            waited: word(2),
            longest_wait: word(3),
            measured: word(4),
            held: word(5),
            longest_hold: word(6),
            longest_hold_site: word(7) as u32,
            longest_wait_site: (word(7) >> 32) as u32,
        }
    }

    /// For how long the lock was held in all, as far as can be told from the times that were measured.
    pub fn held_in_all(&self) -> u64 {
        let all = u128::from(self.held) * u128::from(self.acquisitions) / u128::from(self.measured.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// Takes in what another lock has cost.
    pub fn add(&mut self, other: &LockStats) {
        if other.longest_hold > self.longest_hold {
            (self.longest_hold, self.longest_hold_site) = (other.longest_hold, other.longest_hold_site);
        }
        if other.longest_wait > self.longest_wait {
            (self.longest_wait, self.longest_wait_site) = (other.longest_wait, other.longest_wait_site);
        }
        self.acquisitions += other.acquisitions;
        self.contended += other.contended;
        self.waited += other.waited;
        self.measured += other.measured;
        self.held += other.held;
    }
}

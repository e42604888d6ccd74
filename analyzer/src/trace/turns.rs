//! The sequence numbers of one object: which is the smallest whose event has not passed yet.
//!
//! Guarantees: about one bit and a half per event where the numbers lie close together, as the tracker gives them out, and four
//! bytes per event where they do not. O(1) per event, besides sorting the latter.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

/// Numbers may lie so far apart, on average, to be kept as bits.
const CLOSE: u64 = 24;

/// What the numbers of an object are like, before they are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    first: u32,
    last: u32,
    count: u64,
}

impl Extent {
    pub(super) fn of(seq: u32) -> Self {
        Extent { first: seq, last: seq, count: 0 }
    }

    pub(super) fn add(&mut self, seq: u32) {
        self.first = self.first.min(seq);
        self.last = self.last.max(seq);
        self.count += 1;
    }

    /// A bit for each number, where they lie close together.
    fn words(&self) -> Option<Vec<u64>> {
        let width = u64::from(self.last - self.first) + 1;
        (width <= self.count.saturating_mul(CLOSE)).then(|| vec![0; (width / 64 + 1) as usize])
    }

    /// None of the numbers.
    pub(super) fn seqs(&self) -> Seqs {
        self.words().map_or_else(|| Seqs::Far(FxHashSet::default()), |words| Seqs::Close { first: self.first, words })
    }

    pub(super) fn turns(&self) -> Turns {
        let numbers = if let Some(words) = self.words() {
            Numbers::Close { words, again: FxHashMap::default() }
        } else {
            Numbers::Far(Vec::with_capacity(self.count as usize))
        };
        Turns { first: self.first, at: 0, numbers, early: BTreeMap::new() }
    }
}

/// Some sequence numbers of one object.
#[derive(Debug)]
pub(super) enum Seqs {
    /// A bit per number.
    Close {
        first: u32,
        words: Vec<u64>,
    },
    Far(FxHashSet<u32>),
}

impl Seqs {
    pub(super) fn contains(&self, seq: u32) -> bool {
        match self {
            Seqs::Far(all) => all.contains(&seq),
            Seqs::Close { first, words } => seq
                .checked_sub(*first)
                .is_some_and(|bit| words.get(bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)),
        }
    }

    /// Puts a number in that its [`Extent`] knows of, or takes it out.
    pub(super) fn set(&mut self, seq: u32, there: bool) {
        match self {
            Seqs::Far(all) if there => drop(all.insert(seq)),
            Seqs::Far(all) => drop(all.remove(&seq)),
            Seqs::Close { first, words } => {
                let Some(bit) = seq.checked_sub(*first) else { return };
                let Some(word) = words.get_mut(bit as usize / 64) else { return };
                *word = if there { *word | 1 << (bit % 64) } else { *word & !(1 << (bit % 64)) };
            }
        }
    }
}

/// The sequence numbers of one object.
#[derive(Debug)]
pub(super) struct Turns {
    first: u32,
    /// Everything below this bit, or this index, has passed.
    at: usize,
    numbers: Numbers,
    /// Let through out of turn.
    early: BTreeMap<u32, u32>,
}

#[derive(Debug)]
enum Numbers {
    /// A bit per number, and how often it is there beyond that.
    Close {
        words: Vec<u64>,
        again: FxHashMap<u32, u32>,
    },
    Far(Vec<u32>),
}

impl Turns {
    /// Adds a number that its [`Extent`] knows of.
    pub(super) fn add(&mut self, seq: u32) {
        match &mut self.numbers {
            Numbers::Far(all) => all.push(seq),
            Numbers::Close { words, again } => {
                let bit = (seq - self.first) as usize;
                let word = &mut words[bit / 64];
                if *word >> (bit % 64) & 1 == 1 {
                    *again.entry(seq).or_default() += 1;
                }
                *word |= 1 << (bit % 64);
            }
        }
    }

    /// All have been added.
    pub(super) fn finish(&mut self) {
        if let Numbers::Far(all) = &mut self.numbers {
            all.sort_unstable();
        }
    }

    /// The smallest one that has not passed.
    pub(super) fn current(&mut self) -> Option<u32> {
        loop {
            let seq = self.smallest()?;
            match self.early.get_mut(&seq) {
                Some(1) => drop(self.early.remove(&seq)),
                Some(count) => *count -= 1,
                None => return Some(seq),
            }
            self.pass(seq);
        }
    }

    /// The event with this number passes.
    pub(super) fn take(&mut self, seq: u32) {
        match self.current() {
            Some(current) if current == seq => self.pass(seq),
            _ => *self.early.entry(seq).or_default() += 1,
        }
    }

    fn smallest(&mut self) -> Option<u32> {
        match &self.numbers {
            Numbers::Far(all) => all.get(self.at).copied(),
            Numbers::Close { words, .. } => {
                let mut word = words.get(self.at / 64)? >> (self.at % 64) << (self.at % 64);
                while word == 0 {
                    self.at = (self.at / 64 + 1) * 64;
                    word = *words.get(self.at / 64)?;
                }
                self.at = self.at / 64 * 64 + word.trailing_zeros() as usize;
                Some(self.first + self.at as u32)
            }
        }
    }

    /// The smallest one passes.
    fn pass(&mut self, seq: u32) {
        if let Numbers::Close { again, .. } = &mut self.numbers
            && !again.is_empty()
            && let Some(count) = again.get_mut(&seq)
        {
            *count -= 1;
            if *count == 0 {
                again.remove(&seq);
            }
            return;
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns(seqs: &[u32]) -> Turns {
        let mut extent = Extent::of(seqs[0]);
        seqs.iter().for_each(|seq| extent.add(*seq));
        let mut turns = extent.turns();
        seqs.iter().for_each(|seq| turns.add(*seq));
        turns.finish();
        turns
    }

    proptest! {
        #[test]
        fn close_or_far_all_pass_in_their_order(mut seqs in proptest::collection::vec(1..3_000u32, 1..60), dense in any::<bool>()) {
            if dense {
                seqs.iter_mut().for_each(|seq| *seq %= 30);
            }
            let mut turns = turns(&seqs);
            seqs.sort_unstable();
            for seq in seqs {
                prop_assert_eq!(turns.current(), Some(seq));
                turns.take(seq);
            }
            prop_assert_eq!(turns.current(), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_there_until_it_is_taken_out(seqs in proptest::collection::hash_set(1..3_000u32, 1..60), dense in any::<bool>()) {
            let seqs: Vec<u32> = seqs.into_iter().filter(|seq| !dense || *seq < 90).collect();
            let Some(first) = seqs.first() else { return Ok(()) };
            let mut extent = Extent::of(*first);
            seqs.iter().for_each(|seq| extent.add(*seq));
            let mut set = extent.seqs();
            seqs.iter().for_each(|seq| set.set(*seq, true));
            for seq in &seqs {
                prop_assert!(set.contains(*seq));
                set.set(*seq, false);
                prop_assert!(!set.contains(*seq));
            }
            prop_assert!(!set.contains(0) && !set.contains(u32::MAX));
        }
    }

    #[test]
    fn what_passed_out_of_turn_is_not_waited_for() {
        let mut turns = turns(&[3, 4, 4, 5]);
        turns.take(4);
        turns.take(3);
        assert_eq!(turns.current(), Some(4));
        turns.take(4);
        assert_eq!(turns.current(), Some(5));
    }
}

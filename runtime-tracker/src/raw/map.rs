//! A hash map for keys of which there are many: small places, and growth that leaves nothing behind.
//!
//! Linear probing over places in the order of the hash: a key's place is the top bits of its hash, and there are some places
//! more at the end instead of a way round. So a map grows where it stands: with one more bit every place moves to twice its
//! number, which is at or behind where it was, and going through them from the end overwrites nothing. New memory costs more
//! than all else here (each page is a fault), and a second table beside the first would be half of it.
//!
//! Guarantees: O(1) expected; between a third and two thirds of the places are used, each of 8 bytes and the value.
//!
//! Misses: removal; key 0, which is taken for 1.

use super::{List, mix};

/// Places of the smallest map, as a power of two.
const LEAST: u32 = 4;
/// At most so many places stand behind the last one that a hash can name.
const BEHIND: usize = 64;

/// A place; the key in two halves, so that nothing is lost to alignment. Free where the key is 0.
#[derive(Clone, Copy, Default)]
struct Slot<V> {
    key: [u32; 2],
    value: V,
}

impl<V> Slot<V> {
    #[inline(always)]
    fn key(&self) -> u64 {
        u64::from(self.key[0]) << 32 | u64::from(self.key[1])
    }
}

/// A hash map from 64-bit keys (already well mixed or not) to small values.
pub(crate) struct Map<V: Copy = u32> {
    slots: List<Slot<V>>,
    used: usize,
    /// The hash names `2^bits` places.
    bits: u32,
}

impl<V: Copy + Default> Map<V> {
    pub(crate) const fn new() -> Self {
        Map { slots: List::new(), used: 0, bits: 0 }
    }

    fn home(&self, key: u64) -> usize {
        (mix(key, 0) >> (64 - self.bits)) as usize
    }

    /// Position of `key`, or of the free place where it belongs; `None` where there is no place for it.
    fn find(&self, key: u64) -> Option<usize> {
        let home = self.home(key);
        let ahead = self.slots.get(home..)?.iter().position(|slot| slot.key() == key || slot.key() == 0)?;
        Some(home + ahead)
    }

    /// Has the processor fetch the place of a key that is asked for soon: in a large map that takes longer than the rest.
    #[inline]
    pub(crate) fn prefetch(&self, key: u64) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        if self.bits != 0 {
            let place = self.slots.as_ptr().wrapping_add(self.home(key.max(1)));
            // SAFETY: every processor of this kind has the instruction, which reads nothing that the program could see.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast()) };
        }
        let _ = key;
    }

    pub(crate) fn get(&self, key: u64) -> Option<V> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slots[self.find(key.max(1))?];
        (slot.key() != 0).then_some(slot.value)
    }

    pub(crate) fn insert(&mut self, key: u64, value: V) {
        *self.at(key) = value;
    }

    /// Makes `key` one of the map's; tells whether it was none before.
    pub(crate) fn add(&mut self, key: u64) -> bool {
        let before = self.used;
        self.at(key);
        self.used != before
    }

    /// The value of `key`, the default one where it has had none.
    pub(crate) fn at(&mut self, key: u64) -> &mut V {
        let key = key.max(1);
        if self.bits == 0 || self.used * 3 >= 2 << self.bits {
            self.grow();
        }
        let at = loop {
            match self.find(key) {
                Some(at) => break at,
                None => self.grow(),
            }
        };
        let slot = &mut self.slots[at];
        if slot.key() == 0 {
            self.used += 1;
            slot.key = [(key >> 32) as u32, key as u32];
        }
        &mut slot.value
    }

    /// Twice as many places.
    #[cold]
    fn grow(&mut self) {
        let old = self.slots.len();
        self.bits = (self.bits + 1).max(LEAST);
        let places = 1 << self.bits;
        self.slots.resize(places + places.min(BEHIND), Slot::default());
        // What would move to the front, which is full of what has yet to move: only keys far from their place at the very
        // beginning. And what the end has no room for.
        let mut later = List::new();
        for at in (0..old).rev() {
            let slot = std::mem::take(&mut self.slots[at]);
            if slot.key() == 0 {
                continue;
            }
            match self.find(slot.key()) {
                Some(to) if self.home(slot.key()) >= at => self.slots[to] = slot,
                _ => later.push(slot),
            }
        }
        self.used -= later.len();
        later.iter().for_each(|slot| *self.at(slot.key()) = slot.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_after_growing() {
        let mut map = Map::new();
        assert_eq!(map.get(5), None);
        (0..5000u64).for_each(|key| map.insert(key << 7 | 1, key as u32));
        assert!((0..5000u64).all(|key| map.get(key << 7 | 1) == Some(key as u32)));
        map.insert(1, 77);
        assert_eq!((map.get(1), map.get(3)), (Some(77), None));
    }

    #[test]
    fn keys_are_told_apart_from_those_that_were_there() {
        let mut map = Map::<()>::new();
        let pairs = || (0..70u64).flat_map(|from| (0..70).map(move |to| from << 32 | to));
        // 0 and 1 are one key.
        assert_eq!(pairs().filter(|key| map.add(*key)).count(), 70 * 70 - 1);
        assert!(pairs().all(|key| !map.add(key) && map.get(key) == Some(())));
        assert!(map.slots.len() <= 70 * 70 * 3 + BEHIND, "{} places", map.slots.len());
        assert_eq!(size_of::<Slot<()>>(), 8);
        assert_eq!(size_of::<Slot<u32>>(), 12);
    }
}

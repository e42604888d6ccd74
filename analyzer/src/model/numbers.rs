//! Numbers of functions in what is kept from one scan to the next: they stay the same when functions are added or removed.
//!
//! A function is known by its place among all functions, which moves with every function before it. What is kept names
//! it by another number instead, given once. Guarantees: outside of [`Numbers::using`] numbers go through unchanged;
//! inside, a number of a function that is gone is an error and never another function.

use std::cell::RefCell;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Stands for what is gone.
const GONE: u32 = u32::MAX;

thread_local! {
    static USED: RefCell<Option<Arc<Numbers>>> = const { RefCell::new(None) };
}

/// Both directions; bodies of statics are numbered behind those of functions.
#[derive(Debug, Default)]
pub struct Numbers {
    /// By number in this scan. None: they are the same.
    kept: Vec<u32>,
    /// By number in what is kept.
    here: Vec<u32>,
}

impl Numbers {
    /// From the numbers that bodies have in what is kept, in the order of this scan.
    pub fn new(kept: Vec<u32>) -> Numbers {
        let most = kept.iter().max().map_or(0, |most| *most as usize + 1);
        let mut here = vec![GONE; most];
        for (index, number) in kept.iter().enumerate() {
            here[*number as usize] = index as u32;
        }
        Numbers { kept, here }
    }

    /// By number in this scan.
    pub fn kept(&self) -> &[u32] {
        &self.kept
    }

    /// Does something with what is kept.
    pub fn using<T>(self: &Arc<Numbers>, work: impl FnOnce() -> T) -> T {
        if self.kept.is_empty() {
            return work();
        }
        struct End;
        impl Drop for End {
            fn drop(&mut self) {
                USED.set(None);
            }
        }
        USED.set(Some(self.clone()));
        let _end = End;
        work()
    }
}

/// Writes the number of a body or function.
pub fn serialize<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    let kept = USED.with_borrow(|used| match used {
        Some(numbers) => numbers.kept.get(*number as usize).copied().unwrap_or(GONE),
        None => *number,
    });
    kept.serialize(serializer)
}

/// Reads it back.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let kept = u32::deserialize(deserializer)?;
    let here = USED.with_borrow(|used| match used {
        // One of nowhere stays what it is.
        Some(numbers) if kept != GONE => numbers.here.get(kept as usize).copied().filter(|here| *here != GONE),
        _ => Some(kept),
    });
    here.ok_or_else(|| de::Error::custom("a function that is gone"))
}

/// The same for a map by bodies.
pub mod by_body {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Entry<T>(#[serde(with = "super")] u32, T);

    /// Writes it.
    pub fn serialize<S: Serializer, T: Serialize>(map: &BTreeMap<u32, T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().map(|(body, value)| Entry(*body, value)))
    }

    /// Reads it back.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u32, T>, D::Error> {
        let entries: Vec<Entry<T>> = Vec::deserialize(deserializer)?;
        Ok(entries.into_iter().map(|Entry(body, value)| (body, value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Id(#[serde(with = "super")] u32);

    #[test]
    fn what_is_kept_names_the_same_functions_whatever_comes_before_them() {
        let first = postcard::to_allocvec(&[Id(0), Id(1), Id(2)]).expect("numbers");
        // The second one is gone, and one stands before all others.
        let later = Arc::new(Numbers::new(vec![3, 0, 2]));
        let read = |bytes: &[u8]| later.using(|| postcard::from_bytes::<Id>(bytes));
        assert_eq!(read(&first[0..1]), Ok(Id(1)));
        assert!(read(&first[1..2]).is_err());
        assert_eq!(read(&first[2..3]), Ok(Id(2)));
        assert_eq!(later.using(|| postcard::to_allocvec(&Id(0))).expect("a number"), [3]);
        assert_eq!(postcard::to_allocvec(&Id(0)).expect("a number"), [0]);
    }
}

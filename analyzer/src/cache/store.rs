//! A cache as bytes.
//!
//! Guarantees: bytes that are cut off, changed, or written by another build of the program give `None`, never a wrong
//! cache: they begin with a hash of everything behind it and of the writer's identity.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::Cache;
use super::files::{Files, Kept};
use crate::regions::Walked;

/// Length of the hash in front.
const HASH: usize = 16;

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    files: Vec<(u128, Kept, &'a [u8])>,
    walked: Option<Walked>,
}

impl Cache {
    /// As bytes for the same `program`.
    pub fn to_bytes(&self, program: u64) -> Vec<u8> {
        let mut files: Vec<(u128, Kept, &[u8])> = Vec::with_capacity(self.files.by_text.len());
        for (number, kept) in &self.files.by_text {
            let head = Kept { definitions: kept.definitions.clone(), items: Vec::new(), ..*kept };
            files.push((*number, head, &kept.items));
        }
        files.sort_unstable_by_key(|(number, ..)| *number);
        let stored = Stored { files, walked: self.walked.clone() };
        let Ok(mut bytes) = postcard::to_extend(&stored, vec![0; HASH]) else { return Vec::new() };
        let hash = xxh3_128_with_seed(&bytes[HASH..], program);
        bytes[..HASH].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// Reads them back; `None` for anything else.
    pub fn from_bytes(bytes: &[u8], program: u64) -> Option<Cache> {
        let (hash, rest) = bytes.split_first_chunk::<HASH>()?;
        if xxh3_128_with_seed(rest, program).to_le_bytes() != *hash {
            return None;
        }
        let stored: Stored<'_> = postcard::from_bytes(rest).ok()?;
        let mut files = Files::default();
        for (number, kept, items) in stored.files {
            files.add(number, Kept { items: items.to_vec(), ..kept });
        }
        Some(Cache { files, walked: stored.walked })
    }
}

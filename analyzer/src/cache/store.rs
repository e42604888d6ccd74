//! A cache as bytes.
//!
//! Guarantees: bytes that are cut off, changed, or written by another build of the program give `None`, never a wrong
//! cache: they end with a hash of everything before it and of the writer's identity. What is kept of files and bodies
//! is neither copied nor read before somebody asks for it. First the lengths of two lists, then these: of the files, and
//! of what walking left; then the pieces that both name.

use std::io::{self, Write};

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_seed};

use super::Cache;
use super::files::{Files, Kept};
use crate::regions::Walked;

/// Length of the hash at the end.
const HASH: usize = 16;
/// Length of a number in front.
const LENGTH: usize = 8;

/// Hashes what goes through it.
struct Hashing<W> {
    to: W,
    hash: Xxh3,
}

impl<W: Write> Hashing<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.to.write_all(bytes)
    }
}

impl Cache {
    /// Writes it for the same `program`.
    pub fn write_to(&self, to: impl Write, program: u64) -> io::Result<()> {
        let mut files: Vec<(u128, &Kept)> = self.files.by_text.iter().map(|(number, kept)| (*number, kept)).collect();
        files.sort_unstable_by_key(|(number, _)| *number);
        let heads = rayon::join(|| postcard::to_allocvec(&files), || postcard::to_allocvec(&self.walked.as_ref()));
        let (of_files, of_walk) = (heads.0.map_err(io::Error::other)?, heads.1.map_err(io::Error::other)?);
        let mut to = Hashing { to, hash: Xxh3::with_seed(program) };
        for head in [&of_files, &of_walk] {
            to.put(&(head.len() as u64).to_le_bytes())?;
        }
        for piece in [&of_files, &of_walk] {
            to.put(piece)?;
        }
        let pieces = files.iter().map(|(_, kept)| &kept.items);
        for piece in pieces.chain(self.walked.iter().flat_map(Walked::pieces)) {
            to.put(piece)?;
        }
        let hash = to.hash.digest128();
        to.to.write_all(&hash.to_le_bytes())
    }

    /// The same as bytes.
    pub fn to_bytes(&self, program: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.write_to(&mut bytes, program) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    }

    /// Reads them back; `None` for anything else.
    pub fn from_bytes(bytes: impl Into<Bytes>, program: u64) -> Option<Cache> {
        let mut rest: Bytes = bytes.into();
        let hash = rest.split_off(rest.len().checked_sub(HASH)?);
        let hashed = rest.clone();
        let mut length = || usize::try_from(u64::from_le_bytes(*take(&mut rest, LENGTH)?.first_chunk()?)).ok();
        let lengths = (length()?, length()?);
        let heads = (take(&mut rest, lengths.0)?, take(&mut rest, lengths.1)?);
        let walk = || {
            let same = xxh3_128_with_seed(&hashed, program).to_le_bytes() == *hash;
            if same { postcard::from_bytes::<Option<Walked>>(&heads.1).ok() } else { None }
        };
        let (kept, walked) = rayon::join(|| postcard::from_bytes::<Vec<(u128, Kept)>>(&heads.0).ok(), walk);
        let (kept, mut walked) = (kept?, walked?);
        let mut next = |length: u32| take(&mut rest, length as usize);
        let mut files = Files::default();
        files.by_text.reserve(kept.len());
        for (number, kept) in kept {
            files.add(number, Kept { items: next(kept.length)?, ..kept });
        }
        if let Some(walked) = &mut walked {
            walked.restore(&mut next)?;
        }
        Some(Cache { files, walked, changed: false })
    }
}

/// Takes so many bytes off the front, where there are so many.
fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

//! What a scan leaves for the next one: the items of every file, and what walking the bodies found.
//!
//! Guarantees: a scan with a cache reports what one without reports. Whatever does not fit (another text, edition,
//! macro, setting or program) is read or walked again; bytes that are not a cache of this very program are no cache.
//!
//! Misses: nothing is kept of positions: a changed file is read and walked as a whole. When a function is added, removed
//! or changed, the files that say its name are walked again; when another item is, everything is, and only reading is
//! spared.

pub mod files;
pub mod store;

use crate::regions::Walked;
use files::Files;

/// What an earlier scan left. Empty at first; after a scan it holds that scan's.
#[derive(Default)]
pub struct Cache {
    /// By text.
    pub files: Files,
    /// What walking left.
    pub walked: Option<Walked>,
    /// The last scan found something in it that the scan before had not left.
    pub changed: bool,
}

impl Cache {
    /// Whether there is something in it.
    pub fn is_empty(&self) -> bool {
        self.walked.is_none()
    }
}

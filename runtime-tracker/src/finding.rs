//! What the tracker tells the program itself, as it runs.
//!
//! Guarantees: a callback runs on the thread that made the observation, with no lock of the tracker held; tracked
//! locks that it takes are plain locks. A callback that panics is told of the next finding all the same. The trace holds the same observations with all detail.
//!
//! Misses: what only the analyzer can see: predictions from a whole trace, races, pool sizes.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::threads;

/// How sure a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The order of acquisitions allows it; no schedule was checked.
    Possible,
    /// It is the case now.
    Observed,
}

/// One thread's part in a [`Finding`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The thread's number in the trace.
    pub thread: u32,
    /// What it does, as `holds A`.
    pub action: String,
    /// Where.
    pub site: Option<&'static Location<'static>>,
}

/// Something that can go wrong, or has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The rule's name, as `lockcheck rules` lists it.
    pub rule: &'static str,
    /// How sure it is.
    pub evidence: Evidence,
    /// The whole report: one line, or a line per thread.
    pub message: String,
    /// The acquisitions and waits that take part.
    pub steps: Vec<Step>,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

type Callback = Arc<dyn Fn(&Finding) + Send + Sync>;
static CALLBACK: Mutex<Option<Callback>> = Mutex::new(None);

/// Sets what is called for every finding of this process, in place of an earlier callback.
pub fn on_finding(callback: impl Fn(&Finding) + Send + Sync + 'static) {
    let new: Callback = Arc::new(callback);
    let old = CALLBACK.lock().unwrap_or_else(PoisonError::into_inner).replace(new);
    drop(old);
}

/// Whether anybody listens.
pub(crate) fn is_wanted() -> bool {
    CALLBACK.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

pub(crate) fn tell(finding: &Finding) {
    let callback = CALLBACK.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(callback) = callback {
        // The thread may stand in a queue, which a panic must not carry it out of.
        let _ = threads::busy(|| catch_unwind(AssertUnwindSafe(|| callback(finding))));
    }
}

/// A site as reports show it.
pub(crate) fn show(site: Option<&'static Location<'static>>) -> String {
    site.map_or_else(|| String::from("an unknown place"), Location::to_string)
}

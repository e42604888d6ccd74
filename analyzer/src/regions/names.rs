//! Names of variables that are asked for after walking, kept from one scan to the next.
//!
//! What is found after all bodies are walked names the variables of bodies that were taken over from an earlier scan. To
//! read such a body for the name of one variable would cost more than all the rest. Guarantees: a name is taken over
//! only for a body whose text is the same.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::place::BodyId;
use crate::syntax::Symbol;

/// A variable of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Variable {
    /// By number.
    Local(u32),
    /// By the parameter that it is.
    Param(u32),
}

/// One that was asked for, with its name if it has one.
pub(super) type Named = ((BodyId, Variable), Option<Symbol>);

/// The names.
#[derive(Default)]
pub(super) struct Names {
    known: FxHashMap<(BodyId, Variable), Option<Symbol>>,
    finishing: AtomicBool,
    asked: Mutex<FxHashMap<(BodyId, Variable), Option<Symbol>>>,
}

impl Names {
    /// Those of an earlier scan.
    pub(super) fn know(&mut self, names: Vec<Named>) {
        self.known.extend(names);
    }

    /// From now on what is asked for is noted: all bodies are walked.
    pub(super) fn finish_walking(&self) {
        self.finishing.store(true, Ordering::Relaxed);
    }

    /// A name; `find` looks where it is not known.
    pub(super) fn get(&self, body: BodyId, which: Variable, find: impl FnOnce() -> Option<Symbol>) -> Option<Symbol> {
        let name = match self.known.get(&(body, which)) {
            Some(name) => *name,
            None => find(),
        };
        if self.finishing.load(Ordering::Relaxed)
            && let Ok(mut asked) = self.asked.lock()
        {
            asked.insert((body, which), name);
        }
        name
    }

    /// Those that were asked for, in a fixed order.
    pub(super) fn asked(&self) -> Vec<Named> {
        let Ok(asked) = self.asked.lock() else { return Vec::new() };
        let mut asked: Vec<Named> = asked.iter().map(|(which, name)| (*which, *name)).collect();
        asked.sort_unstable_by_key(|(which, _)| *which);
        asked
    }
}

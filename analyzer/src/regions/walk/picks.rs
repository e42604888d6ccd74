//! Functions that hand out the guard of one of several locks: `match kind { Kind::Head => self.heads.lock(), .. }`.
//!
//! Guarantees: where an argument is a literal variant, only the guard of its branch comes out; otherwise which of the
//! locks a call takes is not known, so two calls of the function say nothing of an order between them.
//!
//! Misses: orders between the locks of two such functions, which are reported as if each call took all of them.

use smallvec::SmallVec;

use super::Walker;
use crate::model::FnId;
use crate::regions::place::Place;
use crate::regions::state::{GuardId, Value};
use crate::regions::summary::{Acquired, HeldLock, Returned, Summary};

impl Walker<'_> {
    /// The guards that a call with these arguments can give.
    pub(super) fn given_out<'s>(summary: &'s Summary, args: &[Value]) -> SmallVec<[&'s Returned; 2]> {
        let elsewhere = |held: &HeldLock| {
            let mut taken = summary.acquires.iter().filter(|taken| is_taken_as(taken, held)).peekable();
            taken.peek().is_some() && taken.all(|taken| Self::is_other_variant(taken, args))
        };
        let given = |returned: &&Returned| !matches!(returned, Returned::New(held) if elsewhere(held));
        summary.returns.iter().filter(given).collect()
    }

    /// Whether a call gives the guard of one of several locks.
    pub(super) fn is_pick(given: &[&Returned]) -> bool {
        let mut places = given.iter().filter_map(|returned| match returned {
            Returned::New(held) => Some(&held.lock.place),
            Returned::Param(_) => None,
        });
        let first = places.next();
        places.any(|place| Some(place) != first)
    }

    /// The guards of earlier calls of the function that an acquisition in it, for the guard that it gives, is in no
    /// order with.
    pub(super) fn picked_before(
        &self,
        function: FnId,
        given: &[&Returned],
        acquired: &Acquired,
        wanted: &Place,
    ) -> Vec<GuardId> {
        if self.picked.is_empty()
            || !given.iter().any(|r| matches!(r, Returned::New(held) if is_taken_as(acquired, held)))
        {
            return Vec::new();
        }
        let live = self.state.guards.iter().filter(|guard| guard.held.lock.place != *wanted);
        live.map(|guard| guard.id).filter(|id| self.picked.contains(&(*id, function))).collect()
    }
}

fn is_taken_as(acquired: &Acquired, held: &HeldLock) -> bool {
    acquired.site == held.site && acquired.lock == held.lock
}

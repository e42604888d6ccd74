//! The abstract state at a program point: which guards live, who owns each, and whether the point is reached at all.
//!
//! Guarantees: joining two paths keeps a guard that lives on either, marked as not surely held where it lives on only
//! one.

use smallvec::SmallVec;

use super::place::{Place, Step};
use super::summary::HeldLock;
use crate::model::infer::LocalId;
use crate::syntax::ExprId;

/// A guard of the body at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuardId(pub u32);

/// Who drops a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The temporary scope with this number, at its end.
    Temporary(u32),
    /// A variable, at the end of its block.
    Local(LocalId),
    /// Nobody: forgotten, leaked, or on its way to a new owner.
    Nobody,
}

/// A live guard.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveGuard {
    /// Which.
    pub id: GuardId,
    /// What it holds, how and since where.
    pub held: HeldLock,
    /// From a `try_` call: it may not be there at all.
    pub try_: bool,
    /// Who drops it.
    pub owner: Owner,
    /// Which async block or function it lives in: an await in an inner one does not suspend it.
    pub frame: u32,
    /// It came in as this parameter: the caller knows that it is held.
    pub param: Option<u32>,
}

/// The state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Live guards, oldest first.
    pub guards: Vec<LiveGuard>,
    /// Whether control gets here.
    pub reachable: bool,
    /// Bit `i`: the guard passed as parameter `i` was given back.
    pub released: u64,
    /// What surely happened before, as sorted numbers of events.
    pub done: Vec<u32>,
}

impl State {
    /// Nothing held.
    pub fn empty() -> State {
        State { guards: Vec::new(), reachable: true, released: 0, done: Vec::new() }
    }

    /// A point that is never reached.
    pub fn unreachable() -> State {
        State { reachable: false, ..State::empty() }
    }

    /// Both paths lead here.
    pub fn join(&mut self, other: State) {
        if !other.reachable {
            return;
        }
        if !self.reachable {
            *self = other;
            return;
        }
        for guard in &mut self.guards {
            match other.guards.iter().find(|theirs| theirs.id == guard.id) {
                Some(theirs) => guard.held.must &= theirs.held.must,
                None => guard.held.must = false,
            }
        }
        for mut guard in other.guards {
            if !self.guards.iter().any(|ours| ours.id == guard.id) {
                guard.held.must = false;
                self.guards.push(guard);
            }
        }
        self.guards.sort_by_key(|guard| guard.id);
        self.released &= other.released;
        self.done.retain(|event| other.done.binary_search(event).is_ok());
    }

    /// The guard with this number, if it lives.
    pub fn guard(&mut self, id: GuardId) -> Option<&mut LiveGuard> {
        self.guards.iter_mut().find(|guard| guard.id == id)
    }

    /// Ends guards.
    pub fn release(&mut self, test: impl Fn(&LiveGuard) -> bool) {
        let mut released = self.released;
        self.guards.retain(|guard| {
            let gone = test(guard);
            if let (true, Some(param)) = (gone, guard.param) {
                released |= 1u64.checked_shl(param).unwrap_or(0);
            }
            !gone
        });
        self.released = released;
    }
}

/// What an expression gives, as far as guards and identity go.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// Guards in the value.
    pub guards: SmallVec<[GuardId; 1]>,
    /// What the value is, refers to, or guards.
    pub place: Option<Place>,
    /// The parts of a tuple (by number) or struct literal (by name), as far as they are known.
    pub parts: Vec<(crate::syntax::Symbol, Value)>,
    /// The handle of this spawned thread or task; 0 for none.
    pub task: u32,
    /// A closure.
    pub closure: Option<ExprId>,
    /// A function that is named and not called.
    pub function: Option<crate::model::FnId>,
    /// The parameter that it is, in a box of ours.
    pub given: Option<u32>,
    /// A future that has not run yet: an async block, or a call of an async function, of this body.
    pub future: Option<ExprId>,
    /// What it was asked of, where nothing else is known of it: the future of `connection.send(..)` is one of the
    /// connection's.
    pub asked: Option<Place>,
    /// It is a literal of this variant.
    pub variant: Option<super::summary::Variant>,
}

impl Value {
    /// What a path into this value names, where the value is a literal that was never given a name.
    pub fn part_at(&self, path: &Place) -> Option<Place> {
        let name = match path.steps.first()? {
            Step::Field(_, name) => *name,
            Step::Tuple(index) => crate::syntax::Symbol::from(index.to_string()),
            _ => return None,
        };
        let (_, part) = self.parts.iter().find(|(part, _)| *part == name).filter(|_| self.place.is_none())?;
        let mut out = part.place.clone()?;
        out.steps.extend(path.steps[1..].iter().copied());
        Some(out)
    }

    /// A value that is or refers to `place`.
    pub fn of(place: Option<Place>) -> Value {
        Value { place, ..Value::default() }
    }
}

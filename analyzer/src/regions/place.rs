//! Lock identity: access paths, and the lock class that a path stands for.
//!
//! Guarantees: two equal stable places are the same lock; a class is the innermost field of a type that is not a mere
//! wrapper around a lock, a static, or a local variable. Nothing else is ever taken for the same lock.
//!
//! Misses: aliasing between different fields that hold one `Arc`; for classes, see `shared.rs`.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::declared::Declared;
use crate::finding::Confidence;
use crate::model::infer::LocalId;
use crate::model::locks::LockType;
use crate::model::ty::Ty;
use crate::model::{AdtId, Model, StaticId};
use crate::syntax::Symbol;

/// A body: a function's, or (behind all functions) a static's initialiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BodyId(#[serde(with = "crate::model::numbers")] pub u32);

/// Where an access path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Root {
    /// A parameter of the function at hand; 0 is the receiver.
    Param(u32),
    /// A static or thread-local.
    Static(StaticId),
    /// A local variable; the number counts how often it was bound, so that a loop's second turn is another value.
    Local(BodyId, LocalId, u32),
    /// A value of unknown origin, one per evaluation.
    Value(BodyId, u32),
}

/// A step of an access path. Dereferences, clones of pointers and unwrapping leave no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// A field of a struct, or of a variant (`Variant.0`).
    Field(AdtId, Symbol),
    /// A field of a tuple.
    Tuple(u32),
    /// An element of a collection.
    Element(Index),
    /// What a lock guards: other than the lock itself.
    Inside,
}

/// Which element of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Index {
    /// Not known.
    Any,
    /// A constant index.
    At(u32),
    /// The one that a variable names while it is not changed; the number counts its changes. Only the body knows.
    Named(LocalId, u32),
}

/// An access path.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Where it begins.
    pub root: Root,
    /// Its steps.
    pub steps: SmallVec<[Step; 4]>,
}

/// A path longer than this (a list walked by recursion) is cut: it becomes a value of unknown origin.
const LONGEST: usize = 12;

impl Clone for Place {
    fn clone(&self) -> Place {
        // `SmallVec` would copy step by step.
        Place { root: self.root, steps: SmallVec::from_slice(&self.steps) }
    }
}

impl Index {
    /// A constant index.
    pub fn constant(index: u64) -> Index {
        u32::try_from(index).map_or(Index::Any, Index::At)
    }
}

impl Place {
    /// Whether it lies in what the lock at another place guards.
    pub fn is_inside(&self, lock: &Place) -> bool {
        self.root == lock.root
            && self.steps.starts_with(&lock.steps)
            && self.steps.get(lock.steps.len()) == Some(&Step::Inside)
    }

    /// A path without steps.
    pub fn new(root: Root) -> Place {
        Place { root, steps: SmallVec::new() }
    }

    /// The path one step further; `None` where it grows too long.
    pub fn step(&self, step: Step) -> Option<Place> {
        if step == Step::Element(Index::Any) && self.steps.last() == Some(&step) {
            return Some(self.clone());
        }
        if self.steps.len() >= LONGEST {
            return None;
        }
        let mut out = self.clone();
        out.steps.push(step);
        Some(out)
    }

    /// This path as seen from a caller: parameters replaced by argument paths.
    pub fn instantiate(&self, args: &[Option<Place>], fresh: impl FnOnce() -> Root) -> Place {
        let Root::Param(index) = self.root else { return self.clone() };
        match args.get(index as usize) {
            Some(Some(base)) if base.steps.len() + self.steps.len() <= LONGEST => {
                let mut out = base.clone();
                for step in &self.steps {
                    if !(*step == Step::Element(Index::Any) && out.steps.last() == Some(step)) {
                        out.steps.push(*step);
                    }
                }
                out
            }
            _ => Place { root: fresh(), steps: self.steps.clone() },
        }
    }

    /// This path without indices that only the body where it was found knows.
    pub fn unkeyed(&self) -> Place {
        let mut out = self.clone();
        for step in &mut out.steps {
            if matches!(step, Step::Element(Index::Named(..))) {
                *step = Step::Element(Index::Any);
            }
        }
        out.steps.dedup_by(|b, a| *a == Step::Element(Index::Any) && a == b);
        out
    }

    /// The payload of whichever variant an enum has, where two paths differ in nothing else: one value has one
    /// variant.
    pub fn either_variant(&self, other: &Place) -> Option<Place> {
        let (Some(Step::Field(a, left)), Some(Step::Field(b, right))) = (self.steps.last(), other.steps.last()) else {
            return None;
        };
        let payload = |name: &Symbol| name.as_str().split_once('.').map(|(_, field)| field.to_string());
        let (left, right) = (payload(left)?, payload(right)?);
        let rest = self.steps.len() - 1;
        if a != b
            || left != right
            || self.root != other.root
            || self.steps[..rest] != other.steps[..other.steps.len() - 1]
        {
            return None;
        }
        let mut out = self.clone();
        out.steps[rest] = Step::Field(*a, Symbol::from(format!("*.{left}")));
        Some(out)
    }

    /// Whether evaluating the path again in the same function gives the same lock.
    pub fn is_stable(&self) -> bool {
        !self.steps.contains(&Step::Element(Index::Any)) && !matches!(self.root, Root::Value(..))
    }
}

/// What a place is called and how sure its class is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClassName {
    /// Stable and unique: `crate::chain::Chain.header`.
    pub key: String,
    /// As reports show it: `Chain.header`.
    pub name: String,
    /// Its declaration.
    pub declared: Option<Declared>,
    /// How sure two places of this class are of one class.
    pub identity: Confidence,
    /// Many locks may be behind one instance (elements of a collection).
    pub many: bool,
}

/// Index of the step that names the class: the innermost field of a type that is not a mere wrapper.
fn owner(model: &Model<'_>, place: &Place) -> Option<usize> {
    place.steps.iter().rposition(|step| match step {
        Step::Field(adt, name) => !is_wrapper(model, *adt, *name),
        _ => false,
    })
}

/// Whether the lock at `place` has a class.
pub fn has_class(model: &Model<'_>, place: &Place) -> bool {
    matches!(place.root, Root::Static(_) | Root::Local(..)) || owner(model, place).is_some()
}

/// Whether the locks at two places are of one class; `None` where one of them has none.
pub fn same_class(model: &Model<'_>, left: &Place, right: &Place) -> Option<bool> {
    let at = |place: &Place| match (owner(model, place), place.root) {
        (Some(at), _) => Some((Root::Value(BodyId(0), 0), at)),
        (None, Root::Static(_)) => Some((place.root, 0)),
        // However often it was bound.
        (None, Root::Local(body, local, _)) => Some((Root::Local(body, local, 0), 0)),
        (None, _) => None,
    };
    let ((left_root, left_at), (right_root, right_at)) = (at(left)?, at(right)?);
    let named = |place: &Place, at: usize| {
        let (first, rest) =
            place.steps[at..].split_first().map_or((None, &[][..]), |(first, rest)| (Some(*first), rest));
        let shown =
            rest.iter().filter(|step| matches!(step, Step::Tuple(_) | Step::Element(_))).map(|step| match step {
                Step::Element(Index::Named(..)) => Step::Element(Index::Any),
                step => *step,
            });
        first.into_iter().chain(shown).collect::<SmallVec<[Step; 4]>>()
    };
    Some(left_root == right_root && named(left, left_at) == named(right, right_at))
}

/// The class of the lock at `place`; `None` where it depends on the caller or stays unknown.
pub fn class_of(
    model: &Model<'_>,
    place: &Place,
    local_name: &dyn Fn(BodyId, LocalId) -> (String, String),
) -> Option<ClassName> {
    let owner = owner(model, place);
    let suffix = |from: usize| -> String {
        place.steps[from..]
            .iter()
            .map(|step| match step {
                Step::Field(..) => String::new(),
                Step::Tuple(index) => format!(".{index}"),
                Step::Element(Index::At(index)) => format!("[{index}]"),
                Step::Element(_) => "[_]".to_string(),
                Step::Inside => String::new(),
            })
            .collect()
    };
    let any = |step: &Step| matches!(step, Step::Element(Index::Any | Index::Named(..)));
    let many = |from: usize| place.steps[from..].iter().any(any);
    if let Some(at) = owner
        && let Step::Field(adt, field) = place.steps[at]
    {
        let data = model.adt(adt);
        let tail = suffix(at + 1);
        let rooted = match place.root {
            Root::Static(_) => Confidence::High,
            Root::Param(0) => Confidence::High,
            _ => Confidence::Medium,
        };
        return Some(ClassName {
            key: format!("{}.{field}{tail}", model.adt_path(adt)),
            name: match field.as_str().split_once('.') {
                // A variant's only payload goes by the enum's name.
                Some(("*", "0")) => format!("{}{tail}", data.name),
                _ => format!("{}.{field}{tail}", data.name),
            },
            declared: Some(Declared::Field(adt, field)),
            identity: rooted,
            many: many(at + 1),
        });
    }
    match place.root {
        Root::Static(id) => {
            let data = &model.statics[id.0 as usize];
            let tail = suffix(0);
            Some(ClassName {
                key: format!("{}::{}{tail}", model.module_path(data.module), data.name),
                name: format!("{}{tail}", data.name),
                declared: Some(Declared::Static(id)),
                identity: Confidence::High,
                many: many(0),
            })
        }
        Root::Local(body, local, _) => {
            let (key, name) = local_name(body, local);
            let tail = suffix(0);
            Some(ClassName {
                key: format!("{key}{tail}"),
                name: format!("{name}{tail}"),
                declared: None,
                identity: Confidence::High,
                many: many(0),
            })
        }
        Root::Param(_) | Root::Value(..) => None,
    }
}

/// Whether a field makes its type a mere wrapper: the only lock, which guards a type parameter, or a pointer's or cell's
/// own value of a type parameter. What the lock is for is said where the wrapper is stored. One of several locks goes by
/// its field: where they are stored, all of them would have one name.
fn is_wrapper(model: &Model<'_>, adt: AdtId, field: Symbol) -> bool {
    let data = model.adt(adt);
    let Some(field) = data.variants.iter().flatten().find(|data| data.name == field) else { return false };
    fn guards_param(model: &Model<'_>, ty: &Ty) -> bool {
        match ty.peeled() {
            Ty::Param(_) => true,
            Ty::Ptr(inner) => match &**inner {
                Ty::Adt(_, args) => args.iter().any(|arg| matches!(arg, Ty::Param(_))),
                inner => guards_param(model, inner),
            },
            Ty::Adt(id, args) if model.adt(*id).lock.is_some() => args.iter().any(|arg| matches!(arg, Ty::Param(_))),
            Ty::Adt(id, args) if model.known.transparent.contains(id) => {
                args.iter().any(|arg| guards_param(model, arg))
            }
            _ => false,
        }
    }
    fn is_lock(model: &Model<'_>, ty: &Ty) -> bool {
        match ty.peeled() {
            Ty::Adt(id, args) => {
                matches!(model.adt(*id).lock, Some(LockType::Lock { .. }))
                    || model.known.transparent.contains(id) && args.iter().any(|arg| is_lock(model, arg))
            }
            _ => false,
        }
    }
    let locks = || data.variants.iter().flatten().filter(|field| is_lock(model, &field.ty)).count();
    guards_param(model, &field.ty) && (!is_lock(model, &field.ty) || locks() == 1)
}

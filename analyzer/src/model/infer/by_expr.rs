//! What is known of some of a body's expressions, found by their number without hashing.
//!
//! Guarantees: looking one up takes two loads; all are gone through in the order in which they were first put in. An
//! expression beyond those that the body has is never found.

use crate::syntax::ExprId;

/// A value for some of the expressions of one body.
#[derive(Clone, Debug)]
pub struct ByExpr<T> {
    /// For every expression one more than its entry's index, or 0.
    at: Vec<u32>,
    entries: Vec<(ExprId, T)>,
}

impl<T> ByExpr<T> {
    /// Nothing yet of a body with so many expressions.
    pub fn new(exprs: usize) -> ByExpr<T> {
        ByExpr { at: vec![0; exprs], entries: Vec::new() }
    }

    /// The value of an expression.
    pub fn get(&self, id: &ExprId) -> Option<&T> {
        let entry = self.at.get(id.0 as usize)?.checked_sub(1)?;
        self.entries.get(entry as usize).map(|(_, value)| value)
    }

    /// Sets the value of an expression.
    pub fn insert(&mut self, id: ExprId, value: T) {
        let Some(at) = self.at.get_mut(id.0 as usize) else { return };
        match at.checked_sub(1) {
            Some(entry) => self.entries[entry as usize].1 = value,
            None => {
                self.entries.push((id, value));
                *at = self.entries.len() as u32;
            }
        }
    }

    /// All of them, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&ExprId, &T)> {
        self.entries.iter().map(|(id, value)| (id, value))
    }

    /// The values alone.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

/// Nothing, of a body without expressions.
impl<T> Default for ByExpr<T> {
    fn default() -> ByExpr<T> {
        ByExpr::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_the_first_place() {
        let mut map = ByExpr::new(4);
        for (id, value) in [(3, "a"), (1, "b"), (3, "c"), (9, "beyond")] {
            map.insert(ExprId(id), value);
        }
        assert_eq!(map.iter().map(|(id, value)| (id.0, *value)).collect::<Vec<_>>(), [(3, "c"), (1, "b")]);
        assert_eq!((map.get(&ExprId(0)), map.get(&ExprId(9))), (None, None));
    }
}

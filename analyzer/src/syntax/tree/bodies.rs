//! The bodies of one file: at hand, or read when the first of them is looked at.
//!
//! Guarantees: they are read at most once, whoever asks first; an index that is not there gives `None`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Body;

type Read = Arc<dyn Fn() -> Vec<Body> + Send + Sync>;

/// The code of a file's functions and initialisers, by [`BodyHead::index`](super::BodyHead::index).
#[derive(Clone, Default)]
pub struct Bodies {
    all: OnceLock<Vec<Body>>,
    read: Option<Read>,
}

impl Bodies {
    /// Those that `read` gives when they are needed.
    pub fn later(read: impl Fn() -> Vec<Body> + Send + Sync + 'static) -> Bodies {
        Bodies { all: OnceLock::new(), read: Some(Arc::new(read)) }
    }

    /// All of them.
    pub fn all(&self) -> &[Body] {
        self.all.get_or_init(|| self.read.as_ref().map(|read| read()).unwrap_or_default())
    }

    /// One of them.
    pub fn get(&self, index: u32) -> Option<&Body> {
        self.all().get(index as usize)
    }

    /// All of them, moved out.
    pub fn into_all(self) -> Vec<Body> {
        self.all();
        self.all.into_inner().unwrap_or_default()
    }
}

impl From<Vec<Body>> for Bodies {
    fn from(all: Vec<Body>) -> Bodies {
        Bodies { all: all.into(), read: None }
    }
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bodies").field(&self.all).finish()
    }
}

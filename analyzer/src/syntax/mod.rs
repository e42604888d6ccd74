//! Source text to a plain tree; never fails, gives notices.

pub mod tree;

pub use tree::*;

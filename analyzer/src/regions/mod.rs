//! Who is held where: guard scopes, held sets and function summaries.

/// What the static rules read.
#[derive(Debug, Default)]
pub struct Regions {}

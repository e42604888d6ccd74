//! Names and types across files.

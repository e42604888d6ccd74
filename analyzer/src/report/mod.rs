//! A [`crate::finding::Report`] as bytes, one file per format.

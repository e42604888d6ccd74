//! Tracked locks, threads and pools.

pub mod event;

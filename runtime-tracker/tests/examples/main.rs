//! What the documentation of each mirrored type shows, as tests of our own: the same behaviour, in other words.
//!
//! Each file is compiled twice, against `std` (so that a test which expects too much or the wrong thing fails too) and
//! against the tracker. The methods that no example needs are called in `parity.rs`.
#![allow(clippy::duplicate_mod, reason = "the same tests, of two libraries")]

#[path = "."]
mod of_std {
    #[cfg(feature = "parking_lot")]
    use ::parking_lot as library;
    use std::{sync, thread};

    mod atomic;
    mod channels;
    mod locks;
    mod once;
    #[cfg(feature = "parking_lot")]
    mod parking_lot;
    mod threads;
}

#[path = "."]
mod of_the_tracker {
    #[cfg(feature = "parking_lot")]
    use lockcheck_tracker::parking_lot as library;
    use lockcheck_tracker::{sync, thread};

    mod atomic;
    mod channels;
    mod locks;
    mod once;
    #[cfg(feature = "parking_lot")]
    mod parking_lot;
    mod threads;
}

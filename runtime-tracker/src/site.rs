//! Call sites in four bytes.
//!
//! Guarantees: [`Site::here`] costs a subtraction and a compare; it holds the distance of a [`Location`] from a fixed
//! place of this library, or, where that does not fit (code in another shared object), the number of an interned one.
//! Either way the location can be got back.
//!
//! Misses: nothing; a site of 0 means that none is known.

use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::raw::{List, Map};

/// A place in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site(pub(crate) u32);

static BASE: u64 = 0;
static FAR: Mutex<(Map, List<&'static Location<'static>>)> = Mutex::new((Map::new(), List::new()));

impl Site {
    pub(crate) const NONE: Site = Site(0);

    #[inline(always)]
    pub(crate) fn of(location: &'static Location<'static>) -> Self {
        let distance = (&raw const *location).expose_provenance().wrapping_sub((&raw const BASE).addr()) as isize;
        // Locations and `BASE` are aligned to 8 bytes on 64-bit targets, so an odd number is free for the far ones.
        if distance as i32 as isize == distance && distance & 1 == 0 {
            Site(distance as i32 as u32)
        } else {
            Site::far(location)
        }
    }

    /// The caller's place.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn here() -> Self {
        Site::of(Location::caller())
    }

    #[cold]
    fn far(location: &'static Location<'static>) -> Self {
        let mut far = FAR.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (&raw const *location).addr() as u64;
        let at = far.0.get(key).unwrap_or_else(|| {
            let at = far.1.len() as u32;
            far.1.push(location);
            far.0.insert(key, at);
            at
        });
        Site(at << 1 | 1)
    }

    /// The place itself; `None` where none is known.
    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        if self.0 == 0 {
            return None;
        }
        if self.0 & 1 == 1 {
            let far = FAR.lock().unwrap_or_else(PoisonError::into_inner);
            return far.1.get((self.0 >> 1) as usize).copied();
        }
        let address = (&raw const BASE).addr().wrapping_add_signed(self.0 as i32 as isize);
        // SAFETY: `Site::of` is the only source of even non-zero numbers and made this one from a reference to a
        // `Location<'static>`, whose provenance it exposed.
        Some(unsafe { &*std::ptr::with_exposed_provenance(address) })
    }
}

//! Where the user's own code called into the dependency that a thread waits in.
//!
//! Acquisitions are known by the place that calls the lock's method. For a lock inside a dependency that is a place there; which of
//! the user's lines led to it, the stack tells, and it is asked only when a deadlock is reported.
//!
//! Guarantees: nothing is looked up but for a reported deadlock, and nothing where the place is the user's own.
//!
//! Misses: programs without debug information; the other threads of a deadlock; how a lock that is held came to be taken.

use crate::site::Site;

/// Records the user's place for the calling thread's wait at `site`, if that one is in a dependency. Allocates.
#[cfg(lockcheck_shim)]
pub(super) fn record(thread: u32, site: Site) {
    use crate::event::Record;
    use crate::{names, record};

    let is_foreign = site.location().is_some_and(|location| std::path::Path::new(location.file()).is_absolute());
    if !is_foreign || !record::is_on() {
        return;
    }
    let stack = std::backtrace::Backtrace::force_capture().to_string();
    if let Some((function, file, line, column)) = first_own(&stack) {
        let (function, file) = (function.into(), file.into());
        record::record(&Record::Called { thread, site: names::site(site), line, column, file, function });
    }
}

#[cfg(not(lockcheck_shim))]
pub(super) fn record(_: u32, _: Site) {}

/// The innermost frame of a stack, as `std` prints it, whose file belongs neither to a dependency nor to the compiler.
#[cfg_attr(not(any(lockcheck_shim, test)), expect(dead_code, reason = "of use in place of `std` only"))]
fn first_own(stack: &str) -> Option<(&str, String, u32, u32)> {
    let mut function = "";
    for line in stack.lines().map(str::trim) {
        let Some(place) = line.strip_prefix("at ") else {
            function = line.split_once(": ").map_or(line, |(_, name)| name);
            continue;
        };
        let mut parts = place.rsplitn(3, ':');
        let (Some(column), Some(row), Some(file)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (Ok(row), Ok(column)) = (row.parse(), column.parse()) else { continue };
        let file = file.replace('\\', "/");
        let foreign = ["/rustc/", "/registry/src/", "/git/checkouts/", "/lib/rustlib/"];
        // The tracker itself lies in the cache of whoever compiled it.
        let is_own = !foreign.iter().any(|folder| file.contains(folder)) && !is_tracker(&file);
        if is_own {
            let absolute = match file.strip_prefix("./") {
                Some(below) => std::env::current_dir().map(|cwd| cwd.join(below).to_string_lossy().into_owned()),
                None => Ok(file.clone()),
            };
            return Some((function, absolute.unwrap_or(file), row, column));
        }
    }
    None
}

/// Whether a file is one of the tracker's: this file names the folder that they lie in.
fn is_tracker(file: &str) -> bool {
    let own = std::path::Path::new(file!()).parent().and_then(std::path::Path::parent);
    own.is_some_and(|folder| std::path::Path::new(file).starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frame_of_the_users_own_is_found() {
        let stack = "   0: std::backtrace::Backtrace::force_capture\n             at /rustc/5980/library/std/src/backtrace.rs:312:13\n   \
                     1: dashmap::DashMap<K,V,S>::get\n             at /home/me/.cargo/registry/src/x/dashmap-6.2.1/src/lib.rs:922:38\n   \
                     2: four::entry\n             at /home/me/four/src/lib.rs:49:17\n   3: t::an_entry\n             at \
                     /home/me/four/tests/t.rs:16:3\n";
        assert_eq!(first_own(stack), Some(("four::entry", "/home/me/four/src/lib.rs".into(), 49, 17)));
        assert_eq!(first_own("   0: main\n"), None);
    }
}

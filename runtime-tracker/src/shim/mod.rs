//! The tracker as source text, for whoever compiles it into a program: `lockcheck run` does, with the program's own compiler.
//!
//! Guarantees: every file that [`std.rs`](SOURCES) needs, by its path under the tracker's `src`; a test compares the list with
//! the folder.
//!
//! Misses: the `tokio` part, which is no part of what stands for `std`.

/// Path, with `/`, and text of each file.
pub const SOURCES: &[(&str, &str)] = &[
    ("config.rs", include_str!("../config.rs")),
    ("event.rs", include_str!("../event.rs")),
    ("event/compact.rs", include_str!("../event/compact.rs")),
    ("event/reader.rs", include_str!("../event/reader.rs")),
    ("event/record.rs", include_str!("../event/record.rs")),
    ("event/stats.rs", include_str!("../event/stats.rs")),
    ("finding.rs", include_str!("../finding.rs")),
    ("graph.rs", include_str!("../graph.rs")),
    ("head.rs", include_str!("../head.rs")),
    ("held.rs", include_str!("../held.rs")),
    ("held/peek.rs", include_str!("../held/peek.rs")),
    ("names.rs", include_str!("../names.rs")),
    ("order.rs", include_str!("../order.rs")),
    ("park.rs", include_str!("../park.rs")),
    ("parking_lot/condvar.rs", include_str!("../parking_lot/condvar.rs")),
    ("parking_lot/mod.rs", include_str!("../parking_lot/mod.rs")),
    ("parking_lot/mutex.rs", include_str!("../parking_lot/mutex.rs")),
    ("parking_lot/once.rs", include_str!("../parking_lot/once.rs")),
    ("parking_lot/raw_mutex.rs", include_str!("../parking_lot/raw_mutex.rs")),
    ("parking_lot/raw_rwlock.rs", include_str!("../parking_lot/raw_rwlock.rs")),
    ("parking_lot/rwlock.rs", include_str!("../parking_lot/rwlock.rs")),
    ("pool.rs", include_str!("../pool.rs")),
    ("raw.rs", include_str!("../raw.rs")),
    ("raw/map.rs", include_str!("../raw/map.rs")),
    ("raw/rows.rs", include_str!("../raw/rows.rs")),
    ("record.rs", include_str!("../record.rs")),
    ("record/buffer.rs", include_str!("../record/buffer.rs")),
    ("record/frequent.rs", include_str!("../record/frequent.rs")),
    ("record/map.rs", include_str!("../record/map.rs")),
    ("schedule/actors.rs", include_str!("../schedule/actors.rs")),
    ("schedule/file.rs", include_str!("../schedule/file.rs")),
    ("schedule/mod.rs", include_str!("../schedule/mod.rs")),
    ("schedule/pct.rs", include_str!("../schedule/pct.rs")),
    ("schedule/random.rs", include_str!("../schedule/random.rs")),
    ("schedule/replay.rs", include_str!("../schedule/replay.rs")),
    ("shim/inside.rs", include_str!("../shim/inside.rs")),
    ("shim/lock_api.rs", include_str!("../shim/lock_api.rs")),
    ("shim/lock_api_0_4.rs", include_str!("../shim/lock_api_0_4.rs")),
    ("shim/lock_api_0_5.rs", include_str!("../shim/lock_api_0_5.rs")),
    ("shim/parking_lot_0_12.rs", include_str!("../shim/parking_lot_0_12.rs")),
    ("shim/parking_lot_0_13.rs", include_str!("../shim/parking_lot_0_13.rs")),
    ("shim/raw.rs", include_str!("../shim/raw.rs")),
    ("shim/std.rs", include_str!("../shim/std.rs")),
    ("shim/tracker.rs", include_str!("../shim/tracker.rs")),
    ("site.rs", include_str!("../site.rs")),
    ("stats.rs", include_str!("../stats.rs")),
    ("sync/atomic.rs", include_str!("../sync/atomic.rs")),
    ("sync/barrier.rs", include_str!("../sync/barrier.rs")),
    ("sync/condvar.rs", include_str!("../sync/condvar.rs")),
    ("sync/lazy_lock.rs", include_str!("../sync/lazy_lock.rs")),
    ("sync/mod.rs", include_str!("../sync/mod.rs")),
    ("sync/mpsc/meet.rs", include_str!("../sync/mpsc/meet.rs")),
    ("sync/mpsc/mod.rs", include_str!("../sync/mpsc/mod.rs")),
    ("sync/mpsc/receiver.rs", include_str!("../sync/mpsc/receiver.rs")),
    ("sync/mpsc/shared.rs", include_str!("../sync/mpsc/shared.rs")),
    ("sync/mutex.rs", include_str!("../sync/mutex.rs")),
    ("sync/once.rs", include_str!("../sync/once.rs")),
    ("sync/once_lock.rs", include_str!("../sync/once_lock.rs")),
    ("sync/poisoning.rs", include_str!("../sync/poisoning.rs")),
    ("sync/rwlock.rs", include_str!("../sync/rwlock.rs")),
    ("table.rs", include_str!("../table.rs")),
    ("thread.rs", include_str!("../thread.rs")),
    ("thread/handle.rs", include_str!("../thread/handle.rs")),
    ("threads.rs", include_str!("../threads.rs")),
    ("tracked.rs", include_str!("../tracked.rs")),
    ("wait.rs", include_str!("../wait.rs")),
    ("wait/caller.rs", include_str!("../wait/caller.rs")),
    ("wait/long.rs", include_str!("../wait/long.rs")),
    ("wait/overtaken.rs", include_str!("../wait/overtaken.rs")),
    ("wait/quiet.rs", include_str!("../wait/quiet.rs")),
    ("wait/reduce.rs", include_str!("../wait/reduce.rs")),
    ("wait/report.rs", include_str!("../wait/report.rs")),
    ("wait/table.rs", include_str!("../wait/table.rs")),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::SOURCES;

    fn collect(folder: &Path, prefix: &str, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("the folder of the sources") {
            let path = entry.expect("an entry").path();
            let name = format!("{prefix}{}", path.file_name().and_then(|name| name.to_str()).expect("a name"));
            if path.is_dir() {
                collect(&path, &format!("{name}/"), into);
            } else {
                into.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_tracker_is_in_the_list() {
        let mut files = Vec::new();
        collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut files);
        files.retain(|name| !["tokio/", "lib.rs", "shim/mod.rs"].iter().any(|left_out| name.starts_with(left_out)));
        files.sort();
        let listed: Vec<String> = SOURCES.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(listed, files);
    }
}

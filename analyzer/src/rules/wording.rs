//! How the static rules speak of locks and acquisitions, so that all say it the same way.

use crate::finding::Location;
use crate::graph::LockMode;
use crate::regions::Side;

/// `locked`, `read-locked`, `write-locked`.
pub(super) fn taken(side: &Side) -> &'static str {
    mode_taken(side.mode, &side.kind)
}

/// The same from a mode and a lock type.
pub(super) fn mode_taken(mode: LockMode, kind: &str) -> &'static str {
    match mode {
        LockMode::Exclusive if ["RwLock", "DashMap", "DashSet"].iter().any(|name| kind.ends_with(name)) => {
            "write-locked"
        }
        LockMode::Exclusive => "locked",
        LockMode::Shared | LockMode::SharedRecursive => "read-locked",
        LockMode::Upgradable => "locked for upgradable reading",
    }
}

/// A lock's name in backticks.
pub(super) fn name(side: &Side) -> String {
    match (&side.class, &side.param) {
        (Some(class), _) => format!("`{}`", class.name),
        (None, Some(param)) => format!("`{param}`"),
        (None, None) => "a lock".to_string(),
    }
}

/// A location with a label.
pub(super) fn at(site: &Location, label: impl Into<String>) -> Location {
    Location { label: label.into(), ..site.clone() }
}

/// The calls on the way to an acquisition, each labelled with the function that it calls unless it says more itself.
pub(super) fn calls(way: &[Location], end: &Location) -> Vec<Location> {
    way.iter()
        .enumerate()
        .map(|(index, call)| {
            if !call.label.is_empty() {
                return call.clone();
            }
            let callee = way.get(index + 1).unwrap_or(end).function.as_deref().unwrap_or("a function");
            at(call, format!("calls `{callee}`"))
        })
        .collect()
}

/// All functions that take part, for fingerprints.
pub(super) fn functions<'a>(sites: impl Iterator<Item = &'a Location>) -> Vec<String> {
    sites.filter_map(|site| site.function.clone()).collect()
}

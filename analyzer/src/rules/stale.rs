//! What the rules about stale reads share: the read, the write that relies on it, and why others can come between.

use super::wording;
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, LockInfo, ThreadPath};
use crate::regions::Regions;
use crate::regions::effects::reach::Concurrency;
use crate::regions::effects::stale::Stale;

/// A finding about one pair; `words` are its message and help.
pub(super) fn finding(
    rule: &'static str,
    level: Level,
    found: &Stale,
    concurrency: &Concurrency,
    regions: &Regions,
    words: (String, String),
) -> Finding {
    let [read, write] = both(&found.name, &found.read, &found.write);
    let mut related = vec![read.clone()];
    related.extend(found.read_in.iter().map(|at| wording::at(at, format!("`{}` is read here", found.name))));
    related.extend(found.write_in.iter().map(|at| wording::at(at, format!("`{}` is written here", found.name))));
    related.extend(found.also.iter().map(|(_, at)| wording::at(at, "and written here")));
    if let Concurrency::Spawned(at) = concurrency {
        related.push(wording::at(at, "runs beside other threads from here on"));
    }
    let mut steps = vec![read];
    steps.extend(found.read_in.clone().map(|at| wording::at(&at, format!("`{}` is read here", found.name))));
    steps.push(write.clone());
    steps.extend(found.write_in.clone().map(|at| wording::at(&at, format!("`{}` is written here", found.name))));
    let direct = found.read_in.is_none() && found.write_in.is_none();
    Finding {
        rule,
        level,
        confidence: if direct { Confidence::High } else { Confidence::Medium },
        evidence: Evidence::Static,
        message: words.0,
        help: words.1,
        locks: vec![cell(found, regions)],
        fingerprint: Fingerprint::new(
            rule,
            std::slice::from_ref(&found.key),
            &wording::functions([&found.read, &found.write].into_iter()),
        ),
        primary: write,
        related,
        threads: vec![ThreadPath { name: format!("`{}`", found.function), steps }],
        pool: None,
        schedule: Vec::new(),
    }
}

/// The cell as reports show it.
pub(super) fn cell(found: &Stale, regions: &Regions) -> LockInfo {
    let Location { file, line, column, .. } = regions.declaration(found.declared);
    LockInfo { name: found.name.clone(), kind: found.kind.clone(), file, line, column }
}

/// A read and the write that relies on it.
pub(super) fn both(name: &str, read: &Location, write: &Location) -> [Location; 2] {
    let written = format!("and written here, on the strength of what line {} saw", read.line);
    [wording::at(read, format!("`{name}` is read here")), wording::at(write, written)]
}

//! Locks that a panic has poisoned and that were used afterwards.
//!
//! Guarantees: told only where the guard was dropped by the panic and the lock was taken again. O(events).
//!
//! Misses: whether the user looked at the poison, and runs without events.

use std::collections::BTreeMap;

use lockcheck_tracker::event::{Op, flag};

use super::Names;
use super::names;
use super::order::Ordered;
use super::recording::Recording;

/// One sentence per poisoned lock, by lock.
pub fn poisonings(recording: &Recording, ordered: &Ordered, names: &Names) -> Vec<String> {
    let mut taken: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut poisoned: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    let mut used: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    if !ordered.has_flag(flag::PANIC) {
        return Vec::new();
    }
    for (thread, event) in ordered.events() {
        let number = ordered.threads.get(thread as usize).copied().unwrap_or(0);
        match event.op() {
            Some(Op::Acquire) => {
                if poisoned.contains_key(&event.object) {
                    used.entry(event.object).or_insert((number, event.site));
                }
                taken.insert((number, event.object), event.site);
            }
            Some(Op::Release) if event.flags & flag::PANIC != 0 => {
                let site = taken.get(&(number, event.object)).copied().unwrap_or(0);
                poisoned.entry(event.object).or_insert((number, site));
            }
            _ => {}
        }
    }
    let place = |site: u32| match recording.sites.get(&site) {
        Some(site) => format!("{}:{}", site.file.replace('\\', "/"), site.line),
        None => "an unknown place".to_owned(),
    };
    let sentence = |(lock, (user, at)): (&u32, &(u32, u32))| {
        let (thread, held) = poisoned.get(lock)?;
        Some(format!(
            "`{}` is poisoned: {} panicked while it held it since {}, and {} used it afterwards at {}",
            names.object(recording, *lock),
            names::thread(recording, *thread),
            place(*held),
            names::thread(recording, *user),
            place(*at)
        ))
    };
    used.iter().filter_map(sentence).collect()
}

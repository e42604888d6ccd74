//! The order in which locks are taken: new nestings, and the cycles that they close.
//!
//! A *context* is a held set, the lock wanted under it, and the thread's happens-before segment. Every new one is recorded
//! ([`Record::Edge`]) and gives one order edge from each held lock to the wanted one. Where an edge lies on a cycle of
//! the graph (of locks, or else of lock classes) the contexts are searched for a deadlock pattern (Havelund's Goodlock
//! as generalised by Agarwal, Wang and Stoller 2005): each waits for what the next holds, in modes that exclude each other;
//! no two of them are ordered by fork and join (which also means: no two of one thread, except pool tasks); no two hold a common lock
//! that keeps them apart. A request that cannot wait is no edge, but what it took counts as held.
//!
//! Guarantees: an order survives the lock: nothing is forgotten when a lock is dropped. No memory of the global
//! allocator is used under the lock of this module.
//!
//! Misses: patterns of more than [`LONGEST`] contexts or beyond [`BUDGET`] steps of search; from the 65th segment on,
//! a nesting of the same locks at the same places, and the 16385th nesting of the same classes at the same places: these
//! are neither recorded nor searched. The analyzer sees the recorded contexts and judges again.

use std::sync::{Mutex, PoisonError};

use crate::event::{Held as HeldRecord, Mode, Record};
use crate::finding::{self, Evidence, Finding, Step, show};
use crate::graph::Graph;
use crate::held::{Entry, Held, LockMode};
use crate::raw::{List, Map, Rows, mix};
use crate::site::Site;
use crate::{names, record, threads};

const LONGEST: usize = 8;
const BUDGET: usize = 20_000;
const SEGMENTS: u32 = 64;
const INSTANCES: u32 = 16_384;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Context {
    thread: u32,
    segment: u32,
    wanted: LockMode,
    site: Site,
    /// Its held locks in `Order::held`, up to those of the next context.
    start: u32,
}

#[derive(Clone, Copy)]
struct HeldLock {
    lock: LockMode,
    site: Site,
    /// Whose it is.
    context: u32,
    /// Where in `Order::held` the same lock, and one of the same class, was held before.
    same_lock: u32,
    same_class: u32,
}

impl HeldLock {
    fn class(&self) -> u32 {
        names::class_of(self.lock.lock())
    }
}

struct Order {
    locks: Graph,
    classes: Graph,
    contexts: Rows<Context>,
    held: Rows<HeldLock>,
    /// Where in `held` each lock, and each class, was held last.
    by_lock: List<u32>,
    by_class: List<u32>,
    /// Contexts by locks: the first segment they were seen in, and the number of further ones.
    seen: Map,
    /// The number of contexts by classes.
    instances: Map,
    /// Patterns that were reported.
    told: Map<()>,
}

static ORDER: Mutex<Order> = Mutex::new(Order {
    locks: Graph::new(),
    classes: Graph::new(),
    contexts: Rows::new(),
    held: Rows::new(),
    by_lock: List::new(),
    by_class: List::new(),
    seen: Map::new(),
    instances: Map::new(),
    told: Map::new(),
});

/// The calling thread wants `wanted` while it holds what is on its stack; `tried`: it took it without waiting.
/// `false` where nothing is tracked now, so that the nesting must not be taken as known.
#[cold]
pub(crate) fn nested(held: &Held, wanted: LockMode, site: Site, tried: bool) -> bool {
    if !threads::is_tracked() || wanted == LockMode::NONE {
        return false;
    }
    let pattern = threads::busy(|| {
        let context = Context { thread: threads::me().number(), segment: threads::segment(), wanted, site, start: 0 };
        look(held.entries(), held.find(wanted.lock()), context, tried)
    });
    if let Some(finding) = pattern {
        finding::tell(&finding);
    }
    true
}

/// As [`nested`], for a task: `entries` are what it holds, `thread` and `segment` are its own.
#[cfg(feature = "tokio")]
pub(crate) fn nested_in_task(entries: &[Entry], wanted: LockMode, site: Site, thread: u32, segment: u32, tried: bool) {
    let again = entries.iter().find(|entry| entry.lock.lock() == wanted.lock()).copied();
    let context = Context { thread, segment, wanted, site, start: 0 };
    if let Some(finding) = threads::busy(|| look(entries, again, context, tried)) {
        finding::tell(&finding);
    }
}

/// `again`: an entry for the wanted lock itself.
fn look(entries: &[Entry], again: Option<Entry>, context: Context, tried: bool) -> Option<Finding> {
    let Context { thread, segment, wanted, site, .. } = context;
    let mut order = ORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if !order.is_new(entries, wanted, site, tried, segment) {
        return None;
    }
    let wanted_record = HeldRecord { object: wanted.lock(), mode: wanted.mode(), site: names::site(site) };
    if let Some(first) = again {
        // Modes that exclude each other are the business of `wait::double_lock`, which knows that the thread blocks.
        // A recursive read does not wait behind a writer in between.
        let both_read = !first.lock.mode().conflicts(wanted.mode()) && wanted.mode() != Mode::SharedRecursive;
        if both_read && !tried {
            record::record(&Record::DoubleLock { thread, first: first.record(), second: wanted_record });
            drop(order);
            return Some(recursive_read(thread, first, wanted, site));
        }
        return None;
    }
    if record::is_on() {
        let (mut few, mut many) = ([wanted_record; 4], List::new());
        let held = if let Some(few) = few.get_mut(..entries.len()) {
            few.iter_mut().zip(entries).for_each(|(place, entry)| *place = entry.record());
            &*few
        } else {
            entries.iter().for_each(|entry| many.push(entry.record()));
            &many
        };
        record::record(&Record::Edge { thread, segment, held: held.into(), wanted: wanted_record, try_: tried });
    }
    if tried {
        return None;
    }
    let pattern = order.add(context, entries)?;
    drop(order);
    finding::is_wanted().then(|| inversion(&pattern))
}

/// A context of a pattern, taken out of the graph.
struct Witness {
    context: Context,
    held: List<HeldLock>,
}

/// Up to [`LONGEST`] of them.
type Pattern = [Option<Witness>; LONGEST];

fn inversion(pattern: &Pattern) -> Finding {
    let mut message = String::from("lock order inversion: with other timing these threads wait for each other");
    let mut steps = Vec::new();
    for Witness { context, held } in pattern.iter().flatten() {
        let thread = context.thread;
        let wanted = names::describe(context.wanted.lock());
        let wanted = if context.wanted.mode() == Mode::Shared { format!("{wanted} (read)") } else { wanted };
        let site = context.site.location();
        message += &format!("\n  {} takes {wanted} at {}", names::describe_thread(thread), show(site));
        for held in held.iter() {
            let (lock, site) = (names::describe(held.lock.lock()), held.site.location());
            message += &format!(", holds {lock} since {}", show(site));
            steps.push(Step { thread, action: format!("holds {lock}"), site });
        }
        steps.push(Step { thread, action: format!("takes {wanted}"), site });
    }
    Finding { rule: "lock_order_inversion", evidence: Evidence::Possible, message, steps }
}

fn recursive_read(thread: u32, first: Entry, wanted: LockMode, site: Site) -> Finding {
    let lock = names::describe(wanted.lock());
    let message = format!(
        "double lock: {} reads {lock} at {} while it reads it since {}: hangs where a writer waits in between",
        names::describe_thread(thread),
        show(site.location()),
        show(first.site.location())
    );
    let step = |action: &str, site: Site| Step { thread, action: format!("{action} {lock}"), site: site.location() };
    let steps = vec![step("reads", first.site), step("reads", site)];
    Finding { rule: "double_lock", evidence: Evidence::Possible, message, steps }
}

impl Order {
    /// Counts the context and tells whether it is within the limits of what is kept.
    fn is_new(&mut self, entries: &[Entry], wanted: LockMode, site: Site, tried: bool, segment: u32) -> bool {
        let all = || entries.iter().map(|entry| (entry.lock, entry.site)).chain([(wanted, site)]);
        let locks = all()
            .fold(u64::from(tried) + 1, |locks, (lock, site)| mix(locks, u64::from(lock.0) << 32 | u64::from(site.0)));
        self.seen.prefetch(locks);
        let classes = all().fold(u64::from(tried) + 3, |classes, (lock, site)| {
            let class = names::class_of(lock.lock()) << 2 | lock.mode() as u32;
            mix(classes, u64::from(class) << 32 | u64::from(site.0))
        });
        // Most are seen in one segment only: it stands in the entry itself, and others get entries of their own.
        let instances = self.instances.at(classes);
        let first = if *instances >= INSTANCES {
            self.seen.get(locks).unwrap_or(0)
        } else {
            let first = self.seen.at(locks);
            if *first == 0 {
                *first = segment.saturating_add(1);
                *instances += 1;
                return true;
            }
            *first
        };
        if first == 0 {
            return false;
        }
        let here = mix(mix(locks, 5), segment.into());
        if first == segment.saturating_add(1) || self.seen.get(here).is_some() {
            return false;
        }
        let further = self.seen.at(mix(locks, 7));
        if *further + 1 >= SEGMENTS {
            return false;
        }
        *further += 1;
        self.seen.insert(here, 1);
        true
    }

    fn add(&mut self, context: Context, entries: &[Entry]) -> Option<Pattern> {
        let start = self.held.len() as u32;
        let context = Context { start, ..context };
        let number = self.contexts.len() as u32;
        self.contexts.push(context);
        let wanted = context.wanted.lock();
        let wanted_class = names::class_of(wanted);
        let (mut lock_cycle, mut class_cycle) = (false, false);
        for entry in entries {
            let (lock, class) = (entry.lock.lock(), names::class_of(entry.lock.lock()));
            let at = self.held.len() as u32;
            let same_lock = replace_at(&mut self.by_lock, lock, at);
            let same_class = replace_at(&mut self.by_class, class, at);
            self.held.push(HeldLock { lock: entry.lock, site: entry.site, context: number, same_lock, same_class });
            lock_cycle |= self.locks.add(lock, wanted);
            class_cycle |= class != wanted_class && self.classes.add(class, wanted_class);
        }
        let pattern = (lock_cycle.then(|| self.search(number, false)).flatten())
            .or_else(|| class_cycle.then(|| self.search(number, true)).flatten());
        pattern.and_then(|pattern| self.first_time(&pattern))
    }

    fn held_of(&self, context: u32) -> impl Iterator<Item = &HeldLock> {
        let next = context as usize + 1;
        let end = if next < self.contexts.len() { self.contexts[next].start as usize } else { self.held.len() };
        (self.contexts[context as usize].start as usize..end).map(|at| &self.held[at])
    }

    /// The entry of `holder`'s held set that keeps `wanter` waiting.
    fn blocks(&self, wanter: u32, holder: u32, by_class: bool) -> Option<HeldLock> {
        let wanted = self.contexts[wanter as usize].wanted;
        let class = if by_class { names::class_of(wanted.lock()) } else { 0 };
        self.held_of(holder).copied().find(|held| {
            let same = if by_class { held.class() == class } else { held.lock.lock() == wanted.lock() };
            same && held.lock.mode().conflicts(wanted.mode())
        })
    }

    /// Whether both can be at their requests at once.
    fn fit(&self, a: u32, b: u32, by_class: bool) -> bool {
        let (first, second) = (self.contexts[a as usize], self.contexts[b as usize]);
        let gate = |x: &HeldLock, y: &HeldLock| {
            let same = if by_class { x.class() == y.class() } else { x.lock.lock() == y.lock.lock() };
            same && x.lock.mode().conflicts(y.lock.mode())
        };
        let gated = self.held_of(a).any(|x| self.held_of(b).any(|y| gate(x, y)));
        !gated && first.wanted.lock() != second.wanted.lock() && !names::are_ordered(first.segment, second.segment)
    }

    /// Searches for a pattern with the context in it. Depth first, at most [`BUDGET`] steps.
    fn search(&self, start: u32, by_class: bool) -> Option<List<u32>> {
        let last_held = |context: u32| {
            let wanted = self.contexts[context as usize].wanted.lock();
            let list = if by_class { &self.by_class } else { &self.by_lock };
            let index = if by_class { names::class_of(wanted) } else { wanted };
            list.get(index as usize).copied().unwrap_or(NONE)
        };
        let mut path = List::new();
        let mut cursors = List::new();
        path.push(start);
        cursors.push(last_held(start));
        let mut budget = BUDGET;
        while let Some(cursor) = cursors.pop() {
            if cursor == NONE || budget == 0 {
                path.pop();
                continue;
            }
            budget -= 1;
            let HeldLock { context, same_lock, same_class, .. } = self.held[cursor as usize];
            cursors.push(if by_class { same_class } else { same_lock });
            let last = path[path.len() - 1];
            let fits = self.blocks(last, context, by_class).is_some()
                && path.iter().all(|other| *other != context && self.fit(*other, context, by_class));
            if !fits {
                continue;
            }
            path.push(context);
            if self.blocks(context, start, by_class).is_some() {
                return Some(path);
            }
            if path.len() < LONGEST {
                cursors.push(last_held(context));
            } else {
                path.pop();
            }
        }
        None
    }

    /// The pattern's contexts, unless it was reported before: once per set of places, whatever the instances, threads
    /// and segments.
    fn first_time(&mut self, pattern: &[u32]) -> Option<Pattern> {
        let key = pattern.iter().fold(1u64, |key, at| {
            let context = &self.contexts[*at as usize];
            let place = mix(u64::from(context.site.0), names::class_of(context.wanted.lock()).into());
            key.wrapping_add(mix(place, 9))
        });
        if !self.told.add(key) {
            return None;
        }
        let mut found = Pattern::default();
        for (place, at) in found.iter_mut().zip(pattern) {
            let mut held = List::new();
            self.held_of(*at).for_each(|lock| held.push(*lock));
            *place = Some(Witness { context: self.contexts[*at as usize], held });
        }
        Some(found)
    }
}

/// Sets the value at `at` and gives the one before, [`NONE`] where there was none.
fn replace_at(index: &mut List<u32>, at: u32, value: u32) -> u32 {
    if index.len() <= at as usize {
        index.resize(at as usize + 1, NONE);
    }
    std::mem::replace(&mut index[at as usize], value)
}

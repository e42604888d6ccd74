//! The numberings: sites, lock classes, objects, segments, thread names. Every number's record is written before the
//! number is given out.
//!
//! Guarantees: numbers are dense and unique per kind; two sites with the same file, line and column are one; no global
//! allocation. All of it is off the hot path: once per lock, site, thread or fork.
//!
//! Misses: classes with the same name and type are one class wherever they are made.

use std::cell::Cell;
use std::fmt::Write;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{ObjectKind, PoolPolicy, Record};
use crate::raw::{List, Map, hash_text, mix};
use crate::site::Site;
use crate::table::Table;
use crate::{record, schedule};

/// What makes the class of an object.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// Where it was made.
    At(&'static Location<'static>),
    /// The name it was given.
    Named(&'static str),
}

#[derive(Clone, Copy)]
struct Class {
    site: u32,
    kind: &'static str,
    data: &'static str,
    name: &'static str,
}

struct Names {
    sites: List<&'static Location<'static>>,
    site_by_address: Map,
    site_by_text: Map,
    classes: List<Class>,
    class_by_key: Map,
    /// How many objects have a number.
    objects: u32,
    /// Of each segment, the at most two that come right before it.
    segments: List<[u32; 2]>,
    /// Of each segment, the search that has come by last.
    searched: List<u32>,
    searches: u32,
    threads: Map,
    thread_names: List<(u32, u32)>,
    text: List<u8>,
    tasks: u32,
}

static NAMES: Mutex<Names> = Mutex::new(Names {
    sites: List::new(),
    site_by_address: Map::new(),
    site_by_text: Map::new(),
    classes: List::new(),
    class_by_key: Map::new(),
    objects: 0,
    segments: List::new(),
    searched: List::new(),
    searches: 0,
    threads: Map::new(),
    thread_names: List::new(),
    text: List::new(),
    tasks: 0,
});

/// Class of each object; object numbers begin at 1. Written while the names are locked.
static CLASSES: Table = Table::new();

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Names {
    fn site(&mut self, location: &'static Location<'static>) -> u32 {
        let address = (&raw const *location).addr() as u64;
        if let Some(known) = self.site_by_address.get(address) {
            return known;
        }
        let text = mix(hash_text(location.line().into(), location.file()), location.column().into());
        let number = self.site_by_text.get(text).unwrap_or_else(|| {
            self.sites.push(location);
            let id = self.sites.len() as u32;
            let (line, column) = (location.line(), location.column());
            record::record(&Record::Site { id, line, column, file: location.file().into() });
            self.site_by_text.insert(text, id);
            id
        });
        self.site_by_address.insert(address, number);
        number
    }

    fn class(&mut self, kind: &'static str, data: &'static str, origin: Origin) -> u32 {
        let (site, name) = match origin {
            Origin::At(location) => (self.site(location), ""),
            Origin::Named(name) => (0, name),
        };
        let key = hash_text(hash_text(hash_text(site.into(), kind), data), name);
        self.class_by_key.get(key).unwrap_or_else(|| {
            self.classes.push(Class { site, kind, data, name });
            let id = self.classes.len() as u32;
            record::record(&Record::Class { id, site, kind: kind.into(), data: data.into(), name: name.into() });
            self.class_by_key.insert(key, id);
            id
        })
    }
}

const CACHED: usize = 64;
thread_local! {
    /// The numbers of sites that the thread used last.
    static CACHE: [Cell<(u32, u32)>; CACHED] = const { [const { Cell::new((0, 0)) }; CACHED] };
}

/// The number of a site.
#[inline(always)]
pub(crate) fn site(site: Site) -> u32 {
    let place = (site.0.wrapping_mul(0x9E37_79B1) >> 26) as usize % CACHED;
    let (known, number) = CACHE.with(|cache| cache[place].get());
    if known == site.0 { number } else { look_up(site, place) }
}

#[cold]
#[inline(never)]
fn look_up(site: Site, place: usize) -> u32 {
    let number = site.location().map_or(0, |location| names().site(location));
    CACHE.with(|cache| cache[place].set((site.0, number)));
    number
}

/// Gives a new object its number, which `publish` receives while no other object can get one.
pub(crate) fn object(
    kind: ObjectKind,
    type_name: &'static str,
    data: &'static str,
    origin: Origin,
    publish: impl FnOnce(u32) -> bool,
) {
    let mut names = names();
    let id = names.objects + 1;
    let class = names.class(type_name, data, origin);
    if publish(id) {
        names.objects = id;
        CLASSES.set(id as usize, class);
        record::record(&Record::Object { id, class, kind });
    }
}

/// Describes a pool, the number of which [`object`] gave.
pub(crate) fn pool(id: u32, workers: u32, policy: PoolPolicy) {
    record::record(&Record::Pool { id, workers, policy });
}

/// Gives a task its number.
pub(crate) fn task(pool: u32, parent: u32, thread: u32, at: Site, name: &str) -> u32 {
    let site = site(at);
    let mut names = names();
    names.tasks += 1;
    let id = names.tasks;
    schedule::submitted(id, parent, thread, at);
    record::record(&Record::Task { id, pool, parent, thread, site, name: name.into() });
    id
}

/// A new segment of `thread` that comes after at most two others.
pub(crate) fn segment(thread: u32, after: &[u32]) -> u32 {
    let mut names = names();
    let place = |at: usize| after.get(at).copied().unwrap_or(0);
    names.segments.push([place(0), place(1)]);
    let id = names.segments.len() as u32;
    record::record(&Record::Segment { id, thread, after: after.into() });
    id
}

/// Describes a thread that is about to be started.
pub(crate) fn thread(id: u32, parent: u32, at: Site, name: &str) {
    schedule::forked(id, parent, at);
    let site = site(at);
    let mut names = names();
    record::record(&Record::Thread { id, parent, site, name: name.into() });
    names.name_thread(id, name);
}

/// Describes the calling thread, which nobody announced.
pub(crate) fn stranger(id: u32, name: &str) {
    schedule::stranger(id, name);
    let mut names = names();
    record::record(&Record::Thread { id, parent: 0, site: 0, name: name.into() });
    names.name_thread(id, name);
}

impl Names {
    fn name_thread(&mut self, id: u32, name: &str) {
        if !name.is_empty() {
            let start = self.text.len() as u32;
            self.text.extend(name.as_bytes());
            self.thread_names.push((start, name.len() as u32));
            let at = self.thread_names.len() as u32 - 1;
            self.threads.insert(id.into(), at);
        }
    }
}

/// Whether one of the segments comes before the other: fork and join order them. Searches at most some thousand
/// segments and takes what it could not decide as ordered, so that nothing is reported on a guess.
pub(crate) fn are_ordered(a: u32, b: u32) -> bool {
    const MOST: usize = 4096;
    if a == b || a == 0 || b == 0 {
        return true;
    }
    let (early, late) = (a.min(b), a.max(b));
    let mut names = names();
    let names = &mut *names;
    if names.searches == u32::MAX {
        names.searched.fill(0);
        names.searches = 0;
    }
    names.searches += 1;
    names.searched.resize(names.segments.len(), 0);
    let mut open = List::new();
    open.push(late);
    let mut visited = 0;
    while let Some(at) = open.pop() {
        if at == early || visited > MOST {
            return true;
        }
        visited += 1;
        // Numbers grow along the order, so nothing below `early` can lead to it.
        for before in names.segments[at as usize - 1] {
            if before >= early
                && std::mem::replace(&mut names.searched[before as usize - 1], names.searches) != names.searches
            {
                open.push(before);
            }
        }
    }
    false
}

/// The class of an object.
pub(crate) fn class_of(object: u32) -> u32 {
    CLASSES.get(object as usize)
}

/// An object as a report names it: by its name, or by its type and the place where it was made.
pub(crate) fn describe(object: u32) -> String {
    // Nothing is allocated while the names are locked: the allocator may be what another thread is in.
    let found = {
        let names = names();
        let class = names.classes.get((CLASSES.get(object as usize) as usize).wrapping_sub(1)).copied();
        class.map(|class| (class, names.sites.get((class.site as usize).wrapping_sub(1)).copied()))
    };
    let Some((class, site)) = found else { return String::from("an unknown object") };
    if !class.name.is_empty() {
        return format!("`{}`", class.name);
    }
    let last = |path: &'static str| path.rsplit("::").next().unwrap_or(path);
    let mut text = String::from(last(class.kind));
    if !class.data.is_empty() {
        let _ = write!(text, "<{}>", last(class.data));
    }
    let _ = write!(text, " #{object}");
    if let Some(location) = site {
        let _ = write!(text, " made at {location}");
    }
    text
}

/// A thread as a report names it.
pub(crate) fn describe_thread(thread: u32) -> String {
    let mut name = List::new();
    {
        let names = names();
        if let Some(at) = names.threads.get(thread.into()) {
            let (start, len) = names.thread_names[at as usize];
            name.extend(&names.text[start as usize..(start + len) as usize]);
        }
    }
    if name.is_empty() {
        return format!("thread {thread}");
    }
    format!("thread {thread} `{}`", String::from_utf8_lossy(&name))
}

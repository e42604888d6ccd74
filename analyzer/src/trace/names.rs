//! What reports call the things of a recording.
//!
//! Guarantees: a lock is called by the name it was given, else by what the source calls it where it is made, else by its type
//! and that place; where a
//! class has several instances, they are told apart by `#1`, `#2`... in the order of their first use. Class keys have
//! no line number in them. Files stay as the tracker recorded them.
//!
//! Misses: functions, which the tracker does not record; the place where a named lock was made.

use std::collections::BTreeMap;

use lockcheck_tracker::event::{BlockedThread, WaitKind};

use super::recording::{Class, Recording};
use crate::finding::{Confidence, Location, LockInfo};
use crate::graph::LockClass;

/// Names, worked out once per recording.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By object: its place among the objects of its class, and how many there are.
    ordinal: BTreeMap<u32, (u32, u32)>,
    /// By class.
    keys: BTreeMap<u32, String>,
}

impl Names {
    /// Counts instances and numbers the unnamed classes of each file.
    pub fn new(recording: &Recording) -> Self {
        let mut count: BTreeMap<u32, u32> = BTreeMap::new();
        let mut ordinal = BTreeMap::new();
        for (id, object) in &recording.objects {
            let number = count.entry(object.class).or_default();
            *number += 1;
            ordinal.insert(*id, (*number, 0));
        }
        for (id, (_, of)) in &mut ordinal {
            *of = recording.objects.get(id).and_then(|object| count.get(&object.class)).copied().unwrap_or(1);
        }
        let mut unnamed: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (id, class) in &recording.classes {
            if class.name.is_empty() {
                let site = recording.sites.get(&class.site).cloned().unwrap_or_default();
                let at = (site.line, site.column, *id);
                unnamed.entry((site.file.replace('\\', "/"), type_name(class))).or_default().push(at);
            } else {
                keys.insert(*id, class.name.clone());
            }
        }
        for ((file, type_name), mut places) in unnamed {
            places.sort_unstable();
            let mut number = 0;
            let mut before = None;
            for (line, column, id) in places {
                // The same place in another process is the same class.
                number += u32::from(before != Some((line, column)));
                before = Some((line, column));
                keys.insert(id, format!("{file}: {type_name} #{number}"));
            }
        }
        Names { ordinal, keys }
    }

    /// An object as its user knows it: `accounts`, `fork #2`, `Mutex<i32> (src/main.rs:5)`.
    pub fn object(&self, recording: &Recording, id: u32) -> String {
        let Some(object) = recording.objects.get(&id) else { return format!("lock {id}") };
        let name = self.class(recording, object.class);
        match self.ordinal.get(&id) {
            Some((number, of)) if *of > 1 => format!("{name} #{number}"),
            _ => name,
        }
    }

    /// What a blocked thread waits for, as `` `accounts` `` or ``the end of thread 2 `worker` ``.
    pub fn awaited(&self, recording: &Recording, member: &BlockedThread<'_>) -> String {
        let object = || format!("`{}`", self.object(recording, member.object));
        match member.kind {
            WaitKind::Lock => object(),
            WaitKind::Join => format!("the end of {}", thread(recording, member.object)),
            WaitKind::Slot => match wanted_task(recording, member) {
                Some(wanted) => format!("a slot of {} for {}", object(), task(recording, wanted)),
                None => format!("the end of all tasks of {}", object()),
            },
            WaitKind::Task => format!("the result of {}", task(recording, member.object)),
            WaitKind::Condvar => format!("a notification of {}", object()),
            WaitKind::Recv => format!("a message on {}", object()),
            WaitKind::Send => format!("room in {}", object()),
            WaitKind::Barrier => format!("the others at barrier {}", object()),
            WaitKind::Once => format!("the initialisation of {}", object()),
            WaitKind::Permits => format!("permits of {}", object()),
            WaitKind::Park => "an `unpark`".to_owned(),
            WaitKind::Unknown => "something that this version does not know".to_owned(),
        }
    }

    /// A class as its user knows it.
    pub fn class(&self, recording: &Recording, id: u32) -> String {
        let Some(class) = recording.classes.get(&id) else { return format!("class {id}") };
        if !class.name.is_empty() {
            return class.name.clone();
        }
        if !class.written.is_empty() {
            return class.written.clone();
        }
        match recording.sites.get(&class.site) {
            Some(site) => format!("{} ({}:{})", type_name(class), site.file.replace('\\', "/"), site.line),
            None => type_name(class),
        }
    }

    /// The stable key of an object's class.
    pub fn key(&self, recording: &Recording, object: u32) -> String {
        let class = recording.objects.get(&object).map(|object| object.class);
        class.and_then(|class| self.keys.get(&class)).cloned().unwrap_or_else(|| format!("unknown {object}"))
    }

    /// The object for reports.
    pub fn info(&self, recording: &Recording, id: u32) -> LockInfo {
        let class = recording.objects.get(&id).and_then(|object| recording.classes.get(&object.class));
        let site = class.and_then(|class| recording.sites.get(&class.site)).cloned().unwrap_or_default();
        LockInfo {
            name: self.object(recording, id),
            kind: class.map(|class| class.kind.clone()).unwrap_or_default(),
            file: site.file.replace('\\', "/"),
            line: site.line,
            column: site.column,
        }
    }

    /// The object's class for the lock graph.
    pub fn lock_class(&self, recording: &Recording, object: u32) -> LockClass {
        let mut info = self.info(recording, object);
        if let Some(object) = recording.objects.get(&object) {
            info.name = self.class(recording, object.class);
        }
        LockClass { key: self.key(recording, object), info, identity: Confidence::High }
    }
}

/// A place with the reason why it is shown.
pub fn location(recording: &Recording, site: u32, label: String) -> Location {
    let site = recording.sites.get(&site).cloned().unwrap_or_default();
    Location {
        file: site.file.replace('\\', "/"),
        line: site.line,
        column: site.column,
        end_line: site.line,
        end_column: site.column,
        function: None,
        label,
    }
}

/// The place where a thread waits, as the user's own code came to it where it lies in a dependency and the trace tells.
pub fn wait_location(recording: &Recording, thread: u32, site: u32, label: String) -> Location {
    let inner = location(recording, site, label);
    let Some(call) = recording.calls.iter().rev().find(|call| call.thread == thread && call.site == site) else {
        return inner;
    };
    let from = call.from.clone();
    Location {
        file: from.file.replace('\\', "/"),
        line: from.line,
        column: from.column,
        end_line: from.line,
        end_column: from.column,
        function: Some(call.function.clone()),
        label: format!("{} ({}:{})", inner.label, inner.file, inner.line),
    }
}

/// A thread as ``thread 2 `worker` ``, with its process where there are several.
pub fn thread(recording: &Recording, id: u32) -> String {
    let Some(thread) = recording.threads.get(&id) else { return format!("thread {id}") };
    let process = if recording.processes > 1 { format!("process {} ", thread.pid) } else { String::new() };
    match thread.name.as_str() {
        "" => format!("{process}thread {}", thread.number),
        name => format!("{process}thread {} `{name}`", thread.number),
    }
}

/// A thread with the task that it runs: ``thread 2 `worker` (task `child`)``.
pub fn actor(recording: &Recording, number: u32, running: u32) -> String {
    let thread = thread(recording, number);
    match running {
        0 => thread,
        super::tasks::UNNAMED => format!("{thread} (another task)"),
        running => format!("{thread} ({})", task(recording, running)),
    }
}

/// The task that a thread blocked in a submission wants to submit.
pub fn wanted_task(recording: &Recording, member: &BlockedThread<'_>) -> Option<u32> {
    let from_here = |task: &super::recording::Task| {
        task.site == member.site && task.parent == member.task && (task.parent != 0 || task.thread == member.thread)
    };
    recording.tasks.iter().rev().find(|(_, task)| from_here(task)).map(|(id, _)| *id)
}

/// A task as `` task `child` `` or `task 3`.
pub fn task(recording: &Recording, id: u32) -> String {
    match recording.tasks.get(&id).map(|task| task.name.as_str()) {
        Some("") | None => format!("task {id}"),
        Some(name) => format!("task `{name}`"),
    }
}

/// `Mutex<Vec<u8>>` from `std::sync::Mutex` and `alloc::vec::Vec<u8>`.
fn type_name(class: &Class) -> String {
    let kind = without_paths(&class.kind);
    if class.data.is_empty() { kind } else { format!("{kind}<{}>", without_paths(&class.data)) }
}

fn without_paths(path: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let mut rest = path.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else if c == ':' && rest.peek() == Some(&':') {
            rest.next();
            word.clear();
        } else {
            out.push_str(&word);
            word.clear();
            out.push(c);
        }
    }
    out + &word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_their_paths_and_nothing_else() {
        assert_eq!(without_paths("alloc::vec::Vec<core::option::Option<&'static str>>"), "Vec<Option<&'static str>>");
        assert_eq!(without_paths("(u8, a::B)"), "(u8, B)");
    }
}

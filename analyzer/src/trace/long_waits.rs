//! Threads that waited for long when a program was ended: what a hang that is no proven deadlock looks like.
//!
//! Guarantees: says who waits for what, where, what it holds and who holds what it wants; claims nothing about whether the wait
//! would ever have ended. Nothing is said of a program that came to its end, nor of threads in a deadlock that is
//! reported.
//!
//! Misses: programs of which only the events are there (`LongWait` records come with minor version 3 of the format).

use std::path::Path;

use lockcheck_tracker::event::{Held, WaitKind};

use super::names::{self, Names};
use super::recording::{LongWait, Recording, Written};
use super::{TraceError, read};

/// So many threads are named; of the others only the number.
const MOST_NAMED: usize = 16;

/// One line for each thread that waits, those that wait for locks first.
pub fn lines(recording: &Recording, names: &Names) -> Vec<String> {
    let deadlocked = |thread: u32| {
        recording.deadlocks.iter().any(|deadlock| deadlock.members.iter().any(|member| member.thread == thread))
    };
    let mut waits: Vec<&LongWait> =
        recording.long_waits.iter().filter(|(thread, _)| !deadlocked(**thread)).map(|(_, wait)| wait).collect();
    waits.sort_by_key(|wait| !matches!(wait.waits.kind, WaitKind::Lock | WaitKind::Once));
    let mut lines: Vec<String> = waits.iter().take(MOST_NAMED).map(|wait| line(recording, names, wait)).collect();
    if let Some(more) = waits.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        lines.push(format!("{more} more threads wait as well"));
    }
    lines
}

fn line(recording: &Recording, names: &Names, LongWait { waits, holders }: &LongWait) -> String {
    let mut line = format!(
        "{} waits for {}{}",
        names::actor(recording, waits.thread, waits.task),
        names.awaited(recording, waits),
        at(recording, waits.site, " at ")
    );
    for (thread, held) in holders {
        line +=
            &format!(", which {} holds{}", names::actor(recording, *thread, 0), at(recording, held.site, " since "));
    }
    let object =
        |held: &Held| format!("`{}`{}", names.object(recording, held.object), at(recording, held.site, " since "));
    let held: Vec<String> = waits.held.iter().map(object).collect();
    if !held.is_empty() {
        line += &format!(", and holds {}", held.join(" and "));
    }
    line
}

fn at(recording: &Recording, site: u32, word: &str) -> String {
    if site == 0 {
        return String::new();
    }
    let at = names::location(recording, site, String::new());
    format!("{word}{}:{}:{}", at.file, at.line, at.column)
}

/// The same for a trace that is still being written.
///
/// # Errors
/// Where the file cannot be read, or is no trace.
pub fn of_trace(path: &Path, written: Written<'_>) -> Result<Vec<String>, TraceError> {
    let mut recording = read::read_file(path, &mut Vec::new())?;
    recording.learn(written);
    Ok(lines(&recording, &Names::new(&recording)))
}

#[cfg(test)]
mod tests {
    use lockcheck_tracker::event::{BlockedThread, Mode, ObjectKind, Record};

    use super::*;

    fn wait(thread: u32, kind: WaitKind, object: u32, held: Vec<Held>) -> BlockedThread<'static> {
        BlockedThread { thread, task: 0, kind, object, mode: Mode::Exclusive, site: 2, held: held.into() }
    }

    fn recording(ended: &[u32]) -> Recording {
        let mut recording = Recording::default();
        let held = |object, site| Held { object, mode: Mode::Exclusive, site };
        let class = |id, name: &'static str| Record::Class {
            id,
            site: 1,
            kind: "Mutex".into(),
            data: "u8".into(),
            name: name.into(),
        };
        let records = [
            Record::Site { id: 1, line: 5, column: 9, file: "a.rs".into() },
            Record::Site { id: 2, line: 8, column: 3, file: "a.rs".into() },
            class(1, "table"),
            class(2, "news"),
            Record::Object { id: 1, class: 1, kind: ObjectKind::Mutex },
            Record::Object { id: 2, class: 2, kind: ObjectKind::Channel },
            Record::Thread { id: 1, parent: 0, site: 0, name: "main".into() },
            Record::Thread { id: 2, parent: 1, site: 0, name: "".into() },
            Record::LongWait {
                ended: false,
                waits: wait(1, WaitKind::Recv, 2, vec![held(1, 1)]),
                holders: vec![].into(),
            },
            Record::LongWait {
                ended: false,
                waits: wait(2, WaitKind::Lock, 1, vec![]),
                holders: vec![(1, held(1, 1))].into(),
            },
        ];
        records.into_iter().for_each(|record| recording.record(record));
        for thread in ended {
            let waits = wait(*thread, WaitKind::Lock, 1, vec![]);
            recording.record(Record::LongWait { ended: true, waits, holders: vec![].into() });
        }
        recording
    }

    fn told(recording: &Recording) -> Vec<String> {
        lines(recording, &Names::new(recording))
    }

    #[test]
    fn each_thread_that_waits_is_told_with_what_it_holds_and_who_is_in_its_way() {
        let expected = [
            "thread 2 waits for `table` at a.rs:8:3, which thread 1 `main` holds since a.rs:5:9",
            "thread 1 `main` waits for a message on `news` at a.rs:8:3, and holds `table` since a.rs:5:9",
        ];
        assert_eq!(told(&recording(&[])), expected);
    }

    #[test]
    fn waits_that_are_over_and_programs_that_ended_are_not_told() {
        assert_eq!(told(&recording(&[2])).len(), 1);
        let mut ended = recording(&[]);
        ended.record(Record::End);
        assert_eq!(told(&ended), Vec::<String>::new());
    }
}

//! Waits that last: for whoever looks at a program that hangs without a deadlock that can be proven.
//!
//! A thread that has waited for [`LONG`] writes down what for, what it holds and who holds what it wants; when it waits no
//! more, it says so. A thread may hold a lock while it waits for something that is not tracked, as input; nobody can
//! prove that the input never comes, but the reader of the report knows.
//!
//! Guarantees: one record per wait and one for its end; nothing is written for a wait that is shorter.
//!
//! Misses: waits with a time limit, which end by themselves; tasks of async runtimes; on other systems than Linux
//! on 64 bits, who holds the lock.

use std::time::Duration;

use super::{Goal, Wait, report::Member, table};
use crate::event::{BlockedThread, Held, Mode, Record};
use crate::held::{Entry, peek};
use crate::raw::List;
use crate::{names, record, threads};

/// From here on a wait is long.
pub(super) const LONG: Duration = Duration::from_secs(2);
/// Looking at the other threads takes no longer.
const LOOK: Duration = Duration::from_millis(50);

/// The calling thread, which stands at this place of the table, has waited for long, or, where `ended`, waits no more.
pub(super) fn note(place: usize, wait: Wait, ended: bool) {
    if !record::is_on() {
        return;
    }
    let mut held = List::new();
    let table = table();
    let member = table.get(place).map(|waiting| Member::new(waiting, &mut held));
    drop(table);
    let Some(Member { number: thread, task, kind, object, mode, site, .. }) = member else { return };
    let held: Vec<Held> = held.iter().map(Entry::record).collect();
    let waits = BlockedThread { thread, task, kind, object, mode, site: names::site(site), held: held.into() };
    let holders = if ended { Vec::new() } else { holders(wait) };
    record::record(&Record::LongWait { ended, waits, holders: holders.into() });
}

/// Who holds what `wait` is for.
fn holders(wait: Wait) -> Vec<(u32, Held)> {
    let mut out = Vec::new();
    match wait.goal {
        Goal::Lock(wanted) => threads::each(LOOK, |thread| {
            let held = peek::held_at(thread.held());
            let in_the_way =
                |entry: &&Entry| entry.lock.lock() == wanted.lock() && entry.lock.mode().conflicts(wanted.mode());
            out.extend(held.iter().rev().find(in_the_way).map(|entry| (thread.number(), entry.record())));
        }),
        // SAFETY: the calling thread borrows the cell that the number stands in.
        Goal::Once { cell, runner } => match unsafe { &*runner }.load(std::sync::atomic::Ordering::Acquire) {
            0 => {}
            runner => out.push((runner, Held { object: cell, mode: Mode::Exclusive, site: 0 })),
        },
        _ => {}
    }
    out.sort_unstable_by_key(|(thread, _)| *thread);
    out
}

//! An observed deadlock in words and as a record.
//!
//! Guarantees: the members that block each other come first, then those that only wait behind them; every hold and every
//! wait with its place.
//!
//! Misses: how the threads came there; the trace has it.

use super::Goal;
use super::quiet::Rests;
use super::reduce::Waiting;
use crate::event::{BlockedThread, DeadlockAction, Held, Mode, Record, WaitKind};
use crate::finding::{Evidence, Finding, Step, show};
use crate::held::Entry;
use crate::raw::List;
use crate::site::Site;
use crate::{names, record};

/// A member of a deadlock, copied out of the table.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) number: u32,
    pub(crate) task: u32,
    pub(crate) slot: u32,
    pub(crate) kind: WaitKind,
    pub(crate) object: u32,
    pub(crate) mode: Mode,
    pub(crate) all_tasks: bool,
    pub(crate) site: Site,
    /// Where its held locks stand in the list of all.
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Member {
    pub(super) fn new(waiting: &Waiting, held: &mut List<Entry>) -> Self {
        let (kind, object, mode) = waiting.kind();
        let start = held.len();
        held.extend(waiting.held());
        let Waiting { number, task, slot, wait, held_len: len, .. } = *waiting;
        let all_tasks = matches!(wait.goal, Goal::Idle { .. });
        Member { number, task, slot, kind, object, mode, all_tasks, site: wait.site, start, len }
    }

    pub(super) fn is_of(&self, thread: u32) -> bool {
        self.number == thread
    }

    pub(super) fn site(&self) -> Site {
        self.site
    }

    fn wants(&self) -> String {
        let object = self.object;
        match self.kind {
            WaitKind::Join => format!("the end of {}", names::describe_thread(object)),
            WaitKind::Slot if self.all_tasks => format!("the end of all tasks of pool {}", names::describe(object)),
            WaitKind::Slot => format!("a free slot of pool {}", names::describe(object)),
            WaitKind::Task => format!("the result of task {object}"),
            WaitKind::Condvar => format!("a notification of {}", names::describe(object)),
            WaitKind::Recv => format!("a message on {}", names::describe(object)),
            WaitKind::Send => format!("room in {}", names::describe(object)),
            WaitKind::Barrier => format!("the other threads at {}", names::describe(object)),
            WaitKind::Once => format!("the initialisation of {}", names::describe(object)),
            WaitKind::Permits => format!("permits of {}", names::describe(object)),
            WaitKind::Park => String::from("an `unpark`"),
            _ if self.mode == Mode::Shared => format!("{} (read)", names::describe(object)),
            _ => names::describe(object),
        }
    }
}

/// Writes the deadlock down and puts it into words.
pub(crate) fn report(
    closer: u32,
    members: &[Member],
    core: usize,
    held: &[Entry],
    action: DeadlockAction,
    rests: Rests,
) -> Finding {
    let held_by = |member: &Member| &held[member.start..member.start + member.len];
    let recorded: Vec<BlockedThread<'_>> = members
        .iter()
        .map(|member| {
            let Member { number: thread, task, kind, object, mode, .. } = *member;
            let held: Vec<Held> = held_by(member).iter().map(Entry::record).collect();
            BlockedThread { thread, task, kind, object, mode, site: names::site(member.site), held: held.into() }
        })
        .collect();
    let deadlock = Record::Deadlock { closer, members: recorded.into(), action };
    match rests.count() {
        0 => record::record(&deadlock),
        untracked => {
            let others = !rests.is_main_only();
            record::records(&[Record::Rests { untracked, others }, deadlock]);
        }
    }
    let head = match core {
        1 => "deadlock: this thread waits for what no other thread can bring about any more",
        _ => "deadlock: these threads wait for each other and none can go on",
    };
    let mut message = String::from(head);
    let mut steps = Vec::new();
    for (at, member) in members.iter().enumerate() {
        if at == core {
            message += "\nbehind them:";
        }
        let (wants, site, thread) = (member.wants(), member.site.location(), member.number);
        message += &format!("\n  {} waits for {wants} at {}", names::describe_thread(thread), show(site));
        if member.slot != 0 {
            message += &format!(", in a slot of pool {}", names::describe(member.slot));
        }
        for entry in held_by(member) {
            let (lock, site) = (names::describe(entry.lock.lock()), entry.site.location());
            message += &format!(", holds {lock} since {}", show(site));
            steps.push(Step { thread, action: format!("holds {lock}"), site });
        }
        steps.push(Step { thread, action: format!("waits for {wants}"), site });
    }
    match rests.count() {
        0 => {}
        _ if rests.is_main_only() => message += "\nthe main thread, which is not tracked, does nothing but wait",
        count => message += &format!("\n{count} threads that are not tracked do nothing but wait"),
    }
    let only_pool = members[..core].iter().all(|member| matches!(member.kind, WaitKind::Slot | WaitKind::Task));
    let rule = if only_pool { "pool_starvation" } else { "deadlock" };
    Finding { rule, evidence: Evidence::Observed, message, steps }
}

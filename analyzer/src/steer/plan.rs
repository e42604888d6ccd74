//! The schedule of one predicted deadlock, in the tracker's file format (`schedule/file.rs` there): the acquisitions of
//! the witness in the order of the run, and where the threads of the deadlock stand then.
//!
//! Guarantees: linear in the run per plan.

use std::fmt::Write;

use lockcheck_tracker::event::{Event, Held, Op, flag};

use super::Plan;
use super::actors::Keys;
use crate::finding::Fingerprint;
use crate::rules;
use crate::trace::history::{AbstractAcquire, History};
use crate::trace::predict::{Prediction, Predictions};
use crate::trace::tasks::Actors;
use crate::trace::{Names, Recording, names};

/// How long, in milliseconds, a steered run may stand still before the schedule is given up.
const PATIENCE: u32 = 500;
/// Plans that are made of one run.
const MOST: usize = 64;

/// A run that plans are made of.
pub(super) struct Run<'a> {
    pub(super) recording: &'a Recording,
    actors: &'a Actors,
    history: &'a History,
    pub(super) names: &'a Names,
    keys: Keys,
}

impl<'a> Run<'a> {
    pub(super) fn new(recording: &'a Recording, actors: &'a Actors, history: &'a History, names: &'a Names) -> Self {
        Run { recording, actors, history, names, keys: Keys::new(recording) }
    }

    pub(super) fn plans(&self, predictions: &Predictions) -> Vec<Plan> {
        let locks = predictions.deadlocks.iter().map(|found| (&self.history.acquires, found));
        let signals = predictions.signals.iter().map(|found| (&self.history.signals.acquires, found));
        let mut plans: Vec<Plan> = Vec::new();
        let mut all: Vec<_> = locks.chain(signals).collect();
        all.sort_by_key(|(_, found)| (!found.writers.is_empty(), found.blocked.len()));
        for (acquires, found) in all {
            let fingerprint = self.fingerprint(acquires, found);
            if plans.len() < MOST && plans.iter().all(|known| known.fingerprint != fingerprint) {
                plans.push(Plan { fingerprint, text: self.text(acquires, found), hangs: true });
            }
        }
        plans
    }

    fn fingerprint(&self, acquires: &[AbstractAcquire], found: &Prediction) -> Fingerprint {
        let wanted = found.blocked.iter().map(|part| acquires[part.acquire as usize].wanted.object);
        let keys: Vec<String> = wanted.clone().map(|object| self.names.key(self.recording, object)).collect();
        let signal = wanted.into_iter().any(|object| self.history.signals.is_signal(object));
        rules::predicted_fingerprint(signal, &keys)
    }

    fn text(&self, acquires: &[AbstractAcquire], found: &Prediction) -> String {
        let mut out = self.head();
        for (index, number) in self.actors.ordered.threads.iter().enumerate() {
            out.push_str(&self.thread_line(*number, self.actors.tasks.get(index).copied().unwrap_or(0)));
        }
        out.push_str("steps");
        for (thread, count) in self.steps(&found.witness) {
            let _ = write!(out, " {thread}x{count}");
        }
        out.push('\n');
        let blocked = &found.blocked;
        for (at, part) in blocked.iter().enumerate() {
            let own = &acquires[part.acquire as usize];
            if self.history.signals.is_signal(own.wanted.object) {
                continue;
            }
            let before = &acquires[blocked[(at + blocked.len() - 1) % blocked.len()].acquire as usize];
            let held = self.history.stack(&part.instance).iter().find(|held| held.object == before.wanted.object);
            let held = held.map_or("-".to_owned(), |held| self.place(held));
            let _ = writeln!(out, "stop {} {} {held}", own.thread, self.place(&own.wanted));
        }
        for writer in &found.writers {
            let writer = &self.history.writers[*writer as usize];
            let _ = writeln!(out, "writer {} {}", writer.thread, self.place(&writer.wanted));
        }
        out
    }

    /// The acquisitions that may wait, up to the times of the witness: who, and how many in a row.
    fn steps(&self, witness: &[u32]) -> Vec<(u32, u32)> {
        let mut times = vec![0; self.actors.ordered.threads.len()];
        let mut steps: Vec<(u32, u32)> = Vec::new();
        for (thread, event) in self.actors.ordered.events() {
            // As the clocks count: a request stands where its acquisition will stand.
            if event.op().is_none_or(|op| op == Op::Request) {
                continue;
            }
            times[thread as usize] += 1;
            let waits = event.op() == Some(Op::Acquire) && event.flags & flag::TRY == 0;
            if !waits || times[thread as usize] > witness[thread as usize] {
                continue;
            }
            match steps.last_mut() {
                Some((last, count)) if *last == thread => *count += 1,
                _ => steps.push((thread, 1)),
            }
        }
        steps
    }

    /// The lines that every schedule begins with.
    pub(super) fn head(&self) -> String {
        format!("lockcheck schedule 1\npatience {PATIENCE}\n")
    }

    /// The line by which a thread or task is known.
    pub(super) fn thread_line(&self, thread: u32, task: u32) -> String {
        let name = names::actor(self.recording, thread, task).replace(['\n', '\r'], " ");
        format!("thread {:016x} {name}\n", self.keys.of(thread, task))
    }

    /// The index of a thread or task in [`Run::events`].
    pub(super) fn index(&self, thread: u32, task: u32) -> Option<u32> {
        let mut all = self.actors.ordered.threads.iter().zip(&self.actors.tasks);
        all.position(|actor| actor == (&thread, &task)).and_then(|at| u32::try_from(at).ok())
    }

    /// The merged run, with threads and tasks as indexes.
    pub(super) fn events(&self) -> impl Iterator<Item = (u32, Event)> {
        self.actors.ordered.events()
    }

    fn place(&self, lock: &Held) -> String {
        self.place_of(lock.site)
    }

    /// A place as schedules write it.
    pub(super) fn place_of(&self, site: u32) -> String {
        match self.recording.sites.get(&site) {
            // The file stands last, so that it may have colons; a space would end it.
            Some(site) if !site.file.contains(char::is_whitespace) => {
                format!("{}:{}:{}", site.line, site.column, site.file)
            }
            _ => "-".to_owned(),
        }
    }
}

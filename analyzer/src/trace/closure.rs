//! The sync-preserving closure: the smallest set of events that must have run for a given set to be runnable, with
//! critical sections of each lock in the order of the trace.
//!
//! Guarantees: sound for the recorded events: if a request is outside the closure of what stands before all requests
//! of a pattern, the events of the closure, run in trace order, lead to a state in which every thread of the pattern
//! stands right before its request. The set only grows, so testing all instances of one pattern is linear in the trace.
//!
//! Source: Tunç, Mathur, Pavlogiannis and Viswanathan, PLDI 2023 (mutexes). The extension to read locks (a section
//! need not have ended if no later section in the set conflicts with it) is argued, not proven, and is tested.

use std::collections::VecDeque;

use lockcheck_tracker::event::Mode;

use super::clocks::Moment;
use super::history::{History, Section};

/// A set of events as one time per thread, closed on demand.
pub struct Closure<'a> {
    history: &'a History,
    /// By thread index: everything up to this time of the thread is in the set.
    times: Vec<u32>,
    /// By thread index: its acquisitions as (time, index of the lock), in order.
    taken: &'a [Vec<(u32, u32)>],
    /// By thread index: how many of them are in the set.
    cursors: Vec<usize>,
    dirty: VecDeque<u32>,
    is_dirty: Vec<bool>,
}

/// By thread index: its acquisitions as (time, index of the lock in [`History::sections`]), in order.
pub fn acquisitions(history: &History) -> Vec<Vec<(u32, u32)>> {
    let mut taken = vec![Vec::new(); history.threads.len()];
    for (lock, threads) in history.sections.values().enumerate() {
        for (thread, sections) in threads {
            taken[*thread as usize].extend(sections.iter().map(|section| (section.time, lock as u32)));
        }
    }
    taken.iter_mut().for_each(|list| list.sort_unstable());
    taken
}

impl<'a> Closure<'a> {
    /// The empty set. `taken` comes from [`acquisitions`].
    pub fn new(history: &'a History, taken: &'a [Vec<(u32, u32)>]) -> Self {
        Closure {
            history,
            times: vec![0; history.threads.len()],
            taken,
            cursors: vec![0; history.threads.len()],
            dirty: VecDeque::new(),
            is_dirty: vec![false; history.sections.len()],
        }
    }

    /// Whether the set contains the thread's event at this time.
    pub fn contains(&self, thread: u32, time: u32) -> bool {
        time <= self.times[thread as usize]
    }

    /// Adds everything up to `moment`.
    pub fn add(&mut self, moment: Moment) {
        for thread in 0..self.times.len() {
            let time = self.history.clocks.time_of(moment, thread as u32);
            if time <= self.times[thread] {
                continue;
            }
            self.times[thread] = time;
            while let Some((taken, lock)) = self.taken[thread].get(self.cursors[thread])
                && *taken <= time
            {
                self.cursors[thread] += 1;
                if !std::mem::replace(&mut self.is_dirty[*lock as usize], true) {
                    self.dirty.push_back(*lock);
                }
            }
        }
    }

    /// Closes the set; `false` where a lock would have to be given back that never was.
    pub fn close(&mut self) -> bool {
        while let Some(lock) = self.dirty.pop_front() {
            self.is_dirty[lock as usize] = false;
            let threads = &self.history.sections[lock as usize];
            // The last section of each thread that has begun: those before it have ended by thread order.
            let last = |thread: u32, sections: &'a [Section]| {
                let begun = sections.partition_point(|section| section.time <= self.times[thread as usize]);
                begun.checked_sub(1).map(|at| sections[at])
            };
            let begun: Vec<Section> = threads.iter().filter_map(|(thread, sections)| last(*thread, sections)).collect();
            let any = begun.iter().map(|section| section.order).max();
            let exclusive = begun.iter().filter_map(|section| section.exclusive).max();
            let upgradable = begun.iter().filter_map(|section| section.upgradable).max();
            for section in &begun {
                let later_conflict = match section.mode {
                    Mode::Exclusive => any,
                    Mode::Shared | Mode::SharedRecursive => exclusive,
                    Mode::Upgradable => exclusive.max(upgradable),
                };
                if later_conflict.is_some_and(|later| later > section.order) {
                    let Some(release) = section.release else { return false };
                    self.add(release);
                }
            }
        }
        true
    }

    /// By thread index: up to which time of the thread everything is in the set.
    pub fn times(&self) -> &[u32] {
        &self.times
    }
}

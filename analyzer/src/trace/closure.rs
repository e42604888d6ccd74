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
use super::history::History;
use super::sections::{Section, Sections};

/// The critical sections of a run, by lock and by the order in which each thread came to them.
pub struct Taken<'a> {
    history: &'a History,
    /// Those of one thread and one lock.
    series: Vec<Series<'a>>,
    /// By index of the lock in [`History::sections`]: its first series, with the next lock's behind it.
    of_lock: Vec<u32>,
    /// By thread index: the series of its acquisitions, in order.
    by_thread: Vec<Vec<u32>>,
}

struct Series<'a> {
    lock: u32,
    thread: u32,
    sections: &'a Sections,
}

impl<'a> Taken<'a> {
    /// O(critical sections), with four bytes for each besides those of the history.
    pub fn new(history: &'a History) -> Self {
        let mut taken = Taken { history, series: Vec::new(), of_lock: vec![0], by_thread: Vec::new() };
        for (lock, threads) in history.sections.values().enumerate() {
            let contended = threads.iter().filter(|(_, sections)| !sections.is_empty());
            taken.series.extend(contended.map(|(thread, sections)| Series {
                lock: lock as u32,
                thread: *thread,
                sections,
            }));
            taken.of_lock.push(taken.series.len() as u32);
        }
        for thread in 0..history.threads.len() as u32 {
            let own = || taken.series.iter().zip(0..).filter(|(series, _)| series.thread == thread);
            let mut all: Vec<(u32, u32)> = Vec::with_capacity(own().map(|(series, _)| series.sections.len()).sum());
            for (series, number) in own() {
                all.extend(series.sections.times().iter().map(|time| (*time, number)));
            }
            all.sort_unstable();
            taken.by_thread.push(all.into_iter().map(|(_, number)| number).collect());
        }
        taken
    }
}

/// A set of events as one time per thread, closed on demand.
pub struct Closure<'a> {
    taken: &'a Taken<'a>,
    /// By thread index: everything up to this time of the thread is in the set.
    times: Vec<u32>,
    /// By thread index: how many of its acquisitions are in the set.
    cursors: Vec<usize>,
    /// By series: the same.
    begun: Vec<u32>,
    dirty: VecDeque<u32>,
    is_dirty: Vec<bool>,
}

impl<'a> Closure<'a> {
    /// The empty set.
    pub fn new(taken: &'a Taken<'a>) -> Self {
        let threads = taken.by_thread.len();
        Closure {
            taken,
            times: vec![0; threads],
            cursors: vec![0; threads],
            begun: vec![0; taken.series.len()],
            dirty: VecDeque::new(),
            is_dirty: vec![false; taken.of_lock.len()],
        }
    }

    /// Whether the set contains the thread's event at this time.
    pub fn contains(&self, thread: u32, time: u32) -> bool {
        time <= self.times[thread as usize]
    }

    /// Adds everything up to `moment`.
    pub fn add(&mut self, moment: Moment) {
        for thread in 0..self.times.len() {
            let time = self.taken.history.clocks.time_of(moment, thread as u32);
            if time <= self.times[thread] {
                continue;
            }
            self.times[thread] = time;
            while let Some(number) = self.taken.by_thread[thread].get(self.cursors[thread]) {
                let series = &self.taken.series[*number as usize];
                let begun = &mut self.begun[*number as usize];
                if series.sections.times().get(*begun as usize).is_none_or(|taken| *taken > time) {
                    break;
                }
                *begun += 1;
                self.cursors[thread] += 1;
                if !std::mem::replace(&mut self.is_dirty[series.lock as usize], true) {
                    self.dirty.push_back(series.lock);
                }
            }
        }
    }

    /// Closes the set; `false` where a lock would have to be given back that never was.
    pub fn close(&mut self) -> bool {
        let taken = self.taken;
        let mut begun: Vec<(u32, u32, Section)> = Vec::new();
        while let Some(lock) = self.dirty.pop_front() {
            self.is_dirty[lock as usize] = false;
            // The last section of each thread that has begun: those before it have ended by thread order.
            begun.clear();
            for number in taken.of_lock[lock as usize]..taken.of_lock[lock as usize + 1] {
                let last = self.begun[number as usize].checked_sub(1);
                let section = |last: u32| taken.series[number as usize].sections.get(last as usize);
                begun.extend(last.and_then(|last| Some((number, last, section(last)?))));
            }
            let any = begun.iter().map(|(_, _, section)| section.order).max();
            let exclusive = begun.iter().filter_map(|(_, _, section)| section.exclusive).max();
            let upgradable = begun.iter().filter_map(|(_, _, section)| section.upgradable).max();
            for (number, last, section) in &begun {
                let later_conflict = match section.mode {
                    Mode::Exclusive => any,
                    Mode::Shared | Mode::SharedRecursive => exclusive,
                    Mode::Upgradable => exclusive.max(upgradable),
                };
                if later_conflict.is_some_and(|later| later > section.order) {
                    let series = &taken.series[*number as usize];
                    let release = series.sections.release(*last as usize, series.thread, &taken.history.clocks);
                    let Some(release) = release else {
                        return false;
                    };
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

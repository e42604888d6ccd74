//! The sync-preserving closure: the smallest set of events that must have run for a given set to be runnable, with
//! critical sections of each lock in the order of the trace.
//!
//! Guarantees: sound for the recorded events: if a request is outside the closure of what stands before all requests
//! of a pattern, the events of the closure, run in trace order, lead to a state in which every thread of the pattern
//! stands right before its request. The set only grows, so testing all instances of one pattern is linear in the trace.
//!
//! What a lock protects is not recorded, and may decide what a thread does next: a flag that is polled, a queue of jobs. So a set can
//! also be closed for [`Data::Kept`]: each critical section in it that has ended finds the data as in the run, because every section that
//! may have written them before has ended in the set too. Sections that are held at the end do not count, nor do those that the threads
//! of the pattern stand before: they are what the deadlock is about.
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

/// Whether ended critical sections must find the data that their lock protects as in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// They must.
    Kept,
    /// Only their order counts.
    Any,
}

/// A set of events as one time per thread, closed on demand.
pub struct Closure<'a> {
    taken: &'a Taken<'a>,
    data: Data,
    /// By thread index: the series whose last section in the set has not ended in it. For [`Data::Kept`].
    open: Vec<Vec<u32>>,
    /// By thread index: everything up to this time of the thread is in the set.
    times: Vec<u32>,
    /// By thread index: how many of its acquisitions are in the set.
    cursors: Vec<usize>,
    /// By series: the same.
    begun: Vec<u32>,
    dirty: VecDeque<u32>,
    is_dirty: Vec<bool>,
    /// The requests that the set is to end before: thread indexes and their own times.
    pub stands: Vec<(u32, u32)>,
}

impl<'a> Closure<'a> {
    /// The empty set.
    pub fn new(taken: &'a Taken<'a>, data: Data) -> Self {
        let threads = taken.by_thread.len();
        Closure {
            taken,
            data,
            open: vec![Vec::new(); threads],
            times: vec![0; threads],
            cursors: vec![0; threads],
            begun: vec![0; taken.series.len()],
            dirty: VecDeque::new(),
            is_dirty: vec![false; taken.of_lock.len()],
            stands: Vec::new(),
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
            if self.data == Data::Kept {
                self.end_sections(thread);
            }
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
                if self.data == Data::Kept && !self.open[thread].contains(number) {
                    self.open[thread].push(*number);
                }
            }
            if self.data == Data::Kept {
                self.end_sections(thread);
            }
        }
    }

    /// Whether the last section of the series in the set has ended in it. One that another thread ended counts as ended.
    fn has_ended(&self, number: u32) -> bool {
        let series = &self.taken.series[number as usize];
        let Some(last) = self.begun[number as usize].checked_sub(1) else { return true };
        let release = series.sections.release(last as usize, series.thread, &self.taken.history.clocks);
        release.is_some_and(|release| release.thread != series.thread || self.contains(series.thread, release.time))
    }

    /// The locks of sections that the thread has ended by now must be looked at again.
    fn end_sections(&mut self, thread: usize) {
        let mut open = std::mem::take(&mut self.open[thread]);
        open.retain(|number| {
            let ended = self.has_ended(*number);
            let lock = self.taken.series[*number as usize].lock;
            if ended && !std::mem::replace(&mut self.is_dirty[lock as usize], true) {
                self.dirty.push_back(lock);
            }
            !ended
        });
        self.open[thread] = open;
    }

    /// For each series of the lock, its last section in the set that has ended in it.
    fn ended(&self, lock: usize) -> impl Iterator<Item = (u32, Section)> {
        let numbers = self.taken.of_lock[lock]..self.taken.of_lock[lock + 1];
        numbers.filter_map(|number| {
            let begun = self.begun[number as usize] as usize;
            let ended = if self.has_ended(number) { begun } else { begun - 1 };
            let section = self.taken.series[number as usize].sections.get(ended.checked_sub(1)?)?;
            Some((number, section))
        })
    }

    /// The writing sections of other threads that ended ones of this lock come after in the run, and that have not ended in the
    /// set: series and place. O(threads).
    fn left_out(&self, lock: usize) -> Vec<(u32, usize)> {
        // What the last ended section comes after, those before it need not be asked for; its own thread asks the one before.
        let mut last: Option<(u32, u32)> = None;
        let mut before = None;
        for (number, section) in self.ended(lock) {
            let own = Some((section.order, number));
            (last, before) = if own > last { (own, last) } else { (last, before.max(own)) };
        }
        let mut left_out = Vec::new();
        for other in self.taken.of_lock[lock]..self.taken.of_lock[lock + 1] {
            let asks = if last.is_some_and(|last| last.1 == other) { before } else { last };
            let series = &self.taken.series[other as usize];
            let Some(place) = asks.and_then(|asks| series.sections.writer_before(asks.0)) else { continue };
            let begun = self.begun[other as usize] as usize;
            let ended = place + 1 < begun || place + 1 == begun && self.has_ended(other);
            let stands = |time: &u32| self.stands.contains(&(series.thread, *time));
            if !ended && !series.sections.times().get(place).is_some_and(stands) {
                left_out.push((other, place));
            }
        }
        left_out
    }

    /// The lock whose data an ended section in the set may find otherwise than in the run: the one whose section was left out
    /// first.
    pub fn doubt(&self) -> Option<u32> {
        let sections = &self.taken.history.sections;
        let order =
            |(number, place): (u32, usize)| self.taken.series[number as usize].sections.get(place).map(|s| s.order);
        let first = |lock: usize| Some((self.left_out(lock).into_iter().filter_map(order).min()?, lock));
        let (_, lock) = (0..sections.len()).filter_map(first).min()?;
        sections.get_index(lock).map(|(lock, _)| *lock)
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
            if self.data == Data::Kept {
                for (number, place) in self.left_out(lock as usize) {
                    let series = &taken.series[number as usize];
                    let release = series.sections.release(place, series.thread, &taken.history.clocks);
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

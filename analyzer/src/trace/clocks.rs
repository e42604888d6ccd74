//! Vector clocks that are cheap to keep for every event.
//!
//! Guarantees: a clock is stored only where a thread learned something from another one; between two such places an
//! event is a version number and the thread's own time. Memory: one `u32` per thread and version.
//!
//! Source: vector time (Fidge, Mattern 1988); `e` came before `f` iff `time(e) <= clock(f)[thread(e)]`.

/// When something happened, seen from one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Thread index.
    pub thread: u32,
    /// The thread's own time: number of its events so far.
    pub time: u32,
    version: u32,
}

/// All stored clocks, and the current one of each thread.
#[derive(Clone, Debug, Default)]
pub struct Clocks {
    width: usize,
    stored: Vec<u32>,
    current: Vec<Vec<u32>>,
    /// By thread: its newest stored version.
    version: Vec<u32>,
    /// By thread: its own time when it learned something, and the version stored then.
    learned: Vec<Vec<(u32, u32)>>,
}

impl Clocks {
    /// Clocks for this many threads, all at zero.
    pub fn new(threads: usize) -> Self {
        Clocks {
            width: threads,
            stored: vec![0; threads],
            current: vec![vec![0; threads]; threads],
            version: vec![0; threads],
            learned: vec![Vec::new(); threads],
        }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.width
    }

    /// The thread does one more thing; gives when.
    pub fn tick(&mut self, thread: usize) -> Moment {
        self.current[thread][thread] += 1;
        self.now(thread)
    }

    /// Where the thread stands.
    pub fn now(&self, thread: usize) -> Moment {
        Moment { thread: thread as u32, time: self.current[thread][thread], version: self.version[thread] }
    }

    /// Everything up to `moment` now comes before what the thread does next.
    pub fn learn(&mut self, thread: usize, moment: Moment) {
        let from = moment.thread as usize;
        if from == thread || moment.time <= self.current[thread][from] && self.knows(thread, moment) {
            return;
        }
        let start = moment.version as usize * self.width;
        let current = &mut self.current[thread];
        let mut news = false;
        for (other, known) in current.iter_mut().enumerate().filter(|(other, _)| *other != thread) {
            let time = if other == from { moment.time } else { self.stored[start + other] };
            news |= time > *known;
            *known = time.max(*known);
        }
        if news {
            self.version[thread] = (self.stored.len() / self.width) as u32;
            self.stored.extend_from_slice(&self.current[thread]);
            self.learned[thread].push((self.current[thread][thread], self.version[thread]));
        }
    }

    fn knows(&self, thread: usize, moment: Moment) -> bool {
        let start = moment.version as usize * self.width;
        self.stored[start..start + self.width].iter().zip(&self.current[thread]).all(|(theirs, known)| theirs <= known)
    }

    /// The moment of the event that took the thread to this time.
    pub fn at(&self, thread: u32, time: u32) -> Moment {
        let learned = &self.learned[thread as usize];
        let before = learned.partition_point(|(since, _)| *since < time);
        let version = before.checked_sub(1).map_or(0, |last| learned[last].1);
        Moment { thread, time, version }
    }

    /// What `moment` knows of `thread`'s time.
    pub fn time_of(&self, moment: Moment, thread: u32) -> u32 {
        if thread == moment.thread {
            moment.time
        } else {
            self.stored[moment.version as usize * self.width + thread as usize]
        }
    }

    /// Whether `a` came before `b`, or is the same.
    pub fn before(&self, a: Moment, b: Moment) -> bool {
        a.time <= self.time_of(b, a.thread)
    }

    /// The moment's whole clock.
    pub fn clock(&self, moment: Moment) -> impl Iterator<Item = u32> {
        (0..self.width as u32).map(move |thread| self.time_of(moment, thread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_before_and_the_rest_is_not() {
        let mut clocks = Clocks::new(3);
        let first = clocks.tick(0);
        let early = clocks.tick(1);
        clocks.learn(1, first);
        let later = clocks.tick(1);
        clocks.learn(2, later);
        let last = clocks.tick(2);
        assert!(clocks.before(first, later) && clocks.before(first, last) && clocks.before(early, last));
        assert!(!clocks.before(first, early) && !clocks.before(last, first) && !clocks.before(later, first));
        assert_eq!(clocks.clock(last).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!([clocks.at(0, 1), clocks.at(1, 1), clocks.at(1, 2), clocks.at(2, 1)], [first, early, later, last]);
    }
}

//! The critical sections of one lock by one thread, in little memory: prediction needs them all, and they are most of what a
//! long run has.
//!
//! Guarantees: 12 bytes per section of a lock that is only taken exclusively, 21 of others. Read by place, in the order of the run.

use std::collections::BTreeMap;

use lockcheck_tracker::event::Mode;

use super::clocks::{Clocks, Moment};

const NEVER: u32 = u32::MAX;

/// One critical section.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Place of the acquisition in the merged run.
    pub order: u32,
    /// The thread's own time at the acquisition.
    pub time: u32,
    /// How.
    pub mode: Mode,
    /// `order` of this thread's last exclusive section of the lock, up to this one.
    pub exclusive: Option<u32>,
    /// `order` of this thread's last upgradable section of the lock, up to this one.
    pub upgradable: Option<u32>,
}

/// All sections of one lock by one thread.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    order: Vec<u32>,
    time: Vec<u32>,
    /// The thread's own time at the release.
    end: Vec<u32>,
    /// By place: releases by other threads.
    elsewhere: BTreeMap<u32, Moment>,
    /// Where not all are exclusive.
    modes: Vec<(Mode, u32, u32)>,
}

impl Sections {
    /// Room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        let room = || Vec::with_capacity(count);
        Sections { order: room(), time: room(), end: room(), ..Sections::default() }
    }

    /// Adds one that has begun.
    pub(super) fn begin(&mut self, order: u32, time: u32, mode: Mode) {
        if mode != Mode::Exclusive && self.modes.is_empty() {
            self.modes = self.order.iter().map(|order| (Mode::Exclusive, *order, NEVER)).collect();
        }
        if mode != Mode::Exclusive || !self.modes.is_empty() {
            let (_, exclusive, upgradable) = self.modes.last().copied().unwrap_or((mode, NEVER, NEVER));
            let last = |own, before| if mode == own { order } else { before };
            self.modes.push((mode, last(Mode::Exclusive, exclusive), last(Mode::Upgradable, upgradable)));
        }
        self.order.push(order);
        self.time.push(time);
        self.end.push(NEVER);
    }

    /// The last one, which belongs to this thread, has ended.
    pub(super) fn end(&mut self, thread: u32, release: Moment) {
        let Some(last) = self.end.len().checked_sub(1) else { return };
        if release.thread == thread {
            self.end[last] = release.time;
        } else {
            self.elsewhere.insert(last as u32, release);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The thread's own times at the acquisitions, in order.
    pub fn times(&self) -> &[u32] {
        &self.time
    }

    /// How many began before this place of the merged run.
    pub fn before(&self, order: u32) -> usize {
        self.order.partition_point(|own| *own < order)
    }

    /// The place of the last one before this place of the run that can have changed what the lock protects.
    pub fn writer_before(&self, order: u32) -> Option<usize> {
        let last = self.get(self.before(order).checked_sub(1)?)?;
        let writer = last.exclusive.max(last.upgradable)?;
        Some(self.before(writer))
    }

    /// The one at this place.
    pub fn get(&self, at: usize) -> Option<Section> {
        let (order, time) = (*self.order.get(at)?, *self.time.get(at)?);
        let (mode, exclusive, upgradable) = self.modes.get(at).copied().unwrap_or((Mode::Exclusive, order, NEVER));
        let known = |order| (order != NEVER).then_some(order);
        Some(Section { order, time, mode, exclusive: known(exclusive), upgradable: known(upgradable) })
    }

    /// When the one at this place was given back; `None` if never.
    pub fn release(&self, at: usize, thread: u32, clocks: &Clocks) -> Option<Moment> {
        match self.end.get(at) {
            Some(end) if *end != NEVER => Some(clocks.at(thread, *end)),
            _ => self.elsewhere.get(&(at as u32)).copied(),
        }
    }
}

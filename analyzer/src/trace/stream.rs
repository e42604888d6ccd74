//! One thread's events in little memory.
//!
//! What a thread does (op, mode, flags, object, place) is numbered the first time and told by its number afterwards; where it
//! comes after what it came after last time, it is not told at all but counted, so that the rounds of a loop take a few bytes
//! together. A sequence number is told as the step from the thread's last one of that object, and small steps are part of the number.
//!
//! Guarantees: what was pushed comes out again, in order and unchanged. Memory: one to five bytes for most events, less where they
//! repeat, at most 17; and some 60 bytes for each of the different things a thread does, up to [`MOST_KINDS`] of them. Pushing and
//! reading are O(1) per event, except that reading starts with a copy of tables as long as the numbering.

use lockcheck_tracker::event::{EVENT_LEN, Event};
use rustc_hash::FxHashMap;

/// Different things that are numbered; what is new beyond that is kept as it is.
pub const MOST_KINDS: usize = 1 << 16;

const NONE: u32 = u32::MAX;

/// How the sequence number is told.
const ZERO: u8 = 0;
/// From here on: the last one, and so many more.
const STEP: u8 = 1;
const FAR: u8 = 5;

/// The low two bits of a token: how many events came as they did last time...
const RUN: u64 = 0;
/// ...or the number of what came...
const KIND: u64 = 1;
/// ...or an event as it is.
const RAW: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    raw_op: u8,
    raw_mode: u8,
    flags: u8,
    step: u8,
    object: u32,
    site: u32,
    /// The object's place in the table of last sequence numbers.
    slot: u32,
}

impl Kind {
    fn fits(&self, event: &Event, last: u32) -> bool {
        self.object == event.object
            && self.site == event.site
            && (self.raw_op, self.raw_mode, self.flags) == (event.raw_op, event.raw_mode, event.flags)
            && self.step == step(event.seq, last)
    }
}

fn step(seq: u32, last: u32) -> u8 {
    match seq {
        0 => ZERO,
        _ => seq.checked_sub(last).filter(|by| *by < u32::from(FAR - STEP)).map_or(FAR, |by| STEP + by as u8),
    }
}

/// What is known after each event, to the one who writes and to the one who reads.
#[derive(Clone, Debug, Default)]
struct State {
    /// By number: what came after it last time.
    next: Vec<u32>,
    /// By slot: the last sequence number.
    last: Vec<u32>,
    /// The last event's number.
    before: Option<u32>,
}

impl State {
    fn foreseen(&self) -> Option<u32> {
        self.before.map(|before| self.next[before as usize]).filter(|next| *next != NONE)
    }

    fn pass(&mut self, number: u32, slot: u32, seq: u32) {
        if let Some(before) = self.before.replace(number) {
            self.next[before as usize] = number;
        }
        if seq != 0 {
            self.last[slot as usize] = seq;
        }
    }
}

/// Events of one thread.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    kinds: Vec<Kind>,
    numbers: FxHashMap<Kind, u32>,
    slots: FxHashMap<u32, u32>,
    tokens: Vec<u8>,
    state: State,
    /// How many came as foreseen since the last token, and what must be told of their sequence numbers.
    run: u64,
    run_steps: Vec<u8>,
    len: usize,
}

impl Stream {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        self.len += 1;
        if let Some(number) = self.state.foreseen() {
            let kind = self.kinds[number as usize];
            let last = self.state.last[kind.slot as usize];
            if kind.fits(&event, last) {
                self.run += 1;
                if kind.step == FAR {
                    put(&mut self.run_steps, zigzag(event.seq, last));
                }
                self.state.pass(number, kind.slot, event.seq);
                return;
            }
        }
        self.end_run();
        let next_slot = self.state.last.len() as u32;
        let slot = match self.slots.get(&event.object) {
            Some(slot) => *slot,
            None if self.kinds.len() < MOST_KINDS => {
                self.slots.insert(event.object, next_slot);
                self.state.last.push(0);
                next_slot
            }
            None => return self.raw(&event),
        };
        let last = self.state.last[slot as usize];
        let Event { raw_op, raw_mode, flags, object, site, seq } = event;
        let kind = Kind { raw_op, raw_mode, flags, step: step(seq, last), object, site, slot };
        let number = match self.numbers.get(&kind) {
            Some(number) => *number,
            None if self.kinds.len() < MOST_KINDS => {
                self.numbers.insert(kind, self.kinds.len() as u32);
                self.kinds.push(kind);
                self.state.next.push(NONE);
                self.kinds.len() as u32 - 1
            }
            None => return self.raw(&event),
        };
        put(&mut self.tokens, u64::from(number) << 2 | KIND);
        if kind.step == FAR {
            put(&mut self.tokens, zigzag(seq, last));
        }
        self.state.pass(number, slot, seq);
    }

    fn raw(&mut self, event: &Event) {
        put(&mut self.tokens, RAW);
        self.tokens.extend(event.encode());
        self.state.before = None;
    }

    fn end_run(&mut self) {
        if self.run > 0 {
            put(&mut self.tokens, self.run << 2 | RUN);
            self.tokens.append(&mut self.run_steps);
            self.run = 0;
        }
    }

    /// No more is to come: gives back what only adding needs.
    pub fn finish(&mut self) {
        self.end_run();
        self.numbers = FxHashMap::default();
        self.slots = FxHashMap::default();
        self.run_steps = Vec::new();
        self.tokens.shrink_to_fit();
    }

    /// The events, from the first one on.
    pub fn iter(&self) -> Cursor<'_> {
        let state = State { next: vec![NONE; self.kinds.len()], last: vec![0; self.state.last.len()], before: None };
        Cursor { stream: self, at: 0, run: 0, in_last_run: false, state }
    }
}

impl Extend<Event> for Stream {
    fn extend<T: IntoIterator<Item = Event>>(&mut self, events: T) {
        events.into_iter().for_each(|event| self.push(event));
    }
}

impl FromIterator<Event> for Stream {
    fn from_iter<T: IntoIterator<Item = Event>>(events: T) -> Self {
        let mut stream = Stream::default();
        stream.extend(events);
        stream
    }
}

impl From<Vec<Event>> for Stream {
    fn from(events: Vec<Event>) -> Self {
        events.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Stream {
    type Item = Event;
    type IntoIter = Cursor<'a>;

    fn into_iter(self) -> Cursor<'a> {
        self.iter()
    }
}

/// A place in a [`Stream`].
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    stream: &'a Stream,
    at: usize,
    run: u64,
    /// Whether the run is read that no token has ended yet.
    in_last_run: bool,
    state: State,
}

impl Cursor<'_> {
    fn word(&mut self) -> Option<u64> {
        let bytes = if self.in_last_run { &self.stream.run_steps } else { &self.stream.tokens };
        get(bytes, &mut self.at)
    }

    fn event(&mut self, number: u32) -> Option<Event> {
        let kind = *self.stream.kinds.get(number as usize)?;
        let last = self.state.last[kind.slot as usize];
        let seq = match kind.step {
            ZERO => 0,
            FAR => {
                let word = self.word()?;
                last.wrapping_add((word >> 1) as u32 ^ if word & 1 != 0 { u32::MAX } else { 0 })
            }
            by => last.wrapping_add(u32::from(by - STEP)),
        };
        self.state.pass(number, kind.slot, seq);
        let Kind { raw_op, raw_mode, flags, object, site, .. } = kind;
        Some(Event { raw_op, raw_mode, flags, object, site, seq })
    }
}

impl Iterator for Cursor<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.run == 0 {
            if self.in_last_run {
                return None;
            }
            match self.word() {
                Some(token) if token & 3 == RUN => self.run = token >> 2,
                Some(token) if token & 3 == KIND => return self.event((token >> 2) as u32),
                Some(_) => {
                    let event = self.stream.tokens.get(self.at..)?.first_chunk::<EVENT_LEN>().map(Event::decode);
                    self.at += EVENT_LEN;
                    self.state.before = None;
                    return event;
                }
                None => {
                    (self.in_last_run, self.run, self.at) = (true, self.stream.run, 0);
                    if self.run == 0 {
                        return None;
                    }
                }
            }
        }
        self.run -= 1;
        let number = self.state.foreseen()?;
        self.event(number)
    }
}

/// The step between two numbers, small for small steps either way.
fn zigzag(seq: u32, last: u32) -> u64 {
    let by = seq.wrapping_sub(last) as i32;
    u64::from((by as u32) << 1 ^ (by >> 31) as u32)
}

/// Seven bits to the byte, lowest first.
pub(super) fn put(out: &mut Vec<u8>, mut word: u64) {
    while word >= 0x80 {
        out.push(word as u8 | 0x80);
        word >>= 7;
    }
    out.push(word as u8);
}

/// Reads what [`put`] wrote; `None` at the end.
pub(super) fn get(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let (mut word, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        word |= u64::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 || shift > 63 {
            return Some(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use lockcheck_tracker::event::Op;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_pushed_comes_out_again(
            events in proptest::collection::vec((0..4u8, 0..3u32, prop_oneof![0..9u32, any::<u32>()], any::<bool>()), 0..200),
            finished in any::<bool>(),
        ) {
            let event = |(op, object, seq, shared): (u8, u32, u32, bool)| {
                Event { raw_op: op + 1, raw_mode: shared.into(), flags: 0, object, site: object, seq }
            };
            let events: Vec<Event> = events.into_iter().map(event).collect();
            let mut stream: Stream = events.iter().copied().collect();
            prop_assert_eq!(stream.iter().collect::<Vec<_>>(), events.clone());
            if finished {
                stream.finish();
                prop_assert_eq!(stream.iter().collect::<Vec<_>>(), events);
            }
        }
    }

    #[test]
    fn the_rounds_of_a_loop_take_hardly_any_memory() {
        let round = |n: u32| {
            [
                Event::new(Op::Request, 7, 3, 0),
                Event::new(Op::Acquire, 7, 3, 3 * n),
                Event::new(Op::Release, 7, 0, 3 * n + 1),
            ]
        };
        let stream: Stream = (1..100_000).flat_map(round).collect();
        assert_eq!(stream.len(), 299_997);
        assert!(stream.tokens.len() + stream.run_steps.len() < 100, "{} bytes", stream.tokens.len());
        assert!(stream.iter().eq((1..100_000).flat_map(round)));
    }

    #[test]
    fn what_is_new_beyond_the_numbering_is_kept_as_it_is() {
        let event = |n: u32| Event::new(Op::Acquire, n % 70_000, 1, n);
        let stream: Stream = (1..150_000).map(event).collect();
        assert_eq!(stream.kinds.len(), MOST_KINDS);
        assert!(stream.iter().eq((1..150_000).map(event)));
    }
}

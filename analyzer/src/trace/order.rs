//! Merges the threads' streams of events into one legal order of the whole run.
//!
//! Guarantees: each thread's events keep their order; events on one object stand in the order of its sequence
//! numbers; a thread begins after its fork and is joined after its end; a task begins after its submission and is
//! joined after its end; a message, a notification, an `unpark`, a one-time initialisation come before what they
//! let go on; everybody arrives at a barrier before anybody leaves it. Only events that the trace contains are waited
//! for, so lost events block nothing. Where nothing can go on all the same, the trace contradicts itself: the thread
//! with the oldest head is let through and a gap is counted. O(events), besides sorting the sequence
//! numbers that are far apart. Memory: what the streams take, two bytes for each change from one thread to another, and the sequence
//! numbers (`turns`).
//!
//! Misses: wall-clock time; of the many orders that were possible, one is taken.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;

use lockcheck_tracker::event::{Event, Op};
use rustc_hash::{FxHashMap, FxHashSet};

use super::stream::{self, Cursor, Stream};
use super::turns::{Extent, Seqs, Turns};

/// The merged run: the streams, and whose turn it is for how long.
#[derive(Clone, Debug, Default)]
pub struct Ordered {
    /// By thread index: the thread's number.
    pub threads: Vec<u32>,
    /// How often the trace contradicted itself.
    pub gaps: usize,
    streams: Vec<Stream>,
    /// Pairs of a stream and a number of its events, as [`stream::put`] writes them.
    runs: Vec<u8>,
    /// By stream: from which of its events on they are of another thread index. In order.
    changes: Vec<Vec<(u32, u32)>>,
    ops: FxHashSet<u8>,
    flags: u8,
    len: usize,
}

impl Ordered {
    /// Thread index and event, in order. Each time costs a decoding of the whole run.
    pub fn events(&self) -> Events<'_> {
        Events {
            ordered: self,
            cursors: self.streams.iter().map(|stream| (stream.iter(), 0)).collect(),
            changes: self.changes.iter().map(|changes| changes.iter().peekable()).collect(),
            actors: (0..self.streams.len() as u32).collect(),
            at: 0,
            stream: 0,
            left: 0,
        }
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether one of these stands in the run.
    pub fn has(&self, ops: &[Op]) -> bool {
        ops.iter().any(|op| self.ops.contains(&(*op as u8)))
    }

    /// Whether some event has one of these flags.
    pub fn has_flag(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// From the given event of a stream on (counted within it), its events are of another thread index.
    pub(super) fn change(&mut self, stream: usize, from: u32, thread: u32) {
        let streams = self.streams.len();
        self.changes.resize_with(streams, Vec::new);
        if let Some(changes) = self.changes.get_mut(stream) {
            let at = changes.partition_point(|change| change.0 <= from);
            changes.insert(at, (from, thread));
        }
    }
}

/// Steps through an [`Ordered`] run.
pub struct Events<'a> {
    ordered: &'a Ordered,
    cursors: Vec<(Cursor<'a>, u32)>,
    changes: Vec<Peekable<std::slice::Iter<'a, (u32, u32)>>>,
    actors: Vec<u32>,
    at: usize,
    stream: usize,
    left: u64,
}

impl Iterator for Events<'_> {
    type Item = (u32, Event);

    fn next(&mut self) -> Option<(u32, Event)> {
        while self.left == 0 {
            self.stream = stream::get(&self.ordered.runs, &mut self.at)? as usize;
            self.left = stream::get(&self.ordered.runs, &mut self.at)?;
        }
        self.left -= 1;
        let (cursor, passed) = &mut self.cursors[self.stream];
        let event = cursor.next()?;
        if let Some(changes) = self.changes.get_mut(self.stream) {
            while let Some((_, thread)) = changes.next_if(|change| change.0 <= *passed) {
                self.actors[self.stream] = *thread;
            }
        }
        *passed = passed.saturating_add(1);
        Some((self.actors[self.stream], event))
    }
}

/// What an event can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fact {
    /// The object's events up to this sequence number.
    Turn(u32, u32),
    Forked(u32),
    Ended(u32),
    Submitted(u32),
    TaskEnded(u32),
    Sent(u32, u32),
    Notified(u32, u32),
    Arrived(u32, u32),
    OnceDone(u32),
    Unparked(u32, u32),
}

/// Merges the streams, by thread number.
pub fn order<S: Into<Stream>>(streams: BTreeMap<u32, S>) -> Ordered {
    let threads: Vec<u32> = streams.keys().copied().collect();
    let mut streams: Vec<Stream> = streams.into_values().map(Into::into).collect();
    streams.iter_mut().for_each(Stream::finish);
    let (runs, gaps, ops, flags) = {
        let mut merge = Merge::new(&threads, &streams);
        merge.all();
        merge.end_run();
        (merge.runs, merge.gaps, merge.ops, merge.flags)
    };
    let len = streams.iter().map(Stream::len).sum();
    Ordered { threads, gaps, streams, runs, changes: Vec::new(), ops, flags, len }
}

struct Merge<'a> {
    threads: &'a [u32],
    streams: &'a [Stream],
    cursors: Vec<Cursor<'a>>,
    heads: Vec<Option<Event>>,
    /// By thread index: how many of its events have passed.
    next: Vec<usize>,
    turns: FxHashMap<u32, Turns>,
    /// Facts that an event not yet passed will establish, besides those of `coming`.
    pending: FxHashSet<Fact>,
    /// By [`numbered`]: messages and notifications of events not yet passed.
    coming: FxHashMap<(u8, u32), Seqs>,
    waiting: FxHashMap<Fact, Vec<usize>>,
    /// By barrier and generation: how many are still to arrive.
    absent: FxHashMap<(u32, u32), u32>,
    /// By thread index: for each of its barrier requests, the generation that let it through.
    generations: Vec<FxHashMap<usize, u32>>,
    /// By thread number: `unpark`s passed, and in all.
    unparks: FxHashMap<u32, (u32, u32)>,
    /// By thread index: `Unparked` passed.
    unparked: Vec<u32>,
    ops: FxHashSet<u8>,
    flags: u8,
    gaps: usize,
    runs: Vec<u8>,
    run: (usize, u64),
}

impl<'a> Merge<'a> {
    fn new(threads: &'a [u32], streams: &'a [Stream]) -> Self {
        let mut merge = Merge {
            threads,
            streams,
            cursors: streams.iter().map(Stream::iter).collect(),
            heads: Vec::new(),
            next: vec![0; streams.len()],
            turns: FxHashMap::default(),
            pending: FxHashSet::default(),
            coming: FxHashMap::default(),
            waiting: FxHashMap::default(),
            absent: FxHashMap::default(),
            generations: vec![FxHashMap::default(); streams.len()],
            unparks: FxHashMap::default(),
            unparked: vec![0; streams.len()],
            ops: FxHashSet::default(),
            flags: 0,
            gaps: 0,
            runs: Vec::new(),
            run: (0, 0),
        };
        merge.heads = merge.cursors.iter_mut().map(Iterator::next).collect();
        let mut extents: FxHashMap<u32, Extent> = FxHashMap::default();
        let mut coming: FxHashMap<(u8, u32), Extent> = FxHashMap::default();
        for thread in 0..streams.len() {
            merge.announce(thread, &mut extents, &mut coming);
        }
        merge.coming = coming.into_iter().map(|(key, extent)| (key, extent.seqs())).collect();
        merge.turns = extents.into_iter().map(|(object, extent)| (object, extent.turns())).collect();
        for event in streams.iter().flatten() {
            if event.op().is_some_and(|op| has_turn(op, &event))
                && let Some(turns) = merge.turns.get_mut(&event.object)
            {
                turns.add(event.seq);
            }
            if !merge.coming.is_empty()
                && let Some((key, seq)) = event.op().and_then(|op| establishes(op, &event)).and_then(numbered)
                && let Some(seqs) = merge.coming.get_mut(&key)
            {
                seqs.set(seq, true);
            }
        }
        merge.turns.values_mut().for_each(Turns::finish);
        merge
    }

    fn all(&mut self) {
        let mut ready: VecDeque<usize> = (0..self.streams.len()).collect();
        loop {
            while let Some(thread) = ready.pop_front() {
                while let Some(event) = self.heads[thread] {
                    if let Some(fact) = self.obstacle(thread, &event) {
                        self.waiting.entry(fact).or_default().push(thread);
                        break;
                    }
                    self.step(thread, event, &mut ready);
                }
            }
            let Some(thread) = self.oldest() else { break };
            self.waiting.values_mut().for_each(|waiters| waiters.retain(|waiter| *waiter != thread));
            self.gaps += 1;
            if let Some(event) = self.heads[thread] {
                self.step(thread, event, &mut ready);
            }
            ready.push_back(thread);
        }
    }

    fn end_run(&mut self) {
        if self.run.1 > 0 {
            stream::put(&mut self.runs, self.run.0 as u64);
            stream::put(&mut self.runs, self.run.1);
        }
    }

    /// Notes what the thread's events will establish.
    fn announce(
        &mut self,
        thread: usize,
        extents: &mut FxHashMap<u32, Extent>,
        coming: &mut FxHashMap<(u8, u32), Extent>,
    ) {
        let stream = &self.streams[thread];
        let mut arrived: FxHashMap<u32, usize> = FxHashMap::default();
        for (at, event) in stream.iter().enumerate() {
            let Some(op) = event.op() else { continue };
            self.ops.insert(event.raw_op);
            self.flags |= event.flags;
            if has_turn(op, &event) {
                extents.entry(event.object).or_insert_with(|| Extent::of(event.seq)).add(event.seq);
            }
            match op {
                Op::BarrierRequest => {
                    arrived.insert(event.object, at);
                }
                Op::Barrier => {
                    if let Some(request) = arrived.remove(&event.object) {
                        self.generations[thread].insert(request, event.seq);
                        *self.absent.entry((event.object, event.seq)).or_default() += 1;
                        self.pending.insert(Fact::Arrived(event.object, event.seq));
                    }
                }
                Op::Unpark => {
                    let (_, all) = self.unparks.entry(event.object).or_default();
                    *all += 1;
                    self.pending.insert(Fact::Unparked(event.object, *all));
                }
                _ => {
                    let fact = establishes(op, &event);
                    match fact.and_then(numbered) {
                        Some((key, seq)) => coming.entry(key).or_insert_with(|| Extent::of(seq)).add(seq),
                        None => self.pending.extend(fact),
                    }
                }
            }
        }
        if !stream.is_empty() {
            self.pending.insert(Fact::Ended(self.threads[thread]));
        }
    }

    /// What the event has to wait for.
    fn obstacle(&mut self, thread: usize, event: &Event) -> Option<Fact> {
        let number = self.threads[thread];
        let forked = Fact::Forked(number);
        if self.next[thread] == 0 && self.pending.contains(&forked) {
            return Some(forked);
        }
        let op = event.op()?;
        let fact = match op {
            Op::Join if event.object != number => Fact::Ended(event.object),
            Op::TaskBegin => Fact::Submitted(event.object),
            Op::TaskJoin => Fact::TaskEnded(event.object),
            Op::Recv => Fact::Sent(event.object, event.seq),
            Op::WaitEnd if event.seq != 0 => Fact::Notified(event.object, event.seq),
            Op::Barrier => Fact::Arrived(event.object, event.seq),
            Op::OnceSeen => Fact::OnceDone(event.object),
            Op::Unparked => {
                let (_, all) = self.unparks.get(&number).copied().unwrap_or_default();
                Fact::Unparked(number, (self.unparked[thread] + 1).min(all))
            }
            _ if has_turn(op, event) => {
                let current = self.turns.get_mut(&event.object)?.current()?;
                return (event.seq > current).then_some(Fact::Turn(event.object, event.seq));
            }
            _ => return None,
        };
        self.is_pending(&fact).then_some(fact)
    }

    /// Passes the head of a thread and wakes who waited for it.
    fn step(&mut self, thread: usize, event: Event, ready: &mut VecDeque<usize>) {
        let number = self.threads[thread];
        let at = self.next[thread];
        self.next[thread] += 1;
        self.heads[thread] = self.cursors[thread].next();
        if self.run.0 != thread {
            self.end_run();
            self.run = (thread, 0);
        }
        self.run.1 += 1;
        let ended = self.next[thread] == self.streams[thread].len();
        if let Some(op) = event.op() {
            if has_turn(op, &event)
                && let Some(turns) = self.turns.get_mut(&event.object)
            {
                turns.take(event.seq);
                if let Some(current) = turns.current() {
                    self.wake(Fact::Turn(event.object, current), ready);
                }
            }
            match op {
                Op::BarrierRequest => {
                    if let Some(generation) = self.generations[thread].get(&at).copied() {
                        let absent = self.absent.entry((event.object, generation)).or_default();
                        *absent = absent.saturating_sub(1);
                        if *absent == 0 {
                            self.establish(Fact::Arrived(event.object, generation), ready);
                        }
                    }
                }
                Op::Unpark => {
                    let (passed, _) = self.unparks.entry(event.object).or_default();
                    *passed += 1;
                    let fact = Fact::Unparked(event.object, *passed);
                    self.establish(fact, ready);
                }
                Op::Unparked => self.unparked[thread] += 1,
                Op::ThreadEnd => self.establish(Fact::Ended(number), ready),
                _ => {
                    if let Some(fact) = establishes(op, &event) {
                        self.establish(fact, ready);
                    }
                }
            }
        }
        if ended {
            self.establish(Fact::Ended(number), ready);
        }
    }

    fn is_pending(&self, fact: &Fact) -> bool {
        match numbered(*fact) {
            Some((key, seq)) => self.coming.get(&key).is_some_and(|seqs| seqs.contains(seq)),
            None => self.pending.contains(fact),
        }
    }

    fn establish(&mut self, fact: Fact, ready: &mut VecDeque<usize>) {
        match numbered(fact) {
            Some((key, seq)) => {
                if let Some(seqs) = self.coming.get_mut(&key) {
                    seqs.set(seq, false);
                }
            }
            None => drop(self.pending.remove(&fact)),
        }
        self.wake(fact, ready);
    }

    fn wake(&mut self, fact: Fact, ready: &mut VecDeque<usize>) {
        if !self.waiting.is_empty() {
            ready.extend(self.waiting.remove(&fact).unwrap_or_default());
        }
    }

    /// The thread whose head has the smallest sequence number.
    fn oldest(&self) -> Option<usize> {
        (0..self.streams.len())
            .filter_map(|thread| self.heads[thread].map(|event| (event.seq, thread)))
            .min()
            .map(|(_, thread)| thread)
    }
}

/// Whether the event is ordered by its object's sequence number.
fn has_turn(op: Op, event: &Event) -> bool {
    event.seq != 0
        && matches!(
            op,
            Op::Acquire
                | Op::Release
                | Op::NotifyOne
                | Op::NotifyAll
                | Op::Read
                | Op::Write
                | Op::ReadWrite
                | Op::SlotAcquire
                | Op::SlotRelease
                | Op::OnceBegin
                | Op::OnceEnd
        )
}

/// Facts of which there is one for every so many events: kind and object, and the number.
fn numbered(fact: Fact) -> Option<((u8, u32), u32)> {
    match fact {
        Fact::Sent(object, seq) => Some(((0, object), seq)),
        Fact::Notified(object, seq) => Some(((1, object), seq)),
        _ => None,
    }
}

fn establishes(op: Op, event: &Event) -> Option<Fact> {
    Some(match op {
        Op::Fork => Fact::Forked(event.object),
        Op::Submit => Fact::Submitted(event.object),
        Op::TaskEnd => Fact::TaskEnded(event.object),
        Op::Send => Fact::Sent(event.object, event.seq),
        Op::NotifyOne | Op::NotifyAll => Fact::Notified(event.object, event.seq),
        Op::OnceEnd => Fact::OnceDone(event.object),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ops(ordered: &Ordered) -> Vec<(u32, Op)> {
        ordered.events().filter_map(|(thread, event)| Some((ordered.threads[thread as usize], event.op()?))).collect()
    }

    fn event(op: Op, object: u32, seq: u32) -> Event {
        Event::new(op, object, 0, seq)
    }

    #[test]
    fn sequence_numbers_forks_and_joins_decide_between_threads() {
        let main =
            vec![event(Op::Fork, 2, 0), event(Op::Acquire, 9, 3), event(Op::Release, 9, 4), event(Op::Join, 2, 0)];
        let other = vec![
            event(Op::ThreadBegin, 2, 0),
            event(Op::Acquire, 9, 1),
            event(Op::Release, 9, 2),
            event(Op::ThreadEnd, 2, 0),
        ];
        let ordered = order(BTreeMap::from([(1, main), (2, other)]));
        let expected = [
            (1, Op::Fork),
            (2, Op::ThreadBegin),
            (2, Op::Acquire),
            (2, Op::Release),
            (2, Op::ThreadEnd),
            (1, Op::Acquire),
            (1, Op::Release),
            (1, Op::Join),
        ];
        assert_eq!(ops(&ordered), expected);
        assert_eq!(ordered.gaps, 0);
    }

    #[test]
    fn a_contradiction_is_counted_and_passed() {
        let one = vec![event(Op::Acquire, 1, 2), event(Op::Acquire, 2, 1)];
        let two = vec![event(Op::Acquire, 2, 2), event(Op::Acquire, 1, 1)];
        let ordered = order(BTreeMap::from([(1, one), (2, two)]));
        assert_eq!((ordered.len(), ordered.gaps), (4, 1));
    }

    #[test]
    fn what_the_trace_lost_is_not_waited_for() {
        let ordered =
            order(BTreeMap::from([(3, vec![event(Op::Acquire, 1, 40), event(Op::Join, 7, 0), event(Op::Recv, 2, 5)])]));
        assert_eq!((ordered.len(), ordered.gaps), (3, 0));
    }

    #[test]
    fn a_barrier_lets_nobody_through_before_all_have_come() {
        let party = |thread: u32| {
            vec![
                event(Op::Write, 10 + thread, 1),
                event(Op::BarrierRequest, 5, 0),
                event(Op::Barrier, 5, 1),
                event(Op::Read, 5, 0),
            ]
        };
        let ordered = order(BTreeMap::from([(1, party(1)), (2, party(2)), (3, party(3))]));
        let seen = ops(&ordered);
        let last_request = seen.iter().rposition(|(_, op)| *op == Op::BarrierRequest);
        let first_through = seen.iter().position(|(_, op)| *op == Op::Barrier);
        assert!(last_request < first_through);
        assert_eq!(ordered.gaps, 0);
    }
}

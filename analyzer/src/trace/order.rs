//! Merges the threads' streams of events into one legal order of the whole run.
//!
//! Guarantees: each thread's events keep their order; events on one object stand in the order of its sequence
//! numbers; a thread begins after its fork and is joined after its end; a task begins after its submission and is
//! joined after its end; a message, a notification, an `unpark`, a one-time initialisation come before what they
//! let go on; everybody arrives at a barrier before anybody leaves it. Only events that the trace contains are waited
//! for, so lost events block nothing. Where nothing can go on all the same, the trace contradicts itself: the thread
//! with the oldest head is let through and a gap is counted. O(events), besides sorting the sequence numbers.
//!
//! Misses: wall-clock time; of the many orders that were possible, one is taken.

use std::collections::{BTreeMap, VecDeque};

use lockcheck_tracker::event::{Event, Op};
use rustc_hash::{FxHashMap, FxHashSet};

/// The merged run.
#[derive(Clone, Debug, Default)]
pub struct Ordered {
    /// By thread index: the thread's number.
    pub threads: Vec<u32>,
    /// Thread index and event, in order.
    pub events: Vec<(u32, Event)>,
    /// How often the trace contradicted itself.
    pub gaps: usize,
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

/// The sequence numbers of one object.
#[derive(Default)]
struct Turns {
    sorted: Vec<u32>,
    next: usize,
    /// Let through out of turn.
    early: BTreeMap<u32, u32>,
}

impl Turns {
    fn current(&mut self) -> Option<u32> {
        while let Some(seq) = self.sorted.get(self.next) {
            match self.early.get_mut(seq) {
                Some(count) if *count > 0 => *count -= 1,
                _ => return Some(*seq),
            }
            self.next += 1;
        }
        None
    }

    fn take(&mut self, seq: u32) {
        match self.current() {
            Some(current) if current == seq => self.next += 1,
            _ => *self.early.entry(seq).or_default() += 1,
        }
    }
}

/// Merges the streams, by thread number.
pub fn order(streams: BTreeMap<u32, Vec<Event>>) -> Ordered {
    let mut merge = Merge::new(streams);
    let mut ready: VecDeque<usize> = (0..merge.streams.len()).collect();
    loop {
        while let Some(thread) = ready.pop_front() {
            while let Some(event) = merge.head(thread) {
                if let Some(fact) = merge.obstacle(thread, &event) {
                    merge.waiting.entry(fact).or_default().push(thread);
                    break;
                }
                merge.step(thread, event, &mut ready);
            }
        }
        let Some(thread) = merge.oldest() else { break };
        merge.waiting.values_mut().for_each(|waiters| waiters.retain(|waiter| *waiter != thread));
        merge.out.gaps += 1;
        if let Some(event) = merge.head(thread) {
            merge.step(thread, event, &mut ready);
        }
        ready.push_back(thread);
    }
    merge.out
}

struct Merge {
    streams: Vec<Vec<Event>>,
    next: Vec<usize>,
    turns: FxHashMap<u32, Turns>,
    /// Facts that an event not yet passed will establish.
    pending: FxHashSet<Fact>,
    waiting: FxHashMap<Fact, Vec<usize>>,
    /// By barrier and generation: how many are still to arrive.
    absent: FxHashMap<(u32, u32), u32>,
    /// By thread index: for each of its barrier requests, the generation that let it through.
    generations: Vec<FxHashMap<usize, u32>>,
    /// By thread number: `unpark`s passed, and in all.
    unparks: FxHashMap<u32, (u32, u32)>,
    /// By thread index: `Unparked` passed.
    unparked: Vec<u32>,
    out: Ordered,
}

impl Merge {
    fn new(streams: BTreeMap<u32, Vec<Event>>) -> Self {
        let threads: Vec<u32> = streams.keys().copied().collect();
        let streams: Vec<Vec<Event>> = streams.into_values().collect();
        let total = streams.iter().map(Vec::len).sum();
        let mut merge = Merge {
            next: vec![0; streams.len()],
            turns: FxHashMap::default(),
            pending: FxHashSet::default(),
            waiting: FxHashMap::default(),
            absent: FxHashMap::default(),
            generations: vec![FxHashMap::default(); streams.len()],
            unparks: FxHashMap::default(),
            unparked: vec![0; streams.len()],
            out: Ordered { threads, events: Vec::with_capacity(total), gaps: 0 },
            streams,
        };
        for thread in 0..merge.streams.len() {
            merge.announce(thread);
        }
        merge.turns.values_mut().for_each(|turns| turns.sorted.sort_unstable());
        merge
    }

    /// Notes what the thread's events will establish.
    fn announce(&mut self, thread: usize) {
        let stream = &self.streams[thread];
        let mut arrived: FxHashMap<u32, usize> = FxHashMap::default();
        for (at, event) in stream.iter().enumerate() {
            let Some(op) = event.op() else { continue };
            if has_turn(op, event) {
                self.turns.entry(event.object).or_default().sorted.push(event.seq);
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
                    self.pending.extend(establishes(op, event));
                }
            }
        }
        if !stream.is_empty() {
            self.pending.insert(Fact::Ended(self.out.threads[thread]));
        }
    }

    fn head(&self, thread: usize) -> Option<Event> {
        self.streams[thread].get(self.next[thread]).copied()
    }

    /// What the event has to wait for.
    fn obstacle(&mut self, thread: usize, event: &Event) -> Option<Fact> {
        let number = self.out.threads[thread];
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
        self.pending.contains(&fact).then_some(fact)
    }

    /// Passes the head of a thread and wakes who waited for it.
    fn step(&mut self, thread: usize, event: Event, ready: &mut VecDeque<usize>) {
        let number = self.out.threads[thread];
        let at = self.next[thread];
        self.next[thread] += 1;
        self.out.events.push((thread as u32, event));
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

    fn establish(&mut self, fact: Fact, ready: &mut VecDeque<usize>) {
        self.pending.remove(&fact);
        self.wake(fact, ready);
    }

    fn wake(&mut self, fact: Fact, ready: &mut VecDeque<usize>) {
        ready.extend(self.waiting.remove(&fact).unwrap_or_default());
    }

    /// The thread whose head has the smallest sequence number.
    fn oldest(&self) -> Option<usize> {
        (0..self.streams.len())
            .filter_map(|thread| self.head(thread).map(|event| (event.seq, thread)))
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
        ordered
            .events
            .iter()
            .filter_map(|(thread, event)| Some((ordered.threads[*thread as usize], event.op()?)))
            .collect()
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
        assert_eq!((ordered.events.len(), ordered.gaps), (4, 1));
    }

    #[test]
    fn what_the_trace_lost_is_not_waited_for() {
        let ordered =
            order(BTreeMap::from([(3, vec![event(Op::Acquire, 1, 40), event(Op::Join, 7, 0), event(Op::Recv, 2, 5)])]));
        assert_eq!((ordered.events.len(), ordered.gaps), (3, 0));
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

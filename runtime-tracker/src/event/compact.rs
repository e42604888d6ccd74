//! Compact events: what the hot path writes in trace mode, two or three bytes for most pairs of lock and unlock.
//!
//! A frame of [`FrameKind::Compact`](super::FrameKind::Compact) holds tokens. The low four bits of a token's first byte
//! say what it is; a zero byte ends the frame, as room that was never written does. Each thread numbers what it takes
//! (a lock in a mode, at a site) in *slots*, and what it repeats is told by the slot alone:
//!
//! | token | bytes | means |
//! |---|---|---|
//! | [`ACQUIRE`] and up to four more | slot in the upper 12 of 16 bits | taken again, and nobody else took it exclusively in between; then the innermost lock is given back, none to four times |
//! | [`ACQUIRE_NEAR`] | and 1 | taken again after so many exclusive acquisitions by others |
//! | [`ACQUIRE_FAR`] | and 4 | taken again, with the sequence number |
//! | [`DEFINE`] | and 4, 4, 4 | taken: lock and mode (with [`TRY`] where it could not wait), site, sequence number; from now on the slot stands for them |
//! | [`RELEASE`] | 1 | the innermost lock is given back, as often as the upper four bits say and once more |
//! | [`RAW`] | 1 and 16 | an [`Event`] as it is |
//! | [`REPEAT`] | 10 | what the last so many tokens (bytes 8 and 9; all of the first kind) say is done again and again: so many times whole (bytes 5 to 7), then so many tokens (2 to 4), of the last of which byte 1 says how many of its releases |
//!
//! A lock's sequence number counts its exclusive (and upgradable) acquisitions. A shared acquisition carries the number of
//! the last exclusive one, so readers write nothing that other readers read. An acquisition that could wait and has no
//! [`Op::Request`] before it implies one.
//!
//! Guarantees: [`Decoder`] takes any bytes; it gives the events that stand before the first damage.
//!
//! Misses: the order of two shared acquisitions of one lock by different threads.

use std::collections::HashMap;

use super::{EVENT_LEN, Event, Mode, Op, flag};

/// See the table above.
pub const ACQUIRE: u8 = 1;
/// How many releases an [`ACQUIRE`] can have.
pub const RELEASES: u8 = 4;
/// See the table above.
pub const ACQUIRE_NEAR: u8 = 6;
/// See the table above.
pub const ACQUIRE_FAR: u8 = 7;
/// See the table above.
pub const DEFINE: u8 = 8;
/// See the table above.
pub const RELEASE: u8 = 9;
/// See the table above.
pub const RAW: u8 = 10;
/// See the table above.
pub const REPEAT: u8 = 11;
/// Length of a [`REPEAT`] in bytes.
pub const REPEAT_LEN: usize = 10;
/// In the lock of a [`DEFINE`]: the acquisition could not wait.
pub const TRY: u32 = 1 << 31;
/// How many slots there are.
pub const SLOTS: usize = 1 << 12;
/// The longest token in bytes.
pub const LONGEST: usize = 1 + EVENT_LEN;

/// By how much an acquisition in this mode raises its lock's sequence number.
#[inline(always)]
pub const fn step(mode: Mode) -> u32 {
    match mode {
        Mode::Exclusive | Mode::Upgradable => 1,
        Mode::Shared | Mode::SharedRecursive => 0,
    }
}

/// Why not all of a frame became events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Bytes that are no tokens.
    Damaged,
    /// More events than were asked for: a few bytes can stand for any number.
    Full,
}

#[derive(Clone, Copy)]
struct Slot {
    object: u32,
    mode: Mode,
    tries: bool,
    site: u32,
}

/// Turns one thread's tokens into events, frame by frame.
#[derive(Default)]
pub struct Decoder {
    slots: HashMap<u16, Slot>,
    /// By lock: the sequence number of the thread's last acquisition.
    seqs: HashMap<u32, u32>,
    /// What the thread holds: lock, mode, sequence number at its acquisition.
    held: Vec<(u32, Mode, u32)>,
    /// The lock of a request that was not granted yet.
    requested: Option<u32>,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// A token of 16 bits: slot, and number of releases.
fn simple(bytes: &[u8], at: usize) -> Option<(u16, u8)> {
    let token = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
    let releases = (token as u8 & 15).checked_sub(ACQUIRE)?;
    (releases <= RELEASES).then_some((token >> 4, releases))
}

impl Decoder {
    /// Reads the tokens of one frame. Sequence numbers of lock events come out such that events of one lock, sorted by
    /// them, stand in an order in which they can have happened; equal ones are in no order. `out` says whether it takes
    /// more.
    ///
    /// # Errors
    /// Where the bytes hold something that is no token, or `out` takes no more; the events before have been given out.
    pub fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event) -> bool) -> Result<(), Stop> {
        let mut at = 0;
        while let Some(first) = bytes.get(at) {
            let rest = &bytes[at..];
            let used = match first & 15 {
                0 => return if rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(Stop::Damaged) },
                RELEASE => {
                    self.releases((first >> 4) + 1, out)?;
                    Some(1)
                }
                RAW => self.raw(&rest[1..], out)?,
                REPEAT => self.repeat(bytes, at, out)?,
                ACQUIRE_NEAR..=DEFINE => self.acquire(first & 15, rest, out)?,
                ACQUIRE..ACQUIRE_NEAR => match simple(rest, 0) {
                    Some((slot, releases)) => {
                        self.again(slot, out)?;
                        self.releases(releases, out)?;
                        Some(2)
                    }
                    None => None,
                },
                _ => return Err(Stop::Damaged),
            };
            // A token that is cut off ends the file.
            let Some(used) = used else { return Ok(()) };
            at += used;
        }
        Ok(())
    }

    /// The innermost lock is given back.
    fn releases(&mut self, times: u8, out: &mut impl FnMut(Event) -> bool) -> Result<(), Stop> {
        for _ in 0..times {
            let (object, mode, seq) = self.held.pop().ok_or(Stop::Damaged)?;
            let event = Event::new(Op::Release, object, 0, turn(Op::Release, mode, seq));
            give(out, Event { raw_mode: mode as u8, ..event })?;
        }
        Ok(())
    }

    /// What a slot stands for is taken again, with nothing in between.
    fn again(&mut self, slot: u16, out: &mut impl FnMut(Event) -> bool) -> Result<(), Stop> {
        let slot = *self.slots.get(&slot).ok_or(Stop::Damaged)?;
        let seq = self.next(&slot);
        self.taken(slot, seq, out)
    }

    fn next(&self, slot: &Slot) -> u32 {
        self.seqs.get(&slot.object).copied().unwrap_or(0).wrapping_add(step(slot.mode))
    }

    fn taken(&mut self, slot: Slot, seq: u32, out: &mut impl FnMut(Event) -> bool) -> Result<(), Stop> {
        let flags = if slot.tries { flag::TRY } else { 0 };
        let event = Event { flags, ..Event::new(Op::Acquire, slot.object, slot.site, seq) };
        self.acquired(Event { raw_mode: slot.mode as u8, ..event }, slot.mode, out)
    }

    fn acquire(&mut self, op: u8, bytes: &[u8], out: &mut impl FnMut(Event) -> bool) -> Result<Option<usize>, Stop> {
        let Some(high) = bytes.get(1) else { return Ok(None) };
        let key = u16::from(bytes[0] >> 4) | u16::from(*high) << 4;
        if op == DEFINE {
            let (Some(lock), Some(site), Some(seq)) = (word(bytes, 2), word(bytes, 6), word(bytes, 10)) else {
                return Ok(None);
            };
            let mode = Mode::from_u8(lock as u8 & 3).ok_or(Stop::Damaged)?;
            let slot = Slot { object: (lock & !TRY) >> 2, mode, tries: lock & TRY != 0, site };
            self.slots.insert(key, slot);
            self.taken(slot, seq, out)?;
            return Ok(Some(14));
        }
        let slot = *self.slots.get(&key).ok_or(Stop::Damaged)?;
        let (seq, used) = if op == ACQUIRE_NEAR {
            let Some(by) = bytes.get(2) else { return Ok(None) };
            (self.next(&slot).wrapping_add((*by).into()), 3)
        } else {
            let Some(seq) = word(bytes, 2) else { return Ok(None) };
            (seq, 6)
        };
        self.taken(slot, seq, out)?;
        Ok(Some(used))
    }

    fn repeat(&mut self, bytes: &[u8], at: usize, out: &mut impl FnMut(Event) -> bool) -> Result<Option<usize>, Stop> {
        let Some([_, phase, a, b, c, d, e, f, g, h]) =
            bytes.get(at..).and_then(|rest| rest.first_chunk::<REPEAT_LEN>())
        else {
            return Ok(None);
        };
        let tokens = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        let loops = u32::from_le_bytes([*d, *e, *f, 0]);
        let back = usize::from(u16::from_le_bytes([*g, *h]));
        let start = at.checked_sub(2 * back).ok_or(Stop::Damaged)?;
        if tokens > back || back == 0 {
            return Err(Stop::Damaged);
        }
        let token = |index: usize| simple(bytes, start + 2 * index).ok_or(Stop::Damaged);
        for _ in 0..loops {
            for index in 0..back {
                let (slot, releases) = token(index)?;
                self.again(slot, out)?;
                self.releases(releases, out)?;
            }
        }
        for index in 0..tokens {
            let (slot, releases) = token(index)?;
            self.again(slot, out)?;
            self.releases(if index + 1 == tokens { *phase } else { releases }, out)?;
        }
        Ok(Some(REPEAT_LEN))
    }

    fn acquired(&mut self, event: Event, mode: Mode, out: &mut impl FnMut(Event) -> bool) -> Result<(), Stop> {
        let announced = self.requested.take() == Some(event.object);
        if !announced && event.flags & flag::TRY == 0 {
            give(out, Event { raw_op: Op::Request as u8, seq: 0, ..event })?;
        }
        self.held.push((event.object, mode, event.seq));
        self.seqs.insert(event.object, event.seq);
        give(out, Event { seq: turn(Op::Acquire, mode, event.seq), ..event })
    }

    fn raw(&mut self, bytes: &[u8], out: &mut impl FnMut(Event) -> bool) -> Result<Option<usize>, Stop> {
        let Some(bytes) = bytes.first_chunk::<EVENT_LEN>() else { return Ok(None) };
        let event = Event::decode(bytes);
        let mode = event.mode().unwrap_or(Mode::Exclusive);
        match event.op() {
            Some(Op::Acquire) => self.acquired(event, mode, out)?,
            Some(Op::Release) => {
                let mine = |held: &(u32, Mode, u32)| held.0 == event.object && held.1 == mode;
                if let Some(at) = self.held.iter().rposition(mine) {
                    self.held.remove(at);
                }
                give(out, Event { seq: turn(Op::Release, mode, event.seq), ..event })?;
            }
            op => {
                self.requested = (op == Some(Op::Request)).then_some(event.object);
                // Names an acquisition, so it has that one's place.
                let seq = match op {
                    Some(Op::Request | Op::TryFail) if event.seq != 0 => turn(Op::Acquire, Mode::Exclusive, event.seq),
                    _ => event.seq,
                };
                give(out, Event { seq, ..event })?;
            }
        }
        Ok(Some(LONGEST))
    }
}

fn give(out: &mut impl FnMut(Event) -> bool, event: Event) -> Result<(), Stop> {
    if out(event) { Ok(()) } else { Err(Stop::Full) }
}

/// A lock event's place among all of its lock. After the `n`th exclusive acquisition: that one, its release, and then, in
/// no order, what the readers do until the next one. An upgradable read lets readers in, so its end is among theirs.
fn turn(op: Op, mode: Mode, seq: u32) -> u32 {
    let place = match (op, mode) {
        (Op::Acquire, Mode::Exclusive | Mode::Upgradable) => 0,
        (_, Mode::Exclusive) => 1,
        _ => 2,
    };
    u32::try_from(u64::from(seq) * 3 + place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = Vec<(Op, u32, u32)>;

    fn read(frames: &[&[u8]]) -> (Seen, Result<(), Stop>) {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        let mut last = Ok(());
        for frame in frames {
            last = decoder.decode(frame, &mut |event| {
                out.extend(event.op().map(|op| (op, event.object, event.seq)));
                out.len() < 10_000
            });
        }
        (out, last)
    }

    /// Slot 0x123 is lock 5, exclusive, site 9, acquisition 7.
    const FIVE: [u8; 14] = [0x38, 0x12, 20, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0];

    fn pair(n: u32) -> [(Op, u32, u32); 3] {
        [(Op::Request, 5, 0), (Op::Acquire, 5, 3 * n), (Op::Release, 5, 3 * n + 1)]
    }

    #[test]
    fn a_slot_repeats_what_it_was_defined_as_and_counts_on() {
        let tokens = [&FIVE[..], &[RELEASE], &[0x32, 0x12], &[0x36, 0x12, 4], &[0, 0, 0]].concat();
        let (events, result) = read(&[&tokens]);
        assert_eq!(result, Ok(()));
        assert_eq!(events[..6], [pair(7), pair(8)].concat());
        assert_eq!(events[6..], pair(13)[..2]);
    }

    #[test]
    fn slots_and_held_locks_outlive_a_frame() {
        let far = [0x37, 0x12, 44, 0, 0, 0];
        let (events, result) = read(&[&FIVE, &[RELEASE, 0], &far]);
        assert_eq!((events.len(), result), (5, Ok(())));
        assert_eq!(events[4], (Op::Acquire, 5, 132));
    }

    #[test]
    fn a_repetition_tells_whole_rounds_and_a_part_of_one() {
        // Another slot of the same lock is taken in turn.
        let other = [0x18, 0, 20, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0];
        let round = [0x32, 0x12, 0x12, 0];
        let again = |phase, tokens, loops| [REPEAT, phase, tokens, 0, 0, loops, 0, 0, 2, 0];
        let tokens = |last: [u8; 10]| [&FIVE[..], &[RELEASE], &other, &[RELEASE], &round, &last].concat();
        let (events, result) = read(&[&tokens(again(0, 1, 3))]);
        assert_eq!(result, Ok(()));
        let all: Vec<_> = (7..18).flat_map(pair).collect();
        assert_eq!(events, all[..all.len() - 1]);
        assert_eq!(read(&[&tokens(again(0, 0, 0))]).0, all[..4 * 3]);
        assert_eq!(read(&[&tokens(again(1, 2, 0))]).0, all[..6 * 3]);
        assert_eq!(read(&[&tokens(again(0, 3, 0))]).1, Err(Stop::Damaged), "more than a round");
        assert_eq!(read(&[&tokens([REPEAT, 0, 0, 0, 0, 255, 255, 255, 2, 0])]).1, Err(Stop::Full));
    }

    #[test]
    fn readers_share_a_turn_between_two_writers() {
        let define = |mode: Mode, slot: u8| [slot << 4 | DEFINE, 0, 4 | mode as u8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];
        let again = |slot: u8| [(slot << 4) | (ACQUIRE + 1), 0];
        let (write, read_) = (define(Mode::Exclusive, 1), define(Mode::Shared, 2));
        let tokens = [&write[..], &[RELEASE], &read_, &[RELEASE], &again(2), &again(1), &again(2)].concat();
        let (events, _) = read(&[&tokens]);
        let turns: Vec<u32> = events.iter().map(|event| event.2).filter(|seq| *seq != 0).collect();
        assert_eq!(turns, [3, 4, 5, 5, 5, 5, 6, 7, 8, 8]);
    }

    #[test]
    fn a_request_that_was_recorded_is_not_implied_again() {
        let raw = |event: Event| [&[RAW][..], &event.encode()].concat();
        let tokens = [raw(Event::new(Op::Request, 5, 9, 0)), FIVE.to_vec()].concat();
        let (events, _) = read(&[&tokens]);
        assert_eq!(events.iter().map(|event| event.0).collect::<Vec<_>>(), [Op::Request, Op::Acquire]);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        assert_eq!(read(&[&[0x31, 0x12]]).1, Err(Stop::Damaged), "a slot that nothing defined");
        assert_eq!(read(&[&[RELEASE]]).1, Err(Stop::Damaged), "a release of nothing");
        assert_eq!(read(&[&[0, 0, 1]]).1, Err(Stop::Damaged));
        for cut in 0..FIVE.len() {
            assert_eq!(read(&[&FIVE[..cut]]), (vec![], Ok(())));
        }
        let mut noise = 1u32;
        for _ in 0..2000 {
            let mut bytes = FIVE.to_vec();
            bytes.extend((0..40).map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            }));
            let _ = read(&[&bytes]);
        }
    }
}

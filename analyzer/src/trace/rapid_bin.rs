//! RapidBin: the binary exchange format in which published traces of lock programs come.
//!
//! A header of big-endian counts (u16 threads, u32 locks, u32 variables, u64 events) and then a big-endian u64 per
//! event: bits 0-9 thread, 10-13 op, 14-47 operand, 48-62 location.
//!
//! Guarantees: a file is taken for RapidBin only where its length fits the header's event count and every thread
//! fits the header's thread count, so that foreign files are refused; a file that lacks only its last events is read
//! as far as it goes.
//!
//! Misses: names and files, which the format does not have: a location becomes a line number.

use super::rapid::{Builder, RapidOp};
use super::recording::Recording;

const HEADER: usize = 18;

/// Reads RapidBin; `None` where the bytes are something else. `notice` is told if events are missing.
pub fn read(bytes: &[u8], notice: &mut dyn FnMut(String)) -> Option<Recording> {
    let (head, rest) = bytes.split_at_checked(HEADER)?;
    let threads = u64::from(u16::from_be_bytes([head[0], head[1]]));
    let count = u64::from_be_bytes(head[10..HEADER].try_into().ok()?);
    let (events, partial) = rest.as_chunks::<8>();
    let present = events.len() as u64;
    if threads == 0
        || threads > 1 << 10
        || count == 0
        || present == 0
        || present > count
        || (present == count && !partial.is_empty())
    {
        return None;
    }
    let mut builder = Builder::default();
    for raw in events {
        let raw = u64::from_be_bytes(*raw);
        let (thread, op, operand, location) =
            (raw & 0x3FF, raw >> 10 & 0xF, raw >> 14 & 0x3_FFFF_FFFF, raw >> 48 & 0x7FFF);
        if thread >= threads {
            return None;
        }
        let op = match op {
            0 => RapidOp::Acquire,
            1 => RapidOp::Release,
            2 => RapidOp::Read,
            3 => RapidOp::Write,
            4 => RapidOp::Fork,
            5 => RapidOp::Join,
            6 => RapidOp::Begin,
            7 => RapidOp::End,
            8 => RapidOp::Request,
            9 => continue,
            _ => return None,
        };
        builder.event(&thread.to_string(), op, &operand.to_string(), location as u32);
    }
    if present < count {
        notice(format!("the trace ends after {present} of {count} events; these were analysed"));
    }
    Some(builder.finish(present == count))
}

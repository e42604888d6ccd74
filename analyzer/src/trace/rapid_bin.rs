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

use std::io::Read;

use super::rapid::{Builder, RapidOp};
use super::recording::Recording;

const HEADER: usize = 18;
/// Bytes read at once, a multiple of an event's length.
const CHUNK: u64 = 1 << 16;

/// Whether a file that begins so may be RapidBin; text never does.
pub(super) fn is_header(start: &[u8]) -> bool {
    header(start).is_some()
}

/// The numbers of threads and of events.
fn header(start: &[u8]) -> Option<(u64, u64)> {
    let head: &[u8; HEADER] = start.first_chunk()?;
    let threads = u64::from(u16::from_be_bytes([head[0], head[1]]));
    let count = u64::from_be_bytes(*head.last_chunk()?);
    (threads > 0 && threads <= 1 << 10 && count > 0).then_some((threads, count))
}

/// Reads RapidBin; `None` where the bytes are something else. `notice` is told if events are missing.
pub fn read(mut input: impl Read, notice: &mut dyn FnMut(String)) -> std::io::Result<Option<Recording>> {
    let mut start = Vec::new();
    input.by_ref().take(HEADER as u64).read_to_end(&mut start)?;
    let Some((threads, count)) = header(&start) else { return Ok(None) };
    let mut builder = Builder::default();
    let mut present = 0;
    let mut chunk = Vec::new();
    loop {
        chunk.clear();
        input.by_ref().take(CHUNK).read_to_end(&mut chunk)?;
        let (events, partial) = chunk.as_chunks::<8>();
        present += events.len() as u64;
        if present > count || (present == count && !partial.is_empty()) || !add(&mut builder, events, threads) {
            return Ok(None);
        }
        if (chunk.len() as u64) < CHUNK {
            break;
        }
    }
    if present == 0 {
        return Ok(None);
    }
    if present < count {
        notice(format!("the trace ends after {present} of {count} events; these were analysed"));
    }
    Ok(Some(builder.finish(present == count)))
}

/// Whether all are events.
fn add(builder: &mut Builder, events: &[[u8; 8]], threads: u64) -> bool {
    for raw in events {
        let raw = u64::from_be_bytes(*raw);
        let (thread, op, operand, location) =
            (raw & 0x3FF, raw >> 10 & 0xF, raw >> 14 & 0x3_FFFF_FFFF, raw >> 48 & 0x7FFF);
        if thread >= threads {
            return false;
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
            _ => return false,
        };
        builder.event(&thread.to_string(), op, &operand.to_string(), location as u32);
    }
    true
}

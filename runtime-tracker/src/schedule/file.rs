//! The file of a schedule, as `lockcheck run --confirm` writes it and `--replay` reads it.
//!
//! ```text
//! lockcheck schedule 1
//! patience 500
//! thread 0123456789abcdef thread 2 `A to B`
//! thread ...
//! steps 0x3 1x2 0x1
//! stop 0 12:30:src/bank.rs 11:30:src/bank.rs
//! writer 2 40:9:src/bank.rs
//! ```
//!
//! Threads are known by their keys ([`super::actors`]) and numbered from 0 in the order of their lines. `steps` are the
//! acquisitions that come before the deadlock: who, and how many in a row. A `stop` is where a thread of the deadlock
//! stands: the place of its request, and of a lock that it holds then (`-` for none). A `writer` queues first.
//!
//! Guarantees: any bytes give a schedule or nothing; lines of unknown words are skipped.

use std::time::Duration;

use super::replay::{Replay, Stop};
use crate::raw::List;

pub(super) fn parse(bytes: &[u8]) -> Option<Replay> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    if lines.next()? != "lockcheck schedule 1" {
        return None;
    }
    let (mut threads, mut steps, mut stops) = (List::new(), List::new(), List::new());
    let mut patience = 500;
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "patience" => patience = rest.parse().ok()?,
            "thread" => threads.push(u64::from_str_radix(rest.get(..16)?, 16).ok()?),
            "steps" => {
                for run in rest.split_ascii_whitespace() {
                    let (thread, count) = run.split_once('x')?;
                    let count = count.parse::<u32>().ok().filter(|count| *count > 0)?;
                    steps.push((thread.parse::<u32>().ok()?, count));
                }
            }
            "stop" | "writer" => {
                let mut parts = rest.splitn(3, ' ');
                let thread: u32 = parts.next()?.parse().ok()?;
                let wanted = place(parts.next()?);
                let held = place(parts.next().unwrap_or("-"));
                stops.push(Stop { thread, wanted, held, writer: word == "writer", arrived: 0 });
            }
            _ => {}
        }
    }
    let known = |thread: u32| (thread as usize) < threads.len();
    if stops.is_empty() || !stops.iter().all(|stop| known(stop.thread)) || !steps.iter().all(|step| known(step.0)) {
        return None;
    }
    Some(Replay::new(threads, steps, stops, Duration::from_millis(patience)))
}

/// `LINE:COLUMN:FILE` as a number; 0 where there is none.
fn place(text: &str) -> u64 {
    let mut parts = text.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (number(), number(), parts.next()) {
        (Some(line), Some(column), Some(file)) => super::replay::place(file, line, column),
        _ => 0,
    }
}

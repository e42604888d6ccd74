//! `--stats`: the locks that cost most waiting, as a table.
//!
//! Guarantees: locks of one class are one line; the class that was waited for longest comes first, the rest by the time
//! for which they were held; the same traces give the same bytes.
//!
//! Misses: what the tracker does not count (see its `stats.rs`); a trace that was recorded without `LOCKCHECK_STATS`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lockcheck_tracker::event::LockStats;
use unicode_width::UnicodeWidthStr;

use crate::trace::recording::Written;
use crate::trace::{Names, read};

/// How many lines the table has at most.
const MOST: usize = 20;

/// The table, one line per lock class; `None` where the traces have no statistics. Traces that cannot be read are left
/// out: the analysis complains about them.
pub fn table(traces: &[PathBuf], written: Written<'_>) -> Option<String> {
    let mut classes: BTreeMap<String, Line> = BTreeMap::new();
    for trace in traces {
        let Ok(mut recording) = read::read_file(trace, &mut Vec::new()) else { continue };
        recording.learn(written);
        let names = Names::new(&recording);
        for (lock, stats) in &recording.stats {
            let class = recording.objects.get(lock).map(|object| object.class);
            let name = class.map_or_else(|| names.object(&recording, *lock), |class| names.class(&recording, class));
            let place = |site: u32| {
                let site = recording.sites.get(&site);
                site.map(|site| format!("{}:{}", site.file.replace('\\', "/"), site.line)).unwrap_or_default()
            };
            classes.entry(name).or_default().add(stats, place);
        }
    }
    let mut lines: Vec<(String, Line)> = classes.into_iter().collect();
    lines.sort_by_key(|(_, line)| std::cmp::Reverse((line.stats.waited, line.stats.held_in_all())));
    (!lines.is_empty()).then(|| text(&lines))
}

/// What the locks of one class have cost.
#[derive(Default)]
struct Line {
    locks: usize,
    stats: LockStats,
    longest_hold: String,
    longest_wait: String,
}

impl Line {
    fn add(&mut self, stats: &LockStats, place: impl Fn(u32) -> String) {
        if stats.longest_hold > self.stats.longest_hold {
            self.longest_hold = place(stats.longest_hold_site);
        }
        if stats.longest_wait > self.stats.longest_wait {
            self.longest_wait = place(stats.longest_wait_site);
        }
        self.locks += 1;
        self.stats.add(stats);
    }

    fn cells(&self, name: &str) -> [String; 9] {
        let stats = &self.stats;
        let name = if self.locks > 1 { format!("{name} ({} locks)", self.locks) } else { name.to_owned() };
        let share = stats.contended as f64 * 100.0 / stats.acquisitions.max(1) as f64;
        let of = |time: u64, place: &str| if time == 0 { String::new() } else { place.to_owned() };
        [
            name.chars().map(|char| if char.is_control() { '\u{FFFD}' } else { char }).collect(),
            stats.acquisitions.to_string(),
            format!("{} ({share:.0}%)", stats.contended),
            duration(stats.waited),
            duration(stats.longest_wait),
            of(stats.longest_wait, &self.longest_wait),
            duration(stats.held_in_all()),
            duration(stats.longest_hold),
            of(stats.longest_hold, &self.longest_hold),
        ]
    }
}

const HEAD: [&str; 9] = ["lock", "acquired", "contended", "waited", "longest", "at", "held", "longest", "taken at"];
/// Columns of text, which begin at the left; numbers end at the right.
const TEXT: [usize; 3] = [0, 5, 8];

fn text(lines: &[(String, Line)]) -> String {
    let mut rows = vec![HEAD.map(String::from)];
    rows.extend(lines.iter().take(MOST).map(|(name, line)| line.cells(name)));
    let widths: [usize; 9] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or_default());
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let room = " ".repeat(widths[column] - cell.width());
            let (left, right) = if TEXT.contains(&column) { ("", &*room) } else { (&*room, "") };
            line.extend([left, cell, right, "  "]);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if let Some(more) = lines.len().checked_sub(MOST + 1) {
        out.push_str(&format!("and {} more\n", more + 1));
    }
    out
}

/// Three digits and a unit.
fn duration(nanoseconds: u64) -> String {
    let (mut value, mut unit) = (nanoseconds as f64, "ns");
    for (step, next) in [(1e3, "µs"), (1e3, "ms"), (1e3, "s")] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / step, next);
    }
    let digits = if unit == "ns" || value >= 99.95 { 0 } else { 1 };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_about_three_digits() {
        let cases = [(0, "0 ns"), (999, "999 ns"), (1500, "1.5 µs"), (123_456, "123 µs"), (99_960_000, "100 ms")];
        for (nanoseconds, expected) in cases {
            assert_eq!(duration(nanoseconds), expected);
        }
        assert_eq!(duration(7_200_000_000_000), "7200 s");
    }

    #[test]
    fn the_class_that_was_waited_for_longest_comes_first() {
        let line = |waited: u64, held: u64, locks: usize| {
            let stats = LockStats { acquisitions: 10, contended: 1, waited, measured: 5, held, ..LockStats::default() };
            Line { locks, stats, ..Line::default() }
        };
        let mut lines = vec![("cold".to_owned(), line(0, 900, 1)), ("hot".to_owned(), line(2_000, 10, 3))];
        lines.sort_by_key(|(_, line)| std::cmp::Reverse((line.stats.waited, line.stats.held_in_all())));
        let text = text(&lines);
        let starts: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(starts, ["lock", "hot", "cold"]);
        assert!(text.contains("hot (3 locks)") && text.contains("1 (10%)") && text.contains("1.8 µs"), "{text}");
    }
}

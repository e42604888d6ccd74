//! The segments that matter: of a run in order mode, those that tell something about the order of two order edges.
//!
//! A busy barrier or channel makes a segment per round and thread, millions in a long run, and each would cost a vector clock.
//! Which of two edges came first is all that is asked of them. A segment with no edge before it has nothing to pass on, one with no
//! edge behind it has nobody to pass it on to, and one in between that has a single predecessor is the same as that one.
//!
//! Guarantees: for any two order edges, whether one came before the other stays what it was. O(segments + their predecessors).
//!
//! Misses: segments with two predecessors each, of which more than [`MOST_CLOCKS`] allows are cut off with the edges behind them,
//! which is said.

use std::collections::{BTreeMap, BTreeSet};

use super::recording::{Recording, Segment};

/// Entries of vector clocks that are kept at most: number of threads times number of segments.
const MOST_CLOCKS: usize = 64 << 20;

/// Takes out what does not matter; gives the number of edges that had to go because there was too much left.
pub(super) fn prune(recording: &mut Recording) -> usize {
    let has_edge: BTreeSet<u32> = recording.edges.iter().map(|edge| edge.segment).collect();
    if has_edge.is_empty() {
        recording.segments.clear();
        return 0;
    }
    // Numbers grow along the order; where a foreign trace does not keep to that, the order is not known either.
    let ahead = needed_by(&recording.segments, &has_edge);
    let mut kept: BTreeMap<u32, Segment> = BTreeMap::new();
    // What stands for a segment that is taken out; `None`: nothing comes before it.
    let mut stands_for: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for (id, segment) in std::mem::take(&mut recording.segments) {
        let mut after: Vec<u32> = segment
            .after
            .iter()
            .filter(|before| **before < id)
            .filter_map(|before| stands_for.get(before).copied().unwrap_or(Some(*before)))
            .collect();
        after.sort_unstable();
        after.dedup();
        let same = match &after[..] {
            [] => Some(None),
            [one] => Some(Some(*one)),
            _ => None,
        };
        match same {
            _ if !ahead.contains(&id) => drop(stands_for.insert(id, None)),
            Some(same) if !has_edge.contains(&id) => drop(stands_for.insert(id, same)),
            _ => drop(kept.insert(id, Segment { after, ..segment })),
        }
    }
    let threads = kept.values().map(|segment| segment.thread).collect::<BTreeSet<_>>().len().max(1);
    let left_out = kept.keys().nth(MOST_CLOCKS / threads).copied();
    recording.segments = kept;
    let Some(first) = left_out else { return 0 };
    recording.segments.split_off(&first);
    let before = recording.edges.len();
    recording.edges.retain(|edge| edge.segment < first);
    before - recording.edges.len()
}

/// The segments that have an edge in them or behind them.
fn needed_by(segments: &BTreeMap<u32, Segment>, has_edge: &BTreeSet<u32>) -> BTreeSet<u32> {
    let mut needed = has_edge.clone();
    for (id, segment) in segments.iter().rev() {
        if needed.contains(id) {
            needed.extend(segment.after.iter().filter(|before| *before < id));
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use lockcheck_tracker::event::{Held, Mode};

    use super::*;
    use crate::trace::recording::Edge;

    fn recording(segments: &[(u32, u32, &[u32])], edges: &[u32]) -> Recording {
        let held = |object| Held { object, mode: Mode::Exclusive, site: 0 };
        Recording {
            segments: segments
                .iter()
                .map(|(id, thread, after)| (*id, Segment { thread: *thread, after: after.to_vec() }))
                .collect(),
            edges: edges
                .iter()
                .map(|segment| Edge { thread: 1, segment: *segment, held: vec![held(1)], wanted: held(2) })
                .collect(),
            ..Recording::default()
        }
    }

    #[test]
    fn rounds_of_a_barrier_without_locks_leave_nothing() {
        let segments: Vec<(u32, u32, Vec<u32>)> =
            (1..10_000).map(|id| (id, id % 2, if id > 2 { vec![id - 1, id - 2] } else { vec![] })).collect();
        let segments: Vec<(u32, u32, &[u32])> =
            segments.iter().map(|(id, thread, after)| (*id, *thread, &after[..])).collect();
        let mut recording = recording(&segments, &[]);
        assert_eq!(prune(&mut recording), 0);
        assert!(recording.segments.is_empty());
    }

    #[test]
    fn what_stands_between_two_edges_stays_ordered() {
        // 1 forks 2 and goes on as 3; 2 has an edge; 4 comes after both; 5 and 6 follow; 6 has an edge; 7 is behind.
        let segments: [(u32, u32, &[u32]); 7] =
            [(1, 1, &[]), (2, 2, &[1]), (3, 1, &[1]), (4, 1, &[3, 2]), (5, 1, &[4]), (6, 3, &[5]), (7, 1, &[5, 6])];
        let mut recording = recording(&segments, &[2, 6]);
        assert_eq!(prune(&mut recording), 0);
        let left: Vec<(u32, Vec<u32>)> =
            recording.segments.iter().map(|(id, segment)| (*id, segment.after.clone())).collect();
        assert_eq!(left, [(2, vec![]), (6, vec![2])]);
    }

    #[test]
    fn edges_that_nothing_orders_stay_so() {
        let segments: [(u32, u32, &[u32]); 4] = [(1, 1, &[]), (2, 2, &[1]), (3, 3, &[1]), (4, 1, &[1, 2, 3])];
        let mut recording = recording(&segments, &[2, 3, 4]);
        prune(&mut recording);
        let left: Vec<(u32, Vec<u32>)> =
            recording.segments.iter().map(|(id, segment)| (*id, segment.after.clone())).collect();
        assert_eq!(left, [(2, vec![]), (3, vec![]), (4, vec![2, 3])]);
    }
}

//! The predictor on published traces of lock programs, against the numbers of an independent implementation.
//!
//! The traces (RapidBin, from the artifact of Tunç, Mathur, Pavlogiannis and Viswanathan, PLDI 2023) are not part of
//! this project: `LOCKCHECK_TRACES=FOLDER cargo test -p lockcheck --lib golden -- --ignored --nocapture`.

use std::collections::BTreeSet;
use std::path::Path;

use lockcheck_tracker::event::Op;

use super::*;
use crate::trace::history::Places;
use crate::trace::order::order;
use crate::trace::read::read_file;
use crate::trace::tasks::split;

/// Abstract acquires, patterns, concrete patterns, deadlocks; then acquires, patterns, deadlocks and different sets of
/// places with places kept apart.
type Row = [usize; 8];

const GOLDEN: [(&str, Row); 11] = [
    ("Deadlock", [2, 1, 1, 0, 2, 1, 0, 0]),
    ("Bensalem", [6, 2, 2, 1, 6, 2, 1, 1]),
    ("Transfer", [2, 1, 1, 0, 2, 1, 0, 0]),
    ("StringBuffer", [2, 1, 2, 1, 3, 2, 2, 2]),
    ("DiningPhil", [5, 1, 3125, 1, 5, 1, 1, 1]),
    ("Account", [8, 3, 12, 0, 8, 3, 0, 0]),
    ("Dbcp1", [5, 2, 3, 1, 6, 3, 2, 2]),
    ("Dbcp2", [8, 1, 4, 0, 10, 2, 0, 0]),
    ("jigsaw", [3882, 112, 398, 10, 6019, 259, 10, 1]),
    ("Bensalem_dlf", [6, 2, 2, 2, 6, 2, 2, 2]),
    ("cache4j_dlf", [3018, 0, 0, 0, 3031, 0, 0, 0]),
];

fn row(path: &Path) -> Row {
    let mut recording = read_file(path, &mut Vec::new()).expect("a published trace");
    // The golden numbers count granted requests only; StringBuffer was recorded while it hung in two more.
    for stream in recording.streams.values_mut() {
        *stream = stream.iter().filter(|event| event.op() != Some(Op::Request)).collect();
    }
    let ordered = order(std::mem::take(&mut recording.streams));
    assert_eq!(ordered.gaps, 0, "{}", path.display());
    let ordered = split(&recording, ordered);
    let limits = Limits { length: 8, cycles: 1_000_000 };
    let together = History::new(&recording, &ordered, Places::Together);
    let found = patterns::patterns(&together.acquires, limits);
    assert_eq!(found.truncated, None);
    let size = |index: &u32| together.acquires[*index as usize].instances.len();
    let concrete = found.patterns.iter().map(|pattern| pattern.iter().map(size).product::<usize>()).sum();
    let apart = History::new(&recording, &ordered, Places::Apart);
    let deadlocks = predict(&apart, limits);
    let places = |prediction: &Prediction| -> BTreeSet<u32> {
        prediction.blocked.iter().map(|blocked| apart.acquires[blocked.acquire as usize].wanted.site).collect()
    };
    let unique: BTreeSet<_> = deadlocks.deadlocks.iter().map(places).collect();
    [
        together.acquires.len(),
        found.patterns.len(),
        concrete,
        predict(&together, limits).deadlocks.len(),
        apart.acquires.len(),
        deadlocks.patterns,
        deadlocks.deadlocks.len(),
        unique.len(),
    ]
}

#[test]
#[ignore = "needs the published traces; names their folder in LOCKCHECK_TRACES"]
fn golden_table_of_published_traces_is_reproduced() {
    let folder = std::env::var_os("LOCKCHECK_TRACES").expect("LOCKCHECK_TRACES names a folder");
    let mut wrong = Vec::new();
    for (name, golden) in GOLDEN {
        let start = std::time::Instant::now();
        let row = row(&Path::new(&folder).join(format!("{name}.data")));
        println!("{name:13} {row:?} {:?}", start.elapsed());
        if row != golden {
            wrong.push(format!("{name}: {row:?}, expected {golden:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

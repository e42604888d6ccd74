//! What of a run is kept for prediction, and what lies beyond the limit.

use lockcheck_tracker::event::Mode;

use super::*;
use crate::graph::cycles::Limits;
use crate::trace::script::Script;
use crate::trace::{order, predict, read};

const X: Mode = Mode::Exclusive;

fn history(script: &Script, most: usize) -> History {
    let mut recording = read::read("test", &script.bytes()[..], &mut Vec::new()).expect("a trace");
    let ordered = order::order(std::mem::take(&mut recording.streams));
    History::up_to(&recording, &tasks::split(&recording, ordered), Places::Apart, most)
}

fn kept(history: &History) -> usize {
    history.sections.values().flat_map(|threads| threads.values()).map(Sections::len).sum()
}

/// Both orders of `a` and `b`, behind some rounds of another lock.
fn inversion(rounds: u32) -> Script {
    let mut script = Script::new();
    script.event(1, Op::Fork, 2, 1, 0);
    for _ in 0..rounds {
        script.nest(1, &[("count", X, 5)]);
        script.nest(2, &[("count", X, 6)]);
    }
    script.nest(1, &[("a", X, 10), ("b", X, 11)]);
    script.nest(2, &[("b", X, 20), ("a", X, 21)]);
    script
}

#[test]
fn what_lies_behind_the_last_section_that_is_kept_is_not_predicted_from() {
    let deadlocks = |history: &History| predict::predict(history, Limits::default()).deadlocks.len();
    let all = history(&inversion(10), MOST_SECTIONS);
    assert_eq!((deadlocks(&all), all.known.is_some(), kept(&all)), (1, false, 24));
    for most in 1..24 {
        let some = history(&inversion(10), most);
        assert_eq!((deadlocks(&some), kept(&some)), (0, most), "{most} sections");
        assert!(some.known.is_some());
        assert_eq!(some.acquires.len(), 2, "the order of locks is known all the same");
    }
}

#[test]
fn what_prediction_cannot_use_is_not_kept() {
    let mut script = Script::new();
    script.event(1, Op::Fork, 2, 1, 0);
    for _ in 0..10 {
        script.nest(1, &[("a", X, 10), ("b", X, 11)]);
        script.nest(2, &[("a", X, 20), ("b", X, 21)]);
    }
    let straight = history(&script, MOST_SECTIONS);
    assert_eq!(kept(&straight), 0, "no circle");
    assert!(straight.acquires.iter().all(|acquire| acquire.instances.len() == 1));
    script.nest(1, &[("own", X, 12)]);
    script.nest(2, &[("b", X, 22), ("a", X, 23)]);
    let circle = history(&script, MOST_SECTIONS);
    assert_eq!(kept(&circle), 42, "all but that of the lock of one thread");
    assert_eq!(circle.acquires[0].instances.len(), 10);
}

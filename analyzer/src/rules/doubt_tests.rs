//! Order that data under a lock may enforce: a flag that is polled under a mutex is not in the trace.

use lockcheck_tracker::event::{Mode, Op};

use crate::finding::{Evidence, Finding, Level};
use crate::trace::script::Script;

const X: Mode = Mode::Exclusive;
const R: Mode = Mode::Shared;

fn two_threads() -> Script {
    let mut script = Script::new();
    script.event(1, Op::Fork, 2, 1, 0);
    script.event(1, Op::Fork, 3, 2, 0);
    script
}

fn told(findings: &[Finding]) -> Vec<(Level, Evidence)> {
    findings.iter().map(|finding| (finding.level, finding.evidence)).collect()
}

#[test]
fn a_flag_that_is_polled_under_a_mutex_makes_the_inversion_a_note_that_names_it() {
    for polled_in_vain in [0, 3] {
        for mode in [X, R] {
            let mut script = two_threads();
            (0..polled_in_vain).for_each(|_| script.nest(3, &[("flag", mode, 20)]));
            script.nest(2, &[("a", X, 10), ("b", X, 11)]);
            script.nest(2, &[("flag", X, 12)]);
            script.nest(3, &[("flag", mode, 20)]);
            script.nest(3, &[("b", X, 21), ("a", X, 22)]);
            let findings = script.findings();
            assert_eq!(told(&findings), [(Level::Note, Evidence::Possible)]);
            let message = &findings[0].message;
            assert!(
                message.ends_with("they may deadlock, unless the order is enforced by data under `flag`"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_flag_that_is_raised_under_an_outer_lock_or_by_a_third_thread_is_one_as_well() {
    let mut script = two_threads();
    script.event(1, Op::Fork, 4, 3, 0);
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.nest(2, &[("outer", X, 12), ("flag", X, 13)]);
    script.nest(4, &[("flag", X, 30)]);
    script.nest(4, &[("other", X, 31)]);
    script.nest(3, &[("other", X, 20)]);
    script.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&script.findings()), [(Level::Note, Evidence::Possible)]);
}

#[test]
fn a_lock_that_tells_a_thread_nothing_new_leaves_the_prediction_sure() {
    let sure = [(Level::Deny, Evidence::Predicted)];
    // Looked at before it is raised.
    let mut early = two_threads();
    early.nest(3, &[("flag", X, 20)]);
    early.nest(2, &[("a", X, 10), ("b", X, 11)]);
    early.nest(2, &[("flag", X, 12)]);
    early.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&early.findings()), sure);
    // Raised before the other thread gets to its locks, so it is part of the schedule.
    let mut before = two_threads();
    before.nest(2, &[("flag", X, 12)]);
    before.nest(2, &[("a", X, 10), ("b", X, 11)]);
    before.nest(3, &[("flag", X, 20)]);
    before.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&before.findings()), sure);
    // Only read by both.
    let mut settings = two_threads();
    settings.nest(2, &[("a", X, 10), ("b", X, 11)]);
    settings.nest(2, &[("settings", R, 12)]);
    settings.nest(3, &[("settings", R, 20)]);
    settings.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&settings.findings()), sure);
    // In one of two rounds nothing came in between.
    let mut rounds = two_threads();
    rounds.nest(2, &[("a", X, 10), ("b", X, 11)]);
    rounds.nest(2, &[("count", X, 12)]);
    rounds.nest(3, &[("count", X, 20)]);
    rounds.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&rounds.findings()), [(Level::Note, Evidence::Possible)]);
    rounds.nest(2, &[("a", X, 10), ("b", X, 11)]);
    assert_eq!(told(&rounds.findings()), sure);
}

#[test]
fn the_request_that_a_thread_stands_before_is_no_doubt() {
    // Thread 4 looks at what thread 3 asks for, behind it; both orders of the other two are as sure as before.
    let mut script = two_threads();
    script.event(1, Op::Fork, 4, 3, 0);
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.nest(4, &[("b", X, 30)]);
    script.nest(4, &[("done", X, 31)]);
    script.nest(3, &[("done", X, 20)]);
    script.nest(3, &[("b", X, 21), ("a", X, 22)]);
    assert_eq!(told(&script.findings()), [(Level::Deny, Evidence::Predicted)]);
}

#[test]
fn a_prediction_carries_its_schedule_step_by_step() {
    let mut script = two_threads();
    script.event(1, Op::Fork, 4, 3, 0);
    script.nest(2, &[("count", X, 9)]);
    script.nest(4, &[("count", X, 19)]);
    script.event(4, Op::ThreadEnd, 4, 0, 0);
    script.event(3, Op::Join, 4, 18, 0);
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.nest(3, &[("b", X, 20), ("a", X, 21)]);
    let findings = script.findings();
    let steps: Vec<String> = findings[0].schedule.iter().map(|step| step.to_string()).collect();
    assert_eq!(
        steps,
        [
            "thread 2 takes 2 locks, `a` the last (src/main.rs:10)",
            "thread 4 takes one lock and gives it back",
            "thread 3 takes `b` (src/main.rs:20)",
            "thread 2 waits for `b` (src/main.rs:11)",
            "thread 3 waits for `a` (src/main.rs:21)",
        ]
    );
}

#[test]
fn of_a_long_witness_the_middle_is_counted() {
    let mut script = two_threads();
    for _ in 0..20 {
        script.nest(2, &[("count", X, 9)]);
        script.nest(3, &[("count", X, 19)]);
    }
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.nest(3, &[("b", X, 20), ("a", X, 21)]);
    let findings = script.findings();
    let steps: Vec<String> = findings[0].schedule.iter().map(|step| step.to_string()).collect();
    assert_eq!(steps.len(), 6 + 1 + 6 + 2, "{steps:#?}");
    assert_eq!(steps[6], "all threads take their next 28 turns as in the run");
}

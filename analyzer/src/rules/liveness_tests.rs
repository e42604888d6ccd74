//! `starvation` and `livelock` on traces that the tests write, most of them near misses that must stay silent.

use lockcheck_tracker::event::{Held, Mode, Record};

use crate::finding::{Evidence, Finding, Level};
use crate::trace::script::Script;

const X: Mode = Mode::Exclusive;

fn ids(findings: &[Finding]) -> Vec<(&'static str, Level, Evidence)> {
    findings.iter().map(|finding| (finding.rule, finding.level, finding.evidence)).collect()
}

const LIVELOCK: (&str, Level, Evidence) = ("livelock", Level::Warn, Evidence::Observed);
const STARVATION: (&str, Level, Evidence) = ("starvation", Level::Warn, Evidence::Observed);

fn threads() -> Script {
    let mut script = Script::new();
    for (number, name) in [(1, "main"), (2, "left"), (3, "right"), (4, "third")] {
        script.thread(number, name);
    }
    script
}

/// Left and right hold one lock each and fail to take the other's, so many times; every `slow`th time 100 ms have passed.
fn collide(script: &mut Script, rounds: usize, slow: usize) {
    for round in 1..=rounds {
        script.take(2, "spoon", X, 10);
        script.take(3, "fork", X, 20);
        match round % slow {
            0 => script.try_fail_later(2, "fork", 11),
            _ => script.try_fail(2, "fork", 11),
        }
        script.try_fail(3, "spoon", 21);
        script.give(2, "spoon");
        script.give(3, "fork");
    }
}

#[test]
fn threads_that_fail_because_of_each_other_all_the_time_are_a_livelock() {
    let mut script = threads();
    collide(&mut script, 100, 50);
    let findings = script.findings();
    assert_eq!(ids(&findings), [LIVELOCK]);
    assert_eq!(
        findings[0].message,
        "thread 2 `left` and thread 3 `right` gave way to each other 100 times in a row: each failed to take the lock \
         that another held, and none got both"
    );
    let lines: Vec<Vec<u32>> =
        findings[0].threads.iter().map(|thread| thread.steps.iter().map(|step| step.line).collect()).collect();
    assert_eq!(lines, [[10, 11], [20, 21]]);
}

#[test]
fn three_polite_threads_in_a_ring_are_one_livelock() {
    let mut script = threads();
    let seats = [(2, "a", "b"), (3, "b", "c"), (4, "c", "a")];
    for _ in 0..100 {
        seats.iter().for_each(|(thread, own, _)| script.take(*thread, own, X, 10));
        seats.iter().for_each(|(thread, _, wanted)| script.try_fail_later(*thread, wanted, 11));
        seats.iter().for_each(|(thread, own, _)| script.give(*thread, own));
    }
    assert_eq!(ids(&script.findings()), [LIVELOCK]);
}

#[test]
fn a_few_collisions_and_collisions_between_successes_are_none() {
    let mut few = threads();
    collide(&mut few, 99, 10);
    assert_eq!(ids(&few.findings()), []);
    let mut fast = threads();
    collide(&mut fast, 199, 100);
    assert_eq!(ids(&fast.findings()), [], "over before anybody could see it");

    let mut progress = threads();
    for _ in 0..5 {
        collide(&mut progress, 60, 10);
        // One of them gets both; by `try_lock`, which makes no order.
        progress.take(2, "spoon", X, 10);
        progress.take_step(2, "fork", X, 11, true);
        progress.give(2, "fork");
        progress.give(2, "spoon");
    }
    assert!(ids(&progress.findings()).iter().all(|found| *found != LIVELOCK));
}

#[test]
fn failures_of_one_side_or_because_of_a_third_thread_are_no_livelock() {
    let mut one_sided = threads();
    for _ in 0..200 {
        one_sided.take(3, "fork", X, 20);
        one_sided.take(2, "spoon", X, 10);
        one_sided.try_fail_later(2, "fork", 11);
        one_sided.give(2, "spoon");
        one_sided.give(3, "fork");
    }
    assert_eq!(ids(&one_sided.findings()), []);

    let mut third = threads();
    third.take(4, "plate", X, 30);
    for _ in 0..200 {
        for (thread, own) in [(2, "spoon"), (3, "fork")] {
            third.take(thread, own, X, 10);
            third.try_fail_later(thread, "plate", 11);
            third.give(thread, own);
        }
    }
    third.give(4, "plate");
    assert_eq!(ids(&third.findings()), []);

    // One after the other, never at the same time: the failures are of different critical sections.
    let mut apart = threads();
    for _ in 0..200 {
        apart.take(3, "fork", X, 20);
        apart.take(2, "spoon", X, 10);
        apart.try_fail_later(2, "fork", 11);
        apart.give(2, "spoon");
        apart.take(4, "spoon", X, 30);
        apart.try_fail_later(3, "spoon", 21);
        apart.give(4, "spoon");
        apart.give(3, "fork");
    }
    assert_eq!(ids(&apart.findings()), []);
}

/// Right has the lock whenever left looks; `between` happens on left's thread from time to time.
fn polls(times: usize, between: impl Fn(&mut Script, usize)) -> Vec<Finding> {
    let mut script = threads();
    for round in 0..times {
        script.take(3, "state", X, 20);
        // One millisecond after the other.
        match round % 100 {
            99 => script.try_fail_later(2, "state", 10),
            _ => script.try_fail(2, "state", 10),
        }
        script.give(3, "state");
        between(&mut script, round);
    }
    script.findings()
}

#[test]
fn a_thread_that_only_polls_a_lock_that_others_take_again_and_again_starves() {
    let findings = polls(250, |_, _| {});
    assert_eq!(ids(&findings), [STARVATION]);
    assert_eq!(
        findings[0].message,
        "thread 2 `left` does nothing but try to take `state`, and 250 acquisitions by others kept it out: \
         thread 3 `right` took it again and again"
    );
    assert_eq!((findings[0].primary.line, findings[0].related[0].line), (10, 20));
}

#[test]
fn polling_for_a_short_time_or_beside_other_work_or_while_one_holds_on_is_no_starvation() {
    assert_eq!(ids(&polls(199, |_, _| {})), []);
    // Somebody who looks in between whether there is something else to do.
    let beside = polls(500, |script, round| {
        if round % 50 == 0 {
            script.nest(2, &[("other", X, 12)])
        }
    });
    assert_eq!(ids(&beside), []);

    let mut long = threads();
    long.take(3, "state", X, 20);
    (0..500).for_each(|_| long.try_fail(2, "state", 10));
    long.give(3, "state");
    assert_eq!(ids(&long.findings()), []);
}

#[test]
fn a_blocked_wait_that_the_tracker_saw_overtaken_is_starvation_unless_the_lock_is_handed_over_fairly() {
    let mut script = threads();
    let lock = script.lock("state");
    script.take_step(2, "state", X, 10, false);
    for _ in 0..128 {
        script.nest(3, &[("state", X, 20)]);
    }
    let wanted = Held { object: lock, mode: X, site: 10 };
    for times in [100, 200] {
        script.record(Record::Overtaken { thread: 2, wanted, times, milliseconds: times * 2 });
    }
    let findings = script.findings();
    assert_eq!(ids(&findings), [STARVATION]);
    assert!(findings[0].message.contains("was overtaken at least 200 times in 400 ms"), "{}", findings[0].message);

    let mut fair = threads();
    fair.record(Record::Class {
        id: 9,
        site: 0,
        kind: "parking_lot::Mutex".into(),
        data: "()".into(),
        name: "fair".into(),
    });
    fair.record(Record::Object { id: 9, class: 9, kind: lockcheck_tracker::event::ObjectKind::Mutex });
    let wanted = Held { object: 9, mode: X, site: 10 };
    fair.record(Record::Overtaken { thread: 2, wanted, times: 500, milliseconds: 900 });
    assert_eq!(ids(&fair.findings()), []);
}

//! The run-time rules on traces that the tests write through the tracker's format.

use lockcheck_tracker::event::{DeadlockAction, Held, Mode, ObjectKind, Op, PoolPolicy, Record, WaitKind};

use crate::finding::{Evidence, Finding, Level};
use crate::trace::script::Script;

const X: Mode = Mode::Exclusive;
const R: Mode = Mode::Shared;

fn ids(findings: &[Finding]) -> Vec<(&'static str, Level, Evidence)> {
    findings.iter().map(|finding| (finding.rule, finding.level, finding.evidence)).collect()
}

/// Main forks threads 2 and 3.
fn two_threads() -> Script {
    let mut script = Script::new();
    script.thread(1, "main");
    script.thread(2, "left");
    script.thread(3, "right");
    script.event(1, Op::Fork, 2, 1, 0);
    script.event(1, Op::Fork, 3, 2, 0);
    script
}

#[test]
fn opposite_orders_in_a_lucky_run_are_predicted_with_both_sites_of_both_threads() {
    let mut script = two_threads();
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.nest(3, &[("b", X, 20), ("a", X, 21)]);
    let findings = script.findings();
    assert_eq!(ids(&findings), [("lock_order_inversion", Level::Deny, Evidence::Predicted)]);
    let finding = &findings[0];
    assert!(finding.message.contains("thread 2 `left` takes `a` then `b`"), "{}", finding.message);
    assert_eq!(finding.help, "take the locks in one order everywhere, for example `a` before `b`");
    let lines: Vec<Vec<u32>> =
        finding.threads.iter().map(|thread| thread.steps.iter().map(|step| step.line).collect()).collect();
    assert_eq!(lines, [[10, 11], [20, 21]]);
    assert_eq!(finding.locks.len(), 2);
}

#[test]
fn a_gate_lock_and_a_join_in_between_make_it_no_inversion() {
    let mut gated = two_threads();
    gated.nest(2, &[("gate", X, 9), ("a", X, 10), ("b", X, 11)]);
    gated.nest(3, &[("gate", X, 19), ("b", X, 20), ("a", X, 21)]);
    assert_eq!(ids(&gated.findings()), []);

    let mut joined = Script::new();
    joined.event(1, Op::Fork, 2, 1, 0);
    joined.event(2, Op::ThreadBegin, 2, 0, 0);
    joined.nest(2, &[("a", X, 10), ("b", X, 11)]);
    joined.event(2, Op::ThreadEnd, 2, 0, 0);
    joined.event(1, Op::Join, 2, 3, 0);
    joined.nest(1, &[("b", X, 20), ("a", X, 21)]);
    assert_eq!(ids(&joined.findings()), []);
}

#[test]
fn readers_block_each_other_only_behind_a_writer() {
    let mut readers = two_threads();
    readers.nest(2, &[("a", R, 10), ("b", R, 11)]);
    readers.nest(3, &[("b", R, 20), ("a", R, 21)]);
    assert_eq!(ids(&readers.findings()), [], "nobody writes");
    readers.nest(4, &[("a", X, 30)]);
    readers.nest(4, &[("b", X, 31)]);
    // One writer cannot queue for both locks at once.
    assert_eq!(ids(&readers.findings()), [("lock_order_inversion", Level::Warn, Evidence::Possible)]);
    readers.nest(5, &[("b", X, 32)]);
    let findings = readers.findings();
    assert_eq!(ids(&findings), [("lock_order_inversion", Level::Warn, Evidence::Predicted)]);
    assert!(findings[0].message.ends_with("while a writer waits in between"));

    let mut recursive = two_threads();
    recursive.nest(2, &[("a", R, 10), ("b", Mode::SharedRecursive, 11)]);
    recursive.nest(3, &[("b", R, 20), ("a", Mode::SharedRecursive, 21)]);
    assert_eq!(ids(&recursive.findings()), []);
}

#[test]
fn an_order_through_a_notification_is_not_reordered() {
    let mut script = two_threads();
    let condvar = script.object(ObjectKind::Condvar, "cv");
    script.nest(2, &[("a", X, 10), ("b", X, 11)]);
    script.event(2, Op::NotifyOne, condvar, 12, 1);
    script.event(3, Op::WaitBegin, condvar, 19, 0);
    script.event(3, Op::WaitEnd, condvar, 19, 1);
    script.nest(3, &[("b", X, 20), ("a", X, 21)]);
    assert_eq!(ids(&script.findings()), []);
}

#[test]
fn three_philosophers_are_one_finding() {
    let mut script = Script::new();
    for (thread, left, right) in [(1, "f1", "f2"), (2, "f2", "f3"), (3, "f3", "f1")] {
        (0..5).for_each(|_| script.nest(thread, &[(left, X, 10), (right, X, 11)]));
    }
    let findings = script.findings();
    assert_eq!(ids(&findings), [("lock_order_inversion", Level::Deny, Evidence::Predicted)]);
    assert_eq!(findings[0].threads.len(), 3);
}

#[test]
fn order_mode_gives_possible_inversions_and_segments_rule_them_out() {
    let held = |object, line| Held { object, mode: X, site: line };
    let script = |later_after: Vec<u32>| {
        let mut script = Script::new().order_mode();
        let (a, b) = (script.lock("a"), script.lock("b"));
        script.record(Record::Segment { id: 1, thread: 1, after: vec![].into() });
        script.record(Record::Segment { id: 2, thread: 2, after: later_after.into() });
        for (thread, first, second) in [(1, held(a, 10), held(b, 11)), (2, held(b, 20), held(a, 21))] {
            let (held, wanted) = (vec![first].into(), second);
            script.record(Record::Edge { thread, segment: thread, held, wanted, try_: false });
        }
        script.findings()
    };
    assert_eq!(ids(&script(vec![])), [("lock_order_inversion", Level::Deny, Evidence::Possible)]);
    assert_eq!(ids(&script(vec![1])), []);
}

#[test]
fn an_observed_deadlock_stands_for_the_inversion_behind_it() {
    let mut script = two_threads();
    let (a, b) = (script.lock("a"), script.lock("b"));
    script.take(2, "a", X, 10);
    script.take(3, "b", X, 20);
    script.event(2, Op::Request, b, 11, 0);
    script.event(3, Op::Request, a, 21, 0);
    let members = vec![
        Script::blocked(2, 0, WaitKind::Lock, b, 11, &[Held { object: a, mode: X, site: 10 }]),
        Script::blocked(3, 0, WaitKind::Lock, a, 21, &[Held { object: b, mode: X, site: 20 }]),
    ];
    script.record(Record::Deadlock { closer: 3, members: members.into(), action: DeadlockAction::Panic });
    let findings = script.findings();
    assert_eq!(ids(&findings), [("deadlock", Level::Deny, Evidence::Observed)]);
    assert_eq!(
        findings[0].message,
        "deadlock: thread 2 `left` waits for `b` held by thread 3 `right` and \
         thread 3 `right` waits for `a` held by thread 2 `left`"
    );
    assert_eq!(findings[0].primary.line, 21);
    assert_eq!(findings[0].related.iter().map(|place| place.line).collect::<Vec<_>>(), [10, 11, 20]);
}

#[test]
fn a_starved_pool_names_tasks_slots_and_the_minimum_of_workers() {
    let mut script = Script::new().order_mode();
    let pool = script.object(ObjectKind::Pool, "dispatcher");
    script.record(Record::Pool { id: pool, workers: 2, policy: PoolPolicy::Block });
    script.thread(1, "main");
    for (id, parent, thread, site, name) in
        [(1, 0, 1, 5, "child"), (2, 0, 1, 5, "child"), (3, 1, 2, 6, "grandchild"), (4, 2, 3, 6, "grandchild")]
    {
        script.record(Record::Task { id, pool, parent, thread, site, name: name.into() });
    }
    let members =
        vec![Script::blocked(2, 1, WaitKind::Slot, pool, 6, &[]), Script::blocked(3, 2, WaitKind::Slot, pool, 6, &[])];
    script.record(Record::Deadlock { closer: 3, members: members.into(), action: DeadlockAction::Panic });
    let findings = script.findings();
    assert_eq!(ids(&findings), [("pool_starvation", Level::Deny, Evidence::Observed)]);
    let size = findings[0].pool.expect("a size");
    assert_eq!((size.workers, size.minimum_safe_workers), (2, Some(3)));
    assert_eq!(
        findings[0].message,
        "all 2 slots of `dispatcher` are held by tasks that cannot end: \
         2 of task `child` wait for a slot of `dispatcher` for task `grandchild`"
    );
    assert!(findings[0].help.starts_with("give `dispatcher` at least 3 workers"));
    assert_eq!(findings[0].threads[0].steps.iter().map(|step| step.line).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_join_under_the_lock_that_the_joined_thread_needs_is_a_join_deadlock() {
    let mut script = two_threads();
    let ui = script.lock("ui");
    let held = [Held { object: ui, mode: X, site: 10 }];
    let members =
        vec![Script::blocked(1, 0, WaitKind::Join, 2, 11, &held), Script::blocked(2, 0, WaitKind::Lock, ui, 20, &[])];
    script.record(Record::Deadlock { closer: 1, members: members.into(), action: DeadlockAction::Panic });
    let findings = script.findings();
    assert_eq!(ids(&findings), [("join_deadlock", Level::Deny, Evidence::Observed)]);
    assert_eq!(
        findings[0].message,
        "thread 1 `main` waits for the end of thread 2 `left` while it holds `ui`, which thread 2 `left` waits for"
    );
    assert_eq!(findings[0].help, "drop the guard of `ui` before the join");
}

#[test]
fn for_ever_more_tasks_that_submit_no_number_of_workers_is_enough() {
    let mut script = Script::new();
    let pool = script.object(ObjectKind::Pool, "dispatcher");
    script.record(Record::Pool { id: pool, workers: 2, policy: PoolPolicy::Block });
    for outer in [1, 3, 5, 7] {
        let task = |id, parent, name: &'static str, site| Record::Task {
            id,
            pool,
            parent,
            thread: 1,
            site,
            name: name.into(),
        };
        script.record(task(outer, 0, "order", 3));
        script.record(task(outer + 1, outer, "mail", 6));
        script.event(1, Op::Submit, outer, 3, 0);
        script.event(2, Op::TaskBegin, outer, 0, 0);
        script.event(2, Op::Submit, outer + 1, 6, 0);
        script.event(2, Op::TaskEnd, outer, 0, 0);
        script.event(3, Op::TaskBegin, outer + 1, 0, 0);
        script.event(3, Op::TaskEnd, outer + 1, 0, 0);
    }
    let findings = script.findings();
    assert_eq!(ids(&findings), [("pool_starvation", Level::Warn, Evidence::Predicted)]);
    assert!(
        findings[0].message.ends_with(
            "5 are needed for the 4 of task `order` in this run, and no fixed number is enough for ever more"
        ),
        "{}",
        findings[0].message
    );
    assert!(
        findings[0]
            .help
            .starts_with("let in at most N of task `order` at once and give `dispatcher` N + 1 workers, or "),
        "{}",
        findings[0].help
    );
}

#[test]
fn waiting_for_a_pool_under_a_lock_that_its_tasks_need_is_told_from_starvation() {
    let mut script = Script::new().order_mode();
    let pool = script.object(ObjectKind::Pool, "workers");
    let lock = script.lock("state");
    script.record(Record::Pool { id: pool, workers: 1, policy: PoolPolicy::Block });
    script.record(Record::Task { id: 1, pool, parent: 0, thread: 1, site: 5, name: "task".into() });
    let held = [Held { object: lock, mode: X, site: 4 }];
    let deadlock = |line| {
        let members = vec![
            Script::blocked(1, 0, WaitKind::Slot, pool, line, &held),
            Script::blocked(2, 1, WaitKind::Lock, lock, 20, &[]),
        ];
        Record::Deadlock { closer: 1, members: members.into(), action: DeadlockAction::Panic }
    };
    // `pool.join()` at line 7 submits nothing.
    script.record(deadlock(7));
    let findings = script.findings();
    assert_eq!(ids(&findings), [("join_deadlock", Level::Deny, Evidence::Observed)]);
    assert!(
        findings[0].message.starts_with("thread 1 waits for the end of all tasks of `workers` while it holds `state`")
    );
    assert_eq!(findings[0].help, "drop the guard of `state` before the join");

    // The second submission, at line 8, waits for the only slot.
    script.record(Record::Task { id: 2, pool, parent: 0, thread: 1, site: 8, name: "task".into() });
    script.record(deadlock(8));
    let findings = script.findings();
    let starvation = findings.iter().find(|finding| finding.rule == "pool_starvation").expect("starvation");
    assert_eq!(starvation.help, "drop the guard of `state` before waiting for `workers`");
}

#[test]
fn files_of_several_processes_keep_their_locks_and_threads_apart() {
    let one = |first: &str, second: &str| {
        let mut script = two_threads();
        script.nest(2, &[(first, X, 10), (second, X, 11)]);
        script
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths = ["first", "second"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], one("a", "b").bytes()).expect("written");
    std::fs::write(&paths[1], one("b", "a").bytes()).expect("written");
    let (graph, replay, notices) = crate::trace::load(&paths).expect("two traces");
    assert_eq!(notices, []);
    assert_eq!((graph.node_count(), graph.edge_count(), graph.classes().count()), (4, 2, 2));
    let facts = super::Facts { graph: &graph, regions: None, replay: Some(&replay), notices: Default::default() };
    assert_eq!(ids(&super::check(&facts)), []);
    let names: Vec<&str> = graph.edges().map(|(_, edge)| edge.witnesses[0].thread_name.as_str()).collect();
    assert_eq!(names, ["process 7 thread 2 `left`"; 2]);

    std::fs::write(&paths[1], "no trace").expect("written");
    let (_, _, notices) = crate::trace::load(&paths).expect("one trace");
    assert!(notices[0].message.contains("is not a trace"));
    assert!(crate::trace::load(&paths[1..]).is_err());
}

#[test]
fn a_lock_taken_twice_is_reported_once_however_often_it_was_recorded() {
    let mut script = two_threads();
    let a = script.lock("a");
    script.take(2, "a", X, 10);
    script.event(2, Op::Request, a, 11, 0);
    let held = |line| Held { object: a, mode: X, site: line };
    script.record(Record::DoubleLock { thread: 2, first: held(10), second: held(11) });
    let members = vec![Script::blocked(2, 0, WaitKind::Lock, a, 11, &[held(10)])];
    script.record(Record::Deadlock { closer: 2, members: members.into(), action: DeadlockAction::Panic });
    assert_eq!(ids(&script.findings()), [("double_lock", Level::Deny, Evidence::Observed)]);

    let mut readers = two_threads();
    readers.take(2, "a", R, 10);
    readers.take(2, "a", R, 11);
    assert_eq!(ids(&readers.findings()), [("double_lock", Level::Warn, Evidence::Possible)]);
}

#[test]
fn unordered_accesses_race_and_locked_or_joined_ones_do_not() {
    let mut racy = two_threads();
    racy.access(2, Op::Write, "cell", 10);
    racy.access(3, Op::Read, "cell", 20);
    let findings = racy.findings();
    assert_eq!(ids(&findings), [("data_race", Level::Deny, Evidence::Observed)]);
    assert_eq!((findings[0].primary.line, findings[0].related[0].line), (20, 10));

    let mut locked = two_threads();
    for (thread, op) in [(2, Op::Write), (3, Op::Read)] {
        locked.take(thread, "lock", X, 9);
        locked.access(thread, op, "cell", 10);
        locked.give(thread, "lock");
    }
    assert_eq!(ids(&locked.findings()), []);

    let mut forked = Script::new();
    forked.access(1, Op::Write, "cell", 1);
    forked.event(1, Op::Fork, 2, 2, 0);
    forked.access(2, Op::Write, "cell", 10);
    assert_eq!(ids(&forked.findings()), []);
}

#[test]
fn whoever_waited_for_a_task_comes_after_it() {
    let script = |joined: bool| {
        let mut script = Script::new();
        let pool = script.object(ObjectKind::Pool, "workers");
        script.record(Record::Pool { id: pool, workers: 2, policy: PoolPolicy::Queue });
        script.record(Record::Task { id: 1, pool, parent: 0, thread: 1, site: 3, name: "task".into() });
        script.event(1, Op::Submit, 1, 3, 0);
        script.event(2, Op::TaskBegin, 1, 0, 0);
        script.access(2, Op::Write, "cell", 10);
        script.nest(2, &[("a", X, 11), ("b", X, 12)]);
        script.event(2, Op::TaskEnd, 1, 0, 0);
        if joined {
            script.event(1, Op::TaskJoin, 1, 4, 0);
        }
        script.access(1, Op::Read, "cell", 20);
        script.nest(1, &[("b", X, 21), ("a", X, 22)]);
        script.findings()
    };
    assert_eq!(ids(&script(true)), []);
    assert_eq!(script(false).len(), 2);
}

#[test]
fn an_update_that_was_or_could_be_lost_is_told_from_one_inside_a_critical_section() {
    let section = |script: &mut Script, thread, op, line| {
        script.take(thread, "bank", X, line);
        script.access(thread, op, "balance", line + 1);
        script.give(thread, "bank");
    };
    let mut observed = two_threads();
    section(&mut observed, 2, Op::Read, 10);
    section(&mut observed, 3, Op::Read, 20);
    section(&mut observed, 3, Op::Write, 30);
    section(&mut observed, 2, Op::Write, 40);
    let findings = observed.findings();
    assert_eq!(ids(&findings), [("lost_update", Level::Deny, Evidence::Observed)]);
    assert_eq!(findings[0].help, "keep `bank` locked from the read of `balance` to its write");

    let mut lucky = two_threads();
    for (thread, line) in [(2, 10), (3, 30)] {
        section(&mut lucky, thread, Op::Read, line);
        section(&mut lucky, thread, Op::Write, line + 10);
    }
    assert_eq!(ids(&lucky.findings()), [("lost_update", Level::Warn, Evidence::Predicted)]);

    let mut whole = two_threads();
    for thread in [2, 3] {
        whole.take(thread, "bank", X, 10);
        whole.access(thread, Op::Read, "balance", 11);
        whole.access(thread, Op::Write, "balance", 12);
        whole.give(thread, "bank");
    }
    assert_eq!(ids(&whole.findings()), []);
}

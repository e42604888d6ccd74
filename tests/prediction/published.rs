//! The classic lock programs of the literature on deadlock prediction, re-created as RAPID text: which of them have a
//! pattern, and which a deadlock that a reordering reaches.

use lockcheck::graph::cycles::Limits;
use lockcheck::trace::history::{History, Places};
use lockcheck::trace::{order, patterns, predict, read, tasks};

/// Abstract acquires, patterns, concrete patterns, deadlocks.
fn counts(text: &str) -> [usize; 4] {
    let mut recording = read::read("test", text.as_bytes(), &mut Vec::new()).expect("RAPID text");
    let ordered = order::order(std::mem::take(&mut recording.streams));
    assert_eq!(ordered.gaps, 0);
    let history = History::new(&recording, &tasks::split(&recording, ordered), Places::Together);
    let found = patterns::patterns(&history.acquires, Limits::default());
    let size = |index: &u32| history.acquires[*index as usize].instances.len();
    let concrete = found.patterns.iter().map(|pattern| pattern.iter().map(size).product::<usize>()).sum();
    let deadlocks = predict::predict(&history, Limits::default()).deadlocks.len();
    [history.acquires.len(), found.patterns.len(), concrete, deadlocks]
}

/// `1:+a+b-b-a` for thread 1; `!2` forks, `?2` joins, `r(x)` reads and `w(x)` writes a variable.
fn text(steps: &str) -> String {
    let mut out = String::new();
    for part in steps.split_whitespace() {
        let (thread, ops) = part.split_once(':').expect("THREAD:OPS");
        let mut chars = ops.chars();
        while let Some(op) = chars.next() {
            let operand = chars.next().expect("an operand");
            let call = match op {
                '+' => format!("acq({operand})"),
                '-' => format!("rel({operand})"),
                '!' => format!("fork({operand})"),
                '?' => format!("join({operand})"),
                'r' => format!("r(v{operand})"),
                'w' => format!("w(v{operand})"),
                _ => panic!("{op}"),
            };
            out.push_str(&format!("{thread}|{call}|{}\n", out.len()));
        }
    }
    out
}

#[test]
fn opposite_orders_are_one_pattern_and_one_deadlock() {
    assert_eq!(counts(&text("0:!1!2 1:+a+b-b-a 2:+b+a-a-b 0:?1?2")), [2, 1, 1, 1]);
}

#[test]
fn a_value_read_under_the_second_lock_orders_the_threads_and_leaves_only_a_pattern() {
    // As in Deadlock, Transfer and Account: the second thread reads what the first wrote inside both locks.
    assert_eq!(counts(&text("0:!1!2 1:+a+bwx-b-a 2:rx+b+a-a-b 0:?1?2")), [2, 1, 1, 0]);
    // Here it reads inside its own critical section, so it may stand before its second request first.
    assert_eq!(counts(&text("0:!1!2 1:+a+bwx-b-a 2:+b+arx-a-b 0:?1?2")), [2, 1, 1, 1]);
}

#[test]
fn a_chain_of_critical_sections_that_must_keep_its_order_leaves_only_a_pattern() {
    // Thread 2 enters after thread 1 because of a variable written under c after thread 1 gave a and b back.
    assert_eq!(counts(&text("0:!1!2 1:+a+b-b-a+cwx-c 2:+crx-c+b+a-a-b 0:?1?2")), [2, 1, 1, 0]);
    // The lock c alone orders nothing.
    assert_eq!(counts(&text("0:!1!2 1:+a+b-b-a+cwx-c 2:+cry-c+b+a-a-b 0:?1?2")), [2, 1, 1, 1]);
}

#[test]
fn of_several_instances_the_one_that_can_meet_is_found() {
    // As in Bensalem: the first nesting of thread 1 comes before thread 2 is started, the second does not.
    assert_eq!(counts(&text("1:+a+b-b-a!2+a+b-b-a 2:+b+a-a-b")), [2, 1, 2, 1]);
    assert_eq!(counts(&text("1:+a+b-b-a!2 2:+b+a-a-b")), [2, 1, 1, 0]);
    assert_eq!(counts(&text("1:!2 2:+b+a-a-b 1:?2+a+b-b-a")), [2, 1, 1, 0]);
}

#[test]
fn five_philosophers_who_eat_five_times_are_3125_concrete_patterns_and_one_deadlock() {
    let mut steps = String::from("0:!1!2!3!4!5 ");
    for round in ["abcdea"; 5] {
        for seat in 0..5 {
            let (left, right) = (&round[seat..=seat], &round[seat + 1..seat + 2]);
            steps.push_str(&format!("{}:+{left}+{right}-{right}-{left} ", seat + 1));
        }
    }
    assert_eq!(counts(&text(&steps)), [5, 1, 3125, 1]);
}

#[test]
fn a_gate_lock_leaves_no_pattern() {
    assert_eq!(counts(&text("0:!1!2 1:+g+a+b-b-a-g 2:+g+b+a-a-b-g 0:?1?2")), [4, 0, 0, 0]);
}

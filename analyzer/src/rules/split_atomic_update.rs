//! `split_atomic_update`: a load and a store of one atomic where one read-modify-write is meant.

use super::{Facts, Group, Rule, blocked, stale};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, ThreadPath};
use crate::regions::effects::stale::Dependence;
use crate::trace::split_updates::{Operation, SplitUpdate};
use crate::trace::{Replay, names};

/// The rule.
pub const RULE: Rule = Rule {
    id: "split_atomic_update",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "a load and a store of one atomic where `fetch_*` or `compare_exchange` is meant",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a `store` into an atomic whose value, or whose happening at all, depends on an earlier `load` of the same atomic
in a function that can run on several threads at once. Silent where a read-modify-write (`fetch_*`, `swap`,
`compare_exchange`) of the atomic stands between, where a lock is held over both, and where the function has the atomic
to itself. A note only where the code says that one thread alone stores: in an `unsafe fn`, beside a `fence`, by a relaxed
load with a releasing store, or through a handle that is not `Sync` or that the function has as `self` or `&mut self`. A
store that only happens under a condition on the load, with a value of its own, is a note.

A recorded run tells where another thread did store between a load and a store of one thread. Whether the second value follows
from the first is not recorded, so that is a note, and a warning where the static pass finds the same.

## Why is this bad?
Each access is atomic, both together are not: what another thread stores in between is lost.

## Example
```rust
fn next_id(&self) -> u64 {
    let id = self.last.load(Ordering::SeqCst) + 1;
    self.last.store(id, Ordering::SeqCst);
    id
}
```

## Use instead
```rust
fn next_id(&self) -> u64 {
    self.last.fetch_add(1, Ordering::SeqCst) + 1
}
```
"#;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    if let Some(replay) = facts.replay {
        let mut atomics: Vec<u32> = Vec::new();
        for found in &replay.split_updates {
            if !atomics.contains(&found.atomic) {
                atomics.push(found.atomic);
                out.push(observed(replay, found));
            }
        }
    }
    let Some(regions) = facts.regions else { return };
    for (found, concurrency) in regions.stale.iter().filter(|(found, _)| found.atomic) {
        // Through calls, after another read-modify-write, or where the atomic is a lock word, it may well be a protocol.
        let direct = found.read_in.is_none() && found.write_in.is_none();
        let level = match found.dependence {
            Dependence::Data if direct && !found.test && !found.protocol && !found.state_machine => Level::Warn,
            _ => Level::Note,
        };
        let (message, help) = match found.dependence {
            Dependence::Data => (
                format!("`{}` is loaded, changed and stored again in separate steps", found.name),
                format!(
                    "use `fetch_add`, `fetch_max`, `fetch_update` or another read-modify-write on `{}`",
                    found.name
                ),
            ),
            _ => (
                format!("a load of `{}` decides whether it is stored, in separate steps", found.name),
                format!("use `compare_exchange` or `swap` on `{}`, and decide by its result", found.name),
            ),
        };
        out.push(stale::finding(RULE.id, level, found, concurrency, regions, (message, help)));
    }
}

/// One finding per atomic: the first time that it happened.
fn observed(replay: &Replay, found: &SplitUpdate) -> Finding {
    let recording = &replay.recording;
    let name = replay.names.object(recording, found.atomic);
    let thread = |operation: Operation| names::thread(recording, operation.thread);
    let (own, other) = (thread(found.store), thread(found.between));
    let place = |operation: Operation, does: &str| -> Location {
        names::location(recording, operation.site, format!("{does} `{name}`"))
    };
    let [load, store] = [place(found.load, "loads"), place(found.store, "stores")];
    let between = place(found.between, "stores");
    Finding {
        rule: RULE.id,
        level: Level::Note,
        confidence: Confidence::Medium,
        evidence: Evidence::Observed,
        message: format!("{own} loaded `{name}` and later stored it, over what {other} had stored in between"),
        help: format!(
            "where the second value follows from the first, use `fetch_*`, `swap` or `compare_exchange` on `{name}`"
        ),
        locks: vec![blocked::info(replay, found.atomic)],
        primary: store.clone(),
        related: vec![load.clone(), between.clone()],
        threads: vec![
            ThreadPath { name: own, steps: vec![load, store] },
            ThreadPath { name: other, steps: vec![between] },
        ],
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(RULE.id, &[replay.names.key(recording, found.atomic)], &[]),
    }
}

#[cfg(test)]
mod tests {
    use lockcheck_tracker::event::{ObjectKind, Op};

    use super::*;
    use crate::trace::script::Script;

    /// Operations on one atomic, as (thread, op, line), with the numbers that the tracker gives them.
    fn told(operations: &[(u32, Op, u32)]) -> Vec<Finding> {
        let mut script = Script::new();
        script.event(1, Op::Fork, 2, 1, 0);
        let total = script.object(ObjectKind::Atomic, "total");
        let mut writes = 0;
        for (thread, op, line) in operations {
            let seq = if *op == Op::Read {
                2 * writes + 1
            } else {
                writes += 1;
                2 * writes
            };
            script.event(*thread, *op, total, *line, seq);
        }
        script.findings()
    }

    #[test]
    fn a_store_over_one_that_came_after_the_load_is_told_with_all_three_places() {
        let findings = told(&[(1, Op::Read, 10), (2, Op::Read, 20), (2, Op::Write, 21), (1, Op::Write, 11)]);
        assert_eq!(findings.len(), 1);
        let finding = &findings[0];
        assert_eq!((finding.rule, finding.level, finding.evidence), (RULE.id, Level::Note, Evidence::Observed));
        assert_eq!(
            finding.message,
            "thread 1 loaded `total` and later stored it, over what thread 2 had stored in between"
        );
        assert_eq!([finding.primary.line, finding.related[0].line, finding.related[1].line], [11, 10, 21]);
    }

    #[test]
    fn hand_over_fresh_loads_and_read_modify_writes_are_fine() {
        let alternating =
            [(1, Op::Write, 10), (2, Op::Read, 20), (2, Op::Write, 21), (1, Op::Read, 11), (1, Op::Write, 12)];
        assert_eq!(told(&alternating), []);
        let exchanged = [(1, Op::Read, 10), (2, Op::ReadWrite, 20), (1, Op::ReadWrite, 11), (1, Op::Write, 12)];
        assert_eq!(told(&exchanged), []);
        let looked_again = [(1, Op::Read, 10), (2, Op::Write, 20), (1, Op::Read, 10), (1, Op::Write, 11)];
        assert_eq!(told(&looked_again), []);
    }
}

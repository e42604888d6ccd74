//! The records of a trace, as bytes and back.

use lockcheck_tracker::event::{BlockedThread, DeadlockAction, Held, Mode, ObjectKind, PoolPolicy, Record, WaitKind};

#[test]
fn records_survive_a_round_trip_and_every_cut_is_refused() {
    let held = Held { object: 1, mode: Mode::Shared, site: 9 };
    let member = BlockedThread {
        thread: 2,
        task: 0,
        kind: WaitKind::Lock,
        object: 4,
        mode: Mode::Exclusive,
        site: 5,
        held: vec![held].into(),
    };
    let records = [
        Record::Site { id: 1, line: 2, column: 3, file: "a.rs".into() },
        Record::Class { id: 1, site: 1, kind: "std::sync::Mutex".into(), data: "u8".into(), name: "".into() },
        Record::Object { id: 1, class: 1, kind: ObjectKind::RwLock },
        Record::Thread { id: 1, parent: 0, site: 0, name: "main".into() },
        Record::Pool { id: 3, workers: 2, policy: PoolPolicy::Block },
        Record::Task { id: 1, pool: 3, parent: 0, thread: 1, site: 1, name: "child".into() },
        Record::Segment { id: 2, thread: 1, after: vec![1, 0].into() },
        Record::Edge { thread: 1, segment: 2, held: vec![held].into(), wanted: held, try_: true },
        Record::DoubleLock { thread: 1, first: held, second: held },
        Record::Deadlock { closer: 2, members: vec![member.clone()].into(), action: DeadlockAction::Panic },
        Record::LongWait { ended: false, waits: member, holders: vec![(3, held)].into() },
        Record::Overtaken { thread: 3, wanted: held, times: 128, milliseconds: 250 },
        Record::Leaked { pool: 3, task: 1 },
        Record::End,
    ];
    for record in records {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        assert_eq!(bytes.len(), record.encoded_len());
        assert_eq!(bytes.len(), record.encoded_len());
        assert_eq!(Record::decode(&bytes), Some((record, bytes.len())));
        for cut in 0..bytes.len() {
            assert_eq!(Record::decode(&bytes[..cut]), None);
        }
    }
}

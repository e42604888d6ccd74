//! Canned findings that every format is tested on: one function, two files, a pool, a run-time place, odd names.

use super::{Context, Style};
use crate::finding::*;
use crate::source::{Targets, Text, Texts};

const CHAIN: &str = "\
use parking_lot::RwLock;

pub struct Chain {
    header: RwLock<Header>,
}

impl Chain {
    pub fn import(&self, block: Block) {
        let header = self.header.read();
        if block.number > header.number {
            self.header.write().number = block.number;
        }
    }
}
";

const BANK: &str = "\
impl Bank {
    pub fn transfer(&self, amount: u64) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.withdraw(amount);
        audit::record(self, amount);
    }
}
";

const AUDIT: &str = "\
pub fn record(bank: &Bank, amount: u64) {
    let mut log = bank.log.lock().unwrap();
    log.push(amount);
}

pub fn check(bank: &Bank) -> bool {
    let log = bank.log.lock().unwrap();
    let sum: u64 = log.iter().sum();

    // The slow way, to be sure.
    sum == bank.accounts.lock().unwrap().total()
}
";

const POOL: &str = "\
fn parent(pool: &ThreadPool) {
    pool.run_async(\"child\", child);
    pool.run_async(\"child\", child);
}

fn child(pool: &ThreadPool) {
    pool.run_async(\"grandchild\", grandchild);
}
";

pub(crate) fn texts() -> Texts {
    let mut texts = Texts::default();
    for (file, text) in [("src/chain.rs", CHAIN), ("src/bank.rs", BANK), ("src/audit.rs", AUDIT), ("src/pool.rs", POOL)]
    {
        texts.insert(file, Text::decode(text.into()).expect("text"));
    }
    texts
}

fn at(file: &str, line: u32, columns: (u32, u32), function: &str, label: &str) -> Location {
    Location {
        file: file.into(),
        line,
        column: columns.0,
        end_line: line,
        end_column: columns.1,
        function: Some(function.into()),
        label: label.into(),
    }
}

fn lock(name: &str, kind: &str, file: &str, line: u32) -> LockInfo {
    LockInfo { name: name.into(), kind: kind.into(), file: file.into(), line, column: 5 }
}

fn report(mode: Mode, finding: Finding) -> Report {
    let summary = Summary { files: 4, lines: 40, functions: 6, locks: 3, acquisitions: 9, ..Summary::default() };
    let mut report = Report { mode, summary, findings: vec![finding], notices: Vec::new() };
    report.finish();
    report
}

/// A report as a format without choices shows it, with the samples' texts.
pub(crate) fn rendered(render: fn(&Report, &Context<'_>) -> String, report: &Report) -> String {
    let (texts, targets) = (texts(), Targets::default());
    render(report, &Context { texts: &texts, targets: &targets, style: Style::default(), pictures: None })
}

/// A read guard, and a write behind it, in one function.
pub(crate) fn double_lock() -> Report {
    let finding = Finding {
        rule: "double_lock",
        level: Level::Deny,
        confidence: Confidence::High,
        evidence: Evidence::Static,
        message: "`Chain.header` is locked for writing while this thread still holds it for reading".into(),
        help: "drop `header` before line 11, or read `header.number` in a block of its own".into(),
        locks: vec![lock("Chain.header", "parking_lot::RwLock", "src/chain.rs", 4)],
        primary: at("src/chain.rs", 11, (13, 32), "Chain::import", "waits here for ever"),
        related: vec![at(
            "src/chain.rs",
            9,
            (22, 40),
            "Chain::import",
            "read guard `header` taken here, alive to line 13",
        )],
        threads: vec![],
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new("double_lock", &["Chain.header".into()], &["Chain::import".into()]),
    };
    report(Mode::Scan, finding)
}

fn step(thread: &str, does: &str, place: Option<(&str, u32)>) -> ScheduleStep {
    let at = place.map(|(file, line)| at(file, line, (9, 9), "", ""));
    ScheduleStep { thread: thread.into(), does: does.into(), at }
}

/// Two locks in opposite orders, with a call on the way, over two files.
pub(crate) fn lock_order_inversion() -> Report {
    let accounts = at("src/bank.rs", 3, (28, 48), "Bank::transfer", "acquires `Bank.accounts`");
    let finding = Finding {
        rule: "lock_order_inversion",
        level: Level::Deny,
        confidence: Confidence::High,
        evidence: Evidence::Predicted,
        message: "`Bank.accounts` and `Bank.log` are locked in opposite orders".into(),
        help: "lock `Bank.accounts` before `Bank.log` in `audit::check` too".into(),
        locks: vec![
            lock("Bank.accounts", "std::sync::Mutex", "src/lib.rs", 4),
            lock("Bank.log", "std::sync::Mutex", "src/lib.rs", 5),
        ],
        primary: at("src/audit.rs", 11, (12, 32), "audit::check", "wants `Bank.accounts` while it holds `Bank.log`"),
        related: vec![
            accounts.clone(),
            at(
                "src/report.rs",
                40,
                (5, 20),
                "report::print",
                "`Bank.accounts`, then `Bank.log`, as in `Bank::transfer`",
            ),
        ],
        threads: vec![
            ThreadPath {
                name: "thread 2 `teller`".into(),
                steps: vec![
                    accounts,
                    at("src/bank.rs", 5, (9, 36), "Bank::transfer", "calls `audit::record`"),
                    at("src/audit.rs", 2, (19, 34), "audit::record", "wants `Bank.log`"),
                ],
            },
            ThreadPath {
                name: "thread 3 `auditor`".into(),
                steps: vec![
                    at("src/audit.rs", 7, (15, 30), "audit::check", "acquires `Bank.log`"),
                    at("src/audit.rs", 11, (12, 32), "audit::check", "wants `Bank.accounts`"),
                ],
            },
        ],
        pool: None,
        schedule: vec![
            step("thread 2 `teller`", "takes `Bank.accounts`", Some(("src/bank.rs", 3))),
            step("thread 3 `auditor`", "takes 3 locks, `Bank.log` the last", Some(("src/audit.rs", 7))),
            step("thread 2 `teller`", "waits for `Bank.log`", None),
            step("thread 3 `auditor`", "waits for `Bank.accounts`", Some(("src/audit.rs", 11))),
        ],
        fingerprint: Fingerprint::new("lock_order_inversion", &["Bank.accounts".into(), "Bank.log".into()], &[]),
    };
    report(Mode::Run, finding)
}

/// Both workers of a pool wait for a slot that only they could free. Places as a run knows them: where, not how long.
pub(crate) fn pool_starvation() -> Report {
    let child = |worker: u32| ThreadPath {
        name: format!("worker {worker}, task `child`"),
        steps: vec![
            at("src/pool.rs", worker + 1, (10, 10), "parent", "submitted here, holds a slot"),
            at("src/pool.rs", 7, (10, 10), "child", "waits for a slot for `grandchild`"),
        ],
    };
    let finding = Finding {
        rule: "pool_starvation",
        level: Level::Deny,
        confidence: Confidence::High,
        evidence: Evidence::Observed,
        message: "both workers of the pool wait for a free worker: each runs `child`, which submits `grandchild`"
            .into(),
        help: "give the pool at least 3 workers, or let submissions queue instead of block".into(),
        locks: vec![lock("pool", "lockcheck_tracker::pool::ThreadPool", "src/main.rs", 3)],
        primary: at("src/pool.rs", 7, (10, 10), "child", "blocks until a worker is free"),
        related: vec![],
        threads: vec![child(1), child(2)],
        pool: Some(PoolSize { workers: 2, minimum_safe_workers: Some(3) }),
        schedule: Vec::new(),
        fingerprint: Fingerprint::new("pool_starvation", &["pool".into()], &["child".into()]),
    };
    report(Mode::Run, finding)
}

/// A file without text, a name with an escape sequence, low confidence.
pub(crate) fn odd() -> Report {
    let finding = Finding {
        rule: "guard_dropped_immediately",
        level: Level::Warn,
        confidence: Confidence::Low,
        evidence: Evidence::Static,
        message: "the guard of `\u{1b}[31mx` is dropped at once".into(),
        help: String::new(),
        locks: vec![],
        primary: at("src/chain.rs", 900, (1, 1), "f", ""),
        related: vec![at("src/gone.rs", 3, (5, 9), "g", "here it would be needed")],
        threads: vec![],
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new("guard_dropped_immediately", &[], &[]),
    };
    let mut report = report(Mode::Scan, finding);
    report.notices.push(Notice {
        kind: NoticeKind::UnparsedFile,
        file: Some("src/broken.rs".into()),
        line: Some(3),
        message: "expected `;`; the function is not analysed".into(),
    });
    report.notices.push(Notice {
        kind: NoticeKind::Truncated,
        file: None,
        line: None,
        message: "the search for cycles stopped after 10000 cycles".into(),
    });
    report
}

pub(crate) fn clean_scan() -> Report {
    let mut report = Report { findings: Vec::new(), ..double_lock() };
    report.finish();
    report
}

pub(crate) fn all() -> [Report; 5] {
    [double_lock(), lock_order_inversion(), pool_starvation(), odd(), clean_scan()]
}

/// All of them in one report.
pub(crate) fn everything() -> Report {
    let mut report = Report { mode: Mode::Run, ..odd() };
    for each in [double_lock(), lock_order_inversion(), pool_starvation()] {
        report.findings.extend(each.findings);
    }
    report.findings.retain(|finding| finding.rule != "guard_dropped_immediately");
    report.finish();
    report
}

//! `unsafe_region`: concurrent code that reads shared state, relies on it and modifies it without one lock throughout.

use super::{Facts, Group, Rule, stale, wording};
use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, LockInfo, ThreadPath};
use crate::regions::effects::criteria::{Statement, lines};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unsafe_region",
    group: Group::SharedState,
    level: Level::Warn,
    summary: "concurrent code that reads shared state, relies on it and modifies it without one lock throughout",
    docs: DOCS,
    check,
};

const DOCS: &str = r#"## What it does
Reports a stretch of code that runs concurrently (a spawned closure, a task, a handler, what is given to a thread pool)
in which shared state is read, relied on and modified without one lock held from the read to the write, although parts of
the stretch need not be in it. Every statement is judged by three criteria: 1, it modifies shared state; 2, it reads
shared state and relies on it; 3, it modifies local state. Statements that meet one must stay in their order; those that
meet none (sending messages, writing a log) may run at any time. `lockcheck scan --sections` prints them all.

## Why is this bad?
Every access is safe, the whole is not: another run of the same code may write between the read and the write, and
one of the two updates is lost.

## Example
```rust
fn transaction(bank: &Bank, bot: &Bot, order: &Order) {
    let mut source = bank.read_account(order.source);
    source.balance -= order.amount;
    bot.send_message(order.chat_id, "writing");
    bank.write_account(source);
}

pool.run_async(move || transaction(&bank, &bot, &order));
```

## Use instead
```rust
fn transaction(bank: &Bank, bot: &Arc<Bot>, pool: &ThreadPool, order: &Order) {
    let mut source = bank.read_account(order.source);
    source.balance -= order.amount;
    let (bot, chat_id) = (bot.clone(), order.chat_id);
    pool.run_async(move || bot.send_message(chat_id, "writing"));
    bank.write_account(source);
}

transaction(&bank, &bot, &pool, &order);
```
"#;

/// Places of free statements that are shown.
const MOST_SHOWN: usize = 6;

fn check(facts: &Facts<'_>, out: &mut Vec<Finding>) {
    let Some(regions) = facts.regions else { return };
    for found in &regions.unsafe_regions {
        let all = || {
            let own = found.pairs.iter().map(|pair| (&pair.read, &pair.write));
            own.chain(found.pairs.iter().flat_map(|pair| pair.also.iter().map(|(read, write)| (read, write))))
        };
        let (Some(first), Some(last)) = (
            all().map(|(read, _)| read).min_by_key(|read| (read.line, read.column)),
            all().map(|(_, write)| write).max_by_key(|write| (write.line, write.column)),
        ) else {
            continue;
        };
        let mut names: Vec<String> = Vec::new();
        let mut locks: Vec<LockInfo> = Vec::new();
        for pair in &found.pairs {
            if !names.contains(&format!("`{}`", pair.name)) {
                names.push(format!("`{}`", pair.name));
                locks.push(stale::cell(pair, regions));
            }
        }
        let shared = and(&names);
        let primary = wording::at(first, format!("{shared} read here, in code that runs concurrently"));
        let mut related: Vec<Location> = Vec::new();
        let mut steps = vec![primary.clone()];
        for pair in &found.pairs {
            let also = pair.also.iter().flat_map(|(read, write)| stale::both(&pair.name, read, write));
            for at in stale::both(&pair.name, &pair.read, &pair.write).into_iter().chain(also) {
                if !steps.iter().any(|known| (known.line, known.column) == (at.line, at.column)) {
                    related.push(at.clone());
                    steps.push(at);
                }
            }
        }
        steps.sort_by_key(|at| (at.line, at.column));
        related.push(wording::at(&found.started, "runs beside other threads from here on"));
        let free =
            found.free.iter().take(MOST_SHOWN).map(|statement| {
                wording::at(&statement.at, format!("{} may run at any time", and(&called(statement))))
            });
        related.extend(free);
        let mut free: Vec<String> = Vec::new();
        for name in found.free.iter().flat_map(called) {
            if !free.contains(&name) {
                free.push(name);
            }
        }
        let keys: Vec<String> = found.pairs.iter().map(|pair| pair.key.clone()).collect();
        let function = &found.function;
        out.push(Finding {
            rule: RULE.id,
            level: if found.test { Level::Note } else { Level::Warn },
            confidence: Confidence::Medium,
            evidence: Evidence::Static,
            message: format!(
                "`{function}` runs concurrently, reads {shared}, relies on it and modifies it, and nothing is held \
                 throughout"
            ),
            help: format!(
                "only {} may run asynchronously ({}); keep {} in order, one run at a time, or hold one lock from line {} to line {}",
                and(&free),
                lines(&found.free),
                lines(&found.keep),
                first.line,
                last.line
            ),
            locks,
            fingerprint: Fingerprint::new(RULE.id, &keys, std::slice::from_ref(function)),
            primary,
            related,
            threads: vec![ThreadPath { name: format!("`{function}`"), steps }],
            pool: None,
            schedule: Vec::new(),
        });
    }
}

fn called(statement: &Statement) -> Vec<String> {
    statement.calls.iter().chain(&statement.unknown).map(|name| format!("`{name}`")).collect()
}

/// `a`, `b` and `c`.
fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

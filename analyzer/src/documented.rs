//! A lock order that the user documents, checked against the lock graph of either pass.
//!
//! ```toml
//! [order]                                   # in lockcheck.toml: outermost first
//! bank = ["Bank.accounts", "Bank.log"]
//! ```
//! ```text
//! // lockcheck: order(Bank.accounts < Bank.log)
//! ```
//!
//! Guarantees: an order edge against the documented order is a `lock_order_inversion`, also where no code takes the locks
//! the other way round yet: with the documentation it closes the cycle. Orders are transitive, over all chains and comments
//! together; what contradicts itself, or names no lock, is a notice.
//!
//! Misses: two locks of one class, which have one name.

use std::collections::{BTreeSet, VecDeque};

use memchr::memmem;
use rustc_hash::FxHashMap;

use crate::finding::{Confidence, Evidence, Finding, Fingerprint, Level, Location, Notice, NoticeKind, ThreadPath};
use crate::graph::{LockGraph, OrderEdge, Witness};
use crate::nearest::hint;
use crate::rules::lock_order_inversion;
use crate::source::Text;
use crate::syntax::outline::Outline;

/// Locks in the order in which they may be taken, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// As reports show them.
    pub locks: Vec<String>,
    /// Where it is documented.
    pub file: String,
    /// Line of that place.
    pub line: u32,
}

/// `A < B < C` of a comment, without the word in front; an error says what is wrong.
pub fn chain(said: &str) -> Result<Vec<String>, String> {
    let form = "write `// lockcheck: order(A < B)`, outermost first";
    let inner = said.trim().strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((inner, rest)) = inner else { return Err(format!("the locks behind `order` are missing; {form}")) };
    if !rest.trim().is_empty() && !rest.trim_start().starts_with("--") {
        return Err(format!("what follows `order(..)` is not understood; {form}"));
    }
    let locks: Vec<String> = inner.split('<').map(|name| name.trim().trim_matches('`').to_owned()).collect();
    if locks.len() < 2 || locks.iter().any(String::is_empty) {
        return Err(format!("an order is of two locks or more; {form}"));
    }
    Ok(locks)
}

/// The chains that the comments of a text document. What is wrong with them is said by the suppressions, which read the
/// same comments.
pub fn in_text(file: &str, text: &Text) -> Vec<Chain> {
    if memmem::find(text.text().as_bytes(), b"lockcheck:").is_none() {
        return Vec::new();
    }
    let outline = Outline::new(text.text());
    let comments = outline.comments().iter().filter_map(|(extent, said)| {
        let said = said.strip_prefix("lockcheck:")?.trim().strip_prefix("order")?;
        let locks = chain(said).ok()?;
        Some(Chain { locks, file: file.to_owned(), line: outline.span(extent.clone()).start.line })
    });
    comments.collect()
}

/// What a check says.
#[derive(Debug, Default)]
pub struct Checked {
    /// One per pair of locks taken against the order.
    pub findings: Vec<Finding>,
    /// What is wrong with the documentation.
    pub notices: Vec<Notice>,
}

/// Checks a graph. `known` are findings that already report a cycle: their locks are not reported again. `taken` are the
/// names of all locks that the program takes, where they are known, so that a name without a lock is worth saying.
/// O(edges x chain elements).
pub fn check(
    graph: &LockGraph,
    chains: &[Chain],
    known: &[Finding],
    evidence: Evidence,
    taken: Option<&BTreeSet<&str>>,
) -> Checked {
    let mut out = Checked::default();
    let documented = Documented::new(chains, &mut out.notices);
    if let Some(taken) = taken {
        unknown(taken, chains, &mut out.notices);
    }
    for (_, edge) in graph.edges() {
        let (held, wanted) = (&graph.class_of(edge.from).info.name, &graph.class_of(edge.to).info.name);
        let Some(way) = documented.way(wanted, held) else { continue };
        let reported = known.iter().any(|finding| {
            let has = |name: &str| finding.locks.iter().any(|lock| lock.name == name);
            finding.rule == lock_order_inversion::RULE.id && has(held) && has(wanted)
        });
        if !reported && let Some(witness) = edge.witnesses.first() {
            out.findings.push(finding(graph, edge, witness, &way, &chains[documented.said(&way)], evidence));
        }
    }
    out
}

/// The documented edges.
struct Documented {
    /// By lock: what may be taken under it, with the chain that says so.
    under: FxHashMap<String, Vec<(String, usize)>>,
}

impl Documented {
    /// Leaves out what contradicts what came before.
    fn new(chains: &[Chain], notices: &mut Vec<Notice>) -> Documented {
        let mut all = Documented { under: FxHashMap::default() };
        for (at, chain) in chains.iter().enumerate() {
            for pair in chain.locks.windows(2) {
                if pair[0] == pair[1] || all.way(&pair[1], &pair[0]).is_some() {
                    let message = format!(
                        "the order `{}` before `{}` contradicts what is documented elsewhere and is passed over",
                        pair[0], pair[1]
                    );
                    notices.push(notice(chain, message));
                } else {
                    all.under.entry(pair[0].clone()).or_default().push((pair[1].clone(), at));
                }
            }
        }
        all
    }

    /// The locks from `outer` to `inner` by documented steps; `None` where there is no order between them.
    fn way(&self, outer: &str, inner: &str) -> Option<Vec<String>> {
        let mut before: FxHashMap<&str, &str> = FxHashMap::default();
        let mut queue = VecDeque::from([outer]);
        while let Some(at) = queue.pop_front() {
            for (next, _) in self.under.get(at).into_iter().flatten() {
                if next != outer && !before.contains_key(next.as_str()) {
                    before.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        let mut way = vec![inner.to_owned()];
        let mut at = inner;
        while at != outer {
            at = before.get(at)?;
            way.push(at.to_owned());
        }
        way.reverse();
        (way.len() > 1).then_some(way)
    }

    /// Which chain says the first step of a way.
    fn said(&self, way: &[String]) -> usize {
        let steps = self.under.get(&way[0]).into_iter().flatten();
        steps.filter(|(next, _)| *next == way[1]).map(|(_, chain)| *chain).next().unwrap_or(0)
    }
}

fn unknown(taken: &BTreeSet<&str>, chains: &[Chain], notices: &mut Vec<Notice>) {
    for chain in chains {
        for lock in chain.locks.iter().filter(|lock| !taken.contains(lock.as_str())) {
            let near = hint(lock, taken.iter().copied());
            notices.push(notice(chain, format!("the documented order names `{lock}`, which nothing here takes{near}")));
        }
    }
}

fn notice(chain: &Chain, message: String) -> Notice {
    Notice { kind: NoticeKind::Configuration, file: Some(chain.file.clone()), line: Some(chain.line), message }
}

fn finding(
    graph: &LockGraph,
    edge: &OrderEdge,
    witness: &Witness,
    way: &[String],
    chain: &Chain,
    evidence: Evidence,
) -> Finding {
    let (held, wanted) = (graph.class_of(edge.from), graph.class_of(edge.to));
    let (held_name, wanted_name) = (&held.info.name, &wanted.info.name);
    let label = |site: &Location, text: String| Location { label: text, ..site.clone() };
    let first = label(&witness.held.site, format!("`{held_name}` is taken"));
    let second = label(&witness.wanted.site, format!("`{wanted_name}` is wanted while `{held_name}` is held"));
    // Every call says whom it calls: the function that the next place stands in.
    let next = |at: usize| witness.calls.get(at + 1).unwrap_or(&witness.wanted.site).function.clone();
    let called = |(at, call): (usize, &Location)| match next(at) {
        Some(callee) if call.label.is_empty() => label(call, format!("calls `{callee}`")),
        _ => call.clone(),
    };
    let calls: Vec<Location> = witness.calls.iter().enumerate().map(called).collect();
    // Where the reader can act is the function that holds the first lock.
    let holder = witness.thread_name.trim_matches('`');
    let primary = match calls.iter().rfind(|call| call.function.as_deref() == Some(holder)) {
        Some(call) => label(call, format!("{}, which wants `{wanted_name}`", call.label)),
        None => second.clone(),
    };
    let steps: Vec<Location> = [first].into_iter().chain(calls).chain([second]).collect();
    let document = Location {
        file: chain.file.clone(),
        line: chain.line,
        column: 1,
        end_line: chain.line,
        end_column: 1,
        function: None,
        label: "the documented order".into(),
    };
    let functions: Vec<String> =
        [&witness.held.site, &witness.wanted.site].iter().filter_map(|site| site.function.clone()).collect();
    Finding {
        rule: lock_order_inversion::RULE.id,
        level: if witness.test || witness.confidence == Confidence::Low { Level::Note } else { Level::Deny },
        confidence: witness.confidence,
        evidence,
        message: format!(
            "`{wanted_name}` is taken under `{held_name}` in {}, against the documented order {}",
            witness.thread_name,
            way.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" before ")
        ),
        help: format!("take `{wanted_name}` before `{held_name}` here, or end the guard of `{held_name}` first"),
        locks: vec![held.info.clone(), wanted.info.clone()],
        related: steps
            .iter()
            .filter(|step| (&step.file, step.line, step.column) != (&primary.file, primary.line, primary.column))
            .cloned()
            .chain([document])
            .collect(),
        primary,
        threads: vec![ThreadPath { name: witness.thread_name.clone(), steps }],
        pool: None,
        schedule: Vec::new(),
        fingerprint: Fingerprint::new(
            lock_order_inversion::RULE.id,
            &[held.key.clone(), wanted.key.clone()],
            &functions,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::picture::tests::graph;

    fn chains(all: &[&[&str]]) -> Vec<Chain> {
        let chain = |locks: &&[&str]| Chain {
            locks: locks.iter().map(|lock| lock.to_string()).collect(),
            file: "lockcheck.toml".into(),
            line: 2,
        };
        all.iter().map(chain).collect()
    }

    fn said(edges: &[(&str, &str)], all: &[&[&str]]) -> (Vec<String>, Vec<String>) {
        let graph = graph(edges);
        let taken = graph.classes().map(|class| class.info.name.as_str()).collect();
        let checked = check(&graph, &chains(all), &[], Evidence::Static, Some(&taken));
        let messages = checked.findings.into_iter().map(|finding| finding.message).collect();
        (messages, checked.notices.into_iter().map(|notice| notice.message).collect())
    }

    #[test]
    fn an_edge_against_the_order_is_found_over_several_chains() {
        let (found, notices) = said(&[("c", "a"), ("a", "b")], &[&["a", "b"], &["b", "c"]]);
        assert_eq!(found, ["`a` is taken under `c` in `f0`, against the documented order `a` before `b` before `c`"]);
        assert_eq!(notices, Vec::<String>::new());
    }

    #[test]
    fn what_has_no_documented_order_is_free() {
        assert_eq!(said(&[("a", "x"), ("x", "b")], &[&["a", "b"]]).0, Vec::<String>::new());
    }

    #[test]
    fn contradictions_and_slips_are_notices() {
        let (found, notices) =
            said(&[("first", "second")], &[&["first", "second"], &["second", "first"], &["frist", "second"]]);
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(notices[0].contains("contradicts"), "{notices:?}");
        assert!(notices[1].contains("did you mean `first`?"), "{notices:?}");
    }

    #[test]
    fn comments_are_read_and_malformed_ones_refused() {
        let text = "// lockcheck: order(Bank.accounts < Bank.log) -- audit reads both\nfn f() {}\n";
        let text = Text::decode(text.as_bytes().to_vec()).expect("text");
        let read = in_text("a.rs", &text);
        assert_eq!((read[0].locks.join(","), read[0].line), ("Bank.accounts,Bank.log".into(), 1));
        for wrong in ["", "(a)", "(a <)", "(a < b) and more", "a < b"] {
            assert!(chain(wrong).is_err(), "{wrong}");
        }
    }
}

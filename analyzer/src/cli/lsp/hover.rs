//! Hover on a lock: what it is, which order it is taken in, and who holds it where.
//!
//! Guarantees: an acquisition says its own lock; a declaration says the lock that is declared there.
//!
//! Misses: locks that were not resolved, of which nothing is known.

use std::fmt::Write;

use gen_lsp_types::{Position, Uri};
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::convert::Encoding;
use crate::finding::Location;

/// Places listed per heading.
const MOST: usize = 8;

/// The answer; null where there is nothing to say.
pub(super) fn hover(analysis: &Analysis, uri: &Uri, position: Position, encoding: Encoding) -> Value {
    let Some((file, display)) = analysis.file(uri) else { return Value::Null };
    let Some(text) = analysis.text(display) else { return Value::Null };
    let Some(place) = encoding.place(&text, position) else { return Value::Null };
    let Some(lock) = lock_at(analysis, file as u32, display, place) else { return Value::Null };
    json!({ "contents": { "kind": "markdown", "value": about(analysis, &lock) } })
}

/// The lock whose acquisition or declaration a place is in; the shortest one that is.
fn lock_at(analysis: &Analysis, file: u32, display: &str, (line, column): (u32, u32)) -> Option<String> {
    let inside = |span: &crate::syntax::Span| {
        let at = crate::syntax::Pos { line, column };
        span.start <= at && at <= span.end
    };
    let acquired = analysis.seen.acquired.iter().filter(|each| each.file == file && inside(&each.span));
    let shortest = acquired.min_by_key(|each| (each.span.end.line - each.span.start.line, each.span.end.column));
    shortest.map(|each| each.lock.clone()).or_else(|| {
        let declared = analysis.seen.declared.iter();
        let here = |place: &Location| {
            let (start, end) = ((place.line, place.column), (place.end_line, place.end_column));
            place.file == display && start <= (line, column) && (line, column) <= end
        };
        declared.filter(|(_, place)| here(place)).map(|(name, _)| name.clone()).next()
    })
}

fn about(analysis: &Analysis, lock: &str) -> String {
    let seen = &analysis.seen;
    let node = seen.picture.locks.iter().position(|each| each.name == lock);
    let kind = node.map_or(String::new(), |node| format!(": `{}`", seen.picture.locks[node].kind));
    let mut out = format!("**`{lock}`**{kind}\n\n");
    if let Some(place) = seen.declared.get(lock) {
        let _ = writeln!(out, "declared at {}:{}\n", place.file, place.line);
    }
    let mut list = |title: &str, items: Vec<String>| {
        if items.is_empty() {
            return;
        }
        let _ = writeln!(out, "{title}:");
        for item in items.iter().take(MOST) {
            let _ = writeln!(out, "- {item}");
        }
        if items.len() > MOST {
            let _ = writeln!(out, "- and {} more", items.len() - MOST);
        }
        out.push('\n');
    };
    let Some(node) = node else {
        list("order", vec!["never taken while another lock is held, or the other way round".into()]);
        list("taken at", taken(analysis, lock));
        return out;
    };
    let edges = |from: bool| {
        let edges =
            seen.picture.edges.iter().filter(move |edge| if from { edge.from == node } else { edge.to == node });
        edges.map(move |edge| {
            let other = &seen.picture.locks[if from { edge.to } else { edge.from }].name;
            let cycle = if edge.cyclic { ", on a cycle" } else { "" };
            let who = edge
                .witnesses
                .first()
                .map_or(String::new(), |witness| format!(" in {} at {}", witness.thread, witness.wanted));
            format!("`{other}`{who}{cycle}")
        })
    };
    list("while it is held, these are taken", edges(true).collect());
    list("it is taken while these are held", edges(false).collect());
    let documented = analysis.config.order.iter().filter(|chain| chain.locks.iter().any(|name| name == lock));
    list(
        "documented order",
        documented.map(|chain| format!("{} ({}:{})", chain.locks.join(" before "), chain.file, chain.line)).collect(),
    );
    list("taken at", taken(analysis, lock));
    out
}

fn taken(analysis: &Analysis, lock: &str) -> Vec<String> {
    let places = analysis.seen.acquired.iter().filter(|each| each.lock == lock);
    let shown = |file: u32| analysis.sources.files.get(file as usize).map_or("?", |file| file.display.as_str());
    places.map(|each| format!("{}:{}", shown(each.file), each.span.start.line)).collect()
}

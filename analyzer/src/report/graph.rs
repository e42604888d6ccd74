//! The lock graph as bytes: `dot`, `mermaid`, `json`, `html`, and for a terminal.
//!
//! Guarantees: the same picture gives the same bytes; locks on a cycle and the edges between them are red.
//!
//! Misses: layouts, which graphviz, mermaid and the page's script make.

use std::fmt::Write;

use serde::Serialize;

use super::page::{self, Pictures};
use super::{clean, dot, mermaid};
use crate::graph::picture::Picture;

/// The formats of `lockcheck graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GraphFormat {
    /// For a terminal: cycles, then edges.
    Human,
    /// Graphviz.
    Dot,
    /// Mermaid, as GitHub draws it in Markdown.
    Mermaid,
    /// All of it as one document, `lockcheck.graph/1`.
    Json,
    /// One page for a browser.
    Html,
    /// Chrome's trace events, for Perfetto: the timeline of a recorded run.
    ChromeTrace,
}

impl GraphFormat {
    /// Every format, in the order of the documentation.
    pub const ALL: &[GraphFormat] = &[
        GraphFormat::Human,
        GraphFormat::Dot,
        GraphFormat::Mermaid,
        GraphFormat::Json,
        GraphFormat::Html,
        GraphFormat::ChromeTrace,
    ];

    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            GraphFormat::Human => "human",
            GraphFormat::Dot => "dot",
            GraphFormat::Mermaid => "mermaid",
            GraphFormat::Json => "json",
            GraphFormat::Html => "html",
            GraphFormat::ChromeTrace => "chrome-trace",
        }
    }

    /// One line about it.
    pub fn about(self) -> &'static str {
        match self {
            GraphFormat::Human => "for a terminal: cycles, then every order",
            GraphFormat::Dot => "Graphviz",
            GraphFormat::Mermaid => "mermaid, as GitHub draws it in Markdown",
            GraphFormat::Json => "one document",
            GraphFormat::Html => "one page for a browser, with the timeline of a recorded run",
            GraphFormat::ChromeTrace => "the timeline of a recorded run for Perfetto",
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    graph: &'a Picture,
}

/// The pictures in one format. Linear in their size.
pub fn render(pictures: &Pictures, format: GraphFormat) -> Vec<u8> {
    let empty = Picture::default();
    let picture = pictures.graph.as_ref().unwrap_or(&empty);
    match format {
        GraphFormat::Human => text(picture).into_bytes(),
        GraphFormat::Dot => dot::render(picture).into_bytes(),
        GraphFormat::Mermaid => mermaid::render(picture).into_bytes(),
        GraphFormat::Json => {
            let document = Document { schema: "lockcheck.graph/1", graph: picture };
            let mut out = serde_json::to_vec(&document).expect("plain data, written to memory");
            out.push(b'\n');
            out
        }
        GraphFormat::Html => page::graph_page(pictures).into_bytes(),
        GraphFormat::ChromeTrace => super::chrome_trace::render(pictures.timeline.as_ref()),
    }
}

/// The order that the code follows today, as `[order]` of a `lockcheck.toml`: what to start from.
pub fn order(picture: &Picture) -> String {
    let order = picture.order();
    let mut out = String::from("# The order in which locks are taken today, outermost first.\n");
    let place: std::collections::BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(place, lock)| (*lock, place)).collect();
    for edge in picture.edges.iter().filter(|edge| place.get(&edge.from) > place.get(&edge.to)) {
        let (from, to) = (&picture.locks[edge.from].name, &picture.locks[edge.to].name);
        let at = edge.witnesses.first().map_or("", |witness| witness.wanted.as_str());
        let _ = writeln!(out, "# Against it: `{}` is taken under `{}` at {at}", clean(to), clean(from));
    }
    out.push_str("[order]\n");
    // One chain per group of locks that have to do with each other.
    let mut group: Vec<usize> = (0..picture.locks.len()).collect();
    for edge in &picture.edges {
        let (a, b) = (group[edge.from], group[edge.to]);
        if a != b {
            group.iter_mut().filter(|each| **each == b).for_each(|each| *each = a);
        }
    }
    let mut chains: Vec<(usize, Vec<String>)> = Vec::new();
    for lock in order {
        let name = toml::Value::String(picture.locks[lock].name.clone()).to_string();
        match chains.iter_mut().find(|(known, _)| *known == group[lock]) {
            Some((_, chain)) => chain.push(name),
            None => chains.push((group[lock], vec![name])),
        }
    }
    for (number, (_, chain)) in chains.iter().enumerate() {
        let _ = writeln!(out, "chain-{} = [{}]", number + 1, chain.join(", "));
    }
    out
}

fn text(picture: &Picture) -> String {
    let mut out = String::new();
    let name = |lock: usize| format!("`{}`", clean(&picture.locks[lock].name));
    for cycle in &picture.cycles {
        let mut path: Vec<String> = cycle.iter().map(|edge| name(picture.edges[*edge].from)).collect();
        path.extend(path.first().cloned());
        let _ = writeln!(out, "cycle: {}", path.join(" -> "));
    }
    if let Some(limit) = &picture.truncated {
        let _ = writeln!(out, "notice: not every cycle is listed: {limit}");
    }
    for edge in &picture.edges {
        let mark = if edge.cyclic { "  (on a cycle)" } else { "" };
        let _ = writeln!(out, "{} -> {}{mark}", name(edge.from), name(edge.to));
        for witness in &edge.witnesses {
            let calls: String = witness.calls.iter().map(|call| format!(", by {}", clean(call))).collect();
            let (held, wanted) = (clean(&witness.held), clean(&witness.wanted));
            let _ = writeln!(out, "    {}: held since {held}{calls}, wanted at {wanted}", clean(&witness.thread));
        }
    }
    let (locks, edges) = (picture.locks.len(), picture.edges.len());
    let _ = writeln!(out, "lockcheck: locks {locks}, order edges {edges}, cycles {}", picture.cycles.len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::picture::tests::graph;

    fn pictures(edges: &[(&str, &str)]) -> Pictures {
        Pictures { graph: Some(Picture::new(&graph(edges), &|_| None)), timeline: None }
    }

    #[test]
    fn one_graph_in_every_text_format() {
        let pictures =
            pictures(&[("Bank.log", "Bank.accounts"), ("Bank.accounts", "Bank.log"), ("a \"b\"[_]", "Bank.log")]);
        let mut out = String::new();
        for format in [GraphFormat::Human, GraphFormat::Dot, GraphFormat::Mermaid, GraphFormat::Json] {
            let bytes = render(&pictures, format);
            out.push_str(&format!("== {}\n{}", format.name(), String::from_utf8_lossy(&bytes)));
        }
        insta::assert_snapshot!(out);
    }

    #[test]
    fn the_order_of_today_is_valid_configuration_and_names_what_goes_against_it() {
        let pictures = pictures(&[("a", "b"), ("b", "c"), ("c", "a"), ("x", "y")]);
        let text = order(pictures.graph.as_ref().expect("a graph"));
        let table: toml::Table = text.parse().expect("TOML");
        let chains = table["order"].as_table().expect("a table");
        assert_eq!(chains.len(), 2, "{text}");
        assert_eq!(chains["chain-1"].as_array().map(Vec::len), Some(3), "{text}");
        assert_eq!(text.matches("# Against it: ").count(), 1, "{text}");
    }

    #[test]
    fn a_large_graph_is_drawn_in_linear_size() {
        let names: Vec<String> = (0..2_000).map(|at| format!("Shard{at}.lock")).collect();
        let edges: Vec<(&str, &str)> = (1..2_000).map(|at| (names[at / 2].as_str(), names[at].as_str())).collect();
        let pictures = pictures(&edges);
        for format in GraphFormat::ALL {
            let bytes = render(&pictures, *format).len();
            assert!(bytes < 2_000_000, "{}: {bytes}", format.name());
        }
    }
}

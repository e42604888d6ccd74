//! `mermaid`: the lock graph as GitHub draws it in Markdown.
//!
//! Guarantees: never more edges than mermaid draws by default; where there are more, the locks on cycles come first and a
//! comment says how many edges are left out.
//!
//! Misses: witnesses.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::clean;
use crate::graph::picture::{Picture, PictureEdge};

/// What mermaid draws by default: 500 edges, 50,000 characters.
const MOST_EDGES: usize = 500;
const MOST_CHARS: usize = 49_000;

pub(super) fn render(picture: &Picture) -> String {
    let mut edges: Vec<&PictureEdge> = picture.edges.iter().collect();
    edges.sort_by_key(|edge| !edge.cyclic);
    let mut drawn = BTreeSet::new();
    let (mut nodes, mut lines, mut red) = (String::new(), String::new(), Vec::new());
    let mut shown = 0;
    for edge in edges.iter().take(MOST_EDGES) {
        if nodes.len() + lines.len() > MOST_CHARS {
            break;
        }
        for lock in [edge.from, edge.to] {
            if drawn.insert(lock) {
                let ring = if picture.locks[lock].ring.is_some() { ":::cycle" } else { "" };
                let _ = writeln!(nodes, "    n{lock}[\"{}\"]{ring}", quoted(&picture.locks[lock].name));
            }
        }
        if edge.cyclic {
            red.push(shown.to_string());
        }
        let _ = writeln!(lines, "    n{} --> n{}", edge.from, edge.to);
        shown += 1;
    }
    let mut out = String::from("flowchart LR\n");
    if shown < edges.len() {
        let _ = writeln!(out, "    %% {} more edges are left out", edges.len() - shown);
    }
    out.push_str(&nodes);
    out.push_str(&lines);
    out.push_str("    classDef cycle stroke:#c00,stroke-width:2px\n");
    if !red.is_empty() {
        let _ = writeln!(out, "    linkStyle {} stroke:#c00,stroke-width:2px", red.join(","));
    }
    out
}

/// Mermaid's own escapes: entities, as in HTML.
fn quoted(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

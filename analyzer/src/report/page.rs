//! What the two pages for a browser share: the look, the script that draws timeline and graph, and their data.
//!
//! Guarantees: the pages need no network and no other file; no text of the program can end the element its data stands in.
//!
//! Misses: browsers without scripts see no pictures; findings are readable there all the same.

use askama::Template;
use serde::Serialize;

use crate::graph::picture::Picture;
use crate::trace::timeline::Timeline;

pub(super) const STYLE: &str = include_str!("../../templates/page.css");
pub(super) const SCRIPT: &str = include_str!("../../templates/page.js");

/// What there is to draw besides findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pictures {
    /// The lock graph.
    pub graph: Option<Picture>,
    /// The timeline of a run.
    pub timeline: Option<Timeline>,
}

#[derive(Template)]
#[template(path = "graph.html")]
struct GraphPage {
    style: &'static str,
    script: &'static str,
    data: String,
    version: &'static str,
}

/// A page with nothing but the pictures.
pub(super) fn graph_page(pictures: &Pictures) -> String {
    let data = embedded(pictures);
    let page = GraphPage { style: STYLE, script: SCRIPT, data, version: env!("CARGO_PKG_VERSION") };
    // Only the writer can fail, and a `String` does not.
    page.render().unwrap_or_default()
}

/// As JSON that can stand in a script element: without `<`, nothing in it can end that.
pub(super) fn embedded(pictures: &Pictures) -> String {
    serde_json::to_string(pictures).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::picture::tests::graph;

    #[test]
    fn no_name_can_end_the_data() {
        let graph = Picture::new(&graph(&[("</script><b>", "<!--")]), &|_| None);
        let page = graph_page(&Pictures { graph: Some(graph.clone()), timeline: None });
        let data = page.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).expect("data").0;
        let read: serde_json::Value = serde_json::from_str(data).expect("valid JSON");
        assert_eq!(read["graph"]["locks"][0]["name"], graph.locks[0].name);
        assert!(!data.contains('<'));
    }
}

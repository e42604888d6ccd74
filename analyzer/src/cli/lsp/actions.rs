//! Code actions: the fixes of a finding, and a suppression with room for its reason.
//!
//! Guarantees: only findings that touch the selected range are offered anything; a suppression without a reason is itself
//! a warning, so that the reason is not forgotten.

use gen_lsp_types::{CodeActionParams, Range, TextEdit, Uri};
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::convert::{Encoding, diagnostic};
use crate::fix::{Fix, fixes};
use crate::source::Text;

/// The answer: a list, perhaps empty.
pub(super) fn actions(analysis: &Analysis, params: &CodeActionParams, encoding: Encoding) -> Value {
    let Some((_, display)) = analysis.file(&params.text_document.uri) else { return json!([]) };
    let wanted = (params.range.start.line, params.range.end.line);
    let mut out = Vec::new();
    for finding in analysis.report.iter().flat_map(|report| &report.findings) {
        let diagnostic = diagnostic(analysis, finding, encoding);
        let lines = (diagnostic.range.start.line, diagnostic.range.end.line);
        if finding.primary.file != display || lines.1 < wanted.0 || wanted.1 < lines.0 {
            continue;
        }
        for fix in fixes(finding, &|file| analysis.text(file)) {
            if let Some(edit) = edit(analysis, &fix, encoding) {
                out.push(json!({
                    "title": fix.title, "kind": "quickfix", "diagnostics": [&diagnostic], "isPreferred": fix.safe, "edit": edit,
                }));
            }
        }
        if let Some(text) = analysis.text(display) {
            let edit = suppress(&text, &params.text_document.uri, finding.primary.line, finding.rule, encoding);
            out.push(json!({
                "title": format!("suppress `{}` here, with a reason", finding.rule),
                "kind": "quickfix", "diagnostics": [&diagnostic], "isPreferred": false, "edit": edit,
            }));
        }
    }
    out.into()
}

fn edit(analysis: &Analysis, fix: &Fix, encoding: Encoding) -> Option<Value> {
    let text = analysis.text(&fix.file)?;
    let at = |offset| {
        let (line, column) = text.position(offset)?;
        Some(encoding.position(Some(&text), line, column))
    };
    let range = Range { start: at(fix.range.start)?, end: at(fix.range.end)? };
    let uri = Uri::from_file_path(analysis.path(&fix.file)).ok()?;
    Some(changes(&uri, TextEdit { range, new_text: fix.text.clone() }))
}

/// A comment on a line of its own above the place.
fn suppress(text: &Text, uri: &Uri, line: u32, rule: &str, encoding: Encoding) -> Value {
    let written = text.line(line).unwrap_or_default();
    let indent: String = written.chars().take_while(|c| c.is_whitespace()).collect();
    let line_break = if text.raw().contains("\r\n") { "\r\n" } else { "\n" };
    let start = encoding.position(Some(text), line, 1);
    let new_text = format!("{indent}// lockcheck: allow({rule}) -- {line_break}");
    changes(uri, TextEdit { range: Range { start, end: start }, new_text })
}

fn changes(uri: &Uri, edit: TextEdit) -> Value {
    json!({ "changes": { uri.as_str(): [edit] } })
}

//! `sarif`: SARIF 2.1.0 as GitHub code scanning reads it.
//!
//! Guarantees: valid against the 2.1.0 schema; every rule is described; one code flow per finding with one thread flow
//! per thread; columns count characters and the file says so; the fingerprint stands where GitHub looks for it, so that
//! an alert survives moved lines. What exceeds GitHub's limits is left out from the end, and a notification says so.
//!
//! Misses: source text; suppressed findings, which are counted only.

use serde::Serialize;
use serde_json::{Value, json};

use super::marks::{FileMarks, Mark, marks, same_place};
use super::{Context, evidence_name, notice_name};
use crate::finding::{Confidence, Finding, Level, Location, Report};
use crate::rules::{REGISTRY, Rule};

/// What GitHub shows: of results the first 5,000, of a thread flow 1,000 places, of related places 100.
const MOST_RESULTS: usize = 5_000;
const MOST_STEPS: usize = 1_000;
const MOST_RELATED: usize = 100;
/// Longest description of a rule.
const MOST_TEXT: usize = 1_024;

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Value,
    locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<Value>,
    partial_fingerprints: Value,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Properties<'a> {
    evidence: &'static str,
    confidence: Confidence,
    locks: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<crate::finding::PoolSize>,
}

pub(super) fn render(report: &Report, context: &Context<'_>) -> Vec<u8> {
    let results = report.findings.iter().take(MOST_RESULTS).map(|finding| result(finding, context)).collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": REGISTRY.iter().map(|each| rule(each)).collect::<Vec<_>>(),
            }}),
            invocations: [json!({ "executionSuccessful": true, "toolExecutionNotifications": notifications(report) })],
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    let mut out = serde_json::to_vec(&log).expect("plain data, written to memory");
    out.push(b'\n');
    out
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": format!("lockcheck::{}", rule.id),
        "name": rule.id,
        "shortDescription": { "text": cut(rule.summary) },
        "fullDescription": { "text": cut(what_it_does(rule)) },
        "help": { "text": rule.docs.trim(), "markdown": rule.docs.trim() },
        "defaultConfiguration": { "level": level(rule.level) },
        "properties": {
            "tags": ["concurrency", rule.group.name()],
            // How often a rule is wrong, in the four words that GitHub knows.
            "precision": match rule.level { Level::Deny => "high", Level::Warn => "medium", _ => "low" },
            "problem.severity": match rule.level {
                Level::Deny => "error",
                Level::Warn => "warning",
                _ => "recommendation",
            },
        },
    })
}

/// The first paragraph of the documentation that is no heading.
fn what_it_does(rule: &Rule) -> &'static str {
    let mut paragraphs = rule.docs.split("\n\n").map(str::trim);
    paragraphs.find(|text| !text.is_empty() && !text.starts_with('#')).unwrap_or(rule.summary)
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_TEXT).collect()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Note | Level::Allow => "note",
    }
}

fn result<'a>(finding: &'a Finding, context: &Context<'_>) -> SarifResult<'a> {
    let files = marks(finding, context.texts, |_| true);
    let all = || files.iter().flat_map(|file| file.marks.iter().map(move |mark| (file, mark)));
    let primary: Vec<Value> =
        all().filter(|(_, mark)| mark.primary).map(|(file, mark)| place(file, mark, None)).collect();
    let others: Vec<_> = all().filter(|(_, mark)| !mark.primary).take(MOST_RELATED).collect();
    let mut text = escape(&finding.message);
    if !finding.help.is_empty() {
        text.push_str(&format!("\nhelp: {}", escape(&finding.help)));
    }
    // Related places are shown where the message links to them, and only there.
    for (id, (_, mark)) in others.iter().enumerate() {
        let label = mark.labels().join("; ");
        text.push_str(&format!(
            "\n[{}:{}]({}) {}",
            escape(&mark.location.file),
            mark.location.line,
            id + 1,
            escape(&label)
        ));
    }
    let flows = finding.threads.iter().filter(|path| !path.steps.is_empty()).map(|path| {
        let steps = path.steps.iter().take(MOST_STEPS).filter_map(|step| {
            let (file, mark) = all().find(|(_, mark)| same_place(mark.location, step))?;
            Some(json!({ "location": place(file, mark, Some(step)) }))
        });
        json!({ "message": { "text": path.name }, "locations": steps.collect::<Vec<_>>() })
    });
    let flows: Vec<Value> = flows.filter(|flow| flow["locations"] != json!([])).collect();
    let precise = finding.fingerprint.to_string();
    SarifResult {
        rule_id: format!("lockcheck::{}", finding.rule),
        rule_index: REGISTRY.iter().position(|rule| rule.id == finding.rule),
        level: level(finding.level),
        message: json!({ "text": text }),
        locations: primary,
        related_locations: others.iter().enumerate().map(|(id, (file, mark))| related(file, mark, id + 1)).collect(),
        code_flows: if flows.is_empty() { Vec::new() } else { vec![json!({ "threadFlows": flows })] },
        partial_fingerprints: json!({
            "primaryLocationLineHash": format!("{precise}:1"),
            "lockcheckFinding/v1": precise,
        }),
        properties: Properties {
            evidence: evidence_name(finding.evidence),
            confidence: finding.confidence,
            locks: finding.locks.iter().map(|lock| lock.name.as_str()).collect(),
            pool: finding.pool,
        },
    }
}

fn place(file: &FileMarks<'_>, mark: &Mark<'_>, step: Option<&Location>) -> Value {
    let (line, column, end_line, end_column) = mark.extent(file.text.as_ref());
    let mut place = json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(file.file) },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    }});
    let label = step.map_or_else(|| mark.labels().join("; "), |step| step.label.clone());
    place["message"] = json!({ "text": escape(if label.is_empty() { "here" } else { &label }) });
    if let Some(function) = &step.unwrap_or(mark.location).function {
        place["logicalLocations"] = json!([{ "fullyQualifiedName": function, "kind": "function" }]);
    }
    place
}

fn related(file: &FileMarks<'_>, mark: &Mark<'_>, id: usize) -> Value {
    let mut place = place(file, mark, None);
    place["id"] = id.into();
    place
}

fn notifications(report: &Report) -> Vec<Value> {
    let mut out: Vec<Value> = report
        .notices
        .iter()
        .map(|notice| {
            let mut value = json!({
                "descriptor": { "id": notice_name(notice.kind) },
                "level": "note",
                "message": { "text": notice.message },
            });
            if let Some(file) = &notice.file {
                let mut place = json!({ "artifactLocation": { "uri": uri(file) } });
                if let Some(line) = notice.line {
                    place["region"] = json!({ "startLine": line.max(1) });
                }
                value["locations"] = json!([{ "physicalLocation": place }]);
            }
            value
        })
        .collect();
    let mut left_out = |what: String| {
        out.push(json!({ "descriptor": { "id": "truncated" }, "level": "warning", "message": { "text": what } }));
    };
    if let Some(more) = report.findings.len().checked_sub(MOST_RESULTS).filter(|more| *more > 0) {
        left_out(format!("{more} further findings are left out, as code scanning keeps {MOST_RESULTS}"));
    }
    let long = |finding: &&Finding| {
        let places: usize = finding.related.len() + finding.threads.iter().map(|path| path.steps.len()).sum::<usize>();
        finding.threads.iter().any(|path| path.steps.len() > MOST_STEPS) || places > MOST_RELATED
    };
    let cut = report.findings.iter().take(MOST_RESULTS).filter(long).count();
    if cut > 0 {
        left_out(format!("{cut} findings have more places than code scanning keeps; some are left out"));
    }
    out
}

/// A relative reference: everything but what may stand in a path as it is becomes `%XX`.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// In a message, brackets make links.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

#[cfg(test)]
#[path = "sarif_tests.rs"]
mod tests;

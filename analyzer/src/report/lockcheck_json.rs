//! `lockcheck-json`: the whole report as one document, schema `lockcheck.report/1`.
//!
//! Guarantees: one JSON object and a line break; fields keep their order; what a finding does not have is left out.
//!
//! Misses: nothing of the report.

use serde::Serialize;

use crate::finding::{Finding, Mode, Notice, Report, Summary};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    mode: Mode,
    tool: Tool,
    summary: &'a Summary,
    findings: &'a [Finding],
    notices: &'a [Notice],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(super) fn render(report: &Report) -> Vec<u8> {
    let document = Document {
        schema: "lockcheck.report/1",
        mode: report.mode,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        summary: &report.summary,
        findings: &report.findings,
        notices: &report.notices,
    };
    let mut out = serde_json::to_vec(&document).expect("the report model has no map keys and no I/O to fail on");
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn samples_as_one_document() {
        let report = samples::everything();
        let bytes = render(&report);
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("valid JSON");
        assert_eq!(value["findings"].as_array().map(Vec::len), Some(report.findings.len()));
        insta::assert_snapshot!(serde_json::to_string_pretty(&value).expect("prints"));
    }

    #[test]
    fn every_document_is_valid_by_the_published_schema() {
        let schema = include_str!("../../schemas/lockcheck.report-1.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).expect("valid JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is one");
        for report in samples::all().into_iter().chain([samples::everything()]) {
            let value: serde_json::Value = serde_json::from_slice(&render(&report)).expect("valid JSON");
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}");
            // What the schema does not name, nobody can rely on.
            for finding in value["findings"].as_array().into_iter().flatten() {
                let known = schema["$defs"]["finding"]["properties"].as_object().expect("properties");
                assert!(finding.as_object().is_some_and(|finding| finding.keys().all(|key| known.contains_key(key))));
            }
        }
        let mut wrong: serde_json::Value =
            serde_json::from_slice(&render(&samples::double_lock())).expect("valid JSON");
        wrong["findings"][0]["level"] = "error".into();
        assert!(!validator.is_valid(&wrong));
    }

    #[test]
    fn what_looks_like_json_in_a_message_stays_text() {
        let mut report = samples::double_lock();
        report.findings[0].message = "\"},{\u{1} \u{2028}".into();
        let value: serde_json::Value = serde_json::from_slice(&render(&report)).expect("valid JSON");
        assert_eq!(value["findings"][0]["message"], report.findings[0].message);
    }
}

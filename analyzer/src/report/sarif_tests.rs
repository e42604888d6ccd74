//! SARIF is read back by the schema and by a crate made from it.

use serde_json::Value;

use super::super::{Style, samples};
use super::*;
use crate::source::Targets;

fn log(report: &Report) -> Value {
    let (texts, targets) = (samples::texts(), Targets::default());
    let context = Context { texts: &texts, targets: &targets, style: Style::default(), pictures: None };
    serde_json::from_slice(&render(report, &context)).expect("valid JSON")
}

/// The schema that the crate `serde-sarif` is made from: OASIS's own.
fn schema() -> Value {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(vec!["--offline".into()])
        .exec()
        .expect("cargo knows the workspace");
    let package = metadata.packages.iter().find(|package| *package.name == "serde-sarif").expect("a dev-dependency");
    let path = package.manifest_path.with_file_name("src").join("schema.json");
    let mut schema: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the crate brings its schema")).expect("valid JSON");
    // One of its patterns is no regular expression, by a bracket too many; we write no `language`.
    for part in ["run", "toolComponent"] {
        let language = schema["definitions"][part]["properties"]["language"].as_object_mut();
        language.expect("a property").remove("pattern");
    }
    schema
}

#[test]
fn the_log_is_valid_by_the_schema_of_sarif_2_1_0() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    for report in samples::all().into_iter().chain([samples::everything()]) {
        let log = log(&report);
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let mut wrong = log(&samples::double_lock());
    wrong["runs"][0]["results"][0]["level"] = "deny".into();
    assert!(!validator.is_valid(&wrong), "the schema is not looked at");
}

#[test]
fn a_reader_of_sarif_finds_every_finding_with_its_threads_and_fingerprint() {
    let report = samples::everything();
    let read: serde_sarif::sarif::Sarif = serde_json::from_value(log(&report)).expect("SARIF");
    let run = &read.runs[0];
    let results = run.results.as_ref().expect("results");
    assert_eq!(results.len(), report.findings.len());
    let rules = run.tool.driver.rules.as_ref().expect("rules");
    assert_eq!(rules.len(), REGISTRY.len());
    for (result, finding) in results.iter().zip(&report.findings) {
        assert_eq!(result.rule_id.as_deref(), Some(format!("lockcheck::{}", finding.rule).as_str()));
        let described = &rules[result.rule_index.expect("an index") as usize];
        assert_eq!(Some(&described.id), result.rule_id.as_ref());
        assert!(described.full_description.as_ref().is_some_and(|text| text.text.chars().count() <= 1024));
        let locations = result.locations.as_ref().expect("locations");
        assert_eq!(locations.len(), 1, "only the first one counts");
        let region = locations[0].physical_location.as_ref().and_then(|place| place.region.as_ref()).expect("a region");
        assert!(region.start_line.is_some() && region.start_column.is_some());
        assert!(region.end_line.is_some() && region.end_column.is_some());
        let prints = result.partial_fingerprints.as_ref().expect("fingerprints");
        assert_eq!(prints["primaryLocationLineHash"], format!("{}:1", finding.fingerprint));
        let threads = result.code_flows.as_ref().map_or(0, |flows| flows[0].thread_flows.len());
        assert_eq!(threads, finding.threads.len());
        // Every link in the message has its place.
        let ids: Vec<i64> = result.related_locations.iter().flatten().filter_map(|place| place.id).collect();
        let text = result.message.text.as_ref().expect("a text");
        assert!(ids.iter().all(|id| text.contains(&format!("]({id})"))), "{text}");
    }
}

#[test]
fn samples_as_sarif() {
    let mut log = log(&samples::everything());
    let driver = &mut log["runs"][0]["tool"]["driver"];
    driver["rules"] = driver["rules"]
        .as_array()
        .and_then(|rules| rules.iter().find(|rule| rule["name"] == "double_lock"))
        .map(|rule| serde_json::json!([{ "id": rule["id"], "properties": rule["properties"] }]))
        .expect("the rule");
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).expect("prints"));
}

#[test]
fn what_code_scanning_would_refuse_is_left_out_and_said() {
    let mut report = samples::double_lock();
    let one = report.findings[0].clone();
    report.findings = (0..MOST_RESULTS + 3).map(|_| one.clone()).collect();
    report.findings[0].related = (0..150).map(|line| Location { line: line + 1, ..one.related[0].clone() }).collect();
    let log = log(&report);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().map(Vec::len), Some(MOST_RESULTS));
    assert_eq!(run["results"][0]["relatedLocations"].as_array().map(Vec::len), Some(MOST_RELATED));
    let said = run["invocations"][0]["toolExecutionNotifications"].as_array().expect("notifications");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0]["message"]["text"].as_str().is_some_and(|text| text.starts_with("3 further findings")));
}

#[test]
fn names_with_brackets_and_paths_with_blanks_stay_what_they_are() {
    assert_eq!(escape("`rows[_]`"), "`rows\\[_\\]`");
    assert_eq!(uri("my crate/é.rs"), "my%20crate/%C3%A9.rs");
}

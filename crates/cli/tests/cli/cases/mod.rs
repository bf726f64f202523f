//! Inputs rebuilt from public reports and hostile inputs (`tests/fixtures/cases`): what the command must say of each.

mod clocks;
mod connections;
mod figures;
mod files;
mod reading;

use serde_json::Value;

use crate::{callgauge, stdout};

/// The path of a case.
fn path(case: &str) -> String {
    format!("tests/fixtures/cases/{case}")
}

/// The text report of a case.
fn text(case: &str) -> String {
    stdout(&["report", &path(case)], b"")
}

/// The JSON report of a case.
fn report(case: &str) -> Value {
    serde_json::from_str(&stdout(&["report", "--format", "json", &path(case)], b"")).unwrap()
}

/// The intervals of a case.
fn intervals(case: &str) -> Vec<Value> {
    stdout(&["intervals", &path(case)], b"").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The kinds of the diagnoses of a report, in its order.
fn kinds(report: &Value) -> Vec<&str> {
    report["diagnoses"].as_array().unwrap().iter().map(|diagnosis| diagnosis["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_good_call_has_no_diagnosis() {
    assert!(kinds(&report("probe-00-good.ndjson.gz")).is_empty());
}

//! The results of the checks, as a table or as JSON.

use serde::Serialize;
use serde_json::json;

use crate::cli::text::table;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Ok,
    /// It works, and an operator should look at it.
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    check: String,
    result: Outcome,
    detail: String,
}

impl Check {
    pub(super) fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check: check.into(), result: Outcome::Ok, detail: detail.into() }
    }

    pub(super) fn warn(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check: check.into(), result: Outcome::Warn, detail: detail.into() }
    }

    pub(super) fn fail(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check: check.into(), result: Outcome::Fail, detail: detail.into() }
    }

    /// A check that is passed if `good`, and failed otherwise.
    pub(super) fn of(check: &str, good: bool, detail: impl Into<String>, remedy: &str) -> Self {
        let detail = detail.into();
        if good { Self::ok(check, detail) } else { Self::fail(check, format!("{detail}: {remedy}")) }
    }
}

/// All checks.
pub(super) struct Report {
    /// The kind of thing that was checked, `stack` or `dataDir`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) checks: Vec<Check>,
}

impl Report {
    pub(super) fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.result == Outcome::Fail).count()
    }

    pub(super) fn text(&self) -> String {
        let head = ["CHECK", "RESULT", "DETAIL"].map(str::to_owned).to_vec();
        let rows = self.checks.iter().map(|Check { check, result, detail }| {
            let result = match result {
                Outcome::Ok => "ok",
                Outcome::Warn => "warn",
                Outcome::Fail => "FAIL",
            };
            // A detail of several lines takes one row here.
            let detail = detail.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            vec![check.clone(), result.to_owned(), detail]
        });
        table(&[vec![head], rows.collect()].concat())
    }

    pub(super) fn json(&self) -> String {
        format!("{:#}\n", json!({ self.kind: self.name, "checks": self.checks }))
    }
}

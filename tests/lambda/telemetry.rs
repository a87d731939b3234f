//! The metrics in a function's log.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stage::{Fixture, IDENTIFIER, Stage};

/// The lines of a log that are documents in CloudWatch's Embedded Metric Format.
fn documents(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line.get("_aws").is_some()).collect()
}

#[tokio::test]
async fn each_request_logs_one_line_with_its_metrics() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        stage.send("create-session/device", &Fixture::default()).await;
    }
    let log = stage.function("create-session").await.output();
    // The registrations have logged such lines, too.
    let requests: Vec<_> = documents(&log).into_iter().filter(|line| line.get("Route").is_some()).collect();
    let [first, second]: [Value; 2] = requests.try_into().unwrap();
    assert_eq!(log.lines().filter(|line| line.contains(r#""message":"request""#)).count(), 2, "{log}");
    assert_eq!((&first["ColdStart"], first["InitDuration"].is_number()), (&json!(1.0), true));
    assert!(second.get("ColdStart").is_none());
    assert_eq!((&second["Service"], &second["Route"]), (&json!("greenroom-test"), &json!("POST /api/sessions")));
    let counted = ["Requests", "ServerErrors", "ReadUnits", "WriteUnits", "TableRequests", "TableRetries"];
    assert_eq!(json!(counted.map(|name| &second[name])), json!([1.0, 0.0, 0.0, 1.0, 1.0, 0.0]));
    assert!(second["Latency"].as_f64().unwrap() > 0.0);
    let dimensions: BTreeSet<_> = second["_aws"]["CloudWatchMetrics"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|directive| directive["Dimensions"][0].as_array().unwrap())
        .map(|dimension| dimension.as_str().unwrap())
        .collect();
    assert_eq!(dimensions, ["Route", "Service"].into());
    assert!(!log.contains(IDENTIFIER));
}

#[tokio::test]
async fn requests_that_no_route_matches_share_one_name() {
    let stage = Stage::new().await;
    stage.send("fallback/put-events", &Fixture { meeting: stage.meeting().await, ..Fixture::default() }).await;
    let log = stage.function("fallback").await.output();
    assert_eq!(documents(&log)[0]["Route"], "fallback", "{log}");
}

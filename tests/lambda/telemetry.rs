//! The telemetry of a function: metrics in its log, and traces to X-Ray.

use std::{collections::BTreeSet, net::UdpSocket, time::Duration};

use serde_json::{Value, json};
use testbed::Function;

use crate::{
    binaries::binary,
    stage::{Fixture, IDENTIFIER, Stage},
};

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

#[tokio::test]
async fn a_traced_request_reports_itself_and_its_table_operations_to_the_daemon() {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let stage = Stage::new().await;
    let mut environment = stage.environment();
    environment.insert("TRACING".to_owned(), "xray".to_owned());
    environment.insert("AWS_XRAY_DAEMON_ADDRESS".to_owned(), daemon.local_addr().unwrap().to_string());
    let table = environment["TABLE_NAME"].clone();
    let function = Function::start(&binary("create-session"), environment).await.unwrap();
    function.invoke(&Fixture::default().event("create-session/openvidu")).await.unwrap();
    // A trace about the recorded use of a credential arrives between the two.
    let opened = heard(&daemon);
    let request = std::iter::repeat_with(|| heard(&daemon)).find(|heard| heard["name"] == "greenroom").unwrap();
    let call = json!({ "operation": "PutItem", "table_name": table, "retries": 0 });
    assert_eq!((&opened["name"], &opened["namespace"], &opened["aws"]), (&json!("DynamoDB"), &json!("aws"), &call));
    assert_eq!(opened["http"], json!({ "response": { "status": 200 } }));
    assert_eq!(request["parent_id"], "9a9197af755a6419");
    assert_eq!(request["annotations"], json!({ "route": "POST /api/sessions" }));
    assert_eq!((&opened["parent_id"], &opened["trace_id"]), (&request["id"], &request["trace_id"]));
}

fn heard(daemon: &UdpSocket) -> Value {
    let mut datagram = [0; 8192];
    let length = daemon.recv(&mut datagram).unwrap();
    let text = std::str::from_utf8(&datagram[..length]).unwrap();
    let (_, document) = text.split_once('\n').unwrap();
    serde_json::from_str(document).unwrap()
}

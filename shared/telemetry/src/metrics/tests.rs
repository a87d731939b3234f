use std::collections::BTreeSet;

use greenroom_core::{id::RequestId, model::guesses::SourceAddress};
use serde_json::json;

use super::*;
use crate::meter::{Meter, Origin};

const USAGE: Usage = Usage {
    read_units: 2.0,
    write_units: 0.0,
    requests: 3,
    retries: 1,
    outbox_messages_given_up: 0,
    differences_mended: 0,
    foreign_reports: 0,
};

fn document(line: &Line, by_route: bool) -> Value {
    let settings = Metrics { service: "live".to_owned(), by_route };
    serde_json::to_value(Document { line, settings: &settings, at: Timestamp::from_millis(1_700_000_000_000) }).unwrap()
}

fn request(status: u16) -> Line {
    Line::of_request("GET /api/x/{id}".to_owned(), status, Duration::from_micros(1500), USAGE)
}

/// The names of the metrics that a document sends for the service and for the route.
fn sent(document: &Value) -> Vec<BTreeSet<&str>> {
    let directives = document["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    let names = directives.iter().map(|directive| {
        let metrics = directive["Metrics"].as_array().unwrap();
        metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
    });
    names.collect()
}

/// Checks a document against the specification of the format.
fn assert_is_in_the_format(document: &Value) {
    assert!(document["_aws"]["Timestamp"].as_i64().unwrap() > 1_600_000_000_000, "milliseconds");
    let directives = document["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert!(!directives.is_empty());
    for directive in directives {
        assert!((1..=1024).contains(&directive["Namespace"].as_str().unwrap().len()));
        for set in directive["Dimensions"].as_array().unwrap() {
            assert!(set.as_array().unwrap().len() <= 30);
            for dimension in set.as_array().unwrap() {
                let value = document[dimension.as_str().unwrap()].as_str().unwrap();
                assert!((1..=1024).contains(&value.len()), "{dimension}");
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(matches!(metric["Unit"].as_str().unwrap(), "Count" | "Milliseconds" | "Seconds"));
            assert!(document[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}

#[test]
fn every_line_is_a_document_in_cloudwatchs_format() {
    let second = Duration::from_secs(1);
    for line in [
        request(200).after_start(Some(second)),
        Line::of_run(false, second, Usage { outbox_messages_given_up: 2, ..USAGE }),
        Line::of_stream("GET /api/sse", second, 3, USAGE),
    ] {
        for by_route in [true, false] {
            assert_is_in_the_format(&document(&line, by_route));
        }
    }
}

#[test]
fn a_request_is_a_line_of_the_log_and_metrics_of_its_service_and_route() {
    let meter = Meter::new(Origin { id: Some(RequestId("id".to_owned())), source: SourceAddress(None) });
    let document = meter.in_scope(|| document(&request(404), true));
    insta::assert_snapshot!(document, @r#"{"ClientErrors":1.0,"Latency":1.5,"ReadUnits":2.0,"Requests":1.0,"Route":"GET /api/x/{id}","ServerErrors":0.0,"Service":"live","TableRequests":3.0,"TableRetries":1.0,"Throttled":0.0,"WriteUnits":0.0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Service"]],"Metrics":[{"Name":"Requests","Unit":"Count"},{"Name":"Latency","Unit":"Milliseconds"},{"Name":"ClientErrors","Unit":"Count"},{"Name":"Throttled","Unit":"Count"},{"Name":"ServerErrors","Unit":"Count"},{"Name":"ReadUnits","Unit":"Count"},{"Name":"WriteUnits","Unit":"Count"},{"Name":"TableRequests","Unit":"Count"},{"Name":"TableRetries","Unit":"Count"}],"Namespace":"Greenroom"},{"Dimensions":[["Service","Route"]],"Metrics":[{"Name":"Requests","Unit":"Count"},{"Name":"Latency","Unit":"Milliseconds"},{"Name":"ClientErrors","Unit":"Count"},{"Name":"ReadUnits","Unit":"Count"}],"Namespace":"Greenroom"}],"Timestamp":1700000000000},"level":"INFO","message":"request","span":{"id":"id","name":"request"},"status":404,"timestamp":"2023-11-14T22:13:20Z"}"#);
}

#[rstest::rstest]
#[case(200, json!([0.0, 0.0, 0.0]))]
#[case(404, json!([1.0, 0.0, 0.0]))]
#[case(429, json!([0.0, 1.0, 0.0]))]
#[case(500, json!([0.0, 0.0, 1.0]))]
#[case(501, json!([1.0, 0.0, 0.0]))]
#[case(503, json!([0.0, 0.0, 1.0]))]
fn a_status_counts_as_one_outcome(#[case] status: u16, #[case] outcomes: Value) {
    let document = document(&request(status), true);
    assert_eq!(json!(["ClientErrors", "Throttled", "ServerErrors"].map(|name| &document[name])), outcomes);
}

#[test]
fn of_a_route_only_what_is_not_zero_is_sent_and_of_no_route_where_that_is_not_wanted() {
    let by_route = document(&request(200), true);
    let of_service = [
        "Requests",
        "Latency",
        "ClientErrors",
        "Throttled",
        "ServerErrors",
        "ReadUnits",
        "WriteUnits",
        "TableRequests",
        "TableRetries",
    ];
    assert_eq!(sent(&by_route), [of_service.into(), BTreeSet::from(["Requests", "Latency", "ReadUnits"])]);
    assert_eq!(sent(&document(&request(200), false)).len(), 1);
}

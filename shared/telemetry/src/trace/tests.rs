use std::net::UdpSocket;

use serde_json::{Value, json};

use super::*;
use crate::{meter::Meter, remote};

const SAMPLED: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1";

/// A socket in place of the daemon, and a tracer that sends to it.
fn daemon() -> (UdpSocket, Arc<Tracer>) {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tracer = Tracer::new(daemon.local_addr().unwrap(), "the-table").unwrap();
    (daemon, tracer)
}

fn heard(daemon: &UdpSocket) -> Value {
    let mut datagram = [0; 4096];
    let length = daemon.recv(&mut datagram).unwrap();
    let text = std::str::from_utf8(&datagram[..length]).unwrap();
    let (header, document) = text.split_once('\n').unwrap();
    assert_eq!(header, r#"{"format":"json","version":1}"#);
    serde_json::from_str(document).unwrap()
}

#[test]
fn what_is_not_sampled_or_has_no_place_in_a_trace_is_not_traced() {
    let (_, tracer) = daemon();
    assert!(tracer.trace(SAMPLED).is_some());
    for header in ["", "Root=1-a", "Root=1-a;Parent=b", "Root=1-a;Parent=b;Sampled=0", "Parent=b;Sampled=1"] {
        assert!(tracer.trace(header).is_none(), "{header}");
    }
}

#[tokio::test]
async fn a_request_and_what_it_asked_others_for_hang_together_below_the_function() {
    let (daemon, tracer) = daemon();
    let meter = Meter::new(tracer.trace(SAMPLED));
    let refused = async { http::Response::builder().status(403).body(()) };
    meter.clone().scope(remote::outgoing("media.example", refused)).await.unwrap();
    meter.trace().unwrap().finish("POST /api/x/{id}", Some(503), true);
    let [asked, request] = [heard(&daemon), heard(&daemon)];
    for document in [&asked, &request] {
        assert_eq!(document["trace_id"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
        assert_eq!(document["type"], "subsegment");
        assert_eq!(document["id"].as_str().unwrap().len(), 16);
        assert!(document["end_time"].as_f64() >= document["start_time"].as_f64());
    }
    assert_eq!((&request["parent_id"], &request["name"]), (&json!("9a9197af755a6419"), &json!("greenroom")));
    assert_eq!(request["annotations"], json!({ "route": "POST /api/x/{id}" }));
    assert_eq!((&request["fault"], &request["http"]), (&json!(true), &json!({ "response": { "status": 503 } })));
    assert_eq!(asked["parent_id"], request["id"]);
    assert_eq!(
        (&asked["name"], &asked["namespace"], &asked["error"]),
        (&json!("media.example"), &json!("remote"), &json!(true))
    );
}
